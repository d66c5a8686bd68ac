/**
 * OpenAI's Responses: `POST /v1/responses`, which OpenAI's SDKs and Codex speak.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 */
import { ownCompatibleError, readCompatibleError, writeCompatibleError } from "../shared/compatible_error.ts";
import type { ClientWire } from "../types.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { checkCall, readCall, readCompaction } from "./read_call.ts";
import { eventWriter } from "./write_events.ts";
import { writeAnswer, writeCompaction } from "./write_response.ts";

/** The format of `POST /v1/responses`. */
export const openaiResponses: ClientWire = {
  name: "responses",
  idPrefix: "resp_",
  ruleWords: [],
  checkCall,
  readCall,
  writer: eventWriter,
  writeAnswer,
  writeError: writeCompatibleError,
  ownError: ownCompatibleError,
  readAnswer,
  readStream,
  readError: readCompatibleError,
};

/** The format of `POST /v1/responses/compact`: a conversation in, a summary of it out. */
export const openaiCompaction: ClientWire = {
  ...openaiResponses,
  below: "/compact",
  readCall: readCompaction,
  writeAnswer: writeCompaction,
};
