/** Clients of Anthropic's Messages with any provider: Anthropic's own SDK against strict fakes of several providers. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import { events, type Json, lab, type Play } from "./lab.ts";
import { eventsOf, validate } from "./messages_events.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { mutate, random } from "../mutate.ts";

// deno-lint-ignore no-explicit-any -- Requests and blocks that the SDK's types do not know.
type Any = any;
type Options = Parameters<typeof lab>[1];

/** A lab with Anthropic's SDK as its client. */
function messagesLab(play: Play, options?: Options) {
  const one = lab(play, options);
  const anthropic = new Anthropic({
    apiKey: null,
    authToken: "key",
    baseURL: "http://gateway.test",
    maxRetries: 0,
    fetch: (input, init) => one.gateway.fetch(new Request(input as string, init as RequestInit)),
  });
  const send = (body: unknown, headers: Record<string, string> = {}, path = "/v1/messages") =>
    one.gateway.fetch(
      new Request(`http://gateway.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  return { ...one, anthropic, send };
}

/** A strict fake that only accepts the key `key`, behind a gateway that has stored others. */
const storedKey = (play: Play): Play => (asked) => {
  const headers = new Headers(asked.headers);
  if (headers.get("x-goog-api-key") === "stored-of-google") headers.set("x-goog-api-key", "key");
  if (headers.get("authorization") === "Bearer stored-of-cohere") headers.set("authorization", "Bearer key");
  return play({ ...asked, headers });
};

const GEMINI = "google-ai-studio/gemini-3-pro";
const CLAUDE = "anthropic/claude-opus-4-6";
const COHERE = "cohere/command-a-03-2025";
const USER = { role: "user" as const, content: "Hi" };
const WEATHER = {
  name: "weather",
  description: "The weather in a city.",
  input_schema: { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] },
};

const googleTurns = [
  [
    { text: "Which city? ", thought: true },
    { functionCall: { name: "weather", args: { city: "Bern" }, id: "g1" }, thoughtSignature: "c2lnMQ==" },
  ],
  [{ text: "Sunny in Bern.", thoughtSignature: "c2lnMg==" }],
];

// ---------------------------------------------------------------- the SDK

for (
  const [name, model, fake] of [
    ["Gemini", GEMINI, () => strictGoogle([[{ text: "Hello " }, { text: "there" }]])],
    ["Cohere", COHERE, () => strictCohere([{ text: "Hello there" }])],
    ["GPT", "openai/gpt-4.1-mini", () => strictOpenAI([{ text: "Hello there" }])],
    ["Claude", CLAUDE, () => strictAnthropic([[{ type: "text", text: "Hello there" }]])],
  ] as const
) {
  Deno.test(`create() and stream() of Anthropic's SDK read an answer of ${name}`, async () => {
    const { anthropic } = messagesLab(fake().play);
    const body = { model, max_tokens: 100, system: "Be brief.", messages: [USER] };
    const whole = await anthropic.messages.create(body);
    const streamed = await anthropic.messages.stream(body).finalMessage();
    for (const message of [whole, streamed]) {
      assertEquals(message.content.map((block) => block.type === "text" ? block.text : ""), ["Hello there"]);
      assertEquals([message.role, message.type, message.stop_reason], ["assistant", "message", "end_turn"]);
      assert(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
      assert(message.id.startsWith("msg_"));
    }
    const response = await anthropic.messages.create(body).withResponse();
    assert(response.request_id);
  });
}

for (const stream of [false, true]) {
  Deno.test(`the SDK's tool runner calls tools on Gemini, whose signatures come back (stream: ${stream})`, async () => {
    const { anthropic, asked } = messagesLab(strictGoogle(googleTurns).play);
    const cities: string[] = [];
    const runner = anthropic.beta.messages.toolRunner({
      model: GEMINI,
      max_tokens: 1000,
      stream,
      thinking: { type: "adaptive" },
      messages: [{ role: "user", content: "Weather in Bern?" }],
      tools: [{
        ...WEATHER,
        run: ({ city }: Any) => {
          cities.push(city);
          return "sunny";
        },
        parse: (input: unknown) => input,
      } as Any],
    } as Any);
    const final = await (runner as Any).runUntilDone();
    assertEquals(cities, ["Bern"]);
    assertEquals(final.content.at(-1).text, "Sunny in Bern.");
    assertEquals(asked.length, 2);
    const contents = asked[1].body.contents as { role: string; parts: Json[] }[];
    assertEquals(contents[1].parts.map((part) => part.thoughtSignature), [undefined, "c2lnMQ=="]);
  });
}

Deno.test("Claude's own thinking is handed through and back unchanged", async () => {
  const thinking = { type: "thinking", thinking: "I look.", signature: "EqQBc2ln" };
  const use = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Bern" } };
  const fake = strictAnthropic([[thinking, use], [{ type: "text", text: "Sunny" }]]);
  const { anthropic } = messagesLab(fake.play);
  const body = {
    model: CLAUDE,
    max_tokens: 3000,
    thinking: { type: "adaptive" as const },
    tools: [WEATHER],
    messages: [{ role: "user" as const, content: "Weather in Bern?" }] as Anthropic.MessageParam[],
  };
  const first = await anthropic.messages.stream(body).finalMessage();
  assertEquals(first.content as Any, [thinking, use]);
  body.messages.push({ role: "assistant", content: first.content }, {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "sunny" }],
  });
  const second = await anthropic.messages.create(body);
  assertEquals((second.content[0] as Any).text, "Sunny");
});

