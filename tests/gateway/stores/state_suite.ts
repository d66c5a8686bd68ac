/** What each store of counters and of values must do. It runs on Deno and on Bun (`state_kinds.ts`). */
import { type Addition, type Counters, memoryCounters, type Rule } from "../../../gateway/stores/counters.ts";
import type { Kv } from "../../../gateway/stores/kv.ts";

/** A kind of store. */
export interface StateKind {
  name: string;
  /** Whether it takes the clock that `open` gives to it. */
  hasClock: boolean;
  open(now: () => number): Promise<{ counters: Counters; kv: Kv; close(): Promise<void> | void }>;
}

interface Case {
  counters: Counters;
  kv: Kv;
  pass(ms: number): void;
  at(): number;
}

/** Numbers from 0 up to 1, the same in each run. */
function numbers(seed: number): () => number {
  return () => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return ((seed ^ (seed >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** These run on runtimes without `@std/assert`. */
export function same(found: unknown, wanted: unknown, about = ""): void {
  const [one, other] = [found, wanted].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${about} ${one} is not ${other}`);
}

export const add = (key: string, amount: number, ttlMs = 600_000): Addition => ({ key, amount, ttlMs });
export const rule = (limit: number, ...keys: string[]): Rule => ({
  limit,
  of: keys.map((key) => ({ key, weight: 1 })),
});

const CASES: [name: string, run: (store: Case) => Promise<void>, needsClock?: true][] = [
  ["take() adds all amounts or none", async ({ counters: { take } }) => {
    same(await take([add("a", 2), add("b", 5)], [rule(2, "a"), rule(9, "a", "b")]), {
      ok: true,
      sums: [2, 7],
    });
    same(await take([add("a", 1), add("b", 1)], [rule(2, "a"), rule(9, "b")]), { ok: false, sums: [2, 5] });
    same(await take([add("b", 1), add("a", 1)], [rule(9, "b"), rule(2, "a")]), { ok: false, sums: [5, 2] });
    same(await take([], [rule(9, "a"), rule(9, "b")]), { ok: true, sums: [2, 5] });
    same(await take([], [rule(1, "a"), rule(9, "b")]), { ok: false, sums: [2, 5] });
    same(await take([add("a", -1), add("a", 3)], [rule(4, "a")]), { ok: true, sums: [4] });
  }],
  [
    "take() without rules always adds, takes off down to 0, and without anything does nothing",
    async ({ counters: { take } }) => {
      same(await take([add("a", 2), add("a", -5)]), { ok: true, sums: [] });
      same(await take([]), { ok: true, sums: [] });
      same(await take([add("a", -5), add("b", 3)]), { ok: true, sums: [] });
      same(await take([add("b", -1), add("a", 1)], [rule(9, "a"), rule(9, "b")]), { ok: true, sums: [1, 2] });
      await take([add("a", -1)]);
      same(await take([], [rule(Infinity, "a", "none")]), { ok: true, sums: [0] });
    },
  ],
  ["take() weighs counters, and an infinite limit refuses nothing", async ({ counters: { take } }) => {
    await take([add("a", 10), add("b", 8)]);
    const weighed = { limit: 15, of: [{ key: "a", weight: 1 }, { key: "b", weight: 0.5 }] };
    same(await take([], [weighed]), { ok: true, sums: [14] });
    same(await take([add("b", 4)], [weighed]), { ok: false, sums: [14] });
    same(await take([add("b", 2)], [weighed]), { ok: true, sums: [15] });
    same(await take([add("a", 1e15)], [rule(Infinity, "a")]), { ok: true, sums: [1e15 + 10] });
  }],
  ["take() holds a limit of 0, and of less", async ({ counters: { take } }) => {
    same(await take([add("a", 1)], [rule(0, "a")]), { ok: false, sums: [0] });
    same(await take([add("a", 0)], [rule(0, "a")]), { ok: true, sums: [0] });
    same(await take([add("a", 0)], [rule(-1, "a")]), { ok: false, sums: [0] });
    same(await take([add("a", 5)], [rule(-1, "b")]), { ok: false, sums: [0] });
    same(await take([], [rule(9, "a")]), { ok: true, sums: [0] });
  }],
  ["take() takes any text as a name", async ({ counters: { take } }) => {
    const names = ["ü \u{1f600}", `"'\\`, "a:b,{c}[d]", "$1 ? ?1 %s", "x".repeat(1000), "__proto__", "\n\t"];
    for (const [at, name] of names.entries()) {
      same(await take([add(name, at)], [rule(10, name)]), { ok: true, sums: [at] }, name);
    }
    same((await take([], names.map((name) => rule(10, name)))).sums, names.map((_, at) => at));
  }],
  ["take() keeps billionths of a million dollars exact", async ({ counters: { take } }) => {
    await take([add("a", 1e15)]);
    for (let at = 0; at < 10; at++) await take([add("a", 1)]);
    same(await take([], [rule(1e16, "a")]), { ok: true, sums: [1e15 + 10] });
  }],
  [
    "take() admits exactly 100 of 120 at once, and adds nothing else of the refused 20",
    async ({ counters: { take } }) => {
      await take([add("other", 900)]);
      const all = await Promise.all(
        Array.from(
          { length: 120 },
          () => take([add("one", 1), add("other", 1)], [rule(100, "one"), rule(5000, "other")]),
        ),
      );
      same(all.filter(({ ok }) => ok).length, 100);
      same(await take([], [rule(1e9, "one"), rule(1e9, "other")]), { ok: true, sums: [100, 1000] });
      // What each was told is a sum that there was.
      same(
        all.filter(({ ok }) => ok).map(({ sums: [sum] }) => sum).sort((a, b) => a - b),
        [
          ...Array(101).keys(),
        ].slice(1),
      );
    },
  ],
  ["a counter is forgotten when its time is over, and starts anew", async ({ counters: { take }, pass }) => {
    const sum = async () => (await take([], [rule(9, "a")])).sums[0];
    await take([add("a", 2, 1000)]);
    pass(999);
    await take([add("a", 1, 1000)]);
    same(await sum(), 3);
    pass(1);
    same(await sum(), 0);
    same(await take([add("a", 1, 1000)], [rule(1, "a")]), { ok: true, sums: [1] });
    pass(999);
    same(await sum(), 1);
  }, true],
  [
    "take() does what a simple model does, whatever is asked and whenever",
    async ({ counters: { take }, pass, at }) => {
      for (let seed = 1; seed <= 3; seed++) {
        const random = numbers(seed), upTo = (most: number) => Math.floor(random() * (most + 1));
        const model = memoryCounters(at);
        const key = () => `${seed}:${upTo(4)}`;
        for (let call = 0; call < 60; call++) {
          const additions = Array.from(
            { length: upTo(4) },
            () => add(key(), upTo(12) - 3, 1000 * (1 + upTo(5))),
          );
          const rules = Array.from({ length: upTo(3) }, () => ({
            limit: upTo(40),
            of: Array.from({ length: upTo(3) }, () => ({ key: key(), weight: upTo(4) / 4 })),
          }));
          // Amounts that are taken off are never held against a rule.
          const asked = additions.some(({ amount }) => amount < 0) ? [] : rules;
          same(
            await take(additions, asked),
            await model.take(additions, asked),
            `seed ${seed}, call ${call}:`,
          );
          same(await take([], rules), await model.take([], rules), `seed ${seed}, after call ${call}:`);
          pass(upTo(1500));
        }
      }
    },
    true,
  ],
  ["a value comes back as it was, with bytes above 127", async ({ kv }) => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => at * 7);
    for (
      const [key, value] of [["a", bytes], ["b", new Uint8Array()], ["ü'?", bytes.slice(0, 256)]] as const
    ) {
      same(await kv.get(key), undefined);
      await kv.put(key, value, 60_000, 1e9);
      const found = await kv.get(key);
      same(found instanceof Uint8Array, true);
      same(found!.length, value.length);
      same(found!.every((byte, at) => byte === value[at]), true);
    }
    await kv.put("a", Uint8Array.of(255), 60_000, 1e9);
    same([...(await kv.get("a"))!], [255]);
    await kv.delete("a");
    await kv.delete("none");
    same([await kv.get("a"), (await kv.get("b"))?.length], [undefined, 0]);
  }],
  ["a value is gone when its time is over", async ({ kv, pass }) => {
    await kv.put("a", Uint8Array.of(1), 1000, 1e9);
    pass(999);
    same((await kv.get("a"))?.length, 1);
    pass(1);
    same(await kv.get("a"), undefined);
  }, true],
];

/** The cases for a kind of store, each with a store of its own. */
export const stateCasesOf = (kind: StateKind): [name: string, run: () => Promise<void>][] =>
  CASES.filter(([, , needsClock]) => !needsClock || kind.hasClock).map(([name, run]) => [
    `${kind.name}: ${name}`,
    async () => {
      let at = Date.now();
      const { counters, kv, close } = await kind.open(() => at);
      try {
        await run({
          counters: { take: async (...all) => await counters.take(...all) },
          kv,
          pass: (ms) => void (at += ms),
          at: () => at,
        });
      } finally {
        await close();
      }
    },
  ]);
