import { assertEquals, assertRejects } from "@std/assert";
import { ask as askFor, before, completion } from "../../fakes.ts";
import { memoryKv } from "../../../gateway/stores/memory_kv.ts";
import type { Kv } from "../../../gateway/stores/kv.ts";
import { type WorkerCache, workerKv } from "../../../gateway/stores/worker_kv.ts";

/** The cache of a data center. It keeps to `max-age` if `respects` says so; a zone's rules may say otherwise. */
function dataCenter(now: () => number, { respects = true, exists = true, fails = false } = {}) {
  const kept = new Map<string, { headers: Headers; bytes: Uint8Array<ArrayBuffer>; until: number }>();
  const cache: WorkerCache = {
    async match(url) {
      if (fails) throw new Error("caches are not available");
      const found = kept.get(url);
      if (!found || respects && now() >= found.until) return undefined;
      return await Promise.resolve(new Response(found.bytes, { headers: found.headers }));
    },
    async put(url, { headers, body }) {
      if (fails) throw new Error("caches are not available");
      const bytes = new Uint8Array(await new Response(body).arrayBuffer());
      const age = /^public, max-age=(\d+)$/.exec(headers.get("cache-control")!)![1];
      if (exists) kept.set(new URL(url).href, { headers, bytes, until: now() + 1000 * Number(age) });
    },
    delete: (url) => Promise.resolve(kept.delete(url)),
  };
  return { cache, kept };
}

function room(options?: { respects?: boolean; exists?: boolean; fails?: boolean }, otherwise?: Kv) {
  const time = { now: 1_000_000 };
  const lines: string[] = [];
  const { cache, kept } = dataCenter(() => time.now, options);
  const memory = memoryKv(2 ** 20, () => time.now);
  const kv = workerKv(() => Promise.resolve(cache), {
    otherwise: otherwise ?? memory,
    now: () => time.now,
    warn: (line) => lines.push(line),
  });
  return { kv, kept, memory, time, lines };
}

const BYTES = Uint8Array.from({ length: 1000 }, (_, at) => at);

Deno.test("workerKv() keeps bytes in the cache of the data center, by keys of any characters", async () => {
  const { kv, memory, lines } = room();
  const keys = ["a", "A", "a/b?c#d", "a%2Fb?c#d", "../a", "ü 世", ""];
  for (const [at, key] of keys.entries()) await kv.put(key, BYTES.slice(at), 60_000);
  for (const [at, key] of keys.entries()) assertEquals(await kv.get(key), BYTES.slice(at), key);
  await kv.put("a", new Uint8Array(), 60_000);
  await kv.delete("A");
  assertEquals([await kv.get("a"), await kv.get("A"), await kv.get("b")], [
    new Uint8Array(),
    undefined,
    undefined,
  ]);
  assertEquals([memory.bytes, lines], [0, []]);
});

Deno.test("workerKv() returns no value whose time is over, whatever the zone's rules say", async () => {
  for (const respects of [true, false]) {
    const { kv, time } = room({ respects });
    await kv.put("a", BYTES, 1500);
    time.now += 1499;
    assertEquals(await kv.get("a"), BYTES);
    time.now += 1;
    assertEquals(await kv.get("a"), undefined);
  }
});

Deno.test("workerKv() takes the other store where there is no cache, and tells it once", async () => {
  for (const fault of [{ exists: false }, { fails: true }]) {
    const { kv, memory, lines } = room(fault);
    assertEquals(await Promise.all([kv.get("a"), kv.get("a"), kv.put("a", BYTES, 1000)]), [
      undefined,
      undefined,
      undefined,
    ]);
    assertEquals([await kv.get("a"), await memory.get("a")], [BYTES, BYTES]);
    await kv.delete("a");
    assertEquals(await memory.get("a"), undefined);
    assertEquals(lines, [
      "this Worker has no cache of a data center, as at workers.dev: cached answers are kept in the memory of each " +
      "isolate; a custom domain has one",
    ]);
  }
});

Deno.test("workerKv() fails as its cache does, once it was found", async () => {
  const fault = { fails: false };
  const { cache } = dataCenter(() => 0);
  const open = () => fault.fails ? Promise.reject(new Error("down")) : Promise.resolve(cache);
  const kv = workerKv(open, { otherwise: memoryKv(2 ** 20, () => 0), now: () => 0, warn() {} });
  await kv.put("a", BYTES, 1000);
  fault.fails = true;
  await assertRejects(() => kv.get("a"), Error, "down");
});

Deno.test("gateways of several data centers keep answers apart, and no answer is sent after one of them clears the cache", async () => {
  const everywhere = { ...memoryKv(2 ** 20, () => 0), isLocal: undefined };
  const [one, other] = [room({}, everywhere), room({}, everywhere)];
  const answers = [one, other].map(({ kv, time }) => {
    const now = () => time.now;
    return before(() => completion(), {
      store: { kv },
      now,
      adminToken: "operator-0123456789",
      cache: { ttl: 3600 },
    });
  });
  const ask = async (at: number) => {
    const response = await answers[at].fetch(askFor("openai/m", { authorization: "Bearer sk-own" }));
    await response.text();
    return response.headers.get("cf-aig-cache-status");
  };
  assertEquals([await ask(0), await ask(0), await ask(1), await ask(1)], ["MISS", "HIT", "MISS", "HIT"]);
  const headers = { authorization: "Bearer operator-0123456789" };
  const cleared = await answers[0].fetch(
    new Request("http://gateway.test/sluice/api/cache", { method: "DELETE", headers }),
  );
  assertEquals(cleared.status, 200);
  // The other one has read the version a moment ago.
  other.time.now += 10_000;
  assertEquals([await ask(0), await ask(1)], ["MISS", "MISS"]);
});