Deno.test("a conversation moves from Gemini to Claude and back, without proofs of other providers", async () => {
  const google = strictGoogle(googleTurns);
  const claude = strictAnthropic([[
    { type: "thinking", thinking: "own", signature: "EqQBown" },
    { type: "text", text: "It was sunny." },
  ]]);
  const { anthropic, asked } = messagesLab((one) =>
    one.url.hostname === "api.anthropic.com" ? claude.play(one) : google.play(one)
  );
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Weather in Bern?" }];
  const ask = async (model: string) => {
    const { content } = await anthropic.messages.create({
      model,
      max_tokens: 3000,
      thinking: { type: "adaptive" },
      tools: [WEATHER],
      messages,
    });
    messages.push({ role: "assistant", content });
    return content;
  };
  const [thought, use] = await ask(GEMINI);
  assert(thought.type === "thinking" && thought.signature.startsWith("slc1."));
  assert(use.type === "tool_use");
  messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "sunny" }] });
  await ask(CLAUDE);
  assert(!asked[1].text.includes("slc1."), asked[1].text);
  assertEquals((asked[1].body.messages as Json[])[1].content, [{
    type: "tool_use",
    id: use.id,
    name: "weather",
    input: { city: "Bern" },
    caller: { type: "direct" },
  }]);
  messages.push({ role: "user", content: "Sure?" });
  await ask(GEMINI);
  assert(!asked[2].text.includes("EqQBown"), asked[2].text);
  assert(asked[2].text.includes("c2lnMQ=="), asked[2].text);
});

// ---------------------------------------------------------------- hand-through

Deno.test("a body for Claude is handed through with only the model's name changed", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [], usage: {} }));
  const billing = `{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1;"}`;
  const body = (model: string) =>
    `{ "model": "${model}", "max_tokens": 10,\n "novel": [1.0, 1e400, 12345678901234567890], "system": [${billing}],` +
    `"messages": [{"role":"user","content":"Gr\\u00fc\\u00dfe"}, {"role":"assistant","content":[` +
    `{"type":"thinking","thinking":"","signature":"EqQB+/="}]}] }`;
  for (const filler of [0, 300_000]) {
    const padded = (model: string) => body(model).replace("Gr", "x".repeat(filler) + "Gr");
    await send(
      padded(CLAUDE),
      { "anthropic-beta": "a,b", "anthropic-version": "2023-06-01" },
      "/v1/messages?beta=true",
    );
    const { text, headers, url } = asked.at(-1)!;
    assertEquals(text, padded("claude-opus-4-6"));
    assertEquals([headers.get("anthropic-beta"), headers.get("anthropic-version")], ["a,b", "2023-06-01"]);
    assertEquals([url.pathname, url.search], ["/v1/messages", "?beta=true"]);
    assertEquals(headers.get("x-api-key"), "key");
  }
});

