/** Reads server-sent events. */
import { FRAME_SIZE, type FrameReader, type Framing, type OnFrame } from "./framing.ts";

const LF = 10, SPACE = 32, COLON = 58;
/** The byte order mark, which the standard drops from the start of a stream. */
const MARK = 0xfeff;
const STREAM = { stream: true };

/**
 * The number of pieces that are joined at a time, so that a line that comes byte by byte does not keep a string per
 * byte.
 */
const PIECES = 1024;

/** Thrown for an event that is longer than the limit. */
export class EventTooLong extends Error {
  constructor(readonly most: number) {
    super(`An event is longer than ${most} bytes`);
    this.name = "EventTooLong";
  }
}

/**
 * Makes a reader of one event stream. Chunks may be cut anywhere, even inside a character. Lines end in LF, CR or CRLF.
 * Comments and fields other than `data` and `event` are skipped.
 *
 * Unlike a browser, the reader also emits a last event that has no blank line after it, because several providers send
 * one. The wire's reader judges whether an answer is complete.
 *
 * @param onEvent Called with an event's `data` lines, joined by line feeds, and its name.
 * @param maxSize The longest event, from its first line to the blank one, in UTF-16 units (for ASCII: bytes).
 * @throws EventTooLong from `push`.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function sseReader(
  onEvent: OnFrame,
  maxSize = FRAME_SIZE,
): FrameReader {
  // Chunks that begin and end between characters are decoded without `stream`, in half the time on Deno. Each such call
  // would drop a byte order mark, so the decoder keeps it, and `push` drops it from the start of the stream.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let begun = false;
  /** The last chunk may have ended inside a character. */
  let inside = false;
  /**
   * The pieces of the line that has not ended. They are joined once: joining per chunk would cost the square of the
   * length.
   */
  let pieces: string[] = [];
  /** Earlier pieces of the same line, joined in groups of `PIECES`. */
  let earlier: string[] = [];
  /** The UTF-16 units read since the last event, or since the last line outside an event. */
  let size = 0;
  let data: string | undefined;
  let event = "";
  /** The last chunk ended in CR. An LF that follows belongs to it. */
  let afterCr = false;

  /** Reads the line between `from` and `end`. Fields are recognized letter by letter, and only values are cut out. */
  function line(text: string, from: number, end: number): void {
    if (from === end) {
      if (data !== undefined) onEvent(data, event);
      data = undefined;
      event = "";
      size = 0;
      return;
    }
    if (isData(text, from)) {
      const value = valueOf(text, from + 4, end);
      if (value !== undefined) data = data === undefined ? value : `${data}\n${value}`;
    } else if (isEvent(text, from)) {
      event = valueOf(text, from + 5, end) ?? event;
    }
    if (data === undefined) size = 0;
  }

  function lineOfPieces(): void {
    const whole = earlier.join("") + pieces.join("");
    earlier = [];
    pieces = [];
    line(whole, 0, whole.length);
  }

  function grow(by: number): void {
    size += by;
    if (size > maxSize) throw new EventTooLong(maxSize);
  }

  function keep(piece: string): void {
    if (pieces.push(piece) < PIECES) return;
    earlier.push(pieces.join(""));
    pieces = [];
  }

  function read(text: string): void {
    let from = 0;
    if (afterCr && text.length > 0) {
      afterCr = false;
      if (text.charCodeAt(0) === LF) from = 1;
    }
    let lf = text.indexOf("\n", from);
    let cr = text.indexOf("\r", from);
    while (lf >= 0 || cr >= 0) {
      const at = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      size += at - from;
      if (size > maxSize) throw new EventTooLong(maxSize);
      if (pieces.length > 0 || earlier.length > 0) {
        pieces.push(text.slice(from, at));
        lineOfPieces();
      } else {
        line(text, from, at);
      }
      from = at + 1;
      if (at === cr) {
        if (from === text.length) afterCr = true;
        else if (text.charCodeAt(from) === LF) from++;
        cr = text.indexOf("\r", from);
      }
      if (lf >= 0 && lf < from) lf = text.indexOf("\n", from);
    }
    if (from === text.length) return;
    grow(text.length - from);
    keep(from === 0 ? text : text.slice(from));
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return;
      const wasInside = inside;
      inside = chunk[chunk.length - 1] > 127;
      let text = decoder.decode(chunk, wasInside || inside ? STREAM : undefined);
      if (!begun && text !== "") {
        begun = true;
        if (text.charCodeAt(0) === MARK) text = text.slice(1);
      }
      read(text);
    },
    end() {
      read(decoder.decode());
      if (pieces.length > 0 || earlier.length > 0) lineOfPieces();
      line("", 0, 0);
    },
  };
}

/** Server-sent events, as a row of the provider table names them. */
export const sse: Framing = {
  type: "text/event-stream",
  reader: (onFrame, _, maxSize) => sseReader(onFrame, maxSize),
};

// Letter by letter, because `startsWith` takes longer on lines as short as these.

const isData = (text: string, at: number) =>
  text.charCodeAt(at) === 100 && text.charCodeAt(at + 1) === 97 && text.charCodeAt(at + 2) === 116 &&
  text.charCodeAt(at + 3) === 97;

const isEvent = (text: string, at: number) =>
  text.charCodeAt(at) === 101 && text.charCodeAt(at + 1) === 118 && text.charCodeAt(at + 2) === 101 &&
  text.charCodeAt(at + 3) === 110 && text.charCodeAt(at + 4) === 116;

/** The value of a field whose name ends at `at`; `undefined` if the name is longer. */
function valueOf(text: string, at: number, end: number): string | undefined {
  if (at === end) return "";
  if (text.charCodeAt(at) !== COLON) return undefined;
  return text.slice(text.charCodeAt(at + 1) === SPACE ? at + 2 : at + 1, end);
}
