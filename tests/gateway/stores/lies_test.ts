/** Stores of counters that answer with something else than what they were asked for. */
import { assertEquals, assertRejects } from "@std/assert";
import { redis } from "../../../gateway/stores/redis.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { sqlCounters } from "../../../gateway/stores/sql_counters.ts";
import { add, rule } from "./state_suite.ts";

/** A database that answers each call of counters in this way. */
function lying(dialect: Sql["dialect"], answer: unknown): Sql {
  const isOfCounters = (text: string) => /sluice_take|sluice_counters where/.test(text);
  return {
    dialect,
    all: (text) => Promise.resolve((isOfCounters(text) ? answer : [{ version: 1e6 }]) as never),
    batch: (statements) =>
      Promise.resolve(
        (isOfCounters(statements.at(-1)?.[0] ?? "") || isOfCounters(statements[0][0]) ? answer : []) as never,
      ),
  };
}

const refuses = async (counters: { take: ReturnType<typeof sqlCounters>["take"] }, what: unknown) =>
  void await assertRejects(
    async () => await counters.take([add("a", 1)], [rule(9, "a")]),
    Error,
    undefined,
    JSON.stringify(what),
  );

const VALUES = [-1, -5e9, NaN, Infinity, null, "1", "x", "", [], {}, true, undefined];

Deno.test("counters in SQLite believe no answer that is not a count", async () => {
  const lies = [undefined, null, [], [[]], {}, "x", [null, null], [[], [], [], [], []]];
  for (const lie of lies) await refuses(sqlCounters(lying("sqlite", lie)), lie);
  for (const value of VALUES) {
    await refuses(sqlCounters(lying("sqlite", [[{ key: "a", value }], [{ key: "a" }], []])), value);
  }
  const { take } = sqlCounters(lying("sqlite", [[{ key: "a", value: 2 }], [{ key: "a" }], []]));
  assertEquals(await take([add("a", 1)], [rule(9, "a")]), { ok: true, sums: [3] });
});

Deno.test("counters in Postgres believe no answer that is not a count", async () => {
  const lies = [
    "",
    "x",
    "null",
    "[]",
    "{}",
    "[null]",
    "[1]",
    "[{}]",
    '[{"values":{"a":1}}]',
    '[{"isAdded":true}]',
  ];
  const texts = [
    ...lies,
    ...[1, "true", null].map((isAdded) => JSON.stringify([{ isAdded, values: { a: 1 } }])),
    ...VALUES.slice(0, -1).map((a) => JSON.stringify([{ isAdded: true, values: { a } }])),
    ...[null, [], 1, "x"].map((values) => JSON.stringify([{ isAdded: true, values }])),
  ];
  for (const taken of texts) await refuses(sqlCounters(lying("postgres", [{ taken }])), taken);
  for (const lie of [[], [{}], [null], [{ taken: 1 }]]) {
    await refuses(sqlCounters(lying("postgres", lie)), lie);
  }
  const { take } = sqlCounters(lying("postgres", [{ taken: '[{"isAdded":true,"values":{"a":2}}]' }]));
  assertEquals(await take([add("a", 1)], [rule(9, "a")]), { ok: true, sums: [3] });
});

Deno.test("counters in Redis believe no answer that is not a count", async () => {
  const answers = [
    ...[undefined, null, "OK", 1, {}, [], [1], [1, "1", "1"], [2, "1"], [-1, "1"], ["x", "1"], [null, "1"]],
    ...VALUES.filter((value) => value !== "1").map((
      value,
    ) => [1, typeof value === "number" ? `${value}` : value]),
  ];
  for (const answer of answers) await refuses(redis(() => Promise.resolve(answer)).counters!, answer);
  const { take } = redis(() => Promise.resolve([1, new TextEncoder().encode("2")])).counters!;
  assertEquals(await take([add("a", 1)], [rule(9, "a")]), { ok: true, sums: [3] });
});
