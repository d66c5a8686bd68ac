import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import { callOf, collector, type GatheredAnswer as Answer } from "../gathered.ts";
import { writeAnswer } from "../../../wires/openai_chat/write_answer.ts";
import { chunkWriter } from "../../../wires/openai_chat/write_stream.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { sseReader } from "../../../wires/streams/sse.ts";
import type { Delta, JsonObject, StreamReader } from "../../../wires/types.ts";

const FIXTURES = new URL("../../fixtures/anthropic/", import.meta.url);
const load = (name: string) => Deno.readTextFileSync(new URL(name, FIXTURES));

/** The deltas without members that are `undefined`. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));

function deltas(read: (reader: StreamReader) => void): Delta[] {
  const list: Delta[] = [];
  const reader = anthropicMessages.readStream((delta) => list.push(plain(delta)));
  read(reader);
  reader.end();
  return list;
}

const streamed = (stream: string) =>
  deltas((reader) => {
    const parser = sseReader((data, event) => reader.frame(data, event));
    parser.push(new TextEncoder().encode(stream));
    parser.end();
  });

const frames = (...list: unknown[]) =>
  deltas((reader) => list.forEach((frame) => reader.frame(JSON.stringify(frame), "")));

function whole(body: unknown): Delta[] {
  const list: Delta[] = [];
  anthropicMessages.readAnswer(body as JsonObject, (delta) => list.push(plain(delta)));
  return list;
}

function collect(list: Delta[]): Answer {
  const { emit, answer } = collector();
  list.forEach(emit);
  return plain(answer);
}

const ofType = <T extends Delta["type"]>(list: Delta[], type: T) =>
  list.filter((delta): delta is Extract<Delta, { type: T }> => delta.type === type);

const START = { type: "message_start", message: { id: "msg_1", model: "claude-x" } };
const STOP = [{ type: "message_delta", delta: { stop_reason: "end_turn" } }, { type: "message_stop" }];
const opened = (index: unknown, content_block: unknown) => ({
  type: "content_block_start",
  index,
  content_block,
});
const filled = (index: unknown, delta: unknown) => ({ type: "content_block_delta", index, delta });

// ---------------------------------------------------------------- answers

for (const name of ["text", "tools", "interleaved", "search"]) {
  Deno.test(`readAnswer() and readStream() read the same from ${name}`, () => {
    assertEquals(collect(whole(JSON.parse(load(`${name}.json`)))), collect(streamed(load(`${name}.sse`))));
  });
}

Deno.test("readStream() takes the values of a block of another type from all its deltas", () => {
  const done = (index: number) => ({ type: "content_block_stop", index });
  const compaction = { type: "compaction", content: "What was said", encrypted_content: "c2VhbGVk" };
  const events = [
    START,
    opened(0, { type: "compaction", content: null }),
    filled(0, { type: "compaction_delta", content: "What was said" }),
    filled(0, { type: "later_delta", encrypted_content: "c2VhbGVk" }),
    done(0),
    opened(1, { type: "text", text: "" }),
    filled(1, { type: "text_delta", text: "Hi" }),
    done(1),
    ...STOP,
  ];
  const content = [compaction, { type: "text", text: "Hi" }];
  const message = { ...START.message, type: "message", role: "assistant", content, stop_reason: "end_turn" };
  assertEquals(collect(frames(...events)), collect(whole(message)));
});

Deno.test("readStream() reads text and ignores pings and events it does not know", () => {
  assertEquals(streamed(load("text.sse")), [
    { type: "start", id: "msg_text", model: "claude-haiku-4-5-20251001", service_tier: "default" },
    { type: "text", choice: 0, text: "Grüße, " },
    { type: "text", choice: 0, text: "Welt 👋" },
    { type: "text", choice: 0, text: "!" },
    {
      type: "usage",
      usage: { input: 12, cacheRead: 0, cacheWrite: 0, audioIn: 0, output: 9, reasoning: 0, audioOut: 0 },
    },
    { type: "stop", choice: 0, reason: "stop" },
  ]);
});

Deno.test("readStream() numbers tool calls itself, and gives {} to one without arguments", () => {
  const list = streamed(load("tools.sse"));
  assertEquals(ofType(list, "tool").map(({ index, id, name }) => [index, id, name]), [
    [0, "toolu_a", "weather"],
    [1, "toolu_b", "now"],
  ]);
  const calls = collect(list).choices[0].calls;
  assertEquals(calls.map((one) => one.arguments), ['{"city":"Oslo","days":2}', "{}"]);
  assertEquals(ofType(list, "stop"), [{ type: "stop", choice: 0, reason: "tool_calls" }]);
});

Deno.test("readStream() keeps interleaved tool blocks apart", () => {
  const list = frames(
    START,
    opened(4, { type: "tool_use", id: "a", name: "x", input: {} }),
    opened(9, { type: "tool_use", id: "b", name: "y", input: {} }),
    filled(4, { type: "input_json_delta", partial_json: '{"n":' }),
    filled(9, { type: "input_json_delta", partial_json: '{"m":2}' }),
    filled(4, { type: "input_json_delta", partial_json: "1}" }),
    ...STOP,
  );
  assertEquals(collect(list).choices[0].calls.map(({ id, arguments: args }) => [id, args]), [
    ["a", '{"n":1}'],
    ["b", '{"m":2}'],
  ]);
});

Deno.test("readStream() replaces the counts of message_start by those of message_delta, in disjoint buckets", () => {
  assertEquals(ofType(streamed(load("tools.sse")), "usage").map(({ usage }) => usage), [
    { input: 4, cacheRead: 2001, cacheWrite: 41, audioIn: 0, output: 88, reasoning: 0, audioOut: 0 },
  ]);
  assertEquals(ofType(streamed(load("interleaved.sse")), "usage").map(({ usage }) => usage), [
    { input: 50, cacheRead: 0, cacheWrite: 0, audioIn: 0, output: 50, reasoning: 70, audioOut: 0 },
  ]);
  assertEquals(ofType(frames(START, ...STOP), "usage"), []);
});

Deno.test("readStream() gives each thinking block its number, text, signature or seal", () => {
  const { thoughts, reasoning } = collect(streamed(load("interleaved.sse"))).choices[0];
  assertEquals(reasoning, "First the weather.");
  assertEquals(thoughts.slice(0, 3), [
    { text: "First the weather.", signature: "c2lnMQ==", format: "anthropic-claude-v1" },
    { signature: "c2lnMg==", format: "anthropic-claude-v1" },
    { redacted: "c2VhbGVk", format: "anthropic-claude-v1" },
  ]);
});

Deno.test("readStream() reads every kind of citation, with the range of its text", () => {
  const list = streamed(load("search.sse"));
  const { text, citations } = collect(list).choices[0];
  assertEquals(text, "Let me see. Four degrees 🌬, and cold");
  assertEquals(citations.map(({ start, end }) => text.slice(start, end)), [
    "Four degrees 🌬",
    "Four degrees 🌬",
    "cold",
    "cold",
    "cold",
  ]);
  assertEquals(citations.map(({ url, title }) => [url, title]), [
    ["https://weather.example/oslo", "Oslo"],
    ["", "Notes"],
    ["", ""],
    ["", "Blocks"],
    ["https://kb.example/7", "KB"],
  ]);
  assertEquals(citations[0].extra, {
    type: "web_search_result_location",
    cited_text: "It is four degrees.",
    encrypted_index: "ZW5j",
  });
  assertEquals(citations[2].extra?.start_page_number, 1);
});

Deno.test("readStream() maps every stop reason", () => {
  const reasons = {
    end_turn: "stop",
    stop_sequence: "stop",
    max_tokens: "length",
    model_context_window_exceeded: "length",
    tool_use: "tool_calls",
    refusal: "content_filter",
    pause_turn: "length",
    compaction: "length",
    some_new_reason: "stop",
  };
  for (const [native, reason] of Object.entries(reasons)) {
    const list = frames(START, { type: "message_delta", delta: { stop_reason: native } }, {
      type: "message_stop",
    });
    assertEquals(ofType(list, "stop"), [{ type: "stop", choice: 0, reason }] as Delta[], native);
    const answer = whole({ content: [], stop_reason: native });
    assertEquals(ofType(answer, "stop"), [{ type: "stop", choice: 0, reason }] as Delta[], native);
  }
});

Deno.test("readStream() reads why the model refused", () => {
  const list = streamed(load("refusal.sse"));
  assertEquals(collect(list).choices[0].refusal, "This may help an attack.");
  assertEquals(collect(list).choices[0].stop, "content_filter");
});

// ---------------------------------------------------------------- a second turn

/** The answer as a client keeps it, read from the whole body and from the chunks. */
function clientMessages(list: Delta[]): JsonObject[] {
  const defaults = { id: "chatcmpl-1", created: 1, model: "m" };
  const call = callOf({ includeUsage: true });
  const { emit, answer } = collector();
  list.forEach(emit);
  const { choices } = writeAnswer(answer, call, defaults) as { choices: { message: JsonObject }[] };
  const writer = chunkWriter(call, defaults);
  let sse = "";
  for (const delta of list) sse += writer.delta(delta);
  sse += writer.end();
  const message: JsonObject & { tool_calls: { function: { arguments: string } }[] } = {
    role: "assistant",
    content: "",
    tool_calls: [],
  };
  // Only LF ends these lines. A text may contain other line ends, e.g. U+2028.
  for (const line of sse.split("\n")) {
    if (!line.startsWith("data: {")) continue;
    const delta = JSON.parse(line.slice("data: ".length)).choices[0]?.delta ?? {};
    message.content += delta.content ?? "";
    for (const list of ["annotations", "reasoning_details"]) if (delta[list]) message[list] = delta[list];
    for (const { index, ...one } of delta.tool_calls ?? []) {
      const known = message.tool_calls[index];
      if (known) known.function.arguments += one.function.arguments;
      else message.tool_calls[index] = one;
    }
  }
  return [choices[0].message, message];
}

