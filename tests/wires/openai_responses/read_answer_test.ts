import { assert, assertEquals } from "@std/assert";
import { responsesWire } from "../../../wires/openai_responses/mod.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import { type Json, sse } from "../../acceptance/lab.ts";
import { checkStream, type Piece } from "../../acceptance/responses_stream.ts";
import { strictResponses } from "../../acceptance/strict_responses.ts";
import { collect, readEvents, readWhole } from "./talk.ts";

const URL_OF_RESPONSES = new URL("https://api.openai.com/v1/responses");

/** One answer of the strict provider: whole, or as the text of its stream. */
async function answer(pieces: Piece[], stream: boolean): Promise<string> {
  const body: Json = { model: "gpt-5.6", input: [], stream };
  const { play } = strictResponses([pieces]);
  return await play({ url: URL_OF_RESPONSES, method: "POST", headers: new Headers(), text: "", body }).text();
}

const ANSWERS: Record<string, Piece[]> = {
  "text": [{ text: ["Grüße", " aus 東京", " 🗼"] }],
  "reasoning and text with a phase": [{ think: "x" }, { text: ["Hi"], phase: "final_answer" }],
  "a summary": [{ think: "x", summary: ["First I", "Then I"] }, { text: ["Hi"], phase: "final_answer" }],
  "parallel calls": [
    { think: "x" },
    { call: "f", id: "call_1", args: ['{"a"', ":1}"] },
    { call: "g", id: "call_2", args: ["{}"] },
  ],
  "a call without arguments": [{ call: "f", id: "call_1", args: [] }],
  "a custom call": [{ think: "x" }, { custom: "c", id: "call_1", input: ["free ", "text"] }],
  "commentary between reasoning": [
    { think: "x" },
    { text: ["Let me ", "look."], phase: "commentary" },
    { think: "y" },
    { call: "f", id: "call_1", args: ["{}"] },
  ],
  "two messages": [{ text: ["One."], phase: "commentary" }, { text: ["Two."], phase: "final_answer" }],
  "a search with sources": [
    { think: "x" },
    { search: "who" },
    { think: "y" },
    { text: ["Found it"], phase: "final_answer", url: "https://a.example" },
  ],
  "a refusal": [{ refusal: ["I will", " not"] }],
};

for (const [name, pieces] of Object.entries(ANSWERS)) {
  Deno.test(`readStream() and readAnswer() read the same from ${name}, wherever the bytes are cut`, async () => {
    const text = await answer(pieces, true);
    checkStream(
      text.split("\n\n").filter(Boolean).map((event) => JSON.parse(event.slice(event.indexOf("{")))),
    );
    const whole = collect(readWhole(JSON.parse(await answer(pieces, false))));
    for (const size of [1, 7, 100, text.length]) {
      const { start, ...streamed } = collect(readEvents(text, size));
      const { start: wholeStart, ...rest } = whole;
      assertEquals(streamed, rest, `${size}`);
      assertEquals({ ...wholeStart, service_tier: undefined }, start);
    }
  });
}

const read = async (name: string) => collect(readEvents(await answer(ANSWERS[name], true)));

Deno.test("readAnswer() tells of OpenAI's own tools, if other providers have such a tool too", async () => {
  const body = JSON.parse(await answer(ANSWERS.text, false));
  const told = (item: object) =>
    readWhole({ ...body, output: [item] }).flatMap((delta) =>
      delta.type === "server_tool" ? [delta.serverCall] : []
    );
  assertEquals(told({ type: "code_interpreter_call", id: "ci_1", code: "2+2", status: "completed" }), [
    { kind: "code_execution", id: "ci_1", input: { code: "2+2" } },
  ]);
  const sources = [{ type: "url", url: "https://a.test/" }, { type: "url" }];
  assertEquals(
    told({ type: "web_search_call", id: "ws_1", action: { type: "search", query: "q", sources } }),
    [
      {
        kind: "web_search",
        id: "ws_1",
        input: { query: "q" },
        results: [{ url: "https://a.test/", title: "https://a.test/" }],
      },
    ],
  );
  assertEquals(told({ type: "file_search_call", id: "fs_1" }), []);
});

