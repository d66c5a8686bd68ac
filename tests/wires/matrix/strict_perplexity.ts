/**
 * Perplexity's Agent API as far as it refuses members of a request and of its items.
 *
 * @see https://docs.perplexity.ai/api-reference/agent-post (`@perplexity-ai/perplexity_ai`, 2026-11)
 */
import type { Asked, Json } from "../../acceptance/lab.ts";

const FIELDS = new Set(
  ("background input instructions language_preference max_output_tokens max_steps metadata model models " +
    "parallel_tool_calls preset previous_response_id reasoning response_format store stream temperature tool_choice " +
    "tools top_p").split(" "),
);
const ITEMS: Record<string, string[]> = {
  message: ["content", "role", "type"],
  function_call: ["arguments", "call_id", "name", "thought_signature", "type"],
  function_call_output: ["call_id", "name", "output", "thought_signature", "type"],
};
const PARTS: Record<string, string> = { input_text: "text", input_image: "image_url" };

export function strictPerplexity() {
  const play = (asked: Asked): Response => {
    const message = find(asked);
    return message
      ? Response.json({ error: { message, type: "invalid_request", code: 400 } }, { status: 400 })
      : Response.json({});
  };
  return { play };
}

function find({ url, headers, body }: Asked): string | undefined {
  if (url.pathname !== "/v1/agent") return `no such path: ${url}`;
  if (headers.get("authorization") !== "Bearer key") return "invalid api key";
  const stray = Object.keys(body).find((field) => !FIELDS.has(field));
  if (stray) return `unknown field "${stray}"`;
  const open = new Set<unknown>();
  for (const [at, item] of (body.input as Json[]).entries()) {
    const here = `input[${at}]`;
    const members = ITEMS[item.type as string];
    if (!members) return `${here}: unknown type ${item.type}`;
    const member = Object.keys(item).find((name) => !members.includes(name));
    if (member) return `${here}: unknown field "${member}"`;
    if (item.type === "function_call") {
      open.add(item.call_id);
      JSON.parse(item.arguments as string);
    }
    if (item.type === "function_call_output" && !open.delete(item.call_id)) return `${here}: no call`;
    const content = item.content ?? item.output;
    for (const part of Array.isArray(content) ? content as Json[] : []) {
      if (typeof part[PARTS[part.type as string]] !== "string") return `${here}: not a part: ${part.type}`;
    }
  }
  if (open.size > 0) return "a call has no output";
}
