/**
 * Anthropic Messages, the conversation: neutral messages into `system` and turns.
 *
 * Turns alternate, tool results stand first in the user turn after their calls, and an assistant's blocks stand in the
 * order in which the model wrote them, as its signatures hold only there.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/working-with-messages (2026-11)
 * @see https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages (2026-11)
 */
import type { ClaudeModel } from "./anthropic_models.ts";
import { append, object, parseExact, parseObject } from "./json.ts";
import { contentPath } from "./parts.ts";
import type { JsonObject, Media, Message, MessageOf, Part, Thought, ToolCall } from "./types.ts";

/** Thinking that Anthropic signed. */
export const SIGNED = "anthropic-claude-v1";
/** A whole content block that OpenAI's form has no place for, as JSON. */
export const BLOCK = "anthropic-block-v1";
/** The order of an assistant's blocks, see `writeLayout`. */
export const LAYOUT = "anthropic-layout-v1";

/** A conversation as the body has it. */
export interface Conversation {
  system: JsonObject[];
  messages: { role: string; content: JsonObject[] }[];
}

/**
 * Writes a conversation.
 *
 * System messages before the first turn become `system`. Later ones stay where they are, behind what the user says in
 * the same gap, on models that take them there: `system` would change, and with it every cached or signed prefix. Other
 * models, and gaps in which the user says nothing, have them in `system`; at the end, where the model must answer them,
 * they are the user's. Empty text is left out, as the API refuses it.
 *
 * @param dropped Takes the client's paths of what cannot be expressed.
 */
export function writeMessages(list: Message[], model: ClaudeModel, dropped: string[]): Conversation {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  /** System messages of this gap. */
  let held: JsonObject[][] = [];

  const last = () => turns[turns.length - 1];

  function turn(role: Turn["role"]): Turn {
    if (last()?.role !== role) turns.push({ role, results: [], content: [] });
    return last();
  }

  function releaseSystem(): void {
    if (held.length === 0) return;
    const blocks = held.flat();
    held = [];
    if (model.systemTurns && last()?.role === "user") append(turn("system").content, blocks);
    else append(system, blocks);
  }

  for (const message of list) {
    if (turns.length === 0 && message.role !== "system" && message.role !== "developer") releaseSystem();
    if (message.name !== undefined && message.role !== "tool") dropped.push(`${message.path}.name`);
    switch (message.role) {
      case "system":
      case "developer": {
        const blocks = writeParts(message, TEXT_ONLY, dropped);
        if (blocks.length > 0) held.push(blocks);
        break;
      }
      case "user": {
        const blocks = writeParts(message, USER, dropped);
        if (blocks.length > 0) append(turn("user").content, blocks);
        break;
      }
      case "tool":
        turn("user").results.push(writeResult(message, dropped));
        break;
      case "assistant": {
        const blocks = writeAssistant(message, dropped);
        if (blocks.length === 0) break;
        releaseSystem();
        append(turn("assistant").content, blocks);
      }
    }
  }
  // Where the user has said nothing, the model is to answer these.
  const asked = turns.length === 0 ? held.splice(-1) : last().role === "assistant" ? held.splice(0) : [];
  releaseSystem();
  if (asked.length > 0) append(turn("user").content, asked.flat());
  if (last()?.role === "assistant") trimPrefill(turns);
  return {
    system,
    messages: turns.map(({ role, results, content }) => ({ role, content: [...results, ...content] })),
  };
}

interface Turn {
  role: "user" | "assistant" | "system";
  results: JsonObject[];
  content: JsonObject[];
}

/** An answer to be continued may not end in white space. */
function trimPrefill(turns: Turn[]): void {
  const { content } = turns[turns.length - 1];
  const block = content[content.length - 1];
  if (block.type !== "text") return;
  const text = (block.text as string).trimEnd();
  content.pop();
  if (text !== "") content.push({ ...block, text });
  if (content.length === 0) turns.pop();
}

