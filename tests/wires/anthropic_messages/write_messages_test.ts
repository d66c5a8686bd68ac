/** What Anthropic's clients get: whole messages, streams and errors. */
import { assert, assertEquals } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import fc from "npm:fast-check@4.10.2";
import { eventsOf, validate } from "../../acceptance/messages_events.ts";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import { unseal } from "../../../wires/shared/envelope.ts";
import { collector } from "../../../wires/streams/collect.ts";
import type { Call, Delta, JsonObject, StopReason, WireError } from "../../../wires/types.ts";

const DEFAULTS = { id: "msg_1", created: 0, model: "asked" };

function callOf(fields: JsonObject = {}): Call {
  return anthropicMessages.readCall(
    { max_tokens: 9, messages: [{ role: "user", content: "Hi" }], ...fields },
    "m",
  );
}

function whole(deltas: Delta[], call = callOf()): JsonObject {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return JSON.parse(JSON.stringify(anthropicMessages.writeAnswer(answer, call, DEFAULTS)));
}

function stream(deltas: Delta[], call = callOf()): string {
  const writer = anthropicMessages.writer(call, DEFAULTS);
  return deltas.map((delta) => writer.delta(delta)).join("") + writer.end();
}

/** What Anthropic's SDK reads from a stream. */
async function gathered(text: string): Promise<JsonObject> {
  const client = new Anthropic({
    apiKey: "k",
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(text, { headers: { "content-type": "text/event-stream" } })),
  });
  const message = await client.messages.stream({
    model: "m",
    max_tokens: 1,
    messages: [{ role: "user", content: "Hi" }],
  }).finalMessage();
  return JSON.parse(JSON.stringify(message));
}

const text = (text: string): Delta => ({ type: "text", choice: 0, text });
const think = (text: string, more: JsonObject = {}): Delta =>
  ({ type: "thought", choice: 0, block: 0, text, ...more }) as Delta;
const stop = (reason: StopReason, sequence?: string): Delta => ({
  type: "stop",
  choice: 0,
  reason,
  sequence,
});
const tool = (index: number, id: string, signature?: string): Delta => ({
  type: "tool",
  choice: 0,
  index,
  id,
  name: "f",
  signature,
});
const args = (index: number, text: string): Delta => ({ type: "args", choice: 0, index, text });

// ---------------------------------------------------------------- whole

Deno.test("writeMessage() writes a message with every member of the SDK's type", () => {
  const usage = {
    input: 10,
    cacheRead: 3,
    cacheWrite: 5,
    cacheWriteHour: 2,
    audioIn: 1,
    output: 7,
    reasoning: 4,
    audioOut: 0,
  };
  const message = whole([
    { type: "start", id: "chatcmpl-9", model: "real", service_tier: "priority" },
    text("Hello"),
    stop("stop"),
    { type: "usage", usage },
  ]);
  assertEquals(message, {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "real",
    content: [{ type: "text", text: "Hello", citations: null }],
    stop_reason: "end_turn",
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: {
      input_tokens: 11,
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 3,
      output_tokens: 11,
      output_tokens_details: { thinking_tokens: 4 },
      server_tool_use: null,
      cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 2 },
      service_tier: "priority",
      inference_geo: null,
      speed: null,
    },
  });
});

Deno.test("writeMessage() and eventWriter() write why an answer ended", () => {
  const rows: [Delta[], string, string | null][] = [
    [[text("a"), stop("stop")], "end_turn", null],
    [[text("a")], "end_turn", null],
    [[text("a"), stop("length")], "max_tokens", null],
    [[text("a"), stop("content_filter")], "refusal", null],
    [[{ type: "refusal", choice: 0, text: "No." }, stop("stop")], "refusal", null],
    [[text("a"), stop("stop", "END")], "stop_sequence", "END"],
    [[tool(0, "c"), stop("stop")], "tool_use", null],
    [[tool(0, "c"), stop("tool_calls")], "tool_use", null],
    [[tool(0, "c"), stop("length")], "max_tokens", null],
    [[tool(0, "c"), stop("content_filter")], "refusal", null],
  ];
  for (const [deltas, reason, sequence] of rows) {
    const message = whole(deltas);
    const end = eventsOf(stream(deltas)).find(({ event }) => event === "message_delta")!.data
      .delta as JsonObject;
    for (const told of [message, end]) {
      assertEquals([told.stop_reason, told.stop_sequence], [reason, sequence]);
    }
    const details = reason === "refusal" ? { type: "refusal", category: null, explanation: null } : null;
    for (const told of [message, end]) assertEquals(told.stop_details, details);
  }
});