for (const name of ["interleaved", "search", "tools"]) {
  Deno.test(`writeCall() returns ${name} block by block, as the model wrote it`, () => {
    const body = JSON.parse(load(`${name}.json`));
    for (
      const message of [...clientMessages(whole(body)), ...clientMessages(streamed(load(`${name}.sse`)))]
    ) {
      const list = [{ role: "user", content: "Hi" }, message, { role: "user", content: "Go on" }];
      const { body: written } = anthropicMessages.writeCall(readCall({ messages: list }, "claude-opus-5"));
      const content = (written.messages as { content: JsonObject[] }[])[1].content;
      // A request's citations have no `file_id`.
      const sent = JSON.stringify(body.content, (key, value) => key === "file_id" ? undefined : value);
      assertEquals(content, JSON.parse(sent));
    }
  });
}

Deno.test("writeCall() returns blocks in any order, whole or streamed in any pieces", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((text) =>
    text.trim() !== ""
  );
  const id = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
  const block = fc.oneof(
    fc.record({ type: fc.constant("text"), text: word }),
    fc.record({ type: fc.constant("thinking"), thinking: fc.string(), signature: word }),
    fc.record({ type: fc.constant("redacted_thinking"), data: word }),
    fc.record({
      type: fc.constant("tool_use"),
      id,
      name: id,
      input: fc.dictionary(id, fc.jsonValue(), { maxKeys: 2 }),
    }),
    fc.record({
      type: fc.constant("server_tool_use"),
      id,
      name: id,
      input: fc.dictionary(id, word, { maxKeys: 2 }),
    }),
  );
  const contents = fc.array(block, { minLength: 1, maxLength: 8 })
    // The API gives no id twice.
    .map((content) =>
      content.map((block, at) => "id" in block ? { ...block, id: `${block.id}-${at}` } : block)
    )
    // Without a block that travels whole, the client gets all texts as one, followed by the tool calls.
    .filter((content) => content.some(({ type }) => type !== "text" && type !== "tool_use"));
  fc.assert(fc.property(contents, fc.integer({ min: 1, max: 9 }), (content, size) => {
    const body = plain({ id: "m", content, stop_reason: "end_turn" });
    const events: unknown[] = [START];
    body.content.forEach((block, index) => events.push(...blockEvents(index, block, size)));
    for (const message of [...clientMessages(whole(body)), ...clientMessages(frames(...events, ...STOP))]) {
      const list = [{ role: "user", content: "Hi" }, message, { role: "user", content: "Go on" }];
      const { body: written } = anthropicMessages.writeCall(readCall({ messages: list }, "claude-opus-5"));
      // As JSON, because a number that a double cannot hold is an object before it is written.
      const [, { content: sent }] = plain(written.messages as { content: JsonObject[] }[]);
      assertEquals(sent, body.content as JsonObject[]);
    }
  }));
});

