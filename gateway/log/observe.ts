/** Reads along in an answer while its bytes are handed through, for the log. */
import { chunkReader, type KeptBytes, keptBytes } from "../../wires/streams/chunks.ts";
import { GatewayError, stackless } from "../../wires/errors.ts";
import { parse } from "../../wires/shared/json.ts";
import { concat } from "../../wires/shared/json_text.ts";
import { readCompatibleError } from "../../wires/shared/compatible_error.ts";
import { plausible } from "../../wires/shared/usage.ts";
import { sseReader } from "../../wires/streams/sse.ts";
import { type ByteFilter, withoutEvents } from "../../wires/streams/without_events.ts";
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

/** What an observer has seen of one answer. */
export interface Seen {
  /** The answer's id in its body. */
  id?: string;
  model?: string;
  usage?: Usage;
  /** Characters of its text, its thoughts and its tool calls, for an estimate where no usage is told. */
  chars: number;
  /** The service tier that answered. */
  tier?: string;
  stop?: StopReason;
  /** When its first content passed, by the gateway's timer. */
  firstAt?: number;
  /** The provider's error. */
  error?: WireError;
  end?: End;
  /** The error by which the answer broke. */
  cause?: unknown;
}

/** Watches one answer. */
export interface Observer {
  readonly seen: Seen;
  /** Takes the next step of the answer. */
  delta(delta: Delta): void;
  /** Must be called when the answer has ended. Only the first call counts. */
  end(how: End, cause?: unknown): void;
  /** Calls a listener once, when the answer has ended; at once if it has ended already. There may be several listeners. */
  whenEnded(listener: (seen: Seen) => void): void;
}

/**
 * Makes the observer of one answer.
 *
 * @param signal The client's signal. If it has aborted, a broken answer counts as left by the client.
 */
export function observer(timer: Timer, signal: AbortSignal): Observer {
  const seen: Seen = { chars: 0 };
  const listeners: ((seen: Seen) => void)[] = [];
  return {
    seen,
    delta(delta) {
      switch (delta.type) {
        case "start":
          seen.id ??= delta.id;
          seen.model ??= delta.model;
          seen.tier ??= delta.service_tier;
          return;
        case "usage":
          seen.usage = plausible(delta.usage);
          return;
        case "stop":
          seen.stop = delta.reason;
          return;
        case "error":
          seen.error ??= delta.error;
          return;
        default:
          if ("text" in delta && delta.text !== undefined) seen.chars += delta.text.length;
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

/** The observer of a cached answer, which has ended already. */
export function replayed(facts: Partial<Seen>, timer: Timer, signal: AbortSignal): Observer {
  const ended = observer(timer, signal);
  Object.assign(ended.seen, facts);
  ended.end("whole");
  return ended;
}

/** How to observe an answer whose bytes are handed through. */
export interface Passing {
  /** The provider's name. */
  provider: string;
  /** The format of a generated answer; `undefined` for any other answer. */
  format: AnswerFormat | undefined;
  /** Whether the client expects an answer in its own wire. If so, an answer that does not begin as one becomes an error. */
  mustBegin: boolean;
  /** The mask for a stream of events, which is masked here. Any other answer is masked already. */
  mask?: Mask;
  /** Tells which events of a stream are observed and not handed through. Default: none. */
  isOut?: (event: string) => boolean;
}

/**
 * Hands an answer through and reads along. Except for secrets, and for events that are left out, it changes neither the bytes
 * nor their timing, and it reads nothing ahead of the client. (`tee` would keep all bytes that the client has not read.)
 *
 * @throws GatewayError `bad_upstream_answer` for an answer that does not begin as one, if `mustBegin`.
 */
export async function observed(
  response: Response,
  { provider, format, mustBegin, mask, isOut }: Passing,
  { delta, end }: Observer,
): Promise<Response> {
  const { status, statusText, headers, body } = response;
  if (!body) {
    end("whole");
    return response;
  }
  const masked = isEventStream(headers) ? mask?.bytes() : undefined;
  const filter = isOut && withoutEvents(isOut);
  const bytes = passThrough(body, byteReader(response, format, delta), masked, filter, end);
  const sent = mustBegin && status < 400 ? await mustBeAnswer(bytes, provider, response) : headers;
  return new Response(bytes.stream, { status, statusText, headers: sent });
}

/**
 * Milliseconds to wait for the first bytes of an answer. A page or an empty body usually comes at once. The wait is short
 * because Deno does not tell that the client has left until something is written.
 */
const FIRST_BYTES_MS = 500;

/** Checks the first bytes of an answer. @returns The answer's headers, with the content type of those bytes. */
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

/** Kinds of bodies that are not answers, with words for them. */
const MISFITS: ReadonlyMap<string | undefined, string> = new Map([
  ["nothing", "an empty body"],
  ["page", "a page"],
  ["list", "a list"],
]);

/** Whether an answer is labelled as a stream of events. */
export const isEventStream = (headers: Headers): boolean =>
  /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");

// ---------------------------------------------------------------- the bytes

interface Passed {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** The first bytes, which stay in the stream; `undefined` if there are none. Does not reject if the body breaks. */
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
  filter: ByteFilter | undefined,
  end: Observer["end"],
): Passed {
  const source = chunkReader(body);
  let reading = reader;
  /** The first read, if `first` made it before the client asked. */
  let begun: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined;
  let spent: Uint8Array | undefined;

  /** Runs a step of the reader. If the reader throws, the answer passes on without it. */
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
        const passed = filter ? filter.push(bytes as Uint8Array<ArrayBuffer>) : bytes;
        if (passed.length === 0) continue;
        // What lies in the memory of `value` is copied, because the next read reuses it.
        return (passed.buffer === value.buffer ? passed.slice() : passed) as Uint8Array<ArrayBuffer>;
      }
    } catch (cause) {
      end("broken", cause);
      throw stackless(cause);
    }
  }

  /** The bytes that the mask and the filter have held back. */
  function last(): Uint8Array<ArrayBuffer> | undefined {
    let bytes = mask?.end() ?? new Uint8Array();
    mask = undefined;
    if (bytes.length > 0) look((reader) => reader.push(bytes));
    if (filter) bytes = concat([filter.push(bytes), filter.end()]);
    filter = undefined;
    return bytes.length > 0 ? bytes : undefined;
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

// ---------------------------------------------------------------- readers

/** The most bytes of a whole answer, and of an error, that are kept to be read. A longer one passes unread. */
const MOST_BYTES = { answer: 2 ** 20, error: 2 ** 16 };

/** How many bytes are kept of the end of a longer answer, for the readers that can read it. */
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

/** Keeps a whole answer and reads it at its end. @param readTail Takes the last bytes of an answer longer than `most`. */
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
