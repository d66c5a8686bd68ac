/** How answers are written for clients of OpenAI's Responses. Whole and streamed they are the same. */
import { assert, assertEquals } from "@std/assert";
import { openaiCompaction, openaiResponses } from "../../../wires/openai_responses/mod.ts";
import { seal, unseal } from "../../../wires/shared/envelope.ts";
import { collector } from "../../../wires/streams/collect.ts";
import type { Delta, JsonObject, WireError } from "../../../wires/types.ts";
import { checkResponse, readResponseStream } from "../../acceptance/responses_events.ts";
import { randomDeltas } from "./random_deltas.ts";

const DEFAULTS = { id: "resp_1", created: 1_700_000_000, model: "m" };

const callOf = (body: JsonObject) => openaiResponses.readCall({ input: "Hello", ...body }, "m");

function streamOf(deltas: Delta[], body: JsonObject = {}): string {
  const writer = openaiResponses.writer(callOf(body), DEFAULTS);
  return deltas.map((delta) => writer.delta(delta)).join("") + writer.end();
}

function wholeOf(deltas: Delta[], body: JsonObject = {}): JsonObject {
  const { emit, answer } = collector();
  deltas.forEach((delta) => emit(structuredClone(delta)));
  return openaiResponses.writeAnswer(answer, callOf(body), DEFAULTS);
}

/** The output of an answer. It must be the same whole and streamed. */
function outputOf(deltas: Delta[], body: JsonObject = {}): JsonObject[] {
  const whole = wholeOf(deltas, body);
  checkResponse(whole);
  const { response } = readResponseStream(streamOf(deltas, body));
  assertEquals(response.output, whole.output);
  assertEquals(response, whole);
  return whole.output as JsonObject[];
}

const text = (said: string): Delta => ({ type: "text", choice: 0, text: said });
const tool = (index: number, name: string, more: object = {}): Delta => ({
  type: "tool",
  choice: 0,
  index,
  id: `c${index}`,
  name,
  ...more,
});
const args = (index: number, said: string): Delta => ({ type: "args", choice: 0, index, text: said });
const thought = (more: object, block = 0): Delta => ({ type: "thought", choice: 0, block, ...more });

// ---------------------------------------------------------------- items

const textItem = (id: string, said: string, annotations: unknown[] = []) => ({
  id,
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text: said, annotations, logprobs: [] }],
});

Deno.test("writeAnswer() writes items in their order, each under an id of its kind", () => {
  const deltas = [
    thought({ text: "Hm", signature: "c2ln", format: "anthropic-claude-v1" }),
    text("a"),
    text("b"),
    tool(0, "f"),
    args(0, '{"x":'),
    args(0, "1}"),
    text("c"),
  ];
  const output = outputOf(deltas, { tools: [{ type: "function", name: "f" }] });
  assertEquals(output, [
    {
      id: "rs_1_0",
      type: "reasoning",
      status: "completed",
      summary: [],
      content: [{ type: "reasoning_text", text: "Hm" }],
      // The AI SDK returns this without the content.
      encrypted_content: seal({ text: "Hm", signature: "c2ln", format: "anthropic-claude-v1" }, {
        withText: true,
      }),
    },
    textItem("msg_1_1", "ab"),
    {
      id: "fc_1_2",
      type: "function_call",
      status: "completed",
      call_id: "c0",
      name: "f",
      arguments: '{"x":1}',
    },
    textItem("msg_1_3", "c"),
  ]);
});

Deno.test("writeAnswer() writes reasoning as a summary if it is one, or if the client asked for one", () => {
  const summary = [{ type: "summary_text", text: "Hm" }];
  assertEquals(outputOf([thought({ text: "Hm", summary: true })])[0].summary, summary);
  assertEquals(outputOf([thought({ text: "Hm" })], { reasoning: { summary: "auto" } })[0].summary, summary);
  assertEquals(outputOf([thought({ text: "Hm" })], { reasoning: { summary: "none" } })[0].summary, []);
});

