/**
 * A client's request in neutral terms.
 *
 * Names and values of settings are those of OpenAI's chat completions, which most APIs follow. `readCall` turns the
 * several spellings of a setting into one.
 */
import type { ServerCall } from "./answer.ts";
import type { Citation, JsonObject, Media, ServerToolKind, Thought } from "./content.ts";

/** `mediaPath` is the path of the media in the client's body, e.g. `messages[2].content[0].image_url`. */
interface MediaPart {
  media: Media;
  mediaPath: string;
}

/** One piece of a message. `path` is its path in the client's body, e.g. `messages[2].content[0]`. */
export type Part =
  & (
    /** `tells`: the text stands for the server tool's call with this id, or for its result. */
    | { type: "text"; text: string; tells?: string }
    | { type: "refusal"; text: string }
    | MediaPart & { type: "image"; detail?: string; detailPath?: string }
    | MediaPart & { type: "audio" | "video" }
    | MediaPart & { type: "file"; name?: string; namePath?: string }
    /** A part of a type that OpenAI does not have, in the target's own form. It is sent unchanged. */
    | { type: "native"; value: JsonObject }
  )
  & {
    path: string;
    /** `cache_control` exactly as the client wrote it, or what OpenAI's `prompt_cache_breakpoint` is there. */
    cache?: unknown;
    /** The path of `cache` in the client's body, if it is not that of `cache_control`. */
    cachePath?: string;
    /** Gemini's `thought_signature` of this part, from `extra_content`. */
    signature?: string;
  };

/** A tool call that the assistant made. */
export interface ToolCall {
  /** The provider's own id, without what `packToolId` added. */
  id: string;
  name: string;
  /** JSON text as the model wrote it; it may be empty or broken. Free text if `custom`. */
  arguments: string;
  /** A call of a custom tool: its input is text and not JSON. */
  custom?: boolean;
  /** Gemini's `thought_signature`, from `extra_content` or from the packed id. */
  signature?: string;
  path: string;
}

/** A call of a server's tool (MCP) that a provider asked by itself, in an earlier answer. */
export type ServedCall = ServerCall & {
  path: string;
  /** The number of the answer's parts that come before it. */
  after: number;
};

/** One turn. Roles and order are the client's. A wire merges turns as it must, but never moves one. */
export type Message =
  & { path: string; cache?: unknown; cachePath?: string; name?: string; parts: Part[] }
  & (
    | { role: "system" | "developer" | "user" }
    | {
      role: "assistant";
      /** The thoughts, each with its path in the client's body. */
      thoughts: (Thought & { path: string })[];
      /** Tools have joined since: it was thought with fewer of them. */
      before?: "tools";
      calls: ToolCall[];
      /** Calls of servers' tools, in their order. A wire writes them by `withServed`. */
      served?: ServedCall[];
      signature?: string;
      /** The sources of an earlier answer, as the client kept them. */
      citations?: Citation[];
    }
    | { role: "tool"; callId: string; error?: boolean }
  );

/** A message of one role. */
export type MessageOf<R extends Message["role"]> = Extract<Message, { role: R }>;

/** A function that the model may call. */
export interface FunctionTool {
  type: "function";
  name: string;
  description?: string;
  /** The client's JSON Schema, unchanged. Absent: the function takes no arguments. */
  parameters?: JsonObject;
  strict?: boolean;
  cache?: unknown;
  path: string;
  /** The path of the object with `strict` and `description`: `tools[0].function`. */
  definitionPath: string;
  /** The path of `parameters`: `tools[0].function.parameters`. */
  parametersPath: string;
  /** Further members of the tool or of its `function`. They are forwarded. */
  extra: JsonObject;
  /**
   * The kind of tool that the client offered in place of a function, in its wire's terms: `custom`, `namespace`,
   * `bash_20250124`. The client's wire writes a call of it in the same kind.
   */
  kind?: string;
  /** The namespace with which `name` begins, for `kind: "namespace"`. */
  namespace?: string;
}

/** A tool in the target's own form, e.g. `{"type": "web_search_20250305", …}` or `{"googleSearch": {}}`. */
export interface NativeTool {
  type: "native";
  value: JsonObject;
  path: string;
}

