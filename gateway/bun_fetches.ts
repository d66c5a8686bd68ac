/**
 * Bun's `fetch` runs at most 256 requests at once. The next one waits until another has ended, which takes long for a
 * stream.
 */

/** The variable that sets Bun's limit, from 1 to 65535. Bun reads it when the process starts. */
export const MAX_FETCHES = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** The highest limit that Bun accepts. */
export const MOST_FETCHES = "65535";

/** Bun's limit when the variable is not set. */
const USUAL_FETCHES = 256;

/** The part of Bun's global object that is read here. */
interface Runtime {
  Bun?: { env: Record<string, string | undefined> };
}

/**
 * Bun's limit for a value of the variable.
 *
 * @returns `undefined` if it is not set or if Bun cannot read it, as `100000`, `5e3` or `" 5000"`: Bun then keeps 256.
 */
export function fetchesOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,5}$/.test(value)) return undefined;
  const count = Number(value);
  return count >= 1 && count <= Number(MOST_FETCHES) ? count : undefined;
}

let warned = false;

/** Warns once, on Bun only, if its limit is 256 or less. */
export function warnOfFewFetches(): void {
  const { Bun } = globalThis as Runtime;
  if (!Bun || warned) return;
  const set = fetchesOf(Bun.env[MAX_FETCHES]);
  const count = set ?? USUAL_FETCHES;
  if (count > USUAL_FETCHES) return;
  warned = true;
  const unread = Bun.env[MAX_FETCHES] && set === undefined ? " (Bun cannot read its present value)" : "";
  console.error(
    `Warning: Bun runs at most ${count} requests to providers at once, and further ones wait; ` +
      `start it with ${MAX_FETCHES}=${MOST_FETCHES}${unread}`,
  );
}
