/**
 * Anthropic Messages, a request that is handed through: removes what other providers' models left in earlier turns.
 *
 * Anthropic checks its signatures and sealed blocks, and refuses a conversation with anything else in their place.
 * Sluice marks what it writes there for other providers (`shared/envelope.ts`) and removes it here, so that a
 * conversation can move to Claude at any turn.
 */
import { isEnvelope } from "../shared/envelope.ts";
import { isObject, list, object, objects, text } from "../shared/json.ts";
import type { Fields, JsonObject, Receiver } from "../types.ts";
import { readPart } from "./read_parts.ts";
import { BILLING } from "./read_turns.ts";

/**
 * Whether thinking must be turned off: Claude is to think by a budget in a turn that another provider's model began without
 * a thought. Such a turn may hold no envelope.
 */
export const isDue = ({ get, fromEnd }: Fields, { isAuthor, model }: Receiver): boolean =>
  thinksByBudget(get) && (isAuthor || model.includes("claude")) && resumesUnthought(fromEnd("messages"));

/**
 * The new values of the fields that must change, by name.
 *
 * @param get Reads a field of the body.
 * @param to Claude Code's billing line is removed for any provider but Anthropic.
 * @param dropped Takes the client's paths of what is left out. The billing line and the proofs of other providers'
 * thoughts are not named, because they mean nothing to this provider.
 */
export function withoutForeign(
  get: (field: string) => unknown,
  { isAuthor }: Receiver,
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
  if (isChanged) edits.set("messages", kept);
  if (thinksByBudget(get) && resumesUnthought(kept.toReversed())) turnOff(get, edits, dropped);
  return edits;
}

const thinksByBudget = (get: Fields["get"]) => object(get("thinking"))?.type === "enabled";

/**
 * Turns thinking off. The API refuses a turn that does not begin with it: "Expected `thinking`, but found `tool_use` … To avoid
 * this requirement, disable `thinking`". It also refuses to clear thoughts then: "`clear_thinking_20251015` strategy requires
 * `thinking` to be enabled".
 */
function turnOff(get: Fields["get"], edits: Map<string, unknown>, dropped: string[]): void {
  edits.set("thinking", { type: "disabled" });
  dropped.push("thinking");
  const management = object(get("context_management"));
  const strategies = objects(management?.edits);
  const left = strategies.filter(({ type }) => !text(type)?.startsWith("clear_thinking_"));
  if (left.length === strategies.length) return;
  edits.set("context_management", left.length > 0 ? { ...management, edits: left } : null);
  strategies.forEach((strategy, at) => {
    // To keep all thoughts asks for nothing.
    if (!left.includes(strategy) && strategy.keep !== "all") dropped.push(`context_management.edits[${at}]`);
  });
}

/** The blocks without those of other providers; `undefined` if none must be removed. */
function keepOwn(content: unknown[], path: string, dropped: string[]): unknown[] | undefined {
  /** By the id of another provider's tool call: the text that replaces its result. The call itself is removed. */
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

/** Whether a block is the result of another provider's search or code execution. */
const isForeignResult = ({ type, content }: JsonObject): boolean =>
  typeof type === "string" && type.endsWith("_tool_result") &&
  (objects(content).some(({ encrypted_content: sealed }) => isEnvelope(sealed)) ||
    isEnvelope(object(content)?.sealed));

/**
 * Whether the conversation ends with tool results in a turn of the assistant that does not begin with thinking. The turn goes
 * back to the last message of the user that has no results.
 *
 * @param messages From the last one.
 */
function resumesUnthought(messages: Iterable<unknown>): boolean {
  let first: JsonObject | undefined;
  let resumes = false;
  for (const message of messages) {
    const { role, content } = object(message) ?? {};
    if (role === "assistant") {
      if (!resumes) return false;
      first = object(list(content)[0]) ?? {};
    } else if (role === "user") {
      if (!objects(content).some(({ type }) => type === "tool_result")) break;
      resumes = true;
    }
  }
  return first !== undefined && first.type !== "thinking" && first.type !== "redacted_thinking";
}
