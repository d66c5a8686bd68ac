import { assert, assertEquals, assertThrows } from "@std/assert";
import { cohere } from "../../../wires/cohere/mod.ts";
import { collector } from "../gathered.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { sseReader } from "../../../wires/streams/sse.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import { before, post, ROOT } from "../../fakes.ts";

const FIXTURES = new URL("../../fixtures/cohere/", import.meta.url);
const THINKING_MODEL = "command-a-plus-05-2026";
const PLAIN_MODEL = "command-a-03-2025";
const USER = { role: "user", content: "Hello" };

const fixture = (name: string) => Deno.readTextFile(new URL(name, FIXTURES));

type Sent = JsonObject & { messages: JsonObject[]; dropped: string[] };

/** What the wire sends for a client's body, and what it drops. */
function write(body: JsonObject, model = THINKING_MODEL): Sent {
  const { path, body: sent, dropped } = cohere.writeCall(readCall({ messages: [USER], ...body }, model));
  assertEquals(path, "/v2/chat");
  return { ...sent, dropped } as Sent;
}

/** What the wire sends beside the model and a plain conversation. */
function settings(body: JsonObject, model?: string): JsonObject {
  const { model: _, messages: __, ...rest } = write(body, model);
  return rest;
}

function readWhole(body: JsonObject): Delta[] {
  const deltas: Delta[] = [];
  cohere.readAnswer(body, (delta) => deltas.push(delta));
  return deltas;
}

function readStream(...chunks: Uint8Array[]): Delta[] {
  const deltas: Delta[] = [];
  const reader = cohere.readStream((delta) => deltas.push(delta));
  const sse = sseReader((data, event) => reader.frame(data, event));
  for (const chunk of chunks) sse.push(chunk);
  sse.end();
  reader.end();
  return deltas;
}

const bytes = (text: string) => new TextEncoder().encode(text);

const readEvents = (...events: unknown[]) =>
  readStream(bytes(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")));

function collect(deltas: Delta[]) {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return answer;
}

const textEvent = (text: string, more: JsonObject = {}) => ({
  type: "content-delta",
  index: 0,
  delta: { message: { content: { text } } },
  ...more,
});

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

// ---------------------------------------------------------------- tools and settings

const tool = (name: string, more: JsonObject = {}) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { a: { type: "string" } } }, ...more },
});

Deno.test("cohere writes tools with their schema unchanged, and adds a schema to a function without parameters", () => {
  const parameters = {
    type: "object",
    properties: { a: { anyOf: [{ type: "string" }, { $ref: "#/$defs/b" }] } },
    $defs: { b: {} },
  };
  const tools = [
    tool("first", { description: "One", parameters }),
    { type: "function", function: { name: "second" } },
  ];
  assertEquals(settings({ tools }), {
    tools: [
      { type: "function", function: { name: "first", description: "One", parameters } },
      { type: "function", function: { name: "second", parameters: { type: "object", properties: {} } } },
    ],
    dropped: [],
  });
});

Deno.test("cohere sets strict_tools when every tool is strict, and else names those that are", () => {
  assertEquals(settings({ tools: [tool("a", { strict: true }), tool("b", { strict: true })] }), {
    tools: [tool("a"), tool("b")],
    strict_tools: true,
    dropped: [],
  });
  assertEquals(settings({ tools: [tool("a"), tool("b", { strict: true })] }), {
    tools: [tool("a"), tool("b")],
    dropped: ["tools[1].function.strict"],
  });
  assertEquals(settings({ tools: [] }), { tools: [], dropped: [] });
});

Deno.test("cohere writes tool_choice, and a named tool as the only tool", () => {
  const tools = [tool("a"), tool("b")];
  const named = (name: string) => ({ type: "function", function: { name } });
  assertEquals(settings({ tools, tool_choice: "none" }), { tools, tool_choice: "NONE", dropped: [] });
  assertEquals(settings({ tools, tool_choice: "required" }), { tools, tool_choice: "REQUIRED", dropped: [] });
  assertEquals(settings({ tools, tool_choice: "auto" }), { tools, dropped: [] });
  assertEquals(settings({ tools, tool_choice: named("b") }), {
    tools: [tool("b")],
    tool_choice: "REQUIRED",
    dropped: [],
  });
  assertEquals(settings({ tools, tool_choice: named("c") }), { tools, dropped: ["tool_choice"] });
  assertEquals(settings({ tools, parallel_tool_calls: true }), { tools, dropped: [] });
  assertEquals(settings({ tools, parallel_tool_calls: false }), { tools, dropped: ["parallel_tool_calls"] });
});

