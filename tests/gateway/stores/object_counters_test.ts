import { assert, assertEquals, assertRejects } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { objectCounters, storedCounters } from "../../../gateway/stores/object_counters.ts";
import { sqlKv } from "../../../gateway/stores/sql_kv.ts";
import { objectSql } from "../../../gateway/stores/worker_stores.ts";
import { ask } from "../../fakes.ts";
import { objectStorage, stateObjects } from "./state_objects.ts";
import { stateCasesOf } from "./state_suite.ts";

const KIND = {
  name: "Durable Objects",
  hasClock: false,
  open() {
    const { namespace } = stateObjects();
    return Promise.resolve({
      counters: objectCounters(namespace),
      kv: sqlKv(objectSql(namespace)),
      close() {},
    });
  },
};

for (const [name, run] of stateCasesOf(KIND)) Deno.test(name, run);

const add = (key: string, amount = 1, ttlMs = 60_000) => ({ key, amount, ttlMs });
const rule = (limit: number, ...keys: string[]) => ({ limit, of: keys.map((key) => ({ key, weight: 1 })) });

Deno.test("storedCounters() counts as counters in memory do, for any calls and times", () => {
  let now = 0;
  const stored = storedCounters(objectStorage(), () => now);
  const memory = memoryCounters(() => now);
  let state = 7;
  const below = (most: number) => (state = state * 48271 % 0x7fffffff) % most;
  for (let round = 0; round < 2000; round++) {
    now += below(40);
    const additions = Array.from(
      { length: below(4) },
      () => add(`rpm:a:${below(6)}`, below(9) - 3, 1 + below(300)),
    );
    const rules = Array.from({ length: below(4) }, () => ({
      limit: below(4) === 0 ? Infinity : below(30),
      of: Array.from({ length: below(3) }, () => ({ key: `rpm:a:${below(6)}`, weight: [1, 0.5][below(2)] })),
    }));
    assertEquals(stored.take(additions, rules), memory.take(additions, rules), `round ${round}`);
  }
});

Deno.test("storedCounters() removes counters that are over, and adds nothing of a call that fails", () => {
  let now = 0;
  const storage = objectStorage();
  const { take } = storedCounters(storage, () => now);
  for (let at = 0; at < 3000; at++, now++) take([add(`rpm:a:${at}`, 1, 10)]);
  const [{ count }] = storage.sql.exec("select count(*) as count from sluice_counters").toArray();
  assert(Number(count) <= 1012, `${count} are kept`);
  let failed = false;
  try {
    take([add("rpm:a:x"), { key: "rpm:a:y", amount: null as unknown as number, ttlMs: 9 }]);
  } catch {
    failed = true;
  }
  assertEquals([failed, take([], [rule(9, "rpm:a:x")]).sums], [true, [0]]);
});

Deno.test("an object removes its storage when its last counter is over, and counts anew after that", async () => {
  let now = 1000;
  const storage = objectStorage();
  const tables = () =>
    storage.sql.exec("select name from sqlite_master where type = 'table'").toArray().length;
  const { take, tidy } = storedCounters(storage, () => now);
  take([], [rule(9, "rpm:a:1")]);
  assertEquals([tables(), storage.alarm], [1, undefined], "nothing is counted");
  take([add("rpm:a:1", 1, 100), add("open:a:1", 1, 300)]);
  take([add("spent:a:1", 1, 900)]);
  assertEquals(storage.alarm, 1300, "one alarm is set for many calls");
  now = 1300;
  await tidy();
  assertEquals([storage.alarm, tables()], [1900, 1], "a counter is left");
  assertEquals(take([], [rule(9, "spent:a:1"), rule(9, "open:a:1")]).sums, [1, 0]);
  now = 1900;
  await tidy();
  assertEquals(tables(), 0);
  take([add("rpm:a:1", 4, 100)]);
  assertEquals([storage.alarm, take([], [rule(9, "rpm:a:1")]).sums], [2000, [4]]);
  // An object that was thrown out of memory is made again for its alarm.
  now = 2000;
  await storedCounters(storage, () => now).tidy();
  assertEquals(tables(), 0);
});

Deno.test("objectCounters() asks one object for one token, once, and keeps what it counts when the object is thrown out", async () => {
  const { namespace, asked, evict } = stateObjects();
  const { take } = objectCounters(namespace);
  const admitted = await Promise.all(
    Array.from(
      { length: 120 },
      () => take([add("rpm:a:1"), add("open:a:1")], [rule(100, "rpm:a:1", "rpm:a:0")]),
    ),
  );
  assertEquals(admitted.filter(({ ok }) => ok).length, 100);
  assertEquals([asked.length, new Set(asked)], [120, new Set(["counters:a"])]);
  evict();
  assertEquals((await take([], [rule(9, "open:a:1")])).sums, [100]);
  await take([add("rpm:b:1")]);
  assertEquals(asked.at(-1), "counters:b");
  assertEquals(await take([]), { ok: true, sums: [] });
});

