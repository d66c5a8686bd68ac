import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { TokenBudget } from "../../../gateway/policies/token_limits.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import {
  ask,
  before,
  chunk,
  clock,
  completion,
  events,
  message,
  messages,
  network,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const TOKEN = { authorization: "Bearer spending-token" };
const KEYS = { openai: "sk-stored", anthropic: "sk-ant-stored", groq: "gsk-stored" };
const MODEL = "openai/gpt-4.1";
const HOUR = 3_600_000, DAY = 24 * HOUR;

/** A token of an answer costs a cent; a token of a prompt costs nothing, so that a test can count cents. */
const CENTS = { input: 0, output: 10_000 };
const PRICES: Options["prices"] = {
  [MODEL]: CENTS,
  "openai/gpt-5": CENTS,
  "openai/text-embedding-3-small": { input: 1_000_000, output: 0 },
  "groq/llama": { input: 0, output: 20_000 },
  "anthropic/claude-sonnet-4-5": CENTS,
};

type More = Partial<Options> & { token?: { unknownPrice?: "refuse" | "allow" }; at?: number };

/** A gateway whose token has budgets. */
function budgeted(
  budgets: TokenBudget | TokenBudget[],
  answer: Parameters<typeof before>[0] = () => used(1),
  { token, at, ...more }: More = {},
) {
  const time = clock(at);
  const tokens = [{ token: "spending-token", name: "team", budgets: [budgets].flat(), ...token }];
  const gateway = before(answer, { keys: KEYS, tokens, prices: PRICES, ...time.options, ...more });
  const send = (most: number, model = MODEL, headers: object = {}, rest: object = {}) =>
    status(gateway.fetch(ask(model, { ...TOKEN, ...headers }, { max_tokens: most, ...rest })));
  return { ...gateway, send, pass: time.pass };
}

const DOLLAR: TokenBudget = { limitUsd: 1, window: "day" };

/** An answer of so many tokens. */
const used = (output: number, more: object = {}, input = 0) =>
  completion().json().then((body) =>
    Response.json({ ...body, usage: { prompt_tokens: input, completion_tokens: output, ...more } })
  );

async function status(response: Promise<Response>): Promise<number> {
  const answer = await response;
  await answer.text();
  return answer.status;
}

Deno.test("a request that may cost more than is left is refused, is not sent, and has a row", async () => {
  const rows: LogEntry[] = [];
  const { fetch, sent, send } = budgeted(DOLLAR, () => used(60), { log: (row) => void rows.push(row) });
  assertEquals(await send(60), 200);
  const response = await fetch(ask(MODEL, TOKEN, { max_tokens: 41 }));
  assertEquals(response.status, 429);
  assertEquals(response.headers.get("retry-after"), null);
  assertEquals(response.headers.get("x-should-retry"), "false");
  const { error } = await response.json();
  assertEquals([error.code, error.type], ["2045", "rate_limit_error"]);
  assertStringIncludes(error.message, "may spend 1 US dollars in a day and has 0.4 left");
  assertEquals(sent.length, 1);
  const [, row] = rows;
  assertEquals([row.status, row.token, row.provider, row.tries], [429, "team", "openai", 0]);
  assertEquals(await send(40), 200);
});

Deno.test("the wait is told when the window ends within an hour", async () => {
  const { fetch, send, pass } = budgeted({ limitUsd: 1, window: "hour" }, () => used(100));
  pass(20 * 60_000);
  assertEquals(await send(100), 200);
  const response = await fetch(ask(MODEL, TOKEN, { max_tokens: 1 }));
  assertEquals(response.headers.get("retry-after"), "2400");
  assertStringIncludes(await response.text(), "try again in 2400 s");
  pass(2399_000);
  assertEquals(await send(1), 429);
  pass(1000);
  assertEquals(await send(1), 200);
});

Deno.test("what an answer may cost is held while it runs, and only its cost is kept", async () => {
  const { promise: later, resolve: end } = Promise.withResolvers<void>();
  const stream = () =>
    events(
      ...STREAM.slice(0, 3),
      later,
      `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 10 } })}\n\n`,
      "data: [DONE]\n\n",
    );
  const { fetch, send } = budgeted(DOLLAR, (_, at) => at === 0 ? stream() : used(1));
  const first = await fetch(ask(MODEL, TOKEN, { max_tokens: 90, stream: true }));
  const refused = await fetch(ask(MODEL, TOKEN, { max_tokens: 11 }));
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "1"]);
  await refused.text();
  end();
  await first.text();
  // Ten cents are spent.
  assertEquals(await send(91), 429);
  assertEquals(await send(90), 200);
});