Deno.test("cohere writes response_format with the schema unchanged", () => {
  const schema = { type: "object", properties: { a: { type: "integer" } }, additionalProperties: false };
  const format = (json_schema: JsonObject) =>
    settings({ response_format: { type: "json_schema", json_schema } });
  assertEquals(settings({ response_format: { type: "json_object" } }), {
    response_format: { type: "json_object" },
    dropped: [],
  });
  assertEquals(format({ name: "answer", schema, strict: true }), {
    response_format: { type: "json_object", json_schema: schema },
    dropped: [],
  });
  assertEquals(format({ name: "answer", schema, description: "An answer" }).dropped, [
    "response_format.json_schema.description",
  ]);
  assertEquals(settings({ response_format: { type: "text" } }), { dropped: [] });
});

Deno.test("cohere names a response format beside tools or documents, which it accepts with neither", () => {
  const response_format = { type: "json_object" };
  const tools = [{ type: "function", function: { name: "g" } }];
  assertEquals(settings({ response_format, tools }).dropped, ["response_format"]);
  assertEquals(settings({ response_format, tools }).response_format, undefined);
  assertEquals(settings({ response_format, documents: [{ id: "1", data: {} }] }).dropped, [
    "response_format",
  ]);
  assertEquals(settings({ response_format, tools: [] }).response_format, response_format);
});

Deno.test("cohere is sent only the tools that tool_choice allows", () => {
  const tools = ["f", "g", "h"].map((name) => ({ type: "function", function: { name } }));
  const allowed = (mode: string) => {
    const tool_choice = { type: "allowed_tools", allowed_tools: { mode, tools: [tools[2], tools[0]] } };
    const { tools: sent, tool_choice: choice, dropped } = settings({ tools, tool_choice });
    return [(sent as typeof tools).map((tool) => tool.function.name), choice, dropped];
  };
  assertEquals(allowed("required"), [["f", "h"], "REQUIRED", []]);
  assertEquals(allowed("auto"), [["f", "h"], undefined, []]);
});

Deno.test("cohere writes sampling settings under its own names", () => {
  const shared = { temperature: 0.4, seed: 3, frequency_penalty: 0.1, presence_penalty: 0.2, logprobs: true };
  const openai = { max_completion_tokens: 9, top_p: 0.9, top_k: 7, stop: "END", n: 1, modalities: ["text"] };
  assertEquals(settings({ ...openai, ...shared, stream: true }), {
    max_tokens: 9,
    p: 0.9,
    k: 7,
    stop_sequences: ["END"],
    ...shared,
    stream: true,
    dropped: [],
  });
});

Deno.test("cohere keeps settings within its ranges, which are narrower than OpenAI's", () => {
  assertEquals(settings({ top_p: 1 }), { p: 0.99, dropped: [] });
  assertEquals(settings({ top_p: 0 }), { p: 0.01, dropped: [] });
  const beyond = { frequency_penalty: -0.5, presence_penalty: 1.5, top_k: 501, top_p: 1.1 };
  assertEquals(settings(beyond), { dropped: Object.keys(beyond) });
  assertEquals(settings({ frequency_penalty: 0, store: false, logit_bias: {} }), {
    frequency_penalty: 0,
    dropped: [],
  });
});

Deno.test("cohere names the settings that it cannot express, in the client's order", () => {
  const body = {
    user: "u",
    n: 2,
    top_logprobs: 3,
    logit_bias: { 5: 1 },
    service_tier: "flex",
    metadata: { a: "b" },
    verbosity: "low",
    store: true,
    modalities: ["text", "audio"],
    audio: { voice: "a", format: "wav" },
    prediction: { type: "content", content: "x" },
    web_search_options: {},
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
  };
  assertEquals(settings(body), { dropped: Object.keys(body) });
});

