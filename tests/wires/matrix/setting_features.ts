/** What clients say about the answer. */
import type { Json } from "../../acceptance/lab.ts";
import { asked, type Feature, parts, SCHEMA } from "./feature.ts";

const everywhere = (value: Json): Feature["says"] => ({ openai: value, anthropic: value, responses: value });

export const SETTINGS: readonly Feature[] = [
  {
    name: "answers in a schema",
    says: {
      openai: {
        response_format: { type: "json_schema", json_schema: { name: "a", strict: true, schema: SCHEMA } },
      },
      anthropic: { output_config: { format: { type: "json_schema", schema: SCHEMA } } },
      responses: { text: { format: { type: "json_schema", name: "a", strict: true, schema: SCHEMA } } },
    },
    mark: '"city"',
    places: {
      openai: "response_format",
      responses: "text.format",
      anthropic: "output_config.format",
      gemini: "generationConfig.responseJsonSchema|generationConfig.responseSchema",
      cohere: "response_format",
      perplexity: "response_format",
      bedrock: "outputConfig.textFormat",
    },
  },
  {
    name: "answers in any JSON",
    says: {
      openai: { response_format: { type: "json_object" } },
      responses: { text: { format: { type: "json_object" } } },
    },
    places: {
      openai: "response_format",
      responses: "text.format",
      gemini: "generationConfig.responseMimeType",
      cohere: "response_format",
    },
  },
  {
    name: "effort",
    says: {
      openai: { reasoning_effort: "high" },
      anthropic: { output_config: { effort: "high" } },
      responses: { reasoning: { effort: "high" } },
    },
    places: {
      openai: "reasoning_effort|reasoning",
      responses: "reasoning.effort",
      anthropic: "output_config.effort|thinking",
      gemini: "generationConfig.thinkingConfig",
      cohere: "thinking",
      perplexity: "reasoning.effort",
      bedrock: "additionalModelRequestFields",
    },
  },
  {
    name: "a budget to think with",
    says: { anthropic: { thinking: { type: "enabled", budget_tokens: 2000 } } },
    places: {
      anthropic: "thinking.budget_tokens",
      openai: "reasoning_effort|reasoning",
      responses: "reasoning.effort",
      gemini: "generationConfig.thinkingConfig",
      cohere: "thinking.token_budget",
      perplexity: "reasoning.effort",
      bedrock: "additionalModelRequestFields.thinking",
    },
  },
  {
    name: "verbosity",
    says: { openai: { verbosity: "low" }, responses: { text: { verbosity: "low" } } },
    places: { openai: "verbosity", responses: "text.verbosity" },
  },
  {
    name: "reasoning as a summary",
    says: { responses: { reasoning: { summary: "auto" } } },
    silent: true,
    places: {
      responses: "reasoning.summary",
      anthropic: "thinking.display",
      gemini: "generationConfig.thinkingConfig.includeThoughts",
    },
  },
  {
    name: "limit of tokens",
    says: {
      openai: { max_completion_tokens: 4321 },
      anthropic: { max_tokens: 4321 },
      responses: { max_output_tokens: 4321 },
    },
    mark: "4321",
    places: {
      openai: "max_completion_tokens|max_tokens",
      responses: "max_output_tokens",
      anthropic: "max_tokens",
      gemini: "generationConfig.maxOutputTokens",
      cohere: "max_tokens",
      perplexity: "max_output_tokens",
      bedrock: "inferenceConfig.maxTokens",
    },
  },
  {
    name: "temperature",
    says: everywhere({ temperature: 0.25 }),
    places: {
      openai: "temperature",
      responses: "temperature",
      anthropic: "temperature",
      gemini: "generationConfig.temperature",
      cohere: "temperature",
      perplexity: "temperature",
      bedrock: "inferenceConfig.temperature",
    },
  },
  {
    name: "`top_p`",
    says: everywhere({ top_p: 0.75 }),
    places: {
      openai: "top_p",
      responses: "top_p",
      anthropic: "top_p",
      gemini: "generationConfig.topP",
      cohere: "p",
      perplexity: "top_p",
      bedrock: "inferenceConfig.topP",
    },
  },
  {
    name: "`top_k`",
    says: { openai: { top_k: 7 }, anthropic: { top_k: 7 } },
    places: {
      openai: "top_k",
      anthropic: "top_k",
      gemini: "generationConfig.topK",
      cohere: "k",
      perplexity: "top_k",
      bedrock: "additionalModelRequestFields.top_k",
    },
  },
  {
    name: "stop sequences",
    says: { openai: { stop: ["MARK"] }, anthropic: { stop_sequences: ["MARK"] } },
    mark: "MARK",
    places: {
      openai: "stop",
      anthropic: "stop_sequences",
      gemini: "generationConfig.stopSequences",
      cohere: "stop_sequences",
      bedrock: "inferenceConfig.stopSequences",
    },
  },
  {
    name: "seed",
    says: { openai: { seed: 7 } },
    places: { openai: "seed|random_seed", gemini: "generationConfig.seed", cohere: "seed" },
  },
  {
    name: "penalties",
    says: { openai: { frequency_penalty: 0.5 } },
    places: {
      openai: "frequency_penalty",
      gemini: "generationConfig.frequencyPenalty",
      cohere: "frequency_penalty",
    },
  },
  {
    name: "several answers",
    says: { openai: { n: 2 } },
    places: { openai: "n", gemini: "generationConfig.candidateCount" },
  },
  {
    name: "log-probabilities",
    says: {
      openai: { logprobs: true },
      responses: { include: ["message.output_text.logprobs"], top_logprobs: 2 },
    },
    places: {
      openai: "logprobs",
      responses: "top_logprobs|include",
      gemini: "generationConfig.responseLogprobs",
      cohere: "logprobs",
    },
  },
  {
    name: "`logit_bias`",
    says: { openai: { logit_bias: { 50256: -100 } } },
    places: { openai: "logit_bias" },
  },
  {
    name: "the user's id",
    says: {
      openai: { user: "u1" },
      anthropic: { metadata: { user_id: "u1" } },
      responses: { safety_identifier: "u1" },
    },
    places: {
      openai: "user|safety_identifier",
      responses: "safety_identifier|user",
      anthropic: "metadata.user_id",
    },
  },
  {
    name: "metadata",
    says: { openai: { metadata: { a: "b" } }, responses: { metadata: { a: "b" } } },
    places: {
      openai: "metadata",
      responses: "metadata",
      gemini: "labels",
      perplexity: "metadata",
      bedrock: "requestMetadata",
    },
  },
  {
    name: "service tier",
    says: {
      openai: { service_tier: "flex" },
      anthropic: { service_tier: "standard_only" },
      responses: { service_tier: "flex" },
    },
    places: {
      openai: "service_tier",
      responses: "service_tier",
      anthropic: "service_tier",
      gemini: "serviceTier",
      bedrock: "serviceTier",
    },
  },
  {
    name: "cache marks",
    base: parts({ type: "text", text: "long" }, { type: "text", text: "long" }),
    says: parts(
      { type: "text", text: "long", cache_control: { type: "ephemeral" } },
      { type: "text", text: "long", cache_control: { type: "ephemeral" } },
    ),
    places: {
      openai: "messages.*.content.*.cache_control",
      responses: "input.*.content.*.prompt_cache_breakpoint",
      anthropic: "messages.*.content.*.cache_control",
      bedrock: "messages.*.content.*.cachePoint",
    },
  },
  {
    name: "cache key",
    says: { openai: { prompt_cache_key: "k" }, responses: { prompt_cache_key: "k" } },
    places: { openai: "prompt_cache_key", responses: "prompt_cache_key" },
  },
  {
    name: "context management",
    says: { anthropic: { context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } } },
    places: { anthropic: "context_management" },
  },
  {
    name: "`previous_response_id`",
    says: { responses: { previous_response_id: "resp_1" } },
    places: { responses: "previous_response_id" },
  },
  {
    name: "answers that are stored",
    says: { openai: { store: true }, responses: { store: true } },
    places: { openai: "store", responses: "store", gemini: "store", perplexity: "store" },
  },
  {
    name: "answers in the background",
    says: { responses: { background: true } },
    places: { responses: "background", perplexity: "background" },
  },
  {
    name: "one call for a summary (`compaction_trigger`)",
    says: { responses: { input: [asked, { type: "compaction_trigger" }] } },
    places: { responses: "input.*[type=compaction_trigger]" },
  },
  {
    name: "items by their id alone",
    says: { responses: { input: [{ type: "item_reference", id: "msg_1" }, asked] } },
    places: { responses: "input.*[type=item_reference]" },
  },
  {
    name: "limit of tool calls",
    says: { responses: { max_tool_calls: 3 } },
    places: { responses: "max_tool_calls" },
  },
  {
    name: "predicted text",
    says: { openai: { prediction: { type: "content", content: "MARK" } } },
    mark: "MARK",
    places: { openai: "prediction" },
  },
  {
    name: "sound in the answer",
    says: { openai: { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } } },
    places: { openai: "audio", gemini: "generationConfig.responseModalities" },
  },
  {
    name: "truncation",
    says: { responses: { truncation: "auto" } },
    places: { responses: "truncation" },
  },
];
