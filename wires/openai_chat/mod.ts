/**
 * OpenAI chat completions: what clients speak, and most providers too.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { ownCompatibleError, readCompatibleError, writeCompatibleError } from "../shared/compatible_error.ts";
import type { Call, ClientWire, ProviderWire, WireRequest } from "../types.ts";
import { conformAnswer, conforming, type Mender } from "./conform.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { fitMessages, TOOL_MEMBERS } from "./fit_messages.ts";
import { checkCall, readCall } from "./read_call.ts";
import { writeAnswer } from "./write_answer.ts";
import type { ChatTakes } from "./takes.ts";
import { writeCall } from "./write_call.ts";
import { chunkWriter } from "./write_stream.ts";

/** The format that most clients and most providers speak; the providers differ in what messages they take. */
export interface OpenAIChat extends ClientWire, ProviderWire {
  /** Writes a call of another wire's client. */
  writeCall(call: Call, takes?: ChatTakes): WireRequest;
  fitMessages: typeof fitMessages;
  /** Mends answers of providers that almost speak it. */
  mender: Mender;
}

/** The format that most clients and most providers speak. */
export const openaiChat: OpenAIChat = {
  name: "openai",
  idPrefix: "chatcmpl-",
  mixesFields: true,
  ruleWords: [...TOOL_MEMBERS, "developer"],
  fitMessages,
  mender: { answer: conformAnswer, stream: conforming },
  checkCall,
  readCall,
  writeCall,
  writer: chunkWriter,
  writeAnswer,
  writeError: writeCompatibleError,
  ownError: ownCompatibleError,
  readAnswer,
  readStream,
  readError: readCompatibleError,
};

export type { Mender } from "./conform.ts";
export { type MessageRules, TOOL_MEMBERS } from "./fit_messages.ts";
export { type Fit, fitOpenAI } from "./models.ts";
export { embeddingFormat, openaiEmbeddingClient, openaiEmbeddings } from "./embed.ts";
export type { ChatTakes } from "./takes.ts";