Deno.test("writeMessage() gives thoughts a proof that is only sent to their maker", () => {
  const content = (...deltas: Delta[]) => whole(deltas).content as JsonObject[];
  const claude = "anthropic-claude-v1";
  assertEquals(content(think("a", { signature: "EqQB", format: claude })), [
    { type: "thinking", thinking: "a", signature: "EqQB" },
  ]);
  const [sealed] = content({ type: "thought", choice: 0, block: 0, redacted: "Em", format: claude });
  assertEquals(sealed, { type: "redacted_thinking", data: "Em" });
  const [foreign] = content(think("a", { signature: "c2ln", format: "google-gemini-v1" }));
  assertEquals(unseal(foreign.signature as string)?.thought, {
    signature: "c2ln",
    format: "google-gemini-v1",
  });
  const [openai] = content(
    think("summary"),
    { type: "thought", choice: 0, block: 0, redacted: "gAAA", id: "rs_1", format: "openai-responses-v1" },
  );
  assertEquals(openai.thinking, "summary");
  assertEquals(unseal(openai.signature as string)?.thought, {
    redacted: "gAAA",
    id: "rs_1",
    format: "openai-responses-v1",
  });
  assertEquals(content(think("a")), [{ type: "thinking", thinking: "a", signature: "slc1.text." }]);
});

Deno.test("omitted thoughts are not shown, and a provider without proofs gets their text back", () => {
  const call = callOf({ thinking: { type: "adaptive", display: "omitted" } });
  const signed = { signature: "c2ln", format: "google-gemini-v1" };
  for (const [more, held] of [[{}, { text: "secret" }], [signed, signed]] as const) {
    const [block] = whole([think("sec"), think("ret", more), text("a")], call).content as JsonObject[];
    assertEquals([block.type, block.thinking], ["thinking", ""]);
    assertEquals(unseal(block.signature as string)?.thought as unknown, held);
    const events = stream([think("sec"), think("ret", more), text("a")], call);
    assert(!events.includes("thinking_delta"), events);
    const signature = eventsOf(events).map(({ data }) => (data.delta as JsonObject)?.signature).find(Boolean);
    assertEquals(unseal(signature as string)?.thought as unknown, held);
  }
});

Deno.test("tool calls have ids that Anthropic accepts, with their maker's proof in them", () => {
  const ids = (id: string, signature?: string) => {
    const [block] = whole([tool(0, id, signature)]).content as JsonObject[];
    return block.id as string;
  };
  assertEquals(ids("toolu_1"), "toolu_1");
  assertEquals(ids("call_1", "c2ln"), "call_1__sig_c2ln");
  for (const odd of ["functions.f:0", "a b", "ü", "toolu_slc_x", "x".repeat(6000) + "."]) {
    assert(/^[\w-]+$/.test(ids(odd)), odd);
    const next = callOf({
      messages: [{ role: "user", content: "Hi" }, {
        role: "assistant",
        content: [{ type: "tool_use", id: ids(odd), name: "f", input: {} }],
      }],
    });
    const [, turn] = next.messages;
    assertEquals(turn.role === "assistant" && turn.calls[0].id, odd);
  }
});

