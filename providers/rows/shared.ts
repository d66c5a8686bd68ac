/** What several rows have in common. */
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { openaiResponses } from "../../wires/openai_responses/mod.ts";
import type { Spoken } from "../types.ts";

/** OpenAI's Responses beside chat completions, below a base URL that ends with the version. */
export const RESPONSES: Spoken = { wire: openaiResponses, path: "/responses" };

/** Anthropic's Messages there. */
export const MESSAGES: Spoken = { wire: anthropicMessages, path: "/messages" };

/** Anthropic's Messages at a place of their own. */
export const messagesBelow = (baseUrl: string): Spoken => ({
  wire: anthropicMessages,
  path: "/v1/messages",
  baseUrl,
});

/**
 * The older completions, with `prompt` and `suffix`, and rerank, beside chat completions. That Together (SDK 0.52),
 * Cerebras (1.91) and OpenRouter (1.3, rerank) have them was read in their SDKs in November 2026; the other rows are from
 * memory. Not those whose answers are chat completions (Mistral's `/fim/completions`).
 */
export const COMPLETIONS = { completions: "/completions" }, RERANK = { rerank: "/rerank" };

/** For base URLs that end before the version segment. */
export const V1 = { chatPath: "/v1/chat/completions", modelsPath: "/v1/models", version: "v1" };

/** Where only the older name is known, and the newer one would be ignored or refused. */
export const MAX_TOKENS = { rename: { max_completion_tokens: "max_tokens" } } as const;

/** Where the newer name for a system message is refused. */
export const NO_DEVELOPER = { developer: "system" } as const;

/** OpenAI shows no reasoning on chat completions, and takes none back. */
export const OPENAI_TAKES = { openaiTools: true, thoughts: "none" } as const;

/** Routers pass marks and proofs on to whoever is behind them, and make of an effort what the model takes. */
export const ROUTER_TAKES = {
  cacheMarks: true,
  efforts: ["none", "minimal", "low", "medium", "high", "xhigh"],
  thoughts: "reasoning_details",
} as const;

/**
 * What only OpenAI itself knows, for those who refuse what they do not know. All of it is beside the point of the
 * answer; what is not (`functions`, `modalities`, `web_search_options`) is sent on, for the provider's own error says
 * more than an answer without it.
 */
export const OPENAI_ONLY = [
  "moderation",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "verbosity",
] as const;
