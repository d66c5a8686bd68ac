/**
 * Anthropic Messages, the client's half: reads `system` and `messages` into neutral messages.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/working-with-messages (2026-11)
 */
import * as v from "npm:valibot@1.5.0";
import { isEnvelope, unseal } from "../shared/envelope.ts";
import { need } from "../shared/faults.ts";
import { append, isObject, list, object, text } from "../shared/json.ts";
import { callIds, unpackToolId } from "../shared/tool_id.ts";
import type { JsonObject, Message, MessageOf, Part, ServedCall, Thought, ToolCall } from "../types.ts";
import { readMcpResult, readMcpUse } from "./mcp.ts";
import { type ReadNotes, readPart, readParts } from "./read_parts.ts";
import { ownId } from "./packed_ids.ts";
import { SIGNED } from "./write_answered.ts";

const BLOCKS = v.array(v.looseObject({ type: v.string() }));
const CONTENT = v.union([v.string(), BLOCKS]);

/** The schema of a conversation. The content of its blocks is checked when the blocks are read. */
export const MESSAGES = v.pipe(
  v.array(v.variant("role", [
    v.looseObject({ role: v.picklist(["user", "assistant"]), content: CONTENT }),
    // A message that only sets the effort has no content.
    v.looseObject({ role: v.literal("system"), content: v.nullish(CONTENT) }),
  ])),
  v.nonEmpty(),
);

/** The schema of `system`. */
export const SYSTEM = v.union([v.string(), BLOCKS]);

/**
 * Whether a value is a conversation with texts only. `MESSAGES` accepts these too; this check is cheaper, see
 * `openai_chat`.
 */
export function isPlainTalk(messages: unknown): boolean {
  if (!Array.isArray(messages) || messages.length === 0) return false;
  for (const message of messages) {
    if (typeof message?.content !== "string") return false;
    const { role } = message;
    if (role !== "user" && role !== "assistant" && role !== "system") return false;
  }
  return true;
}

/** The messages of a conversation, and what they say about the effort and the tools. */
export interface ReadTurns {
  messages: Message[];
  /** The effort set by the last message that sets one, and its path. */
  effort?: { value: string; path: string };
  /** By a tool's name: whether messages have loaded the tool (`true`) or removed it (`false`). */
  loaded: Map<string, boolean>;
}

/**
 * How Claude Code's line for Anthropic's billing begins. It is only for Anthropic, and before everything else it would
 * change the cached start of the prompt.
 */
export const BILLING = "x-anthropic-billing-header:";

/** Reads `system` and `messages` of a body that has passed `MESSAGES`. */
export function readTurns({ system, messages }: JsonObject, notes: ReadNotes): ReadTurns {
  const turns: ReadTurns = { messages: [], loaded: new Map() };
  const preface = readParts(system, "system", notes).filter((part) =>
    !(part.type === "text" && part.text.startsWith(BILLING))
  );
  if (preface.length > 0) turns.messages.push({ role: "system", path: "system", parts: preface });
  const ids = callIds();
  const all = messages as JsonObject[];
  const lastUser = all.findLastIndex(({ role }) => role === "user");
  all.forEach((message, at) => {
    const path = `messages[${at}]`;
    switch (message.role) {
      case "system":
        return readSystem(message, path, at < lastUser, turns, notes);
      case "assistant":
        return void turns.messages.push(readAssistant(message, path, ids, notes));
      default:
        return readUser(message, path, ids, turns, notes);
    }
  });
  return turns;
}

// ---------------------------------------------------------------- instructions between turns

function readSystem(
  message: JsonObject,
  path: string,
  isPast: boolean,
  turns: ReadTurns,
  notes: ReadNotes,
): void {
  const effort = text(object(message.output_config)?.effort);
  if (effort) turns.effort = { value: effort, path: `${path}.output_config.effort` };
  const blocks: { block: JsonObject; path: string }[] = [];
  if (Array.isArray(message.content)) {
    (message.content as JsonObject[]).forEach((block, at) => {
      const blockPath = `${path}.content[${at}]`;
      if (!changeTools(block, blockPath, turns, notes)) blocks.push({ block, path: blockPath });
    });
  }
  // Anthropic's page: "Once a later user message exists … the message is no longer shown to the model."
  if (message.clear_at === "next_user_message" && isPast) return;
  const parts = typeof message.content === "string"
    ? readParts(message.content, `${path}.content`, notes)
    : blocks.flatMap(({ block, path }) => readPart(block, path, notes));
  if (parts.length > 0) turns.messages.push({ role: "system", path, parts });
}

/** Reads a block that offers or removes a tool from here on. Returns `false` for any other block. */
function changeTools(
  block: JsonObject,
  path: string,
  { loaded }: ReadTurns,
  { dropped }: ReadNotes,
): boolean {
  if (block.type !== "tool_addition" && block.type !== "tool_removal") return false;
  const { tool } = block;
  const name = isObject(tool) && tool.type === "tool_reference" ? text(tool.name) : undefined;
  if (name === undefined) dropped.push(path);
  else loaded.set(name, block.type === "tool_addition");
  return true;
}

// ---------------------------------------------------------------- the user

