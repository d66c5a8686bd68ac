import { assert, assertEquals, assertStringIncludes } from "@std/assert";
// @ts-types="./prom2javascript.d.ts"
import { getMetricsFromIterator } from "npm:prom2javascript@0.2.0";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, chunk, completion, events, nothing, post, refusal } from "../../fakes.ts";

const ADMIN = "operator-0123456789", SCRAPE = "scraper-0123456789", TOKEN = "gateway-token-1";

type Answer = Parameters<typeof before>[0];

function scene(answer: Answer = () => completion(), options: Options = {}) {
  const gateway = before(answer, { metrics: { token: SCRAPE }, ...options });
  const get = (token = SCRAPE, headers: Record<string, string> = {}, method = "GET") =>
    gateway.fetch(
      new Request("http://gateway.test/metrics", {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
      }),
    );
  const text = async () => (await get()).text();
  return { ...gateway, get, text };
}

type Labels = Record<string, string>;

/** A family as a parser reads it. The parser throws for a line that it cannot read, and for a histogram that does not add up. */
async function read(text: string, name: string) {
  assert(text.endsWith("\n"));
  const family = (await getMetricsFromIterator(text.split("\n").values()))[name];
  assert(family, `there is no ${name}`);
  return family;
}

async function valuesOf(text: string, name: string, wanted: Labels = {}): Promise<number[]> {
  const { data } = await read(text, name);
  return data.filter(({ labels }) =>
    Object.entries(wanted).every(([label, value]) => labels[label] === value)
  )
    .map(({ value }) => value!);
}

/** The labels of a family's series. */
const labelsIn = async (text: string, name: string) =>
  (await read(text, name)).data.map(({ labels }) => labels);

/** Waits until the answer has ended and its row is counted. */
const done = async (response: Promise<Response>) => {
  await (await response).text();
  await new Promise((resolve) => setTimeout(resolve, 0));
};

