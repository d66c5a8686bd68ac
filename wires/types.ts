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
  /** The provider's id of it, where its proof is bound to one (OpenAI's `rs_…`). */
  id?: string;
}

/** A tool call that the assistant made. */
export interface ToolCall {
  /** The provider's own id: what `packToolId` added is taken off again. */
  id: string;
  name: string;
  /** JSON text, as the model wrote it; may be empty or broken. Free text when `custom`. */
  arguments: string;
  /** A custom tool's call: its input is text and not JSON. */
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

/** A function the model may call. */
export interface FunctionTool {
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
  /**
   * What the client offered in place of a function, in its wire's own words: `custom`, `namespace`, `bash_20250124`. Its
   * wire's writer tells a call of it as one of the same kind.
   */
  kind?: string;
  /** For `kind: "namespace"`: the namespace, with which `name` begins. */
  namespace?: string;
}

/** A tool in the target's own words, e.g. `{"type": "web_search_20250305", …}` or `{"googleSearch": {}}`. */
export interface NativeTool {
  type: "native";
  value: JsonObject;
  path: string;
}

/** A grammar that a free text must obey; `syntax` is `lark` or `regex`. */
export interface Grammar {
  type: "grammar";
  syntax: string;
  definition: string;
}

/** A tool whose input is free text. */
export interface CustomTool {
  type: "custom";
  name: string;
  description?: string;
  /** What the input must be like. Absent: any text. */
  format?: { type: "text" } | Grammar;
  cache?: unknown;
  path: string;
  /** Where `format` stands: `tools[0].custom.format`. */
  formatPath: string;
}

/** Where a search or a fetch may look. */
export interface SearchTerms {
  allowedDomains?: string[];
  blockedDomains?: string[];
  /** `{city, region, country, timezone}`; other members are ignored. */
  location?: JsonObject;
  maxUses?: number;
}

/** A tool that a provider runs itself, under whatever name. `value` is the client's own, for a target of its wire. */
export interface ServerTool {
  type: "server";
  kind: ServerToolKind;
  search?: SearchTerms;
  value: JsonObject;
  path: string;
}

/** What the model may call. */
export type Tool = FunctionTool | CustomTool | ServerTool | NativeTool;

/** What a provider can run by itself, under whatever name. */
export type ServerToolKind = "web_search" | "web_fetch" | "code_execution";

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
  /** The functions and custom tools that the model may call, of those in `tools`; all of them where it is absent. */
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
  /** The most tokens that the model may think, where the client says a number in place of a word. */
  reasoning_budget?: number;
  /** `auto`, `concise`, `detailed`: how a summary of the reasoning is wanted; `none` where it must not be sent. */
  reasoning_summary?: string;
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
  /** The client's wire, that it was read from. */
  wire: WireName;
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
  /**
   * Fields that have no neutral term (`thinking`, `safetySettings`), forwarded as they are. Those of a chat client go to
   * every target, for chat clients write each provider's own; those of another client only to a target of its wire.
   */
  extra: JsonObject;
  /** What the client's wire must know of the request when it writes the answer, beside all this: its own form. */
  form?: unknown;
}

/** Name of a wire. */
export type WireName = "anthropic" | "cohere" | "gemini" | "openai" | "perplexity" | "responses";

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
  /** Of `cacheWrite`, those that are kept for an hour, where the provider tells lifetimes apart. */
  cacheWriteHour?: number;
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
  /** The client's names of tools that the answer will call otherwise, by the names that a reader emits. */
  toolNames?: ReadonlyMap<string, string>;
  /**
   * The client's path of what stands at a path of `body`, or of what it was made of; `undefined` for what the wire has
   * added. Absent where no row changes the body.
   */
  clientPath?: (path: string) => string | undefined;
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
  /** Says nothing, for a client that would take a long silence for a dead connection. */
  keepAlive?(): string;
}

/** How an answer is written: read where it is translated, and where the gateway must know what it hands through. */
export interface AnswerFormat {
  /** A whole answer, parsed. Emits an error for an object that is not an answer. */
  readAnswer(body: JsonObject, emit: Emit): void;
  /** The end of a whole answer that is too long to be read, for what stands there. */
  readTail?(tail: string, emit: Emit): void;
  readStream(emit: Emit): StreamReader;
  /** The body of an answer that was not 2xx: parsed, or text when it was not JSON. */
  readError(status: number, body: unknown): WireError;
}

