/** OpenAI's Responses, the client's half: what an answer repeats of its request. */
import { list, object } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";

/**
 * The members of a response that repeat its request. The schema of Open Responses requires all of them.
 *
 * @see https://www.openresponses.org/specification (2026-04-24)
 */
export function echoOf(body: JsonObject): JsonObject {
  const numberOr = (name: string, or: number) => typeof body[name] === "number" ? body[name] : or;
  const reasoning = object(body.reasoning) ?? {};
  const text = object(body.text) ?? {};
  return {
    background: false,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    safety_identifier: body.safety_identifier ?? null,
    // Nothing is stored, whatever the client asked for.
    store: false,
    temperature: numberOr("temperature", 1),
    text: { ...text, format: text.format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: list(body.tools),
    top_logprobs: numberOr("top_logprobs", 0),
    top_p: numberOr("top_p", 1),
    frequency_penalty: numberOr("frequency_penalty", 0),
    presence_penalty: numberOr("presence_penalty", 0),
    truncation: "disabled",
    user: body.user ?? null,
  };
}
