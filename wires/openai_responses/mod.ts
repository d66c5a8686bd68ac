/**
 * OpenAI's Responses: `POST /v1/responses`, which OpenAI's SDKs and Codex speak.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 */
import { ownCompatibleError, readCompatibleError, writeCompatibleError } from "../shared/compatible_error.ts";
import type { ClientWire, ProviderWire } from "../types.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { checkCall, readCall, readCompaction } from "./read_call.ts";
import { writeCall } from "./write_call.ts";
import { eventWriter } from "./write_events.ts";
import { writeAnswer, writeCompaction } from "./write_response.ts";

/**
 * The format of `POST /v1/responses`.
 *
 * @param maker The format of the thoughts that answers seal: each provider opens only its own.
 */
export const responsesWire = (maker: string): ClientWire & ProviderWire => ({
  name: "responses",
  idPrefix: "resp_",
  ruleWords: [],
  checkCall,
  readCall,
  writer: eventWriter,
  writeAnswer,
  writeError: writeCompatibleError,
  ownError: ownCompatibleError,
  writeCall: (call) => writeCall(call, maker),
  readAnswer: (body, emit) => readAnswer(body, emit, maker),
  readStream: (emit) => readStream(emit, maker),
  readError: readCompatibleError,
});

/** As OpenAI speaks it. */
export const openaiResponses = responsesWire("openai-responses-v1");

/** The format of `POST /v1/responses/compact`: a conversation in, a summary of it out. */
export const openaiCompaction: ClientWire = {
  ...openaiResponses,
  below: "/compact",
  readCall: readCompaction,
  writeAnswer: writeCompaction,
};
