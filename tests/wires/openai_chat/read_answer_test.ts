import { assert, assertEquals } from "@std/assert";
import { collector } from "../gathered.ts";
import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import { isOverflow } from "../../../wires/shared/overflow.ts";
import type { Delta, JsonObject, Usage } from "../../../wires/types.ts";

type Frame = string | JsonObject | { event: string; data: string | JsonObject };

/** The deltas of these events, without members that are `undefined`. */
function read(...frames: Frame[]): Delta[] {
  const deltas: Delta[] = [];
  const reader = openaiChat.readStream((delta) => deltas.push(JSON.parse(JSON.stringify(delta))));
  for (const frame of frames) {
    const { event, data } = typeof frame === "object" && "event" in frame
      ? frame
      : { event: "", data: frame };
    reader.frame(typeof data === "string" ? data : JSON.stringify(data), event as string);
  }
  reader.end();
  return deltas;
}

/** The deltas of one type. */
const only = <T extends Delta["type"]>(type: T, deltas: Delta[]) =>
  deltas.filter((delta): delta is Extract<Delta, { type: T }> => delta.type === type);

const chunk = (delta: JsonObject, finish_reason: string | null = null, more: JsonObject = {}) => ({
  id: "a",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta, finish_reason, ...more }],
});
const END = chunk({}, "stop");

/** The single error of these events. */
function failure(...frames: Frame[]) {
  const deltas = read(...frames);
  assertEquals(only("error", deltas).length, 1, JSON.stringify(deltas));
  assertEquals(deltas.at(-1)!.type, "error");
  return only("error", deltas)[0].error;
}

// ---------------------------------------------------------------- the stream

Deno.test("openaiChat reads a stream from start to stop", () => {
  assertEquals(
    read(
      { ...chunk({ role: "assistant", content: "" }), system_fingerprint: "fp", service_tier: "default" },
      chunk({ content: "a" }),
      chunk({ refusal: "no" }),
      END,
      "[DONE]",
    ),
    [
      { type: "start", id: "a", model: "m", created: 1, service_tier: "default", fingerprint: "fp" },
      { type: "text", choice: 0, text: "a" },
      { type: "refusal", choice: 0, text: "no" },
      { type: "stop", choice: 0, reason: "stop" },
    ],
  );
});

Deno.test("openaiChat starts with the first chunk that has an id or choices (Azure)", () => {
  const empty = { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [{}] };
  const [start, ...rest] = read(empty, chunk({ content: "a" }), END);
  assertEquals(start, { type: "start", id: "a", model: "m", created: 1 });
  assertEquals(only("start", rest), []);
});

Deno.test("openaiChat needs no [DONE] (Perplexity, Cerebras), or no finish reason (Snowflake)", () => {
  assertEquals(only("error", read(chunk({ content: "a" }), END)), []);
  const silent = read(chunk({ content: "a" }, ""), "[DONE]");
  assertEquals([only("error", silent), only("stop", silent)], [[], []]);
  assertEquals(failure(chunk({ content: "a" })).code, "cut_off");
  assertEquals(failure(chunk({ content: "a" }, "")).code, "cut_off");
  assertEquals(failure().code, "cut_off");
});

Deno.test("openaiChat reads finish reasons of every spelling, also twice (OpenRouter)", () => {
  const reasons = {
    stop: "stop",
    eos: "stop",
    length: "length",
    tool_calls: "tool_calls",
    tool_call: "tool_calls",
    function_call: "tool_calls",
    content_filter: "content_filter",
    something_new: "stop",
    constructor: "stop",
  };
  for (const [reason, expected] of Object.entries(reasons)) {
    assertEquals(only("stop", read(chunk({}, reason))).map(({ reason }) => reason), [expected], reason);
  }
  assertEquals(only("stop", read(chunk({}, "length"), chunk({}, "length"))).at(-1)!.reason, "length");
});

