/** Reads settings from texts: from the environment or from a header. */

import { parseShallow } from "../../wires/shared/depth.ts";

/** A text with one of these characters is JSON or a piece of it, not a list separated by commas. */
const JSON_MARKS = /[{}[\]"]/;

/** E.g. `'a,b'`: Docker's `--env-file` keeps the quotes that a shell removes. */
const QUOTED = /^(['"`])[^]*\1$/;

/**
 * Reads a list: JSON (a list, or one object), or texts separated by commas. Blanks and a byte order mark around it are
 * ignored.
 *
 * Text that looks like JSON is never split at its commas: a piece of it would be taken for a value.
 *
 * @throws TypeError whose message continues "Cannot use NAME: ". It never quotes the text, which may hold secrets.
 */
export function readListText(text: string): unknown[] {
  const trimmed = text.trim();
  if (!JSON_MARKS.test(trimmed) && !QUOTED.test(trimmed)) {
    return trimmed.split(",").map((one) => one.trim()).filter(Boolean);
  }
  const value = readJsonText(trimmed);
  if (Array.isArray(value)) return value;
  if (typeof value === "object" && value !== null) return [value];
  throw new TypeError("it must be a JSON list, or values separated by commas without quotes");
}

/**
 * Reads JSON. Blanks and a byte order mark around it are ignored.
 *
 * @throws TypeError whose message continues "Cannot use NAME: ". It never quotes the text.
 */
export function readJsonText(text: string): unknown {
  const trimmed = text.trim();
  // valibot leaves out members of these names without an error.
  if (/"(?:__proto__|constructor|prototype)"\s*:/.test(trimmed)) {
    throw new TypeError("it has a member named __proto__, constructor or prototype; take it out");
  }
  try {
    return parseShallow(trimmed);
  } catch {
    const quoted = /^['`]/.test(trimmed) ? ": take off the quotes around it" : "";
    throw new TypeError(`it is not valid JSON${quoted}`);
  }
}

const SWITCHES: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["on", true],
  ["false", false],
  ["0", false],
  ["no", false],
  ["off", false],
]);

/** Reads a switch: `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off` in any case; `undefined` for anything else. */
export const readSwitchText = (text: string): boolean | undefined => SWITCHES.get(text.trim().toLowerCase());
