/** The limits of routes: who is counted, when, and what becomes of the others. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { closedGate, namesOf, usedNames } from "../../../gateway/policies/tolls.ts";
import type { Run } from "../../../gateway/policies/attempt.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { readGraph } from "../../../gateway/targets/routes/graph.ts";
import type { RateNode, RouteLeg } from "../../../gateway/targets/routes/types.ts";
import { indexProviders, PROVIDERS } from "../../../providers/table.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { ask, before, chunk, clock, completion, events, messages, refusal, STREAM } from "../../fakes.ts";
import { conditional, model, rate, start } from "../targets/routes/graphs.ts";

const TOKEN = { authorization: "Bearer gateway-token" };
/** A token of an answer costs a cent. */
const CENTS = { input: 0, output: 10_000 };

/** A gateway with a route, and a function that sends a user's request and tells which model has answered. */
function limited(
  routes: Options["routes"],
  answer: Parameters<typeof before>[0] = () => completion(),
  more: Partial<Options> = {},
) {
  const rows: LogEntry[] = [];
  const time = clock();
  const gateway = before(answer, {
    keys: { openai: "sk-stored", groq: "gsk-stored" },
    tokens: ["gateway-token"],
    prices: { "openai/gpt-6": CENTS, "groq/llama": CENTS },
    log: (row) => rows.push(row),
    ...time.options,
    routes,
    ...more,
  });
  async function send(user?: unknown, headers: object = {}, body: object = {}) {
    const metadata: Record<string, string> = user === undefined
      ? {}
      : { "cf-aig-metadata": JSON.stringify({ user_id: user }) };
    const response = await gateway.fetch(ask("dynamic/r", { ...TOKEN, ...metadata, ...headers }, body));
    const text = await response.text();
    return {
      status: response.status,
      model: response.headers.get("cf-aig-model"),
      headers: response.headers,
      text,
    };
  }
  const models = async (...users: unknown[]) => {
    const found = [];
    for (const user of users) found.push((await send(user, {}, { max_tokens: 2 })).model);
    return found;
  };
  return { ...gateway, send, models, rows, pass: time.pass };
}

const ROUTE = {
  r: [start("r"), rate("r", 2, "m1", "m2"), model("m1", "openai/gpt-6"), model("m2", "groq/llama")],
};
const CLOSED = { r: [start("r"), rate("r", 2, "m1"), model("m1", "openai/gpt-6")] };

Deno.test("a limit counts the requests of each value, and leads the others by the way `fallback`", async () => {
  const { models, pass, rows } = limited(ROUTE);
  assertEquals(await models("a", "a", "a", "b", "a"), ["gpt-6", "gpt-6", "llama", "gpt-6", "llama"]);
  assertEquals(rows.slice(1, 3).map(({ route }) => route?.way), [
    "start > r success > m1",
    "start > r fallback > m2",
  ]);
  pass(3_600_000);
  assertEquals(await models("a", "a", "a"), ["gpt-6", "gpt-6", "llama"]);
});

Deno.test('requests without the value count together; 1 and "1" are two values', async () => {
  const { models } = limited(ROUTE);
  assertEquals(await models(undefined, undefined, undefined), ["gpt-6", "gpt-6", "llama"]);
  assertEquals(await models(1, 1, "1", "1", 1, "1"), ["gpt-6", "gpt-6", "gpt-6", "gpt-6", "llama", "llama"]);
});

Deno.test("without a way `fallback` a request over the limit is 429, with the time to wait, and nothing is sent", async () => {
  const { send, sent, pass, rows } = limited(CLOSED);
  await send("a");
  await send("a");
  pass(600_000);
  const { status, headers, text, model } = await send("a");
  assertEquals([status, headers.get("retry-after"), model, sent.length], [429, "3000", "unknown", 2]);
  assertStringIncludes(
    JSON.parse(text).error.message,
    'the route "r" allows 2 requests in 3600 s at "r"; try again in 3000 s',
  );
  assertEquals([rows[2].status, rows[2].provider, rows[2].tries], [429, undefined, 0]);
  const universal = [{
    provider: "compat",
    endpoint: "chat/completions",
    query: { model: "dynamic/r", messages },
  }];
  const inEnvelope = await limitedUniversal(universal);
  assertEquals(inEnvelope, [200, 200, 429, 2003]);
});

