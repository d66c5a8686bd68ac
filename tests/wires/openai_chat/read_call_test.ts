import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../../../wires/errors.ts";
import { isObject } from "../../../wires/shared/json.ts";
import { checkCall, readCall } from "../../../wires/openai_chat/read_call.ts";
import { isPlainTalk, MESSAGES } from "../../../wires/openai_chat/read_turns.ts";
import type { Call, JsonObject, Message } from "../../../wires/types.ts";

const USER = { role: "user", content: "Hello" };

/** The call of a body with these fields. */
function read(fields: JsonObject): Call {
  const body = { model: "p/m", messages: [USER], ...fields };
  checkCall(body);
  return readCall(body, "m");
}

/** The call of this JSON text. */
const readText = (fields: string) => read(JSON.parse(`{${fields}}`));

const readMessages = (...messages: JsonObject[]) => read({ messages }).messages;

/** The messages without members that are `undefined`, to compare them. */
const bare = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** The messages without their paths. */
const withoutPaths = (list: object[]): unknown[] =>
  list.map((one) => Object.fromEntries(Object.entries(bare(one)).filter(([name]) => !/path$/i.test(name))));

/** The parts of a user message with this content, without their paths. */
function readParts(...content: JsonObject[]): unknown[] {
  const [{ parts }] = readMessages({ role: "user", content });
  parts.forEach(({ path }, at) => assertEquals(path, `messages[0].content[${at}]`));
  return withoutPaths(parts);
}

function fault(fields: JsonObject): { param?: string; message: string } {
  const error = assertThrows(() => read(fields), GatewayError);
  assertEquals(error.code, "invalid_request");
  return { param: error.details.param, message: error.message };
}

// ---------------------------------------------------------------- messages

Deno.test("readCall() keeps roles, order, names and both forms of content", () => {
  const messages = readMessages(
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "Hi" }, { type: "text", text: "there" }], name: "ann" },
    { role: "developer", content: "In French." },
    { role: "assistant", content: "Sal" },
  );
  assertEquals(bare(messages), [
    {
      path: "messages[0]",
      role: "system",
      parts: [{ type: "text", text: "Be brief.", path: "messages[0].content" }],
    },
    {
      path: "messages[1]",
      role: "user",
      name: "ann",
      parts: [
        { type: "text", text: "Hi", path: "messages[1].content[0]" },
        { type: "text", text: "there", path: "messages[1].content[1]" },
      ],
    },
    {
      path: "messages[2]",
      role: "developer",
      parts: [{ type: "text", text: "In French.", path: "messages[2].content" }],
    },
    {
      path: "messages[3]",
      role: "assistant",
      parts: [{ type: "text", text: "Sal", path: "messages[3].content" }],
      thoughts: [],
      calls: [],
    },
  ] as Message[]);
});

Deno.test("readCall() reads empty content as empty", () => {
  const [user, list, nothing, absent] = readMessages(
    { role: "user", content: "" },
    { role: "user", content: [] },
    { role: "assistant", content: null },
    { role: "assistant" },
  );
  assertEquals(user.parts, [{ type: "text", text: "", path: "messages[0].content" }]);
  for (const { parts } of [list, nothing, absent]) assertEquals(parts, []);
});

Deno.test("readCall() reads tool calls and their results, errors among them", () => {
  const [assistant, result, failed] = readMessages(
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
        { id: "b", type: "function", function: { name: "g", arguments: { x: 1 } } },
        { id: "c", type: "function", function: { name: "h" } },
        { id: "d", type: "custom", custom: { name: "i", input: "free text" } },
      ],
    },
    { role: "tool", tool_call_id: "a", content: [{ type: "text", text: "1" }] },
    { role: "tool", tool_call_id: "b", content: "no", is_error: true },
  );
  assert(assistant.role === "assistant" && result.role === "tool" && failed.role === "tool");
  assertEquals(bare(assistant.calls), [
    { id: "a", name: "f", arguments: '{"x":1}', path: "messages[0].tool_calls[0]" },
    { id: "b", name: "g", arguments: '{"x":1}', path: "messages[0].tool_calls[1]" },
    { id: "c", name: "h", arguments: "", path: "messages[0].tool_calls[2]" },
    { id: "d", name: "i", arguments: "free text", custom: true, path: "messages[0].tool_calls[3]" },
  ]);
  assertEquals([result.callId, result.error], ["a", undefined]);
  assertEquals([failed.callId, failed.error], ["b", true]);
});