/** A block as the API streams it, its text in pieces of `size`. */
function blockEvents(index: number, block: JsonObject, size: number): unknown[] {
  const pieces = (text: string) =>
    Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
  const fill = (text: string, type: string, member: string) =>
    pieces(text).map((piece) => filled(index, { type, [member]: piece }));
  const closed = { type: "content_block_stop", index };
  switch (block.type) {
    case "text":
      return [
        opened(index, { ...block, text: "" }),
        ...fill(block.text as string, "text_delta", "text"),
        closed,
      ];
    case "thinking":
      return [
        opened(index, { ...block, thinking: "", signature: "" }),
        ...fill(block.thinking as string, "thinking_delta", "thinking"),
        filled(index, { type: "signature_delta", signature: block.signature }),
        closed,
      ];
    case "redacted_thinking":
      return [opened(index, block), closed];
    default:
      return [
        opened(index, { ...block, input: {} }),
        ...fill(JSON.stringify(block.input), "input_json_delta", "partial_json"),
        closed,
      ];
  }
}

Deno.test("writeCall() puts a text that the client trimmed back between the blocks", () => {
  const think = (thinking: string) => ({ type: "thinking", thinking, signature: `S${thinking}` });
  const content = [think("a"), { type: "text", text: "\n One " }, think("b"), {
    type: "text",
    text: "two\n\n",
  }];
  const [message] = clientMessages(whole({ type: "message", id: "m", content, stop_reason: "end_turn" }));
  for (const trim of ["trim", "trimStart", "trimEnd", "toString"] as const) {
    const edited = { ...message, content: (message.content as string)[trim]() };
    const list = [{ role: "user", content: "Hi" }, edited, { role: "user", content: "?" }];
    const { body } = anthropicMessages.writeCall(readCall({ messages: list }, "claude-opus-5"));
    assertEquals((body.messages as { content: JsonObject[] }[])[1].content, content, trim);
  }
});

