/** Cloudflare's `run`: over REST, as `ai().run()`, and what a universal step for `compat` may ask for beside chat. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ai } from "../../../ai.ts";
import { before, completion, message, messages, post, refusal, ROOT } from "../../fakes.ts";

const REST = "http://gateway.test/client/v4/accounts/acct/ai";
const key = { authorization: "Bearer key" };

const vectors = () =>
  Response.json({
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [1, 0.5] }],
    model: "m",
    usage: { prompt_tokens: 2, total_tokens: 2 },
  });

const responses = () =>
  Response.json({
    id: "resp_1",
    object: "response",
    status: "completed",
    model: "m",
    output: [{
      id: "msg_1",
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "Hi" }],
    }],
  });

const embedded = () => Response.json({ embeddings: [{ values: [1, 0.5] }] });

/** Answers as the path says. */
const answer = ({ url }: { url: string }) =>
  url.includes("/embeddings")
    ? vectors()
    : url.includes("EmbedContents")
    ? embedded()
    : url.endsWith("/responses")
    ? responses()
    : url.endsWith("/messages")
    ? message()
    : url.includes("/ai/run/")
    ? Response.json({ result: { response: "Hi" }, success: true, errors: [], messages: [] })
    : completion();

const run = async (body: unknown, headers: Record<string, string> = key, options = {}) => {
  const { fetch, sent } = before(answer, options);
  const response = await fetch(post(`${REST}/run`, body, headers));
  return { response, sent, json: await response.clone().json().catch(() => undefined) };
};

Deno.test("POST /ai/run asks each kind of model for what its input says, and answers in Cloudflare's envelope", async () => {
  const cases: [model: string, input: object, url: string, body: object, object: string][] = [
    ["openai/gpt-4.1", { messages, max_tokens: 5 }, "https://api.openai.com/v1/chat/completions", {
      messages,
      max_tokens: 5,
      model: "gpt-4.1",
    }, "chat.completion"],
    ["openai/gpt-5.6", { input: "Hi" }, "https://api.openai.com/v1/responses", {
      input: "Hi",
      model: "gpt-5.6",
    }, "response"],
    ["openai/text-embedding-3-small", { input: ["a"] }, "https://api.openai.com/v1/embeddings", {
      input: ["a"],
      model: "text-embedding-3-small",
    }, "list"],
    ["together/baai/bge-m3", { text: ["a"] }, "https://api.together.ai/v1/embeddings", {
      input: ["a"],
      model: "baai/bge-m3",
    }, "list"],
  ];
  for (const [model, input, url, body, object] of cases) {
    const { response, sent, json } = await run({ model, input });
    assertEquals(response.status, 200, JSON.stringify(json));
    assertEquals([sent[0].url, JSON.parse(sent[0].body)], [url, body], model);
    assertEquals([json.state, json.success, json.errors, json.messages], ["Completed", true, [], []]);
    assertEquals(json.result.object, object, model);
  }
});

Deno.test("POST /ai/run takes a Claude model's input in Anthropic's form and in OpenAI's, and answers in the same", async () => {
  const own = await run({
    model: "anthropic/claude-sonnet-4.5",
    input: { messages, max_tokens: 9, system: "s" },
  });
  assertEquals(own.json.result.type, "message");
  assertEquals(JSON.parse(own.sent[0].body).model, "claude-sonnet-4-5");
  const openai = [{ role: "system", content: "s" }, ...messages];
  for (const input of [{ messages }, { messages: openai, max_tokens: 9 }]) {
    const { json } = await run({ model: "anthropic/claude-sonnet-4.5", input });
    assertEquals(json.result.object, "chat.completion");
  }
});

Deno.test("POST /ai/run hands a Workers AI model its input, and its envelope back", async () => {
  const { json, sent, response } = await run({ model: "@cf/meta/llama", input: { prompt: "x" } });
  assertEquals(json.result, { response: "Hi" });
  assertEquals([sent[0].url, sent[0].body], [
    "https://api.cloudflare.com/client/v4/accounts/acct/ai/run/@cf/meta/llama",
    '{"prompt":"x"}',
  ]);
  assertEquals(response.headers.get("cf-aig-model"), "@cf/meta/llama");
  const evil = await run({ model: "@cf/../../openai/x", input: {} });
  assertEquals([evil.response.status, evil.sent.length, evil.json.success], [400, 0, false]);
});

Deno.test("POST /ai/run passes a stream as it is, and tells failures in the envelope", async () => {
  const events = 'data: {"choices":[]}\n\ndata: [DONE]\n\n';
  const streamed = before(() => new Response(events, { headers: { "content-type": "text/event-stream" } }));
  const stream = await streamed.fetch(
    post(`${REST}/run`, { model: "openai/gpt-4.1", input: { messages, stream: true } }, key),
  );
  assertEquals(await stream.text(), events);
  const failing = before(() => refusal(429));
  const failed = await failing.fetch(post(`${REST}/run`, { model: "openai/m", input: { messages } }, key));
  assertEquals(failed.status, 429);
  assertEquals(await failed.json(), {
    state: "Failed",
    model: "openai/m",
    error: { code: "no_429", message: "No: 429" },
    result: null,
    success: false,
    errors: [{ code: 429, message: "No: 429" }],
    messages: [],
  });
  // A proxy's own error, in the place of Claude's.
  const lost = before(() => Response.json({ message: "No such route" }, { status: 404 }));
  const asked = { model: "anthropic/claude-opus-5-5", input: { messages, max_tokens: 9 } };
  const { errors } = await (await lost.fetch(post(`${REST}/run`, asked, key))).json();
  assertEquals(errors, [{ code: 404, message: "No such route" }]);
});

