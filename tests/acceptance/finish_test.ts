/** Every finish reason that the providers' own SDKs know, and every number that they count. */
import { assert, assertEquals } from "@std/assert";
import { FinishReason } from "npm:@google/genai@3.1.0";
import { events, type Json, lab, readEvents, sse } from "./lab.ts";

const USER = { role: "user", content: "Hi" };

interface Ending {
  reasons: Record<string, string>;
  model: string;
  whole: (reason: string, calls: boolean) => Json;
  stream: (reason: string, calls: boolean) => (Json | string)[];
}

const claudeHead = { id: "m", type: "message", role: "assistant", model: "c" };
const claudeBlocks = (calls: boolean) => [
  { type: "text", text: "Hi" },
  ...(calls ? [{ type: "tool_use", id: "t", name: "f", input: {} }] : []),
];
const googleParts = (
  calls: boolean,
) => [{ text: "Hi" }, ...(calls ? [{ functionCall: { name: "f", args: {} } }] : [])];
const cohereCalls = (calls: boolean) =>
  calls ? [{ id: "t", type: "function", function: { name: "f", arguments: "{}" } }] : [];

const ENDINGS: Ending[] = [{
  model: "anthropic/claude-sonnet-4-5",
  // `StopReason` of @anthropic-ai/sdk 1.12.0, and one from the future.
  reasons: {
    end_turn: "stop",
    max_tokens: "length",
    stop_sequence: "stop",
    tool_use: "stop",
    pause_turn: "length",
    refusal: "content_filter",
    model_context_window_exceeded: "length",
    of_tomorrow: "stop",
  },
  whole: (stop_reason, calls) => ({ ...claudeHead, content: claudeBlocks(calls), stop_reason }),
  stream: (stop_reason, calls) => [
    { type: "message_start", message: { ...claudeHead, content: [] } },
    ...claudeBlocks(calls).flatMap((content_block, index) => [
      { type: "content_block_start", index, content_block },
      { type: "content_block_stop", index },
    ]),
    { type: "message_delta", delta: { stop_reason } },
    { type: "message_stop" },
  ],
}, {
  model: "google/gemini-3-pro",
  reasons: Object.fromEntries(
    [...Object.keys(FinishReason).filter((name) => name !== "FINISH_REASON_UNSPECIFIED"), "OF_TOMORROW"].map((
      name,
    ) => [
      name,
      name === "MAX_TOKENS" || name === "CONTINUATION"
        ? "length"
        : /SAFETY|RECITATION|LANGUAGE|BLOCKLIST|PROHIBITED|SPII/.test(name)
        ? "content_filter"
        : "stop",
    ]),
  ),
  whole: (finishReason, calls) => ({
    candidates: [{ content: { parts: googleParts(calls) }, finishReason }],
  }),
  stream: (finishReason, calls) => [
    ...googleParts(calls).map((part) => ({ candidates: [{ content: { parts: [part] } }] })),
    { candidates: [{ finishReason }] },
  ],
}, {
  model: "cohere/command-a-03-2025",
  // `ChatFinishReason` of cohere-ai 8.1.0, without ERROR and TIMEOUT, which are failures.
  reasons: {
    COMPLETE: "stop",
    STOP_SEQUENCE: "stop",
    MAX_TOKENS: "length",
    TOOL_CALL: "stop",
    OF_TOMORROW: "stop",
  },
  whole: (finish_reason, calls) => ({
    id: "c",
    message: { role: "assistant", content: [{ type: "text", text: "Hi" }], tool_calls: cohereCalls(calls) },
    finish_reason,
  }),
  stream: (finish_reason, calls) => [
    { type: "message-start", id: "c" },
    { type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "Hi" } } } },
    ...cohereCalls(calls).map((call) => ({
      type: "tool-call-start",
      index: 0,
      delta: { message: { tool_calls: call } },
    })),
    { type: "message-end", delta: { finish_reason } },
  ],
}];

