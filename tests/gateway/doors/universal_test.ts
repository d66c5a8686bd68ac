import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import {
  ask,
  before,
  clock,
  completion,
  events,
  message,
  messages,
  nothing,
  post,
  refusal,
  ROOT,
  type Sent,
  STREAM,
} from "../../fakes.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";

const chatStep = (more: object = {}) => ({
  provider: "openai",
  endpoint: "chat/completions",
  headers: { Authorization: "Bearer sk" },
  query: { model: "gpt", messages },
  ...more,
});

/** Sends steps. Returns the response and the requests that were sent. */
async function run(
  steps: unknown,
  answer: (sent: Sent, at: number) => Response | Promise<Response> = () => completion(),
  options: Options = {},
) {
  const { fetch, sent } = before(answer, options);
  const response = await fetch(post(ROOT, steps));
  return { response, sent, text: await response.text() };
}

// ---------------------------------------------------------------- the form

Deno.test("universal() takes a list or one step, with and without the slash", async () => {
  for (const path of ["", "/"]) {
    for (const body of [[chatStep()], chatStep()]) {
      const { fetch, sent } = before(() => completion("Hi"));
      const response = await fetch(post(ROOT + path, body));
      assertEquals(response.status, 200);
      assertStringIncludes(await response.text(), '"Hi"');
      const [{ url, method, headers, body: sentBody }] = sent;
      assertEquals([url, method], ["https://api.openai.com/v1/chat/completions", "POST"]);
      assertEquals(headers.get("authorization"), "Bearer sk");
      assertEquals(headers.get("content-type"), "application/json");
      assertEquals(JSON.parse(sentBody), { model: "gpt", messages });
    }
  }
});

Deno.test("universal() reads a step's headers in any case and of any kind", async () => {
  const headers = {
    AUTHORIZATION: "Bearer sk",
    "Content-TYPE": "application/json; charset=utf-8",
    "X-Number": 5,
    "x-true": true,
    "X-False": false,
    "x-none": null,
    "x-object": { user: "名前", n: 1 },
    "x-list": ["a", "b"],
    "x-latin": "café",
    "CF-AIG-Metadata": { user: "é", team: 1 },
    "cf-aig-event-id": 7,
  };
  const { response, sent: [sent] } = await run(chatStep({ headers }));
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("cf-aig-event-id"), "7");
  const seen = Object.fromEntries([...sent.headers].filter(([name]) => !name.startsWith("accept")));
  assertEquals(seen, {
    authorization: "Bearer sk",
    "content-type": "application/json; charset=utf-8",
    "x-number": "5",
    "x-true": "true",
    "x-false": "false",
    "x-object": String.raw`{"user":"\u540d\u524d","n":1}`,
    "x-list": '["a","b"]',
    "x-latin": "café",
  });
});

Deno.test("universal() takes authorization beside the headers, which win", async () => {
  const bare = await run(chatStep({ headers: {}, authorization: "Bearer beside" }));
  assertEquals(bare.sent[0].headers.get("authorization"), "Bearer beside");
  const both = await run(chatStep({ authorization: "Bearer beside" }));
  assertEquals(both.sent[0].headers.get("authorization"), "Bearer sk");
  for (const absent of [null, undefined]) {
    const { sent } = await run(chatStep({ headers: absent, authorization: absent, config: absent }));
    assertEquals(sent[0].headers.get("authorization"), null);
  }
});

Deno.test("universal() keeps the query of an endpoint, and a slash before it", async () => {
  const endpoints = [
    [
      "google-ai-studio",
      "v1beta/models/gemini:streamGenerateContent?alt=sse",
      "https://generativelanguage.googleapis.com/v1beta/models/gemini:streamGenerateContent?alt=sse",
    ],
    ["openai", "/v1/chat/completions?a=%2F&b=%20", "https://api.openai.com/v1/chat/completions?a=%2F&b=%20"],
    ["anthropic", "v1/messages", "https://api.anthropic.com/v1/messages"],
    ["groq", "chat/completions", "https://api.groq.com/openai/v1/chat/completions"],
    ["huggingface", "org/model", "https://router.huggingface.co/hf-inference/models/org/model"],
    [
      "workers-ai",
      "@cf/meta/llama",
      "https://api.cloudflare.com/client/v4/accounts/acct/ai/run/@cf/meta/llama",
    ],
    [
      "azure-openai",
      "res/dep/chat/completions?api-version=1",
      "https://res.openai.azure.com/openai/deployments/dep/chat/completions?api-version=1",
    ],
  ];
  for (const [provider, endpoint, url] of endpoints) {
    const { sent } = await run(chatStep({ provider, endpoint }));
    assertEquals(sent[0].url, url);
  }
});

