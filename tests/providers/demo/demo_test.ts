import { assert, assertEquals, assertRejects } from "@std/assert";
import { serveDemo } from "../../../providers/demo/demo.ts";

const user = (content: unknown) => ({ role: "user", content });

function ask(body: Record<string, unknown>, init: RequestInit = {}): Promise<Response> {
  const whole = { model: "echo", messages: [user("Hello there, 世界 👋🏽!")], ...body };
  return serveDemo(
    new Request("https://demo.invalid/chat/completions", {
      method: "POST",
      body: JSON.stringify(whole),
      ...init,
    }),
  );
}

Deno.test("the demo waits without functions that only newer runtimes have, and stops when its client leaves", async () => {
  const { withResolvers } = Promise;
  Reflect.deleteProperty(Promise, "withResolvers");
  try {
    const response = await ask({ model: "slow-20" });
    assertEquals(response.status, 200);
    await response.body?.cancel();
    const leaving = new AbortController();
    const answer = ask({ model: "slow-60000" }, { signal: leaving.signal });
    setTimeout(() => leaving.abort(new Error("left")));
    await assertRejects(() => answer, Error, "left");
  } finally {
    Object.assign(Promise, { withResolvers });
  }
});

// deno-lint-ignore no-explicit-any -- Tests read many paths of an answer, and a wrong path fails the test.
async function say(body: Record<string, unknown>): Promise<any> {
  const response = await ask(body);
  const answer = await response.json();
  assertEquals(response.status, 200, JSON.stringify(answer));
  return answer;
}

// deno-lint-ignore no-explicit-any -- As above.
async function events(body: Record<string, unknown>): Promise<any[]> {
  const response = await ask({ ...body, stream: true });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const lines = (await response.text()).split("\n\n").filter(Boolean);
  assertEquals(lines.pop(), "data: [DONE]");
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

async function fault(body: Record<string, unknown>, status = 400): Promise<Record<string, unknown>> {
  const response = await ask(body);
  assertEquals(response.status, status);
  return (await response.json()).error;
}

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
      required: ["city", "days"],
      additionalProperties: false,
    },
  },
};

Deno.test("demo/echo answers the last user message, and counts four UTF-16 units a token", async () => {
  const messages = [user("first"), { role: "assistant", content: "no" }, user("Hello there!")];
  const answer = await say({ messages });
  assertEquals(answer.object, "chat.completion");
  assertEquals(answer.choices.length, 1);
  assertEquals(answer.choices[0].message.content, "Hello there!");
  assertEquals(answer.choices[0].finish_reason, "stop");
  const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
  assertEquals([prompt_tokens, completion_tokens, total_tokens], [2 + 1 + 3, 3, 9]);
});

Deno.test("demo/echo answers the same request with the same bytes, and another with another id", async () => {
  const [first, again, other] = await Promise.all(
    [{ seed: 1 }, { seed: 1 }, { seed: 2 }].map(async (body) => (await ask(body)).text()),
  );
  assertEquals(first, again);
  assert(JSON.parse(first).id !== JSON.parse(other).id);
});

Deno.test("demo/echo shows the parts that are not text by their type", async () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const { choices } = await say({ messages: [user([{ type: "text", text: "See:" }, image])] });
  assertEquals(choices[0].message.content, "See:\n[image]");
});

Deno.test("demo/echo streams the same text as a whole answer, without cutting a character", async () => {
  const text = "👋🏽 Grüße, 世界! ".repeat(20);
  const whole = await say({ messages: [user(text)] });
  const chunks = await events({ messages: [user(text)], stream_options: { include_usage: true } });
  const pieces = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "");
  assertEquals(pieces.join(""), text);
  assert(pieces.filter(Boolean).length > 10);
  for (const piece of pieces) assert(piece.isWellFormed());
  assertEquals(chunks[0].choices[0].delta.role, "assistant");
  assertEquals(chunks.filter((chunk) => chunk.choices[0]?.finish_reason === "stop").length, 1);
  assertEquals(chunks.at(-1).choices, []);
  assertEquals(chunks.at(-1).usage, whole.usage);
});

Deno.test("demo/echo streams a usage only when asked, and a long text in a bounded number of chunks", async () => {
  const chunks = await events({ messages: [user("x".repeat(1_000_000))] });
  assert(chunks.every((chunk) => chunk.usage === undefined));
  assert(chunks.length < 300, `${chunks.length}`);
});

