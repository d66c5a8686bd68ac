/** `sluice-explain`: what is told is what would be sent. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { shownHeaders } from "../../../gateway/explain/shown_headers.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import type { Provider, Unsigned } from "../../../providers/types.ts";
import {
  ask,
  before,
  completion,
  type Explanation,
  messages,
  network,
  nothing,
  post,
  ROOT,
} from "../../fakes.ts";

const BASE = "http://gateway.test";
const KEY = "sk-client-key-0123456789", STORED = "sk-stored-key-0123456789", TOKEN = "gateway-token-1";
const EXPLAIN = { "sluice-explain": "true" };

const keyed = { authorization: `Bearer ${KEY}` };

/** A picture of some kilobytes. */
const picture = btoa("picture ".repeat(600));

const seen = [{
  role: "user",
  content: [{ type: "text", text: "What is this?" }, {
    type: "image_url",
    image_url: { url: `data:image/png;base64,${picture}` },
  }],
}];

interface Case {
  path: string;
  body: unknown;
  headers?: Record<string, string>;
  method?: string;
}

/** A request for every door, in the forms that its requests are sent in. */
const DOORS: Record<string, Case> = {
  "chat, handed through": {
    path: "/v1/chat/completions",
    body: { model: "openai/gpt-6", messages, seed: 12345678901234567890n },
  },
  "chat, edited": { path: "/v1/chat/completions", body: { model: "openai/gpt-6", messages, max_tokens: 5 } },
  "chat, translated": {
    path: "/v1/chat/completions",
    body: { model: "anthropic/claude-sonnet-5-5", messages, seed: 1 },
  },
  "chat for Gemini": { path: "/v1/chat/completions", body: { model: "gemini/gemini-3-pro", messages: seen } },
  "chat below Cloudflare's path": {
    path: "/v1/acct/gw/compat/chat/completions",
    body: { model: "groq/m", messages, user: "a" },
  },
  "chat of Cloudflare's REST": {
    path: "/client/v4/accounts/acct/ai/v1/chat/completions",
    body: { model: "groq/m", messages },
  },
  "Messages": {
    path: "/v1/messages?beta=true",
    body: { model: "anthropic/claude-sonnet-5-5", max_tokens: 9, messages },
    headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "b-1" },
  },
  "Messages, translated": {
    path: "/v1/messages",
    body: { model: "openai/gpt-4o", max_tokens: 9, messages, top_k: 3 },
  },
  "Responses": { path: "/v1/responses", body: { model: "openai/gpt-6", input: "Hello" } },
  "Responses, translated": {
    path: "/v1/responses",
    body: { model: "groq/m", input: "Hello", truncation: "auto" },
  },
  "embeddings": { path: "/v1/embeddings", body: { model: "openai/e", input: "Hello" } },
  "embeddings in parts": {
    path: "/v1/embeddings",
    body: { model: "cohere/e", input: Array.from({ length: 200 }, (_, at) => `text ${at}`) },
  },
  "completions": { path: "/v1/completions", body: { model: "openai/c", prompt: "Hello" } },
  "rerank": { path: "/v1/rerank", body: { model: "voyage/r", query: "a", documents: ["b"] } },
  "a count of tokens": {
    path: "/v1/messages/count_tokens",
    body: { model: "anthropic/claude-sonnet-5-5", messages },
  },
  "a count of tokens, translated": {
    path: "/v1/messages/count_tokens",
    body: { model: "gemini/gemini-3-pro", messages },
  },
  "a universal request": {
    path: "/v1/acct/gw",
    body: {
      provider: "openai",
      endpoint: "chat/completions",
      headers: { ...keyed, "x-own": "1" },
      query: { model: "gpt-6", messages },
    },
  },
  "a universal request for compat": {
    path: "/v1/acct/gw",
    body: [{
      provider: "compat",
      endpoint: "chat/completions",
      headers: keyed,
      query: { model: "anthropic/c", messages },
    }],
  },
  "a universal request for embeddings": {
    path: "/v1/acct/gw",
    body: [{
      provider: "compat",
      endpoint: "embeddings",
      headers: keyed,
      query: { model: "gemini/e", input: ["a", "b"] },
    }],
  },
  "a native path": { path: "/v1/acct/gw/openai/images/generations", body: { model: "i", prompt: "a cat" } },
  "a native path on a custom domain": {
    path: "/anthropic/v1/messages",
    body: { model: "c", max_tokens: 3, messages },
    headers: { "anthropic-version": "2023-06-01" },
  },
  "a native GET": { path: "/v1/acct/gw/openai/models", body: undefined, method: "GET" },
  "a native upload": {
    path: "/v1/acct/gw/openai/files",
    body: "a,b\n1,2",
    headers: { "content-type": "text/csv", "content-length": "7" },
  },
  "/ai/run": {
    path: "/client/v4/accounts/acct/ai/run",
    body: { model: "openai/gpt-6", input: { messages } },
  },
  "/ai/run of Workers AI": {
    path: "/client/v4/accounts/acct/ai/run",
    body: { model: "@cf/meta/llama", input: { prompt: "Hi" } },
  },
  "a run below Cloudflare's path": {
    path: "/v1/acct/gw/run",
    body: { model: "groq/m", input: { messages } },
  },
};

