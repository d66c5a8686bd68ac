/** Bun's `fetch` has at most 256 requests under way; the next waits for one to end, and streams end late. */

/** Sets how many, from 1 to 65535. Bun reads it when the process starts. */
export const MAX_FETCHES = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** The most that Bun takes. */
export const MOST_FETCHES = "65535";

/** What of Bun is used here. */
interface Runtime {
  Bun?: { env: Record<string, string | undefined> };
}

let warned = false;

/** Warns on Bun, once, if the variable is not set. */
export function warnOfFewFetches(): void {
  const { Bun } = globalThis as Runtime;
  if (!Bun || Bun.env[MAX_FETCHES] || warned) return;
  warned = true;
  console.error(
    `Warning: Bun has at most 256 requests to providers under way, and further ones wait; ` +
      `start it with ${MAX_FETCHES}=${MOST_FETCHES}`,
  );
}
