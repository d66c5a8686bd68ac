import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import OpenAI from "npm:openai@7.57.0";
import { callOf, collector } from "../gathered.ts";
import { type AnswerForm, writeAnswer, writeUsage } from "../../../wires/openai_chat/write_answer.ts";
import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import { chunkWriter } from "../../../wires/openai_chat/write_stream.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { Delta, JsonObject, MessageOf, Thought, Usage } from "../../../wires/types.ts";
import { faultsOf } from "./openai_schema.ts";

const DEFAULTS = { id: "chatcmpl-default", created: 1_700_000_000, model: "asked-for" };
const FORM: AnswerForm = { includeUsage: false, legacyFunctions: false };

const USAGE: Usage = {
  input: 1,
  cacheRead: 20,
  cacheWrite: 300,
  audioIn: 4000,
  output: 50_000,
  reasoning: 600_000,
  audioOut: 7_000_000,
};

/** The client's stream of these deltas. */
function stream(deltas: Delta[], form: Partial<AnswerForm> = {}): string {
  const writer = chunkWriter(callOf({ ...FORM, ...form }), DEFAULTS);
  return deltas.map((delta) => writer.delta(delta)).join("") + writer.end();
}

interface Chunk {
  choices: { index: number; delta: JsonObject; finish_reason: string | null; logprobs?: unknown }[];
  usage?: JsonObject | null;
  [member: string]: unknown;
}

/** The chunks of the stream, each checked against OpenAI's description. */
function chunks(deltas: Delta[], form: Partial<AnswerForm> = {}): Chunk[] {
  const text = stream(deltas, form);
  assert(text.endsWith("\n\ndata: [DONE]\n\n"), text);
  return text.split("\n\n").slice(0, -2).map((event) => {
    assert(event.startsWith("data: {"), event);
    const chunk = JSON.parse(event.slice(6));
    assertEquals(faultsOf.chunk(chunk), "", event);
    return chunk;
  });
}

/** The content of each chunk: its choice and its delta, or its finish reason. */
const said = (list: Chunk[]) =>
  list.flatMap(({ choices }) =>
    choices.map(({ index, delta, finish_reason }) => [index, finish_reason ?? delta] as const)
  );

/** The whole answer of these deltas, checked against OpenAI's description. */
function whole(deltas: Delta[], form: Partial<AnswerForm> = {}) {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  const completion = JSON.parse(JSON.stringify(writeAnswer(answer, callOf({ ...FORM, ...form }), DEFAULTS)));
  assertEquals(faultsOf.completion(completion), "");
  return completion as OpenAI.ChatCompletion & {
    choices: {
      message: { reasoning_content?: string; reasoning_details?: JsonObject[]; images?: unknown };
    }[];
  };
}

/** What the official SDK reads from a stream. */
async function gathered(text: string): Promise<OpenAI.ChatCompletion> {
  const response = new Response(text, { headers: { "content-type": "text/event-stream" } });
  const client = new OpenAI({ apiKey: "key", maxRetries: 0, fetch: () => Promise.resolve(response) });
  const body = { model: "m", messages: [{ role: "user" as const, content: "Hello" }] };
  return await client.chat.completions.stream(body).finalChatCompletion();
}

const text = (text: string, choice = 0): Delta => ({ type: "text", choice, text });
const tool = (index: number, id: string, name: string, more = {}): Delta => ({
  type: "tool",
  choice: 0,
  index,
  id,
  name,
  ...more,
});
const args = (index: number, text: string): Delta => ({ type: "args", choice: 0, index, text });
const stop = (reason: Extract<Delta, { type: "stop" }>["reason"], choice = 0): Delta => ({
  type: "stop",
  choice,
  reason,
});

// ---------------------------------------------------------------- the envelope

