import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { LogEntry, LogError } from "../../../gateway/stores/log_row.ts";
import { jsonLine, textLine } from "../../../gateway/log/line.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, chunk, clock, completion, events, pieces, post, ROOT, STREAM } from "../../fakes.ts";

/** A gateway with its log. Its clock moves only when a test moves it. */
function scene(answer: Parameters<typeof before>[0], options: Options = {}) {
  const logged: LogEntry[] = [];
  const gateway = before(answer, { log: (entry) => void logged.push(entry), ...options });
  return { ...gateway, logged };
}

const SECRET = "sk-secret-4711 is the key, and this the prompt";

const named = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const CLAUDE = [
  {
    type: "message_start",
    message: { id: "m", model: "claude-x", usage: { input_tokens: 3, cache_read_input_tokens: 4 } },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
  { type: "message_stop" },
].map(named);

const overloaded = named(
  { type: "error", error: { type: "overloaded_error", message: SECRET } } as { type: string },
);
const openaiError = `data: ${
  JSON.stringify({ error: { message: SECRET, type: "server_error", code: 503 } })
}\n\n`;
const reset = new TypeError("connection reset");
const json = { headers: { "content-type": "application/json" } };
const refused = (status: number) =>
  Response.json({ error: { message: SECRET, type: "invalid_request_error", code: "bad_thing" } }, { status });
const step = { provider: "openai", endpoint: "chat/completions", query: { model: "m" } };
const STREAMED = { stream: true };

/** Requests that fail: the request, the provider's answer, and the row's level, status, tries and error. */
const FAILURES: [string, () => Request, () => Response | Promise<Response>, unknown[], Options?][] = [
  [
    "an error event in a translated stream",
    () => ask("anthropic/claude", {}, STREAMED),
    () => events(CLAUDE[0], overloaded),
    ["error", 200, 1, { status: 529, type: "server_error", code: "overloaded" }],
  ],
  [
    "an error event in a stream of the client's own wire",
    () => ask("openai/m", {}, STREAMED),
    () => events(STREAM[0], openaiError),
    ["error", 200, 1, { status: 503, type: "server_error", code: 503 }],
  ],
  [
    "an error in place of embeddings that calls itself a success",
    () => post(`${ROOT}/compat/embeddings`, { model: "openai/m", input: "Hi" }),
    () => Response.json({ error: { message: SECRET, type: "server_error", code: "overloaded" } }),
    ["error", 200, 1, { type: "server_error", code: "overloaded" }],
  ],
  [
    "an error in place of a rerank that calls itself a success",
    () => post("http://gateway.test/v1/rerank", { model: "cohere/m", query: "Hi", documents: ["a"] }),
    () => Response.json({ success: false, errors: [{ message: SECRET, code: 503 }] }),
    ["error", 200, 1, { status: 503, type: "server_error", code: 503 }],
  ],
  [
    "an error event in a stream of a provider's own path",
    () => post(`${ROOT}/anthropic/v1/messages`, STREAMED),
    () => events(CLAUDE[0], overloaded),
    ["error", 200, 1, { status: 529, type: "server_error", code: "overloaded" }],
  ],
  [
    "an error event in a stream of no known format",
    () => post(`${ROOT}/openai/v1/evals`, STREAMED),
    () => events(`event: error\ndata: ${SECRET}\n\n`),
    ["error", 200, 1, {}],
  ],
  [
    "a failed response",
    () => post(`${ROOT}/openai/v1/responses`, STREAMED),
    () =>
      events(
        named(
          { type: "response.failed", response: { error: { code: "server_error", message: SECRET } } } as {
            type: string;
          },
        ),
      ),
    ["error", 200, 1, { type: "server_error", code: "server_error", status: 500 }],
  ],
  [
    "an error with a status of success",
    () => ask("openai/m"),
    () =>
      Response.json({ error: { message: SECRET, type: "insufficient_quota", code: "insufficient_quota" } }),
    ["error", 200, 1, { type: "insufficient_quota", code: "insufficient_quota" }],
  ],
  [
    "a translated stream that is cut",
    () => ask("anthropic/claude", {}, STREAMED),
    () => events(CLAUDE[0], reset),
    ["error", 200, 1, { code: "upstream_broke_off", message: "The answer of anthropic broke off" }],
  ],
  [
    "a translated stream that ends too soon",
    () => ask("anthropic/claude", {}, STREAMED),
    () => events(CLAUDE[0], CLAUDE[1]),
    ["error", 200, 1, { code: "cut_off" }],
  ],
  [
    "a stream of the client's own wire that is cut",
    () => ask("openai/m", {}, STREAMED),
    () => events(STREAM[0], reset),
    ["error", 200, 1, { code: "upstream_broke_off", message: "The answer of openai broke off" }],
  ],
  [
    "a stream of the client's own wire that ends too soon",
    () => ask("openai/m", {}, STREAMED),
    () => events(STREAM[0]),
    ["error", 200, 1, { code: "cut_off" }],
  ],
  [
    "a stream of the client's own wire without an event",
    () => ask("openai/m", {}, STREAMED),
    () => events(),
    ["error", 502, 1, { code: "bad_upstream_answer", message: "openai answered 200 with an empty body" }],
  ],
  [
    "a page with the content type of a stream",
    () => ask("openai/m", {}, STREAMED),
    () => events(`<html>${SECRET}</html>`),
    ["error", 502, 1, { code: "bad_upstream_answer", message: "openai answered 200 with a page" }],
  ],
  [
    "a long body of the client's own wire that is cut",
    () => ask("openai/m"),
    () => new Response(pieces(`{"choices":[${" ".repeat(99_999)}`, reset), json),
    ["error", 200, 1, { code: "upstream_broke_off", message: "The answer of openai broke off" }],
  ],
  [
    "a short body of the client's own wire that is cut",
    () => ask("openai/m"),
    () => new Response(pieces('{"choices":[', reset), json),
    ["error", 200, 1, { code: "upstream_broke_off", message: "The answer of openai broke off" }],
  ],
  [
    "a translated body that is cut",
    () => ask("anthropic/claude"),
    () => new Response(pieces('{"content":[', reset), json),
    ["error", 502, 1, {
      code: "bad_upstream_answer",
      message: "The answer of anthropic broke off (TypeError)",
    }],
  ],
  [
    "a body of a provider's own path that is cut",
    () => new Request(`${ROOT}/openai/v1/files/f/content`),
    () => new Response(pieces("abc", reset)),
    ["error", 200, 1, { code: "upstream_broke_off", message: "The answer of openai broke off" }],
  ],
  [
    "a stream of a provider's own path that is cut",
    () => post(`${ROOT}/anthropic/v1/messages`, STREAMED),
    () => events(CLAUDE[0], reset),
    ["error", 200, 1, { code: "upstream_broke_off", message: "The answer of anthropic broke off" }],
  ],
  [
    "a stream of the client's own wire that idles",
    () => ask("openai/m", {}, STREAMED),
    () => events(STREAM[0], new Promise(() => {})),
    ["error", 200, 1, { code: "upstream_timeout", message: "openai sent nothing for 20 ms" }],
    { streamIdleTimeoutMs: 20 },
  ],
  [
    "a translated stream that idles",
    () => ask("anthropic/claude", {}, STREAMED),
    () => events(CLAUDE[0], new Promise(() => {})),
    ["error", 200, 1, { code: "upstream_timeout", message: "anthropic sent nothing for 20 ms" }],
    { streamIdleTimeoutMs: 20 },
  ],
  [
    "a stream of a provider's own path that idles",
    () => post(`${ROOT}/openai/v1/responses`, STREAMED),
    () => events(": hello\n\n", new Promise(() => {})),
    ["error", 200, 1, { code: "upstream_timeout", message: "openai sent nothing for 20 ms" }],
    { streamIdleTimeoutMs: 20 },
  ],
  [
    "a refusal on the client's own wire",
    () => ask("openai/m"),
    () => refused(400),
    ["error", 400, 1, { status: 400, type: "invalid_request_error", code: "bad_thing" }],
  ],
  [
    "a refusal on another wire",
    () => ask("anthropic/claude"),
    () =>
      Response.json({ type: "error", error: { type: "overloaded_error", message: SECRET } }, { status: 529 }),
    ["error", 529, 1, { status: 529, type: "server_error", code: "overloaded" }],
  ],
  [
    "a refusal on a provider's own path",
    () => post(`${ROOT}/anthropic/v1/messages`, {}),
    () =>
      Response.json({ type: "error", error: { type: "overloaded_error", message: SECRET } }, { status: 529 }),
    ["error", 529, 1, { status: 529, type: "server_error", code: "overloaded" }],
  ],
  [
    "a refusal of an object that was asked for",
    () => new Request(`${ROOT}/openai/v1/files/f`),
    () => refused(404),
    ["error", 404, 1, { status: 404, type: "invalid_request_error", code: "bad_thing" }],
  ],
  [
    "a refusal that is a page",
    () => post(`${ROOT}/openai/v1/embeddings`, {}),
    () => new Response(`<html>${SECRET}`, { status: 502 }),
    ["error", 502, 1, { status: 502, type: "server_error" }],
  ],
  [
    "a refusal without a body",
    () => new Request(`${ROOT}/openai/v1/files/f`),
    () => new Response(null, { status: 403 }),
    ["error", 403, 1, { status: 403 }],
  ],
  [
    "a universal step's refusal, of each of a list",
    () => post(ROOT, [step, step]),
    () => refused(500),
    ["error", 500, 2, { status: 500, type: "invalid_request_error", code: "bad_thing" }],
  ],
  ...["google-ai-studio/gemini", "cohere/command", "perplexity-agent/sonar"].map((
    model,
  ): (typeof FAILURES)[number] => [
    `an answer of ${model} of the wrong shape`,
    () => ask(model),
    () => Response.json({ hello: 1 }),
    ["error", 502, 1, undefined],
  ]),
  [
    "an answer that is null",
    () => ask("openai/m"),
    () => Response.json(null),
    ["error", 502, 1, {
      code: "bad_upstream_answer",
      message: "openai answered 200 with JSON that is not an answer",
    }],
  ],
  [
    "a provider that cannot be reached",
    () => ask("openai/m", { "cf-aig-max-attempts": "3" }),
    () => Promise.reject(new Error(SECRET)),
    ["error", 502, 3, {
      code: "upstream_unreachable",
      message: "Cannot reach openai: no answer to the request (Error)",
    }],
  ],
  [
    "a scanner's path",
    () => new Request("http://gateway.test/.env?key=sk-secret"),
    () => completion(),
    ["warn", 404, 0, undefined],
  ],
  [
    "a body that is not JSON",
    () => post(`${ROOT}/compat/chat/completions`, `{"secret`),
    () => completion(),
    ["warn", 400, 0, undefined],
  ],
  [
    "a wrong token",
    () => ask("openai/m", { "cf-aig-authorization": "Bearer sk-secret" }),
    () => completion(),
    ["warn", 401, 0, undefined],
    { tokens: ["right"] },
  ],
  [
    "a model that is in no list",
    () => new Request("http://gateway.test/v1/models/nobody/m"),
    () => completion(),
    ["warn", 404, 0, undefined],
  ],
  [
    "no provider of that name",
    () => ask("opnai/m"),
    () => completion(),
    ["warn", 400, 0, undefined],
  ],
];

for (const [name, request, provider, [level, status, tries, error], options] of FAILURES) {
  Deno.test(`the log has one row about ${name}`, async () => {
    const { fetch, logged } = scene(provider, { ...clock().options, ...options });
    const sent = request();
    const response = await fetch(sent);
    await response.text().catch(() => {});
    assertEquals(logged.length, 1);
    const [row] = logged;
    assertEquals([row.level, row.status, row.tries, row.method], [level, status, tries, sent.method]);
    assertEquals([row.id, row.status], [response.headers.get("cf-aig-log-id"), response.status]);
    if (error) assertEquals(clean(row.error), error as LogError);
    else assert(row.error);
    const line = jsonLine(row) + textLine(row, true);
    assert(!line.includes("secret") && !line.includes("4711") && !line.includes("prompt"), line);
  });
}

/** The object without members that are undefined. */
const clean = (value: unknown) => value === undefined ? undefined : JSON.parse(JSON.stringify(value));

Deno.test("the log has one row about a client that leaves, before its answer or in the middle of it", async () => {
  for (const model of ["openai/m", "anthropic/claude"]) {
    const first = model === "openai/m" ? STREAM.slice(0, 2) : CLAUDE.slice(0, 3);
    const never = new Promise(() => {});
    const late = scene(() => events(...first, never));
    const reader = (await late.fetch(ask(model, {}, STREAMED))).body!.getReader();
    await reader.read();
    await reader.cancel();
    const message = "The client left before its answer was finished";
    assertEquals(late.logged.map(({ level, status, error }) => [level, status, error]), [
      ["warn", 200, { code: "client_left", message }],
    ]);
    const leaving = new AbortController();
    const early = scene(({ signal }) => {
      leaving.abort();
      return Promise.reject(signal.reason);
    });
    const response = await early.fetch(ask(model, {}, {}, { signal: leaving.signal }));
    assertEquals([
      response.status,
      early.logged.map(({ level, status, error }) => [level, status, (error as { code: string }).code]),
    ], [
      499,
      [["warn", 499, "client_left"]],
    ]);
  }
});

/** Successful answers, with the tokens that they report. */
const GOOD: [string, () => Request, () => Response, Partial<LogEntry>][] = [
  [
    "a whole answer of the client's own wire",
    () => ask("openai/m"),
    () => completion(),
    { provider: "openai", model: "m", stream: false, inputTokens: 1, outputTokens: 1 },
  ],
  [
    "a stream of the client's own wire",
    () => ask("openai/m", {}, STREAMED),
    () =>
      events(
        STREAM[0],
        chunk({ content: "Hi" }),
        chunk({}, "stop"),
        `data: ${
          JSON.stringify({
            choices: [],
            usage: { prompt_tokens: 312, completion_tokens: 88, total_tokens: 400 },
          })
        }\n\n`,
        "data: [DONE]\n\n",
      ),
    { provider: "openai", model: "m", stream: true, firstTokenMs: 5, inputTokens: 312, outputTokens: 88 },
  ],
  [
    "a translated stream",
    () => ask("anthropic/claude", {}, STREAMED),
    () => events(...CLAUDE),
    {
      provider: "anthropic",
      model: "claude",
      stream: true,
      firstTokenMs: 5,
      inputTokens: 7,
      outputTokens: 5,
    },
  ],
  [
    "a stream of a provider's own path",
    () => post(`${ROOT}/anthropic/v1/messages`, STREAMED),
    () => events(...CLAUDE),
    {
      provider: "anthropic",
      model: "claude-x",
      stream: true,
      firstTokenMs: 5,
      inputTokens: 7,
      outputTokens: 5,
    },
  ],
  [
    "a stream of a format that the row does not speak",
    () => post(`${ROOT}/openrouter/v1/messages`, STREAMED),
    () => events(...CLAUDE),
    {
      provider: "openrouter",
      model: "claude-x",
      stream: true,
      firstTokenMs: 5,
      inputTokens: 7,
      outputTokens: 5,
    },
  ],
  [
    "a stream of responses",
    () => post(`${ROOT}/openai/v1/responses`, STREAMED),
    () =>
      events(...[
        { type: "response.created", response: { id: "r", model: "gpt-x" } },
        { type: "response.output_text.delta", delta: "Hi" },
        {
          type: "response.completed",
          response: {
            usage: {
              input_tokens: 9,
              input_tokens_details: { cached_tokens: 4 },
              output_tokens: 7,
              output_tokens_details: { reasoning_tokens: 2 },
            },
          },
        },
      ].map(named)),
    { provider: "openai", model: "gpt-x", stream: true, firstTokenMs: 5, inputTokens: 9, outputTokens: 7 },
  ],
  [
    "a whole answer of Gemini's own path",
    () => post(`${ROOT}/google-ai-studio/v1beta/models/g:generateContent`, {}),
    () =>
      Response.json({
        candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
      }),
    { provider: "google-ai-studio", model: "g", stream: false, inputTokens: 3, outputTokens: 2 },
  ],
  [
    "a deletion",
    () => new Request(`${ROOT}/openai/v1/files/f`, { method: "DELETE" }),
    () => Response.json({ deleted: true }),
    {
      provider: "openai",
      stream: false,
    },
  ],
  ["sound", () => post(`${ROOT}/openai/v1/audio/speech`, {}), () => new Response("\0\x01"), {
    provider: "openai",
    stream: false,
  }],
];

for (const [name, request, provider, expected] of GOOD) {
  Deno.test(`the log tells of ${name} when it has ended, and changes no byte`, async () => {
    const time = clock();
    const answer = () => {
      time.pass(5);
      return provider();
    };
    const { fetch, logged } = scene(answer, time.options);
    const plain = before(provider, time.options);
    const sent = request();
    const response = await fetch(sent.clone());
    const expectedText = await (await plain.fetch(sent)).text();
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) assertEquals(logged, []);
    assertEquals(await response.text(), expectedText);
    const { headers } = response;
    const beside = ["cacheReadTokens", "reasoningTokens", "finishReason", "requestType", "responseType"];
    const rows = logged.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !beside.includes(name)))
    );
    const { provider: name, model } = expected;
    // Of a native path that names no model, only the answer does.
    const isTold = sent.url.endsWith("/chat/completions") || sent.url.endsWith(":generateContent");
    assertEquals(clean(rows), [{
      attempts: [clean({ provider: name, model: isTold ? model : undefined, status: 200, ms: 5 })],
      account: "acct",
      gateway: "gw",
      time: new Date(time.options.now()).toISOString(),
      level: "info",
      id: headers.get("cf-aig-log-id"),
      method: sent.method,
      path: new URL(sent.url).pathname,
      status: 200,
      durationMs: 5,
      tries: 1,
      step: 0,
      ...expected,
    }]);
  });
}

