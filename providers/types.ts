/** The types of a row of the provider table. */
import type { ChatTakes, Mender, MessageRules, OpenAIChat } from "../wires/openai_chat/mod.ts";
import type { Fit } from "../wires/shared/openai_models.ts";
import type { Framing } from "../wires/streams/framing.ts";
import type { EmbeddingWire, JsonObject, ProviderWire } from "../wires/types.ts";
import type { KeySet, Places, Unsigned } from "./sign/types.ts";
import type { ToolId } from "./tool_ids.ts";

export type { Fetch, KeySet, Places, Unsigned } from "./sign/types.ts";
export type { Fit, Mender };

/**
 * A top-level field of a chat completions request: OpenAI's fields (`openai` 6.49.0) with deprecated ones, and fields of other
 * providers that clients send.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type ChatField, createGateway } from "../mod.ts";
 *
 * const drop: ChatField[] = ["seed"];
 * const gateway = createGateway({
 *   providers: { local: { baseUrl: "https://llm.example.com/v1", drop } },
 *   fetch: (_, init) => Promise.resolve(Response.json({ sent: String(init.body) })),
 * }).gateway("default");
 * const query = { model: "local/llama", messages: [{ role: "user", content: "Hello" }], seed: 1 };
 * const response = await gateway.run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals(response.headers.get("sluice-dropped"), "seed");
 * ```
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
  /** The text before the key, with its space: `"Bearer "`. Empty for a key without a scheme. */
  prefix: string;
}

/**
 * Decides where a native path leads that `nativeUrl` has checked. `base` is the row's base URL with its places, and `path` has
 * no query. Returns `undefined` for a path that the provider cannot serve.
 */
export type NativePath = (base: string, path: string) => {
  base: string;
  path: string;
  /** The labels in the path for places of the base URL. */
  places?: Places;
  /** Whether the path may repeat a version at the end of the base URL. */
  isBelow?: true;
} | undefined;

/**
 * Where a call's path leads, for a provider whose URL depends on more than its base.
 *
 * @param row Its base URL still has its places.
 * @param path Below it: `/chat/completions`.
 * @param model As the client wrote it.
 */
export type CallPath = (row: Row, path: string, model: string) => {
  base: string;
  /** With its query. */
  path: string;
  /** What the model names for places of the base URL. */
  places?: Places;
};

/**
 * Puts a credential into a request. Called for each attempt, after the body is written.
 *
 * @param key The provider's key, without a scheme.
 * @returns A promise only if signing is asynchronous, so that a key in a header costs no promise.
 */
export type Sign = (request: Unsigned, provider: Provider, key: string) => Promise<void> | void;

/** How a cloud's body differs from that of the wire's author. */
export interface BodyForm {
  /** Members that are left out, as the URL says them, or as `adds` and `betas` write them. */
  without: readonly string[];
  /** Members that every body has. */
  adds?: JsonObject;
  /** Headers that are not sent. */
  headers?: readonly string[];
  /** Members whose members are headers there, by their names. They are among `without`. */
  inHeaders?: Readonly<
    Record<string, Readonly<Record<string, { header: string; write?: (value: string) => string }>>>
  >;
  /** The header with names of betas, the member that holds them, those that the cloud knows, and those with other names there. */
  betas?: {
    header: string;
    member: string;
    known: ReadonlySet<string>;
    renamed?: Readonly<Record<string, string>>;
  };
}

