/** Collects deltas into a whole answer. */
import type { Answer, AnswerCall, Choice, Delta, Emit, Item, Thought } from "../types.ts";

/** A choice, and the thoughts and tool calls that its next deltas may add to. */
interface Growing {
  choice: Choice;
  /** By the number of the block. */
  thoughts: Thought[];
  /** By the index of the tool call. */
  calls: AnswerCall[];
}

/** Makes an answer that grows with each delta. */
export function collector(): { emit: Emit; answer: Answer } {
  const answer: Answer = { start: { type: "start" }, choices: [] };
  const growing: Growing[] = [];
  let started = false;
  const at = (index: number): Growing => {
    const known = growing[index];
    if (known) return known;
    const choice = answer.choices[index] = { items: [], logprobs: [] };
    return growing[index] = { choice, thoughts: [], calls: [] };
  };

  function emit(delta: Delta): void {
    if (answer.error) return;
    switch (delta.type) {
      case "start":
        if (!started) answer.start = delta;
        started = true;
        return;
      case "usage":
        answer.usage = delta.usage;
        return;
      case "error":
        answer.error = delta.error;
        return;
      default:
        add(at(delta.choice), delta);
    }
  }

  return { emit, answer };
}

/** Adds a delta to its choice. */
function add({ choice, thoughts, calls }: Growing, delta: Extract<Delta, { choice: number }>): void {
  const { items } = choice;
  switch (delta.type) {
    case "text":
      if (delta.text !== "") last(items, "text").text += delta.text;
      if (delta.logprobs !== undefined) choice.logprobs.push(delta.logprobs);
      return;
    case "refusal":
      last(items, "refusal").text += delta.text;
      return;
    case "thought": {
      let thought = thoughts[delta.block];
      if (!thought) {
        thought = thoughts[delta.block] = {};
        items.push(
          delta.summary ? { type: "thought", thought, summary: true } : { type: "thought", thought },
        );
      }
      addThought(thought, delta);
      return;
    }
    case "citation":
      last(items, "text").citations.push(delta.citation);
      return;
    case "image":
      items.push({ type: "image", media: delta.media, signature: delta.signature });
      return;
    case "signature":
      choice.signature = delta.signature;
      return;
    case "tool": {
      const { id, name, signature, custom } = delta;
      const call: AnswerCall = { id, name, arguments: "", signature };
      if (custom) call.custom = true;
      items.push({ type: "tool", call: calls[delta.index] = call });
      return;
    }
    case "args":
      calls[delta.index].arguments += delta.text;
      return;
    case "server_tool":
      items.push({ type: "server_tool", serverCall: delta.serverCall });
      return;
    case "audio": {
      const audio = choice.audio ??= { data: "", transcript: "" };
      audio.id = delta.id ?? audio.id;
      audio.expires_at = delta.expires_at ?? audio.expires_at;
      audio.data += delta.data ?? "";
      audio.transcript += delta.transcript ?? "";
      return;
    }
    case "stop":
      choice.stop = delta.reason;
      if (delta.sequence !== undefined) choice.sequence = delta.sequence;
  }
}

/** Adds a piece to its thought. */
export function addThought(
  thought: Thought,
  { text, signature, redacted, format, id, bound }: Thought,
): void {
  if (text !== undefined) thought.text = (thought.text ?? "") + text;
  thought.signature = signature ?? thought.signature;
  thought.redacted = redacted ?? thought.redacted;
  thought.format = format ?? thought.format;
  if (id !== undefined) thought.id = id;
  if (bound !== undefined) thought.bound = bound;
}

type Written = "text" | "refusal";

/** The last item if it has this type, else a new item of this type. */
function last<T extends Written>(items: Item[], type: T): Extract<Item, { type: T }> {
  const item = items.at(-1);
  if (item?.type === type) return item as Extract<Item, { type: T }>;
  const next: Item = type === "text" ? { type, text: "", citations: [] } : { type: "refusal", text: "" };
  items.push(next);
  return next as Extract<Item, { type: T }>;
}
