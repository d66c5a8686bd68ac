/** Regular expressions read without being run: texts that match one, and whether a text does. */

type Node =
  | Chars
  | { type: "start" }
  | { type: "end" }
  | { type: "seq"; nodes: Node[] }
  | { type: "either"; nodes: Node[] }
  | Repeat;

interface Repeat {
  type: "repeat";
  node: Node;
  min: number;
  max: number;
}

interface Chars {
  type: "chars";
  ranges: Range[];
  /** All characters but these. */
  negated?: boolean;
}

/** First and last code point. */
type Range = [number, number];

/** An expression that is understood. */
export interface Pattern {
  /**
   * A text that matches.
   *
   * @param extra How often more than needed each open-ended repetition is written.
   * @param variant Another number gives another text where the pattern has room.
   * @returns `undefined` when it would be longer than 10,000 characters.
   */
  write(extra: number, variant: number): string | undefined;
  /**
   * Whether a text of at most 1,000 characters matches; false also when the budget ends before that is known.
   *
   * @param budget Steps that may still be taken; what is used is taken off.
   */
  matches(text: string, budget: { steps: number }): boolean;
}

const MAX_LENGTH = 10_000;
const MAX_TESTED = 1_000;
const MAX_CALLS = 1_000;
const MAX_DEPTH = 50;

const DIGIT: Range[] = [[0x30, 0x39]];
const WORD: Range[] = [[0x61, 0x7a], [0x41, 0x5a], [0x30, 0x39], [0x5f, 0x5f]];
const LINE_ENDS: Range[] = [[10, 10], [13, 13], [0x2028, 0x2029]];
const SPACE: Range[] = [[0x20, 0x20], [0x09, 0x0d], [0xa0, 0xa0]];
/** What `.` and negated classes choose from: lower case first, then the rest of printable ASCII. */
const PRINTABLE: Range[] = [[0x61, 0x7a], [0x30, 0x39], [0x41, 0x5a], [0x20, 0x2f], [0x3a, 0x40], [
  0x5b,
  0x60,
], [
  0x7b,
  0x7e,
]];

const CLASSES: Record<string, Range[]> = {
  d: DIGIT,
  D: without(DIGIT),
  w: WORD,
  W: without(WORD),
  s: SPACE,
  S: without(SPACE),
};

const CONTROLS: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, "0": 0 };

const PROPERTIES: Record<string, Range[]> = {
  L: [[0x61, 0x7a], [0x41, 0x5a]],
  Letter: [[0x61, 0x7a], [0x41, 0x5a]],
  Ll: [[0x61, 0x7a]],
  Lu: [[0x41, 0x5a]],
  N: DIGIT,
  Nd: DIGIT,
};

/**
 * Reads an expression of JavaScript's `u` flavour.
 *
 * Running a client's expression could keep the engine busy for hours, so it is only read; all work on it is bounded.
 *
 * @returns `undefined` for what is not understood: lookarounds, back references, `\\B`, inline flags, most of `\\p`.
 */
export function readPattern(pattern: string): Pattern | undefined {
  const node = parse(pattern);
  return node &&
    {
      write: (extra, variant) => write(node, extra, variant),
      matches: (text, budget) => matches(node, text, budget),
    };
}

// ---------------------------------------------------------------- writing

function write(node: Node, extra: number, variant: number): string | undefined {
  switch (node.type) {
    case "start":
    case "end":
      return "";
    case "chars":
      return nth(node.negated ? without(node.ranges) : node.ranges, variant);
    case "seq": {
      let text = "";
      for (const part of node.nodes) {
        const piece = write(part, extra, variant);
        if (piece === undefined || text.length + piece.length > MAX_LENGTH) return undefined;
        text += piece;
      }
      return text;
    }
    case "either":
      for (const branch of node.nodes) {
        const text = write(branch, extra, variant);
        if (text !== undefined) return text;
      }
      return undefined;
    case "repeat": {
      const times = Math.min(node.max, node.min + extra);
      if (times === 0) return "";
      const piece = write(node.node, extra, variant);
      if (piece === undefined || piece.length * times > MAX_LENGTH) return undefined;
      return piece.repeat(times);
    }
  }
}

