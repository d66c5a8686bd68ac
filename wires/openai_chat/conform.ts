/**
 * Mends chat completions of providers that deviate from OpenAI's format: answers are read and written anew, so that an
 * OpenAI SDK can read them.
 *
 * Only what an SDK cannot read is changed, in the provider's own objects. All other members stay, including those that
 * OpenAI does not have.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
import { isObject, object, objects, parseExact, text } from "../shared/json.ts";
import { sseReader } from "../streams/sse.ts";
import type { Step } from "../streams/translate.ts";
import type { Defaults, JsonObject, WireError } from "../types.ts";
import { STOPS } from "./read_answer.ts";
import { writeCompatibleError } from "../shared/compatible_error.ts";

/** Mends whole answers and streams. */
export interface Mender {
  answer: typeof conformAnswer;
  stream: typeof conforming;
}

/** The values of OpenAI's `finish_reason`. */
const FINISHES: ReadonlySet<unknown> = new Set([
  "content_filter",
  "function_call",
  "length",
  "stop",
  "tool_calls",
]);

/** Members of content parts whose text is moved elsewhere. A list with any other member is kept whole. */
const PLAIN: ReadonlySet<string> = new Set(["closed", "text", "thinking", "type"]);

/**
 * Mends a whole answer.
 *
 * @param body The provider's answer; it is changed. A body without choices, e.g. an error, stays unchanged.
 */
export function conformAnswer(body: JsonObject, defaults: Defaults): JsonObject {
  if (!Array.isArray(body.choices) || body.choices.length === 0) return body;
  mendEnvelope(body, defaults, "chat.completion");
  body.choices = objects(body.choices).map((choice, at) => {
    const message = object(choice.message) ?? object(choice.delta) ?? {};
    delete choice.delta;
    choice.message = message;
    message.role ??= "assistant";
    if (message.content === undefined) message.content = null;
    mendMessage(message);
    const calls = objects(message.tool_calls);
    calls.forEach((call, index) => mendCall(call, at, index));
    mendChoice(choice, at);
    if (choice.finish_reason === null) choice.finish_reason = calls.length > 0 ? "tool_calls" : "stop";
    return choice;
  });
  return body;
}

/** The state of one choice of a stream. */
interface ChoiceState {
  begun: boolean;
  finished: boolean;
  hasCalls: boolean;
  /** The number of tool calls so far, for providers that do not number them. */
  calls: number;
}

/**
 * Mends a stream: takes the provider's bytes and returns events that an OpenAI SDK can read, ended by `[DONE]`.
 *
 * @param failure Makes the client's error for a broken source.
 * @param tell Makes the client's error from an event with an error.
 * @param maxEventSize The longest event, as in `sseReader`.
 */
export function conforming(
  defaults: Defaults,
  failure: (cause: unknown) => WireError,
  tell: (chunk: JsonObject) => JsonObject,
  maxEventSize?: number,
): Step {
  let out = "";
  let failed = false;
  let done = false;
  /** Azure's first chunk has no id: it waits for the next chunk. */
  let early: JsonObject | undefined;
  const known = { ...defaults };
  const choices = new Map<number, ChoiceState>();
  const parser = sseReader(frame, maxEventSize);

  function frame(data: string, event: string): void {
    if (failed || done || data === "") return;
    if (data.startsWith("[DONE]")) {
      done = true;
      return;
    }
    const chunk = object(parseExact(data));
    if (!chunk) {
      return fail({ message: "The provider sent an event that is not a JSON object", code: "bad_chunk" });
    }
    if (event === "error" || chunk.object === "error" || object(chunk.error) || text(chunk.error)) {
      failed = true;
      write(tell(chunk), event === "error" ? "event: error\n" : "");
      return;
    }
    if (!early && choices.size === 0 && !text(chunk.id) && objects(chunk.choices).length === 0) {
      early = chunk;
      return;
    }
    known.id = text(chunk.id) ?? known.id;
    known.model = text(chunk.model) ?? known.model;
    if (typeof chunk.created === "number" && chunk.created > 0) known.created = chunk.created;
    writeEarly();
    writeChunk(chunk);
  }

  function writeEarly(): void {
    if (early) writeChunk(early);
    early = undefined;
  }

  function writeChunk(chunk: JsonObject): void {
    mendEnvelope(chunk, known, "chat.completion.chunk");
    chunk.choices = objects(chunk.choices).map((choice, at) => mendPiece(choice, at, choices));
    // A usage after all choices also ends an answer.
    if (object(chunk.usage) && (chunk.choices as unknown[]).length === 0 && choices.size > 0) {
      done = true;
      finishChoices();
    }
    write(chunk);
  }

  function finishChoices(): void {
    for (const [index, state] of choices) {
      if (state.finished) continue;
      state.finished = true;
      const finish_reason = state.hasCalls ? "tool_calls" : "stop";
      const { id, created, model } = known;
      write({
        id,
        object: "chat.completion.chunk",
        created,
        model,
        choices: [{ index, delta: {}, finish_reason }],
      });
    }
  }

  function write(value: JsonObject, before = ""): void {
    out += `${before}data: ${JSON.stringify(value)}\n\n`;
  }

  function fail(error: WireError): void {
    failed = true;
    write(writeCompatibleError(error));
  }

  return {
    push(chunk) {
      parser.push(chunk);
      return !failed;
    },
    end() {
      parser.end();
      if (failed) return;
      writeEarly();
      if (done) finishChoices();
      if (choices.size === 0 || [...choices.values()].some(({ finished }) => !finished)) {
        return fail({ message: "The provider's answer ended before it was finished", code: "cut_off" });
      }
      out += "data: [DONE]\n\n";
    },
    fail(cause) {
      if (!failed) fail(failure(cause));
    },
    take() {
      const written = out;
      out = "";
      return written;
    },
  };
}

