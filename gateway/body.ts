/** Taking in a request body. */
import { GatewayError } from "../wires/errors.ts";
import { findMembers } from "../wires/json_text.ts";
import { TOOL_MEMBERS } from "../wires/openai_chat_messages.ts";
import type { JsonObject } from "../wires/types.ts";

/**
 * Reads a JSON request's body.
 *
 * @throws GatewayError `unsupported_media_type`, and as `readWhole`.
 */
export async function takeBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const type = request.headers.get("content-type");
  if (type && type !== "application/json" && !/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
    throw new GatewayError(
      "unsupported_media_type",
      `Cannot read the request: its content-type is ${
        JSON.stringify(type.slice(0, 100))
      } and must be application/json`,
    );
  }
  const encoding = request.headers.get("content-encoding");
  if (encoding && encoding !== "identity") {
    throw new GatewayError(
      "unsupported_media_type",
      `Cannot read the request: its content-encoding is ${
        JSON.stringify(encoding.slice(0, 100))
      }; send it plain`,
    );
  }
  return await readWhole(request, maxBytes);
}

/**
 * Reads a request's body.
 *
 * @throws GatewayError `body_too_large` before more than `maxBytes` are held, or `invalid_request` for a body that breaks
 * off.
 */
export async function readWhole(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  try {
    // A length that was announced is kept to by the runtime's HTTP parser, and one native read is the cheapest; to look
    // at `body` before would make a stream of it.
    if (announced >= 0) {
      const whole = new Uint8Array(await request.arrayBuffer());
      // Requests that never were HTTP claim what they like.
      if (whole.length > maxBytes) throw tooLarge(maxBytes);
      return whole;
    }
    return request.body ? await readBounded(request.body, maxBytes) : new Uint8Array();
  } catch (cause) {
    if (cause instanceof GatewayError || request.signal.aborted) throw cause;
    // The client has left, most likely: Deno tells the signal later, if at all.
    throw new GatewayError("invalid_request", "Cannot read the request: its body broke off", { cause });
  }
}

/** @throws GatewayError `body_too_large` before more than `maxBytes` are held. */
async function readBounded(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    "body_too_large",
    `Cannot read the request: its body is longer than ${maxBytes} bytes`,
  );
}

// ---------------------------------------------------------------- a chat request

/** A chat request's body, parsed only as far as it must be. */
export interface Body {
  text: Uint8Array<ArrayBuffer>;
  /** The same decoded, if it is short enough to be parsed at once. */
  source?: string;
  /** Where its members stand; `undefined` when only a full parse can tell. Found when first asked for. */
  members(): ReturnType<typeof findMembers>;
  get(field: string): unknown;
  /** Whether a field is there and not `null`. */
  has(field: string): boolean;
  /** Whether a text may be somewhere in its values. */
  mentions(word: string): boolean;
  parsed(): JsonObject;
  /** Whether it is parsed already. */
  isParsed(): boolean;
}

/**
 * Bodies up to this size are parsed and checked also when they are handed through; a longer one is the provider's to
 * check, since parsing it would cost more than sending it.
 */
const CHECKED_BYTES = 256 * 1024;

/** What rows' rules for messages are about, and long bodies are searched for. */
const WORDS = [...TOOL_MEMBERS, "developer"];

export function readBody(text: Uint8Array<ArrayBuffer>): Body {
  if (text.length === 0) {
    throw new GatewayError("invalid_request", "Cannot read the request: its body is empty");
  }
  const isLong = text.length > CHECKED_BYTES;
  const words = isLong ? new Map(WORDS.map((word) => [word, false])) : undefined;
  let members = isLong ? findMembers(text, words) : undefined;
  let sought = isLong;
  const source = members ? undefined : decode(text);
  let object = source === undefined ? undefined : parse(source);
  const parsed = () => object ??= parse(decode(text));
  function get(field: string): unknown {
    if (object) return Object.hasOwn(object, field) ? object[field] : undefined;
    const member = members!.get(field);
    return member && parseJson(text.subarray(member.valueStart, member.valueEnd));
  }
  return {
    text,
    source: isLong ? undefined : source,
    // No getter: V8 keeps one that is made with its object, and all that it sees, until a full collection. A body of 10 MB
    // took twice the memory.
    members() {
      if (!sought) members = findMembers(text);
      sought = true;
      return members;
    },
    get,
    mentions: (word) => words?.get(word) ?? true,
    has: (field) => (get(field) ?? null) !== null,
    parsed,
    isParsed: () => object !== undefined,
  };
}

function parse(source: string): JsonObject {
  const body = parseText(source);
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as JsonObject;
  throw new GatewayError("invalid_request", "Cannot read the request: its body is not a JSON object");
}

/** @throws GatewayError `invalid_request` */
export const parseJson = (text: Uint8Array): unknown => parseText(decode(text));

const decoder = new TextDecoder("utf-8", { fatal: true });

function decode(text: Uint8Array): string {
  try {
    return decoder.decode(text);
  } catch (cause) {
    throw notJson(cause);
  }
}

function parseText(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw notJson(cause);
  }
}

/** Without the parser's own message, which may quote the prompt. */
const notJson = (cause: unknown) =>
  new GatewayError("invalid_request", "Cannot read the request: its body is not valid JSON", { cause });