function nth(ranges: Range[], index: number): string | undefined {
  let size = 0;
  for (const [first, last] of ranges) size += last - first + 1;
  if (size === 0) return undefined;
  index %= size;
  for (const [first, last] of ranges) {
    if (index <= last - first) return String.fromCodePoint(first + index);
    index -= last - first + 1;
  }
}

// ---------------------------------------------------------------- matching

function matches(pattern: Node, text: string, budget: { steps: number }): boolean {
  if (text.length > MAX_TESTED) return false;
  const chars = Array.from(text, (char) => char.codePointAt(0)!);
  let depth = 0;

  /** Whether `node` matches from here, and `next` what follows it. */
  function run(node: Node, at: number, next: (at: number) => boolean): boolean {
    if (budget.steps-- <= 0 || depth > MAX_CALLS) return false;
    depth++;
    const found = step(node, at, next);
    depth--;
    return found;
  }

  function step(node: Node, at: number, next: (at: number) => boolean): boolean {
    switch (node.type) {
      case "start":
        return at === 0 && next(at);
      case "end":
        return at === chars.length && next(at);
      case "chars":
        return at < chars.length && holds(node, chars[at]) && next(at + 1);
      case "seq": {
        const from = (i: number, at: number): boolean =>
          i === node.nodes.length ? next(at) : run(node.nodes[i], at, (after) => from(i + 1, after));
        return from(0, at);
      }
      case "either":
        return node.nodes.some((branch) => run(branch, at, next));
      case "repeat":
        return node.node.type === "chars"
          ? repeatChars(node, node.node, at, next)
          : repeat(node, 0, at, next);
    }
  }

  function repeat(node: Repeat, count: number, at: number, next: (at: number) => boolean): boolean {
    // Once there are enough turns, an empty one gets nowhere.
    const another = (after: number) =>
      (after > at || count < node.min) && repeat(node, count + 1, after, next);
    return (count < node.max && run(node.node, at, another)) || (count >= node.min && next(at));
  }

  /** As above without nesting, so that long texts of one kind of character do not fill the stack. */
  function repeatChars(
    { min, max }: Repeat,
    kind: Chars,
    at: number,
    next: (at: number) => boolean,
  ): boolean {
    let end = at;
    while (end < chars.length && end - at < max && holds(kind, chars[end])) end++;
    for (; end - at >= min; end--) if (next(end)) return true;
    return false;
  }

  for (let start = 0; start <= chars.length; start++) if (run(pattern, start, () => true)) return true;
  return false;
}

function holds({ ranges, negated = false }: Chars, point: number): boolean {
  return ranges.some(([first, last]) => point >= first && point <= last) !== negated;
}

// ---------------------------------------------------------------- reading

/** Printable ASCII without these. */
function without(ranges: Range[]): Range[] {
  const rest: Range[] = [];
  for (const [first, last] of PRINTABLE) {
    for (let code = first; code <= last; code++) {
      if (!ranges.some(([from, to]) => code >= from && code <= to)) rest.push([code, code]);
    }
  }
  return rest;
}

/** Thrown inside `parse` at what it does not understand. */
class Unknown extends Error {}