Deno.test("a row tells the provider's id for the request, and the step that answered", async () => {
  const { fetch, logged } = scene(
    (_, at) =>
      at < 2 ? refused(500) : new Response(completion().body, {
        headers: { "content-type": "application/json", "request-id": "req_1" },
      }),
    clock().options,
  );
  await (await fetch(ask("openai/m", { "cf-aig-max-attempts": "2" }, { models: ["groq/llama"] }))).text();
  const [{ upstreamId, tries, step, provider, model, level, error }] = logged;
  assertEquals([upstreamId, tries, step, provider, model, level, error], [
    "req_1",
    3,
    1,
    "groq",
    "llama",
    "info",
    undefined,
  ]);
});

Deno.test("without the option log nothing is attached to a stream: its body is the provider's own", async () => {
  const provider = events(...STREAM);
  const { fetch } = before(() => provider);
  const response = await fetch(ask("openai/m", {}, STREAMED));
  assertEquals(response.body, provider.body);
  await response.body!.cancel();
});

Deno.test("a stream that is watched is not read ahead of its client", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      pulled++;
      controller.enqueue(new TextEncoder().encode(STREAM[1]));
    },
  }, { highWaterMark: 0 });
  const { fetch } = scene(() => new Response(body, { headers: { "content-type": "text/event-stream" } }));
  const response = await fetch(post(`${ROOT}/openai/v1/chat/completions`, STREAMED));
  const reader = response.body!.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(pulled, 1);
  await reader.cancel();
});

