/**
 * The answers for the tests of all wires: the same ones in each provider's own form, as far as it has one. So one suite
 * checks what a client sees, whichever provider answered.
 */
import type { JsonObject } from "../../wires/types.ts";
import { converse } from "./bedrock_fakes.ts";

/** An answer in a neutral form. Lists are the pieces that a stream brings. */
export interface Scenario {
  name: string;
  thinking?: string[];
  text?: string[];
  /** The model declines, where a form has a place for that. */
  refusal?: string[];
  /** The thoughts, or the first call after them, are signed where a form can say so. */
  signed?: true;
  /** `args` is JSON text. It is absent for a tool call without arguments. */
  calls?: { id: string; name: string; args: string[] }[];
  /** The pieces of the tool calls are interleaved. */
  interleaved?: true;
  finish: "stop" | "length" | "tool_calls" | "content_filter";
  usage: { prompt: number; cached: number; completion: number };
}

export const TEXT: Scenario = {
  name: "text",
  text: ["Grüße", " aus 東京", " 🗼", "!"],
  finish: "stop",
  usage: { prompt: 20, cached: 8, completion: 5 },
};

const CALLS = [
  { id: "call_a1", name: "weather", args: ['{"city":', '"Zürich"', "}"] },
  { id: "call_b2", name: "clock", args: ['{"zone": "', 'CET"}'] },
];

export const SCENARIOS: readonly Scenario[] = [
  TEXT,
  { ...TEXT, name: "text cut at the limit", finish: "length" },
  { ...TEXT, name: "thinking, then text", thinking: ["They greet ", "me. ", "I greet."] },
  { name: "parallel calls", calls: CALLS, finish: "tool_calls", usage: TEXT.usage },
  { name: "interleaved calls", calls: CALLS, interleaved: true, finish: "tool_calls", usage: TEXT.usage },
  {
    name: "calls without arguments",
    calls: [{ id: "call_c3", name: "now", args: [] }, { id: "call_d4", name: "here", args: [] }],
    finish: "tool_calls",
    usage: TEXT.usage,
  },
];

/** One server-sent event. */
export interface SseEvent {
  event?: string;
  /** The data of an event: a string is written as it is, anything else as JSON. */
  data: unknown;
}

/** A provider that answers in its own form. */
export interface FakeProvider {
  /** The name in test names. Default: the name of the row. */
  name?: string;
  /** The provider speaks the client's wire. */
  same?: true;
  /** The row of the provider table. */
  provider: string;
  model: string;
  /** Its streams, if they are not server-sent events: their content type, and the bytes of events. */
  framed?: { type: string; bytes(events: readonly SseEvent[]): Uint8Array<ArrayBuffer> };
  /** Scenarios that the form cannot express. */
  lacks?: readonly string[];
  whole(scenario: Scenario): JsonObject;
  stream(scenario: Scenario): SseEvent[];
  /** An event with a failure in mid-stream. */
  failure(message: string): SseEvent;
  /** Events without content that the provider sends between others. */
  pings: SseEvent[];
}

/** The pieces of all tool calls in order, each with its tool call's number; `start` opens the tool call. */
export function callPieces({ calls = [], interleaved }: Scenario) {
  type Piece = { index: number; start: boolean; text: string };
  const lists = calls.map(({ args }, index) => [
    { index, start: true, text: "" },
    ...args.map((text): Piece => ({ index, start: false, text })),
  ]);
  if (!interleaved) return lists.flat();
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

// ---------------------------------------------------------------- OpenAI

const openai: FakeProvider = {
  provider: "openai",
  same: true,
  model: "gpt-5-mini",
  pings: [],
  failure: (message) => ({ data: { error: { message, type: "server_error", param: null, code: null } } }),
  whole({ text, refusal, thinking, calls, finish, usage }) {
    return {
      ...OPENAI_HEAD,
      object: "chat.completion",
      choices: [{
        index: 0,
        message: {
          role: "assistant",
          content: text ? text.join("") : null,
          refusal: refusal ? refusal.join("") : null,
          ...(thinking && { reasoning_content: thinking.join("") }),
          ...(calls && {
            tool_calls: calls.map(({ id, name, args }) => ({
              id,
              type: "function",
              function: { name, arguments: args.join("") || "{}" },
            })),
          }),
        },
        logprobs: null,
        finish_reason: finish,
      }],
      usage: openaiUsage(usage),
    };
  },
  stream(scenario) {
    const { text = [], refusal = [], thinking = [], calls = [], finish, usage } = scenario;
    const chunk = (delta: JsonObject, finish_reason: string | null = null) => ({
      data: {
        ...OPENAI_HEAD,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, finish_reason }],
        usage: null,
      },
    });
    return [
      chunk({ role: "assistant", content: "" }),
      ...thinking.map((piece) => chunk({ reasoning_content: piece })),
      ...text.map((piece) => chunk({ content: piece })),
      ...refusal.map((piece) => chunk({ refusal: piece })),
      ...callPieces(scenario).map(({ index, start, text }) => {
        const { id, name, args } = calls[index];
        const begun = { index, id, type: "function", function: { name, arguments: args.length ? "" : "{}" } };
        return chunk({ tool_calls: [start ? begun : { index, function: { arguments: text } }] });
      }),
      chunk({}, finish),
      { data: { ...OPENAI_HEAD, object: "chat.completion.chunk", choices: [], usage: openaiUsage(usage) } },
      { data: "[DONE]" },
    ];
  },
};

