/** How requests of OpenAI's Responses are read into neutral calls. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { openaiResponses } from "../../../wires/openai_responses/mod.ts";
import { seal } from "../../../wires/shared/envelope.ts";
import type { Call, JsonObject } from "../../../wires/types.ts";

function read(body: JsonObject): Call {
  openaiResponses.checkCall(body);
  return openaiResponses.readCall(body, "m");
}

const messagesOf = (...input: unknown[]) => read({ input }).messages;

/** Messages without their paths. */
const bare = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, member) => /[pP]ath$/.test(key) ? undefined : member));

const text = (said: string) => ({ type: "text", text: said });
const said = (...parts: unknown[]) => ({ role: "assistant", parts, thoughts: [], calls: [] });

// ---------------------------------------------------------------- messages

Deno.test("readCall() reads a text as the user's message, after the instructions", () => {
  const { messages, wire, stream } = read({ input: "Hello", instructions: "Be brief", stream: true });
  assertEquals([wire, stream], ["responses", true]);
  assertEquals(messages, [
    { role: "system", parts: [{ ...text("Be brief"), path: "instructions" } as never], path: "instructions" },
    { role: "user", parts: [{ ...text("Hello"), path: "input" } as never], path: "input" },
  ]);
});

/** Items of the input, each with the messages that they become. */
const MESSAGES: [string, unknown[], unknown[]][] = [
  ["the easy form", [{ role: "user", content: "Hi" }], [{ role: "user", parts: [text("Hi")] }]],
  [
    "parts",
    [{
      type: "message",
      role: "developer",
      content: [{ type: "input_text", text: "a" }, { type: "input_text", text: "b" }],
    }],
    [{ role: "developer", parts: [text("a"), text("b")] }],
  ],
  ["the assistant's easy form", [{ role: "assistant", content: "Yes" }], [said(text("Yes"))]],
  [
    "answers and refusals",
    [{
      type: "message",
      id: "msg_1",
      status: "completed",
      role: "assistant",
      phase: "final_answer",
      content: [{ type: "output_text", text: "a", annotations: [] }, { type: "refusal", refusal: "no" }],
    }],
    [said(text("a"), { type: "refusal", text: "no" })],
  ],
  [
    "answers side by side as one turn",
    [{ role: "assistant", content: "a" }, { role: "assistant", content: "b" }],
    [said(text("a"), text("b"))],
  ],
  [
    "a picture by address, by value and by id",
    [{
      role: "user",
      content: [
        { type: "input_image", image_url: "https://e.test/a.png", detail: "auto" },
        { type: "input_image", image_url: "data:image/png;base64,aGk=", detail: "low" },
        { type: "input_image", file_id: "file_1" },
      ],
    }],
    [{
      role: "user",
      parts: [
        { type: "image", media: { url: "https://e.test/a.png" } },
        { type: "image", media: { mime: "image/png", data: "aGk=" }, detail: "low" },
        { type: "image", media: { id: "file_1" } },
      ],
    }],
  ],
  [
    "files",
    [{
      role: "user",
      content: [
        { type: "input_file", file_data: "data:application/pdf;base64,aGk=", filename: "a.pdf" },
        { type: "input_file", file_data: "aGk=" },
        { type: "input_file", file_url: "https://e.test/a.pdf" },
        { type: "input_file", file_id: "file_1" },
      ],
    }],
    [{
      role: "user",
      parts: [
        { type: "file", media: { mime: "application/pdf", data: "aGk=" }, name: "a.pdf" },
        { type: "file", media: { mime: "application/pdf", data: "aGk=" } },
        { type: "file", media: { url: "https://e.test/a.pdf" } },
        { type: "file", media: { id: "file_1" } },
      ],
    }],
  ],
  [
    "sound",
    [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "aGk=", format: "mp3" } }] }],
    [{ role: "user", parts: [{ type: "audio", media: { mime: "audio/mpeg", data: "aGk=" } }] }],
  ],
  [
    "a drawn picture",
    [{ type: "image_generation_call", id: "ig_1", status: "completed", result: "aGk=" }],
    [said({ type: "image", media: { mime: "image/png", data: "aGk=" } })],
  ],
];
for (const [what, input, messages] of MESSAGES) {
  Deno.test(`readCall() reads ${what}`, () => assertEquals(bare(messagesOf(...input)), messages));
}

