/** The event in which a stream of chat completions tells its usage. */
import { isObject, parseObject } from "../shared/json.ts";

/**
 * Whether an event holds the usage and nothing else, as the one that `stream_options.include_usage` asks for. xAI and Mistral tell
 * the usage in a chunk with a choice, which is not such an event.
 *
 * @param event Its text, with its line breaks.
 * @see https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options (2026-11)
 */
export function isUsageEvent(event: string): boolean {
  if (!event.includes('"usage"')) return false;
  const data = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
  const chunk = parseObject(data.map((line) => line.slice("data:".length)).join("\n"));
  if (!chunk || !isObject(chunk.usage) || chunk.error) return false;
  return Array.isArray(chunk.choices) && chunk.choices.length === 0;
}
