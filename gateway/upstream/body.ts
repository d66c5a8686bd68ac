/** Reads request bodies. */
import { chunkReader, keptBytes } from "../../wires/streams/chunks.ts";
import { MOST_LEVELS, parseShallow, TooDeep } from "../../wires/shared/depth.ts";
import { GatewayError } from "../../wires/errors.ts";
import { list } from "../../wires/shared/json.ts";
import { findMembers, findObjects, MOST_MEMBERS, TooManyMembers } from "../../wires/shared/json_text.ts";
import type { Call, Fields, JsonObject } from "../../wires/types.ts";
import type { Config } from "../setup/config.ts";
import { IS_PROCESS } from "../context.ts";
import type { Exchange } from "../exchange.ts";
import type { Report } from "../log/report.ts";
import type { Limits } from "../setup/limits.ts";
import { idleTimer, within } from "../policies/timers.ts";

/** The parts of an exchange that count the bytes of a body while it is read. */
type Holder = Pick<Exchange, "config" | "report">;

/**
 * Reads a JSON request's body.
 *
 * @throws GatewayError `unsupported_media_type`, and the errors of `readWhole`.
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
      }; send it without an encoding`,
    );
  }
  return await readWhole(request, exchange);
}

/** A body announced with up to this many bytes is read in one piece, without a limit on the time between its bytes. */
const ONE_READ = 64 * 1024;

/**
 * Reads a request's body.
 *
 * @param maxBytes Default: the limit of the options.
 * @throws GatewayError `body_too_large` before more than `maxBytes` are held; `overloaded` if other bodies leave no room for
 * it; `request_timeout` if the client is silent for too long; `invalid_request` if the body breaks off.
 */
export async function readWhole(
  request: Request,
  exchange: Holder,
  maxBytes: number = exchange.config.limits.maxBodyBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bodyTimeoutMs, maxInFlightBytes } = exchange.config.limits;
  // A body longer than `maxInFlightBytes` would be refused as `overloaded` for ever.
  const most = maxInFlightBytes > 0 ? Math.min(maxBytes, maxInFlightBytes) : maxBytes;
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced > most) throw tooLarge(most);
  try {
    // The runtime's HTTP parser enforces an announced length. One native read is the cheapest; reading `request.body` before
    // it would make a stream.
    if (announced >= 0 && (bodyTimeoutMs === 0 || announced <= ONE_READ)) {
      hold(announced, exchange);
      const buffer = await exchange.config.inTime(request.arrayBuffer(), () => tooSlow(bodyTimeoutMs));
      // A request that a program made need not keep to the length that it announces.
      if (buffer.byteLength > most) throw tooLarge(most);
      hold(buffer.byteLength - announced, exchange);
      return captured(request, new Uint8Array(buffer), exchange);
    }
    const bytes = request.body ? await readChunks(request.body, most, exchange) : new Uint8Array();
    return captured(request, bytes, exchange);
  } catch (cause) {
    if (cause instanceof GatewayError || request.signal.aborted) throw cause;
    // The client has probably left: Deno aborts the signal later, or never.
    throw new GatewayError("invalid_request", "Cannot read the request: its body broke off", { cause });
  }
}

/** Keeps the body for the log, if it may be kept. */
function captured<T extends Uint8Array>({ headers }: Request, bytes: T, { report }: Holder): T {
  report.capture?.request(headers, bytes);
  return bytes;
}

/** @throws GatewayError before more than `maxBytes` are held, or after too long a silence. */
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
 * Whether the runtime keeps a sent body in memory until its answer has ended: Deno's and Bun's `fetch` do (measured November
 * 2026). workerd does not tell when an answer ends whose client has left.
 */
export const KEEPS_BODIES: boolean = IS_PROCESS;

/** The answer to a body of more bytes than this is watched until it ends, even without a log. */
const WATCHED_BYTES = 256 * 1024;

/**
 * Counts bytes as held, until `letGo` is called.
 *
 * @throws GatewayError `overloaded`
 */
export function hold(bytes: number, { config, report }: Holder): void {
  const { limits: { maxInFlightBytes: most }, inFlight } = config;
  if (most > 0 && inFlight.bytes + bytes > most) {
    throw new GatewayError(
      "overloaded",
      "Cannot take the request: the gateway holds as many bytes of other requests' bodies as it may; try again in a moment",
      { headers: { "retry-after": "1" } },
    );
  }
  inFlight.bytes += bytes;
  report.heldBytes += bytes;
  if (KEEPS_BODIES && most > 0 && report.heldBytes > WATCHED_BYTES) report.listened = true;
}

