/**
 * OpenAI chat completions, the provider's half: reads answers and streams into deltas.
 *
 * A client of the same format gets the body unchanged; then only its errors, the start of its content and its usage are
 * read. Clients of other formats get what is read here. Comments name the providers that deviate.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { readCompatibleError as readError } from "../shared/compatible_error.ts";
import { count, object, objects, parseObject, text } from "../shared/json.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import { toldCost } from "../shared/told_cost.ts";
import type { Delta, Emit, JsonObject, Media, StopReason, StreamReader, Usage, WireError } from "../types.ts";
import { type ReasoningReader, reasoningReader } from "./read_reasoning.ts";
import { googleSignature, readCitations } from "./read_thoughts.ts";
import { toolCallReader } from "./read_tool_calls.ts";

// ---------------------------------------------------------------- streams

/** Providers' finish reasons and their equals at OpenAI. */
export const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["stop", "stop"],
  ["eos", "stop"], // Together
  ["length", "length"],
  ["tool_calls", "tool_calls"],
  ["tool_call", "tool_calls"], // Azure's DeepSeek
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
  ["sensitive", "content_filter"], // z.ai
  ["max_tokens", "length"],
  ["model_length", "length"], // Mistral
  ["model_context_window_exceeded", "length"], // z.ai
]);

/** Finish reasons that mean that the answer broke off, and the client's message for each. */
const BROKEN: ReadonlyMap<string, string> = new Map([
  ["insufficient_system_resource", "The provider ran out of resources and broke off its answer"], // DeepSeek
  ["network_error", "The provider's connection to its model broke"], // z.ai
]);