Deno.test("/metrics opens for the token for metrics and for the operator's, and does not exist without either", async () => {
  const { get, fetch } = scene(undefined, { adminToken: ADMIN, tokens: [TOKEN] });
  for (const token of [SCRAPE, ADMIN]) {
    const answer = await get(token);
    assertEquals(
      [answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control")],
      [200, "text/plain; version=0.0.4; charset=utf-8", "no-store"],
    );
  }
  for (const token of [TOKEN, "", `${SCRAPE}x`, SCRAPE.slice(1)]) {
    assertEquals((await get(token)).status, 401, token);
  }
  assertEquals((await get(SCRAPE, {}, "POST")).status, 405);
  assertEquals((await get(SCRAPE, {}, "HEAD")).status, 200);
  // It opens nothing else.
  for (
    const path of ["sluice/api/logs", "sluice/api/stats", "client/v4/accounts/a/ai-gateway/gateways/g/logs"]
  ) {
    const request = new Request(`http://gateway.test/${path}`, {
      headers: { authorization: `Bearer ${SCRAPE}` },
    });
    assertEquals((await fetch(request)).status, 401, path);
  }
  for (const options of [{}, { logs: true }, { metrics: {} }]) {
    const closed = createGateway(options);
    const answer = await closed.fetch(new Request("http://gateway.test/metrics"));
    assertEquals(answer.status, 404);
    assertStringIncludes(await answer.text(), "SLUICE_METRICS_TOKEN");
  }
  const own = await createGateway({ metrics: {} }).call(new Request("http://gateway.test/metrics"));
  assertEquals(own.status, 200);
});

Deno.test("the token for metrics opens no model and reaches no provider", async () => {
  const { fetch, sent } = scene(() => completion(), {
    keys: { openai: "sk-1" },
    tokens: [TOKEN],
    tokenRequired: false,
  });
  const headers: Labels[] = [
    { authorization: `Bearer ${SCRAPE}` },
    { "cf-aig-authorization": SCRAPE },
    { "x-api-key": SCRAPE },
    { "cf-aig-authorization": TOKEN, authorization: `Bearer ${SCRAPE}` },
  ];
  for (const header of headers) {
    const answer = await fetch(ask("openai/gpt-4o", header));
    assertEquals(answer.status, 401);
    assertStringIncludes(await answer.text(), "the token for metrics opens no model");
  }
  await (await fetch(ask("openai/gpt-4o", { "cf-aig-authorization": TOKEN, "x-note": SCRAPE }))).text();
  assertEquals([sent.length, sent[0].headers.get("x-note")], [1, null]);
});

Deno.test("a page of another origin cannot read /metrics", async () => {
  const { get } = scene(undefined, { origins: ["https://app.example"] });
  const answer = await get(SCRAPE, { origin: "https://app.example" });
  assertEquals([answer.status, answer.headers.get("access-control-allow-origin")], [200, null]);
  const asked = await get(
    SCRAPE,
    { origin: "https://app.example", "access-control-request-method": "GET" },
    "OPTIONS",
  );
  assertEquals(asked.headers.get("access-control-allow-origin"), null);
});

Deno.test("a request is counted with Envoy AI Gateway's names and labels, and with Sluice's own", async () => {
  let at = 0;
  const { fetch, text } = scene((_, turn) => {
    at += 1500;
    return turn === 0 ? completion() : refusal(429);
  }, {
    now: () => at,
    tokens: [{ token: TOKEN, name: "team a" }],
    prices: { "openai/gpt": { input: 1e6, output: 2e6 } },
  });
  const own = { "cf-aig-authorization": TOKEN, authorization: "Bearer sk-1" };
  await done(fetch(ask("openai/gpt", own)));
  await done(fetch(ask("openai/gpt", own)));
  const told = await text();
  const envoy = {
    gen_ai_operation_name: "chat",
    gen_ai_provider_name: "openai",
    gen_ai_request_model: "gpt",
    gen_ai_response_model: "m",
  };
  const [usage] = (await read(told, "gen_ai_client_token_usage_token")).data;
  assertEquals(usage.labels, { ...envoy, gen_ai_token_type: "input" });
  assertEquals([usage.count, usage.sum, usage.buckets!["1"], usage.buckets!["+Inf"]], [1, 1, 1, 1]);
  const { type, data: [good, failed] } = await read(told, "gen_ai_server_request_duration_seconds");
  assertEquals([type, good.labels, good.sum, good.count], ["histogram", envoy, 1.5, 1]);
  // Steps add up: 1.5 s is in each step from 1.8 s on.
  assertEquals([good.buckets!["1"], good.buckets!["1.8"], good.buckets!["320"]], [0, 1, 1]);
  assertEquals(failed.labels, { ...envoy, gen_ai_response_model: "unknown", error_type: "429" });
  const labels = { provider: "openai", model: "gpt", gateway: "acct/gw", token: "team a" };
  assertEquals(await valuesOf(told, "sluice_requests_total", { ...labels, status: "200" }), [1]);
  assertEquals(await valuesOf(told, "sluice_requests_total", { ...labels, status: "429" }), [1]);
  assertEquals(await valuesOf(told, "sluice_tokens_total", { ...labels, type: "output" }), [1]);
  assertEquals(await valuesOf(told, "sluice_cost_usd_total", labels), [3]);
  assertEquals(await valuesOf(told, "sluice_tries_total", { provider: "openai", status: "429" }), [1]);
  assertEquals(await valuesOf(told, "sluice_log_dropped_total"), [0]);
  assertEquals(await valuesOf(told, "sluice_store_errors_total"), [0]);
});

Deno.test("a stream has the time to its first token and for each later one", async () => {
  let at = 0;
  const usage = `data: ${
    JSON.stringify({
      id: "x",
      choices: [],
      usage: { prompt_tokens: 4, completion_tokens: 11, total_tokens: 15 },
    })
  }\n\n`;
  const { fetch, text } = scene(() => {
    const part = (text: string, ms: number) => Promise.resolve().then(() => void (at += ms)).then(() => text);
    return new Response(
      ReadableStream.from((async function* () {
        yield await part(chunk({ content: "Hi" }), 200);
        yield await part(usage, 1000);
        yield "data: [DONE]\n\n";
      })()).pipeThrough(new TextEncoderStream()),
      { headers: { "content-type": "text/event-stream" } },
    );
  }, { now: () => at });
  await done(fetch(ask("openai/gpt", {}, { stream: true })));
  const told = await text();
  const [first] = (await read(told, "gen_ai_server_time_to_first_token_seconds")).data;
  const [each] = (await read(told, "gen_ai_server_time_per_output_token_seconds")).data;
  assertEquals([first.sum, each.sum], [0.2, 0.1]);
});

Deno.test("operations are told by paths", async () => {
  const vectors = {
    object: "list",
    model: "e",
    data: [{ object: "embedding", index: 0, embedding: [0] }],
    usage: { prompt_tokens: 1, total_tokens: 1 },
  };
  const { fetch, text } = scene(({ url }) =>
    url.endsWith("/embeddings") ? Response.json(vectors) : completion()
  );
  const model = "gpt", messages = [{ role: "user", content: "Hi" }];
  const requests: [operation: string, path: string, body: unknown][] = [
    ["chat", "/v1/responses", { model: "openai/gpt", input: "Hi" }],
    ["chat", "/v1/acct/gw", [{
      provider: "openai",
      endpoint: "chat/completions",
      query: { model, messages },
    }]],
    ["embeddings", "/v1/embeddings", { model: "openai/e", input: "Hi" }],
    ["embeddings", "/client/v4/accounts/a/ai/run", { model: "openai/embed-1", input: { input: "Hi" } }],
    ["text_completion", "/v1/completions", { model: "openai/gpt", prompt: "Hi" }],
    ["generate_content", "/v1/a/g/google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent", {}],
    ["embeddings", "/v1/a/g/google-ai-studio/v1beta/models/e%3AembedContent/", {}],
    ["count_tokens", "/v1/a/g/anthropic/v1/messages/count_tokens", {}],
    ["other", "/v1/a/g/openai/files", {}],
  ];
  let before = new Map<string, number>();
  for (const [operation, path, body] of requests) {
    await done(fetch(post(`http://gateway.test${path}`, body)));
    const now = new Map<string, number>();
    const { data } = await read(await text(), "gen_ai_server_request_duration_seconds");
    for (const { labels: { gen_ai_operation_name: name }, count } of data) {
      now.set(name, (now.get(name) ?? 0) + count!);
    }
    const grown = [...now].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name);
    assertEquals(grown, [operation], path);
    before = now;
  }
});