const OPENAI_HEAD = { id: "chatcmpl-shared1", created: 1_700_000_000, model: "gpt-5-mini-2025-08-07" };

const openaiUsage = ({ prompt, cached, completion }: Scenario["usage"]) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: cached },
});

// ---------------------------------------------------------------- Anthropic

const anthropic: FakeProvider = {
  provider: "anthropic",
  model: "claude-sonnet-4-5",
  pings: [{ event: "ping", data: { type: "ping" } }],
  failure: (message) => ({
    event: "error",
    data: { type: "error", error: { type: "overloaded_error", message } },
  }),
  whole({ text, thinking, calls = [], finish, usage }) {
    return {
      ...anthropicHead,
      content: [
        ...(thinking ? [{ type: "thinking", thinking: thinking.join(""), signature: SIGNATURE }] : []),
        ...(text ? [{ type: "text", text: text.join("") }] : []),
        ...calls.map(({ id, name, args }) => ({
          type: "tool_use",
          id,
          name,
          input: JSON.parse(args.join("") || "{}"),
        })),
      ],
      stop_reason: ANTHROPIC_STOP[finish],
      usage: anthropicUsage(usage),
    };
  },
  stream(scenario) {
    const { text, thinking, calls = [], finish, usage } = scenario;
    const events: JsonObject[] = [{
      type: "message_start",
      message: { ...anthropicHead, content: [], usage: { ...anthropicUsage(usage), output_tokens: 1 } },
    }];
    let blocks = 0;
    const start = (content_block: JsonObject) =>
      events.push({ type: "content_block_start", index: blocks, content_block });
    const delta = (index: number, value: JsonObject) =>
      events.push({ type: "content_block_delta", index, delta: value });
    const stop = (index: number) => events.push({ type: "content_block_stop", index });
    if (thinking) {
      start({ type: "thinking", thinking: "", signature: "" });
      for (const piece of thinking) delta(blocks, { type: "thinking_delta", thinking: piece });
      delta(blocks, { type: "signature_delta", signature: SIGNATURE });
      stop(blocks++);
    }
    if (text) {
      start({ type: "text", text: "" });
      for (const piece of text) delta(blocks, { type: "text_delta", text: piece });
      stop(blocks++);
    }
    const first = blocks;
    for (const { index, start: opens, text } of callPieces(scenario)) {
      if (opens) {
        const { id, name } = calls[index];
        start({ type: "tool_use", id, name, input: {} });
        delta(blocks++, { type: "input_json_delta", partial_json: "" });
      } else delta(first + index, { type: "input_json_delta", partial_json: text });
    }
    calls.forEach((_, index) => stop(first + index));
    events.push(
      {
        type: "message_delta",
        delta: { stop_reason: ANTHROPIC_STOP[finish], stop_sequence: null },
        usage: { output_tokens: usage.completion },
      },
      { type: "message_stop" },
    );
    return events.map((data) => ({ event: data.type as string, data }));
  },
};

/** Base64, like real signatures. */
export const SIGNATURE = "EqQBCkYIBRgCKkBzaGFyZWQgc2lnbmF0dXJl";
const ANTHROPIC_STOP = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  content_filter: "refusal",
};

const anthropicHead = {
  id: "msg_shared1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5-20250929",
  stop_reason: null,
  stop_sequence: null,
};

const anthropicUsage = ({ prompt, cached, completion }: Scenario["usage"]) => ({
  input_tokens: prompt - cached,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cached,
  output_tokens: completion,
});

// ---------------------------------------------------------------- Gemini

