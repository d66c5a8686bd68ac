/** A text that a regular expression matches, built from the expression: the demo provider's answer to `pattern`. */

type Node =
  | { type: "chars"; ranges: Range[] }
  | { type: "seq"; nodes: Node[] }
  | { type: "either"; nodes: Node[] }
  | { type: "repeat"; node: Node; min: number; max: number };

/** First and last code point. */
type Range = [number, number];

const MAX_LENGTH = 10_000;
const MAX_DEPTH = 50;

const DIGIT: Range[] = [[0x30, 0x39]];
const WORD: Range[] = [[0x61, 0x7a], [0x41, 0x5a], [0x30, 0x39], [0x5f, 0x5f]];
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
 * A text that `pattern` matches.
 *
 * It is built, never tried: a client's expression run by the engine could keep it busy for hours. Lookarounds, back
 * references and inline flags are not understood.
 *
 * @param minLength Fewest UTF-16 units; repetitions are stretched to reach it.
 * @param variant Another number gives another text where the pattern has room.
 * @returns `undefined` when the pattern is not understood or no text of that length was found.
 */
export function matchOf(
  pattern: string,
  minLength = 0,
  maxLength = MAX_LENGTH,
  variant = 0,
): string | undefined {
  const node = parse(pattern);
  if (!node || minLength > MAX_LENGTH) return undefined;
  for (let extra = 0; extra <= Math.max(minLength, 1); extra = extra * 2 || 1) {
    const text = write(node, extra, variant);
    if (text === undefined || text.length > maxLength) return undefined;
    if (text.length >= minLength) return text;
  }
  const longest = write(node, minLength, variant);
  return longest !== undefined && longest.length >= minLength && longest.length <= maxLength
    ? longest
    : undefined;
}

function write(node: Node, extra: number, variant: number): string | undefined {
  switch (node.type) {
    case "chars":
      return nth(node.ranges, variant);
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

  function atom(): Node | undefined {
    const char = chars[at++];
    switch (char) {
      case "^":
      case "$":
        return undefined;
      case ".":
        return { type: "chars", ranges: PRINTABLE };
      case "(":
        return group();
      case "[":
        return { type: "chars", ranges: set() };
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

  function set(): Range[] {
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
    return negated ? without(ranges) : ranges;
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