Deno.test("a watched stream whose first bytes are late is passed on before they come", async () => {
  const never = new Promise(() => {});
  const { fetch, logged } = scene(() => events(never));
  const response = await fetch(ask("openai/m", {}, STREAMED));
  assertEquals(response.status, 200);
  const own = Number(/dur=([\d.]+)/.exec(response.headers.get("server-timing")!)![1]);
  assert(own < 400, `the wait for the provider is not the gateway's own time: ${own} ms`);
  await response.body!.cancel();
  assertEquals(logged.map(({ level }) => level), ["warn"]);
});

Deno.test("a watched stream that begins with blank lines or a comment is passed on whole", async () => {
  for (const first of ["\n\n", ": waiting\n\n", "\r\n"]) {
    const { fetch, logged } = scene(() => events(first, ...STREAM));
    const response = await fetch(ask("openai/m", {}, STREAMED));
    assertEquals(await response.text(), first + STREAM.join(""));
    assertEquals(logged.map(({ level }) => level), ["info"]);
  }
});

Deno.test("an option log that throws does not fail the answer", async () => {
  for (const stream of [false, true]) {
    const { fetch } = before(() => stream ? events(...STREAM) : completion(), {
      log: () => {
        throw new Error("no disk");
      },
    });
    const response = await fetch(ask("openai/m", {}, { stream }));
    assertEquals([response.status, (await response.text()).length > 0], [200, true]);
  }
});

