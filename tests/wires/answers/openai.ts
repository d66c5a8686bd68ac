/** The shared answers as chat completions. */
import type { JsonObject } from "../../../wires/types.ts";
import { callPieces, type FakeProvider, type Scenario } from "./scenarios.ts";

export const openai: FakeProvider = {
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
