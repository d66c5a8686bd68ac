/** What is seen of an answer while it passes: the one place that reads bytes beside handing them through. */
import { chunkReader, type KeptBytes, keptBytes } from "../../wires/streams/chunks.ts";
import { GatewayError, stackless } from "../../wires/errors.ts";
import { parse } from "../../wires/shared/json.ts";
import { readCompatibleError } from "../../wires/shared/compatible_error.ts";
import { sseReader } from "../../wires/streams/sse.ts";
import type {
  AnswerFormat,
  Delta,
  Emit,
  JsonObject,
  StopReason,
  Usage,
  WireError,
} from "../../wires/types.ts";
import type { ByteMask, Mask } from "../access/secrets.ts";
import { anyEvents, isContent, kindOf } from "../../wires/streams/begun.ts";
import { EVENTS } from "../policies/held.ts";
import type { Timer } from "../policies/timers.ts";

/** How an answer ended: whole, broken off by the provider (or silent for too long), or left by the client. */
export type End = "whole" | "broken" | "left";

/** What was seen of one answer. */
export interface Seen {
  model?: string;
  usage?: Usage;
  /** The service tier that answered. */
  tier?: string;
  stop?: StopReason;
  /** When its first content passed, by the gateway's timer. */
  firstAt?: number;
  /** What the provider said went wrong. */
  error?: WireError;
  end?: End;
  /** Why it broke. */
  cause?: unknown;
}

/** Watches one answer. */
export interface Observer {
  readonly seen: Seen;
  /** Takes the next piece of the answer. */
  delta(delta: Delta): void;
  /** The answer has ended. Only the first end counts. */
  end(how: End, cause?: unknown): void;
  /** Calls a listener once, when the answer has ended: at once if it has. There may be several. */
  whenEnded(listener: (seen: Seen) => void): void;
}

/**
 * Makes the watcher of one answer.
 *
 * @param signal The client's: an answer that breaks because its client has left is not the provider's fault.
 */
export function observer(timer: Timer, signal: AbortSignal): Observer {
  const seen: Seen = {};
  const listeners: ((seen: Seen) => void)[] = [];
  return {
    seen,
    delta(delta) {
      switch (delta.type) {
        case "start":
          seen.model ??= delta.model;
          seen.tier ??= delta.service_tier;
          return;
        case "usage":
          seen.usage = delta.usage;
          return;
        case "stop":
          seen.stop = delta.reason;
          return;
        case "error":
          seen.error ??= delta.error;
          return;
        default:
          if (seen.firstAt === undefined && isContent(delta)) seen.firstAt = timer();
      }
    },
    end(how, cause) {
      if (seen.end !== undefined) return;
      seen.end = how === "broken" && signal.aborted ? "left" : how;
      seen.cause = cause;
      for (const listener of listeners) listener(seen);
    },
    whenEnded(then) {
      if (seen.end === undefined) listeners.push(then);
      else then(seen);
    },
  };
}

/** An answer whose bytes are handed through, as whoever hands them through knows it. */
export interface Passing {
  /** The provider's name. */
  provider: string;
  /** Of a generated answer; `undefined` for any other. */
  format: AnswerFormat | undefined;
  /** It must be an answer, as the client's own wire promises: what does not begin as one is an error. */
  mustBegin: boolean;
  /** Of a stream of events, whose bytes are masked here; any other answer has none left to mask. */
  mask?: Mask;
}

/**
 * Hands an answer through and reads it beside: neither its bytes (but for secrets) nor their times are changed, and no byte
 * is taken before the client asks for it. (`tee` would hold all that the client has not read.)
 *
 * @throws GatewayError `bad_upstream_answer` for an answer that must begin and does not.
 */
export async function observed(
  response: Response,
  { provider, format, mustBegin, mask }: Passing,
  { delta, end }: Observer,
): Promise<Response> {
  const { status, statusText, headers, body } = response;
  if (!body) {
    end("whole");
    return response;
  }
  const masked = isEventStream(headers) ? mask?.bytes() : undefined;
  const bytes = passThrough(body, byteReader(response, format, delta), masked, end);
  const sent = mustBegin && status < 400 ? await mustBeAnswer(bytes, provider, response) : headers;
  return new Response(bytes.stream, { status, statusText, headers: sent });
}

/**
 * Milliseconds that the first bytes of an answer are waited for. What is no answer comes at once; and as long as nothing is
 * written, Deno does not tell that the client has left.
 */
const FIRST_BYTES_MS = 500;

/** @returns The answer's headers, under the label that its first bytes have. */
async function mustBeAnswer(
  { stream, first }: Passed,
  provider: string,
  { status, headers }: Response,
): Promise<Headers> {
  let timer: number | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, FIRST_BYTES_MS, "late") as unknown as number;
  });
  const bytes = await Promise.race([first(), late]).finally(() => clearTimeout(timer));
  if (bytes === "late") return headers;
  const kind = bytes === undefined ? "nothing" : kindOf(bytes);
  if (kind === "object" && isEventStream(headers)) headers.set("content-type", "application/json");
  const what = MISFITS.get(kind);
  if (what === undefined) return headers;
  stream.cancel().catch(() => {});
  throw new GatewayError("bad_upstream_answer", `${provider} answered ${status} with ${what}`, {
    metadata: { provider, status },
    headers: Object.fromEntries(headers),
  });
}

