/** Makes the text of a body that a log may keep: media are named, credentials masked, and the rest is cut. */

import { longRuns } from "../../wires/shared/base64.ts";

/** The most bytes of a body that are looked at, and that are kept. */
export const MOST_BYTES = { looked: 2 * 2 ** 20, kept: 256 * 1024 };

/** Changes a text before it is kept. */
export type Redact = (text: string) => string;

/** A body as it was sent, or its first bytes. */
export interface Raw {
  text: string;
  /** Bytes of the whole body. */
  bytes: number;
  isCut: boolean;
}

/** The text to keep. `hide` masks the secrets of the request. @throws The error of `redact`. */
export function keptText(
  { text, bytes, isCut }: Raw,
  hide: Redact,
  redact?: Redact,
): { text: string; isCut: boolean } {
  let shown = hide(maskMembers(nameMedia(text)));
  if (redact) shown = `${redact(shown)}`;
  const cut = firstBytes(shown, MOST_BYTES.kept);
  if (!isCut && cut.length === shown.length) return { text: shown, isCut: false };
  return { text: `${cut}… [cut: the body has ${bytes} bytes]`, isCut: true };
}

/** The beginning of a text, of so many bytes at most. */
function firstBytes(text: string, most: number): string {
  // A unit of UTF-16 has three bytes of UTF-8 at most.
  if (text.length * 3 <= most) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}

// ---------------------------------------------------------------- media

/** The beginning of a run of base64. */
const BEGINNING = /[A-Za-z0-9+/_=-]{64}/g;

/** How the base64 of usual media begins. */
const TYPES: readonly (readonly [beginning: string, type: string])[] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["JVBERi", "application/pdf"],
  ["SUQz", "audio/mpeg"],
  ["//u", "audio/mpeg"],
  ["T2dnU", "audio/ogg"],
];

/** The beginning of a data URL before its base64. */
const DATA_URL = /data:([\w.+/-]{1,100})(?:;[\w=.-]{1,100})*;base64,$/;

/** Replaces each medium: `[image/png, 34 kB]`. */
function nameMedia(text: string): string {
  const pieces: string[] = [];
  let kept = 0;
  for (const { start: index, end } of longRuns(text, BEGINNING)) {
    const before = text.slice(Math.max(kept, index - 300), index);
    const url = DATA_URL.exec(before);
    const start = url ? index - url[0].length : index;
    pieces.push(text.slice(kept, start), mediumText(url?.[1] ?? typeOf(text, index), (end - index) * 3 / 4));
    kept = end;
  }
  return kept === 0 ? text : pieces.join("") + text.slice(kept);
}

function typeOf(text: string, index: number): string {
  if (text.startsWith("UklGR", index)) {
    return text.startsWith("V0VCU", index + 11) ? "image/webp" : "audio/wav";
  }
  return TYPES.find(([beginning]) => text.startsWith(beginning, index))?.[1] ?? "base64";
}

/** What stands in the place of a medium. */
export const mediumText = (type: string, bytes: number): string =>
  `[${type}, ${bytes < 1000 ? `${Math.round(bytes)} bytes` : `${Math.round(bytes / 1000)} kB`}]`;

// ---------------------------------------------------------------- credentials in JSON

/**
 * Members of JSON that hold a credential: those of servers of tools (`authorization` of OpenAI, `authorization_token` of
 * Anthropic), and what clients add for their own proxies.
 */
const NAME =
  "(?:[\\w-]{0,40}[_-])?(?:authorization(?:[_-]token)?|api[_-]?key|(?:access|auth|bearer)[_-]?token|password|" +
  "(?:client|secret)[_-]?(?:access[_-]?)?(?:secret|key))";

/** `"api_key": "…"` */
const MEMBER = new RegExp(`("${NAME}"\\s{0,20}:\\s{0,20}")(?:[^"\\\\]|\\\\.){0,20000}`, "gis");

/** `\"api_key\": \"…\"`, as in JSON within JSON. */
const INNER_MEMBER = new RegExp(`(\\\\"${NAME}\\\\{1,8}"\\s{0,20}:\\s{0,20}\\\\{1,8}")[^"\\\\]*`, "gi");

/** The headers of a server of tools: an object of texts. */
const HEADERS = /(\\{0,8}"headers\\{0,8}"\s{0,20}:\s{0,20})\{[^{}]{0,20000}\}/g;

const maskMembers = (text: string): string =>
  text.replaceAll(MEMBER, "$1***").replaceAll(INNER_MEMBER, "$1***").replaceAll(HEADERS, "$1{}");
