import { assertEquals, assertStringIncludes } from "@std/assert";
import { callOf, collector } from "../gathered.ts";
import { gemini } from "../../../wires/gemini/mod.ts";
import { writeAnswer } from "../../../wires/openai_chat/write_answer.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { sseReader } from "../../../wires/streams/sse.ts";
import type { Delta, JsonObject, Usage } from "../../../wires/types.ts";

/** The deltas of a stream, cut into chunks of `size` bytes. */
function streamed(bytes: Uint8Array, size = bytes.length): Delta[] {
  const deltas: Delta[] = [];
  const reader = gemini.readStream((delta) => deltas.push(delta));
  const events = sseReader((data, event) => reader.frame(data, event));
  for (let at = 0; at < bytes.length; at += size) events.push(bytes.subarray(at, at + size));
  events.end();
  reader.end();
  return deltas;
}

const frames = (...bodies: unknown[]) =>
  streamed(new TextEncoder().encode(bodies.map((body) => `data: ${JSON.stringify(body)}\n\n`).join("")));

function whole(body: JsonObject): Delta[] {
  const deltas: Delta[] = [];
  gemini.readAnswer(body, (delta) => deltas.push(delta));
  return deltas;
}

function gather(deltas: Delta[]) {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return answer;
}

const fixture = (name: string) =>
  Deno.readFileSync(new URL(`../../fixtures/gemini/${name}.sse`, import.meta.url));

/** A candidate's parts with its finish. */
const candidate = (parts: JsonObject[], more: JsonObject = {}) => ({
  candidates: [{ content: { role: "model", parts }, finishReason: "STOP", ...more }],
});

const without = (type: Delta["type"], deltas: Delta[]) => deltas.filter((delta) => delta.type !== type);

// ---------------------------------------------------------------- streams

Deno.test("readStream() reads thoughts, text and the signature that comes last", () => {
  assertEquals(streamed(fixture("thinking")), [
    { type: "start", id: "resp-moons", model: "gemini-3.8-flash", created: undefined },
    { type: "thought", choice: 0, block: 0, summary: true, text: "**Counting the moons**\n\nMars has two." },
    { type: "thought", choice: 0, block: 0, summary: true, text: " I am sure." },
    { type: "text", choice: 0, text: "Mars has two moons: " },
    { type: "text", choice: 0, text: "Phobos and Deimos 🌘." },
    { type: "signature", choice: 0, signature: "Q2lRQm9vbnM=" },
    { type: "stop", choice: 0, reason: "stop" },
    {
      type: "usage",
      usage: { input: 12, cacheRead: 0, cacheWrite: 0, audioIn: 0, output: 14, reasoning: 44, audioOut: 0 },
    },
  ]);
});

Deno.test("readStream() says the same wherever the bytes are cut", () => {
  for (const name of ["thinking", "parallel_calls", "grounding", "partial_args"]) {
    const bytes = fixture(name);
    const all = streamed(bytes);
    for (const size of [1, 2, 3, 7, 64]) assertEquals(streamed(bytes, size), all, `${name} by ${size}`);
  }
});

Deno.test("readStream() numbers tool calls itself, and makes ids if Google gives none", () => {
  assertEquals(without("start", streamed(fixture("parallel_calls"))), [
    { type: "text", choice: 0, text: "I will look up both." },
    { type: "tool", choice: 0, index: 0, id: "fc-17", name: "get_tide", signature: "U2lnbmVkRmlyc3Q=" },
    { type: "args", choice: 0, index: 0, text: '{"port":"Brest","hours":[6,18]}' },
    { type: "tool", choice: 0, index: 1, id: "call_resp-calls_0_1", name: "get_tide" },
    { type: "args", choice: 0, index: 1, text: '{"port":"Cádiz"}' },
    { type: "tool", choice: 0, index: 2, id: "call_resp-calls_0_2", name: "list_ports" },
    { type: "args", choice: 0, index: 2, text: "{}" },
    { type: "stop", choice: 0, reason: "stop" },
    {
      type: "usage",
      usage: { input: 18, cacheRead: 32, cacheWrite: 0, audioIn: 0, output: 21, reasoning: 8, audioOut: 0 },
    },
  ]);
});

