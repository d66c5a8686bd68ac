/** The kinds of rows: what most rows of the provider table have in common. */
import { anthropicMessages } from "../wires/anthropic_messages/mod.ts";
import { cohere, cohereEmbeddings } from "../wires/cohere/mod.ts";
import { gemini, geminiEmbeddings } from "../wires/gemini/mod.ts";
import { openaiChat, openaiEmbeddings } from "../wires/openai_chat/mod.ts";
import { openaiResponses, responsesWire } from "../wires/openai_responses/mod.ts";
import { perplexityAgent } from "../wires/perplexity_agent/mod.ts";
import type { ProviderWire, WireName as AnyWireName } from "../wires/types.ts";
import type { Auth, Row, Spoken, SpokenChat, SpokenEmbeddings } from "./types.ts";

/** The formats that providers speak, by the name that options use. */
export const WIRES = {
  anthropic: anthropicMessages,
  cohere,
  gemini,
  openai: openaiChat,
  perplexity: perplexityAgent,
  responses: openaiResponses,
} satisfies Partial<Record<AnyWireName, ProviderWire>>;

/** Name of a format that providers speak. */
export type WireName = "anthropic" | "cohere" | "gemini" | "openai" | "perplexity" | "responses";

/** `authorization: Bearer KEY`. */
export const bearer: Auth = { header: "authorization", prefix: "Bearer " };

/** A bare key in a header of its own, e.g. `x-api-key: KEY`. */
export function header(name: string): Auth {
  return { header: name, prefix: "" };
}

/** Columns of a row that speaks OpenAI's chat completions. */
export type CompatibleColumns =
  & Partial<Omit<Row, "baseUrl" | "wires" | "embeddings">>
  & Omit<SpokenChat, "wire" | "path">
  & {
    /** Its chat path below `baseUrl`. Default `/chat/completions`. */
    chatPath?: string;
    /** The other wires that it speaks. */
    also?: readonly Spoken[];
    /** What is not OpenAI's about its embeddings, which are beside its chat completions; `false` for none. */
    embeddings?: Partial<SpokenEmbeddings> | false;
  };

/** Embeddings as OpenAI has them, beside a chat path: `/v1/embeddings` of `/v1/chat/completions`. */
function beside(chatPath: string, changes: Partial<SpokenEmbeddings> = {}): SpokenEmbeddings | undefined {
  const path = changes.path ?? chatPath.replace(/\/chat\/completions$/, "/embeddings");
  return path === chatPath ? undefined : { wire: openaiEmbeddings, path, ...changes };
}

/** A provider that speaks OpenAI chat completions below `baseUrl` and takes a bearer key. */
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

/** Where a wire is spoken by its author, below the base URL. Gemini's path names the model, and is the wire's to write. */
const PATHS: Readonly<Record<WireName, string>> = {
  anthropic: "/v1/messages",
  cohere: "/v2/chat",
  gemini: "",
  openai: "/chat/completions",
  perplexity: "/v1/agent",
  responses: "/responses",
};

/** A wire as its author's own API has it. */
export const spoken = (name: WireName): Spoken => ({
  wire: WIRES[name],
  path: PATHS[name],
  isAuthor: true,
});

/**
 * Responses of a row that is not OpenAI.
 *
 * @param name Of the row: nobody else opens the thoughts that it seals.
 */
export const ownResponses = (name: string, path: string): Spoken => ({
  wire: responsesWire(`${name}-responses-v1`),
  path,
});

/** Where a server of OpenAI's format has them, if it has: beside its chat completions. */
export function endpointsBeside(chatPath = "/chat/completions"): Row["endpoints"] {
  const base = /^(.*)\/chat\/completions$/.exec(chatPath)?.[1];
  return base === undefined ? undefined : { completions: `${base}/completions`, rerank: `${base}/rerank` };
}

/** The embeddings of a wire's author. */
export const EMBEDDINGS: Partial<Record<WireName, SpokenEmbeddings>> = {
  cohere: { wire: cohereEmbeddings, most: 96, tokens: false },
  gemini: { wire: geminiEmbeddings, most: 100, tokens: false },
  openai: { wire: openaiEmbeddings, path: "/embeddings" },
};

/** A provider without chat completions of a form we speak: only its own paths are served. */
export function ownPaths(baseUrl: string, columns: CompatibleColumns = {}): Row {
  return compatible(baseUrl, { chat: false, embeddings: false, ...columns });
}
