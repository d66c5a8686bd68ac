/** Counters that all requests of a gateway share, e.g. for limits. */

/** An amount that is added to a counter. It may be negative. */
export interface Addition {
  /** The counter. Its name holds the window that it counts for. */
  key: string;
  amount: number;
  /** Milliseconds after which nobody needs the counter any more. The first addition decides. */
  ttlMs: number;
}

/** A limit on the weighted sum of counters. */
export interface Rule {
  limit: number;
  of: readonly { key: string; weight: number }[];
}

/** What `take` has done. */
export interface Taken {
  /** Whether the amounts were added. */
  ok: boolean;
  /** The weighted sum of each rule, with what was added. */
  sums: number[];
}

/** Counters. Stores that are shared by several machines answer with a promise. */
export interface Counters {
  /**
   * Adds amounts, all of them or none.
   *
   * @param rules Nothing is added if one of these sums would pass its limit.
   */
  take(additions: readonly Addition[], rules?: readonly Rule[]): Promise<Taken> | Taken;
}

export interface Counter {
  value: number;
  /** When it is forgotten, by the clock of the options. */
  until: number;
}

/** Counters that are over are removed when there are this many more than after the last removal. */
const SWEPT_EACH = 1000;

/**
 * Makes counters in this process's memory.
 *
 * @param now The time in milliseconds.
 * @param counters Where they are kept.
 */
export function memoryCounters(now: () => number, counters: Map<string, Counter> = new Map()): Counters {
  let swept = 0;

  function sweep(at: number): void {
    for (const [key, { until }] of counters) if (until <= at) counters.delete(key);
    swept = counters.size;
  }

  return {
    take(additions, rules = []) {
      const at = now();
      const valueOf = (key: string) => {
        const counter = counters.get(key);
        return counter === undefined || counter.until <= at ? 0 : counter.value;
      };
      const added = (key: string) =>
        additions.reduce((sum, addition) => addition.key === key ? sum + addition.amount : sum, 0);
      const sumOf = ({ of }: Rule, isAdded: boolean) =>
        of.reduce((sum, { key, weight }) => sum + weight * (valueOf(key) + (isAdded ? added(key) : 0)), 0);
      const ok = rules.every((rule) => sumOf(rule, true) <= rule.limit);
      const sums = rules.map((rule) => sumOf(rule, ok));
      if (!ok) return { ok, sums };
      for (const { key, amount, ttlMs } of additions) {
        const counter = counters.get(key);
        if (counter && counter.until > at) counter.value += amount;
        else counters.set(key, { value: amount, until: at + ttlMs });
      }
      if (counters.size > swept + SWEPT_EACH) sweep(at);
      return { ok, sums };
    },
  };
}