Deno.test("readStream() joins arguments that Vertex streams in pieces", () => {
  const { start, choices } = gather(streamed(fixture("partial_args")));
  assertEquals(start.created, 1790843415);
  assertEquals(choices[0].calls, [
    { id: "call_resp-partial_0_0", name: "ping", arguments: "{}", signature: "UGluZw==" },
    {
      id: "call_resp-partial_0_1",
      name: "send_mail",
      arguments:
        '{"to":[{"name":"Ada \\"L\\""},{"full name":"Bo"}],"urgent":false,"copies":2.5,"reply":null}',
      signature: undefined,
    },
  ]);
});

Deno.test("readStream() takes a piece without a value for an empty list or object, where nothing is yet", () => {
  const cases: [JsonObject[], string][] = [
    [[{ jsonPath: "$.a[]" }], '{"a":[]}'],
    [[{ jsonPath: "$.a" }], '{"a":{}}'],
    [[{ jsonPath: "$.a.b[]" }, { jsonPath: "$.a.c" }], '{"a":{"b":[],"c":{}}}'],
    [[{ jsonPath: "$.a[0]" }, { jsonPath: "$.a[1][]" }], '{"a":[{},[]]}'],
    [[{ jsonPath: "$.a", willContinue: true }], "{}"],
    [[{ jsonPath: "$.a[0]", numberValue: 1 }, { jsonPath: "$.a[]" }], '{"a":[1]}'],
    [[{ jsonPath: "$.a", stringValue: "x", willContinue: true }, { jsonPath: "$.a" }], '{"a":"x"}'],
    [[{ jsonPath: "$.a", stringValue: "" }, { jsonPath: "$.a" }], '{"a":""}'],
    [[{ jsonPath: "$.a", nullValue: "NULL_VALUE" }, { jsonPath: "$.a" }], '{"a":null}'],
    [[{ jsonPath: "$.a" }, { jsonPath: "$.a.b", boolValue: true }], '{"a":{"b":true}}'],
    [[{ jsonPath: "$.toString" }], '{"toString":{}}'],
    [[{ jsonPath: "$" }, { jsonPath: "$[]" }, {}], "{}"],
  ];
  for (const [partialArgs, args] of cases) {
    const { choices } = gather(frames(candidate([{ functionCall: { name: "f", partialArgs } }])));
    assertEquals(choices[0].calls[0].arguments, args, JSON.stringify(partialArgs));
  }
});

Deno.test("readStream() emits the arguments of a tool call that is still open at the answer's end", () => {
  const partialArgs = [{ jsonPath: "$.a", stringValue: "x", willContinue: true }];
  const { choices } = gather(frames(
    { candidates: [{ content: { parts: [{ functionCall: { name: "f", willContinue: true } }] } }] },
    candidate([{ functionCall: { partialArgs, willContinue: true } }]),
  ));
  assertEquals(choices[0].calls.map(({ name, arguments: args }) => [name, args]), [["f", '{"a":"x"}']]);
});

Deno.test("readAnswer() and readStream() call functions by the client's names", () => {
  const body = candidate(
    ["_2fa_code", "a_x2f_b", "plain"].map((name) => ({ functionCall: { name, args: {} } })),
  );
  for (const deltas of [whole(body), frames(body)]) {
    assertEquals(gather(deltas).choices[0].calls.map(({ name }) => name), ["2fa_code", "a/b", "plain"]);
  }
});

Deno.test("readStream() starts with the candidate that comes first", () => {
  const step = (index: number, text: string, finishReason?: string) => ({
    responseId: "r",
    candidates: [{ index, content: { parts: [{ text }] }, finishReason }],
  });
  const starts = (...bodies: unknown[]) => frames(...bodies).filter(({ type }) => type === "start");
  const head = { type: "start", id: "r", model: undefined, created: undefined } as const;
  assertEquals(starts(step(1, "a", "STOP")), [{ ...head, choice: 1 }]);
  assertEquals(starts(step(0, "a", "STOP")), [head]);
  assertEquals(starts({ responseId: "r" }, step(2, "a", "STOP"), step(0, "b", "STOP")), [{
    ...head,
    choice: 2,
  }]);
  assertEquals(starts({ responseId: "r", promptFeedback: { blockReason: "SAFETY" } }), [head]);
});

