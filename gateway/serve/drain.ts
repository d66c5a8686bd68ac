/** Ends the served process without cutting its running answers. */

/** Exit codes of a process that a signal ended: by convention 128 plus the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** The longest wait for the store, in milliseconds. */
const CLOSE_MS = 5000;

const within = (work: Promise<void>, ms: number) =>
  Promise.race([work, new Promise((resolve) => setTimeout(resolve, ms))]);

/** The functions that end a server. */
export interface Draining {
  /** Stops taking connections. Resolves once no answer is running. */
  finish(): Promise<void>;
  /** Sends what the gateway still holds, after `finish` or after its longest wait. */
  close(): Promise<void>;
  /** The longest wait for `finish`, in milliseconds. */
  drainMs: number;
  exit(code: number): void;
}

/** After the first signal, waits for the running answers and exits with 0. After the second, exits at once. */
export function drainOn(
  listen: (signal: string, listener: () => void) => void,
  { finish, close, drainMs, exit }: Draining,
): void {
  let draining = false;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    const end = () => {
      if (draining) return exit(code);
      draining = true;
      // First of all, so that the line is true once it is read.
      const finished = finish();
      console.error(
        `${signal}: running answers have ${drainMs / 1000} s to finish; a second signal ends them`,
      );
      const late = new Promise((resolve) => setTimeout(resolve, drainMs));
      Promise.race([finished, late]).finally(() => within(close(), CLOSE_MS)).then(
        () => exit(0),
        () => exit(1),
      );
    };
    try {
      listen(signal, end);
    } catch {
      // Windows has no SIGTERM.
    }
  }
}
