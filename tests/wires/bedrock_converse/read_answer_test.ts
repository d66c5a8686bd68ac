/** What clients see of Converse's answers, streams and errors. */
import { assert, assertEquals } from "@std/assert";
import { bedrockConverse } from "../../../wires/bedrock_converse/mod.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import { awsError, type AwsEvent, frame, framed } from "../../acceptance/strict_converse.ts";
import { lab, readEvents } from "../../acceptance/lab.ts";
import { awsEventStream } from "../../../wires/streams/aws_event_stream.ts";
import { type Any, NOVA, USER } from "./converse.ts";

const USAGE = { inputTokens: 5, outputTokens: 3, totalTokens: 8 };

function readWhole(content: JsonObject[], more: JsonObject = {}): Delta[] {
  const deltas: Delta[] = [];
  const body = {
    output: { message: { role: "assistant", content } },
    stopReason: "end_turn",
    usage: USAGE,
    ...more,
  };
  bedrockConverse.readAnswer(body, (delta) => deltas.push(delta));
  return deltas;
}

function readStream(...events: AwsEvent[]): Delta[] {
  const deltas: Delta[] = [];
  const reader = bedrockConverse.readStream((delta) => deltas.push(delta));
  for (const [name, data] of events) reader.frame(JSON.stringify(data), name);
  reader.end();
  return deltas;
}

const delta = (
  contentBlockIndex: number,
  delta: JsonObject,
): AwsEvent => ["contentBlockDelta", { contentBlockIndex, delta }];
const stop = (contentBlockIndex: number): AwsEvent => ["contentBlockStop", { contentBlockIndex }];
const END: AwsEvent[] = [["messageStop", { stopReason: "end_turn" }], ["metadata", { usage: USAGE }]];
const START: AwsEvent = ["messageStart", { role: "assistant" }];

const of = <T extends Delta["type"]>(deltas: Delta[], type: T) =>
  deltas.filter((delta): delta is Extract<Delta, { type: T }> => delta.type === type);

// ---------------------------------------------------------------- answers

Deno.test("converse counts the prompt with what is cached, whole and streamed", () => {
  const usage = {
    ...USAGE,
    cacheReadInputTokens: 100,
    cacheWriteInputTokens: 30,
    cacheDetails: [{ ttl: "1h", inputTokens: 20 }, { ttl: "5m", inputTokens: 10 }],
  };
  const expected = {
    input: 5,
    cacheRead: 100,
    cacheWrite: 30,
    cacheWriteHour: 20,
    audioIn: 0,
    output: 3,
    reasoning: 0,
    audioOut: 0,
  };
  assertEquals(of(readWhole([{ text: "Hi" }], { usage }), "usage").map(({ usage }) => usage), [expected]);
  const streamed = readStream(START, delta(0, { text: "Hi" }), END[0], ["metadata", { usage }]);
  assertEquals(of(streamed, "usage").map(({ usage }) => usage), [expected]);
});

Deno.test("converse reads every reason of a stop, and the stop sequence where Claude tells it", () => {
  const reasons: Record<string, string> = {
    end_turn: "stop",
    stop_sequence: "stop",
    max_tokens: "length",
    model_context_window_exceeded: "length",
    tool_use: "tool_calls",
    content_filtered: "content_filter",
    guardrail_intervened: "content_filter",
    something_new: "stop",
  };
  for (const [stopReason, reason] of Object.entries(reasons)) {
    assertEquals(of(readWhole([{ text: "x" }], { stopReason }), "stop"), [{
      type: "stop",
      choice: 0,
      reason: reason as "stop",
    }]);
  }
  const told = {
    stopReason: "stop_sequence",
    additionalModelResponseFields: { delta: { stop_sequence: "END" } },
  };
  assertEquals(of(readStream(START, ["messageStop", told]), "stop")[0].sequence, "END");
  for (const stopReason of ["malformed_tool_use", "malformed_model_output"]) {
    const [{ error }] = of(readStream(START, ["messageStop", { stopReason }], END[1]), "error");
    assertEquals([error.code, error.status], [stopReason, 502]);
    assertEquals(of(readWhole([], { stopReason }), "error").length, 1);
  }
});

