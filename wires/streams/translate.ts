/** Translates a provider's stream into the client's stream. */
import { type Chunk, chunkReader } from "./chunks.ts";
import type { Framing } from "./framing.ts";
import { sse } from "./sse.ts";
import type { Delta, Emit, StreamReader, StreamWriter, WireError } from "../types.ts";

const encoder = new TextEncoder();

/** Observes an answer while it is translated. */
export interface Watch {
  delta(delta: Delta): void;
  /** Called when the answer has ended. Only the first call counts. */
  end(how: "whole" | "broken" | "left", cause?: unknown): void;
}

/** The framing, reader and writer of one stream as one step: takes the provider's bytes, returns the client's text. */
export interface Step {
  /**
   * Takes bytes of the provider.
   *
   * @returns Whether more may follow. `false` after an error of the provider.
   * @throws What the framing or the reader throws. The caller must then call `fail`.
   */
  push(chunk: Uint8Array): boolean;
  /** Called when the provider's bytes have ended. Throws as `push` does. */
  end(): void;
  /** Called when the source broke. */
  fail(cause: unknown): void;
  /** Called when the client has left. */
  left?(): void;
  /** The text written since the last call; may be empty. */
  take(): string;
  /** The text that keeps the client's connection alive while the provider is silent; empty if nothing must be sent. */
  keepAlive?(): string;
}

/** How a silent provider is handled. */
export interface Silence {
  /** Milliseconds of silence after which the client gets a keep-alive. */
  tellMs: number;
  /** Milliseconds of silence after which the stream is ended with an error. */
  mostMs: number;
  /** Makes the error for a silence that is too long. */
  onOver(): unknown;
  /** Calls `ring` every `ms` milliseconds, and returns a function that stops it. Default: the runtime's timer. */
  every?(ms: number, ring: () => void): () => void;
}

/** The parts of a step. */
export interface StepParts {
  /** Makes the reader of the provider's events. */
  reader: (emit: Emit) => StreamReader;
  /** Writes the client's events. */
  writer: StreamWriter;
  /** Makes the client's error for a broken source. */
  failure: (cause: unknown) => WireError;
  /** Makes the client's error from an error of the provider. Default: the same error. */
  tell?: (error: WireError) => WireError;
  /** Gets each delta, and the end. */
  watch?: Watch;
  /** The longest frame, in the framing's unit. Default: 32 MiB. */
  maxEventSize?: number;
  /** The framing of the source. Default: server-sent events. */
  framing?: Framing;
}

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
 * Translates an event stream while it arrives. Framing, reader and writer are one step, so each chunk of the source
 * makes at most one chunk of the result.
 *
 * A source that fails becomes an error event, because the status 200 is already sent: the client sees why the answer
 * ended and never a clean end. When the client leaves, the source is cancelled.
 *
 * @param body The provider's bytes.
 * @param step A step made for this stream.
 * @param silence How silences are handled. Default: a silence may last, and nothing is sent meanwhile.
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
        // One await per chunk, without a further promise around it.
        try {
          const { done, value }: Chunk = await source.read(last);
          last = value;
          // The silence was too long: the stream was ended with an error, and is closed.
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
 * Watches a stream for silences with one timer for all chunks. The timer rings twice per `tellMs` and checks whether a
 * chunk has come since. A stream that ends earlier costs only that one timer.
 */
function quietWatch(
  { tellMs, mostMs, onOver, every = byTimer }: Silence,
  step: Step,
  source: { cancel(reason?: unknown): Promise<void> },
  controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
) {
  let waits = false;
  let isOver = false;
  /** `silent`: rings since the provider sent a chunk. `untold`: rings since the client was sent anything. */
  let silent = 0, untold = 0;
  const ringMs = tellMs / 2;
  const stop = every(ringMs, () => {
    // While the client does not ask for more, the provider is not waited for.
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
    // Only from the second ring on, because the first may come right after a chunk. Nothing is sent while the client
    // has not taken the last keep-alive.
    if (untold < 2 || (controller.desiredSize ?? -1) < 0) return;
    const out = step.keepAlive?.() ?? "";
    if (out !== "") controller.enqueue(encoder.encode(out));
  });
  return {
    /** Called when a read of the provider begins. */
    wait() {
      waits = true;
    },
    /** Called when a chunk has come. It may contain nothing for the client. */
    chunk() {
      silent = 0;
    },
    /** Called when the client is sent something. Without `more` the stream ends, and the timer stops. */
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
 * A plain `TransformStream` breaks its readable side when its source breaks. Here the writable side is wrapped, so that
 * an abort writes an error event into the stream.
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
      // The reader has left, or the answer ended with an error: this releases the source.
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
