/**
 * Anthropic's Messages API, below `https://api.anthropic.com`. Claude Code, Anthropic's SDKs and Anthropic's models use
 * it.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { ENVELOPE } from "../shared/envelope.ts";
import type { Call, ClientWire, ProviderWire, WireRequest } from "../types.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { checkCall, readCall } from "./read_call.ts";
import { readError } from "./read_error.ts";
import { BILLING } from "./read_turns.ts";
import { writeCall } from "./write_call.ts";
import { ownError, writeError } from "./write_client_error.ts";
import { eventWriter } from "./write_events.ts";
import { writeMessage } from "./write_message.ts";
import { isDue, withoutForeign } from "./without_foreign.ts";

/** Both halves of the wire: for Anthropic's clients and for Anthropic's models. */
export const anthropicMessages: ClientWire & ProviderWire = {
  name: "anthropic",
  idPrefix: "msg_",
  requestIdHeader: "request-id",
  ruleWords: [`${ENVELOPE}*`, `${BILLING}*`],
  foreign: { proofs: ENVELOPE, authors: BILLING, isDue, without: withoutForeign },
  checkCall,
  readCall,
  writer: eventWriter,
  writeAnswer: writeMessage,
  writeError,
  ownError,
  writeCall,
  counter: { pathEnd: "/count_tokens", writeCall: writeCount, read: (body) => countIn(body.input_tokens) },
  readAnswer,
  readStream,
  lastEvent: /"type"\s*:\s*"message_stop"/,
  readError,
};

/** Fields that a request for an answer has and a request for a count does not accept. */
const ANSWER_FIELDS = [
  "max_tokens",
  "metadata",
  "service_tier",
  "stop_sequences",
  "stream",
  "temperature",
  "top_k",
  "top_p",
];

function writeCount(call: Call): WireRequest {
  const request = writeCall(call);
  const body = { ...request.body };
  for (const field of ANSWER_FIELDS) delete body[field];
  return { ...request, path: "/v1/messages/count_tokens", body };
}

const countIn = (value: unknown) => typeof value === "number" && value >= 0 ? value : undefined;

export { dashedClaude } from "../shared/claude_models.ts";
