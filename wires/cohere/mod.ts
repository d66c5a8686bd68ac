/**
 * Cohere's chat API, version 2: `POST /v2/chat`.
 *
 * Checked 2026-11-24 against the reference, the guides on tool use, reasoning and structured outputs, and the types of
 * `cohere-ai` 8.1.0; live answers have `reasoning_tokens`, `content_index` and `error_type`, which the types do not
 * have yet.
 *
 * - System messages, tool results as text or documents, tool definitions and schemas are sent unchanged.
 * - `tool_choice` only knows `REQUIRED` and `NONE`. A named tool is sent as the only tool, and required.
 * - `strict` is one switch for all tools (`strict_tools`), so it is set only if every tool asks for it.
 * - `json_schema` has no name and is always strict.
 * - Cohere accepts no text beside tool calls: a thinking model gets it as thinking, an older one as its `tool_plan`.
 *
 * @see https://docs.cohere.com/reference/chat
 * @see https://docs.cohere.com/reference/chat-stream
 */
import { readAnswer, readError, readStream } from "./read_answer.ts";
import { writeCall } from "./write_call.ts";
import type { ProviderWire } from "../types.ts";

export { cohereEmbeddings } from "./embed.ts";

export const cohere: ProviderWire = {
  name: "cohere",
  writeCall,
  readAnswer,
  readStream,
  readError,
};