function parse(pattern: string): Node | undefined {
  const chars = [...pattern];
  let at = 0;
  let depth = 0;

  function either(): Node {
    if (++depth > MAX_DEPTH) throw new Unknown();
    const nodes = [sequence()];
    while (chars[at] === "|") {
      at++;
      nodes.push(sequence());
    }
    depth--;
    return nodes.length === 1 ? nodes[0] : { type: "either", nodes };
  }

  function sequence(): Node {
    const nodes: Node[] = [];
    while (at < chars.length && chars[at] !== "|" && chars[at] !== ")") {
      const node = atom();
      if (node) nodes.push(repeated(node));
    }
    return { type: "seq", nodes };
  }

  /** `undefined` for a word boundary, which is taken to be there. */
  function atom(): Node | undefined {
    const char = chars[at++];
    switch (char) {
      case "^":
        return { type: "start" };
      case "$":
        return { type: "end" };
      case ".":
        return { type: "chars", ranges: LINE_ENDS, negated: true };
      case "(":
        return group();
      case "[":
        return set();
      case "\\":
        if (chars[at] === "b") {
          at++;
          return undefined;
        }
        return { type: "chars", ranges: escaped() };
      default:
        return { type: "chars", ranges: single(char) };
    }
  }

  function group(): Node {
    if (chars[at] === "?") {
      at++;
      const mark = chars[at++];
      if (mark === "<" && chars[at] !== "=" && chars[at] !== "!") {
        while (at < chars.length && chars[at] !== ">") at++;
        at++;
      } else if (mark !== ":") {
        throw new Unknown();
      }
    }
    const node = either();
    if (chars[at++] !== ")") throw new Unknown();
    return node;
  }

  function repeated(node: Node): Node {
    let min = 1;
    let max = 1;
    switch (chars[at]) {
      case "*":
        [min, max] = [0, Infinity];
        at++;
        break;
      case "+":
        max = Infinity;
        at++;
        break;
      case "?":
        min = 0;
        at++;
        break;
      case "{": {
        const bounds = /^\{(\d+)(,(\d*))?\}/.exec(chars.slice(at, at + 24).join(""));
        if (!bounds) return node;
        min = Number(bounds[1]);
        max = bounds[2] === undefined ? min : bounds[3] ? Number(bounds[3]) : Infinity;
        at += bounds[0].length;
        break;
      }
      default:
        return node;
    }
    if (chars[at] === "?") at++; // Lazy: the same texts.
    return { type: "repeat", node, min, max };
  }

  function set(): Chars {
    const negated = chars[at] === "^";
    if (negated) at++;
    const ranges: Range[] = [];
    while (at < chars.length && chars[at] !== "]") {
      const from = member();
      if (chars[at] === "-" && at + 1 < chars.length && chars[at + 1] !== "]") {
        at++;
        const to = member();
        ranges.push([from[0][0], to[0][0]]);
      } else {
        ranges.push(...from);
      }
    }
    if (chars[at++] !== "]") throw new Unknown();
    return { type: "chars", ranges, negated };
  }

  function member(): Range[] {
    const char = chars[at++];
    if (char !== "\\") return single(char);
    if (chars[at] === "b") {
      at++;
      return [[8, 8]];
    }
    return escaped();
  }

  function escaped(): Range[] {
    const char = chars[at++];
    if (char === undefined || char === "B" || char === "k" || (char >= "1" && char <= "9")) {
      throw new Unknown();
    }
    if (Object.hasOwn(CLASSES, char)) return CLASSES[char];
    if (Object.hasOwn(CONTROLS, char)) return [[CONTROLS[char], CONTROLS[char]]];
    if (char === "x" || char === "u") return code(char === "x" ? 2 : 4);
    if (char === "p" || char === "P") {
      const end = chars.indexOf("}", at);
      const name = chars.slice(at + 1, end).join("");
      if (chars[at] !== "{" || !Object.hasOwn(PROPERTIES, name)) throw new Unknown();
      at = end + 1;
      return char === "p" ? PROPERTIES[name] : without(PROPERTIES[name]);
    }
    if (char === "c") throw new Unknown();
    return single(char);
  }

  function code(digits: number): Range[] {
    let hex: string;
    if (digits === 4 && chars[at] === "{") {
      const end = chars.indexOf("}", at);
      hex = chars.slice(at + 1, end).join("");
      at = end + 1;
    } else {
      hex = chars.slice(at, at + digits).join("");
      at += digits;
    }
    const point = /^[0-9a-fA-F]{1,6}$/.test(hex) ? parseInt(hex, 16) : Infinity;
    if (point > 0x10ffff) throw new Unknown();
    return [[point, point]];
  }

  try {
    const node = either();
    return at === chars.length ? node : undefined;
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

function single(char: string): Range[] {
  const point = char.codePointAt(0)!;
  return [[point, point]];
}
