/** Routes as clients meet them: `dynamic/{name}` at each door. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import {
  ask,
  before,
  clock,
  completion,
  events,
  type Explanation,
  message,
  messages,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";
import { conditional, end, model, percentage, rate, start, SUPPORT } from "../targets/routes/graphs.ts";

const KEYS = { openai: "sk-stored", groq: "gsk-stored", anthropic: "sk-ant-stored" };
const TOKEN = { authorization: "Bearer gateway-token" };
const PAID = { ...TOKEN, "cf-aig-metadata": JSON.stringify({ plan: "paid", user_id: "u1" }) };

/** A gateway with stored keys, a token and routes. */
function routing(
  routes: Options["routes"],
  answer: Parameters<typeof before>[0] = () => completion(),
  more: Partial<Options> = {},
) {
  const rows: LogEntry[] = [];
  const time = clock();
  const gateway = before(answer, {
    keys: KEYS,
    tokens: ["gateway-token"],
    log: (row) => rows.push(row),
    ...time.options,
    routes,
    ...more,
  });
  const chat = (name = "dynamic/support", headers: Record<string, string> = TOKEN, body: object = {}) =>
    gateway.fetch(ask(name, headers, body));
  return { ...gateway, rows, chat, time };
}

const hosts = (sent: { url: string }[]) => sent.map(({ url }) => new URL(url).host);
const errorOf = async (response: Response) => (await response.json()).error;

Deno.test("a route leads a chat to its model, and the answer and its row tell which", async () => {
  const { chat, sent, rows } = routing({ support: SUPPORT });
  const free = await chat();
  await free.text();
  assertEquals(sent.map(({ url, body }) => [url, JSON.parse(body).model]), [
    ["https://api.groq.com/openai/v1/chat/completions", "llama"],
  ]);
  const told = ["cf-aig-provider", "cf-aig-model", "cf-aig-routed-model", "cf-aig-step"];
  assertEquals(told.map((name) => free.headers.get(name)), ["groq", "llama", "groq/llama", "0"]);
  const paid = await chat("dynamic/support", PAID);
  await paid.text();
  assertEquals(paid.headers.get("cf-aig-routed-model"), "openai/gpt-6");
  assertEquals(rows.map(({ route, provider }) => [provider, route]), [
    ["groq", { name: "support", version: undefined, way: "start > c1 false > p1 90% > m1" }],
    ["openai", { name: "support", version: undefined, way: "start > c1 true > r1 success > m2" }],
  ]);
  const plain = await chat("openai/gpt-6");
  await plain.text();
  assertEquals(plain.headers.get("cf-aig-routed-model"), null);
  assertEquals(rows[2].route, undefined);
});

const M = model("m", "openai/gpt-6");
const DOORS: [door: string, request: () => Request, url: string][] = [
  [
    "messages",
    () => post("http://gateway.test/v1/messages", { model: "dynamic/groq", max_tokens: 5, messages }, TOKEN),
    "/chat/completions",
  ],
  [
    "responses",
    () => post("http://gateway.test/v1/responses", { model: "dynamic/a/b", input: "Hello" }, TOKEN),
    "/responses",
  ],
  [
    "completions",
    () => post("http://gateway.test/v1/completions", { model: "dynamic/a/b", prompt: "Hello" }, TOKEN),
    "/completions",
  ],
  [
    "embeddings",
    () => post("http://gateway.test/v1/embeddings", { model: "dynamic/a/b", input: "Hello" }, TOKEN),
    "/embeddings",
  ],
  ["compat", () => ask("dynamic/a/b", TOKEN), "/chat/completions"],
  ["a list of models", () => ask("demo/status-503", TOKEN, { models: ["dynamic/a/b"] }), "/chat/completions"],
  [
    "sluice-fallback",
    () => ask("demo/status-503", { ...TOKEN, "sluice-fallback": "dynamic/a/b" }),
    "/chat/completions",
  ],
  [
    "Cloudflare's REST",
    () =>
      post("http://gateway.test/client/v4/accounts/acct/ai/v1/chat/completions", {
        model: "dynamic/a/b",
        messages,
      }, TOKEN),
    "/chat/completions",
  ],
  [
    "run",
    () =>
      post("http://gateway.test/client/v4/accounts/acct/ai/run", {
        model: "dynamic/a/b",
        input: { messages },
      }, TOKEN),
    "/chat/completions",
  ],
  [
    "universal",
    () =>
      post(ROOT, [{
        provider: "compat",
        endpoint: "chat/completion",
        query: { model: "dynamic/a/b", messages },
      }], TOKEN),
    "/chat/completions",
  ],
  [
    "universal, embeddings",
    () =>
      post(ROOT, [{
        provider: "compat",
        endpoint: "embeddings",
        query: { model: "dynamic/a/b", input: "a" },
      }], TOKEN),
    "/embeddings",
  ],
  ["a name of the operator's", () => ask("fast", TOKEN), "/chat/completions"],
];