Deno.test("converse takes text out of citations, with Anthropic's names for the places", () => {
  const citation = (location: JsonObject) => ({
    title: "policy",
    sourceContent: [{ text: "20 days " }, { text: "a year" }],
    location,
  });
  const places: [location: JsonObject, extra: JsonObject][] = [
    [{ documentChar: { documentIndex: 0, start: 4, end: 9 } }, {
      type: "char_location",
      document_index: 0,
      start_char_index: 4,
      end_char_index: 9,
      document_title: "policy",
    }],
    [{ documentPage: { documentIndex: 1, start: 2, end: 3 } }, {
      type: "page_location",
      document_index: 1,
      start_page_number: 2,
      end_page_number: 3,
      document_title: "policy",
    }],
    [{ documentChunk: { documentIndex: 0, start: 1, end: 2 } }, {
      type: "content_block_location",
      document_index: 0,
      start_block_index: 1,
      end_block_index: 2,
      document_title: "policy",
    }],
    [{ searchResultLocation: { searchResultIndex: 3, start: 0, end: 1 } }, {
      type: "search_result_location",
      search_result_index: 3,
      start_block_index: 0,
      end_block_index: 1,
      source: "policy",
    }],
  ];
  for (const [location, place] of places) {
    const expected = {
      url: "",
      title: "policy",
      start: 4,
      end: 8,
      extra: { cited_text: "20 days a year", ...place },
    };
    const cited = { citationsContent: { content: [{ text: "20 d" }], citations: [citation(location)] } };
    const whole = readWhole([{ text: "One " }, cited]);
    assertEquals(of(whole, "text").map(({ text }) => text).join(""), "One 20 d");
    assertEquals(of(whole, "citation").map(({ citation }) => citation), [expected]);
    const streamed = readStream(
      START,
      delta(0, { text: "One " }),
      stop(0),
      delta(1, { citation: citation(location) }),
      delta(1, { text: "20 d" }),
      stop(1),
      ...END,
    );
    assertEquals(of(streamed, "citation").map(({ citation }) => citation), [expected]);
  }
  const web = citation({ web: { url: "https://a.test", domain: "a.test" } });
  const [{ citation: found }] = of(
    readWhole([{ citationsContent: { content: [], citations: [web] } }]),
    "citation",
  );
  assertEquals([found.url, found.extra], ["https://a.test", { cited_text: "20 days a year" }]);
});

Deno.test("converse counts tool calls apart from blocks, and tells Amazon's own tools as the provider's", () => {
  const use = { toolUseId: "s1", name: "nova_code_interpreter", type: "server_tool_use" };
  const result = { toolUseId: "s1", type: "nova_code_interpreter_result", status: "success" };
  const json = { stdOut: "7\n", stdErr: "", exitCode: 0, isError: false };
  const call = { toolUseId: "t1", name: "f" };
  const whole = readWhole([
    { text: "Let me see." },
    { toolUse: { ...use, input: { snippet: "3+4" } } },
    { toolResult: { ...result, content: [{ json }] } },
    { toolUse: { ...call, input: {} } },
  ]);
  const streamed = readStream(
    START,
    delta(0, { text: "Let me see." }),
    stop(0),
    ["contentBlockStart", { contentBlockIndex: 1, start: { toolUse: use } }],
    delta(1, { toolUse: { input: '{"snippet":' } }),
    delta(1, { toolUse: { input: '"3+4"}' } }),
    stop(1),
    ["contentBlockStart", { contentBlockIndex: 2, start: { toolResult: result } }],
    delta(2, { toolResult: [{ json }] as never }),
    stop(2),
    ["contentBlockStart", { contentBlockIndex: 3, start: { toolUse: call } }],
    stop(3),
    ...END,
  );
  for (const deltas of [whole, streamed]) {
    assertEquals(of(deltas, "tool"), [{ type: "tool", choice: 0, index: 0, id: "t1", name: "f" }]);
    const serverCall = { kind: "code_execution" as const, id: "s1", input: { code: "3+4" }, output: "7\n" };
    assertEquals(of(deltas, "server_tool"), [{ type: "server_tool", choice: 0, serverCall }]);
  }
});

