/** Taking in a request body. */
import { chunkReader, keptBytes } from "../../wires/streams/chunks.ts";
import { MOST_LEVELS, parseShallow, TooDeep } from "../../wires/shared/depth.ts";
import { GatewayError } from "../../wires/errors.ts";
import { findMembers, MOST_MEMBERS, TooManyMembers } from "../../wires/shared/json_text.ts";
import type { Call, JsonObject } from "../../wires/types.ts";
import type { Config } from "../setup/config.ts";
import type { Exchange } from "../exchange.ts";
import type { Report } from "../log/report.ts";
import type { Limits } from "../setup/limits.ts";
import { idleTimer, within } from "../policies/timers.ts";

/** Who holds a body while it is read. */
type Holder = Pick<Exchange, "config" | "report">;

/**
 * Reads a JSON request's body.
 *
 * @throws GatewayError `unsupported_media_type`, and as `readWhole`.
 */
export async function takeBody(request: Request, exchange: Holder): Promise<Uint8Array<ArrayBuffer>> {
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
  if (encoding && encoding.toLowerCase() !== "identity") {
    throw new GatewayError(
      "unsupported_media_type",
      `Cannot read the request: its content-encoding is ${
        JSON.stringify(encoding.slice(0, 100))
      }; send it plain`,
    );
  }
  return await readWhole(request, exchange);
}

/** An announced body up to this length is read in one piece, whatever the time between its bytes. */
const ONE_READ = 64 * 1024;

/**
 * Reads a request's body.
 *
 * @param maxBytes Default: the limit of the options.
 * @throws GatewayError `body_too_large` before more than `maxBytes` are held, `overloaded` when the gateway holds enough of
 * other bodies, `request_timeout` for a client that is silent for too long, or `invalid_request` for a body that breaks off.
 */
export async function readWhole(
  request: Request,
  exchange: Holder,
  maxBytes: number = exchange.config.limits.maxBodyBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bodyTimeoutMs, maxInFlightBytes } = exchange.config.limits;
  // A body that is longer than all that may be held would never be taken.
  const most = maxInFlightBytes > 0 ? Math.min(maxBytes, maxInFlightBytes) : maxBytes;
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced > most) throw tooLarge(most);
  try {
    // A length that was announced is kept to by the runtime's HTTP parser, and one native read is the cheapest; to look
    // at `body` before would make a stream of it.
    if (announced >= 0 && (bodyTimeoutMs === 0 || announced <= ONE_READ)) {
      hold(announced, exchange);
      const buffer = await exchange.config.inTime(request.arrayBuffer(), () => tooSlow(bodyTimeoutMs));
      // Requests that never were HTTP claim what they like.
      if (buffer.byteLength > most) throw tooLarge(most);
      hold(buffer.byteLength - announced, exchange);
      return new Uint8Array(buffer);
    }
    return request.body ? await readChunks(request.body, most, exchange) : new Uint8Array();
  } catch (cause) {
    if (cause instanceof GatewayError || request.signal.aborted) throw cause;
    // The client has left, most likely: Deno tells the signal later, if at all.
    throw new GatewayError("invalid_request", "Cannot read the request: its body broke off", { cause });
  }
}

/** @throws GatewayError before more than `maxBytes` are held, or after a silence that is too long. */
async function readChunks(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  exchange: Holder,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bodyTimeoutMs } = exchange.config.limits;
  const reader = chunkReader(body);
  const kept = keptBytes();
  const idle = idleTimer(bodyTimeoutMs, () => void reader.cancel().catch(() => {}));
  let spent: Uint8Array | undefined;
  try {
    for (;;) {
      const { done, value } = await reader.read(spent);
      if (idle.isOver()) throw tooSlow(bodyTimeoutMs);
      if (done) return kept.join();
      idle.heard();
      if (kept.length + value.length > maxBytes) throw tooLarge(maxBytes);
      hold(value.length, exchange);
      kept.add(value);
      spent = value;
    }
  } catch (cause) {
    reader.cancel(cause).catch(() => {});
    throw cause;
  } finally {
    idle.stop();
  }
}

/**
 * Deno's and Bun's `fetch` keeps a body that was sent until its answer has ended (measured November 2026). workerd does not
 * tell the end of an answer whose client has left.
 */
export const KEEPS_BODIES = "Deno" in globalThis || "Bun" in globalThis;

/** Bytes of a body from which on its answer is watched for its end, whether or not there is a log. */
const WATCHED_BYTES = 256 * 1024;

/**
 * Counts bytes that are held from now on, until `letGo`.
 *
 * @throws GatewayError `overloaded`
 */
