/**
 * A chat client with OpenAI's current models: calls that they only accept on Responses go there, unseen by the client.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { type Asked, CLIENTS, type Json, lab, readEvents, runAgent, sse } from "./lab.ts";
import type { Piece } from "./responses_stream.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

const PARAMETERS = { type: "object", properties: { city: { type: "string" } } };
const tool = (name: string) => ({ type: "function", function: { name, parameters: PARAMETERS } });
const TOOLS = [tool("weather"), tool("clock")];
const USER = { role: "user", content: "Hello" };

/** OpenAI with both of its APIs. */
function openai(turns: Piece[][], options: Parameters<typeof strictResponses>[1] & Json = {}) {
  const { verified, ...more } = options;
  const responses = strictResponses(turns, { verified });
  const chat = strictOpenAI([{ text: "by chat" }]);
  const play = (asked: Asked) =>
    asked.url.host === "api.openai.com" && asked.url.pathname === "/v1/chat/completions"
      ? chat.play(asked)
      : responses.play(asked);
  return lab(play, more);
}

const pathsOf = ({ asked }: { asked: Asked[] }) => asked.map(({ url }) => url.pathname.replace("/v1/", ""));

// ---------------------------------------------------------------- which way

Deno.test("calls that OpenAI's models take only on Responses go there, and others do not", async () => {
  const functions = { tools: TOOLS };
  const custom = { tools: [{ type: "custom", custom: { name: "c" } }] };
  const cases: [model: string, more: Json, over: "responses" | "chat/completions"][] = [
    ["gpt-4o", functions, "chat/completions"],
    ["gpt-5", { ...functions, reasoning_effort: "high" }, "chat/completions"],
    ["gpt-5.2", { ...functions, reasoning_effort: "high" }, "chat/completions"],
    ["gpt-5.4", functions, "chat/completions"],
    ["gpt-5.4", { ...functions, reasoning_effort: "none" }, "chat/completions"],
    ["gpt-5.4", { ...functions, reasoning_effort: "low" }, "responses"],
    ["gpt-5.4", { functions: [TOOLS[0].function], reasoning_effort: "low" }, "responses"],
    ["gpt-5.4", { reasoning_effort: "low" }, "chat/completions"],
    ["gpt-5.5", functions, "chat/completions"],
    ["gpt-5.5", { ...functions, reasoning_effort: "xhigh" }, "responses"],
    ["gpt-5.6", {}, "chat/completions"],
    ["gpt-5.6", custom, "chat/completions"],
    ["gpt-5.6", { tools: [] }, "chat/completions"],
    ["gpt-5.6", functions, "responses"],
    ["gpt-5.6", { tools: [...TOOLS, ...custom.tools] }, "responses"],
    ["gpt-5.6", { ...functions, reasoning_effort: "none" }, "chat/completions"],
    ["gpt-5.6", { reasoning_effort: "max" }, "responses"],
    ["gpt-5.6", { reasoning: { summary: "auto" } }, "responses"],
    ["gpt-6-astra", functions, "responses"],
    ["gpt-6-sol", { ...functions, reasoning_effort: "none" }, "chat/completions"],
    ["gpt-5-pro", {}, "responses"],
    ["gpt-5.1-codex", {}, "responses"],
    ["gpt-5.3-codex", functions, "responses"],
    ["o3-pro", {}, "responses"],
    ["o3-deep-research", { tools: [{ type: "web_search_preview" }] }, "responses"],
    ["o3", functions, "chat/completions"],
  ];
  for (const [model, more, over] of cases) {
    for (const stream of [false, true]) {
      const room = openai([[{ text: ["Yes"] }]]);
      const response = await room.post({ model: `openai/${model}`, messages: [USER], stream, ...more });
      assertEquals(
        response.status,
        200,
        `${model} ${JSON.stringify(more)}: ${await response.clone().text()}`,
      );
      assertEquals(pathsOf(room), [over], `${model} ${JSON.stringify(more)}`);
      assertEquals(response.headers.get("sluice-dropped"), null, model);
    }
  }
});

