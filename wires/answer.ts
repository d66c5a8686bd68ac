/** A provider's answer in neutral terms: a list of deltas, and the whole answer that they make. */
import type { Citation, JsonObject, Media, ServerToolKind, Thought } from "./content.ts";

/** Why the model stopped, in OpenAI's terms. Tool calls imply `tool_calls`, so a reader need not emit it. */
export type StopReason = "stop" | "length" | "tool_calls" | "content_filter";

/**
 * The tokens in disjoint buckets. Prompt = `input + cacheRead + cacheWrite + audioIn`, completion = `output + reasoning
 * + audioOut`, total = the sum of all seven. If a provider counts one bucket inside another, the reader subtracts it.
 */
export interface Usage {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  /** The part of `cacheWrite` that is kept for an hour, if the provider reports it. */
  cacheWriteHour?: number;
  audioIn: number;
  output: number;
  reasoning: number;
  audioOut: number;
  /** The cost of the answer in US dollars, if the provider reports it. */
  cost?: number;
}

/** An error in OpenAI's terms. `metadata` keeps the provider's original. */
export interface WireError {
  message: string;
  type?: string;
  param?: string | null;
  code?: string | number | null;
  /** The HTTP status that the error means, if the provider says so. */
  status?: number;
  /** Milliseconds until a retry makes sense, if the body says so and no header does (Google's `RetryInfo`). */
  retryAfterMs?: number;
  metadata?: JsonObject;
}

/**
 * One step of an answer. `choice` counts from 0. `index` counts the tool calls of a choice from 0, whatever number the
 * provider gave its block. A whole answer is a list of deltas; a stream is the same list spread over time.
 */
export type Delta =
  | {
    type: "start";
    id?: string;
    model?: string;
    created?: number;
    service_tier?: string;
    fingerprint?: string;
    /** The index of the first choice with content, if it is not 0. */
    choice?: number;
  }
  | { type: "text"; choice: number; text: string; logprobs?: unknown }
  | { type: "refusal"; choice: number; text: string }
  /**
   * Reasoning. Pieces of one block share `block` (from 0 within the choice); the signature usually comes last.
   * `summary` marks text that is the provider's summary of its reasoning.
   */
  | ({ type: "thought"; choice: number; block: number; summary?: boolean } & Thought)
  /** A tool call begins. `signature` is Gemini's. `custom`: its arguments are free text and not JSON. */
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
  /** Sound in base64. Pieces are joined in order of arrival. */
  | {
    type: "audio";
    choice: number;
    id?: string;
    data?: string;
    transcript?: string;
    expires_at?: number;
  }
  /** A call that the provider ran itself, emitted when it is done. */
  | { type: "server_tool"; choice: number; serverCall: ServerCall }
  /** A signature of the answer itself and not of a tool call (Gemini 3 signs its last text part). */
  | { type: "signature"; choice: number; signature: string }
  /** The whole usage so far. A later one replaces an earlier one. */
  | { type: "usage"; usage: Usage }
  /** `sequence` is the stop sequence that ended the choice, if the provider says so. */
  | { type: "stop"; choice: number; reason: StopReason; sequence?: string }
  /** Ends the answer. Later deltas are ignored. */
  | { type: "error"; error: WireError };

/** A call of a provider's own tool or of a server's (MCP) that it asked, with its result. */
export interface ServerCall {
  kind: ServerToolKind | "mcp";
  /** The server's label and the tool's name, where `kind` is `mcp`. */
  tool?: { server: string; name: string };
  /** The provider's own id. */
  id?: string;
  /** The arguments: `{query}` of a search, `{url}` of a fetch, `{code}` of an execution. */
  input: JsonObject;
  /** The results of a search. */
  results?: { url: string; title: string }[];
  /** What an execution printed, or a server answered. */
  output?: string;
  /** Why it failed, in Anthropic's words: `unavailable`, `max_uses_exceeded` …; in the server's, where `kind` is `mcp`. */
  error?: string;
}

/** Called with the next delta. */
export type Emit = (delta: Delta) => void;

// ---------------------------------------------------------------- the whole answer

/** A tool call of an answer. */
export interface AnswerCall {
  id: string;
  name: string;
  /** JSON text; it may be empty for a tool call without arguments. Free text if `custom`. */
  arguments: string;
  signature?: string;
  custom?: boolean;
}

/** One piece of an answer. Pieces are in the model's order. */
export type Item =
  | { type: "text"; text: string; citations: Citation[] }
  | { type: "refusal"; text: string }
  | { type: "thought"; thought: Thought; summary?: boolean }
  | { type: "tool"; call: AnswerCall }
  | { type: "server_tool"; serverCall: ServerCall }
  | { type: "image"; media: Media; signature?: string };

/** One alternative of an answer. */
export interface Choice {
  items: Item[];
  logprobs: unknown[];
  audio?: { id?: string; data: string; transcript: string; expires_at?: number };
  /** The signature of the answer itself, see the delta `signature`. */
  signature?: string;
  stop?: StopReason;
  sequence?: string;
}

/** A whole answer. */
export interface Answer {
  start: Extract<Delta, { type: "start" }>;
  /** The choices by their index. A provider may leave one out. */
  choices: Choice[];
  usage?: Usage;
  /** Why the answer broke off. The content before it is kept. */
  error?: WireError;
}

/** Values for the envelope of an answer if the provider sends none. */
export interface Defaults {
  /** The id of the answer, with the prefix of the client's wire: `chatcmpl-…`, `msg_…`. */
  id: string;
  /** Unix time in seconds. */
  created: number;
  /** The requested model. */
  model: string;
}
