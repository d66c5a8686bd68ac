/**
 * OpenAI chat completions, the provider's half.
 *
 * Clients and these providers speak the same format, so bodies are handed through; what is read here are error bodies,
 * and frames where something must be known of a stream (has content begun, what was used). Providers differ: see each
 * comment.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { readCompatibleError as readError } from "../shared/compatible_error.ts";
import { count, object, parseObject, text } from "../shared/json.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import type { Emit, JsonObject, StopReason, StreamReader, Usage, WireError } from "../types.ts";
import { toolCallReader } from "./read_tool_calls.ts";

// ---------------------------------------------------------------- streams

/** Providers' words for why an answer ended, as OpenAI's. */
export const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["stop", "stop"],
  ["eos", "stop"], // Together
  ["length", "length"],
  ["tool_calls", "tool_calls"],
  ["tool_call", "tool_calls"], // Azure's DeepSeek
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
]);

export function readAnswer(body: JsonObject, emit: Emit): void {
  const answered = Array.isArray(body.choices) && body.choices.length > 0;
  // Some say what went wrong beside an answer.
  if (answered) answerReader(emit).read(body);
  else if (body.type === "error" || body.object === "error" || object(body.error) || text(body.error)) {
    emit({ type: "error", error: readError(200, body) });
  } else {emit({
      type: "error",
      error: { message: "The provider's answer has no choices", code: "no_choices" },
    });}
}

export function readStream(emit: Emit): StreamReader {
  const chunks = answerReader(emit);
  return {
    frame(data, event) {
      if (chunks.failed() || data === "") return;
      if (data.startsWith("[DONE]")) return chunks.finish();
      const chunk = parseObject(data);
      if (!chunk) {
        return chunks.fail(badEvent());
      }
      if (event === "error" || chunk.object === "error" || object(chunk.error) || text(chunk.error)) {
        return chunks.fail(readError(200, chunk));
      }
      chunks.read(chunk);
    },
    end: chunks.end,
  };
}