Deno.test("universal() says what a step lacks", async () => {
  const cases: [unknown, string][] = [
    [{}, "[0].provider must be given"],
    [[chatStep(), { provider: "openai" }], "[1].endpoint must be given"],
    [5, "[0] must be a step: {provider, endpoint, headers?, query}"],
  ];
  for (const [steps, told] of cases) {
    const { text } = await run(steps);
    assertStringIncludes(JSON.parse(text).message, told);
  }
});

Deno.test("universal() sends query as it was written", async () => {
  const queries: [string, string][] = [
    [
      `{"b": 1e2, "a": 12345678901234567890,  "10": 1, "2": "\\u0041"}`,
      `{"b": 1e2, "a": 12345678901234567890,  "10": 1, "2": "\\u0041"}`,
    ],
    [`[1, 2]`, `[1, 2]`],
    [`"plain text"`, "plain text"],
    [`null`, ""],
  ];
  for (const [query, body] of queries) {
    for (const list of [true, false]) {
      const step = `{"provider":"openai","endpoint":"x", "query": ${query}}`;
      const { sent } = await run(
        list ? `[{"provider":"openai","endpoint":"y","query":{}}, ${step}]` : step,
        (_, at) => list && at === 0 ? refusal(500) : completion(),
      );
      assertEquals(sent.at(-1)!.body, body);
    }
  }
  // If the member's text cannot be found, its value is written anew.
  const twice = await run(`{"provider":"openai","endpoint":"x","query":{"a":1},"query":{"b": 2}}`);
  assertEquals(twice.sent[0].body, `{"b":2}`);
  const none = await run({ provider: "openai", endpoint: "models" });
  assertEquals(none.sent[0].body, "");
});

// ---------------------------------------------------------------- the answer

Deno.test("universal() hands back the winner's own body, status and content type", async () => {
  const bytes = new Uint8Array([0, 255, 254, 13, 10]);
  const headers = { "content-type": "audio/mpeg", "x-request-id": "req_1", "x-ratelimit-remaining": "9" };
  const { fetch } = before(() => new Response(bytes, { status: 201, statusText: "Made", headers }));
  const response = await fetch(post(ROOT, chatStep({ endpoint: "audio/speech" })));
  assertEquals([response.status, response.statusText], [201, "Made"]);
  for (const [name, value] of Object.entries(headers)) assertEquals(response.headers.get(name), value);
  assertEquals(new Uint8Array(await response.arrayBuffer()), bytes);
  const stream = await run(chatStep(), () => events(...STREAM));
  assertEquals(stream.text, STREAM.join(""));
  assertEquals(stream.response.headers.get("content-type"), "text/event-stream");
});

Deno.test("universal() hands back the last step's error as it is", async () => {
  const error = '{"type":"error","error":{"type":"invalid_request_error","message":"no"}}';
  const { response, text } = await run(
    [chatStep(), chatStep({ provider: "anthropic", endpoint: "v1/messages" })],
    ({ url }) =>
      url.includes("anthropic")
        ? new Response(error, { status: 418, headers: { "x-a": "b" } })
        : refusal(500),
  );
  assertEquals([response.status, text, response.headers.get("x-a")], [418, error, "b"]);
  assertEquals(response.headers.get("cf-aig-step"), "1");
});