Deno.test("names that clients make up become labels only after a success, and then only so many", async () => {
  const { fetch, text } = scene(({ body }) => body.includes("bad") ? refusal(404) : completion());
  for (let at = 0; at < 3; at++) await done(fetch(ask(`openai/bad-${at}`)));
  assertEquals(await valuesOf(await text(), "sluice_requests_total", { model: "other" }), [3]);
  for (let at = 0; at < 220; at++) await done(fetch(ask(`openai/m-${at}`)));
  await done(fetch(ask("openai/m-0")));
  const told = await text();
  const models = new Set((await labelsIn(told, "sluice_requests_total")).map(({ model }) => model));
  assertEquals([models.size, models.has("m-199"), models.has("m-200")], [201, true, false]);
  assertEquals(await valuesOf(told, "sluice_requests_total", { model: "m-0", status: "200" }), [2]);
  // The gateway's name is the client's too.
  for (let at = 0; at < 60; at++) {
    await done(
      fetch(
        post(`http://gateway.test/v1/a/g${at}/compat/chat/completions`, {
          model: "openai/m-0",
          messages: [{ role: "user", content: "Hi" }],
        }),
      ),
    );
  }
  const gateways = new Set(
    (await labelsIn(await text(), "sluice_requests_total")).map(({ gateway }) => gateway),
  );
  // With `default`, which has no series yet, 50 are told apart.
  assertEquals([gateways.size, gateways.has("other")], [50, true]);
});