Deno.test("converse reads signed and sealed thoughts byte for byte, each in its block", () => {
  const sealed = "EtkCCkgIBx+/AbCd==";
  const opaque = btoa("\x00\x01not text");
  const streamed = readStream(
    START,
    delta(0, { reasoningContent: { text: "Hm" } }),
    delta(0, { reasoningContent: { text: "." } }),
    delta(0, { reasoningContent: { signature: "c2ln" } }),
    stop(0),
    delta(1, { reasoningContent: { redactedContent: btoa(sealed) } }),
    stop(1),
    delta(2, { reasoningContent: { redactedContent: opaque } }),
    stop(2),
    ...END,
  );
  const whole = readWhole([
    { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
    { reasoningContent: { redactedContent: btoa(sealed) } },
    { reasoningContent: { redactedContent: opaque } },
  ]);
  for (const deltas of [streamed, whole]) {
    const thoughts = of(deltas, "thought");
    assertEquals(
      thoughts.map(({ block, text, signature, redacted }) => [block, text ?? signature ?? redacted]).slice(
        -3,
      ),
      [
        [0, "c2ln"],
        [1, sealed],
        [2, opaque],
      ],
    );
    assertEquals(thoughts.slice(-3).map(({ format }) => format), [
      "anthropic-claude-v1",
      "anthropic-claude-v1",
      "bedrock-converse-v1",
    ]);
  }
});

Deno.test("converse reads pictures, and the tier of the service", () => {
  const image = { format: "jpeg", source: { bytes: "/9j/" } };
  const media = { mime: "image/jpeg", data: "/9j/" };
  const whole = readWhole([{ image }], { serviceTier: { type: "priority" } });
  assertEquals(of(whole, "image"), [{ type: "image", choice: 0, media }]);
  assertEquals(of(whole, "start"), [{ type: "start", service_tier: "priority" }]);
  const streamed = readStream(
    START,
    ["contentBlockStart", { contentBlockIndex: 0, start: { image: { format: "jpeg" } } }],
    delta(0, { image: { source: { bytes: "/9j/" } } }),
    stop(0),
    ...END,
  );
  assertEquals(of(streamed, "image"), [{ type: "image", choice: 0, media }]);
});

// ---------------------------------------------------------------- failures

const ask = { model: `aws-bedrock/us-east-1/${NOVA}`, messages: [USER] };

Deno.test("exceptions within a stream of Converse reach the client with their names, and end it", async () => {
  for (const name of ["throttlingException", "modelStreamErrorException", "validationException"]) {
    const { post } = lab(() =>
      framed([
        START,
        delta(0, { text: "Hi" }),
        [name, { message: "It stops here." }],
        delta(0, { text: "!" }),
      ])
    );
    const { chunks } = await readEvents(await post({ ...ask, stream: true }));
    const { error } = chunks.at(-1) as Any;
    assertEquals([error.code, error.message], [name, "It stops here."]);
    assert(!JSON.stringify(chunks).includes("!"));
  }
});

Deno.test("an exception before the content leads to another attempt, and has the status of the same error", async () => {
  const statuses: [string, number][] = [
    ["throttlingException", 429],
    ["serviceUnavailableException", 503],
    ["internalServerException", 500],
  ];
  for (const [name, status] of statuses) {
    const { post, asked } = lab(() =>
      asked.length === 1
        ? framed([START, [name, { message: "No." }]])
        : framed([START, delta(0, { text: "Hi" }), stop(0), ...END])
    );
    const response = await post({ ...ask, stream: true }, {
      "cf-aig-max-attempts": "2",
      "cf-aig-retry-delay": "1",
    });
    const { chunks } = await readEvents(response);
    assertEquals([name, asked.length], [name, 2]);
    const said = (chunks as Any[]).map(({ error, choices }) =>
      error?.message ?? choices[0]?.delta.content ?? ""
    );
    assertEquals(said.join(""), "Hi");
    assertEquals(readError(name), status);
  }
});

/** The status that the framing gives an exception. */
function readError(name: string): number | undefined {
  let status: number | undefined;
  const reader = awsEventStream.reader(() => {}, (error) => status = error.status);
  reader.push(frame([name, { message: "No." }]));
  return status;
}

Deno.test("errors of Converse keep status, words and code, with a cure for a model without on-demand throughput", async () => {
  const told = async (status: number, name: string, message: string) => {
    const { post } = lab(() => awsError(status, name, message));
    const response = await post(ask);
    const { error } = await response.json();
    return [response.status, error.message, error.code];
  };
  const demand =
    "Invocation of model ID x with on-demand throughput isn’t supported. Retry with an inference profile.";
  assertEquals(await told(400, "ValidationException", demand), [
    400,
    `${demand} Write the id with the beginning of a profile, e.g. "us." or "global."`,
    null,
  ]);
  const long = "The model returned the following errors: Input is too long for requested model.";
  assertEquals(await told(400, "ValidationException", long), [400, long, "context_length_exceeded"]);
  const busy = "Too many tokens, please wait before trying again.";
  assertEquals(await told(429, "ThrottlingException", busy), [429, busy, null]);
  assertEquals(await told(404, "ResourceNotFoundException", "Gone."), [404, "Gone.", null]);
});

Deno.test("an answer of 200 that is an error is told as one", async () => {
  const coral = { Output: { __type: "com.amazon.coral.service#UnknownOperationException" }, Version: "1.0" };
  const bodies: [JsonObject, number, string | null][] = [
    [coral, 404, "UnknownOperationException"],
    [{ message: "No." }, 502, null],
    [{ usage: USAGE }, 502, "2005"],
  ];
  for (const [body, status, code] of bodies) {
    const { post } = lab(() => Response.json(body));
    const response = await post(ask);
    assertEquals([response.status, (await response.json()).error.code], [status, code]);
  }
});

Deno.test("a stream of Converse without messageStop, or with a frame that is not JSON, is an error", async () => {
  const bad = new Uint8Array([...frame(START), ...frame(["contentBlockDelta", "x"])]);
  const type = { headers: { "content-type": "application/vnd.amazon.eventstream" } };
  for (const body of [new Blob([frame(START)]), new Blob([bad])]) {
    const { post } = lab(() => new Response(body, type));
    const { chunks } = await readEvents(await post({ ...ask, stream: true }));
    assert((chunks.at(-1) as Any).error.message);
  }
});