Deno.test("readCall() counts the offsets of sources from the start of the whole turn's text", () => {
  const note = (start_index: number) => ({
    type: "url_citation",
    url: "https://e.test",
    title: "E",
    start_index,
    end_index: 2,
  });
  const part = (start: number) => ({ type: "output_text", text: "abc", annotations: [note(start)] });
  const [message] = messagesOf(
    { type: "message", role: "assistant", content: [part(0), part(1)] },
    { type: "message", role: "assistant", content: [part(0)] },
  );
  const citation = (start: number, end: number) => ({ url: "https://e.test", title: "E", start, end });
  assertEquals((message as { citations?: unknown }).citations, [
    citation(0, 2),
    citation(4, 5),
    citation(6, 8),
  ]);
});

// ---------------------------------------------------------------- calls and results

const call = (id: string, name: string, args: string, more: object = {}) => ({
  id,
  name,
  arguments: args,
  ...more,
});
const called = (...calls: unknown[]) => ({ role: "assistant", parts: [], thoughts: [], calls });
const result = (callId: string, said: string, more: object = {}) => ({
  role: "tool",
  callId,
  parts: [text(said)],
  ...more,
});

const CALLS: [string, unknown[], unknown[]][] = [
  [
    "function calls and their outputs",
    [
      {
        type: "function_call",
        id: "fc_1",
        call_id: "c1",
        name: "f",
        arguments: '{"a":1}',
        status: "completed",
      },
      { type: "function_call", call_id: "c2", name: "g", arguments: "" },
      { type: "function_call_output", call_id: "c1", output: "one" },
      { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "two" }] },
    ],
    [called(call("c1", "f", '{"a":1}'), call("c2", "g", "")), result("c1", "one"), result("c2", "two")],
  ],
  [
    "calls in a namespace",
    [{ type: "function_call", call_id: "c1", namespace: "mcp__x", name: "y", arguments: "{}" }],
    [called(call("c1", "mcp__x__y", "{}"))],
  ],
  [
    "custom calls",
    [
      { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: "*** Begin Patch" },
      { type: "custom_tool_call_output", call_id: "c1", output: "Done" },
    ],
    [called(call("c1", "apply_patch", "*** Begin Patch", { custom: true })), result("c1", "Done")],
  ],
  [
    "a result with a picture",
    [
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      {
        type: "function_call_output",
        call_id: "c1",
        output: [{ type: "input_image", image_url: "https://e.test/a.png" }],
      },
    ],
    [
      called(call("c1", "f", "{}")),
      { role: "tool", callId: "c1", parts: [{ type: "image", media: { url: "https://e.test/a.png" } }] },
    ],
  ],
  [
    "a result behind what the user said meanwhile",
    [
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { role: "user", content: "Hurry" },
      { type: "function_call_output", call_id: "c1", output: "one" },
    ],
    [called(call("c1", "f", "{}")), result("c1", "one"), { role: "user", parts: [text("Hurry")] }],
  ],
  [
    "a text behind a call, and before its result, as of the call's turn",
    [
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { role: "assistant", content: "Wait" },
      { type: "function_call_output", call_id: "c1", output: "one" },
    ],
    [{ ...called(call("c1", "f", "{}")), parts: [text("Wait")] }, result("c1", "one")],
  ],
  [
    "a call behind a result as another answer's",
    [
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "one" },
      { type: "function_call", call_id: "c2", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c2", output: "two" },
    ],
    [called(call("c1", "f", "{}")), result("c1", "one"), called(call("c2", "f", "{}")), result("c2", "two")],
  ],
  [
    "a thought behind a call as the call's answer's, whatever comes behind the result",
    [
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "Hm." }] },
      { type: "function_call_output", call_id: "c1", output: "one" },
      { role: "assistant", content: "Yes" },
    ],
    [
      { ...called(call("c1", "f", "{}")), thoughts: [{ text: "Hm." }] },
      result("c1", "one"),
      said(text("Yes")),
    ],
  ],
  [
    "a text behind a call's result as a turn of its own",
    [
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "one" },
      { role: "assistant", content: "Wait" },
    ],
    [called(call("c1", "f", "{}")), result("c1", "one"), said(text("Wait"))],
  ],
  [
    "a local shell's call",
    [
      {
        type: "local_shell_call",
        id: "lsh_1",
        call_id: "c1",
        status: "completed",
        action: { type: "exec", command: ["ls"], env: {} },
      },
      { type: "local_shell_call_output", id: "c1", output: "a.txt" },
    ],
    [called(call("c1", "local_shell", '{"command":["ls"],"env":{}}')), result("c1", "a.txt")],
  ],
  [
    "a shell's call",
    [
      { type: "shell_call", call_id: "c1", action: { commands: ["ls"] } },
      {
        type: "shell_call_output",
        call_id: "c1",
        output: [{ stdout: "a", stderr: "", outcome: { type: "timeout" } }],
      },
    ],
    [
      called(call("c1", "shell", '{"commands":["ls"]}')),
      result("c1", '[{"stdout":"a","stderr":"","outcome":{"type":"timeout"}}]'),
    ],
  ],
  [
    "a patch's call",
    [
      {
        type: "apply_patch_call",
        call_id: "c1",
        status: "completed",
        operation: { type: "delete_file", path: "a" },
      },
      { type: "apply_patch_call_output", call_id: "c1", status: "failed", output: "No such file" },
    ],
    [
      called(call("c1", "apply_patch", '{"operation":{"type":"delete_file","path":"a"}}')),
      result("c1", "No such file", { error: true }),
    ],
  ],
  [
    "a computer's call",
    [
      { type: "computer_call", id: "cu_1", call_id: "c1", status: "completed", action: { type: "wait" } },
      {
        type: "computer_call_output",
        call_id: "c1",
        output: { type: "computer_screenshot", image_url: "https://e.test/s" },
      },
    ],
    [
      called(call("c1", "computer", '{"action":{"type":"wait"}}')),
      { role: "tool", callId: "c1", parts: [{ type: "image", media: { url: "https://e.test/s" } }] },
    ],
  ],
  [
    "a client's search for tools",
    [
      { type: "tool_search_call", call_id: "c1", execution: "client", arguments: { query: "mail" } },
      {
        type: "tool_search_output",
        call_id: "c1",
        execution: "client",
        tools: [{ type: "function", name: "send" }],
      },
    ],
    [
      called(call("c1", "tool_search", '{"query":"mail"}')),
      result("c1", "Found these tools, which can be called now: send"),
    ],
  ],
  [
    "what an MCP server was asked",
    [{ type: "mcp_call", id: "mcp_1", server_label: "s", name: "n", arguments: "{}", output: "out" }],
    [{
      role: "assistant",
      parts: [],
      thoughts: [],
      calls: [],
      served: [{
        kind: "mcp",
        id: "mcp_1",
        tool: { server: "s", name: "n" },
        input: {},
        output: "out",
        after: 0,
      }],
    }],
  ],
  [
    "code that ran",
    [{
      type: "code_interpreter_call",
      id: "ci_1",
      code: "1",
      container_id: "c",
      outputs: [{ type: "logs", logs: "1" }],
    }],
    [
      called(call("ci_1", "code_interpreter", '{"code":"1"}')),
      result("ci_1", '[{"type":"logs","logs":"1"}]'),
    ],
  ],
];
for (const [what, input, messages] of CALLS) {
  Deno.test(`readCall() reads ${what}`, () => {
    const { messages: got, dropped } = read({ input });
    assertEquals(bare(got), messages);
    assertEquals(dropped, []);
  });
}

