/**
 * OpenAI chat completions, the provider's half.
 *
 * Clients and these providers speak the same format, so bodies are handed through; what is read here are error bodies,
 * and frames where something must be known of a stream (has content begun, what was used). Providers differ: see each
 * comment.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { errorType } from "./errors.ts";
import type { Emit, JsonObject, SameWire, StopReason, StreamReader, Usage, WireError } from "./types.ts";

/** The format that clients and most providers speak. */
export const openaiChat: SameWire = { same: true, readStream, readError };

// ---------------------------------------------------------------- streams

const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["stop", "stop"],
  ["eos", "stop"], // Together
  ["length", "length"],
  ["tool_calls", "tool_calls"],
  ["tool_call", "tool_calls"], // Azure's DeepSeek
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
]);

function readStream(emit: Emit): StreamReader {
  let started = false;
  let finished = false;
  let failed = false;
  const choices: (ChoiceTools | undefined)[] = [];

  function fail(error: WireError): void {
    failed = true;
    emit({ type: "error", error });
  }

  function readChoice(choice: JsonObject): void {
    const index = typeof choice.index === "number" ? choice.index : 0;
    const delta = object(choice.delta) ?? object(choice.message);
    if (delta) readDelta(delta, index, choice.logprobs);
    if (object(choice.error)) return fail(readError(200, choice)); // OpenRouter
    const reason = choice.finish_reason;
    if (typeof reason !== "string" || reason === "") return;
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
    if (Array.isArray(delta.tool_calls)) {
      const tools = choices[choice] ??= { open: -1, keys: [] };
      for (const call of delta.tool_calls) if (object(call)) readCall(call, choice, tools);
    }
  }

  /** @param told The text already came as `reasoning_content`. */
  function readDetails(details: unknown[], choice: number, told: boolean): void {
    for (const detail of details) {
      const { data, signature, format, index, text, summary } = object(detail) ?? {};
      const block = typeof index === "number" ? index : 0;
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

  /**
   * A new call is one with a new id. Indexes do not tell: Mistral leaves them out, z.ai sends -1, OpenRouter has sent
   * two calls under one. Later deltas have no id, or `""` (Alibaba).
   */
  function readCall(call: JsonObject, choice: number, tools: ChoiceTools): void {
    const { id, index } = call;
    const { name, arguments: text } = object(call.function) ?? {};
    const known = typeof id === "string" && id ? tools.keys.findIndex((key) => key.id === id) : -1;
    const later = !(typeof id === "string" && id) && (typeof name !== "string" || !name || tools.open >= 0);
    if (known >= 0) tools.open = known;
    else if (later) {
      for (let at = tools.keys.length - 1; at >= 0; at--) {
        if (typeof index === "number" && tools.keys[at].index === index) {
          tools.open = at;
          break;
        }
      }
    } else {
      tools.open = tools.keys.push({ id: id as string, index }) - 1;
      emit({
        type: "tool",
        choice,
        index: tools.open,
        id: typeof id === "string" && id ? id : `call_${choice}_${tools.open}`,
        name: typeof name === "string" ? name : "",
      });
    }
    if (tools.open < 0) return;
    const written = typeof text === "string" ? text : object(text) ? JSON.stringify(text) : "";
    if (written) emit({ type: "args", choice, index: tools.open, text: written });
  }

  return {
    frame(data, event) {
      if (failed) return;
      if (data === "[DONE]") {
        finished = true;
        return;
      }
      const chunk = parse(data);
      if (!chunk) {
        return fail({ message: "The provider sent an event that is not a JSON object", code: "bad_chunk" });
      }
      if (event === "error" || object(chunk.error) || typeof chunk.error === "string") {
        return fail(readError(200, chunk));
      }
      if (!started) {
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
        for (const choice of chunk.choices) if (object(choice)) readChoice(choice);
      }
      const usage = object(chunk.usage) ?? object(object(chunk.x_groq)?.usage);
      if (usage) emit({ type: "usage", usage: readUsage(usage) });
    },
    end() {
      if (!finished && !failed) {
        fail({ message: "The provider's answer ended before it was finished", code: "cut_off" });
      }
    },
  };
}

interface ChoiceTools {
  /** The call that arguments belong to. */
  open: number;
  keys: { id: string; index: unknown }[];
}

/** OpenAI counts cached and audio tokens inside the prompt, reasoning and audio inside the completion. */
function readUsage(usage: JsonObject): Usage {
  const prompt = object(usage.prompt_tokens_details) ?? {};
  const completion = object(usage.completion_tokens_details) ?? {};
  const cacheRead = count(prompt.cached_tokens);
  const cacheWrite = count(prompt.cache_write_tokens);
  const audioIn = count(prompt.audio_tokens);
  const reasoning = count(completion.reasoning_tokens);
  const audioOut = count(completion.audio_tokens);
  return {
    input: Math.max(0, count(usage.prompt_tokens) - cacheRead - cacheWrite - audioIn),
    cacheRead,
    cacheWrite,
    audioIn,
    output: Math.max(0, count(usage.completion_tokens) - reasoning - audioOut),
    reasoning,
    audioOut,
  };
}

// ---------------------------------------------------------------- errors

/**
 * Error bodies of the OpenAI-compatible providers: OpenAI's own object, `{error: "text"}` (xAI, with `code` beside it),
 * `{detail}` or flat `{message}` (Mistral, FastAPI servers), a list of one (Google), or text.
 */
function readError(status: number, body: unknown): WireError {
  const outer = object(Array.isArray(body) ? body[0] : body) ?? {};
  const inner = object(outer.error) ?? outer;
  const detail = Array.isArray(inner.detail) ? object(inner.detail[0]) : undefined;
  const message = text(inner.message) ?? text(outer.error) ?? text(inner.detail) ?? text(detail?.msg) ??
    text(outer.message) ?? (typeof body === "string" && body.trim() ? body.trim().slice(0, 500) : undefined);
  const code = inner.code ?? outer.code ?? null;
  const where = Array.isArray(detail?.loc) ? detail.loc.slice(1).join(".") : undefined;
  return {
    message: message ?? `The provider answered ${status} without a message`,
    type: text(inner.type) ?? errorType(status < 400 ? 502 : status),
    param: text(inner.param) ?? where ?? null,
    code: isOverflow(message, code)
      ? "context_length_exceeded"
      : typeof code === "number"
      ? code
      : text(code) ?? null,
    status: status >= 400 ? status : typeof code === "number" && code >= 400 && code < 600 ? code : undefined,
    metadata: { original: body },
  };
}

/** The many ways to say that the conversation is too long. */
const OVERFLOW =
  /maximum context length|context.?(length|window|size).{0,40}(exceed|overflow)|exceed.{0,40}context.?(length|window|size)|prompt is too long|too many (input )?tokens|input is too long|too large for model/i;

/** Whether an error means that the prompt does not fit the model. */
export function isOverflow(message: string | undefined, code?: unknown): boolean {
  return code === "context_length_exceeded" || (message !== undefined && OVERFLOW.test(message));
}

// ---------------------------------------------------------------- helpers

function parse(data: string): JsonObject | undefined {
  try {
    return object(JSON.parse(data));
  } catch {
    return undefined;
  }
}

function object(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}

const text = (value: unknown) => typeof value === "string" && value !== "" ? value : undefined;

const count = (value: unknown) => typeof value === "number" && value > 0 ? value : 0;
