/**
 * Gemini's generateContent, the provider's half: writes requests.
 *
 * Checked against `@google/genai` 3.3 (types, and what it sends to the Developer API) and ai.google.dev, 2026-11:
 * function calling, thinking, thought signatures, structured output, file input methods, media resolution, tool
 * combination, long decode, OpenAI compatibility.
 *
 * @see https://ai.google.dev/api/generate-content
 */
import { markPath } from "../shared/cache_marks.ts";
import { THOUGHT_FORMAT } from "./read_parts.ts";
import { budgetFor, type GeminiModel, geminiModel, modelPath } from "./models.ts";
import { cutNames, writeName } from "./names.ts";
import { writePart } from "./write_parts.ts";
import { readArguments, type Result, writeResult } from "./write_results.ts";
import { writeTerms } from "./write_settings.ts";
import { withClaudeThinking, withRouterReasoning } from "../shared/gateway_fields.ts";
import { append, parseObject } from "../shared/json.ts";
import { withServed } from "../shared/served_calls.ts";
import { markInstruction, nothingSaid } from "../shared/parts.ts";
import type { Call, JsonObject, Message, MessageOf, Part, Thought, WireRequest } from "../types.ts";

/**
 * Google's documented signature for tool calls that Gemini did not make (history from another model). Gemini 3 and
 * later answer 400 to a tool call without a signature.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const STAND_IN_SIGNATURE = "skip_thought_signature_validator";

interface Content {
  role: "user" | "model";
  parts: JsonObject[];
}

/**
 * Writes a call for `{models/…}:generateContent` or `:streamGenerateContent`.
 *
 * @throws GatewayError `invalid_model`, or `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeCall(asked: Call): WireRequest {
  const path = modelPath(asked.model); // First, so that nothing else is done with a name that is too long.
  const model = geminiModel(asked.model);
  const dropped: string[] = [];
  const asBudget = (call: Call, tokens: number) => withBudget(call, model, tokens);
  const call = withClaudeThinking(
    withRouterReasoning(withServed(asked), dropped, asBudget),
    dropped,
    asBudget,
  );
  const { contents, system, continuationToken } = writeMessages(call, model, dropped);
  const body: JsonObject = {};
  if (system.length > 0) body.systemInstruction = { parts: system };
  Object.assign(body, writeTerms(call, model, dropped));
  if (continuationToken !== undefined) body.continuationToken = continuationToken;
  body.contents ??= contents; // `contents` comes last, so that a conversation's next request begins with the bytes of this one.
  const method = call.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  return { path: `/v1beta/${path}:${method}`, body, dropped, toolNames: cutNames(call.settings.tools) };
}

/** The call with a thinking budget in tokens; `undefined` if the model accepts no number. */
function withBudget(call: Call, model: GeminiModel, tokens: number): Call | undefined {
  const thinkingConfig = budgetFor(tokens, model);
  return thinkingConfig && { ...call, extra: { thinkingConfig, ...call.extra } };
}

// ---------------------------------------------------------------- messages

/**
 * Writes the conversation. Instructions before the first other message become `systemInstruction`. Later ones stay in
 * their place as marked text of the user, so that each request of a conversation begins with the one before it.
 */
function writeMessages({ messages, extra }: Call, model: GeminiModel, dropped: string[]) {
  const system: JsonObject[] = [];
  const contents: Content[] = [];
  const calls = new Map<string, { name: string; order: number }>();
  let results: (Result & { order: number })[] = [];
  /** The tool calls that have a result in this turn: Google refuses more results than tool calls. */
  const answered = new Set<string>();
  /** Instructions since the last user or assistant message. Results on both sides of them belong to one turn. */
  let held: JsonObject[] = [];
  /** The user's last message, if nothing of it could be sent. */
  let silent: Message | undefined;
  let leading = model.system;
  let continuationToken: unknown;
  let made = 0;
  /** The conversation continues from a start that Google has cached. */
  const isCached = "cachedContent" in extra || "cached_content" in extra;

  /**
   * Writes the results as one turn, in the order of their tool calls. Media that they cannot hold become a turn behind
   * it.
   */
  function closeTurn(): void {
    if (results.length > 0) {
      results.sort((a, b) => a.order - b.order);
      contents.push({ role: "user", parts: results.map(({ part }) => part) });
      addTurn(contents, "user", results.flatMap(({ beside }) => beside));
      results = [];
      answered.clear();
    }
    addTurn(contents, "user", held);
    held = [];
  }

  for (const message of messages) {
    if (message.role === "user" || message.role === "assistant") closeTurn();
    noteUnsaid(message, dropped);
    if (message.role !== "system" && message.role !== "developer") leading = false;
    switch (message.role) {
      case "system":
      case "developer":
        append(leading ? system : held, writeSystem(message, leading, dropped));
        break;
      case "user": {
        const parts = writeParts(message.parts, model, dropped);
        silent = parts.length === 0 ? message : undefined;
        addTurn(contents, "user", parts);
        break;
      }
      case "assistant": {
        if (message === messages.at(-1)) continuationToken = tokenOf(message.thoughts);
        // The token replaces the partial answer, which must not be sent as well.
        if (continuationToken !== undefined) break;
        for (const { id, name } of message.calls) calls.set(id, { name, order: made++ });
        if (contents.length === 0 && !isCached) begin(contents);
        const parts = writeAnswered(message, model, dropped);
        if (parts.length > 0) silent = undefined;
        addTurn(contents, "model", parts);
        break;
      }
      case "tool": {
        const { callId } = message;
        if (answered.has(callId)) {
          dropped.push(message.path);
          break;
        }
        answered.add(callId);
        const { name, order } = calls.get(callId) ?? { name: message.name ?? callId, order: made };
        results.push({ order, ...writeResult(message, name, model, dropped) });
      }
    }
  }
  closeTurn();
  if (silent && contents.at(-1)?.role !== "user") throw nothingSaid(silent, "Gemini");
  if (model.signed) standIn(contents, model.signed);
  if (contents.length === 0 && system.length > 0) begin(contents);
  const isSaid = contents.length > 0 || isCached || "contents" in extra;
  if (!isSaid) throw nothingSaid(messages[messages.length - 1], "Gemini");
  if (!model.prefill) dropPrefill(contents, messages, dropped);
  return { contents, system, continuationToken };
}

