import { assert, assertEquals } from "@std/assert";
import type { JsonObject, Message } from "../../../wires/types.ts";
import { bare, read } from "./read.ts";

const readMessages = (...messages: JsonObject[]) => read({ messages }).messages;

/** The messages without their paths. */
const withoutPaths = (list: object[]): unknown[] =>
  list.map((one) => Object.fromEntries(Object.entries(bare(one)).filter(([name]) => !/path$/i.test(name))));

/** The parts of a user message with this content, without their paths. */
function readParts(...content: JsonObject[]): unknown[] {
  const [{ parts }] = readMessages({ role: "user", content });
  parts.forEach(({ path }, at) => assertEquals(path, `messages[0].content[${at}]`));
  return withoutPaths(parts);
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