const gemini: FakeProvider = {
  provider: "google-ai-studio",
  model: "gemini-2.5-flash",
  lacks: ["interleaved calls"],
  pings: [],
  failure: (message) => ({ data: { error: { code: 503, message, status: "UNAVAILABLE" } } }),
  whole(scenario) {
    const { text, thinking, finish, usage } = scenario;
    const parts = [
      ...(thinking ? [{ text: thinking.join(""), thought: true }] : []),
      ...(text ? [{ text: text.join("") }] : []),
      ...geminiCalls(scenario),
    ];
    return geminiChunk(parts, { finishReason: GEMINI_STOP[finish] }, usage);
  },
  stream(scenario) {
    const { text = [], thinking = [], finish, usage } = scenario;
    const parts = [
      ...thinking.map((piece) => ({ text: piece, thought: true })),
      ...text.map((piece) => ({ text: piece })),
      ...geminiCalls(scenario),
    ];
    return parts.map((part, at) => ({
      data: geminiChunk([part], at === parts.length - 1 ? { finishReason: GEMINI_STOP[finish] } : {}, usage),
    }));
  },
};

const GEMINI_STOP = { stop: "STOP", length: "MAX_TOKENS", tool_calls: "STOP", content_filter: "SAFETY" };

const geminiCalls = ({ calls = [], signed }: Scenario) =>
  calls.map(({ id, name, args }, at) => ({
    functionCall: { id, name, args: JSON.parse(args.join("") || "{}") },
    ...(signed && at === 0 && { thoughtSignature: SIGNATURE }),
  }));

const geminiChunk = (parts: JsonObject[], more: JsonObject, usage: Scenario["usage"]) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...more }],
  usageMetadata: {
    promptTokenCount: usage.prompt,
    cachedContentTokenCount: usage.cached,
    candidatesTokenCount: usage.completion,
    totalTokenCount: usage.prompt + usage.completion,
  },
  modelVersion: "gemini-2.5-flash",
  responseId: "shared1",
});

// ---------------------------------------------------------------- Cohere

const cohere: FakeProvider = {
  provider: "cohere",
  model: "command-a-plus-05-2026",
  pings: [{ event: "debug", data: { type: "debug", prompt: "…" } }],
  failure: (message) => cohereEnd("ERROR", undefined, message),
  whole({ text, thinking, calls, finish, usage }) {
    return {
      id: COHERE_ID,
      message: {
        role: "assistant",
        content: [
          ...(thinking ? [{ type: "thinking", thinking: thinking.join("") }] : []),
          ...(text ? [{ type: "text", text: text.join("") }] : []),
        ],
        ...(calls && {
          tool_calls: calls.map(({ id, name, args }) => ({
            id,
            type: "function",
            function: { name, arguments: args.join("") || "{}" },
          })),
        }),
      },
      finish_reason: COHERE_FINISH[finish],
      usage: cohereUsage(usage),
    };
  },
  stream(scenario) {
    const { text, thinking, calls = [], finish, usage } = scenario;
    const events: JsonObject[] = [
      { type: "message-start", id: COHERE_ID, delta: { message: { role: "assistant" } } },
    ];
    let index = 0;
    const block = (type: "thinking" | "text", list: string[]) => {
      events.push({ type: "content-start", index, delta: { message: { content: { type, [type]: "" } } } });
      for (const piece of list) {
        events.push({ type: "content-delta", index, delta: { message: { content: { [type]: piece } } } });
      }
      events.push({ type: "content-end", index: index++ });
    };
    if (thinking) block("thinking", thinking);
    if (text) block("text", text);
    for (const { index, start, text } of callPieces(scenario)) {
      const { id, name } = calls[index];
      const tool_calls = start
        ? { id, type: "function", function: { name, arguments: "" } }
        : { function: { arguments: text } };
      events.push({
        type: start ? "tool-call-start" : "tool-call-delta",
        index,
        delta: { message: { tool_calls } },
      });
    }
    calls.forEach((_, index) => events.push({ type: "tool-call-end", index }));
    return [
      ...events.map((data) => ({ event: data.type as string, data })),
      cohereEnd(COHERE_FINISH[finish], usage),
      { data: "[DONE]" },
    ];
  },
};

const COHERE_ID = "5a4ed000-0000-4000-8000-000000000001";
const COHERE_FINISH = {
  stop: "COMPLETE",
  length: "MAX_TOKENS",
  tool_calls: "TOOL_CALL",
  content_filter: "ERROR_TOXIC",
};

