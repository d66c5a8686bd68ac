/**
 * Anthropic Messages, the provider's half: reads answers into neutral deltas.
 *
 * A message is a list of typed blocks. A stream opens, fills and closes one block after another; a whole message is
 * read the same way, with each block filled in one step. What OpenAI's form cannot hold and the next turn needs travels as sealed thoughts,
 * see `write_answered.ts`.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
import { type Envelope, neededLayout, SIGNED, writeEnvelope } from "./write_answered.ts";
import { blockReader, type Kept } from "./read_blocks.ts";
import { readError } from "./read_error.ts";
import { digest, hash } from "../shared/hash.ts";
import { isObject, object, parseObject, text } from "../shared/json.ts";
import { textCounter } from "../shared/layout.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import type { Emit, JsonObject, StopReason, StreamReader, WireError } from "../types.ts";

// ---------------------------------------------------------------- answers

const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
  // The turn continues when the message is sent back; `stop` would mean that it is finished.
  ["pause_turn", "length"],
  ["compaction", "length"],
]);

export function readAnswer(body: JsonObject, emit: Emit): void {
  if (body.type === "error" || body.error !== undefined || text(body.message) !== undefined) {
    return emit({ type: "error", error: readError(200, body) });
  }
  if (!Array.isArray(body.content)) {
    const error = { message: "The provider's answer has no content", code: "no_content" };
    return emit({ type: "error", error });
  }
  const message = messageReader(emit);
  message.start(body);
  body.content.forEach((block, index) => {
    if (!isObject(block)) return;
    message.open(index, block);
    message.close(index);
  });
  message.finish(body, body.usage);
  message.end();
}

export function readStream(emit: Emit): StreamReader {
  const message = messageReader(emit);
  let done = false;

  function fail(error: WireError): void {
    done = true;
    emit({ type: "error", error });
  }

  return {
    frame(data, event) {
      if (done || event === "ping") return;
      const frame = parseObject(data);
      if (!frame) {
        return fail(badEvent());
      }
      switch (frame.type) {
        case "content_block_delta":
          if (isObject(frame.delta)) message.fill(frame.index, frame.delta);
          return;
        case "content_block_start":
          if (isObject(frame.content_block)) message.open(frame.index, frame.content_block);
          return;
        case "content_block_stop":
          return message.close(frame.index);
        case "message_start":
          return message.start(object(frame.message) ?? {});
        case "message_delta":
          return message.finish(object(frame.delta) ?? {}, frame.usage);
        case "message_stop":
          message.end();
          done = true;
          return;
        case "error":
          return fail(readError(200, frame));
      }
    },
    end() {
      if (done) return;
      if (message.isFinished()) message.end();
      else fail(cutOff());
    },
  };
}

/** Reads the parts of one message, in the order of a stream. */
function messageReader(emit: Emit) {
  const usage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  const kept: Kept = { said: textCounter(), thoughts: 0, order: "", nonce: 0 };
  const blocks = blockReader(emit, kept);
  let container: JsonObject | undefined;
  let stop: StopReason | undefined;
  let counted = false;

  function readUsage(from: unknown): void {
    if (!isObject(from)) return;
    counted = true;
    // Each event has the counts of the whole message. A count that is absent or null is unchanged.
    usage.input = count(from.input_tokens) ?? usage.input;
    usage.cacheRead = count(from.cache_read_input_tokens) ?? usage.cacheRead;
    usage.cacheWrite = count(from.cache_creation_input_tokens) ?? usage.cacheWrite;
    usage.output = count(from.output_tokens) ?? usage.output;
    const details = object(from.output_tokens_details) ?? {};
    usage.reasoning = count(details.thinking_tokens) ?? usage.reasoning;
  }

  /** Emits what OpenAI's form cannot hold. Called when the answer is complete. */
  function seal(): void {
    const { said, thoughts, order, calls, nonce } = kept;
    const layout = neededLayout(order);
    const envelope: Envelope = { layout, calls, container };
    const ends = said.ends();
    if (layout !== "" && ends) envelope.ends = ends;
    const redacted = writeEnvelope(envelope, digest(nonce));
    if (redacted) emit({ type: "thought", choice: 0, block: thoughts, redacted, format: SIGNED });
  }

  return {
    start(message: JsonObject): void {
      readUsage(message.usage);
      kept.nonce = hash(text(message.id) ?? "", kept.nonce);
      const tier = isObject(message.usage) ? message.usage.service_tier : undefined;
      emit({
        type: "start",
        id: text(message.id),
        model: text(message.model),
        service_tier: tier === "standard" ? "default" : text(tier),
      });
    },

    open: blocks.open,
    fill: blocks.fill,
    close: blocks.close,

    /** @param delta The object with `stop_reason`: the message, or the delta of a `message_delta`. */
    finish(delta: JsonObject, counts: unknown): void {
      readUsage(counts);
      const { id, expires_at } = object(delta.container) ?? {};
      if (text(id)) container = { id, expires_at };
      if (typeof delta.stop_reason !== "string") return;
      stop = STOPS.get(delta.stop_reason) ?? "stop";
      const details = object(delta.stop_details) ?? {};
      const explanation = text(details.explanation);
      if (explanation) emit({ type: "refusal", choice: 0, text: explanation });
    },

    isFinished: () => stop !== undefined,

    end(): void {
      blocks.closeAll();
      seal();
      const { input, cacheRead, cacheWrite, output, reasoning } = usage;
      const rest = Math.max(0, output - reasoning);
      if (counted) {
        emit({
          type: "usage",
          usage: { input, cacheRead, cacheWrite, audioIn: 0, output: rest, reasoning, audioOut: 0 },
        });
      }
      emit({ type: "stop", choice: 0, reason: stop ?? "stop" });
    },
  };
}

// ---------------------------------------------------------------- helpers

const count = (value: unknown) => typeof value === "number" && value >= 0 ? value : undefined;
