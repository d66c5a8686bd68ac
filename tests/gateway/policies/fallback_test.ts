import { assertEquals, assertStringIncludes } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
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

/** Answers of providers by a part of their URL; others fail with 503. */
function answers(byHost: Record<string, () => Response>) {
  return ({ url }: Sent) => {
    for (const [host, answer] of Object.entries(byHost)) if (url.includes(host)) return answer();
    return refusal(503);
  };
}

const gemini = (text: string) =>
  Response.json({
    candidates: [{ content: { role: "model", parts: [{ text }] }, finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  });

Deno.test("chat() tries its models in turn, each in its own wire", async () => {
  const { fetch, sent } = before(answers({ googleapis: () => gemini("Hallo") }));
  const response = await fetch(
    ask("openai/gpt", {}, { models: ["anthropic/claude", "gemini/flash", "groq/llama"], max_tokens: 5 }),
  );
  assertEquals(response.status, 200);
  assertEquals((await response.json()).choices[0].message.content, "Hallo");
  assertEquals(sent.map(({ url }) => new URL(url).host), [
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
  ]);
  const [openai, anthropic, google] = sent.map(({ body }) => JSON.parse(body));
  assertEquals(openai, { model: "gpt", messages, max_tokens: 5 });
  assertEquals([anthropic.model, anthropic.max_tokens, anthropic.models], ["claude", 5, undefined]);
  assertEquals([google.generationConfig.maxOutputTokens, google.models, google.model], [
    5,
    undefined,
    undefined,
  ]);
  assertEquals(response.headers.get("cf-aig-step"), "2");
  assertEquals(response.headers.get("cf-aig-provider"), "google-ai-studio");
  assertEquals(response.headers.get("cf-aig-model"), "flash");
});

Deno.test("chat() takes the names from the body's model, its models and the header, each once", async () => {
  const { fetch, sent } = before(() => refusal(404));
  await fetch(ask("openai/a", { "sluice-fallback": "openai/c, openai/a ,, openai/d" }, {
    models: ["openai/b", "openai/a", "openai/c"],
  }));
  assertEquals(sent.map(({ body }) => JSON.parse(body).model), ["a", "b", "c", "d"]);
});

Deno.test("chat() leaves a provider's own models alone, and takes fallbacks from the header", async () => {
  const { fetch, sent } = before(answers({ "api.openai.com": () => completion() }));
  const models = ["meta/llama", "mistral/large"];
  const response = await fetch(
    ask("openrouter/openai/gpt", { "sluice-fallback": "openai/gpt" }, { models }),
  );
  assertEquals(response.status, 200);
  assertEquals(JSON.parse(sent[0].body), { model: "openai/gpt", messages, models });
  assertEquals(JSON.parse(sent[1].body), { model: "gpt", messages });
});

Deno.test("chat() returns the last model's failure when all fail", async () => {
  const { fetch } = before(
    answers({
      anthropic: () =>
        Response.json({ type: "error", error: { type: "not_found_error", message: "no claude" } }, {
          status: 404,
        }),
    }),
  );
  const response = await fetch(ask("openai/gpt", {}, { models: ["anthropic/claude"] }));
  assertEquals([response.status, response.headers.get("cf-aig-step")], [404, "1"]);
  assertEquals(response.headers.get("cf-aig-provider"), "anthropic");
  assertStringIncludes((await response.json()).error.message, "no claude");
});

Deno.test("chat() tries each model as often as it may, then the next", async () => {
  const { fetch, sent } = before(answers({ demo: () => completion() }), clock().options);
  const response = await fetch(
    ask("openai/gpt", { "cf-aig-max-attempts": "3" }, { models: ["anthropic/claude", "demo/echo"] }),
  );
  assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "2"]);
  assertEquals(sent.length, 6);
});

Deno.test("chat() names the fields that were dropped for the model that answered, not for another one", async () => {
  const more = { seed: 1, models: ["openai/gpt"] };
  const second = before(answers({ openai: () => completion() }));
  const response = await second.fetch(ask("anthropic/claude", {}, more));
  assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null]);
  const first = before(answers({ anthropic: () => message() }));
  const own = await first.fetch(ask("anthropic/claude", {}, more));
  assertEquals(own.headers.get("sluice-dropped"), "seed");
});