Deno.test("universal() says which step, provider and model answered", async () => {
  const steps = [
    chatStep(),
    { provider: "google", endpoint: "v1beta/models/gemini-2:generateContent", query: {} },
    { provider: "compat", endpoint: "chat/completions", query: { model: "xai/grok-4", messages } },
  ];
  const seen = [["0", "openai", "gpt"], ["1", "google-ai-studio", "gemini-2"], ["2", "grok", "grok-4"]];
  for (const [at, expected] of seen.entries()) {
    const { response } = await run(steps, (_, index) => index === at ? completion() : refusal(404));
    assertEquals(
      ["step", "provider", "model"].map((name) => response.headers.get(`cf-aig-${name}`)),
      expected,
    );
  }
});

// ---------------------------------------------------------------- compat steps, custom providers

Deno.test("universal() translates compat steps, each with its own key", async () => {
  const compat = (model: string, key: string, endpoint = "chat/completions") => ({
    provider: "compat",
    endpoint,
    headers: { authorization: `Bearer ${key}` },
    query: { model, messages },
  });
  for (
    const endpoint of ["chat/completions", "/chat/completions", "v1/chat/completions", "chat/completions/"]
  ) {
    const { response, sent, text } = await run(
      [compat("openai/gpt", "sk-1"), compat("anthropic/claude", "sk-2", endpoint)],
      ({ url }) => url.includes("anthropic") ? message("Bonjour") : refusal(500),
    );
    assertEquals(response.status, 200);
    assertEquals(JSON.parse(text).choices[0].message.content, "Bonjour");
    assertEquals([sent[0].headers.get("authorization"), sent[1].headers.get("x-api-key")], [
      "Bearer sk-1",
      "sk-2",
    ]);
    assertEquals(sent[1].headers.get("authorization"), null);
  }
});

Deno.test("universal() names the fields that a compat step's target does not have, and refuses them under sluice-strict", async () => {
  const step = {
    provider: "compat",
    endpoint: "chat/completions",
    query: { model: "anthropic/claude", messages, seed: 1 },
  };
  const lax = await run(step, () => message());
  assertEquals(lax.response.headers.get("sluice-dropped"), "seed");
  for (const [own, request] of [[{ "sluice-strict": true }, {}], [{}, { "sluice-strict": "true" }]]) {
    const { fetch } = createGateway({ fetch: nothing.fetch });
    const response = await fetch(post(ROOT, { ...step, headers: own }, request as Record<string, string>));
    assertEquals(response.status, 400);
    assertEquals((await response.json()).param, "[0].query.seed");
  }
});

Deno.test("universal() skips a compat step that the request cannot be written for", async () => {
  const compat = (query: object, headers = {}) => ({
    provider: "compat",
    endpoint: "chat/completions",
    headers,
    query: { messages, ...query },
  });
  const strict = { "sluice-strict": "true" };
  const empty = [...messages, { role: "assistant", content: "a" }, { role: "user", content: "" }];
  const unsent = [
    compat({ model: "anthropic/claude", seed: 1 }, strict),
    compat({ model: "cohere/command", messages: empty }),
    compat({ model: "gemini/a//b" }),
  ];
  for (const step of unsent) {
    const after = await run([step, chatStep()], () => completion());
    assertEquals([after.response.status, after.response.headers.get("cf-aig-step")], [200, "1"]);
    const instead = await run([chatStep(), step], () => completion());
    assertEquals([instead.response.status, instead.sent.length], [200, 1]);
    const failed = await run([chatStep(), step], () => refusal(404));
    assertEquals([failed.response.status, failed.response.headers.get("cf-aig-step")], [404, "0"]);
  }
  // If no step can be sent, the first one's fault is the error, with its path.
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const response = await fetch(post(ROOT, unsent));
  const { param, message } = await response.json();
  assertEquals([response.status, param], [400, "[0].query.seed"]);
  assert(message.endsWith("([0])"), message);
});