Deno.test("the query of Anthropic's clients goes to Anthropic as it is, and to nobody else", async () => {
  const answers = () => Response.json({ type: "message", content: [], usage: {}, input_tokens: 1 });
  const { send, asked } = messagesLab(answers, { tokens: ["gateway-token-1234"], tokenRequired: false });
  const search = async (model: string, query: string, path = "/v1/messages") => {
    const before = asked.length;
    const response = await send({ model, max_tokens: 10, messages: [USER] }, {}, path + query);
    await response.body?.cancel();
    return asked.length > before ? asked.at(-1)!.url.search : "not sent";
  };
  for (const path of ["/v1/messages", "/v1/messages/count_tokens", "/v1/acct/gw/compat/messages"]) {
    assertEquals(await search(CLAUDE, "?beta=true", path), "?beta=true", path);
    assertEquals(await search(CLAUDE, "", path), "", path);
  }
  assertEquals(await search(CLAUDE, "?beta=true&x=%2F+a&x"), "?beta=true&x=%2F+a&x");
  assertEquals(await search("openrouter/anthropic/claude-opus-4.6", "?beta=true"), "");
  assertEquals(await search(GEMINI, "?beta=true"), "");
  // Keys and tokens do not travel in it, nor what a front proxy has asked for.
  for (
    const own of ["key=k", "api_key=k", "a=gateway-token-1234", "x-vercel-protection-bypass=s", "sluice-x=1"]
  ) {
    assertEquals(await search(CLAUDE, `?${own}`), "", own);
    assertEquals(await search(CLAUDE, `?${own}&beta=true`), "?beta=true", own);
  }
});

Deno.test("proofs of other providers are removed from long bodies too", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [], usage: {} }));
  const messages = [
    { role: "user", content: "x".repeat(300_000) },
    {
      role: "assistant",
      content: [
        { type: "redacted_thinking", data: "slc1.text." },
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
        {
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_1",
          content: [{
            type: "web_search_result",
            title: "T",
            url: "https://t.example",
            encrypted_content: "slc1.found",
          }],
        },
        {
          type: "text",
          text: "a",
          citations: [{
            type: "web_search_result_location",
            encrypted_index: "slc1.found",
            url: "https://t.example",
          }],
        },
      ],
    },
    { role: "assistant", content: [{ type: "thinking", thinking: "", signature: "slc1.text." }] },
    USER,
  ];
  await send({ model: CLAUDE, max_tokens: 1, messages });
  assertEquals(asked[0].body.messages, [
    messages[0],
    {
      role: "assistant",
      content: [{ type: "text", text: "T https://t.example" }, { type: "text", text: "a" }],
    },
    USER,
  ]);
});

Deno.test("headers of Anthropic's clients are sent to Anthropic only", async () => {
  const { send, asked } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  await send({ model: GEMINI, max_tokens: 9, messages: [USER] }, {
    "anthropic-beta": "a",
    "anthropic-version": "2023-06-01",
    "x-claude-code-session-id": "s",
    "x-stainless-lang": "js",
  });
  const names = [...asked[0].headers.keys()].filter((name) =>
    name.startsWith("anthropic") || name.includes("claude")
  );
  assertEquals([names, asked[0].headers.get("x-stainless-lang")], [[], "js"]);
});

Deno.test("other providers of Messages get no billing line, no betas and no proofs of other providers", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [], usage: {} }));
  const billing = { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.332; cch=1a2b;" };
  const system = [billing, { type: "text", text: "You are Claude Code." }];
  const said = { role: "assistant", content: [{ type: "thinking", thinking: "t", signature: "slc1.text." }] };
  for (const filler of [0, 300_000]) {
    const messages = [{ role: "user", content: "x".repeat(filler) + "Hi" }];
    const body = {
      model: "openrouter/anthropic/claude-opus-4.6",
      max_tokens: 9,
      system,
      messages: [...messages, said, USER],
    };
    await send(body, { "anthropic-beta": "a", "anthropic-version": "2023-06-01" });
    const { body: sent, headers, url } = asked.at(-1)!;
    assertEquals(url.href, "https://openrouter.ai/api/v1/messages");
    assertEquals([sent.system, sent.messages], [[system[1]], [...messages, USER]]);
    assertEquals([headers.get("anthropic-beta"), headers.get("anthropic-version")], [null, "2023-06-01"]);
    await send({ ...body, model: CLAUDE });
    assertEquals(asked.at(-1)!.body.system, system);
  }
  const counted = await send({ model: "openrouter/x/y", messages: [USER] }, {}, "/v1/messages/count_tokens");
  assertEquals(counted.headers.get("sluice-estimated"), "true", "its answer is no count");
});

// ---------------------------------------------------------------- doors

