/** One stream of foreign bytes into one stream of ours. */
import { type Chunk, chunkReader } from "./chunks.ts";
import type { Framing } from "./framing.ts";
import { sse } from "./sse.ts";
import type { Delta, Emit, StreamReader, StreamWriter, WireError } from "../types.ts";

const encoder = new TextEncoder();

/** Watches an answer while it is translated. */
export interface Watch {
  delta(delta: Delta): void;
  /** Only the first end counts. */
  end(how: "whole" | "broken" | "left", cause?: unknown): void;
}

/** Framing, reader and writer of one stream as one step: the provider's bytes in, the client's text out. */
export interface Step {
  /**
   * Takes bytes of the provider.
   *
   * @returns Whether more may follow; not after an error of the provider's.
   * @throws What the framing or the reader throws: `fail` is due then.
   */
  push(chunk: Uint8Array): boolean;
  /** The provider's bytes have ended. Throws as `push`. */
  end(): void;
  /** The source broke. */
  fail(cause: unknown): void;
  /** The client has left. */
  left?(): void;
  /** The text written since the last call; may be empty. */
  take(): string;
  /** What to send while the provider says nothing; an empty text for nothing. */
  keepAlive?(): string;
}

/** What is done about a provider that says nothing for a while. */
export interface Silence {
  /** Milliseconds after which the client is told that the stream lives. */
  tellMs: number;
  /** Milliseconds after which it does not live any more. */
  mostMs: number;
  /** Makes the error of a silence that is too long. */
  onOver(): unknown;
  /** Calls `ring` again and again. What it returns ends that. Default: by the runtime's timer. */
  every?(ms: number, ring: () => void): () => void;
}

/** What a step is made of. */
export interface StepParts {
  /** Makes the reader of the provider's events. */
  reader: (emit: Emit) => StreamReader;
  /** Writes the client's events. */
  writer: StreamWriter;
  /** What a broken source is called to the client. */
  failure: (cause: unknown) => WireError;
  /** Makes of an error of the provider's what the client is told. Default: the same. */
  tell?: (error: WireError) => WireError;
  /** Is told each delta, and the end. */
  watch?: Watch;
  /** The longest frame that is taken, as the framing has it. */
  maxEventSize?: number;
  /** How the source is cut into frames. Default: server-sent events. */
  framing?: Framing;
}

/** Makes the step of one stream. */
export function translation(
  { reader, writer, failure, tell = (error) => error, watch, maxEventSize, framing = sse }: StepParts,
): Step {
  let out = "";
  let failed = false;
  const emit: Emit = (delta) => {
    if (failed) return;
    if (delta.type === "error") {
      failed = true;
      delta.error = tell(delta.error);
    }
    watch?.delta(delta);
    out += writer.delta(delta);
  };
  const events = reader(emit);
  const parser = framing.reader(
    (data, event) => events.frame(data, event),
    (error) => emit({ type: "error", error }),
    maxEventSize,
  );

  return {
    push(chunk) {
      parser.push(chunk);
      if (failed) watch?.end("whole");
      return !failed;
    },
    end() {
      parser.end();
      events.end();
      out += writer.end();
      watch?.end("whole");
    },
    fail(cause) {
      watch?.end("broken", cause);
      if (!failed) out += writer.delta({ type: "error", error: failure(cause) });
      failed = true;
      out += writer.end();
    },
    left() {
      watch?.end("left");
    },
    take() {
      const text = out;
      out = "";
      return text;
    },
    keepAlive: () => failed ? "" : writer.keepAlive?.() ?? "",
  };
}

/**
 * Translates an event stream while it arrives: framing, reader and writer fused in one step, so that each chunk of the
 * source is at most one chunk of the result.
 *
 * A source that fails becomes an error event, for the 200 is already sent: the client sees why, never a clean end. When
 * the client leaves, the source is cancelled.
 *
 * @param body The provider's bytes.
 * @param step Made for this stream.
 * @param silence Default: a silence may last, and nothing is sent meanwhile.
 */