Deno.test("chat() streams from the model that answers, and translates what it says", async () => {
  const { fetch } = before(answers({ "openai.com": () => events(...STREAM) }));
  const response = await fetch(
    ask("groq/llama", {}, { stream: true, models: ["anthropic/claude", "openai/gpt"] }),
  );
  assertEquals(await response.text(), STREAM.join(""));
  const anthropic = [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"claude","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Salut"}}\n\n',
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ];
  const other = before(answers({ anthropic: () => events(...anthropic) }));
  const text = await (await other.fetch(
    ask("groq/llama", {}, { stream: true, models: ["anthropic/claude", "openai/gpt"] }),
  )).text();
  assertStringIncludes(text, '"Salut"');
  assertStringIncludes(text, "data: [DONE]");
});

Deno.test("chat() falls back to the demo when all else fails", async () => {
  const { fetch } = before(() => Promise.reject(new TypeError("no network")));
  const response = await fetch(ask("openai/gpt", {}, { models: ["demo/echo"] }));
  assertEquals((await response.json()).choices[0].message.content, "Hello");
});

// ---------------------------------------------------------------- requests that cannot be written for a model

const empty = {
  messages: [...messages, { role: "assistant", content: "a" }, { role: "user", content: "" }],
};

Deno.test("chat() skips a model that the request cannot be written for", async () => {
  const strict = { "sluice-strict": "true" };
  const cases: [string, object, Record<string, string>][] = [
    ["anthropic/claude", empty, {}],
    ["gemini/flash", empty, {}],
    ["cohere/command", empty, {}],
    ["anthropic/claude", { seed: 1 }, strict],
    ["gemini/a//b", {}, {}],
    ["workers-ai/@cf/m", {}, {}],
  ];
  for (const [model, more, headers] of cases) {
    for (const models of [[model, "groq/llama"], ["demo/status-503", model, "groq/llama"]]) {
      const { fetch, sent } = before(answers({ groq: () => completion() }));
      const request = post("http://gateway.test/v1/chat/completions", { models, messages, ...more }, headers);
      const response = await fetch(request);
      assertEquals([response.status, sent.length], [200, 1], model);
      assertEquals(response.headers.get("cf-aig-step"), `${models.length - 1}`);
      assertEquals(response.headers.get("cf-aig-provider"), "groq");
      await response.body?.cancel();
    }
  }
});

Deno.test("chat() returns the failure of the last model that was asked, rather than the fault of one that could not be asked", async () => {
  const { fetch, sent } = before(() => refusal(429), clock().options);
  const response = await fetch(
    ask("anthropic/claude", { "cf-aig-max-attempts": "2" }, {
      ...empty,
      models: ["groq/llama", "gemini/flash", "cohere/command"],
    }),
  );
  assertEquals([response.status, sent.length, response.headers.get("cf-aig-step")], [429, 2, "1"]);
  assertEquals(response.headers.get("cf-aig-provider"), "groq");
});

Deno.test("chat() returns the fault of the first model if none can be asked", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const asked = async (model: string, models: string[], more: object, headers = {}) => {
    const response = await fetch(ask(model, headers, { models, ...more }));
    const { error } = await response.json();
    assertEquals(response.headers.get("cf-aig-step"), "0");
    return [response.status, error.param, response.headers.get("cf-aig-provider"), error.message];
  };
  assertEquals(await asked("anthropic/claude", ["gemini/flash", "cohere/command"], empty), [
    400,
    "messages[2].content",
    "anthropic",
    "Cannot send the request: messages[2].content is empty; write a text, or leave the message out",
  ]);
  const strict = { "sluice-strict": "true" };
  assertEquals((await asked("anthropic/claude", ["cohere/command"], { n: 2 }, strict)).slice(0, 3), [
    400,
    "n",
    "anthropic",
  ]);
});

Deno.test("chat() refuses a faulty request before it asks any model", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const cases: [object, Record<string, string>, string][] = [
    [{ messages: [] }, {}, "messages"],
    [{ messages: [{ role: "user", content: 5 }] }, {}, "messages[0].content"],
    [{ temperature: "hot" }, {}, "temperature"],
    [{ tool_choice: "sometimes" }, {}, "tool_choice"],
    [{}, { "sluice-strict": "perhaps" }, "sluice-strict"],
  ];
  for (const [more, headers, param] of cases) {
    const response = await fetch(ask("anthropic/claude", headers, { models: ["openai/gpt"], ...more }));
    assertEquals([response.status, (await response.json()).error.param], [400, param]);
  }
});

