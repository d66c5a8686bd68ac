import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import {
  ask,
  before,
  clock,
  completion,
  events,
  message,
  messages,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";
import { cacheStatus, read, twice } from "../../caches.ts";

type Answer = Parameters<typeof before>[0];
type Headers_ = Record<string, string>;

const TTL = { cache: { ttl: 3600 } };

Deno.test("an equal request gets the same bytes in one piece, and no provider is asked", async () => {
  for (const stream of [false, true]) {
    const time = clock();
    const { fetch, sent } = before(() => stream ? events(...STREAM) : completion(), {
      ...TTL,
      ...time.options,
    });
    const request = () => ask("openai/gpt-4.1", {}, { stream });
    const first = await fetch(request());
    const bytes = new Uint8Array(await first.arrayBuffer());
    time.pass(61_999);
    const second = await fetch(request());
    assertEquals([first, second].map(cacheStatus), ["MISS", "HIT"]);
    assertEquals([first.headers.get("age"), second.headers.get("age")], [null, "61"]);
    assertEquals(second.headers.get("content-type"), first.headers.get("content-type"));
    assertEquals(second.headers.get("x-accel-buffering"), stream ? "no" : null);
    const pieces = await Array.fromAsync(second.body!);
    assertEquals(pieces.length, 1);
    assertEquals(pieces[0], bytes);
    assertEquals(sent.length, 1);
  }
});

Deno.test("a cached answer has its own ids, and no id, limit or other header of the provider", async () => {
  const provider = {
    "x-request-id": "req_1",
    "x-ratelimit-remaining-requests": "9",
    "openai-organization": "org-1",
    "retry-after": "3",
    "x-custom": "1",
  };
  const { fetch } = before(() => {
    const answer = completion();
    for (const [name, value] of Object.entries(provider)) answer.headers.set(name, value);
    return answer;
  }, TTL);
  const [first, second] = await twice(fetch, () => ask("openai/gpt-4.1"));
  assertEquals(first.headers.get("x-request-id"), "req_1");
  for (const name of Object.keys(provider).slice(1)) assertEquals(second.headers.get(name), null, name);
  const id = second.headers.get("cf-aig-log-id");
  assertNotEquals(id, first.headers.get("cf-aig-log-id"));
  assertEquals(second.headers.get("x-request-id"), id);
  assertEquals(second.headers.get("cf-aig-provider"), "openai");
  assertEquals(second.headers.get("cf-aig-model"), "gpt-4.1");
});

Deno.test("a cached answer names the fields that were left out of the request", async () => {
  const { fetch } = before(() => message(), TTL);
  const [first, second] = await twice(fetch, () => ask("anthropic/claude-opus-5-5", {}, { seed: 7 }));
  assertEquals(first.headers.get("sluice-dropped"), "seed");
  assertEquals(second.headers.get("sluice-dropped"), "seed");
});

Deno.test("a request takes part by the gateway's time or by its own key, as at Cloudflare", async () => {
  const key = { "cf-aig-cache-key": "k" };
  const cases: [Options["cache"], Headers_, (string | null)[]][] = [
    [undefined, {}, [null, null]],
    [undefined, { "cf-aig-cache-ttl": "3600" }, [null, null]],
    [undefined, { "cf-aig-cache-key": "" }, [null, null]],
    [{ ttl: 0 }, {}, [null, null]],
    [undefined, key, ["MISS", "HIT"]],
    [{ ttl: 0 }, { ...key, "cf-aig-cache-ttl": "60" }, ["MISS", "HIT"]],
    [{ ttl: 60 }, {}, ["MISS", "HIT"]],
    [{ ttl: 60 }, { "cf-aig-cache-ttl": "0" }, [null, null]],
    [{ ttl: 60 }, { "cf-cache-ttl": "0" }, [null, null]],
    [{ ttl: 60 }, { "cf-aig-cache-ttl": "60", "cf-cache-ttl": "0" }, ["MISS", "HIT"]],
    [{ ttl: 60 }, { "cf-aig-cache-ttl": "", "cf-cache-ttl": "0" }, [null, null]],
    [{ ttl: 60 }, { "cf-aig-skip-cache": "true" }, [null, null]],
    [{ ttl: 60 }, { "cf-skip-cache": "True" }, [null, null]],
    [{ ttl: 60 }, { "cf-aig-skip-cache": "false" }, ["MISS", "HIT"]],
    [{ ttl: 60 }, { "cf-aig-skip-cache": "false", "cf-skip-cache": "true" }, ["MISS", "HIT"]],
    [undefined, { ...key, "cf-aig-cache-ttl": "0" }, [null, null]],
    [undefined, { ...key, "cf-aig-skip-cache": "true" }, [null, null]],
    [{ ttl: 60, maxBytes: 0 }, key, [null, null]],
  ];
  for (const [cache, headers, statuses] of cases) {
    const { fetch, sent } = before(() => completion(), { cache });
    const answers = await twice(fetch, () => ask("openai/gpt-4.1", headers));
    assertEquals(answers.map(cacheStatus), statuses, JSON.stringify([cache, headers]));
    assertEquals(sent.length, statuses[1] === "HIT" ? 1 : 2);
  }
});

Deno.test("a request that skips the cache neither reads nor writes it", async () => {
  const { fetch, sent } = before((_, at) => completion(`${at}`), TTL);
  const skipping = () => ask("openai/gpt-4.1", { "cf-aig-skip-cache": "true" });
  assertStringIncludes(await read(fetch(skipping())), '"0"');
  assertStringIncludes(await read(fetch(ask("openai/gpt-4.1"))), '"1"');
  assertStringIncludes(await read(fetch(skipping())), '"2"');
  assertStringIncludes(await read(fetch(ask("openai/gpt-4.1"))), '"1"');
  assertEquals(sent.length, 3);
});

Deno.test("an answer is kept for the time of the header, else of the gateway, else for five minutes", async () => {
  const key = { "cf-aig-cache-key": "k" };
  const cases: [number, Headers_, number][] = [
    [0, key, 300],
    [0, { ...key, "cf-aig-cache-ttl": "60" }, 60],
    [0, { ...key, "cf-cache-ttl": " 120 " }, 120],
    [90, {}, 90],
    [90, key, 90],
    [90, { "cf-aig-cache-ttl": "600" }, 600],
    [90, { "cf-aig-cache-ttl": "2678400" }, 2_678_400],
  ];
  for (const [ttl, headers, seconds] of cases) {
    const time = clock();
    const { fetch } = before(() => completion(), { cache: { ttl }, ...time.options });
    const once = async () => {
      const answer = await fetch(ask("openai/gpt-4.1", headers));
      await answer.text();
      return cacheStatus(answer);
    };
    const name = JSON.stringify([ttl, headers]);
    assertEquals(await once(), "MISS", name);
    time.pass(1000 * seconds - 1);
    assertEquals(await once(), "HIT", name);
    time.pass(1);
    assertEquals(await once(), "MISS", name);
  }
});

Deno.test("a time or a switch that means nothing is 400 if the request takes part, and is ignored if it does not", async () => {
  const times = [
    "-1",
    "NaN",
    "1",
    "59",
    "2678401",
    "1e3",
    "60.5",
    "Infinity",
    "9".repeat(400),
    "60, 60",
    "0x3c",
  ];
  const cases: [string, string][] = [
    ...times.map((value): [string, string] => ["cf-aig-cache-ttl", value]),
    ["cf-cache-ttl", "59"],
    ["cf-aig-skip-cache", "perhaps"],
    ["cf-skip-cache", "2"],
  ];
  for (const [name, value] of cases) {
    const { fetch, sent } = before(() => completion());
    const bad = await fetch(ask("openai/gpt-4.1", { "cf-aig-cache-key": "k", [name]: value }));
    const { error } = await bad.json();
    assertEquals([bad.status, error.param, sent.length, cacheStatus(bad)], [400, name, 0, null], value);
    assertStringIncludes(error.message, `${name} must be`);
    const apart = await fetch(ask("openai/gpt-4.1", { [name]: value }));
    assertEquals([(await apart.text()).length > 0, apart.status], [true, 200]);
  }
});

Deno.test("the option cache is refused with a time out of bounds", () => {
  for (const ttl of [59, -1, NaN, 60.5, 2_678_401, Infinity]) {
    let told = "";
    try {
      createGateway({ cache: { ttl } });
    } catch (error) {
      told = (error as Error).message;
    }
    assertStringIncludes(told, "Cannot use option cache.ttl: ", `${ttl}`);
  }
});

/** Each pair of requests differs in something that the answer depends on. */
const APART: Record<string, [Request, Request]> = {
  "the body": [ask("openai/gpt-4.1"), ask("openai/gpt-4.1", {}, { temperature: 1 })],
  "blanks of the body": [
    post(
      `${ROOT}/compat/chat/completions`,
      `{"model":"openai/gpt-4.1","messages":${JSON.stringify(messages)}}`,
    ),
    post(
      `${ROOT}/compat/chat/completions`,
      `{"model":"openai/gpt-4.1", "messages":${JSON.stringify(messages)}}`,
    ),
  ],
  "the model, with one key": [
    ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" }),
    ask("openai/gpt-4.1-mini", { "cf-aig-cache-key": "k" }),
  ],
  "the provider, with one key": [
    ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" }),
    ask("groq/gpt-4.1", { "cf-aig-cache-key": "k" }),
  ],
  "the stream, with one key": [
    ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" }),
    ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" }, { stream: true }),
  ],
  "the key": [
    ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" }),
    ask("openai/gpt-4.1", { "cf-aig-cache-key": "k2" }),
  ],
  "a key, and a body that is the same text": [
    ask("openai/gpt-4.1", { "cf-aig-cache-key": JSON.stringify({ a: 1 }) }),
    ask("openai/gpt-4.1"),
  ],
  "the fallback": [
    ask("openai/gpt-4.1"),
    ask("openai/gpt-4.1", { "sluice-fallback": "groq/gpt-4.1" }),
  ],
  "the betas": [
    ask("openai/gpt-4.1"),
    ask("openai/gpt-4.1", { "openai-beta": "x=v1" }),
  ],
  "the account": [
    ask("openai/gpt-4.1"),
    post("http://gateway.test/v1/other/gw/compat/chat/completions", { model: "openai/gpt-4.1", messages }),
  ],
};

for (const [what, [one, other]] of Object.entries(APART)) {
  Deno.test(`requests that differ in ${what} do not share an answer`, async () => {
    const { fetch, sent } = before(
      ({ body }) => body.includes('"stream":true') ? events(...STREAM) : completion(),
      TTL,
    );
    await read(fetch(one.clone()));
    const second = await fetch(other.clone());
    await second.text();
    assertEquals([cacheStatus(second), sent.length], ["MISS", 2]);
    const again = await fetch(one.clone());
    await again.text();
    assertEquals([cacheStatus(again), sent.length], ["HIT", 2]);
  });
}

Deno.test("one key stands for any body, and metadata or ids are no part of a key", async () => {
  const { fetch, sent } = before(() => completion(), TTL);
  await read(fetch(ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" })));
  const other = await fetch(ask("openai/gpt-4.1", { "cf-aig-cache-key": "k" }, { temperature: 1 }));
  assertEquals(cacheStatus(other), "HIT");
  await other.text();
  await read(fetch(ask("openai/gpt-4.1", { "cf-aig-metadata": '{"user":"a"}', "cf-aig-event-id": "1" })));
  const headers = {
    "cf-aig-metadata": '{"user":"b"}',
    "cf-aig-event-id": "2",
    "x-stainless-retry-count": "1",
    "traceparent": "00-1-2-00",
    "idempotency-key": "7",
    "user-agent": "other",
  };
  const same = await fetch(ask("openai/gpt-4.1", headers));
  await same.text();
  assertEquals([cacheStatus(same), same.headers.get("cf-aig-event-id"), sent.length], ["HIT", "2", 2]);
});

// ---------------------------------------------------------------- tenants

const BEARER = (key: string) => ({ authorization: `Bearer ${key}` });
const TOKENS = {
  tokens: [{ token: "token-a", name: "a" }, { token: "token-b", name: "b" }, "token-c", "token-d"],
  tokenRequired: false,
  keys: { openai: "sk-stored" },
} satisfies Options;

/** Pairs of clients that must not get each other's answers. */
const STRANGERS: Record<string, [Headers_, Headers_, Options?]> = {
  "two keys": [BEARER("sk-1"), BEARER("sk-2")],
  "a key and none": [BEARER("sk-1"), {}],
  "a key in two headers": [BEARER("sk-1"), { "x-api-key": "sk-1" }],
  "two credentials in a header of their own": [{ "helicone-auth": "a" }, { "helicone-auth": "b" }],
  "two organizations": [
    { ...BEARER("sk-1"), "openai-organization": "org-1" },
    { ...BEARER("sk-1"), "openai-organization": "org-2" },
  ],
  "two named tokens": [BEARER("token-a"), BEARER("token-b"), TOKENS],
  "two tokens without names": [BEARER("token-c"), BEARER("token-d"), TOKENS],
  "a token and a client without one": [BEARER("token-a"), {}, TOKENS],
  "one token with two keys": [
    { "cf-aig-authorization": "Bearer token-a", ...BEARER("sk-1") },
    { "cf-aig-authorization": "Bearer token-a", ...BEARER("sk-2") },
    TOKENS,
  ],
  "one token with two aliases of stored keys": [
    { ...BEARER("token-a"), "cf-aig-byok-alias": "one" },
    { ...BEARER("token-a"), "cf-aig-byok-alias": "two" },
    { ...TOKENS, keys: { openai: { one: "sk-1", two: "sk-2" } } },
  ],
};

for (const [who, [one, other, options]] of Object.entries(STRANGERS)) {
  Deno.test(`${who} do not share answers, with the gateway's time or with one key`, async () => {
    for (const key of [{}, { "cf-aig-cache-key": "k" }] as Headers_[]) {
      const { fetch } = before(() => completion("private"), { ...TTL, ...options });
      const [first] = await twice(fetch, () => ask("openai/gpt-4.1", { ...one, ...key }));
      assertEquals([first.status, cacheStatus(first)], [200, "MISS"]);
      const second = await fetch(ask("openai/gpt-4.1", { ...other, ...key }));
      await second.text();
      assertEquals(cacheStatus(second), "MISS");
    }
  });
}

Deno.test("a client without a token gets no answer that the program itself has asked for", async () => {
  const { fetch, call } = before(() => completion("private"), { ...TTL, keys: { openai: "sk-stored" } });
  await read(call(ask("openai/gpt-4.1")));
  const inside = await call(ask("openai/gpt-4.1"));
  assertEquals(cacheStatus(inside), "HIT");
  await inside.text();
  const outside = await fetch(ask("openai/gpt-4.1"));
  assertEquals(outside.status, 401);
  await outside.text();
});

Deno.test("a token that does not open a provider opens no cached answer of it, not even a shared one", async () => {
  const { fetch } = before(() => completion("private"), {
    cache: { ttl: 60, shared: true },
    tokens: ["token-all", { token: "token-demo", providers: ["demo"] }],
    keys: { openai: "sk-stored" },
  });
  await read(fetch(ask("openai/gpt-4.1", BEARER("token-all"))));
  const refused = await fetch(ask("openai/gpt-4.1", BEARER("token-demo")));
  assertEquals([refused.status, cacheStatus(refused)], [401, null]);
  await refused.text();
});

Deno.test("with cache.shared all clients share answers, but no two gateways do", async () => {
  const { fetch, sent } = before(() => completion(), { cache: { ttl: 60, shared: true } });
  await read(fetch(ask("openai/gpt-4.1", BEARER("sk-1"))));
  const other = await fetch(ask("openai/gpt-4.1", BEARER("sk-2")));
  await other.text();
  assertEquals([cacheStatus(other), sent.length], ["HIT", 1]);
  const { url, headers } = ask("openai/gpt-4.1", BEARER("sk-1"));
  const elsewhere = await fetch(
    new Request(url.replace("/gw/", "/gw2/"), {
      method: "POST",
      headers,
      body: await ask("openai/gpt-4.1").text(),
    }),
  );
  await elsewhere.text();
  assertEquals([cacheStatus(elsewhere), sent.length], ["MISS", 2]);
});

// ---------------------------------------------------------------- several targets

Deno.test("a request that cannot be written is refused as without a cache, and counts for no limit", async () => {
  const options = {
    strict: true,
    tokens: [{ token: "metered-token", limits: { rpm: 1 } }],
    keys: { mistral: "stored-key" },
  };
  const answers = [{}, TTL].map(async (cache) => {
    const { fetch, sent } = before(() => completion(), { ...options, ...cache });
    const refused = await fetch(ask("mistral/m", BEARER("metered-token"), { user: "u1" }));
    const { status, headers } = refused;
    const body = await refused.json();
    // The limit is not used up.
    const next = await fetch(ask("mistral/m", BEARER("metered-token")));
    await next.text();
    return [status, headers.get("cf-aig-cache-status"), body, next.status, sent.length];
  });
  const [without, withCache] = await Promise.all(answers);
  assertEquals(without.slice(0, 2), [400, null]);
  assertEquals(withCache, without);
  assertEquals(withCache.slice(3), [200, 1]);
});

Deno.test("the answer of a fallback is kept for the whole list, and tells its own step", async () => {
  const { fetch, sent } = before(({ url }) => url.includes("groq") ? completion("b") : refusal(503), TTL);
  const headers = { "sluice-fallback": "groq/m" };
  const [first, second] = await twice(fetch, () => ask("openai/m", headers));
  assertEquals([cacheStatus(first), cacheStatus(second), sent.length], ["MISS", "HIT", 2]);
  for (const name of ["cf-aig-step", "cf-aig-provider", "cf-aig-model"]) {
    assertEquals(second.headers.get(name), first.headers.get(name), name);
  }
  assertEquals(second.headers.get("cf-aig-step"), "1");
});

Deno.test("a cached answer comes before any retry, timeout or fallback, and counts as no try", async () => {
  const rows: LogEntry[] = [];
  const { fetch } = before(() => completion(), { ...TTL, log: (row) => rows.push(row) });
  const headers = {
    "cf-aig-max-attempts": "5",
    "cf-aig-request-timeout": "1000",
    "sluice-fallback": "groq/m",
  };
  await twice(fetch, () => ask("openai/m", headers));
  assertEquals(rows.map(({ tries, attempts, cached, level }) => [tries, attempts?.length, cached, level]), [
    [1, 1, undefined, "info"],
    [0, undefined, true, "info"],
  ]);
});

// ---------------------------------------------------------------- rows and costs

Deno.test("the row of a cached answer has its tokens, costs nothing, and says that it is cached", async () => {
  for (const stream of [false, true]) {
    const rows: LogEntry[] = [];
    const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
    const last = `data: ${
      JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [], usage })
    }\n\n`;
    const whole = async () => ({ ...await completion().json(), usage });
    const answer: Answer = async () =>
      stream ? events(...STREAM.slice(0, 3), last, STREAM[3]) : Response.json(await whole());
    const { fetch } = before(answer, { ...TTL, logs: true, log: (row) => rows.push(row) });
    const custom = { "cf-aig-custom-cost": '{"per_token_in":1,"per_token_out":1}' };
    const [first, second] = await twice(fetch, () => ask("openai/gpt-4.1", custom, { stream }));
    assertEquals(first.headers.get("sluice-cost"), stream ? null : "13; estimate; price=header");
    assertEquals(second.headers.get("sluice-cost"), "0");
    assertEquals(
      rows.map((
        { cached, cost, price, inputTokens, outputTokens, finishReason, stream, provider, model },
      ) => ({
        ...{ cached, cost, price, inputTokens, outputTokens, finishReason, stream, provider, model },
      })),
      [{ cost: 13, price: "header" as const }, { cached: true as const, cost: 0 }].map((own) => ({
        ...{
          cached: undefined,
          price: undefined,
          inputTokens: 9,
          outputTokens: 4,
          finishReason: "stop",
          stream,
        },
        ...{ provider: "openai", model: "gpt-4.1" },
        ...own,
      })),
    );
    assertEquals(rows[1].id, second.headers.get("cf-aig-log-id"));
    assertEquals(rows[1].upstreamId, undefined);
  }
});

Deno.test("/metrics counts hits and misses, and the cost of a hit is 0", async () => {
  const { fetch } = before(() => completion(), { ...TTL, metrics: { token: "scraper-0123456789" } });
  for (let at = 0; at < 3; at++) await read(fetch(ask("openai/gpt-4.1")));
  await read(fetch(ask("openai/gpt-4.1", { "cf-aig-skip-cache": "true" })));
  await new Promise((resolve) => setTimeout(resolve, 0));
  const text = await read(
    fetch(
      new Request("http://gateway.test/metrics", {
        headers: { authorization: "Bearer scraper-0123456789" },
      }),
    ),
  );
  assertStringIncludes(text, 'sluice_cache_total{status="hit"} 2\n');
  assertStringIncludes(text, 'sluice_cache_total{status="miss"} 1\n');
  const [, cost] = /^sluice_cost_usd_total\{.*\} (.*)$/m.exec(text)!;
  // Two requests that were answered by the provider, of one token in and one out.
  assertEquals(Number(cost), 2 * 0.00001);
});

Deno.test("a line of the console says that an answer was cached", async () => {
  const { textLine } = await import("../../../gateway/log/line.ts");
  const rows: LogEntry[] = [];
  const { fetch } = before(() => completion(), { ...TTL, log: (row) => rows.push(row) });
  await twice(fetch, () => ask("openai/gpt-4.1"));
  assertEquals(rows.map((row) => / cached$/.test(textLine(row, false))), [false, true]);
});

// ---------------------------------------------------------------- the operator

const ADMIN = "operator-0123456789";
const operator = (method: string, token = ADMIN) =>
  new Request("http://gateway.test/sluice/api/cache", { method, headers: BEARER(token) });

Deno.test("DELETE /sluice/api/cache makes all answers unreachable, for the operator only", async () => {
  const { fetch } = before(() => completion(), {
    ...TTL,
    adminToken: ADMIN,
    tokens: ["token-a"],
    keys: { openai: "k" },
  });
  const once = async () => {
    const answer = await fetch(ask("openai/gpt-4.1", BEARER("token-a")));
    await answer.text();
    return cacheStatus(answer);
  };
  assertEquals([await once(), await once()], ["MISS", "HIT"]);
  for (const token of ["token-a", "nobody", ""]) {
    const refused = await fetch(operator("DELETE", token));
    await refused.text();
    assertEquals(refused.status, 401);
  }
  assertEquals(await once(), "HIT");
  const cleared = await fetch(operator("DELETE"));
  assertEquals([cleared.status, await cleared.json()], [200, { cleared: true }]);
  assertEquals([await once(), await once()], ["MISS", "HIT"]);
  const view = await (await fetch(operator("GET"))).json();
  assertEquals(view, { ttl: 3600, shared: false, hits: 3, misses: 2, stored: 2, failures: 0 });
  const posted = await fetch(operator("POST"));
  await posted.text();
  assertEquals(posted.status, 405);
});

Deno.test("an answer that began before the cache was cleared is not kept", async () => {
  const begun = Promise.withResolvers<void>(), go = Promise.withResolvers<void>();
  const { fetch } = before(async (_, at) => {
    begun.resolve();
    if (at === 0) await go.promise;
    return completion();
  }, { ...TTL, adminToken: ADMIN });
  const first = read(fetch(ask("openai/gpt-4.1")));
  await begun.promise;
  await read(fetch(operator("DELETE")));
  go.resolve();
  await first;
  const second = await fetch(ask("openai/gpt-4.1"));
  await second.text();
  assertEquals(cacheStatus(second), "MISS");
});

Deno.test("the operator's path is 404 if the cache is turned off", async () => {
  const { fetch } = before(() => completion(), { adminToken: ADMIN, cache: { maxBytes: 0 } });
  const answer = await fetch(operator("DELETE"));
  assertEquals(answer.status, 404);
  assert((await answer.text()).includes("cache.maxBytes"));
});

Deno.test("a cached answer counts for no limit, and is sent to a token that has reached its limit", async () => {
  const { fetch } = before(() => completion(), {
    ...TTL,
    tokens: [{ token: "token-a", limits: { rpm: 1 } }],
  });
  const asked = async (more: object = {}) => {
    const answer = await fetch(ask("openai/gpt-4.1", { ...BEARER("token-a"), "x-api-key": "sk-1" }, more));
    await answer.text();
    return [answer.status, cacheStatus(answer)];
  };
  assertEquals(await asked(), [200, "MISS"]);
  for (let at = 0; at < 3; at++) assertEquals(await asked(), [200, "HIT"]);
  assertEquals(await asked({ seed: 1 }), [429, "MISS"]);
});
