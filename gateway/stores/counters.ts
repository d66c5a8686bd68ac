/** Counters that all requests of a gateway share, e.g. for limits. */

/**
 * An amount that is added to a counter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type CounterAddition, openStore } from "../../mod.ts";
 *
 * const { counters, close } = await openStore("sqlite::memory:");
 * const opened: CounterAddition = { key: "open", amount: 1, ttlMs: 60_000 };
 * await counters!.take([opened, opened]);
 * await counters!.take([{ ...opened, amount: -1 }]);
 * const { sums } = await counters!.take([], [{ limit: 9, of: [{ key: "open", weight: 1 }] }]);
 * assertEquals(sums, [1]);
 * await close!();
 * ```
 */
export interface Addition {
  /** The counter. Its name holds the window that it counts for. */
  key: string;
  /** A number, which may be negative. */
  amount: number;
  /** Milliseconds after which nobody needs the counter any more. The first addition decides. */
  ttlMs: number;
}

/**
 * A limit on the weighted sum of counters.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type CounterRule, openStore } from "../../mod.ts";
 *
 * const { counters, close } = await openStore("sqlite::memory:");
 * const rule: CounterRule = { limit: 10, of: [{ key: "now", weight: 1 }, { key: "before", weight: 0.5 }] };
 * await counters!.take([{ key: "before", amount: 12, ttlMs: 60_000 }]);
 * const add = (amount: number) => [{ key: "now", amount, ttlMs: 60_000 }];
 * assertEquals(await counters!.take(add(4), [rule]), { ok: true, sums: [10] });
 * assertEquals(await counters!.take(add(1), [rule]), { ok: false, sums: [10] });
 * await close!();
 * ```
 */
export interface Rule {
  /** The most that the sum may be. */
  limit: number;
  /** The counters. One that does not exist counts as 0. */
  of: readonly { key: string; weight: number }[];
}

/**
 * What `take` has done.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type CountersTaken, openStore } from "../../mod.ts";
 *
 * const { counters, close } = await openStore("sqlite::memory:");
 * const taken: CountersTaken = await counters!.take([{ key: "a", amount: 1, ttlMs: 60_000 }]);
 * assertEquals(taken, { ok: true, sums: [] });
 * await close!();
 * ```
 */
export interface Taken {
  /** Whether the amounts were added. */
  ok: boolean;
  /** The weighted sum of each rule, with what was added; if nothing was added, without it. */
  sums: number[];
}

/**
 * Counters. Stores that are shared by several machines answer with a promise.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type Counters, createGateway, openStore } from "../../mod.ts";
 *
 * const { counters, close } = await openStore("sqlite::memory:");
 * // The first call makes the tables, which may take longer than a request waits.
 * await counters!.take([]);
 * // Each call is printed, e.g. to look for a slow store.
 * const calls: number[] = [];
 * const noted: Counters = {
 *   take(additions, rules) {
 *     calls.push(additions.length);
 *     return counters!.take(additions, rules);
 *   },
 * };
 * const tokens = [{ token: "secret", limits: { rpm: 1 } }];
 * const gateway = createGateway({ store: { counters: noted, close }, tokens });
 * const headers = { authorization: "Bearer secret" };
 * const me = await gateway.fetch(new Request("http://localhost/sluice/api/me", { headers }));
 * assertEquals([me.status, calls], [200, [0]]);
 * await gateway.close();
 * ```
 */
export interface Counters {
  /**
   * Adds amounts, all of them or none. A counter is never below 0: if a store has lost what it held, nothing that is taken off
   * later makes room that there is not.
   *
   * @param rules Nothing is added if one of these sums would pass its limit.
   */
  take(additions: readonly Addition[], rules?: readonly Rule[]): Promise<Taken> | Taken;
}

/** Whether a store's answer is the value of a counter: nothing else adds up to a sum that can be trusted. */
export const isCount = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value < Infinity;

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
        of.reduce(
          (sum, { key, weight }) => sum + weight * Math.max(0, valueOf(key) + (isAdded ? added(key) : 0)),
          0,
        );
      const ok = rules.every((rule) => sumOf(rule, true) <= rule.limit);
      const sums = rules.map((rule) => sumOf(rule, ok));
      if (!ok) return { ok, sums };
      for (const { key, amount, ttlMs } of additions) {
        const counter = counters.get(key);
        if (counter && counter.until > at) counter.value += amount;
        else counters.set(key, { value: amount, until: at + ttlMs });
      }
      for (const { key, amount } of additions) {
        if (amount < 0 && counters.get(key)!.value < 0) counters.get(key)!.value = 0;
      }
      if (counters.size > swept + SWEPT_EACH) sweep(at);
      return { ok, sums };
    },
  };
}
