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

  /** Reads the length of a message from its prelude, which `bytes` holds. */
  function readPrelude(bytes: Uint8Array): number {
    const view = viewOf(bytes);
    if (view.getUint32(8) !== crc32(bytes.subarray(0, 8))) {
      throw damaged("the checksum of its lengths is wrong");
    }
    const total = view.getUint32(0);
    if (total < PRELUDE + CHECKSUM + view.getUint32(4)) {
      throw damaged("its headers are longer than the message");
    }
    if (total > maxSize) throw new EventTooLong(maxSize);
    return total;
  }

  function message(bytes: Uint8Array): void {
    const view = viewOf(bytes);
    const end = bytes.length - CHECKSUM;
    if (view.getUint32(end) !== crc32(bytes.subarray(0, end))) throw damaged("its checksum is wrong");
    const payloadAt = PRELUDE + view.getUint32(4);
    const headers = readHeaders(bytes, view, payloadAt, decoder);
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
        if (length === 0 && left >= PRELUDE) length = readPrelude(bytes.subarray(from, from + PRELUDE));
        if (length === 0 || left < length) break;
        message(bytes.subarray(from, from + length));
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

const decode = (base64: string) =>
  new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));

/** Amazon's member of the last event. */
const METRICS = "amazon-bedrock-invocationMetrics";

/** The event of the model's own API without what Amazon has added. */
function withoutMetrics(data: string): string {
  const event = data.includes(METRICS) ? object(parse(data)) : undefined;
  if (!event) return data;
  const { [METRICS]: _, ...own } = event;
  return JSON.stringify(own);
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength);

const damaged = (why: string) => new Error(`A message of the event stream is damaged: ${why}`);

// ---------------------------------------------------------------- headers

/**
 * Bytes of a header's value, by its type. Values of types 6 and 7 begin with their length in two bytes.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html (2026-11)
 */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];
const STRING = 7;

/** Reads the headers that are strings. Each header is: u8 length of the name, name, u8 type, value. */
function readHeaders(
  bytes: Uint8Array,
  view: DataView,
  end: number,
  decoder: TextDecoder,
): Map<string, string> {
  const headers = new Map<string, string>();
  let at = PRELUDE;
  /** Moves on by `count` bytes, and returns where they begin. */
  const take = (count: number): number => {
    at += count;
    if (at > end) throw damaged("a header is longer than the headers");
    return at - count;
  };
  while (at < end) {
    const nameLength = view.getUint8(take(1));
    const nameAt = take(nameLength);
    const type = view.getUint8(take(1));
    if (type >= VALUE_BYTES.length) throw damaged(`a header has the unknown type ${type}`);
    const valueLength = VALUE_BYTES[type] ?? view.getUint16(take(2));
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

/** The CRC-32 of each byte, as in gzip and PNG. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) crc = crc >>> 8 ^ TABLE[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}