Deno.test("universal() and compat find custom providers by both their names, in the wire that each speaks", async () => {
  const providers = {
    mine: {
      baseUrl: "https://mine.test/api",
      wire: "anthropic" as const,
      auth: { header: "x-api-key", prefix: "" },
    },
    "custom-other": { baseUrl: "https://other.test/v1/" },
  };
  for (const slug of ["mine", "custom-mine"]) {
    const { fetch, sent } = before(() => message("Bonjour"), { providers });
    const answers = [
      await fetch(ask(`${slug}/org/model:1`, { authorization: "Bearer k" })),
      await fetch(
        post(ROOT, {
          provider: "compat",
          endpoint: "chat/completions",
          query: { model: `${slug}/m`, messages },
        }),
      ),
    ];
    for (const answer of answers) assertEquals((await answer.json()).choices[0].message.content, "Bonjour");
    assertEquals(sent.map(({ url }) => url), Array(2).fill("https://mine.test/api/v1/messages"));
    assertEquals([JSON.parse(sent[0].body).model, sent[0].headers.get("x-api-key")], ["org/model:1", "k"]);
    const native = await fetch(post(`${ROOT}/${slug}/v1/anything?a=1`, {}, { "x-api-key": "k" }));
    assertEquals(native.status, 200);
    await native.text();
    assertEquals(sent[2].url, "https://mine.test/api/v1/anything?a=1");
  }
  for (const slug of ["other", "custom-other"]) {
    const { fetch, sent } = before(() => completion(), { providers });
    await (await fetch(ask(`${slug}/m`))).text();
    await (await fetch(post(ROOT, { provider: slug, endpoint: "chat/completions", query: {} }))).text();
    assertEquals(sent.map(({ url }) => url), Array(2).fill("https://other.test/v1/chat/completions"));
  }
});

// ---------------------------------------------------------------- bad input: one clear error, nothing sent

