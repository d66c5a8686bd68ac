/** The doors of OpenAI's Responses: the requests to providers, and errors. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../mod.ts";
import { seal } from "../../../wires/shared/envelope.ts";
import { before, completion, events, message, messages, nothing, post } from "../../fakes.ts";

const HOST = "http://gateway.test";

/** A response of a provider that speaks the wire. */
const RESPONSE = {
  id: "resp_theirs",
  object: "response",
  status: "completed",
  model: "m",
  output: [{
    id: "msg_1",
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: "Hi", annotations: [] }],
  }],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
};

const PATHS = [
  "/v1/responses",
  "/responses",
  "/compat/responses",
  "/v1/acct/gw/compat/responses",
  "/v1/acct/gw/compat/v1/responses",
  "/client/v4/accounts/acct/ai/v1/responses",
  "/v1/responses/",
];

for (const path of PATHS) {
  Deno.test(`POST ${path} is answered in the form of Responses`, async () => {
    const { fetch, sent } = before(() => message("Hi"));
    const answer = await fetch(post(HOST + path, { model: "anthropic/claude-sonnet-4-5", input: "Hello" }));
    const { object, output } = await answer.json();
    assertEquals([answer.status, object, output[0].content[0].text], [200, "response", "Hi"]);
    assertEquals(JSON.parse(sent[0].body).messages, [{
      role: "user",
      content: [{ type: "text", text: "Hello" }],
    }]);
  });
}

Deno.test("a row that speaks Responses gets the bytes, with only the model's name replaced", async () => {
  const cases: [string, string][] = [
    ["openrouter/openai/gpt-6", "https://openrouter.ai/api/v1/responses"],
    ["vercel/openai/gpt-6", "https://ai-gateway.vercel.sh/v1/responses"],
    ["grok/grok-5", "https://api.x.ai/v1/responses"],
    ["xai/grok-5", "https://api.x.ai/v1/responses"],
    ["deepseek/deepseek-flash", "https://api.deepseek.com/responses"],
    ["ollama/qwen4", "http://127.0.0.1:11434/v1/responses"],
  ];
  for (const [model, url] of cases) {
    const { fetch, sent } = before(() => Response.json(RESPONSE));
    const body = (name: string) =>
      `{ "previous_response_id":"resp_1", "input": [ {"role":"user","content":"Hi"} ],"unknown":1.50, "model":"${name}", "background":true}`;
    const answer = await fetch(post(`${HOST}/v1/responses`, body(model)));
    assertEquals([sent[0].url, sent[0].body], [url, body(model.slice(model.indexOf("/") + 1))]);
    assertEquals(await answer.json(), RESPONSE);
    assertEquals(answer.headers.get("sluice-dropped"), null);
  }
});

Deno.test("a stream of a row that speaks Responses comes back byte for byte", async () => {
  const stream = 'event: response.created\ndata: {"type":"response.created","response":{}}\n\n: ping\n\n' +
    'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r"}}\n\n';
  const { fetch } = before(() => events(stream));
  const body = { model: "openrouter/m", input: "Hello", stream: true };
  assertEquals(await (await fetch(post(`${HOST}/v1/responses`, body))).text(), stream);
});

Deno.test("fields that a row's Responses refuse are left out, and named if they ask for anything", async () => {
  const { fetch, sent } = before(() => Response.json(RESPONSE));
  const asking = { include: ["x"], prompt_cache_key: "k", store: true, truncation: "auto" };
  const usual = { include: null, store: false, truncation: "disabled" };
  for (const fields of [asking, usual]) {
    const answer = await fetch(post(`${HOST}/v1/responses`, { model: "groq/m", input: "Hello", ...fields }));
    assertEquals(JSON.parse(sent.at(-1)!.body), { model: "m", input: "Hello" });
    const named = fields === asking ? Object.keys(asking).join(", ") : null;
    assertEquals(answer.headers.get("sluice-dropped"), named);
  }
});

