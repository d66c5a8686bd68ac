/**
 * Changes members of a JSON object without parsing it.
 *
 * A same-wire call changes one short field. Parsing and writing 10 MB for that costs more than sending it, and would
 * lose what JavaScript's numbers and key order cannot hold. Strings are skipped with native `indexOf`.
 */

import { MOST_LEVELS, TooDeep } from "./depth.ts";

/** A member of the outermost object; all offsets are in bytes. */
export interface Member {
  /** The offset of the quote that opens the key. */
  start: number;
  valueStart: number;
  /** The offset after the last byte of the value. */
  valueEnd: number;
}

/** The longest key, in bytes, that is read letter by letter. */
const MOST_KEY = 256;

/** The most members that are found: each takes ten times the memory of its shortest text. */
export const MOST_MEMBERS = 10_000;

/** Thrown for an object that has more members than `MOST_MEMBERS`. */
export class TooManyMembers extends RangeError {}

const STAR = 42,
  QUOTE = 34,
  COMMA = 44,
  COLON = 58,
  BACKSLASH = 92,
  OPEN_LIST = 91,
  CLOSE_LIST = 93,
  OPEN = 123,
  CLOSE = 125;

const isSpace = (byte: number) => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/**
 * Finds the members of a JSON object.
 *
 * @param words Words to look for on the way, because each walk through 10 MB takes milliseconds. A word is set to
 * `true` if it is a whole string somewhere in the values. A word that ends with `*` stands for all strings that begin
 * with it.
 * @returns The members by key. `undefined` if the text is not one object, or if a key is written twice or with escapes:
 * then only a full parse is sure to agree with the provider's. Values are found but not validated.
 * @throws TooDeep for a value that is nested deeper than `MOST_LEVELS`.
 * @throws TooManyMembers for an object with more than `MOST_MEMBERS` members.
 */
export function findMembers(
  text: Uint8Array,
  words?: Map<string, boolean>,
): Map<string, Member> | undefined {
  const sought = [...words?.keys() ?? []];
  const note = words && ((from: number, to: number) => {
    for (const word of sought) if (isWord(text, from, to, word)) words.set(word, true);
  });
  const members = new Map<string, Member>();
  let at = skipSpace(text, 0);
  if (text[at] !== OPEN) return undefined;
  at = skipSpace(text, at + 1);
  if (text[at] === CLOSE) return skipSpace(text, at + 1) === text.length ? members : undefined;
  while (text[at] === QUOTE) {
    const start = at;
    at = skipString(text, at);
    if (at < 0) return undefined;
    const key = readKey(text, start + 1, at - 1);
    if (key.includes("\\") || members.has(key)) return undefined;
    at = skipSpace(text, at);
    if (text[at] !== COLON) return undefined;
    const valueStart = skipSpace(text, at + 1);
    const valueEnd = skipValue(text, valueStart, note);
    if (valueEnd <= valueStart) return undefined;
    members.set(key, { start, valueStart, valueEnd });
    if (members.size > MOST_MEMBERS) throw new TooManyMembers();
    at = skipSpace(text, valueEnd);
    if (text[at] === CLOSE) return skipSpace(text, at + 1) === text.length ? members : undefined;
    if (text[at] !== COMMA) return undefined;
    at = skipSpace(text, at + 1);
  }
  return undefined;
}

/** Reads a key letter by letter: keys are short and nearly always ASCII, and a decoder costs more than the loop. */
function readKey(text: Uint8Array, from: number, to: number): string {
  let key = "";
  // Letter by letter, a long key would make as many strings in memory as it has letters.
  if (to - from > MOST_KEY) {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(text.subarray(from, to));
  }
  for (let at = from; at < to; at++) {
    // `ignoreBOM` keeps a byte order mark: it may only be dropped from the start of a text, and a key is not that.
    if (text[at] > 127) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(text.subarray(from, to));
    key += String.fromCharCode(text[at]);
  }
  return key;
}

/**
 * Finds the objects of a JSON list, or the one object that the text is.
 *
 * @returns Views on parts of `text`; `undefined` for any other text. The content of the objects is not validated.
 */
export function findObjects(text: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] | undefined {
  const objects: Uint8Array<ArrayBuffer>[] = [];
  let at = skipSpace(text, 0);
  const list = text[at] === OPEN_LIST;
  if (list) at = skipSpace(text, at + 1);
  while (text[at] === OPEN) {
    const end = skipValue(text, at);
    if (end < 0) return undefined;
    objects.push(text.subarray(at, end));
    at = skipSpace(text, end);
    if (!list) return at === text.length ? objects : undefined;
    if (text[at] === CLOSE_LIST) return skipSpace(text, at + 1) === text.length ? objects : undefined;
    if (text[at] !== COMMA) return undefined;
    at = skipSpace(text, at + 1);
  }
  return undefined;
}

/** Whether the bytes from `from` to `to` are an ASCII word, or begin with it if the word ends with `*`. */
function isWord(text: Uint8Array, from: number, to: number, word: string): boolean {
  const isBeginning = word.charCodeAt(word.length - 1) === STAR;
  const length = isBeginning ? word.length - 1 : word.length;
  if (isBeginning ? to - from < length : to - from !== length) return false;
  for (let at = 0; at < length; at++) if (text[from + at] !== word.charCodeAt(at)) return false;
  return true;
}

