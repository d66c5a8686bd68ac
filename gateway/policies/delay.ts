/** Tells which failures may pass, and how long to wait before the next attempt. */
import type { PolicySettings } from "./settings.ts";

/**
 * Statuses under 500 that may be different a moment later.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9 (408), 15.5.10 (409)
 * @see https://www.rfc-editor.org/rfc/rfc8470#section-5.2 (425)
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-4 (429)
 */
const PASSING: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** Whether an answer of this status may be different a moment later. */
export const isPassing = (status: number) => status >= 500 || PASSING.has(status);

/**
 * Whether an answer of this status refuses the key of the request, so that another key may work.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2 (401)
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-4 (429)
 */
export const isKeyRefusal = (status: number) => status === 401 || status === 429;

/** The longest wait between two attempts, in milliseconds. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Milliseconds to wait before the next attempt.
 *
 * `Retry-After` wins, as seconds or as an HTTP date; `retry-after-ms` is OpenAI's finer form. Without them: full jitter
 * over `retryDelayMs` times 1 (constant), times `attempt` (linear) or times `2 ** (attempt - 1)` (exponential).
 *
 * @param attempt Attempts already made, from 1.
 * @param now Milliseconds since 1970.
 * @param random From 0 up to 1.
 * @returns At most 60,000. `undefined` if the provider asks for a longer wait: an earlier attempt would be refused.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryDelay(
  headers: Headers | undefined,
  attempt: number,
  { retryDelayMs, backoff }: PolicySettings,
  now: number,
  random: number,
): number | undefined {
  const asked = headers && retryAfter(headers, now);
  if (asked !== undefined) return asked <= LONGEST_WAIT_MS ? asked : undefined;
  const growth = { constant: 1, linear: attempt, exponential: 2 ** (attempt - 1) }[backoff];
  return random * Math.min(LONGEST_WAIT_MS, retryDelayMs * growth);
}

/** Milliseconds that a provider asks to wait, at least 0; `undefined` if it does not say. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const ms = headers.get("retry-after-ms");
  if (ms !== null && /^\d+(\.\d+)?$/.test(ms)) return Number(ms);
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  // `Date.parse` reads much that is not an HTTP date: "-5" is a day in May.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
