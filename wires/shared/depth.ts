/** The limit on the depth of JSON. */

/**
 * The most levels of objects and lists that are read. JavaScriptCore's `JSON.stringify` blocks a process for seconds
 * beyond some 26,000 levels, and recursive code runs out of stack between 3,000 and 10,000.
 */
export const MOST_LEVELS = 1000;

/** Thrown for JSON that is nested deeper than `MOST_LEVELS`. */
export class TooDeep extends RangeError {
  constructor() {
    super(`JSON is nested deeper than ${MOST_LEVELS} levels`);
    this.name = "TooDeep";
  }
}

/**
 * Parses JSON as `JSON.parse` does, but refuses a text that is nested too deep.
 *
 * @throws TooDeep before anything is parsed.
 * @throws SyntaxError for a text that is not JSON.
 */
export function parseShallow(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  if (isTooDeep(text)) throw new TooDeep();
  return JSON.parse(text, reviver);
}

const QUOTE = 34, BACKSLASH = 92, OPEN_LIST = 91, CLOSE_LIST = 93, OPEN = 123, CLOSE = 125;

/**
 * Whether a JSON text is nested deeper than `MOST_LEVELS`. Most texts are too short for that or have too few brackets,
 * which native `indexOf` counts; only the rest are walked through.
 */
export function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MOST_LEVELS || !opensMore(text)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at);
        if (at < 0) return false; // This is not JSON.
        break;
      case OPEN:
      case OPEN_LIST:
        if (++depth > MOST_LEVELS) return true;
        break;
      case CLOSE:
      case CLOSE_LIST:
        depth--;
    }
  }
  return false;
}

/** Whether the text has more opening brackets than `MOST_LEVELS`. Brackets inside strings count too. */
function opensMore(text: string): boolean {
  let left = MOST_LEVELS;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (left-- === 0) return true;
    }
  }
  return false;
}

/** The index of the quote that closes the string starting at `at`; -1 if there is none. */
function closingQuote(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
