/** A provider's answer in neutral terms: a list of deltas, and what they make together. */
import type { Citation, JsonObject, Media, ServerToolKind, Thought } from "./content.ts";

/** Why the model stopped, in OpenAI's words. `tool_calls` is implied by calls, so a reader need not say it. */
export type StopReason = "stop" | "length" | "tool_calls" | "content_filter";

/**
 * Tokens in disjoint buckets: prompt = `input + cacheRead + cacheWrite + audioIn`, completion =
 * `output + reasoning + audioOut`, total = all seven. A reader subtracts where its provider counts one inside another.
 */
export interface Usage {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  /** Of `cacheWrite`, those that are kept for an hour, where the provider tells lifetimes apart. */
  cacheWriteHour?: number;
  audioIn: number;
  output: number;
  reasoning: number;
  audioOut: number;
  /** What the answer cost in US dollars by the provider's own word, where it says so. */
  cost?: number;
}

/** A failure in OpenAI's words; `metadata` keeps the provider's original. */
export interface WireError {
  message: string;
  type?: string;
  param?: string | null;
  code?: string | number | null;
  /** HTTP status that this error means, where the provider says it. */
  status?: number;
  /** When to try again, where the body says it and no header does (Google's `RetryInfo`). */
  retryAfterMs?: number;
  metadata?: JsonObject;
}

/**
 * One step of an answer. `choice` counts from 0; `index` is the tool's own counter within its choice, from 0, whatever
 * number the provider gave its block. A whole answer is a list of these, a stream the same list spread over time.
 */
export type Delta =
  | {
    type: "start";
    id?: string;
    model?: string;
    created?: number;
    service_tier?: string;
    fingerprint?: string;
    /** The first choice that says something, where it is not 0. */
    choice?: number;
  }
  | { type: "text"; choice: number; text: string; logprobs?: unknown }
  | { type: "refusal"; choice: number; text: string }
  /**
   * Reasoning. Pieces of one block share `block` (from 0 within the choice); the signature usually comes last.
   * `summary` marks text that is the provider's summary of its reasoning.
   */
  | ({ type: "thought"; choice: number; block: number; summary?: boolean } & Thought)
  /** A call begins. `signature` is Gemini's. `custom`: its arguments are free text and not JSON. */
  | {
    type: "tool";
    choice: number;
    index: number;
    id: string;
    name: string;
    signature?: string;
    custom?: boolean;
  }
  | { type: "args"; choice: number; index: number; text: string }
  | { type: "citation"; choice: number; citation: Citation }
  /** `signature` is Gemini's. */
  | { type: "image"; choice: number; media: Media; signature?: string }
  /** Sound, base64; pieces are joined in order of arrival. */
  | {
    type: "audio";
    choice: number;
    id?: string;
    data?: string;
    transcript?: string;
    expires_at?: number;
  }
  /** A call that the provider ran itself, told when it is done. */
  | { type: "server_tool"; choice: number; serverCall: ServerCall }
  /** A signature on the answer itself rather than on a call (Gemini 3 on its last text part). */
  | { type: "signature"; choice: number; signature: string }
  /** The whole usage as known so far: a later one replaces an earlier one. */
  | { type: "usage"; usage: Usage }
  /** `sequence` is the stop sequence that ended it, where the provider says so. */
  | { type: "stop"; choice: number; reason: StopReason; sequence?: string }
  /** Ends the answer; whatever follows is ignored. */
  | { type: "error"; error: WireError };

/** A call of a provider's own tool, with its result. */
export interface ServerCall {
  kind: ServerToolKind;
  /** The provider's own id. */
  id?: string;
  /** Its arguments: `{query}` of a search, `{url}` of a fetch, `{code}` of an execution. */
  input: JsonObject;
  /** What a search found. */
  results?: { url: string; title: string }[];
  /** What an execution printed. */
  output?: string;
  /** Why it failed, in Anthropic's words: `unavailable`, `max_uses_exceeded` … */
  error?: string;
}

/** Takes the next delta. */
export type Emit = (delta: Delta) => void;

// ---------------------------------------------------------------- the whole answer

/** A tool call of an answer. */
export interface AnswerCall {
  id: string;
  name: string;
  /** JSON text; may be empty for a call without arguments. Free text when `custom`. */
  arguments: string;
  signature?: string;
  custom?: boolean;
}

/** One piece of an answer; pieces stand in the order in which the model said them. */
export type Item =
  | { type: "text"; text: string; citations: Citation[] }
  | { type: "refusal"; text: string }
  | { type: "thought"; thought: Thought; summary?: boolean }
  | { type: "tool"; call: AnswerCall }
  | { type: "server_tool"; serverCall: ServerCall }
  | { type: "image"; media: Media; signature?: string };

/** One of an answer's alternatives. */
export interface Choice {
  items: Item[];
  logprobs: unknown[];
  audio?: { id?: string; data: string; transcript: string; expires_at?: number };
  /** See the delta of that name. */
  signature?: string;
  stop?: StopReason;
  sequence?: string;
}

/** A whole answer. */
export interface Answer {
  start: Extract<Delta, { type: "start" }>;
  /** By index; a provider may leave one out. */
  choices: Choice[];
  usage?: Usage;
  /** The answer broke off; what came before it is kept. */
  error?: WireError;
}

/** What the envelope of an answer needs when the provider gives none. */
export interface Defaults {
  /** Of the answer, with the prefix of the client's wire: `chatcmpl-…`, `msg_…`. */
  id: string;
  /** Unix time in seconds. */
  created: number;
  /** The model that was asked for. */
  model: string;
}
