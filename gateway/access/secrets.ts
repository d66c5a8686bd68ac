/** Finds secrets in texts: gateway tokens on their way to a provider, stored keys and tokens on their way to a client. */
import { secretsOf } from "../../providers/sign/key_set.ts";
import { escapeReader, ESCAPES, halfEscape } from "./escapes.ts";

// ---------------------------------------------------------------- tokens

/** A token shorter than this is found only as a whole word. */
const WORD_LENGTH = 8;

/**
 * Makes a function that tells whether a text holds one of the tokens anywhere, also percent-encoded, in base64 or in a
 * `Basic` credential. A text without a token costs about 200 ns, and another 200 ns for each token.
 *
 * The search does not take constant time. Who is let in is decided by hashes, in constant time (`tokenCheck`).
 */
export function tokenFinder(tokens: readonly string[]): (text: string) => boolean {
  const packed = tokens.filter(({ length }) => length >= WORD_LENGTH).flatMap(inBase64);
  return (text) =>
    inSomeSpelling(
      text,
      (text) => tokens.some((token) => hasToken(text, token)) || packed.some((form) => text.includes(form)),
    );
}

/** Whether something holds for a text, or for it without percent-encoding, or for a `Basic` credential in it. */
export function inSomeSpelling(text: string, holds: (text: string) => boolean): boolean {
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
}

/**
 * The base64 of a text at each of the three offsets that it may have in a longer text, in both alphabets (base64 and
 * base64url). The claims of a JWT, for example, hold a text in this way.
 */
function inBase64(text: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const all = btoa("\0".repeat(before) + text);
    // A character that also holds bits of the bytes before or after is left out.
    return all.slice(Math.ceil(before * 4 / 3), Math.floor((before + text.length) * 4 / 3));
  });
  return [...new Set([...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))])];
}

/** As `decodeURIComponent`, but a text that is not valid UTF-8 is decoded byte by byte. */
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

/** Whether neither of two places of a text holds a letter or a digit. */
const isWord = (text: string, before: number, after: number) =>
  !/[a-z\d]/i.test(text.charAt(before) + text.charAt(after));

/** As `atob`, for base64 and base64url of any length. */
export function fromBase64(text: string): string {
  const whole = text.length % 4 === 1 ? text.slice(0, -1) : text;
  return atob(whole.replaceAll("-", "+").replaceAll("_", "/"));
}

// ---------------------------------------------------------------- secrets on their way to a client

/** A shorter key is not a secret but a word such as `ollama`, for servers that do not check keys. */
const SHORTEST_SECRET = 8;

export const MASK = "***";

/** A longer text of a success is not searched for other spellings of a secret: a picture in base64 has megabytes. */
const MOST_SEARCHED = 64 * 1024;

/** The most characters for one escaped character of a secret, e.g. `\\\\u002d` or `%25252d`. */
const WIDEST = 12;

/**
 * Replaces secrets by `***` wherever a text holds one: unchanged, in other letter case, in hex, in base64 (also inside a
 * longer text), percent-encoded, or with escapes of JSON, of JSON within JSON, or of HTML.
 */
