/**
 * Anthropic Messages, the conversation: neutral messages into `system` and turns.
 *
 * Neighbours of one role are one turn, as the API would join them anyway. Tool results stand first in the user turn after
 * their calls. An instruction stays where it stands: a request must begin with the request before it, as caches and Claude's
 * signatures hold only for an unchanged beginning.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls (2026-11) Where results stand.
 * @see https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages (2026-11) Where the API takes an
 * instruction. It does not say what follows for a conversation that goes on with the user: that is ours.
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking (2026-11) What a signature is bound to.
 */
import { safeId, writeAnswered } from "./write_answered.ts";
import type { ClaudeModel } from "./models.ts";
import { type Notes, TEXT_ONLY, USER, writePart, writeParts } from "./write_parts.ts";
import { append } from "../shared/json.ts";
import { markInstruction, nothingSaid } from "../shared/parts.ts";
import type { JsonObject, Message, MessageOf } from "../types.ts";

/** A conversation as the body has it. */
export interface Conversation {
  system: JsonObject[];
  messages: { role: string; content: JsonObject[] }[];
  /** Where the last answer's code runs: `{id, expires_at}`. */
  container?: JsonObject;
}

interface Turn {
  role: "user" | "assistant" | "system";
  /** By the id of the call that they answer. */
  results: Map<string, JsonObject>;
  content: JsonObject[];
  /** The client's paths of what an assistant's turn is made of. */
  paths: string[];
}

/** The user's turn of a conversation that begins with the assistant, or in which nobody has spoken yet. */
const BEGIN = "Begin.";
/**
 * The assistant's turn between an instruction and the user's next words: the API refuses a user turn there, and the
 * request before this one may have ended with that instruction.
 */
const NO_ANSWER = "(no answer)";

/**
 * Writes a conversation.
 *
 * System and developer messages before the first other message become `system`. Later ones stay where they are: as a turn
 * of their own where the model takes one there, which is between the user and the assistant and at the end; else as the
 * user's text, marked. Empty text is left out, as the API refuses it.
 *
 * @throws GatewayError `invalid_request` if the user's last words come to nothing: the model would go on with its old answer.
 */
export function writeMessages(list: Message[], model: ClaudeModel, notes: Notes): Conversation {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  /** Instructions that nothing but tool results follows yet. */
  let held: JsonObject[] = [];
  /** The user's last message since the assistant spoke that came to nothing. */
  let silent: Message | undefined;
  let container: JsonObject | undefined;

  const last = (): Turn | undefined => turns[turns.length - 1];

  function turn(role: Turn["role"]): Turn {
    if (last()?.role !== role) turns.push({ role, results: new Map(), content: [], paths: [] });
    return last()!;
  }

  /** The held instructions, where the assistant speaks next. */
  function release(): void {
    if (held.length === 0) return;
    if (model.systemTurns && last()?.role === "user") append(turn("system").content, held);
    else append(turn("user").content, held.map((block) => asUsers(block, notes)));
    held = [];
  }

  let first = list.findIndex((message) => !isInstruction(message));
  if (first < 0) first = list.length;
  for (const message of list.slice(0, first)) {
    nameName(message, notes);
    append(system, writeParts(message, TEXT_ONLY, notes));
  }
  const begins = list[first]?.role;
  if (system.length > 0 && (begins === undefined || begins === "assistant")) {
    turn("user").content.push({ type: "text", text: BEGIN });
  }

  for (const message of first === 0 ? list : list.slice(first)) {
    nameName(message, notes);
    switch (message.role) {
      case "system":
      case "developer":
        append(held, writeParts(message, TEXT_ONLY, notes));
        break;
      case "user": {
        const blocks = writeParts(message, USER, notes);
        if (blocks.length === 0) silent = message;
        else {
          if (held.length > 0 && model.systemTurns && last()?.role === "user") {
            release();
            turn("assistant").content.push({ type: "text", text: NO_ANSWER });
          }
          const { content } = turn("user");
          append(content, held.map((block) => asUsers(block, notes)));
          append(content, blocks);
          held = [];
        }
        break;
      }
      case "tool":
        writeResult(message, turn("user").results, notes);
        break;
      case "assistant": {
        const answered = writeAnswered(message, notes);
        let { blocks } = answered;
        if (blocks.length === 0) {
          const heard = model.systemTurns && held.length > 0 && last()?.role === "user";
          if (!heard || message === list.at(-1)) break;
          blocks = [{ type: "text", text: NO_ANSWER }];
        }
        release();
        const to = turn("assistant");
        append(to.content, blocks);
        to.paths.push(message.path);
        container = answered.container ?? container;
        silent = undefined;
      }
    }
  }
  release();
  if (silent && last()?.role !== "user" && last()?.role !== "system") throw nothingSaid(silent, "Claude");
  endTurns(turns, model, notes);
  if (turns.length === 0) throw nothingSaid(list[list.length - 1], "Claude");
  return {
    system,
    messages: turns.map(({ role, results, content }) => ({
      role,
      content: [...results.values(), ...content],
    })),
    container,
  };
}