const BAD: [string, unknown, string | undefined, number][] = [
  ["no JSON", "{", undefined, 400],
  ["an empty body", "", undefined, 400],
  ["not UTF-8 in its meaning", "nope", undefined, 400],
  ["a text", '"x"', "[0]", 400],
  ["null", null, "[0]", 400],
  ["a number", 5, "[0]", 400],
  ["no steps", [], "", 400],
  ["a list in the list", [[chatStep()]], "[0].provider", 400],
  ["a step that is null", [chatStep(), null], "[1]", 400],
  ["no provider", [chatStep({ provider: undefined })], "[0].provider", 400],
  ["an empty provider", chatStep({ provider: "" }), "[0].provider", 400],
  ["a provider that is not a text", [chatStep(), chatStep({ provider: 5 })], "[1].provider", 400],
  ["no endpoint", chatStep({ endpoint: undefined }), "[0].endpoint", 400],
  ["an endpoint that is not a text", chatStep({ endpoint: ["x"] }), "[0].endpoint", 400],
  ["headers that are a text", chatStep({ headers: "x" }), "[0].headers", 400],
  ["an authorization that is not a text", chatStep({ authorization: 5 }), "[0].authorization", 400],
  ["a config that is a text", chatStep({ config: "x" }), "[0].config", 400],
  ["21 steps", Array(21).fill(chatStep()), "", 400],
  ["an unknown provider", [chatStep(), chatStep({ provider: "opanai" })], "[1].provider", 400],
  ["constructor", chatStep({ provider: "constructor" }), "[0].provider", 400],
  ["__proto__", chatStep({ provider: "__proto__" }), "[0].provider", 400],
  ["an absolute URL", chatStep({ endpoint: "https://evil.test/x" }), "[0].endpoint", 400],
  ["a URL without scheme", chatStep({ endpoint: "//evil.test/x" }), "[0].endpoint", 400],
  ["a URL behind a slash", chatStep({ endpoint: "/https://evil.test/x" }), "[0].endpoint", 400],
  ["dots", chatStep({ endpoint: "../../x" }), "[0].endpoint", 400],
  ["dots in the middle", chatStep({ endpoint: "chat/../../x" }), "[0].endpoint", 400],
  ["encoded dots", chatStep({ endpoint: "%2e%2E/x" }), "[0].endpoint", 400],
  ["dots behind an encoded slash", chatStep({ endpoint: "a%2f..%2fx" }), "[0].endpoint", 400],
  ["dots behind a backslash", chatStep({ endpoint: "a\\..\\x" }), "[0].endpoint", 400],
  ["a line break in the endpoint", chatStep({ endpoint: "x\r\nhost: evil" }), "[0].endpoint", 400],
  ["a tab among dots", chatStep({ endpoint: ".\t./x" }), "[0].endpoint", 400],
  ["a fragment", chatStep({ endpoint: "x#y" }), "[0].endpoint", 400],
  [
    "a host as a label",
    chatStep({ provider: "azure-openai", endpoint: "evil.test%2f/d/x" }),
    "[0].endpoint",
    400,
  ],
  [
    "a region as a host",
    chatStep({ provider: "aws-bedrock", endpoint: "bedrock-runtime/evil.test#/model/x" }),
    "[0].endpoint",
    400,
  ],
  ["a line break in a header", chatStep({ headers: { "x-a": "b\r\nhost: evil" } }), "[0].headers.x-a", 400],
  ["a line break at the end of a header", chatStep({ headers: { "x-a": "b\r\n" } }), "[0].headers.x-a", 400],
  ["a line feed in a header", chatStep({ headers: { "x-a": "b\nc" } }), "[0].headers.x-a", 400],
  ["a zero byte in a header", chatStep({ headers: { "x-a": "b\0c" } }), "[0].headers.x-a", 400],
  [
    "a line break in a header's name",
    chatStep({ headers: { "x-a\r\nhost": "b" } }),
    "[0].headers.x-a\r\nhost",
    400,
  ],
  ["a header without a name", chatStep({ headers: { "": "b" } }), "[0].headers.", 400],
  [
    "a header with letters that headers cannot hold",
    chatStep({ headers: { "x-a": "名" } }),
    "[0].headers.x-a",
    400,
  ],
  [
    "a line break in authorization",
    chatStep({ headers: {}, authorization: "Bearer a\r\nb: c" }),
    "[0].authorization",
    400,
  ],
  ["host", chatStep({ headers: { Host: "evil.test" } }), "[0].headers.Host", 400],
  ["content-length", chatStep({ headers: { "Content-Length": 5 } }), "[0].headers.Content-Length", 400],
  [
    "transfer-encoding",
    chatStep({ headers: { "transfer-encoding": "chunked" } }),
    "[0].headers.transfer-encoding",
    400,
  ],
  ["headers that are too long", chatStep({ headers: { "x-a": "b".repeat(100_000) } }), "[0].headers", 431],
  [
    "headers of a compat step that are too long",
    chatStep({
      provider: "compat",
      query: { model: "demo/echo", messages },
      headers: { "x-a": "b".repeat(100_000) },
    }),
    "[0].headers",
    431,
  ],
  [
    "too many headers",
    chatStep({
      headers: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`x-header-${at}`, "b"])),
    }),
    "[0].headers",
    431,
  ],
  [
    "an unknown compat endpoint",
    chatStep({ provider: "compat", endpoint: "audio/speech" }),
    "[0].endpoint",
    400,
  ],
  [
    "a compat step without a model",
    chatStep({ provider: "compat", query: { messages } }),
    "[0].query.model",
    400,
  ],
  ["a compat step without a body", chatStep({ provider: "compat", query: undefined }), "[0].query", 400],
  ["a compat step with a list as its body", chatStep({ provider: "compat", query: [] }), "[0].query", 400],
  [
    "a compat step for an unknown provider",
    [chatStep(), chatStep({ provider: "compat", query: { model: "nobody/x", messages } })],
    "[1].query.model",
    400,
  ],
  [
    "a compat step with bad messages",
    [
      chatStep(),
      chatStep({
        provider: "compat",
        query: { model: "anthropic/x", messages: [{ role: "user", content: 5 }] },
      }),
    ],
    "[1].query.messages[0].content",
    400,
  ],
];

