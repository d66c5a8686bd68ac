/** Texts of clients in headers of answers. */

/** Characters of one text, and of a list, that go into a header: clients take only so much of all headers together. */
const MOST = { text: 200, list: 2000 };

/** The beginning of a client's text for a header: percent-encoded where it is not printable ASCII, or is `,` or `%`. */
export function headerText(text: string): string {
  const kept = text.slice(0, MOST.text).toWellFormed();
  return kept.replace(/[^\x21-\x24\x26-\x2b\x2d-\x7e]/gu, encodeURIComponent);
}

/** Names for a header, each once: `seed, logit_bias`. What does not fit is counted: `…, and 57 more`. */
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
