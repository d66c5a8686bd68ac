/**
 * OpenAI chat completions, the format of most clients and most providers.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { ownCompatibleError, readCompatibleError, writeCompatibleError } from "../shared/compatible_error.ts";
import type { Call, ClientWire, ProviderWire, WireRequest } from "../types.ts";
import { conformAnswer, conforming, type Mender } from "./conform.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { fitMessages, PROOFS, TOOL_MEMBERS } from "./fit_messages.ts";
import { checkCall, readCall } from "./read_call.ts";
import { writeAnswer } from "./write_answer.ts";
import type { ChatTakes } from "./takes.ts";
import { writeCall } from "./write_call.ts";
import { isUsageEvent } from "./usage_event.ts";
import { chunkWriter } from "./write_stream.ts";

/** Both halves of the wire, and the rules by which providers differ in what messages they accept. */
export interface OpenAIChat extends ClientWire, ProviderWire {
  /**
   * Writes a call of a client of another wire.
   *
   * @param takes What the provider accepts beyond the common format. Default: nothing.
   */
  writeCall(call: Call, takes?: ChatTakes): WireRequest;
  fitMessages: typeof fitMessages;
  /** Mends answers of providers that almost speak it. */
  mender: Mender;
}

/** Both halves of the wire. */
export const openaiChat: OpenAIChat = {
  name: "openai",
  idPrefix: "chatcmpl-",
  mixesFields: true,
  ruleWords: [...TOOL_MEMBERS, PROOFS, "developer"],
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
  isUsageEvent,
  lastEvent: /(?:^|\n)data: ?\[DONE\]\s*$/,
  readError: readCompatibleError,
};

export type { Mender } from "./conform.ts";
export { type MessageRules, TOOL_MEMBERS } from "./fit_messages.ts";
export { fitOpenAI } from "./models.ts";
export { embeddingFormat, openaiEmbeddingClient, openaiEmbeddings } from "./embed.ts";
export type { ChatTakes } from "./takes.ts";
