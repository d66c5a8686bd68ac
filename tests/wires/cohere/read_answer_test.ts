import { assert, assertEquals } from "@std/assert";
import { cohere } from "../../../wires/cohere/mod.ts";
import { collector } from "../gathered.ts";
import { sseReader } from "../../../wires/streams/sse.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import { fixture } from "./scene.ts";

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