/** The statuses of three universal requests, and the number of the last one's error. */
async function limitedUniversal(steps: unknown): Promise<unknown[]> {
  const { fetch } = limited(CLOSED);
  const statuses: unknown[] = [];
  for (let at = 0; at < 3; at++) {
    const response = await fetch(
      new Request("http://gateway.test/v1/acct/gw", {
        method: "POST",
        headers: { ...TOKEN, "content-type": "application/json" },
        body: JSON.stringify(steps),
      }),
    );
    statuses.push(response.status);
    const { error } = await response.json();
    if (error) statuses.push(error[0].code);
  }
  return statuses;
}

Deno.test("of 200 requests at once exactly as many pass a limit as it says", async () => {
  const route = [
    start("r"),
    rate("r", 100, "m1", "m2"),
    model("m1", "openai/gpt-6"),
    model("m2", "groq/llama"),
  ];
  const { send } = limited({ r: route });
  const all = await Promise.all(Array.from({ length: 200 }, () => send("a")));
  assertEquals(all.filter(({ model }) => model === "gpt-6").length, 100);
  assertEquals(all.filter(({ model }) => model === "llama").length, 100);
});

Deno.test("a limit of 0 lets nobody pass", async () => {
  const route = [
    start("r"),
    rate("r", 0, "m1", "m2"),
    model("m1", "openai/gpt-6"),
    model("m2", "groq/llama"),
  ];
  assertEquals(await limited({ r: route }).models("a", "b"), ["llama", "llama"]);
  const budget = route.with(1, rate("r", 0, "m1", "m2", { limitType: "cost" }));
  assertEquals(await limited({ r: budget }).models("a", "b"), ["llama", "llama"]);
});

Deno.test("a limit behind a model counts only requests that come to it", async () => {
  const route = [
    start("m1"),
    model("m1", "openai/gpt-6", "r"),
    rate("r", 1, "m2", "m3"),
    model("m2", "groq/second", "m3"),
    model("m3", "groq/third"),
  ];
  let isDown = false;
  const { models, sent } = limited(
    { r: route },
    ({ url }) => isDown && url.includes("api.openai") ? refusal(500) : completion(),
  );
  assertEquals(await models("a", "a"), ["gpt-6", "gpt-6"]);
  isDown = true;
  assertEquals(await models("a", "a"), ["second", "third"]);
  assertEquals(sent.length, 6);
});

Deno.test("a model that fails before a closed limit decides the answer", async () => {
  const route = [
    start("m1"),
    model("m1", "openai/gpt-6", "r"),
    rate("r", 0, "m2"),
    model("m2", "groq/llama"),
  ];
  const { send } = limited({ r: route }, () => refusal(418));
  assertEquals((await send("a")).status, 418);
});

Deno.test("a sliding limit also counts the part of the window before that is not over", async () => {
  const sliding = rate("r", 4, "m1", "m2", { technique: "sliding" });
  const { models, pass } = limited({
    r: [start("r"), sliding, model("m1", "openai/gpt-6"), model("m2", "groq/llama")],
  });
  assertEquals(await models("a", "a", "a", "a", "a"), ["gpt-6", "gpt-6", "gpt-6", "gpt-6", "llama"]);
  // Half of the four still count.
  pass(5_400_000);
  assertEquals(await models("a", "a", "a"), ["gpt-6", "gpt-6", "llama"]);
});

Deno.test("two gateways, two routes and two elements count apart", async () => {
  const two = [
    start("r"),
    rate("r", 1, "s", "m2"),
    rate("s", 1, "m1", "m2"),
    model("m1", "openai/gpt-6"),
    model("m2", "groq/llama"),
  ];
  const { fetch } = limited({ r: two, q: two });
  const at = async (gateway: string, route: string) => {
    const response = await fetch(
      new Request(`http://gateway.test/v1/acct/${gateway}/compat/chat/completions`, {
        method: "POST",
        headers: { ...TOKEN, "content-type": "application/json" },
        body: JSON.stringify({ model: `dynamic/${route}`, messages: [{ role: "user", content: "Hello" }] }),
      }),
    );
    await response.text();
    return response.headers.get("cf-aig-model");
  };
  assertEquals(await at("gw1", "r"), "gpt-6");
  assertEquals(await at("gw2", "r"), "gpt-6");
  assertEquals(await at("gw1", "q"), "gpt-6");
  assertEquals(await at("gw1", "r"), "llama");
});