const written = (body: unknown) =>
  typeof body === "string"
    ? body
    : JSON.stringify(body, (_, value) => typeof value === "bigint" ? `big${value}` : value)
      .replaceAll(/"big(\d+)"/g, "$1");

function requestOf(
  { path, body, headers, method = "POST" }: Case,
  more: Record<string, string> = {},
): Request {
  return new Request(BASE + path, {
    method,
    headers: { "content-type": "application/json", ...keyed, "x-trace": "t-1", ...headers, ...more },
    ...(body !== undefined && { body: written(body) }),
  });
}

async function explained(response: Response): Promise<Explanation> {
  const text = await response.text();
  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"], text);
  return JSON.parse(text);
}

for (const [name, one] of Object.entries(DOORS)) {
  Deno.test(`sluice-explain tells what is sent for ${name}, byte for byte, and calls nobody`, async () => {
    const options = { account: "acct" };
    const called = before(() => completion(), options);
    await (await called.fetch(requestOf(one))).text();
    assert(called.sent.length > 0);
    const response = await createGateway({ fetch: nothing.fetch, ...options }).fetch(requestOf(one, EXPLAIN));
    const raw = await response.clone().text();
    const { targets, ...about } = await explained(response);
    assertEquals([targets.length, about.object], [1, "sluice.explanation"]);
    const { requests } = targets[0];
    // A failed part of many embeddings ends the others.
    for (const [at, { url, method, headers, body }] of called.sent.entries()) {
      const told = requests[at];
      assertEquals([told.method, told.url], [method, url]);
      const cut = body.replace(
        /[A-Za-z0-9+/=]{1024,}/,
        (run) => `${run.slice(0, 48)}…[${run.length} characters of base64]`,
      );
      const isJson = /^[{[]/.test(body);
      if (body !== "") assertStringIncludes(raw, `"body":${isJson ? cut : JSON.stringify(cut)}}`);
      else assertEquals(told.body, null);
      assertEquals([...Object.keys(told.headers), ...told.hiddenHeaders].sort(), [...headers.keys()].sort());
      for (const [header, value] of Object.entries(told.headers)) {
        assertEquals(headers.get(header), value, header);
      }
      // A universal step has its own headers.
      assertEquals(told.headers["x-trace"], headers.get("x-trace") ?? undefined);
      assertEquals(told.key, "client");
    }
    assert(!raw.includes(KEY), "the client's key is told");
    assert(
      !("sluice-explain" in requests[0].headers) && !requests[0].hiddenHeaders.includes("sluice-explain"),
    );
    if (name === "embeddings in parts") assertEquals(requests.length, 3);
  });
}

// ---------------------------------------------------------------- credentials

Deno.test("an explanation holds no key, no token and no header of the operator's, only the names of their headers", async () => {
  const secrets = {
    fixed: "fixed-secret-0123456789",
    client: "ya29.client-secret-0123",
    header: "other-secret-012345",
    query: "query-secret-0123456",
  };
  const gateway = createGateway({
    fetch: nothing.fetch,
    tokens: [TOKEN],
    keys: { openai: STORED, anthropic: STORED, "azure-openai": `eyJ${STORED}`, "google-ai-studio": STORED },
    providers: {
      groq: { headers: { "x-fixed": secrets.fixed, "x-trace": secrets.fixed } },
      "azure-openai": { baseUrl: "https://a.example/openai/v1" },
    },
  });
  const token = { "cf-aig-authorization": `Bearer ${TOKEN}` };
  const stored: [path: string, body: object, hidden: string[]][] = [
    ["/v1/chat/completions", { model: "openai/m", messages }, ["authorization"]],
    ["/v1/chat/completions", { model: "anthropic/m", messages }, ["x-api-key"]],
    ["/v1/chat/completions", { model: "gemini/m", messages }, ["x-goog-api-key"]],
    ["/v1/chat/completions", { model: "azure-openai/m", messages }, ["authorization"]],
    ["/v1/chat/completions", { model: "groq/m", messages }, ["x-fixed", "x-trace"]],
    ["/v1/-/default/anthropic/v1/messages", { model: "m" }, ["x-api-key"]],
    ["/v1/-/default/groq/chat/completions", { model: "m" }, ["x-fixed", "x-trace"]],
  ];
  for (const [path, body, hidden] of stored) {
    const response = await gateway.fetch(
      post(BASE + path, body, { ...EXPLAIN, ...token, "x-trace": "mine" }),
    );
    const text = await response.clone().text();
    const { targets: [{ requests: [{ hiddenHeaders, key }] }], caller } = await explained(response);
    assertEquals([hiddenHeaders, key], [
      hidden,
      path.includes("groq") || text.includes("groq") ? null : "gateway",
    ]);
    assertEquals(caller.storedKeys, true);
    for (const secret of [STORED, TOKEN, secrets.fixed]) assert(!text.includes(secret), `${path}: ${secret}`);
  }
  const own: [path: string, headers: Record<string, string>, hidden: string[]][] = [
    ["/v1/chat/completions", { "x-api-key": secrets.client }, ["authorization"]],
    ["/v1/-/default/openai/chat/completions", { authorization: `Bearer ${secrets.client}` }, [
      "authorization",
    ]],
    ["/v1/-/default/openai/chat/completions", {
      "x-my-token": secrets.header,
      "x-odd": `Bearer ${secrets.client}`,
    }, [
      "x-my-token",
      "x-odd",
    ]],
    [`/v1/-/default/openai/chat/completions?key=${secrets.query}&alt=sse`, {}, []],
    [`/v1/-/default/openai/chat/completions?%61pi_key=${secrets.query}&alt=sse`, {}, []],
  ];
  const open = createGateway({ fetch: nothing.fetch });
  for (const [path, headers, hidden] of own) {
    const response = await open.fetch(
      post(BASE + path, { model: "openai/m", messages }, { ...EXPLAIN, ...headers }),
    );
    const text = await response.clone().text();
    const { targets: [{ requests: [{ hiddenHeaders, url }] }] } = await explained(response);
    assertEquals(hiddenHeaders, hidden, path);
    if (path.includes("?")) assertMatch(url, /\?(?:key|%61pi_key)=\*\*\*&alt=sse$/);
    for (const secret of Object.values(secrets)) assert(!text.includes(secret), `${path}: ${secret}`);
  }
});

Deno.test("an explanation needs the token that the call needs", async () => {
  const gateway = createGateway({
    fetch: nothing.fetch,
    tokens: [{ token: TOKEN, name: "team", gateways: ["gw"], providers: ["openai"] }],
    keys: { openai: STORED },
    tokenRequired: true,
  });
  const told = async (
    headers: Record<string, string>,
    model = "openai/m",
    path = `${ROOT}/compat/chat/completions`,
  ) => {
    const response = await gateway.fetch(post(path, { model, messages }, { ...EXPLAIN, ...headers }));
    const { error } = await response.clone().json();
    return [
      response.status,
      error?.code === "2009" || error?.code === 2009 || error?.code === "unauthorized",
    ];
  };
  const token = { authorization: `Bearer ${TOKEN}` };
  assertEquals(await told({}), [401, true]);
  assertEquals(await told(token, "groq/m"), [401, true]);
  assertEquals(await told(token, "openai/m", `${BASE}/v1/a/other/compat/chat/completions`), [401, true]);
  const response = await gateway.fetch(ask("openai/m", { ...EXPLAIN, ...token }));
  assertEquals((await explained(response)).caller, {
    token: "team",
    account: "acct",
    gateway: "gw",
    storedKeys: true,
    gateways: ["gw"],
    providers: ["openai"],
    models: null,
    limits: null,
    budgets: null,
  });
  // A stored key is for callers with a token, also where none is required.
  const free = createGateway({
    fetch: nothing.fetch,
    tokens: [TOKEN],
    keys: { openai: STORED },
    tokenRequired: false,
  });
  assertEquals((await free.fetch(ask("openai/m", EXPLAIN))).status, 401);
  assertEquals((await free.fetch(ask("openai/m", { ...EXPLAIN, ...keyed }))).status, 200);
});

Deno.test("sluice-explain itself never reaches a provider, and any other word than yes or no is 400", async () => {
  const { fetch, sent } = before(() => completion());
  assertEquals((await fetch(ask("groq/m", { "sluice-explain": "false" }))).status, 200);
  assertEquals(
    (await fetch(post(`${ROOT}/groq/chat/completions`, { model: "m" }, { "sluice-explain": "no" }))).status,
    200,
  );
  assertEquals(sent.map(({ headers }) => headers.has("sluice-explain")), [false, false]);
  const { error } = await (await fetch(ask("groq/m", { "sluice-explain": "perhaps" }))).json();
  assertEquals([error.code, error.param, sent.length], ["invalid_request", "sluice-explain", 2]);
});

Deno.test("sluice-explain is a header of the request: a step, options and a query cannot set it", async () => {
  const step = {
    provider: "groq",
    endpoint: "chat/completions",
    headers: { "Sluice-Explain": "true" },
    query: { messages },
  };
  const run = { model: "groq/m", input: { messages }, options: { extraHeaders: { "sluice-explain": true } } };
  const { fetch, sent } = before(() => completion());
  assertEquals((await fetch(post(ROOT, [step]))).status, 400);
  const refused = await fetch(post(`${BASE}/client/v4/accounts/acct/ai/run`, run));
  assertEquals(refused.status, 400);
  assertStringIncludes(await refused.text(), "sluice-explain must be a header of the request itself");
  assertEquals(sent.length, 0);
  const query = await fetch(post(`${ROOT}/groq/chat/completions?sluice-explain=true&a=1`, { model: "m" }));
  assertEquals([query.status, sent[0].url], [200, "https://api.groq.com/openai/v1/chat/completions?a=1"]);
  for (const path of ["/v1/models", "/v1/models/demo/echo"]) {
    const list = await fetch(new Request(BASE + path, { headers: EXPLAIN }));
    assertEquals([list.status, (await list.json()).error.param], [400, "sluice-explain"]);
  }
});

// ---------------------------------------------------------------- targets

Deno.test("an explanation names each target of a list, with what it leaves out and why; one that refuses says so", async () => {
  const { fetch } = createGateway({
    fetch: nothing.fetch,
    retries: { maxAttempts: 3 },
    keys: { openai: STORED },
  });
  const body = {
    model: "anthropic/claude-sonnet-5-5",
    models: ["anthropic/claude-sonnet-5-5", "groq/m", "cohere/c"],
    messages: [...messages, { role: "user", name: "ann", content: "Hi" }],
    logit_bias: { 1: 1 },
    max_tokens: 100,
  };
  const response = await fetch(ask("", { ...EXPLAIN, ...keyed, "sluice-fallback": "openai/gpt-6" }, body));
  const dropped = response.headers.get("sluice-dropped");
  const { targets, policies } = await explained(response);
  const format = (name: string) =>
    `the format of ${name} has nothing like it, or not with this model or value`;
  assertEquals(
    targets.map((
      { provider, error, requests, dropped },
    ) => [provider, error?.code, requests.length, dropped]),
    [
      ["anthropic", undefined, 1, [
        { field: "logit_bias", why: format("anthropic"), hint: false },
        { field: "messages[1].name", why: format("anthropic"), hint: false },
      ]],
      ["groq", undefined, 1, [{
        field: "logit_bias",
        why: "groq refuses or ignores this field",
        hint: false,
      }]],
      ["cohere", undefined, 1, [
        { field: "messages[1].name", why: format("cohere"), hint: false },
        { field: "logit_bias", why: format("cohere"), hint: false },
      ]],
      // It has a stored key, and the client no token.
      ["openai", "unauthorized", 0, []],
    ],
  );
  assertEquals([dropped, policies.fallback], ["logit_bias, messages[1].name", "openai/gpt-6"]);
  // The client's key is for the first target's provider alone.
  assertEquals(targets.map(({ requests: [first] }) => first?.hiddenHeaders), [
    ["x-api-key"],
    [],
    [],
    undefined,
  ]);
  assertEquals(targets[1].policies, {
    requestTimeoutMs: 0,
    maxAttempts: 3,
    retryDelayMs: 1000,
    backoff: "exponential",
    strict: false,
  });
});

Deno.test("a field that is left out has the reason: the format, the row, the model, or the client's own format", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const reasons = async (path: string, body: object) => {
    const { targets: [{ dropped }] } = await explained(await fetch(post(BASE + path, body, EXPLAIN)));
    return Object.fromEntries(
      dropped.map(({ field, why, hint }) => [field, `${why}${hint ? " (hint)" : ""}`]),
    );
  };
  const cached = [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }];
  const claude = { model: "groq/m", max_tokens: 5, messages: [{ role: "user", content: cached }] };
  assertEquals(await reasons("/v1/messages", { ...claude, top_k: 4, container: "x" }), {
    container: "only the format of the client (anthropic) has it",
    "messages[0].content[0].cache_control":
      "the format of groq has nothing like it, or not with this model or value (hint)",
    top_k: "groq refuses or ignores this field",
  });
  const tools = [{ type: "nobody_knows" }];
  assertEquals(
    await reasons("/v1/responses", {
      model: "mistral/m",
      input: "a",
      truncation: "auto",
      tools,
      text: { verbosity: "low" },
    }),
    {
      "tools[0]": "only the format of the client (responses) has it",
      truncation: "only the format of the client (responses) has it",
      "text.verbosity": "the format of mistral has nothing like it, or not with this model or value (hint)",
    },
  );
  assertEquals(await reasons("/v1/chat/completions", { model: "openai/gpt-6", messages, temperature: 0.3 }), {
    temperature: "openai does not take it, or not with this model or value",
  });
  assertEquals(await reasons("/v1/embeddings", { model: "mistral/m", input: "a", user: "u" }), {
    user: "mistral refuses or ignores this field",
  });
});

