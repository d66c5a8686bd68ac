/** The columns that most rows of the provider table have in common. */
import { anthropicMessages } from "../wires/anthropic_messages/mod.ts";
import { cohere, cohereEmbeddings } from "../wires/cohere/mod.ts";
import { gemini, geminiEmbeddings } from "../wires/gemini/mod.ts";
import { openaiChat, openaiEmbeddings } from "../wires/openai_chat/mod.ts";
import { openaiResponses, responsesWire } from "../wires/openai_responses/mod.ts";
import { perplexityAgent } from "../wires/perplexity_agent/mod.ts";
import type { ProviderWire, WireName as AnyWireName } from "../wires/types.ts";
import type { Auth, Row, Spoken, SpokenChat, SpokenEmbeddings } from "./types.ts";

/** The wires that providers speak, by their names in options. */
export const WIRES = {
  anthropic: anthropicMessages,
  cohere,
  gemini,
  openai: openaiChat,
  perplexity: perplexityAgent,
  responses: openaiResponses,
} satisfies Partial<Record<AnyWireName, ProviderWire>>;

/**
 * The name of a wire that providers speak.
 *
 * @example
 * ```ts
 * import { createGateway, type WireName } from "../mod.ts";
 *
 * const wire: WireName[] = ["openai", "anthropic"];
 * const local = { baseUrl: "https://llm.example.com", chatPath: "/v1/chat/completions", wire };
 * createGateway({ providers: { local } });
 * ```
 */
export type WireName = "anthropic" | "cohere" | "gemini" | "openai" | "perplexity" | "responses";

/** `authorization: Bearer KEY`. */
export const bearer: Auth = { header: "authorization", prefix: "Bearer " };

/** A key without a scheme in a header of its own, e.g. `x-api-key: KEY`. */
export function header(name: string): Auth {
  return { header: name, prefix: "" };
}

/** Columns of a row that speaks OpenAI's chat completions. */
export type CompatibleColumns =
  & Partial<Omit<Row, "baseUrl" | "wires" | "embeddings">>
  & Omit<SpokenChat, "wire" | "path">
  & {
    /** The chat path below `baseUrl`. Default `/chat/completions`. */
    chatPath?: string;
    /** The other wires that the provider speaks. */
    also?: readonly Spoken[];
    /** How its embeddings, which are beside its chat completions, differ from OpenAI's; `false` for none. */
    embeddings?: Partial<SpokenEmbeddings> | false;
  };

/** Embeddings in OpenAI's format beside a chat path: `/v1/embeddings` for `/v1/chat/completions`. */
function beside(chatPath: string, changes: Partial<SpokenEmbeddings> = {}): SpokenEmbeddings | undefined {
  const path = changes.path ?? chatPath.replace(/\/chat\/completions$/, "/embeddings");
  return path === chatPath ? undefined : { wire: openaiEmbeddings, path, ...changes };
}

/** A row that speaks OpenAI's chat completions below `baseUrl` and takes a bearer key. */
export function compatible(
  baseUrl: string,
  { chatPath: path = "/chat/completions", also = [], embeddings, ...columns }: CompatibleColumns = {},
): Row {
  const { framing, drop, rename, toolId, messages, takes, models, conform, ...own } = columns;
  const chat: SpokenChat = {
    wire: openaiChat,
    path,
    framing,
    drop,
    rename,
    toolId,
    messages,
    takes,
    models,
    conform,
  };
  return {
    baseUrl,
    auth: bearer,
    wires: [chat, ...also],
    embeddings: embeddings === false ? undefined : beside(path, embeddings),
    ...own,
  };
}

/** The path of each wire at its author, below the base URL. Gemini's path holds the model, so its wire writes it. */
const PATHS: Readonly<Record<WireName, string>> = {
  anthropic: "/v1/messages",
  cohere: "/v2/chat",
  gemini: "",
  openai: "/chat/completions",
  perplexity: "/v1/agent",
  responses: "/responses",
};

/** A wire at its author's path. */
export const spoken = (name: WireName): Spoken => ({
  wire: WIRES[name],
  path: PATHS[name],
  isAuthor: true,
});

/**
 * Responses of a row other than OpenAI's.
 *
 * @param name The row's name. It marks the sealed thoughts, which no other provider can open.
 */
export const ownResponses = (name: string, path: string): Spoken => ({
  wire: responsesWire(`${name}-responses-v1`),
  path,
});

/** Completions and rerank of a server with OpenAI's format: beside its chat completions. */
export function endpointsBeside(chatPath = "/chat/completions"): Row["endpoints"] {
  const base = /^(.*)\/chat\/completions$/.exec(chatPath)?.[1];
  return base === undefined ? undefined : { completions: `${base}/completions`, rerank: `${base}/rerank` };
}

/** The embeddings of each wire's author. */
export const EMBEDDINGS: Partial<Record<WireName, SpokenEmbeddings>> = {
  cohere: { wire: cohereEmbeddings, most: 96, tokens: false },
  gemini: { wire: geminiEmbeddings, most: 100, tokens: false },
  openai: { wire: openaiEmbeddings, path: "/embeddings" },
};

/** A row without chat completions on any of our wires. Only the provider's own paths are served. */
export function ownPaths(baseUrl: string, columns: CompatibleColumns = {}): Row {
  return compatible(baseUrl, { chat: false, embeddings: false, ...columns });
}