export function readAnswer(body: JsonObject, emit: Emit): void {
  const answered = Array.isArray(body.choices) && body.choices.length > 0;
  // Some providers report a problem beside a good answer.
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

/** The state of one choice. */
interface Reading {
  reasoning: ReasoningReader;
  toolCall?: (toolCall: JsonObject) => void;
  /** The UTF-16 units of text so far. */
  length: number;
}

/** Reads the chunks of a stream. A whole answer is read like a single chunk. */
function answerReader(emit: Emit) {
  let started = false;
  let finished = false;
  let failed = false;
  let answered = false;
  const choices: (Reading | undefined)[] = [];
  /** Sources that stand beside the choices in each chunk (Perplexity, xAI). They are emitted once. */
  let sources: unknown[] | undefined;

  function fail(error: WireError): void {
    failed = true;
    emit({ type: "error", error });
  }

  function readChoice(choice: JsonObject): void {
    answered = true;
    const index = isCount(choice.index) ? choice.index : 0;
    const delta = object(choice.delta) ?? object(choice.message);
    if (delta) readDelta(delta, index, choice.logprobs);
    else if (typeof choice.text === "string" && choice.text) { // The older form, of `/completions`.
      emit({ type: "text", choice: index, text: choice.text });
    }
    if (object(choice.error)) return fail(readError(200, choice)); // OpenRouter
    const reason = choice.finish_reason;
    if (typeof reason !== "string" || reason === "") return;
    if (reason === "error") return fail(readError(200, choice)); // OpenRouter
    const broken = BROKEN.get(reason);
    if (broken !== undefined) return fail({ message: broken, code: reason });
    if (sources) tellSources(index);
    finished = true;
    emit(stopOf(choice, index, reason));
  }

  function readDelta(delta: JsonObject, choice: number, logprobs: unknown): void {
    const state = choices[choice] ??= { reasoning: reasoningReader(choice, emit), length: 0 };
    const { reasoning } = state;
    reasoning.read(delta);
    const { content } = delta;
    if (typeof content === "string" && content) say(content, choice, state, logprobs);
    else if (Array.isArray(content)) {
      for (const part of content) readPart(object(part) ?? {}, choice, state); // Mistral's reasoning models
    }
    if (typeof delta.refusal === "string" && delta.refusal) {
      reasoning.close();
      emit({ type: "refusal", choice, text: delta.refusal });
    }
    if (delta.annotations) readAnnotations(delta.annotations, choice, emit);
    if (delta.images) { for (const image of objects(delta.images)) readImage(image, choice, emit); }
    if (delta.audio) readAudio(object(delta.audio) ?? {}, choice, emit);
    const legacy = object(delta.function_call);
    if (legacy || Array.isArray(delta.tool_calls)) {
      reasoning.close();
      const readToolCall = state.toolCall ??= toolCallReader(choice, emit);
      if (legacy) readToolCall({ index: 0, function: legacy });
      else for (const toolCall of objects(delta.tool_calls)) readToolCall(toolCall);
    }
    const signature = googleSignature(delta);
    if (signature) emit({ type: "signature", choice, signature });
  }

  function say(said: string, choice: number, state: Reading, logprobs?: unknown): void {
    state.reasoning.close();
    state.length += said.length;
    emit(
      logprobs ? { type: "text", choice, text: said, logprobs } : { type: "text", choice, text: said },
    );
  }

  function readPart(part: JsonObject, choice: number, state: Reading): void {
    const { type, thinking } = part;
    if (type === "text" && typeof part.text === "string" && part.text) say(part.text, choice, state);
    else if (type === "image_url") readImage(part, choice, emit);
    if (type !== "thinking") return;
    for (const piece of Array.isArray(thinking) ? thinking : [{ text: thinking }]) {
      const thought = text(object(piece)?.text);
      if (thought !== undefined) state.reasoning.think(thought);
    }
  }

  /** Emits the sources. Each stands at the end of the text, because no provider says which passage rests on it. */
  function tellSources(choice: number): void {
    const at = choices[choice]?.length ?? 0;
    for (const source of sources!) {
      const url = text(source) ?? text(object(source)?.url);
      const title = text(object(source)?.title) ?? "";
      if (url) emit({ type: "citation", choice, citation: { url, title, start: at, end: at } });
    }
    sources = undefined;
  }

  return {
    fail,
    failed: () => failed,
    finish(): void {
      if (answered) finished = true;
      else fail({ message: "The provider's answer has no choices", code: "no_choices" });
    },
    read(chunk: JsonObject): void {
      // Azure's first chunk may have no id and no choices.
      if (!started && (text(chunk.id) || Array.isArray(chunk.choices) && chunk.choices.length > 0)) {
        started = true;
        emit(startOf(chunk));
      }
      const beside = chunk.search_results ?? chunk.citations;
      if (Array.isArray(beside) && !finished) sources = beside;
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

function stopOf(choice: JsonObject, index: number, reason: string): Delta {
  // The stop sequence that ended the answer, under vLLM's name and under SGLang's. Both may be the number of a token
  // instead.
  const sequence = text(choice.stop_reason) ?? text(choice.matched_stop);
  const stop = STOPS.get(reason) ?? "stop";
  return sequence !== undefined && stop === "stop"
    ? { type: "stop", choice: index, reason: stop, sequence }
    : { type: "stop", choice: index, reason: stop };
}

function startOf(chunk: JsonObject): Delta {
  return {
    type: "start",
    id: text(chunk.id),
    model: text(chunk.model),
    created: typeof chunk.created === "number" ? chunk.created : undefined,
    service_tier: text(chunk.service_tier),
    fingerprint: text(chunk.system_fingerprint),
  };
}

function readAnnotations(annotations: unknown, choice: number, emit: Emit): void {
  for (const citation of readCitations(annotations) ?? []) emit({ type: "citation", choice, citation });
}

function readImage(image: JsonObject, choice: number, emit: Emit): void {
  const { url } = object(image.image_url) ?? { url: image.image_url };
  const media = typeof url === "string" ? readMedia(url) : undefined;
  if (!media) return;
  const signature = googleSignature(image);
  emit(signature ? { type: "image", choice, media, signature } : { type: "image", choice, media });
}

function readAudio({ id, data, transcript, expires_at }: JsonObject, choice: number, emit: Emit): void {
  emit({
    type: "audio",
    choice,
    id: text(id),
    data: text(data),
    transcript: text(transcript),
    expires_at: typeof expires_at === "number" ? expires_at : undefined,
  });
}

/**
 * Reads the usage. OpenAI's prompt count includes cached and audio tokens, its completion count includes reasoning and
 * audio.
 *
 * If the total is larger than both, the provider counts something beside them: Mistral its audio, xAI its reasoning,
 * and Google's OpenAI-compatible API thoughts that it does not mention. Some providers write cached tokens beside the
 * sums: DeepSeek, Moonshot, Databricks.
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
    ...toldCost(usage),
  };
}

// ---------------------------------------------------------------- helpers

/** Reads a URL, or the bytes of a `data:` URL. */
function readMedia(url: string): Media | undefined {
  if (!/^data:/i.test(url)) return url === "" ? undefined : { url };
  const comma = url.indexOf(",");
  const [mime] = url.slice(5, comma).split(";", 1);
  return comma < 0 || mime === "" ? undefined : { mime, data: url.slice(comma + 1) };
}

/** Whether a value is a whole number from 0, so that it can be the index of a list. */
const isCount = (value: unknown): value is number => Number.isInteger(value) && value as number >= 0;