Deno.test("writeMessage() reads a call's arguments, whatever they are", () => {
  const input = (said: string) => (whole([tool(0, "c"), args(0, said)]).content as JsonObject[])[0].input;
  assertEquals(input('{"a":1}'), { a: 1 });
  for (const empty of ["", "  ", "null"]) assertEquals(input(empty), {}, empty);
  assertEquals(input('{"a":'), { INVALID_JSON: '{"a":' });
  const { emit, answer } = collector();
  for (const delta of [tool(0, "c"), args(0, '{"a":12345678901234567890}')]) emit(delta);
  const exact = JSON.stringify(anthropicMessages.writeAnswer(answer, callOf(), DEFAULTS));
  assert(exact.includes('"input":{"a":12345678901234567890}'), exact);
});

Deno.test("a provider's searches are written as Anthropic's own, and counted", async () => {
  const deltas: Delta[] = [
    {
      type: "server_tool",
      choice: 0,
      serverCall: {
        kind: "web_search",
        id: "ws_1",
        input: { query: "deno" },
        results: [{ url: "https://deno.com", title: "Deno" }],
      },
    },
    { type: "server_tool", choice: 0, serverCall: { kind: "web_search", input: {}, error: "unavailable" } },
    {
      type: "server_tool",
      choice: 0,
      serverCall: { kind: "code_execution", input: { code: "2+2" }, output: "4" },
    },
    text("It is."),
    {
      type: "citation",
      choice: 0,
      citation: { url: "https://deno.com", title: "Deno", start: 0, end: 6 },
    },
    stop("stop"),
  ];
  const told = whole(deltas);
  const content = told.content as JsonObject[];
  assertEquals(content.map(({ type }) => type), [
    "server_tool_use",
    "web_search_tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "server_tool_use",
    "code_execution_tool_result",
    "text",
  ]);
  assertEquals(content[0].id, content[1].tool_use_id);
  assertEquals((content[1].content as JsonObject[])[0].url, "https://deno.com");
  assertEquals(content[3].content, { type: "web_search_tool_result_error", error_code: "unavailable" });
  assertEquals((content[5].content as JsonObject).stdout, "4");
  assertEquals((content[6].citations as JsonObject[])[0].url, "https://deno.com");
  assertEquals((told.usage as JsonObject).server_tool_use, { web_search_requests: 2, web_fetch_requests: 0 });
  const events = stream(deltas);
  validate(events);
  const message = await gathered(events);
  assertEquals(message.content, content);
  assertEquals((message.usage as JsonObject).server_tool_use, {
    web_search_requests: 2,
    web_fetch_requests: 0,
  });
});

Deno.test("a page that another provider has fetched is a document of text, with its title if it has one", () => {
  const fetched = (results: { url: string; title: string }[]) =>
    (whole([
      {
        type: "server_tool",
        choice: 0,
        serverCall: { kind: "web_fetch", input: { url: "https://a.test/" }, results, output: "A page" },
      },
      stop("stop"),
    ]).content as JsonObject[])[1].content as JsonObject;
  const document = (title: string | null) => ({
    type: "document",
    source: { type: "text", media_type: "text/plain", data: "A page" },
    title,
    citations: null,
  });
  const titled = fetched([{ url: "https://b.test/", title: "B" }]);
  assertEquals([titled.type, titled.url, titled.content], [
    "web_fetch_result",
    "https://b.test/",
    document("B"),
  ]);
  const bare = fetched([]);
  assertEquals([bare.url, bare.content], ["https://a.test/", document(null)]);
});

// ---------------------------------------------------------------- streams

