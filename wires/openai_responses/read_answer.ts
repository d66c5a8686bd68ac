/**
 * OpenAI's Responses, as much of an answer as the gateway must know of one that it hands through: whether it has begun,
 * failed or ended, and what was used.
 *
 * Checked against `openai` 7.59 types, 2026-11. Perplexity, xAI, OpenRouter and Azure serve the same events.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
import { count, object, parseObject, text } from "../shared/json.ts";
import { readCompatibleError as readError } from "../shared/compatible_error.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import type { Emit, JsonObject, StopReason, StreamReader, Usage } from "../types.ts";

export function readAnswer(body: JsonObject, emit: Emit): void {
  const failed = body.status === "failed" || object(body.error) !== undefined || text(body.error);
  if (failed) return emit({ type: "error", error: readError(200, body) });
  if (!Array.isArray(body.output)) {
    return emit({ type: "error", error: { message: "The answer has no output", code: "no_output" } });
  }
  start(body, emit);
  finish(body, emit);
}

export function readStream(emit: Emit): StreamReader {
  let ended = false;

  function fail(body: JsonObject): void {
    ended = true;
    emit({ type: "error", error: readError(200, body) });
  }

  return {
    frame(data, event) {
      if (ended || data === "" || data.startsWith("[DONE]")) return;
      const body = parseObject(data);
      if (!body) return fail({ error: badEvent() });
      const type = text(body.type) ?? event;
      const response = object(body.response) ?? {};
      switch (type) {
        case "error":
          return fail(body);
        case "response.failed":
        case "response.cancelled":
          return fail(response);
        case "response.created":
          return start(response, emit);
        case "response.completed":
        case "response.incomplete":
          ended = true;
          return finish(response, emit);
        case "response.output_item.added": {
          // A message or a thought is empty when it is added; a call has its name.
          const item = object(body.item) ?? {};
          if (item.type === "message" || item.type === "reasoning") return;
          return emit({ type: "text", choice: 0, text: text(item.name) ?? `${item.type}` });
        }
      }
      if (type === "" && object(body.error)) return fail(body);
      if (type.endsWith(".delta")) emit({ type: "text", choice: 0, text: text(body.delta) ?? "…" });
    },
    end() {
      if (!ended) {
        fail({ error: cutOff() });
      }
    },
  };
}

function start(response: JsonObject, emit: Emit): void {
  emit({ type: "start", id: text(response.id), model: text(response.model) });
}

function finish(response: JsonObject, emit: Emit): void {
  const usage = object(response.usage);
  if (usage) emit({ type: "usage", usage: readUsage(usage) });
  const { reason } = object(response.incomplete_details) ?? {};
  const stop: StopReason = reason === "content_filter" ? reason : reason === undefined ? "stop" : "length";
  emit({ type: "stop", choice: 0, reason: stop });
}

/** Cached tokens are counted inside the input, reasoning inside the output. */
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
  };
}