Deno.test("readStream() survives malformed argument paths", () => {
  const pieces = (...partialArgs: unknown[]) => {
    const { choices } = gather(frames(candidate([{ functionCall: { name: "f", partialArgs } }])));
    return choices[0].calls[0].arguments;
  };
  assertEquals(pieces({ jsonPath: "$.a[999999999]", stringValue: "x" }), '{"a":["x"]}');
  assertEquals(pieces({ jsonPath: "$.__proto__.x", boolValue: true }), '{"__proto__":{"x":true}}');
  assertEquals(
    pieces({ jsonPath: "$.a", numberValue: 1 }, { jsonPath: "$.a.b", numberValue: 2 }),
    '{"a":{"b":2}}',
  );
  assertEquals(pieces({ jsonPath: "$" + ".a".repeat(100_000), stringValue: "x" }, null, 7, {}), "{}");
  assertEquals(({} as JsonObject).x, undefined);
});

Deno.test("readStream() cites in UTF-16 units what Google counts in bytes", () => {
  const [choice] = gather(streamed(fixture("grounding"))).choices;
  const cited = choice.citations.map(({ url, title, start, end, extra }) => [
    url,
    title,
    choice.text.slice(start, end),
    extra?.cited_text,
  ]);
  const first = "the “Limmat” city – has 443 037 inhabitants";
  assertEquals(cited, [
    ["https://stats.example/zh", "stats.example", first, undefined],
    ["https://atlas.example/zh", "atlas.example", first, undefined],
    ["https://atlas.example/zh", "atlas.example", "It lies at a lake", undefined],
    ["fileSearchStores/lakes", "Lakes", "", "Zürich lies at the lake of the same name."],
  ]);
});

// ---------------------------------------------------------------- ends

Deno.test("readAnswer() reads a stream that came as one list", () => {
  const chunks = new TextDecoder().decode(fixture("grounding")).split("\r\n\r\n").filter(Boolean)
    .map((event) => JSON.parse(event.slice("data: ".length)));
  assertEquals(whole(chunks as unknown as JsonObject), streamed(fixture("grounding")));
  assertEquals(gather(whole(chunks.slice(0, 2) as unknown as JsonObject)).error?.code, "cut_off");
});

Deno.test("readStream() emits an error for every stream that ends before its answer", () => {
  const last = (deltas: Delta[]) => deltas.at(-1)!;
  const code = (deltas: Delta[]) => {
    const delta = last(deltas);
    return delta.type === "error" ? delta.error.code : delta.type;
  };
  assertEquals(code(streamed(new Uint8Array())), "no_candidates");
  assertEquals(code(frames({ candidates: [] })), "no_candidates");
  assertEquals(code(frames({ candidates: [{ content: { parts: [{ text: "Hal" }] } }] })), "cut_off");
  assertEquals(code(frames({ candidates: [{ finishReason: "FINISH_REASON_UNSPECIFIED" }] })), "cut_off");
  assertEquals(code(frames(candidate([{ text: "a" }]), { candidates: [{ index: 1 }] })), "cut_off");
  assertEquals(code(frames([1])), "bad_chunk");
  assertEquals(code(streamed(new TextEncoder().encode("data: {oops\n\n"))), "bad_chunk");
  const overloaded = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } };
  const [, text, error, ...rest] = frames(
    { candidates: [{ content: { parts: [{ text: "Hal" }] } }] },
    overloaded,
  );
  assertEquals(text, { type: "text", choice: 0, text: "Hal" });
  assertEquals(error.type === "error" && [error.error.message, error.error.code, error.error.status], [
    "The model is overloaded.",
    "unavailable",
    503,
  ]);
  assertEquals(rest, []);
});

Deno.test("readStream() never ends well when bytes are missing", () => {
  const bytes = fixture("thinking");
  const last = new TextDecoder().decode(bytes).trimEnd().length; // The length in UTF-16 units is at most the length in bytes.
  for (let cut = 0; cut < last; cut++) assertEquals(streamed(bytes.subarray(0, cut)).at(-1)?.type, "error");
});

Deno.test("readStream() uses the last finish reason, because old models send STOP in every chunk", () => {
  const deltas = frames(
    candidate([{ text: "a" }]),
    candidate([{ text: "b" }], { finishReason: "MAX_TOKENS" }),
  );
  assertEquals(without("start", deltas), [
    { type: "text", choice: 0, text: "a" },
    { type: "text", choice: 0, text: "b" },
    { type: "stop", choice: 0, reason: "length" },
  ]);
});

