/** Measures waits, and limits them. */
import { IS_PROCESS } from "../context.ts";

/**
 * Waits some milliseconds. Rejects with the signal's reason if the signal aborts first.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type Wait } from "../../mod.ts";
 *
 * // A test that does not want to wait between tries.
 * const waited: number[] = [];
 * const wait: Wait = (ms) => Promise.resolve(void waited.push(ms));
 * const gateway = createGateway({ wait, retries: { maxAttempts: 2 } }).gateway("default");
 * const query = { model: "demo/status-503", messages: [{ role: "user", content: "Hello" }] };
 * await gateway.run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals(waited, [1000]); // The demo's answer asks for one second.
 * ```
 */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Milliseconds since a fixed moment, to measure durations. */
export type Timer = () => number;

/** The time that a request has spent waiting. */
export interface Progress {
  /** Milliseconds spent waiting for providers, for the client's body, or between attempts. */
  waitedMs: number;
}

/** A report that counts waits, and the timer that measures them. */
interface Counted {
  report: Progress;
  config: { timer: Timer };
}

/** Starts to measure a wait; the function that it returns ends it. Waits do not count as the gateway's own time. */
export function stopwatch({ report, config: { timer } }: Counted): () => void {
  const started = timer();
  return () => void (report.waitedMs += timer() - started);
}

/** Awaits a promise and counts the time as a wait. */
export async function waiting<T>(promise: Promise<T>, run: Counted): Promise<T> {
  const stop = stopwatch(run);
  try {
    return await promise;
  } finally {
    stop();
  }
}

/** A timer that rings after a silence. */
export interface IdleTimer {
  /** Restarts the time, because something was received. */
  heard(): void;
  /** Whether the timer has rung. */
  isOver(): boolean;
  stop(): void;
}

const NEVER: IdleTimer = { heard() {}, isOver: () => false, stop() {} };

/** The whole transfer may take this many times as long as one silence. */
const MOST_SILENCES = 20;

/**
 * Makes a timer that rings after a silence. It is set again only when it rings too early, not for each chunk.
 *
 * @param ms The longest silence in milliseconds; 0 for no limit. After 20 times `ms` it rings whatever was heard.
 */
export function idleTimer(ms: number, onOver: () => void): IdleTimer {
  if (ms === 0) return NEVER;
  const started = performance.now();
  let last = started;
  let over = false;
  let timer = setTimeout(ring, ms);
  function ring(): void {
    const now = performance.now();
    const left = Math.min(last + ms, started + MOST_SILENCES * ms) - now;
    if (left > 0) timer = setTimeout(ring, left);
    else {
      over = true;
      onOver();
    }
  }
  return {
    heard: () => void (last = performance.now()),
    isOver: () => over,
    stop: () => clearTimeout(timer),
  };
}

/** Waits for a promise. Rejects with the result of `late` if it takes too long. */
export type InTime = <T>(promise: Promise<T>, late: () => unknown) => Promise<T>;

/** Waits for one promise, at most `ms` milliseconds. Rejects with the result of `late` after that. */
export async function within<T>(promise: Promise<T>, ms: number, late: () => unknown): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, isLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** A wait for a promise. */
interface Waiting {
  end: number;
  giveUp: () => void;
}

/**
 * Makes a function that waits for promises with one timer for all of them. A timer and a race for each promise made a small
 * call a tenth dearer on Deno (November 2026). The timer stays set between waits, and does not keep the process alive.
 *
 * @param ms The longest time; 0 for no limit.
 */
export function timeLimit(ms: number): InTime {
  if (ms === 0) return (promise) => promise;
  // On Workers a timer belongs to the request that has set it, so each wait has a timer of its own.
  if (!IS_PROCESS) return (promise, late) => within(promise, ms, late);
  // Sorted by their ends, because all have the same length.
  const all = new Set<Waiting>();
  let isSet = false;
  function set(after: number): void {
    isSet = true;
    unref(setTimeout(ring, after));
  }
  function ring(): void {
    isSet = false;
    const now = performance.now();
    for (const waiting of all) {
      if (waiting.end > now) return set(waiting.end - now);
      all.delete(waiting);
      waiting.giveUp();
    }
  }
  return (promise, late) =>
    new Promise((resolve, reject) => {
      const waiting = { end: performance.now() + ms, giveUp: () => reject(late()) };
      all.add(waiting);
      if (!isSet) set(ms);
      promise.then((value) => {
        all.delete(waiting);
        resolve(value);
      }, (cause) => {
        all.delete(waiting);
        reject(cause);
      });
    });
}

/**
 * A signal that aborts with another one, and also after `ms` milliseconds unless it is disarmed.
 *
 * @param onLate Makes the abort's reason when the time is over.
 */
export function deadline(
  signal: AbortSignal,
  ms: number,
  onLate: () => unknown,
): { signal: AbortSignal; disarm: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(onLate()), ms);
  return { signal: AbortSignal.any([signal, controller.signal]), disarm: () => clearTimeout(timer) };
}

/** Lets the process end while a timer is set. @returns The timer. */
export function unref(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  const { Deno } = globalThis as { Deno?: { unrefTimer(timer: unknown): void } };
  if (Deno) Deno.unrefTimer(timer);
  else (timer as { unref?: () => void }).unref?.();
  return timer;
}