Deno.test("openaiChat keeps choices apart, and reads an index that is not a whole number as 0", () => {
  const of = (index: unknown) => ({ choices: [{ index, delta: { content: "a" }, finish_reason: null }] });
  const indexes = [1, 0, undefined, null, "1", -1, 0.5];
  const texts = only("text", read(...indexes.map(of), END));
  assertEquals(texts.map(({ choice }) => choice), [1, 0, 0, 0, 0, 0, 0]);
});

Deno.test("openaiChat ignores empty events and unknown members", () => {
  const deltas = read(
    "",
    chunk({ role: "assistant" }),
    { choices: null, x: 1 },
    { choices: [null, "x", {}] },
    END,
    "[DONE]",
  );
  assertEquals(deltas.map(({ type }) => type), ["start", "stop"]);
  assertEquals(only("text", read(chunk({ content: null }), chunk({ content: "" }), chunk({}), END)), []);
});

Deno.test("openaiChat keeps log probabilities with their text", () => {
  const logprobs = { content: [{ token: "a" }], refusal: null };
  assertEquals(only("text", read(chunk({ content: "a" }, null, { logprobs }), END)), [
    { type: "text", choice: 0, text: "a", logprobs },
  ]);
});

// ---------------------------------------------------------------- reasoning

Deno.test("openaiChat reads reasoning under each of its names, and never twice", () => {
  const thoughts = (...deltas: JsonObject[]) =>
    only("thought", read(...deltas.map((delta) => chunk(delta)), END)).map((
      { type: _, choice: __, ...rest },
    ) => rest);
  assertEquals(thoughts({ reasoning_content: "a" }, { reasoning: "b" }), [
    { block: 0, text: "a" },
    { block: 0, text: "b" },
  ]);
  const details = [{ type: "reasoning.text", text: "a", format: "f", index: 1 }];
  const told = [{ block: 0, text: "a", format: "f" }];
  assertEquals(thoughts({ reasoning: "a", reasoning_details: details }), told);
  assertEquals(thoughts({ reasoning_details: details }), told);
  assertEquals(
    thoughts({
      reasoning_details: [
        { type: "reasoning.summary", summary: "s" },
        { type: "reasoning.text", signature: "S", index: 0 },
        { type: "reasoning.encrypted", data: "D", index: -1 },
        null,
      ],
    }),
    [{ block: 0, text: "s", summary: true }, { block: 0, signature: "S" }, { block: 0, redacted: "D" }],
  );
  // The whole text comes again with its proof, as Sluice and LiteLLM send it.
  const proof = { type: "reasoning.text", text: "ab", signature: "S", format: "f", index: 0 };
  assertEquals(
    thoughts({ reasoning_content: "a" }, { reasoning_content: "b" }, { reasoning_details: [proof] }),
    [
      { block: 0, text: "a" },
      { block: 0, text: "b" },
      { block: 0, signature: "S", format: "f" },
    ],
  );
  // A thought after a text is a new block. A proof that comes late belongs to the block before.
  const late = [{ type: "reasoning.text", signature: "S", index: 0 }];
  assertEquals(
    thoughts({ reasoning: "a" }, { content: "x" }, { reasoning_details: late }, { reasoning: "b" }),
    [{ block: 0, text: "a" }, { block: 0, signature: "S" }, { block: 1, text: "b" }],
  );
  // Reasoning of OpenAI and of Gemini, through OpenRouter.
  const sealed = [
    { type: "reasoning.summary", summary: "s", format: "openai-responses-v1", index: 0 },
    { type: "reasoning.encrypted", data: "E", id: "rs_1", format: "openai-responses-v1", index: 0 },
    { type: "reasoning.encrypted", data: "G", id: "call_1", format: "google-gemini-v1", index: 0 },
    { type: "reasoning.encrypted", data: "{}" },
  ];
  assertEquals(thoughts({ reasoning: "s", reasoning_details: sealed }), [
    { block: 0, text: "s", format: "openai-responses-v1", summary: true },
    { block: 0, redacted: "E", format: "openai-responses-v1", id: "rs_1" },
    { block: 1, redacted: "G", format: "google-gemini-v1", id: "call_1" },
  ]);
  assertEquals(thoughts({ reasoning: { effort: "low" } }, { reasoning_content: null }), []);
});