Deno.test("chunkWriter() and writeAnswer() keep the provider's id, time and model, else the defaults", () => {
  const start: Delta = {
    type: "start",
    id: 'id"1',
    created: 5,
    model: "gpt-x",
    service_tier: "flex",
    fingerprint: "fp",
  };
  const head = { id: 'id"1', created: 5, model: "gpt-x", service_tier: "flex", system_fingerprint: "fp" };
  const heads = ({ id, created, model, service_tier, system_fingerprint }: JsonObject) => ({
    id,
    created,
    model,
    service_tier,
    system_fingerprint,
  });
  for (const chunk of chunks([start, text("a"), stop("stop")])) assertEquals(heads(chunk), head);
  assertEquals(heads({ ...whole([start, text("a")]) }), head);

  const { id, created, model } = DEFAULTS;
  for (const deltas of [[{ type: "start" }, text("a")], [text("a")]] as Delta[][]) {
    for (const answer of [...chunks(deltas), { ...whole(deltas) }]) {
      assertEquals([answer.id, answer.created, answer.model], [id, created, model]);
      assert(!("service_tier" in answer) && !("system_fingerprint" in answer));
    }
  }
  // The first start counts, streamed and whole.
  const twice: Delta[] = [{ type: "start", id: "one" }, text("a"), { type: "start", id: "two" }];
  assertEquals(new Set(chunks(twice).map(({ id }) => id)), new Set(["one"]));
  assertEquals(whole(twice).id, "one");
});

// ---------------------------------------------------------------- chunks

Deno.test("chunkWriter() writes each choice's role once, its content and its finish reason", () => {
  const deltas: Delta[] = [
    { type: "start" },
    text("Hel"),
    text(""),
    text("Bon", 1),
    text("lo"),
    stop("length", 1),
    { type: "refusal", choice: 0, text: "no" },
    stop("stop"),
  ];
  assertEquals(said(chunks(deltas)), [
    [0, { role: "assistant", content: "" }],
    [0, { content: "Hel" }],
    [1, { role: "assistant", content: "" }],
    [1, { content: "Bon" }],
    [0, { content: "lo" }],
    [0, { refusal: "no" }],
    [0, "stop"],
    [1, "length"],
  ]);
});

Deno.test("chunkWriter() writes a tool's name before its arguments, and {} for no arguments", () => {
  const deltas: Delta[] = [
    tool(0, "a", "f"),
    tool(1, "b", "g"),
    args(1, '{"y":'),
    args(0, '{"x":1}'),
    args(1, "2}"),
    tool(2, "c", "h"),
    args(2, ""),
    stop("stop"),
  ];
  const begun = (index: number, id: string, name: string) => ({
    tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }],
  });
  const more = (index: number, text: string) => ({ tool_calls: [{ index, function: { arguments: text } }] });
  assertEquals(said(chunks(deltas)), [
    [0, { role: "assistant", content: "" }],
    [0, begun(0, "a", "f")],
    [0, begun(1, "b", "g")],
    [0, more(1, '{"y":')],
    [0, more(0, '{"x":1}')],
    [0, more(1, "2}")],
    [0, begun(2, "c", "h")],
    [0, more(2, "{}")],
    [0, "tool_calls"],
  ]);
});

Deno.test("chunkWriter() writes the usage only if asked, in a last chunk without choices", () => {
  const deltas: Delta[] = [{ type: "usage", usage: { ...USAGE, input: 0 } }, text("a"), {
    type: "usage",
    usage: USAGE,
  }];
  assert(chunks(deltas).every((chunk) => !("usage" in chunk)));
  const asked = chunks(deltas, { includeUsage: true });
  assertEquals(asked.at(-1)!.choices, []);
  assertEquals(asked.at(-1)!.usage, writeUsage(USAGE));
  assert(asked.slice(0, -1).every(({ usage, choices }) => usage === null && choices.length === 1));
  // Counts that the provider did not report are not invented.
  assert(chunks([text("a")], { includeUsage: true }).every(({ usage }) => usage === null));
});

Deno.test("chunkWriter() writes nothing after an error, and no clean end", async () => {
  const error: Delta = {
    type: "error",
    error: { message: "no room", type: "server_error", code: "overloaded" },
  };
  const written = stream([text("a"), error, text("b"), stop("stop"), error], { includeUsage: true });
  const [role, content, failure, end] = written.split("\n\n");
  assert(role.includes('"role"') && content.includes('"a"'));
  assertEquals(JSON.parse(failure.slice(6)), {
    error: { message: "no room", type: "server_error", param: null, code: "overloaded" },
  });
  assertEquals([end, written.split("\n\n").length], ["", 4]);
  const raised = await assertRejects(() => gathered(written), OpenAI.APIError);
  assertEquals([raised.message, raised.code], ["no room", "overloaded"]);
});

