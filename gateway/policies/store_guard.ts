/** Asks stores that may be slow or down, so that no request waits for long. */
import { atMostEvery } from "../at_most_every.ts";
import { type Timer, within } from "./timers.ts";

/** The default of the longest wait for a store, in milliseconds. */
const LATE_MS = 250;

/** The longest wait of an operator who reads or changes what is stored, in milliseconds. */
export const OPERATOR_MS = 5000;

/** After so many failures one after another the store is left alone for a while, so that not each request waits. */
const REST = { failures: 3, ms: 1000 };

/** Milliseconds between two lines about failures of a store. */
export const TELL_MS = 60_000;

/** The failure of a store, or the refusal to ask it so soon after it has failed. */
export class StoreFailure extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreFailure";
  }
}

/** What a guard is made of. */
export interface GuardParts {
  /** The store's name in warnings: `the cache's store`. */
  name: string;
  /** Measures durations in milliseconds. */
  timer: Timer;
  /** The longest wait for the store. */
  lateMs?: number;
  /** The longest wait before its first answer, if that may take longer: it may have to be opened and to make its tables. */
  firstMs?: number;
  /** Prints a line about failures. */
  warn: (line: string) => void;
  /** Called at each failure. */
  onFailure?: () => void;
}

/** How a store is asked. */
interface Asking<T> {
  /** The longest wait, if it is another one than that of the guard. */
  lateMs?: number;
  /** Is called with the answer if it comes after the time limit. */
  onLate?: (answer: T) => void;
}

/** Asks a store. */
export interface StoreGuard {
  /**
   * Asks the store, within the time limit. An answer that is there at once is returned as it is.
   *
   * @param what What cannot be done if it fails.
   * @throws StoreFailure
   */
  ask<T>(what: string, work: () => Promise<T> | T, more?: Asking<T>): Promise<T> | T;
  /** Counts and tells a failure that the store's answer shows. */
  fail(what: string, cause?: unknown): StoreFailure;
  /** Counts and tells what went wrong although the store works. */
  tell(what: string, cause?: unknown): void;
}

/** Makes the guard of a store. */
export function storeGuard(
  { name, timer, lateMs: usualMs = LATE_MS, firstMs = usualMs, warn, onFailure }: GuardParts,
): StoreGuard {
  /** The failures since the store has last answered, and those since the last line. */
  let inARow = 0, untold = 0;
  /** Whether the last line was about failures. */
  let isToldOf = false;
  let hasAnswered = false;
  let restsUntil = -Infinity;
  const mayTell = atMostEvery(TELL_MS, timer);

  function tell(what: string, cause?: unknown): void {
    untold++;
    onFailure?.();
    if (!mayTell()) return;
    isToldOf = true;
    warn(failureLine(name, untold, what, cause));
    untold = 0;
  }

  function fail(what: string, cause?: unknown): StoreFailure {
    inARow++;
    if (inARow >= REST.failures) restsUntil = timer() + REST.ms;
    tell(what, cause);
    return new StoreFailure(`${name} failed: ${what}`, cause);
  }

  function succeed(): void {
    hasAnswered = true;
    if (inARow === 0) return;
    if (inARow >= REST.failures && isToldOf) {
      const more = untold > 0 ? `, after ${untold} more ${untold === 1 ? "failure" : "failures"}` : "";
      warn(`${name} answers again${more}`);
      isToldOf = false;
      untold = 0;
    }
    inARow = 0;
    restsUntil = -Infinity;
  }

  function isResting(): boolean {
    if (restsUntil === -Infinity) return false;
    const at = timer();
    if (at < restsUntil && restsUntil - at <= REST.ms) return true;
    // This call finds out whether the store works again; the others wait for what it finds.
    restsUntil = at + REST.ms;
    return false;
  }

  async function answered<T>(
    what: string,
    asked: Promise<T>,
    { lateMs = hasAnswered ? usualMs : firstMs, onLate }: Asking<T>,
  ): Promise<T> {
    try {
      const answer = await within(asked, lateMs, () => new DOMException("too slow", "TimeoutError"));
      succeed();
      return answer;
    } catch (cause) {
      if ((cause as Error)?.name === "TimeoutError") asked.then(onLate, () => {});
      throw fail(what, cause);
    }
  }

  return {
    fail,
    tell,
    ask(what, work, more = {}) {
      if (isResting()) throw new StoreFailure(`${name} has just failed, and is not asked`);
      let asked;
      try {
        asked = work();
      } catch (cause) {
        throw fail(what, cause);
      }
      if (isPromise(asked)) return answered(what, asked, more);
      succeed();
      return asked;
    },
  };
}

/** Whether an answer is not there yet. */
export const isPromise = <T>(value: Promise<T> | T): value is Promise<T> =>
  typeof (value as Promise<T> | undefined)?.then === "function";

/** A line about the failures of a store since the last line. @param cause That of the last one. */
const failureLine = (name: string, times: number, what: string, cause?: unknown): string =>
  `${name} failed ${times === 1 ? "once" : `${times} times`}: ${what}${reasonOf(cause)}`;

/** The kind of a failure. The store's own message may hold an address or a password. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  const { name, message } = cause;
  // Errors of drivers have codes such as ECONNREFUSED; the errors around them name them in their messages.
  const code = (cause as { code?: unknown }).code ?? (cause.cause as { code?: unknown } | undefined)?.code ??
    /\b(?:E[A-Z]{4,}|SQLITE_[A-Z]+|OOM|READONLY|LOADING|NOAUTH|WRONGPASS|[0-9A-Z]{5}(?=:))\b/.exec(message)
      ?.[0];
  return ` (${name}${typeof code === "string" && /^\w{1,30}$/.test(code) ? `, ${code}` : ""})`;
}
