/** Windows of time that counters count for. */
import type { TokenBudget } from "./token_limits.ts";

export const MINUTE_MS = 60_000;

/**
 * Open requests, and the money held for them, are counted in windows of this length. If their end is not told, because a process
 * was killed, they are forgotten after at most two windows.
 */
export const HELD_MS = 900_000;

/**
 * The counters of open requests, or of what is held for them, at a time: of its window, of the one before, and of the one after it,
 * in which a machine counts whose clock is ahead.
 */
export const heldAt = (at: number, keyOf: (at: number) => string): { key: string; weight: number }[] =>
  [at, at - 1, at + 1].map((at) => ({ key: keyOf(at), weight: 1 }));

/** A window of time. */
export interface Window {
  /** The number of the window. The one before it has the number before it. */
  at: number;
  /** Milliseconds until it ends. */
  leftMs: number;
  /** The part of it that is left, from 1 to 0: how much of the window before it still counts. */
  left: number;
}

/** The window of a length that a time is in, counted since 1970. */
export function windowOf(now: number, ms: number): Window {
  const leftMs = ms - now % ms;
  return { at: Math.floor(now / ms), leftMs, left: leftMs / ms };
}

const HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS;

/** The most milliseconds for which a window is counted: until the one after it is over. */
export const COUNTED_MS: Readonly<Record<TokenBudget["window"], number>> = {
  hour: 2 * HOUR_MS,
  day: 2 * DAY_MS,
  week: 14 * DAY_MS,
  month: 62 * DAY_MS,
};

/** 1970 began on a Thursday, three days after a Monday. */
const MONDAY_MS = 3 * DAY_MS;

/** The hour, day, week from Monday or month of the calendar that a time is in, by UTC. */
export function calendarWindow(now: number, window: TokenBudget["window"]): Window {
  if (window === "hour") return windowOf(now, HOUR_MS);
  if (window === "day") return windowOf(now, DAY_MS);
  if (window === "week") return windowOf(now + MONDAY_MS, 7 * DAY_MS);
  const date = new Date(now);
  const year = date.getUTCFullYear(), month = date.getUTCMonth();
  const end = Date.UTC(year, month + 1);
  const leftMs = end - now;
  return { at: 12 * year + month, leftMs, left: leftMs / (end - Date.UTC(year, month)) };
}
