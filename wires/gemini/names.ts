/**
 * Names of functions as Google takes them.
 *
 * Google refuses a name that does not begin with a letter or `_`, or that holds characters other than letters, digits,
 * `_`, `.`, `:` and `-` (`FunctionDeclaration.name` of `@google/genai` 3.3.0, 2026-11). OpenAI takes `2fa_code`, and
 * servers of tools are full of others. The written name says by itself what the client's was, so nothing has to be
 * remembered between a request, its answer and the next turn. Only a name that would be longer than Google takes is cut,
 * and told apart from its like by a hash: its request remembers it.
 */
import { digest, hash } from "../shared/hash.ts";
import type { Tool } from "../types.ts";

/** "With a maximum length of 128"; it was 64 until 2026. */
const MOST_CHARACTERS = 128;

/** `list_files`, `a.b:c-d` */
const TAKEN = /^[A-Za-z_][\w.:-]*$/;

/** What we write for a character: `_x2f_` is `/`. */
const WRITTEN = /_x([0-9a-f]{1,6})_/g;

/** A name that says something else once it is read back: `_1st` would be `1st`, and `a_x2f_b` would be `a/b`. */
const MISLEADS = /^_+\d|_x[0-9a-f]{1,6}_/;

/** `1st` becomes `_1st`, and `a/b` becomes `a_x2f_b`; a name that Google takes stays. */
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

/** The client's names of functions whose written names were cut, by what `readName` makes of these. */
export function cutNames(tools: readonly Tool[] = []): Map<string, string> | undefined {
  let names: Map<string, string> | undefined;
  for (const tool of tools) {
    // No name is written shorter than it is.
    const isNamed = tool.type === "function" || tool.type === "custom";
    if (!isNamed || tool.name.length * LONGEST < MOST_CHARACTERS) continue;
    const read = readName(writeName(tool.name));
    if (read !== tool.name) (names ??= new Map()).set(read, tool.name);
  }
  return names;
}

/** Characters that one of a name's is written as, at most: `_x1f44b_` is two UTF-16 units, `_x5de5_` one. */
const LONGEST = 7;

const character = (text: string) => `_x${text.codePointAt(0)!.toString(16)}_`;

/** The client's name of a function that Google calls. */
export function readName(name: string): string {
  if (!MISLEADS.test(name)) return name;
  const own = /^_+\d/.test(name) ? name.slice(1) : name;
  return own.replace(WRITTEN, (written, hex: string) => {
    const point = parseInt(hex, 16);
    return point > 0x10ffff ? written : String.fromCodePoint(point);
  });
}