Deno.test("writeAnswer() leaves out an empty thought, and seals a thought without text", () => {
  const deltas = [
    thought({ format: "f" }),
    text("a"),
    thought({ redacted: "eA==", format: "f" }, 1),
    text("b"),
  ];
  const [first, second, third] = outputOf(deltas);
  assertEquals([first.type, second.type, third.type], ["message", "reasoning", "message"]);
  assertEquals(unseal(`${second.encrypted_content}`)!.thought, { redacted: "eA==", format: "f" });
});

Deno.test("writeAnswer() writes the signature of the answer itself as the last item", () => {
  const deltas: Delta[] = [text("a"), { type: "signature", choice: 0, signature: "c2ln" }];
  const [, item] = outputOf(deltas);
  assertEquals(unseal(`${item.encrypted_content}`), {
    thought: { signature: "c2ln", format: "google-gemini-v1" },
    ofAnswer: true,
  });
});

Deno.test("writeAnswer() counts the offsets of sources from the start of their own text", () => {
  const source = (start: number, end: number): Delta => ({
    type: "citation",
    choice: 0,
    citation: { url: "https://e.test", title: "E", start, end, extra: { type: "x" } },
  });
  const deltas = [text("abc"), source(0, 3), tool(0, "f"), args(0, "{}"), text("def"), source(3, 6)];
  const place = { type: "url_citation", start_index: 0, end_index: 3, url: "https://e.test", title: "E" };
  const note = { ...place, location_type: "x" };
  const [first, , last] = outputOf(deltas);
  assertEquals([first, last], [textItem("msg_1_0", "abc", [note]), textItem("msg_1_2", "def", [note])]);
});

Deno.test("writeAnswer() writes refusals, and probabilities", () => {
  const deltas: Delta[] = [{ type: "refusal", choice: 0, text: "I can" }, {
    type: "refusal",
    choice: 0,
    text: "not",
  }];
  assertEquals(outputOf(deltas)[0].content, [{ type: "refusal", refusal: "I cannot" }]);
  const logprobs = { content: [{ token: "a", bytes: null, logprob: -1, top_logprobs: [] }] };
  const [message] = outputOf([{ type: "text", choice: 0, text: "a", logprobs }]);
  assertEquals((message.content as JsonObject[])[0].logprobs, [
    { token: "a", bytes: [], logprob: -1, top_logprobs: [] },
  ]);
});

Deno.test("writeAnswer() writes what the provider ran itself, and pictures", () => {
  const deltas: Delta[] = [
    {
      type: "server_tool",
      choice: 0,
      serverCall: {
        kind: "web_search",
        input: { query: "q" },
        results: [{ url: "https://e.test", title: "E" }],
      },
    },
    {
      type: "server_tool",
      choice: 0,
      serverCall: { kind: "web_search", input: { query: "r" }, error: "unavailable" },
    },
    { type: "server_tool", choice: 0, serverCall: { kind: "web_fetch", input: { url: "https://e.test" } } },
    {
      type: "server_tool",
      choice: 0,
      serverCall: { kind: "code_execution", input: { code: "1" }, output: "1\n" },
    },
    { type: "image", choice: 0, media: { mime: "image/webp", data: "aGk=" } },
    { type: "image", choice: 0, media: { url: "https://e.test/a.png" } },
  ];
  assertEquals(outputOf(deltas), [
    {
      id: "ws_1_0",
      type: "web_search_call",
      status: "completed",
      action: {
        type: "search",
        query: "q",
        queries: ["q"],
        sources: [{ type: "url", url: "https://e.test" }],
      },
    },
    {
      id: "ws_1_1",
      type: "web_search_call",
      status: "failed",
      action: { type: "search", query: "r", queries: ["r"], sources: [] },
    },
    {
      id: "ws_1_2",
      type: "web_search_call",
      status: "completed",
      action: { type: "open_page", url: "https://e.test" },
    },
    {
      id: "ci_1_3",
      type: "code_interpreter_call",
      status: "completed",
      code: "1",
      container_id: "",
      outputs: [{ type: "logs", logs: "1\n" }],
    },
    {
      id: "ig_1_4",
      type: "image_generation_call",
      status: "completed",
      result: "aGk=",
      output_format: "webp",
    },
    textItem("msg_1_5", "![image](https://e.test/a.png)"),
  ]);
});