Deno.test("the option `responses` of a row sends all calls over Responses, or none", async () => {
  const always = openai([[{ text: ["Yes"] }]], { providers: { openai: { responses: "always" } } });
  await always.post({ model: "openai/gpt-4o", messages: [USER] });
  await always.post({ model: "openai/gpt-5.6", messages: [USER], reasoning_effort: "none" });
  assertEquals(pathsOf(always), ["responses", "responses"]);
  const never = openai([[{ text: ["Yes"] }]], { providers: { openai: { responses: "never" } } });
  await never.post({ model: "openai/gpt-5.4", messages: [USER], tools: TOOLS, reasoning_effort: "low" });
  const refused = await never.post({ model: "openai/gpt-5.6", messages: [USER], tools: TOOLS });
  assertEquals([pathsOf(never), refused.status], [["chat/completions"], 400]);
});

Deno.test("an added row uses Responses if its option says so, beside its chat path", async () => {
  const rows = {
    mine: { baseUrl: "https://mine.example/openai/v1", responses: "when needed" as const },
    other: {
      baseUrl: "https://other.example",
      chatPath: "/v2/chat/completions",
      responses: "always" as const,
    },
    spoken: { baseUrl: "https://spoken.example/v1", wire: "responses" as const },
  };
  const { play } = strictResponses([[{ think: "x" }, { call: "weather", id: "call_1", args: ["{}"] }]]);
  const room = lab((asked) => play({ ...asked, url: new URL("https://api.openai.com/v1/responses") }), {
    providers: rows,
  });
  for (const name of Object.keys(rows)) {
    const response = await room.post({ model: `${name}/gpt-5.6`, messages: [USER], tools: TOOLS });
    assertEquals(response.status, 200, await response.clone().text());
    const { choices: [{ message }] } = await response.json();
    // Only the sealing provider opens a seal.
    assertEquals(message.reasoning_details[0].format, `${name}-responses-v1`);
  }
  assertEquals(room.asked.map(({ url }) => url.href), [
    "https://mine.example/openai/v1/responses",
    "https://other.example/v2/responses",
    "https://spoken.example/v1/responses",
  ]);
});

Deno.test("the option `responses` is refused where it would have no effect", async () => {
  const error = await assertRejects(async () => {
    await lab(() => Response.json({}), { providers: { anthropic: { responses: "always" } } });
  }, TypeError);
  assertStringIncludes(error.message, "providers.anthropic.responses");
});

// ---------------------------------------------------------------- agents

/** Agents' runs: tool calls with reasoning between them, in the orders in which OpenAI's models write them. */
const RUNS: Record<string, Piece[][]> = {
  "reasoning before calls": [
    [
      { think: "a" },
      { call: "weather", id: "call_1", args: ['{"city":', '"Zürich"}'] },
      { call: "clock", id: "call_2", args: ["{}"] },
    ],
    [{ think: "b" }, { call: "clock", id: "call_3", args: ['{"city":"Bern"}'] }],
    [{ think: "c" }, { text: ["Sunny, ", "and noon."], phase: "final_answer" }],
  ],
  "commentary and reasoning between calls": [
    [
      { think: "a", summary: ["I look it up."] },
      { text: ["I look ", "it up. 🔎 "], phase: "commentary" },
      { call: "weather", id: "call_1", args: ["{}"] },
      { think: "b" },
      { call: "clock", id: "call_2", args: ["{}"] },
    ],
    [{ text: ["Nearly."], phase: "commentary" }, { think: "c" }, {
      call: "clock",
      id: "call_3",
      args: ["{}"],
    }],
    [{ think: "d" }, { text: ["Done."], phase: "final_answer" }],
  ],
  "a search between": [
    [{ think: "a" }, { search: "weather" }, { think: "b" }, { call: "weather", id: "call_1", args: ["{}"] }],
    [{ think: "c" }, { search: "more" }, { text: ["Found."], phase: "final_answer" }],
  ],
};

for (const [name, turns] of Object.entries(RUNS)) {
  for (const [kind, client] of Object.entries(CLIENTS)) {
    Deno.test(`OpenAI accepts an agent's run with ${name} back from ${kind}`, async () => {
      const room = openai(turns);
      const body = { model: "openai/gpt-5.6", messages: [USER], tools: TOOLS };
      const messages = await runAgent(room, client, body);
      assertEquals(pathsOf(room), turns.map(() => "responses"));
      const kept = !kind.includes("drops");
      const [last] = room.asked.slice(-1);
      const sealed = (last.body.input as Json[]).filter(({ type }) => type === "reasoning");
      const thought = turns.slice(0, -1).flat().filter((piece) => "think" in piece);
      assertEquals(sealed.length, kept ? thought.length : 0, JSON.stringify(last.body.input, null, 1));
      // One more turn, which includes the last answer.
      messages.push({ role: "user", content: "Thanks" });
      await client(room, { ...body, messages });
    });
  }
}