for (const [door, request, path] of DOORS) {
  Deno.test(`a route is followed at the door ${door}`, async () => {
    const answer = ({ url }: { url: string }) =>
      url.endsWith("/embeddings")
        ? Response.json({
          object: "list",
          data: [{ object: "embedding", index: 0, embedding: [1] }],
          model: "m",
        })
        : completion();
    const routes = { "a/b": [start("m"), M], groq: [start("m"), model("m", "groq/llama")] };
    const { fetch, sent } = routing(routes, answer, { models: { fast: "dynamic/a/b" } });
    const response = await fetch(request());
    assertEquals([response.status, sent.length], [200, 1], await response.text());
    assert(sent[0].url.endsWith(path), sent[0].url);
    assertStringIncludes(sent[0].headers.get("authorization")!, "sk-stored");
    assertStringIncludes("openai/gpt-6 groq/llama", response.headers.get("cf-aig-routed-model")!);
  });
}

Deno.test("a model that fails leads to the next one by its way `fallback`, in each format", async () => {
  const routes = {
    support: [start("m1"), model("m1", "openai/gpt-6", "m2"), model("m2", "anthropic/claude", "end"), end],
  };
  const { chat, sent, rows } = routing(
    routes,
    ({ url }) => url.includes("anthropic") ? message() : refusal(500),
  );
  const response = await chat();
  assertEquals((await response.json()).choices[0].message.content, "Hi");
  assertEquals(hosts(sent), ["api.openai.com", "api.anthropic.com"]);
  assertEquals(response.headers.get("cf-aig-step"), "1");
  assertEquals(rows[0].route?.way, "start > m1 fallback > m2");
});

Deno.test("a stream that fails before its content leads to the next model; one that began does not", async () => {
  const routes = { support: [start("m1"), model("m1", "openai/gpt-6", "m2"), model("m2", "groq/llama")] };
  const early = routing(routes, (_, at) => at === 0 ? events(new Error("broke")) : events(...STREAM));
  const response = await early.chat("dynamic/support", TOKEN, { stream: true });
  assertStringIncludes(await response.text(), "Hi");
  assertEquals(hosts(early.sent), ["api.openai.com", "api.groq.com"]);
  const late = routing(routes, () => events(...STREAM.slice(0, 2), new Error("broke")));
  await (await late.chat("dynamic/support", TOKEN, { stream: true })).text().catch(() => {});
  assertEquals(hosts(late.sent), ["api.openai.com"]);
});

Deno.test("a model's own retries and timeout win over the request's", async () => {
  const twice = { support: [start("m1"), model("m1", "openai/gpt-6", undefined, { retries: 2 })] };
  const { chat, sent, time } = routing(twice, () => refusal(503));
  const headers = { ...TOKEN, "cf-aig-max-attempts": "5", "cf-aig-retry-delay": "10" };
  assertEquals((await chat("dynamic/support", headers)).status, 503);
  assertEquals([sent.length, time.waits.length], [3, 2]);

  const none = routing(
    { support: [start("m1"), model("m1", "openai/gpt-6", undefined, { retries: 0 })] },
    () => refusal(503),
  );
  await none.chat("dynamic/support", headers);
  assertEquals(none.sent.length, 1);
  const usual = routing({ support: [start("m1"), model("m1", "openai/gpt-6")] }, () => refusal(503));
  await usual.chat("dynamic/support", headers);
  assertEquals(usual.sent.length, 5);
});