Deno.test("a count of tokens that nobody is asked for has no target, and the note says so", async () => {
  const { targets, note } = await explained(
    await createGateway({ fetch: nothing.fetch }).fetch(
      post(`${BASE}/v1/messages/count_tokens`, { model: "demo/echo", messages }, EXPLAIN),
    ),
  );
  assertEquals(targets, []);
  assertMatch(note, /the gateway itself answers/);
});

Deno.test("an explanation of many targets ends when its client leaves", async () => {
  const rows: LogEntry[] = [];
  const { fetch } = createGateway({ fetch: nothing.fetch, log: (row) => rows.push(row) });
  const names = Array.from({ length: 20 }, (_, at) => `groq/m${at}`).join();
  const client = new AbortController();
  const answer = fetch(
    ask("groq/m", { ...EXPLAIN, "sluice-fallback": names.slice(0, -9) }, {}, { signal: client.signal }),
  );
  setTimeout(() => client.abort());
  assertEquals((await answer).status, 499);
  assertEquals(rows.map(({ explained, error }) => [explained, error && "code" in error && error.code]), [[
    true,
    "client_left",
  ]]);
});

Deno.test("under sluice-strict a target of a list that would refuse says so, and one alone is the call's own 400", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const strict = { ...EXPLAIN, "sluice-strict": "true" };
  const { targets } = await explained(
    await fetch(ask("anthropic/c", { ...strict, "sluice-fallback": "openai/gpt-4o" }, { seed: 1 })),
  );
  assertEquals(
    targets.map(({ provider, error, policies }) => [provider, error?.code, error?.param, policies.strict]),
    [
      ["anthropic", "dropped_fields", "seed", true],
      ["openai", undefined, undefined, true],
    ],
  );
  for (const headers of [strict, { ...strict, "sluice-fallback": "anthropic/d" }]) {
    const { error } = await (await fetch(ask("anthropic/c", headers, { seed: 1 }))).json();
    assertEquals([error.code, error.param], ["dropped_fields", "seed"]);
  }
});

