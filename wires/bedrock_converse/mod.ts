/**
 * Amazon Bedrock's Converse: `POST /model/{id}/converse` and `/converse-stream`, one form for the models of all makers.
 *
 * Streams are Amazon's event streams (`streams/aws_event_stream.ts`). What each family of models takes is in
 * `models.ts`.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
import type { Call, ProviderWire, WireRequest } from "../types.ts";
import { converseCounter, invokeCounter } from "./count.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { readError } from "./read_error.ts";
import { writeCall } from "./write_call.ts";

export { bedrockEmbeddings, mostTexts } from "./embed.ts";

export const bedrockConverse: ProviderWire = {
  name: "bedrock",
  writeCall,
  counter: converseCounter,
  readAnswer,
  readStream,
  readError,
};

/** Counts tokens for a wire that is spoken by InvokeModel. @param write Writes the request that would be sent. */
export const countsInvoked = (write: (call: Call) => WireRequest): ProviderWire => ({
  ...bedrockConverse,
  counter: invokeCounter(write),
});
