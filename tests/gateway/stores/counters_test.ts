import { assert, assertEquals } from "@std/assert";
import { type Counter, memoryCounters } from "../../../gateway/stores/counters.ts";

Deno.test("take() adds all amounts or none", () => {
  const { take } = memoryCounters(() => 0);
  const add = (key: string, amount: number) => ({ key, amount, ttlMs: 1000 });
  const rule = (limit: number, ...keys: string[]) => ({ limit, of: keys.map((key) => ({ key, weight: 1 })) });
  assertEquals(take([add("a", 2), add("b", 5)], [rule(2, "a"), rule(9, "a", "b")]), {
    ok: true,
    sums: [2, 7],
  });
  assertEquals(take([add("a", 1), add("b", 1)], [rule(2, "a"), rule(9, "b")]), { ok: false, sums: [2, 5] });
  assertEquals(take([], [rule(9, "a"), rule(9, "b")]), { ok: true, sums: [2, 5] });
  assertEquals(take([add("a", -1), add("a", 3)], [rule(4, "a")]), { ok: true, sums: [4] });
  assertEquals(take([], [{ limit: 9, of: [{ key: "a", weight: 0.5 }, { key: "none", weight: 1 }] }]), {
    ok: true,
    sums: [2],
  });
});

Deno.test("a counter is forgotten when its time is over, and starts anew", () => {
  let now = 0;
  const { take } = memoryCounters(() => now);
  const sum = (key: string) => Promise.resolve(take([], [{ limit: 9, of: [{ key, weight: 1 }] }]));
  take([{ key: "a", amount: 2, ttlMs: 1000 }]);
  now = 999;
  take([{ key: "a", amount: 1, ttlMs: 1000 }]);
  assertEquals(take([], [{ limit: 9, of: [{ key: "a", weight: 1 }] }]), { ok: true, sums: [3] });
  now = 1000;
  assertEquals(take([], [{ limit: 9, of: [{ key: "a", weight: 1 }] }]), { ok: true, sums: [0] });
  take([{ key: "a", amount: 1, ttlMs: 1000 }]);
  return sum("a").then(({ sums }) => assertEquals(sums, [1]));
});

Deno.test("counters whose time is over are not kept in memory", () => {
  let now = 0;
  const kept = new Map<string, Counter>();
  const { take } = memoryCounters(() => now, kept);
  for (; now < 100_000; now++) take([{ key: `${now}`, amount: 1, ttlMs: 10 }]);
  assert(kept.size < 2500, `${kept.size} counters are kept`);
});
