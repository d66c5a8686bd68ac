/** Reads Gemini's sources, from grounding and from recitation, into citations. */
import { list, object, text } from "../shared/json.ts";
import type { Citation, JsonObject } from "../types.ts";

/** The sources of an answer, and the text that they belong to. */
export interface Sources {
  text: string;
  /** The start of each part in `text`. Only known for a whole answer. */
  starts: number[];
  grounding?: JsonObject;
  citations?: unknown;
}

/**
 * Reads the sources of one choice.
 *
 * Google counts UTF-8 bytes within a part; a citation counts UTF-16 units within the text. A source without a passage
 * is cited with the range 0 to 0.
 */
export function readCitations(from: Sources, take: (citation: Citation) => void): void {
  if (!from.grounding && !from.citations) return;
  const locate = locator(from);
  if (from.grounding) readGrounding(from.grounding, locate, take);
  for (const value of list(object(from.citations)?.citations)) {
    const { uri, title, license, startIndex, endIndex } = object(value) ?? {};
    const [start, end] = locate(0, startIndex, endIndex, undefined);
    const extra = text(license) ? { license } : undefined;
    take({ url: text(uri) ?? "", title: text(title) ?? "", start, end, extra });
  }
}

function readGrounding(grounding: JsonObject, locate: Locate, take: (citation: Citation) => void): void {
  const chunks = list(grounding.groundingChunks).map(readChunk);
  const used = new Set<number>();
  for (const value of list(grounding.groundingSupports)) {
    const support = object(value) ?? {};
    const { partIndex, startIndex, endIndex, text: quote } = object(support.segment) ?? {};
    const [start, end] = locate(partIndex, startIndex, endIndex, quote);
    for (const index of list(support.groundingChunkIndices)) {
      const chunk = chunks[Number(index)];
      if (!chunk) continue;
      used.add(Number(index));
      take({ ...chunk, start, end });
    }
  }
  chunks.forEach((chunk, index) => {
    if (!used.has(index)) take({ ...chunk, start: 0, end: 0 });
  });
}

/** Reads a source: a web page, a stored document, a place or an image. */
function readChunk(value: unknown): { url: string; title: string; extra?: JsonObject } {
  const chunk = object(value) ?? {};
  const source = object(chunk.web) ?? object(chunk.retrievedContext) ?? object(chunk.maps) ??
    object(chunk.image) ?? {};
  const { uri, sourceUri, documentName, fileSearchStore, title, text: cited } = source;
  const url = text(uri) ?? text(sourceUri) ?? text(documentName) ?? text(fileSearchStore) ?? "";
  return { url, title: text(title) ?? "", extra: text(cited) ? { cited_text: cited } : undefined };
}

type Locate = (part: unknown, start: unknown, end: unknown, quote: unknown) => [number, number];

/**
 * The most characters that are searched for all passages of an answer together: each search may walk through the whole
 * text.
 */
const SEARCHED = 50_000_000;

/**
 * Makes a function that converts byte offsets in a part to UTF-16 offsets in the text. If Google quotes the passage,
 * the quote decides which part is meant.
 */
function locator({ text: whole, starts }: Sources): Locate {
  let table: Uint32Array | undefined;
  let left = SEARCHED;

  function measure(base: number, start: unknown, end: unknown): [number, number] {
    table ??= unitsByByte(whole);
    const last = table.length - 1;
    const from = byteOf(table, base);
    const units = (offset: unknown) =>
      table![Math.min(last, from + Math.max(0, Math.trunc(Number(offset)) || 0))];
    return [units(start), units(end)];
  }

  const isQuote = ([start, end]: [number, number], quote: string) =>
    end - start === quote.length && whole.startsWith(quote, start);

  return (part, start, end, quote) => {
    const found = measure(starts[Number(part)] ?? 0, start, end);
    if (typeof quote !== "string" || quote === "" || isQuote(found, quote)) return found;
    const again = measure(0, start, end);
    if (isQuote(again, quote)) return again;
    left -= whole.length;
    const at = left < 0 ? -1 : whole.indexOf(quote);
    return at < 0 ? found : [at, at + quote.length];
  };
}

/** The offset of the first byte of the character at a UTF-16 unit. */
function byteOf(table: Uint32Array, unit: number): number {
  let low = 0, high = table.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (table[middle] < unit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Maps each UTF-8 byte of a text to the UTF-16 unit at which its character begins. One more entry stands for the end.
 */
function unitsByByte(text: string): Uint32Array {
  const table = new Uint32Array(text.length * 3 + 1);
  let byte = 0;
  for (let unit = 0; unit < text.length;) {
    const point = text.codePointAt(unit)!;
    const bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    table.fill(unit, byte, byte + bytes);
    byte += bytes;
    unit += point < 0x10000 ? 1 : 2;
  }
  table[byte] = text.length;
  return table.subarray(0, byte + 1);
}
