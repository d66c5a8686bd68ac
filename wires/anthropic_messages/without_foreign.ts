/**
 * Anthropic Messages, a request that is handed through: without what other makers said in the conversation's earlier turns.
 *
 * Anthropic checks what it signed and sealed, and refuses a conversation with anything else in its place. What our answers
 * wrote there for other makers is marked (`shared/envelope.ts`), so that a conversation can go on with Claude at any turn.
 */
import { isEnvelope } from "../shared/envelope.ts";
import { isObject, object, objects, text } from "../shared/json.ts";
import type { JsonObject } from "../types.ts";
import { readPart } from "./read_parts.ts";
import { BILLING } from "./read_turns.ts";

/**
 * The fields that have to change, by name.
 *
 * @param get A field of the body.
 * @param isAuthor Whether it goes to Anthropic: Claude Code's billing line is for nobody else.
 * @param dropped Takes the client's paths of what is left out, beside that line and proofs of others' thoughts, which say
 * nothing here.
 */
export function withoutForeign(
  get: (field: string) => unknown,
  isAuthor: boolean,
  dropped: string[],
): Map<string, unknown> {
  const edits = new Map<string, unknown>();
  const system = get("system");
  if (!isAuthor && Array.isArray(system)) {
    const told = system.filter((block) => !text(object(block)?.text)?.startsWith(BILLING));
    if (told.length < system.length) edits.set("system", told);
  }
  const messages = get("messages");
  if (!Array.isArray(messages)) return edits;
  const kept: unknown[] = [];
  let isChanged = false;
  messages.forEach((message, at) => {
    const content = object(message)?.role === "assistant" ? (message as JsonObject).content : undefined;
    const blocks = Array.isArray(content) ? keepOwn(content, `messages[${at}].content`, dropped) : undefined;
    if (!blocks) return void kept.push(message);
    isChanged = true;
    if (blocks.length > 0) kept.push({ ...message as JsonObject, content: blocks });
  });
  if (!isChanged) return edits;
  edits.set("messages", kept);
  if (object(get("thinking"))?.type === "enabled" && resumesUnthought(kept)) {
    // "Expected `thinking`, but found `tool_use` … To avoid this requirement, disable `thinking`"
    edits.set("thinking", { type: "disabled" });
    dropped.push("thinking");
  }
  return edits;
}

/** The blocks without those of others; `undefined` where all may stay. */
function keepOwn(content: unknown[], path: string, dropped: string[]): unknown[] | undefined {
  /** Ids of searches of others, whose calls go with their results. */
  const told = new Map<unknown, JsonObject[]>();
  content.forEach((block, at) => {
    if (!isObject(block) || !isForeignResult(block)) return;
    const words = readPart(block, `${path}[${at}]`, { dropped }).flatMap((part) =>
      part.type === "text" ? [{ type: "text", text: part.text }] : []
    );
    told.set(block.tool_use_id, words);
  });
  let isChanged = false;
  const kept = content.flatMap((block, at): unknown[] => {
    if (!isObject(block)) return [block];
    const own = told.has(block.tool_use_id)
      ? told.get(block.tool_use_id)!
      : block.type === "server_tool_use" && told.has(block.id)
      ? []
      : keepBlock(block, `${path}[${at}]`, dropped);
    if (own.length !== 1 || own[0] !== block) isChanged = true;
    return own;
  });
  return isChanged ? kept : undefined;
}

function keepBlock(block: JsonObject, path: string, dropped: string[]): JsonObject[] {
  switch (block.type) {
    case "thinking":
      return isEnvelope(block.signature) ? [] : [block];
    case "redacted_thinking":
      return isEnvelope(block.data) ? [] : [block];
    case "image":
      dropped.push(path);
      return [];
    case "text": {
      const { citations, ...rest } = block;
      if (!objects(citations).some(({ encrypted_index: index }) => isEnvelope(index))) return [block];
      return [rest];
    }
    default:
      return [block];
  }
}

/** What a search of another maker found, or what it ran. */
const isForeignResult = ({ type, content }: JsonObject): boolean =>
  typeof type === "string" && type.endsWith("_tool_result") &&
  (objects(content).some(({ encrypted_content: sealed }) => isEnvelope(sealed)) ||
    isEnvelope(object(content)?.sealed));

/** Whether the conversation ends with results of a turn that does not begin with thinking. */
function resumesUnthought(messages: unknown[]): boolean {
  const last = object(messages.at(-1));
  if (!objects(last?.content).some(({ type }) => type === "tool_result")) return false;
  const turn = messages.findLast((message) => object(message)?.role === "assistant");
  const [first] = objects(object(turn)?.content);
  return first?.type !== "thinking" && first?.type !== "redacted_thinking";
}