export interface Mask {
  /**
   * Masks a text of an answer. In a text longer than 64 KiB the other spellings are masked only if it also holds a secret
   * unchanged.
   */
  text(text: string): string;
  /** Masks the texts of an object, e.g. of an error. */
  object<T>(object: T): T;
  /** Masks a short body. */
  whole(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Masks one body in chunks, wherever they are cut. */
  bytes(): ByteMask;
}

/** Masks the bytes of one body. */
export interface ByteMask {
  /**
   * Returns the masked bytes: the same array if there is nothing to mask. An end that may be the beginning of a secret is
   * held back until the next call.
   */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The bytes that were held back, when the body has ended. May be empty. */
  end(): Uint8Array<ArrayBuffer>;
}

/** The masks of an answer. */
export interface Masks {
  /** Masks the stored key that the request was sent with. For everything that is read of an answer. */
  readonly answer?: Mask;
  /** Masks that key and the gateway's tokens. For errors. */
  readonly error?: Mask;
}

/**
 * Makes the function that returns the masks of an answer.
 *
 * @param tokens The gateway's tokens.
 * @returns A function of the stored key that the request was sent with, if any, and of the token that was minted for it. It
 * keeps the newest masks: there are only as many as the operator has keys, unless functions make new ones, and of each key only
 * those of the last token.
 */
export function answerMasks(tokens: readonly string[]): (key?: string, minted?: string) => Masks {
  const ofTokens = { error: secretMask(tokens) };
  const known = new Map<string, Masks & { minted?: string }>();
  return (key, minted) => {
    // A client may read the token that was minted for its own credential.
    if (key === undefined) return ofTokens;
    let masks = known.get(key);
    if (!masks || minted !== undefined && masks.minted !== minted) {
      const secrets = [...secretsOf(key), ...(minted === undefined ? [] : [minted])];
      masks = { minted, answer: secretMask(secrets), error: secretMask([...secrets, ...tokens]) };
      if (known.size >= MOST_MASKS) known.delete(known.keys().next().value!);
      known.set(key, masks);
    }
    return masks;
  };
}

/** The most keys whose masks are kept. */
const MOST_MASKS = 1000;

/** Makes a mask for these secrets. Secrets shorter than eight characters are not masked; `undefined` if all are shorter. */
export function secretMask(secrets: readonly string[]): Mask | undefined {
  const masked = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  if (masked.length === 0) return undefined;
  const spellings = unique(masked.flatMap(spellingsOf));
  // JSON escapes these characters with a backslash.
  const escaped = ["/", '"', "\\"].filter((char) => spellings.some((spelling) => spelling.includes(char)));
  const unescaped = escapeReader(escaped);
  // The spellings after escapes are read, as a secret may hold characters that look like an escape.
  const plain = unique(spellings.map((spelling) => unescaped(spelling).text.replace(/\\+$/, "")));
  const escapes = [ESCAPES, ...escaped.map((char) => literal("\\" + char))].join("|");
  const mayEscape = new RegExp(escapes, "i");
  // Most texts hold no secret. For these one regular expression suffices: 1 us for each KiB.
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
    // Most events end with a line break, which no secret holds.
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

/** A shared empty list, never changed. */
const NONE: Range[] = [];

/** With more beginnings than this, searching for each spelling is faster than one regular expression. */
const MOST_BEGINNINGS = 64;

/** The pattern that matches exactly this text. */
const literal = (text: string) => text.replaceAll(/[^\w]/g, "\\$&");

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** The spellings of a secret in lower case: the secret itself, its hex and its base64. */
const spellingsOf = (secret: string): string[] =>
  [secret, hexOf(secret), ...inBase64(secret)].map((spelling) => spelling.toLowerCase());

const hexOf = (text: string) =>
  Array.from(text, (char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");

/** The text in lower case, with each character at its old place: `toLowerCase` makes two characters of `İ`. */
function lowerOf(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length
    ? lower
    : text.replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** Reads masked JSON. It is not JSON any more if the secret is JSON itself, as a service account's key is. */
export function parsed<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch {
    return { message: MASK } as T;
  }
}

// ---------------------------------------------------------------- places in a text

/** A part of a text. `end` is the first place after it. */
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

/**
 * Finds where a secret may begin that the next piece of a text continues: the first index from which the rest of the text is
 * the beginning of a spelling. Returns the text's length if no spelling begins there.
 */
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

/** The most arguments of one function call here: many more overflow the stack. */
const MOST_ARGUMENTS = 8 * 1024;

/** Bytes as a text with one character for each byte (Latin-1). */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += MOST_ARGUMENTS) {
    const some: ArrayLike<number> = bytes.subarray(at, at + MOST_ARGUMENTS);
    text += String.fromCharCode.apply(null, some as number[]);
  }
  return text;
}

export const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