const isInstruction = ({ role }: Message) => role === "system" || role === "developer";

function nameName({ role, name, path }: Message, { dropped }: Notes): void {
  if (name !== undefined && role !== "tool") dropped.push(`${path}.name`);
}

/** An instruction's block as the user's. */
function asUsers(block: JsonObject, { marks }: Notes): JsonObject {
  if (typeof block.text !== "string") return block;
  const marked = { ...block, text: markInstruction(block.text) };
  const path = marks.get(block);
  if (path !== undefined) {
    marks.delete(block);
    marks.set(marked, path);
  }
  return marked;
}

/**
 * Ends the conversation as the model takes it. Where it cannot go on with an answer that was begun, the answer is left out
 * and named. An answer that waits for tools is none of these: Anthropic's own tools go on from it (`pause_turn`).
 */
function endTurns(turns: Turn[], model: ClaudeModel, { dropped }: Notes): void {
  const last = turns[turns.length - 1];
  if (last?.role !== "assistant") return;
  if (!model.prefill && last.content.every(({ type }) => SPOKEN.has(type))) {
    dropped.push(...last.paths);
    turns.pop();
    return;
  }
  // An answer to be continued may not end in white space.
  const block = last.content[last.content.length - 1];
  if (block.type === "text") {
    last.content[last.content.length - 1] = { ...block, text: (block.text as string).trimEnd() };
  }
}

const SPOKEN: ReadonlySet<unknown> = new Set(["redacted_thinking", "text", "thinking"]);

// ---------------------------------------------------------------- tools

/** What a failed tool says that said nothing: `content` cannot be empty if `is_error` is true. */
const FAILED = "The tool failed and returned nothing.";

/**
 * Adds one result, or names it if the turn has one for the same call. Blocks inside it cannot carry `cache_control`: the
 * last mark among them is the result's own.
 */
function writeResult(message: MessageOf<"tool">, results: Turn["results"], notes: Notes): void {
  const id = safeId(message.callId);
  if (results.has(id)) {
    notes.dropped.push(message.path);
    return;
  }
  const content: JsonObject[] = [];
  let { cache, path } = message;
  for (const part of message.parts) {
    const block = writePart(part, USER, notes);
    if (!block) continue;
    content.push(block);
    if (part.cache === undefined) continue;
    ({ cache, path } = part);
  }
  const out: JsonObject = { type: "tool_result", tool_use_id: id };
  if (content.length === 1 && content[0].type === "text") out.content = content[0].text;
  else if (content.length > 0) out.content = content;
  else if (message.error) out.content = FAILED;
  if (message.error) out.is_error = true;
  if (cache !== undefined) {
    out.cache_control = cache;
    notes.marks.set(out, `${path}.cache_control`);
  }
  results.set(id, out);
}