const cohereUsage = ({ prompt, cached, completion }: Scenario["usage"]) => ({
  billed_units: { input_tokens: 3, output_tokens: completion },
  tokens: { input_tokens: prompt, output_tokens: completion },
  cached_tokens: cached,
});

function cohereEnd(finish_reason: string, usage?: Scenario["usage"], error?: string): SseEvent {
  const delta = { finish_reason, usage: usage ? cohereUsage(usage) : {}, error };
  return { event: "message-end", data: { type: "message-end", delta } };
}

// ---------------------------------------------------------------- Perplexity

const PERPLEXITY = {
  id: "resp_5a4ed",
  object: "response",
  model: "perplexity/sonar",
  created_at: 1_700_000_000,
};

/** A finished response: the whole answer, or the last event of a stream. */
function perplexityResponse({ text, calls = [], finish, usage: { prompt, cached, completion } }: Scenario) {
  const message = {
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text: text?.join(""), annotations: [] }],
  };
  return {
    ...PERPLEXITY,
    status: finish === "length" ? "incomplete" : "completed",
    ...(finish === "length" && { incomplete_details: { reason: "max_output_tokens" } }),
    output: [...(text ? [message] : []), ...calls.map(perplexityCall)],
    usage: {
      input_tokens: prompt,
      input_tokens_details: { cache_read_input_tokens: cached },
      output_tokens: completion,
      total_tokens: prompt + completion,
    },
  };
}

const perplexityCall = ({ id, name, args }: NonNullable<Scenario["calls"]>[number]) => ({
  type: "function_call",
  call_id: id,
  name,
  arguments: args.join("") || "{}",
});

const perplexity: FakeProvider = {
  provider: "perplexity-agent",
  model: "perplexity/sonar",
  // Only the stream has reasoning, and a tool call comes in one piece.
  lacks: ["thinking, then text", "interleaved calls"],
  pings: [{ data: { type: "response.skill.loaded", sequence_number: 1 } }],
  failure: (message) => ({ data: { type: "response.failed", error: { message, type: "internal_error" } } }),
  whole: perplexityResponse,
  stream(scenario) {
    const { text = [], thinking = [], calls = [], finish } = scenario;
    const events: JsonObject[] = [
      { type: "response.created", response: { ...PERPLEXITY, status: "in_progress", output: [] } },
      { type: "response.in_progress", response: { ...PERPLEXITY, status: "in_progress", output: [] } },
      ...thinking.map((thought) => ({ type: "response.reasoning.started", thought })),
      ...text.map((delta) => ({ type: "response.output_text.delta", delta, content_index: 0 })),
      ...(text.length > 0 ? [{ type: "response.output_text.done", text: text.join("") }] : []),
      ...calls.flatMap((call) => [
        { type: "response.output_item.added", item: perplexityCall(call) },
        { type: "response.output_item.done", item: perplexityCall(call) },
      ]),
      {
        type: finish === "length" ? "response.incomplete" : "response.completed",
        response: perplexityResponse(scenario),
      },
    ];
    return events.map((data, sequence_number) => ({ data: { ...data, sequence_number } }));
  },
};

// ---------------------------------------------------------------- OpenAI's Responses

const RESPONSE = {
  id: "resp_shared1",
  object: "response",
  created_at: 1_700_000_000,
  model: "gpt-5-codex-2025-09-15",
  service_tier: "default",
};

const RESPONSES_REASON: Record<string, string | undefined> = {
  length: "max_output_tokens",
  content_filter: "content_filter",
};

/** The items of an answer, each with the pieces that fill it. */
function responseItems({ thinking, text, refusal, calls = [] }: Scenario): JsonObject[] {
  return [
    ...(thinking
      ? [{
        id: "rs_1",
        type: "reasoning",
        summary: [{ type: "summary_text", text: thinking.join("") }],
        encrypted_content: `gAAAAAB${btoa(calls[0]?.id ?? "text")}`,
      }]
      : []),
    ...(text ?? refusal
      ? [{
        id: "msg_1",
        type: "message",
        role: "assistant",
        status: "completed",
        content: text
          ? [{ type: "output_text", text: text.join(""), annotations: [], logprobs: [] }]
          : [{ type: "refusal", refusal: refusal!.join("") }],
      }]
      : []),
    ...calls.map(({ id, name, args }, at) => ({
      id: `fc_${at}`,
      type: "function_call",
      status: "completed",
      call_id: id,
      name,
      arguments: args.join("") || "{}",
    })),
  ];
}