Deno.test("an input of which nothing can be sent is named by its place", async () => {
  const { fetch } = before(() => message("Hi"));
  const cases: [unknown, string][] = [
    ["", "Cannot send the request: input is empty; write a text, or leave the message out"],
    [[], "Cannot read the request: input must be a text or at least one item, and is an empty list"],
    [
      [{ type: "unknown" }],
      "Cannot read the request: input holds only items that cannot be sent (input[0]); add a message",
    ],
    [[{ role: "someone" }], "Cannot read the request: input[0].role must be"],
  ];
  for (const [input, told] of cases) {
    for (const model of ["demo/echo", "anthropic/m", "google-ai-studio/m"]) {
      const answer = await fetch(post(`${HOST}/v1/responses`, { model, input }));
      const { error } = await answer.json();
      assertEquals(
        [answer.status, error.message.startsWith(told)],
        [400, true],
        `${model}: ${error.message}`,
      );
      assert(error.param.startsWith("input"), error.param);
    }
  }
});

Deno.test("a row whose base URL the operator changes keeps only the wires below it", async () => {
  const { fetch, sent } = before(() => Response.json(RESPONSE), {
    providers: { openrouter: { baseUrl: "https://proxy.test/api" } },
  });
  await fetch(post(`${HOST}/v1/responses`, { model: "openrouter/m", input: "Hello" }));
  assertEquals(sent[0].url, "https://proxy.test/api/v1/responses");
});

Deno.test("a fallback may speak another wire", async () => {
  const { fetch, sent } = before((_, at) => at === 0 ? new Response("{}", { status: 500 }) : message("Hi"));
  const body = {
    model: "openrouter/m",
    models: ["anthropic/claude-sonnet-4-5"],
    input: "Hello",
    stream: false,
  };
  // OpenRouter has a list `models` of its own, so the fallback is in the header.
  const headers = { "sluice-fallback": "anthropic/claude-sonnet-4-5" };
  const answer = await fetch(post(`${HOST}/v1/responses`, body, headers));
  assertEquals((await answer.json()).output[0].content[0].text, "Hi");
  assertEquals(sent.map(({ url }) => new URL(url).host), ["openrouter.ai", "api.anthropic.com"]);
});

// ---------------------------------------------------------------- errors

Deno.test("errors are in OpenAI's shape, the provider's and ours", async () => {
  const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  const { fetch } = before(() => Response.json(error, { status: 529 }));
  const answer = await fetch(
    post(`${HOST}/v1/responses`, { model: "anthropic/claude-sonnet-4-5", input: "Hello" }),
  );
  const told = (await answer.json()).error;
  assertEquals([answer.status, told.message, Object.keys(told)], [529, "Overloaded", [
    "message",
    "type",
    "param",
    "code",
    "metadata",
  ]]);
  const ours = await createGateway({ fetch: nothing.fetch }).fetch(
    post(`${HOST}/v1/responses`, { model: "nobody/x" }),
  );
  assertEquals([ours.status, (await ours.json()).error.param], [400, "model"]);
});

Deno.test("a prompt that is too long gets the code that clients know, before and in a stream", async () => {
  const message = "prompt is too long: 300000 tokens > 200000 maximum";
  const error = { type: "error", error: { type: "invalid_request_error", message } };
  const body = { model: "anthropic/claude-sonnet-4-5", input: "Hello", stream: true };
  const whole = before(() => Response.json(error, { status: 400 }));
  const answer = await whole.fetch(post(`${HOST}/v1/responses`, body));
  assertEquals([answer.status, (await answer.json()).error.code], [400, "context_length_exceeded"]);
  const streamed = before(() =>
    events(
      `event: message_start\ndata: ${
        JSON.stringify({ type: "message_start", message: { id: "m", model: "c", content: [], usage: {} } })
      }\n\n`,
      `event: error\ndata: ${JSON.stringify(error)}\n\n`,
    )
  );
  const text = await (await streamed.fetch(post(`${HOST}/v1/responses`, body))).text();
  assertStringIncludes(text, '"status":"failed"');
  assertStringIncludes(text, '"code":"context_length_exceeded"');
});

