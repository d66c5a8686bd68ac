/**
 * OpenAI's Responses, the provider's half: reads answers and streams into deltas.
 *
 * A response is a list of items. A stream opens, fills and closes one item after another; a whole response is read the
 * same way in one step. The last event of a stream repeats the whole response. What earlier events left out is read
 * from it.
 *
 * Checked against `openai` 7.59 types, 2026-11. Perplexity, xAI, DeepSeek, OpenRouter and Azure serve the same events.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
import { errorType } from "../errors.ts";
import { count, object, parseObject, text } from "../shared/json.ts";
import { readCompatibleError } from "../shared/compatible_error.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import { toldCost } from "../shared/told_cost.ts";
import type { Emit, JsonObject, StopReason, StreamReader, Usage, WireError } from "../types.ts";
import { itemReader } from "./read_items.ts";

/**
 * Reads a whole answer, see `AnswerFormat`.
 *
 * @param maker The format name of the thoughts that the provider seals.
 */
export function readAnswer(body: JsonObject, emit: Emit, maker: string): void {
  const failed = body.status === "failed" || object(body.error) !== undefined || text(body.error);
  if (failed) return emit({ type: "error", error: readFailure(body) });
  if (!Array.isArray(body.output)) {
    return emit({ type: "error", error: { message: "The answer has no output", code: "no_output" } });
  }
  emit({ ...start(body), service_tier: text(body.service_tier) });
  const items = itemReader(maker, emit);
  items.finish(body);
  finish(body, emit);
}

/**
 * Reads one stream, see `AnswerFormat`.
 *
 * @param maker The format name of the thoughts that the provider seals.
 */
export function readStream(emit: Emit, maker: string): StreamReader {
  const items = itemReader(maker, emit);
  let started = false;
  let ended = false;

  function fail(error: WireError): void {
    ended = true;
    emit({ type: "error", error });
  }

  return {
    frame(data, event) {
      if (ended || data === "" || data.startsWith("[DONE]")) return;
      const body = parseObject(data);
      if (!body) return fail(badEvent());
      const type = text(body.type) ?? event;
      switch (type) {
        case "response.created":
        case "response.in_progress":
        case "response.queued":
          if (!started) emit(start(object(body.response) ?? {}));
          started = true;
          return;
        case "response.output_item.added":
          return items.open(body);
        case "response.output_item.done":
          return items.close(body);
        case "response.completed":
        case "response.incomplete": {
          const response = object(body.response) ?? {};
          ended = true;
          items.finish(response);
          return finish(response, emit);
        }
        case "response.failed":
        case "response.cancelled":
          return fail(readFailure(object(body.response) ?? body));
        case "error":
          return fail(readFailure(body));
      }
      if (type === "" && object(body.error)) return fail(readFailure(body));
      items.fill(type, body);
    },
    end() {
      if (!ended) fail(cutOff());
    },
  };
}

/** Reads the head of a response. At the start of a stream the tier is the requested one, where `auto` means none. */
function start({ id, model, created_at, service_tier }: JsonObject) {
  return {
    type: "start" as const,
    id: text(id),
    model: text(model),
    created: typeof created_at === "number" ? created_at : undefined,
    service_tier: service_tier === "auto" ? undefined : text(service_tier),
  };
}

const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["content_filter", "content_filter"],
  [undefined, "stop"],
]);

function finish(response: JsonObject, emit: Emit): void {
  const usage = object(response.usage);
  if (usage) emit({ type: "usage", usage: readUsage(usage) });
  const { reason } = object(response.incomplete_details) ?? {};
  emit({ type: "stop", choice: 0, reason: STOPS.get(reason) ?? "length" });
}

/** Reads the usage. The input count includes cached tokens, the output count includes reasoning. */
function readUsage(usage: JsonObject): Usage {
  const cacheRead = count(object(usage.input_tokens_details)?.cached_tokens);
  const cacheWrite = count(object(usage.input_tokens_details)?.cache_write_tokens);
  const reasoning = count(object(usage.output_tokens_details)?.reasoning_tokens);
  return {
    input: Math.max(0, count(usage.input_tokens) - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    audioIn: 0,
    output: Math.max(0, count(usage.output_tokens) - reasoning),
    reasoning,
    audioOut: 0,
    ...toldCost(usage),
  };
}

// ---------------------------------------------------------------- failures

/** The HTTP status that each error code of an answer means. Codes of bad input mean 400, see `BAD_INPUT`. */
const STATUS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ["insufficient_quota", 429],
  ["rate_limit_exceeded", 429],
  ["server_error", 500],
  ["server_is_overloaded", 503],
  ["slow_down", 503],
  ["vector_store_timeout", 504],
]);

const BAD_INPUT =
  /^(?:(?:invalid|empty|unsupported)_|image_|failed_to_download_image)|_policy(?:_|$)|^context_length_exceeded$/;

/**
 * Reads the error of a response or an event. Only the error is kept: the rest of a response would repeat the prompt.
 */
function readFailure({ error, code, message, param }: JsonObject): WireError {
  const told = object(error) ?? (text(error) ? { message: error } : { code, message, param });
  const read = readCompatibleError(200, { error: told });
  const status = STATUS.get(told.code) ?? (BAD_INPUT.test(`${told.code}`) ? 400 : undefined);
  if (status === undefined) return read;
  return { ...read, status, type: text(told.type) ?? errorType(status) };
}