Deno.test("bad input to an explanation is the error of the call", async () => {
  const cases: [path: string, body: unknown, headers?: Record<string, string>][] = [
    ["/v1/chat/completions", "{"],
    ["/v1/chat/completions", { model: "nobody/m", messages }],
    ["/v1/chat/completions", { model: "openai/m", messages: "Hello" }],
    ["/v1/chat/completions", { model: "openai/m", messages }, { "cf-aig-max-attempts": "9" }],
    ["/v1/messages", { model: "groq/m", max_tokens: "5", messages }],
    ["/v1/responses", { model: "mistral/m" }],
    ["/v1/responses/resp_1", {}],
    ["/v1/embeddings", { model: "cohere/m", input: [] }],
    ["/v1/acct/gw", [{ provider: "openai" }]],
    ["/v1/acct/gw/compat/other", {}],
    ["/v1/acct/gw/nobody/x", {}],
    ["/client/v4/accounts/acct/ai/run", { model: "openai/m" }],
  ];
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (const [path, body, headers] of cases) {
    const answer = async (more: Record<string, string>) => {
      const response = await fetch(post(BASE + path, body, { ...headers, ...more }));
      const text = (await response.text()).replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, "ID");
      return [response.status, text];
    };
    const [status, text] = await answer({});
    assert(typeof status === "number" && status >= 400, path);
    assertEquals(await answer(EXPLAIN), [status, text], path);
  }
});