Deno.test("sluice-strict refuses what would be left out", async () => {
  const { fetch, sent } = before(() => message());
  const body = { model: "anthropic/claude-sonnet-4-5", input: "Hello", max_tool_calls: 2 };
  const answer = await fetch(post(`${HOST}/v1/responses`, body, { "sluice-strict": "true" }));
  const { error } = await answer.json();
  assertEquals([answer.status, error.code, error.param, sent.length], [
    400,
    "dropped_fields",
    "max_tool_calls",
    0,
  ]);
});

// ---------------------------------------------------------------- other methods and paths

Deno.test("a WebSocket is 426, and any other GET 405: Codex sends its request by POST then", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const get = (headers: HeadersInit) => fetch(new Request(`${HOST}/v1/responses`, { headers }));
  const upgrade = await get({ upgrade: "websocket", "openai-beta": "responses_websockets=2026-02-06" });
  assertEquals([upgrade.status, (await upgrade.json()).error.code], [426, "no_websocket"]);
  const plain = await get({});
  assertEquals([plain.status, plain.headers.get("allow")], [405, "POST, OPTIONS"]);
});

Deno.test("a stored response is 404 in OpenAI's shape, with the path where OpenAI has it", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (const method of ["GET", "DELETE", "POST"]) {
    for (const path of ["resp_1", "resp_1/input_items", "resp_1/cancel"]) {
      const answer = await fetch(new Request(`${HOST}/v1/responses/${path}`, { method }));
      const { error } = await answer.json();
      assertEquals([answer.status, error.code], [404, "not_found"]);
      assertStringIncludes(error.message, `/v1/-/default/openai/responses/${path}`);
    }
  }
});

Deno.test("POST /v1/responses/compact summarises with a model that has no such path", async () => {
  const { fetch, sent } = before(() => message("They greeted."));
  const body = {
    model: "anthropic/claude-sonnet-4-5",
    input: [{ role: "user", content: "Hello" }],
    stream: true,
  };
  const answer = await fetch(post(`${HOST}/v1/responses/compact`, body));
  const { object, output } = await answer.json();
  assertEquals([object, output.length, output[0].type], ["response.compaction", 1, "compaction"]);
  const asked = JSON.parse(sent[0].body);
  assertEquals(asked.stream, undefined);
  assertStringIncludes(JSON.stringify(asked.messages), "Summarise this conversation");
});

// ---------------------------------------------------------------- hostile bodies

const SEED = {
  model: "anthropic/claude-sonnet-4-5",
  instructions: "Be brief",
  input: [
    { role: "developer", content: [{ type: "input_text", text: "x" }] },
    {
      type: "message",
      role: "user",
      content: [{ type: "input_image", image_url: "data:image/png;base64,aGk=" }],
    },
    {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "t" }],
      encrypted_content: "slc1.text.",
    },
    { type: "function_call", call_id: "c1", namespace: "n", name: "m", arguments: "{}" },
    { type: "custom_tool_call", call_id: "c2", name: "c", input: "x" },
    { type: "function_call_output", call_id: "c1", output: [{ type: "input_text", text: "r" }] },
    { type: "custom_tool_call_output", call_id: "c2", output: "r" },
    {
      type: "tool_search_output",
      call_id: "c3",
      execution: "client",
      tools: [{ type: "function", name: "f" }],
    },
    { type: "configuration_update", reasoning: { effort: "low" } },
    { role: "user", content: "Go on" },
  ],
  tools: [
    {
      type: "namespace",
      name: "n",
      description: "d",
      tools: [{ type: "function", name: "m", parameters: {} }],
    },
    { type: "custom", name: "c", format: { type: "grammar", syntax: "lark", definition: "start: /a/" } },
    { type: "web_search", filters: { allowed_domains: ["a.test"] } },
    { type: "shell", environment: { type: "local" } },
  ],
  tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "custom", name: "c" }] },
  text: { format: { type: "json_schema", name: "n", schema: { type: "object" } }, verbosity: "low" },
  reasoning: { effort: "low", summary: "auto" },
  include: ["reasoning.encrypted_content"],
  stream: true,
};