Deno.test("demo/echo stops at max_tokens and at stop, whichever comes first", async () => {
  const messages = [user("one two three four")];
  for (const field of ["max_tokens", "max_completion_tokens"]) {
    const { choices, usage } = await say({ messages, [field]: 2 });
    assertEquals([choices[0].message.content, choices[0].finish_reason], ["one two ", "length"]);
    assertEquals(usage.completion_tokens, 2);
  }
  const stopped = await say({ messages, stop: ["four", " thr"] });
  assertEquals([stopped.choices[0].message.content, stopped.choices[0].finish_reason], ["one two", "stop"]);
  assertEquals((await say({ messages, stop: "two", max_tokens: 1 })).choices[0].finish_reason, "stop");
  assertEquals((await say({ messages, stop: "four", max_tokens: 1 })).choices[0].finish_reason, "length");
  assertEquals((await say({ messages, max_tokens: 100 })).choices[0].finish_reason, "stop");
  const astral = await say({ messages: [user("👋👋👋👋👋")], max_tokens: 1 });
  assertEquals(astral.choices[0].message.content, "👋👋");
  const halved = await say({ messages: [user("abc👋")], max_tokens: 1 });
  assertEquals([halved.choices[0].message.content, halved.usage.completion_tokens], ["abc", 1]);
});

Deno.test("demo/echo answers n times", async () => {
  const { choices, usage } = await say({ n: 3 });
  assertEquals(choices.map((choice: { index: number }) => choice.index), [0, 1, 2]);
  assertEquals(usage.completion_tokens, 3 * Math.ceil("Hello there, 世界 👋🏽!".length / 4));
  const indexes = (await events({ n: 3 })).flatMap((chunk) => chunk.choices).map((choice) => choice.index);
  assertEquals([...new Set(indexes)].sort(), [0, 1, 2]);
  assertEquals((await fault({ n: 0 })).param, "n");
  assertEquals((await fault({ n: 1000 })).param, "n");
  assertEquals((await fault({ n: 128, messages: [user("x".repeat(2 ** 19 + 1))] })).param, "n");
  assertEquals((await fault({ max_tokens: 0 })).param, "max_tokens");
  assertEquals((await fault({ max_completion_tokens: 1.5 })).param, "max_completion_tokens");
});

Deno.test("demo/echo calls the tool that tool_choice forces, whole and streamed", async () => {
  const named = { type: "function", function: { name: "get_weather" } };
  const other = { type: "function", function: { name: "other" } };
  for (const [tool_choice, tools] of [["required", [weather, other]], [named, [other, weather]]]) {
    const { choices } = await say({ tools, tool_choice, messages: [user("Oslo")] });
    assertEquals(choices[0].finish_reason, "tool_calls");
    assertEquals(choices[0].message.content, null);
    const [call] = choices[0].message.tool_calls;
    assertEquals([call.type, call.function.name], ["function", "get_weather"]);
    assertEquals(JSON.parse(call.function.arguments), { city: "Oslo", days: 1 });

    const chunks = await events({ tools, tool_choice, messages: [user("Oslo")] });
    const calls = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assertEquals(calls[0].function, { name: "get_weather", arguments: "" });
    assertEquals(calls.map((one) => one.function.arguments).join(""), call.function.arguments);
    assertEquals(chunks.at(-1).choices[0].finish_reason, "tool_calls");
  }
  const { choices } = await say({ tools: [weather], tool_choice: "auto" });
  assertEquals(choices[0].finish_reason, "stop");
});

Deno.test("demo/echo calls a tool without parameters with an empty object", async () => {
  const tools = [{ type: "function", function: { name: "now" } }];
  const { choices } = await say({ tools, tool_choice: "required" });
  assertEquals(choices[0].message.tool_calls[0].function.arguments, "{}");
});

Deno.test("demo/echo makes a legacy function call", async () => {
  const { choices } = await say({ functions: [weather.function], function_call: { name: "get_weather" } });
  assertEquals(choices[0].finish_reason, "function_call");
  assertEquals(choices[0].message.function_call.name, "get_weather");
});

Deno.test("demo/echo follows up tool results with text, even when a tool is forced", async () => {
  const first = await say({ tools: [weather], tool_choice: "required" });
  const { message } = first.choices[0];
  const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "Sunny" };
  const { choices } = await say({
    tools: [weather],
    tool_choice: "required",
    messages: [user("Weather?"), message, result],
  });
  assertEquals(choices[0].message.content, "Sunny");
  assertEquals(choices[0].finish_reason, "stop");
});