function wholeResponse(scenario: Scenario): JsonObject {
  const { finish, usage: { prompt, cached, completion } } = scenario;
  const reason = RESPONSES_REASON[finish];
  return {
    ...RESPONSE,
    ...(reason
      ? { status: "incomplete", incomplete_details: { reason } }
      : { status: "completed", incomplete_details: null }),
    error: null,
    output: responseItems(scenario),
    usage: {
      input_tokens: prompt,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: completion,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: prompt + completion,
    },
  };
}

const responses: FakeProvider = {
  name: "openai's Responses",
  provider: "openai",
  model: "gpt-5-codex",
  pings: [{ event: "keepalive", data: { type: "keepalive" } }],
  failure: (message) => ({
    event: "error",
    data: { type: "error", code: "server_error", message, param: null },
  }),
  whole: wholeResponse,
  stream(scenario) {
    const { text, refusal = [], thinking = [], calls = [], finish } = scenario;
    const begun = { ...RESPONSE, status: "in_progress", output: [], error: null };
    const events: JsonObject[] = [
      { type: "response.created", response: begun },
      { type: "response.in_progress", response: begun },
    ];
    const items = responseItems(scenario);
    const first = items.length - calls.length;
    const added = (output_index: number, empty: JsonObject) =>
      events.push({
        type: "response.output_item.added",
        output_index,
        item: { ...items[output_index], ...empty },
      });
    const done = (output_index: number) =>
      events.push({ type: "response.output_item.done", output_index, item: items[output_index] });
    items.slice(0, first).forEach(({ id: item_id, type }, output_index) => {
      const [empty, kind, pieces] = type === "reasoning"
        ? [{ summary: [], encrypted_content: "gAAAA" }, "reasoning_summary_text", thinking] as const
        : text
        ? [{ content: [] }, "output_text", text] as const
        : [{ content: [] }, "refusal", refusal] as const;
      added(output_index, empty);
      const isThought = type === "reasoning";
      const at = { item_id, output_index, ...isThought ? { summary_index: 0 } : { content_index: 0 } };
      const part = isThought ? "reasoning_summary_part" : "content_part";
      const said = { type: isThought ? "summary_text" : kind, [kind === "refusal" ? kind : "text"]: "" };
      events.push({ type: `response.${part}.added`, ...at, part: { ...said, annotations: [] } });
      for (const delta of pieces) {
        events.push({ type: `response.${kind}.delta`, ...at, ...!isThought && { logprobs: [] }, delta });
      }
      done(output_index);
    });
    for (const { index, start, text: delta } of callPieces(scenario)) {
      const output_index = first + index;
      if (start) added(output_index, { arguments: "" });
      else {events.push({
          type: "response.function_call_arguments.delta",
          item_id: `fc_${index}`,
          output_index,
          delta,
        });}
    }
    calls.forEach((_, index) => done(first + index));
    const end = RESPONSES_REASON[finish] ? "response.incomplete" : "response.completed";
    events.push({ type: end, response: wholeResponse(scenario) });
    return events.map((data, sequence_number) => ({
      event: data.type as string,
      data: { ...data, sequence_number },
    }));
  },
};

export const FAKES: readonly FakeProvider[] = [
  openai,
  anthropic,
  gemini,
  cohere,
  perplexity,
  responses,
  converse,
];

/** The same for a client of Responses, whose answers are translated: a provider of chat completions sends this. */
export const WITHOUT_RESPONSES: readonly FakeProvider[] = FAKES.filter((fake) => fake !== responses).map((
  fake,
) => fake.provider === "openai" ? { ...fake, provider: "nebius" } : fake);

/** The bytes of a provider's events, in its own framing. */
export const bytesOf = ({ framed }: FakeProvider, list: readonly SseEvent[]): Uint8Array<ArrayBuffer> =>
  framed ? framed.bytes(list) : new TextEncoder().encode(sseText([...list]));

/** The content type of a provider's streams. */
export const typeOf = ({ framed }: FakeProvider) => framed?.type ?? "text/event-stream";

/** A provider's stream of events. */
export const streamed = (fake: FakeProvider, list: readonly SseEvent[]): Response =>
  new Response(bytesOf(fake, list), { headers: { "content-type": typeOf(fake) } });

/** The bytes of an event stream, with the line ending and the comment wanted. */
export function sseText(events: SseEvent[], eol = "\n", comment = ""): string {
  return events.map(({ event, data }) => {
    const lines = [
      ...(comment ? [`: ${comment}`] : []),
      ...(event ? [`event: ${event}`] : []),
      `data: ${typeof data === "string" ? data : JSON.stringify(data)}`,
    ];
    return lines.join(eol) + eol + eol;
  }).join("");
}