Deno.test("eventWriter() writes the events of a whole answer", () => {
  const events = stream([
    { type: "start", model: "real" },
    think("hm"),
    text("Hel"),
    text("lo"),
    tool(0, "c1"),
    args(0, '{"a"'),
    args(0, ":1}"),
    stop("tool_calls"),
  ]);
  assertEquals(validate(events), "whole");
  assertEquals(
    eventsOf(events).slice(1, -2).map(({ event, data: { index, content_block, delta } }) => {
      const { type, ...members } = (content_block ?? delta ?? {}) as JsonObject;
      return [event.replace("content_block_", ""), index, type, Object.values(members).at(-1)];
    }),
    [
      ["start", 0, "thinking", ""],
      ["delta", 0, "thinking_delta", "hm"],
      ["delta", 0, "signature_delta", "slc1.text."],
      ["stop", 0, undefined, undefined],
      ["start", 1, "text", null],
      ["delta", 1, "text_delta", "Hel"],
      ["delta", 1, "text_delta", "lo"],
      ["stop", 1, undefined, undefined],
      ["start", 2, "tool_use", {}],
      ["delta", 2, "input_json_delta", '{"a"'],
      ["delta", 2, "input_json_delta", ":1}"],
      ["stop", 2, undefined, undefined],
    ],
  );
});

Deno.test("eventWriter() writes a message also for an empty answer, and pings at any time", async () => {
  const writer = anthropicMessages.writer(callOf(), DEFAULTS);
  const out = writer.keepAlive!() + writer.keepAlive!() + writer.end();
  assertEquals(validate(out), "whole");
  assertEquals((await gathered(out)).content, []);
});

Deno.test("eventWriter() ends with an error and nothing after it", () => {
  const writer = anthropicMessages.writer(callOf(), DEFAULTS);
  const out = writer.delta(text("a")) +
    writer.delta({ type: "error", error: { message: "gone", status: 529 } }) + writer.delta(text("b")) +
    writer.keepAlive!() + writer.end();
  assertEquals(validate(out), "error");
  assertEquals(eventsOf(out).at(-1)!.data, {
    type: "error",
    error: { type: "overloaded_error", message: "gone" },
    request_id: null,
  });
});

Deno.test("eventWriter() writes estimated counts at the start and the true ones at the end", async () => {
  const call = callOf({ system: "x".repeat(3200) });
  const usage = { input: 7, cacheRead: 900, cacheWrite: 0, audioIn: 0, output: 5, reasoning: 0, audioOut: 0 };
  const start = (events: string) => (eventsOf(events)[0].data.message as JsonObject).usage as JsonObject;
  const counted = stream([text("a"), { type: "usage", usage }], call);
  assert((start(counted).input_tokens as number) > 900);
  const told = (await gathered(counted)).usage as JsonObject;
  assertEquals([told.input_tokens, told.cache_read_input_tokens, told.output_tokens], [7, 900, 5]);
  // A provider that reports no usage.
  const uncounted = (await gathered(stream([text("a".repeat(35))], call))).usage as JsonObject;
  assertEquals([uncounted.input_tokens, uncounted.output_tokens], [start(counted).input_tokens, 10]);
});

/** Any answer: pieces of thoughts, texts and tool calls in any order; a new tool call always has the next index. */
const answer = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("text"), text: fc.string({ unit: "grapheme", minLength: 1 }) }),
    fc.record({ kind: fc.constant("thought"), text: fc.string({ unit: "grapheme", minLength: 1 }) }),
    fc.record({
      kind: fc.constant("tool"),
      text: fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)),
    }),
  ),
  { maxLength: 8 },
);

Deno.test("any list of deltas comes back from the SDK's own accumulator, and passes the validator", async () => {
  await fc.assert(
    fc.asyncProperty(answer, fc.nat({ max: 5 }), async (said, cut) => {
      const deltas: Delta[] = [{ type: "start", model: "real" }];
      let calls = 0, block = 0;
      for (const { kind, text: value } of said) {
        const at = Math.min(cut, value.length);
        for (const piece of [value.slice(0, at), value.slice(at)]) {
          if (kind === "text") deltas.push(text(piece));
          else if (kind === "thought") deltas.push({ type: "thought", choice: 0, block, text: piece });
          else {
            if (piece === value.slice(0, at)) deltas.push(tool(calls, `call_${calls}`));
            deltas.push(args(calls, piece));
          }
          if (kind === "tool" && at === 0) break;
        }
        if (kind === "tool" && at === 0) deltas.push(args(calls, value));
        if (kind === "tool") calls++;
        if (kind === "thought") block++;
      }
      deltas.push(stop(calls > 0 ? "tool_calls" : "stop"));
      const events = stream(deltas);
      assertEquals(validate(events), "whole");
      const told = await gathered(events);
      const expected = whole(deltas);
      assertEquals(told.content, expected.content);
      assertEquals(told.stop_reason, expected.stop_reason);
    }),
    { numRuns: 60 },
  );
});

