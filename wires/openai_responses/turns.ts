/**
 * Joins items into turns: OpenAI's Responses have the pieces of an answer as items, other APIs have them in one
 * message.
 */
import { append } from "../shared/json.ts";
import { callIds, unpackToolId } from "../shared/tool_id.ts";
import type { Citation, Message, MessageOf, Part, ServerCall, Thought } from "../types.ts";

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
  /** The kind of the pieces that come last in a message, of those that it has. */
  rank: number;
  /** Calls whose results have not come yet. */
  waiting: Set<string>;
  /** UTF-16 units of its texts. */
  units: number;
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
  /** Whether a turn is open whose last thought is a block that its maker sealed. */
  endsSealed(): boolean;
  call(call: CallItem): void;
  /** Adds a call of a server's tool that a provider asked by itself. */
  serve(call: ServerCall, path: string): void;
  result(id: string, parts: Part[], path: string, error?: boolean): void;
  /** Tools have joined: what was thought so far was thought without them. */
  join(): void;
  messages(): Message[];
}

/**
 * Makes turns from items.
 *
 * Consecutive items of the assistant become one message, as long as they come in the order of one (thoughts, texts, tool
 * calls), or a tool call of it still waits for its result: one answer may say more between and behind its tool calls.
 * Results are put behind the turn of their tool call, whatever came between: other APIs refuse them elsewhere.
 */
export function gatherTurns(): Turns {
  const turns: Turn[] = [];
  const byCall = new Map<string, Open>();
  const ids = callIds();
  let open: Open | undefined;

  function assistant(rank: number, path: string): MessageOf<"assistant"> {
    if (!open || rank < open.rank && open.waiting.size === 0) {
      const message: MessageOf<"assistant"> = { role: "assistant", path, parts: [], thoughts: [], calls: [] };
      open = { message, results: [], rank, waiting: new Set(), units: 0 };
      turns.push(open);
    }
    open.rank = Math.max(open.rank, rank);
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
      const base = open!.units;
      for (const { start, end, ...source } of cited) {
        (message.citations ??= []).push({ ...source, start: base + start, end: base + end });
      }
      for (const part of parts) if (part.type === "text") open!.units += part.text.length;
      append(message.parts, parts);
    },
    sign(signature) {
      if (open && signature !== undefined) open.message.signature = signature;
    },
    endsSealed: () => open?.message.thoughts.at(-1)?.redacted !== undefined,
    call({ id: given, ...call }) {
      const message = assistant(CALL, call.path);
      const { id, signature } = unpackToolId(given);
      const own = ids.call(id);
      message.calls.push({ id: own, ...call, ...(signature !== undefined && { signature }) });
      byCall.set(own, open!);
      open!.waiting.add(own);
    },
    serve(call, path) {
      const message = assistant(TEXT, path);
      const id = ids.call(call.id ?? path);
      (message.served ??= []).push({ ...call, id, path, after: message.parts.length });
    },
    result(given, parts, path, error) {
      const callId = ids.result(unpackToolId(given).id);
      const message: Message = { role: "tool", callId, parts, path, ...(error && { error }) };
      const turn = byCall.get(callId);
      turn?.waiting.delete(callId);
      // Items after the last result are another answer: each request begins with the request before it.
      if (!open || open.waiting.size === 0) open = undefined;
      if (turn) turn.results.push(message);
      else turns.push({ message, results: [] });
    },
    join() {
      for (const { message } of turns) {
        if (message.role === "assistant" && message.thoughts.length > 0) message.before = "tools";
      }
    },
    messages: () => joinBare(turns).flatMap(({ message, results }) => [message, ...results]),
  };
}

/** Joins thoughts without an answer to the turn before them: a message with only thoughts says nothing, and many APIs refuse it. */
function joinBare(turns: Turn[]): Turn[] {
  const joined: Turn[] = [];
  for (const turn of turns) {
    const { message } = turn;
    const before = joined.at(-1)?.message;
    const isBare = message.role === "assistant" && before?.role === "assistant" &&
      message.calls.length === 0 && message.parts.length === 0 && !message.served;
    if (isBare) {
      append(before.thoughts, message.thoughts);
      before.signature ??= message.signature;
    } else joined.push(turn);
  }
  return joined;
}
