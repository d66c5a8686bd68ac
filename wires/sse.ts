/** Server-sent events: bytes in, events out. */

/** Takes the next event: its `data` lines joined by a line feed, and its name, empty when it has none. */
export type OnEvent = (data: string, event: string) => void;

const LF = 10, SPACE = 32, COLON = 58;
/** The byte order mark, which the standard drops from the start of a stream. */
const MARK = 0xfeff;
const STREAM = { stream: true };

/**
 * A reader of one event stream. Chunks may be cut anywhere, even inside a character; lines end in LF, CR or CRLF;
 * comments and fields other than `data` and `event` are skipped.
 *
 * Unlike a browser it also takes a last event that has no blank line after it, as several providers send: whether an
 * answer is complete is for the wire's reader to judge.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function sseReader(onEvent: OnEvent): { push(chunk: Uint8Array): void; end(): void } {
  // Chunks that begin and end between characters are decoded without `stream`, in half the time on Deno. As each such
  // call would drop a byte order mark, it is kept here and dropped below.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let begun = false;
  /** The last chunk may have ended inside a character. */
  let inside = false;
  /** The line not yet ended, in pieces joined once: joining per chunk would make a long line cost its square. */
  let pieces: string[] = [];
  let data: string | undefined;
  let event = "";
  /** The last chunk ended in CR: an LF that follows belongs to it. */
  let afterCr = false;

  /** Takes the line that lies from `from` to `end`. Fields are told apart by their letters, and only values cut out. */
  function line(text: string, from: number, end: number): void {
    if (from === end) {
      if (data !== undefined) onEvent(data, event);
      data = undefined;
      event = "";
      return;
    }
    if (isData(text, from)) {
      const value = valueOf(text, from + 4, end);
      if (value !== undefined) data = data === undefined ? value : `${data}\n${value}`;
    } else if (isEvent(text, from)) {
      event = valueOf(text, from + 5, end) ?? event;
    }
  }

  function lineOfPieces(): void {
    const whole = pieces.join("");
    pieces = [];
    line(whole, 0, whole.length);
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
      if (pieces.length > 0) {
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
    if (from < text.length) pieces.push(from === 0 ? text : text.slice(from));
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
      if (pieces.length > 0) lineOfPieces();
      line("", 0, 0);
    },
  };
}

// Letter by letter: on lines as short as these `startsWith` takes longer.

const isData = (text: string, at: number) =>
  text.charCodeAt(at) === 100 && text.charCodeAt(at + 1) === 97 && text.charCodeAt(at + 2) === 116 &&
  text.charCodeAt(at + 3) === 97;

const isEvent = (text: string, at: number) =>
  text.charCodeAt(at) === 101 && text.charCodeAt(at + 1) === 118 && text.charCodeAt(at + 2) === 101 &&
  text.charCodeAt(at + 3) === 110 && text.charCodeAt(at + 4) === 116;

/** The value of a field whose name ends at `at`; `undefined` when the name goes on. */
function valueOf(text: string, at: number, end: number): string | undefined {
  if (at === end) return "";
  if (text.charCodeAt(at) !== COLON) return undefined;
  return text.slice(text.charCodeAt(at + 1) === SPACE ? at + 2 : at + 1, end);
}
