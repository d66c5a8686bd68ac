/** Writes texts of clients into headers of answers. */

/** The most characters of one text, and of a list, in a header: clients limit the size of all headers together. */
const MOST = { text: 200, list: 2000 };

/**
 * The beginning of a client's text, for a header. Percent-encodes `,`, `%` and characters that are not printable ASCII.
 */
export function headerText(text: string): string {
  const kept = text.slice(0, MOST.text).toWellFormed();
  return kept.replace(/[^\x21-\x24\x26-\x2b\x2d-\x7e]/gu, encodeURIComponent);
}

/** A list of names for a header, each once: `seed, logit_bias`. Names that do not fit are counted: `…, and 57 more`. */
export function headerList(names: readonly string[]): string {
  const all = new Set(names);
  let list = "";
  let left = all.size;
  for (const name of all) {
    const text = headerText(name);
    if (list.length + text.length > MOST.list) return `${list}, and ${left} more`;
    list += (list && ", ") + text;
    left--;
  }
  return list;
}
