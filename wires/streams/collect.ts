/** Gathers deltas into a whole answer. */
import type { Citation, Delta, Emit, Media, StopReason, Thought, Usage, WireError } from "../types.ts";

/** A tool call of an answer. */
export interface AnswerCall {
  id: string;
  name: string;
  /** JSON text; `{}` for a call without arguments. */
  arguments: string;
  signature?: string;
}

/** What belongs to a choice and is complete only when the choice is. */
export interface Attachments {
  /** By block number. */
  thoughts: Thought[];
  citations: Citation[];
  /** A signature is Gemini's. */
  images: { media: Media; signature?: string }[];
  signature?: string;
}

/** One of an answer's alternatives. */
export interface Choice extends Attachments {
  text: string;
  refusal: string;
  reasoning: string;
  calls: AnswerCall[];
  logprobs: unknown[];
  audio?: { id?: string; data: string; transcript: string; expires_at?: number };
  stop?: StopReason;
}

/** A whole answer. */
export interface Answer {
  start: Extract<Delta, { type: "start" }>;
  choices: Choice[];
  usage?: Usage;
  /** The answer broke off; what came before it is kept. */
  error?: WireError;
}

/** Makes a fresh holder of attachments. */
export const attachments = (): Attachments => ({ thoughts: [], citations: [], images: [] });

/** Adds a delta that is complete only at the end of its choice. */
export function attach(
  to: Attachments,
  delta: Extract<Delta, { type: "thought" | "citation" | "image" | "signature" }>,
): void {
  switch (delta.type) {
    case "thought": {
      const thought = to.thoughts[delta.block] ??= {};
      if (delta.text !== undefined) thought.text = (thought.text ?? "") + delta.text;
      thought.signature = delta.signature ?? thought.signature;
      thought.redacted = delta.redacted ?? thought.redacted;
      thought.format = delta.format ?? thought.format;
      return;
    }
    case "citation":
      to.citations.push(delta.citation);
      return;
    case "image":
      to.images.push({ media: delta.media, signature: delta.signature });
      return;
    case "signature":
      to.signature = delta.signature;
  }
}

/** An answer that grows with each delta. */
export function collector(): { emit: Emit; answer: Answer } {
  const answer: Answer = { start: { type: "start" }, choices: [] };
  let started = false;
  const choice = (index: number): Choice =>
    answer.choices[index] ??= {
      ...attachments(),
      text: "",
      refusal: "",
      reasoning: "",
      calls: [],
      logprobs: [],
    };

  function emit(delta: Delta): void {
    if (answer.error) return;
    switch (delta.type) {
      case "start":
        if (!started) answer.start = delta;
        started = true;
        return;
      case "text": {
        const to = choice(delta.choice);
        to.text += delta.text;
        if (delta.logprobs !== undefined) to.logprobs.push(delta.logprobs);
        return;
      }
      case "refusal":
        choice(delta.choice).refusal += delta.text;
        return;
      case "thought":
        choice(delta.choice).reasoning += delta.text ?? "";
        attach(choice(delta.choice), delta);
        return;
      case "citation":
      case "image":
      case "signature":
        attach(choice(delta.choice), delta);
        return;
      case "tool":
        choice(delta.choice).calls[delta.index] = {
          id: delta.id,
          name: delta.name,
          arguments: "",
          signature: delta.signature,
        };
        return;
      case "args":
        choice(delta.choice).calls[delta.index].arguments += delta.text;
        return;
      case "audio": {
        const audio = choice(delta.choice).audio ??= { data: "", transcript: "" };
        audio.id = delta.id ?? audio.id;
        audio.expires_at = delta.expires_at ?? audio.expires_at;
        audio.data += delta.data ?? "";
        audio.transcript += delta.transcript ?? "";
        return;
      }
      case "usage":
        answer.usage = delta.usage;
        return;
      case "stop":
        choice(delta.choice).stop = delta.reason;
        return;
      case "error":
        answer.error = delta.error;
    }
  }

  return { emit, answer };
}
