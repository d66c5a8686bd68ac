/**
 * The neutral terms that every wire is read into and written from.
 *
 * Setting names and values are OpenAI chat completions' own, the field's common
 * language, after `readCall` has made one spelling of the several it allows.
 */

/** A parsed JSON object of unknown shape. */
export type JsonObject = { [key: string]: unknown };

// ---------------------------------------------------------------- the call

/** Bytes by address, by value (base64, no `data:` prefix) or by the provider's own file id. */
export type Media = { url: string } | { mime: string; data: string } | { id: string };

/** `mediaPath` locates the media in the client's body, e.g. `messages[2].content[0].image_url`. */
interface MediaPart {
  media: Media;
  mediaPath: string;
}

/** One piece of a message. `path` locates it in the client's body, e.g. `messages[2].content[0]`. */
export type Part =
  & (
    | { type: "text"; text: string }
    | { type: "refusal"; text: string }
    | MediaPart & { type: "image"; detail?: string; detailPath?: string }
    | MediaPart & { type: "audio" | "video" }
    | MediaPart & { type: "file"; name?: string; namePath?: string }
    /** A part of a type that OpenAI does not know, in the target's own form; sent as it is. */
    | { type: "native"; value: JsonObject }
  )
  & {
    path: string;
    /** `cache_control` exactly as the client wrote it. */
    cache?: unknown;
    /** Gemini's `thought_signature` of this part, from `extra_content`. */
    signature?: string;
  };

/** A model's earlier reasoning, handed back. `signature` proves it; `redacted` is sealed text in place of `text`. */
export interface Thought {
  text?: string;
  signature?: string;
  redacted?: string;
  /** Who signed it, e.g. `anthropic-claude-v1`; a wire sends back only its own signatures. */
  format?: string;
}

/** A tool call that the assistant made. */
export interface ToolCall {
  /** The provider's own id: what `packToolId` added is taken off again. */
  id: string;
  name: string;
  /** JSON text, as the model wrote it; may be empty or broken. Free text when `custom`. */
  arguments: string;
  /** A custom tool's call: its input is text and no JSON. */
  custom?: boolean;
  /** Gemini's `thought_signature`, from `extra_content` or from the packed id. */
  signature?: string;
  path: string;
}

/** One turn. Roles and order are the client's; a wire merges turns as it must, and moves none. */
export type Message =
  & { path: string; cache?: unknown; name?: string; parts: Part[] }
  & (
    | { role: "system" | "developer" | "user" }
    | {
      role: "assistant";
      /** Each with its path in the client's body. */
      thoughts: (Thought & { path: string })[];
      calls: ToolCall[];
      signature?: string;
      /** The sources that an earlier answer named, as the client has kept them. */
      citations?: Citation[];
    }
    | { role: "tool"; callId: string; error?: boolean }
  );

/** A message of one role. */
export type MessageOf<R extends Message["role"]> = Extract<Message, { role: R }>;

/** A function the model may call, or a provider's built-in tool in the provider's own words. */
export type Tool =
  | {
    type: "function";
    name: string;
    description?: string;
    /** JSON Schema, untouched. Absent: the function takes no arguments. */
    parameters?: JsonObject;
    strict?: boolean;
    cache?: unknown;
    path: string;
    /** Where `strict` and `description` stand: `tools[0].function`. */
    definitionPath: string;
    /** Where `parameters` stands: `tools[0].function.parameters`. */
    parametersPath: string;
    /** Members beside `type`, `function` and `cache_control`, or of `function` beyond the above; forwarded. */
    extra: JsonObject;
  }
  /** Not `type: "function"`, e.g. `{"type": "web_search_20250305", …}` or `{"googleSearch": {}}`. */
  | { type: "native"; value: JsonObject; path: string };

/** `response_format`; `text` is the same as none. */
export type Format =
  | { type: "json_object" }
  | {
    type: "json_schema";
    name?: string;
    description?: string;
    schema: JsonObject;
    strict?: boolean;
    /** Where these members stand in the client's body: `response_format.json_schema`. */
    path: string;
  };

/** Which tool the model must, may or must not call. */
export type ToolChoice = "none" | "auto" | "required" | { name: string };

