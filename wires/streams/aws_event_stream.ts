/** Reads Amazon's event stream (`application/vnd.amazon.eventstream`): binary messages with checksums. */
import { object, parse } from "../shared/json.ts";
import type { WireError } from "../types.ts";
import { type KeptBytes, keptBytes } from "./chunks.ts";
import { FRAME_SIZE, type FrameReader, type Framing, type OnFrame } from "./framing.ts";
import { EventTooLong } from "./sse.ts";

/** Bytes before the headers: the message's length, the headers' length, and the checksum of these two. */
const PRELUDE = 12;
/** Bytes after the payload: the checksum of everything before. */
const CHECKSUM = 4;

/**
 * Makes a reader of Amazon's event stream. Each message is: u32 length of the message, u32 length of its headers, u32
 * CRC-32 of those eight bytes, headers, payload, u32 CRC-32 of everything before. Numbers are big-endian.
 *
 * A message of type `event` becomes a frame: its payload as text, and its `:event-type`. A message of type `exception`
 * or `error` is passed to `onError`, with the HTTP status of the same error outside a stream.
 *
 * @param maxSize The longest message, in bytes.
 * @throws EventTooLong from `push`, and an `Error` from `push` and `end` for bytes that are damaged or cut off.
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export function awsEventStreamReader(
  onFrame: OnFrame,
  onError: (error: WireError) => void,
  maxSize = FRAME_SIZE,
): FrameReader {
  const decoder = new TextDecoder();
  /** The bytes of the message that is not complete yet. */
  let kept: KeptBytes | undefined;
  /** The length of that message in bytes; 0 until its prelude is complete. */
  let length = 0;

  /** The headers of the message before: those of a stream's messages are mostly the same, byte for byte. */
  let before: { bytes: Uint8Array; headers: ReadonlyMap<string, string> } | undefined;

  /** Reads the length of a message from its prelude. */
  function readPrelude(bytes: Uint8Array, from: number): number {
    if (u32(bytes, from + 8) !== crc32(bytes, from, from + 8)) {
      throw damaged("the checksum of its lengths is wrong");
    }
    const total = u32(bytes, from);
    if (total < PRELUDE + CHECKSUM + u32(bytes, from + 4)) {
      throw damaged("its headers are longer than the message");
    }
    if (total > maxSize) throw new EventTooLong(maxSize);
    return total;
  }

  function message(bytes: Uint8Array, from: number, to: number): void {
    const end = to - CHECKSUM;
    if (u32(bytes, end) !== crc32(bytes, from, end)) throw damaged("its checksum is wrong");
    const headersAt = from + PRELUDE;
    const payloadAt = headersAt + u32(bytes, from + 4);
    let headers: ReadonlyMap<string, string>;
    if (before && isAt(before.bytes, bytes, headersAt, payloadAt)) headers = before.headers;
    else {
      headers = readHeaders(bytes, headersAt, payloadAt, decoder);
      const isShort = payloadAt - headersAt <= MOST_KEPT;
      before = isShort ? { bytes: bytes.slice(headersAt, payloadAt), headers } : undefined;
    }
    const payload = decoder.decode(bytes.subarray(payloadAt, end));
    const type = headers.get(":message-type") ?? "event";
    if (type === "event") onFrame(payload, headers.get(":event-type") ?? "");
    else onError(readFailure(headers, payload));
  }

  return {
    push(chunk) {
      kept?.add(chunk);
      const bytes = kept ? kept.view() : chunk;
      let from = 0;
      for (;;) {
        const left = bytes.length - from;
        if (length === 0 && left >= PRELUDE) length = readPrelude(bytes, from);
        if (length === 0 || left < length) break;
        message(bytes, from, from + length);
        from += length;
        length = 0;
      }
      if (kept && from === 0) return;
      kept = undefined;
      if (from === bytes.length) return;
      kept = keptBytes();
      kept.add(bytes.subarray(from));
    },
    end() {
      if (kept) throw damaged("the stream ended inside it");
    },
  };
}

const TYPE = "application/vnd.amazon.eventstream";

/** Amazon's event stream, as a row of the provider table names it. */
export const awsEventStream: Framing = { type: TYPE, reader: awsEventStreamReader };

/**
 * The same framing, for streams whose messages carry events of the model's own API: `{"bytes": base64}` in events named
 * `chunk`.
 */
export const awsModelStream: Framing = {
  type: TYPE,
  reader: (onFrame, onError, maxSize) =>
    awsEventStreamReader(
      (data, event) => {
        const bytes = object(parse(data))?.bytes;
        if (event !== "chunk" || typeof bytes !== "string") return;
        onFrame(withoutMetrics(decode(bytes)), "");
      },
      onError,
      maxSize,
    ),
};

/** Most events are ASCII, whose bytes are their characters. */
const ASCII = /^[\0-\x7f]*$/;

