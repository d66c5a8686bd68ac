/** One stream of foreign bytes into one stream of ours. */
import { type Chunk, chunkReader } from "./chunks.ts";
import type { Framing } from "./framing.ts";
import { sse } from "./sse.ts";
import type { Delta, Emit, StreamReader, WireError } from "../types.ts";
import type { ChunkWriter } from "../openai_chat/write_answer.ts";

const encoder = new TextEncoder();

/** Watches an answer while it is translated. */
export interface Watch {
  delta(delta: Delta): void;
  /** Only the first end counts. */
  end(how: "whole" | "broken" | "left", cause?: unknown): void;
}

/**
 * Translates an event stream while it arrives: framing, reader and writer fused in one step, so that each chunk of the
 * source is at most one chunk of the result.
 *
 * A source that fails becomes an error event, for the 200 is already sent: the client sees why, never a clean end. When
 * the client leaves, the source is cancelled.
 *
 * @param body The provider's bytes.
 * @param reader Makes the reader of the provider's events.
 * @param writer Writes the client's.
 * @param failure What a broken source is called to the client.
 * @param tell Makes of an error of the provider's what the client is told. Default: the same.
 * @param watch Is told each delta, and the end.
 * @param maxEventSize The longest frame that is taken, as the framing has it.
 * @param framing How the source is cut into frames.
 */
export function translate(
  body: ReadableStream<Uint8Array>,
  reader: (emit: Emit) => StreamReader,
  writer: ChunkWriter,
  failure: (cause: unknown) => WireError,
  tell: (error: WireError) => WireError = (error) => error,
  watch?: Watch,
  maxEventSize?: number,
  framing: Framing = sse,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = chunkReader(body);
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

  /** Takes in what was read. Returns whether more may come. */
  function take({ done, value }: Chunk): boolean {
    if (!done) {
      parser.push(value);
      if (!failed) return true;
      source.cancel().catch(() => {});
      watch?.end("whole");
      return false;
    }
    parser.end();
    events.end();
    out += writer.end();
    watch?.end("whole");
    return false;
  }

  let last: Uint8Array | undefined;
  return new ReadableStream({
    async pull(controller) {
      let more = true;
      while (more && out === "") {
        // One await for each chunk, and no promise around it.
        try {
          const chunk = await source.read(last);
          last = chunk.value;
          more = take(chunk);
        } catch (cause) {
          more = false;
          watch?.end("broken", cause);
          if (!failed) out += writer.delta({ type: "error", error: failure(cause) });
          failed = true;
          source.cancel(cause).catch(() => {});
          out += writer.end();
        }
      }
      if (out !== "") controller.enqueue(encoder.encode(out));
      out = "";
      if (!more) controller.close();
    },
    cancel(reason) {
      watch?.end("left");
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
