/** Columns that several rows share. */
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { openaiResponses } from "../../wires/openai_responses/mod.ts";
import type { Spoken } from "../types.ts";

/**
 * OpenAI's Responses beside chat completions, for a base URL that ends with the version. Only the routers, and the providers
 * with a guide to Codex over Responses, take the kinds of tools that OpenAI wrote for its own agents.
 */
export const RESPONSES: Spoken = { wire: openaiResponses, path: "/responses" };

/** Responses of a provider that refuses those kinds of tools, or ignores them and so answers without them. */
export const OPEN_RESPONSES: Spoken = {
  ...RESPONSES,
  tools: /^(?!(?:apply_patch|custom|local_shell|namespace|shell|tool_search)$)/,
};

/** Responses of a provider that takes the client's functions and remote servers, as its documentation says. */
export const MCP_RESPONSES: Spoken = { ...RESPONSES, tools: /^(?:function|mcp)$/ };

/** Anthropic's Messages beside chat completions, for a base URL that ends with the version. */
export const MESSAGES: Spoken = { wire: anthropicMessages, path: "/messages" };

/** Messages of a server that runs no tools itself: each tool must have an `input_schema`. */
export const PLAIN_MESSAGES: Spoken = { ...MESSAGES, tools: /^custom$/ };

/** Anthropic's Messages below a base URL of their own. */
export const messagesBelow = (baseUrl: string): Spoken => ({
  wire: anthropicMessages,
  path: "/v1/messages",
  baseUrl,
});

/**
 * The paths of the older completions, with `prompt` and `suffix`, and of rerank, beside chat completions. For Together (SDK
 * 0.52), Cerebras (1.91) and OpenRouter (1.3, rerank) they are from the SDKs, read in November 2026; for other rows they are
 * from memory. Completions with answers of chat completions do not count (Mistral's `/fim/completions`).
 */
export const COMPLETIONS = { completions: "/completions" }, RERANK = { rerank: "/rerank" };

/** For base URLs without a version at their end. */
export const V1 = { chatPath: "/v1/chat/completions", modelsPath: "/v1/models", version: "v1" };

/** For providers that ignore or refuse the newer name of this field. */
export const MAX_TOKENS = { rename: { max_completion_tokens: "max_tokens" } } as const;

/** For providers that refuse the newer name of system messages. */
export const NO_DEVELOPER = { developer: "system" } as const;

/** OpenAI's chat completions neither return reasoning nor take it back. */
export const OPENAI_TAKES = { openaiTools: true, thoughts: "none" } as const;

/** Routers pass cache marks and proofs of thoughts on to the provider behind them, and fit an effort to the model. */
export const ROUTER_TAKES = {
  cacheMarks: true,
  efforts: ["none", "minimal", "low", "medium", "high", "xhigh"],
  thoughts: "reasoning_details",
} as const;

/**
 * Fields that only OpenAI knows, for rows of providers that refuse unknown fields. None of them changes the content of the
 * answer. Fields that do (`functions`, `modalities`, `web_search_options`) are sent on, because the provider's own error is
 * more useful than an answer without them.
 */
export const OPENAI_ONLY = [
  "moderation",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "verbosity",
] as const;

/**
 * Columns for Claude at a cloud, where the URL names the model. `drop`: servers of tools, containers and tiers are Anthropic's
 * own.
 *
 * @param version The member `anthropic_version`, which takes the place of the header.
 * @param betas The betas that the cloud takes: it refuses a request with any other.
 * @param without Members that the URL says too.
 */
export const claudeAtCloud = (version: string, betas: ReadonlySet<string>, ...without: string[]) => ({
  wire: anthropicMessages,
  isAuthor: true,
  drop: ["container", "fallbacks", "inference_geo", "mcp_servers", "service_tier", "web_search_options"],
  form: {
    without: [...without, "anthropic_version", "anthropic_beta"],
    adds: { anthropic_version: version },
    headers: ["anthropic-version"],
    betas: {
      header: "anthropic-beta",
      member: "anthropic_beta",
      known: betas,
      renamed: { "advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19" },
    },
  },
} satisfies Partial<Spoken>);