Deno.test("openaiChat reads sources, pictures and sound, whole and streamed", () => {
  const cited = { url: "https://a.example", title: "A", start_index: 0, end_index: 2, cited_text: "x" };
  const message = {
    content: "ab",
    annotations: [{ type: "url_citation", url_citation: cited }, { type: "file_citation" }, null],
    images: [
      { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
      { type: "image_url", image_url: "https://a.example/b.png" },
      { type: "image_url", image_url: { url: "data:nothing" } },
      null,
    ],
    audio: { id: "audio_1", data: "QQ==", transcript: "t", expires_at: 9 },
    extra_content: { google: { thought_signature: "W" } },
  };
  const deltas: Delta[] = [];
  openaiChat.readAnswer(
    { choices: [{ index: 0, message, finish_reason: "stop" }] },
    (delta) => deltas.push(delta),
  );
  for (const all of [deltas, read(chunk(message), END)]) {
    const { start_index: start, end_index: end, url, title, ...extra } = cited;
    assertEquals(only("citation", all).map(({ citation }) => citation), [{ url, title, start, end, extra }]);
    assertEquals(only("image", all).map(({ media }) => media), [
      { mime: "image/png", data: "QUJD" },
      { url: "https://a.example/b.png" },
    ]);
    assertEquals(only("audio", all), [{ type: "audio", choice: 0, ...message.audio }]);
    assertEquals(only("signature", all).map(({ signature }) => signature), ["W"]);
  }
});

Deno.test("openaiChat reads the sources beside the choices once (Perplexity, xAI)", () => {
  const beside = { citations: ["https://a.example"] };
  const results = { search_results: [{ url: "https://b.example", title: "B" }], ...beside };
  const cited = (...chunks: JsonObject[]) =>
    only("citation", read(...chunks)).map(({ citation }) => citation);
  assertEquals(
    cited({ ...chunk({ content: "ab" }), ...beside }, { ...END, ...beside }, { ...END, ...beside }),
    [
      { url: "https://a.example", title: "", start: 2, end: 2 },
    ],
  );
  assertEquals(cited(chunk({ content: "ab" }), { ...END, ...results }), [
    { url: "https://b.example", title: "B", start: 2, end: 2 },
  ]);
});

Deno.test("openaiChat reads calls of custom tools, and Google's signatures", () => {
  const custom = (piece: JsonObject) => chunk({ tool_calls: [{ index: 0, ...piece }] });
  const deltas = read(
    custom({ id: "c", type: "custom", custom: { name: "patch", input: "" } }),
    custom({ custom: { input: "{free" } }),
    custom({ custom: { input: " text" } }),
    chunk({
      tool_calls: [{
        index: 1,
        id: "d",
        function: { name: "f", arguments: "{}" },
        extra_content: { google: { thought_signature: "S" } },
      }],
    }),
    END,
  );
  assertEquals(only("tool", deltas).map(({ type: _, choice: __, ...rest }) => rest), [
    { index: 0, id: "c", name: "patch", custom: true },
    { index: 1, id: "d", name: "f", signature: "S" },
  ]);
  assertEquals(only("args", deltas).map(({ index, text }) => [index, text]), [[0, "{free"], [0, " text"], [
    1,
    "{}",
  ]]);
});

Deno.test("openaiChat reads which sequence ended an answer, and reads a broken-off answer as an error", () => {
  const end = (more: JsonObject) => {
    const choice = { index: 0, delta: {}, finish_reason: "stop", ...more };
    const [stop] = only("stop", read(chunk({ content: "x" }), { choices: [choice] }));
    return [stop?.reason, stop?.sequence];
  };
  assertEquals(end({ stop_reason: "END" }), ["stop", "END"]);
  assertEquals(end({ matched_stop: "END" }), ["stop", "END"]);
  assertEquals(end({ stop_reason: 151643 }), ["stop", undefined]);
  assertEquals(end({ stop_reason: null }), ["stop", undefined]);
  assertEquals(end({ finish_reason: "length", stop_reason: "length" }), ["length", undefined]);
  assertEquals(end({ finish_reason: "sensitive" }), ["content_filter", undefined]);
  for (const reason of ["network_error", "insufficient_system_resource"]) {
    const deltas = read(chunk({ content: "x" }), {
      choices: [{ index: 0, delta: {}, finish_reason: reason }],
    });
    assertEquals(only("stop", deltas), []);
    assertEquals(only("error", deltas).map(({ error }) => error.code), [reason]);
  }
});

Deno.test("openaiChat reads content that is a list of parts (Mistral)", () => {
  const content = [
    { type: "thinking", thinking: [{ type: "text", text: "hm" }, null] },
    { type: "thinking", thinking: "so" },
    { type: "text", text: "a" },
    { type: "reference", reference_ids: [1] },
    "x",
  ];
  const deltas = read(chunk({ content }), END);
  assertEquals(only("thought", deltas).map(({ text }) => text), ["hm", "so"]);
  assertEquals(only("text", deltas).map(({ text }) => text), ["a"]);
});

// ---------------------------------------------------------------- tool calls

Deno.test("openaiChat tells tool calls apart, however the provider numbers them", () => {
  /** Each call's id, name and joined arguments. */
  const calls = (...lists: JsonObject[][]) => {
    const { emit, answer } = collector();
    read(...lists.map((tool_calls) => chunk({ tool_calls })), END).forEach(emit);
    return answer.choices[0].calls.map(({ id, name, arguments: text }) => [id, name, text]);
  };
  const call = (id: unknown, name: unknown, text: unknown, index?: unknown) => ({
    index,
    id,
    function: { name, arguments: text },
  });
  const both = [["a", "f", '{"x":1}'], ["b", "g", '{"y":2}']];
  // OpenAI: an id and a name first, then pieces under the same index.
  assertEquals(
    calls(
      [call("a", "f", "", 0)],
      [call(undefined, undefined, '{"x":', 0)],
      [call("b", "g", "", 1)],
      [call(undefined, undefined, '{"y":2}', 1), call(undefined, undefined, "1}", 0)],
    ),
    both,
  );
  // Mistral: whole calls without index. z.ai: all under -1. OpenRouter with Gemini: all under 0.
  for (const index of [undefined, -1, 0]) {
    assertEquals(
      calls([call("a", "f", '{"x":1}', index)], [call("b", "g", '{"y":2}', index)]),
      both,
      `${index}`,
    );
    assertEquals(
      calls([call("a", "f", '{"x":1}', index), call("b", "g", '{"y":2}', index)]),
      both,
      `${index}`,
    );
  }
  // Alibaba: an empty id on later pieces, and the name again.
  assertEquals(
    calls(
      [call("a", "f", "", 0)],
      [call("", "", '{"x":', 0)],
      [call("", "f", "1}", 0)],
      [call("b", "g", '{"y":2}', 1)],
    ),
    both,
  );
  // Every piece has the same id, or each piece has another one.
  assertEquals(calls([call("a", "f", '{"x":', 0)], [call("a", "f", "1}", 0)]), [both[0]]);
  assertEquals(calls([call("a", "f", '{"x":', 0)], [call("a2", undefined, "1}", 0)]), [both[0]]);
  // Google's OpenAI-compatible API sends no ids.
  const nameless = (name: string, text: string, index: number) => call("", name, text, index);
  assertEquals(calls([nameless("f", '{"x":1}', 0)], [nameless("g", '{"y":2}', 1)]), [
    ["call_0_0", "f", '{"x":1}'],
    ["call_0_1", "g", '{"y":2}'],
  ]);
  assertEquals(calls([nameless("f", '{"x":1}', 0), nameless("g", '{"y":2}', 0)]).map(([, name]) => name), [
    "f",
    "g",
  ]);
  assertEquals(
    calls([nameless("f", '{"x":1}', 0)], [nameless("f", '{"x":2}', 0)]).map(([, , text]) => text),
    [
      '{"x":1}',
      '{"x":2}',
    ],
  );
});

Deno.test("openaiChat reads arguments of every form", () => {
  const args = (value: unknown) =>
    only("args", read(chunk({ tool_calls: [{ id: "a", function: { name: "f", arguments: value } }] }), END))
      .map(({ text }) => text);
  assertEquals(args('{"x":'), ['{"x":']);
  assertEquals(args({ x: 1 }), ['{"x":1}']);
  assertEquals(args("null"), ["null"]);
  for (const nothing of ["", null, undefined, 5]) assertEquals(args(nothing), []);
});

Deno.test("openaiChat survives calls without a name, a function or a form", () => {
  const tool_calls = [{ index: 0 }, { id: "a" }, null, "x", [], { function: "f" }, {
    function: { arguments: "{}" },
  }];
  const deltas = read(chunk({ tool_calls }), chunk({ tool_calls: {} }), END);
  assertEquals(only("tool", deltas).length, 1);
  assertEquals(only("args", deltas).map(({ text }) => text), ["{}"]);
});

Deno.test("openaiChat reads legacy function calls", () => {
  const deltas = read(
    chunk({ function_call: { name: "f", arguments: "" } }),
    chunk({ function_call: { arguments: '{"x":' } }),
    chunk({ function_call: { arguments: "1}" } }),
    chunk({}, "function_call"),
  );
  assertEquals(only("tool", deltas).map(({ name, index }) => [name, index]), [["f", 0]]);
  assertEquals(only("args", deltas).map(({ text }) => text).join(""), '{"x":1}');
  assertEquals(only("stop", deltas)[0].reason, "tool_calls");
});

// ---------------------------------------------------------------- usage

Deno.test("openaiChat puts usage into disjoint buckets whose sums are the provider's", () => {
  const usageOf = (usage: JsonObject, elsewhere: JsonObject = {}) => {
    const [last] = only("usage", read(END, { choices: [], usage, ...elsewhere })).slice(-1);
    return last.usage;
  };
  const total = (usage: Usage) => Object.values(usage).reduce((sum, count) => sum + count, 0);
  const none = { input: 0, cacheRead: 0, cacheWrite: 0, audioIn: 0, output: 0, reasoning: 0, audioOut: 0 };
  assertEquals(
    usageOf({
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10, audio_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 4 },
    }),
    { input: 25, cacheRead: 60, cacheWrite: 10, audioIn: 5, output: 16, reasoning: 30, audioOut: 4 },
  );
  const beside: [string, JsonObject, Partial<Usage>][] = [
    ["DeepSeek", { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, prompt_cache_hit_tokens: 4 }, {
      input: 6,
      cacheRead: 4,
      output: 2,
    }],
    ["Moonshot", { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, cached_tokens: 4 }, {
      input: 6,
      cacheRead: 4,
      output: 2,
    }],
    [
      "xAI, whose reasoning is not in the completion",
      {
        prompt_tokens: 10,
        completion_tokens: 2,
        total_tokens: 52,
        completion_tokens_details: { reasoning_tokens: 40 },
      },
      { input: 10, output: 2, reasoning: 40 },
    ],
    ["Google, which does not tell its thoughts", {
      prompt_tokens: 10,
      completion_tokens: 2,
      total_tokens: 52,
    }, {
      input: 10,
      output: 2,
      reasoning: 40,
    }],
    [
      "Mistral, whose audio is not in the prompt",
      {
        prompt_tokens: 10,
        completion_tokens: 2,
        total_tokens: 52,
        prompt_tokens_details: { audio_tokens: 40 },
      },
      { input: 10, audioIn: 40, output: 2 },
    ],
  ];
  for (const [provider, usage, expected] of beside) {
    assertEquals(usageOf(usage), { ...none, ...expected }, provider);
    assertEquals(total(usageOf(usage)), usage.total_tokens, provider);
  }
  // Groq has its own member for the usage. A value that is not a count is ignored.
  assertEquals(
    only("usage", read(END, { x_groq: { usage: { prompt_tokens: 3 } } }))[0].usage,
    { ...none, input: 3 },
  );
  assertEquals(usageOf({ prompt_tokens: "3", completion_tokens: -1, total_tokens: null }), none);
  assertEquals(only("usage", read({ ...END, usage: null })), []);
});

