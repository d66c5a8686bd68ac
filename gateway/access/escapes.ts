/**
 * Reads escapes of JSON, of URLs and of HTML, also within each other. A place in the result leads back to the place in the
 * text that was read.
 */

/**
 * The beginnings of escapes for printable ASCII characters, in any case: `\\u002d`, `\x2d`, `%2d`, `%25252d`, `&#x2d;`,
 * `&#45;`, `&amp;`. Escapes of other characters, e.g. line breaks, are not read.
 */
export const ESCAPES = String.raw`\\(?:u00|x)[2-7]|%[2-7]|&(?:#|amp;|[lg]t;|quot;|apos;)`;

/** An end of a text that may be the beginning of an escape. */
const HALF = /(?:\\+(?:u[\da-f]{0,3}|x[\da-f]?)?|%[\da-f]*|&[\w#;&]*)$/;

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["amp", "&"],
]);

/** A text without escapes, with the way back to the text that was read. */
export interface Unescaped {
  text: string;
  /** Where the character at a place of `text` began in the text that was read. */
  startOf(at: number): number;
  /** Where the character before a place of `text` ended in the text that was read. */
  endOf(at: number): number;
}

/**
 * Makes a function that reads escapes.
 *
 * @param chars Characters that a backslash may escape, e.g. `/`.
 */
export function escapeReader(chars: readonly string[]): (text: string) => Unescaped {
  const hex = String.raw`([2-7][\da-f])`;
  const slashed = chars.includes("\\") ? String.raw`[^\\]` : `[${chars.join("") || "\\n"}]`;
  const pattern = new RegExp(
    String.raw`\\+(?:u00${hex}|x${hex}|(${slashed}))|%(?:25)*${hex}|` +
      String.raw`&(?:amp;)*(?:#x0*${hex}|#0*(\d{2,3})|([lg]t|quot|apos|amp));`,
    "g",
  );
  return (text) => unescaped(text, pattern);
}

/** @param text In lower case. */
function unescaped(text: string, pattern: RegExp): Unescaped {
  /** Each escape: `start` and `end` in the text that was read, `at` its character in the text without escapes. */
  const escapes: { start: number; end: number; at: number }[] = [];
  let out = "";
  let done = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, u, x, char, percent, hex, decimal, name] = match;
    const code = u ?? x ?? percent ?? hex;
    const read = char ?? ENTITIES.get(name) ??
      String.fromCharCode(code === undefined ? Number(decimal) : parseInt(code, 16)).toLowerCase();
    out += text.slice(done, match.index) + read;
    done = match.index + whole.length;
    escapes.push({ start: match.index, end: done, at: out.length - 1 });
  }
  if (escapes.length === 0) return { text, startOf: (at) => at, endOf: (at) => at };
  /** The last escape whose character is at a place or before it. */
  function lastAt(at: number): (typeof escapes)[number] | undefined {
    let low = 0;
    let high = escapes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (escapes[middle].at <= at) low = middle + 1;
      else high = middle;
    }
    return escapes[low - 1];
  }
  const startOf = (at: number): number => {
    const escape = lastAt(at);
    if (!escape) return at;
    return at === escape.at ? escape.start : escape.end + (at - escape.at - 1);
  };
  const endOf = (at: number): number => {
    const escape = lastAt(at - 1);
    return escape ? escape.end + (at - escape.at - 1) : at;
  };
  return { text: out + text.slice(done), startOf, endOf };
}

/** How many characters at a text's end are searched for the beginning of an escape, which may hold any number of backslashes. */
const LONGEST_HALF = 24;

/** How many characters at the end of a text may be the beginning of an escape. The text is in lower case. */
export const halfEscape = (text: string): number => HALF.exec(text.slice(-LONGEST_HALF))?.[0].length ?? 0;
