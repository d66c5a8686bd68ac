/** The stores of counters and of values, on Deno and on Bun. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { sqlCounters } from "../../../gateway/stores/sql_counters.ts";
import { sqlKv } from "../../../gateway/stores/sql_kv.ts";
import { installForBun, run } from "../../runtimes/gateways.ts";
import { STATE_KINDS } from "./state_kinds.ts";
import { add, stateCasesOf } from "./state_suite.ts";

for (const [name, fn] of STATE_KINDS.flatMap(stateCasesOf)) Deno.test(`state in ${name}`, fn);

Deno.test("the stores of counters and of values do the same on Bun", async () => {
  const { code, output } = await run(await installForBun(), ["run", "tests/gateway/stores/state_kinds.ts"]);
  assertMatch(output, /^all \d+ cases passed\n$/);
  assertEquals(code, 0);
});

/** A database in memory. */
function database(): { sql: Sql; count(table: string): number } {
  const database = new DatabaseSync(":memory:");
  return {
    sql: {
      dialect: "sqlite",
      all: (text, params = []) => Promise.resolve(database.prepare(text).all(...params)),
      batch: (all) => Promise.resolve(all.map(([text, params]) => database.prepare(text).all(...params))),
    },
    count: (table) => Number(Object.values(database.prepare(`select count(*) from ${table}`).get()!)[0]),
  };
}

Deno.test("sqlCounters() removes counters whose time is over", async () => {
  const { sql, count } = database();
  let now = 0;
  const { take } = sqlCounters(sql, () => now);
  // They are kept ten minutes longer, for gateways whose clocks are behind.
  for (let at = 0; at < 3000; at++, now += 60_000) await take([add(`${at}`, 1, 10), add("stays", 1, 1e12)]);
  assert(count("sluice_counters") < 150, `${count("sluice_counters")} counters are kept`);
  assertEquals((await take([], [{ limit: 1e9, of: [{ key: "stays", weight: 1 }] }])).sums, [3000]);
});

Deno.test("sqlCounters() tells a batch() that returns no rows", async () => {
  const { sql } = database();
  const { take } = sqlCounters({ ...sql, batch: (all) => sql.batch(all).then(() => [] as never) });
  const { name, message } = await assertRejects(async () => await take([add("a", 1)])) as Error;
  assertEquals([name, message], [
    "StoreError",
    "batch() of the store must return the rows of each statement",
  ]);
});

Deno.test("sqlKv() removes values whose time is over, and those that end first if there are too many bytes", async () => {
  const { sql, count } = database();
  let now = 0;
  const kv = sqlKv(sql, () => now);
  const value = new Uint8Array(1000);
  for (let at = 0; at < 100; at++) await kv.put(`${at}`, value, 1000 + at, 20_000);
  assert(count("sluice_values") <= 15, `${count("sluice_values")} values are kept`);
  assertEquals([await kv.get("0"), (await kv.get("99"))?.length], [undefined, 1000]);
  await kv.put("too long", new Uint8Array(20_000), 1000, 20_000);
  assertEquals([await kv.get("too long"), (await kv.get("99"))?.length], [undefined, 1000]);
  now = 100_000;
  await kv.put("new", value, 1000, 20_000);
  assertEquals([count("sluice_values"), (await kv.get("new"))?.length], [1, 1000]);
});

Deno.test("sqlKv() keeps no value that is longer than its database takes", async () => {
  const { sql } = database();
  const kv = sqlKv({ ...sql, maxValueBytes: 10 });
  await kv.put("a", new Uint8Array(10), 1000);
  await kv.put("b", new Uint8Array(11), 1000);
  assertEquals([(await kv.get("a"))?.length, await kv.get("b")], [10, undefined]);
});