Deno.test("items come back in the order in which the model wrote them, with their phases", async () => {
  const room = openai(RUNS["commentary and reasoning between calls"]);
  await runAgent(room, CLIENTS["the official SDK's stream helper"], {
    model: "openai/gpt-5.6",
    messages: [USER],
    tools: TOOLS,
  });
  const told = (room.asked[2].body.input as Json[]).map(({ type, role, phase }) => phase ?? role ?? type);
  assertEquals(told, [
    "user",
    "reasoning",
    "commentary",
    "function_call",
    "reasoning",
    "function_call",
    "function_call_output",
    "function_call_output",
    "commentary",
    "reasoning",
    "function_call",
    "function_call_output",
  ]);
});

Deno.test("an edited answer goes back without the items whose place is unknown, and they are named", async () => {
  const room = openai([...RUNS["commentary and reasoning between calls"].slice(0, 1), [{ text: ["Yes"] }]]);
  const body = { model: "openai/gpt-5.6", messages: [USER] as Json[], tools: TOOLS };
  const message = await CLIENTS["the official SDK, whole"](room, body);
  const results = ["call_1", "call_2"].map((tool_call_id) => ({ role: "tool", tool_call_id, content: "r" }));
  const messages = [USER, { ...message, content: "Something else entirely" }, ...results];
  const response = await room.post({ ...body, messages });
  assertEquals(response.status, 200, await response.clone().text());
  assertEquals(response.headers.get("sluice-dropped"), "messages[1].reasoning_details");
});

Deno.test("the order of items is restored even if the client trims the text", async () => {
  const room = openai(RUNS["commentary and reasoning between calls"]);
  const trims: typeof CLIENTS[string] = async (room, body) => {
    const message = await CLIENTS["the official SDK's stream helper"](room, body);
    return { ...message, content: (message.content as string | null)?.trim() };
  };
  await runAgent(room, trims, { model: "openai/gpt-5.6", messages: [USER], tools: TOOLS });
  assertEquals((room.asked[2].body.input as Json[]).filter(({ type }) => type === "reasoning").length, 3);
});

Deno.test("the SDK's own loop of tools runs, with reasoning kept in every turn", async () => {
  const room = openai(RUNS["reasoning before calls"]);
  const tools = ["weather", "clock"].map((name) => ({
    type: "function" as const,
    function: {
      name,
      parameters: PARAMETERS,
      description: name,
      parse: JSON.parse,
      function: () => "noon",
    },
  }));
  const runner = room.openai.chat.completions.runTools({
    model: "openai/gpt-5.6",
    messages: [{ role: "user", content: "Hello" }],
    tools,
  });
  assertEquals(await runner.finalContent(), "Sunny, and noon.");
  assertEquals(pathsOf(room), ["responses", "responses", "responses"]);
  const streamed = room.openai.chat.completions.runTools({
    model: "openai/gpt-5.6",
    stream: true,
    messages: [{ role: "user", content: "Hello" }],
    tools,
  });
  assertEquals(await streamed.finalContent(), "Sunny, and noon.");
});

// ---------------------------------------------------------------- what the client sees

Deno.test("a custom tool's call stays a custom tool's call for the client and on the way back", async () => {
  const turns: Piece[][] = [
    [{ think: "a" }, { custom: "c", id: "call_1", input: ["free ", "text"] }],
    [{ text: ["Yes"], phase: "final_answer" }],
  ];
  for (const stream of [false, true]) {
    const room = openai(turns);
    const tools = [...TOOLS, { type: "custom", custom: { name: "c" } }];
    const body = { model: "openai/gpt-5.6", messages: [USER] as Json[], tools, stream };
    // deno-lint-ignore no-explicit-any -- Both forms of an answer.
    const completions = room.openai.chat.completions as any;
    const message = stream
      ? (await completions.stream(body).finalChatCompletion()).choices[0].message
      : (await completions.create(body)).choices[0].message;
    const [call] = message.tool_calls;
    assertEquals([call.type, call.custom, call.id], ["custom", { name: "c", input: "free text" }, "call_1"]);
    const messages = [USER, message, { role: "tool", tool_call_id: "call_1", content: "r" }];
    const response = await room.post({ ...body, messages, stream: false });
    assertEquals(response.status, 200, await response.clone().text());
    assertEquals((room.asked[1].body.input as Json[])[2], {
      type: "custom_tool_call",
      call_id: "call_1",
      name: "c",
      input: "free text",
    });
  }
});