/** Values of wrong types. */
const ODD: unknown[] = [
  null,
  true,
  -1,
  1e21,
  "",
  "\ud800",
  "constructor",
  "__proto__",
  [],
  {},
  [[]],
  { type: "function" },
  {
    toString: 1,
  },
  ["x"],
  "data:;base64,%",
];

Deno.test("no mutated request is a 500, and each error is in the door's shape", async () => {
  const { fetch } = before(({ body }) => {
    JSON.parse(body);
    return message("Hi");
  });
  let state = 7;
  const next = (most: number) => (state = (state * 1103515245 + 12345) % 2147483648) % most;
  /** Replaces, removes or doubles one value somewhere. */
  function mutate(value: unknown): unknown {
    if (typeof value !== "object" || value === null || next(4) === 0) return ODD[next(ODD.length)];
    const copy = structuredClone(value) as Record<string, unknown>;
    const keys = Object.keys(copy);
    if (keys.length === 0) return ODD[next(ODD.length)];
    const key = keys[next(keys.length)];
    const kind = next(8);
    if (kind === 0 && !Array.isArray(copy)) delete copy[key];
    else if (kind === 1 && Array.isArray(copy)) copy.push(copy[Number(key)]);
    else copy[key] = mutate(copy[key]);
    return copy;
  }
  for (let at = 0; at < 2000; at++) {
    let body = mutate(SEED) as Record<string, unknown>;
    if (next(3) === 0) body = mutate(body) as Record<string, unknown>;
    const text = JSON.stringify(body);
    const answer = await fetch(post(`${HOST}/v1/responses`, text));
    const told = await answer.text();
    if (answer.status === 200) continue;
    assert(answer.status === 400, `${answer.status} for ${text}: ${told}`);
    assertEquals(Object.keys(JSON.parse(told).error).slice(0, 4), ["message", "type", "param", "code"], text);
  }
});

// ---------------------------------------------------------------- sealed thoughts of other providers

