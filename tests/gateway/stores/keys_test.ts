/** The stores of virtual keys. */
import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { cachedKeys } from "../../../gateway/access/cached_keys.ts";
import { storeGuard } from "../../../gateway/policies/store_guard.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { type Key, memoryKeys, sqlKeys } from "../../../gateway/stores/keys.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import { d1Sql } from "../../../gateway/stores/worker_stores.ts";
import { keysCasesOf, type KeysKind } from "./keys_suite.ts";
import { strictD1 } from "./strict_d1.ts";

/** A database in memory. */
function sqlite(): Sql {
  const database = new DatabaseSync(":memory:");
  return {
    dialect: "sqlite",
    all: (text, params = []) => Promise.resolve(database.prepare(text).all(...params)),
    batch: (statements) =>
      Promise.resolve(statements.map(([text, params]) => database.prepare(text).all(...params))),
  };
}

/** Keys in a database that others share. */
function shared(name: string, open: () => Sql): KeysKind {
  let sql: Sql;
  return {
    name,
    open: () => Promise.resolve(sqlKeys(sql = open())),
    again: () => Promise.resolve(sqlKeys(sql)),
  };
}

const KINDS: KeysKind[] = [
  { name: "memory", open: () => Promise.resolve(memoryKeys()) },
  shared("sqlite", sqlite),
  shared("D1", () => d1Sql(strictD1())),
  {
    name: "a memory before sqlite",
    open: () =>
      Promise.resolve(
        cachedKeys(sqlKeys(sqlite()), {
          now: () => 0,
          guard: storeGuard({ name: "keys", timer: () => 0, warn() {} }),
        }),
      ),
  },
];

for (const kind of KINDS) for (const [name, fn] of keysCasesOf(kind)) Deno.test(`keys in ${name}`, fn);

const KEY: Key = { id: "k_1", version: 1, name: "one", hash: "h1", created: "", about: {} };

Deno.test("memoryKeys() takes a number of keys, and says what to set for more", () => {
  const keys = memoryKeys(1);
  assertEquals(keys.save(KEY), true);
  const other = { ...KEY, id: "k_2", name: "two", hash: "h2" };
  assertThrows(
    () => keys.save(other),
    GatewayError,
    "the memory of the gateway takes 1 keys; set the option store",
  );
  assertEquals(keys.save({ ...KEY, version: 2 }), true);
  keys.remove("k_1");
  assertEquals(keys.save(other), true);
  const none = memoryKeys(0);
  assertThrows(() => none.save(KEY), GatewayError, "bind SLUICE_STATE or SLUICE_D1");
  assertEquals(none.isUsed(), false);
});

Deno.test("sqlKeys() shows a key whose facts are spoiled, which opens nothing and can be removed", async () => {
  const sql = sqlite();
  const keys = sqlKeys(sql);
  for (const [at, more] of ["", "{", "[]", '{"about": 1}', "null"].entries()) {
    const key = { ...KEY, id: `k_${at}`, name: `${at}`, hash: `h${at}` };
    await keys.save(key);
    await sql.batch([["update sluice_keys set more = ? where id = ?", [more, key.id]]]);
    assertEquals((await keys.find(key.hash))?.about, { disabled: true });
  }
  assertEquals((await keys.list({ limit: 9 })).length, 5);
  assertEquals(await keys.remove("k_0"), true);
});