Deno.test("a family with many sets of labels counts further ones together, and loses none", async () => {
  const { fetch, text } = scene(() => completion());
  for (let at = 0; at < 30; at++) {
    for (let gateway = 0; gateway < 20; gateway++) {
      const url = `http://gateway.test/v1/a/g${gateway}/compat/chat/completions`;
      await (await fetch(post(url, { model: `openai/m-${at}`, messages: [{ role: "user", content: "Hi" }] })))
        .text();
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  const told = await text();
  const values = await valuesOf(told, "sluice_requests_total");
  assertEquals([values.length, values.reduce((sum, value) => sum + value, 0)], [501, 600]);
  assertEquals(
    await valuesOf(told, "sluice_requests_total", { provider: "openai", model: "other", gateway: "other" }),
    [100],
  );
});

Deno.test("keys of metadata become labels if the operator names them", async () => {
  const { fetch, text } = scene(() => completion(), {
    metrics: { token: SCRAPE, labels: ["team", "cost-center"] },
  });
  const as = (metadata: object) => ask("openai/gpt", { "cf-aig-metadata": JSON.stringify(metadata) });
  await done(fetch(as({ team: 'a "b" \\ \n c', "cost-center": 7, user: "u" })));
  await done(fetch(as({ user: "u" })));
  const [one, two] = await labelsIn(await text(), "sluice_requests_total");
  const labels = { provider: "openai", model: "gpt", gateway: "acct/gw", status: "200" };
  assertEquals([one, two], [{ ...labels, team: 'a "b" \\ \n c', cost_center: "7" }, labels]);
  assert(!(await text()).includes('user="u"'));
});

Deno.test("counts only grow, whatever the store forgets, and without a store too", async () => {
  const { fetch, text } = scene(() => completion(), { logs: { rows: 1 } });
  for (let at = 0; at < 3; at++) await done(fetch(ask("openai/gpt")));
  await done(fetch(ask("openai/gpt", { "cf-aig-collect-log": "false" })));
  assertEquals(await valuesOf(await text(), "sluice_requests_total"), [4]);
});

Deno.test("a request that is refused is counted, and one for the gateway itself is not", async () => {
  const { fetch, text } = scene(() => completion(), { tokens: [TOKEN] });
  await done(fetch(ask("openai/gpt")));
  await done(fetch(new Request("http://gateway.test/v1/models", { headers: { authorization: TOKEN } })));
  const told = await text();
  assertEquals(await labelsIn(told, "sluice_requests_total"), [
    { provider: "unknown", model: "unknown", gateway: "other", status: "401" },
  ]);
  const [{ error_type }] = await labelsIn(told, "gen_ai_server_request_duration_seconds");
  assertEquals(error_type, "unauthorized");
});

Deno.test("a gateway that counts nothing observes nothing", async () => {
  const body = events("data: [DONE]\n\n").body;
  const { fetch } = createGateway({
    fetch: () => Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } })),
  });
  await (await fetch(ask("openai/gpt", {}, { stream: true }))).body?.cancel();
  assertEquals((await fetch(new Request("http://gateway.test/metrics"))).status, 404);
});

Deno.test("faulty options of metrics are refused at the start, without the token in the error", () => {
  const faults: [Options, string][] = [
    [{ metrics: { token: TOKEN }, tokens: ["x"] }, "metrics.token: it must have at least 16 characters"],
    [
      { metrics: { token: SCRAPE }, tokens: [SCRAPE] },
      "metrics.token: it is one of the tokens, or a part of one",
    ],
    [
      { metrics: { token: SCRAPE }, tokens: [`${SCRAPE}-more`] },
      "metrics.token: it is one of the tokens, or a part of one",
    ],
    [{ metrics: { token: ADMIN }, adminToken: ADMIN }, "metrics.token: it is the operator's token"],
    [{ metrics: { labels: ["model"] } }, "metrics.labels.0: it is a label already"],
    [{ metrics: { labels: ["status"] } }, "metrics.labels.0: it is a label already"],
    [{ metrics: { labels: ["a-b", "a.b"] } }, "metrics.labels: it must not have two keys of one label"],
    [{ metrics: { labels: ["_x"] } }, "metrics.labels.0: it must be a key of metadata"],
    [{ metrics: { labels: ["a", "b", "c", "d", "e", "f"] } }, "metrics.labels: it must have at most 5 keys"],
  ];
  for (const [options, why] of faults) {
    let message = "";
    try {
      createGateway({ fetch: nothing.fetch, ...options });
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, `Cannot use option ${why}`);
    assert(![SCRAPE, ADMIN, TOKEN].some((secret) => message.includes(secret)), message);
  }
});