/** One wire that a provider speaks. Bodies of a client that speaks it too are handed through. */
export interface Spoken {
  wire: ProviderWire;
  /**
   * Whether the provider is the wire's author, or an operator has named the wire for it. Only such a provider gets what
   * clients write for the author alone, e.g. betas and Claude Code's billing line.
   */
  isAuthor?: true;
  /**
   * The path below the base URL, for bodies that are handed through: `/chat/completions`. `{model}` stands for the model's id
   * as one segment.
   */
  path: string;
  /** The path for streams, if it is another one. */
  streamPath?: string;
  /** Headers of every request on this wire, in lower case. The client's own headers win. */
  headers?: Readonly<Record<string, string>>;
  /** The wire's base URL, if it is not the row's. If options change the row's base URL, this wire is left out. */
  baseUrl?: string;
  /** Further paths of the wire below `path` that the provider has, e.g. `/compact`. Default none. */
  below?: readonly string[];
  /**
   * Matches the types of tools that the provider takes on this wire. A request that offers any other is translated to the
   * row's usual wire. Default: all types.
   */
  tools?: RegExp;
  /** `false` if the provider runs no tools itself, as the wire's author does: they are left out of calls that are translated. */
  serverTools?: false;
  /** The framing of its streams. Default: server-sent events. In another framing they are never handed through as they are. */
  framing?: Framing;
  /** The form of its bodies, if it is not that of the wire's author. */
  form?: BodyForm;
  /** Reads its errors, if they are not in the wire's form. */
  readError?: ProviderWire["readError"];
  /** The wire that counts the tokens of a call, if it is not this one. */
  counting?: ProviderWire;
  /** Top-level fields of a request that the provider answers with an error. They are left out and named in `sluice-dropped`. */
  drop?: readonly string[];
  /**
   * Fits a request of this wire to its model, for providers whose models refuse different settings.
   *
   * @returns The changes to the request; `undefined` for none.
   */
  models?: (model: string, get: (field: string) => unknown) => Fit | undefined;
}

/** OpenAI's chat completions at a provider, with its differences from OpenAI. */
export interface SpokenChat extends Spoken {
  wire: OpenAIChat;
  drop?: readonly ChatField[];
  /** Top-level fields with the provider's own names for them, e.g. `max_completion_tokens` to `max_tokens`. */
  rename?: Readonly<Partial<Record<ChatField, string>>>;
  /** Rewrites ids of tool calls of other providers in a form that the provider takes. */
  toolId?: ToolId;
  /** The rules for messages of a provider that takes less than OpenAI. */
  messages?: Omit<MessageRules, "toolId">;
  /** Optional features that the provider takes, for calls of other wires' clients. */
  takes?: ChatTakes;
  /**
   * Whether an OpenAI SDK cannot read the answers, or a pattern for the models with such answers. These answers are repaired;
   * others are handed through byte for byte.
   */
  conform?: boolean | RegExp;
}

/** Embeddings of a provider. */
export interface SpokenEmbeddings {
  /** The format. Bodies in OpenAI's format are handed through. */
  wire: EmbeddingWire;
  /** The path below the base URL: `/embeddings`. Default: the path that the wire writes. */
  path?: string;
  /** The most inputs of one request, also by the model; more inputs are sent in several requests. Default: no known limit. */
  most?: number | ((model: string) => number);
  /** `false` if an input must be text. */
  tokens?: false;
  /** `false` if the provider refuses base64: the gateway then asks for floats and encodes them. It also encodes floats of a provider that ignores the field. */
  base64?: false;
  /** Top-level fields of a request that the provider refuses or ignores. They are left out and named in `sluice-dropped`. */
  drop?: readonly string[];
  /** Top-level fields with the provider's own names for them. */
  rename?: Readonly<Record<string, string>>;
}

/** Which chat calls use a provider's Responses API. */
export type ResponsesUse = "always" | "when needed" | "never";

/** The way to some of a provider's models. */
export interface Route {
  /** Matches the model as the client wrote it, or the model that the option `baseModels` names for it. */
  models: RegExp;
  /** Whether the way is for this call, by members of the client's body. Default: for every call. */
  takes?: (get: (field: string) => unknown, model: string) => boolean;
  wires: Row["wires"];
}

/** Options that only some rows have. */
export type OwnSetting = "apiVersion" | "baseModels" | "location" | "project" | "region" | "resource";