/** What no answer begins with. */
const MISFITS: ReadonlyMap<string | undefined, string> = new Map([
  ["nothing", "nothing"],
  ["page", "a page"],
  ["list", "a list"],
]);

const isEventStream = (headers: Headers) => /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");

// ---------------------------------------------------------------- the bytes

interface Passed {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** The first bytes; `undefined` when there are none. They stay in the stream. Not rejected by a body that breaks. */
  first(): Promise<Uint8Array | undefined>;
}

/** Takes the bytes of one answer. */
interface ByteReader {
  push(bytes: Uint8Array): void;
  end(): void;
}

function passThrough(
  body: ReadableStream<Uint8Array>,
  reader: ByteReader | undefined,
  mask: ByteMask | undefined,
  end: Observer["end"],
): Passed {
  const source = chunkReader(body);
  let reading = reader;
  /** The first read, if it was made before the client asked. */
  let begun: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined;
  let spent: Uint8Array | undefined;

  /** Reading must not harm what is read: a format that its reader cannot stand is only not understood. */
  function look(step: (reader: ByteReader) => void): void {
    try {
      if (reading) step(reading);
    } catch {
      reading = undefined;
    }
  }

  async function next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      for (;;) {
        const { done, value } = await source.read(spent);
        if (done) return last();
        spent = value;
        const bytes = mask ? mask.push(value) : value;
        if (bytes.length === 0) continue;
        look((reader) => reader.push(bytes));
        // Its memory is used again for the next one.
        return bytes === value ? value.slice() as Uint8Array<ArrayBuffer> : bytes as Uint8Array<ArrayBuffer>;
      }
    } catch (cause) {
      end("broken", cause);
      throw stackless(cause);
    }
  }

  /** What a mask has held back. */
  function last(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = mask?.end();
    mask = undefined;
    if (!bytes || bytes.length === 0) return undefined;
    look((reader) => reader.push(bytes));
    return bytes;
  }

  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const bytes = await (begun ?? next());
      begun = undefined;
      if (bytes) return controller.enqueue(bytes);
      look((reader) => reader.end());
      controller.close();
      end("whole");
    },
    cancel(reason) {
      end("left");
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });

  async function first(): Promise<Uint8Array | undefined> {
    begun = next();
    try {
      return await begun;
    } catch {
      return new Uint8Array();
    }
  }
  return { stream, first };
}

// ---------------------------------------------------------------- what they say

/** Bytes of a whole answer, and of an error, that are read: what is longer passes unread. */
const MOST_BYTES = { answer: 2 ** 20, error: 2 ** 16 };

/** Bytes of the end of a longer one that are kept. */
const TAIL_BYTES = 2 ** 12;

function byteReader(
  { status, headers }: Response,
  format: AnswerFormat | undefined,
  emit: Emit,
): ByteReader | undefined {
  if (status >= 400) {
    const readError = format?.readError ?? readCompatibleError;
    return wholeReader(MOST_BYTES.error, (text) => {
      emit({ type: "error", error: readError(status, parse(text) ?? "") });
    });
  }
  if (isEventStream(headers)) return eventReader(format, emit);
  if (!format) return undefined;
  return wholeReader(MOST_BYTES.answer, (text) => {
    if (!EVENTS.test(text)) return format.readAnswer((parse(text) ?? {}) as JsonObject, emit);
    const events = eventReader(format, emit);
    events.push(new TextEncoder().encode(text));
    events.end();
  }, format.readTail && ((tail) => format.readTail!(tail, emit)));
}

function eventReader(format: AnswerFormat | undefined, emit: Emit): ByteReader {
  const events = format ? format.readStream(emit) : anyEvents(emit);
  const parser = sseReader((data, event) => events.frame(data, event));
  return {
    push: parser.push,
    end() {
      parser.end();
      events.end();
    },
  };
}

/** @param readTail Takes the last bytes of a longer one. */
function wholeReader(
  most: number,
  read: (text: string) => void,
  readTail?: (tail: string) => void,
): ByteReader {
  let kept: KeptBytes | undefined = keptBytes();
  let tail: Uint8Array = new Uint8Array();
  return {
    push(bytes) {
      if (kept && kept.length + bytes.length > most) kept = undefined;
      kept?.add(bytes);
      if (readTail) tail = joinTail(tail, bytes);
    },
    end() {
      if (kept) read(new TextDecoder().decode(kept.view()));
      else readTail?.(new TextDecoder().decode(tail));
    },
  };
}

function joinTail(tail: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const last = bytes.subarray(-TAIL_BYTES);
  const kept = tail.subarray(Math.max(0, tail.length + last.length - TAIL_BYTES));
  const joined = new Uint8Array(kept.length + last.length);
  joined.set(kept);
  joined.set(last, kept.length);
  return joined;
}