Deno.test("a provider's or a client's text cannot forge a line of the log or make it long", async () => {
  const evil = '\n{"level":"info"}\u2028\u0085\x1b[2J\u202e';
  const { fetch, logged } = scene(() =>
    Response.json({ error: { message: "x", type: evil, code: `sk-${"a1".repeat(40)}` } }, {
      status: 400,
      headers: { "x-request-id": "r".repeat(5000) },
    })
  );
  await (await fetch(ask(`openai/${evil}${"m".repeat(200)}`))).text();
  await (await fetch(ask(`openai/${evil}${"m".repeat(100_000)}`))).text();
  await (await fetch(new Request(`http://gateway.test/${"x".repeat(100_000)}`))).text();
  await (await fetch(ask(`${evil}${"m".repeat(100_000)}/m`))).text();
  assertEquals(logged.length, 4);
  for (const row of logged) {
    for (const line of [jsonLine(row), textLine(row, false)]) {
      assert(line.length < 2000, `${line.length}`);
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/.test(line), JSON.stringify(line));
    }
    assertEquals(JSON.parse(jsonLine(row)), clean(row));
  }
  assertEquals(clean(logged[0].error), { status: 400 });
});

Deno.test("textLine() is short and readable, and red for a failure", () => {
  const row: LogEntry = {
    time: new Date(2026, 10, 28, 12, 3, 41).toISOString(),
    level: "info",
    id: "0193",
    account: "-",
    gateway: "default",
    method: "POST",
    path: "/v1/chat/completions",
    status: 200,
    provider: "anthropic",
    model: "claude-sonnet-5-5",
    durationMs: 1234,
    stream: true,
    inputTokens: 312,
    outputTokens: 88,
    tries: 1,
    step: 0,
  };
  assertEquals(textLine(row, true), "12:03:41 200 anthropic/claude-sonnet-5-5 1.2 s 312→88 tok stream");
  const failed: LogEntry = {
    ...row,
    level: "error",
    status: 529,
    tries: 3,
    inputTokens: undefined,
    stream: false,
    error: { status: 529, code: "overloaded" },
  };
  assertEquals(
    textLine(failed, true),
    "\x1b[31m12:03:41 529 anthropic/claude-sonnet-5-5 1.2 s 3 tries the provider said 529 overloaded 0193\x1b[0m",
  );
  const scanned: LogEntry = {
    ...row,
    level: "warn",
    status: 404,
    method: "GET",
    path: "/.env",
    provider: undefined,
    model: undefined,
    inputTokens: undefined,
    stream: false,
    error: { code: "not_found", message: "Cannot find /.env" },
  };
  assertEquals(textLine(scanned, false), "12:03:41 404 GET /.env 1.2 s not_found: Cannot find /.env 0193");
});

