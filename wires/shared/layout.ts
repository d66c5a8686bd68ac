/**
 * The order of an answer's pieces, for wires that want an answer back in its original order.
 *
 * OpenAI's chat form has one text and a list of tool calls. An answer in any other order carries its *layout*, sealed
 * like a thought. In a layout, `b` is a piece that travels whole (a thought, a server tool), `x12` is twelve UTF-16
 * units of text, followed by an optional capital letter that its wire understands, and `u` is a tool call. Example:
 * `bx12ubu`.
 */

/** The pieces that a layout puts in order. */
interface Pieces<T> {
  /** The pieces that travelled whole, in their order. */
  kept: T[];
  calls: T[];
  /** The text as the client returned it. */
  whole: string;
  /** The white space around the original text; `undefined` if the answer did not record it. */
  ends?: [lead: string, tail: string];
  /** Writes a stretch of text. `mark` is the capital letter behind it in the layout, or empty. */
  text(said: string, start: number, end: number, mark: string): T[];
}

/** Whether this order is the one that a chat message implies anyway: whole pieces, one text, tool calls. */
export const isUsualOrder = (order: string): boolean => /^b*(x\d+[A-Z]?)?u*$/.test(order);

/**
 * Puts the pieces in the order of a layout. Returns `undefined` if the layout does not fit the pieces, e.g. because the
 * client edited the message. A client may have trimmed the text; `ends` restores its white space.
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

/**
 * If the white space was not recorded: the most missing UTF-16 units for which a text counts as trimmed and not as
 * edited.
 */
const MOST_TRIMMED = 8;

/** The text with its original length; `undefined` if that cannot be restored. */
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

/** Counts the length of a text that comes in pieces, and remembers the white space around it. */
export function textCounter() {
  let length = 0;
  let lead = "";
  /** The text since the last piece that was not white space alone, that piece included. */
  let recent = "";
  return {
    add(text: string): void {
      // The first test is cheaper and nearly always enough: most pieces end in a letter.
      const says = text.charCodeAt(text.length - 1) > 32 || text.trim() !== "";
      if (lead.length === length) {
        lead += says ? text.slice(0, text.length - text.trimStart().length) : text;
      }
      recent = says ? text : recent + text;
      length += text.length;
    },
    /** The length so far, in UTF-16 units. */
    length: (): number => length,
    /** The white space before and after the text; `undefined` if there is none. */
    ends(): [lead: string, tail: string] | undefined {
      const tail = recent.slice(recent.trimEnd().length);
      return lead === "" && tail === "" ? undefined : [lead, tail];
    },
  };
}