Deno.test("legacy functions are called and answered in the legacy form", async () => {
  const room = openai([
    [{ think: "a" }, { call: "weather", id: "call_1", args: ["{}"] }],
    [{ text: ["Yes"] }],
  ]);
  const body = { model: "openai/gpt-5.6", messages: [USER] as Json[], functions: [TOOLS[0].function] };
  const { choices: [{ message, finish_reason }] } = await (await room.post(body)).json();
  assertEquals([message.function_call, finish_reason], [
    { name: "weather", arguments: "{}" },
    "function_call",
  ]);
  const messages = [USER, message, { role: "function", name: "weather", content: "r" }];
  assertEquals((await room.post({ ...body, messages })).status, 200);
});

Deno.test("a summary is shown if the client asks for it, and an unverified organisation can go on without one", async () => {
  const turns: Piece[][] = [[{ think: "a", summary: ["First.", "Then."] }, { text: ["Yes"] }]];
  const room = openai(turns);
  const body = { model: "openai/gpt-5.6", messages: [USER], reasoning: { summary: "auto" } };
  const { choices: [{ message }] } = await (await room.post(body)).json();
  assertEquals([message.content, message.reasoning_content], ["Yes", "First.\n\nThen."]);
  assertEquals(room.asked[0].body.reasoning, { summary: "auto" });
  const { chunks } = await readEvents(await room.post({ ...body, stream: true }));
  const said = (chunks as { choices: { delta: { reasoning_content?: string } }[] }[])
    .map(({ choices }) => choices[0]?.delta.reasoning_content ?? "").join("");
  assertEquals(said, "First.\n\nThen.");
  const unverified = openai(turns, { verified: false });
  const refused = await unverified.post(body);
  assertEquals(refused.status, 400);
  assertStringIncludes((await refused.json()).error.message, "must be verified");
  assertEquals(
    (await unverified.post({ model: "openai/gpt-5.6", messages: [USER], tools: TOOLS })).status,
    200,
  );
});

Deno.test("usage, tier, sources and finish reason come in the client's format", async () => {
  const room = openai([[{ think: "a" }, { text: ["abcdef"], url: "https://a.example" }]]);
  const answer = await (await room.post({ model: "openai/gpt-5.6", messages: [USER], tools: TOOLS })).json();
  assertEquals(answer.object, "chat.completion");
  assertEquals(answer.service_tier, "default");
  assertEquals(answer.choices[0].finish_reason, "stop");
  assertEquals(answer.choices[0].message.annotations, [{
    type: "url_citation",
    url_citation: { start_index: 1, end_index: 3, url: "https://a.example", title: "Title" },
  }]);
  assertEquals(answer.usage, {
    prompt_tokens: 100,
    completion_tokens: 30,
    total_tokens: 130,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 0 },
  });
});

Deno.test("settings that Responses do not have are named, and strict refuses them", async () => {
  const room = openai([[{ text: ["Yes"] }]]);
  const body = {
    model: "openai/gpt-5.6",
    messages: [USER],
    tools: TOOLS,
    seed: 1,
    stop: "END",
    max_tokens: 5,
  };
  const response = await room.post(body);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("sluice-dropped")?.split(", ").sort(), ["max_tokens", "seed", "stop"]);
  const refused = await room.post(body, { "sluice-strict": "true" });
  assertEquals([refused.status, room.asked.length], [400, 1]);
});

// ---------------------------------------------------------------- other makers

const CLAUDE = {
  type: "reasoning.text",
  text: "Hm",
  signature: "c2ln",
  format: "anthropic-claude-v1",
  index: 0,
};
const OPENAI_THOUGHT = {
  type: "reasoning.encrypted",
  id: "rs_1",
  data: "gAAAAABforeign",
  format: "openai-responses-v1",
  index: 0,
};
const withThought = (detail: Json) => [
  USER,
  { role: "assistant", content: "Hi", reasoning_details: [detail] },
  USER,
];

