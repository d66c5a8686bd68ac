/** Shows the body of a request: its own JSON, in which long base64 is cut. */

import { longRuns } from "../../wires/shared/base64.ts";
import { parseShallow } from "../../wires/shared/depth.ts";
import { FILE_BYTES_PER_TOKEN, IMAGE_TOKENS } from "../../wires/shared/estimate.ts";

/** The most characters of all bodies in one answer. */
const MOST_SHOWN = 8 * 2 ** 20;

/** So many characters are kept of a long run of base64. */
const KEPT = 48;

/** The beginning of a run of base64. */
const BEGINNING = /[A-Za-z0-9+/_=-]{16}/g;

/** A character that is in base64 but in no number: a number of JSON must stay one. */
const NOT_OF_NUMBERS = /[A-DF-Za-df-z/_=]/;

/** How the base64 of a PDF begins: `%PDF-`. */
const PDF = "JVBERi";

/** The JSON of a body, for an estimate. */
export interface Parsed {
  /** The value, without the runs that were cut. */
  body: unknown;
  /** The estimate for these runs, most of which are media, and for media that the body refers to. */
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

/** The members in which a medium stands, up to its first character. */
const MEDIUM =
  /"(?:audio|base64|b64_json|bytes|data|file_data|images?|image_base64|image_url|input_audio|ur[il])"\s*:\s*\[?\s*"(?:data:[^",]{0,100},)?$/;

/** How far before a medium the name of its member is looked for. */
const NAME_CHARS = 200;

/** Characters of such a text for each token where it is no medium: it is not made of words. */
const CHARS_PER_TOKEN = 2;

/** Stands between two media of a list. */
const BETWEEN = /^"\s*,\s*"(?:data:[^",]{0,100},)?$/;

/**
 * Makes the function that estimates the tokens of each run of base64 in its turn. In a place of text its characters are what a model
 * reads, and a client pays for.
 */
function runTokens(source: string): (start: number, end: number) => number {
  let isMedium = false, last = 0;
  return (start, end) => {
    const from = Math.max(0, start - NAME_CHARS);
    isMedium = MEDIUM.test(source.slice(from, start)) ||
      isMedium && last >= from && BETWEEN.test(source.slice(last, start));
    last = end;
    const chars = end - start;
    if (!isMedium) return chars / CHARS_PER_TOKEN;
    return source.startsWith(PDF, start)
      ? Math.max(IMAGE_TOKENS, chars / FILE_BYTES_PER_TOKEN)
      : IMAGE_TOKENS;
  };
}

/**
 * Media that a body only refers to: by a URL, or by the id of a file. `\"` within a text is none of these quotes.
 *
 * Read in November 2026 from the references of OpenAI, Anthropic, Google, Amazon and Mistral.
 */
const REFERENCES =
  /"(?:(?:audio|document|file|image|video)_url|file_id|file_?uri|s3Location)"\s*:\s*(?:"|\{[^{}]{0,200}?"ur[il]"\s*:\s*")(?!data:)|"type"\s*:\s*"url"/gi;

/** The estimated tokens of these media: that of a picture each, for nobody knows what they are. */
const referredTokens = (source: string): number => IMAGE_TOKENS * (source.match(REFERENCES)?.length ?? 0);

/** Cuts long base64 out of a JSON text, which stays JSON. */
function shorten(source: string): { text: string; mediaTokens: number } {
  const pieces: string[] = [];
  const tokensOf = runTokens(source);
  let kept = 0, mediaTokens = referredTokens(source);
  for (const { start, end } of longRuns(source, BEGINNING)) {
    const chars = end - start;
    if (!NOT_OF_NUMBERS.test(source.slice(start, end))) continue;
    mediaTokens += tokensOf(start, end);
    const beginning = source.slice(start, start + KEPT).replaceAll("\\", "");
    pieces.push(source.slice(kept, start), `${beginning}…[${chars} characters of base64]`);
    kept = end;
  }
  return { text: kept === 0 ? source : pieces.join("") + source.slice(kept), mediaTokens };
}