export function translate(
  body: ReadableStream<Uint8Array>,
  step: Step,
  silence?: Silence,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = chunkReader(body);
  let last: Uint8Array | undefined;
  let quiet: ReturnType<typeof quietWatch> | undefined;
  return new ReadableStream({
    async pull(controller) {
      let more = true;
      let out = "";
      if (silence) quiet ??= quietWatch(silence, step, source, controller);
      quiet?.wait();
      while (more && out === "") {
        // One await for each chunk, and no promise around it.
        try {
          const { done, value }: Chunk = await source.read(last);
          last = value;
          // The silence has ended it, and has said so.
          if (quiet?.isOver()) return;
          quiet?.chunk();
          if (done) {
            more = false;
            step.end();
          } else if (!step.push(value)) {
            more = false;
            source.cancel().catch(() => {});
          }
        } catch (cause) {
          if (quiet?.isOver()) return;
          more = false;
          step.fail(cause);
          source.cancel(cause).catch(() => {});
        }
        out = step.take();
      }
      quiet?.heard(more);
      if (out !== "") controller.enqueue(encoder.encode(out));
      if (!more) controller.close();
    },
    cancel(reason) {
      quiet?.heard(false);
      step.left?.();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/**
 * Watches a stream for silences, by one timer for all of its chunks: it rings twice in the time after which the client must
 * hear something, and looks whether a chunk has come since. A stream that is over before costs that one timer.
 */
function quietWatch(
  { tellMs, mostMs, onOver, every = byTimer }: Silence,
  step: Step,
  source: { cancel(reason?: unknown): Promise<void> },
  controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
) {
  let waits = false;
  let isOver = false;
  /** Rings since the provider has sent anything, and since the client was. */
  let silent = 0, untold = 0;
  const ringMs = tellMs / 2;
  const stop = every(ringMs, () => {
    // While nobody asks for more the provider is not waited for.
    if (!waits) return;
    silent++;
    untold++;
    if (silent * ringMs >= mostMs) {
      isOver = true;
      stop();
      const cause = onOver();
      step.fail(cause);
      source.cancel(cause).catch(() => {});
      const out = step.take();
      if (out !== "") controller.enqueue(encoder.encode(out));
      controller.close();
      return;
    }
    // After the second: one alone may come right behind a chunk. What was told before may not even be taken yet.
    if (untold < 2 || (controller.desiredSize ?? -1) < 0) return;
    const out = step.keepAlive?.() ?? "";
    if (out !== "") controller.enqueue(encoder.encode(out));
  });
  return {
    /** A chunk is waited for. */
    wait() {
      waits = true;
    },
    /** One has come, which may say nothing to the client. */
    chunk() {
      silent = 0;
    },
    /** The client is sent something, or, with nothing more to come, the end. */
    heard(more: boolean) {
      waits = false;
      silent = untold = 0;
      if (!more) stop();
    },
    isOver: () => isOver,
  };
}

function byTimer(ms: number, ring: () => void): () => void {
  const timer = setInterval(ring, ms);
  return () => clearInterval(timer);
}

/**
 * Translates an event stream inside a pipe: the same step as a `TransformStream`.
 *
 * A plain one breaks its readable side when its source breaks, so its writable side is wrapped: an abort is written into
 * the stream as an error event.
 */
export function translator(parts: StepParts): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  const step = translation(parts);
  const deliver = (to: TransformStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const out = step.take();
    if (out !== "") to.enqueue(encoder.encode(out));
  };
  let ended = false;
  const stream = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>(
    {
      transform(chunk, controller) {
        let more = false;
        try {
          more = step.push(chunk);
        } catch (cause) {
          step.fail(cause);
        }
        deliver(controller);
        if (more) return;
        ended = true;
        controller.terminate();
      },
      flush(controller) {
        try {
          if (!ended) step.end();
        } catch (cause) {
          step.fail(cause);
        }
        deliver(controller);
      },
    },
    { highWaterMark: 1 },
    { highWaterMark: 0 },
  );
  const sink = stream.writable.getWriter();
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      // The reader has left, or the answer ended with an error: the source is let go.
      sink.closed.catch((reason) => controller.error(reason));
    },
    write: (chunk) => sink.write(chunk),
    close: () => sink.close(),
    abort(cause) {
      ended = true;
      step.fail(cause);
      return sink.close();
    },
  });
  Object.defineProperty(stream, "writable", { value: writable });
  return stream;
}
