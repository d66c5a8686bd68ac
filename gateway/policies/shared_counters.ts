/** Counters whose store may fail. */
import { GatewayError } from "../../wires/errors.ts";
import type { Addition, Counters, Rule, Taken } from "../stores/counters.ts";
import { IS_PROCESS } from "../context.ts";
import { type GuardParts, isPromise, StoreFailure, storeGuard } from "./store_guard.ts";
import { unref } from "./timers.ts";

/** The counters of a gateway. */
export interface SharedCounters extends Counters {
  /** @throws GatewayError `store_unavailable` if the store fails. */
  take(additions: readonly Addition[], rules?: readonly Rule[]): Promise<Taken> | Taken;
  /**
   * Adds amounts sooner or later: if the store fails, they wait in memory. Never rejects.
   *
   * @param lapsing Amounts to add with them, but only once. If the store fails, nobody knows whether it has added them. An
   * amount that is taken off twice would make room that there is not; if it is not taken off, it lapses by itself.
   * @returns A promise that resolves when they are added or wait; nothing if they were added at once.
   */
  settle(additions: readonly Addition[], lapsing?: readonly Addition[]): Promise<void> | undefined;
  /** Notes what became of a request whose limits or budgets could not be checked. */
  without(outcome: "allowed" | "refused"): void;
  /** Adds what still waits, if the store works. */
  close(): Promise<void>;
}

/** What a store's failures have changed. Each number only grows. */
export interface Outage {
  /** Requests that were served although their limits could not be checked. */
  allowed: number;
  /** Requests that were refused because their budgets could not be checked. */
  refused: number;
  /** Amounts that were never counted. */
  lost: number;
}

/** What counters are made of. */
interface Parts extends Omit<GuardParts, "name"> {
  counters: Counters;
  now: () => number;
  outage: Outage;
}

/** The most counters for which amounts wait. Amounts for one counter are added up. */
const MOST_WAITING = 10_000;

/** Milliseconds after which amounts that wait are tried again, and how many are added by one call. */
const AGAIN = { ms: 2000, most: 100 };

/** Seconds after which a client may try again. The store is asked again sooner. */
const RETRY_S = 2;

/** Makes the counters of a gateway over those of a store. */
export function sharedCounters({ counters, now, outage, ...parts }: Parts): SharedCounters {
  const guard = storeGuard({ ...parts, name: "the store of limits and budgets" });
  /** Amounts that wait, and until when they matter. */
  const waiting = new Map<string, { amount: number; until: number }>();
  let due: ReturnType<typeof setTimeout> | undefined;
  let flushing: Promise<void> | undefined;

  /** @param undo What to add if the store's answer comes when nobody waits for it any more. */
  function ask(
    additions: readonly Addition[],
    rules: readonly Rule[],
    undo: readonly Addition[],
  ): Promise<Taken> | Taken {
    const check = (taken: Taken) => {
      if (isTaken(taken, rules.length)) return taken;
      throw guard.fail("its answer is malformed");
    };
    const onLate = (taken: Taken) => {
      if (taken?.ok && undo.length > 0) settle([], undo.map((one) => ({ ...one, amount: -one.amount })));
    };
    const taken = guard.ask("cannot count", () => counters.take(additions, rules), { onLate });
    return isPromise(taken) ? taken.then(check) : check(taken);
  }

  function unavailable(cause: unknown): never {
    if (!(cause instanceof StoreFailure)) throw cause;
    throw new GatewayError(
      "store_unavailable",
      "Cannot serve the request: the store that counts limits and budgets does not answer; " +
        `try again in ${RETRY_S} s`,
      { headers: { "retry-after": `${RETRY_S}` }, cause },
    );
  }

  function keep(additions: readonly Addition[]): void {
    const at = now();
    for (const { key, amount, ttlMs } of additions) {
      const known = waiting.get(key);
      if (known) known.amount += amount;
      else if (waiting.size < MOST_WAITING) waiting.set(key, { amount, until: at + ttlMs });
      else outage.lost++;
    }
    flushSoon();
  }

  function flushSoon(): void {
    // On Workers a timer belongs to a request, so there the amounts wait for the next call.
    if (waiting.size > 0 && IS_PROCESS) due ??= unref(setTimeout(flush, AGAIN.ms));
  }

  function flush(): Promise<void> {
    clearTimeout(due);
    due = undefined;
    return flushing ??= add().finally(() => {
      flushing = undefined;
      flushSoon();
    });
  }

  async function add(): Promise<void> {
    while (waiting.size > 0) {
      const at = now();
      const batch = [...waiting].slice(0, AGAIN.most);
      for (const [key] of batch) waiting.delete(key);
      const additions = batch.filter(([, { until }]) => until > at)
        .map(([key, { amount, until }]) => ({ key, amount, ttlMs: until - at }));
      try {
        await ask(additions, [], additions);
      } catch {
        return keep(additions);
      }
    }
  }

  function settle(
    additions: readonly Addition[],
    lapsing: readonly Addition[] = [],
  ): Promise<void> | undefined {
    const added = () => void (waiting.size > 0 && flush());
    try {
      const taken = ask([...additions, ...lapsing], [], additions);
      if (isPromise(taken)) return taken.then(added, () => keep(additions));
      added();
    } catch {
      keep(additions);
    }
  }

  return {
    take(additions, rules = []) {
      try {
        const taken = ask(additions, rules, additions);
        return isPromise(taken) ? taken.catch(unavailable) : taken;
      } catch (cause) {
        return unavailable(cause);
      }
    },
    settle,
    without: (outcome) => void outage[outcome]++,
    async close() {
      if (waiting.size > 0) await flush();
      clearTimeout(due);
      due = undefined;
      if (waiting.size === 0) return;
      outage.lost += waiting.size;
      parts.warn(
        `${waiting.size} amounts of limits and budgets are lost: their store did not take them before the end`,
      );
      waiting.clear();
    },
  };
}

/** Whether a store's answer has the form that it must have. */
const isTaken = (taken: unknown, rules: number): taken is Taken =>
  typeof taken === "object" && taken !== null && typeof (taken as Taken).ok === "boolean" &&
  Array.isArray((taken as Taken).sums) && (taken as Taken).sums.length === rules &&
  (taken as Taken).sums.every((sum) => typeof sum === "number" && sum >= 0);
