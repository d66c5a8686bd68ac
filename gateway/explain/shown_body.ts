/** Shows the body of a request: its own JSON, in which long base64 is cut. */

import { parseShallow } from "../../wires/shared/depth.ts";

/** The most characters of all bodies in one answer. */
const MOST_SHOWN = 8 * 2 ** 20;

/** A run of base64 of at least this many characters is cut, and this many are kept of it. */
const LONG_RUN = 1024, KEPT = 48;

/** The beginning of a run of base64, and the rest of it. V8's stack overflows at one pattern for both, `{16,}`, and 10 MB. */
const BEGINNING = /[A-Za-z0-9+/_=-]{16}/g, REST = /[A-Za-z0-9+/_=-]*/y;

/** A character that is in base64 but in no number: a number of JSON must stay one. */
const NOT_OF_NUMBERS = /[A-DF-Za-df-z/_=]/;

/** Tokens of a picture, and characters of base64 for each token of a PDF; see `wires/shared/estimate.ts`. */
const PICTURE_TOKENS = 1600, PDF_CHARS_PER_TOKEN = 20;

/** How the base64 of a PDF begins: `%PDF-`. */
const PDF = "JVBERi";

/** The JSON of a body, for an estimate. */
export interface Parsed {
  /** The value, without the runs that were cut. */
  body: unknown;
  /** The estimate for these runs. */
  mediaTokens: number;
}

/** A body as it is shown. */
export interface Shown {
  /** JSON. */
  text: string;
  parsed?: Parsed;
  /** The reason why the body is not shown. */
  note?: string;
}

/** Makes the function that shows the bodies of one answer. What it shows of all of them together has a limit. */
export function bodyShower(): (body: BodyInit | null) => Shown {
  let left = MOST_SHOWN;
  const none = (note?: string): Shown => ({ text: "null", note });
  return (body) => {
    if (body === null) return none();
    if (body instanceof ReadableStream) {
      body.cancel().catch(() => {});
      return none("the body is passed on while it arrives");
    }
    const source = textOf(body);
    if (source === undefined) return none("the body is not a text");
    const { text, mediaTokens } = shorten(source);
    if (text.length > left) {
      return none(`the body is too long: all bodies together are shown up to ${MOST_SHOWN} characters`);
    }
    left -= text.length;
    try {
      return { text, parsed: { body: parseShallow(text), mediaTokens } };
    } catch {
      return { text: JSON.stringify(text) };
    }
  };
}

/** The JSON of a body, without its long base64; `undefined` if it is not JSON. */
export function parsedBody(body: BodyInit): Parsed | undefined {
  const source = textOf(body);
  if (source === undefined) return undefined;
  const { text, mediaTokens } = shorten(source);
  try {
    return { body: parseShallow(text), mediaTokens };
  } catch {
    return undefined;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as text; `undefined` if it is none. */
function textOf(body: BodyInit): string | undefined {
  if (typeof body === "string") return body;
  if (!ArrayBuffer.isView(body)) return undefined;
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}

/** Cuts long base64 out of a JSON text, which stays JSON. */
function shorten(source: string): { text: string; mediaTokens: number } {
  const pieces: string[] = [];
  let kept = 0, mediaTokens = 0;
  BEGINNING.lastIndex = 0;
  for (let match = BEGINNING.exec(source); match; match = BEGINNING.exec(source)) {
    const { index } = match;
    const end = endOfRun(source, BEGINNING.lastIndex);
    BEGINNING.lastIndex = end;
    const chars = end - index;
    if (chars < LONG_RUN || !NOT_OF_NUMBERS.test(source.slice(index, end))) continue;
    mediaTokens += source.startsWith(PDF, index)
      ? Math.max(PICTURE_TOKENS, chars / PDF_CHARS_PER_TOKEN)
      : PICTURE_TOKENS;
    const beginning = source.slice(index, index + KEPT).replaceAll("\\", "");
    pieces.push(source.slice(kept, index), `${beginning}…[${chars} characters of base64]`);
    kept = end;
  }
  return { text: kept === 0 ? source : pieces.join("") + source.slice(kept), mediaTokens };
}

/** The end of a run whose slashes may be escaped, as in JSON that PHP has written. */
function endOfRun(source: string, from: number): number {
  for (let end = from;; end += 2) {
    REST.lastIndex = end;
    REST.exec(source);
    end = REST.lastIndex;
    if (!source.startsWith("\\/", end)) return end;
  }
}