Deno.test("a cached answer is not counted", async () => {
  const { send, sent } = limited(CLOSED);
  const key = { "cf-aig-cache-key": "k" };
  for (let at = 0; at < 4; at++) assertEquals((await send("a", key)).status, 200);
  assertEquals(sent.length, 1);
  assertEquals((await send("a")).status, 200);
  assertEquals((await send("a")).status, 429);
});

Deno.test("a request that its token's own limit refuses is not counted", async () => {
  const tokens = [{ token: "gateway-token", limits: { rpm: 1 } }];
  const { send, pass } = limited(
    { r: [start("r"), rate("r", 2, "m1", undefined), model("m1", "openai/gpt-6")] },
    undefined,
    { tokens },
  );
  assertEquals([(await send("a")).status, (await send("a")).status, (await send("a")).status], [
    200,
    429,
    429,
  ]);
  pass(120_000);
  assertEquals((await send("a")).status, 200);
  pass(120_000);
  assertStringIncludes((await send("a")).text, "the route");
});

Deno.test("a row tells each target that was skipped, and why", async () => {
  const route = [
    start("r"),
    rate("r", 0, "m1", "b"),
    model("m1", "openai/gpt-6"),
    rate("b", 0, "m2", "m3", { limitType: "cost" }),
    model("m2", "groq/llama"),
    model("m3", "cohere/command-a", "m4"),
    model("m4", "openai/gpt-6"),
  ];
  const { send, rows, fetch } = limited({ r: route }, undefined, {
    keys: { openai: "sk-stored", groq: "gsk-stored", cohere: "co-stored" },
    adminToken: "operator-0123456789",
  });
  // Cohere cannot take this: the request is not written for it.
  const faulty = { messages: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }] };
  assertEquals((await send("a", {}, faulty)).model, "gpt-6");
  const { attempts = [], tries, route: led } = rows[0];
  assertEquals(attempts.map(({ provider, model, status, why }) => [`${provider}/${model}`, status ?? why]), [
    ["openai/gpt-6", "limit r"],
    ["groq/llama", "budget b"],
    ["cohere/command-a", "cannot take messages[0].content[0].input_audio.data"],
    ["openai/gpt-6", 200],
  ]);
  assertEquals(attempts.map(({ skipped }) => skipped), [true, true, true, undefined]);
  assertEquals([tries, led?.way], [1, "start > r fallback > b fallback > m3 fallback > m4"]);
  // The breaker has spared nobody.
  const metrics = await fetch(
    new Request("http://gateway.test/metrics", { headers: { authorization: "Bearer operator-0123456789" } }),
  );
  assertEquals((await metrics.text()).match(/^sluice_tries_total.*$/gm), [
    'sluice_tries_total{provider="openai",status="200"} 1',
  ]);
});

Deno.test("the row of a request that a limit has refused tells the way to the limit", async () => {
  const route = [start("p"), conditional("p", { "metadata.user_id": "a" }, "r", "m1"), ...CLOSED.r.slice(1)];
  const { send, rows } = limited({ r: route.with(2, rate("r", 0, "m1")) });
  assertEquals((await send("a")).status, 429);
  const [{ route: led, attempts, tries }] = rows;
  const skipped = { provider: "openai", model: "gpt-6", ms: 0, skipped: true, why: "limit r" };
  assertEquals([led?.way, attempts, tries], ["start > p true > r", [skipped], 0]);
  const behind = [
    start("m2"),
    model("m2", "groq/llama", "r"),
    ...CLOSED.r.slice(1).with(0, rate("r", 0, "m1")),
  ];
  const failing = limited({ r: behind }, () => refusal(500));
  assertEquals((await failing.send("a")).status, 500);
  // A model was asked before the limit.
  assertEquals(failing.rows[0].route?.way, "start > m2");
});

