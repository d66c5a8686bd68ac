/** What a listener of the gateway's log gets. Imports nothing, so that the options may name it. */

/** One row about one request, made when it has ended. Never holds keys, prompts, answers or a query. */
export interface LogEntry {
  /** When it ended, e.g. `2026-11-28T12:03:41.120Z`. */
  time: string;
  /** `warn` for a failure of the client, also one that left; `error` for one of the provider or of the gateway. */
  level: "info" | "warn" | "error";
  /** That of the answer's `cf-aig-log-id`. */
  id: string;
  /** What the provider calls the request, where it says so. */
  upstreamId?: string;
  /** Of the request, e.g. `POST`. */
  method: string;
  /** Without its query; its first 256 characters. */
  path: string;
  /** Of the answer. A stream that fails later has said 200 by then. */
  status: number;
  /** Row that the request was for, where that is known. */
  provider?: string;
  /** The provider's name for the model, where that is known. */
  model?: string;
  /** Milliseconds from the request to the end of its answer. */
  durationMs: number;
  /** Milliseconds until the first content of a stream. */
  firstTokenMs?: number;
  /** The answer was an event stream. */
  stream: boolean;
  /** Tokens of the prompt, where the answer told them: cached ones too. */
  inputTokens?: number;
  /** Tokens of the answer, where it told them: those of its reasoning too. */
  outputTokens?: number;
  /** Of the prompt's tokens, those that a cache had. */
  cacheReadTokens?: number;
  /** Of the prompt's tokens, those that were written into a cache. */
  cacheWriteTokens?: number;
  /** Of the answer's tokens, those of its reasoning. */
  reasoningTokens?: number;
  /** An estimate in US dollars; `null` where no price is known, and absent where the answer told no tokens. */
  cost?: number | null;
  /** Where the price is from: the request's header, the provider's answer, the options or the table. */
  price?: "header" | "provider" | "option" | "table";
  /** Why the model stopped, as OpenAI says it. */
  finishReason?: string;
  /** Of the request's path, else the option; `-` where neither names one. */
  account: string;
  /** Of the request's path, else `default`. */
  gateway: string;
  /** The name of the gateway's token that came with it, or eight letters and digits that stand for a token without one. */
  token?: string;
  /** What the client said of the request, by `cf-aig-metadata`. */
  metadata?: Metadata;
  /** What the client calls the request, by `cf-aig-event-id`. */
  eventId?: string;
  /** The client's `user-agent`; its first 200 characters. */
  userAgent?: string;
  /** Fields of the request that the provider could not be told. */
  dropped?: string;
  /** Requests that were sent to providers. */
  tries: number;
  /** Each of them in turn, the first twenty. Absent where there were none. */
  attempts?: LogAttempt[];
  /** Whether the client allows that its request and answer are kept, by `cf-aig-collect-log-payload`. Absent: it does. */
  payload?: false;
  /** The content type of the request, e.g. `application/json`. */
  requestType?: string;
  /** The content type of the answer. */
  responseType?: string;
  /** Index of the step that answered, or was the last to be tried. */
  step: number;
  /** What went wrong, if anything did. */
  error?: LogError;
}

/** One request that was sent to a provider. */
export interface LogAttempt {
  /** The name of its row. */
  provider: string;
  /** The provider's name for the model, where that was known before the answer. */
  model?: string;
  /** Of the provider's answer; absent where none came. */
  status?: number;
  /** Milliseconds until its answer began, or failed to. */
  ms: number;
}

/** At most five flat entries. */
export type Metadata = Record<string, string | number | boolean>;

/**
 * What went wrong: the gateway's own words, or of a provider's error its status, type and code. Its message is not told,
 * for providers quote prompts and keys.
 */
export type LogError =
  | { code: string; message: string }
  | { status?: number; type?: string; code?: string | number };