Deno.test("readAnswer() seals the order of each answer with different data", () => {
  const sealed = (id: string, signature: string, call: string) => {
    const list = whole({
      type: "message",
      id,
      content: [
        { type: "text", text: "a" },
        { type: "thinking", thinking: "b", signature },
        { type: "tool_use", id: call, name: "f", input: {} },
      ],
      stop_reason: "tool_use",
    });
    return list.flatMap((delta) => delta.type === "thought" && delta.redacted ? [delta.redacted] : [])[0];
  };
  const answers = [
    sealed("m", "s", "c"),
    sealed("m2", "s", "c"),
    sealed("m", "s2", "c"),
    sealed("m", "s", "c2"),
  ];
  assertEquals(new Set(answers).size, 4);
  assertEquals(answers[0], sealed("m", "s", "c"));
});

Deno.test("writeCall() falls back to the usual order when the client has edited the message", () => {
  const [message] = clientMessages(whole(JSON.parse(load("interleaved.json"))));
  const list = [{ role: "user", content: "Hi" }, { ...message, content: "Edited" }, {
    role: "user",
    content: "?",
  }];
  const { body } = anthropicMessages.writeCall(readCall({ messages: list }, "claude-opus-5"));
  assertEquals((body.messages as { content: JsonObject[] }[])[1].content.map(({ type }) => type), [
    "thinking",
    "thinking",
    "redacted_thinking",
    "text",
    "tool_use",
    "tool_use",
  ]);
});

