/**
 * OpenAI chat completions: what clients speak, and most providers too.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { readCompatibleError } from "../shared/compatible_error.ts";
import { isOverflow } from "../shared/overflow.ts";
import { object } from "../shared/json.ts";
import type { ClientWire, WireError } from "../types.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { fitMessages, TOOL_MEMBERS } from "./fit_messages.ts";
import { checkCall, readCall } from "./read_call.ts";
import { writeAnswer, writeError } from "./write_answer.ts";
import { chunkWriter } from "./write_stream.ts";

/** The format that most clients and most providers speak; the providers differ in what messages they take. */
export interface OpenAIChat extends ClientWire {
  fitMessages: typeof fitMessages;
}

/** The format that most clients and most providers speak. */
export const openaiChat: OpenAIChat = {
  name: "openai",
  idPrefix: "chatcmpl-",
  ruleWords: [...TOOL_MEMBERS, "developer"],
  fitMessages,
  checkCall,
  readCall,
  writer: chunkWriter,
  writeAnswer,
  writeError,
  ownError,
  readAnswer,
  readStream,
  readError: readCompatibleError,
};

const OVERFLOW_CODE = "context_length_exceeded";

/** A prompt that does not fit and is told in words alone is written anew: clients that shorten it look for the code. */
function ownError(body: unknown): WireError | undefined {
  const error = object(object(body)?.error);
  if (typeof error?.message !== "string") return undefined;
  const { message, code } = error;
  if (code !== OVERFLOW_CODE && isOverflow(message, code as string | undefined)) return undefined;
  return error as unknown as WireError;
}

export { conformAnswer, conforming } from "./conform.ts";
export { type MessageRules, TOOL_MEMBERS } from "./fit_messages.ts";
export { type Fit, fitOpenAI } from "./models.ts";
