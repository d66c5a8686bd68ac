/**
 * Anthropic Messages, the client's half: writes errors in the words to which Claude Code reacts.
 *
 * Claude Code shortens the conversation on "prompt is too long: N tokens > M maximum", lowers `max_tokens` on
 * "max_tokens: a > b, which is the maximum allowed …", waits on 429 and 5xx, and gives up sooner on 529 than on others
 * (version 2.1.332, observed 2026-11).
 *
 * @see https://platform.claude.com/docs/en/api/errors (2026-11)
 */
import { isOverflow } from "../shared/overflow.ts";
import { object, text } from "../shared/json.ts";
import type { Call, ErrorContext, JsonObject, WireError } from "../types.ts";

/**
 * Anthropic's error type for each status.
 *
 * @see https://platform.claude.com/docs/en/api/errors#http-errors (2026-11)
 */
const TYPES: ReadonlyMap<number, string> = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [409, "conflict_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

/** The status of an error in a stream, by OpenAI's `code` or `type` of the error. */
const STATUSES: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ["authentication_error", 401],
  ["insufficient_quota", 402],
  ["invalid_request_error", 400],
  ["not_found_error", 404],
  ["overloaded", 529],
  ["permission_error", 403],
  ["rate_limit_error", 429],
  ["rate_limit_exceeded", 429],
]);

/** Writes an error's body: `{type: "error", error: {type, message}, request_id}`. */
export function writeError(error: WireError, { call, requestId }: ErrorContext = {}): JsonObject {
  const status = error.status ?? STATUSES.get(error.code) ?? STATUSES.get(error.type) ?? 500;
  const reason = text(error.metadata?.error_code);
  return {
    type: "error",
    error: {
      type: TYPES.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error"),
      message: inAnthropicsWords(error, call) ?? error.message,
      ...(reason && { details: { error_code: reason } }),
    },
    request_id: text(error.metadata?.request_id) ?? requestId ?? null,
  };
}

/**
 * The error in a body that Anthropic's clients can read unchanged; `undefined` for any other body. A body that says in
 * other words that the prompt is too long is not returned, because it must be rewritten.
 */
export function ownError(body: unknown): WireError | undefined {
  const outer = object(body);
  const error = object(outer?.error);
  if (outer?.type !== "error" || typeof error?.message !== "string") return undefined;
  if (isOverflow(error.message) && !KNOWN_WORDS.test(error.message)) return undefined;
  return { message: error.message, type: text(error.type) };
}

/** The words by which Claude Code recognizes a prompt that is too long, whatever numbers follow. */
const KNOWN_WORDS = /prompt is too long|exceed context limit/i;

// ---------------------------------------------------------------- too much

/** The message that clients look for; `undefined` for an error about something else. */
function inAnthropicsWords({ message, code, status = 400 }: WireError, call?: Call): string | undefined {
  if (isOverflow(message, code)) return tooLong(message);
  return status === 400 || status === 422 ? tooManyTokens(message, call) : undefined;
}

const ANTHROPICS_OWN = /prompt is too long: \d+ tokens > \d+ maximum|input length and `max_tokens` exceed/;

/**
 * Matches numbers of tokens, e.g. `8192` or `131,072`, but not those in a model's name (`claude-3-haiku-20240307`,
 * `llama-3.1-8b`).
 */
const NUMBER = /(?<![\w.-])(?:\d{1,3}(?:,\d{3})+|\d+)(?![\w-]|\.\d)/g;

/** Matches OpenAI's and vLLM's "you requested 9001 tokens (5001 in the messages, 4000 in the completion)". */
const BOTH = /(\d+) in the messages\b.{0,60}?(\d+) in the completion/;

/** The smallest context of any model. A smaller number counts something else. */
const LEAST_CONTEXT = 256;

/**
 * Says that the prompt is too long, with its length and the model's limit if the message has them. Most providers name
 * the limit first ("maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens"), so the
 * larger number is the length.
 */
function tooLong(message: string): string {
  if (ANTHROPICS_OWN.test(message)) return message;
  const numbers = numbersIn(message).filter((number) => number >= LEAST_CONTEXT);
  const limit = Math.min(...numbers), asked = Math.max(...numbers);
  const [, prompt, completion] = BOTH.exec(message) ?? [];
  // The prompt itself fits: the cure is a lower `max_tokens` and not a shorter conversation.
  const context = numbers[0];
  if (Number(completion) > 0 && Number(prompt) < context) {
    return `input length and \`max_tokens\` exceed context limit: ${prompt} + ${completion} > ${context}, ` +
      "decrease input length or `max_tokens` and try again";
  }
  return asked > limit
    ? `prompt is too long: ${asked} tokens > ${limit} maximum`
    : `prompt is too long: ${message}`;
}

/**
 * Matches `max_tokens`, `max_completion_tokens`, `max_output_tokens`, `maxOutputTokens`, "max tokens", "maximum
 * tokens".
 */
const LIMIT_NAME = /max(?:imum)?[ _]?(?:new|completion|output)?[ _]?tokens/i;
const LIMIT_WORDS =
  /too (?:large|high|many|big)|at most|less than|exceed|greater than|range|maximum|supports? (?:only|up)/i;

/**
 * Says that the output limit is above the model's own. The model's limit is the largest number in the message below the
 * requested one.
 */
function tooManyTokens(message: string, call: Call | undefined): string | undefined {
  if (ANTHROPICS_LIMIT.test(message) || !LIMIT_NAME.test(message) || !LIMIT_WORDS.test(message)) {
    return undefined;
  }
  const numbers = numbersIn(message);
  const asked = call?.settings.max_tokens ?? Math.max(...numbers);
  const limit = Math.max(...numbers.filter((number) => number < asked && number > 0));
  if (!Number.isFinite(limit) || !Number.isFinite(asked)) return undefined;
  // Some providers write "from 1 (inclusive) to 65537 (exclusive)".
  const most = /\(exclusive\)/.test(message) && numbers.includes(limit) ? limit - 1 : limit;
  const model = call?.model ?? "this model";
  return `max_tokens: ${asked} > ${most}, which is the maximum allowed number of output tokens for ${model}`;
}

const ANTHROPICS_LIMIT = /max_tokens: \d+ > \d+/;

/** The numbers in a provider's message. A number with more digits than a limit can have is left out. */
const numbersIn = (message: string): number[] =>
  (message.slice(0, 2000).match(NUMBER) ?? []).map((digits) => Number(digits.replaceAll(",", ""))).filter((
    number,
  ) => number < 1e9);