/** An answer of so many tokens. */
const used = (output: number) =>
  completion().json().then((body) =>
    Response.json({ ...body, usage: { prompt_tokens: 0, completion_tokens: output } })
  );

const COST = { limitType: "cost", limit: 0.06, window: 60 };
const budget = (more: object = {}) => rate("b", 0, "m1", "m2", { ...COST, ...more });
const BUDGET = {
  r: [
    start("b"),
    budget(),
    model("m1", "openai/gpt-6", "m2"),
    model("m2", "groq/llama"),
  ],
};

Deno.test("a limit on cost adds what each answer has cost, and leads on when it is spent", async () => {
  const { models, pass } = limited(BUDGET, () => used(2));
  assertEquals(await models("a", "a", "a", "a", "b"), ["gpt-6", "gpt-6", "gpt-6", "llama", "gpt-6"]);
  pass(60_000);
  assertEquals(await models("a"), ["gpt-6"]);
});

Deno.test("a limit on cost counts the model that has answered, also after another one behind it has failed", async () => {
  const route = [
    start("b"),
    rate("b", 0, "m1", "m3", COST),
    model("m1", "openai/gpt-6", "m2"),
    model("m2", "groq/llama", "m3"),
    model("m3", "anthropic/claude"),
  ];
  const { models } = limited({ r: route }, ({ url }) => url.includes("api.openai") ? refusal(500) : used(2), {
    keys: { openai: "sk-stored", groq: "gsk-stored", anthropic: "sk-ant-stored" },
  });
  assertEquals(await models("a", "a", "a", "a"), ["llama", "llama", "llama", "claude"]);
});

Deno.test("a limit on cost counts nothing for failures, and nothing without usage", async () => {
  const failing = limited(BUDGET, ({ url }) => url.includes("api.openai") ? refusal(500) : used(0));
  assertEquals(await failing.models("a", "a", "a", "a", "a", "a", "a"), Array(7).fill("llama"));
  assert(failing.sent.filter(({ url }) => url.includes("api.openai")).length === 7);
});

Deno.test("a limit on cost leaves the token's own limits in force", async () => {
  const tokens = [{ token: "gateway-token", limits: { open: 1 } }];
  const { models } = limited(BUDGET, () => used(2), { tokens });
  // The place of each request is freed again.
  assertEquals(await models("a", "a", "a", "a"), ["gpt-6", "gpt-6", "gpt-6", "llama"]);
});

Deno.test("values that a process cannot tell apart count together, and those before them apart", async () => {
  const now = Date.UTC(2026, 10, 24);
  const counters = memoryCounters(() => now);
  const { nodes } = readGraph(ROUTE.r, indexProviders(PROVIDERS.values()));
  const node = { ...nodes.get("r") as RateNode, limit: 1 };
  const run = { config: { counters, now: () => now }, report: {} } as unknown as Run;
  const passes = async (value: unknown) => {
    const leg = { gates: [{ toll: { id: "r", node, value }, isOpen: true }], route: { name: "r" } };
    return await closedGate(leg as unknown as RouteLeg, { scope: [], run }) === undefined;
  };
  assertEquals(await passes("early"), true);
  for (let at = 0; at < 250_000; at++) namesOf(run).keep(`${at}`, now, 60_000);
  assertEquals([await passes("late"), await passes("later"), await passes("early")], [true, false, false]);
});

Deno.test("usedNames() knows a bounded number of names, until they are used no more", () => {
  const names = usedNames(3);
  for (const name of ["a", "b", "c"]) assertEquals(names.keep(name, 0, 20_000), true);
  assertEquals([names.keep("d", 0, 20_000), names.keep("a", 5_000, 60_000)], [false, true]);
  // They are not searched again at once.
  assertEquals(names.keep("d", 9_999, 20_000), false);
  assertEquals([names.keep("d", 20_000, 20_000), names.keep("e", 20_000, 20_000)], [true, true]);
  assertEquals([names.keep("f", 20_000, 20_000), names.keep("a", 20_000, 20_000)], [false, true]);
});

