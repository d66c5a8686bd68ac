/**
 * Anthropic Messages, the client's half: errors, in words that Claude Code acts on.
 *
 * It shortens the conversation on "prompt is too long: N tokens > M maximum", lowers `max_tokens` on "max_tokens: a > b, which
 * is the maximum allowed …", waits on 429 and 5xx, and gives up sooner on 529 than on any other (2.1.332, observed 2026-11).
 *
 * @see https://platform.claude.com/docs/en/api/errors (2026-11)
 */
import { isOverflow } from "../shared/overflow.ts";
import { object, text } from "../shared/json.ts";
import type { Call, ErrorContext, JsonObject, WireError } from "../types.ts";

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

/** Statuses of errors that come in a stream, by OpenAI's words for them. */
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

/** An error's body: `{type: "error", error: {type, message}, request_id}`. */
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

/** The error in a body that Anthropic's clients read as it stands; a prompt that is too long is told in their words. */
export function ownError(body: unknown): WireError | undefined {
  const outer = object(body);
  const error = object(outer?.error);
  if (outer?.type !== "error" || typeof error?.message !== "string") return undefined;
  if (isOverflow(error.message) && !KNOWN_WORDS.test(error.message)) return undefined;
  return { message: error.message, type: text(error.type) };
}

/** What Claude Code knows for a prompt that is too long, whatever its numbers. */
const KNOWN_WORDS = /prompt is too long|exceed context limit/i;

// ---------------------------------------------------------------- too much

/** What clients look for; nothing for an error that says something else. */
function inAnthropicsWords({ message, code, status = 400 }: WireError, call?: Call): string | undefined {
  if (isOverflow(message, code)) return tooLong(message);
  return status === 400 || status === 422 ? tooManyTokens(message, call) : undefined;
}

const ANTHROPICS_OWN = /prompt is too long: \d+ tokens > \d+ maximum|input length and `max_tokens` exceed/;

/** Numbers of tokens, as `131,072` too; not those in a model's name (`claude-3-haiku-20240307`, `llama-3.1-8b`). */
const NUMBER = /(?<![\w.-])(?:\d{1,3}(?:,\d{3})+|\d+)(?![\w-]|\.\d)/g;

/** OpenAI's and vLLM's "you requested 9001 tokens (5001 in the messages, 4000 in the completion)". */
const BOTH = /(\d+) in the messages\b.{0,60}?(\d+) in the completion/;

/** The least context that any model has: what is smaller counts something else. */
const LEAST_CONTEXT = 256;

/**
 * The prompt's length and the model's limit, where the message has them: most providers say the limit first ("maximum context
 * length is 8192 tokens. However, your messages resulted in 9001 tokens"), so the larger one is what was asked.
 */
function tooLong(message: string): string {
  if (ANTHROPICS_OWN.test(message)) return message;
  const numbers = numbersIn(message).filter((number) => number >= LEAST_CONTEXT);
  const limit = Math.min(...numbers), asked = Math.max(...numbers);
  const [, prompt, completion] = BOTH.exec(message) ?? [];
  // The prompt itself fits: a lower `max_tokens` is the cure, and not a shorter conversation.
  const context = numbers[0];
  if (Number(completion) > 0 && Number(prompt) < context) {
    return `input length and \`max_tokens\` exceed context limit: ${prompt} + ${completion} > ${context}, ` +
      "decrease input length or `max_tokens` and try again";
  }
  return asked > limit
    ? `prompt is too long: ${asked} tokens > ${limit} maximum`
    : `prompt is too long: ${message}`;
}

/** `max_tokens`, `max_completion_tokens`, `max_output_tokens`, `maxOutputTokens`, "max tokens", "maximum tokens" */
const LIMIT_NAME = /max(?:imum)?[ _]?(?:new|completion|output)?[ _]?tokens/i;
const LIMIT_WORDS =
  /too (?:large|high|many|big)|at most|less than|exceed|greater than|range|maximum|supports? (?:only|up)/i;

/** An output limit above the model's own. The limit is the largest number that is below what was asked. */
function tooManyTokens(message: string, call: Call | undefined): string | undefined {
  if (ANTHROPICS_LIMIT.test(message) || !LIMIT_NAME.test(message) || !LIMIT_WORDS.test(message)) {
    return undefined;
  }
  const numbers = numbersIn(message);
  const asked = call?.settings.max_tokens ?? Math.max(...numbers);
  const limit = Math.max(...numbers.filter((number) => number < asked && number > 0));
  if (!Number.isFinite(limit) || !Number.isFinite(asked)) return undefined;
  // "from 1 (inclusive) to 65537 (exclusive)"
  const most = /\(exclusive\)/.test(message) && numbers.includes(limit) ? limit - 1 : limit;
  const model = call?.model ?? "this model";
  return `max_tokens: ${asked} > ${most}, which is the maximum allowed number of output tokens for ${model}`;
}

const ANTHROPICS_LIMIT = /max_tokens: \d+ > \d+/;

/** Numbers of a provider's text; one of more digits than a limit can have is none. */
const numbersIn = (message: string): number[] =>
  (message.slice(0, 2000).match(NUMBER) ?? []).map((digits) => Number(digits.replaceAll(",", ""))).filter((
    number,
  ) => number < 1e9);