/** What the client set beside the conversation. Absent members were not sent, or were null. */
export interface Settings {
  tools?: Tool[];
  tool_choice?: ToolChoice;
  /** The functions that the model may call, of those in `tools`; all of them where it is absent. */
  allowed_tools?: string[];
  parallel_tool_calls?: boolean;
  response_format?: Format;
  /** `max_completion_tokens`, else `max_tokens`. */
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  /** Always a list; a single string is a list of one. */
  stop?: string[];
  seed?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  n?: number;
  logprobs?: boolean;
  top_logprobs?: number;
  logit_bias?: JsonObject;
  user?: string;
  service_tier?: string;
  metadata?: JsonObject;
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`; or what the client wrote. */
  reasoning_effort?: string;
  verbosity?: string;
  modalities?: string[];
  audio?: JsonObject;
  prediction?: JsonObject;
  store?: boolean;
  web_search_options?: JsonObject;
  prompt_cache_key?: string;
  prompt_cache_retention?: string;
  safety_identifier?: string;
}

/** A client's request. */
export interface Call {
  /** The provider's name for the model, without our prefix. */
  model: string;
  stream: boolean;
  /** The client asked for a usage chunk (`stream_options.include_usage`). */
  includeUsage: boolean;
  messages: Message[];
  settings: Settings;
  /**
   * How the client spelled each setting, in the order of its body: `stop` is `stop`, `max_tokens` may be
   * `max_completion_tokens`, `tools` may be `functions`. Wires walk this to keep order and to name what they drop.
   */
  sent: Map<keyof Settings, string>;
  /** Client paths that have no neutral term (`tools[1]` of OpenAI's `custom` kind): no other wire can express them. */
  dropped: string[];
  /** Fields that have no neutral term (`thinking`, `safetySettings`), forwarded as they are. */
  extra: JsonObject;
}

// ---------------------------------------------------------------- the answer

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
  audioIn: number;
  output: number;
  reasoning: number;
  audioOut: number;
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

/** A source that the text rests on; offsets are into the choice's text, in UTF-16 units. */
export interface Citation {
  url: string;
  title: string;
  start: number;
  end: number;
  /** What OpenAI's form has no place for (cited text, document index …), kept beside it. */
  extra?: JsonObject;
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
  /** A call begins. `signature` is Gemini's. */
  | { type: "tool"; choice: number; index: number; id: string; name: string; signature?: string }
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
  /** A signature on the answer itself rather than on a call (Gemini 3 on its last text part). */
  | { type: "signature"; choice: number; signature: string }
  /** The whole usage as known so far: a later one replaces an earlier one. */
  | { type: "usage"; usage: Usage }
  | { type: "stop"; choice: number; reason: StopReason }
  /** Ends the answer; whatever follows is ignored. */
  | { type: "error"; error: WireError };

/** Takes the next delta. */
export type Emit = (delta: Delta) => void;

// ---------------------------------------------------------------- the wires

/** A provider's request, before its row adds the base URL and the key. */
export interface WireRequest {
  /** Below the row's base URL, with query: `/v1/messages`. */
  path: string;
  body: JsonObject;
  /** Headers that belong to the format: versions and betas. */
  headers?: Record<string, string>;
  /** Client paths of what this wire cannot express: `seed`, `messages[0].name`. */
  dropped: string[];
}

/** Reads one stream; made anew for each. */
export interface StreamReader {
  /** One SSE event: its data lines joined, and its name (empty when it has none). */
  frame(data: string, event: string): void;
  /** The bytes ended. Emits an error if the answer was not finished. */
  end(): void;
}

/** Writes one stream for a client; made anew for each. */
export interface StreamWriter {
  /** The text to send for this delta; may be empty. */
  delta(delta: Delta): string;
  /** What closes the stream; nothing after an error. */
  end(): string;
}

/** How an answer is written: read where it is translated, and where the gateway must know what it hands through. */
export interface AnswerFormat {
  /** A whole answer, parsed. Emits an error for an object that is not an answer. */
  readAnswer(body: JsonObject, emit: Emit): void;
  readStream(emit: Emit): StreamReader;
  /** The body of an answer that was not 2xx: parsed, or text when it was not JSON. */
  readError(status: number, body: unknown): WireError;
}

/** The client's own format at the provider: bodies are handed through. */
export interface SameWire extends AnswerFormat {
  same: true;
}

/** A format that only the provider speaks. */
export interface ProviderWire extends AnswerFormat {
  same?: false;
  writeCall(call: Call): WireRequest;
}
