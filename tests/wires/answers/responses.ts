/** The shared answers as OpenAI's Responses give them. */
import type { JsonObject } from "../../../wires/types.ts";
import { callPieces, type FakeProvider, type Scenario } from "./scenarios.ts";

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

export const responses: FakeProvider = {
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