// ---------------------------------------------------------------- parts

/** Part types that a place can hold, beside native ones. */
type Place = ReadonlySet<Part["type"]>;
const TEXT_ONLY: Place = new Set(["text", "refusal"]);
const USER: Place = new Set(["text", "refusal", "image", "file"]);

/** The content of a message; its own `cache_control` is its last block's. */
function writeParts(message: Message, place: Place, dropped: string[]): JsonObject[] {
  const blocks: JsonObject[] = [];
  for (const part of message.parts) {
    const block = writePart(part, place, dropped);
    if (block) blocks.push(part.cache === undefined ? block : { ...block, cache_control: part.cache });
  }
  return mark(blocks, message.cache);
}

function mark(blocks: JsonObject[], cache: unknown): JsonObject[] {
  if (cache === undefined) return blocks;
  const at = blocks.findLastIndex(({ type }) => type !== "thinking" && type !== "redacted_thinking");
  if (at >= 0) blocks[at] = { ...blocks[at], cache_control: cache };
  return blocks;
}

function writePart(part: Part, place: Place, dropped: string[]): JsonObject | undefined {
  if (part.type === "native") return part.value;
  const written = place.has(part.type) ? writeKnown(part, dropped) : undefined;
  if (written === undefined) dropped.push(contentPath(part));
  return written ?? undefined;
}

/** `null` for what is empty and no loss. */
function writeKnown(part: Part, dropped: string[]): JsonObject | null | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text.trim() === "" ? null : { type: "text", text: part.text };
    case "image":
      if (part.detail !== undefined && part.detail !== "auto") dropped.push(`${part.path}.image_url.detail`);
      return { type: "image", source: writeSource(part.media) };
    case "file":
      return writeFile(part.media, part.name);
  }
}

function writeSource(media: Media): JsonObject {
  if ("url" in media) return { type: "url", url: media.url };
  if ("id" in media) return { type: "file", file_id: media.id };
  return { type: "base64", media_type: media.mime, data: media.data };
}

/** PDFs and texts are documents, pictures are images; there is no block for any other kind. */
function writeFile(media: Media, name: string | undefined): JsonObject | undefined {
  const title = name === undefined ? {} : { title: name };
  if (!("mime" in media) || media.mime === "application/pdf") {
    return { type: "document", source: writeSource(media), ...title };
  }
  if (media.mime.startsWith("image/")) return { type: "image", source: writeSource(media) };
  if (!/^text\/|^application\/(json|xml|yaml|x-yaml|javascript)\b/.test(media.mime)) return undefined;
  const source = { type: "text", media_type: "text/plain", data: decodeText(media.data) };
  return { type: "document", source, ...title };
}

function decodeText(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return base64; // Not base64 after all.
  }
}

// ---------------------------------------------------------------- tools

/** One result. Blocks inside it cannot carry `cache_control`: the last mark among them is the result's own. */
function writeResult(message: MessageOf<"tool">, dropped: string[]): JsonObject {
  const content: JsonObject[] = [];
  let cache = message.cache;
  for (const part of message.parts) {
    const block = writePart(part, USER, dropped);
    if (!block) continue;
    content.push(block);
    cache = part.cache ?? cache;
  }
  const out: JsonObject = { type: "tool_result", tool_use_id: safeId(message.callId) };
  if (content.length === 1 && content[0].type === "text") out.content = content[0].text;
  else if (content.length > 0) out.content = content;
  if (message.error) out.is_error = true;
  if (cache !== undefined) out.cache_control = cache;
  return out;
}

function writeCallBlock(call: ToolCall): JsonObject {
  return { type: "tool_use", id: safeId(call.id), name: call.name, input: readInput(call) };
}

/** Input is always an object: other text is told in the form that Anthropic's guide gives for broken JSON. */
function readInput({ arguments: text, custom }: ToolCall): unknown {
  if (custom) return { input: text };
  if (text.trim() === "") return {};
  const input = parseExact(text);
  if (input === null) return {}; // Written for calls without arguments by some.
  return object(input) ?? { INVALID_JSON: text }; // Cut off, most likely.
}