Deno.test("a search that no target has is told as its error, alone and in a list", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const tools = [{ type: "web_search_20250305", name: "web_search" }];
  const search = (headers: Record<string, string>) =>
    fetch(
      post(`${BASE}/v1/messages`, { model: "groq/m", max_tokens: 5, messages, tools }, {
        ...EXPLAIN,
        ...headers,
      }),
    );
  for (
    const [headers, due] of [[{}, ["groq"]], [{ "sluice-fallback": "mistral/m" }, [
      "groq",
      "mistral",
    ]]] as const
  ) {
    const { targets } = await explained(await search(headers));
    assertEquals(
      targets.map(({ provider, model, error, requests }) => [provider, model, error?.code, requests]),
      due.map((name) => [name, "m", "unsupported", []]),
    );
  }
});

Deno.test("each step of a universal request is explained with its own headers, policies and event id", async () => {
  const steps = [
    {
      provider: "openai",
      endpoint: "chat/completions",
      headers: { ...keyed, "cf-aig-event-id": "e-1" },
      query: { model: "gpt-6", messages },
      config: { maxAttempts: 2, requestTimeout: 500 },
    },
    {
      provider: "compat",
      endpoint: "chat/completions",
      headers: { "sluice-strict": "yes" },
      query: { model: "anthropic/c", messages, seed: 1 },
    },
    { provider: "compat", endpoint: "embeddings", query: { model: "cohere/e", input: "a" } },
  ];
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const response = await fetch(post(ROOT, steps, { ...EXPLAIN, "cf-aig-retry-delay": "7" }));
  assertEquals([response.headers.get("cf-aig-provider"), response.headers.get("cf-aig-step")], [
    "openai",
    "0",
  ]);
  const { targets } = await explained(response);
  assertEquals(
    targets.map((
      { provider, eventId, policies, error, requests },
    ) => [
      provider,
      eventId,
      policies.maxAttempts,
      policies.requestTimeoutMs,
      policies.retryDelayMs,
      error?.param,
      requests.length,
    ]),
    [
      ["openai", "e-1", 2, 500, 7, undefined, 1],
      ["anthropic", undefined, 1, 0, 7, "[1].query.seed", 0],
      ["cohere", undefined, 1, 0, 7, undefined, 1],
    ],
  );
});

Deno.test("an explanation tells the caller's policies and hints", async () => {
  const { fetch } = createGateway({
    fetch: nothing.fetch,
    streamIdleTimeoutMs: 900,
    strict: true,
    logs: true,
  });
  const headers = {
    ...EXPLAIN,
    "cf-aig-request-timeout": "300",
    "cf-aig-cache-key": "k",
    "cf-cache-ttl": "61",
    "cf-aig-metadata": '{"team":"a","list":[1]}',
    "x-stainless-timeout": "20",
    "cf-aig-collect-log": "false",
  };
  const response = await fetch(ask("openai/m", headers));
  const { policies, targets } = await explained(response);
  assertEquals(policies, {
    strict: true,
    fallback: null,
    streamIdleTimeoutMs: 900,
    clientTimeoutMs: 20_000,
    cache: { ttlSeconds: 61, key: "k" },
    metadata: { kept: { team: "a" }, dropped: ["cf-aig-metadata.list"] },
    row: false,
  });
  assertEquals(targets[0].policies.requestTimeoutMs, 300);
  const skipped = await explained(await fetch(ask("openai/m", { ...headers, "cf-aig-skip-cache": "true" })));
  assertEquals(skipped.policies.cache, null);
  assertEquals((await fetch(ask("openai/m", { ...headers, "cf-aig-cache-ttl": "soon" }))).status, 400);
});