Deno.test("writeCall() takes a shorter text for edited if the original had no white space around it", () => {
  const content = [
    { type: "text", text: "One\r\n" },
    { type: "thinking", thinking: "a", signature: "S" },
    { type: "text", text: "two" },
  ];
  const [message] = clientMessages(whole({ type: "message", id: "m", content, stop_reason: "end_turn" }));
  const list = [{ role: "user", content: "Hi" }, { ...message, content: "One\ntwo" }, {
    role: "user",
    content: "?",
  }];
  const { body } = anthropicMessages.writeCall(readCall({ messages: list }, "claude-opus-5"));
  // Thinking is never last, because the API refuses that.
  assertEquals((body.messages as { content: JsonObject[] }[])[1].content, [content[1], {
    type: "text",
    text: "One\ntwo",
  }]);
});

// ---------------------------------------------------------------- failures

Deno.test("readStream() ends with the error of an error event, and emits nothing after it", () => {
  const list = streamed(`${load("overloaded.sse")}data: {"type":"message_stop"}\n\n`);
  assertEquals(list.at(-1), {
    type: "error",
    error: {
      message: "Overloaded",
      type: "server_error",
      param: null,
      code: "overloaded",
      status: 529,
      metadata: {
        original: {
          type: "error",
          error: { type: "overloaded_error", message: "Overloaded" },
          request_id: "req_011",
        },
        request_id: "req_011",
      },
    },
  });
  assertEquals(ofType(list, "stop"), []);
});

Deno.test("readAnswer() tells an error from an object that is no answer", () => {
  const error = (body: JsonObject) =>
    ofType(whole(body), "error").map(({ error }) => [error.message, error.code]);
  for (const body of [{}, { type: "message" }, { content: "Hi" }, { content: null }]) {
    assertEquals(error(body), [["The provider's answer has no content", "no_content"]]);
  }
  const overloaded = { type: "overloaded_error", message: "Overloaded" };
  for (const body of [{ type: "error", error: overloaded }, { error: overloaded }]) {
    assertEquals(error(body), [["Overloaded", "overloaded"]]);
  }
  assertEquals(error({ message: "No such route" }), [["No such route", null]]);
  for (const body of [{ type: "error" }, { error: {} }]) {
    assertEquals(error(body), [["The provider answered 200 without a message", null]]);
  }
});

Deno.test("readStream() emits an error for a stream that ends early, wherever it is cut", () => {
  assertEquals(ofType(streamed(load("cut.sse")), "error").map(({ error }) => error.code), ["cut_off"]);
  assertEquals(ofType(streamed(""), "error").length, 1);
  const events = load("tools.sse").split(/(?<=\n\n)/);
  const enough = events.findIndex((event) => event.includes('stop_reason":"tool_use'));
  for (let count = 0; count <= events.length; count++) {
    const list = streamed(events.slice(0, count).join(""));
    // An answer is complete once its stop reason has come.
    assertEquals(list.at(-1)?.type, count > enough ? "stop" : "error", `${count} events`);
  }
});

Deno.test("readStream() emits an error for an event that is not JSON", () => {
  const list = deltas((reader) => {
    reader.frame(JSON.stringify(START), "message_start");
    reader.frame('{"type":"content_block_de', "content_block_delta");
    reader.frame(JSON.stringify(STOP[1]), "message_stop");
  });
  assertEquals(list.map(({ type }) => type), ["start", "error"]);
});

