/** Server-sent events: bytes in, events out. */

/** Takes the next event: its `data` lines joined by a line feed, and its name, empty when it has none. */
export type OnEvent = (data: string, event: string) => void;

const LF = 10, CR = 13, SPACE = 32, COLON = 58;

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
  const decoder = new TextDecoder(); // Drops a leading byte order mark, as the standard asks.
  /** The line not yet ended, in pieces joined once: joining per chunk would make a long line cost its square. */
  let pieces: string[] = [];
  let data: string | undefined;
  let event = "";
  /** The last chunk ended in CR: an LF that follows belongs to it. */
  let afterCr = false;

  function line(text: string): void {
    if (text === "") {
      if (data !== undefined) onEvent(data, event);
      data = undefined;
      event = "";
      return;
    }
    const colon = text.charCodeAt(4) === COLON ? 4 : text.indexOf(":");
    if (colon === 0) return;
    const value = colon < 0 ? "" : text.slice(text.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1);
    if (text.startsWith("data") && (colon === 4 || text.length === 4)) {
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (text.startsWith("event") && (colon === 5 || text.length === 5)) {
      event = value;
    }
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
        const whole = pieces.join("");
        pieces = [];
        line(whole);
      } else {
        line(text.slice(from, at));
      }
      from = at + 1;
      if (text.charCodeAt(at) === CR) {
        if (from === text.length) afterCr = true;
        else if (text.charCodeAt(from) === LF) from++;
        cr = text.indexOf("\r", from);
      }
      if (lf >= 0 && lf < from) lf = text.indexOf("\n", from);
    }
    if (from < text.length) pieces.push(from === 0 ? text : text.slice(from));
  }

  return {
    push: (chunk) => read(decoder.decode(chunk, { stream: true })),
    end() {
      read(decoder.decode());
      if (pieces.length > 0) line(pieces.join(""));
      pieces = [];
      line("");
    },
  };
}