// ---------------------------------------------------------------- errors

Deno.test("openaiChat reads errors in mid-stream, wherever they stand", () => {
  const error = { message: "no room", code: 502 };
  const said = chunk({ content: "a" });
  assertEquals(failure(said, { error }, said).message, "no room");
  assertEquals(failure({ ...END, error }).message, "no room");
  assertEquals(failure({ error: "no room" }).message, "no room");
  assertEquals(failure({ event: "error", data: { message: "no room" } }).message, "no room"); // Groq
  assertEquals(failure(chunk({ content: "a" }, null, { error })).message, "no room"); // OpenRouter
  assertEquals(failure({ object: "error", message: "no room", code: 400 }).status, 400); // vLLM
  assertEquals(failure({ error }).status, 502);
  failure(chunk({}, "error"));
  const later = read({ choices: [{ error }, { delta: { content: "b" } }], usage: { prompt_tokens: 1 } });
  assertEquals(later.map(({ type }) => type), ["start", "error"]);
});

Deno.test("openaiChat turns an event that is not a JSON object into an error", () => {
  for (const data of ["{", "null", "[]", '"x"', "<html>", "undefined"]) {
    assertEquals(failure(chunk({ content: "a" }), data, END).code, "bad_chunk", data);
  }
});

Deno.test("openaiChat.readError() finds the message in every provider's form", () => {
  const bodies: [string, unknown][] = [
    ["OpenAI", { error: { message: "no", type: "t", param: "p", code: "c" } }],
    ["xAI", { code: "Some code", error: "no" }],
    ["Mistral", { object: "error", message: "no", type: "t", param: null, code: "3000" }],
    ["FastAPI", { detail: "no" }],
    ["FastAPI, of a field", { detail: [{ loc: ["body", "messages", 0, "role"], msg: "no", type: "t" }] }],
    ["Cloudflare", { success: false, errors: [{ code: 10000, message: "no" }], result: null }],
    ["NVIDIA", { status: 404, title: "Not Found", detail: "no" }],
    ["Google", [{ error: { code: 400, message: "no", status: "INVALID_ARGUMENT" } }]],
    ["Bedrock", { message: "no" }],
    ["a proxy", "no"],
    ["a proxy, untidy", "  no\n"],
  ];
  for (const [provider, body] of bodies) {
    const error = openaiChat.readError(400, body);
    assertEquals([error.message, error.status, error.metadata], ["no", 400, { original: body }], provider);
  }
  assertEquals(openaiChat.readError(422, bodies[4][1]).param, "messages.0.role");
  const { type, param, code } = openaiChat.readError(400, bodies[0][1]);
  assertEquals([type, param, code], ["t", "p", "c"]);
  assertEquals(openaiChat.readError(403, bodies[5][1]).code, 10000);
  assertEquals(openaiChat.readError(429, {}).type, "rate_limit_error");
});

Deno.test("openaiChat.readError() survives bodies of any other form", () => {
  for (
    const body of [undefined, null, "", 5, [], [null], {}, { error: null }, { error: [] }, { errors: [] }, {
      detail: [],
    }]
  ) {
    const { message, type, code } = openaiChat.readError(500, body);
    assertEquals([message, type, code], [
      "The provider answered 500 without a message",
      "server_error",
      null,
    ]);
  }
});

Deno.test("isOverflow() recognizes a prompt that is too long, in the words of many providers", () => {
  const sayings = [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "the request exceeds the available context size, try increasing it",
    "Input is too long for requested model.",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "Requested context length exceeded",
  ];
  for (const saying of sayings) assert(isOverflow(saying), saying);
  assert(isOverflow("anything", "context_length_exceeded"));
  assert(!isOverflow(sayings[0], "rate_limit_exceeded"));
  const groq = "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000";
  for (
    const saying of [
      groq,
      "Too many tokens, please wait before trying again.",
      "context is required",
      "max_tokens is too large: 99999",
      "Invalid API key",
      "",
    ]
  ) {
    assert(!isOverflow(saying), saying);
  }
  assertEquals(openaiChat.readError(400, { error: { message: sayings[0] } }).code, "context_length_exceeded");
});
