/**
 * Reads Anthropic's errors into OpenAI's terms.
 *
 * @see https://platform.claude.com/docs/en/api/errors (2026-11)
 */
import { errorType } from "../errors.ts";
import { object, text } from "../shared/json.ts";
import type { WireError } from "../types.ts";

/**
 * Anthropic's error types in OpenAI's terms. `status` is for errors in a stream, which have none of their own.
 *
 * @see https://platform.claude.com/docs/en/api/errors#http-errors (2026-11)
 */
const ERRORS: ReadonlyMap<unknown, { status: number; type?: string; code?: string }> = new Map([
  ["invalid_request_error", { status: 400 }],
  ["authentication_error", { status: 401, code: "invalid_api_key" }],
  ["billing_error", { status: 402, type: "insufficient_quota", code: "insufficient_quota" }],
  ["permission_error", { status: 403 }],
  ["not_found_error", { status: 404 }],
  ["conflict_error", { status: 409 }],
  ["request_too_large", { status: 413, code: "request_too_large" }],
  ["rate_limit_error", { status: 429, code: "rate_limit_exceeded" }],
  ["api_error", { status: 500 }],
  ["timeout_error", { status: 504, code: "timeout" }],
  ["overloaded_error", { status: 529, code: "overloaded" }],
]);

const OVERFLOW = /prompt is too long|exceed.{0,30}context (limit|window)/i;
const NO_CREDIT = /credit balance is too low/i;
const NO_MODEL = /^model:/;
/**
 * Matches a message that begins with the name of a field, e.g. `max_tokens: must be positive`. Longer paths are those
 * of the body that Sluice wrote and mean nothing to the client.
 */
const BLAMED = /^([a-z_]+): /;

/**
 * Reads an error body or event: `{type: "error", error: {type, message, details?}, request_id}`, or text from a proxy
 * in front of the API.
 */
export function readError(status: number, body: unknown): WireError {
  const outer = object(body) ?? {};
  const error = object(outer.error) ?? {};
  const message = text(error.message) ?? text(outer.message) ??
    (typeof body === "string" ? text(body.trim().slice(0, 500)) : undefined);
  const known = ERRORS.get(error.type);
  const failed = status >= 400 ? status : known?.status ?? 502;
  const details = object(error.details) ?? {};
  let { type = errorType(failed), code = text(details.error_code) ?? null } = known ?? {} as {
    type?: string;
    code?: string | null;
  };
  if (message && OVERFLOW.test(message)) code = "context_length_exceeded";
  else if (message && NO_CREDIT.test(message)) type = code = "insufficient_quota";
  else if (message && error.type === "not_found_error" && NO_MODEL.test(message)) code = "model_not_found";
  const requestId = text(outer.request_id);
  return {
    message: message ?? `The provider answered ${status} without a message`,
    type,
    param: (message && BLAMED.exec(message)?.[1]) ?? null,
    code,
    status: failed,
    metadata: requestId ? { original: body, request_id: requestId } : { original: body },
  };
}