function decode(base64: string): string {
  const binary = atob(base64);
  if (ASCII.test(binary)) return binary;
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return new TextDecoder().decode(bytes);
}

/** Amazon's member of the last event. */
const METRICS = "amazon-bedrock-invocationMetrics";

/** The event of the model's own API without what Amazon has added. */
function withoutMetrics(data: string): string {
  const event = data.includes(METRICS) ? object(parse(data)) : undefined;
  if (!event) return data;
  const { [METRICS]: _, ...own } = event;
  return JSON.stringify(own);
}

/** A number of four bytes. A `DataView` for each message would take longer than to read it. */
const u32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) >>> 0;

/** Headers of up to this many bytes are kept for the next message. */
const MOST_KEPT = 1024;

/** Whether some bytes are those of a part of others. */
function isAt(some: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (some.length !== to - from) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== bytes[from + at]) return false;
  return true;
}

const damaged = (why: string) => new Error(`A message of the event stream is damaged: ${why}`);

// ---------------------------------------------------------------- headers

/**
 * Bytes of a header's value, by its type. Values of types 6 and 7 begin with their length in two bytes.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html (2026-11)
 */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];
const STRING = 7;

const u16 = (bytes: Uint8Array, at: number): number => bytes[at] << 8 | bytes[at + 1];

/** Reads the headers that are strings. Each header is: u8 length of the name, name, u8 type, value. */
function readHeaders(
  bytes: Uint8Array,
  from: number,
  end: number,
  decoder: TextDecoder,
): Map<string, string> {
  const headers = new Map<string, string>();
  let at = from;
  /** Moves on by `count` bytes, and returns where they begin. */
  const take = (count: number): number => {
    at += count;
    if (at > end) throw damaged("a header is longer than the headers");
    return at - count;
  };
  while (at < end) {
    const nameLength = bytes[take(1)];
    const nameAt = take(nameLength);
    const type = bytes[take(1)];
    if (type >= VALUE_BYTES.length) throw damaged(`a header has the unknown type ${type}`);
    const valueLength = VALUE_BYTES[type] ?? u16(bytes, take(2));
    const valueAt = take(valueLength);
    if (type !== STRING) continue;
    const name = decoder.decode(bytes.subarray(nameAt, nameAt + nameLength));
    headers.set(name, decoder.decode(bytes.subarray(valueAt, valueAt + valueLength)));
  }
  return headers;
}

// ---------------------------------------------------------------- errors

/**
 * The HTTP status of each exception, by its name in lower case and without `exception`.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html (statuses by the SDK's
 * types of 2026-11)
 */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ["accessdenied", 403],
  ["conflict", 400],
  ["internalserver", 500],
  ["modelerror", 424],
  ["modelnotready", 429],
  ["modelstreamerror", 424],
  ["modeltimeout", 408],
  ["resourcenotfound", 404],
  ["servicequotaexceeded", 400],
  ["serviceunavailable", 503],
  ["throttling", 429],
  ["validation", 400],
]);

/**
 * Reads a failure: an exception has its name in a header and its message in the payload, an error has both in headers.
 */
function readFailure(headers: ReadonlyMap<string, string>, payload: string): WireError {
  const code = headers.get(":exception-type") ?? headers.get(":error-code") ?? "";
  const body = object(parse(payload));
  const said = body?.message ?? body?.Message ?? headers.get(":error-message");
  return {
    message: typeof said === "string" && said !== ""
      ? said
      : `The stream failed: ${code || "the provider gives no reason"}`,
    code: code || null,
    status: STATUSES.get(code.toLowerCase().replace(/exception$/, "")),
  };
}

// ---------------------------------------------------------------- checksum

/** How many bytes are taken at a time: 0.4 of the time of one by one. */
const SLICES = 8;

/** The CRC-32 of each byte, as in gzip and PNG, and then of each byte with 1 to 7 zeros behind it. */
const TABLE = new Int32Array(SLICES * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  TABLE[byte] = crc;
}
for (let at = 256; at < TABLE.length; at++) TABLE[at] = TABLE[at - 256] >>> 8 ^ TABLE[TABLE[at - 256] & 0xff];

/** The checksum of the bytes from one place to another. */
function crc32(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1, at = from;
  for (; at + SLICES <= to; at += SLICES) {
    const first = crc ^ (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24);
    crc = TABLE[1792 + (first & 0xff)] ^ TABLE[1536 + (first >>> 8 & 0xff)] ^
      TABLE[1280 + (first >>> 16 & 0xff)] ^ TABLE[1024 + (first >>> 24)] ^ TABLE[768 + bytes[at + 4]] ^
      TABLE[512 + bytes[at + 5]] ^ TABLE[256 + bytes[at + 6]] ^ TABLE[bytes[at + 7]];
  }
  for (; at < to; at++) crc = crc >>> 8 ^ TABLE[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}
