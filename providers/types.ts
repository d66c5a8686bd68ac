/** What a row of the provider table holds. */
import type { ChatTakes, Mender, MessageRules, OpenAIChat } from "../wires/openai_chat/mod.ts";
import type { Fit } from "../wires/shared/openai_models.ts";
import type { Framing } from "../wires/streams/framing.ts";
import type { EmbeddingWire, ProviderWire } from "../wires/types.ts";
import type { ToolId } from "./tool_ids.ts";

export type { Fit, Mender };

/**
 * A top-level field of a chat completions request: OpenAI's (`openai` 6.49.0), deprecated ones included, and those of others
 * that clients send.
 */
export type ChatField =
  | "audio"
  | "cache_control"
  | "chat_template_kwargs"
  | "enable_thinking"
  | "frequency_penalty"
  | "function_call"
  | "functions"
  | "logit_bias"
  | "logprobs"
  | "max_completion_tokens"
  | "max_tokens"
  | "metadata"
  | "min_p"
  | "modalities"
  | "moderation"
  | "n"
  | "parallel_tool_calls"
  | "prediction"
  | "presence_penalty"
  | "prompt_cache_key"
  | "prompt_cache_options"
  | "prompt_cache_retention"
  | "reasoning"
  | "reasoning_effort"
  | "repetition_penalty"
  | "response_format"
  | "safety_identifier"
  | "seed"
  | "service_tier"
  | "stop"
  | "store"
  | "stream_options"
  | "temperature"
  | "thinking"
  | "tool_choice"
  | "tools"
  | "top_k"
  | "top_logprobs"
  | "top_p"
  | "user"
  | "verbosity"
  | "web_search_options";

/** The header that carries a provider's key, e.g. `authorization: Bearer …` or `x-api-key: …`. */
export interface Auth {
  header: string;
  /** Before the key, with its space: `"Bearer "`. Empty for a bare key. */
  prefix: string;
}

/** Labels for the places of a base URL, which are written in braces: `{region}`. */
export interface Places {
  /** Cloudflare's account id. */
  account?: string;
  /** Google's name for a region. */
  location?: string;
  /** A model with a host of its own. */
  model?: string;
  /** Google's project. */
  project?: string;
  /** Amazon's. */
  region?: string;
  /** Azure's. */
  resource?: string;
}

/**
 * Where a path leads that `nativeUrl` has checked. `base` still has its places, and `path` is without its query. Returns
 * `undefined` for a path that the provider cannot serve.
 */
export type NativePath = (base: string, path: string) => {
  base: string;
  path: string;
  /** What the path names for places of the base URL. */
  places?: Places;
  /** A version that the base URL ends with may be repeated in the path. */
  isBelow?: true;
} | undefined;

/** A request that is about to be sent. */
export interface Unsigned {
  method: string;
  url: string;
  /** Names in lower case. */
  headers: { get(name: string): string | null; set(name: string, value: string): void };
  /** As it will be sent. */
  body: BodyInit | null;
}

/**
 * Puts a credential into a request. Called for each try anew, when the body is written.
 *
 * @param key The provider's key, without a scheme.
 * @returns A promise only where signing has to wait, so that a key in a header costs none.
 */
export type Sign = (request: Unsigned, provider: Provider, key: string) => Promise<void> | void;

/** One wire that a provider speaks. Where the client speaks it too, bodies are handed through. */
export interface Spoken {
  wire: ProviderWire;
  /**
   * It is spoken by the wire's author, or by whom an operator has named: what clients write for the author alone goes there, as
   * betas and Claude Code's billing line do.
   */
  isAuthor?: true;
  /** Where it is spoken, below the base URL, for bodies that are handed through: `/chat/completions`. */
  path: string;
  /** What its path is below, where that is not the row's base URL. Options that change the latter leave this wire out. */
  baseUrl?: string;
  /** What it has below that path, of all that clients of the wire ask for: `/compact`. Default nothing. */
  below?: readonly string[];
  /** How its streams are framed, where they are translated. Default: server-sent events. */
  framing?: Framing;
  /** Top-level fields of a request that it answers with an error; left out and named in `sluice-dropped`. */
  drop?: readonly string[];
  /**
   * What its models accept of a body of this wire, where they differ in the settings that they refuse.
   *
   * @returns What must change in a request for the model; `undefined` for nothing.
   */
  models?: (model: string, get: (field: string) => unknown) => Fit | undefined;
}