/** Reads the chunks of a stream, or a whole answer as its only one. */
function answerReader(emit: Emit) {
  let started = false;
  let finished = false;
  let failed = false;
  let answered = false;
  /** Read the tool calls of each choice that has any. */
  const choices: (((toolCall: JsonObject) => void) | undefined)[] = [];

  function fail(error: WireError): void {
    failed = true;
    emit({ type: "error", error });
  }

  function readChoice(choice: JsonObject): void {
    answered = true;
    const index = isCount(choice.index) ? choice.index : 0;
    const delta = object(choice.delta) ?? object(choice.message);
    if (delta) readDelta(delta, index, choice.logprobs);
    else if (typeof choice.text === "string" && choice.text) { // Of `/completions`, the older form.
      emit({ type: "text", choice: index, text: choice.text });
    }
    if (object(choice.error)) return fail(readError(200, choice)); // OpenRouter
    const reason = choice.finish_reason;
    if (typeof reason !== "string" || reason === "") return;
    if (reason === "error") return fail(readError(200, choice)); // OpenRouter
    finished = true;
    emit({ type: "stop", choice: index, reason: STOPS.get(reason) ?? "stop" });
  }

  function readDelta(delta: JsonObject, choice: number, logprobs: unknown): void {
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    const told = typeof reasoning === "string" && reasoning !== "";
    if (told) emit({ type: "thought", choice, block: 0, text: reasoning });
    if (Array.isArray(delta.reasoning_details)) readDetails(delta.reasoning_details, choice, told);
    const { content } = delta;
    if (typeof content === "string" && content) {
      emit(
        logprobs
          ? { type: "text", choice, text: content, logprobs }
          : { type: "text", choice, text: content },
      );
    } else if (Array.isArray(content)) {
      for (const part of content) readPart(part, choice); // Mistral's reasoning models
    }
    if (typeof delta.refusal === "string" && delta.refusal) {
      emit({ type: "refusal", choice, text: delta.refusal });
    }
    const legacy = object(delta.function_call);
    if (!legacy && !Array.isArray(delta.tool_calls)) return;
    const readToolCall = choices[choice] ??= toolCallReader(choice, emit);
    if (legacy) readToolCall({ index: 0, function: legacy });
    else {for (const toolCall of delta.tool_calls as JsonObject[]) {
        if (object(toolCall)) readToolCall(toolCall);
      }}
  }

  /** @param told The text already came as `reasoning_content`. */
  function readDetails(details: unknown[], choice: number, told: boolean): void {
    for (const detail of details) {
      const { data, signature, format, index, text, summary } = object(detail) ?? {};
      const block = isCount(index) ? index : 0;
      const from = typeof format === "string" ? format : undefined;
      if (typeof data === "string") emit({ type: "thought", choice, block, redacted: data, format: from });
      const thought = told ? undefined : text ?? summary;
      if (typeof thought === "string" && thought) {
        emit({ type: "thought", choice, block, text: thought, format: from });
      }
      if (typeof signature === "string" && signature) {
        emit({ type: "thought", choice, block, signature, format: from });
      }
    }
  }

  function readPart(part: unknown, choice: number): void {
    const { type, text, thinking } = object(part) ?? {};
    if (type === "text" && typeof text === "string" && text) emit({ type: "text", choice, text });
    if (type !== "thinking") return;
    for (const piece of Array.isArray(thinking) ? thinking : [{ text: thinking }]) {
      const { text: thought } = object(piece) ?? {};
      if (typeof thought === "string" && thought) emit({ type: "thought", choice, block: 0, text: thought });
    }
  }

  return {
    fail,
    failed: () => failed,
    finish(): void {
      if (answered) finished = true;
      else fail({ message: "The provider's answer has no choices", code: "no_choices" });
    },
    read(chunk: JsonObject): void {
      // Azure's first chunk may have neither id nor choices.
      if (!started && (text(chunk.id) || Array.isArray(chunk.choices) && chunk.choices.length > 0)) {
        started = true;
        emit({
          type: "start",
          id: text(chunk.id),
          model: text(chunk.model),
          created: typeof chunk.created === "number" ? chunk.created : undefined,
          service_tier: text(chunk.service_tier),
          fingerprint: text(chunk.system_fingerprint),
        });
      }
      if (Array.isArray(chunk.choices)) {
        for (const choice of chunk.choices) if (object(choice) && !failed) readChoice(choice);
      }
      if (failed) return;
      const usage = object(chunk.usage) ?? object(object(chunk.x_groq)?.usage);
      if (usage) emit({ type: "usage", usage: readUsage(usage) });
    },
    end(): void {
      if (!finished && !failed) {
        fail(cutOff());
      }
    },
  };
}

/**
 * OpenAI counts cached and audio tokens inside the prompt, reasoning and audio inside the completion. What a total has
 * beyond both is what a provider counts beside them: Mistral its audio, xAI its reasoning, and Google's OpenAI form
 * thinks without saying so. Cached tokens also stand beside the sums: DeepSeek, Moonshot, Databricks.
 */
function readUsage(usage: JsonObject): Usage {
  const inPrompt = object(usage.prompt_tokens_details) ?? {};
  const inCompletion = object(usage.completion_tokens_details) ?? {};
  const cacheRead = count(inPrompt.cached_tokens) || count(usage.prompt_cache_hit_tokens) ||
    count(usage.cache_read_input_tokens) || count(usage.cached_tokens);
  const cacheWrite = count(inPrompt.cache_write_tokens) || count(usage.cache_creation_input_tokens);
  const audioIn = count(inPrompt.audio_tokens);
  const audioOut = count(inCompletion.audio_tokens);
  let prompt = count(usage.prompt_tokens);
  let completion = count(usage.completion_tokens);
  let reasoning = count(inCompletion.reasoning_tokens);
  const beside = Math.max(0, count(usage.total_tokens) - prompt - completion);
  if (beside > 0 && beside === audioIn) prompt += beside;
  else {
    completion += beside;
    reasoning ||= beside;
  }
  return {
    input: Math.max(0, prompt - cacheRead - cacheWrite - audioIn),
    cacheRead,
    cacheWrite,
    audioIn,
    output: Math.max(0, completion - reasoning - audioOut),
    reasoning,
    audioOut,
  };
}

// ---------------------------------------------------------------- helpers

/** Whether a value counts from 0. A place in a list is what it is used for. */
const isCount = (value: unknown): value is number => Number.isInteger(value) && value as number >= 0;