Deno.test("a limit on cost charges nothing for a refusal, nor for a stream that fails before another model answers", async () => {
  const paid = { input: 1_000_000, output: 1_000_000 };
  const answers = [
    () => refusal(400),
    () => events(`data: ${JSON.stringify({ error: { message: "overloaded" } })}\n\n`),
  ];
  for (const answer of answers) {
    const kept = new Map<string, { value: number; until: number }>();
    const now = () => Date.UTC(2026, 10, 24);
    const { send } = limited(
      {
        r: [start("b"), rate("b", 0, "m1", undefined, { ...COST, limit: 100 }), model("m1", "openai/gpt-6")],
      },
      ({ url }) => url.includes("api.openai") ? answer() : completion(),
      {
        prices: { "openai/gpt-6": paid, "groq/llama": paid },
        now,
        store: { counters: memoryCounters(now, kept) },
      },
    );
    const told = await send("a", {}, { max_tokens: 2, stream: true, models: ["groq/llama"] });
    assertEquals(told.model, "llama");
    const isRefused = answer === answers[0];
    if (isRefused) assertEquals((await send("a", {}, { max_tokens: 2, stream: true })).status, 400);
    assertEquals([...kept].filter(([key, { value }]) => key.startsWith("route:") && value !== 0), []);
  }
});

Deno.test("a model without a price passes a limit on cost as long as something is left", async () => {
  const { models } = limited(BUDGET, () => used(6), { prices: { "openai/gpt-6": CENTS } });
  const route = BUDGET.r.with(2, model("m1", "openai/unheard-of"));
  const unknown = limited({ r: route.with(1, budget({ limit: 0.000000001 })) });
  assertEquals(await unknown.models("a"), ["unheard-of"]);
  const none = limited({ r: route.with(1, budget({ limit: 0 })) });
  assertEquals([await models("a", "a"), await none.models("a")], [["gpt-6", "llama"], ["llama"]]);
});