// ---------------------------------------------------------------- the estimate

Deno.test("the estimate is a range from the prompt's tokens to the most of the answer, and null where unknown", async () => {
  const prices = {
    "openai/known": {
      input: 1_000_000,
      output: 2_000_000,
      priority: { input: 3_000_000, output: 4_000_000 },
    },
  };
  const { fetch } = createGateway({ fetch: nothing.fetch, prices });
  const estimate = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const { targets: [{ estimate }], note } = await explained(
      await fetch(post(BASE + path, body, { ...EXPLAIN, ...headers })),
    );
    assertMatch(note, /estimates/);
    return estimate!;
  };
  const chat = (more: object, headers?: Record<string, string>) =>
    estimate("/v1/chat/completions", { model: "openai/known", messages, ...more }, headers);
  const limited = await chat({ max_tokens: 10, n: 2 });
  const { inputTokens } = limited;
  assert(inputTokens! > 5 && inputTokens! < 60, `${inputTokens}`);
  assertEquals(limited, {
    inputTokens,
    maxOutputTokens: 20,
    costUsd: { least: inputTokens, most: inputTokens! + 40 },
    price: "option",
  });
  const open = await chat({});
  assertEquals([open.maxOutputTokens, open.costUsd.most], [null, null]);
  assertEquals(open.costUsd.least, open.inputTokens);
  const fast = await chat({ max_tokens: 10, service_tier: "priority" });
  assertEquals(fast.costUsd, { least: 3 * fast.inputTokens!, most: 3 * fast.inputTokens! + 40 });
  const custom = await chat({}, { "cf-aig-custom-cost": '{"total_cost":7}' });
  assertEquals([custom.costUsd, custom.price], [{ least: 7, most: 7 }, "header"]);
  const unknown = await estimate("/v1/chat/completions", {
    model: "openai/unknown",
    messages,
    max_tokens: 10,
  });
  assertEquals([unknown.costUsd, unknown.price, unknown.maxOutputTokens], [
    { least: null, most: null },
    "unknown",
    10,
  ]);
  const table = await estimate("/v1/chat/completions", { model: "openai/gpt-4o", messages, max_tokens: 10 });
  assertEquals(table.price, "table");
  assert(table.costUsd.least! > 0 && table.costUsd.most! > table.costUsd.least!);
  const free = await estimate("/v1/chat/completions", { model: "demo/echo", messages, max_tokens: 10 });
  assertEquals([free.costUsd, free.price], [{ least: 0, most: 0 }, "table"]);
  const freeUnlimited = await estimate("/v1/chat/completions", { model: "demo/echo", messages });
  assertEquals([freeUnlimited.costUsd, freeUnlimited.maxOutputTokens], [{ least: 0, most: 0 }, null]);
  const native = await estimate("/v1/acct/gw/gemini/v1beta/models/gemini-2.5-flash:generateContent", {
    contents: [{ parts: [{ text: "Hello" }] }],
    generationConfig: { maxOutputTokens: 50, candidateCount: 2 },
  });
  assertEquals([native.maxOutputTokens, native.price], [100, "table"]);
  const named = await estimate("/v1/acct/gw/openai/chat/completions", {
    model: "known",
    messages,
    max_tokens: 1,
  });
  assertEquals(named.costUsd.most, named.costUsd.least! + 2);
  const embedded = await estimate("/v1/embeddings", { model: "openai/known", input: "Hello" });
  assertEquals([embedded.maxOutputTokens, embedded.costUsd.most], [0, embedded.inputTokens]);
  const batch = await estimate("/v1/embeddings", { model: "gemini/e", input: ["a", "b"] });
  assertEquals([batch.maxOutputTokens, batch.inputTokens! > 5], [0, true]);
  const parts = await estimate("/v1/embeddings", {
    model: "cohere/e",
    input: Array.from({ length: 200 }, () => "some words"),
  });
  assert(parts.inputTokens! > 600, `${parts.inputTokens}`);
  const none = {
    inputTokens: null,
    maxOutputTokens: null,
    costUsd: { least: null, most: null },
    price: "unknown",
  };
  assertEquals(
    await estimate("/v1/acct/gw/openai/images/generations", { model: "known", prompt: "a cat" }),
    none,
  );
  assertEquals(
    await estimate("/v1/messages/count_tokens", { model: "anthropic/claude-sonnet-5-5", messages }),
    none,
  );
});

// ---------------------------------------------------------------- rows and bounds

