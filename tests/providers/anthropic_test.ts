/** The row `anthropic` from the client's door to the provider and back, driven by the official OpenAI SDK. */
import OpenAI from "npm:openai@7.57.0";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Options } from "../../mod.ts";
import type { JsonObject } from "../../wires/types.ts";
import { before, post } from "../fakes.ts";

const FIXTURES = new URL("../fixtures/anthropic/", import.meta.url);
const load = (name: string) => Deno.readTextFileSync(new URL(name, FIXTURES));

const events = (name: string) =>
  new Response(load(`${name}.sse`), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "request-id": "req_9" },
  });
const json = (name: string) => Response.json(JSON.parse(load(`${name}.json`)));

/** The parts of a request to Anthropic that tests read. */
interface Conversation {
  messages: { role: string; content: JsonObject[] }[];
}

/** A gateway before a fake Anthropic, and an SDK before the gateway. */
function setUp(answer: (body: JsonObject) => Response, options: Options = {}) {
  const gateway = before(({ body }) => answer(JSON.parse(body)), options);
  const client = new OpenAI({
    apiKey: "sk-ant-test",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input, init)),
  });
  return { sent: gateway.sent, client, gateway };
}

const USER = { role: "user" as const, content: "Hi" };
const model = "anthropic/claude-opus-4-8";

Deno.test("anthropic is called at its own path, with its own key header and no other", async () => {
  const { sent, client } = setUp(() => json("text"));
  await client.chat.completions.create({ model, messages: [USER] }, { headers: { "anthropic-beta": "b-1" } });
  const [{ url, headers, body }] = sent;
  assertEquals(url, "https://api.anthropic.com/v1/messages");
  assertEquals(headers.get("x-api-key"), "sk-ant-test");
  assertEquals(headers.get("authorization"), null);
  assertEquals(headers.get("anthropic-version"), "2023-06-01");
  assertEquals(headers.get("anthropic-beta"), "b-1");
  assertEquals(JSON.parse(body), {
    model: "claude-opus-4-8",
    max_tokens: 128_000,
    messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
  });
});

Deno.test("anthropic answers whole and streamed alike, usage included", async () => {
  const { client } = setUp((body) => body.stream ? events("tools") : json("tools"));
  const whole = await client.chat.completions.create({ model, messages: [USER] });
  const runner = client.chat.completions.stream({
    model,
    messages: [USER],
    stream_options: { include_usage: true },
  });
  const streamed = await runner.finalChatCompletion();
  for (const answer of [whole, streamed]) {
    const { message, finish_reason } = answer.choices[0];
    assertEquals(answer.id, "msg_tools");
    assertEquals(answer.model, "claude-sonnet-4-5-20250929");
    assertEquals(message.content, "I look in both places.");
    assertEquals(
      message.tool_calls?.map((call) => call.type === "function" ? [call.id, call.function.name] : []),
      [["toolu_a", "weather"], ["toolu_b", "now"]],
    );
    assertEquals(finish_reason, "tool_calls");
    assertEquals([answer.usage?.prompt_tokens, answer.usage?.completion_tokens, answer.usage?.total_tokens], [
      2046,
      88,
      2134,
    ]);
    assertEquals(answer.usage?.prompt_tokens_details?.cached_tokens, 2001);
  }
});

Deno.test("anthropic gets its first answer back unchanged in the second turn, from a whole answer and from a stream", async () => {
  const { sent, client } = setUp((body) => body.stream ? events("interleaved") : json("interleaved"));
  const tool = (name: string) => ({ type: "function" as const, function: { name } });
  const common = { model, tools: [tool("weather"), tool("now")], reasoning_effort: "high" as const };
  const expected = JSON.parse(load("interleaved.json")).content;
  const whole = (await client.chat.completions.create({ ...common, messages: [USER] })).choices[0].message;
  // When the SDK collects chunks, it keeps members that it does not know.
  const runner = client.chat.completions.stream({ ...common, messages: [USER] });
  const streamed = (await runner.finalChatCompletion()).choices[0].message;
  for (const message of [whole, streamed]) {
    const results = message.tool_calls!.map(({ id }) => ({
      role: "tool" as const,
      tool_call_id: id,
      content: "4",
    }));
    await client.chat.completions.create({ ...common, messages: [USER, message, ...results] });
    const { messages } = JSON.parse(sent.at(-1)!.body) as Conversation;
    assertEquals(messages.map(({ role }) => role), ["user", "assistant", "user"]);
    assertEquals(messages[1].content, expected);
    assertEquals(messages[2].content.map(({ tool_use_id }) => tool_use_id), ["toolu_1", "toolu_2"]);
  }
});