for (const [name, body, param, status] of BAD) {
  Deno.test(`universal() refuses ${name} at its place, before anything is sent`, async () => {
    const { fetch } = createGateway({ fetch: nothing.fetch });
    const response = await fetch(post(ROOT, body));
    const text = await response.text();
    assertEquals(response.status, status, text);
    const error = JSON.parse(text);
    assertEquals([error.success, error.name, error.httpCode], [false, "AiGatewayError", status]);
    assertEquals(error.param, param === "" ? undefined : param);
    assertEquals(error.error.length, 1);
    assertEquals(error.error[0].message, error.message);
    assertEquals(response.headers.get("cf-aig-step"), "0");
  });
}

Deno.test("universal() has Cloudflare's codes for its errors", async () => {
  const codes: [unknown, number][] = [
    [chatStep({ provider: "nobody" }), 2008],
    [chatStep({ provider: "compat", query: { model: "nobody/x", messages } }), 2008],
    [chatStep({ provider: "compat", query: { model: "gpt", messages } }), 2019],
    [chatStep({ provider: "compat", endpoint: "embeddings" }), 2019],
    [chatStep({ provider: 5 }), 400],
  ];
  for (const [body, code] of codes) {
    const { fetch } = createGateway({ fetch: nothing.fetch });
    const error = await (await fetch(post(ROOT, body))).json();
    assertEquals([error.error[0].code, error.internalCode], [code, code]);
  }
});

Deno.test("universal() takes twenty steps", async () => {
  const { response, sent } = await run(
    Array(20).fill(chatStep()),
    (_, at) => at === 19 ? completion() : refusal(404),
  );
  assertEquals([response.status, response.headers.get("cf-aig-step"), sent.length], [200, "19", 20]);
});

Deno.test("universal() does not send the request's own headers on", async () => {
  const { fetch, sent } = before(() => completion());
  const outer = {
    authorization: "Bearer outer",
    "x-api-key": "outer",
    "anthropic-beta": "outer",
    cookie: "a=b",
    "cf-aig-metadata": '{"user":"u"}',
    "cf-connecting-ip": "203.0.113.9",
    "x-forwarded-for": "203.0.113.9",
    "sluice-strict": "false",
    "x-sluice-secret": "outer",
    "x-cf-aig-secret": "outer",
    "my-sluice-secret": "outer",
  };
  const own = {
    "x-own": "1",
    cookie: "c=d",
    "cf-aig-event-id": "e",
    "cf-ray": "r",
    "X-Forwarded-Host": "h",
    origin: "o",
  };
  await (await fetch(post(ROOT, chatStep({ headers: own }), outer))).text();
  assertEquals([...sent[0].headers].map(([name]) => name).sort(), ["content-type", "x-own"]);
});

Deno.test("universal() retries with the unchanged body, although a compat body is edited in place", async () => {
  const step = {
    provider: "compat",
    endpoint: "chat/completions",
    query: { model: "openai/gpt", messages, pad: "x".repeat(300_000) },
  };
  const { sent } = await run(
    [{ ...step, config: { maxAttempts: 2 } }, step],
    (_, at) => at < 2 ? refusal(500) : completion(),
    clock().options,
  );
  assertEquals(sent.map(({ body }) => JSON.parse(body).model), ["gpt", "gpt", "gpt"]);
  assert(sent.every(({ body }) => body === sent[0].body));
});

Deno.test("universal() keeps the metadata of the step that answered, or else the request's", async () => {
  const rows: LogEntry[] = [];
  const { fetch } = before(({ url }) => url.includes("groq") ? completion() : refusal(500), {
    log: (row) => rows.push(row),
  });
  const step = (provider: string, headers: object = {}) => ({
    provider,
    endpoint: "chat/completions",
    headers,
    query: { model: "m", messages },
  });
  const own = { "cf-aig-metadata": { of: "groq" } };
  for (
    const steps of [[step("openai", { "cf-aig-metadata": { of: "openai" } }), step("groq", own)], [
      step("groq"),
    ]]
  ) {
    await (await fetch(post(ROOT, steps, { "cf-aig-metadata": '{"of":"request"}' }))).text();
  }
  await (await fetch(post(ROOT, "[", { "cf-aig-metadata": '{"of":"request"}' }))).text();
  assertEquals(rows.map(({ metadata }) => metadata?.of), ["groq", "request", "request"]);
});
