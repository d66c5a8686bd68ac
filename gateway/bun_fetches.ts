/** Bun's `fetch` has at most 256 requests under way; the next waits for one to end, and streams end late. */

/** Sets how many, from 1 to 65535. Bun reads it when the process starts. */
export const MAX_FETCHES = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** The most that Bun takes. */
export const MOST_FETCHES = "65535";

/** How many there are when the variable says nothing. */
const USUAL_FETCHES = 256;

/** What of Bun is used here. */
interface Runtime {
  Bun?: { env: Record<string, string | undefined> };
}

/**
 * How many Bun has, by the variable's value.
 *
 * @returns `undefined` for none, and for a value that Bun cannot read, as `100000`, `5e3` or `" 5000"`: it keeps 256 then.
 */
export function fetchesOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,5}$/.test(value)) return undefined;
  const count = Number(value);
  return count >= 1 && count <= Number(MOST_FETCHES) ? count : undefined;
}

let warned = false;

/** Warns on Bun, once, if there are no more than usual. */
export function warnOfFewFetches(): void {
  const { Bun } = globalThis as Runtime;
  if (!Bun || warned) return;
  const set = fetchesOf(Bun.env[MAX_FETCHES]);
  const count = set ?? USUAL_FETCHES;
  if (count > USUAL_FETCHES) return;
  warned = true;
  const unread = Bun.env[MAX_FETCHES] && set === undefined ? ", for Bun cannot read its value" : "";
  console.error(
    `Warning: Bun has at most ${count} requests to providers under way, and further ones wait; ` +
      `start it with ${MAX_FETCHES}=${MOST_FETCHES}${unread}`,
  );
}