Deno.test("readAnswer() maps every finish reason, and says why there is no answer", () => {
  const reasons: [unknown, string, boolean][] = [
    ["STOP", "stop", false],
    [1, "stop", false],
    ["MAX_TOKENS", "length", false],
    [2, "length", false],
    ["CONTINUATION", "length", false],
    ["SAFETY", "content_filter", true],
    [3, "content_filter", true],
    [4, "content_filter", true],
    [5, "stop", true],
    [6, "content_filter", true],
    [7, "content_filter", true],
    [8, "content_filter", true],
    [9, "content_filter", true],
    [10, "stop", true],
    [11, "content_filter", true],
    ["JAILBREAK", "content_filter", true],
    ["RECITATION", "content_filter", true],
    ["LANGUAGE", "content_filter", true],
    ["BLOCKLIST", "content_filter", true],
    ["PROHIBITED_CONTENT", "content_filter", true],
    ["SPII", "content_filter", true],
    ["IMAGE_SAFETY", "content_filter", true],
    ["IMAGE_PROHIBITED_CONTENT", "content_filter", true],
    ["IMAGE_RECITATION", "content_filter", true],
    ["MODEL_ARMOR", "content_filter", true],
    ["OTHER", "stop", true],
    ["IMAGE_OTHER", "stop", true],
    ["NO_IMAGE", "stop", true],
    ["MALFORMED_FUNCTION_CALL", "stop", true],
    ["UNEXPECTED_TOOL_CALL", "stop", true],
    ["TOO_MANY_TOOL_CALLS", "stop", true],
    ["MALFORMED_RESPONSE", "stop", true],
    ["SOMETHING_NEW", "stop", true],
  ];
  for (const [finishReason, stop, told] of reasons) {
    const [choice] = gather(whole({ candidates: [{ finishReason }] })).choices;
    assertEquals([choice.stop, choice.refusal], [stop, told ? `The model stopped: ${finishReason}` : ""]);
  }
});

Deno.test("readAnswer() uses the provider's own message for a broken-off answer", () => {
  const message = "Malformed function call: print(default_api.go(";
  const refusal = (parts: JsonObject[], more: JsonObject) =>
    gather(whole(candidate(parts, more))).choices[0].refusal;
  const more = { finishReason: "MALFORMED_FUNCTION_CALL" };
  assertEquals(refusal([], { ...more, finishMessage: message }), message);
  assertEquals(refusal([{ text: "Hm" }], { ...more, finishMessage: message }), message);
  assertEquals(refusal([{ text: "Hm" }], more), "");
  assertEquals(refusal([{ functionCall: { name: "f" } }], { finishReason: "OTHER" }), "");
  assertEquals(
    refusal([{ inlineData: { mimeType: "image/png", data: "QQ==" } }], { finishReason: "OTHER" }),
    "",
  );
  assertEquals(refusal([{ fileData: { fileUri: "gs://b/a.png" } }], { finishReason: "OTHER" }), "");
  assertEquals(refusal([{ text: "Hm" }], { finishMessage: "Model generated function call(s)." }), "");
});

Deno.test("readAnswer() and readStream() read a blocked prompt as a filtered answer", () => {
  const body = {
    promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
    usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 },
    modelVersion: "gemini-2.5-flash",
    responseId: "resp-blocked",
  };
  for (const deltas of [whole(body), frames(body)]) {
    const { choices: [choice], usage, error } = gather(deltas);
    assertEquals([choice.stop, choice.text, error], ["content_filter", "", undefined]);
    assertEquals(choice.refusal, "The prompt was blocked: PROHIBITED_CONTENT");
    assertEquals(usage?.input, 8);
  }
  const armor = {
    promptFeedback: { blockReason: "MODEL_ARMOR", blockReasonMessage: "Looks like an injection." },
  };
  assertEquals(gather(whole(armor)).choices[0].refusal, "Looks like an injection.");
});

