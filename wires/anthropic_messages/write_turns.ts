/**
 * Anthropic Messages, the provider's half: writes neutral messages as `system` and turns.
 *
 * Neighbouring messages of one role become one turn, as the API would join them anyway. Tool results stand first in the
 * user turn after their tool calls. An instruction stays in its place: a request must begin with the request before it,
 * because caches and Claude's signatures are only valid for an unchanged beginning.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls (2026-11) says where results
 * stand.
 * @see https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages (2026-11) says where the
 * API accepts an instruction. It does not say how a conversation continues if the user speaks next: `NO_ANSWER` is our
 * choice.
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking (2026-11) says what a signature is
 * bound to.
 */
import { joinAnswers, safeId, writeAnswered } from "./write_answered.ts";
import type { ClaudeModel } from "../shared/claude_models.ts";
import { type Notes, TEXT_ONLY, USER, writePart, writeParts } from "./write_parts.ts";
import { markPath } from "../shared/cache_marks.ts";
import { append } from "../shared/json.ts";
import { markInstruction, nothingSaid } from "../shared/parts.ts";
import type { JsonObject, Message, MessageOf, Part } from "../types.ts";

export interface Conversation {
  system: JsonObject[];
  messages: { role: string; content: JsonObject[] }[];
  /** The container of the last answer's code: `{id, expires_at}`. */
  container?: JsonObject;
}

interface Turn {
  role: "user" | "assistant" | "system";
  /** The tool results, by the id of the tool call that they answer. */
  results: Map<string, JsonObject>;
  content: JsonObject[];
  /** The client's paths of the messages in an assistant's turn. */
  paths: string[];
}

/** The text of the user's turn before an assistant that speaks first, or in a conversation of instructions only. */
const BEGIN = "Begin.";
/**
 * The text of the assistant's turn between an instruction and the user's next message. The API refuses a user turn
 * there, and the previous request may have ended with that instruction.
 */
const NO_ANSWER = "(no answer)";

/**
 * Writes a conversation.
 *
 * System and developer messages before the first other message become `system`. Later ones stay in their place. Where
 * the model accepts a turn of instructions (between the user and the assistant, and at the end) they become one;
 * elsewhere they become marked text of the user. Empty text is left out, because the API refuses it.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent: the model would continue
 * its old answer.
 */
export function writeMessages(given: Message[], model: ClaudeModel, notes: Notes): Conversation {
  const list = joinAnswers(given);
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  /** Instructions after which only tool results have come so far. */
  let held: JsonObject[] = [];
  /** The last user message since the assistant's turn of which nothing could be sent. */
  let silent: Message | undefined;
  let container: JsonObject | undefined;

  const last = (): Turn | undefined => turns[turns.length - 1];

  function turn(role: Turn["role"]): Turn {
    if (last()?.role !== role) turns.push({ role, results: new Map(), content: [], paths: [] });
    return last()!;
  }

  /** Writes the held instructions before the assistant speaks. */
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

/** Turns an instruction's block into marked text of the user. */
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
 * Ends the conversation as the model accepts it. A begun answer that the model cannot continue is left out and named.
 * An answer that waits for Anthropic's own tools stays, because they continue from it (`pause_turn`).
 */
function endTurns(turns: Turn[], model: ClaudeModel, { dropped }: Notes): void {
  const last = turns[turns.length - 1];
  if (last?.role !== "assistant") return;
  if (!model.prefill && last.content.every(({ type }) => SPOKEN.has(type))) {
    dropped.push(...last.paths);
    turns.pop();
    return;
  }
  // The API refuses a begun answer that ends in white space.
  const block = last.content[last.content.length - 1];
  if (block.type === "text") {
    last.content[last.content.length - 1] = { ...block, text: (block.text as string).trimEnd() };
  }
}

const SPOKEN: ReadonlySet<unknown> = new Set(["redacted_thinking", "text", "thinking"]);

// ---------------------------------------------------------------- tools

/** The text for a failed tool without output: `content` cannot be empty if `is_error` is true. */
const FAILED = "The tool failed and returned nothing.";

/**
 * Adds one result. If the turn has one for the same tool call, it is left out and named. Blocks inside a result cannot
 * have `cache_control`, so the last mark among them goes to the result.
 */
function writeResult(message: MessageOf<"tool">, results: Turn["results"], notes: Notes): void {
  const id = safeId(message.callId);
  if (results.has(id)) {
    notes.dropped.push(message.path);
    return;
  }
  const content: JsonObject[] = [];
  let marked: Message | Part | undefined = message.cache === undefined ? undefined : message;
  for (const part of message.parts) {
    const block = writePart(part, USER, notes);
    if (!block) continue;
    content.push(block);
    if (part.cache !== undefined) marked = part;
  }
  const out: JsonObject = { type: "tool_result", tool_use_id: id };
  if (content.length === 1 && content[0].type === "text") out.content = content[0].text;
  else if (content.length > 0) out.content = content;
  else if (message.error) out.content = FAILED;
  if (message.error) out.is_error = true;
  if (marked) {
    out.cache_control = marked.cache;
    notes.marks.set(out, markPath(marked));
  }
  results.set(id, out);
}