Deno.test("the length of an answer without a limit is taken to be 4096 tokens, for each of n", async () => {
  const { send } = budgeted({ limitUsd: 40.95, window: "day" });
  const { send: more } = budgeted({ limitUsd: 40.96, window: "day" });
  const free = { max_tokens: undefined };
  assertEquals([await send(0, MODEL, {}, free), await more(0, MODEL, {}, free)], [429, 200]);
  const { send: two } = budgeted({ limitUsd: 80, window: "day" });
  assertEquals(await two(0, MODEL, {}, { ...free, n: 2 }), 429);
  const { send: limited } = budgeted(DOLLAR);
  assertEquals(await limited(51, MODEL, {}, { n: 2 }), 429);
});

Deno.test("the tokens of the prompt are held too, without its base64", async () => {
  const prices = { [MODEL]: { input: 1_000_000, output: 0 } };
  const { send } = budgeted({ limitUsd: 2500, window: "day" }, () => used(0, {}, 1), { prices });
  const picture = `data:image/png;base64,${"iVBORw0K".repeat(10_000)}`;
  const content = [{ type: "image_url", image_url: { url: picture } }];
  assertEquals(await send(1, MODEL, {}, { messages: [{ role: "user", content }] }), 200);
  const long = [{ role: "user", content: "word ".repeat(2000) }];
  assertEquals(await send(1, MODEL, {}, { messages: long }), 429);
});

/** Bodies that may cost much more than two dollars, in words that one provider or another reads. */
const DEAR: Record<string, object> = {
  "two limits": { max_completion_tokens: 1, max_tokens: 300 },
  "two limits, the other way": { max_completion_tokens: 300, max_tokens: 1 },
  "answers that are not returned": { max_tokens: 10, n: 1, best_of: 30 },
  "Google's settings": { max_tokens: 1, generationConfig: { maxOutputTokens: 300 } },
  "Google's settings in the other spelling": {
    generation_config: { max_output_tokens: 10, candidate_count: 30 },
  },
  "Amazon's settings": { inferenceConfig: { maxTokens: 30_000 } },
  "Ollama's settings": { options: { num_predict: 30_000 } },
};

for (const [name, body] of Object.entries(DEAR)) {
  Deno.test(`the largest number that limits an answer is held: ${name}`, async () => {
    const { fetch, sent } = budgeted({ limitUsd: 2, window: "day" });
    const request = post(`${ROOT}/openai/chat/completions`, { model: "gpt-4.1", messages, ...body }, TOKEN);
    assertEquals([await status(fetch(request)), sent.length], [429, 0]);
  });
}

