/** The shared answers as Cohere gives them. */
import type { JsonObject } from "../../../wires/types.ts";
import { callPieces, type FakeProvider, type Scenario, type SseEvent } from "./scenarios.ts";

export const cohere: FakeProvider = {
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
