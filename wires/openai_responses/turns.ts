/**
 * Joins items into turns: OpenAI's Responses have the pieces of an answer as items, other APIs have them in one
 * message.
 */
import { append } from "../shared/json.ts";
import { callIds, unpackToolId } from "../shared/tool_id.ts";
import type { Citation, Message, MessageOf, Part, Thought } from "../types.ts";

/** The kinds of pieces of an answer, in the order that other APIs give them within one message. */
const THOUGHT = 0, TEXT = 1, CALL = 2;

/** A message, and the results of its tool calls. */
interface Turn {
  message: Message;
  results: Message[];
  /** It continues the answer of the turn before it. */
  continues?: boolean;
}

/** An assistant's turn that may get more pieces. */
interface Open extends Turn {
  message: MessageOf<"assistant">;
  /** The kind of the last piece. */
  rank: number;
}

/** A tool call as it is in an item. */
export interface CallItem {
  /** The client's id. */
  id: string;
  name: string;
  arguments: string;
  custom?: true;
  path: string;
}

export interface Turns {
  say(role: "system" | "developer" | "user", parts: Part[], path: string): void;
  think(thought: Thought, path: string): void;
  answer(parts: Part[], path: string, cited: Citation[]): void;
  /** Sets the signature of the answer itself. */
  sign(signature: string | undefined): void;
  call(call: CallItem): void;
  result(id: string, parts: Part[], path: string, error?: boolean): void;
  messages(): Message[];
}

/**
 * Makes turns from items.
 *
 * Consecutive items of the assistant become one message, as long as they come in the order of one: thoughts, texts,
 * tool calls. Results are put behind the turn of their tool call, whatever came between: other APIs refuse them
 * elsewhere.
 */
export function gatherTurns(): Turns {
  const turns: Turn[] = [];
  const byCall = new Map<string, Turn>();
  const ids = callIds();
  let open: Open | undefined;

  function assistant(rank: number, path: string): MessageOf<"assistant"> {
    if (!open || rank < open.rank) {
      const message: MessageOf<"assistant"> = { role: "assistant", path, parts: [], thoughts: [], calls: [] };
      open = { message, results: [], rank, continues: open !== undefined };
      turns.push(open);
    }
    open.rank = rank;
    return open.message;
  }

  return {
    say(role, parts, path) {
      open = undefined;
      turns.push({ message: { role, parts, path }, results: [] });
    },
    think(thought, path) {
      assistant(THOUGHT, path).thoughts.push({ ...thought, path });
    },
    answer(parts, path, cited) {
      const message = assistant(TEXT, path);
      cite(message, cited);
      append(message.parts, parts);
    },
    sign(signature) {
      if (open && signature !== undefined) open.message.signature = signature;
    },
    call({ id: given, ...call }) {
      const message = assistant(CALL, call.path);
      const { id, signature } = unpackToolId(given);
      const own = ids.call(id);
      message.calls.push({ id: own, ...call, ...(signature !== undefined && { signature }) });
      byCall.set(own, open!);
    },
    result(given, parts, path, error) {
      const callId = ids.result(unpackToolId(given).id);
      const message: Message = { role: "tool", callId, parts, path, ...(error && { error }) };
      const turn = byCall.get(callId);
      // What comes behind a result is another answer: each request begins with the request before it.
      open = undefined;
      if (turn) turn.results.push(message);
      else turns.push({ message, results: [] });
    },
    messages: () => joinRests(turns).flatMap(({ message, results }) => [message, ...results]),
  };
}

/**
 * Joins two kinds of turns to the turn before them. A text that an answer has behind its tool calls: behind the results it
 * would be the last message, which many APIs refuse or continue. And thoughts without an answer: a message with only
 * thoughts says nothing, and many APIs refuse it.
 */
function joinRests(turns: Turn[]): Turn[] {
  const joined: Turn[] = [];
  for (const turn of turns) {
    const { message, continues } = turn;
    const before = joined.at(-1)?.message;
    const isRest = message.role === "assistant" && before?.role === "assistant" &&
      message.calls.length === 0 &&
      (message.parts.length === 0 || continues && before.calls.length > 0);
    if (isRest) {
      append(before.thoughts, message.thoughts);
      cite(before, message.citations ?? []);
      append(before.parts, message.parts);
      before.signature ??= message.signature;
    } else joined.push(turn);
  }
  return joined;
}

/** Adds the sources of a text that is added next. */
function cite(message: MessageOf<"assistant">, cited: readonly Citation[]): void {
  if (cited.length === 0) return;
  const base = message.parts.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);
  const moved = cited.map((citation) => ({
    ...citation,
    start: base + citation.start,
    end: base + citation.end,
  }));
  message.citations = [...(message.citations ?? []), ...moved];
}