Deno.test("readAnswer() takes a candidate without a finish reason as finished, and an answer without candidates as an error", () => {
  assertEquals(
    gather(whole({ candidates: [{ content: { parts: [{ text: "Hi" }] } }] })).choices[0].stop,
    "stop",
  );
  assertEquals(gather(whole({})).error?.code, "no_candidates");
  assertEquals(
    gather(whole({ error: { code: 500, message: "Internal", status: "INTERNAL" } })).error?.status,
    500,
  );
});

// ---------------------------------------------------------------- parts

Deno.test("readAnswer() reads several candidates, each with its own tool calls", () => {
  const { choices } = gather(whole({
    candidates: [
      { content: { parts: [{ text: "a" }, { functionCall: { name: "f" } }] }, finishReason: "STOP" },
      { index: 1, content: { parts: [{ functionCall: { name: "g" } }] }, finishReason: "MAX_TOKENS" },
    ],
    responseId: "r",
  }));
  assertEquals(choices.map(({ text, calls, stop }) => [text, calls.map(({ id }) => id), stop]), [
    ["a", ["call_r_0_0"], "stop"],
    ["", ["call_r_1_0"], "length"],
  ]);
});

Deno.test("readAnswer() gives images and sound", () => {
  const { choices: [choice] } = gather(whole(candidate([
    { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" }, thoughtSignature: "QQ==" },
    { fileData: { mimeType: "image/png", fileUri: "https://a.example/b.png" } },
    { inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data: "AAAA" } },
    {
      inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data: "BBBB" },
      audioTranscription: { text: "Hi" },
    },
    { inlineData: { mimeType: "image/png", data: "draft" }, thought: true },
  ])));
  assertEquals(choice.images, [
    { media: { mime: "image/png", data: "iVBORw0KGgo=" }, signature: "QQ==" },
    { media: { url: "https://a.example/b.png" }, signature: undefined },
  ]);
  assertEquals([choice.audio?.data, choice.audio?.transcript], ["AAAABBBB", "Hi"]);
});

Deno.test("readAnswer() reads executed code as reasoning and not as text", () => {
  const { choices: [choice] } = gather(whole(candidate([
    { executableCode: { language: "PYTHON", code: "print(6 * 7)\n" } },
    { codeExecutionResult: { outcome: "OUTCOME_OK", output: "42\n" } },
    { text: "It is 42." },
  ])));
  assertEquals(choice.text, "It is 42.");
  assertEquals(choice.reasoning, "```python\nprint(6 * 7)\n```\n```\n42\n```\n");
});

Deno.test("readAnswer() numbers blocks of thoughts", () => {
  const deltas = whole(candidate([
    { text: "a", thought: true },
    { text: "b", thought: true, thoughtSignature: "c2ln" },
    { text: "One." },
    { text: "c", thought: true },
  ]));
  assertEquals(deltas.filter((delta) => delta.type === "thought"), [
    { type: "thought", choice: 0, block: 0, summary: true, text: "a" },
    {
      type: "thought",
      choice: 0,
      block: 0,
      summary: true,
      text: "b",
      signature: "c2ln",
      format: "google-gemini-v1",
    },
    { type: "thought", choice: 0, block: 1, summary: true, text: "c" },
  ]);
});

Deno.test("readAnswer() gives log probabilities in OpenAI's form", () => {
  const logprobsResult = {
    chosenCandidates: [{ token: "Hi", tokenId: 5, logProbability: -0.25 }],
    topCandidates: [{
      candidates: [{ token: "Hi", logProbability: -0.25 }, { token: "Yo", logProbability: -2 }],
    }],
  };
  const record = {
    content: [{
      token: "Hi",
      logprob: -0.25,
      bytes: null,
      top_logprobs: [
        { token: "Hi", logprob: -0.25, bytes: null },
        { token: "Yo", logprob: -2, bytes: null },
      ],
    }],
    refusal: null,
  };
  const text = (deltas: Delta[]) => deltas.filter((delta) => delta.type === "text");
  assertEquals(text(whole(candidate([{ text: "Hi" }], { logprobsResult }))), [
    { type: "text", choice: 0, text: "Hi", logprobs: record },
  ]);
  assertEquals(text(whole(candidate([], { logprobsResult }))), [
    { type: "text", choice: 0, text: "", logprobs: record },
  ]);
});

