/**
 * Counts tokens on Amazon Bedrock: `POST /model/{id}/count-tokens`, for a request to Converse or to InvokeModel.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
import { base64 } from "../shared/base64.ts";
import type { Call, JsonObject, TokenCounter, WireRequest } from "../types.ts";
import { writeCall } from "./write_call.ts";

/** The beginnings of ids of profiles. Only the model's own id counts. */
const GEOGRAPHIES = /^(?:us-gov|global|apac|us|eu|jp|au|ca|in|sa)\./;

/** The path, which holds the id: it is not the id that answers. */
const pathOf = ({ model }: Call) =>
  `/model/${encodeURIComponent(model.replace(GEOGRAPHIES, ""))}/count-tokens`;

const read = ({ inputTokens }: JsonObject) =>
  typeof inputTokens === "number" && inputTokens >= 0 ? inputTokens : undefined;

/** Counts the tokens of a request to Converse. */
export const converseCounter: TokenCounter = {
  pathEnd: "",
  writeCall(call) {
    const { body: { messages, system, toolConfig }, dropped } = writeCall(call);
    return { path: pathOf(call), body: { input: { converse: { messages, system, toolConfig } } }, dropped };
  },
  read,
};

/**
 * Counts the tokens of a request to InvokeModel.
 *
 * @param write Writes the request that would be sent.
 */
export const invokeCounter = (write: (call: Call) => WireRequest): TokenCounter => ({
  pathEnd: "",
  writeCall(call) {
    const { body, dropped } = write(call);
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return { path: pathOf(call), body: { input: { invokeModel: { body: base64(bytes) } } }, dropped };
  },
  read,
});
