/**
 * OpenAI's Responses, the client's half: writes a whole answer as a response.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object
 * @see https://www.openresponses.org/specification (2026-04-24)
 */
import type {
  Answer,
  Call,
  Choice,
  Defaults,
  Item,
  JsonObject,
  StopReason,
  Usage,
  WireError,
} from "../types.ts";
import { type Form, formOf } from "./form.ts";
import {
  addressText,
  callItem,
  compactionItem,
  imageItem,
  type ItemIds,
  itemIds,
  messageItem,
  offerOf,
  reasoningItem,
  says,
  serverItem,
  signatureItem,
  textPart,
  writeLogprobs,
} from "./write_output.ts";
import { answerTokens, promptTokens } from "../shared/usage.ts";

/**
 * Writes the usage. The input count includes cached tokens, the output count includes reasoning. Without a usage the
 * counts are 0, because the member is required.
 */
export function writeUsage(usage: Usage | undefined): JsonObject {
  const input = usage ? promptTokens(usage) : 0;
  const output = usage ? answerTokens(usage) : 0;
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage?.cacheRead ?? 0,
      cache_write_tokens: usage?.cacheWrite ?? 0,
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage?.reasoning ?? 0 },
    total_tokens: input + output,
  };
}

/** Why an answer is incomplete; `undefined` for a complete one. */
export function incompleteReason(stop: StopReason | undefined): string | undefined {
  if (stop === "length") return "max_output_tokens";
  return stop === "content_filter" ? stop : undefined;
}

/** The members of a response beside its output and what it repeats of the request. */
export interface Head {
  id: string;
  created: number;
  model: string;
  serviceTier?: string;
}

/**
 * Makes the head of a response. Its id is always made by Sluice: OpenAI refuses an id of another form when it comes
 * back.
 */
export const headOf = (start: Answer["start"] | undefined, defaults: Defaults): Head => ({
  id: defaults.id,
  created: start?.created ?? defaults.created,
  model: start?.model ?? defaults.model,
  serviceTier: start?.service_tier,
});

/** The members of a response that change while it is made. */
export interface Progress {
  status: "in_progress" | "completed" | "incomplete" | "failed";
  output: JsonObject[];
  usage: JsonObject | null;
  incomplete?: string;
  error?: JsonObject;
}

/** Writes a response with all members that its schema requires. */
export function writeResponse(
  { id, created, model, serviceTier }: Head,
  progress: Progress,
  { echo }: Form,
): JsonObject {
  const { status, output, usage, incomplete, error } = progress;
  return {
    id,
    object: "response",
    created_at: created,
    status,
    completed_at: status === "completed" ? created : null,
    error: error ?? null,
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    model,
    output,
    service_tier: serviceTier ?? "default",
    usage,
    ...echo,
  };
}

/** Writes a whole answer as a `response`. */
export function writeAnswer(answer: Answer, call: Call, defaults: Defaults): JsonObject {
  const form = formOf(call);
  const head = headOf(answer.start, defaults);
  const [choice] = Object.values(answer.choices) as (Choice | undefined)[];
  const incomplete = incompleteReason(choice?.stop);
  const output = form.compacts
    ? [compactionItem(itemIds(head.id)("compaction", 0), wholeText(choice))]
    : writeOutput(choice, call, itemIds(head.id), incomplete === undefined ? "completed" : "incomplete");
  const status = incomplete === undefined ? "completed" : "incomplete";
  return writeResponse(head, { status, output, usage: writeUsage(answer.usage), incomplete }, form);
}

/** Writes the answer as the object that `/responses/compact` returns. */
export function writeCompaction(answer: Answer, _call: Call, defaults: Defaults): JsonObject {
  const { id, created } = headOf(answer.start, defaults);
  const [choice] = Object.values(answer.choices) as (Choice | undefined)[];
  return {
    id,
    object: "response.compaction",
    created_at: created,
    output: [compactionItem(itemIds(id)("compaction", 0), wholeText(choice))],
    usage: writeUsage(answer.usage),
  };
}

const wholeText = (choice: Choice | undefined): string =>
  choice?.items.map((item) => item.type === "text" ? item.text : "").join("") ?? "";

function writeOutput(
  choice: Choice | undefined,
  call: Call,
  ids: ItemIds,
  last: "completed" | "incomplete",
): JsonObject[] {
  const form = formOf(call);
  const items = choice?.items.filter(says) ?? [];
  const logprobs = choice?.logprobs.flatMap(writeLogprobs) ?? [];
  let base = 0;
  const write = (item: Item, index: number): JsonObject => {
    const status = index === items.length - 1 ? last : "completed";
    switch (item.type) {
      case "text": {
        const part = textPart(item.text, item.citations, base, base === 0 ? logprobs : []);
        base += item.text.length;
        return messageItem(ids("message", index), part, status);
      }
      case "refusal":
        return messageItem(ids("message", index), { type: "refusal", refusal: item.text }, status);
      case "thought":
        return reasoningItem(ids("reasoning", index), item.thought, isSummary(item.summary, call), status);
      case "tool": {
        const offer = offerOf(item.call.name, form);
        return callItem(ids(offer.kind, index), item.call, offer, status);
      }
      case "server_tool":
        return serverItem(ids(item.serverCall.kind, index), item.serverCall);
      case "image":
        return "data" in item.media
          ? imageItem(ids("image", index), item.media)
          : messageItem(ids("message", index), textPart(addressText(item.media), [], 0), status);
    }
  };
  const output = items.map(write);
  if (choice?.signature !== undefined) {
    output.push(signatureItem(ids("reasoning", items.length), choice.signature));
  }
  return output;
}

/**
 * Whether reasoning is written as a summary: if the provider calls it one, or if the client asked for one. Many clients
 * show nothing else.
 */
export const isSummary = (
  told: boolean | undefined,
  { settings: { reasoning_summary: asked } }: Call,
): boolean => told === true || asked !== undefined && asked !== "none";

// ---------------------------------------------------------------- failures

/** The codes of a failed response to which clients react. */
const CODES: ReadonlySet<unknown> = new Set([
  "context_length_exceeded",
  "insufficient_quota",
  "invalid_prompt",
  "rate_limit_exceeded",
  "server_error",
]);

/**
 * The error of a failed response, with a code to which clients react. Codex does not retry after
 * `server_is_overloaded`, so an overload in the middle of an answer becomes `server_error`, after which Codex retries.
 */
export function failure(
  { message, code, status, type, retryAfterMs }: WireError,
): { code: string; message: string } {
  const isLimit = status === 429 || type === "rate_limit_error" || type === "rate_limit_exceeded";
  const known = CODES.has(code)
    ? code as string
    : isLimit
    ? "rate_limit_exceeded"
    : status !== undefined && status >= 400 && status < 500
    ? "invalid_prompt"
    : "server_error";
  const wait = known === "rate_limit_exceeded" && retryAfterMs !== undefined && !/try again in/i.test(message)
    ? ` Please try again in ${retryAfterMs / 1000}s.`
    : "";
  return { code: known, message: message + wait };
}