Deno.test("readAnswer() cites within the passage's part, and reads the licence of a recitation", () => {
  const { choices: [choice] } = gather(whole(candidate(
    [{ text: "Hm", thought: true }, { text: "Ünö. " }, { text: "Düo." }],
    {
      groundingMetadata: {
        groundingChunks: [{ maps: { uri: "https://maps.example/1", title: "Duo" } }],
        groundingSupports: [
          { segment: { partIndex: 2, endIndex: 5, text: "Düo." }, groundingChunkIndices: [0, 7] },
          { segment: { startIndex: 100, endIndex: 104, text: "Ünö" }, groundingChunkIndices: [0] },
        ],
      },
      citationMetadata: {
        citations: [{ startIndex: 0, endIndex: 5, uri: "https://git.example/x", license: "mit" }],
      },
    },
  )));
  assertEquals(
    choice.citations.map(({ url, start, end, extra }) => [url, choice.text.slice(start, end), extra]),
    [
      ["https://maps.example/1", "Düo.", undefined],
      ["https://maps.example/1", "Ünö", undefined],
      ["https://git.example/x", "Ünö", { license: "mit" }],
    ],
  );
});

Deno.test("readAnswer() tells each kind of source by its own address, and one that is not quoted by none of the text", () => {
  const sources: [source: object, url: string][] = [
    [{ web: { uri: "https://web.example/" } }, "https://web.example/"],
    [{ image: { sourceUri: "https://image.example/" } }, "https://image.example/"],
    [{ retrievedContext: { documentName: "documents/1" } }, "documents/1"],
    [{ retrievedContext: { fileSearchStore: "fileSearchStores/1" } }, "fileSearchStores/1"],
    [{ retrievedContext: { uri: "gs://a/b", documentName: "documents/1" } }, "gs://a/b"],
    [{ other: {} }, ""],
  ];
  const groundingChunks = sources.map(([source]) => source);
  const { choices: [choice] } = gather(
    whole(candidate([{ text: "Hi" }], { groundingMetadata: { groundingChunks } })),
  );
  assertEquals(
    choice.citations.map(({ url, start, end }) => [url, start, end]),
    sources.map(([, url]) => [url, 0, 0]),
  );
});

// ---------------------------------------------------------------- usage

Deno.test("readAnswer() splits usage into buckets that add up to Google's total", () => {
  const usageMetadata = {
    promptTokenCount: 1000,
    cachedContentTokenCount: 300,
    candidatesTokenCount: 80,
    thoughtsTokenCount: 40,
    toolUsePromptTokenCount: 60,
    totalTokenCount: 1180,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: 800 }, { modality: "AUDIO", tokenCount: 200 }],
    cacheTokensDetails: [{ modality: "AUDIO", tokenCount: 50 }, { modality: "TEXT", tokenCount: 250 }],
    candidatesTokensDetails: [{ modality: "AUDIO", tokenCount: 30 }],
  };
  const usage = gather(whole({ ...candidate([{ text: "a" }]), usageMetadata })).usage!;
  assertEquals(usage, {
    input: 610,
    cacheRead: 300,
    cacheWrite: 0,
    audioIn: 150,
    output: 50,
    reasoning: 40,
    audioOut: 30,
  });
  assertEquals(Object.values(usage as Usage & Record<string, number>).reduce((a, b) => a + b), 1180);
  assertEquals(gather(frames({ ...candidate([{ text: "a" }]), usageMetadata })).usage, usage);
});

Deno.test("readStream() uses the last usage that has counts", () => {
  const usage = (usageMetadata: JsonObject, body = candidate([{ text: "a" }])) => ({
    ...body,
    usageMetadata,
  });
  const deltas = frames(
    usage({ promptTokenCount: 5, totalTokenCount: 5 }),
    usage({ promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 }),
    usage({ trafficType: "ON_DEMAND" }),
  );
  assertEquals(deltas.filter((delta) => delta.type === "usage").length, 1);
  assertEquals(gather(deltas).usage?.output, 2);
});

// ---------------------------------------------------------------- robustness and round trip