/**
 * Adds a user turn to a conversation with only instructions, or that begins with the assistant: contents must not be
 * empty, and a tool call of the model must follow a user turn.
 */
const begin = (contents: Content[]) => contents.push({ role: "user", parts: [{ text: "Begin." }] });

/**
 * Leaves out an assistant turn at the end: newer models refuse to continue it ("Requests ending with a model turn are
 * not supported").
 */
function dropPrefill(contents: Content[], messages: Message[], dropped: string[]): void {
  if (contents.at(-1)?.role !== "model") return;
  contents.pop();
  const before = messages.findLastIndex(({ role }) => role === "user" || role === "tool");
  for (const { role, path } of messages.slice(before + 1)) if (role === "assistant") dropped.push(path);
}

/**
 * Adds a turn, or adds to the last turn if that has the same role: older models refuse two turns of one role in a row.
 */
function addTurn(contents: Content[], role: Content["role"], parts: JsonObject[]): void {
  if (parts.length === 0) return;
  const last = contents.at(-1);
  // A turn of results contains nothing else.
  if (last?.role !== role || last.parts[0].functionResponse) contents.push({ role, parts });
  else append(last.parts, parts);
}

/** Names what Gemini's contents cannot hold. The `name` of a tool result is kept: it names the function. */
function noteUnsaid(message: Message, dropped: string[]): void {
  if (message.name !== undefined && message.role !== "tool") dropped.push(`${message.path}.name`);
  if (message.cache !== undefined) dropped.push(markPath(message));
  for (const part of message.parts) {
    if (part.cache !== undefined) dropped.push(markPath(part));
  }
}

function writeSystem(message: Message, leading: boolean, dropped: string[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const part of message.parts) {
    if (part.type === "text" || part.type === "refusal") {
      if (part.text !== "") out.push({ text: leading ? part.text : markInstruction(part.text) });
    } else dropped.push(part.path);
  }
  return out;
}

/** Writes the parts of a message. Empty text is left out, because the API refuses it. */
function writeParts(parts: Part[], model: GeminiModel, dropped: string[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const part of parts) {
    const written = writePart(part, model, dropped);
    if (!written || written.text === "") continue;
    if (part.signature !== undefined) written.thoughtSignature = part.signature;
    out.push(written);
  }
  return out;
}

function writeAnswered(message: MessageOf<"assistant">, model: GeminiModel, dropped: string[]): JsonObject[] {
  const out = writeThoughts(message, dropped);
  const spoken = out.length;
  append(out, writeParts(message.parts, model, dropped));
  if (message.signature !== undefined) {
    const text = out.findLast((part, at) => at >= spoken && typeof part.text === "string");
    if (text) text.thoughtSignature = message.signature;
    else out.push({ text: "", thoughtSignature: message.signature }); // It came in a last part without text, so it goes back in one.
  }
  for (const call of message.calls) {
    const part: JsonObject = {
      functionCall: { id: call.id, name: writeName(call.name), args: readArguments(call) },
    };
    if (call.signature !== undefined) part.thoughtSignature = call.signature;
    out.push(part);
  }
  return out;
}

function writeThoughts(message: MessageOf<"assistant">, dropped: string[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const { text, signature, redacted, format, path } of message.thoughts) {
    if (redacted !== undefined) {
      const sealed = format === THOUGHT_FORMAT ? parseObject(redacted) : undefined;
      if (!sealed) dropped.push(path);
      else if (sealed.continuationToken === undefined) out.push(sealed);
      continue;
    }
    const ours = signature !== undefined && format === THOUGHT_FORMAT;
    if (ours) out.push({ text: text ?? "", thought: true, thoughtSignature: signature });
    else if (text) out.push({ text, thought: true });
  }
  return out;
}

/**
 * The token of an answer that was cut off and may continue, if that answer is the last message.
 *
 * @see https://ai.google.dev/gemini-api/docs/generate-content/long-decode
 */
function tokenOf(thoughts: Thought[]): unknown {
  for (const { redacted, format } of thoughts) {
    const token = format === THOUGHT_FORMAT && redacted
      ? parseObject(redacted)?.continuationToken
      : undefined;
    if (token !== undefined) return token;
  }
}

/**
 * Signs parts whose signature the client did not keep: the first tool call of each turn of the model, or for an image
 * model every part but thoughts ("Image part is missing a thought_signature").
 */
function standIn(contents: Content[], signed: "calls" | "parts"): void {
  for (const { role, parts } of contents) {
    if (role !== "model") continue;
    if (signed === "parts") {
      for (const part of parts) if (part.thought !== true) part.thoughtSignature ??= STAND_IN_SIGNATURE;
    } else {
      const first = parts.find((part) => part.functionCall);
      if (first) first.thoughtSignature ??= STAND_IN_SIGNATURE;
    }
  }
}