Deno.test("cohere forwards its own fields untouched", () => {
  const own = {
    documents: [{ id: "a", data: { text: "Lamp" } }, "plain"],
    citation_options: { mode: "fast" },
    safety_mode: "STRICT",
    priority: 5,
    p: 0.5,
  };
  assertEquals(settings({ ...own, top_p: 0.9 }), { ...own, dropped: [] });
});

// ---------------------------------------------------------------- answers

for (const name of ["tools", "citations"]) {
  Deno.test(`cohere reads ${name} the same whole, streamed, and streamed with a cut anywhere`, async () => {
    const whole = collect(readWhole(JSON.parse(await fixture(`${name}.json`))));
    const stream = bytes(await fixture(`${name}.sse`));
    const streamed = collect(readStream(stream));
    // In the stream a tool call without arguments has no `args` delta; the client's writer writes `{}`.
    for (const call of streamed.choices[0].calls) call.arguments ||= "{}";
    assertEquals(streamed, whole);
    const deltas = readStream(stream);
    for (let cut = 1; cut < stream.length; cut++) {
      assertEquals(readStream(stream.subarray(0, cut), stream.subarray(cut)), deltas, `cut at ${cut}`);
    }
  });
}

Deno.test("cohere reads the plan as reasoning, and the calls", async () => {
  const { start, choices: [choice], usage } = collect(readStream(bytes(await fixture("tools.sse"))));
  assertEquals(start.id, "a1c0ffee-0000-4000-8000-000000000001");
  assertEquals(choice.reasoning, "I will check both cities.");
  assertEquals(choice.text, "");
  assertEquals(choice.calls.map(({ id, name, arguments: text }) => [id, name, text]), [
    ["weather_k3j2", "weather", '{"city":"Zürich"}'],
    ["weather_p0q9", "weather", '{"city":"Łódź"}'],
    ["clock_zz71", "clock", ""],
  ]);
  assertEquals(choice.stop, "tool_calls");
  assertEquals(usage, {
    input: 82,
    cacheRead: 448,
    cacheWrite: 0,
    audioIn: 0,
    output: 21,
    reasoning: 0,
    audioOut: 0,
  });
});

Deno.test("cohere reads interleaved calls, whatever numbers they have", () => {
  const begin = (index: number, name: string) => ({
    type: "tool-call-start",
    index,
    delta: {
      message: { tool_calls: { id: `id_${name}`, type: "function", function: { name, arguments: "" } } },
    },
  });
  const more = (index: number, text: string) => ({
    type: "tool-call-delta",
    index,
    delta: { message: { tool_calls: { function: { arguments: text } } } },
  });
  const { choices: [{ calls }] } = collect(readEvents(
    begin(4, "a"),
    begin(2, "b"),
    more(4, '{"x"'),
    more(2, '{"y"'),
    more(4, ":1}"),
    more(2, ":2}"),
    { type: "message-end", delta: { finish_reason: "TOOL_CALL" } },
  ));
  assertEquals(calls.map((call) => [call.id, call.arguments]), [["id_a", '{"x":1}'], ["id_b", '{"y":2}']]);
});

Deno.test("cohere reads thinking, and citations at their place in the whole text", async () => {
  const { choices: [choice], usage } = collect(readWhole(JSON.parse(await fixture("citations.json"))));
  assertEquals(choice.reasoning, "The document says when.");
  assertEquals(choice.text, "🗼 The tower 🗼 shone from 1848.");
  const guide = { url: "https://lamps.example/guide", title: "Lighthouse guide" };
  assertEquals(
    choice.citations.map(({ url, title, start, end, extra }) => ({
      url,
      title,
      cited: choice.text.slice(start, end),
      type: extra?.type,
    })),
    [
      { ...guide, cited: "", type: "THINKING_CONTENT" },
      { ...guide, cited: "The tower 🗼 shone", type: undefined },
      { url: "", title: "lookup_x1:0", cited: "The tower 🗼 shone", type: undefined },
      { ...guide, cited: "1848", type: undefined },
    ],
  );
  assertEquals([usage?.output, usage?.reasoning], [30, 20]);
});