// ---------------------------------------------------------------- errors

Deno.test("writeError() writes Anthropic's error with the type of its status", () => {
  const types = Object.fromEntries(
    [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 529].map((status) => {
      const { error } = anthropicMessages.writeError({ message: "m", status }) as { error: JsonObject };
      return [status, error.type];
    }),
  );
  assertEquals(types, {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
  });
  assertEquals(anthropicMessages.writeError({ message: "m", status: 500 }, { requestId: "r" }), {
    type: "error",
    error: { type: "api_error", message: "m" },
    request_id: "r",
  });
});

Deno.test("writeError() says that a prompt is too long in the words that Claude Code reads, with the known numbers", () => {
  const message = (error: WireError, call?: Call) =>
    (anthropicMessages.writeError({ status: 400, ...error }, { call }).error as JsonObject).message;
  const rows: [string, string][] = [
    [
      "This model's maximum context length is 128,000 tokens. However, your messages resulted in 150,123 tokens.",
      "prompt is too long: 150123 tokens > 128000 maximum",
    ],
    [
      "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens (5001 in the messages, " +
      "4000 in the completion). Please reduce the length of the messages or completion.",
      "input length and `max_tokens` exceed context limit: 5001 + 4000 > 8192, decrease input length or `max_tokens` " +
      "and try again",
    ],
    [
      "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
      "prompt is too long: 1048577 tokens > 1048576 maximum",
    ],
    [
      "prompt is too long: 205018 tokens > 200000 maximum",
      "prompt is too long: 205018 tokens > 200000 maximum",
    ],
    ["Context size has been exceeded.", "prompt is too long: Context size has been exceeded."],
    [
      "the request exceeds the available context size (4096 tokens) for llama-3.1-8b-20240307, try increasing it",
      "prompt is too long: the request exceeds the available context size (4096 tokens) for llama-3.1-8b-20240307, " +
      "try increasing it",
    ],
  ];
  for (const [said, told] of rows) {
    assertEquals(message({ message: said, code: "context_length_exceeded" }), told);
  }
  // A message about a rate limit is not about output tokens.
  const limited = "Rate limit reached for tokens per min: Limit 30000, Requested 40000.";
  assertEquals(message({ message: limited, status: 429, code: "rate_limit_exceeded" }), limited);
});

Deno.test("writeError() says that max_tokens is too high in Anthropic's words", () => {
  const call = callOf({ max_tokens: 32_000 });
  const message = (said: string, status = 400) =>
    (anthropicMessages.writeError({ status, message: said }, { call }).error as JsonObject).message;
  const told = (limit: number) =>
    `max_tokens: 32000 > ${limit}, which is the maximum allowed number of output tokens for m`;
  const rows: [string, number][] = [
    [
      "max_tokens is too large: 32000. This model supports at most 16384 completion tokens, whereas you provided 32000.",
      16_384,
    ],
    ["Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192],
    [
      "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the " +
      "`context_window` for this model",
      8192,
    ],
    [
      "Unable to submit request because it has a maxOutputTokens value of 32000 but the supported range is from 1 " +
      "(inclusive) to 8193 (exclusive).",
      8192,
    ],
  ];
  for (const [said, limit] of rows) assertEquals(message(said), told(limit));
  for (
    const other of ["max_tokens: Field required", "max_tokens is too large", "temperature is out of range: 3"]
  ) {
    assertEquals(message(other), other);
  }
  assertEquals(message(rows[0][0], 500), rows[0][0]);
});