/** Counts a request's body as released. Called when its answer has ended, or if there is no answer. */
export function letGo(report: Report, { inFlight }: Config): void {
  inFlight.bytes -= report.heldBytes;
  report.heldBytes = 0;
}

/** A body that is passed on while it arrives. It breaks if its client is silent for too long. */
export interface Upload {
  body: ReadableStream<Uint8Array>;
  /** The fault by which the body broke, if it did. */
  fault(): GatewayError | undefined;
}

/**
 * Passes a body on and limits the time between its chunks. On Workers the body is returned unchanged: Cloudflare limits the
 * time there, and a body that passes through JavaScript would lose its length.
 */
export function upload(body: ReadableStream<Uint8Array>, { bodyTimeoutMs: ms }: Limits): Upload {
  if (ms === 0 || !IS_PROCESS) return { body, fault: () => undefined };
  const reader = body.getReader();
  let fault: GatewayError | undefined;
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        // Limits the wait for the client's next chunk only. A provider that reads slowly is not the client's fault.
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

// ---------------------------------------------------------------- a JSON body

/** A request's JSON body. It is parsed only as far as needed. */
export interface Body extends Fields {
  text: Uint8Array<ArrayBuffer>;
  /** The same decoded, if it is short enough to be parsed at once. */
  source?: string;
  /** The places of its members; `undefined` if only a full parse can find them. Computed at the first call. */
  members(): ReturnType<typeof findMembers>;
  /** Whether a field is present and not `null`. */
  has(field: string): boolean;
  /** Whether a word may be somewhere in its values. */
  mentions(word: string): boolean;
  parsed(): JsonObject;
  /** Whether it is parsed already. */
  isParsed(): boolean;
  /** Whether `checkCall` has accepted it. */
  isChecked?: boolean;
  /** The neutral call, once it was read for one of several targets. */
  call?: Call;
}

/**
 * Bodies of up to this many bytes are parsed and checked even if they are handed through. The provider checks a longer one
 * itself, because parsing it here would cost more than sending it.
 */
const CHECKED_BYTES = 256 * 1024;

/**
 * Reads a request's JSON body.
 *
 * @param ruleWords The words that a long body is searched for, see `ClientWire`.
 * @throws GatewayError `invalid_request`
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
  function fromEnd(field: string): Iterable<unknown> {
    const member = object ? undefined : members!.get(field);
    const items = member && findObjects(text.subarray(member.valueStart, member.valueEnd));
    return items ? parsedFromEnd(items) : backwards(get(field));
  }
  return {
    text,
    source: isLong ? undefined : source,
    // A method, not a getter: V8 keeps a getter of an object literal, with all that its closure holds, until a full garbage
    // collection. A body of 10 MB took twice the memory.
    members() {
      if (!sought) members = findShallow(text);
      sought = true;
      return members;
    },
    get,
    fromEnd,
    mentions: (word) => words?.get(word) ?? true,
    has: (field) => (get(field) ?? null) !== null,
    parsed,
    isParsed: () => object !== undefined,
  };
}

/** A `Body` of an object that the gateway has written, so that the row's rules can be applied to it as to a client's body. */
export function writtenBody(object: JsonObject): Body {
  const get = (field: string) => Object.hasOwn(object, field) ? object[field] : undefined;
  return {
    text: new Uint8Array(),
    members: () => undefined,
    get,
    fromEnd: (field) => backwards(get(field)),
    has: (field) => (get(field) ?? null) !== null,
    mentions: () => true,
    parsed: () => object,
    isParsed: () => true,
  };
}

function* parsedFromEnd(items: Uint8Array[]): Generator<unknown> {
  for (let at = items.length - 1; at >= 0; at--) yield parseJson(items[at]);
}

const backwards = (value: unknown): unknown[] => list(value).toReversed();

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

/** Finds the members of a JSON text. @throws GatewayError `invalid_request` for too many levels or members. */
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
    `Cannot read the request: its body is nested too deeply; at most ${MOST_LEVELS} levels are read`,
    { cause },
  );

/** The error for a body that is not JSON. It leaves out the parser's message, which may quote the prompt. */
const notJson = (cause: unknown) =>
  new GatewayError("invalid_request", "Cannot read the request: its body is not valid JSON", { cause });