Deno.test("an explanation has a row that says so, which no sum counts", async () => {
  const rows: LogEntry[] = [];
  const { fetch, sent } = network(() => completion());
  const gateway = createGateway({
    fetch,
    logs: true,
    log: (row) => rows.push(row),
    adminToken: "operator-0123456789",
  });
  const operator = (path: string) =>
    gateway.fetch(
      new Request(`${BASE}/sluice/api/${path}`, { headers: { authorization: "Bearer operator-0123456789" } }),
    ).then((answer) => answer.json());
  const headers = { ...keyed, "cf-aig-custom-cost": '{"total_cost":7}', "cf-aig-metadata": '"odd"' };
  await (await gateway.fetch(ask("openai/gpt-4o", headers))).text();
  const response = await gateway.fetch(ask("openai/gpt-4o", { ...headers, ...EXPLAIN }));
  assertEquals([response.headers.get("sluice-cost"), response.headers.get("sluice-dropped")], [
    null,
    "cf-aig-metadata",
  ]);
  assert(response.headers.get("cf-aig-log-id"));
  await response.text();
  await (await gateway.fetch(ask("", EXPLAIN))).text();
  assertEquals(
    rows.map(({ explained, cost, tries, status, provider }) => [explained, cost, tries, status, provider]),
    [
      [undefined, 7, 1, 200, "openai"],
      [true, undefined, 0, 200, "openai"],
      [true, undefined, 0, 400, undefined],
    ],
  );
  const { rows: kept } = await operator("logs");
  assertEquals(kept.map(({ explained = false }) => explained), [true, true, false]);
  const { totals } = await operator("stats");
  assertEquals([totals.requests, totals.errors, totals.cost, sent.length], [1, 0, 7, 1]);
  const metrics = await gateway.fetch(
    new Request(`${BASE}/metrics`, { headers: { authorization: "Bearer operator-0123456789" } }),
  );
  assertEquals(
    (await metrics.text()).match(/^sluice_requests_total.*/gm)?.map((line) => line.split("} ")[1]),
    ["1"],
  );
});

Deno.test("a picture of 10 MB is explained with its base64 cut, as JSON, whatever it is written like", async () => {
  const data = "iVBORw0KGgo".padEnd(10 * 2 ** 20, `${"AbC0+".repeat(13)}/`);
  const digits = `1${"0".repeat(3000)}`;
  const list = "word\\n".repeat(3000);
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (
    const [path, model] of [["/v1/chat/completions", "openai/gpt-4o"], [
      "/v1/chat/completions",
      "anthropic/c",
    ], ["/v1/acct/gw/openai/chat/completions", "m"]]
  ) {
    for (const spelled of [data, data.replaceAll("/", "\\/")]) {
      const content =
        `[{"type":"text","text":"${list}"},{"type":"image_url","image_url":{"url":"data:image/png;base64,${spelled}"}}]`;
      const body = `{"model":"${model}","messages":[{"role":"user","content":${content}}],"x":${digits}}`;
      const response = await fetch(post(BASE + path, body, EXPLAIN));
      const text = await response.clone().text();
      assert(text.length < 60_000, `${text.length}`);
      const { targets: [{ requests: [{ body: shown, bodyNote }], estimate }] } = await explained(response);
      assertEquals(bodyNote, undefined);
      assertMatch(JSON.stringify(shown), /iVBORw0KGgoAbC[^"]{20,40}…\[10\d{6} characters of base64\]/);
      assertStringIncludes(JSON.stringify(shown), JSON.stringify(JSON.parse(`"${list}"`)).slice(1, -1));
      if (!path.includes("anthropic") && model !== "anthropic/c") assertStringIncludes(text, digits);
      // One picture, and not a token for each of its bytes.
      assert(estimate!.inputTokens! > 1600 && estimate!.inputTokens! < 30_000, `${estimate!.inputTokens}`);
    }
  }
});

Deno.test("all bodies of an explanation together have a limit, and longer ones say that they are left out", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const content = "some words ".repeat(300_000);
  const names = Array.from({ length: 20 }, (_, at) => `groq/m${at}`);
  const response = await fetch(
    ask(names[0], { ...EXPLAIN, "sluice-fallback": names.slice(1).join() }, {
      messages: [{ role: "user", content }],
    }),
  );
  const text = await response.clone().text();
  assert(text.length < 9 * 2 ** 20, `${text.length}`);
  const { targets } = await explained(response);
  assertEquals(targets.map(({ requests: [{ body }] }) => body !== null), names.map((_, at) => at < 2));
  assertMatch(targets[2].requests[0].bodyNote!, /too long/);
  assertEquals([targets[1].estimate!.inputTokens! > 900_000, targets[2].estimate!.inputTokens], [true, null]);
});

Deno.test("a body that is not text, not JSON, or is too long to be read, is explained without being sent or read", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch, limits: { maxBodyBytes: 600_000 } });
  const upload = async (body: BodyInit, type: string, length?: number) => {
    const headers = { "content-type": type, ...EXPLAIN, ...length && { "content-length": `${length}` } };
    const request = new Request(`${ROOT}/openai/audio/transcriptions`, { method: "POST", headers, body });
    const { targets: [{ requests: [{ body: shown, bodyNote = "" }] }] } = await explained(
      await fetch(request),
    );
    return [shown, bodyNote];
  };
  assertEquals(await upload(new Uint8Array([255, 254, 0]), "audio/wav", 3), [null, "the body is not a text"]);
  assertEquals(await upload("{not JSON", "application/json", 9), ["{not JSON", ""]);
  assertEquals(await upload(`${"[".repeat(5000)}${"]".repeat(5000)}`, "application/json", 10_000), [
    `${"[".repeat(5000)}${"]".repeat(5000)}`,
    "",
  ]);
  const passedOn = [null, "the body is passed on while it arrives"];
  assertEquals(await upload("x".repeat(300_000), "multipart/form-data; boundary=x", 300_000), passedOn);
  assertEquals(await upload(`"${"x ".repeat(350_000)}"`, "application/json", 700_002), passedOn);
  const [shown] = await upload(`"${"x ".repeat(200_000)}"`, "application/json", 400_002);
  assertEquals(typeof shown, "string");
});