Deno.test("readCall() gives legacy function calls ids that link their results", () => {
  const messages = readMessages(
    { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
    { role: "function", name: "f", content: "1" },
    { role: "assistant", content: null, function_call: { name: "f", arguments: '{"again":true}' } },
    { role: "function", name: "f", content: null },
    { role: "function", name: "never_called", content: "2" },
  );
  const ids = messages.map((message) =>
    message.role === "assistant"
      ? message.calls.map(({ id }) => id).join()
      : message.role === "tool"
      ? message.callId
      : ""
  );
  assertEquals(ids[0], ids[1]);
  assertEquals(ids[2], ids[3]);
  assertEquals(new Set(ids).size, 3);
  assert(messages[0].role === "assistant");
  assertEquals(messages[0].calls[0].path, "messages[0].function_call");
  assertEquals(messages[1].name, undefined, "a function's name is no speaker's");
});

Deno.test("readCall() reads Google's signature from Google's member, else from the id", () => {
  const signed = (signature: string) => ({ extra_content: { google: { thought_signature: signature } } });
  const call = { type: "function", function: { name: "f", arguments: "{}" } };
  const [assistant, result] = readMessages(
    {
      role: "assistant",
      content: "x",
      ...signed("bWVzc2FnZQ=="),
      tool_calls: [{ id: "a", ...call, ...signed("Y2FsbA==") }, { id: "b__sig_ab-_cd", ...call }],
    },
    { role: "tool", tool_call_id: "b__sig_ab-_cd", content: "1" },
  );
  assert(assistant.role === "assistant" && result.role === "tool");
  assertEquals(assistant.signature, "bWVzc2FnZQ==");
  assertEquals(assistant.calls.map(({ id, signature }) => [id, signature]), [
    ["a", "Y2FsbA=="],
    ["b", "ab+/cd=="],
  ]);
  assertEquals(result.callId, "b");
});

Deno.test("readCall() names members of messages that no other wire has, but not those that clients return from an answer", () => {
  const { dropped } = read({
    messages: [
      { role: "user", content: "x", weight: 1, cache_control: { type: "ephemeral" } },
      {
        role: "assistant",
        content: "x",
        audio: { id: "audio_1" },
        refusal: null,
        tool_calls: null,
        function_call: null,
        annotations: [],
        reasoning_content: "",
        provider_specific_fields: {},
      },
    ],
  });
  assertEquals(dropped, ["messages[0].weight", "messages[1].audio"]);
});

// ---------------------------------------------------------------- reasoning

Deno.test("readCall() reads earlier reasoning under each of its names", () => {
  const thoughtsOf = (member: JsonObject) => {
    const [message] = readMessages({ role: "assistant", content: "x", ...member });
    assert(message.role === "assistant");
    return withoutPaths(message.thoughts);
  };
  assertEquals(thoughtsOf({ reasoning_content: "a" }), [{ text: "a" }]);
  assertEquals(thoughtsOf({ reasoning: "a" }), [{ text: "a" }]);
  assertEquals(thoughtsOf({ reasoning: { effort: "low" } }), []);
  assertEquals(
    thoughtsOf({
      reasoning_content: "a b",
      reasoning_details: [
        { type: "reasoning.text", text: "a", signature: "S", format: "anthropic-claude-v1", index: 0 },
        { type: "reasoning.encrypted", data: "D", format: "anthropic-claude-v1", index: 1 },
        { type: "reasoning.summary", summary: "b", index: 2 },
      ],
    }),
    [
      { text: "a", signature: "S", format: "anthropic-claude-v1" },
      { redacted: "D", format: "anthropic-claude-v1" },
      { text: "b" },
    ],
  );
  assertEquals(thoughtsOf({ thinking_blocks: [{ type: "thinking", thinking: "a", signature: "S" }] }), [
    { text: "a", signature: "S" },
  ]);
  assertEquals(thoughtsOf({ reasoning_details: [], reasoning: "a" }), [{ text: "a" }]);
  assertEquals(thoughtsOf({ reasoning_details: [null, {}, { text: 5 }, "x"] }), []);
  assertEquals(
    thoughtsOf({
      content: [
        { type: "thinking", thinking: "a", signature: "S" },
        { type: "redacted_thinking", data: "D" },
        { type: "text", text: "x" },
      ],
    }),
    [{ text: "a", signature: "S" }, { redacted: "D" }],
  );
});

Deno.test("readCall() joins the fragments of a block, up to its signature", () => {
  const thoughtsOf = (...details: JsonObject[]) => {
    const [message] = readMessages({ role: "assistant", content: "x", reasoning_details: details });
    assert(message.role === "assistant");
    return withoutPaths(message.thoughts);
  };
  assertEquals(thoughtsOf({ text: "a", index: 0 }, { text: "b", index: 0 }, { signature: "S", index: 0 }), [
    { text: "ab", signature: "S" },
  ]);
  // Some providers number every block 0, or number none. A signature still ends a block.
  assertEquals(
    thoughtsOf(
      { text: "a", signature: "S", index: 0 },
      { text: "b", index: 0 },
      { signature: "T", index: 0 },
    ),
    [{ text: "a", signature: "S" }, { text: "b", signature: "T" }],
  );
  assertEquals(thoughtsOf({ text: "a", index: null }, { text: "b", index: null }), [{ text: "a" }, {
    text: "b",
  }]);
  assertEquals(thoughtsOf({ data: "D", index: 0 }, { text: "b", index: 0 }), [{ redacted: "D" }, {
    text: "b",
  }]);
});

// ---------------------------------------------------------------- parts

Deno.test("readCall() reads every kind of part", () => {
  assertEquals(
    readParts(
      { type: "text", text: "x", cache_control: { type: "ephemeral" } },
      { type: "image_url", image_url: { url: "https://a.example/b.png", detail: "low" } },
      { type: "image_url", image_url: "https://a.example/b.png" },
      { type: "video_url", video_url: { url: "https://a.example/b.mp4" } },
      { type: "file", file: { file_id: "file-1", filename: "a.pdf" } },
      { type: "file", file: { file_data: "https://a.example/b.pdf" } },
      { type: "file", file: { file_data: "QUJD\nRA==" } },
      { type: "input_audio", input_audio: { data: "QUJD", format: "mp3" } },
      { type: "input_audio", input_audio: { data: "QU\r\nJD", format: "wav" } },
      { type: "refusal", refusal: "no" },
      { type: "document", source: { type: "text" } },
    ),
    [
      { type: "text", text: "x", cache: { type: "ephemeral" } },
      { type: "image", media: { url: "https://a.example/b.png" }, detail: "low" },
      { type: "image", media: { url: "https://a.example/b.png" } },
      { type: "video", media: { url: "https://a.example/b.mp4" } },
      { type: "file", media: { id: "file-1" }, name: "a.pdf" },
      { type: "file", media: { url: "https://a.example/b.pdf" } },
      { type: "file", media: { mime: "application/pdf", data: "QUJDRA==" } },
      { type: "audio", media: { mime: "audio/mpeg", data: "QUJD" } },
      { type: "audio", media: { mime: "audio/wav", data: "QUJD" } },
      { type: "refusal", text: "no" },
      { type: "native", value: { type: "document", source: { type: "text" } } },
    ],
  );
});

Deno.test("readCall() reads data URLs in every form", () => {
  const media = (url: string) =>
    (readParts({ type: "image_url", image_url: { url } })[0] as JsonObject).media;
  const forms: [string, string, string][] = [
    ["data:image/png;base64,QUJD", "image/png", "QUJD"],
    ["DATA:image/png;BASE64,QUJD", "image/png", "QUJD"],
    [" data:image/png;base64,QUJD", "image/png", "QUJD"],
    ["data:image/png;base64,QU\r\nJD ", "image/png", "QUJD"],
    ["data:image/png;base64,%2B%2FA%3D", "image/png", "+/A="],
    ["data:text/html;charset=utf-8;base64,QUJD", "text/html", "QUJD"],
    ["data:;base64,QUJD", "text/plain", "QUJD"],
    ["data:,ABC", "text/plain", "QUJD"],
    ["data:image/svg+xml,%3Csvg%3Eé", "image/svg+xml", btoa("<svg>\xc3\xa9")],
    ["data:image/png;base64,", "image/png", ""],
  ];
  for (const [url, mime, data] of forms) assertEquals(media(url), { mime, data }, url);
  // A comma after the first is data.
  assertEquals(media("data:text/plain,a,b"), { mime: "text/plain", data: btoa("a,b") });
});

Deno.test("readCall() reads pictures that an assistant made as parts", () => {
  const { messages: [{ parts }], dropped } = read({
    messages: [{
      role: "assistant",
      content: "Here.",
      images: [
        { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" }, index: 0 },
        { url: "elsewhere" },
      ],
    }],
  });
  assertEquals(parts[1], {
    type: "image",
    media: { mime: "image/png", data: "QUJD" },
    mediaPath: "messages[0].images[0].image_url",
    path: "messages[0].images[0]",
  });
  assertEquals(dropped, ["messages[0].images[1]"]);
});

// ---------------------------------------------------------------- tools

Deno.test("readCall() reads tools with their further members, and keeps schemas unchanged", () => {
  const parameters = JSON.parse('{"type":"object","z":1,"a":{"$ref":"#/$defs/x"},"__proto__":{"b":2}}');
  const { settings, dropped, sent } = read({
    tools: [
      {
        type: "function",
        function: { name: "f", description: "d", parameters, strict: true, defer_loading: true },
        cache_control: { type: "ephemeral" },
        eager: 1,
      },
      { type: "function", function: { name: "g", description: null, parameters: null, strict: null } },
      { type: "web_search_20250305", name: "web_search" },
      { googleSearch: {} },
      { type: "custom", custom: { name: "free" } },
      {
        type: "custom",
        custom: {
          name: "patch",
          description: "d",
          format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /a/" } },
          more: 1,
        },
        cache_control: { type: "ephemeral" },
      },
    ],
  });
  const [first, ...rest] = settings.tools!;
  assert(first.type === "function");
  assertEquals(first.parameters, parameters);
  assertEquals(
    bare([{ ...first, parameters: undefined }, ...rest]),
    [
      {
        type: "function",
        name: "f",
        description: "d",
        strict: true,
        cache: { type: "ephemeral" },
        extra: { defer_loading: true, eager: 1 },
        path: "tools[0]",
        definitionPath: "tools[0].function",
        parametersPath: "tools[0].function.parameters",
      },
      {
        type: "function",
        name: "g",
        extra: {},
        path: "tools[1]",
        definitionPath: "tools[1].function",
        parametersPath: "tools[1].function.parameters",
      },
      { type: "native", value: { type: "web_search_20250305", name: "web_search" }, path: "tools[2]" },
      { type: "native", value: { googleSearch: {} }, path: "tools[3]" },
      { type: "custom", name: "free", path: "tools[4]", formatPath: "tools[4].custom.format" },
      {
        type: "custom",
        name: "patch",
        description: "d",
        format: { type: "grammar", syntax: "lark", definition: "start: /a/" },
        cache: { type: "ephemeral" },
        path: "tools[5]",
        formatPath: "tools[5].custom.format",
      },
    ] as Call["settings"]["tools"],
  );
  assertEquals(dropped, ["tools[5].custom.more"]);
  assertEquals(sent.get("tools"), "tools");
});

Deno.test("readCall() reads every form of tool_choice", () => {
  const choice = (tool_choice: unknown) => read({ tool_choice }).settings.tool_choice;
  for (const word of ["none", "auto", "required"] as const) {
    assertEquals(choice(word), word);
    assertEquals(choice({ type: word }), word);
  }
  assertEquals(choice("any"), "required");
  assertEquals(choice({ type: "any" }), "required");
  assertEquals(choice({ type: "function", function: { name: "f" } }), { name: "f" });
  assertEquals(choice({ type: "custom", custom: { name: "f" } }), { name: "f" });
  assertEquals(choice({ type: "tool", name: "f" }), { name: "f" });
});

Deno.test("readCall() reads the tools that tool_choice allows, and names those that are not functions of the call", () => {
  const allowed = (mode: string, tools: unknown) => {
    const { settings, sent, dropped } = read({
      tools: [
        ...["f", "g"].map((name) => ({ type: "function", function: { name } })),
        { type: "custom", custom: { name: "free" } },
      ],
      tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools } },
    });
    return [settings.tool_choice, settings.allowed_tools, sent.get("allowed_tools"), dropped];
  };
  const path = "tool_choice.allowed_tools.tools";
  const f = { type: "function", function: { name: "f" } };
  assertEquals(allowed("required", [f]), ["required", ["f"], path, []]);
  assertEquals(allowed("auto", [f, { type: "function", name: "g" }]), ["auto", ["f", "g"], path, []]);
  assertEquals(allowed("auto", [{}, f, null, { type: "function", function: { name: "h" } }]), [
    "auto",
    ["f"],
    path,
    [`${path}[0]`, `${path}[2]`, `${path}[3]`],
  ]);
  // A list without any of the tools allows none; an absent list allows all.
  assertEquals(allowed("auto", [{ type: "web_search" }]), ["none", undefined, undefined, [`${path}[0]`]]);
  assertEquals(allowed("auto", []), ["none", undefined, undefined, []]);
  assertEquals(allowed("required", []), ["none", undefined, undefined, ["tool_choice.allowed_tools.mode"]]);
  const free = { type: "custom", custom: { name: "free" } };
  assertEquals(allowed("auto", [free, f]), ["auto", ["free", "f"], path, []]);
  assertEquals(allowed("auto", undefined), ["auto", undefined, undefined, []]);
});