/** Reads a user turn: tool results first, in the client's order, then everything else that the user says. */
function readUser(
  message: JsonObject,
  path: string,
  ids: ReturnType<typeof callIds>,
  turns: ReadTurns,
  notes: ReadNotes,
): void {
  const { content } = message;
  if (typeof content === "string") {
    turns.messages.push({ role: "user", path, parts: readParts(content, `${path}.content`, notes) });
    return;
  }
  const said: Part[] = [];
  let results = 0;
  (content as JsonObject[]).forEach((block, at) => {
    const blockPath = `${path}.content[${at}]`;
    if (block.type === "tool_result") {
      turns.messages.push(readResult(block, blockPath, ids, turns, notes));
      results++;
    } else append(said, readPart(block, blockPath, notes));
  });
  if (said.length > 0 || results === 0) turns.messages.push({ role: "user", path, parts: said });
}

function readResult(
  block: JsonObject,
  path: string,
  ids: ReturnType<typeof callIds>,
  { loaded }: ReadTurns,
  notes: ReadNotes,
): MessageOf<"tool"> {
  const id = unpackToolId(ownId(need(block.tool_use_id, `${path}.tool_use_id`))).id;
  for (const inner of list(block.content)) {
    if (isObject(inner) && inner.type === "tool_reference" && typeof inner.tool_name === "string") {
      loaded.set(inner.tool_name, true);
    }
  }
  const { content } = block;
  if (content != null && !v.is(CONTENT, content)) notes.dropped.push(`${path}.content`);
  const result: MessageOf<"tool"> & { path: string; parts: Part[] } = {
    role: "tool",
    path,
    callId: ids.result(id),
    parts: v.is(CONTENT, content) ? readParts(content, `${path}.content`, notes) : [],
  };
  if (block.is_error === true) result.error = true;
  if (isObject(block.cache_control)) result.cache = block.cache_control;
  return result;
}

// ---------------------------------------------------------------- the model

function readAssistant(
  message: JsonObject,
  path: string,
  ids: ReturnType<typeof callIds>,
  notes: ReadNotes,
): Message {
  const parts: Part[] = [];
  const thoughts: (Thought & { path: string })[] = [];
  const calls: ToolCall[] = [];
  const turn: MessageOf<"assistant"> & { path: string; parts: Part[] } = {
    role: "assistant",
    path,
    parts,
    thoughts,
    calls,
  };
  if (typeof message.content === "string") {
    append(parts, readParts(message.content, `${path}.content`, notes));
    return turn;
  }
  const served = servedCalls(parts, ids);
  (message.content as JsonObject[]).forEach((block, at) => {
    const blockPath = `${path}.content[${at}]`;
    switch (block.type) {
      case "mcp_tool_use":
        return served.call(block, blockPath);
      case "mcp_tool_result":
        return served.result(block, blockPath, notes);
      case "thinking":
      case "redacted_thinking": {
        const proof = text(block.type === "thinking" ? block.signature : block.data);
        const sealed = proof === undefined ? undefined : unseal(proof);
        const thought = sealed?.thought ?? ownProof(block, proof);
        const shown = text(block.thinking);
        if (shown !== undefined) thought.text = shown;
        if (Object.keys(thought).some((key) => key !== "format")) {
          thoughts.push({ ...thought, path: blockPath });
        }
        return;
      }
      case "tool_use":
        return void calls.push(readToolUse(block, blockPath, ids));
      default:
        append(parts, readPart(block, blockPath, notes));
    }
  });
  const told = served.told(notes);
  if (told.length > 0) turn.served = told;
  return turn;
}

/** Pairs the calls of servers' tools in a message with their results. A call without its result is left out and named. */
function servedCalls(parts: Part[], ids: ReturnType<typeof callIds>) {
  const calls: ServedCall[] = [];
  const waiting = new Map<unknown, ServedCall>();
  return {
    call(block: JsonObject, path: string): void {
      const id = need(block.id, `${path}.id`);
      const call = { ...readMcpUse(block), id: ids.call(id), path, after: parts.length };
      calls.push(call);
      waiting.set(id, call);
    },
    result(block: JsonObject, path: string, { dropped }: ReadNotes): void {
      const call = waiting.get(block.tool_use_id);
      waiting.delete(block.tool_use_id);
      if (call) Object.assign(call, readMcpResult(block));
      else dropped.push(path);
    },
    told({ dropped }: ReadNotes): ServedCall[] {
      const open = new Set(waiting.values());
      for (const { path } of open) dropped.push(path);
      return calls.filter((call) => !open.has(call));
    },
  };
}

/** Reads a proof as Anthropic's own. A damaged envelope proves nothing. */
function ownProof({ type }: JsonObject, proof: string | undefined): Thought {
  if (proof === undefined || isEnvelope(proof)) return {};
  return type === "thinking" ? { signature: proof, format: SIGNED } : { redacted: proof, format: SIGNED };
}

function readToolUse(block: JsonObject, path: string, ids: ReturnType<typeof callIds>): ToolCall {
  const { id, signature } = unpackToolId(ownId(need(block.id, `${path}.id`)));
  const call: ToolCall = {
    id: ids.call(id),
    name: need(block.name, `${path}.name`),
    arguments: JSON.stringify(block.input ?? {}),
    path,
  };
  if (signature !== undefined) call.signature = signature;
  return call;
}