Deno.test("a model that is silent for its own timeout leads to the next one", async () => {
  const routes = {
    support: [start("m1"), model("m1", "openai/gpt-6", "m2", { timeout: 5 }), model("m2", "groq/llama")],
  };
  const { chat, sent } = routing(
    routes,
    ({ signal }, at) =>
      at > 0 ? completion() : new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  assertEquals((await chat()).status, 200);
  assertEquals(hosts(sent), ["api.openai.com", "api.groq.com"]);
});

Deno.test("the shares of a route follow the option random, anew for each request", async () => {
  const draws = [0, 0.29, 0.3, 0.79, 0.8, 0.999];
  const routes = {
    support: [
      start("p"),
      percentage("p", { "30%": "a", "50%": "b", "20%": "c" }),
      model("a", "openai/a"),
      model("b", "openai/b"),
      model("c", "openai/c"),
    ],
  };
  const { chat, sent } = routing(routes, () => completion(), { random: () => draws.shift()! });
  for (let left = draws.length; left > 0; left--) await (await chat()).text();
  assertEquals(sent.map(({ body }) => JSON.parse(body).model), ["a", "a", "b", "b", "c", "c"]);
});

Deno.test("conditions see the body, the headers and the metadata of the request, or of the universal step", async () => {
  const routes = {
    support: [
      start("body"),
      conditional("body", { "body.reasoning_effort": "high" }, "big", "header"),
      conditional("header", { "headers.x-team": "search" }, "big", "meta"),
      conditional("meta", { "metadata.tier": { $gte: 3 } }, "big", "small"),
      model("big", "openai/big"),
      model("small", "openai/small"),
    ],
  };
  const { chat, fetch, sent } = routing(routes);
  await chat();
  await chat("dynamic/support", TOKEN, { reasoning_effort: "high" });
  await chat("dynamic/support", { ...TOKEN, "x-team": "search" });
  await chat("dynamic/support", { ...TOKEN, "cf-aig-metadata": '{"tier": 3}' });
  await chat("dynamic/support", { ...TOKEN, "cf-aig-metadata": '{"tier": "3"}' });
  // A long body is not parsed as a whole.
  await chat("dynamic/support", TOKEN, { reasoning_effort: "high", user: "x".repeat(300_000) });
  const query = { model: "dynamic/support", messages };
  const step = {
    provider: "compat",
    endpoint: "chat/completions",
    headers: { "cf-aig-metadata": { tier: 9 } },
    query,
  };
  await fetch(post(ROOT, [step], TOKEN));
  const models = sent.map(({ body }) => JSON.parse(body).model);
  assertEquals(models, ["small", "big", "big", "big", "small", "big", "big"]);
});

Deno.test("the entries of a key lead its requests, whatever its holder writes into the metadata", async () => {
  const admin = "operator-0123456789";
  const { fetch, sent } = routing(
    {
      support: [
        start("c"),
        conditional("c", { "metadata.plan": "paid" }, "big", "r"),
        rate("r", 1, "small", "tiny"),
        model("big", "openai/big"),
        model("small", "openai/small"),
        model("tiny", "openai/tiny"),
      ],
    },
    undefined,
    { adminToken: admin },
  );
  const metadata = { plan: "free", user_id: "u1" };
  const made = await fetch(
    post("http://gateway.test/sluice/api/keys", { name: "a", metadata }, {
      authorization: `Bearer ${admin}`,
    }),
  );
  const { secret } = await made.json();
  for (const written of [undefined, { plan: "paid" }, { user_id: "u2" }]) {
    const headers: Record<string, string> = { authorization: `Bearer ${secret}` };
    if (written) headers["cf-aig-metadata"] = JSON.stringify(written);
    await (await fetch(ask("dynamic/support", headers))).text();
    await (await fetch(post(ROOT, [{
      provider: "compat",
      endpoint: "chat/completions",
      headers: written ? { "cf-aig-metadata": written } : {},
      query: { model: "dynamic/support", messages },
    }], headers))).text();
  }
  assertEquals(sent.map(({ body }) => JSON.parse(body).model), ["small", ...Array(5).fill("tiny")]);
});

Deno.test("a request is led to nothing by a route that does not exist, or that ends before a model", async () => {
  const routes = { support: [start("c"), conditional("c", { "metadata.plan": "paid" }, "m", "end"), M, end] };
  const { chat, sent, rows } = routing(routes);
  const missing = await chat("dynamic/suport");
  assertEquals(missing.status, 400);
  assertEquals(
    (await errorOf(missing)).message,
    'Cannot find the route "suport": the gateway has no route of that name; did you mean "dynamic/support"?',
  );
  const ended = await chat();
  const { message, param } = await errorOf(ended);
  assertEquals([ended.status, message, param], [
    400,
    'Cannot serve the request: the route "support" leads it to its end, and to no model',
    "model",
  ]);
  assertEquals([sent.length, rows.length], [0, 2]);
  const bare = routing({ support: [start("m"), M] });
  assertStringIncludes((await errorOf(await bare.chat("dynamic/"))).message, 'Cannot find the route ""');
});

Deno.test("a token for some models is 403 for a route that leads elsewhere, and nothing is sent", async () => {
  const tokens = [{ token: "gateway-token", models: ["groq/*"] }];
  const { chat, sent } = routing({ support: SUPPORT }, () => completion(), { tokens });
  assertEquals((await chat()).status, 200);
  const refused = await chat("dynamic/support", PAID);
  assertEquals(refused.status, 403);
  assertStringIncludes((await errorOf(refused)).message, '(the route "support" leads to it)');
  assertEquals(hosts(sent), ["api.groq.com"]);
});

Deno.test("a client's own key goes to the first model's provider only", async () => {
  const routes = { support: [start("m1"), model("m1", "openai/gpt-6", "m2"), model("m2", "groq/llama")] };
  const { fetch, sent } = before(() => refusal(500), { routes });
  await fetch(ask("dynamic/support", { authorization: "Bearer sk-own" }));
  assertEquals(sent.map(({ url, headers }) => [new URL(url).host, headers.get("authorization")]), [
    ["api.openai.com", "Bearer sk-own"],
    ["api.groq.com", null],
  ]);
});

Deno.test("sluice-explain shows each model that a route may lead to, with its way, and counts nothing", async () => {
  const { chat, sent } = routing({ support: SUPPORT });
  for (let at = 0; at < 5; at++) {
    const response = await chat("dynamic/support", { ...PAID, "sluice-explain": "true" });
    const { targets, ...about } = await response.json() as Explanation & { route: object };
    assertEquals(about.route, { name: "support", way: "start > c1 true > r1 success > m2" });
    assertEquals(targets.map(({ model, ...target }) => [model, (target as unknown as { way: string }).way]), [
      ["gpt-6", "start > c1 true > r1 success > m2"],
      ["llama", "start > c1 true > r1 success > m2 fallback > m1"],
      ["llama", "start > c1 true > r1 fallback > m1"],
    ]);
    assertEquals(targets[0].policies.maxAttempts, 3);
  }
  assertEquals(sent, []);
  assertEquals((await chat("dynamic/support", PAID)).headers.get("cf-aig-model"), "gpt-6");
});

Deno.test("routes stand in the list of models, and each can be asked for", async () => {
  const { fetch } = routing({ support: SUPPORT, "a/b": [start("m"), M] }, () => Response.json({ data: [] }), {
    models: { fast: "dynamic/support" },
  });
  const get = async (path: string) =>
    await (await fetch(new Request(`http://gateway.test/v1/models${path}`, { headers: TOKEN }))).json();
  const ids = (await get("")).data.map(({ id }: { id: string }) => id);
  assertEquals(["dynamic/support", "dynamic/a/b", "fast"].map((id) => ids.includes(id)), [true, true, true]);
  assertEquals((await get("/dynamic/a/b")).owned_by, "sluice");
  assertEquals((await get("/dynamic%2Fsupport")).id, "dynamic/support");
  assertEquals((await get("/dynamic/none")).error.code, "model_not_found");
});

Deno.test("a row of the operator's named dynamic comes before routes", async () => {
  const providers = { dynamic: { baseUrl: "https://dynamic.test" } };
  const { chat, sent } = routing({ support: SUPPORT }, () => completion(), {
    providers,
    tokens: undefined,
    keys: undefined,
  });
  assertEquals((await chat()).status, 200);
  assertEquals(sent[0].url, "https://dynamic.test/chat/completions");
});

Deno.test("a route among other models keeps its place, and both ways to one model", async () => {
  const routes = {
    support: [
      start("r"),
      rate("r", 0, "m1", "m2"),
      model("m1", "groq/llama", "m2"),
      model("m2", "openai/gpt-6"),
    ],
  };
  const { chat, sent } = routing(routes, () => refusal(500));
  await chat("groq/first", TOKEN, { models: ["dynamic/support", "openai/last"] });
  assertEquals(sent.map(({ body }) => JSON.parse(body).model), ["first", "gpt-6", "last"]);
});

Deno.test("cf-aig-step of a universal request is the place of the step that the client wrote", async () => {
  const routes = { support: [start("m1"), model("m1", "openai/gpt-6", "m2"), model("m2", "groq/llama")] };
  const models = { fast: ["openai/a", "groq/b"] };
  for (const name of ["dynamic/support", "fast"]) {
    const { fetch, rows } = routing(
      routes,
      ({ url }) => url.includes("api.openai") ? refusal(500) : completion(),
      { models },
    );
    const step = { provider: "compat", endpoint: "chat/completions", query: { model: name, messages } };
    const native = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt-6", messages } };
    for (const [steps, place] of [[[step], "0"], [[native, step], "1"]] as const) {
      for (const cached of [false, true]) {
        const response = await fetch(post(ROOT, steps, { ...TOKEN, "cf-aig-cache-key": "k" }));
        await response.text();
        assertEquals([response.status, response.headers.get("cf-aig-step")], [200, place], name);
        assertEquals(rows.at(-1)?.step, Number(place));
        if (name !== "fast") assertEquals(rows.at(-1)?.route?.way, "start > m1 fallback > m2");
        assertEquals(response.headers.get("cf-aig-cache-status"), cached ? "HIT" : "MISS");
      }
    }
  }
});
