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

/** Tells when nothing was heard for a time. */
export interface IdleTimer {
  /** Something came: the time begins anew. */
  heard(): void;
  /** Whether the time is over. */
  isOver(): boolean;
  stop(): void;
}

const NEVER: IdleTimer = { heard() {}, isOver: () => false, stop() {} };

/** The whole may take this many times as long as one silence. */
const MOST_SILENCES = 20;

/**
 * One timer for many chunks: it is set once and looks, when it rings, at when the last one came.
 *
 * @param ms The longest silence; 0 for no limit. After 20 times as long it is over whatever was heard.
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