/**
 * An id of letters, digits, `-` and `_`, the same for a call and its result.
 *
 * Other characters become `_`; a hash of the whole keeps ids apart that would then be equal.
 */
function safeId(id: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(id)) return id;
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return `${id.replace(/[^a-zA-Z0-9_-]/g, "_")}_${(hash >>> 0).toString(36)}`;
}

// ---------------------------------------------------------------- the assistant's turn

/**
 * The blocks of an assistant's message: thinking, text, calls; or in the order in which the model wrote them, where it
 * wrote them in another and the client kept what we said of it. Thoughts that Anthropic did not sign are left out and
 * named: they prove nothing and it refuses them.
 */
function writeAssistant(message: MessageOf<"assistant">, dropped: string[]): JsonObject[] {
  const kept: JsonObject[] = [];
  let layout: string | undefined;
  for (const thought of message.thoughts) {
    if (thought.format === LAYOUT) layout = thought.redacted;
    const block = writeThought(thought);
    if (block) kept.push(block);
    else if (thought.format !== LAYOUT) dropped.push(`${message.path}.${fieldOf(thought)}`);
  }
  const text = writeParts({ ...message, cache: undefined }, TEXT_ONLY, dropped);
  const calls = message.calls.map(writeCallBlock);
  const ordered = layout === undefined ? undefined : arrange(layout, kept, wholeText(message.parts), calls);
  return mark(ordered ?? [...kept, ...text, ...calls], message.cache);
}

/** Where clients have a thought. */
const fieldOf = ({ signature, redacted }: Thought) =>
  signature === undefined && redacted === undefined ? "reasoning_content" : "reasoning_details";

/** The text as the model wrote it, also where it is white space; nothing if there is anything else. */
function wholeText(parts: Part[]): string | undefined {
  let whole = "";
  for (const part of parts) {
    if (part.type !== "text" || part.cache !== undefined) return undefined;
    whole += part.text;
  }
  return whole;
}

/** Whether a thought is one that Anthropic takes back. */
export function isSigned({ signature, redacted, format }: Thought): boolean {
  return (format === undefined || format === SIGNED) && Boolean(signature || redacted);
}

function writeThought(thought: Thought): JsonObject | undefined {
  const { text, signature, redacted, format } = thought;
  if (redacted !== undefined && format === BLOCK) return parseObject(redacted);
  if (!isSigned(thought)) return undefined;
  return redacted === undefined
    ? { type: "thinking", thinking: text ?? "", signature }
    : { type: "redacted_thinking", data: redacted };
}

/**
 * Says in which order an answer's blocks came: `b` for one that travels whole (thinking, server tools), `x12` for twelve
 * UTF-16 units of text, `u` for a tool call; `bx12ubu`.
 *
 * @returns Nothing where `bbx12uu`, the order in which they are put together again, is right anyway.
 */
export function writeLayout(order: string): string | undefined {
  return order.includes("b") && !/^b*(x\d+)?u*$/.test(order) ? order : undefined;
}

/** The blocks in that order; nothing if it is not made of just these, as when the client has edited the message. */
function arrange(
  layout: string,
  kept: JsonObject[],
  whole: string | undefined,
  calls: JsonObject[],
): JsonObject[] | undefined {
  if (whole === undefined) return undefined;
  const out: JsonObject[] = [];
  let k = 0, c = 0, at = 0;
  for (const [token, length] of layout.matchAll(/b|u|x(\d+)/g)) {
    if (token === "b") out.push(kept[k++]);
    else if (token === "u") out.push(calls[c++]);
    else {
      const piece = whole.slice(at, at += Number(length));
      if (piece.trim() !== "") out.push({ type: "text", text: piece });
    }
  }
  return k === kept.length && c === calls.length && at === whole.length ? out : undefined;
}