// ---------------------------------------------------------------- the id

Deno.test("x-request-id is the provider's id under any of its names, else the gateway's", async () => {
  const names = [
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-ms-request-id",
    "x-generation-id",
    "x-debug-trace-id",
    "mistral-correlation-id",
    "dg-request-id",
    "x-fal-request-id",
    "nvcf-reqid",
  ];
  for (const name of names) {
    for (const status of [200, 400]) {
      const { fetch } = before(() =>
        new Response((status === 200 ? completion() : refused(400)).body, {
          status,
          headers: { [name]: "req_1", ...json.headers },
        })
      );
      for (const request of [ask("openai/m"), post(`${ROOT}/openai/v1/chat/completions`, {})]) {
        const response = await fetch(request);
        assertEquals([response.headers.get("x-request-id"), response.status], ["req_1", status], name);
      }
    }
  }
  const { fetch } = before(() => completion());
  for (
    const request of [
      ask("openai/m"),
      ask("demo/echo"),
      ask("nobody/m"),
      new Request("http://gateway.test/nothing"),
      new Request(`http://gateway.test/health`),
    ]
  ) {
    const { headers } = await fetch(request);
    assertMatch(headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
    assertEquals(headers.get("x-request-id"), headers.get("cf-aig-request-id"));
  }
});

Deno.test("errors in translated answers name their provider", async () => {
  const cases: [object, Response][] = [
    [STREAMED, events(CLAUDE[0], overloaded)],
    [STREAMED, events(CLAUDE[0], reset)],
    [{}, Response.json({ type: "error", error: { type: "overloaded_error", message: "x" } })],
    [
      {},
      Response.json({ type: "error", error: { type: "overloaded_error", message: "x" } }, { status: 529 }),
    ],
  ];
  for (const [more, provider] of cases) {
    const { fetch } = before(() => provider);
    const text = await (await fetch(ask("anthropic/claude", {}, more))).text();
    const { error } = JSON.parse(text.trimEnd().split("\n\n").at(-1)!.replace(/^data: /, ""));
    assertEquals(error.metadata.provider, "anthropic", text);
  }
});

Deno.test("a handed-through stream that breaks off ends as a broken connection, also with a log", async () => {
  const { fetch } = scene(() => events(STREAM[0], reset));
  const response = await fetch(ask("openai/m", {}, STREAMED));
  await assertRejects(() => response.text(), TypeError, "connection reset");
});

Deno.test("the runtime waits for a row that takes time to be kept, and the row may fail", async () => {
  const kept = Promise.withResolvers<void>();
  for (const fails of [false, true]) {
    const waited: Promise<unknown>[] = [];
    const log = () => fails ? Promise.reject(new Error("the log is full")) : kept.promise;
    const { fetch, call, gateway } = before(() => completion(), { log });
    const context = {
      waitUntil(promise: Promise<unknown>) {
        // A Worker's `waitUntil` must be called as a method of its object.
        assertEquals(this, context);
        waited.push(promise);
      },
    };
    await (await fetch(ask("openai/m"), context)).text();
    await (await call(ask("openai/m"), context)).text();
    await (await gateway("default", context).run(step)).text();
    assertEquals(waited.length, 3);
    // The objects that other runtimes pass have no `waitUntil`.
    for (const passed of [{ remoteAddr: {}, completed: kept.promise }, undefined]) {
      await (await fetch(ask("openai/m"), passed)).text();
    }
    kept.resolve();
    await Promise.all(waited);
  }
});

Deno.test("the log's path has no query, however it is written, no token of ours, and a method is cut", async () => {
  const token = "tok-secret-4711";
  const paths: [string, string][] = [
    ["/v1/a/g/openai/models?key=sk-secret", "/v1/a/g/openai/models"],
    ["/v1/a/g/openai/models%3Fkey=sk-secret", "/v1/a/g/openai/models…"],
    ["/v1/a/g/openai/models%253fkey=sk-secret", "/v1/a/g/openai/models…"],
    ["/v1/a/g/openai/models;key=sk-secret", "/v1/a/g/openai/models…"],
    ["/v1/a/g/openai/models%3bkey=sk-secret", "/v1/a/g/openai/models…"],
    [`/v1/${token}/g/openai/models`, "/v1/***/g/openai/models"],
    [`/nowhere/${token}/x`, "/nowhere/***/x"],
    ["/nowhere%3Fkey=sk-secret", "/nowhere…"],
  ];
  for (const [path, told] of paths) {
    const { fetch, logged } = scene(() => completion(), { tokens: [token], tokenRequired: false });
    await (await fetch(new Request(`http://gateway.test${path}`))).body?.cancel();
    const [row] = logged;
    assertEquals(row.path, told, path);
    const line = jsonLine(row) + textLine(row, true);
    assert(!line.includes("secret"), line);
  }
  const { fetch, logged } = scene(() => completion());
  await (await fetch(new Request(`${ROOT}/compat/chat/completions`, { method: "M".repeat(5000) }))).text();
  assertEquals(logged[0].method, "M".repeat(32));
  assert(jsonLine(logged[0]).length < 1000);
});
