/**
 * OpenAI's Responses: `POST /v1/responses`. OpenAI's SDKs and Codex use it.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 */
import { ownCompatibleError, readCompatibleError, writeCompatibleError } from "../shared/compatible_error.ts";
import { ENVELOPE } from "../shared/envelope.ts";
import { count } from "../shared/json.ts";
import type { Call, ClientWire, ProviderWire, WireRequest } from "../types.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { checkCall, readCall, readCompaction } from "./read_call.ts";
import { writeCall } from "./write_call.ts";
import { eventWriter } from "./write_events.ts";
import { writeAnswer, writeCompaction } from "./write_response.ts";
import { withoutForeign } from "./without_foreign.ts";

export { fitResponses } from "./models.ts";

/**
 * Makes both halves of the wire `POST /v1/responses`.
 *
 * @param maker The format name of the thoughts that answers seal. Each provider opens only its own.
 */
export const responsesWire = (maker: string): ClientWire & ProviderWire => ({
  name: "responses",
  idPrefix: "resp_",
  ruleWords: [`${ENVELOPE}*`],
  foreign: { proofs: ENVELOPE, without: withoutForeign },
  checkCall,
  readCall,
  writer: eventWriter,
  writeAnswer,
  writeError: writeCompatibleError,
  ownError: ownCompatibleError,
  writeCall: (call) => writeCall(call, maker),
  counter: {
    pathEnd: "/input_tokens",
    writeCall: (call) => writeCount(call, maker),
    read: ({ input_tokens: tokens }) => typeof tokens === "number" ? count(tokens) : undefined,
  },
  writeCount: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens }),
  readAnswer: (body, emit) => readAnswer(body, emit, maker),
  readStream: (emit) => readStream(emit, maker),
  readError: readCompatibleError,
});

/** The wire as OpenAI serves it. */
export const openaiResponses = responsesWire("openai-responses-v1");

/** The wire `POST /v1/responses/compact`: takes a conversation and returns a summary of it. */
export const openaiCompaction: ClientWire = {
  ...openaiResponses,
  below: "/compact",
  readCall: readCompaction,
  writeAnswer: writeCompaction,
};

/**
 * The fields that a request for a count accepts.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/input-tokens (`openai` 7.59)
 */
const COUNTED: ReadonlySet<string> = new Set([
  "input",
  "instructions",
  "model",
  "parallel_tool_calls",
  "reasoning",
  "text",
  "tool_choice",
  "tools",
  "truncation",
]);

function writeCount(call: Call, maker: string): WireRequest {
  const request = writeCall(call, maker);
  const body = Object.fromEntries(Object.entries(request.body).filter(([name]) => COUNTED.has(name)));
  return { ...request, path: `${request.path}/input_tokens`, body };
}