Deno.test("demo/echo refuses a tool that is not there, and a schema that nothing satisfies", async () => {
  const nobody = await fault({
    tools: [weather],
    tool_choice: { type: "function", function: { name: "nobody" } },
  });
  assertEquals(nobody.param, "tool_choice");
  assertEquals((await fault({ tool_choice: "required" })).param, "tool_choice");
  const impossible = { type: "object", required: ["a"], additionalProperties: false };
  const tool = { type: "function", function: { name: "f", parameters: impossible } };
  assertEquals(
    (await fault({ tools: [tool], tool_choice: "required" })).param,
    "tools[0]",
  );
  const response_format = { type: "json_schema", json_schema: { name: "x", schema: impossible } };
  assertEquals((await fault({ response_format })).param, "response_format");
});

Deno.test("demo/echo writes JSON for a json_schema and an object for json_object", async () => {
  const schema = { type: "object", properties: { status: { enum: ["ok"] } }, required: ["status"] };
  const answer = await say({ response_format: { type: "json_schema", json_schema: { name: "s", schema } } });
  assertEquals(answer.choices[0].message.content, '{"status":"ok"}');
  const object = await say({ response_format: { type: "json_object" }, messages: [user("hi")] });
  assertEquals(JSON.parse(object.choices[0].message.content), { echo: "hi" });
});

Deno.test("demo/status-… answers with any error status, in OpenAI's words", async () => {
  for (const status of [400, 401, 404, 429, 503, 529, 599]) {
    const response = await ask({ model: `status-${status}` });
    assertEquals(response.status, status);
    const { error } = await response.json();
    assertEquals(typeof error.message, "string");
    assertEquals(typeof error.type, "string");
    assertEquals(response.headers.get("retry-after"), status === 429 || status === 503 ? "1" : null);
    if (status === 429) assertEquals([error.type, error.code], ["rate_limit_error", "rate_limit_exceeded"]);
  }
});

Deno.test("demo lists its models, also when another is asked for", async () => {
  for (const model of ["gpt", "status-200", "status-600", "slow-0", "slow-999999", "slow-", "constructor"]) {
    const error = await fault({ model }, 404);
    assertEquals(error.code, "model_not_found");
    assert(`${error.message}`.includes("echo"));
  }
  const list = await (await serveDemo(new Request("https://demo.invalid/models"))).json();
  assertEquals(list.object, "list");
  assert(list.data.some((model: { id: string }) => model.id === "echo"));
  assertEquals((await serveDemo(new Request("https://demo.invalid/files"))).status, 404);
});

Deno.test("demo/slow-… waits, and stops waiting when the client leaves", async () => {
  const { choices } = await say({ model: "slow-1", messages: [user("late")] });
  assertEquals(choices[0].message.content, "late");
  const leaving = new AbortController();
  const answer = ask({ model: "slow-600000" }, { signal: leaving.signal });
  // The test runner's own leak check fails here if the timer is left behind.
  setTimeout(() => leaving.abort(), 5);
  await assertRejects(() => answer, DOMException);
});

Deno.test("demo/cut breaks off in the middle, whole and streamed", async () => {
  for (const stream of [false, true]) {
    const response = await ask({ model: "cut", stream });
    assertEquals(response.status, 200);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    await assertRejects(
      async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          seen += value;
        }
      },
      Error,
      "broke the connection",
    );
    assert(seen.includes("Hell"), seen);
    assert(!seen.includes("[DONE]") && !seen.includes('"stop"'), seen);
  }
});

Deno.test("demo/error sends an error event in the middle, and a 500 whole", async () => {
  assertEquals((await fault({ model: "error" }, 500)).type, "server_error");
  const text = await (await ask({ model: "error", stream: true })).text();
  assert(text.includes('"content":"Hell"'));
  const last = text.trimEnd().split("\n\n").at(-1)!;
  assertEquals(JSON.parse(last.slice("data: ".length)).error.type, "server_error");
});

Deno.test("demo refuses a body that is not a chat request, with the path of the fault", async () => {
  assertEquals((await fault({ messages: [] })).param, "messages");
  assertEquals((await fault({ messages: [user(5)] })).param, "messages[0].content");
  const response = await serveDemo(
    new Request("https://demo.invalid/chat/completions", { method: "POST", body: "{" }),
  );
  assertEquals(response.status, 400);
});