Deno.test("readCall() reads legacy functions, and prefers tools", () => {
  const legacy = read({ functions: [{ name: "f", parameters: {} }], function_call: { name: "f" } });
  assertEquals(bare(legacy.settings.tools), [
    {
      type: "function",
      name: "f",
      parameters: {},
      extra: {},
      path: "functions[0]",
      definitionPath: "functions[0]",
      parametersPath: "functions[0].parameters",
    },
  ]);
  assertEquals(legacy.settings.tool_choice, { name: "f" });
  assertEquals([...legacy.sent], [["tools", "functions"], ["tool_choice", "function_call"]]);
  assertEquals(read({ function_call: "none" }).settings.tool_choice, "none");

  const tools = [{ type: "function", function: { name: "g" } }];
  const functions = [{ name: "f" }];
  for (const fields of [{ tools, functions }, { functions, tools }]) {
    const { settings, sent, dropped } = read(fields);
    assertEquals(settings.tools!.map((tool) => tool.type === "function" && tool.name), ["g"]);
    assertEquals(sent.get("tools"), "tools");
    assertEquals(dropped, ["functions"]);
  }
  for (
    const fields of [{ tool_choice: "auto", function_call: "none" }, {
      function_call: "none",
      tool_choice: "auto",
    }]
  ) {
    const { settings, dropped } = read(fields);
    assertEquals([settings.tool_choice, dropped], ["auto", ["function_call"]]);
  }
});