Deno.test("a thought of another provider is never sent to OpenAI", async () => {
  const others: Json[] = [
    CLAUDE,
    { ...OPENAI_THOUGHT, format: "azure-openai-responses-v1" },
    { ...OPENAI_THOUGHT, format: "mine-responses-v1" },
    { ...OPENAI_THOUGHT, format: undefined },
    { ...OPENAI_THOUGHT, format: "unknown" },
    { type: "reasoning.encrypted", data: "AbC=", format: "google-gemini-v1", index: 0 },
    { type: "reasoning.encrypted", data: '{"layout":"bx2"}', format: "anthropic-claude-v1", index: 0 },
    { type: "redacted_thinking", data: "c2VhbGVk" },
  ];
  for (const detail of others) {
    const room = openai([[{ text: ["Yes"] }]]);
    const response = await room.post({
      model: "openai/gpt-5.6",
      tools: TOOLS,
      messages: withThought(detail),
    });
    assertEquals(response.status, 200, `${JSON.stringify(detail)}: ${await response.clone().text()}`);
    assert(!room.asked[0].text.includes(detail.data as string ?? "c2ln"), JSON.stringify(detail));
  }
});

Deno.test("OpenAI's thoughts are never sent to another provider", async () => {
  const layout = { ...OPENAI_THOUGHT, id: "resp_1", data: '{"layout":"bx2u"}', index: 1 };
  const search = { ...OPENAI_THOUGHT, id: "ws_1", data: '{"id":"ws_1","type":"web_search_call"}', index: 2 };
  const models = [
    "anthropic/claude-opus-5-5",
    "anthropic/claude-sonnet-4-5",
    "cohere/command-a-reasoning-08-2025",
    "google/gemini-3-pro",
    "perplexity-agent/sonar",
    "mistral/mistral-large",
    "groq/llama",
    "cerebras/llama",
  ];
  for (const model of models) {
    const room = lab(() => Response.json({}));
    const [first, answer, last] = withThought(OPENAI_THOUGHT) as Json[];
    const messages = [first, { ...answer, reasoning_details: [OPENAI_THOUGHT, layout, search] }, last];
    await (await room.post({ model, messages })).body?.cancel();
    const { text } = room.asked[0];
    for (const proof of ["gAAAA", "layout", "ws_1", "rs_1"]) {
      assert(!text.includes(proof), `${model}: ${text}`);
    }
  }
});

Deno.test("OpenAI refuses a thought whose seal was altered, in its own words", async () => {
  const room = openai([[{ text: ["Yes"] }]]);
  const response = await room.post({
    model: "openai/gpt-5.6",
    tools: TOOLS,
    messages: withThought(OPENAI_THOUGHT),
  });
  assertEquals(response.status, 400);
  const { error } = await response.json();
  assertEquals(error.code, "invalid_encrypted_content");
});

// ---------------------------------------------------------------- failures

Deno.test("the SDK raises an error for a stream that fails or is cut", async () => {
  const created = { type: "response.created", response: { id: "resp_1", model: "m" } };
  const piece = { type: "response.output_text.delta", output_index: 0, delta: "Hi" };
  const error = { code: "rate_limit_exceeded", message: "Slow down" };
  const streams: [Json[], string][] = [
    [[created, piece], "ended before it was finished"],
    [[created, { type: "error", ...error }], "Slow down"],
    [[created, piece, { type: "response.failed", response: { id: "resp_1", error } }], "Slow down"],
  ];
  for (const [list, words] of streams) {
    const room = lab(() =>
      new Response(sse(list, true), { headers: { "content-type": "text/event-stream" } })
    );
    const raised = await assertRejects(async () => {
      await room.openai.chat.completions.stream({
        model: "openai/gpt-5.6",
        messages: [{ role: "user", content: "Hello" }],
        tools: TOOLS as OpenAI.ChatCompletionTool[],
      }).finalChatCompletion();
    }, OpenAI.APIError);
    assertStringIncludes(raised.message, words);
  }
});

Deno.test("a whole answer that failed has the status of its reason, and the next model takes over", async () => {
  const failed = {
    id: "resp_1",
    status: "failed",
    error: { code: "rate_limit_exceeded", message: "Slow down" },
  };
  const room = lab(() => Response.json(failed));
  const body = { model: "openai/gpt-5.6", messages: [USER], tools: TOOLS };
  const response = await room.post(body);
  assertEquals([response.status, (await response.json()).error.code], [429, "rate_limit_exceeded"]);
  const two = lab(({ body: { model } }) =>
    Response.json(model === "gpt-5.6" ? failed : { choices: [{ message: { content: "Yes" } }] })
  );
  const other = await two.post({ ...body, model: undefined, models: ["openai/gpt-5.6", "openai/gpt-4o"] });
  assertEquals([other.status, other.headers.get("cf-aig-step")], [200, "1"]);
  assertEquals(two.asked.map(({ url }) => url.pathname), ["/v1/responses", "/v1/chat/completions"]);
});
