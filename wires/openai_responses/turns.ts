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
      open = { message, results: [], rank };
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
      if (cited.length > 0) {
        const base = message.parts.reduce(
          (sum, part) => sum + (part.type === "text" ? part.text.length : 0),
          0,
        );
        message.citations = [
          ...(message.citations ?? []),
          ...cited.map((citation) => ({
            ...citation,
            start: base + citation.start,
            end: base + citation.end,
          })),
        ];
      }
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
      if (turn) turn.results.push(message);
      else turns.push({ message, results: [] });
    },
    messages: () => joinBare(turns).flatMap(({ message, results }) => [message, ...results]),
  };
}

/**
 * Joins thoughts without an answer to the turn before them: a message with only thoughts says nothing, and many APIs
 * refuse it.
 */
function joinBare(turns: Turn[]): Turn[] {
  const joined: Turn[] = [];
  for (const turn of turns) {
    const { message } = turn;
    const before = joined.at(-1)?.message;
    const isBare = message.role === "assistant" && message.parts.length === 0 && message.calls.length === 0;
    if (isBare && before?.role === "assistant") append(before.thoughts, message.thoughts);
    else joined.push(turn);
  }
  return joined;
}
