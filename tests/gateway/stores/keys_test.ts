/** The stores of virtual keys. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { cachedKeys, KeysError } from "../../../gateway/access/cached_keys.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { type Key, type Keys, memoryKeys, sqlKeys } from "../../../gateway/stores/keys.ts";
import { type Sql, StoreError } from "../../../gateway/stores/sql.ts";
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
        cachedKeys(sqlKeys(sqlite()), { now: () => 0, inTime: (work) => work, onFailure() {} }),
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

Deno.test("cachedKeys() tells the operator of a failure, and of a store that does not answer", async () => {
  const failures: unknown[] = [];
  const never = { ...memoryKeys(), list: () => new Promise<Key[]>(() => {}) };
  const keys = cachedKeys(never, {
    now: () => 0,
    inTime: (work, ms) => Promise.race([work, Promise.reject(new Error(`${ms}`))]),
    onFailure: (error) => void failures.push(error),
  });
  await assertRejects(async () => await keys.list({ limit: 1 }), StoreError, "5000");
  assertEquals(failures.length, 1);
});

/** A cache before a store that counts its calls, and may fail. */
function scene() {
  const store = memoryKeys();
  const asked: string[] = [];
  const failures: unknown[] = [];
  const state = { now: 1e12, fault: undefined as Error | undefined };
  const count = <T>(name: string, work: () => T): T => {
    asked.push(name);
    if (state.fault) throw state.fault;
    return work();
  };
  const counted: Keys = {
    ...store,
    isUsed: () => count("isUsed", store.isUsed),
    find: (hash) => count(hash, () => store.find(hash)),
  };
  const keys = cachedKeys(counted, {
    now: () => state.now,
    inTime: (work) => work,
    onFailure: (error) => void failures.push(error),
  });
  return { store, keys, asked, failures, state };
}

Deno.test("cachedKeys() asks for a key each 10 s, and for one that is not there too", async () => {
  const { keys, asked, state, store } = scene();
  store.save(KEY);
  for (const ms of [0, 9_999, 1]) {
    state.now += ms;
    assertEquals(await keys.find("h1"), KEY);
    assertEquals(await keys.find("none"), undefined);
  }
  assertEquals(asked, ["h1", "none", "h1", "none"]);
  // A clock that is set back.
  state.now -= 20_000;
  await keys.find("h1");
  assertEquals(asked.length, 5);
});

Deno.test("cachedKeys() forgets what it has changed itself, and what others have changed after 10 s", async () => {
  const { keys, state, store } = scene();
  await keys.save(KEY);
  await keys.find("h1");
  await keys.find("h2");
  await keys.save({ ...KEY, version: 2, hash: "h2", former: { hash: "h1", until: 9 } });
  assertEquals([(await keys.find("h1"))?.version, (await keys.find("h2"))?.version], [2, 2]);
  store.save({ ...KEY, version: 3, about: { disabled: true } });
  assertEquals((await keys.find("h1"))?.version, 2);
  state.now += 10_000;
  assertEquals((await keys.find("h1"))?.about, { disabled: true });
  await keys.remove("k_1");
  assertEquals(await keys.find("h1"), undefined);
});

Deno.test("cachedKeys() asks whether there are keys each 10 s, and never again once there was one", async () => {
  const { keys, asked, state, store } = scene();
  assertEquals([await keys.isUsed(), keys.isUsed()], [false, false]);
  state.now += 9_999;
  assertEquals(keys.isUsed(), false);
  store.save(KEY);
  state.now++;
  assertEquals(await keys.isUsed(), true);
  store.remove("k_1");
  state.now += 1e9;
  assertEquals(keys.isUsed(), true);
  assertEquals(asked, ["isUsed", "isUsed"]);
});

Deno.test("cachedKeys() tells a failure of the store, and never that there is no such key", async () => {
  const { keys, asked, state, failures } = scene();
  await keys.save(KEY);
  assertEquals(await keys.find("h1"), KEY);
  state.fault = new Error("down");
  assertEquals(await keys.find("h1"), KEY);
  state.now += 10_000;
  for (const hash of ["h1", "h2"]) await assertRejects(async () => await keys.find(hash), KeysError, "down");
  // The store is asked once a second while it fails.
  assertEquals([asked, failures.length], [["h1", "h1"], 1]);
  state.fault = undefined;
  await assertRejects(async () => await keys.find("h1"), KeysError);
  state.now += 1000;
  assertEquals(await keys.find("h1"), KEY);
});

Deno.test("cachedKeys() does not know whether there are keys until the store has said so", async () => {
  const { keys, state } = scene();
  state.fault = new Error("down");
  await assertRejects(async () => await keys.isUsed(), KeysError);
  state.fault = undefined;
  state.now += 1000;
  assertEquals(await keys.isUsed(), false);
  state.fault = new Error("down");
  state.now += 10_000;
  assertEquals(await keys.isUsed(), false);
});

Deno.test("cachedKeys() looks up 1000 unknown keys in 10 s, and remembers 10,000", async () => {
  const { keys, asked, state, store } = scene();
  store.save(KEY);
  await keys.find("h1");
  for (let at = 1; at < 1000; at++) await keys.find(`wrong ${at}`);
  const error = await assertRejects(async () => await keys.find("wrong 1000"), KeysError);
  assertEquals([error.retryMs, asked.length], [10_000, 1000]);
  // A known key passes, and what was looked up is remembered.
  assertEquals([await keys.find("h1"), await keys.find("wrong 1")], [KEY, undefined]);
  state.now += 9_500;
  await assertRejects(async () => await keys.find("wrong 1000"), KeysError);
  for (let round = 0; round < 12; round++) {
    state.now += 10_000;
    assertEquals(await keys.find("h1"), KEY);
    for (let at = 0; at < 1000; at++) await keys.find(`${round} ${at}`);
  }
  asked.length = 0;
  // The flood has not driven out what was found.
  assertEquals(await keys.find("h1"), KEY);
  assertEquals(asked, []);
});