Deno.test("Messages are served at each of their doors, with a key or a gateway token in any header", async () => {
  const { send, asked } = messagesLab(storedKey(strictGoogle([[{ text: "Hi" }]]).play), {
    tokens: ["gateway-token-1234"],
    tokenRequired: false,
    keys: { "google-ai-studio": "stored-of-google" },
  });
  const body = { model: GEMINI, max_tokens: 9, messages: [USER] };
  for (
    const path of [
      "/v1/messages",
      "/v1/messages?beta=true",
      "/v1/messages/",
      "/messages",
      "/v1/v1/messages",
      "/compat/messages",
      "/v1/acct/gw/compat/messages",
      "/v1/acct/gw/compat/v1/messages",
      "/client/v4/accounts/acct/ai/v1/messages",
      "/client/v4/accounts/acct/ai/v1/v1/messages",
    ]
  ) {
    const response = await send(body, {}, path);
    assertEquals([path, response.status, (await response.json()).type], [path, 200, "message"]);
    const counted = await send(body, {}, path.replace(/messages\/?/, "messages/count_tokens"));
    assertEquals([path, typeof (await counted.json()).input_tokens], [path, "number"]);
  }
  const tokens = [["x-api-key", "gateway-token-1234"], ["authorization", "Bearer gateway-token-1234"]];
  for (const [name, token] of tokens) {
    const response = await send(body, { authorization: "", [name]: token });
    assertEquals(response.status, 200, await response.text());
    assertEquals(asked.at(-1)!.headers.get("x-goog-api-key"), "stored-of-google");
  }
});

Deno.test("errors of Messages paths have Anthropic's format, with the id of the request", async () => {
  const { send, gateway, anthropic } = messagesLab(() =>
    Response.json({ error: { code: 429, message: "Quota exceeded", status: "RESOURCE_EXHAUSTED" } }, {
      status: 429,
      headers: { "retry-after": "7" },
    })
  );
  const body = { model: GEMINI, max_tokens: 9, messages: [USER] };
  const rows: [Promise<Response>, number, string][] = [
    [send({ ...body, model: "nobody/x" }), 400, "invalid_request_error"],
    [send({ ...body, messages: [] }), 400, "invalid_request_error"],
    [send("{"), 400, "invalid_request_error"],
    [send(body, { "content-type": "text/plain" }), 415, "invalid_request_error"],
    [send(body), 429, "rate_limit_error"],
    [gateway.fetch(new Request("http://gateway.test/v1/messages")), 405, "invalid_request_error"],
    [send({}, {}, "/v1/messages/batches"), 400, "invalid_request_error"],
  ];
  for (const [pending, status, type] of rows) {
    const response = await pending;
    const { type: outer, error, request_id } = await response.json();
    assertEquals([outer, response.status, error.type], ["error", status, type], error.message);
    assert(error.message.length > 10);
    if (response.headers.has("request-id")) assertEquals(request_id, response.headers.get("request-id"));
  }
  const error = await assertRejects(() => anthropic.messages.create(body as Any), Anthropic.RateLimitError);
  assertEquals([error.type, error.headers?.get("retry-after")], ["rate_limit_error", "7"]);
  assert(error.requestID);
});

Deno.test("a client is told not to retry if that cannot help", async () => {
  const tokens = ["gateway-token-1234"];
  const { send } = messagesLab(
    () => Response.json({}),
    { tokens, keys: { "google-ai-studio": "stored-of-google" } } as Options,
  );
  const response = await send({ model: GEMINI, max_tokens: 9, messages: [USER] }, {
    authorization: "Bearer wrong",
  });
  assertEquals([response.status, response.headers.get("x-should-retry")], [401, "false"]);
  assertEquals((await response.json()).error.type, "authentication_error");
});

Deno.test("the error for a prompt that is too long has the words on which Claude Code shortens it", async () => {
  const message = "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).";
  const { send } = messagesLab(() =>
    Response.json({ error: { code: 400, message, status: "INVALID_ARGUMENT" } }, { status: 400 })
  );
  for (const stream of [false, true]) {
    const response = await send({ model: GEMINI, max_tokens: 9, stream, messages: [USER] });
    assertEquals(response.status, 400);
    assertEquals((await response.json()).error, {
      type: "invalid_request_error",
      message: "prompt is too long: 1048577 tokens > 1048576 maximum",
    });
  }
});