Deno.test("a conversation goes on with OpenAI without the thoughts that other providers have sealed", async () => {
  const summary = [{ type: "summary_text", text: "t" }];
  const input = [
    { role: "user", content: "Hello" },
    {
      type: "reasoning",
      id: "rs_1",
      summary,
      encrypted_content: seal({ signature: "c2ln", format: "anthropic-claude-v1" }),
    },
    { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "gAAAA" },
    { type: "function_call", call_id: "c1__sig_YWJj", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c1__sig_YWJj", output: "r" },
    {
      type: "compaction",
      id: "cmp_1",
      encrypted_content: seal({ redacted: "They greeted.", format: "sluice-summary" }),
    },
  ];
  const { fetch, sent } = before(() => Response.json(RESPONSE));
  for (const model of ["openai/gpt-6-luna", "ollama/qwen4"]) {
    await fetch(post(`${HOST}/v1/responses`, { model, input, store: false }));
  }
  const [user, , own] = input;
  const text = "This is a summary of the conversation so far:\n\nThey greeted.";
  const rest = [
    own,
    { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: "r" },
    { type: "message", role: "user", content: [{ type: "input_text", text }] },
  ];
  assertEquals(JSON.parse(sent[0].body), { model: "gpt-6-luna", input: [user, ...rest], store: false });
  // A provider other than OpenAI stores no items, so a text stays a text.
  const told = { type: "reasoning", id: "rs_1", summary };
  assertEquals(JSON.parse(sent[1].body), { model: "qwen4", input: [user, told, ...rest], store: false });
});

// ---------------------------------------------------------------- counts

Deno.test("POST /v1/responses/input_tokens is OpenAI's own count where OpenAI is asked, else an estimate that says so", async () => {
  const count = { object: "response.input_tokens", input_tokens: 11 };
  const { fetch, sent } = before(() => Response.json(count));
  const ask = (model: string) =>
    fetch(post(`${HOST}/v1/responses/input_tokens`, { model, input: "Hello, world" }));
  const own = await ask("openai/gpt-6-luna");
  assertEquals([own.headers.get("sluice-estimated"), await own.json()], [null, count]);
  assertEquals([sent[0].url, JSON.parse(sent[0].body)], ["https://api.openai.com/v1/responses/input_tokens", {
    model: "gpt-6-luna",
    input: "Hello, world",
  }]);
  const guess = await ask("cohere/command-a-03-2025");
  const { object, input_tokens } = await guess.json();
  assertEquals([guess.headers.get("sluice-estimated"), object], ["true", "response.input_tokens"]);
  assert(input_tokens >= 3 && input_tokens < 40, `${input_tokens}`);
});

Deno.test("a count is asked for where a provider counts and never where it answers, whichever wires meet", async () => {
  const { fetch, sent } = before(() => Response.json({}, { status: 404 }), {
    providers: {
      always: { baseUrl: "https://always.test/v1", responses: "always" },
      lists: { baseUrl: "https://lists.test/v1", wire: ["openai", "responses"] },
      one: { baseUrl: "https://one.test/v1", wire: "responses" },
      // What an operator names is its author's, with the author's path.
      claude: { baseUrl: "https://claude.test", wire: "anthropic" },
    },
  });
  const models = [
    ["openai", "https://api.openai.com/v1/responses/input_tokens"],
    ["groq", "https://api.groq.com/openai/v1/responses/input_tokens"],
    ["always", "https://always.test/v1/responses/input_tokens"],
    ["lists", "https://lists.test/v1/responses/input_tokens"],
    ["one", "https://one.test/v1/responses/input_tokens"],
    ["anthropic", "https://api.anthropic.com/v1/messages/count_tokens"],
    ["claude", "https://claude.test/v1/messages/count_tokens"],
    ["gemini", "https://generativelanguage.googleapis.com/v1beta/models/m:countTokens"],
  ];
  for (const [provider, url] of models) {
    const model = `${provider}/m`;
    for (
      const [path, body] of [["responses/input_tokens", { input: "Hi" }], ["messages/count_tokens", {
        messages,
      }]]
    ) {
      await fetch(post(`${HOST}/v1/${path}`, { model, ...body as object }));
      assertEquals(sent.splice(0).map(({ url }) => url), [url], `${provider}, ${path}`);
    }
  }
});

Deno.test("POST /v1/responses/compact is OpenAI's own where OpenAI is asked", async () => {
  const { fetch, sent } = before(() =>
    Response.json({ object: "response.compaction", output: [], id: "resp_1" })
  );
  const answer = await fetch(
    post(`${HOST}/v1/responses/compact`, { model: "openai/gpt-6-luna", input: "Hello" }),
  );
  assertEquals([answer.status, sent[0].url], [200, "https://api.openai.com/v1/responses/compact"]);
});

// ---------------------------------------------------------------- an operator's own rows

Deno.test("an operator's own row speaks each wire of its list, and the first one to any other client", async () => {
  const { fetch, sent } = before((_, at) => at === 2 ? completion() : Response.json(RESPONSE), {
    providers: {
      local: { baseUrl: "https://llm.test/v1", wire: ["openai", "responses", "anthropic"] },
      other: { baseUrl: "https://llm.test", chatPath: "/v1/chat/completions", wire: ["openai", "responses"] },
    },
  });
  for (const model of ["local/m", "other/m"]) {
    const answer = await fetch(post(`${HOST}/v1/responses`, { model, input: "Hello" }));
    assertEquals(await answer.json(), RESPONSE);
  }
  await fetch(post(`${HOST}/v1/chat/completions`, { model: "local/m", messages }));
  assertEquals(sent.map(({ url }) => url), [
    "https://llm.test/v1/responses",
    "https://llm.test/v1/responses",
    "https://llm.test/v1/chat/completions",
  ]);
});

Deno.test("createGateway() refuses an empty list of wires, and one of an unknown name", () => {
  for (const wire of [[], ["openai", "smoke"]]) {
    const providers = { local: { baseUrl: "https://llm.test/v1", wire } };
    assertThrows(() => createGateway({ providers } as never), TypeError, "providers.local.wire");
  }
});