// ---------------------------------------------------------------- calls in kind

const OFFERED = [
  { type: "function", name: "f" },
  { type: "custom", name: "patch_file" },
  { type: "tool_search", execution: "client", description: "d", parameters: {} },
  { type: "local_shell" },
  { type: "shell" },
  { type: "apply_patch" },
  {
    type: "namespace",
    name: "mcp__x",
    description: "d",
    tools: [{ type: "function", name: "y" }, { type: "custom", name: "z" }],
  },
];

/** A tool call by the model's name with its arguments in pieces, as an item without `id`, `status` and `call_id`. */
const KINDS: [string, string, string[], JsonObject][] = [
  ["a function", "f", ['{"a"', ":1}"], { type: "function_call", name: "f", arguments: '{"a":1}' }],
  ["a function without arguments", "f", [], { type: "function_call", name: "f", arguments: "{}" }],
  ["a function of a namespace", "mcp__x__y", ["{}"], {
    type: "function_call",
    name: "y",
    namespace: "mcp__x",
    arguments: "{}",
  }],
  ["an unknown function of a namespace", "mcp__x__w", ["{}"], {
    type: "function_call",
    name: "w",
    namespace: "mcp__x",
    arguments: "{}",
  }],
  ["an unknown function", "g", ["{}"], { type: "function_call", name: "g", arguments: "{}" }],
  ["a custom tool by a function's arguments", "patch_file", ['{"inp', 'ut": "a\\', 'n\\u00fc"', "}"], {
    type: "custom_tool_call",
    name: "patch_file",
    input: "a\nü",
  }],
  ["a custom tool whose model wrote no JSON", "patch_file", ["*** Begin"], {
    type: "custom_tool_call",
    name: "patch_file",
    input: "*** Begin",
  }],
  ["a custom tool of a namespace", "mcp__x__z", ['{"input":"a"}'], {
    type: "custom_tool_call",
    name: "z",
    namespace: "mcp__x",
    input: "a",
  }],
  ["a search for tools", "tool_search", ['{"query":', '"mail"}'], {
    type: "tool_search_call",
    execution: "client",
    arguments: { query: "mail" },
  }],
  ["a local shell", "local_shell", ['{"command":["ls","-l"]}'], {
    type: "local_shell_call",
    action: { env: {}, type: "exec", command: ["ls", "-l"] },
  }],
  ["a shell", "shell", ['{"commands":["ls"],"timeout_ms":5}'], {
    type: "shell_call",
    action: { commands: ["ls"], timeout_ms: 5, max_output_length: null },
    environment: { type: "local" },
  }],
  ["a patch", "apply_patch", ['{"operation":{"type":"delete_file","path":"a"}}'], {
    type: "apply_patch_call",
    operation: { type: "delete_file", path: "a" },
  }],
];
for (const [what, name, pieces, item] of KINDS) {
  Deno.test(`writeAnswer() writes a call of ${what} in the kind that the client offered`, () => {
    const deltas = [tool(0, name), ...pieces.map((piece) => args(0, piece))];
    const [{ id: _, status, call_id, ...rest }] = outputOf(deltas, { tools: OFFERED });
    assertEquals([status, call_id, rest], ["completed", "c0", item]);
  });
}

Deno.test("writeAnswer() keeps a custom tool's text unchanged if the provider has custom tools", () => {
  const deltas = [tool(0, "patch_file", { custom: true }), args(0, '{"input":'), args(0, '"x"}')];
  assertEquals(outputOf(deltas, { tools: OFFERED })[0].input, '{"input":"x"}');
});

