/** Settings that come as texts, from the environment or from a header. */

import { parseShallow } from "../../wires/shared/depth.ts";

/** Characters by which a text is JSON, or a piece of it, and not a list parted by commas. */
const JSON_MARKS = /[{}[\]"]/;

/** E.g. `'a,b'`: Docker's `--env-file` keeps quotes that a shell takes off. */
const QUOTED = /^(['"`])[^]*\1$/;

/**
 * Reads a list: JSON (a list, or one object), or texts parted by commas. Blanks and a byte order mark around it do not count.
 *
 * Text that looks like JSON is never cut at its commas: a piece of it would be taken for a value.
 *
 * @throws TypeError whose message follows "Cannot use NAME: ", without the text, which may hold secrets.
 */
export function readListText(text: string): unknown[] {
  const trimmed = text.trim();
  if (!JSON_MARKS.test(trimmed) && !QUOTED.test(trimmed)) {
    return trimmed.split(",").map((one) => one.trim()).filter(Boolean);
  }
  const value = readJsonText(trimmed);
  if (Array.isArray(value)) return value;
  if (typeof value === "object" && value !== null) return [value];
  throw new TypeError("it must be a list as JSON, or values parted by commas without quotes");
}

/**
 * Reads JSON, without blanks and a byte order mark around it.
 *
 * @throws TypeError whose message follows "Cannot use NAME: ", without the text.
 */
export function readJsonText(text: string): unknown {
  const trimmed = text.trim();
  // A schema drops a member of such a name without a word.
  if (/"(?:__proto__|constructor|prototype)"\s*:/.test(trimmed)) {
    throw new TypeError("it has a member of a name that JavaScript keeps for itself");
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