Deno.test("an answer of one token, odd texts and errors without a status are counted in readable numbers", async () => {
  const usage = { prompt_tokens: 4, completion_tokens: 1, total_tokens: 5 };
  const { fetch, text } = scene(({ url }) =>
    url.includes("groq") ? events(`data: {"error":{"message":"no"}}\n\n`) : events(
      `data: ${JSON.stringify({ model: "m\ud800", choices: [{ index: 0, delta: { content: "Hi" } }] })}\n\n`,
      `data: ${JSON.stringify({ id: "x", model: "m\ud800", choices: [], usage })}\n\n`,
      "data: [DONE]\n\n",
    )
  );
  await done(fetch(ask("openai/gpt", {}, { stream: true })));
  await done(fetch(ask("groq/llama", {}, { stream: true })));
  const told = await text();
  assertEquals(await labelsIn(told, "gen_ai_server_time_per_output_token_seconds"), []);
  assertEquals(await valuesOf(told, "sluice_unpriced_requests_total"), [1]);
  const [good, failed] = await labelsIn(told, "gen_ai_server_request_duration_seconds");
  assertEquals([good.gen_ai_response_model, failed.error_type], ["m\ufffd", "_OTHER"]);
});

Deno.test("a model that no provider was asked for has no label, and tries beyond the first twenty are counted", async () => {
  const { fetch, text } = scene(() => refusal(500), {
    retries: { maxAttempts: 2, retryDelayMs: 1 },
    wait: () => Promise.resolve(),
  });
  const counted = { model: "groq/made-up", messages: [{ role: "user", content: "Hi" }] };
  const estimate = await fetch(post("http://gateway.test/v1/messages/count_tokens", counted));
  assertEquals(estimate.status, 200);
  await done(Promise.resolve(estimate));
  const models = Array.from({ length: 20 }, (_, at) => `openai/m-${at}`);
  await done(fetch(ask("openai/m-0", {}, { models })));
  const told = await text();
  const labels = await labelsIn(told, "sluice_requests_total");
  assertEquals(labels.map(({ provider, model }) => [provider, model]), [["groq", "other"], [
    "openai",
    "other",
  ]]);
  const [first] = await valuesOf(told, "sluice_tries_total", { provider: "openai", status: "500" });
  const [more] = await valuesOf(told, "sluice_tries_total", { status: "other" });
  assertEquals([first, more > 0], [20, true]);
});

Deno.test("a refused request is counted by the rule that has refused it", async () => {
  const tokens = [
    { token: "rpm-token", limits: { rpm: 1 } },
    { token: "tpm-token", limits: { tpm: 1 } },
    { token: "open-token", limits: { open: 1 } },
    { token: "budget-token", budgets: [{ limitUsd: 1e-6, window: "day" }] },
    { token: "allowed-token", limits: { rpm: 5 } },
  ] satisfies Options["tokens"];
  const { fetch, text } = scene(
    (_, at) => at === 2 ? events(chunk({ content: "Hi" }), new Promise(() => {})) : completion(),
    {
      keys: { openai: "sk-1" },
      tokens,
      prices: { "openai/gpt-4o": { input: 1, output: 1 } },
    },
  );
  const send = (token: string, model = "openai/gpt-4o") =>
    fetch(ask(model, { authorization: `Bearer ${token}` }));
  for (const token of ["rpm-token", "tpm-token"]) await done(send(token));
  const open = await fetch(ask("openai/gpt-4o", { authorization: "Bearer open-token" }, { stream: true }));
  for (const token of ["rpm-token", "rpm-token", "tpm-token", "open-token", "budget-token"]) {
    const answer = await send(token);
    assertEquals(answer.status, 429, token);
    await answer.text();
  }
  const unknown = await send("budget-token", "openai/unknown");
  assertEquals(unknown.status, 403);
  await done(Promise.resolve(unknown));
  await done(send("allowed-token"));
  const told = await text();
  const limited = await read(told, "sluice_limited_total");
  assertEquals(Object.fromEntries(limited.data.map(({ labels, value }) => [labels.rule, value])), {
    rpm: 2,
    tpm: 1,
    open: 1,
    budget: 1,
    price: 1,
  });
  await open.body!.cancel();
});

