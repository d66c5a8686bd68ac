/** Reads a regular expression without running it: one that a client wrote could keep the engine busy for hours. */

/** The longest text written, in characters, and the deepest nesting of groups read. */
const MAX_LENGTH = 10_000;
const MAX_DEPTH = 50;

/** A set of characters, with the one that is written. */
interface Kind {
  first: string;
  has(char: string): boolean;
}

const range = (first: string, last: string): Kind => ({
  first,
  has: (char) => char >= first && char <= last,
});

const not = ({ has }: Kind): Kind => {
  const first = [..."aA0_- .~"].find((char) => !has(char)) ?? "\0";
  return { first, has: (char) => !has(char) };
};

const DIGIT = range("0", "9");
const WORD: Kind = { first: "a", has: (char) => /\w/.test(char) };
const SPACE: Kind = { first: " ", has: (char) => /\s/.test(char) };
const KINDS: ReadonlyMap<string, Kind> = new Map(
  Object.entries({ d: DIGIT, D: not(DIGIT), w: WORD, W: not(WORD), s: SPACE, S: not(SPACE) }),
);
const CONTROLS: ReadonlyMap<string, string> = new Map(Object.entries({ n: "\n", r: "\r", t: "\t" }));

/** Thrown for an expression that cannot be read, or whose text would be too long. */
class Refused extends Error {}

/**
 * A text that the expression matches, with the first of its alternatives and no more repetitions than needed.
 *
 * @param minLength The least length in characters. It is reached by more repetitions, or by text after the match, if possible.
 * @returns `undefined` for an expression with lookarounds, back references, `\b` or `\p`, or if the text would be too long.
 */
export function textMatching(pattern: string, minLength: number): string | undefined {
  try {
    const text = write(pattern, 0);
    const missing = minLength - text.length;
    if (missing <= 0) return text;
    return pattern.includes("$") ? write(pattern, missing) : text + "a".repeat(missing);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

/** @param extra How many times more than needed each repetition is written, if it may be. */
function write(pattern: string, extra: number): string {
  let at = 0;
  let depth = 0;

  /** The match of a sticky expression at the current place, which is then skipped; `undefined` if there is none. */
  function take(what: RegExp): string[] | undefined {
    what.lastIndex = at;
    const found = what.exec(pattern);
    if (!found) return undefined;
    at = what.lastIndex;
    return found;
  }

  function alternatives(): string {
    if (++depth > MAX_DEPTH) throw new Refused();
    const text = sequence();
    while (take(/\|/y)) sequence();
    depth--;
    return text;
  }

  function sequence(): string {
    let text = "";
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") {
      text += repeated(atom());
      if (text.length > MAX_LENGTH) throw new Refused();
    }
    return text;
  }

  function atom(): string {
    if (take(/[$^]/y)) return "";
    if (take(/\./y)) return "a";
    if (take(/\[/y)) return set().first;
    if (!take(/\(/y)) return char(/[*+?]/).first;
    take(/\?(?::|<\w+>)/y); // Any other mark, e.g. of a lookahead, is then refused as a "?" with nothing to repeat.
    const text = alternatives();
    if (!take(/\)/y)) throw new Refused();
    return text;
  }

  function repeated(text: string): string {
    // A "?" behind a repetition makes it lazy, which matches the same texts.
    const [all, from, comma, to] = take(/(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y) ?? [];
    if (all === undefined) return text;
    const least = from ? Number(from) : all.startsWith("+") ? 1 : 0;
    const most = to ? Number(to) : all.startsWith("?") ? 1 : from && !comma ? least : Infinity;
    const times = Math.min(most, least + extra);
    if (text.length * times > MAX_LENGTH) throw new Refused();
    return text === "" ? "" : text.repeat(times);
  }

  function set(): Kind {
    const negated = take(/\^/y);
    const kinds: Kind[] = [];
    while (!take(/\]/y)) {
      const kind = char(/^$/);
      kinds.push(take(/-(?!\])/y) ? range(kind.first, char(/^$/).first) : kind);
    }
    const any = { first: kinds[0]?.first, has: (char: string) => kinds.some((kind) => kind.has(char)) };
    if (kinds.length === 0) throw new Refused();
    return negated ? not(any) : any;
  }

  /** One character or an escape. */
  function char(except: RegExp): Kind {
    const [, ...digits] = take(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,5})\})/y) ?? [];
    const code = digits.find(Boolean);
    const escaped = !code && take(/\\/y);
    const found = code ? String.fromCodePoint(parseInt(code, 16)) : take(/[^]/uy)?.[0];
    if (found === undefined || (escaped ? /[0-9BPbckpux]/ : except).test(found)) throw new Refused();
    const plain = escaped ? CONTROLS.get(found) ?? found : found;
    return escaped && KINDS.get(found) || range(plain, plain);
  }

  const text = alternatives();
  if (at < pattern.length) throw new Refused();
  return text;
}
