/**
 * Names of functions that Google accepts.
 *
 * Google refuses a name that does not begin with a letter or `_`, or that has characters other than letters, digits,
 * `_`, `.`, `:` and `-` (`FunctionDeclaration.name` of `@google/genai` 3.3.0, 2026-11). OpenAI accepts `2fa_code`, and
 * tool servers use many such names. The written name encodes the client's name, so nothing has to be remembered between
 * a request, its answer and the next turn. Only a name that would be too long for Google is cut. A hash keeps it apart
 * from similar names, and its request remembers the original.
 */
import { digest, hash } from "../shared/hash.ts";
import type { Tool } from "../types.ts";

/** Google's page says "With a maximum length of 128"; until 2026 it was 64. */
const MOST_CHARACTERS = 128;

/** Matches names that Google accepts: `list_files`, `a.b:c-d`. */
const TAKEN = /^[A-Za-z_][\w.:-]*$/;

/** Matches an encoded character: `_x2f_` is `/`. */
const WRITTEN = /_x([0-9a-f]{1,6})_/g;

/** Matches a name that `readName` would change: `_1st` would become `1st`, and `a_x2f_b` would become `a/b`. */
const MISLEADS = /^_+\d|_x[0-9a-f]{1,6}_/;

/** Encodes a name for Google: `1st` becomes `_1st`, and `a/b` becomes `a_x2f_b`. A name that Google accepts stays. */
export function writeName(name: string): string {
  if (TAKEN.test(name) && !MISLEADS.test(name)) return cut(name, name);
  const plain = name.replace(/_(?=x[0-9a-f])/g, "_x5f_").replace(/^[.:-]|[^\w.:-]/gu, character);
  return cut(/^_*\d/.test(plain) ? `_${plain}` : plain, name);
}

function cut(written: string, name: string): string {
  if (written.length <= MOST_CHARACTERS) return written;
  const tail = `_${digest(hash(name))}`;
  return written.slice(0, MOST_CHARACTERS - tail.length) + tail;
}

/**
 * The client's names of functions whose encoded names were cut, by what `readName` returns for these; `undefined` if
 * there are none.
 */
export function cutNames(tools: readonly Tool[] = []): Map<string, string> | undefined {
  let names: Map<string, string> | undefined;
  for (const tool of tools) {
    // A name that is short even if every character is encoded cannot be cut.
    const isNamed = tool.type === "function" || tool.type === "custom";
    if (!isNamed || tool.name.length * LONGEST < MOST_CHARACTERS) continue;
    const read = readName(writeName(tool.name));
    if (read !== tool.name) (names ??= new Map()).set(read, tool.name);
  }
  return names;
}

/** The most characters that encode one UTF-16 unit: `_x5de5_` encodes one unit, `_x1f44b_` encodes two. */
const LONGEST = 7;

const character = (text: string) => `_x${text.codePointAt(0)!.toString(16)}_`;

/** Restores the client's name of a function that Gemini calls. */
export function readName(name: string): string {
  if (!MISLEADS.test(name)) return name;
  const own = /^_+\d/.test(name) ? name.slice(1) : name;
  return own.replace(WRITTEN, (written, hex: string) => {
    const point = parseInt(hex, 16);
    return point > 0x10ffff ? written : String.fromCodePoint(point);
  });
}