Deno.test("objectCounters() takes from a token and its team, all or nothing, and tells the sums of both", async () => {
  const { namespace, asked } = stateObjects();
  const { take } = objectCounters(namespace);
  const both = (token: string, most: number) =>
    take([add(`rpm:${token}:1`), add("rpm:team:1")], [rule(5, "rpm:team:1"), rule(most, `rpm:${token}:1`)]);
  assertEquals(await both("a", 3), { ok: true, sums: [1, 1] });
  assertEquals(asked, ["counters:a", "counters:team"], "the token is asked first");
  await both("a", 3);
  await both("a", 3);
  assertEquals(await both("a", 3), { ok: false, sums: [3, 3] }, "the token refuses");
  assertEquals(asked.length, 8, "the team is only read");
  await both("b", 9);
  await both("b", 9);
  assertEquals(
    await both("b", 9),
    { ok: false, sums: [5, 2] },
    "the team refuses, and the token gets back its own",
  );
  assertEquals((await take([], [rule(9, "rpm:b:1"), rule(9, "rpm:team:1")])).sums, [2, 5]);
});

Deno.test("objectCounters() gives back what it has taken if an object of the same call fails", async () => {
  let isDown = false;
  const { namespace } = stateObjects((name) =>
    isDown && name === "counters:team"
      ? Promise.reject(new Error("Durable Object is overloaded."))
      : Promise.resolve()
  );
  const counters = objectCounters(namespace);
  const take = async (...call: Parameters<typeof counters.take>) => await counters.take(...call);
  isDown = true;
  await assertRejects(
    () => take([add("rpm:a:1"), add("rpm:team:1")], [rule(5, "rpm:team:1"), rule(5, "rpm:a:1")]),
    Error,
    "overloaded",
  );
  await assertRejects(() => take([add("spent:a:1", 7), add("spent:team:1", 7)]), Error, "overloaded");
  isDown = false;
  const { sums } = await take([], [rule(9, "rpm:a:1"), rule(9, "rpm:team:1"), rule(9, "spent:a:1")]);
  assertEquals(sums, [0, 0, 7], "what was spent is counted where it can be");
  await assertRejects(() => take([], [rule(5, "rpm:a:1", "rpm:b:1")]), TypeError, "a and b");
});

Deno.test("objectCounters() never admits more than a limit, however calls and failures are mixed", async () => {
  let state = 11;
  const below = (most: number) => (state = state * 48271 % 0x7fffffff) % most;
  const { namespace } = stateObjects(async (_, method) => {
    for (let turns = below(6); turns > 0; turns--) await Promise.resolve();
    if (below(10) === 0) throw new Error(`the network lost ${method}`);
  });
  const { take } = objectCounters(namespace);
  let admitted = 0;
  const tokens = ["a", "b", "c"];
  await Promise.all(Array.from({ length: 400 }, async (_, at) => {
    const token = tokens[at % 3];
    const answer = await Promise.resolve(
      take([add(`rpm:${token}:1`), add("rpm:team:1")], [rule(60, `rpm:${token}:1`), rule(100, "rpm:team:1")]),
    ).catch(() => undefined);
    if (answer?.ok) admitted++;
  }));
  assert(admitted <= 100, `${admitted}`);
  assert(admitted > 50, `${admitted}`);
});

Deno.test("a gateway whose objects throw or answer nothing serves limits, refuses budgets, and counts again when they are back", async () => {
  const state: { fault?: "throws" | "is silent" } = {};
  const { namespace } = stateObjects(() => {
    if (state.fault === "throws") {
      return Promise.reject(Object.assign(new Error("Durable Object is overloaded."), { overloaded: true }));
    }
    return state.fault === "is silent" ? new Promise<never>(() => {}) : Promise.resolve();
  });
  const prices = { "demo/echo": { input: 1, output: 1 } };
  const tokens = [
    { token: "limited-token", name: "limited", limits: { rpm: 2 } },
    { token: "spending-token", name: "spending", budgets: [{ limitUsd: 1, window: "day" as const }] },
  ];
  let at = Date.UTC(2026, 10, 24);
  const store = { counters: objectCounters(namespace) };
  const { fetch } = createGateway({ store, tokens, prices, now: () => at });
  const send = async (token: string) => {
    const response = await fetch(ask("demo/echo", { authorization: `Bearer ${token}` }, { max_tokens: 5 }));
    await response.text();
    return response.status;
  };
  const both = async () => [await send("limited-token"), await send("spending-token")];
  assertEquals(await both(), [200, 200]);
  for (const fault of ["throws", "is silent"] as const) {
    state.fault = fault;
    assertEquals(await both(), [200, 503], fault);
  }
  state.fault = undefined;
  // A store that has failed is left alone for a second.
  at += 2000;
  assertEquals(await send("spending-token"), 200);
  assertEquals([await send("limited-token"), await send("limited-token")], [200, 429]);
});