// ---------------------------------------------------------------- settings

Deno.test("readCall() reads structured output, and names formats that it does not know", () => {
  const format = (response_format: JsonObject) => read({ response_format });
  assertEquals(format({ type: "text" }).settings.response_format, undefined);
  assertEquals(format({ type: "text" }).sent.size, 0);
  assertEquals(format({ type: "json_object" }).settings.response_format, { type: "json_object" });
  const schema = { type: "object" };
  assertEquals(
    format({ type: "json_schema", json_schema: { name: "n", description: "d", schema, strict: true } })
      .settings
      .response_format,
    {
      type: "json_schema",
      name: "n",
      description: "d",
      schema,
      strict: true,
      path: "response_format.json_schema",
    },
  );
  const other = format({ type: "grammar", grammar: "root ::= x" });
  assertEquals([other.settings.response_format, other.dropped], [undefined, ["response_format"]]);
});

Deno.test("readCall() keeps settings unchanged, in the client's order", () => {
  const fields = {
    seed: 7,
    top_p: 0,
    temperature: 0.5,
    top_k: 3,
    frequency_penalty: -1,
    presence_penalty: 1,
    n: 2,
    logprobs: false,
    top_logprobs: 2,
    logit_bias: { "50256": -100 },
    user: "u",
    service_tier: "flex",
    metadata: { a: "b" },
    reasoning_effort: "xhigh",
    verbosity: "low",
    modalities: ["text"],
    audio: { voice: "a" },
    prediction: { type: "content" },
    store: true,
    web_search_options: {},
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    parallel_tool_calls: false,
  };
  const { settings, sent, extra, dropped } = read(fields);
  assertEquals(settings, fields);
  assertEquals([...sent.values()], Object.keys(fields));
  assertEquals([extra, dropped], [{}, []]);
});