Deno.test("readAnswer() counts no text where all output was reasoning, and never less than none", async () => {
  const body = JSON.parse(await answer(ANSWERS.text, false));
  for (const [total, reasoning] of [[20, 20], [5, 20]]) {
    const usage = {
      input_tokens: 7,
      output_tokens: total,
      output_tokens_details: { reasoning_tokens: reasoning },
    };
    const told = readWhole({ ...body, usage }).find((delta) => delta.type === "usage");
    assertEquals([told?.usage.input, told?.usage.output, told?.usage.reasoning], [7, 0, 20]);
  }
});

Deno.test("readStream() reads the envelope, the usage in buckets and the end", async () => {
  const deltas = readEvents(await answer(ANSWERS.text, true));
  assertEquals(deltas[0], {
    type: "start",
    id: "resp_1",
    model: "gpt-5.6",
    created: 1_700_000_000,
    service_tier: undefined,
  });
  assertEquals(deltas.slice(-2), [
    {
      type: "usage",
      usage: { input: 30, cacheRead: 60, cacheWrite: 10, audioIn: 0, output: 10, reasoning: 20, audioOut: 0 },
    },
    { type: "stop", choice: 0, reason: "stop" },
  ]);
  const [start] = readWhole(JSON.parse(await answer(ANSWERS.text, false)));
  assert(start.type === "start");
  assertEquals(start.service_tier, "default");
});

Deno.test("readStream() reads calls of both kinds", async () => {
  const { choices: [{ calls }] } = await read("parallel calls");
  assertEquals(calls, [
    { id: "call_1", name: "f", arguments: '{"a":1}', signature: undefined },
    { id: "call_2", name: "g", arguments: "{}", signature: undefined },
  ]);
  const { choices: [custom] } = await read("a custom call");
  assertEquals(custom.calls, [
    { id: "call_1", name: "c", arguments: "free text", signature: undefined, custom: true },
  ]);
});

Deno.test("readStream() reads summaries as reasoning, and sealed reasoning with the ids of its items", async () => {
  const { choices: [{ reasoning, thoughts }] } = await read("a summary");
  assertEquals(reasoning, "First I\n\nThen I");
  assertEquals(thoughts.length, 1);
  const [{ redacted, format, id }] = thoughts;
  assert(redacted?.startsWith("gAAAA") && !redacted.includes("unfinished"), redacted);
  assertEquals([format, id?.slice(0, 3)], ["openai-responses-v1", "rs_"]);
  const azure = collect(
    readEvents(await answer(ANSWERS["a summary"], true), 100, responsesWire("azure-openai-responses-v1")),
  );
  assertEquals(azure.choices[0].thoughts[0].format, "azure-openai-responses-v1");
});

Deno.test("readStream() emits a layout only if the items would not come back in their order", async () => {
  const layouts: Record<string, string | undefined> = {
    "text": undefined,
    "reasoning and text with a phase": undefined,
    "parallel calls": undefined,
    "a search with sources": undefined,
    "commentary between reasoning": '{"layout":"bx12Cbu"}',
    "two messages": '{"layout":"x4Cx2Sx4F"}',
  };
  for (const [name, expected] of Object.entries(layouts)) {
    const { choices: [{ thoughts, text }] } = await read(name);
    assertEquals(
      thoughts.map(({ redacted }) => redacted).find((data) => data?.includes("layout")),
      expected,
      name,
    );
    if (name === "two messages") assertEquals(text, "One.\n\nTwo.");
  }
});

Deno.test("readStream() reads sources with their offsets in the whole text", async () => {
  const pieces: Piece[] = [{ text: ["Um."] }, { text: ["abc", "def"], url: "https://a.example" }];
  for (const stream of [true, false]) {
    const text = await answer(pieces, stream);
    const { choices: [{ citations }] } = collect(stream ? readEvents(text) : readWhole(JSON.parse(text)));
    assertEquals(citations, [{ url: "https://a.example", title: "Title", start: 6, end: 8 }]);
  }
});