/** A grammar that a free text must match. `syntax` is `lark` or `regex`. */
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
  /** The form of the input. Absent: any text. */
  format?: { type: "text" } | Grammar;
  cache?: unknown;
  path: string;
  /** The path of `format`: `tools[0].custom.format`. */
  formatPath: string;
}

/** The limits of a search or a fetch. */
export interface SearchTerms {
  allowedDomains?: string[];
  blockedDomains?: string[];
  /** The user's location: `{city, region, country, timezone}`. Other members are ignored. */
  location?: JsonObject;
  maxUses?: number;
  /** How much of the pages found the model reads: `low`, `medium` or `high`. */
  contextSize?: string;
}

/** A tool that a provider runs itself. `value` is the tool in the client's form, for a target of the same wire. */
export interface ServerTool {
  type: "server";
  kind: ServerToolKind;
  search?: SearchTerms;
  value: JsonObject;
  path: string;
}

/** A tool that the model may call. */
export interface McpServer {
  type: "mcp";
  /** The client's name for it, e.g. `docs`. */
  label: string;
  url: string;
  /** Sent to the server as a bearer token. */
  token?: string;
  /** Names of its tools that the model may call. Default all. */
  allowed?: string[];
  /** The client's own, for a target of its wire. */
  value: JsonObject;
  path: string;
}

/** What the model may call. */
export type Tool = FunctionTool | CustomTool | ServerTool | McpServer | NativeTool;

/** `response_format`. The format `text` means the same as none, and is left out. */
export type Format =
  | { type: "json_object" }
  | {
    type: "json_schema";
    name?: string;
    description?: string;
    schema: JsonObject;
    strict?: boolean;
    /** The path of these members in the client's body: `response_format.json_schema`. */
    path: string;
  };

/** Which tool the model must, may or must not call. */
export type ToolChoice = "none" | "auto" | "required" | { name: string };

/** The client's settings. Absent members were not sent, or were null. */
export interface Settings {
  tools?: Tool[];
  tool_choice?: ToolChoice;
  /** The names of the functions and custom tools in `tools` that the model may call. Absent: all of them. */
  allowed_tools?: string[];
  parallel_tool_calls?: boolean;
  response_format?: Format;
  /** The limit of output tokens: `max_completion_tokens`, else `max_tokens`. */
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  /** The stop sequences. A single string becomes a list of one. */
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
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or another word of the client. */
  reasoning_effort?: string;
  /** The most tokens that the model may use for thinking, if the client sends a number in place of a word. */
  reasoning_budget?: number;
  /**
   * The wanted summary of the reasoning: `auto`, `concise` or `detailed`; `none` if no summary may be sent to the
   * client.
   */
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
  /** The client's wire, from which the call was read. */
  wire: WireName;
  /** The provider's name for the model, without the provider's prefix. */
  model: string;
  /** The model behind `model`, where that is an id that does not tell it, e.g. of a profile or a deployment; `""` if unknown. */
  baseModel?: string;
  stream: boolean;
  /** The client asked for a usage chunk (`stream_options.include_usage`). */
  includeUsage: boolean;
  messages: Message[];
  settings: Settings;
  /**
   * The client's spelling of each setting, in the order of its body: `max_tokens` may be `max_completion_tokens`,
   * `tools` may be `functions`. Wires walk through this map to keep the order and to name what they drop.
   */
  sent: Map<keyof Settings, string>;
  /** The client's paths of what has no neutral term (`tools[1]` of an unknown type): no other wire can express it. */
  dropped: string[];
  /**
   * Fields that have no neutral term (`thinking`, `safetySettings`). They are forwarded unchanged to a target of the
   * client's wire, and to every target if the client's wire has `mixesFields`.
   */
  extra: JsonObject;
  /** What the client's wire needs from the request to write the answer, in a form of its own. */
  form?: unknown;
}

/** The name of a wire. */
export type WireName = "anthropic" | "bedrock" | "cohere" | "gemini" | "openai" | "perplexity" | "responses";
