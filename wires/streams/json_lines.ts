/** Reads JSON lines (`application/x-ndjson`): one JSON text per line, as Ollama's own API streams. */
import { type KeptBytes, keptBytes } from "./chunks.ts";
import { FRAME_SIZE, type FrameReader, type Framing, type OnFrame } from "./framing.ts";
import { EventTooLong } from "./sse.ts";

const LF = 10;

/**
 * Makes a reader of JSON lines. Lines end in LF or CRLF, empty lines are skipped, and the last line may lack its end:
 * the wire's reader judges whether its JSON is complete.
 *
 * @param maxSize The longest line, in bytes.
 * @throws EventTooLong from `push`.
 * @see https://github.com/ndjson/ndjson-spec
 */
export function jsonLinesReader(onFrame: OnFrame, maxSize = FRAME_SIZE): FrameReader {
  const decoder = new TextDecoder();
  /** The bytes of the line that has not ended yet. */
  let kept: KeptBytes | undefined;

  function line(bytes: Uint8Array): void {
    const text = decoder.decode(bytes).trim();
    if (text !== "") onFrame(text, "");
  }

  function check(more: number): void {
    if ((kept?.length ?? 0) + more > maxSize) throw new EventTooLong(maxSize);
  }

  function endLine(last: Uint8Array): void {
    check(last.length);
    if (!kept) return line(last);
    kept.add(last);
    const whole = kept.view();
    kept = undefined;
    line(whole);
  }

  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
        endLine(chunk.subarray(from, at));
        from = at + 1;
      }
      if (from === chunk.length) return;
      check(chunk.length - from);
      kept ??= keptBytes();
      kept.add(chunk.subarray(from));
    },
    end() {
      if (kept) endLine(new Uint8Array(0));
    },
  };
}

/** JSON lines, as a row of the provider table names them. */
export const jsonLines: Framing = {
  type: "application/x-ndjson",
  reader: (onFrame, _, maxSize) => jsonLinesReader(onFrame, maxSize),
};
