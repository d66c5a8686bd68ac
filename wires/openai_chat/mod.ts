/**
 * OpenAI chat completions: what clients speak, and most providers too.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { readAnswer, readStream } from "./read_answer.ts";
import { readCompatibleError } from "../shared/compatible_error.ts";
import type { SameWire } from "../types.ts";

/** The format that clients and most providers speak. */
export const openaiChat: SameWire = { same: true, readAnswer, readStream, readError: readCompatibleError };

export { conformAnswer, conforming } from "./conform.ts";
export { checkCall, readCall } from "./read_call.ts";
export { fitMessages, type MessageRules, TOOL_MEMBERS } from "./fit_messages.ts";
export { type Fit, fitOpenAI } from "./models.ts";
export {
  type AnswerDefaults,
  type AnswerForm,
  chunkWriter,
  writeAnswer,
  writeError,
} from "./write_answer.ts";