/** A stream of so many tokens, which waits for `end` in its middle. */
const streamed = (output: number, end: Promise<void>) =>
  events(
    STREAM[0],
    STREAM[1],
    end,
    STREAM[2],
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 0, completion_tokens: output } })}\n\n`,
    STREAM[3],
  );

Deno.test("of 100 requests at once no more pass a limit on cost than it has room for, and the others take its way `fallback`", async () => {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const { fetch, models, sent, pass } = limited(
    { r: BUDGET.r.with(1, budget({ limit: 1, window: 86_400 })) },
    ({ url, body }) => !url.includes("api.openai") || !JSON.parse(body).stream ? used(2) : streamed(5, end),
  );
  const more = { max_tokens: 5, stream: true };
  const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(ask("dynamic/r", TOKEN, more))));
  const large = answers.filter(({ headers }) => headers.get("cf-aig-model") === "gpt-6");
  assertEquals([large.length, sent.length], [20, 100]);
  assertEquals(answers.filter(({ status }) => status !== 200), []);
  resolve();
  await Promise.all(answers.map(async (answer) => {
    const at = large.indexOf(answer);
    // Some are lost: their end is never told.
    if (at >= 0 && at % 10 === 3) return;
    if (at >= 0 && at % 10 === 7) return await answer.body!.cancel();
    await answer.text();
  }));
  // 80 cents are spent, another by each of the two that have left, and 10 are held for the lost ones.
  const next = async () =>
    (await models(...Array(8).fill(undefined))).filter((name) => name === "gpt-6").length;
  assertEquals(await next(), 4);
  // The holds of the lost ones have lapsed.
  pass(1_800_000);
  assertEquals([await next(), await next()], [5, 0]);
  await Promise.all(large.map(({ body }) => body!.locked ? undefined : body!.cancel()));
});

Deno.test("a limit on cost holds the dearest model behind it, the prompt too, and no model of its way `fallback`", async () => {
  const route = [
    start("b"),
    budget({ limit: 1 }),
    model("m1", "openai/gpt-6", "m2"),
    model("m2", "groq/llama"),
  ];
  const scene = (input: number, dear: number) =>
    limited({ r: route }, () => used(1), {
      prices: { "openai/gpt-6": { input, output: 10_000 }, "groq/llama": { input: 0, output: dear } },
    });
  // The prompt has some tokens, of a dollar each.
  assertEquals(await scene(1_000_000, 0).models("a"), ["llama"]);
  // Two tokens of the model that stands in may cost two dollars.
  assertEquals(await scene(0, 1_000_000).models("a"), ["llama"]);
  const { models } = limited(
    { r: [start("b"), budget({ limit: 1 }), model("m1", "openai/gpt-6"), model("m2", "groq/llama")] },
    () => used(1),
    { prices: { "openai/gpt-6": CENTS, "groq/llama": { input: 0, output: 1_000_000 } } },
  );
  assertEquals(await models("a"), ["gpt-6"]);
});

Deno.test("a request that a limit on cost has no room for is 429 without a way `fallback`, and the wait is told", async () => {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const route = [start("b"), rate("b", 0, "m1", undefined, COST), model("m1", "openai/gpt-6")];
  const { fetch, send, pass } = limited(
    { r: route },
    ({ body }) => JSON.parse(body).stream ? streamed(1, end) : used(5),
  );
  pass(20_000);
  const running = await fetch(ask("dynamic/r", TOKEN, { max_tokens: 5, stream: true }));
  const refused = await send(undefined, {}, { max_tokens: 5 });
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "1"]);
  assertStringIncludes(
    JSON.parse(refused.text).error.message,
    'allows 0.06 US dollars in 60 s at "b", and the',
  );
  resolve();
  await running.text();
  assertEquals((await send(undefined, {}, { max_tokens: 5 })).status, 200);
  const { status, headers } = await send(undefined, {}, { max_tokens: 1 });
  assertEquals([status, headers.get("retry-after")], [429, "40"]);
});

Deno.test("a limit on cost charges a client that leaves for its prompt, and for what it has seen", async () => {
  const now = () => Date.UTC(2026, 10, 24);
  const { promise: never } = Promise.withResolvers<void>();
  /** What a client is charged that leaves before an answer or in its middle, in dollars; a token costs one. */
  async function charged(isBegun: boolean) {
    const leaving = new AbortController();
    const kept = new Map<string, { value: number; until: number }>();
    const answer = () => {
      if (isBegun) return events(STREAM[0], chunk({ content: "x".repeat(12) }), never);
      leaving.abort();
      throw leaving.signal.reason;
    };
    const { fetch } = limited({ r: BUDGET.r.with(1, budget({ limit: 100 })) }, answer, {
      prices: { "openai/gpt-6": { input: 1_000_000, output: 1_000_000 }, "groq/llama": CENTS },
      now,
      store: { counters: memoryCounters(now, kept) },
    });
    const init = { signal: leaving.signal };
    const response = await fetch(ask("dynamic/r", TOKEN, { max_tokens: 5, stream: true }, init));
    assertEquals(response.status, isBegun ? 200 : 499);
    await response.body?.cancel();
    const sum = (isHeld: boolean) =>
      [...kept].reduce((sum, [key, { value }]) => key.includes(":held:") === isHeld ? sum + value : sum, 0);
    assertEquals(sum(true), 0);
    return sum(false) / 1e9;
  }
  const prompt = await charged(false);
  assert(prompt > 5, `${prompt}`);
  assertEquals(await charged(true), prompt + 3);
});

Deno.test("a stream behind a limit on cost is asked for its usage, which its client does not get", async () => {
  const usage = { prompt_tokens: 0, completion_tokens: 5, total_tokens: 5 };
  const told = `data: ${
    JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [], usage })
  }\n\n`;
  const [done] = STREAM.slice(-1);
  const { send, models, sent } = limited(
    BUDGET,
    ({ body }) => JSON.parse(body).stream ? events(...STREAM.slice(0, -1), told, done) : used(0),
  );
  const { text } = await send("a", {}, { stream: true, max_tokens: 6 });
  assertEquals(JSON.parse(sent[0].body).stream_options, { include_usage: true });
  assertEquals(text, STREAM.join(""));
  // Five of the six cents are spent.
  assertEquals(await models("a", "b"), ["llama", "gpt-6"]);
  await send("a", {}, { stream: true });
  assertEquals(JSON.parse(sent[3].body).stream_options, undefined);
});

Deno.test("a limit on cost counts also where nobody else reads along", async () => {
  const { models } = limited(BUDGET, () => used(2), { log: undefined, logs: false });
  assertEquals(await models("a", "a", "a", "a"), ["gpt-6", "gpt-6", "gpt-6", "llama"]);
});
