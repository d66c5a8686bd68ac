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
 */
export function translate(
  body: ReadableStream<Uint8Array>,
  step: Step,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = chunkReader(body);
  let last: Uint8Array | undefined;
  return new ReadableStream({
    async pull(controller) {
      let more = true;
      let out = "";
      while (more && out === "") {
        // One await for each chunk, and no promise around it.
        try {
          const { done, value }: Chunk = await source.read(last);
          last = value;
          if (done) {
            more = false;
            step.end();
          } else if (!step.push(value)) {
            more = false;
            source.cancel().catch(() => {});
          }
        } catch (cause) {
          more = false;
          step.fail(cause);
          source.cancel(cause).catch(() => {});
        }
        out = step.take();
      }
      if (out !== "") controller.enqueue(encoder.encode(out));
      if (!more) controller.close();
    },
    cancel(reason) {
      step.left?.();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
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