Deno.test("an error in Anthropic's shape goes back byte for byte, but for a prompt that is too long in other words", async () => {
  const error = (message: string) =>
    ` {"type":"error", "error":{"type":"invalid_request_error","message":"${message}"},"request_id":"req_1"}`;
  const told = ["model: x", "prompt is too long: 205018 tokens > 200000 maximum", "Prompt is too long"];
  const other =
    "This endpoint's maximum context length is 8192 tokens. However, you requested about 9001 tokens.";
  let message = "";
  const { send } = messagesLab(() => new Response(error(message), { status: 400 }));
  for (message of [...told, other]) {
    const response = await send({ model: "openrouter/x/y", max_tokens: 9, messages: [USER] });
    const text = await response.text();
    assertEquals(response.status, 400);
    if (message !== other) assertEquals(text, error(message));
    else assertEquals(JSON.parse(text).error.message, "prompt is too long: 9001 tokens > 8192 maximum");
  }
});

// ---------------------------------------------------------------- counting

Deno.test("countTokens() asks Anthropic's and Google's own counters, and estimates for others", async () => {
  const { anthropic, asked, send } = messagesLab(({ url }) =>
    url.hostname === "api.anthropic.com"
      ? Response.json({ input_tokens: 11 })
      : url.hostname.includes("google")
      ? Response.json({ totalTokens: 22 })
      : Response.json({}, { status: 404 })
  );
  const count = (model: string) =>
    anthropic.messages.countTokens({ model, messages: [USER], tools: [WEATHER] });
  assertEquals((await count(CLAUDE)).input_tokens, 11);
  assertEquals(asked[0].url.pathname, "/v1/messages/count_tokens");
  assertEquals(asked[0].body, { model: "claude-opus-4-6", messages: [USER], tools: [WEATHER] });
  assertEquals((await count(GEMINI)).input_tokens, 22);
  assertEquals(asked[1].url.pathname, "/v1beta/models/gemini-3-pro:countTokens");
  const counted = asked[1].body.generateContentRequest as Json;
  assertEquals([counted.model, Object.keys(counted).includes("tools")], ["models/gemini-3-pro", true]);
  assertEquals(asked[1].headers.get("x-goog-api-key"), "key");

  const body = { model: COHERE, messages: [USER] };
  const estimate = async (more: Json = {}) => {
    const response = await send({ ...body, ...more }, {}, "/v1/messages/count_tokens");
    assertEquals(response.headers.get("sluice-estimated"), "true");
    return (await response.json()).input_tokens as number;
  };
  const least = await estimate();
  assert(least > 0);
  const prose = "The quick brown fox jumps over the lazy dog. ".repeat(100); // 1,001 tokens of o200k_base.
  const long = await estimate({ system: prose });
  assert(long > 1001 && long < 1700, String(long));
  assert(await estimate({ tools: [WEATHER] }) > least + 20);
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
  assert(await estimate({ messages: [{ role: "user", content: [image] }] }) >= 1500);
  const result = { type: "tool_result", tool_use_id: "t", content: prose };
  assert(await estimate({ messages: [{ role: "user", content: [result] }] }) > 1001);
  assertEquals(asked.length, 2, "what is estimated is sent nowhere");
});

Deno.test("countTokens() estimates if a provider's counter fails, and passes Anthropic's own error on", async () => {
  const error = {
    type: "error",
    error: { type: "not_found_error", message: "model: x" },
    request_id: "req_9",
  };
  const { send } = messagesLab(({ url }) =>
    url.hostname === "api.anthropic.com"
      ? Response.json(error, { status: 404 })
      : Response.json({ error: { message: "no" } }, { status: 500 })
  );
  const at = (model: string) => send({ model, messages: [USER] }, {}, "/v1/messages/count_tokens");
  const google = await at(GEMINI);
  assertEquals([google.status, google.headers.get("sluice-estimated")], [200, "true"]);
  await google.body?.cancel();
  const claude = await at(CLAUDE);
  assertEquals([claude.status, await claude.json()], [404, error]);
});

