/** Does something seldom: lines about failures, or work that tidies up. */

/** Makes a function that is true at most once in so many milliseconds, e.g. for lines about failures. A clock may go back. */
export function atMostEvery(ms: number, clock: () => number): () => boolean {
  let last: number | undefined;
  return () => {
    const at = clock();
    if (last !== undefined && at >= last && at - last < ms) return false;
    last = at;
    return true;
  };
}
