import { assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { PLAIN_MODEL, settings, USER, write } from "./scene.ts";

// ---------------------------------------------------------------- messages

Deno.test("cohere keeps system and developer messages in their place", () => {
  const parts = [{ type: "text", text: "Now rhyme." }, { type: "text", text: "Always." }];
  const messages = [{ role: "system", content: "Be brief." }, USER, { role: "developer", content: parts }];
  assertEquals(write({ messages }).messages, [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hello" },
    { role: "system", content: parts },
  ]);
});

Deno.test("cohere writes images by URL and by value, with their detail", () => {
  const content = [
    { type: "text", text: "Compare." },
    { type: "image_url", image_url: { url: "https://pictures.example/a.png", detail: "low" } },
    { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0=" } },
  ];
  assertEquals(write({ messages: [{ role: "user", content }] }).messages, [{ role: "user", content }]);
});

Deno.test("cohere leaves out and names parts that it cannot express", () => {
  const cache_control = { type: "ephemeral" };
  const image = { type: "image_url", image_url: { url: "https://pictures.example/a.png" } };
  const { messages, dropped } = write({
    messages: [
      {
        role: "user",
        name: "ada",
        cache_control,
        content: [
          { type: "text", text: "Hear this.", cache_control },
          { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
          { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } },
          { type: "video_url", video_url: { url: "https://films.example/a.mp4" } },
        ],
      },
      { role: "assistant", content: [{ type: "refusal", refusal: "I will not." }] },
      { role: "system", content: [image] },
    ],
  });
  assertEquals(messages, [
    { role: "user", content: "Hear this." },
    { role: "assistant", content: "I will not." },
  ]);
  assertEquals(dropped, [
    "messages[0].name",
    "messages[0].cache_control",
    "messages[0].content[0].cache_control",
    "messages[0].content[1].input_audio",
    "messages[0].content[2].file",
    "messages[0].content[3].video_url",
    "messages[2].content[0].image_url",
  ]);
});

Deno.test("cohere leaves out empty messages, and refuses an empty last message", () => {
  const blank = { role: "user", content: "" };
  const { messages } = write({
    messages: [blank, { role: "system", content: "" }, { role: "user", content: "Hi" }, {
      role: "assistant",
      content: null,
    }],
  });
  assertEquals(messages, [{ role: "user", content: "Hi" }]);
  const said = { role: "assistant", content: "Hi" };
  const image = { type: "image_url", image_url: { url: "file-1" } };
  const sound = { role: "user", content: [{ type: "input_audio", input_audio: { data: "UklGRg==" } }] };
  const refused: [JsonObject[], string, string][] = [
    [[blank], "messages[0].content", "is empty"],
    [[USER, said, blank], "messages[2].content", "is empty"],
    [[USER, said, sound, { role: "system", content: "" }], "messages[2].content", "content[0].input_audio"],
    [[{ role: "system", content: [image] }], "messages[0].content", "content[0].image_url"],
  ];
  for (const [messages, param, words] of refused) {
    const error = assertThrows(() => write({ messages }), GatewayError);
    assertEquals([error.status, error.details.param, error.message.includes(words)], [400, param, true]);
  }
  assertEquals(write({ messages: [USER, said, USER, blank] }).messages, [USER, said, USER]);
});

const toolCall = (id: string, args: string) => ({
  id,
  type: "function",
  function: { name: "weather", arguments: args },
});

Deno.test("cohere writes tool calls and their results, as text, parts or documents", () => {
  const parts = [
    { type: "text", text: "See:" },
    { type: "document", document: { id: "a", data: { text: "Rain" } } },
  ];
  const { messages, dropped } = write({
    messages: [
      USER,
      {
        role: "assistant",
        content: null,
        tool_calls: [toolCall("w1", '{"city":"Bern"}'), toolCall("w2", "")],
      },
      { role: "tool", tool_call_id: "w1", content: '{"sky":"clear"}' },
      { role: "tool", tool_call_id: "w2", content: parts, is_error: true },
    ],
  });
  assertEquals(messages.slice(1), [
    { role: "assistant", tool_calls: [toolCall("w1", '{"city":"Bern"}'), toolCall("w2", "{}")] },
    { role: "tool", tool_call_id: "w1", content: '{"sky":"clear"}' },
    { role: "tool", tool_call_id: "w2", content: parts },
  ]);
  assertEquals(dropped, ["messages[3].is_error"]);
});

Deno.test("cohere writes legacy function calls and results as tool calls", () => {
  const { messages } = write({
    messages: [
      USER,
      { role: "assistant", content: null, function_call: { name: "now", arguments: "{}" } },
      { role: "function", name: "now", content: "noon" },
    ],
  });
  const [{ id }] = messages[1].tool_calls as { id: string }[];
  assertEquals(messages[2], { role: "tool", tool_call_id: id, content: "noon" });
});

// ---------------------------------------------------------------- reasoning

const THOUGHTFUL = [
  USER,
  { role: "assistant", content: "Hi!", reasoning_content: "A greeting." },
  {
    role: "assistant",
    content: "Let me look.",
    reasoning_content: "Weather?",
    tool_calls: [toolCall("w1", "{}")],
  },
  { role: "assistant", content: "", tool_calls: [toolCall("w2", "{}")] },
];

Deno.test("cohere gives a thinking model its thinking back, as blocks", () => {
  const { messages, dropped } = write({ messages: THOUGHTFUL });
  assertEquals(messages.slice(1), [
    {
      role: "assistant",
      content: [{ type: "thinking", thinking: "A greeting." }, { type: "text", text: "Hi!" }],
    },
    {
      role: "assistant",
      content: [{ type: "thinking", thinking: "Weather?" }, { type: "thinking", thinking: "Let me look." }],
      tool_calls: [toolCall("w1", "{}")],
    },
    { role: "assistant", tool_calls: [toolCall("w2", "{}")] },
  ]);
  assertEquals(dropped, []);
});

Deno.test("cohere gives a model that does not think its plan back, with the text beside tool calls", () => {
  const expected = [
    { role: "assistant", content: "Hi!" },
    { role: "assistant", tool_plan: "Weather?\n\nLet me look.", tool_calls: [toolCall("w1", "{}")] },
    { role: "assistant", tool_calls: [toolCall("w2", "{}")] },
  ];
  const plain = write({ messages: THOUGHTFUL }, PLAIN_MODEL);
  assertEquals(plain.messages.slice(1), expected);
  assertEquals(plain.dropped, ["messages[1].reasoning_content"]);
  // With thinking turned off, every model counts as one that does not think.
  assertEquals(write({ messages: THOUGHTFUL, reasoning_effort: "none" }).messages.slice(1), expected);
  assertEquals(write({ messages: THOUGHTFUL, thinking: { type: "disabled" } }).messages.slice(1), expected);
});

Deno.test("cohere names sealed reasoning, but not the text beside it", () => {
  const details = [
    { type: "reasoning.text", text: "A greeting.", signature: "s", format: "anthropic-claude-v1", index: 0 },
    { type: "reasoning.encrypted", data: "sealed", format: "anthropic-claude-v1", index: 1 },
  ];
  const turn = {
    role: "assistant",
    content: "Hi!",
    reasoning_content: "A greeting.",
    reasoning_details: details,
  };
  const { messages, dropped } = write({ messages: [USER, turn, USER] });
  assertEquals(messages[1].content, [{ type: "thinking", thinking: "A greeting." }, {
    type: "text",
    text: "Hi!",
  }]);
  assertEquals(dropped, ["messages[1].reasoning_details"]);
});

Deno.test("cohere writes reasoning_effort as a share of the answer, without limit from high on", () => {
  const thinking = (reasoning_effort: string, more = {}) => settings({ reasoning_effort, ...more }).thinking;
  assertEquals(thinking("none"), { type: "disabled" });
  assertEquals(thinking("minimal"), { type: "enabled", token_budget: 3200 });
  assertEquals(thinking("low"), { type: "enabled", token_budget: 6400 });
  assertEquals(thinking("medium", { max_tokens: 4000 }), { type: "enabled", token_budget: 2000 });
  assertEquals(thinking("low", { max_tokens: 1 }), { type: "enabled", token_budget: 1 });
  assertEquals(thinking("high"), { type: "enabled" });
  assertEquals(thinking("max"), { type: "enabled" });
  assertEquals(settings({ reasoning_effort: "heroic" }), { dropped: ["reasoning_effort"] });
});

Deno.test("cohere asks a model that does not think for no thinking", () => {
  for (
    const model of [PLAIN_MODEL, "command-r7b-12-2024", "command-r-plus-08-2024", "c4ai-aya-expanse-32b"]
  ) {
    assertEquals(settings({ reasoning_effort: "low" }, model), { dropped: ["reasoning_effort"] }, model);
    assertEquals(settings({ reasoning_effort: "none" }, model), { dropped: [] }, model);
  }
  const { thinking } = settings({ reasoning_effort: "none" }, "command-a-reasoning-08-2025");
  assertEquals(thinking, { type: "disabled" });
});

Deno.test("cohere forwards the client's own thinking, which wins over a derived one", () => {
  const thinking = { type: "enabled", token_budget: 77 };
  assertEquals(settings({ reasoning_effort: "low", thinking }), { thinking, dropped: [] });
});

Deno.test("writeCall() keeps the results of an answer's tool calls together, one for each", () => {
  const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
  const result = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content });
  const note = { role: "system", content: "note" };
  const { messages, dropped } = write({
    messages: [
      USER,
      { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
      note,
      result("b", "1"),
      note,
      result("b", "again"),
      result("a", "2"),
      note,
      USER,
      note,
      { role: "assistant", content: "done" },
      USER,
    ],
  });
  assertEquals(messages.map(({ role, content }) => `${role} ${content ?? ""}`), [
    "user Hello",
    "assistant ",
    "tool 1",
    "tool 2",
    "system note",
    "system note",
    "system note",
    "user Hello",
    "system note",
    "assistant done",
    "user Hello",
  ]);
  assertEquals(dropped, ["messages[5]"]);
  // These tool calls have no results, so nothing is held back.
  const open = write({
    messages: [USER, { role: "assistant", tool_calls: [call("a")] }, note, USER, {
      role: "assistant",
      content: "x",
    }, USER],
  });
  assertEquals(open.messages.map(({ role }) => role), [
    "user",
    "assistant",
    "system",
    "user",
    "assistant",
    "user",
  ]);
});

Deno.test("writeCall() writes arguments that are the text of an object, whatever a model wrote", () => {
  const cases: [string, string][] = [
    ['{"a":1}', '{"a":1}'],
    [' {"n": 12345678901234567890} ', ' {"n": 12345678901234567890} '],
    ["", "{}"],
    [" ", "{}"],
    ["null", "{}"],
    ['{"a":', '{"arguments":"{\\"a\\":"}'],
    ["[1]", '{"arguments":"[1]"}'],
    ["12345678901234567890", '{"arguments":"12345678901234567890"}'],
    ['"text"', '{"arguments":"\\"text\\""}'],
  ];
  for (const [text, wanted] of cases) {
    const toolCall = { id: "a", type: "function", function: { name: "f", arguments: text } };
    const { messages } = write({
      messages: [USER, { role: "assistant", tool_calls: [toolCall] }, {
        role: "tool",
        tool_call_id: "a",
        content: "r",
      }],
    });
    const [sent] = messages[1].tool_calls as { function: { arguments: string } }[];
    assertEquals(sent.function.arguments, wanted);
  }
});
