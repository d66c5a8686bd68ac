/**
 * A client's request in neutral terms.
 *
 * Setting names and values are OpenAI chat completions' own, the field's common
 * language, after `readCall` has made one spelling of the several it allows.
 */
import type { Citation, JsonObject, Media, ServerToolKind, Thought } from "./content.ts";

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
   * Fields that have no neutral term (`thinking`, `safetySettings`), forwarded as they are: to a target of the client's
   * wire, and to every target where the client's wire says `mixesFields`.
   */
  extra: JsonObject;
  /** What the client's wire must know of the request when it writes the answer, beside all this: its own form. */
  form?: unknown;
}

/** Name of a wire. */
export type WireName = "anthropic" | "cohere" | "gemini" | "openai" | "perplexity" | "responses";