Deno.test("readStream() keeps the item of a server tool for the next turn, without showing it", async () => {
  const { choices: [{ thoughts, text, reasoning }] } = await read("a search with sources");
  assertEquals([text, reasoning], ["Found it", ""]);
  assertEquals(thoughts.map(({ redacted }) => redacted?.slice(0, 5)), ["gAAAA", '{"id"', "gAAAA"]);
  assertEquals(JSON.parse(thoughts[1].redacted!).action, { type: "search", query: "who" });
});

// ---------------------------------------------------------------- other providers, other forms

const RESPONSE = { id: "resp_1", object: "response", status: "completed", model: "m", output: [] as Json[] };
const event = (type: string, more: Json = {}): Json => ({ type, ...more });
const MESSAGE = { id: "msg_1", type: "message", role: "assistant", status: "completed" };
const said = (text: string): Json => ({
  ...MESSAGE,
  content: [{ type: "output_text", text, annotations: [] }],
});

Deno.test("readStream() reads content that is only in the last event", () => {
  const call = { id: "fc_1", type: "function_call", call_id: "c", name: "f", arguments: '{"a":1}' };
  const list = [event("response.created", { response: RESPONSE }), {
    type: "response.completed",
    response: { ...RESPONSE, output: [said("Hi"), call] },
  }];
  const { choices: [{ text, calls }] } = collect(readEvents(sse(list)));
  assertEquals([text, calls[0].arguments], ["Hi", '{"a":1}']);
});

Deno.test("readStream() emits nothing twice, whatever events a provider leaves out", () => {
  const delta = (more: Json) => event("response.output_text.delta", { delta: "Hi", ...more });
  const end = { type: "response.completed", response: { ...RESPONSE, output: [said("Hi")] } };
  const added = (more: Json) =>
    event("response.output_item.added", { item: { ...MESSAGE, content: [] }, ...more });
  const done = (more: Json) => event("response.output_item.done", { item: said("Hi"), ...more });
  const streams: Json[][] = [
    [delta({}), end],
    [delta({ output_index: 0 }), end],
    [delta({ item_id: "msg_1" }), end],
    [added({}), delta({}), done({}), end],
    [added({ output_index: 0 }), delta({ output_index: 0 }), end],
    [added({ output_index: 3 }), delta({ output_index: 3 }), done({ output_index: 3 }), end],
    [done({ output_index: 0 }), end],
    [done({}), { type: "response.completed", response: { ...RESPONSE, output: undefined } }],
  ];
  for (const list of streams) {
    assertEquals(collect(readEvents(sse(list))).choices[0].text, "Hi", JSON.stringify(list));
  }
});

Deno.test("readStream() reads reasoning that is shown in place of a summary, once", () => {
  const item = {
    id: "rs_1",
    type: "reasoning",
    content: [{ type: "reasoning_text", text: "Hm." }],
    summary: [],
  };
  const list = [
    event("response.output_item.added", { item: { ...item, content: [] }, output_index: 0 }),
    event("response.reasoning_text.delta", { output_index: 0, content_index: 0, delta: "Hm" }),
    event("response.reasoning_text.delta", { output_index: 0, content_index: 0, delta: "." }),
    event("response.reasoning_summary_text.delta", { output_index: 0, summary_index: 0, delta: "Hm." }),
    event("response.output_item.done", { item, output_index: 0 }),
    { type: "response.completed", response: { ...RESPONSE, output: [item, said("Hi")] } },
  ];
  const streamed = collect(readEvents(sse(list)));
  assertEquals(streamed.choices[0].reasoning, "Hm.");
  assertEquals(collect(readWhole({ ...RESPONSE, output: [item, said("Hi")] })).choices, streamed.choices);
});