Deno.test("the readers never throw, whatever the shape of the answer", () => {
  const odd: unknown[] = [null, 0, "x", [], {}, [null], [{}], true, { a: [] }, -1, 1e99, "\ud800"];
  const shapes = odd.flatMap((value) => [
    { candidates: value },
    { candidates: [value] },
    { candidates: [{ content: value }] },
    { candidates: [{ content: { parts: value } }] },
    {
      candidates: [{ content: { parts: [value] }, index: value, finishReason: value, finishMessage: value }],
    },
    ...["text", "thoughtSignature", "functionCall", "inlineData", "fileData", "executableCode", "toolCall"]
      .map(
        (key) => ({ candidates: [{ content: { parts: [{ [key]: value, thought: value }] } }] }),
      ),
    {
      candidates: [{
        content: { parts: [{ functionCall: { name: "f", args: value, partialArgs: value, id: value } }] },
      }],
    },
    { candidates: [{ groundingMetadata: value, citationMetadata: value, logprobsResult: value }] },
    { candidates: [{ groundingMetadata: { groundingChunks: value, groundingSupports: value } }] },
    {
      candidates: [{
        groundingMetadata: {
          groundingChunks: [value],
          groundingSupports: [{ segment: value, groundingChunkIndices: value }],
        },
      }],
    },
    { candidates: [{ logprobsResult: { chosenCandidates: value, topCandidates: value } }] },
    {
      promptFeedback: value,
      usageMetadata: value,
      responseId: value,
      createTime: value,
      modelVersion: value,
    },
    { usageMetadata: { promptTokenCount: value, promptTokensDetails: value } },
    { error: value },
  ]);
  for (const shape of shapes) {
    const end = (deltas: Delta[]) => deltas.some(({ type }) => type === "stop" || type === "error");
    const said = JSON.stringify(shape);
    assertEquals(end(whole(shape as JsonObject)), true, said);
    assertEquals(end(frames(shape)), true, said);
    gather(whole(shape as JsonObject));
  }
});

Deno.test("a second turn built from the first answer gives Gemini its own parts back", () => {
  const parts = [
    {
      toolCall: { toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["tides"] }, id: "s1" },
      thoughtSignature: "QQ==",
    },
    {
      toolResponse: { toolType: "GOOGLE_SEARCH_WEB", response: { suggestions: "…" }, id: "s1" },
      thoughtSignature: "QkI=",
    },
    { text: "I will look.", thoughtSignature: "Q0ND" },
    {
      functionCall: { id: "fc-1", name: "get_tide", args: { port: "Brest" } },
      thoughtSignature: "REREREQ+/w==",
    },
    { functionCall: { id: "fc-2", name: "get_tide", args: { port: "Cádiz" } } },
  ];
  const defaults = { id: "chatcmpl-1", created: 0, model: "m" };
  const answer = writeAnswer(gather(whole(candidate(parts))), callOf(), defaults);
  const { message } = (answer.choices as { message: JsonObject }[])[0];
  const calls = message.tool_calls as { id: string }[];
  const messages = [
    { role: "user", content: "Tides?" },
    message,
    ...calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "high" })),
  ];
  const again = gemini.writeCall(readCall({ messages }, "gemini-3.8-flash"));
  assertEquals(again.dropped, []);
  const [, turn, results] = again.body.contents as { parts: JsonObject[] }[];
  assertEquals(turn.parts, parts);
  assertEquals(
    results.parts,
    ["fc-1", "fc-2"].map((id) => ({
      functionResponse: { id, name: "get_tide", response: { output: "high" } },
    })),
  );

  // A client that keeps only known fields loses the search, but not the signature that Gemini requires.
  const bare = {
    role: message.role,
    content: message.content,
    tool_calls: calls.map((call) => ({ ...call, extra_content: undefined })),
  };
  const kept = gemini.writeCall(
    readCall({ messages: [messages[0], bare, ...messages.slice(2)] }, "gemini-3.8-flash"),
  );
  assertEquals((kept.body.contents as { parts: JsonObject[] }[])[1].parts, [
    { text: "I will look." },
    ...parts.slice(3),
  ]);
});

Deno.test("readAnswer() seals the continuation token of a cut-off answer", () => {
  const { choices: [choice] } = gather(whole(candidate([{ text: "Once" }], {
    finishReason: "CONTINUATION",
    continuationToken: "dG9r",
  })));
  assertEquals(choice.stop, "length");
  assertStringIncludes(JSON.stringify(choice.thoughts), "dG9r");
});