Deno.test("an explanation reads the operator's table of prices too", async () => {
  const { fetch, sent } = network(({ url }) =>
    url === "https://prices.example/api.json"
      ? Response.json({ groq: { models: { m: { cost: { input: 1, output: 2 } } } } })
      : completion()
  );
  const gateway = createGateway({ fetch, priceTable: "https://prices.example/api.json" });
  const prices = async () =>
    (await explained(await gateway.call(ask("groq/m", EXPLAIN)))).targets[0].estimate!.price;
  await prices();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals([await prices(), sent.length], ["table", 1]);
});

Deno.test("the estimate counts a picture as one, and a PDF by its length", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const tokens = async (data: string) => {
    const body = { model: "m", contents: [{ parts: [{ inlineData: { mimeType: "x", data } }] }] };
    const path = `${ROOT}/google-ai-studio/v1beta/models/m:generateContent`;
    const { targets: [{ estimate }] } = await explained(await fetch(post(path, body, EXPLAIN)));
    return estimate!.inputTokens!;
  };
  const [picture, pdf, short] = [
    await tokens("AbC0".repeat(250_000)),
    await tokens(`JVBERi0${"AbC0".repeat(250_000)}`),
    await tokens(`JVBERi0${"AbC0".repeat(1000)}`),
  ];
  for (const [counted, due] of [[picture, 1600], [pdf, 50_000], [short, 1600]]) {
    assert(counted > due && counted < due + 100, `${counted} for ${due}`);
  }
});

Deno.test("base64 is cut to JSON wherever its escaped slashes stand", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (let at = 40; at < 56; at++) {
    const body = `{"model":"m","x":"\\u00e9${"A".repeat(at)}\\/${"B".repeat(3000)}\\n\\"end\\\\"}`;
    const { targets: [{ requests: [{ body: shown }] }] } = await explained(
      await fetch(post(`${ROOT}/openai/chat/completions`, body, EXPLAIN)),
    );
    assertMatch((shown as { x: string }).x, /^\u00e9A+\/?B*…\[\d+ characters of base64\]\n"end\\$/);
  }
});

Deno.test("a request that no target takes is the error of the call, whichever target failed how", async () => {
  const gateway = createGateway({ fetch: nothing.fetch, keys: { openai: STORED } });
  for (
    const [first, other] of [["openai/m", "anthropic/c"], ["anthropic/c", "openai/m"], [
      "anthropic/c",
      "anthropic/d",
    ]]
  ) {
    const answer = async (more: Record<string, string>) => {
      const headers = { "sluice-fallback": other, "sluice-strict": "true", ...more };
      const response = await gateway.fetch(ask(first, headers, { seed: 1 }));
      return [response.status, await response.text()];
    };
    const [status, text] = await answer({});
    assertEquals(status, first.startsWith("openai") || other.startsWith("openai") ? 401 : 400);
    assertEquals(await answer(EXPLAIN), [status, text]);
  }
});

Deno.test("a key in a header that does not look like one is not told either", async () => {
  const secret = "client-key-0123456789";
  const auth = { header: "X-Mine", prefix: "" };
  const { fetch } = createGateway({
    fetch: nothing.fetch,
    providers: { mine: { baseUrl: "https://mine.example/v1", auth } },
  });
  for (const path of ["/v1/-/default/mine/chat/completions", "/v1/chat/completions"]) {
    const response = await fetch(
      post(BASE + path, { model: "mine/m", messages }, { ...EXPLAIN, "x-mine": secret }),
    );
    const text = await response.clone().text();
    assertEquals((await explained(response)).targets[0].requests[0].hiddenHeaders, ["x-mine"]);
    assert(!text.includes(secret), text);
  }
});

Deno.test("shownHeaders() tells the names that a signer sets, and lets it read them but ask nobody", async () => {
  let asked: Unsigned | undefined;
  const provider: Provider = {
    ...PROVIDERS.get("openai")!,
    async sign(request, _, key) {
      asked = request;
      request.headers.set("X-Date", "today");
      await Promise.resolve();
      request.headers.set(
        "authorization",
        `${request.headers.get("x-date")} ${request.headers.get("x-own")} ${key}`,
      );
    },
  };
  const headers = new Headers({ "x-own": "1", "x-date": "the client's" });
  const request = { provider, headers, method: "POST", url: "https://a.example/", body: null, key: STORED };
  assertEquals(await shownHeaders(request, []), {
    headers: { "x-own": "1" },
    hidden: ["authorization", "x-date"],
  });
  assertEquals([asked?.namesOnly, asked?.headers.get("authorization")], [true, `today 1 ${STORED}`]);
  assertEquals([...headers.keys()], ["x-date", "x-own"]);
});
