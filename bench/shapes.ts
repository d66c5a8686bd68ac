/** The answers of providers in each of their formats: the same text, in pieces as long as tokens. */

/** A provider's format. */
export type Shape = "openai" | "anthropic" | "gemini" | "cohere" | "perplexity" | "responses";

/** The n-th piece of text: 3 to 9 characters, like tokens. */
const WORDS = [
  " the",
  " gateway",
  " reads",
  " a",
  " frame,",
  " writes",
  " it",
  " again",
  " and",
  " forgets.",
];
export const word = (n: number) => WORDS[n % WORDS.length];

/** The answers in one format: the events of a stream, and the whole answer. */
interface Answers {
  /** The events with their framing, as they come over the network. `deltas` of them hold text. */
  events(deltas: number): string[];
  whole(deltas: number): unknown;
}

export const SHAPES: Record<Shape, Answers> = {
  openai: {
    events(deltas) {
      const chunk = (delta: unknown, finish: string | null = null) =>
        `data: ${
          JSON.stringify({
            id: "chatcmpl-bench0000000000000000000001",
            object: "chat.completion.chunk",
            created: 1790000000,
            model: "bench-model-2026",
            service_tier: "default",
            system_fingerprint: "fp_bench",
            choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
          })
        }\n\n`;
      return [
        chunk({ role: "assistant", content: "", refusal: null }),
        ...Array.from({ length: deltas }, (_, n) => chunk({ content: word(n) })),
        chunk({}, "stop"),
        "data: [DONE]\n\n",
      ];
    },
    whole: (deltas) => ({
      id: "chatcmpl-bench0000000000000000000001",
      object: "chat.completion",
      created: 1790000000,
      model: "bench-model-2026",
      choices: [{
        index: 0,
        message: { role: "assistant", content: text(deltas), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      }],
      usage: { prompt_tokens: 24, completion_tokens: deltas, total_tokens: 24 + deltas },
    }),
  },
  anthropic: {
    events(deltas) {
      const event = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
      return [
        event({
          type: "message_start",
          message: {
            id: "msg_bench00000000000001",
            type: "message",
            role: "assistant",
            model: "bench-model-2026",
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { input_tokens: 24, output_tokens: 1 },
          },
        } as { type: string }),
        event(
          { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } } as {
            type: string;
          },
        ),
        event({ type: "ping" }),
        ...Array.from(
          { length: deltas },
          (_, n) =>
            event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: word(n) } } as {
              type: string;
            }),
        ),
        event({ type: "content_block_stop", index: 0 } as { type: string }),
        event(
          {
            type: "message_delta",
            delta: { stop_reason: "end_turn", stop_sequence: null },
            usage: { output_tokens: deltas },
          } as { type: string },
        ),
        event({ type: "message_stop" }),
      ];
    },
    whole: (deltas) => ({
      id: "msg_bench00000000000001",
      type: "message",
      role: "assistant",
      model: "bench-model-2026",
      content: [{ type: "text", text: text(deltas) }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: {
        input_tokens: 24,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: deltas,
      },
    }),
  },
  gemini: {
    events(deltas) {
      const chunk = (text: string, n: number, finish?: string) =>
        `data: ${
          JSON.stringify({
            candidates: [{ content: { parts: [{ text }], role: "model" }, finishReason: finish, index: 0 }],
            usageMetadata: { promptTokenCount: 24, candidatesTokenCount: n, totalTokenCount: 24 + n },
            modelVersion: "bench-model-2026",
            responseId: "bench0000000001",
          })
        }\r\n\r\n`;
      return Array.from(
        { length: deltas },
        (_, n) => chunk(word(n), n + 1, n === deltas - 1 ? "STOP" : undefined),
      );
    },
    whole: (deltas) => ({
      candidates: [{
        content: { parts: [{ text: text(deltas) }], role: "model" },
        finishReason: "STOP",
        index: 0,
      }],
      usageMetadata: { promptTokenCount: 24, candidatesTokenCount: deltas, totalTokenCount: 24 + deltas },
      modelVersion: "bench-model-2026",
      responseId: "bench0000000001",
    }),
  },
  cohere: {
    events(deltas) {
      const event = (type: string, more: object) =>
        `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
      const content = (type: string, content: object) =>
        event(type, { index: 0, delta: { message: { content } } });
      return [
        event("message-start", {
          id: "c0000000-0000-4000-8000-000000000001",
          delta: {
            message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] },
          },
        }),
        content("content-start", { type: "text", text: "" }),
        ...Array.from({ length: deltas }, (_, n) => content("content-delta", { text: word(n) })),
        event("content-end", { index: 0 }),
        event("message-end", { delta: { finish_reason: "COMPLETE", usage: cohereUsage(deltas) } }),
        "data: [DONE]\n\n",
      ];
    },
    whole: (deltas) => ({
      id: "c0000000-0000-4000-8000-000000000001",
      message: { role: "assistant", content: [{ type: "text", text: text(deltas) }] },
      finish_reason: "COMPLETE",
      usage: cohereUsage(deltas),
    }),
  },
  perplexity: {
    events(deltas) {
      let sequence_number = 0;
      const event = (type: string, more: object) =>
        `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...more })}\n\n`;
      const at = { item_id: "msg_bench00000000000001", output_index: 0, content_index: 0 };
      return [
        event("response.created", { response: { ...response(0), status: "in_progress", output: [] } }),
        ...Array.from(
          { length: deltas },
          (_, n) => event("response.output_text.delta", { ...at, delta: word(n) }),
        ),
        event("response.output_text.done", { ...at, text: text(deltas) }),
        event("response.completed", { response: response(deltas) }),
      ];
    },
    whole: response,
  },
  responses: {
    events(deltas) {
      let sequence_number = 0;
      const event = (type: string, more: object) =>
        `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...more })}\n\n`;
      const at = { item_id: "msg_bench00000000000001", output_index: 0, content_index: 0 };
      const begun = { ...openaiResponse(0), status: "in_progress", output: [], usage: null };
      const { output: [item], ...end } = openaiResponse(deltas);
      const [part] = item.content;
      return [
        event("response.created", { response: begun }),
        event("response.in_progress", { response: begun }),
        event("response.output_item.added", {
          output_index: 0,
          item: { ...item, status: "in_progress", content: [] },
        }),
        event("response.content_part.added", { ...at, part: { ...part, text: "" } }),
        ...Array.from(
          { length: deltas },
          (_, n) =>
            event("response.output_text.delta", { ...at, delta: word(n), logprobs: [], obfuscation: "x" }),
        ),
        event("response.output_text.done", { ...at, text: part.text, logprobs: [] }),
        event("response.content_part.done", { ...at, part }),
        event("response.output_item.done", { output_index: 0, item }),
        event("response.completed", { response: { ...end, output: [item] } }),
      ];
    },
    whole: openaiResponse,
  },
};

const cohereUsage = (deltas: number) => ({
  billed_units: { input_tokens: 20, output_tokens: deltas },
  tokens: { input_tokens: 24, output_tokens: deltas },
});

function response(deltas: number) {
  const content = [{ type: "output_text", text: text(deltas), annotations: [] }];
  return {
    id: "resp_bench0000000000000001",
    object: "response",
    created_at: 1790000000,
    model: "bench-model-2026",
    status: "completed",
    output: [{
      id: "msg_bench00000000000001",
      type: "message",
      role: "assistant",
      status: "completed",
      content,
    }],
    usage: { input_tokens: 24, output_tokens: deltas, total_tokens: 24 + deltas },
  };
}

/** With the members that OpenAI sends beside those of {@link response}. */
function openaiResponse(deltas: number) {
  return {
    ...response(deltas),
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: 1000,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    metadata: {},
    usage: {
      input_tokens: 24,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: deltas,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 24 + deltas,
    },
  };
}

/** The whole text of an answer with a number of pieces. */
export function text(deltas: number): string {
  return Array.from({ length: deltas }, (_, n) => word(n)).join("");
}
