/**
 * Amazon's Converse: writes neutral messages as `system` and turns.
 *
 * Turns of user and assistant alternate, and the first is the user's. The results of a turn's tool calls stand in one
 * user turn, first. A blank text is refused, so it is left out. An instruction between turns is the user's marked text,
 * in its place: a request must begin with the request before it.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html (2026-11)
 */
import { markPath } from "../shared/cache_marks.ts";
import { append, parseObject } from "../shared/json.ts";
import { markInstruction, nothingSaid } from "../shared/parts.ts";
import type { JsonObject, Message, MessageOf, Thought, ToolCall } from "../types.ts";
import type { Draft } from "./draft.ts";
import { writeId, writeName } from "./names.ts";
import { addPoint, writePart } from "./write_parts.ts";

/** The format name of Claude's proofs, which are the same at Amazon and at Anthropic. */
export const SIGNED = "anthropic-claude-v1";
/** The format name of sealed thoughts that are not Claude's text. */
export const SEALED = "bedrock-converse-v1";

interface Turn {
  role: "user" | "assistant";
  /** The tool calls that have a result here. */
  answered: Set<string>;
  results: JsonObject[];
  content: JsonObject[];
  paths: string[];
}

/** The user's text before an assistant that speaks first, and in a conversation of instructions alone. */
const BEGIN = "Begin.";
/** In place of the output of a tool that returned nothing: Converse refuses blank texts there too. */
const EMPTY = "(empty)";
/** The text beside a document, which must not stand alone. */
const DOCUMENT = "(document)";

/**
 * Writes a conversation.
 *
 * @param prefill Whether the conversation may end with the assistant's turn.
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeTurns(
  list: Message[],
  prefill: boolean,
  draft: Draft,
): { system: JsonObject[]; messages: { role: string; content: JsonObject[] }[] } {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  /** The last message of the user since the assistant's turn of which nothing could be sent. */
  let silent: Message | undefined;

  function turn(role: Turn["role"]): Turn {
    let last = turns.at(-1);
    if (last?.role !== role) {
      if (!last && role === "assistant") turn("user").content.push({ text: BEGIN });
      turns.push(last = { role, answered: new Set(), results: [], content: [], paths: [] });
    }
    return last!;
  }

  const spoken = list.findIndex(({ role }) => role !== "system" && role !== "developer");
  const first = spoken < 0 ? list.length : spoken;
  list.forEach((message, at) => {
    if (message.name !== undefined && message.role !== "tool") draft.dropped.push(`${message.path}.name`);
    if (message.role === "tool") return writeResult(message, turn("user"), draft);
    if (message.role === "assistant") {
      const blocks = writeAssistant(message, draft);
      if (blocks.length === 0) return;
      const to = turn("assistant");
      append(to.content, blocks);
      to.paths.push(message.path);
      silent = undefined;
      return;
    }
    if (at < first) return writeParts(message, system, draft);
    const isUsers = message.role === "user";
    const blocks: JsonObject[] = [];
    writeParts(message, blocks, draft);
    if (blocks.length === 0) silent = isUsers ? message : silent;
    else append(turn("user").content, isUsers ? blocks : blocks.map(asUsers));
  });
  if (turns.length === 0 && system.length > 0 && !silent) turn("user").content.push({ text: BEGIN });
  const last = turns.at(-1);
  if (silent && last?.role !== "user") throw nothingSaid(silent, "Bedrock");
  if (last?.role === "assistant") endTurns(turns, last, prefill, draft);
  if (turns.length === 0) throw nothingSaid(list[list.length - 1], "Bedrock");
  return {
    system,
    messages: turns.map(({ role, results, content }) => ({
      role,
      content: complete([...results, ...content]),
    })),
  };
}

/** Ends the conversation as the model accepts it: a begun answer is left out and named, or loses its last blanks. */
function endTurns(turns: Turn[], last: Turn, prefill: boolean, { dropped }: Draft): void {
  const block = last.content.at(-1)!;
  if (!prefill && !last.content.some(({ toolUse }) => toolUse)) {
    append(dropped, last.paths);
    turns.pop();
  } else if (typeof block.text === "string") block.text = block.text.trimEnd();
}

