/** Claude's thoughts, whose proof may only be valid behind the instructions and tools before which they were thought. */
import type { ClaudeModel } from "./claude_models.ts";
import { digest, hash } from "./hash.ts";
import { isObject, list } from "./json.ts";
import type { Emit, JsonObject, Message, Thought } from "../types.ts";

/** Passes deltas on and says of each proof of a thought what it is bound to. */
export function withBound(emit: Emit, bound: (() => string) | undefined): Emit {
  if (!bound) return emit;
  return (delta) =>
    emit(
      delta.type === "thought" && (delta.signature ?? delta.redacted) !== undefined
        ? { ...delta, bound: bound() }
        : delta,
    );
}

/** Begins what a thought is bound to that was thought by a model which takes thoughts behind anything. */
const FREE = "0";

/** What the thoughts of the answer to a request are bound to. */
export function boundBy(system: unknown, tools: unknown, { bindsThoughts }: ClaudeModel): () => string {
  const bound = boundTo(system, tools);
  return () => bindsThoughts ? bound() : FREE + bound();
}

/**
 * The messages without the thoughts that are bound to other instructions or tools than those of the request; `undefined` if
 * there are none. What was thought before and after these changes stays valid, so a thought is sent again once they are
 * changed back. A thought of a model that was sent all earlier ones is only valid behind all of them.
 *
 * @param isSigned Whether the provider takes a thought.
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking/prefix-checks (2026-11)
 */
export function withoutStaleThoughts(
  messages: Message[],
  bound: () => string,
  isSigned: (thought: Thought) => boolean,
  dropped: string[],
): Message[] | undefined {
  const isStale = (thought: Thought): boolean => {
    if (thought.bound === undefined || !isSigned(thought)) return false;
    return thought.bound !== bound() && (thought.bound !== FREE + bound() || dropped.length > 0);
  };
  const kept = messages.map((message) => {
    if (message.role !== "assistant" || message.thoughts.length === 0) return message;
    const thoughts = message.thoughts.filter((thought) => {
      if (!isStale(thought)) return true;
      dropped.push(thought.path);
      return false;
    });
    return thoughts.length < message.thoughts.length ? { ...message, thoughts } : message;
  });
  return dropped.length > 0 ? kept : undefined;
}

/**
 * Makes a function that tells instructions and tools apart from any others, by a short text. Marks for caches and tools that
 * are deferred do not count.
 */
function boundTo(system: unknown, tools: unknown): () => string {
  let known: string | undefined;
  return () => {
    if (known !== undefined) return known;
    const offered = list(tools).filter(counts);
    const preface = typeof system === "string"
      ? [{ type: "text", text: system }]
      : list(system).filter(counts);
    let text = JSON.stringify([preface, offered]);
    if (text.includes(MARK)) text = JSON.stringify([preface, offered].map(withoutMarks));
    return known = digest(hash(text));
  };
}

const counts = (entry: unknown): boolean =>
  !isObject(entry) || entry.defer_loading !== true && entry.cachePoint === undefined;

const MARK = '"cache_control"';

const withoutMarks = (entries: unknown): unknown =>
  list(entries).map((entry) => {
    if (!isObject(entry)) return entry;
    const { cache_control: _, ...rest }: JsonObject = entry;
    return rest;
  });