Deno.test("readCall() keeps Gemini's signature from the id of a tool call", () => {
  const [message] = messagesOf({
    type: "function_call",
    call_id: "c1__sig_YWJj",
    name: "f",
    arguments: "{}",
  });
  const { calls } = message as { calls: unknown };
  assertEquals(calls, [{ id: "c1", name: "f", arguments: "{}", path: "input[0]", signature: "YWJj" }]);
});

// ---------------------------------------------------------------- reasoning

const think = (item: object) => {
  const { messages, dropped } = read({
    input: [{ type: "reasoning", summary: [], ...item }, { role: "user", content: "x" }],
  });
  const [first] = messages;
  return { thoughts: first.role === "assistant" ? bare(first.thoughts) : undefined, dropped };
};

Deno.test("readCall() opens the envelope of a thought, and keeps its text", () => {
  const signed = { text: "Hm", signature: "c2ln", format: "anthropic-claude-v1" };
  const summary = [{ type: "summary_text", text: "Hm" }];
  assertEquals(think({ id: "rs_1", summary, encrypted_content: seal(signed) }).thoughts, [signed]);
  const content = [{ type: "reasoning_text", text: "Hm" }];
  assertEquals(think({ id: "rs_1", content, encrypted_content: seal(signed) }).thoughts, [signed]);
});

