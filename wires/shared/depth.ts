/** How deep JSON may be nested. */

/**
 * Levels of objects and lists that are read. JavaScriptCore's `JSON.stringify` blocks a process for seconds beyond some
 * 26,000, and stacks end between 3,000 and 10,000.
 */
export const MOST_LEVELS = 1000;

/** A text is nested deeper than `MOST_LEVELS`. */
export class TooDeep extends RangeError {
  constructor() {
    super(`JSON is nested deeper than ${MOST_LEVELS} levels`);
    this.name = "TooDeep";
  }
}

/**
 * As `JSON.parse`.
 *
 * @throws TooDeep before anything is parsed; SyntaxError.
 */
export function parseShallow(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  if (isTooDeep(text)) throw new TooDeep();
  return JSON.parse(text, reviver);
}

const QUOTE = 34, BACKSLASH = 92, OPEN_LIST = 91, CLOSE_LIST = 93, OPEN = 123, CLOSE = 125;

/**
 * Whether a JSON text is nested deeper than `MOST_LEVELS`. Most texts are too short for that, or hold too few brackets,
 * which `indexOf` counts in native code; only the others are walked through.
 */
export function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MOST_LEVELS || !opensMore(text)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at);
        if (at < 0) return false; // Not JSON.
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

/** Whether there are more opening brackets than levels, those in strings too. */
function opensMore(text: string): boolean {
  let left = MOST_LEVELS;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (left-- === 0) return true;
    }
  }
  return false;
}

/** Where the string that begins at `at` ends, or -1. */
function closingQuote(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