/** OpenAI's chat completions as a provider speaks them, and where it differs from OpenAI. */
export interface SpokenChat extends Spoken {
  wire: OpenAIChat;
  drop?: readonly ChatField[];
  /** Top-level fields that it knows by another name, e.g. `max_completion_tokens` to `max_tokens`. */
  rename?: Readonly<Partial<Record<ChatField, string>>>;
  /** Writes tool-call ids of other providers as it takes them. */
  toolId?: ToolId;
  /** What it takes in messages, where it takes less than OpenAI does. */
  messages?: Omit<MessageRules, "toolId">;
  /** What it takes beside what every provider does, for calls of other wires' clients. */
  takes?: ChatTakes;
  /**
   * Its answers, or those of the models whose names match, are not what an OpenAI SDK can read: they are mended. Others are
   * handed through byte for byte.
   */
  conform?: boolean | RegExp;
}

/** Embeddings as a provider has them. */
export interface SpokenEmbeddings {
  /** Where it is OpenAI's, bodies are handed through. */
  wire: EmbeddingWire;
  /** Below the base URL: `/embeddings`. Default: what the wire writes. */
  path?: string;
  /** The most inputs of one request: more are asked for in several. Default: no limit that is known. */
  most?: number;
  /** `false` where an input must be text. */
  tokens?: false;
  /** `false` where base64 is refused: floats are asked for, and encoded here. Where it is ignored they are encoded too. */
  base64?: false;
  /** Top-level fields of a request that it refuses or does not heed; left out and named in `sluice-dropped`. */
  drop?: readonly string[];
  /** Top-level fields that it knows by another name. */
  rename?: Readonly<Record<string, string>>;
}

/** Which calls of other clients go over a provider's Responses. */
export type ResponsesUse = "always" | "when needed" | "never";

/** One provider, as data. Only what differs is written; `compatible()` and the table fill in the rest. */
export interface Row {
  /** Other prefixes that clients may write, e.g. `gemini` for `google-ai-studio`. */
  aliases?: readonly string[];
  /** Where its paths begin, without a slash at the end. Its places, e.g. `{account}`, are filled in by `fillPlaces`. */
  baseUrl: string;
  /** The wires that it speaks, the usual one first. */
  wires: readonly [Spoken, ...Spoken[]];
  /** Where it has the older completions and rerank, below the base URL, if it has them: bodies are handed through. */
  endpoints?: { completions?: string; rerank?: string };
  /** Its embeddings, if it has any. */
  embeddings?: SpokenEmbeddings;
  /**
   * Which calls of other clients go over its Responses, where it speaks them beside chat completions. `when needed`: those
   * that OpenAI's models take only there.
   */
  responses?: ResponsesUse;
  auth: Auth;
  /** Keys of another kind, told by how they begin, and where those go. */
  keyForms?: readonly { begins: string; auth: Auth }[];
  /** How a request is signed. Default: with the key in the header of `auth`. */
  sign?: Sign;
  /** `false` for a provider that has only its own paths here. */
  chat?: false;
  /** Its list of models, among its own paths. Default `/models`. */
  modelsPath?: string;
  /** Version segment that a native path may leave out or repeat, e.g. `v1`. */
  version?: string;
  /** Where its own paths lead, when that is not simply below `baseUrl`. */
  native?: NativePath;
  /** Finds the model in a native path, as its first group. Default: what follows `models/`. */
  modelPath?: RegExp;
  /** A header in which clients name another URL of this provider, and the domains it may be in. */
  target?: { header: string; domains: readonly string[] };
  /** Headers sent with every request; the client's own win. */
  headers?: Readonly<Record<string, string>>;
  /** Headers sent with every request by the operator's will, in lower case; they win over all others. */
  fixed?: Readonly<Record<string, string>>;
  /** Writes a model's id as this provider has it, where clients also write it as others do. */
  modelId?: (model: string) => string;
  /** Its chat requests have a field `models` of their own, so that the gateway leaves it alone. */
  ownModels?: boolean;
  /** Answers in place of the network, for a provider built in: the request is the one that would be sent. */
  fetch?: (request: Request) => Promise<Response>;
  /** Environment variables that the provider's own tools read its key from, the usual one first. */
  keyEnv?: readonly string[];
}

/** A row with its name, as the table holds it. */
export interface Provider extends Row {
  name: string;
}