/** The provider's half of a wire: writes a call as its request, reads its answers. */
export interface ProviderWire extends AnswerFormat {
  name: WireName;
  writeCall(call: Call): WireRequest;
  /** How it counts the tokens of a call, if it does. */
  counter?: TokenCounter;
}

/** Asks a provider how many tokens a call has. */
export interface TokenCounter {
  /** What follows the path of a call, for a body that is handed through: `/count_tokens`. */
  pathEnd: string;
  writeCall(call: Call): WireRequest;
  /** The count in its answer; `undefined` for an answer without one. */
  read(body: JsonObject): number | undefined;
}

/** What else an error may tell. */
export interface ErrorContext {
  /** What the client asked for, where it was read. */
  call?: Call;
  /** The gateway's id of the request. */
  requestId?: string;
}

/** How a wire keeps what its messages hold for one provider from the others. */
export interface ForeignRules {
  /** What such texts begin with: of proofs, and of what is for the author alone. */
  proofs: string;
  authors?: string;
  /**
   * @param get A field of the body.
   * @param isAuthor Whether the provider is the wire's author.
   * @param dropped Takes the client's paths of what is left out and was more than a proof.
   * @returns The new values of fields, by name.
   */
  without(get: (field: string) => unknown, isAuthor: boolean, dropped: string[]): Map<string, unknown>;
}

/** The client's half of a wire: reads its requests, writes its answers. */
export interface ClientWire extends AnswerFormat {
  name: WireName;
  /** What follows the wire's path where only a part of it is asked for: `/compact`. Not every provider of the wire has it. */
  below?: string;
  /** The ids of its answers begin so: `chatcmpl-`. */
  idPrefix: string;
  /** The header beside `x-request-id` in which its SDKs look for the id of a request. */
  requestIdHeader?: string;
  /**
   * What rows' rules for messages, and `foreign`, are about: a long body that has none of these words is not looked
   * into. One that ends with `*` stands for all that begin so.
   */
  ruleWords: readonly string[];
  /**
   * What must change in a body that is handed through because it holds what is not its provider's to read: proofs of other
   * makers, which our answers have put there, and what is for the wire's author alone.
   */
  foreign?: ForeignRules;
  /**
   * Checks what every request must hold, also one that is handed through.
   *
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  checkCall(body: JsonObject): void;
  /**
   * Reads a body that `checkCall` has passed. Paths in the call are those of the client's body.
   *
   * @param model The provider's name for the model.
   * @throws GatewayError `invalid_request` whose `param` is the path of the fault.
   */
  readCall(body: JsonObject, model: string): Call;
  /** Writes the stream of an answer to a call. */
  writer(call: Call, defaults: Defaults): StreamWriter;
  writeAnswer(answer: Answer, call: Call, defaults: Defaults): JsonObject;
  writeError(error: WireError, context?: ErrorContext): JsonObject;
  /** How many tokens a call has. Default: `{input_tokens}`. */
  writeCount?(tokens: number): JsonObject;
  /** The error in a body that this wire's clients can read as it stands; `undefined` for any other body. */
  ownError(body: unknown): WireError | undefined;
}

// ---------------------------------------------------------------- embeddings

/** A client's request for embeddings, or one part of it. */
export interface EmbedRequest {
  /** The provider's name for the model, without our prefix. */
  model: string;
  /** Texts, or lists of tokens: never empty. */
  inputs: (string | number[])[];
  /** The numbers that a vector should have. */
  dimensions?: number;
  /**
   * What the vectors are for: `search_document`, `search_query`, `classification`, `clustering`, whichever of their
   * spellings the client wrote; else what it wrote.
   */
  inputType?: string;
  /** Who asks, as the client names them. */
  user?: string;
  /** Fields that have no neutral term, forwarded as they are. */
  extra: JsonObject;
}

/** What a provider answered: one vector for each input, in their order. */
export interface Embeddings {
  vectors: number[][];
  /** Tokens of all inputs; 0 where the provider does not say. */
  tokens: number;
  /** As the provider names it. */
  model?: string;
}

/** A provider's way to ask for embeddings. */
export interface EmbeddingWire {
  /** What it writes asks for floats, whatever the client wants. */
  writeEmbed(request: EmbedRequest): WireRequest;
  /** @throws GatewayError `bad_upstream_answer` for a body without vectors. */
  readEmbeddings(body: JsonObject): Embeddings;
  /** As that of `AnswerFormat`. */
  readError(status: number, body: unknown): WireError;
}
