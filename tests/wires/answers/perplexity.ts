/** The shared answers as Perplexity gives them. */
import type { JsonObject } from "../../../wires/types.ts";
import type { FakeProvider, Scenario } from "./scenarios.ts";

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

export const perplexity: FakeProvider = {
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