Deno.test("readCall() reads several spellings of a setting as one", () => {
  assertEquals(read({ stop: "x" }).settings.stop, ["x"]);
  assertEquals(read({ stop: ["x", "y"] }).settings.stop, ["x", "y"]);
  const both = [{ max_tokens: 1, max_completion_tokens: 2 }, { max_completion_tokens: 2, max_tokens: 1 }];
  for (const fields of both) {
    const { settings, sent, dropped } = read(fields);
    assertEquals([settings.max_tokens, sent.get("max_tokens")], [2, "max_completion_tokens"]);
    assertEquals([sent.size, dropped], [1, []]);
  }
  const { settings, sent } = read({ max_tokens: 1, max_completion_tokens: null });
  assertEquals([settings.max_tokens, sent.get("max_tokens")], [1, "max_tokens"]);
});

Deno.test("readCall() takes null as absent everywhere", () => {
  const fields = "stream stream_options tools functions tool_choice function_call parallel_tool_calls " +
    "response_format max_tokens max_completion_tokens temperature top_p top_k stop seed n logprobs logit_bias user " +
    "metadata reasoning_effort modalities audio unknown";
  const call = read(Object.fromEntries(fields.split(" ").map((field) => [field, null])));
  const { messages: _, ...rest } = call;
  assertEquals(rest, {
    wire: "openai",
    model: "m",
    stream: false,
    includeUsage: false,
    settings: {},
    sent: new Map(),
    dropped: [],
    extra: {},
  });
});