Deno.test("readCall() takes sealed reasoning without a format for OpenAI's", () => {
  assertEquals(think({ id: "rs_1", encrypted_content: "gAAAA" }).thoughts, [
    { redacted: "gAAAA", format: "openai-responses-v1", id: "rs_1" },
  ]);
});

Deno.test("readCall() keeps a thought without a proof, and names one that is only an id", () => {
  assertEquals(think({ content: [{ type: "reasoning_text", text: "Hm" }] }).thoughts, [{ text: "Hm" }]);
  assertEquals(think({ id: "rs_1" }), { thoughts: undefined, dropped: ["input[0]"] });
});

Deno.test("readCall() splits a turn where a thought follows its text or call, so that the order stays", () => {
  const thought = { type: "reasoning", content: [{ type: "reasoning_text", text: "t" }], summary: [] };
  const messages = messagesOf(
    thought,
    { role: "assistant", content: "a" },
    thought,
    { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: "r" },
  );
  assertEquals(bare(messages), [
    { role: "assistant", parts: [text("a")], thoughts: [{ text: "t" }], calls: [] },
    { role: "assistant", parts: [], thoughts: [{ text: "t" }], calls: [call("c1", "f", "{}")] },
    result("c1", "r"),
  ]);
});

Deno.test("readCall() adds a thought that nothing follows to the turn before it", () => {
  const [message, ...others] = messagesOf(
    { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
    { type: "reasoning", summary: [], encrypted_content: seal({ redacted: "eA==", format: "f" }) },
    { type: "function_call_output", call_id: "c1", output: "r" },
  );
  assertEquals(bare(message), {
    role: "assistant",
    parts: [],
    thoughts: [{ redacted: "eA==", format: "f" }],
    calls: [call("c1", "f", "{}")],
  });
  assertEquals(bare(others), [result("c1", "r")]);
});

Deno.test("readCall() puts the signature of an answer back on its message", () => {
  const envelope = seal({ signature: "c2ln", format: "google-gemini-v1" }, { ofAnswer: true });
  const [message] = messagesOf(
    { role: "assistant", content: "a" },
    { type: "reasoning", summary: [], encrypted_content: envelope },
  );
  assertEquals((message as { signature?: string }).signature, "c2ln");
});

// ---------------------------------------------------------------- what is refused and what is named

const REFUSED: [JsonObject, string, string][] = [
  [{ input: "x", previous_response_id: "resp_1" }, "previous_response_not_found", "previous_response_id"],
  [{ input: "x", conversation: "conv_1" }, "previous_response_not_found", "conversation"],
  [{ input: [{ type: "item_reference", id: "msg_1" }] }, "previous_response_not_found", "input[0]"],
  [{ input: [{ id: "msg_1" }] }, "previous_response_not_found", "input[0]"],
  [
    { input: [{ type: "compaction", id: "cmp_1", encrypted_content: "gAAAA" }] },
    "previous_response_not_found",
    "input[0]",
  ],
  [{ input: "x", background: true }, "invalid_request", "background"],
  [{ input: "x", prompt: { id: "pmpt_1" } }, "invalid_request", "prompt"],
  [{}, "invalid_request", "input"],
  [{ input: [] }, "invalid_request", "input"],
  [{ input: 3 }, "invalid_request", "input"],
  [{ input: ["x"] }, "invalid_request", "input[0]"],
  [{ input: "x", stream: "yes" }, "invalid_request", "stream"],
  [{ input: "x", max_output_tokens: 0 }, "invalid_request", "max_output_tokens"],
  [{ input: "x", temperature: "hot" }, "invalid_request", "temperature"],
  [{ input: "x", tools: [3] }, "invalid_request", "tools[0]"],
  [{ input: "x", tools: [{ type: "function" }] }, "invalid_request", "tools[0].name"],
  [
    { input: "x", tools: [{ type: "namespace", name: "n", tools: [{}] }] },
    "invalid_request",
    "tools[0].tools[0].name",
  ],
  [{ input: [{ role: "judge", content: "x" }] }, "invalid_request", "input[0].role"],
  [{ input: [{ role: "user", content: 3 }] }, "invalid_request", "input[0].content"],
  [
    { input: [{ role: "user", content: [{ type: "input_text" }] }] },
    "invalid_request",
    "input[0].content[0].text",
  ],
  [{ input: [{ type: "function_call", name: "f", arguments: "{}" }] }, "invalid_request", "input[0].call_id"],
  [{ input: [{ type: "function_call", call_id: "c" }] }, "invalid_request", "input[0].name"],
  [
    { input: [{ type: "function_call", call_id: "c", name: "f", arguments: "[".repeat(3000) }] },
    "invalid_request",
    "input[0].arguments",
  ],
  [{ input: "x", text: { format: { type: "xml" } } }, "invalid_request", "text.format.type"],
  [{ input: "x", text: { format: { type: "json_schema" } } }, "invalid_request", "text.format.schema"],
  [
    { input: "x", tools: [{ type: "function", name: "f" }], tool_choice: 3 },
    "invalid_request",
    "tool_choice",
  ],
];
for (const [body, code, param] of REFUSED) {
  Deno.test(`readCall() refuses ${JSON.stringify(body).slice(0, 100)} at ${param}`, () => {
    const error = assertThrows(() => read(body), GatewayError);
    assertEquals([error.code, error.details.param], [code, param]);
    assert(!error.message.includes("gAAAA"));
  });
}

/** What is left out, and the path that names it. */
const NAMED: [JsonObject, string[]][] = [
  [{ store: true }, ["store"]],
  [{ store: false, stream_options: { include_obfuscation: false }, client_metadata: { a: "b" } }, []],
  [{ truncation: "auto" }, ["truncation"]],
  [{
    truncation: "disabled",
    background: false,
    previous_response_id: null,
    conversation: null,
    prompt: null,
  }, []],
  [{ max_tool_calls: 3 }, ["max_tool_calls"]],
  [{ include: ["reasoning.encrypted_content", "web_search_call.action.sources"] }, []],
  [{ include: ["file_search_call.results"] }, ["include[0]"]],
  [{ context_management: [{ type: "compaction" }], prompt_cache_options: {} }, [
    "context_management",
    "prompt_cache_options",
  ]],
  [{ reasoning: { effort: "low", context: "all" } }, ["reasoning.context"]],
  [{
    tools: [{ type: "mcp" }, { type: "file_search" }, { type: "image_generation" }, { type: "computer" }, {
      type: "shell",
      environment: { type: "container_auto" },
    }],
  }, ["tools[0]", "tools[1]", "tools[2]", "tools[3]", "tools[4]"]],
  [{ tools: [{ type: "function", name: "f", output_schema: {}, defer_loading: true }] }, [
    "tools[0].output_schema",
  ]],
  [{ input: [{ role: "user", content: [{ type: "hologram" }, { type: "input_text", text: "x" }] }] }, [
    "input[0].content[0]",
  ]],
  [
    {
      input: [
        { role: "user", content: "x" },
        { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
        { type: "mcp_list_tools", id: "l", server_label: "s", tools: [] },
        { type: "telepathy" },
      ],
    },
    ["input[1]", "input[2]", "input[3]"],
  ],
];
for (const [body, dropped] of NAMED) {
  Deno.test(`readCall() names ${dropped.join(", ") || "nothing"} as dropped from ${JSON.stringify(body).slice(0, 100)}`, () => {
    assertEquals(read({ input: "x", ...body }).dropped, dropped);
  });
}

// ---------------------------------------------------------------- settings

Deno.test("readCall() reads the settings, each under the client's own name for it", () => {
  const { settings, sent } = read({
    input: "x",
    max_output_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    reasoning: { effort: "high", summary: "auto" },
    text: {
      verbosity: "low",
      format: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true },
    },
    top_logprobs: 2,
    metadata: { a: "b" },
    prompt_cache_key: "k",
    safety_identifier: "s",
    service_tier: "flex",
    user: "u",
  });
  assertEquals(settings, {
    metadata: { a: "b" },
    prompt_cache_key: "k",
    safety_identifier: "s",
    service_tier: "flex",
    temperature: 0.5,
    top_p: 0.9,
    user: "u",
    max_tokens: 9,
    reasoning_effort: "high",
    reasoning_summary: "auto",
    verbosity: "low",
    response_format: {
      type: "json_schema",
      name: "n",
      description: undefined,
      schema: { type: "object" },
      strict: true,
      path: "text.format",
    },
    logprobs: true,
    top_logprobs: 2,
  });
  assertEquals(Object.fromEntries(sent), {
    metadata: "metadata",
    prompt_cache_key: "prompt_cache_key",
    safety_identifier: "safety_identifier",
    service_tier: "service_tier",
    temperature: "temperature",
    top_p: "top_p",
    user: "user",
    max_tokens: "max_output_tokens",
    reasoning_effort: "reasoning.effort",
    reasoning_summary: "reasoning.summary",
    verbosity: "text.verbosity",
    response_format: "text.format",
    logprobs: "top_logprobs",
    top_logprobs: "top_logprobs",
  });
});

Deno.test("readCall() takes the last configuration_update for the settings", () => {
  const { settings, sent } = read({
    reasoning: { effort: "low" },
    text: { format: { type: "json_object" } },
    input: [
      { type: "configuration_update", reasoning: { effort: "high" } },
      { role: "user", content: "x" },
      { type: "configuration_update", reasoning: { effort: "max" }, text: { format: { type: "text" } } },
    ],
  });
  assertEquals([settings.reasoning_effort, settings.response_format], ["max", undefined]);
  assertEquals(Object.fromEntries(sent), { reasoning_effort: "input[2].reasoning.effort" });
});

// ---------------------------------------------------------------- tools

const toolsOf = (body: JsonObject) => {
  const { settings, dropped } = read({ input: "x", ...body });
  return { tools: settings.tools?.map((tool) => bare(tool)) as JsonObject[], settings, dropped };
};

Deno.test("readCall() reads functions with their paths", () => {
  const { settings } = read({
    input: "x",
    tools: [{ type: "function", name: "f", description: "d", parameters: { type: "object" }, strict: true }],
  });
  assertEquals(settings.tools, [{
    type: "function",
    name: "f",
    description: "d",
    parameters: { type: "object" },
    strict: true,
    path: "tools[0]",
    definitionPath: "tools[0]",
    parametersPath: "tools[0].parameters",
    extra: {},
  }]);
});

Deno.test("readCall() reads custom tools and their grammars", () => {
  const format = { type: "grammar", syntax: "lark", definition: "start: /a/" };
  const { tools } = toolsOf({
    tools: [{ type: "custom", name: "c", format }, { type: "custom", name: "d" }],
  });
  assertEquals(tools, [{ type: "custom", name: "c", format }, { type: "custom", name: "d" }]);
});

Deno.test("readCall() flattens namespaces to names that every provider accepts", () => {
  const long = "n".repeat(40);
  const { tools, dropped } = toolsOf({
    tools: [
      {
        type: "namespace",
        name: "mcp__x",
        description: "About x",
        tools: [{ type: "function", name: "y", description: "Does y" }, { type: "custom", name: "z" }],
      },
      { type: "namespace", name: long, description: "", tools: [{ type: "function", name: long }] },
      { type: "namespace", name: "a b", description: "", tools: [{ type: "function", name: "c" }] },
    ],
  });
  assertEquals(tools.slice(0, 2).map(({ name, description }) => [name, description]), [
    ["mcp__x__y", "[mcp__x: About x]\nDoes y"],
    ["mcp__x__z", undefined],
  ]);
  for (const { name } of tools) assert(/^[\w-]{1,64}$/.test(`${name}`), `${name}`);
  assertEquals(new Set(tools.map(({ name }) => name)).size, 4);
  assertEquals(dropped, []);
});

Deno.test("readCall() keeps names different that would be equal once they are flat", () => {
  const space = (name: string, tool: string) => ({
    type: "namespace",
    name,
    description: "",
    tools: [{ type: "function", name: tool }],
  });
  const { tools } = toolsOf({
    tools: [space("a__b", "c"), space("a", "b__c"), { type: "function", name: "a__b__c" }],
  });
  assertEquals(new Set(tools.map(({ name }) => name)).size, 3);
});

Deno.test("readCall() offers the tools that items add, each once", () => {
  const send = { type: "function", name: "send", parameters: {} };
  const { tools } = toolsOf({
    tools: [{
      type: "tool_search",
      execution: "client",
      description: "Finds",
      parameters: { type: "object" },
    }],
    input: [
      { type: "additional_tools", role: "developer", tools: [send] },
      { role: "user", content: "x" },
      { type: "tool_search_call", call_id: "c", execution: "client", arguments: {} },
      {
        type: "tool_search_output",
        call_id: "c",
        execution: "client",
        tools: [send, {
          type: "namespace",
          name: "n",
          description: "",
          tools: [{ type: "function", name: "m" }],
        }],
      },
    ],
  });
  assertEquals(tools.map(({ name }) => name), ["tool_search", "send", "n__m"]);
  assertEquals([tools[0].description, tools[0].parameters], ["Finds", { type: "object" }]);
});

Deno.test("readCall() reads tools that the client runs as functions, and offers all tools in place of OpenAI's tool search", () => {
  const { tools, dropped } = toolsOf({
    tools: [
      { type: "shell", environment: { type: "local" } },
      { type: "local_shell" },
      { type: "apply_patch" },
      { type: "tool_search" },
      { type: "function", name: "f", defer_loading: true },
    ],
  });
  assertEquals(tools.map(({ type, name, kind }) => [type, name, kind]), [
    ["function", "shell", "shell"],
    ["function", "local_shell", "local_shell"],
    ["function", "apply_patch", "apply_patch"],
    ["function", "f", undefined],
  ]);
  assertEquals(dropped, []);
});

Deno.test("readCall() reads server tools by their kind", () => {
  const search = {
    type: "web_search",
    filters: { allowed_domains: ["a.test"], blocked_domains: ["b.test"] },
    user_location: { type: "approximate", city: "Bern" },
    search_context_size: "low",
  };
  const code = { type: "code_interpreter", container: { type: "auto" } };
  assertEquals(toolsOf({ tools: [search, { type: "web_search_preview" }, code] }).tools, [
    {
      type: "server",
      kind: "web_search",
      value: search,
      search: {
        allowedDomains: ["a.test"],
        blockedDomains: ["b.test"],
        location: { type: "approximate", city: "Bern" },
        contextSize: "low",
      },
    },
    { type: "server", kind: "web_search", value: { type: "web_search_preview" }, search: {} },
    { type: "server", kind: "code_execution", value: code },
  ]);
});

const OFFERED = [
  { type: "function", name: "f" },
  { type: "custom", name: "c" },
  { type: "apply_patch" },
  { type: "namespace", name: "n", description: "", tools: [{ type: "function", name: "m" }] },
];
const CHOICES: [unknown, unknown, unknown, string[]][] = [
  ["auto", "auto", undefined, []],
  ["required", "required", undefined, []],
  ["none", "none", undefined, []],
  [{ type: "function", name: "f" }, { name: "f" }, undefined, []],
  [{ type: "custom", name: "c" }, { name: "c" }, undefined, []],
  [{ type: "apply_patch" }, { name: "apply_patch" }, undefined, []],
  [{ type: "function", namespace: "n", name: "m" }, { name: "n__m" }, undefined, []],
  [{ type: "file_search" }, undefined, undefined, ["tool_choice"]],
  [
    { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "f" }, { type: "mcp" }] },
    "required",
    ["f"],
    ["tool_choice.tools[1]"],
  ],
  [{ type: "allowed_tools", mode: "auto", tools: [{ type: "custom", name: "c" }] }, "auto", ["c"], []],
  [
    { type: "allowed_tools", mode: "required", tools: [{ type: "mcp" }] },
    "none",
    undefined,
    ["tool_choice.tools[0]", "tool_choice.mode"],
  ],
];
for (const [tool_choice, choice, allowed, named] of CHOICES) {
  Deno.test(`readCall() reads the choice ${JSON.stringify(tool_choice)}`, () => {
    const { settings, dropped } = toolsOf({ tools: OFFERED, tool_choice });
    assertEquals([settings.tool_choice, settings.allowed_tools, dropped], [
      choice as never,
      allowed as never,
      named,
    ]);
  });
}
