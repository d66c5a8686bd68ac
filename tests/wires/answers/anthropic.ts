/** The shared answers as Anthropic gives them. */
import type { JsonObject } from "../../../wires/types.ts";
import { callPieces, type FakeProvider, type Scenario, SIGNATURE } from "./scenarios.ts";

export const anthropic: FakeProvider = {
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