Deno.test("chunkWriter() ends an empty answer", () => {
  assertEquals(said(chunks([])), [[0, { role: "assistant", content: "" }], [0, "stop"]]);
  assertEquals(whole([]).choices[0].message.content, "");
  assertEquals(whole([]).choices[0].finish_reason, "stop");
});

// ---------------------------------------------------------------- whole answers

Deno.test("writeAnswer() writes content: null only beside tool calls, a refusal or sound", () => {
  const content = (...deltas: Delta[]) => whole(deltas).choices[0].message.content;
  assertEquals(content(text("a"), tool(0, "a", "f")), "a");
  assertEquals(content(tool(0, "a", "f")), null);
  assertEquals(content({ type: "refusal", choice: 0, text: "no" }), null);
  assertEquals(content({ type: "thought", choice: 0, block: 0, text: "hm" }), "");
  assertEquals(content({ type: "audio", choice: 0, id: "a", data: "QUJD" }), null);
});

Deno.test("writeAnswer() and chunkWriter() map every way to finish", () => {
  const finishes = (...deltas: Delta[]) => {
    const streamed = said(chunks(deltas)).at(-1)![1];
    assertEquals(whole(deltas).choices[0].finish_reason, streamed as string);
    return streamed;
  };
  assertEquals(finishes(text("a"), stop("stop")), "stop");
  assertEquals(finishes(text("a")), "stop");
  assertEquals(finishes(text("a"), stop("length")), "length");
  assertEquals(finishes(text("a"), stop("content_filter")), "content_filter");
  // The provider's finish reason is wrong: it has tool calls but another reason, or the reason but no tool calls.
  assertEquals(finishes(tool(0, "a", "f"), stop("stop")), "tool_calls");
  assertEquals(finishes(tool(0, "a", "f")), "tool_calls");
  assertEquals(finishes(text("a"), stop("tool_calls")), "stop");
  // A tool call that was cut off must not be made.
  assertEquals(finishes(tool(0, "a", "f"), args(0, '{"x'), stop("length")), "length");
  assertEquals(finishes(tool(0, "a", "f"), stop("content_filter")), "content_filter");
});

Deno.test("writeUsage() writes sums that add up", () => {
  assertEquals(writeUsage(USAGE), {
    prompt_tokens: 4321,
    completion_tokens: 7_650_000,
    total_tokens: 7_654_321,
    prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 300, audio_tokens: 4000 },
    completion_tokens_details: { reasoning_tokens: 600_000, audio_tokens: 7_000_000 },
  });
});

Deno.test("writeError() writes OpenAI's error, with the provider's original in metadata", () => {
  const bare = openaiChat.writeError({ message: "m" });
  assertEquals(bare, { error: { message: "m", type: "server_error", param: null, code: null } });
  const full = openaiChat.writeError({
    message: "m",
    type: "t",
    param: "p",
    code: "c",
    status: 400,
    metadata: { original: { a: 1 } },
  });
  assertEquals(full, {
    error: { message: "m", type: "t", param: "p", code: "c", metadata: { original: { a: 1 } } },
  });
  // The code is a string in OpenAI's description. Clients in strictly typed languages cannot read a number there.
  assertEquals((openaiChat.writeError({ message: "m", code: 2005 }).error as JsonObject).code, "2005");
  for (const body of [bare, full]) assertEquals(faultsOf.error(body), "");
});

// ---------------------------------------------------------------- legacy functions

Deno.test("a client of functions gets one function_call, whole and streamed", async () => {
  const deltas: Delta[] = [
    tool(0, "a", "f"),
    args(0, '{"x":'),
    tool(1, "b", "g"),
    args(1, "{}"),
    args(0, "1}"),
    tool(2, "c", "h"),
    stop("tool_calls"),
  ];
  const { message, finish_reason } = whole(deltas, { legacyFunctions: true }).choices[0];
  const call = { name: "f", arguments: '{"x":1}' };
  assertEquals([message.function_call, message.tool_calls, finish_reason], [
    call,
    undefined,
    "function_call",
  ]);
  const streamed = (await gathered(stream(deltas, { legacyFunctions: true }))).choices[0];
  assertEquals([streamed.message.function_call, streamed.finish_reason], [call, "function_call"]);
  chunks(deltas, { legacyFunctions: true });

  const none: Delta[] = [tool(0, "a", "f")];
  assertEquals(whole(none, { legacyFunctions: true }).choices[0].message.function_call?.arguments, "{}");
  const again = (await gathered(stream(none, { legacyFunctions: true }))).choices[0];
  assertEquals(again.message.function_call, { name: "f", arguments: "{}" });
});

