/**
 * Anthropic's Messages API, below `https://api.anthropic.com`.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { readAnswer, readStream } from "./read_answer.ts";
import { readError } from "./read_error.ts";
import { writeCall } from "./write_call.ts";
import type { ProviderWire } from "../types.ts";

/** The format that Anthropic's models speak. */
export const anthropicMessages: ProviderWire = {
  name: "anthropic",
  writeCall,
  readAnswer,
  readStream,
  readError,
};

export { dashedClaude } from "./models.ts";
