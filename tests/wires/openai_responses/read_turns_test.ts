/** How requests of OpenAI's Responses are read into neutral calls. */
import { assertEquals } from "@std/assert";
import { seal } from "../../../wires/shared/envelope.ts";
import { bare, read, said, text } from "./read.ts";

const messagesOf = (...input: unknown[]) => read({ input }).messages;

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
