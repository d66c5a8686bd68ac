/** Finding secrets in texts: gateway tokens on their way to a provider, stored keys and tokens on their way to a client. */
import { escapeReader, ESCAPES, halfEscape } from "./escapes.ts";

// ---------------------------------------------------------------- tokens

/** A token shorter than this counts only where it stands as a word of its own. */
const WORD_LENGTH = 8;

/**
 * Makes a function that tells whether a text holds one of the tokens: anywhere, also percent-encoded, in base64 or in a
 * `Basic` credential. A text without one costs about 200 ns for each token, and 200 ns.
 *
 * Who is let in is decided by hashes, in constant time; here texts are searched as they are.
 */
export function tokenFinder(tokens: readonly string[]): (text: string) => boolean {
  const packed = tokens.filter(({ length }) => length >= WORD_LENGTH).flatMap(inBase64);
  const holds = (text: string) =>
    tokens.some((token) => hasToken(text, token)) || packed.some((form) => text.includes(form));
  return (text) => {
    if (holds(text)) return true;
    let plain = text;
    for (let round = 0; round < 3 && plain.includes("%"); round++) {
      plain = decoded(plain);
      if (holds(plain)) return true;
    }
    if (!/basic/i.test(plain)) return false;
    for (const [, pair] of plain.matchAll(/basic[\s+]+([\w+/-]+)/gi)) {
      if (holds(fromBase64(pair))) return true;
    }
    return false;
  };
}

/**
 * What base64 makes of a text wherever it stands in a longer one, in the characters of base64 and in those for URLs: the
 * claims of a token (JWT) or a whole header may be packed so.
 */
function inBase64(text: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const all = btoa("\0".repeat(before) + text);
    // What shares a character with the bytes before or after is left out.
    return all.slice(Math.ceil(before * 4 / 3), Math.floor((before + text.length) * 4 / 3));
  });
  return [...new Set([...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))])];
}

/** As `decodeURIComponent`, but for what it takes no part of: that is decoded byte by byte. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  }
}

function hasToken(text: string, token: string): boolean {
  for (let at = text.indexOf(token); at >= 0; at = text.indexOf(token, at + 1)) {
    if (token.length >= WORD_LENGTH || isWord(text, at - 1, at + token.length)) return true;
  }
  return false;
}

/** Whether no letter or digit stands at either of two places of a text. */
const isWord = (text: string, before: number, after: number) =>
  !/[a-z\d]/i.test(text.charAt(before) + text.charAt(after));

/** As `atob`, for the characters of base64 and of its form for URLs, in any number. */
function fromBase64(text: string): string {
  const whole = text.length % 4 === 1 ? text.slice(0, -1) : text;
  return atob(whole.replaceAll("-", "+").replaceAll("_", "/"));
}

// ---------------------------------------------------------------- secrets on their way to a client

/** A shorter key is a word such as `ollama`, for servers that look at none. */
const SHORTEST_SECRET = 8;

const MASK = "***";

/** The most characters of a success that are searched for a secret in other spellings: a picture in base64 is megabytes. */
const MOST_SEARCHED = 64 * 1024;

/** The most characters that one of a secret takes where it is escaped, e.g. `\\\\u002d` or `%25252d`. */
const WIDEST = 12;

/**
 * Replaces secrets by `***` wherever a text holds one: as it is, in capitals, in hex, in base64 (also inside a longer
 * text), percent-encoded, or with escapes of JSON, of JSON within JSON, or of HTML.
 */
