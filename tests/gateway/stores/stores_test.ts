/** The option `store`, and which store keeps what. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { memoryKv } from "../../../gateway/stores/memory_kv.ts";
import { masked, readStoreUrls } from "../../../gateway/stores/read_store_urls.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { Stores } from "../../../gateway/stores/stores.ts";
import { ask, before, completion } from "../../fakes.ts";

const SHARED: Options = {
  keys: { openai: "sk-stored" },
  tokens: [{ token: "secret", name: "team", limits: { rpm: 2 } }],
  cache: { ttl: 60 },
};

/** Sends a request with the token, and returns its status and what the cache had. */
async function send({ fetch }: { fetch(request: Request): Promise<Response> }, content: string) {
  const messages = [{ role: "user", content }];
  const response = await fetch(ask("openai/gpt-4.1", { authorization: "Bearer secret" }, { messages }));
  await response.text();
  return [response.status, response.headers.get("cf-aig-cache-status")];
}

Deno.test("two gateways on one file of SQLite share limits, answers and rows, and so does a later one", async () => {
  const path = await Deno.makeTempFile();
  const open = async () =>
    before(() => completion(), { ...SHARED, store: await openStore(`sqlite:${path}`) });
  const [first, second] = [await open(), await open()];
  const { sql, close } = await openStore(`sqlite:${path}`);
  // An answer is kept after its client has it.
  const kept = async (count: number) => {
    while (Number((await sql!.all("select count(*) as kept from sluice_values"))[0].kept) < count);
  };
  try {
    assertEquals(await send(first, "a"), [200, "MISS"]);
    await kept(1);
    // A hit is not counted.
    assertEquals(await send(second, "a"), [200, "HIT"]);
    assertEquals(await send(second, "b"), [200, "MISS"]);
    await kept(2);
    assertEquals(await send(first, "c"), [429, "MISS"]);
  } finally {
    await first.close();
    await second.close();
    await close!();
  }
  const third = await open();
  try {
    assertEquals([await send(third, "b"), await send(third, "c")], [[200, "HIT"], [429, "MISS"]]);
  } finally {
    await third.close();
    await Deno.remove(path);
  }
});

Deno.test("each store of the option keeps what it is for, and close() closes them once", async () => {
  const { sql, close } = await openStore("sqlite::memory:");
  const used: string[] = [];
  const noted = <T extends object>(name: string, store: T): T =>
    new Proxy(store, {
      get(target, member) {
        used.push(`${name}.${String(member)}`);
        return Reflect.get(target, member);
      },
    });
  const store: Stores = {
    sql,
    kv: noted("kv", memoryKv(1e6, Date.now)),
    counters: noted("counters", memoryCounters(Date.now)),
    async close() {
      used.push("close");
      await close!();
    },
  };
  const gateway = before(() => completion(), { ...SHARED, store });
  used.length = 0;
  assertEquals([await send(gateway, "a"), await send(gateway, "a")], [[200, "MISS"], [200, "HIT"]]);
  await gateway.close();
  assertEquals(new Set(used), new Set(["kv.isLocal", "kv.get", "kv.put", "counters.take", "close"]));
  assertEquals(used.filter((one) => one === "close").length, 1);
});

Deno.test("the option store names what it must be", () => {
  for (const store of [{}, { sql: {} }, { kv: { get() {} } }, { counters: {} }, { kv: 1 }, 7, null]) {
    const { message } = assertThrows(() => createGateway({ store: store as never }), TypeError);
    assertStringIncludes(message, "Cannot use option store: it must be what openStore() makes from a URL");
  }
});

Deno.test("readStoreUrls() reads a list, and refuses a store that nothing would use", () => {
  assertEquals(readStoreUrls(" sqlite:a,b.db "), [
    { kind: "sqlite", place: "a,b.db", shown: "a,b.db", secrets: [] },
  ]);
  const { message } = assertThrows(() => readStoreUrls("sqlite:a.db, sqlite:b.db"), TypeError);
  assert(!/[ab]\.db/.test(message));
  assertEquals(message, "nothing would use sqlite: the stores before it in the list do all that it can do");
});

Deno.test("a store's password is masked wherever it stands in a URL", () => {
  const cases: [url: string, shown: string][] = [
    ["postgres://user:p%40ss-word@host:5432/db", "postgres://user:***@host:5432/db"],
    [
      "postgresql://user:p%40ss-word@one,two:5433/db?sslmode=require",
      "postgresql://user:***@one,two:5433/db?sslmode=require",
    ],
    ["postgres://host/db?user=u&password=p%40ss-word", "postgres://host/db?user=u&password=***"],
    ["redis://:p%40ss-word@host:6379/0", "redis://:***@host:6379/0"],
    ["rediss://user:p%40ss-word@[::1]:6379", "rediss://user:***@[::1]:6379"],
    ["redis://host", "redis://host"],
  ];
  for (const [url, shown] of cases) {
    const [read] = readStoreUrls(url);
    assertEquals([read.place, read.shown], [url, shown]);
    const told = masked(`cannot connect to ${url}: p%40ss-word, p@ss-word`, read);
    if (url.includes("word")) assert(!told.includes("ss-word"), told);
  }
  // A password with a character that ends it elsewhere is not quoted either.
  for (const url of ["postgres://user:se/cret@host/db", "postgres://user:se#cret@host", "redis://"]) {
    const { message } = assertThrows(() => readStoreUrls(url), TypeError);
    assert(!message.includes("cret"), message);
  }
});
