/** Reads Google's errors into OpenAI's terms. */
import { errorType } from "../errors.ts";
import { object } from "../shared/json.ts";
import type { JsonObject, WireError } from "../types.ts";

/** OpenAI's error code for Google's status names, as clients expect it. */
const CODES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ["NOT_FOUND", "model_not_found"],
  ["RESOURCE_EXHAUSTED", "rate_limit_exceeded"],
  ["UNAUTHENTICATED", "invalid_api_key"],
]);

/**
 * The HTTP status of each status name, for errors that come with status 200.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto (2026-11)
 */
const STATUS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ["ABORTED", 409],
  ["ALREADY_EXISTS", 409],
  ["CANCELLED", 499],
  ["DEADLINE_EXCEEDED", 504],
  ["FAILED_PRECONDITION", 400],
  ["INTERNAL", 500],
  ["INVALID_ARGUMENT", 400],
  ["NOT_FOUND", 404],
  ["OUT_OF_RANGE", 400],
  ["PERMISSION_DENIED", 403],
  ["RESOURCE_EXHAUSTED", 429],
  ["UNAUTHENTICATED", 401],
  ["UNAVAILABLE", 503],
  ["UNIMPLEMENTED", 501],
]);

/**
 * Matches the messages for a prompt that is too long, of the Developer API and of Vertex, e.g. `The input token count
 * (9) exceeds the maximum number of tokens allowed (8)`.
 */
const OVERFLOW = /token count.{0,60}(exceeds|only supports up to)|exceeds the maximum number of tokens/i;

/**
 * Reads an error body: `{error: {code, message, status, details}}`, a list with one such object, or text.
 *
 * The HTTP status stays Google's, even for an invalid key, for which Google sends 400.
 *
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export function readError(status: number, body: unknown): WireError {
  const outer = object(Array.isArray(body) ? body[0] : body) ?? {};
  const error = object(outer.error) ?? outer;
  const message = [error.message, outer.error, body].find((value) =>
    typeof value === "string" && value !== ""
  );
  const details = Array.isArray(error.details) ? error.details.map((detail) => object(detail) ?? {}) : [];
  const meant = status >= 400 ? status : toStatus(error);
  const badKey = details.some(({ reason }) => reason === "API_KEY_INVALID");
  return {
    message: typeof message === "string"
      ? message.slice(0, 2000)
      : `The provider answered ${status} without a message`,
    type: badKey ? errorType(401) : errorType(meant),
    param: fieldOf(details),
    code: badKey
      ? "invalid_api_key"
      : OVERFLOW.test(String(message))
      ? "context_length_exceeded"
      : CODES.get(error.status) ?? (typeof error.status === "string" ? error.status.toLowerCase() : null),
    status: meant,
    retryAfterMs: retryDelay(details),
    metadata: { original: body },
  };
}

function toStatus({ code, status }: JsonObject): number {
  return typeof code === "number" && code >= 400 && code < 600 ? code : STATUS.get(status) ?? 502;
}

/** Reads the delay of a `RetryInfo` (`39s`, `0.5s`) as milliseconds. */
function retryDelay(details: JsonObject[]): number | undefined {
  const delay = details.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(delay))?.[1];
  return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
}

/** The field that a `BadRequest` detail blames, as Google names it. */
function fieldOf(details: JsonObject[]): string | null {
  const violations = details.find(({ fieldViolations }) => Array.isArray(fieldViolations))?.fieldViolations;
  const field = object((violations as unknown[] | undefined)?.[0])?.field;
  return typeof field === "string" ? field : null;
}
