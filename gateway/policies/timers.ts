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

/** Waits for a promise; the time is not the gateway's own. */
export async function waiting<T>(
  promise: Promise<T>,
  { report, config: { timer } }: { report: Progress; config: { timer: Timer } },
): Promise<T> {
  const started = timer();
  try {
    return await promise;
  } finally {
    report.waitedMs += timer() - started;
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