// ---------------------------------------------------------------- keys

Deno.test("chat() sends a client's key to the first model's provider only, stored keys to the others", async () => {
  const keys = { openai: "sk-stored", anthropic: "sk-ant-stored", groq: "gsk-stored" };
  const { fetch, sent } = before(() => refusal(404), { tokens: ["t"], keys });
  const headers = { "cf-aig-authorization": "t", authorization: "Bearer sk-mine" };
  await fetch(ask("openai/a", headers, { models: ["anthropic/b", "openai/c", "groq/d", "mistral/e"] }));
  assertEquals(sent.map(({ headers }) => headers.get("authorization") ?? headers.get("x-api-key")), [
    "Bearer sk-mine",
    "sk-ant-stored",
    "Bearer sk-mine",
    "Bearer gsk-stored",
    null,
  ]);
  const untrusted = before(() => refusal(404), { keys });
  const response = await untrusted.fetch(
    ask("openai/a", { "x-api-key": "sk-mine" }, { models: ["anthropic/b", "mistral/e"] }),
  );
  assertEquals(
    untrusted.sent.map(({ headers }) => [headers.get("authorization"), headers.get("x-api-key")]),
    [
      ["Bearer sk-mine", null],
      // Nothing is sent to Anthropic: its stored key is for requests with a token.
      [null, null],
    ],
  );
  assertEquals(response.headers.get("cf-aig-step"), "2");
});

// ---------------------------------------------------------------- bad input

Deno.test("chat() names the place of a model that it cannot route, before anything is sent", async () => {
  const many = Array.from({ length: 20 }, (_, at) => `openai/${at}`);
  const bad: [unknown, object, Record<string, string>, string, string | null][] = [
    [undefined, {}, {}, "model", "2019"],
    [null, {}, {}, "model", "2019"],
    ["openai/a", { models: "openai/b" }, {}, "models", "invalid_request"],
    ["openai/a", { models: { 0: "openai/b" } }, {}, "models", "invalid_request"],
    ["openai/a", { models: ["openai/b", "gpt"] }, {}, "models[1]", "2019"],
    ["openai/a", { models: ["openai/b", 5] }, {}, "models[1]", "2019"],
    ["openai/a", { models: [null] }, {}, "models[0]", "2019"],
    ["openai/a", { models: ["constructor/x"] }, {}, "models[0]", "2008"],
    ["openai/a", { models: ["elevenlabs/x"] }, {}, "models[0]", "2019"],
    ["openai/a", {}, { "sluice-fallback": "openai/b, nobody/x" }, "sluice-fallback", "2008"],
    ["openai/a", { models: many }, {}, "models", "invalid_request"],
  ];
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (const [model, more, headers, param, code] of bad) {
    const response = await fetch(
      post(`${ROOT}/compat/chat/completions`, { model, messages, ...more }, headers),
    );
    const { error } = await response.json();
    assertEquals(
      [response.status, error.param, error.code],
      [400, param, code],
      JSON.stringify([model, more]),
    );
  }
});

Deno.test("chat() takes twenty models, and empty lists and headers for none", async () => {
  const many = Array.from({ length: 19 }, (_, at) => `openai/${at}`);
  const { fetch, sent } = before(() => refusal(404));
  await fetch(ask("openai/a", {}, { models: many }));
  assertEquals(sent.length, 20);
  for (
    const [headers, more] of [[{ "sluice-fallback": " , " }, {}], [{}, { models: [] }], [{}, {
      models: null,
    }]] as const
  ) {
    const one = before(() => completion());
    assertEquals((await one.fetch(ask("openai/a", headers, more))).status, 200);
    assertEquals(JSON.parse(one.sent[0].body).models, undefined);
  }
});

Deno.test("chat() names the provider also if the request could not be written", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const response = await fetch(ask("anthropic/claude", { "sluice-strict": "true" }, { seed: 1 }));
  assertEquals(response.status, 400);
  assertEquals(response.headers.get("cf-aig-provider"), "anthropic");
  assertEquals(response.headers.get("cf-aig-model"), "claude");
});