Deno.test("anthropic's thoughts come out as reasoning_content, its sources as annotations", async () => {
  const thinking = await setUp(() => json("interleaved")).client.chat.completions.create({
    model,
    messages: [USER],
  });
  const { reasoning_content } = thinking.choices[0].message as unknown as JsonObject;
  assertEquals(reasoning_content, "First the weather.");
  const search = await setUp(() => json("search")).client.chat.completions.create({
    model,
    messages: [USER],
  });
  const [{ url_citation }] = search.choices[0].message.annotations!;
  const { content } = search.choices[0].message;
  assertEquals(content!.slice(url_citation.start_index, url_citation.end_index), "Four degrees 🌬");
  assertEquals(url_citation.url, "https://weather.example/oslo");
});

Deno.test("anthropic names what it cannot take, and strict refuses it before anything is sent", async () => {
  const { sent, client } = setUp(() => json("text"));
  const request = { model, messages: [USER], seed: 7, temperature: 0.2 };
  const { response } = await client.chat.completions.create(request).withResponse();
  assertEquals(response.headers.get("sluice-dropped"), "seed, temperature");
  const strict = client.chat.completions.create(request, { headers: { "sluice-strict": "true" } });
  await assertRejects(() => strict, OpenAI.BadRequestError);
  assertEquals(sent.length, 1);
});

Deno.test("anthropic's errors keep their status and reach the SDK by class", async () => {
  const fail = (status: number, type: string, message: string) => {
    const body = { type: "error", error: { type, message }, request_id: "req_1" };
    const headers = { "request-id": "req_1", "retry-after": "3" };
    const { client } = setUp(() => Response.json(body, { status, headers }));
    return client.chat.completions.create({ model, messages: [USER] }).then(
      () => assert(false),
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );
  };
  const overflow = (await fail(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"))!;
  assert(overflow instanceof OpenAI.BadRequestError);
  assertEquals(overflow.code, "context_length_exceeded");
  const limited = (await fail(429, "rate_limit_error", "Slow down"))!;
  assert(limited instanceof OpenAI.RateLimitError);
  assertEquals(limited.headers?.get("retry-after"), "3");
  assert(
    (await fail(401, "authentication_error", "invalid x-api-key")) instanceof OpenAI.AuthenticationError,
  );
  const overloaded = (await fail(529, "overloaded_error", "Overloaded"))!;
  assert(overloaded instanceof OpenAI.InternalServerError);
  assertEquals([
    overloaded.status,
    (overloaded.error as JsonObject & { metadata: JsonObject }).metadata.request_id,
  ], [
    529,
    "req_1",
  ]);
});

Deno.test("a stream of anthropic that fails or breaks off raises an error in the SDK, after its first content", async () => {
  for (const [name, text] of [["overloaded", "Hal"], ["cut", "Half a sent"]]) {
    const { client } = setUp(() => events(name));
    const stream = await client.chat.completions.create({ model, messages: [USER], stream: true });
    let got = "";
    await assertRejects(async () => {
      for await (const chunk of stream) got += chunk.choices[0]?.delta.content ?? "";
    }, OpenAI.APIError);
    assertEquals(got, text);
  }
});

Deno.test("anthropic's ids may be written with dots, and other rows' ids stay as they are", async () => {
  const ids = {
    "claude-sonnet-4.5": "claude-sonnet-4-5",
    "claude-opus-4.1-20250805": "claude-opus-4-1-20250805",
    "claude-3.5-haiku-latest": "claude-3-5-haiku-latest",
    "claude-3.7-sonnet": "claude-3-7-sonnet",
    "claude-haiku-5.5": "claude-haiku-5-5",
    "claude-mythos-5.2@20261001": "claude-mythos-5-2@20261001",
    "claude-opus-5-5": "claude-opus-5-5",
    "other-1.5": "other-1.5",
  };
  for (const [written, asked] of Object.entries(ids)) {
    const { sent, client } = setUp(() => json("text"));
    await client.chat.completions.create({ model: `anthropic/${written}`, messages: [USER] });
    assertEquals(JSON.parse(sent[0].body).model, asked);
    // Also where the body is Anthropic's own: a short one, a long one, a count and a list of models.
    const long = [{ role: "user", content: "a".repeat(300_000) }];
    const bodies: [path: string, body: object][] = [
      ["messages", { model: `anthropic/${written}`, messages: [USER] }],
      ["messages", { model: `anthropic/${written}`, messages: long, max_tokens: 1 }],
      ["messages/count_tokens", { model: `anthropic/${written}`, messages: [USER] }],
      ["messages", { models: [`anthropic/${written}`, "anthropic/x"], messages: [USER], max_tokens: 1 }],
    ];
    for (const [path, body] of bodies) {
      const { fetch, sent } = before(() => json("text"));
      const response = await fetch(post(`http://gateway.test/v1/${path}`, body));
      assertEquals([response.status, JSON.parse(sent[0].body).model], [200, asked], `${path} ${written}`);
      await response.body?.cancel();
    }
  }
  const providers = { mine: { baseUrl: "https://mine.example", wire: "anthropic" as const } };
  const { sent, client } = setUp(() => json("text"), { providers });
  await client.chat.completions.create({ model: "mine/claude-sonnet-4.5", messages: [USER] });
  assertEquals(JSON.parse(sent[0].body).model, "claude-sonnet-4.5");
});
