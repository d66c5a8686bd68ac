import { assertEquals, assertRejects } from "@std/assert";
import { scanEndpoint } from "npm:compatcanary@0.2.2";
import { createGateway } from "../../../gateway/gateway.ts";

const nothingSent = () => Promise.reject(new Error("nothing may be sent"));

/** Serves a gateway on loopback while `use` runs. */
async function served(use: (baseUrl: string) => Promise<void>): Promise<void> {
  const gateway = createGateway({ fetch: nothingSent });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() },
    gateway.fetch,
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}/v1`);
  } finally {
    await server.shutdown();
  }
}

function post(url: string, body: Record<string, unknown>, init: RequestInit = {}): Promise<Response> {
  const messages = [{ role: "user", content: "Hello brave new world" }];
  const headers = { "content-type": "application/json" };
  return fetch(`${url}/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ messages, ...body }),
    ...init,
  });
}

Deno.test("demo/echo gets compatcanary's full score for chat", () =>
  served(async (baseUrl) => {
    const report = await scanEndpoint({ baseUrl, model: "demo/echo", profile: "chat" });
    const problems = report.results.filter((result: { status: string }) => result.status !== "pass");
    assertEquals(problems, []);
    assertEquals(report.score, 100);
  }));

Deno.test("demo/cut is a broken connection for the client", () =>
  served(async (baseUrl) => {
    for (const stream of [false, true]) {
      await assertRejects(async () => await (await post(baseUrl, { model: "demo/cut", stream })).text());
    }
  }));

Deno.test("demo/slow-… is abandoned when the client leaves", () =>
  served(async (baseUrl) => {
    const leaving = new AbortController();
    const answer = post(baseUrl, { model: "demo/slow-600000" }, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 50);
    await assertRejects(() => answer, DOMException);
    // The server ends at once only if the request has ended. The test runner's leak check fails if a timer is left.
  }));

Deno.test("demo/status-… keeps its status and its retry-after through the gateway", () =>
  served(async (baseUrl) => {
    const response = await post(baseUrl, { model: "demo/status-429" });
    assertEquals([response.status, response.headers.get("retry-after")], [429, "1"]);
    assertEquals((await response.json()).error.code, "rate_limit_exceeded");
  }));

Deno.test("demo names its models if a client asks for another one", () =>
  served(async (baseUrl) => {
    const response = await post(baseUrl, { model: "demo/gpt" });
    assertEquals(response.status, 404);
    assertEquals((await response.json()).error.code, "model_not_found");
  }));

/** A gateway that sends nothing, and what it answers at a door. */
function door() {
  const { fetch } = createGateway({ fetch: nothingSent });
  // deno-lint-ignore no-explicit-any -- Tests read many paths of an answer, and a wrong path fails the test.
  return async (path: string, body: object): Promise<any> => {
    const response = await fetch(
      new Request(`http://gateway.test/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
    const text = await response.text();
    assertEquals(response.status, 200, text);
    return JSON.parse(text);
  };
}

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

Deno.test("demo/think thinks before it echoes, at each door", async () => {
  const send = door();
  const messages = [{ role: "user", content: "Hello" }];
  const chat = await send("chat/completions", { model: "demo/think", messages });
  const { reasoning_content, content } = chat.choices[0].message;
  assertEquals([reasoning_content, content], ["I was asked: Hello", "Hello"]);
  const { completion_tokens, completion_tokens_details: { reasoning_tokens } } = chat.usage;
  assertEquals([completion_tokens, reasoning_tokens], [7, 5]);
  const said = await send("messages", { model: "demo/think", max_tokens: 50, messages });
  assertEquals(said.content.map(({ type }: { type: string }) => type), ["thinking", "text"]);
  const { output } = await send("responses", { model: "demo/think", input: "Hello" });
  assertEquals(output.map(({ type }: { type: string }) => type), ["reasoning", "message"]);
  const cut = await send("chat/completions", { model: "demo/think", messages, max_tokens: 3 });
  assertEquals([cut.choices[0].finish_reason, cut.choices[0].message.content ?? ""], ["length", ""]);
});

Deno.test("demo/tools calls each tool that is on offer once, then echoes the results, at each door", async () => {
  const send = door();
  const user = { role: "user", content: "Bern" };
  const tools = ["a", "b"].map((name) => ({ type: "function", function: { name, parameters: schema } }));
  const ask = async (messages: object[], more: object = {}) => {
    const { choices } = await send("chat/completions", { model: "demo/tools", messages, tools, ...more });
    return choices[0];
  };
  const { message, finish_reason } = await ask([user]);
  assertEquals(finish_reason, "tool_calls");
  const called = message.tool_calls.map((
    { function: f }: { function: { name: string; arguments: string } },
  ) => [
    f.name,
    JSON.parse(f.arguments),
  ]);
  assertEquals(called, [["a", { city: "Bern" }], ["b", { city: "Bern" }]]);
  const ids: string[] = message.tool_calls.map(({ id }: { id: string }) => id);
  assertEquals(new Set(ids).size, 2);
  const results = ids.map((tool_call_id, at) => ({ role: "tool", tool_call_id, content: `result ${at}` }));
  assertEquals((await ask([user, message, ...results])).message.content, "result 0\nresult 1");
  // One at a time, where the client wants that; none, where it wants none or offers none.
  const one = (await ask([user], { parallel_tool_calls: false })).message;
  assertEquals(one.tool_calls.map(({ function: f }: { function: { name: string } }) => f.name), ["a"]);
  const next = await ask([user, one, { role: "tool", tool_call_id: one.tool_calls[0].id, content: "r" }], {
    parallel_tool_calls: false,
  });
  assertEquals(next.message.tool_calls.map(({ function: f }: { function: { name: string } }) => f.name), [
    "b",
  ]);
  assertEquals((await ask([user], { tool_choice: "none" })).message.content, "Bern");
  assertEquals((await ask([user], { tools: undefined })).message.content, "Bern");
  assertEquals((await ask([user], { tool_choice: "required" })).message.tool_calls.length, 2);

  const used = await send("messages", {
    model: "demo/tools",
    max_tokens: 50,
    messages: [user],
    tools: [{ name: "a", input_schema: schema }],
  });
  assertEquals([used.stop_reason, used.content[0].name, used.content[0].input], ["tool_use", "a", {
    city: "Bern",
  }]);
  const { output } = await send("responses", {
    model: "demo/tools",
    input: "Bern",
    tools: [{ type: "function", name: "a", parameters: schema }, { type: "custom", name: "c" }],
  });
  assertEquals(
    output.map((
      item: Record<string, string>,
    ) => [item.type, item.name, item.input ?? JSON.parse(item.arguments)]),
    [["function_call", "a", { city: "Bern" }], ["custom_tool_call", "c", "Bern"]],
  );
});
