/** The rows of hosts and routers, which serve other companies' models. */
import { compatible, ownPaths } from "../kinds.ts";
import { baseten, huggingface } from "../native.ts";
import { shortToolId } from "../tool_ids.ts";
import type { Row } from "../types.ts";
import {
  COMPLETIONS,
  MAX_TOKENS,
  MCP_RESPONSES,
  MESSAGES,
  OPENAI_ONLY,
  RERANK,
  RESPONSES,
  ROUTER_TAKES,
  V1,
} from "./shared.ts";

export const HOSTS = {
  avian: compatible("https://api.avian.io/v1", { keyEnv: ["AVIAN_API_KEY"] }),
  baseten: compatible("https://inference.baseten.co/v1", {
    native: baseten,
    modelPath: /^model\/([^/?]+)/,
    keyEnv: ["BASETEN_API_KEY"],
  }),
  // "property 'store' is unsupported": 400 or 422 for every field that its SDK (1.91) does not list.
  cerebras: compatible("https://api.cerebras.ai/v1", {
    endpoints: COMPLETIONS,
    takes: { thoughts: "reasoning" },
    drop: [...OPENAI_ONLY, "metadata", "store", "top_k"],
    messages: {
      members: {
        assistant: ["name", "reasoning", "tool_calls"],
        developer: ["name"],
        system: ["name"],
        tool: ["name", "tool_call_id"],
        user: ["name"],
      },
    },
    keyEnv: ["CEREBRAS_API_KEY"],
  }),
  chutes: compatible("https://llm.chutes.ai/v1", { ...MAX_TOKENS, keyEnv: ["CHUTES_API_KEY"] }),
  crusoe: compatible("https://api.inference.crusoecloud.com/v1", {
    ...MAX_TOKENS,
    keyEnv: ["CRUSOE_API_KEY"],
  }),
  deepinfra: compatible("https://api.deepinfra.com/v1/openai", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    embeddings: { most: 1024, base64: false },
    keyEnv: ["DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"],
  }),
  fal: ownPaths("https://fal.run", {
    auth: { header: "authorization", prefix: "Key " },
    modelPath: /^([\w.-]+\/[\w./-]+?)(?:\/requests\/|\?|$)/,
    target: { header: "x-fal-target-url", domains: ["fal.run", "fal.ai"] },
    keyEnv: ["FAL_KEY", "FAL_API_KEY"],
  }),
  featherless: compatible("https://api.featherless.ai/v1", {
    endpoints: COMPLETIONS,
    keyEnv: ["FEATHERLESS_API_KEY"],
  }),
  // "Extra inputs are not permitted": 400 for every field that its SDK (1.2.30) does not list.
  // https://docs.fireworks.ai/guides/response-api, https://docs.fireworks.ai/tools-sdks/anthropic-compatibility (2026-11)
  fireworks: compatible("https://api.fireworks.ai/inference/v1", {
    endpoints: COMPLETIONS,
    also: [MCP_RESPONSES, MESSAGES],
    aliases: ["fireworks-ai"],
    drop: [...OPENAI_ONLY, "store"],
    keyEnv: ["FIREWORKS_API_KEY"],
  }),
  friendli: compatible("https://api.friendli.ai/serverless/v1", {
    endpoints: COMPLETIONS,
    keyEnv: ["FRIENDLI_TOKEN"],
  }),
  // GitHub retired GitHub Models on 2026-07-30. The row is kept so that old names get GitHub's own answer.
  github: compatible("https://models.github.ai/inference", { toolId: shortToolId(40) }),
  // `logit_bias`, `logprobs` and `top_logprobs` are documented as 400. "property '…' is unsupported" for every field that its
  // SDK (1.6) does not list.
  // https://console.groq.com/docs/openai
  // Its Responses refuse the fields of the inner `drop` with 400. https://console.groq.com/docs/responses-api (2026-11)
  groq: compatible("https://api.groq.com/openai/v1", {
    takes: { thoughts: "reasoning" },
    also: [{
      ...RESPONSES,
      drop: ["include", "prompt_cache_key", "safety_identifier", "store", "truncation"],
      tools: /^(?:browser_search|code_interpreter|function|mcp)$/,
    }],
    drop: [
      "logit_bias",
      "logprobs",
      "top_logprobs",
      ...OPENAI_ONLY,
      "prediction",
      "prompt_cache_key",
      "top_k",
    ],
    messages: {
      members: {
        assistant: ["function_call", "name", "reasoning", "tool_calls"],
        developer: ["name"],
        system: ["name"],
        tool: ["tool_call_id"],
        user: ["name"],
      },
    },
    keyEnv: ["GROQ_API_KEY"],
  }),
  huggingface: compatible("https://router.huggingface.co/v1", {
    native: huggingface,
    modelPath: /^(?:hf-inference\/)?(?:models\/)?(?!v\d|chat\/)([^/?]+\/[^/?]+)(?:\?|$)/,
    ...MAX_TOKENS,
    // https://huggingface.co/docs/inference-providers/guides/responses-api (2026-11)
    also: [MCP_RESPONSES],
    keyEnv: ["HF_TOKEN", "HUGGINGFACE_API_KEY"],
  }),
  hyperbolic: compatible("https://api.hyperbolic.xyz/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    keyEnv: ["HYPERBOLIC_API_KEY"],
  }),
  modelscope: compatible("https://api-inference.modelscope.cn/v1", { keyEnv: ["MODELSCOPE_API_KEY"] }),
  nebius: compatible("https://api.tokenfactory.nebius.com/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    keyEnv: ["NEBIUS_API_KEY"],
  }),
  novita: compatible("https://api.novita.ai/openai/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    aliases: ["novita-ai"],
    ...MAX_TOKENS,
    keyEnv: ["NOVITA_API_KEY"],
  }),
  nscale: compatible("https://inference.api.nscale.com/v1", {
    endpoints: COMPLETIONS,
    keyEnv: ["NSCALE_API_KEY"],
  }),
  openrouter: compatible("https://openrouter.ai/api", {
    endpoints: { completions: "/v1/completions", rerank: "/v1/rerank" },
    takes: ROUTER_TAKES,
    ...V1,
    ownModels: true,
    toolId: shortToolId(40),
    // https://openrouter.ai/docs/api/reference/responses/overview, …/api/api-reference/anthropic-messages (2026-11)
    also: [{ ...RESPONSES, path: "/v1/responses" }, { ...MESSAGES, path: "/v1/messages" }],
    keyEnv: ["OPENROUTER_API_KEY"],
  }),
  poe: compatible("https://api.poe.com/v1", { ...MAX_TOKENS, keyEnv: ["POE_API_KEY"] }),
  replicate: ownPaths("https://api.replicate.com/v1", {
    modelPath: /(?:^|\/)(?:deployments|models)\/([^/?]+\/[^/?]+)/,
    keyEnv: ["REPLICATE_API_TOKEN"],
  }),
  sambanova: compatible("https://api.sambanova.ai/v1", { keyEnv: ["SAMBANOVA_API_KEY"] }),
  siliconflow: compatible("https://api.siliconflow.com/v1", {
    endpoints: RERANK,
    ...MAX_TOKENS,
    embeddings: { most: 32, tokens: false },
    keyEnv: ["SILICONFLOW_API_KEY"],
  }),
  together: compatible("https://api.together.ai/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    aliases: ["together-ai", "togetherai"],
    ...MAX_TOKENS,
    // Answers have `finish_reason: "eos"` (recorded 2025-02, and in its API reference).
    conform: true,
    keyEnv: ["TOGETHER_API_KEY"],
  }),
  venice: compatible("https://api.venice.ai/api/v1", { keyEnv: ["VENICE_API_KEY"] }),
  vercel: compatible("https://ai-gateway.vercel.sh/v1", {
    takes: ROUTER_TAKES,
    aliases: ["vercel-ai-gateway"],
    // https://vercel.com/docs/ai-gateway/sdks-and-apis, …/sdks-and-apis/cohere-rerank (2026-11)
    endpoints: RERANK,
    also: [RESPONSES, MESSAGES],
    keyEnv: ["AI_GATEWAY_API_KEY"],
  }),
  wandb: compatible("https://api.inference.wandb.ai/v1", { keyEnv: ["WANDB_API_KEY"] }),
} satisfies Record<string, Row>;