Deno.test("readStream() survives members that are missing or of another type", () => {
  const odd: unknown[] = [undefined, null, 0, -1, "x", [], {}, true, [null], { type: "text" }, { type: 5 }];
  for (const value of odd) {
    const events = [
      { type: "message_start", message: value },
      opened(value, value),
      opened(0, { type: "text", text: value, citations: value }),
      filled(0, value),
      filled(0, { type: "text_delta", text: value }),
      filled(0, { type: "citations_delta", citation: value }),
      opened(1, { type: "thinking", thinking: value, signature: value }),
      filled(1, { type: "thinking_delta", thinking: value }),
      filled(1, { type: "signature_delta", signature: value }),
      opened(2, { type: "tool_use", id: value, name: value, input: value }),
      filled(2, { type: "input_json_delta", partial_json: value }),
      opened(3, { type: value, input: value }),
      filled(3, { type: "input_json_delta", partial_json: value }),
      opened(4, { type: "redacted_thinking", data: value }),
      filled(value, value),
      { type: "content_block_stop", index: value },
      { type: value },
      { type: "message_delta", delta: value, usage: value },
      {
        type: "message_delta",
        delta: { stop_reason: value, stop_details: value },
        usage: { input_tokens: value },
      },
      { type: "message_stop" },
    ];
    const list = frames(...events);
    assertEquals(list.at(-1)?.type, "stop", JSON.stringify(value));
    whole({ content: [value, { type: "text", text: value }], usage: value, stop_reason: value });
    anthropicMessages.readError(400, value);
    anthropicMessages.readError(400, { error: value });
  }
});

Deno.test("readAnswer() emits an error for a body that is not a message", () => {
  const error = { type: "error", error: { type: "api_error", message: "Internal server error" } };
  assertEquals(ofType(whole(error), "error").map(({ error }) => [error.message, error.status]), [
    ["Internal server error", 500],
  ]);
  assertEquals(whole({ foo: 1 }).map(({ type }) => type), ["error"]);
});

Deno.test("readError() reads every error type into OpenAI's terms", () => {
  const types: [string, number, string, string | null][] = [
    ["invalid_request_error", 400, "invalid_request_error", null],
    ["authentication_error", 401, "authentication_error", "invalid_api_key"],
    ["billing_error", 402, "insufficient_quota", "insufficient_quota"],
    ["permission_error", 403, "permission_error", null],
    ["not_found_error", 404, "not_found_error", null],
    ["conflict_error", 409, "invalid_request_error", null],
    ["request_too_large", 413, "invalid_request_error", "request_too_large"],
    ["rate_limit_error", 429, "rate_limit_error", "rate_limit_exceeded"],
    ["api_error", 500, "server_error", null],
    ["timeout_error", 504, "server_error", "timeout"],
    ["overloaded_error", 529, "server_error", "overloaded"],
  ];
  for (const [native, status, type, code] of types) {
    const body = { type: "error", error: { type: native, message: "M" }, request_id: "req_1" };
    const expected = {
      message: "M",
      type,
      param: null,
      code,
      status,
      metadata: { original: body, request_id: "req_1" },
    };
    assertEquals(plain(anthropicMessages.readError(status, body)), expected, native);
    // In a stream only the type says which status is meant.
    assertEquals(anthropicMessages.readError(200, body).status, status, native);
  }
});

Deno.test("readError() uses OpenAI's codes for errors that OpenAI has too", () => {
  const read = (message: string, type = "invalid_request_error") => {
    const { code, param } = anthropicMessages.readError(400, { type: "error", error: { type, message } });
    return [code, param];
  };
  const overflow = ["context_length_exceeded", null];
  assertEquals(read("prompt is too long: 210000 tokens > 200000 maximum"), overflow);
  assertEquals(read("input length and `max_tokens` exceed context limit: 1 + 2 > 2"), overflow);
  assertEquals(read("Your credit balance is too low to access the API."), ["insufficient_quota", null]);
  assertEquals(read("model: claude-none", "not_found_error"), ["model_not_found", "model"]);
  assertEquals(read("max_tokens: 999999 > 64000"), [null, "max_tokens"]);
  const details = { error_code: "image_dimensions_too_large" };
  const error = { type: "invalid_request_error", message: "M", details };
  assertEquals(anthropicMessages.readError(400, { error }).code, "image_dimensions_too_large");
});

Deno.test("readError() reads a plain text of a proxy", () => {
  const error = anthropicMessages.readError(502, "<html>Bad gateway</html>");
  assertEquals([error.message, error.type, error.status], ["<html>Bad gateway</html>", "server_error", 502]);
  assert(anthropicMessages.readError(503, "").message.includes("503"));
});
