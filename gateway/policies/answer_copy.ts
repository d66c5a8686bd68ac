/** Copies an answer's bytes while they pass on to the client. */
import { stackless } from "../../wires/errors.ts";
import { type KeptBytes, keptBytes } from "../../wires/streams/chunks.ts";

/** The copy of one answer. */
export interface AnswerCopy {
  /** Adds a copy of a piece. */
  add(bytes: Uint8Array): void;
  /** Ends the copy. Returns all bytes, or `undefined` if the copy was given up. */
  end(): Uint8Array<ArrayBuffer> | undefined;
  /** Gives the copy up. */
  drop(): void;
}

/** The bytes that a copy takes beside its own. Without them, copies of answers that nobody reads on would have no bound. */
const COPY_BYTES = 1024;

/**
 * Makes copies with a bound on all of them together. If there are too many bytes, the copy that began first is given up: its
 * client may have stopped reading.
 *
 * @param most The most bytes of one copy.
 * @param all The most bytes of all copies that have not ended.
 */
export function answerCopies(most: number, all: number): () => AnswerCopy {
  /** What gives up each copy that has bytes, the oldest first. */
  const open = new Set<() => void>();
  let held = 0;
  return () => {
    let kept: KeptBytes | undefined = keptBytes();
    function drop(): void {
      if (open.delete(drop)) held -= COPY_BYTES + kept!.length;
      kept = undefined;
    }
    return {
      add(bytes) {
        if (!kept) return;
        if (kept.length + bytes.length > most) return drop();
        if (!open.has(drop)) held += COPY_BYTES;
        open.add(drop);
        kept.add(bytes);
        held += bytes.length;
        for (const dropOldest of open) {
          if (held <= all) break;
          dropOldest();
        }
      },
      end() {
        const ended = kept;
        drop();
        return ended?.join();
      },
      drop,
    };
  };
}

/**
 * The same answer with a body that is copied while it is read. Nothing is read ahead of the client, and the bytes are not
 * changed.
 *
 * @param onWhole Called with the copy when the body has ended. Not called if it broke, or if the client left.
 */
export function copied(
  { status, statusText, headers, body }: Response,
  copy: AnswerCopy,
  onWhole: (bytes: Uint8Array<ArrayBuffer> | undefined) => void,
): Response {
  const source = (body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await source.read();
        if (!done) {
          copy.add(value);
          return controller.enqueue(value);
        }
      } catch (cause) {
        copy.drop();
        throw stackless(cause);
      }
      controller.close();
      onWhole(copy.end());
    },
    cancel(reason) {
      copy.drop();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(stream, { status, statusText, headers });
}