for (const { model, reasons, whole, stream } of ENDINGS) {
  Deno.test(`${model} gives every finish reason in OpenAI's terms, the same whole and streamed`, async () => {
    for (const [reason, expected] of Object.entries(reasons)) {
      for (const calls of [false, true]) {
        const finish = calls && expected === "stop" ? "tool_calls" : expected;
        const made = await (await lab(() =>
          Response.json(whole(reason, calls))
        ).post({ model, messages: [USER] })).json();
        assertEquals(made.choices[0].finish_reason, finish, `${reason} ${calls}`);
        const { post } = lab(() => events(sse(stream(reason, calls), true)));
        const { chunks, done } = await readEvents(await post({ model, messages: [USER], stream: true }));
        const last = (chunks.at(-1)!.choices as Json[])[0];
        assertEquals([last.finish_reason, done], [finish, 1], `${reason} ${calls}, streamed`);
      }
    }
  });
}

// ---------------------------------------------------------------- usage

const TOTALS: { name: string; model: string; whole: Json; stream: (Json | string)[]; usage: Json }[] = [
  {
    name: "Anthropic's cache reads and writes, and thinking",
    model: "anthropic/claude-opus-5",
    whole: {
      ...claudeHead,
      content: claudeBlocks(false),
      stop_reason: "end_turn",
      usage: {
        input_tokens: 10,
        cache_read_input_tokens: 200,
        cache_creation_input_tokens: 30,
        output_tokens: 50,
        output_tokens_details: { thinking_tokens: 20 },
      },
    },
    stream: [
      {
        type: "message_start",
        message: {
          ...claudeHead,
          content: [],
          usage: {
            input_tokens: 9,
            cache_read_input_tokens: 200,
            cache_creation_input_tokens: 30,
            output_tokens: 1,
          },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "Hi" } },
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: { input_tokens: 10, output_tokens: 50, output_tokens_details: { thinking_tokens: 20 } },
      },
      { type: "message_stop" },
    ],
    usage: {
      prompt_tokens: 240,
      completion_tokens: 50,
      total_tokens: 290,
      prompt_tokens_details: { cached_tokens: 200, cache_write_tokens: 30, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 0 },
    },
  },
  (() => {
    const usageMetadata = {
      promptTokenCount: 240,
      cachedContentTokenCount: 200,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 225 }, { modality: "AUDIO", tokenCount: 15 }],
      cacheTokensDetails: [{ modality: "AUDIO", tokenCount: 5 }],
      candidatesTokenCount: 30,
      thoughtsTokenCount: 20,
      toolUsePromptTokenCount: 7,
      totalTokenCount: 297,
    };
    const body = {
      candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }],
      usageMetadata,
    };
    return {
      name: "Google's cache, sound, thoughts and tools",
      model: "google/gemini-3-pro",
      whole: body,
      stream: [
        { candidates: [{ content: { parts: [{ text: "H" }] } }], usageMetadata: { promptTokenCount: 240 } },
        { candidates: [{ content: { parts: [{ text: "i" }] }, finishReason: "STOP" }], usageMetadata },
      ],
      usage: {
        prompt_tokens: 247,
        completion_tokens: 50,
        total_tokens: 297,
        prompt_tokens_details: { cached_tokens: 200, cache_write_tokens: 0, audio_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 0 },
      },
    };
  })(),
  (() => {
    const usage = {
      billed_units: { input_tokens: 5, output_tokens: 50 },
      tokens: { input_tokens: 240, output_tokens: 50 },
      cached_tokens: 200,
    };
    return {
      name: "Cohere's cache",
      model: "cohere/command-a-03-2025",
      whole: {
        id: "c",
        message: { content: [{ type: "text", text: "Hi" }] },
        finish_reason: "COMPLETE",
        usage,
      },
      stream: [
        { type: "message-start", id: "c" },
        { type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "Hi" } } } },
        { type: "message-end", delta: { finish_reason: "COMPLETE", usage } },
      ],
      usage: {
        prompt_tokens: 240,
        completion_tokens: 50,
        total_tokens: 290,
        prompt_tokens_details: { cached_tokens: 200, cache_write_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
      },
    };
  })(),
];

for (const { name, model, whole, stream, usage } of TOTALS) {
  Deno.test(`${name} add up, the same whole and streamed`, async () => {
    const made = await (await lab(() => Response.json(whole)).post({ model, messages: [USER] })).json();
    assertEquals(made.usage, usage);
    const { post } = lab(() => events(sse(stream, true)));
    const body = { model, messages: [USER], stream: true, stream_options: { include_usage: true } };
    const { chunks } = await readEvents(await post(body));
    assertEquals(chunks.filter((chunk) => chunk.usage).map((chunk) => [chunk.usage, chunk.choices]), [[
      usage,
      [],
    ]]);
    assert(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
  });
}