Deno.test("readCall() reads the stream's options", () => {
  assertEquals(read({ stream: true }).stream, true);
  const { includeUsage, dropped } = read({
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
  });
  assertEquals([includeUsage, dropped], [true, ["stream_options.include_obfuscation"]]);
});

Deno.test("readCall() forwards unknown fields, whatever their names", () => {
  const call = readText(
    '"thinking":{"type":"enabled"},"constructor":1,"toString":2,"hasOwnProperty":3,"__proto__":{"polluted":true}',
  );
  assertEquals(Object.entries(call.extra), [
    ["thinking", { type: "enabled" }],
    ["constructor", 1],
    ["toString", 2],
    ["hasOwnProperty", 3],
  ]);
  assertEquals(call.dropped, ["__proto__"]);
  assertEquals(({} as JsonObject).polluted, undefined);
  assertEquals(Object.getPrototypeOf(call.extra), Object.prototype);
});

// ---------------------------------------------------------------- faults

Deno.test("readCall() names the path of every fault", () => {
  const message = (message: unknown) => ({ messages: [USER, message] });
  const content = (...content: unknown[]) => message({ role: "user", content });
  const assistant = (members: JsonObject) => message({ role: "assistant", ...members });
  const tool = (definition: unknown) => ({ tools: [{ type: "function", function: definition }] });
  const format = (json_schema: unknown) => ({ response_format: { type: "json_schema", json_schema } });
  const faults: [string, JsonObject][] = [
    ["messages", { messages: undefined }],
    ["messages", { messages: null }],
    ["messages", { messages: [] }],
    ["messages", { messages: "Hello" }],
    ["messages[1]", message(null)],
    ["messages[1]", message("Hello")],
    ["messages[1].role", message({})],
    ["messages[1].role", message({ role: "bot", content: "x" })],
    ["messages[1].role", message({ role: "constructor", content: "x" })],
    ["messages[1].content", message({ role: "user" })],
    ["messages[1].content", message({ role: "user", content: null })],
    ["messages[1].content", message({ role: "system", content: 5 })],
    ["messages[1].content", message({ role: "user", content: { text: "x" } })],
    ["messages[1].content[1]", content({ type: "text", text: "x" }, "x")],
    ["messages[1].content[0]", content(null)],
    ["messages[1].content[0].type", content({})],
    ["messages[1].content[0].text", content({ type: "text" })],
    ["messages[1].content[0].text", content({ type: "text", text: 5 })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url" })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url", image_url: { url: 5 } })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url", image_url: "data:image/png" })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url", image_url: "data:a/b,%zz" })],
    ["messages[1].content[0].video_url.url", content({ type: "video_url" })],
    ["messages[1].content[0].input_audio.data", content({ type: "input_audio", input_audio: {} })],
    ["messages[1].content[0].file.file_data", content({ type: "file", file: { filename: "x" } })],
    ["messages[1].content[0].refusal", content({ type: "refusal" })],
    ["messages[1].tool_call_id", message({ role: "tool", content: "x" })],
    ["messages[1].tool_call_id", message({ role: "tool", content: "x", tool_call_id: 5 })],
    ["messages[1].content", message({ role: "tool", tool_call_id: "a" })],
    ["messages[1].name", message({ role: "function", content: "x" })],
    ["messages[1].tool_calls", assistant({ tool_calls: {} })],
    ["messages[1].tool_calls[0]", assistant({ tool_calls: ["x"] })],
    ["messages[1].tool_calls[0].id", assistant({ tool_calls: [{ function: { name: "f" } }] })],
    ["messages[1].tool_calls[0].function.name", assistant({ tool_calls: [{ id: "a", function: {} }] })],
    ["messages[1].function_call", assistant({ function_call: "f" })],
    ["messages[1].function_call.name", assistant({ function_call: {} })],
    ["stream", { stream: "true" }],
    ["stream_options", { stream_options: true }],
    ["stream_options.include_usage", { stream_options: { include_usage: 1 } }],
    ["tools", { tools: {} }],
    ["tools[0]", { tools: ["f"] }],
    ["tools[0].function", { tools: [{ type: "function", name: "f" }] }],
    ["tools[0].function.name", tool({})],
    ["tools[0].function.description", tool({ name: "f", description: 5 })],
    ["tools[0].function.parameters", tool({ name: "f", parameters: [] })],
    ["tools[0].function.strict", tool({ name: "f", strict: "yes" })],
    ["functions[0].name", { functions: [{}] }],
    ["functions[0].parameters", { functions: [{ name: "f", parameters: "{}" }] }],
    ["tool_choice", { tool_choice: 5 }],
    ["tool_choice", { tool_choice: "sometimes" }],
    ["tool_choice.function.name", { tool_choice: { type: "function" } }],
    ["function_call.function.name", { function_call: {} }],
    ["response_format", { response_format: "json" }],
    ["response_format.type", { response_format: {} }],
    ["response_format.json_schema", format(undefined)],
    ["response_format.json_schema.schema", format({ name: "n" })],
    ["response_format.json_schema.strict", format({ schema: {}, strict: 1 })],
    ["max_tokens", { max_tokens: "5" }],
    ["max_tokens", { max_tokens: Infinity }],
    ["temperature", { temperature: true }],
    ["stop", { stop: 5 }],
    ["stop[1]", { stop: ["a", 5] }],
    ["logit_bias", { logit_bias: "x" }],
    ["user", { user: 5 }],
    ["modalities[0]", { modalities: [5] }],
  ];
  for (const [param, fields] of faults) assertEquals(fault(fields).param, param, JSON.stringify(fields));
});