Deno.test("writeAnswer() puts Gemini's signature of a tool call into its id", () => {
  const deltas = [tool(0, "f", { signature: "YWJj" }), args(0, "{}")];
  assertEquals(outputOf(deltas, { tools: OFFERED })[0].call_id, "c0__sig_YWJj");
});

Deno.test("writer() holds back a second tool call until the first is complete", () => {
  const deltas = [tool(0, "f"), tool(1, "f"), args(0, '{"a":'), args(1, "{}"), args(0, "1}")];
  const output = outputOf(deltas, { tools: OFFERED });
  assertEquals(output.map((item) => [item.call_id, item.arguments]), [["c0", '{"a":1}'], ["c1", "{}"]]);
});

// ---------------------------------------------------------------- the response

Deno.test("writeAnswer() repeats the request's settings, but always says store: false", () => {
  const body = {
    instructions: "Be brief",
    max_output_tokens: 9,
    temperature: 0.5,
    metadata: { a: "b" },
    tools: OFFERED,
    tool_choice: { type: "function", name: "f" },
    text: { verbosity: "low" },
    reasoning: { effort: "low" },
    store: true,
    parallel_tool_calls: false,
  };
  const deltas: Delta[] = [
    { type: "start", id: "chatcmpl-1", model: "m-2026", service_tier: "flex" },
    text("a"),
    {
      type: "usage",
      usage: { input: 5, cacheRead: 3, cacheWrite: 2, audioIn: 0, output: 7, reasoning: 4, audioOut: 0 },
    },
  ];
  const { output: _, ...response } = wholeOf(deltas, body);
  assertEquals(response, {
    id: "resp_1",
    object: "response",
    created_at: 1_700_000_000,
    status: "completed",
    completed_at: 1_700_000_000,
    error: null,
    incomplete_details: null,
    model: "m-2026",
    service_tier: "flex",
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
      output_tokens: 11,
      output_tokens_details: { reasoning_tokens: 4 },
      total_tokens: 21,
    },
    background: false,
    instructions: "Be brief",
    max_output_tokens: 9,
    max_tool_calls: null,
    metadata: { a: "b" },
    parallel_tool_calls: false,
    previous_response_id: null,
    prompt_cache_key: null,
    reasoning: { effort: "low", summary: null },
    safety_identifier: null,
    store: false,
    temperature: 0.5,
    text: { verbosity: "low", format: { type: "text" } },
    tool_choice: { type: "function", name: "f" },
    tools: OFFERED,
    top_logprobs: 0,
    top_p: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    truncation: "disabled",
    user: null,
  });
});

Deno.test("writeAnswer() says OpenAI's defaults for settings that the request leaves out", () => {
  const response = wholeOf([text("a")]);
  const told = Object.fromEntries(
    "instructions max_output_tokens metadata parallel_tool_calls reasoning temperature text tool_choice tools top_p"
      .split(" ")
      .map((name) => [name, response[name as keyof typeof response]]),
  );
  assertEquals(told as unknown, {
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    parallel_tool_calls: true,
    reasoning: { effort: null, summary: null },
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
  });
});

for (
  const [reason, said] of [["length", "max_output_tokens"], ["content_filter", "content_filter"]] as const
) {
  Deno.test(`writeAnswer() says that an answer is incomplete: ${said}`, () => {
    const deltas: Delta[] = [text("a"), tool(0, "f"), args(0, '{"a'), { type: "stop", choice: 0, reason }];
    const response = wholeOf(deltas);
    assertEquals([response.status, response.incomplete_details], ["incomplete", { reason: said }]);
    assertEquals(outputOf(deltas).map(({ status }) => status), ["completed", "incomplete"]);
  });
}

// ---------------------------------------------------------------- failures