Deno.test("POST /ai/run refuses what is malformed, or cannot be done, in one clear error of the REST API", async () => {
  const cases: [body: unknown, told: string][] = [
    ["{", "not valid JSON"],
    [{ input: {} }, "model"],
    [{ model: "openai/m" }, "input"],
    [{ model: "openai/m", input: "x" }, "input"],
    [{ model: "nobody/m", input: { messages } }, "nobody"],
    [{ model: "openai/m", input: { messages }, options: { background: true } }, "background"],
    [{ model: "openai/m", input: { messages }, options: { gateway: { id: "other" } } }, "cf-aig-gateway-id"],
  ];
  for (const [body, told] of cases) {
    const { response, json, sent } = await run(body);
    assertEquals([response.status, json.success, json.result, sent.length], [400, false, null, 0], told);
    assertStringIncludes(json.errors[0].message, told);
  }
});

Deno.test("options of POST /ai/run are headers by another name, and name no gateway that the caller was not admitted to", async () => {
  const tokens = [{ token: "of-prod", gateways: ["prod"] }];
  const headers = { "cf-aig-authorization": "Bearer of-prod", "cf-aig-gateway-id": "prod" };
  const options = {
    gateway: { id: "prod", cacheTtl: 5 },
    extraHeaders: { authorization: "Bearer mine" },
  };
  const { response, sent } = await run({ model: "openai/m", input: { messages }, options }, headers, {
    tokens,
  });
  assertEquals(response.status, 200);
  assertEquals(sent[0].headers.get("authorization"), "Bearer mine");
  const other = { gateway: { id: "default" } };
  const refused = await run({ model: "openai/m", input: { messages }, options: other }, headers, { tokens });
  assertEquals([refused.response.status, refused.sent.length], [400, 0]);
});

Deno.test("the log tells tokens and model of what POST /ai/run has asked", async () => {
  const logged: { model?: string; usage?: unknown; tokens?: unknown; path?: string }[] = [];
  const { fetch } = before(answer, { log: (entry) => void logged.push(entry as never) });
  await (await fetch(post(`${REST}/run`, { model: "openai/gpt-4.1", input: { messages } }, key))).text();
  const plain = before(answer, { log: (entry) => void logged.push(entry as never) });
  await (await plain.fetch(post(`${REST}/v1/chat/completions`, { model: "openai/gpt-4.1", messages }, key)))
    .text();
  assertEquals(logged.length, 2);
  const { path: _, ...same } = logged[1];
  const told = JSON.stringify(same.tokens ?? same.usage);
  assertEquals([logged[0].model, JSON.stringify(logged[0].tokens ?? logged[0].usage)], ["gpt-4.1", told]);
});

Deno.test("ai().run() asks other providers for embeddings and responses too", async () => {
  const { call, gateway, sent } = before(answer, { account: "acct", url: "https://sluice.test" });
  const wrapped = ai({ fetch: call, gateway });
  const made = await wrapped.run("openai/text-embedding-3-small", { input: "Hello" });
  assertEquals((made as { data: unknown[] }).data.length, 1);
  const google = await wrapped.run("google/gemini-embedding-001", { text: ["Hello"] });
  assertEquals((google as { data: { embedding: number[] }[] }).data[0].embedding, [1, 0.5]);
  const said = await wrapped.run("openai/gpt-5.6", { input: "Hello" });
  assertEquals((said as { object: string }).object, "response");
  assertEquals(sent.map(({ url }) => new URL(url).pathname), [
    "/v1/embeddings",
    "/v1beta/models/gemini-embedding-001:batchEmbedContents",
    "/v1/responses",
  ]);
});

Deno.test("a universal step for compat may ask for responses, messages and embeddings, each until one answers", async () => {
  const step = (endpoint: string, query: object) => ({
    provider: "compat",
    endpoint,
    headers: { authorization: "Bearer key" },
    query,
  });
  const cases: [endpoint: string, query: object, member: string, value: string][] = [
    ["responses", { model: "openai/gpt-5.6", input: "Hi" }, "object", "response"],
    ["v1/responses", { model: "anthropic/claude-opus-5-5", input: "Hi" }, "object", "response"],
    ["/v1/messages", { model: "anthropic/claude-opus-5-5", max_tokens: 9, messages }, "type", "message"],
    ["embeddings", { model: "openai/text-embedding-3-small", input: "Hi" }, "object", "list"],
    ["/v1/embeddings/", { model: "google/gemini-embedding-001", input: ["Hi"] }, "object", "list"],
  ];
  for (const [endpoint, query, member, value] of cases) {
    const alone = before(answer);
    const one = await alone.fetch(post(ROOT, step(endpoint, query)));
    assertEquals([one.status, (await one.json())[member]], [200, value], endpoint);
    const { fetch, sent } = before((asked, at) => at === 0 ? refusal(503) : answer(asked));
    const two = await fetch(post(ROOT, [step(endpoint, query), step(endpoint, query)]));
    assertEquals([two.status, two.headers.get("cf-aig-step"), sent.length], [200, "1", 2], endpoint);
    assertEquals((await two.json())[member], value);
  }
  const bad = await before(answer).fetch(post(ROOT, [
    step("chat/completions", { model: "openai/m", messages }),
    step("embeddings", { model: "openai/m", input: [] }),
  ]));
  assertEquals(bad.status, 400);
  assertStringIncludes((await bad.json()).message, "[1]");
  const unknown = await before(answer).fetch(post(ROOT, step("audio/speech", {})));
  assertStringIncludes((await unknown.json()).message, "audio/speech is not supported");
});