Deno.test("a long text that looks like base64 is held as text, and media are not", async () => {
  const prices = { [MODEL]: { input: 1_000_000, output: 0 } };
  const { send } = budgeted({ limitUsd: 10_000, window: "day" }, () => used(0, {}, 1), { prices });
  const run = "QUJDREVG".repeat(8000);
  const of = (...content: object[]) => send(1, MODEL, {}, { messages: [{ role: "user", content }] });
  const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${run}` } };
  const sound = { type: "input_audio", input_audio: { data: run, format: "wav" } };
  assertEquals([await of(picture, sound), await of({ type: "text", text: run })], [200, 429]);
  assertEquals(await of({ type: "text", text: `data:image/png;base64,${run}` }), 429);
  assertEquals(await of(picture, { type: "text", text: `and, ${run}` }), 429);
  // A picture at a URL is one, however it is referred to.
  const url = "https://example.com/a.png";
  const few = budgeted({ limitUsd: 2000, window: "day" }, () => used(0, {}, 1), { prices });
  const REFERRED = [
    { type: "image_url", image_url: { detail: "high", url } },
    { type: "input_image", image_url: url },
    { type: "image", source: { type: "url", url } },
    { type: "input_file", file_id: "file-1" },
    { fileData: { mimeType: "video/mp4", fileUri: url } },
  ];
  for (const part of REFERRED) {
    const one = { messages: [{ role: "user", content: [part] }] };
    const two = { messages: [{ role: "user", content: [part, part] }] };
    const sent = [one, two].map((body) =>
      few.fetch(post(`${ROOT}/openai/chat/completions`, { model: "gpt-4.1", max_tokens: 1, ...body }, TOKEN))
    );
    const statuses = [];
    for (const answer of sent) statuses.push(await status(answer));
    assertEquals(statuses, [200, 429], JSON.stringify(part));
    few.pass(DAY);
  }
  // Ollama's list.
  assertEquals(
    await send(1, MODEL, {}, { messages: [{ role: "user", content: "Hi", images: [run, run] }] }),
    200,
  );
});

Deno.test("the dearest of the targets decides what is held", async () => {
  const { send, sent } = budgeted(DOLLAR, () => used(50));
  assertEquals(await send(51, MODEL, { "sluice-fallback": "groq/llama" }), 429);
  assertEquals(await send(50, MODEL, { "sluice-fallback": "groq/llama" }), 200);
  assertEquals(sent.length, 1);
  assertEquals(await budgeted(DOLLAR).send(51, "groq/llama", { "sluice-fallback": MODEL }), 429);
});

Deno.test("a fallback that has not answered is not charged", async () => {
  const { send } = budgeted({ ...DOLLAR, providers: ["groq"] }, () => used(100));
  assertEquals(await send(50, MODEL, { "sluice-fallback": "groq/llama" }), 200);
  assertEquals(await send(50, "groq/llama"), 200);
});

Deno.test("a model that costs nothing passes when nothing is left", async () => {
  const prices = { ...PRICES, "openai/free": { input: 0, output: 0 } };
  const { send } = budgeted(DOLLAR, () => used(200), { prices });
  assertEquals([await send(100), await send(1), await send(100, "openai/free")], [200, 429, 200]);
});

Deno.test("a cost that the provider tells counts, also of a model without a price", async () => {
  const { send } = budgeted(DOLLAR, () => used(1, { cost: 0.9 }), { token: { unknownPrice: "allow" } });
  assertEquals([await send(1, "openai/unknown"), await send(11), await send(10)], [200, 429, 200]);
  const { send: known } = budgeted(DOLLAR, () => used(1, { cost: 0.9 }));
  assertEquals([await known(1), await known(11), await known(10)], [200, 429, 200]);
});

Deno.test("service tiers and cached tokens have their own rates", async () => {
  const prices = {
    [MODEL]: { input: 1_000_000, cache_read: 100_000, output: 10_000, priority: { output: 20_000 } },
  };
  const tiered = budgeted(DOLLAR, () => used(10), { prices: { [MODEL]: { ...prices[MODEL], input: 0 } } });
  assertEquals(await tiered.send(51, MODEL, {}, { service_tier: "priority" }), 429);
  assertEquals(await tiered.send(50, MODEL, {}, { service_tier: "priority" }), 200);
  // Ten tokens for twenty cents: the answer does not tell its tier.
  assertEquals([await tiered.send(81), await tiered.send(80)], [429, 200]);
  const flexible = { [MODEL]: { ...CENTS, flex: { output: 1000 } } };
  const flex = budgeted(DOLLAR, () => used(1), { prices: flexible });
  assertEquals(await flex.send(101, MODEL, {}, { service_tier: "flex" }), 429);
  const hourly = { [MODEL]: { input: 0, output: 0, cache_write: 0, cache_write_1h: 1_000_000 } };
  assertEquals(await budgeted(DOLLAR, () => used(1), { prices: hourly }).send(1), 429);
  const cached = budgeted(
    { limitUsd: 1000, window: "day" },
    () => used(0, { prompt_tokens_details: { cached_tokens: 900 } }, 900),
    { prices },
  );
  // 900 tokens from the cache cost 90 dollars.
  for (let n = 0; n < 11; n++) assertEquals(await cached.send(1), 200);
  assertEquals(await cached.send(1), 429);
});

Deno.test("a client's own price does not lower what its token has spent", async () => {
  const { send } = budgeted(DOLLAR, () => used(100));
  const headers = { "cf-aig-custom-cost": '{"per_token_in":0,"per_token_out":0,"total_cost":0}' };
  assertEquals(await send(100, MODEL, headers), 200);
  assertEquals(await send(1, MODEL, headers), 429);
});

// ---------------------------------------------------------------- ends

Deno.test("a client that leaves in the middle is billed for what it has seen", async () => {
  const begun = [STREAM[0], chunk({ content: "x".repeat(200) })];
  const { fetch, send } = budgeted(
    DOLLAR,
    (_, at) => at === 0 ? events(...begun, new Promise(() => {})) : used(0),
  );
  const first = await fetch(ask(MODEL, TOKEN, { max_tokens: 100, stream: true }));
  const reader = first.body!.getReader();
  for (let n = 0; n < 2; n++) await reader.read();
  await reader.cancel();
  // 200 characters are taken to be 50 tokens.
  assertEquals(await send(51), 429);
  assertEquals(await send(50), 200);
});

Deno.test("a client that leaves is billed for more than the usage that the beginning of the answer tells", async () => {
  // vLLM tells the usage so far in each chunk.
  const role = { index: 0, delta: { role: "assistant" } };
  const told = JSON.stringify({ choices: [role], usage: { prompt_tokens: 0, completion_tokens: 1 } });
  const begun = [STREAM[0], `data: ${told}\n\n`, chunk({ content: "x".repeat(200) })];
  const { fetch, send } = budgeted(
    DOLLAR,
    (_, at) => at === 0 ? events(...begun, new Promise(() => {})) : used(0),
  );
  const first = await fetch(ask(MODEL, TOKEN, { max_tokens: 100, stream: true }));
  const reader = first.body!.getReader();
  for (let n = 0; n < 3; n++) await reader.read();
  await reader.cancel();
  assertEquals([await send(51), await send(50)], [429, 200]);
});

Deno.test("a client that leaves before the answer begins is billed for its prompt", async () => {
  const prices = { [MODEL]: { input: 100_000, output: 0 } };
  const left = new AbortController();
  const { fetch, send } = budgeted({ limitUsd: 5, window: "day" }, (_, at) => {
    if (at > 0) return used(0, {}, 0);
    left.abort();
    throw left.signal.reason;
  }, { prices });
  const { status } = await fetch(ask(MODEL, TOKEN, { max_tokens: 1 }, { signal: left.signal }));
  assertEquals(status, 499);
  assertEquals(await send(1), 429);
});

/** Usages that no provider should tell. */
const ABSURD = [
  { usage: '{"prompt_tokens": 1e999, "completion_tokens": 1e300}', tokens: [1e9, 1e9] },
  { usage: '{"prompt_tokens": -9, "completion_tokens": -7, "cost": -5}', tokens: [0, 0] },
  { usage: '{"prompt_tokens": 1, "completion_tokens": 1.4, "cost": 1e308}', tokens: [1, 1] },
  { usage: '{"prompt_tokens": "9", "completion_tokens": null, "total_tokens": {}}', tokens: [0, 0] },
];

for (const { usage, tokens } of ABSURD) {
  Deno.test(`a usage of ${usage} spoils no sum, and no row of others`, async () => {
    const rows: LogEntry[] = [];
    const kept = new Map<string, { value: number; until: number }>();
    const now = () => Date.UTC(2026, 10, 24);
    const { fetch } = budgeted(
      { limitUsd: 1, window: "day" },
      async () => {
        const text = JSON.stringify({ ...await completion().json(), usage: "USAGE" });
        return new Response(text.replace('"USAGE"', usage), {
          headers: { "content-type": "application/json" },
        });
      },
      { now, store: { counters: memoryCounters(now, kept) }, log: (row) => void rows.push(row) },
    );
    await (await fetch(ask(MODEL, TOKEN, { max_tokens: 5 }))).text();
    assertEquals([rows[0].inputTokens, rows[0].outputTokens], tokens);
    for (const number of [rows[0].cost!, ...[...kept.values()].map(({ value }) => value)]) {
      assert(number >= 0 && number <= Number.MAX_SAFE_INTEGER * 1e3, `${number}`);
    }
  });
}

Deno.test("a request that fails costs nothing, and its hold goes", async () => {
  const { send } = budgeted(DOLLAR, (_, at) => {
    if (at === 0) throw new TypeError("no route");
    return at === 1 ? refusal(500) : used(1);
  });
  assertEquals([await send(100), await send(100), await send(100)], [502, 500, 200]);
});

Deno.test("an answer that tells no usage is estimated", async () => {
  const stream = () => events(STREAM[0], chunk({ content: "x".repeat(400) }), ...STREAM.slice(2));
  const { send } = budgeted(DOLLAR, stream);
  assertEquals(await send(100, MODEL, {}, { stream: true }), 200);
  assertEquals(await send(1), 429);
});

Deno.test("the hold of a request whose end is never told lapses after half an hour", async () => {
  const { fetch, send, pass } = budgeted(
    DOLLAR,
    (_, at) => at === 0 ? events(STREAM[0], new Promise(() => {})) : used(1),
  );
  const lost = await fetch(ask(MODEL, TOKEN, { max_tokens: 100, stream: true }));
  assertEquals(await send(1), 429);
  pass(HOUR / 2);
  assertEquals(await send(100), 200);
  await lost.body!.cancel();
  // Its hold is not given back twice.
  assertEquals(await send(100), 429);
});

// ---------------------------------------------------------------- windows

const WINDOWS: [window: TokenBudget["window"], from: string, ends: string][] = [
  ["hour", "2026-11-24T10:59:59Z", "2026-11-24T11:00:00Z"],
  ["day", "2026-11-24T01:00:00Z", "2026-11-25T00:00:00Z"],
  ["week", "2026-11-24T00:00:00Z", "2026-11-30T00:00:00Z"],
  ["month", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"],
  ["month", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"],
];

for (const [window, from, ends] of WINDOWS) {
  Deno.test(`a ${window} from ${from} ends at ${ends}`, async () => {
    const at = Date.parse(from);
    const { send, pass } = budgeted({ limitUsd: 1, window }, () => used(100), { at });
    assertEquals([await send(100), await send(1)], [200, 429]);
    pass(Date.parse(ends) - at - 1);
    assertEquals(await send(1), 429);
    pass(1);
    assertEquals(await send(100), 200);
  });
}

Deno.test("sliding: the window before counts for the part of it that is still in the window", async () => {
  const { send, pass } = budgeted({ ...DOLLAR, technique: "sliding" }, (_, at) => used(at === 0 ? 100 : 0));
  assertEquals(await send(100), 200);
  pass(DAY);
  assertEquals(await send(1), 429);
  pass(DAY / 4);
  assertEquals([await send(26), await send(25)], [429, 200]);
  pass(DAY / 2);
  assertEquals([await send(76), await send(75)], [429, 200]);
});

Deno.test("sliding: a sum that is not a whole number has an error to tell", async () => {
  const { fetch, send, pass } = budgeted({ ...DOLLAR, technique: "sliding" }, () => used(33));
  let now = 0;
  for (let step = 1; step < 60; step++) {
    pass(7_777_777);
    now += 7_777_777;
    for (let n = 0; n < 2; n++) await send(33);
    const { status } = await fetch(ask(MODEL, TOKEN, { max_tokens: 67 }));
    assert(status === 200 || status === 429, `${status} at ${now}`);
  }
});

Deno.test("sliding: a month counts until the next one is over", async () => {
  const { send, pass } = budgeted({ limitUsd: 1, window: "month", technique: "sliding" }, (_, at) => {
    return used(at === 0 ? 100 : 0);
  }, { at: Date.UTC(2027, 0, 1) });
  assertEquals(await send(100), 200);
  // On February 20, 9 of 28 days are left.
  pass(50 * DAY);
  assertEquals([await send(68), await send(67)], [429, 200]);
});

// ---------------------------------------------------------------- several budgets, and what they are for

Deno.test("of several budgets each holds", async () => {
  const { send, pass } = budgeted(
    [{ limitUsd: 1, window: "hour" }, { limitUsd: 1.5, window: "day" }],
    () => used(100),
  );
  assertEquals([await send(100), await send(1)], [200, 429]);
  pass(HOUR);
  assertEquals([await send(51), await send(50)], [429, 200]);
  pass(HOUR);
  // The answer was longer than the request allowed: its cost counts, and not what was held.
  assertEquals(await send(1), 429);
});

Deno.test("a budget for some models or providers leaves others alone", async () => {
  for (const only of [{ models: ["openai/gpt-4*"] }, { models: ["gpt-4.1"] }, { providers: ["openai"] }]) {
    const { send } = budgeted({ ...DOLLAR, ...only }, () => used(100));
    assertEquals([await send(100), await send(1)], [200, 429]);
    // In capitals it is the same model, but its price is not known.
    assertEquals(await send(1, "openai/GPT-4.1"), 403);
    assertEquals(await send(1, "groq/llama"), 200);
    assertEquals(await send(1, "openai/gpt-5"), only.providers ? 429 : 200);
    // A model without a price, and without a budget.
    assertEquals(await send(1, "groq/unknown"), 200);
  }
});

const PRO = "google-ai-studio/gemini-2.5-pro";
const googleStep = (query: object) => [{
  provider: "google-ai-studio",
  endpoint: "v1beta/models/gemini-2.5-pro:generateContent",
  headers: {},
  query: { contents: [], ...query },
}];

/** Requests for a model that has a budget, under another name, with the status of their refusal. */
const RENAMED: Record<string, [request: () => Request, status: number]> = {
  "a dated version": [() => ask(`${MODEL}-2025-04-14`, TOKEN, { max_tokens: 200_000 }), 429],
  "capitals": [() => ask("openai/GPT-4.1", TOKEN, { max_tokens: 200_000 }), 403],
  "a prefix of Google's": [
    () => ask("google-ai-studio/models/gemini-2.5-pro", TOKEN, { max_tokens: 200_000 }),
    429,
  ],
  "the name of another in a universal step": [
    () => post(ROOT, googleStep({ model: "gemini-2.5-flash" }), TOKEN),
    429,
  ],
  "two names in a body": [
    () =>
      post(
        `${ROOT}/openai/chat/completions`,
        '{"model": "gpt-4.1", "messages": [], "model": "gpt-5"}',
        TOKEN,
      ),
    403,
  ],
  "the name of another beside a batch": [
    () => post(`${ROOT}/openai/batches`, { model: "gpt-5", input_file_id: "f" }, TOKEN),
    403,
  ],
  "the name of another beside a session": [
    () => post(`${ROOT}/openai/realtime/client_secrets`, { model: "gpt-5", session: {} }, TOKEN),
    403,
  ],
  "a job of embeddings of the model in the path": [
    () =>
      post(
        `${ROOT}/google-ai-studio/v1beta/models/gemini-2.5-pro:asyncBatchEmbedContent`,
        { batch: {} },
        TOKEN,
      ),
    403,
  ],
  "a job of embeddings": [
    () => post(`${ROOT}/openai/embed-jobs`, { model: "gpt-5", dataset_id: "d" }, TOKEN),
    403,
  ],
};

for (const [name, [request, status]] of Object.entries(RENAMED)) {
  Deno.test(`a budget for a model holds under another name: ${name}`, async () => {
    const { fetch, sent } = budgeted({ limitUsd: 1, window: "day", models: [MODEL, PRO] }, undefined, {
      prices: { ...PRICES, [PRO]: CENTS },
      keys: { ...KEYS, "google-ai-studio": "g-stored" },
    });
    const response = await fetch(request());
    await response.text();
    assertEquals([response.status, sent.length], [status, 0]);
  });
}

Deno.test("a budget with a date replaces another for the same window and models, until that date", async () => {
  const raised = { limitUsd: 3, window: "day", until: "2026-11-25" } as const;
  const { send, pass } = budgeted([DOLLAR, raised], () => used(100));
  assertEquals([await send(100), await send(100), await send(100), await send(1)], [200, 200, 200, 429]);
  pass(DAY);
  assertEquals([await send(100), await send(1)], [200, 429]);
  // What was spent meanwhile counts for the budget that was replaced.
  const { send: again, pass: on } = budgeted([
    { limitUsd: 1, window: "month" },
    { limitUsd: 3, window: "month", until: "2026-11-25" },
  ], () => used(100));
  assertEquals([await again(100), await again(100)], [200, 200]);
  on(DAY);
  assertEquals(await again(1), 429);
});

// ---------------------------------------------------------------- prices that are not known

Deno.test("a model whose price is not known is refused, unless the token allows it", async () => {
  const { fetch, sent } = budgeted(DOLLAR);
  for (const headers of [TOKEN, { ...TOKEN, "sluice-fallback": "groq/unknown" }]) {
    const model = "sluice-fallback" in headers ? MODEL : "openai/unknown";
    const response = await fetch(ask(model, headers, { max_tokens: 1 }));
    assertEquals(response.status, 403);
    const { error } = await response.json();
    assertEquals(error.code, "2040");
    assertStringIncludes(error.message, "/unknown");
    assertStringIncludes(error.message, 'unknownPrice: "allow"');
  }
  assertEquals(sent.length, 0);
  const { send } = budgeted(DOLLAR, () => used(1000), { token: { unknownPrice: "allow" } });
  assertEquals([await send(1000, "openai/unknown"), await send(1000, "openai/unknown")], [200, 200]);
});

// ---------------------------------------------------------------- doors

const DOORS: Record<string, (most: number) => Request> = {
  "chat": (max_tokens) => ask(MODEL, TOKEN, { max_tokens }),
  "Messages": (max_tokens) => post(`${ROOT}/compat/messages`, { model: MODEL, max_tokens, messages }, TOKEN),
  "Responses": (max_output_tokens) =>
    post(
      `${ROOT}/compat/responses`,
      { model: "anthropic/claude-sonnet-4-5", input: "Hi", max_output_tokens },
      TOKEN,
    ),
  "universal": (max_tokens) =>
    post(ROOT, [{
      provider: "openai",
      endpoint: "chat/completions",
      headers: {},
      query: { model: "gpt-4.1", messages, max_tokens },
    }], { "cf-aig-authorization": "Bearer spending-token" }),
  "universal, second step": (max_tokens) =>
    post(
      ROOT,
      [1, max_tokens].map((most) => ({
        provider: "compat",
        endpoint: "chat/completions",
        headers: {},
        query: { model: MODEL, messages, max_tokens: most },
      })),
      { "cf-aig-authorization": "Bearer spending-token" },
    ),
  "universal, a body that is a text": (max_tokens) =>
    post(ROOT, [{
      provider: "openai",
      endpoint: "chat/completions",
      headers: {},
      query: JSON.stringify({ model: "gpt-4.1", messages, max_tokens }),
    }], { "cf-aig-authorization": "Bearer spending-token" }),
  "run": (max_tokens) =>
    post(
      "http://gateway.test/client/v4/accounts/acct/ai/run",
      { model: MODEL, input: { messages, max_tokens } },
      TOKEN,
    ),
  "native": (max_tokens) =>
    post(`${ROOT}/openai/chat/completions`, { model: "gpt-4.1", messages, max_tokens }, TOKEN),
  "native Messages": (max_tokens) =>
    post(`${ROOT}/anthropic/v1/messages`, { model: "claude-sonnet-4-5", messages, max_tokens }, TOKEN),
  "native, a long body": (max_tokens) =>
    new Request(`${ROOT}/openai/chat/completions`, {
      method: "POST",
      headers: { ...TOKEN, "content-type": "application/json" },
      body: new Response(
        JSON.stringify({ messages, pad: "x".repeat(300_000), model: "gpt-4.1", max_tokens }),
      ).body,
    }),
  "completions": (max_tokens) =>
    post("http://gateway.test/v1/completions", { model: MODEL, prompt: "Hi", max_tokens }, TOKEN),
};

for (const [door, request] of Object.entries(DOORS)) {
  Deno.test(`a budget holds at the door ${door}`, async () => {
    const claude = () =>
      message().json().then((body) =>
        Response.json({ ...body, usage: { input_tokens: 0, output_tokens: 60 } })
      );
    const { fetch, sent } = budgeted(DOLLAR, ({ url }) => url.includes("anthropic") ? claude() : used(60));
    assertEquals(await status(fetch(request(101))), 429);
    assertEquals(sent.length, 0);
    assertEquals(await status(fetch(request(100))), 200);
    const refused = await fetch(request(41));
    assertEquals(refused.status, 429);
    assertStringIncludes(await refused.text(), "may spend 1 US dollars");
    assertEquals(await status(fetch(request(40))), 200);
    assertEquals(sent.length, 2);
  });
}

Deno.test("each universal step without a limit is taken to be 4096 tokens", async () => {
  const step = {
    provider: "compat",
    endpoint: "chat/completions",
    headers: {},
    query: { model: MODEL, messages },
  };
  const { fetch, sent } = budgeted({ limitUsd: 40, window: "day" });
  const headers = { "cf-aig-authorization": "Bearer spending-token" };
  assertEquals(await status(fetch(post(ROOT, [step, step], headers))), 429);
  assertEquals(sent.length, 0);
});

Deno.test("a budget holds for embeddings, of the gateway's door and of the provider's path", async () => {
  const answer = (tokens: number) =>
    Response.json({
      object: "list",
      model: "m",
      data: [{ object: "embedding", index: 0, embedding: [0.5] }],
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  const body = { model: "text-embedding-3-small", input: "Hello" };
  for (const [path, model] of [["compat", `openai/${body.model}`], ["openai", body.model]]) {
    const { fetch } = budgeted({ limitUsd: 50, window: "day" }, () => answer(40));
    const send = () => status(fetch(post(`${ROOT}/${path}/embeddings`, { ...body, model }, TOKEN)));
    const all = [await send(), await send(), await send(), await send()];
    assertEquals([all[0], all[3]], [200, 429], path);
  }
});

Deno.test("a path of the provider's own passes if it costs nothing, and is refused if its cost is not known", async () => {
  const { fetch, sent } = budgeted(DOLLAR, () => Response.json({ data: [] }));
  const at = (path: string, init: RequestInit = {}) =>
    status(fetch(new Request(`${ROOT}/openai/${path}`, { headers: TOKEN, ...init })));
  assertEquals([await at("models"), await at("files/f", { method: "DELETE" })], [200, 200]);
  assertEquals(
    await status(fetch(post(`${ROOT}/openai/responses/input_tokens`, { model: "gpt-4.1" }, TOKEN))),
    200,
  );
  assertEquals(sent.length, 3);
  const refused = [
    post(`${ROOT}/openai/images/generations`, { model: "gpt-4.1", prompt: "a cat" }, TOKEN),
    post(`${ROOT}/openai/chat/completions`, { messages }, TOKEN),
    post(`${ROOT}/openai/batches`, { input_file_id: "f" }, TOKEN),
    post(`${ROOT}/openai/responses`, { model: "gpt-4.1", input: "Hi", background: true }, TOKEN),
    new Request(`${ROOT}/openai/chat/completions`, { method: "POST", headers: TOKEN, body: "not JSON" }),
    new Request(`${ROOT}/openai/chat/completions`, {
      method: "POST",
      headers: TOKEN,
      body: '{"model": "gpt-5", "model": "gpt-4.1", "max_tokens": 1, "messages": []}',
    }),
  ];
  for (const request of refused) assertEquals(await status(fetch(request)), 403);
  assertEquals(sent.length, 3);
});

// ---------------------------------------------------------------- many requests

/** Numbers from 0 up to 1, the same in each run. */
function numbers(seed: number): () => number {
  return () => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return ((seed ^ (seed >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** A stream of so many tokens, which ends when a promise does. */
const streamed = (tokens: number, end: Promise<unknown>) =>
  events(
    STREAM[0],
    chunk({ content: "x".repeat(4 * tokens) }),
    end,
    chunk({}, "stop"),
    `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 0, completion_tokens: tokens } })}\n\n`,
    "data: [DONE]\n\n",
  );

Deno.test("200 requests at once never pass a dollar, though one in ten crashes and one in ten leaves", async () => {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  let billed = 0;
  const { fetch, send, sent, pass } = budgeted(DOLLAR, () => {
    billed += 5;
    return streamed(5, end);
  });
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => fetch(ask(MODEL, TOKEN, { max_tokens: 5, stream: true }))),
  );
  const good = answers.filter(({ status }) => status === 200);
  assertEquals([good.length, sent.length], [20, 20]);
  resolve();
  await Promise.all(answers.map(async (answer, at) => {
    const place = good.indexOf(answer);
    if (place >= 0 && place % 10 === 3) return;
    if (place >= 0 && place % 10 === 7) {
      const reader = answer.body!.getReader();
      for (let n = 0; n < 2; n++) await reader.read();
      return await reader.cancel();
    }
    assert(at >= 0);
    await answer.text();
  }));
  assert(billed <= 100);
  // Two have crashed: 90 cents are spent, and what was held for the two is free again later.
  assertEquals(await send(1), 429);
  pass(HOUR / 2);
  assertEquals(await send(11), 429);
  assertEquals(await send(10), 200);
  await Promise.all(good.map(({ body }) => body!.locked ? undefined : body!.cancel()));
});

Deno.test("budgets agree with a simple model, whatever requests end, leave or crash at any time", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = numbers(seed);
    const upTo = (most: number) => Math.floor(random() * (most + 1));
    let now = Date.UTC(2026, 10, 24);
    const { fetch, pass } = budgeted({ limitUsd: 1, window: "hour" }, ({ body }) => {
      const { max_tokens } = JSON.parse(body!);
      return streamed(Math.ceil(max_tokens / 2), Promise.resolve());
    }, { at: now });
    const spent = new Map<number, number>();
    const running: { held: number; window: number; response: Response }[] = [];
    const crashed: Response[] = [];
    const lost: { held: number; window: number }[] = [];
    for (let step = 0; step < 120; step++) {
      const ms = upTo(4 * 60_000);
      now += ms;
      pass(ms);
      const window = Math.floor(now / (HOUR / 4)), hour = Math.floor(now / HOUR);
      const choice = random();
      const [one] = choice < 0.6 ? [] : running.splice(upTo(running.length - 1), 1);
      if (one) {
        const { held, response } = one;
        if (choice < 0.7) {
          lost.push(one);
          crashed.push(response);
          continue;
        }
        if (choice < 0.8) {
          const reader = response.body!.getReader();
          for (let n = 0; n < 2; n++) await reader.read();
          await reader.cancel();
        } else await response.text();
        spent.set(hour, (spent.get(hour) ?? 0) + Math.ceil(held / 2));
        continue;
      }
      const most = 1 + upTo(40);
      const held = [...running, ...lost].reduce(
        (sum, { held, window: at }) => at >= window - 1 ? sum + held : sum,
        0,
      );
      const fits = (spent.get(hour) ?? 0) + held + most <= 100;
      const response = await fetch(ask(MODEL, TOKEN, { max_tokens: most, stream: true }));
      assertEquals(response.status, fits ? 200 : 429, `seed ${seed}, step ${step}`);
      if (fits) running.push({ held: most, window, response });
      else await response.text();
    }
    await Promise.all(
      [...crashed, ...running.map(({ response }) => response)].map(({ body }) => body!.cancel()),
    );
  }
});

// ---------------------------------------------------------------- options

const FAULTS: Record<string, [budget: object, path: string]> = {
  "a limit of 0": [{ ...DOLLAR, limitUsd: 0 }, "tokens.0"],
  "a window that is not known": [{ ...DOLLAR, window: "year" }, "tokens.0"],
  "a date that is none": [{ ...DOLLAR, until: "soon" }, "tokens.0"],
  "an empty list of models": [{ ...DOLLAR, models: [] }, "tokens.0"],
  "two stars": [{ ...DOLLAR, models: ["openai/*-*"] }, "tokens.0.budgets.0.models.0"],
  "a provider that is not known": [{ ...DOLLAR, models: ["nobody/*"] }, "tokens.0.budgets.0.models.0"],
  "a provider's name that is not known": [
    { ...DOLLAR, providers: ["nobody"] },
    "tokens.0.budgets.0.providers",
  ],
};

for (const [name, [budget, path]] of Object.entries(FAULTS)) {
  Deno.test(`a budget with ${name} ends the start, with the path of the fault`, () => {
    const tokens = [{ token: "spending-token", budgets: [budget as TokenBudget] }];
    const error = assertThrows(
      () => createGateway({ tokens, fetch: network(() => completion()).fetch }),
      TypeError,
    );
    assertStringIncludes(error.message, path);
  });
}