Deno.test("cohere counts a citation from the start of its block", () => {
  const { choices: [{ text, citations: [{ start, end }] }] } = collect(readWhole({
    message: {
      content: [{ type: "text", text: "One. " }, { type: "text", text: "Two." }],
      citations: [{ start: 0, end: 3, text: "Two", sources: [], content_index: 1 }],
    },
  }));
  assertEquals([start, end, text.slice(start, end)], [5, 8, "Two"]);
});

Deno.test("cohere maps every finish reason, whole and streamed", () => {
  const finish = (finish_reason?: unknown) => {
    const whole = readWhole({ message: { content: [{ type: "text", text: "A" }] }, finish_reason });
    const streamed = readEvents(textEvent("A"), { type: "message-end", delta: { finish_reason } });
    assertEquals(streamed.at(-1), whole.at(-1));
    const last = whole.at(-1)!;
    return last.type === "stop" ? last.reason : last.type === "error" ? last.error.status : last.type;
  };
  assertEquals(finish("COMPLETE"), "stop");
  assertEquals(finish("STOP_SEQUENCE"), "stop");
  assertEquals(finish("MAX_TOKENS"), "length");
  assertEquals(finish("TOOL_CALL"), "tool_calls");
  assertEquals(finish("ERROR_TOXIC"), "content_filter");
  assertEquals(finish("ERROR"), 502);
  assertEquals(finish("TIMEOUT"), 504);
  assertEquals(finish("SOMETHING_NEW"), "stop");
  assertEquals(finish(undefined), "stop");
});

Deno.test("cohere reads the log probability of a chunk as the sum of its tokens'", () => {
  const items = [
    { text: "Hi", token_ids: [1], logprobs: [-0.5] },
    { text: " there", token_ids: [2, 3], logprobs: [-0.25, -1] },
  ];
  const content = [
    { token: "Hi", logprob: -0.5, bytes: null, top_logprobs: [] },
    { token: " there", logprob: -1.25, bytes: null, top_logprobs: [] },
  ];
  const whole = collect(readWhole({
    message: { content: [{ type: "thinking", thinking: "…" }, { type: "text", text: "Hi there" }] },
    logprobs: items,
  }));
  assertEquals(whole.choices[0].logprobs, [{ content, refusal: null }]);
  const streamed = collect(readEvents(
    textEvent("Hi", { logprobs: items[0] }),
    textEvent(" there", { logprobs: items[1] }),
    { type: "message-end", delta: {} },
  ));
  assertEquals(streamed.choices[0].logprobs, content.map((one) => ({ content: [one], refusal: null })));
});

Deno.test("cohere falls back to billed units, and keeps the buckets disjoint", () => {
  const usage = (value: unknown) => collect(readWhole({ message: {}, usage: value })).usage;
  assertEquals(usage({ billed_units: { input_tokens: 5, output_tokens: 2 }, cached_tokens: 9 }), {
    input: 0,
    cacheRead: 5,
    cacheWrite: 0,
    audioIn: 0,
    output: 2,
    reasoning: 0,
    audioOut: 0,
  });
  assertEquals(usage({}), undefined);
  assertEquals(usage(undefined), undefined);
});

// ---------------------------------------------------------------- errors

Deno.test("cohere reads its error bodies", () => {
  const body = { id: "e1", message: "invalid api token" };
  assertEquals(cohere.readError(401, body), {
    message: "invalid api token",
    type: "authentication_error",
    code: null,
    status: 401,
    metadata: { original: body },
  });
  const long = cohere.readError(400, { message: "too many tokens: size limit exceeded by 12 tokens" });
  assertEquals([long.code, long.type], ["context_length_exceeded", "invalid_request_error"]);
  assertEquals(cohere.readError(503, "upstream away\n").message, "upstream away");
  assertEquals(cohere.readError(500, undefined).message, "Cohere answered with status 500");
  assertEquals(cohere.readError(500, { message: 5 }).message, "Cohere answered with status 500");
});

