/**
 * The order of an answer's pieces, for wires whose answers come back only as they were.
 *
 * OpenAI's chat form has one text and a list of calls. An answer whose pieces stood otherwise sends its *layout* along, sealed
 * like a thought: `b` for a piece that travels whole (a thought, a server's tool), `x12` for twelve UTF-16 units of text
 * with a capital behind it that its wire understands, `u` for a tool call; `bx12ubu`.
 */

/** What a layout is read into. */
interface Pieces<T> {
  /** Those that travelled whole, in their order. */
  kept: T[];
  calls: T[];
  /** The text as the client has it. */
  whole: string;
  /** White space around the text; `undefined` where the answer did not say. */
  ends?: [lead: string, tail: string];
  /** Writes a stretch of text. `mark` is the letter behind it, or empty. */
  text(said: string, start: number, end: number, mark: string): T[];
}

/** Whether pieces in this order would come back so by themselves: the kept ones, one text, the calls. */
export const isUsualOrder = (order: string): boolean => /^b*(x\d+[A-Z]?)?u*$/.test(order);

/**
 * The pieces in the order of a layout; nothing if it is not made of just these, as when the client has edited the message.
 * A client may have trimmed the text: its white space comes back from `ends`.
 */
export function arrange<T>(layout: string, { kept, calls, whole, ends, text }: Pieces<T>): T[] | undefined {
  const tokens = [...layout.matchAll(/b|u|x(\d+)([A-Z]?)/g)];
  const length = tokens.reduce((sum, [, units]) => sum + Number(units ?? 0), 0);
  const said = untrimmed(whole, length, ends);
  if (said === undefined) return undefined;
  const out: T[] = [];
  let k = 0, c = 0, at = 0;
  for (const [token, units, mark] of tokens) {
    if (token === "b") out.push(kept[k++]);
    else if (token === "u") out.push(calls[c++]);
    else out.push(...text(said, at, at += Number(units), mark));
  }
  return k === kept.length && c === calls.length ? out : undefined;
}

/** More is no trimmed text but an edited one, when the answer does not say what was around it. */
const MOST_TRIMMED = 8;

/** The text at the length that it had. */
function untrimmed(whole: string, length: number, ends: Pieces<never>["ends"]): string | undefined {
  if (whole.length === length) return whole;
  if (!ends) {
    const missing = length - whole.length;
    return missing > 0 && missing <= MOST_TRIMMED && whole === whole.trim() ? whole : undefined;
  }
  const [lead, tail] = ends;
  const said = (whole.startsWith(lead) ? "" : lead) + whole + (whole.endsWith(tail) ? "" : tail);
  return said.length === length ? said : undefined;
}

/** Counts a text as it comes, and knows the white space around it. */
export function textCounter() {
  let length = 0;
  let lead = "";
  /** The text since the last piece that says something. */
  let recent = "";
  return {
    add(text: string): void {
      // Most pieces end in a letter.
      const says = text.charCodeAt(text.length - 1) > 32 || text.trim() !== "";
      if (lead.length === length) {
        lead += says ? text.slice(0, text.length - text.trimStart().length) : text;
      }
      recent = says ? text : recent + text;
      length += text.length;
    },
    /** UTF-16 units so far. */
    length: (): number => length,
    /** `undefined` where there is none. */
    ends(): [lead: string, tail: string] | undefined {
      const tail = recent.slice(recent.trimEnd().length);
      return lead === "" && tail === "" ? undefined : [lead, tail];
    },
  };
}
