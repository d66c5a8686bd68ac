/** Limits and budgets whose store is down, slow or wrong. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sharedCounters } from "../../../gateway/policies/shared_counters.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { type Counter, type Counters, memoryCounters } from "../../../gateway/stores/counters.ts";
import { ask, before, clock, completion } from "../../fakes.ts";

const MODEL = "openai/gpt-4.1";

/** A gateway whose store of counts is in the hands of the test, and what it has told. */
function gateway(more: Partial<Options> = {}) {
  const time = clock();
  const kept = new Map<string, Counter>();
  const working = memoryCounters(time.options.now, kept);
  const store = {
    take: async (...all: Parameters<Counters["take"]>) => await working.take(...all),
    asked: 0,
  };
  const counters: Counters = {
    take(...all) {
      store.asked++;
      return store.take(...all);
    },
  };
  const adminToken = "operator-0123456789";
  const { fetch, sent, close } = before(() => completion(), {
    keys: { openai: "sk-stored" },
    tokens: [
      { token: "limited-token", name: "limited", limits: { rpm: 2 } },
      {
        token: "metered-token",
        name: "metered",
        limits: { rpm: 9 },
        budgets: [{ limitUsd: 1, window: "day" }],
      },
    ],
    prices: { [MODEL]: { input: 0, output: 1000 } },
    adminToken,
    logs: false,
    store: { counters },
    ...time.options,
    ...more,
  });
  const told: string[] = [];
  return {
    store,
    working,
    kept,
    sent,
    close,
    told,
    pass: time.pass,
    async send(token: string) {
      const { error } = console;
      console.error = (line: string) => void told.push(line);
      const response = await fetch(ask(MODEL, { authorization: `Bearer ${token}` }, { max_tokens: 5 }));
      const text = await response.text();
      console.error = error;
      return { status: response.status, retry: response.headers.get("retry-after"), text };
    },
    async count(name: string) {
      const request = new Request("http://gateway.test/metrics", {
        headers: { authorization: `Bearer ${adminToken}` },
      });
      return Number(RegExp(`^${name} (\\d+)$`, "m").exec(await (await fetch(request)).text())![1]);
    },
    sum: (part: string) =>
      [...kept].filter(([key]) => key.startsWith(part)).reduce((sum, [, { value }]) => sum + value, 0),
  };
}

const FAULTS: Record<string, () => unknown> = {
  "rejects": () => Promise.reject(new Error("connect to redis://:password@host")),
  "throws": () => {
    throw new Error("password");
  },
  "never answers": () => new Promise(() => {}),
  "answers with nothing": () => Promise.resolve(undefined),
  "answers at once with nothing": () => null,
  "answers with other sums": () => Promise.resolve({ ok: true, sums: [1, 2, 3, 4, 5, 6, 7] }),
  "answers with texts": () => Promise.resolve({ ok: true, sums: ["1", "2", "3"] }),
  "answers with no number": () => Promise.resolve({ ok: "yes", sums: [NaN] }),
};

for (const [what, fault] of Object.entries(FAULTS)) {
  Deno.test(`a store of counts that ${what}: limits let requests pass, budgets refuse them, and all is told`, async () => {
    const { store, send, sent, told, count } = gateway();
    store.take = fault as never;
    for (let at = 0; at < 3; at++) assertEquals((await send("limited-token")).status, 200);
    assertEquals(sent.length, 3);
    const { status, retry, text } = await send("metered-token");
    assertEquals([status, retry], [503, "2"]);
    assertMatch(text, /the store that counts limits and budgets does not answer; try again in 2 s/);
    assert(!text.includes("password"));
    assertEquals(sent.length, 3);
    assertEquals(await count("sluice_unchecked_allowed_total"), 3);
    assertEquals(await count("sluice_unchecked_refused_total"), 1);
    assert(await count("sluice_store_errors_total") >= 3);
    assertEquals(told.length, 1);
    assertMatch(told[0], /^Warning: the store of limits and budgets failed once: /);
    assert(!told[0].includes("password"));
  });
}

Deno.test("a store that keeps failing is left alone for a second, and its return is told once", async () => {
  const { store, working, send, told, pass } = gateway();
  store.take = () => Promise.reject(new Error("down"));
  for (let at = 0; at < 10; at++) await send("metered-token");
  assertEquals(store.asked, 3);
  pass(1000);
  await send("metered-token");
  await send("metered-token");
  assertEquals(store.asked, 4);
  pass(999);
  await send("metered-token");
  assertEquals(store.asked, 4);
  pass(1);
  store.take = async (...all) => await working.take(...all);
  assertEquals((await send("metered-token")).status, 200);
  assertEquals((await send("metered-token")).status, 200);
  assertEquals(told.slice(1), [
    "Warning: the store of limits and budgets answers again, after 3 more failures",
  ]);
});

Deno.test("a request whose model costs nothing is not refused for its token's budget", async () => {
  const { store, send } = gateway({ prices: { [MODEL]: { input: 0, output: 0 } } });
  store.take = () => Promise.reject(new Error("down"));
  assertEquals((await send("metered-token")).status, 200);
});

Deno.test("what a request has cost is added when the store is back, and its hold is not taken off twice", async () => {
  const { store, working, send, sum, close, count } = gateway();
  const { take } = store;
  let isEnd = false;
  store.take = async (...all) => {
    // The store fails between the beginning and the end of the request, and has done what it was asked for.
    const taken = await working.take(...all);
    if (isEnd) throw new Error("the answer was lost");
    isEnd = true;
    return taken;
  };
  assertEquals((await send("metered-token")).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 0));
  const [held, open] = [sum("held"), sum("open")];
  assertEquals([held, open], [0, 0]);
  store.take = take;
  assertEquals((await send("metered-token")).status, 200);
  await close();
  // The cost of the first was added twice, because nobody knows what became of it: never too little.
  assert(sum("spent") > 0);
  assertEquals(sum("held"), 0);
  assertEquals(await count("sluice_counts_lost_total"), 0);
});

Deno.test("a count that comes too late is taken back, because its request was not served with it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { store, working, send, sum } = gateway();
  const { take } = store;
  store.take = async (...all) => {
    await promise;
    return await working.take(...all);
  };
  assertEquals((await send("metered-token")).status, 503);
  store.take = take;
  resolve();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals([sum("rpm"), sum("open"), sum("held"), sum("spent")], [0, 0, 0, 0]);
});

Deno.test("amounts that wait are bounded, and those that no store takes before the end are counted and told", async () => {
  const lines: string[] = [];
  const outage = { allowed: 0, refused: 0, lost: 0 };
  const counters = sharedCounters({
    counters: { take: () => Promise.reject(new Error("down")) },
    now: Date.now,
    timer: Date.now,
    warn: (line) => void lines.push(line),
    outage,
  });
  for (let at = 0; at < 10_050; at++) {
    await counters.settle([{ key: `${at}`, amount: 1, ttlMs: 1e6 }], [{
      key: "held",
      amount: -1,
      ttlMs: 1e6,
    }]);
  }
  assertEquals(outage.lost, 50);
  await counters.close();
  assertEquals(outage.lost, 10_050);
  assertEquals(lines.length, 2);
  assertMatch(lines[1], /^10000 amounts of limits and budgets are lost/);
});