Deno.test("cohere reports a failure in mid-stream", async () => {
  const deltas = readStream(bytes(await fixture("failed.sse")));
  const last = deltas.at(-1)!;
  assert(last.type === "error");
  assertEquals(last.error.message, "the tool call could not be generated");
  assertEquals(last.error.code, "INVALID_TOOL_GENERATION");
  assertEquals(collect(deltas).choices[0].reasoning, "First I list ");
});

Deno.test("cohere reports a stream that breaks off, wherever it breaks", async () => {
  const events = (await fixture("tools.sse")).split("\n\n");
  const end = events.findIndex((event) => event.includes("message-end"));
  for (let kept = 0; kept <= end; kept++) {
    const cut = bytes(events.slice(0, kept).map((event) => `${event}\n\n`).join(""));
    const errors = readStream(cut).filter((delta) => delta.type === "error");
    assertEquals(errors.length, 1, `after ${kept} events`);
  }
});

Deno.test("cohere reports an error in place of an answer or an event", () => {
  const body = { id: "e1", message: "internal server error" };
  for (
    const deltas of [readWhole(body), readEvents(body), readEvents(textEvent("A"), body, textEvent("B"))]
  ) {
    const last = deltas.at(-1)!;
    assert(last.type === "error");
    assertEquals(last.error.message, "internal server error");
  }
  assertEquals(readWhole({}).map((delta) => delta.type), ["error"]);
});

Deno.test("cohere survives missing members, wrong types and unknown events", () => {
  const odd: unknown[] = [null, 0, "x", [], {}, [null], { message: null }, { message: [] }, { content: 5 }];
  for (
    const type of ["message-start", "content-start", "content-delta", "tool-plan-delta", "tool-call-start"]
  ) {
    for (const delta of odd) {
      for (const message of [...odd, { content: null, tool_calls: null, citations: [null, 5] }]) {
        readEvents({ type, delta, id: 5, logprobs: 1 }, { type, delta: { message } }, { type: 7 }, null, 5);
      }
    }
  }
  const start = { type: "tool-call-start", index: 9 };
  for (const value of odd) {
    const deltas = [
      { type: "tool-call-delta", index: 9, delta: { message: { tool_calls: value } } },
      { ...start, delta: { message: { tool_calls: { function: value } } } },
      { type: "citation-start", delta: { message: { citations: { sources: [value], start: value } } } },
      { type: "citation-start", delta: { message: { citations: { sources: [{ document: value }] } } } },
      textEvent("a", { logprobs: value }),
      textEvent("b", { logprobs: { logprobs: [value] } }),
    ];
    readEvents(...deltas, { type: "message-end", delta: value });
    readEvents(...deltas, { type: "message-end", delta: { usage: value, finish_reason: value } });
    const message = { content: value, tool_calls: value, citations: value };
    readWhole({ message, usage: value, logprobs: value, finish_reason: value });
    readWhole({ message: { content: [value], tool_calls: [value] }, usage: { tokens: value } });
    readWhole({ message: value });
    cohere.readError(500, value);
  }
  assertEquals(readStream(bytes('data: {"type":\n\n')).map((delta) => delta.type), ["error"]);
});

// ---------------------------------------------------------------- through the gateway

/** What the client gets, and what was sent to Cohere, for a request that the fixture answers. */
async function exchange(body: JsonObject, answer: string) {
  const { fetch, sent } = before(() => Response.json(JSON.parse(answer)));
  const response = await fetch(
    post(`${ROOT}/compat/chat/completions`, body, { authorization: "Bearer key" }),
  );
  const [{ url, headers, body: text }] = sent;
  return { asked: { url, headers, body: JSON.parse(text) }, response, answer: await response.json() };
}

Deno.test("cohere is called at its own URL with the client's key, and what it cannot express is named", async () => {
  const body = {
    model: `cohere/${THINKING_MODEL}`,
    messages: [{ ...USER, name: "ada" }],
    user: "u",
    seed: 1,
  };
  const { asked, response, answer } = await exchange(body, await fixture("citations.json"));
  assertEquals(asked.url, "https://api.cohere.com/v2/chat");
  assertEquals(asked.headers.get("authorization"), "Bearer key");
  assertEquals(asked.body, { model: THINKING_MODEL, messages: [USER], seed: 1 });
  assertEquals(response.headers.get("sluice-dropped"), "messages[0].name, user");
  const [{ message }] = answer.choices;
  assertEquals(message.annotations.length, 4);
  assertEquals(message.annotations[3].url_citation.start_index, message.content.indexOf("1848"));
});