Deno.test("readCall() refuses a body if a setting has the wrong type, and no other body", () => {
  const values = fc.constantFrom<unknown>(
    null,
    "none",
    1,
    1.5,
    true,
    {},
    [],
    ["a"],
    [{ name: "f" }],
    Infinity,
    {
      type: "none",
      name: "f",
    },
  );
  const SETTINGS: Record<string, (value: unknown) => boolean> = {
    temperature: Number.isFinite,
    max_tokens: Number.isFinite,
    seed: Number.isFinite,
    user: (value) => typeof value === "string",
    store: (value) => typeof value === "boolean",
    metadata: (value) => typeof value === "object",
    modalities: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
    stop: (value) =>
      typeof value === "string" || Array.isArray(value) && value.every((one) => typeof one === "string"),
    functions: (value) => Array.isArray(value) && value.every((one) => typeof one === "object"),
    tool_choice: (value) => value === "none" || isObject(value) && "name" in value,
  };
  const fields = fc.uniqueArray(fc.tuple(fc.constantFrom(...Object.keys(SETTINGS)), values), {
    selector: ([field]) => field,
    maxLength: 4,
  });
  fc.assert(fc.property(fields, (fields) => {
    const right = fields.every(([field, value]) => value === null || SETTINGS[field](value));
    const body = { messages: [USER], ...Object.fromEntries(fields) };
    let accepted = true;
    try {
      checkCall(body);
      readCall(body, "m");
    } catch (error) {
      assert(error instanceof GatewayError);
      accepted = false;
    }
    assertEquals(accepted, right);
  }));
});