/** The code and the message that clients read from a failure. */
const FAILURES: [WireError, string, string][] = [
  [{ message: "m" }, "server_error", "m"],
  [{ message: "m", status: 529, type: "overloaded_error" }, "server_error", "m"],
  [{ message: "m", status: 429 }, "rate_limit_exceeded", "m"],
  [{ message: "m", status: 429, retryAfterMs: 1300 }, "rate_limit_exceeded", "m Please try again in 1.3s."],
  [
    { message: "Try again in 2s", type: "rate_limit_error", retryAfterMs: 2000 },
    "rate_limit_exceeded",
    "Try again in 2s",
  ],
  [{ message: "m", status: 429, code: "insufficient_quota" }, "insufficient_quota", "m"],
  [{ message: "m", status: 400, code: "context_length_exceeded" }, "context_length_exceeded", "m"],
  [{ message: "m", status: 400 }, "invalid_prompt", "m"],
  [{ message: "m", code: 2005, status: 504 }, "server_error", "m"],
];
for (const [error, code, message] of FAILURES) {
  Deno.test(`writer() writes the failure ${JSON.stringify(error)} with the code ${code}`, () => {
    const read = readResponseStream(streamOf([text("a"), tool(0, "f"), { type: "error", error }]));
    assertEquals(read.response.error, { code, message });
    assertEquals([read.error!.code, read.error!.message, read.error!.param], [code, message, null]);
    // Items that were done before are kept.
    assertEquals((read.response.output as unknown[]).length, 1);
  });
}

Deno.test("writer() writes a failure before any content as a complete stream", () => {
  const { response } = readResponseStream(streamOf([{ type: "error", error: { message: "m" } }]));
  assertEquals([response.status, response.output], ["failed", []]);
});

// ---------------------------------------------------------------- summaries

Deno.test("a compaction_trigger is answered with one item with the summary, which the next request reads", () => {
  const body = {
    input: [{ role: "user", content: "Hello" }, { type: "compaction_trigger" }],
    tools: OFFERED,
    tool_choice: "required",
  };
  const { messages, settings } = openaiResponses.readCall(body, "m");
  assertEquals(messages.map(({ role }) => role), ["user", "user"]);
  assertEquals([settings.tools, settings.tool_choice], [undefined, undefined]);
  const [item, ...others] = outputOf([thought({ text: "Hm" }), text("They "), text("greeted.")], body);
  assertEquals([item.type, others], ["compaction", []]);
  const next = openaiResponses.readCall({ input: [item, { role: "user", content: "Go on" }] }, "m");
  const [summary] = next.messages;
  assert("text" in summary.parts[0] && summary.parts[0].text.endsWith("\n\nThey greeted."));
});

Deno.test("/responses/compact answers with an object of its own, never streamed", () => {
  const call = openaiCompaction.readCall({ input: "Hello", stream: true }, "m");
  assertEquals(call.stream, false);
  const { emit, answer } = collector();
  emit(text("They greeted."));
  const { object, output, id } = openaiCompaction.writeAnswer(answer, call, DEFAULTS);
  assertEquals([object, id, (output as JsonObject[]).map(({ type }) => type)], [
    "response.compaction",
    "resp_1",
    ["compaction"],
  ]);
});

// ---------------------------------------------------------------- any list of deltas

Deno.test("any list of deltas gives the same answer whole and streamed, and reads back the same", () => {
  for (let seed = 0; seed < 300; seed++) {
    const deltas = randomDeltas(seed);
    const output = outputOf(deltas, { tools: OFFERED });
    const { messages } = openaiResponses.readCall(
      { input: [...output, { role: "user", content: "Go on" }] },
      "m",
    );
    const calls = messages.flatMap((message) => message.role === "assistant" ? message.calls : []);
    const { emit, answer } = collector();
    deltas.forEach((delta) => emit(structuredClone(delta)));
    const items = answer.choices[0]?.items ?? [];
    const expected = items.flatMap((item) => item.type === "tool" ? [item.call.name] : []);
    assertEquals(calls.map(({ name }) => name), expected, `seed ${seed}`);
    const said = messages.slice(0, -1).flatMap(({ parts }) => parts).map((part) =>
      "text" in part ? part.text : ""
    );
    const told = items.map((item) => item.type === "text" || item.type === "refusal" ? item.text : "");
    assertEquals(said.join(""), told.join(""), `seed ${seed}`);
  }
});