Deno.test("countTokens() refuses what the call would be refused for, and a switch that is none", async () => {
  const { send, asked } = messagesLab(() => Response.json({ totalTokens: 22, input_tokens: 22 }));
  const unsaid = { messages: [USER], container: "c" };
  const input = { input: "Hi", truncation: "auto" };
  const cases: [path: string, model: string, body: Json, param: string][] = [
    ["/v1/messages/count_tokens", GEMINI, unsaid, "container"],
    ["/v1/messages/count_tokens", COHERE, unsaid, "container"],
    ["/v1/responses/input_tokens", GEMINI, input, "truncation"],
    ["/v1/responses/input_tokens", COHERE, input, "truncation"],
  ];
  for (const [path, model, body, param] of cases) {
    for (const value of ["yes", "1", "TRUE"]) {
      const response = await send({ model, ...body }, { "sluice-strict": value }, path);
      const text = await response.text();
      assertEquals([response.status, text.includes(param)], [400, true], `${path} ${model}: ${text}`);
    }
    const response = await send({ model, ...body }, { "sluice-strict": "maybe" }, path);
    assertStringIncludes((await response.json()).error.message, "sluice-strict must be");
    assertEquals(response.status, 400);
  }
  assertEquals(asked.length, 0);
  for (const [path, model, body] of cases) {
    assertEquals((await send({ model, ...body }, { "sluice-strict": "no" }, path)).status, 200);
  }
  // What nothing is lost of is counted.
  const strict = { "sluice-strict": "true" };
  for (const model of [GEMINI, CLAUDE]) {
    const response = await send({ model, messages: [USER] }, strict, "/v1/messages/count_tokens");
    assertEquals([response.status, response.headers.get("sluice-estimated")], [200, null]);
    assertEquals(
      await response.json(),
      model === CLAUDE ? { totalTokens: 22, input_tokens: 22 } : { input_tokens: 22 },
    );
  }
});

Deno.test("countTokens() asks no provider that the token does not allow, and never uses another provider's key", async () => {
  const refusal = {
    type: "error",
    error: { type: "authentication_error", message: "bad key stored-of-anthropic" },
  };
  const { send, asked } = messagesLab(
    (_) => asked.length < 2 ? Response.json({ input_tokens: 1 }) : Response.json(refusal, { status: 401 }),
    {
      tokens: [{ token: "gateway-token-1234", providers: ["anthropic"] }],
      keys: { anthropic: "stored-of-anthropic", "google-ai-studio": "stored-of-google" },
    },
  );
  const at = (model: string) =>
    send(
      { model, messages: [USER] },
      { authorization: "Bearer gateway-token-1234" },
      "/v1/messages/count_tokens",
    );
  assertEquals((await at(GEMINI)).status, 401);
  assertEquals(
    (await send({ model: CLAUDE, messages: [USER] }, {}, "/v1/messages/count_tokens")).status,
    401,
  );
  assertEquals(asked.length, 0);
  assertEquals((await at(CLAUDE)).status, 200);
  assertEquals(asked[0].headers.get("x-api-key"), "stored-of-anthropic");
  assert(!JSON.stringify([...asked[0].headers]).includes("gateway-token"));
  const refused = await (await at(CLAUDE)).text();
  assert(refused.includes("bad key") && !refused.includes("stored-of-anthropic"), refused);
});

Deno.test("countTokens() follows the names that Claude Code has built in, and Anthropic's key goes to nobody else", async () => {
  const { send, asked } = messagesLab(
    ({ url }) => Response.json(url.hostname.includes("google") ? { totalTokens: 22 } : { input_tokens: 11 }),
    {
      models: {
        "claude-haiku-*": "gemini/gemini-3-flash",
        "claude-sonnet-*": ["gemini/gemini-3-pro", CLAUDE],
      },
    },
  );
  const count = async (model: string, headers: Record<string, string>) => {
    const response = await send({ model, messages: [USER] }, headers, "/v1/messages/count_tokens?beta=true");
    return [(await response.json()).input_tokens, response.headers.get("sluice-estimated")];
  };
  assertEquals(await count("claude-haiku-4-5-20251001", { authorization: "Bearer key" }), [22, null]);
  assertEquals(asked[0].url.pathname, "/v1beta/models/gemini-3-flash:countTokens");
  assertEquals(await count("claude-sonnet-4-6", { authorization: "Bearer key" }), [22, null]);
  assertEquals(asked[1].url.pathname, "/v1beta/models/gemini-3-pro:countTokens");
  assertEquals(await count("claude-opus-5-5", { authorization: "Bearer key" }), [11, null]);
  assertEquals(asked[2].body.model, "claude-opus-5-5");
  for (const header of ["x-api-key", "authorization"]) {
    const key = `${header === "authorization" ? "Bearer " : ""}sk-ant-api03-abcdefgh`;
    const own = { authorization: "", [header]: key };
    for (const model of ["claude-haiku-4-5-20251001", "claude-sonnet-4-6"]) await count(model, own);
    await count("claude-opus-5-5", own);
    assertEquals(asked.at(-1)!.headers.get("x-api-key"), "sk-ant-api03-abcdefgh");
  }
  for (const { url, headers } of asked) {
    if (url.hostname === "api.anthropic.com") continue;
    assert(!JSON.stringify([...headers]).includes("sk-ant"), url.href);
  }
});