/** One provider, as data. A row holds only differences; `compatible()` and the table fill in the rest. */
export interface Row {
  /** Other prefixes that clients may write, e.g. `gemini` for `google-ai-studio`. */
  aliases?: readonly string[];
  /** The URL that paths are appended to, without a slash at the end. `fillPlaces` fills its places, e.g. `{account}`. */
  baseUrl: string;
  /** The wires that the provider speaks, the usual one first. */
  wires: readonly [Spoken, ...Spoken[]];
  /** The ways to models with other wires than `wires`, the first that matches. */
  routes?: readonly Route[];
  /** The model behind an id that does not tell it, e.g. a profile's, by that id. It decides the way and what the model takes. */
  baseModels?: ReadonlyMap<string, string>;
  /** The paths of the older completions and of rerank below the base URL, if it has them. Bodies are handed through. */
  endpoints?: { completions?: string; rerank?: string };
  /** The provider's embeddings, if it has any. */
  embeddings?: SpokenEmbeddings;
  /**
   * Which chat calls use the provider's Responses API, if it speaks Responses beside chat completions. `when needed`: calls
   * that OpenAI's models take only there.
   */
  responses?: ResponsesUse;
  auth: Auth;
  /** Other kinds of keys, by how they begin, each with its header. */
  keyForms?: readonly { begins: string; auth: Auth }[];
  /** Signs a request. Default: puts the key into the header of `auth`. */
  sign?: Sign;
  /**
   * Forgets the token that a request was signed with and that the provider has answered 401 to.
   *
   * @returns Whether the request is worth another try, with a new token.
   */
  dropToken?: (request: Unsigned, key: string) => boolean;
  /** The URL of a call for its key, if that says more of it: a service account names its project. */
  keyedUrl?: (url: string, provider: Provider, key: string | undefined) => string;
  /** `false` for a provider of which only the own paths are served. */
  chat?: false;
  /** The path of its list of models, as a native path; `false` without a list of models that can be called. Default `/models`. */
  modelsPath?: string | false;
  /** Version segment that a native path may leave out or repeat, e.g. `v1`. */
  version?: string;
  /** Decides where native paths lead, if they are not all below `baseUrl`. */
  native?: NativePath;
  /** Where calls lead, when that is not simply below `baseUrl`. */
  callPath?: CallPath;
  /** The options of this row that not every row has. */
  settings?: readonly OwnSetting[];
  /** Azure's version of its API, which `callPath` reads: `v1`, or a date, `2025-04-01-preview`. Default `v1`. */
  apiVersion?: string;
  /** Amazon's region, if neither the path nor the model names one. */
  region?: string;
  /** Google's place of calls: `global`, `eu`, a region. */
  location?: string;
  /** Google's project of calls. */
  project?: string;
  /** Azure's resource, if the model names none. */
  resource?: string;
  /** Environment variables from which the provider's own tools read these settings, the usual one first. */
  settingEnv?: Readonly<Partial<Record<Exclude<OwnSetting, "baseModels"> | "baseUrl", readonly string[]>>>;
  /** Matches the model in a native path, in its first group. Default: the segment after `models/`. */
  modelPath?: RegExp;
  /** A header in which clients name another URL of this provider, and the domains that such a URL may have. */
  target?: { header: string; domains: readonly string[] };
  /** Headers of every request. The client's own headers win. */
  headers?: Readonly<Record<string, string>>;
  /** The operator's headers of every request, in lower case. They win over all others. */
  fixed?: Readonly<Record<string, string>>;
  /** Whether the provider gets the trace of a request, as `traceparent` and `tracestate`. */
  traces?: boolean;
  /** Writes a model's id in this provider's form, if clients also write it in the form of others. */
  modelId?: (model: string) => string;
  /**
   * Matches ids that are names of models. Any other id is a name that an operator chose: nothing is read from it, and the
   * option `baseModels` names its model. Default: all ids.
   */
  modelNames?: RegExp;
  /** Whether its chat requests have a field `models` of their own, which the gateway then leaves alone. */
  ownModels?: boolean;
  /** Answers requests of a built-in provider in place of the network. */
  fetch?: (request: Request) => Promise<Response>;
  /** Environment variables from which the provider's own tools read its key, the usual one first. */
  keyEnv?: readonly string[];
  /** Set if a key may be a set of several texts, which `sign` reads. */
  keySet?: KeySet;
}

/** A row with its name, as the table holds it. */
export interface Provider extends Row {
  name: string;
}
