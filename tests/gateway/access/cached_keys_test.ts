/** What a gateway remembers of the store of virtual keys. */
import { assertEquals, assertRejects } from "@std/assert";
import { cachedKeys, UnknownKeys } from "../../../gateway/access/cached_keys.ts";
import { StoreFailure, storeGuard } from "../../../gateway/policies/store_guard.ts";
import { type Key, type Keys, memoryKeys } from "../../../gateway/stores/keys.ts";

const KEY: Key = { id: "k_1", version: 1, name: "one", hash: "h1", created: "", about: {} };

/** A cache before a store that counts its calls, and may fail. */
function scene() {
  const store = memoryKeys();
  const asked: string[] = [];
  const told: string[] = [];
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
  const timer = () => state.now;
  const guard = storeGuard({ name: "the keys", timer, warn: (line) => void told.push(line) });
  const keys = cachedKeys(counted, { now: timer, guard });
  return { store, keys, asked, told, state };
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
  const { keys, asked, state, told } = scene();
  await keys.save(KEY);
  assertEquals(await keys.find("h1"), KEY);
  state.fault = new Error("down at postgres://user:password@host");
  assertEquals(await keys.find("h1"), KEY);
  state.now += 10_000;
  for (const hash of ["h1", "h2", "h1", "h1"]) {
    await assertRejects(async () => await keys.find(hash), StoreFailure);
  }
  // After three failures it is left alone for a second, also if the operator asks.
  assertEquals(asked, ["h1", "h1", "h2", "h1"]);
  await assertRejects(async () => await keys.get("k_1"), StoreFailure, "has just failed");
  assertEquals(told, ["the keys failed once: cannot find a key (Error)"]);
  state.fault = undefined;
  state.now += 1000;
  assertEquals(await keys.find("h1"), KEY);
});

Deno.test("cachedKeys() does not know whether there are keys until the store has said so", async () => {
  const { keys, state } = scene();
  state.fault = new Error("down");
  await assertRejects(async () => await keys.isUsed(), StoreFailure);
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
  const error = await assertRejects(async () => await keys.find("wrong 1000"), UnknownKeys);
  assertEquals([error.retryMs, asked.length], [10_000, 1000]);
  // A known key passes, and what was looked up is remembered.
  assertEquals([await keys.find("h1"), await keys.find("wrong 1")], [KEY, undefined]);
  state.now += 9_500;
  await assertRejects(async () => await keys.find("wrong 1000"), UnknownKeys);
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

Deno.test("cachedKeys() remembers nothing that it asked before a change of its own, and was told after it", async () => {
  const store = memoryKeys();
  const gates: (() => void)[] = [];
  const guard = storeGuard({ name: "the keys", timer: () => 0, warn: () => {} });
  const slow: Keys = {
    ...store,
    find: async (hash) => {
      const key = await store.find(hash);
      await new Promise<void>((resolve) => gates.push(resolve));
      return key;
    },
  };
  const keys = cachedKeys(slow, { now: () => 0, guard });
  const find = async (hash: string) => {
    const found = keys.find(hash);
    await new Promise((resolve) => setTimeout(resolve, 0));
    return { found, pass: gates.pop()! };
  };
  await keys.save(KEY);
  const change = async (work: () => unknown) => {
    const { found, pass } = await find("h1");
    await work();
    pass();
    await found;
    const later = await find("h1");
    later.pass?.();
    return await later.found;
  };
  const disabled = { ...KEY, version: 2, about: { disabled: true } };
  assertEquals(await change(() => keys.save(disabled)), disabled);
  // Look-ups are remembered for ten seconds, and the clock stands still.
  await keys.save({ ...disabled, version: 3 });
  assertEquals(await change(() => keys.remove("k_1")), undefined);
});

Deno.test("cachedKeys() knows of a key that was made here while it asked whether there are any", async () => {
  const store = memoryKeys();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const guard = storeGuard({ name: "the keys", timer: () => 0, warn: () => {} });
  const keys = cachedKeys({ ...store, isUsed: () => promise }, { now: () => 0, guard });
  const early = keys.isUsed();
  await keys.save(KEY);
  resolve(false);
  assertEquals([await early, keys.isUsed()], [true, true]);
});