// ---------------------------------------------------------------- policies, logs, ends

Deno.test("an answer that fails before it begins is tried at the next model, in one stream of events", async () => {
  const { send, asked } = messagesLab(
    (one) =>
      one.url.hostname.includes("google")
        ? events('data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}\n\n')
        : storedKey(strictCohere([{ text: "Hello" }]).play)(one),
    {
      tokens: ["gateway-token-1234"],
      keys: { "google-ai-studio": "stored-of-google", cohere: "stored-of-cohere" },
    },
  );
  const body = { model: GEMINI, max_tokens: 9, stream: true, messages: [USER] };
  const response = await send(body, {
    "sluice-fallback": COHERE,
    authorization: "Bearer gateway-token-1234",
  });
  const text = await response.text();
  assert(response.ok, text);
  assertEquals([asked.length, validate(text)], [2, "whole"]);
  assert(text.includes("Hello"));
});

for (
  const [model, fake] of [
    [CLAUDE, strictAnthropic([[{ type: "text", text: "Hello" }]])],
    [GEMINI, strictGoogle([[{ text: "Hello" }]])],
  ] as const
) {
  for (const stream of [false, true]) {
    Deno.test(`the log has the usage and the model of ${model} on Messages paths (stream: ${stream})`, async () => {
      const { send, logged } = messagesLab(fake.play);
      await (await send({ model, max_tokens: 9, stream, messages: [USER] })).text();
      const [entry] = logged as Json[];
      assertEquals([entry.status, entry.stream, entry.path], [200, stream, "/v1/messages"]);
      assertEquals(`${entry.provider}/${entry.model}`, model);
      assert(
        (entry.inputTokens as number) >= 20 && (entry.outputTokens as number) >= 11,
        JSON.stringify(entry),
      );
    });
  }
}

Deno.test("a stream that breaks off ends with an error, and never with a clean end", async () => {
  const broken = new ReadableStream({
    start(controller) {
      const first = { candidates: [{ content: { role: "model", parts: [{ text: "Hel" }] } }] };
      controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(first)}\n\n`));
    },
    pull: (controller) => controller.error(new Error("gone")),
  });
  const { send } = messagesLab(() =>
    new Response(broken, { headers: { "content-type": "text/event-stream" } })
  );
  const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
  assertEquals(validate(await response.text()), "error");
});

Deno.test("the provider's request is cancelled when the client leaves its stream", async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    pull(controller) {
      const piece = { candidates: [{ content: { role: "model", parts: [{ text: "la " }] } }] };
      controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(piece)}\n\n`));
    },
    cancel: () => void (cancelled = true),
  });
  const { send } = messagesLab(() =>
    new Response(endless, { headers: { "content-type": "text/event-stream" } })
  );
  const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  assert(cancelled);
});

Deno.test("the answer names dropped fields, and strict refuses them", async () => {
  const { send } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  const body = {
    model: GEMINI,
    max_tokens: 9,
    container: "c",
    messages: [USER],
    tool_choice: { type: "auto" },
  };
  assertEquals((await send(body)).headers.get("sluice-dropped"), "container");
  const strict = await send(body, { "sluice-strict": "true" });
  assertEquals([strict.status, (await strict.json()).error.type], [400, "invalid_request_error"]);
});

Deno.test("strict refuses no hint that changes no answer: what agents mark for caches, and whom they say they are", async () => {
  const cache_control = { type: "ephemeral" };
  const marked = (text: string) => [{ type: "text", text, cache_control }];
  const messages = {
    max_tokens: 9,
    metadata: { user_id: JSON.stringify({ device_id: "d", account_uuid: "", session_id: "s" }) },
    system: marked("You are an agent."),
    tools: [{ ...WEATHER, cache_control }],
    messages: [{ role: "user", content: marked("Hi") }],
  };
  const chat = {
    prompt_cache_key: "s",
    prompt_cache_retention: "24h",
    messages: [{ role: "system", content: marked("Be brief.") }, { role: "user", content: marked("Hi") }],
  };
  const responses = { prompt_cache_key: "s", store: false, input: "Hi" };
  const doors: [string, Json, Json][] = [
    ["messages", messages, { container: "c" }],
    ["chat/completions", chat, { logit_bias: { "1": 1 } }],
    ["responses", responses, { max_tool_calls: 3 }],
  ];
  const fakes = [[GEMINI, strictGoogle([[{ text: "Hi" }]])], [
    COHERE,
    strictCohere([{ text: "Hi" }]),
  ]] as const;
  for (const [model, { play }] of fakes) {
    const { send } = messagesLab(play);
    const strict = async (door: string, body: Json) => {
      const answer = await send({ ...body, model }, { "sluice-strict": "true" }, `/v1/${door}`);
      return {
        status: answer.status,
        dropped: answer.headers.get("sluice-dropped"),
        text: await answer.text(),
      };
    };
    for (const [door, body, loss] of doors) {
      const { status, dropped, text } = await strict(door, body);
      assertEquals([door, status], [door, 200], text);
      assert(dropped!.includes("cache"), door);
      const refused = await strict(door, { ...body, ...loss });
      assertEquals([door, refused.status], [door, 400]);
      // The fault names what is lost, and no hint.
      assert(refused.text.includes(Object.keys(loss)[0]), refused.text);
      assert(!/cache|user_id/.test(refused.text), refused.text);
    }
  }
});

