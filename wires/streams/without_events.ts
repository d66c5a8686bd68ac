/** Leaves events out of an event stream while its bytes pass. */
import { concat } from "../shared/json_text.ts";
import { keptBytes } from "./chunks.ts";

const LF = 10, CR = 13;

/** A longer event passes unread, so that what is held has a bound. */
const MOST_BYTES = 64 * 1024;

/** Takes the bytes of one stream, wherever they are cut. */
export interface ByteFilter {
  /** Returns the bytes that pass; the same array if all of them do. */
  push(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** The bytes that were held back, when the stream has ended. */
  end(): Uint8Array<ArrayBuffer>;
}

/**
 * Makes the filter of one event stream. No byte of what passes is changed. The bytes of an event are held until its blank line has
 * come: only then is it known whether they pass.
 *
 * @param isOut Decides for the text of an event, with its line breaks.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream (line breaks)
 */
export function withoutEvents(isOut: (event: string) => boolean): ByteFilter {
  /** The bytes of an event that has not ended. */
  let held = keptBytes();
  /** That event is too long to be held. */
  let isLong = false;
  let isLineEmpty = true;
  /** The last byte was a CR. An LF that follows belongs to it. */
  let afterCr = false;
  /** The event that ended last was left out. */
  let wasOut = false;

  /** The place behind the event that goes on at `from`; -1 if it does not end in the chunk. */
  function endOfEvent(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      const isSecond = byte === LF && afterCr;
      afterCr = byte === CR;
      if (isSecond) continue;
      const isBreak = byte === LF || byte === CR;
      if (!isBreak || !isLineEmpty) {
        isLineEmpty = isBreak;
        continue;
      }
      if (!afterCr || chunk[at + 1] !== LF) return at + 1;
      afterCr = false;
      return at + 2;
    }
    return -1;
  }

  function decide(event: Uint8Array): boolean {
    return wasOut = isOut(new TextDecoder().decode(event));
  }

  /** Takes the part of an event that a chunk holds. @returns The bytes that pass now. */
  function take(part: Uint8Array<ArrayBuffer>, isEnd: boolean): Uint8Array<ArrayBuffer> | undefined {
    if (isLong) {
      isLong = !isEnd;
      return part;
    }
    if (isEnd && held.length === 0) return decide(part) ? undefined : part;
    held.add(part);
    if (!isEnd && held.length <= MOST_BYTES) return undefined;
    const all = held.join();
    held = keptBytes();
    if (isEnd) return decide(all) ? undefined : all;
    isLong = true;
    wasOut = false;
    return all;
  }

  return {
    push(bytes) {
      const passed: Uint8Array<ArrayBuffer>[] = [];
      let from = 0;
      // The blank line was split between its CR and its LF.
      if (afterCr && bytes[0] === LF && held.length === 0 && !isLong) {
        afterCr = false;
        from = 1;
        if (!wasOut) passed.push(bytes.subarray(0, 1));
      }
      while (from < bytes.length) {
        const end = endOfEvent(bytes, from);
        const to = end < 0 ? bytes.length : end;
        const part = take(bytes.subarray(from, to), end >= 0);
        if (part) passed.push(part);
        from = to;
      }
      const length = passed.reduce((sum, part) => sum + part.length, 0);
      const isAll = length === bytes.length && passed.every(({ buffer }) => buffer === bytes.buffer);
      return isAll ? bytes : concat(passed);
    },
    end() {
      if (held.length === 0 || decide(held.view())) return new Uint8Array();
      return held.join();
    },
  };
}