Deno.test("isPlainTalk() is only true for conversations that the schema accepts too", () => {
  const message = fc.record({
    role: fc.constantFrom<unknown>(
      "system",
      "developer",
      "user",
      "assistant",
      "tool",
      "function",
      "bot",
      "toString",
    ),
    content: fc.constantFrom<unknown>("text", "", null, 5, [], [{ type: "text", text: "a" }]),
    tool_calls: fc.constantFrom<unknown>(null, [], [{ id: "a" }], [{}], "x"),
    function_call: fc.constantFrom<unknown>(null, { name: "f" }, {}),
    tool_call_id: fc.constantFrom<unknown>("a", 5),
    name: fc.constantFrom<unknown>("a", 5),
  }, { requiredKeys: [] });
  const messages = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.array(
        fc.oneof(
          {
            weight: 3,
            arbitrary: fc.record({ role: fc.constantFrom("user", "assistant"), content: fc.string() }),
          },
          { weight: 3, arbitrary: message },
          fc.constantFrom<unknown>(null, "text", 5, []),
        ),
        { maxLength: 3 },
      ),
    },
    fc.constantFrom<unknown>({}, "text", null, undefined),
  );
  let plain = 0;
  fc.assert(
    fc.property(messages, (messages) => {
      if (!isPlainTalk(messages)) return;
      plain++;
      assert(v.is(MESSAGES, messages), JSON.stringify(messages));
    }),
    { numRuns: 3000 },
  );
  assert(plain > 100, `${plain} conversations were plain`);
});

Deno.test("readCall() says what is wrong without quoting the request", () => {
  assertEquals(
    fault({ messages: undefined }).message,
    "Cannot read the request: messages is missing",
  );
  assertEquals(
    fault({ messages: [] }).message,
    "Cannot read the request: messages must be at least one entry, and is an empty list",
  );
  assertEquals(
    fault({ messages: [{ role: "user", content: 5 }] }).message,
    "Cannot read the request: messages[0].content must be a string or a list, and is a number",
  );
  const secret = "my secret prompt";
  for (
    const fields of [{ messages: secret }, { messages: [secret] }, { messages: [{ role: secret }] }, {
      tool_choice: secret,
    }, { messages: [{ role: "user", content: [secret] }] }]
  ) {
    assert(!fault(fields).message.includes(secret), JSON.stringify(fields));
  }
});

Deno.test("readCall() only throws GatewayError, whatever the body", () => {
  const words = fc.constantFrom(
    ..."role content type text image_url url function name parameters id tool_calls tool_call_id images"
      .split(" "),
    ..."reasoning_details index signature data input_audio file file_data __proto__ constructor".split(" "),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      fc.constantFrom<unknown>(
        "user",
        "assistant",
        "tool",
        "function",
        "text",
        "image_url",
        "file",
        "data:,",
        "",
      ),
      fc.constantFrom<unknown>(null, 0, -1, true),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(words, tie("value"), { maxKeys: 5 }),
    ),
  }));
  const list = fc.array(value, { maxLength: 2 });
  const inMessage = (members: { [name: string]: fc.Arbitrary<unknown> }) =>
    fc.record({ role: fc.constantFrom("user", "assistant", "tool"), content: fc.constant("x"), ...members })
      .map((message) => ({ messages: [{ tool_call_id: "a", ...message }] }));
  const withField = (name: string, value: fc.Arbitrary<unknown>) =>
    value.map((value) => ({ messages: [USER], [name]: value }));
  const body = fc.oneof(
    inMessage({ content: list }),
    inMessage({ tool_calls: list, images: value }),
    inMessage({ reasoning_details: list, extra_content: value }),
    withField("tools", list),
    withField("tool_choice", value),
    withField("response_format", value),
  );
  let read = 0;
  fc.assert(
    fc.property(body, (body) => {
      try {
        checkCall(body);
        readCall(body, "m");
        read++;
      } catch (error) {
        assert(error instanceof GatewayError, String(error));
        assert(error.details.param, error.message);
      }
    }),
    { numRuns: 1000 },
  );
  assert(read > 100, `${read} of them are calls`);
});
