/** Amounts of limits and budgets that wait for their store. */
import { assertEquals } from "@std/assert";
import { sharedCounters } from "../../../gateway/policies/shared_counters.ts";
import type { Addition } from "../../../gateway/stores/counters.ts";

/** Counters whose store is in the hands of the test, as is their timer: `due` is what waits for it. */
function scene() {
  let at = 1e12;
  const state = { isDown: true, due: [] as (() => Promise<void>)[], waits: [] as number[] };
  const calls: (readonly Addition[])[] = [];
  const counters = sharedCounters({
    counters: {
      take(additions) {
        if (state.isDown) throw new Error("down");
        calls.push(additions);
        return { ok: true, sums: [] };
      },
    },
    now: () => at,
    timer: () => at,
    warn: () => {},
    outage: { allowed: 0, refused: 0, lost: 0 },
  });
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((work: () => Promise<void>, ms: number) => {
    state.due.push(work);
    state.waits.push(ms);
    return setTimeout(() => {}, 0);
  }) as unknown as typeof setTimeout;
  return {
    ...{ state, calls, counters },
    async pass(ms: number) {
      at += ms;
      for (const work of state.due.splice(0)) await work();
    },
    [Symbol.dispose]: () => void (globalThis.setTimeout = setTimeout),
  };
}

const add = (key: string, amount = 1, ttlMs = 60_000) => [{ key, amount, ttlMs }];

Deno.test("amounts that wait are added every two seconds, a hundred at once, without another request", async () => {
  using waiting = scene();
  const { state, calls, counters, pass } = waiting;
  for (let at = 0; at < 250; at++) counters.settle(add(`${at}`));
  assertEquals([state.due.length, state.waits], [1, [2000]]);
  await pass(2000);
  // The store is still down: they are tried again.
  assertEquals([calls.length, state.due.length], [0, 1]);
  state.isDown = false;
  await pass(2000);
  assertEquals(calls.map(({ length }) => length), [100, 100, 50]);
  assertEquals(new Set(calls.flat().map(({ key }) => key)).size, 250);
  assertEquals(state.due.length, 0);
});

Deno.test("amounts that wait for one counter are added up, keep their end, and are left out after it", async () => {
  using waiting = scene();
  const { state, calls, counters, pass } = waiting;
  counters.settle([...add("a", 2), ...add("b", 1, 3000)], add("held", -5));
  counters.settle(add("a", 3));
  await pass(2000);
  state.isDown = false;
  await pass(1000);
  assertEquals(calls.flat(), [{ key: "a", amount: 5, ttlMs: 57_000 }]);
});

Deno.test("amounts that wait are added with the next one that the store takes, and when the gateway is closed", async () => {
  using waiting = scene();
  const { state, calls, counters } = waiting;
  counters.settle(add("a"));
  state.isDown = false;
  await counters.settle(add("b"));
  await Promise.resolve();
  assertEquals(calls.flat().map(({ key }) => key), ["b", "a"]);
  state.isDown = true;
  counters.settle(add("c"));
  state.isDown = false;
  await counters.close();
  assertEquals(calls.flat().map(({ key }) => key), ["b", "a", "c"]);
});