/**
 * Replaces one string member in the text of an object; every other character stays. Does to a decoded and parsed text
 * what `editMembers` does to bytes, in a tenth of the time.
 *
 * @param source The text that was parsed; `value` is its member `key`.
 * @returns `undefined` if the place of the member is ambiguous: the key stands twice at any depth, the text has a `\u`
 * escape, which a key may contain, or the value is not written as `JSON.stringify` writes it.
 */
export function replaceText(
  source: string,
  key: string,
  value: string,
  wanted: string,
): string | undefined {
  const quoted = `"${key}"`;
  const at = source.indexOf(quoted);
  if (at !== source.lastIndexOf(quoted) || source.includes("\\u")) return undefined;
  let from = at + quoted.length;
  while (source.charCodeAt(from) === COLON || isSpace(source.charCodeAt(from))) from++;
  const written = JSON.stringify(value);
  if (!source.startsWith(written, from)) return undefined;
  return source.slice(0, from) + JSON.stringify(wanted) + source.slice(from + written.length);
}

/** A change to one member: another key, another value (JSON text), or its removal. */
export type Edit = { key?: string; value?: string } | "remove";

/**
 * Changes members of a JSON object's text; every other byte stays.
 *
 * @param text Is overwritten: use only the result.
 * @param members The members of this text, from `findMembers`.
 */
export function editMembers(
  text: Uint8Array<ArrayBuffer>,
  members: Map<string, Member>,
  edits: ReadonlyMap<string, Edit>,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const splices: { from: number; to: number; bytes: Uint8Array }[] = [];
  let kept = false;
  for (const [key, member] of members) {
    const edit = edits.get(key);
    if (edit === "remove") {
      splices.push({ ...withComma(text, member, kept), bytes: new Uint8Array() });
      continue;
    }
    kept = true;
    if (edit?.key !== undefined) {
      const quoted = encoder.encode(JSON.stringify(edit.key));
      splices.push({ from: member.start, to: skipString(text, member.start), bytes: quoted });
    }
    if (edit?.value !== undefined) {
      splices.push({ from: member.valueStart, to: member.valueEnd, bytes: encoder.encode(edit.value) });
    }
  }
  if (splices.length === 1) return spliceInPlace(text, splices[0].from, splices[0].to, splices[0].bytes);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { from, to, bytes } of splices) {
    pieces.push(text.subarray(at, from), bytes);
    at = to;
  }
  pieces.push(text.subarray(at));
  return concat(pieces);
}

/** Moves the shorter side of the text. `model` mostly comes first, so 10 MB stay in place. */
function spliceInPlace(
  text: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const gap = to - from - bytes.length;
  if (gap < 0) return concat([text.subarray(0, from), bytes, text.subarray(to)]);
  if (from <= text.length - to) {
    text.copyWithin(gap, 0, from);
    text.set(bytes, to - bytes.length);
    return text.subarray(gap);
  }
  text.set(bytes, from);
  text.copyWithin(from + bytes.length, to);
  return text.subarray(0, text.length - gap);
}

/** The pieces as one. */
export function concat(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * The range of a member with the comma before it. If no member before it is kept, with the comma after it, if there is
 * one.
 */
function withComma(
  text: Uint8Array,
  { start, valueEnd }: Member,
  kept: boolean,
): { from: number; to: number } {
  if (kept) {
    let comma = start - 1;
    while (text[comma] !== COMMA) comma--;
    return { from: comma, to: valueEnd };
  }
  const after = skipSpace(text, valueEnd);
  return { from: start, to: text[after] === COMMA ? skipSpace(text, after + 1) : valueEnd };
}

function skipSpace(text: Uint8Array, at: number): number {
  while (at < text.length && isSpace(text[at])) at++;
  return at;
}

/** The offset after the quote that closes the string starting at `at`; -1 if there is none. */
function skipString(text: Uint8Array, at: number): number {
  let end = at;
  do {
    end = text.indexOf(QUOTE, end + 1);
    if (end < 0) return -1;
  } while (isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: Uint8Array, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}

/**
 * The offset after the value that starts at `at`; -1 if the value does not end.
 *
 * @param note Is called for each string in the value, with the start and the end of its text.
 */
function skipValue(text: Uint8Array, at: number, note?: (from: number, to: number) => void): number {
  const first = text[at];
  if (first === QUOTE) return skipString(text, at);
  if (first !== OPEN && first !== OPEN_LIST) {
    while (at < text.length && text[at] !== COMMA && text[at] !== CLOSE && !isSpace(text[at])) at++;
    return at;
  }
  let depth = 0;
  while (at < text.length) {
    const byte = text[at];
    if (byte === QUOTE) {
      const start = at + 1;
      at = skipString(text, at);
      if (at < 0) return -1;
      note?.(start, at - 1);
      continue;
    }
    if (byte === OPEN || byte === OPEN_LIST) {
      // The object around the value is one level more.
      if (++depth === MOST_LEVELS) throw new TooDeep();
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      depth--;
      if (depth === 0) return at + 1;
    }
    at++;
  }
  return -1;
}
