import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  ask,
  before,
  chunk,
  clock,
  completion,
  events,
  pieces,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";
import { ROLE, step } from "./doors.ts";

const ERROR = `data: ${
  JSON.stringify({ error: { message: "overloaded", type: "server_error", code: 503 } })
}\n\n`;

const EARLY: [string, () => Response][] = [
  ["an error event", () => events(ERROR)],
  ["an error event after a role", () => events(ROLE, ERROR)],
  ["a dead socket", () => events(new TypeError("connection reset"))],
  ["a dead socket after a role", () => events(ROLE, ROLE, new TypeError("connection reset"))],
  ["an end without an event", () => events()],
  ["an end after comments", () => events(": hello\n\n", ": still here\n\n")],
  ["an end after a role", () => events(ROLE)],
];

for (const [name, first] of EARLY) {
  Deno.test(`a stream that begins with ${name} is a failure as long as anything is left to try`, async () => {
    for (
      const request of [
        ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }),
        ask("openai/gpt", {}, { stream: true, models: ["groq/llama"] }),
        post(`${ROOT}/openai/chat/completions`, { stream: true }, { "cf-aig-max-attempts": "2" }),
        post(ROOT, [step, step]),
        post(ROOT, [{ ...step, config: { maxAttempts: 2 } }]),
      ]
    ) {
      const { fetch, sent } = before((_, at) => at === 0 ? first() : events(...STREAM), clock().options);
      const response = await fetch(request);
      assertEquals(await response.text(), STREAM.join(""), "not one byte of the first");
      assertEquals(sent.length, 2);
    }
  });
}

Deno.test("an event stream of another wire is read in its own words", async () => {
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"model":"c","role":"assistant","usage":{}}}\n\n';
  const ping = 'event: ping\ndata: {"type":"ping"}\n\n';
  const overloaded =
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
  for (
    const request of [
      ask("anthropic/claude", {}, { stream: true, models: ["openai/gpt"] }),
      post(ROOT, [{ provider: "anthropic", endpoint: "v1/messages", query: {} }, step]),
    ]
  ) {
    const { fetch } = before(({ url }) =>
      url.includes("anthropic") ? events(start, ping, overloaded) : events(...STREAM)
    );
    const response = await fetch(request);
    assertEquals([response.headers.get("cf-aig-step"), await response.text()], ["1", STREAM.join("")]);
  }
});

Deno.test("a stream of no known form fails early by an error event, or an error as its first event", async () => {
  for (
    const first of [
      'event: error\ndata: {"message":"no"}\n\n',
      'data: {"error":{"message":"no"}}\n\n',
      'data: {"type":"error","message":"no"}\n\n',
      "event: error\ndata: no\n\n",
      "",
    ]
  ) {
    const { fetch, sent } = before(
      (_, at) => at === 0 ? events(first) : events("data: 1\n\n"),
      clock().options,
    );
    const response = await fetch(post(`${ROOT}/openai/evals`, {}, { "cf-aig-max-attempts": "2" }));
    assertEquals([await response.text(), sent.length], ["data: 1\n\n", 2], first);
  }
  for (const first of ['data: {"error":null}\n\n', "data: null\n\n", "data: x\n\n", 'data: "error"\n\n']) {
    const { fetch, sent } = before(() => events(first), clock().options);
    const response = await fetch(post(`${ROOT}/openai/evals`, {}, { "cf-aig-max-attempts": "2" }));
    assertEquals([await response.text(), sent.length], [first, 1], first);
  }
});

Deno.test("a stream is passed on from its first content, and the client sees its later failure", async () => {
  const never = new Promise(() => {});
  const { fetch, sent } = before(() => events(ROLE, chunk({ content: "Hi" }), never), clock().options);
  const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }, { stream: true }));
  const reader = response.body!.getReader();
  const text = new TextDecoder();
  assertEquals(text.decode((await reader.read()).value), ROLE + chunk({ content: "Hi" }));
  await reader.cancel();
  assertEquals(sent.length, 1);
  const broken = before(
    () => events(ROLE, chunk({ content: "Hi" }), new TypeError("reset")),
    clock().options,
  );
  const late = await broken.fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }, { stream: true }));
  await assertRejects(() => late.text());
  assertEquals(broken.sent.length, 1);
});

Deno.test("an error after content is not an early failure, also in the same chunk", async () => {
  const text = ROLE + chunk({ content: "Hi" }) + ERROR;
  const { fetch, sent } = before(() => events(text), clock().options);
  const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
  assertEquals([await response.text(), sent.length], [text, 1]);
});

Deno.test("a tool's name, reasoning or a refusal is content", async () => {
  const call = { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } };
  for (const delta of [{ tool_calls: [call] }, { reasoning_content: "hm" }, { refusal: "No" }]) {
    const { fetch, sent } = before(() => events(ROLE, chunk(delta), new Promise(() => {})), clock().options);
    const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
    assertEquals([response.status, sent.length], [200, 1]);
    await response.body!.cancel();
  }
});