/** Adds a text to a turn with a document and no text. */
const complete = (content: JsonObject[]): JsonObject[] =>
  content.some(({ document }) => document) && !content.some(({ text }) => text !== undefined)
    ? [{ text: DOCUMENT }, ...content]
    : content;

const asUsers = (block: JsonObject): JsonObject =>
  typeof block.text === "string" ? { text: markInstruction(block.text) } : block;

/** Adds the parts of a message to a list, with the cache points that the client has marked. */
function writeParts(message: Message, to: JsonObject[], draft: Draft): void {
  for (const part of message.parts) {
    const block = writePart(part, message.role === "user", draft);
    if (!block) continue;
    to.push(block);
    addPoint(to, part, draft);
  }
  addPoint(to, message, draft);
}

// ---------------------------------------------------------------- the assistant's turn

function writeAssistant(message: MessageOf<"assistant">, draft: Draft): JsonObject[] {
  const out: JsonObject[] = [];
  for (const thought of message.thoughts) {
    const block = draft.family.thoughts && writeThought(thought);
    if (block) out.push({ reasoningContent: block });
    else draft.dropped.push(thought.path);
  }
  const { cache, cachePath, path } = message;
  writeParts({ ...message, cache: undefined }, out, draft);
  for (const call of message.calls) out.push(writeCall(call, draft));
  addPoint(out, { cache, cachePath, path }, draft);
  return out;
}

/** Whether a thought is Claude's, with its proof. */
export const isClaudes = (thought: Thought): boolean =>
  thought.format !== SEALED && writeThought(thought) !== undefined;

/** Writes a thought that its maker has signed; `undefined` for any other, which Converse refuses. */
function writeThought({ text, signature, redacted, format }: Thought): JsonObject | undefined {
  if (format === SEALED && redacted) return { redactedContent: redacted };
  if (format !== undefined && format !== SIGNED) return undefined;
  if (signature) return { reasoningText: { text: text ?? "", signature } };
  // A text that begins with `{` is an order of blocks, which the gateway itself has sealed.
  return redacted && !redacted.startsWith("{") ? { redactedContent: btoa(redacted) } : undefined;
}

function writeCall(call: ToolCall, draft: Draft): JsonObject {
  const { name, custom, arguments: text } = call;
  if (draft.asText) return { text: `[called the tool ${name} (${call.id}) with ${text || "{}"}]` };
  const input = custom ? { input: text } : text.trim() === "" ? {} : parseObject(text) ?? { arguments: text };
  return {
    toolUse: { toolUseId: writeId(call.id, draft.family.shortIds), name: nameOf(name, draft), input },
  };
}

/** The name of a tool as Converse takes it. The client's own comes back in the answer. */
export function nameOf(name: string, { toolNames }: Draft): string {
  const written = writeName(name);
  if (written !== name) toolNames.set(written, name);
  return written;
}

// ---------------------------------------------------------------- results of tools

function writeResult(message: MessageOf<"tool">, turn: Turn, draft: Draft): void {
  const { family, dropped, asText } = draft;
  const { callId, parts, error } = message;
  if (turn.answered.has(callId)) return void dropped.push(message.path);
  turn.answered.add(callId);
  const content: JsonObject[] = [];
  let marked: { cache?: unknown; path: string; cachePath?: string } = message;
  for (const part of parts) {
    const block = writePart(part, family.results === true, draft);
    if (block) content.push(block);
    if (part.cache !== undefined) marked = part;
  }
  if (content.length === 0) content.push({ text: EMPTY });
  if (asText) {
    const said = content.map(({ text }) => text ?? "").join("\n");
    turn.results.push({ text: `[the tool ${error ? "failed" : "answered"} (${callId})]\n${said}` });
    if (marked.cache != null) dropped.push(markPath(marked));
    return;
  }
  if (error && !family.results) dropped.push(`${message.path}.is_error`);
  turn.results.push({
    toolResult: {
      toolUseId: writeId(callId, family.shortIds),
      content,
      ...(error && family.results && { status: "error" }),
    },
  });
  addPoint(turn.results, marked, draft);
}
