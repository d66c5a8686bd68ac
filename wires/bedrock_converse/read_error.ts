/** Reads Amazon's errors into OpenAI's terms. */
import { errorType } from "../errors.ts";
import { object, text } from "../shared/json.ts";
import { isOverflow } from "../shared/overflow.ts";
import type { JsonObject, WireError } from "../types.ts";

/** Amazon's words for a prompt that is too long, besides those that all providers use. */
const TOO_LONG = /input is too long|prompt is too long|too many input tokens|maximum .{0,20}tokens/i;

/** Amazon's words for a model that only a profile can reach. */
const NO_DEMAND = /on-demand throughput isn.t supported/i;
const PROFILE = ' Write the id with the beginning of a profile, e.g. "us." or "global."';

/**
 * Reads an error body: `{message}` or `{Message}`. Its name is in a header that is not always there, so the status must
 * do.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
 */
export function readError(status: number, body: unknown): WireError {
  const said = object(body) ?? {};
  const wrapped = object(said.error) ?? {};
  const plain = typeof body === "string" ? text(body.trim().slice(0, 500)) : undefined;
  const message = text(said.message) ?? text(said.Message) ?? text(wrapped.message) ?? plain ??
    `Bedrock answered ${status} without a message`;
  const name = text(said.__type)?.split("#").pop();
  const isLong = isOverflow(message) || status === 400 && TOO_LONG.test(message);
  return {
    message: NO_DEMAND.test(message) ? message + PROFILE : message,
    type: errorType(status),
    code: isLong ? "context_length_exceeded" : name ?? null,
    status,
    metadata: { original: body },
  };
}

/**
 * The error in a body with the status of an answer. Amazon answers 200 to a path that it does not know: `{Output: {__type:
 * "com.amazon.coral.service#UnknownOperationException"}}`.
 */
export function readFault({ Output, message, Message, __type }: JsonObject): WireError | undefined {
  const type = text(object(Output)?.__type) ?? text(__type);
  if (type === undefined && message === undefined && Message === undefined) return undefined;
  const status = /UnknownOperation/.test(type ?? "") ? 404 : 502;
  const name = type?.split("#").pop();
  const said = text(message) ?? text(Message) ?? `Bedrock answered with ${name}`;
  return readError(status, { message: said, __type: type });
}