export interface Mask {
  /**
   * What an answer says. Of a text longer than 64 KiB the other spellings are looked for only where a secret stands as it
   * is.
   */
  text(text: string): string;
  /** What an object says, e.g. an error. */
  object<T>(object: T): T;
  /** The bytes of a short body. */
  whole(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The bytes of one body, wherever they are cut. */
  bytes(): ByteMask;
}

/** Masks the bytes of one body. */
export interface ByteMask {
  /** Gives the bytes on, the same ones where there is nothing to mask, but for an end that a secret may begin with. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** What is left when the body has ended; may be empty. */
  end(): Uint8Array<ArrayBuffer>;
}

/** What is masked in an answer. */
export interface Masks {
  /** In all that is read of it: the stored key that it was asked with. */
  readonly answer?: Mask;
  /** In an error: the tokens of the gateway too. */
  readonly error?: Mask;
}

/**
 * Makes the function that gives the masks of an answer.
 *
 * @param tokens The gateway's.
 * @returns Takes the stored key that the answer was asked with, if it was. Keys are the operator's, so all masks are kept.
 */
export function answerMasks(tokens: readonly string[]): (key?: string) => Masks {
  const known = new Map<string | undefined, Masks>([[undefined, { error: secretMask(tokens) }]]);
  return (key) => {
    let masks = known.get(key);
    if (!masks) {
      masks = { answer: secretMask([key!]), error: secretMask([key!, ...tokens]) };
      known.set(key, masks);
    }
    return masks;
  };
}

/** Makes a mask for these secrets. Shorter ones than eight characters are not masked; `undefined` if all are shorter. */
export function secretMask(secrets: readonly string[]): Mask | undefined {
  const masked = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  if (masked.length === 0) return undefined;
  const spellings = unique(masked.flatMap(spellingsOf));
  // Of other characters JSON escapes these.
  const escaped = ["/", '"', "\\"].filter((char) => spellings.some((spelling) => spelling.includes(char)));
  const unescaped = escapeReader(escaped);
  // As they are once escapes are read: a secret may hold what looks like one.
  const plain = unique(spellings.map((spelling) => unescaped(spelling).text.replace(/\\+$/, "")));
  const escapes = [ESCAPES, ...escaped.map((char) => literal("\\" + char))].join("|");
  const mayEscape = new RegExp(escapes, "i");
  // One look at a text that holds nothing, as nearly all are: 1 us for each KiB.
  const beginnings = unique(spellings.map((spelling) => literal(spelling.slice(0, SHORTEST_SECRET))));
  const mayHold = beginnings.length > MOST_BEGINNINGS
    ? undefined
    : new RegExp([...beginnings, escapes].join("|"), "i");
  const longest = WIDEST * Math.max(...spellings.map(({ length }) => length));

  function rangesIn(text: string): Range[] {
    if (mayHold && !mayHold.test(text)) return NONE;
    const lower = lowerOf(text);
    const ranges = placesOf(spellings, lower);
    if (mayEscape.test(lower)) {
      const read = unescaped(lower);
      for (const { start, end } of placesOf(plain, read.text)) {
        ranges.push({ start: read.startOf(start), end: read.endOf(end) });
      }
    }
    return ranges;
  }

  /** How many characters at a text's end may be the beginning of a secret. */
  function openEnd(text: string): number {
    // No secret holds a line break, with which most events end.
    if (text === "" || text.charCodeAt(text.length - 1) < 0x20) return 0;
    const end = lowerOf(text.slice(-longest));
    const half = end.length - halfEscape(end);
    const read = unescaped(end.slice(0, half));
    const start = Math.min(read.startOf(beginningAtEnd(plain, read.text)), beginningAtEnd(spellings, end));
    return end.length - Math.min(start, half);
  }

  const replace = (text: string) => replaced(text, rangesIn(text));
  return {
    text(text) {
      const skip = text.length > MOST_SEARCHED && !masked.some((secret) => text.includes(secret));
      return skip ? text : replace(text);
    },
    object(object) {
      const text = JSON.stringify(object);
      const left = replace(text);
      return left === text ? object : parsed(left);
    },
    whole(bytes) {
      const text = textOf(bytes);
      const ranges = rangesIn(text);
      return ranges.length === 0 ? bytes as Uint8Array<ArrayBuffer> : bytesOf(replaced(text, ranges));
    },
    bytes: () => byteMask(rangesIn, openEnd),
  };
}

/** No place, in a list that is never changed. */
const NONE: Range[] = [];

/** More of them are sooner looked for one by one. */
const MOST_BEGINNINGS = 64;

/** As a pattern. */
const literal = (text: string) => text.replaceAll(/[^\w]/g, "\\$&");

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** A secret in lower case: as it is, in hex, and what base64 makes of it. */
const spellingsOf = (secret: string): string[] =>
  [secret, hexOf(secret), ...inBase64(secret)].map((spelling) => spelling.toLowerCase());

const hexOf = (text: string) =>
  Array.from(text, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");

/** In lower case, each character at its place: `İ` becomes two. */
function lowerOf(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length
    ? lower
    : text.replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** An object without its secrets; one that was a secret itself, as a service account's key is, says nothing. */
function parsed<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch {
    return { message: MASK } as T;
  }
}

// ---------------------------------------------------------------- places in a text

/** A part of a text, from a character up to another that is not in it. */
interface Range {
  start: number;
  end: number;
}

function placesOf(spellings: readonly string[], text: string): Range[] {
  const ranges: Range[] = [];
  for (const spelling of spellings) {
    let start = text.indexOf(spelling);
    while (start >= 0) {
      const end = start + spelling.length;
      ranges.push({ start, end });
      start = text.indexOf(spelling, end);
    }
  }
  return ranges;
}

function replaced(text: string, ranges: Range[]): string {
  if (ranges.length === 0) return text;
  ranges.sort((a, b) => a.start - b.start);
  let out = "";
  let done = 0;
  for (const { start, end } of ranges) {
    if (start >= done) out += text.slice(done, start) + MASK;
    done = Math.max(done, end);
  }
  return out + text.slice(done);
}

/** Where the longest end of a text begins that one of the spellings begins with; the text's length if none does. */
function beginningAtEnd(spellings: readonly string[], text: string): number {
  let first = text.length;
  for (const spelling of spellings) {
    let at = text.indexOf(spelling[0], Math.max(0, text.length - spelling.length + 1));
    while (at >= 0 && at < first) {
      if (spelling.startsWith(text.slice(at))) first = at;
      else at = text.indexOf(spelling[0], at + 1);
    }
  }
  return first;
}

// ---------------------------------------------------------------- bytes

function byteMask(rangesIn: (text: string) => Range[], openEnd: (text: string) => number): ByteMask {
  let held = "";
  return {
    push(bytes) {
      const text = held + textOf(bytes);
      const ranges = rangesIn(text);
      const masked = ranges.reduce((last, { end }) => Math.max(last, end), 0);
      const open = openEnd(text.slice(masked));
      if (held === "" && ranges.length === 0 && open === 0) return bytes as Uint8Array<ArrayBuffer>;
      held = text.slice(text.length - open);
      return bytesOf(replaced(text.slice(0, text.length - open), ranges));
    },
    end() {
      const text = held;
      held = "";
      return bytesOf(replaced(text, rangesIn(text)));
    },
  };
}

/** Arguments that a call may have: more of them overflow the stack. */
const MOST_ARGUMENTS = 8 * 1024;

/** One character for each byte, whatever they mean. */
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += MOST_ARGUMENTS) {
    const some: ArrayLike<number> = bytes.subarray(at, at + MOST_ARGUMENTS);
    text += String.fromCharCode.apply(null, some as number[]);
  }
  return text;
}

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