// ---------------------------------------------------------------- attachments

const RICH: Delta[] = [
  { type: "thought", choice: 0, block: 0, text: "one ", format: "anthropic-claude-v1" },
  { type: "thought", choice: 0, block: 0, text: "two" },
  { type: "thought", choice: 0, block: 0, signature: "S1" },
  { type: "thought", choice: 0, block: 1, redacted: "R", format: "anthropic-claude-v1" },
  { type: "thought", choice: 0, block: 2, text: " three" },
  text("Hello"),
  {
    type: "citation",
    choice: 0,
    citation: { url: "https://a.example/", title: "A", start: 0, end: 5, extra: { cited_text: "c" } },
  },
  { type: "image", choice: 0, media: { mime: "image/png", data: "QUJD" } },
  { type: "image", choice: 0, media: { url: "https://a.example/b.png" } },
  { type: "signature", choice: 0, signature: "bWVzc2FnZQ==" },
  tool(0, "a", "f", { signature: "Y2FsbA==" }),
  stop("tool_calls"),
];

const ATTACHED = {
  reasoning_details: [
    { type: "reasoning.text", text: "one two", signature: "S1", format: "anthropic-claude-v1", index: 0 },
    { type: "reasoning.encrypted", data: "R", format: "anthropic-claude-v1", index: 1 },
    { type: "reasoning.text", text: " three", format: "unknown", index: 2 },
  ],
  annotations: [{
    type: "url_citation",
    url_citation: { start_index: 0, end_index: 5, url: "https://a.example/", title: "A", cited_text: "c" },
  }],
  images: [
    { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
    { type: "image_url", image_url: { url: "https://a.example/b.png" } },
  ],
  extra_content: { google: { thought_signature: "bWVzc2FnZQ==" } },
};

Deno.test("writeAnswer() writes reasoning, citations, pictures and signatures", () => {
  const { message } = whole(RICH).choices[0];
  assertEquals(message as unknown, {
    role: "assistant",
    content: "Hello",
    refusal: null,
    reasoning_content: "one two three",
    ...ATTACHED,
    tool_calls: [{
      id: "a__sig_Y2FsbA",
      type: "function",
      function: { name: "f", arguments: "{}" },
      extra_content: { google: { thought_signature: "Y2FsbA==" } },
    }],
  });
});

Deno.test("chunkWriter() writes lists of whole blocks once, complete, before the finish", () => {
  const list = said(chunks(RICH)) as [number, JsonObject | string][];
  const { reasoning_details, ...rest } = ATTACHED;
  assertEquals(list.slice(-2), [[0, rest], [0, "tool_calls"]]);
  // After all thoughts and before the text.
  const at = list.findIndex(([, delta]) => (delta as JsonObject).reasoning_details);
  assertEquals(list.slice(at - 1, at + 2), [
    [0, { reasoning_content: " three" }],
    [0, { reasoning_details }],
    [0, { content: "Hello" }],
  ]);
  const reasoning = list.map(([, delta]) => typeof delta === "object" ? delta.reasoning_content ?? "" : "");
  assertEquals(reasoning.join(""), "one two three");
  const begun = list.map(([, delta]) => (delta as { tool_calls?: JsonObject[] }).tool_calls?.[0]).find(
    Boolean,
  )!;
  assertEquals(begun, {
    index: 0,
    id: "a__sig_Y2FsbA",
    type: "function",
    function: { name: "f", arguments: "" },
    extra_content: { google: { thought_signature: "Y2FsbA==" } },
  });
});

Deno.test("chunkWriter() repeats all thoughts under new indexes if some come after the content", () => {
  const format = "anthropic-claude-v1";
  const signed = (block: number, name: string): Delta[] => [
    { type: "thought", choice: 0, block, text: name, format },
    { type: "thought", choice: 0, block, signature: `S${name}`, format },
  ];
  const details = (deltas: Delta[]) =>
    (said(chunks(deltas)) as [number, JsonObject][]).map(([, delta]) => delta.reasoning_details).filter(
      Boolean,
    );
  /** @param after How many pieces stood before it. */
  const entry = (name: string, index: number, after = 0) => ({
    type: "reasoning.text",
    text: name,
    signature: `S${name}`,
    ...(after > 0 && { id: `slc1.after.${after}` }),
    format,
    index,
  });
  const sealed = (index: number, data: string, format: string) => ({
    type: "reasoning.encrypted",
    data,
    format,
    index,
  });
  const apart = (index: number) => sealed(index, "{}", format);
  const again = (index: number) => sealed(index, '{"again":true}', "unknown");
  assertEquals(details([...signed(0, "a"), ...signed(1, "b"), text("x"), text("y"), stop("stop")]), [
    [entry("a", 0), apart(1), entry("b", 2, 1)],
  ]);
  assertEquals(details([...signed(0, "a"), text("x"), ...signed(1, "b"), stop("stop")]), [
    [entry("a", 0)],
    [again(1), entry("a", 2), apart(3), entry("b", 4, 2)],
  ]);
  assertEquals(details([text("x"), ...signed(0, "a"), stop("stop")]), [[entry("a", 0, 1)]]);
  assertEquals(details([text(""), ...signed(0, "a"), text("x"), stop("stop")]), [[entry("a", 0)]]);
  assertEquals(details([...signed(0, "a"), tool(0, "t", "f"), stop("tool_calls")]), [[entry("a", 0)]]);
  // A thought without a proof, and one whose proof comes after the text.
  const bare = (index: number) => ({ type: "reasoning.text", text: "a", format: "unknown", index });
  const unsigned: Delta = { type: "thought", choice: 0, block: 0, text: "a" };
  assertEquals(details([unsigned, text("x"), stop("stop")]), [[bare(0)]]);
  assertEquals(details([unsigned, text("x"), signed(0, "a")[1], stop("stop")]), [
    [bare(0)],
    [again(1), entry("a", 2)],
  ]);
});

Deno.test("every way to join chunks gives back all thoughts of an answer, each once", async () => {
  const thought = (block: number, text: string, more: object = {}): Delta => ({
    type: "thought",
    choice: 0,
    block,
    text,
    ...more,
  });
  const format = "anthropic-claude-v1";
  const proof = (block: number, signature: string): Delta => ({
    type: "thought",
    choice: 0,
    block,
    signature,
    format,
  });
  const cases: [name: string, deltas: Delta[], thoughts: Thought[]][] = [
    ["in pieces", [thought(0, "one "), thought(0, "two"), text("x")], [{ text: "one two" }]],
    ["two", [thought(0, "same"), thought(1, "same"), text("x")], [{ text: "same" }, { text: "same" }]],
    ["between texts", [thought(0, "a"), text("x"), thought(1, "b"), text("y")], [{ text: "a" }, {
      text: "b",
    }]],
    ["two and one more", [thought(0, "same"), thought(1, "same"), text("x"), thought(2, "b")], [
      { text: "same" },
      { text: "same" },
      { text: "b" },
    ]],
    ["after a text", [text("x"), thought(0, "a")], [{ text: "a" }]],
    ["before a call", [thought(0, "a"), tool(0, "c", "f")], [{ text: "a" }]],
    ["beside a signed one", [thought(0, "a"), thought(1, "b", { format }), proof(1, "S"), text("x")], [
      { text: "a" },
      { text: "b", signature: "S", format },
    ]],
    ["signed late", [thought(0, "a", { format }), text("x"), proof(0, "S")], [
      { text: "a", signature: "S", format },
    ]],
    ["grown late", [thought(0, "a"), text("x"), thought(0, "b")], [{ text: "ab" }]],
  ];
  for (const [name, deltas, expected] of cases) {
    const sent = stream([...deltas, stop("stop")]);
    const list = (said(chunks([...deltas, stop("stop")])) as [number, JsonObject][]).flatMap(([, delta]) =>
      (delta.reasoning_details ?? []) as JsonObject[]
    );
    const byIndex: JsonObject[] = [];
    for (const entry of list) byIndex[entry.index as number] = entry;
    const kept: Record<string, JsonObject> = {
      "the official SDK": (await gathered(sent)).choices[0].message as unknown as JsonObject,
      whole: whole([...deltas, stop("stop")]).choices[0].message as unknown as JsonObject,
      appended: { role: "assistant", content: "", reasoning_details: list },
      "by index": { role: "assistant", content: "", reasoning_details: byIndex },
    };
    for (const [client, message] of Object.entries(kept)) {
      const call = readCall(JSON.parse(JSON.stringify({ messages: [message] })), "m");
      const [{ thoughts }] = call.messages as MessageOf<"assistant">[];
      const read = thoughts.map(({ path: _, after: __, ...thought }) => JSON.parse(JSON.stringify(thought)));
      assertEquals(read, expected, `${name}, ${client}`);
    }
    // Another gateway behind this one tells the same thoughts, each once.
    const { emit, answer } = collector();
    const reader = openaiChat.readStream(emit);
    for (const data of sent.split("\n\n")) reader.frame(data.slice("data: ".length), "");
    const told = answer.choices[0].items.flatMap((item) => item.type === "thought" ? [item.thought] : []);
    // Nothing parts the pieces of two neighbours.
    const sum = (thoughts: Thought[]) => [
      thoughts.map(({ text }) => text).join(""),
      thoughts.flatMap(({ signature }) => signature ?? []),
    ];
    assertEquals(sum(told), sum(expected), name);
  }
});

Deno.test("a second turn built from an answer gives the same thoughts, calls and signatures", async () => {
  const { message } = whole(RICH).choices[0];
  const { message: streamed } = (await gathered(stream(RICH))).choices[0];
  for (const assistant of [message, streamed] as unknown as JsonObject[]) {
    const turn = (assistant: JsonObject) => {
      const result = {
        role: "tool",
        tool_call_id: (assistant.tool_calls as JsonObject[])[0].id,
        content: "1",
      };
      const messages = [{ role: "user", content: "Hello" }, assistant, result];
      const call = readCall(JSON.parse(JSON.stringify({ messages })), "m");
      const [, answered, tool] = call.messages;
      assert(answered.role === "assistant" && tool.role === "tool");
      return { ...answered, callId: tool.callId, dropped: call.dropped };
    };
    const { thoughts, calls, signature, callId, dropped, parts } = turn(assistant);
    const path = "messages[1].reasoning_details";
    const expected: (Thought & { path: string })[] = [
      { text: "one two", signature: "S1", format: "anthropic-claude-v1", path },
      { redacted: "R", format: "anthropic-claude-v1", path },
      { text: " three", path },
    ];
    assertEquals(JSON.parse(JSON.stringify(thoughts)), expected);
    assertEquals([calls[0].id, calls[0].signature, calls[0].arguments], ["a", "Y2FsbA==", "{}"]);
    assertEquals([signature, callId, dropped], ["bWVzc2FnZQ==", "a", []]);
    assertEquals(parts.map(({ type }) => type), ["text", "image", "image"]);

    // A client that only knows OpenAI's members still returns the signature, in the id.
    const { content, tool_calls } = assistant as { content: string; tool_calls: JsonObject[] };
    const known = tool_calls.map(({ id, type, function: called }) => ({ id, type, function: called }));
    assertEquals(turn({ role: "assistant", content, tool_calls: known }).calls[0].signature, "Y2FsbA==");
  }
});

Deno.test("logprobs and sound come whole and streamed", async () => {
  const token = (token: string) => ({ token, logprob: -0.5, bytes: null, top_logprobs: [] });
  const deltas: Delta[] = [
    { type: "text", choice: 0, text: "a", logprobs: { content: [token("a")], refusal: null } },
    { type: "text", choice: 0, text: "b", logprobs: { content: [token("b")], refusal: null } },
    { type: "audio", choice: 0, id: "audio_1", data: "QUJD", transcript: "a", expires_at: 9 },
    { type: "audio", choice: 0, data: "REVG", transcript: "b" },
    stop("stop"),
  ];
  const [choice] = whole(deltas).choices;
  assertEquals(choice.logprobs, { content: [token("a"), token("b")], refusal: null });
  assertEquals(choice.message.audio, { id: "audio_1", data: "QUJDREVG", transcript: "ab", expires_at: 9 });
  assertEquals((await gathered(stream(deltas))).choices[0].logprobs, choice.logprobs);
  const sound = said(chunks(deltas)).map(([, delta]) => (delta as JsonObject).audio).filter(Boolean);
  assertEquals(sound, [{ id: "audio_1", data: "QUJD", transcript: "a", expires_at: 9 }, {
    data: "REVG",
    transcript: "b",
  }]);
  const refused = whole([{
    type: "text",
    choice: 0,
    text: "",
    logprobs: { content: null, refusal: [token("no")] },
  }]);
  assertEquals(refused.choices[0].logprobs, { content: null, refusal: [token("no")] });
});

// ---------------------------------------------------------------- any answer

const piece = fc.string({ unit: fc.constantFrom("a", "é", "🗼", "\ud800", '"', "\\", "\n", "\u2028") });
const choices = fc.constantFrom(0, 0, 0, 1, 2);
const step: fc.Arbitrary<Delta> = fc.oneof(
  fc.record({ type: fc.constant("text" as const), choice: choices, text: piece }),
  fc.record({ type: fc.constant("refusal" as const), choice: choices, text: piece }),
  fc.record({ type: fc.constant("thought" as const), choice: choices, block: fc.nat(2), text: piece }),
  fc.record({ type: fc.constant("thought" as const), choice: choices, block: fc.nat(2), signature: piece }),
  fc.record({ type: fc.constant("signature" as const), choice: choices, signature: piece }),
  fc.record({
    type: fc.constant("citation" as const),
    choice: choices,
    citation: fc.record({ url: piece, title: piece, start: fc.nat(), end: fc.nat() }),
  }),
  fc.record({
    type: fc.constant("stop" as const),
    choice: choices,
    reason: fc.constantFrom("stop" as const, "length" as const, "content_filter" as const),
  }),
);

Deno.test("any answer is the same whole and as the official SDK reads it from the stream", async () => {
  /** Interleaved tool calls of one choice. */
  const calls = fc.tuple(choices, fc.nat(3), fc.array(fc.tuple(fc.nat(2), piece))).map((
    [choice, count, list],
  ) => [
    ...Array.from({ length: count }, (_, index): Delta => ({
      type: "tool",
      choice,
      index,
      id: `call_${index}`,
      name: `f${index}`,
    })),
    ...list.filter(([index]) => index < count).map(([index, text]): Delta => ({
      type: "args",
      choice,
      index,
      text,
    })),
  ]);
  const answer = fc.tuple(fc.array(step), calls, fc.array(step)).map((lists) => lists.flat());
  await fc.assert(
    fc.asyncProperty(answer, async (deltas) => {
      // The SDK requires a choice for every index.
      const all = [text("", 0), text("", 1), text("", 2), ...deltas];
      const { choices } = whole(all);
      chunks(all);
      const streamed = await gathered(stream(all));
      // The SDK only joins OpenAI's own texts, and has "" where a whole answer has null.
      const gist = ({ index, finish_reason, message }: OpenAI.ChatCompletion.Choice) => {
        const { content, refusal, reasoning_content: _, parsed: __, ...rest } = { ...message } as JsonObject;
        return { index, finish_reason, content: content || null, refusal: refusal || null, rest };
      };
      const inOrder = [...streamed.choices].sort((a, b) => a.index - b.index).map(gist);
      assertEquals(JSON.parse(JSON.stringify(inOrder)), choices.map(gist));
    }),
    { numRuns: 150 },
  );
});

Deno.test("a choice or block with a huge index costs no more than any other", () => {
  // A loop up to such an index would not end in time.
  const far = 2 ** 32 - 2;
  const deltas: Delta[] = [
    { type: "start" },
    text("a", far),
    { type: "thought", choice: 0, block: far, text: "t", signature: "S" },
    text("b"),
    stop("stop", far),
  ];
  assertEquals(chunks(deltas).at(-1)!.choices[0].index, far);
  const { choices } = whole(deltas);
  assertEquals(choices.map(({ index }) => index), [0, far]);
  assertEquals(choices[0].message.reasoning_details?.length, 1);
});