Deno.test("cohere gets its first answer back in the second turn", async () => {
  for (const model of [PLAIN_MODEL, THINKING_MODEL]) {
    const text = await fixture("tools.json");
    const first = { model: `cohere/${model}`, messages: [USER] };
    const { answer } = await exchange(first, text);
    const [{ message }] = answer.choices;
    const results = message.tool_calls.map(({ id }: { id: string }) => ({
      role: "tool",
      tool_call_id: id,
      content: "ok",
    }));
    const { asked } = await exchange({ ...first, messages: [USER, message, ...results] }, text);
    const { tool_plan, tool_calls } = JSON.parse(text).message;
    const plan = model === PLAIN_MODEL
      ? { tool_plan }
      : { content: [{ type: "thinking", thinking: tool_plan }] };
    assertEquals(asked.body.messages, [USER, { role: "assistant", ...plan, tool_calls }, ...results]);
  }
});

Deno.test("writeCall() names the fields of other gateways, and reads OpenRouter's reasoning", () => {
  const fields = {
    provider: { order: ["cohere"] },
    transforms: [],
    route: "fallback",
    plugins: [],
    usage: { include: true },
    models: ["cohere/command-a"],
    providerOptions: {},
    fallbacks: [],
    moderation: {},
  };
  assertEquals(settings({ ...fields, safety_mode: "NONE" }), {
    safety_mode: "NONE",
    dropped: Object.keys(fields),
  });
  const thinking = (reasoning: unknown, model?: string) => {
    const { thinking, dropped, ...rest } = settings({ reasoning }, model);
    assertEquals(rest, {});
    return [thinking, dropped];
  };
  assertEquals(thinking({ effort: "high" }), [{ type: "enabled" }, []]);
  assertEquals(thinking({ max_tokens: 900.5 }), [{ type: "enabled", token_budget: 900 }, []]);
  assertEquals(thinking({ enabled: false }), [{ type: "disabled" }, []]);
  assertEquals(thinking({ max_tokens: 900 }, PLAIN_MODEL), [undefined, ["reasoning.max_tokens"]]);
});

Deno.test("writeCall() recognizes models that do not think by their names", () => {
  const thinks = (model: string) => settings({ reasoning_effort: "high" }, model).thinking !== undefined;
  const plain = [
    "command",
    "command-r",
    "command-r-plus-08-2024",
    "command-light",
    "command-nightly",
    "command-a-03-2025",
    "command-a-vision-07-2025",
    "command-a-translate-08-2025",
    "aya",
    "c4ai-aya-expanse-32b",
    "c4ai-command-r",
  ];
  for (const model of plain) assertEquals(thinks(model), false, model);
  const others = [
    "command-a-reasoning-08-2025",
    "command-a-plus-05-2026",
    "command-a-04-2026",
    "command-b",
    "commander",
    "my-command-r",
    "my-c4ai-aya-expanse",
    "my-aya",
    "north",
  ];
  for (const model of others) assertEquals(thinks(model), true, model);
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

Deno.test("writeCall() accepts thinking in Cohere's form and in Anthropic's", () => {
  const thinking = (thinking: unknown, model?: string) => {
    const { thinking: sent, dropped } = settings({ thinking }, model);
    return [sent, dropped];
  };
  for (const own of [{ type: "enabled", token_budget: 7 }, { type: "enabled" }, { type: "disabled" }]) {
    assertEquals(thinking(own), [own, []]);
  }
  const budget = { type: "enabled", budget_tokens: 5000 };
  assertEquals(thinking(budget), [{ type: "enabled", token_budget: 5000 }, []]);
  assertEquals(thinking(budget, PLAIN_MODEL), [undefined, ["thinking"]]);
});
