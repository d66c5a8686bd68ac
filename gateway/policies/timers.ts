/** Waiting, and not waiting for ever. */

/** Waits, unless the signal comes first: then it rejects with the signal's reason. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

/** Milliseconds since some moment, for durations. */
export type Timer = () => number;

/** Where the time is counted that passes while others work. */
export interface Progress {
  /** Milliseconds spent waiting for providers, or between tries. */
  waitedMs: number;
}

/** What waiting is counted by, and where. */
interface Counted {
  report: Progress;
  config: { timer: Timer };
}

/** Begins to wait for others; what it returns ends it. The time between is not the gateway's own. */
export function stopwatch({ report, config: { timer } }: Counted): () => void {
  const started = timer();
  return () => void (report.waitedMs += timer() - started);
}

/** Waits for a promise, with a stopwatch. */
export async function waiting<T>(promise: Promise<T>, run: Counted): Promise<T> {
  const stop = stopwatch(run);
  try {
    return await promise;
  } finally {
    stop();
  }
}

/** Waits by the runtime's clock and leaves no timer behind. */
export const wait: Wait = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal.addEventListener("abort", leave, { once: true });
  });

/**
 * A signal that follows another and also ends after a time, unless it is disarmed.
 *
 * @param onLate Makes the reason of an abort that the time caused.
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