function hold(bytes: number, { config, report }: Holder): void {
  const { limits: { maxInFlightBytes: most }, inFlight } = config;
  if (most > 0 && inFlight.bytes + bytes > most) {
    throw new GatewayError(
      "overloaded",
      "Cannot take the request: the bodies of other requests fill the gateway; try again in a moment",
      { headers: { "retry-after": "1" } },
    );
  }
  inFlight.bytes += bytes;
  report.heldBytes += bytes;
  if (KEEPS_BODIES && most > 0 && report.heldBytes > WATCHED_BYTES) report.listened = true;
}

/** A request's body is held no longer: its answer has ended, or there is none. */
export function letGo(report: Report, { inFlight }: Config): void {
  inFlight.bytes -= report.heldBytes;
  report.heldBytes = 0;
}

/** A body that is handed on as it comes, until its client is silent for too long. */
export interface Upload {
  body: ReadableStream<Uint8Array>;
  /** The fault, once there is one. */
  fault(): GatewayError | undefined;
}

/**
 * Hands a body on and watches the time between its chunks. Not on Workers, where Cloudflare watches: there a body that
 * passes through JavaScript loses its length.
 */
export function upload(body: ReadableStream<Uint8Array>, { bodyTimeoutMs: ms }: Limits): Upload {
  if (ms === 0 || !("Deno" in globalThis || "Bun" in globalThis)) return { body, fault: () => undefined };
  const reader = body.getReader();
  let fault: GatewayError | undefined;
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        // Only while a chunk is waited for: a provider that takes its time is not the client's fault.
        const { done, value } = await within(reader.read(), ms, () => tooSlow(ms));
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        if (cause instanceof GatewayError) fault = cause;
        reader.cancel(cause).catch(() => {});
        throw cause;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return { body: watched, fault: () => fault };
}

const tooSlow = (ms: number) =>
  new GatewayError("request_timeout", `Cannot read the request: its body did not come within ${ms} ms`, {
    headers: { connection: "close" },
  });

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError(
    "body_too_large",
    `Cannot read the request: its body is longer than ${maxBytes} bytes`,
  );
}

// ---------------------------------------------------------------- a request for a model

/** A request's body, parsed only as far as it must be. */
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
  /** Whether `checkCall` has passed it. */
  isChecked?: boolean;
  /** What it says, once it was read for one of several targets. */
  call?: Call;
}

/**
 * Bodies up to this size are parsed and checked also when they are handed through; a longer one is the provider's to
 * check, since parsing it would cost more than sending it.
 */
const CHECKED_BYTES = 256 * 1024;

/**
 * Reads a request's body.
 *
 * @param ruleWords What a long body is searched for, see `ClientWire`.
 */
export function readBody(text: Uint8Array<ArrayBuffer>, ruleWords: readonly string[]): Body {
  if (text.length === 0) {
    throw new GatewayError("invalid_request", "Cannot read the request: its body is empty");
  }
  const isLong = text.length > CHECKED_BYTES;
  const words = isLong ? new Map(ruleWords.map((word) => [word, false])) : undefined;
  let members = isLong ? findShallow(text, words) : undefined;
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
      if (!sought) members = findShallow(text);
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

/** A body that was written here for a provider, so that it may pass the row's rules as a client's does. */
export function writtenBody(object: JsonObject): Body {
  const get = (field: string) => Object.hasOwn(object, field) ? object[field] : undefined;
  return {
    text: new Uint8Array(),
    members: () => undefined,
    get,
    has: (field) => (get(field) ?? null) !== null,
    mentions: () => true,
    parsed: () => object,
    isParsed: () => true,
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
    return parseShallow(source);
  } catch (cause) {
    throw cause instanceof TooDeep ? tooDeep(cause) : notJson(cause);
  }
}

/** @throws GatewayError `invalid_request` for more levels or members than are read. */
export function findShallow(...args: Parameters<typeof findMembers>): ReturnType<typeof findMembers> {
  try {
    return findMembers(...args);
  } catch (cause) {
    if (cause instanceof TooDeep) throw tooDeep(cause);
    if (!(cause instanceof TooManyMembers)) throw cause;
    const message = `Cannot read the request: its body has more than ${MOST_MEMBERS} fields`;
    throw new GatewayError("invalid_request", message, { cause });
  }
}

const tooDeep = (cause: unknown) =>
  new GatewayError(
    "invalid_request",
    `Cannot read the request: it is nested too deeply; ${MOST_LEVELS} levels are the most`,
    { cause },
  );

/** Without the parser's own message, which may quote the prompt. */
const notJson = (cause: unknown) =>
  new GatewayError("invalid_request", "Cannot read the request: its body is not valid JSON", { cause });