// ---------------------------------------------------------------- what is mended

function mendEnvelope(body: JsonObject, { id, created, model }: Defaults, kind: string): void {
  body.id = text(body.id) ?? id;
  body.object = kind;
  if (typeof body.created !== "number" || body.created === 0) body.created = created;
  body.model = text(body.model) ?? model;
  // Snowflake writes an empty string for an absent tier.
  if (body.service_tier === "") delete body.service_tier;
}

/**
 * Mends one choice of a chunk.
 *
 * @param choices The state of the stream's choices by index; it is kept up here.
 */
function mendPiece(choice: JsonObject, at: number, choices: Map<number, ChoiceState>): JsonObject {
  const delta = object(choice.delta) ?? object(choice.message) ?? {};
  // Perplexity and Writer repeat the message beside its delta. An SDK that joins the chunks would have the text
  // twice.
  delete choice.message;
  choice.delta = delta;
  mendMessage(delta);
  mendChoice(choice, at);
  const index = choice.index as number;
  let state = choices.get(index);
  if (!state) choices.set(index, state = { begun: false, finished: false, hasCalls: false, calls: 0 });
  mendCalls(delta, index, state);
  // Workers AI sends no role; without one OpenAI's SDK throws at the end.
  if (!state.begun) delta.role ??= "assistant";
  state.begun = true;
  if (choice.finish_reason !== null) state.finished = true;
  return choice;
}

function mendCalls(delta: JsonObject, index: number, state: ChoiceState): void {
  for (const call of objects(delta.tool_calls)) {
    state.hasCalls = true;
    const begins = text(object(call.function)?.name) ?? text(call.name);
    const numbered = Number.isInteger(call.index) && call.index as number >= 0;
    if (!numbered) call.index = begins ? state.calls : Math.max(0, state.calls - 1);
    if (begins) state.calls = Math.max(state.calls, call.index as number + 1);
    // Later pieces of a tool call have only its index.
    if (begins) mendCall(call, index, call.index as number);
    else if (call.id === "") delete call.id;
  }
}

function mendChoice(choice: JsonObject, at: number): void {
  if (!Number.isInteger(choice.index) || choice.index as number < 0) choice.index = at;
  const { finish_reason: reason } = choice;
  if (FINISHES.has(reason)) return;
  choice.finish_reason = typeof reason !== "string" || reason === "" ? null : STOPS.get(reason) ?? "stop";
  // The name is OpenRouter's.
  if (choice.finish_reason !== null) choice.native_finish_reason ??= reason;
}

/** Mends a message or a delta. */
function mendMessage(message: JsonObject): void {
  const { content } = message;
  if (Array.isArray(content)) readParts(message, content);
  // Workers AI parses JSON that the client asked for.
  else if (content !== null && content !== undefined && typeof content !== "string") {
    message.content = JSON.stringify(content);
  }
  // Snowflake writes objects of empty strings for absent members.
  if (
    isObject(message.function_call) && message.function_call.name === "" && !message.function_call.arguments
  ) {
    delete message.function_call;
  }
  if (isObject(message.audio) && message.audio.id === "" && !message.audio.data) delete message.audio;
}

/** Joins a list of content parts into texts. Mistral's reasoning models answer with a list of thoughts and texts. */
function readParts(message: JsonObject, parts: unknown[]): void {
  let said = "";
  let thought = "";
  let plain = true;
  for (const part of parts) {
    const { type, text, thinking, ...rest } = object(part) ?? { other: part };
    if (type === "text" && typeof text === "string") said += text;
    else if (type === "thinking" && (Array.isArray(thinking) || typeof thinking === "string")) {
      thought += typeof thinking === "string"
        ? thinking
        : objects(thinking).map((piece) => typeof piece.text === "string" ? piece.text : "").join("");
    } else plain = false;
    if (Object.keys(rest).some((name) => !PLAIN.has(name))) plain = false;
  }
  message.content = said;
  if (thought !== "" && message.reasoning_content === undefined) message.reasoning_content = thought;
  // OpenAI's form cannot hold references and other parts, so the whole list is kept.
  if (!plain) message.content_parts = parts;
}

function mendCall(call: JsonObject, choice: number, index: number): void {
  if (!isObject(call.function) && text(call.name)) {
    call.function = { name: call.name, arguments: call.arguments };
    delete call.name;
    delete call.arguments;
  }
  call.id = text(call.id) ?? `call_${choice}_${index}`;
  call.type = text(call.type) ?? "function";
  const toolCall = object(call.function);
  if (!toolCall || typeof toolCall.arguments === "string") return;
  toolCall.arguments = toolCall.arguments === undefined || toolCall.arguments === null
    ? ""
    : JSON.stringify(toolCall.arguments);
}
