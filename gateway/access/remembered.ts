/** Remembers judgements of header names. */

/** Bounds of what is remembered: how many names, and how long they are. Clients choose the names. */
const MOST_NAMES = 2000, LONGEST_NAME = 64;

/** The same judge, which is asked once for each name. */
export function remembered(judge: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      found = judge(name);
      if (name.length > LONGEST_NAME) return found;
      // Emptied when full: otherwise names that come only once would fill it for ever.
      if (known.size >= MOST_NAMES) known.clear();
      known.set(name, found);
    }
    return found;
  };
}
