/** Google's errors in OpenAI's words. */
import { errorType } from "../errors.ts";
import { object } from "../shared/json.ts";
import type { JsonObject, WireError } from "../types.ts";

/** Google's status names, with the code that OpenAI's clients look for. */
const CODES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ["NOT_FOUND", "model_not_found"],
  ["RESOURCE_EXHAUSTED", "rate_limit_exceeded"],
  ["UNAUTHENTICATED", "invalid_api_key"],
]);

/** HTTP status of each name, for errors that come under 200. */
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

/** The prompt does not fit, as the Developer API and Vertex say it. */
const OVERFLOW = /token count.{0,60}(exceeds|only supports up to)|exceeds the maximum number of tokens/i;

/**
 * Reads `{error: {code, message, status, details}}`, a list of one such, or text.
 *
 * The status stays Google's, also where it says 400 of a key that is not valid.
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

/** `RetryInfo`'s duration in seconds: `39s`, `0.5s`. */
function retryDelay(details: JsonObject[]): number | undefined {
  const delay = details.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(delay))?.[1];
  return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
}

/** The field that `BadRequest` complains of, in Google's words. */
function fieldOf(details: JsonObject[]): string | null {
  const violations = details.find(({ fieldViolations }) => Array.isArray(fieldViolations))?.fieldViolations;
  const field = object((violations as unknown[] | undefined)?.[0])?.field;
  return typeof field === "string" ? field : null;
}