Deno.test("readAnswer() reads pictures and probabilities", () => {
  const picture = { id: "ig_1", type: "image_generation_call", result: "QUJD", output_format: "webp" };
  const logprobs = [{
    token: "Hi",
    logprob: -1,
    bytes: [72, 105],
    top_logprobs: [{ token: "Ho", logprob: -2 }],
  }];
  const text = { ...MESSAGE, content: [{ type: "output_text", text: "Hi", annotations: [], logprobs }] };
  const { choices: [choice] } = collect(readWhole({ ...RESPONSE, output: [picture, text] }));
  assertEquals(choice.images, [{ media: { mime: "image/webp", data: "QUJD" }, signature: undefined }]);
  assertEquals(choice.logprobs, [{
    content: [{
      token: "Hi",
      logprob: -1,
      bytes: [72, 105],
      top_logprobs: [{ token: "Ho", logprob: -2, bytes: null }],
    }],
    refusal: null,
  }]);
});

Deno.test("readStream() ignores unknown events, and events after the end", () => {
  const list = [
    event("response.created", { response: RESPONSE }),
    event("keepalive"),
    event("response.later", { response: 1 }),
    event("response.output_text.delta", { output_index: 0, delta: "Hi" }),
    { type: "response.completed", response: { ...RESPONSE, output: [said("Hi")] } },
    event("error", { message: "late" }),
    "[DONE]",
  ];
  const { choices: [{ text }], error } = collect(readEvents(sse(list)));
  assertEquals([text, error], ["Hi", undefined]);
});

// ---------------------------------------------------------------- ends and failures

Deno.test("an answer that is not complete says why", () => {
  const reasons = { max_output_tokens: "length", content_filter: "content_filter", later: "length" };
  for (const [reason, expected] of Object.entries(reasons)) {
    const response = {
      ...RESPONSE,
      status: "incomplete",
      incomplete_details: { reason },
      output: [said("Hi")],
    };
    const end = (deltas: Delta[]) => collect(deltas).choices[0].stop;
    assertEquals(end(readWhole(response)), expected);
    assertEquals(end(readEvents(sse([{ type: "response.incomplete", response }]))), expected);
  }
});

Deno.test("a failure is an error with the status that its code means, and without the prompt", () => {
  const statuses: [code: string, status: number | undefined][] = [
    ["rate_limit_exceeded", 429],
    ["insufficient_quota", 429],
    ["server_error", 500],
    ["server_is_overloaded", 503],
    ["invalid_prompt", 400],
    ["image_too_large", 400],
    ["failed_to_download_image", 400],
    ["bio_policy", 400],
    ["context_length_exceeded", 400],
    ["later", undefined],
  ];
  for (const [code, status] of statuses) {
    const error = { code, message: "no" };
    const failed = { ...RESPONSE, status: "failed", error, instructions: "secret prompt" };
    const answers = [
      readWhole(failed),
      readEvents(sse([{ type: "response.failed", response: failed }])),
      readEvents(sse([event("error", { error })])),
      readEvents(sse([event("error", { ...error, sequence_number: 2 })])),
      readEvents(sse([event("error", { error }), { type: "response.failed", response: failed }])),
    ];
    for (const deltas of answers) {
      assertEquals(deltas.length, 1);
      const [delta] = deltas;
      assert(delta.type === "error");
      assertEquals([delta.error.message, delta.error.code, delta.error.status], ["no", code, status]);
      assert(!JSON.stringify(delta).includes("secret"));
      assert(delta.error.type !== "error");
    }
  }
});

Deno.test("a stream that is cut is an error, wherever it ends", async () => {
  for (const pieces of Object.values(ANSWERS)) {
    const list = (await answer(pieces, true)).split("\n\n").filter(Boolean);
    for (let kept = 0; kept < list.length; kept++) {
      const deltas = readEvents(list.slice(0, kept).map((one) => `${one}\n\n`).join(""), 64);
      assertEquals(deltas.filter(({ type }) => type === "error" || type === "stop").map(({ type }) => type), [
        "error",
      ]);
    }
  }
});

Deno.test("an answer without output is an error", () => {
  for (const body of [{}, { object: "response" }, { output: {} }] as JsonObject[]) {
    assertEquals(readWhole(body).map(({ type }) => type), ["error"]);
  }
});