Deno.test("keywords of a tool's schema that Google passes over are a loss to a strict tool alone", async () => {
  const { send, asked } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  const input_schema = {
    ...WEATHER.input_schema,
    properties: { city: { type: "string", maxLength: 9, pattern: "^B" } },
  };
  const ask = async (strict: boolean) => {
    const tools = [{ ...WEATHER, input_schema, strict }];
    const body = { model: GEMINI, max_tokens: 9, messages: [USER], tools };
    const answer = await send(body, { "sluice-strict": "true" });
    return [answer.status, await answer.text()] as const;
  };
  const [status, told] = await ask(false);
  assertEquals(status, 200, told);
  assert(asked[0].text.includes('"maxLength":9'), asked[0].text);
  const [refused, why] = await ask(true);
  assertEquals([refused, asked.length], [400, 1]);
  assert(why.includes("tools[0].input_schema.maxLength"), why);
});

// ---------------------------------------------------------------- streams

Deno.test("mutated streams of a provider give valid events", async () => {
  const pick = random(4711);
  const parts = [
    { text: "t", thought: true, thoughtSignature: "c2ln" },
    { text: "a" },
    { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "c2ln" },
  ];
  const base = {
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 1 },
  };
  let chunks: Json[] = [];
  const { send } = messagesLab(() =>
    events(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(""))
  );
  for (let round = 0; round < 500; round++) {
    chunks = [mutate(base, pick), mutate(base, pick)];
    const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
    const text = await response.text();
    if (response.status >= 400) JSON.parse(text);
    else validate(text);
  }
});

Deno.test("a stream begins with its message and its first event is named", async () => {
  const { send } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals(eventsOf(await response.text())[0].event, "message_start");
});

for (const stream of [false, true]) {
  Deno.test(`demo answers on Messages paths: text, a forced tool, a stop sequence, an error (stream: ${stream})`, async () => {
    const { anthropic } = messagesLab(() => {
      throw new Error("nothing is sent");
    });
    const ask = async (more: Json) => {
      const body = {
        model: "demo/echo",
        max_tokens: 1000,
        messages: [{ role: "user", content: "Hello there" }],
        ...more,
      };
      return stream
        ? await anthropic.messages.stream(body as Any).finalMessage()
        : await anthropic.messages.create(body as Any) as Anthropic.Message;
    };
    const said = await ask({});
    assertEquals([(said.content[0] as Any).text, said.stop_reason], ["Hello there", "end_turn"]);
    assert(said.usage.output_tokens > 0);
    const [use] = (await ask({ tools: [WEATHER], tool_choice: { type: "any" } })).content;
    assert(use.type === "tool_use");
    assertEquals([use.name, typeof (use.input as Json).city], ["weather", "string"]);
    const cut = await ask({ max_tokens: 1 });
    assertEquals(cut.stop_reason, "max_tokens");
    await assertRejects(() => ask({ model: "demo/status-503" }), Anthropic.InternalServerError);
  });
}

Deno.test("a Claude model that is written with dots goes to Anthropic with dashes, at each door", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [] }));
  const messages = [{ role: "user", content: "Hi" }];
  for (const path of ["/v1/messages", "/v1/chat/completions"]) {
    await (await send({ model: "anthropic/claude-sonnet-4.5", max_tokens: 9, messages }, {}, path)).text();
  }
  assertEquals(asked.map(({ body }) => body.model), ["claude-sonnet-4-5", "claude-sonnet-4-5"]);
});