Deno.test("what a token has left of its budgets is told, also while a request runs", async () => {
  const prices = { "openai/gpt-4o": { input: 0, output: 10_000 } };
  const tokens = [
    {
      token: "two-budgets",
      name: "team a",
      budgets: [{ limitUsd: 3, window: "day" }, { limitUsd: 2, window: "hour" }],
    },
    { token: "one-budget", name: "b", budgets: [{ limitUsd: 1, window: "month" }] },
    { token: "no-budget", name: "c", limits: { rpm: 9 } },
  ] satisfies Options["tokens"];
  const { fetch, text } = scene(
    (_, at) => at === 1 ? events(chunk({ content: "Hi" }), new Promise(() => {})) : completion(),
    { keys: { openai: "sk-1" }, tokens, prices },
  );
  const send = (token: string, more: object) =>
    fetch(ask("openai/gpt-4o", { authorization: `Bearer ${token}` }, more));
  const left = async () =>
    Object.fromEntries(
      (await read(await text(), "sluice_budget_remaining_usd")).data.map((
        { labels, value },
      ) => [labels.token, value]),
    );
  assertEquals((await text()).includes("sluice_budget_remaining_usd"), false);
  await done(send("two-budgets", { max_tokens: 10 }));
  // One token for a cent.
  assertEquals(await left(), { "team a": 1.99 });
  const running = await send("one-budget", { max_tokens: 40, stream: true });
  await done(send("no-budget", {}));
  assertEquals(await left(), { "team a": 1.99, b: 0.6 });
  await running.body!.cancel();
});

Deno.test("what a team and a gateway have left is told too, and not what a value of metadata has", async () => {
  const budgets = [{ limitUsd: 1, window: "day" as const }];
  const { fetch, text } = scene(undefined, {
    keys: { openai: "sk-1" },
    tokens: [{ token: "token-of-a-team", name: "a", team: "growth", each: { metadata: "user", budgets } }],
    teams: { growth: { budgets } },
    gateways: { gw: { budgets } },
    prices: { "openai/gpt-4o": { input: 0, output: 10_000 } },
  });
  const headers = { authorization: "Bearer token-of-a-team", "cf-aig-metadata": '{"user":"ann"}' };
  await done(fetch(ask("openai/gpt-4o", headers, { max_tokens: 10 })));
  const { data } = await read(await text(), "sluice_budget_remaining_usd");
  assertEquals(data.map(({ labels, value }) => [labels.token, value]), [["team/growth", 0.99], [
    "gateway/gw",
    0.99,
  ]]);
});

Deno.test("the tokens whose budgets are told are bounded: those that were used last", async () => {
  const tokens = Array.from({ length: 230 }, (_, at) => ({
    token: `spending-token-${at}`,
    name: `t${at}`,
    budgets: [{ limitUsd: 1, window: "day" as const }],
  }));
  const prices = { "openai/gpt-4o": { input: 1, output: 1 } };
  const { fetch, text } = scene(undefined, { keys: { openai: "sk-1" }, tokens, prices });
  for (const { token } of [...tokens, tokens[0]]) {
    await done(fetch(ask("openai/gpt-4o", { authorization: `Bearer ${token}` })));
  }
  const names = (await labelsIn(await text(), "sluice_budget_remaining_usd")).map(({ token }) => token);
  assertEquals([names.length, names.includes("t30"), names.includes("t31"), names.at(-1)], [
    200,
    false,
    true,
    "t0",
  ]);
});