Deno.test("nothing is held when there is nothing left to try", async () => {
  const never = new Promise(() => {});
  for (const options of [{}, { requestTimeoutMs: 60_000 }]) {
    const { fetch } = before(() => events(ROLE, never), options);
    const response = await fetch(ask("openai/gpt", {}, { stream: true }));
    const reader = response.body!.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), ROLE);
    await reader.cancel();
  }
  // The second step of two is the last one.
  const { fetch } = before((_, at) => at === 0 ? refusal(500) : events(ROLE, never));
  const response = await fetch(ask("openai/gpt", {}, { stream: true, models: ["groq/x"] }));
  const reader = response.body!.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), ROLE);
  await reader.cancel();
});

Deno.test("a whole answer that breaks is a failure as long as anything is left to try", async () => {
  const headers = { "content-type": "application/json" };
  const broken = () => new Response(pieces('{"choices": [', new TypeError("reset")), { headers });
  for (
    const request of [
      ask("openai/gpt", { "cf-aig-max-attempts": "2" }),
      ask("anthropic/claude", { "cf-aig-max-attempts": "2" }, { models: ["openai/gpt"] }),
      post(`${ROOT}/openai/chat/completions`, {}, { "cf-aig-max-attempts": "2" }),
      post(ROOT, [step, step]),
    ]
  ) {
    const { fetch } = before(
      ({ url }, at) => url.includes("anthropic") || at === 0 ? broken() : completion("second"),
      clock().options,
    );
    const response = await fetch(request);
    assertEquals(response.status, 200);
    assertStringIncludes(await response.text(), "second");
  }
});

Deno.test("a whole answer that is cut off or holds an error is a failure as long as anything is left to try", async () => {
  const json = { headers: { "content-type": "application/json; charset=utf-8" } };
  const retry = { "cf-aig-max-attempts": "2" };
  const answered = async (text: string, request: Request) => {
    const { fetch } = before(
      (_, at) => at === 0 ? new Response(text, json) : completion("second"),
      clock().options,
    );
    const response = await fetch(request);
    return [response.status, await response.text()] as const;
  };
  const requests = () => [
    ask("openai/gpt", retry),
    ask("openai/gpt", {}, { models: ["groq/llama"] }),
    post(`${ROOT}/openai/chat/completions`, {}, retry),
    post(ROOT, [step, step]),
  ];
  for (
    const text of [
      '{"choices": [{"index": 0, "message": {"content": "fir',
      '{"error": {"message": "overloaded"}}',
      '{"choices": [], "error": {"message": "no one is there"}}',
      '{"type": "error", "error": {"type": "overloaded_error"}}',
    ]
  ) {
    for (const request of requests()) {
      const [status, body] = await answered(text, request);
      assertEquals(status, 200);
      assertStringIncludes(body, "second", text);
    }
  }
  // These are answers.
  for (
    const text of [
      '{"choices": [{"message": {"content": "first"}}], "error": {"message": "late"}}',
      '{"id": "resp_1", "error": null, "note": "first"}',
    ]
  ) {
    const [, native] = requests().slice(1, 3);
    assertEquals(await answered(text, native), [200, text]);
  }
  // The answer of a path that generates nothing is not checked.
  for (
    const text of ["", "null", "{}", '"first"', '{"id": "batch_1", "error": {"message": "failed"}}', "{"]
  ) {
    assertEquals(await answered(text, post(`${ROOT}/openai/files`, {}, retry)), [200, text]);
  }
  // The last step's answer is passed on unchanged.
  const { fetch } = before(() => new Response('{"error": {"message": "overloaded"}}', json), clock().options);
  const response = await fetch(ask("openai/gpt", retry));
  assertEquals([response.status, await response.text()], [200, '{"error": {"message": "overloaded"}}']);
});

Deno.test("a translated whole answer that breaks on the last try is 502 and not the gateway's own failure", async () => {
  const headers = { "content-type": "application/json" };
  const broken = () => new Response(pieces('{"content": [', new TypeError("reset")), { headers });
  const { fetch } = before(broken);
  const response = await fetch(ask("anthropic/claude"));
  assertEquals([response.status, (await response.json()).error.code], [502, "2005"]);
});

Deno.test("a list of JSON may be a stream: it begins with its first piece", async () => {
  const headers = { "content-type": "application/json; charset=UTF-8" };
  const list = () => new Response(pieces("[{}\n", new Promise(() => {})), { headers });
  const { fetch } = before(list);
  const url = `${ROOT}/google-ai-studio/v1beta/models/g:streamGenerateContent`;
  const response = await fetch(post(url, {}, { "cf-aig-max-attempts": "2" }));
  const reader = response.body!.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), "[{}\n");
  await reader.cancel();
});

Deno.test("a stream with only roles is not held back without a limit", async () => {
  const many = ROLE.repeat(Math.ceil(1e6 / ROLE.length));
  const { fetch } = before(() => events(...Array(20).fill(many), new Promise(() => {})), clock().options);
  const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
  assertEquals(response.status, 200);
  await response.body!.cancel();
});
