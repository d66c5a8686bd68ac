/** The provider table: a row per provider, and finding one by the name that a client wrote. */
import { anthropicMessages, dashedClaude } from "../wires/anthropic_messages/mod.ts";
import { fitOpenAI } from "../wires/openai_chat/mod.ts";
import { openaiResponses } from "../wires/openai_responses/mod.ts";
import { voyageEmbeddings } from "../wires/voyage/mod.ts";
import { serveDemo } from "./demo/demo.ts";
import { bearer, compatible, EMBEDDINGS, header, ownPaths, spoken } from "./kinds.ts";
import { azureOpenAI, baseten, bedrock, huggingface, vertex, workersAI } from "./native.ts";
import { mistralToolId, shortToolId } from "./tool_ids.ts";
import type { Provider, Row, Spoken } from "./types.ts";

/** OpenAI's Responses beside chat completions, below a base URL that ends with the version. */
const RESPONSES: Spoken = { wire: openaiResponses, path: "/responses" };

/** Anthropic's Messages there. */
const MESSAGES: Spoken = { wire: anthropicMessages, path: "/messages" };

/** Anthropic's Messages at a place of their own. */
const messagesBelow = (baseUrl: string): Spoken => ({
  wire: anthropicMessages,
  path: "/v1/messages",
  baseUrl,
});

/**
 * The older completions, with `prompt` and `suffix`, and rerank, beside chat completions. That Together (SDK 0.52),
 * Cerebras (1.91) and OpenRouter (1.3, rerank) have them was read in their SDKs in November 2026; the other rows are from
 * memory. Not those whose answers are chat completions (Mistral's `/fim/completions`).
 */
const COMPLETIONS = { completions: "/completions" }, RERANK = { rerank: "/rerank" };

/** For base URLs that end before the version segment. */
const V1 = { chatPath: "/v1/chat/completions", modelsPath: "/v1/models", version: "v1" };

/** Where only the older name is known, and the newer one would be ignored or refused. */
const MAX_TOKENS = { rename: { max_completion_tokens: "max_tokens" } } as const;

/** Where the newer name for a system message is refused. */
const NO_DEVELOPER = { developer: "system" } as const;

/** OpenAI shows no reasoning on chat completions, and takes none back. */
const OPENAI_TAKES = { openaiTools: true, thoughts: "none" } as const;

/** Routers pass marks and proofs on to whoever is behind them, and make of an effort what the model takes. */
const ROUTER_TAKES = {
  cacheMarks: true,
  efforts: ["none", "minimal", "low", "medium", "high", "xhigh"],
  thoughts: "reasoning_details",
} as const;

/**
 * What only OpenAI itself knows, for those who refuse what they do not know. All of it is beside the point of the
 * answer; what is not (`functions`, `modalities`, `web_search_options`) is sent on, for the provider's own error says
 * more than an answer without it.
 */
const OPENAI_ONLY = [
  "moderation",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "verbosity",
] as const;

/**
 * Checked in November 2026 against the providers' documentation and SDKs as of then: base URLs and key variables also
 * against models.dev (2026-08-18), `@ai-sdk/*` and LiteLLM 1.109. A row drops only what its provider was seen or is
 * documented to refuse; what a provider merely ignores is sent.
 */
const ROWS = {
  // Its answers and chunks have neither `created` nor `model` (recorded 2025).
  ai21: compatible("https://api.ai21.com/studio/v1", {
    ...MAX_TOKENS,
    conform: true,
    keyEnv: ["AI21_API_KEY"],
  }),
  // "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.[0].role'"
  alibaba: compatible("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", {
    endpoints: COMPLETIONS,
    aliases: ["dashscope"],
    // At most ten texts, and no tokens; `encoding_format` may be `float` alone.
    embeddings: { most: 10, tokens: false, base64: false },
    ...MAX_TOKENS,
    messages: { roles: NO_DEVELOPER },
    keyEnv: ["DASHSCOPE_API_KEY", "ALIBABA_API_KEY"],
  }),
  anthropic: {
    baseUrl: "https://api.anthropic.com",
    wires: [spoken("anthropic")],
    modelId: dashedClaude,
    auth: header("x-api-key"),
    // Each is refused where the other belongs: "invalid x-api-key", "OAuth authentication is currently not supported".
    keyForms: [{ begins: "sk-ant-api", auth: header("x-api-key") }, { begins: "sk-ant-oat", auth: bearer }],
    headers: { "anthropic-version": "2023-06-01" },
    modelsPath: "/v1/models?limit=1000",
    version: "v1",
    keyEnv: ["ANTHROPIC_API_KEY"],
  },
  avian: compatible("https://api.avian.io/v1", { keyEnv: ["AVIAN_API_KEY"] }),
  "aws-bedrock": ownPaths("https://bedrock-runtime.{region}.amazonaws.com", {
    aliases: ["bedrock"],
    native: bedrock,
    modelPath: /^bedrock-runtime\/[^/]+\/model\/([^/?]+)/,
    keyEnv: ["AWS_BEARER_TOKEN_BEDROCK"],
  }),
  "azure-openai": ownPaths("https://{resource}.openai.azure.com/openai/deployments", {
    drop: ["top_k"],
    takes: OPENAI_TAKES,
    aliases: ["azure"],
    native: azureOpenAI,
    modelPath: /^[^/]+\/(?:openai\/deployments\/)?(?!openai\/)([^/?]+)\//,
    models: fitOpenAI,
    auth: header("api-key"),
    keyEnv: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
  }),
  baseten: compatible("https://inference.baseten.co/v1", {
    native: baseten,
    modelPath: /^model\/([^/?]+)/,
    keyEnv: ["BASETEN_API_KEY"],
  }),
  // Clients send `cartesia-version`, which it demands.
  cartesia: ownPaths("https://api.cartesia.ai", { auth: header("x-api-key"), keyEnv: ["CARTESIA_API_KEY"] }),
  // "property 'store' is unsupported": 400 or 422 for every field its SDK (1.91) does not list.
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
  cohere: {
    endpoints: { rerank: "/v2/rerank" },
    baseUrl: "https://api.cohere.com",
    wires: [spoken("cohere")],
    embeddings: EMBEDDINGS.cohere,
    auth: bearer,
    modelsPath: "/v1/models?page_size=1000&endpoint=chat",
    keyEnv: ["CO_API_KEY", "COHERE_API_KEY"],
  },
  crusoe: compatible("https://api.inference.crusoecloud.com/v1", {
    ...MAX_TOKENS,
    keyEnv: ["CRUSOE_API_KEY"],
  }),
  deepgram: ownPaths("https://api.deepgram.com", {
    version: "v1",
    auth: { header: "authorization", prefix: "Token " },
    keyEnv: ["DEEPGRAM_API_KEY"],
  }),
  deepinfra: compatible("https://api.deepinfra.com/v1/openai", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    embeddings: { most: 1024, base64: false },
    keyEnv: ["DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"],
  }),
  // "messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`"
  // https://api-docs.deepseek.com/guides/responses_api, …/anthropic_api (2026-11)
  deepseek: compatible("https://api.deepseek.com", {
    endpoints: { completions: "/beta/completions" },
    ...MAX_TOKENS,
    also: [RESPONSES, { wire: anthropicMessages, path: "/anthropic/v1/messages" }],
    messages: { roles: NO_DEVELOPER },
    keyEnv: ["DEEPSEEK_API_KEY"],
  }),
  // No host: see `fetch`.
  demo: compatible("https://demo.invalid", { fetch: serveDemo }),
  digitalocean: compatible("https://inference.do-ai.run/v1", {
    keyEnv: ["DIGITALOCEAN_ACCESS_TOKEN", "GRADIENT_MODEL_ACCESS_KEY"],
  }),
  elevenlabs: ownPaths("https://api.elevenlabs.io", {
    version: "v1",
    auth: header("xi-api-key"),
    keyEnv: ["ELEVENLABS_API_KEY"],
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
  // "Extra inputs are not permitted": 400 for every field its SDK (1.2.30) does not list.
  // https://docs.fireworks.ai/guides/response-api, https://docs.fireworks.ai/tools-sdks/anthropic-compatibility (2026-11)
  fireworks: compatible("https://api.fireworks.ai/inference/v1", {
    endpoints: COMPLETIONS,
    also: [RESPONSES, MESSAGES],
    aliases: ["fireworks-ai"],
    drop: [...OPENAI_ONLY, "store"],
    keyEnv: ["FIREWORKS_API_KEY"],
  }),
  friendli: compatible("https://api.friendli.ai/serverless/v1", {
    endpoints: COMPLETIONS,
    keyEnv: ["FRIENDLI_TOKEN"],
  }),
  // GitHub Models, which GitHub retired on 2026-07-30. Kept so that old names get GitHub's own answer.
  github: compatible("https://models.github.ai/inference", { toolId: shortToolId(40) }),
  "google-ai-studio": {
    aliases: ["google", "gemini"],
    baseUrl: "https://generativelanguage.googleapis.com",
    wires: [spoken("gemini")],
    embeddings: EMBEDDINGS.gemini,
    auth: header("x-goog-api-key"),
    modelsPath: "/v1beta/models?pageSize=1000",
    version: "v1beta",
    keyEnv: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  },
  "google-vertex-ai": ownPaths("https://{location}-aiplatform.googleapis.com", {
    aliases: ["google-vertex", "vertex"],
    native: vertex,
  }),
  // Its Messages are deprecated. https://docs.x.ai/docs/api-reference (2026-11)
  grok: compatible("https://api.x.ai", {
    ...V1,
    aliases: ["xai"],
    also: [{ ...RESPONSES, path: "/v1/responses" }],
    keyEnv: ["XAI_API_KEY"],
  }),
  // The three about probabilities are documented 400s; "property '…' is unsupported" for what its SDK (1.6) does not list.
  // https://console.groq.com/docs/openai
  // Responses refuse the fields of `drop` with 400. https://console.groq.com/docs/responses-api (2026-11)
  groq: compatible("https://api.groq.com/openai/v1", {
    takes: { thoughts: "reasoning" },
    also: [{
      ...RESPONSES,
      drop: ["include", "prompt_cache_key", "safety_identifier", "store", "truncation"],
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
  heroku: compatible("https://us.inference.heroku.com/v1", { keyEnv: ["INFERENCE_KEY"] }),
  huggingface: compatible("https://router.huggingface.co/v1", {
    native: huggingface,
    modelPath: /^(?:hf-inference\/)?(?:models\/)?(?!v\d|chat\/)([^/?]+\/[^/?]+)(?:\?|$)/,
    ...MAX_TOKENS,
    // https://huggingface.co/docs/inference-providers/guides/responses-api (2026-11)
    also: [RESPONSES],
    keyEnv: ["HF_TOKEN", "HUGGINGFACE_API_KEY"],
  }),
  hyperbolic: compatible("https://api.hyperbolic.xyz/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    keyEnv: ["HYPERBOLIC_API_KEY"],
  }),
  ideogram: ownPaths("https://api.ideogram.ai", { auth: header("api-key"), keyEnv: ["IDEOGRAM_API_KEY"] }),
  inception: compatible("https://api.inceptionlabs.ai/v1", { keyEnv: ["INCEPTION_API_KEY"] }),
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (2026-11)
  llamacpp: compatible("http://127.0.0.1:8080/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    aliases: ["llama.cpp"],
    also: [RESPONSES, MESSAGES],
  }),
  // https://lmstudio.ai/docs/developer/openai-compat, …/anthropic-compat (2026-11)
  lmstudio: compatible("http://127.0.0.1:1234/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    also: [RESPONSES, MESSAGES],
  }),
  // https://platform.minimax.io/docs/api-reference/text-anthropic-api, …/text-openai-api (2026-11)
  minimax: compatible("https://api.minimax.io/v1", {
    also: [RESPONSES, messagesBelow("https://api.minimax.io/anthropic")],
    keyEnv: ["MINIMAX_API_KEY"],
  }),
  // 422 "extra_forbidden" for every field its SDK (2.7) does not list. Its streams tell their usage without being asked.
  mistral: compatible("https://api.mistral.ai", {
    takes: { efforts: ["none", "high"], thoughts: "none" },
    ...V1,
    drop: [...OPENAI_ONLY, "logit_bias", "store", "stream_options", "top_k", "user"],
    rename: { max_completion_tokens: "max_tokens", seed: "random_seed" },
    // 422 "extra_forbidden" there too: its SDK lists `output_dimension`, and texts alone.
    embeddings: { tokens: false, drop: ["input_type", "user"], rename: { dimensions: "output_dimension" } },
    toolId: mistralToolId,
    // Models that reason answer with a list of thoughts and texts in `content` (recorded 2026-07).
    // https://docs.mistral.ai/capabilities/reasoning/
    conform: /^(?:magistral|mistral-(?:large|medium|small))/,
    messages: {
      members: {
        assistant: ["prefix", "tool_calls"],
        developer: [],
        system: [],
        tool: ["name", "tool_call_id"],
        user: [],
      },
      roles: NO_DEVELOPER,
    },
    keyEnv: ["MISTRAL_API_KEY"],
  }),
  modelscope: compatible("https://api-inference.modelscope.cn/v1", { keyEnv: ["MODELSCOPE_API_KEY"] }),
  // "unsupported role ROLE_UNSPECIFIED"
  moonshot: compatible("https://api.moonshot.ai/v1", {
    aliases: ["moonshotai"],
    also: [messagesBelow("https://api.moonshot.ai/anthropic")],
    messages: { roles: NO_DEVELOPER },
    keyEnv: ["MOONSHOT_API_KEY"],
  }),
  morph: compatible("https://api.morphllm.com/v1", { keyEnv: ["MORPH_API_KEY"] }),
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
  // "Unsupported parameter(s)" or "extra_forbidden": its models' schemas take no other member.
  nvidia: compatible("https://integrate.api.nvidia.com/v1", {
    endpoints: COMPLETIONS,
    drop: [...OPENAI_ONLY, "metadata", "prompt_cache_key", "service_tier", "store"],
    ...MAX_TOKENS,
    keyEnv: ["NVIDIA_API_KEY"],
  }),
  // Responses without a store. https://docs.ollama.com/api/openai-compatibility, …/anthropic-compatibility (2026-11)
  // Of embeddings it takes texts alone.
  ollama: compatible("http://127.0.0.1:11434/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    also: [RESPONSES, MESSAGES],
    embeddings: { tokens: false },
    keyEnv: ["OLLAMA_API_KEY"],
  }),
  // "Unrecognized request argument supplied: top_k"
  openai: compatible("https://api.openai.com/v1", {
    endpoints: COMPLETIONS,
    drop: ["top_k"],
    takes: OPENAI_TAKES,
    models: fitOpenAI,
    // "Unrecognized request argument supplied: input_type"
    embeddings: { most: 2048, drop: ["input_type"] },
    toolId: shortToolId(40),
    also: [{ ...RESPONSES, isAuthor: true, below: ["/compact"] }],
    responses: "when needed",
    keyEnv: ["OPENAI_API_KEY"],
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
  ovhcloud: compatible("https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", {
    endpoints: COMPLETIONS,
    keyEnv: ["OVHCLOUD_API_KEY"],
  }),
  // Ignores all settings but `response_format` and `stream`, and says so.
  // https://docs.parallel.ai/chat-api/sdk-compatibility
  parallel: compatible("https://api.parallel.ai", {
    auth: header("x-api-key"),
    chatPath: "/v1beta/chat/completions",
    keyEnv: ["PARALLEL_API_KEY"],
  }),
  // Takes Sonar's model names too, and is what answers them since chat completions ended.
  "perplexity-agent": {
    baseUrl: "https://api.perplexity.ai",
    wires: [spoken("perplexity")],
    auth: bearer,
    modelsPath: "/v1/models",
    version: "v1",
    keyEnv: ["PERPLEXITY_API_KEY"],
  },
  // Perplexity ended chat completions on 2026-09-27 in favour of its Agent API; calls get its own error.
  // https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/overview
  "perplexity-ai": compatible("https://api.perplexity.ai", {
    aliases: ["perplexity"],
    ...MAX_TOKENS,
    // Each chunk repeats the message so far beside its delta, and streams end without `[DONE]` (recorded 2026-06).
    conform: true,
    keyEnv: ["PERPLEXITY_API_KEY"],
  }),
  poe: compatible("https://api.poe.com/v1", { ...MAX_TOKENS, keyEnv: ["POE_API_KEY"] }),
  replicate: ownPaths("https://api.replicate.com/v1", {
    modelPath: /(?:^|\/)(?:deployments|models)\/([^/?]+\/[^/?]+)/,
    keyEnv: ["REPLICATE_API_TOKEN"],
  }),
  sambanova: compatible("https://api.sambanova.ai/v1", { keyEnv: ["SAMBANOVA_API_KEY"] }),
  scaleway: compatible("https://api.scaleway.ai/v1", { keyEnv: ["SCW_SECRET_KEY", "SCALEWAY_API_KEY"] }),
  siliconflow: compatible("https://api.siliconflow.com/v1", {
    endpoints: RERANK,
    ...MAX_TOKENS,
    embeddings: { most: 32, tokens: false },
    keyEnv: ["SILICONFLOW_API_KEY"],
  }),
  stepfun: compatible("https://api.stepfun.ai/v1", { keyEnv: ["STEPFUN_API_KEY"] }),
  together: compatible("https://api.together.ai/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    aliases: ["together-ai", "togetherai"],
    ...MAX_TOKENS,
    // `finish_reason: "eos"` (recorded 2025-02, and in its API reference).
    conform: true,
    keyEnv: ["TOGETHER_API_KEY"],
  }),
  upstage: compatible("https://api.upstage.ai/v1/solar", {
    embeddings: { path: "/embeddings", most: 100, tokens: false },
    keyEnv: ["UPSTAGE_API_KEY"],
  }),
  venice: compatible("https://api.venice.ai/api/v1", { keyEnv: ["VENICE_API_KEY"] }),
  vercel: compatible("https://ai-gateway.vercel.sh/v1", {
    takes: ROUTER_TAKES,
    aliases: ["vercel-ai-gateway"],
    // https://vercel.com/docs/ai-gateway/sdks-and-apis (2026-11)
    also: [RESPONSES, MESSAGES],
    keyEnv: ["AI_GATEWAY_API_KEY"],
  }),
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server (2026-11)
  vllm: compatible("http://127.0.0.1:8000/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    also: [RESPONSES, MESSAGES],
  }),
  voyage: ownPaths("https://api.voyageai.com/v1", {
    endpoints: RERANK,
    aliases: ["voyageai"],
    embeddings: { wire: voyageEmbeddings, most: 1000, tokens: false },
    keyEnv: ["VOYAGE_API_KEY"],
  }),
  wandb: compatible("https://api.inference.wandb.ai/v1", { keyEnv: ["WANDB_API_KEY"] }),
  // "Type mismatch of '/messages/0/content', 'array' not in 'string'": many of its models take text alone.
  "workers-ai": compatible("https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1", {
    native: workersAI,
    // Up to a hundred texts; the size of a vector is the model's own.
    embeddings: { most: 100, tokens: false, base64: false, drop: ["dimensions"] },
    modelPath: /^(?:run\/)?((?:@|%40)(?:cf|hf)(?:\/|%2f)[^?]+)/i,
    messages: { texts: true },
    // An answer in JSON mode comes parsed, an object in `content` (recorded 2025-12).
    conform: true,
    modelsPath: "/models/search?task=Text%20Generation&per_page=1000",
    keyEnv: ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"],
  }),
  writer: compatible("https://api.writer.com/v1", {
    chatPath: "/chat",
    ...MAX_TOKENS,
    // Each chunk has a message beside its delta, and streams end without `[DONE]` (recorded 2025-08).
    conform: true,
    keyEnv: ["WRITER_API_KEY"],
  }),
  xiaomi: compatible("https://api.xiaomimimo.com/v1", {
    ...MAX_TOKENS,
    keyEnv: ["XIAOMI_API_KEY", "XIAOMI_MIMO_API_KEY"],
  }),
  // "[1214] Incorrect role information"
  zai: compatible("https://api.z.ai/api/paas/v4", {
    aliases: ["z-ai"],
    also: [messagesBelow("https://api.z.ai/api/anthropic")],
    ...MAX_TOKENS,
    embeddings: { most: 64, tokens: false },
    messages: { roles: NO_DEVELOPER },
    keyEnv: ["ZAI_API_KEY", "ZHIPU_API_KEY"],
  }),
} satisfies Record<string, Row>;

/** Every provider by its name; aliases are in `findProvider`. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  Object.entries(ROWS).map(([name, row]) => [name, { name, ...row }]),
);

/** The providers of a table under their names and their aliases. A name wins over an alias. */
export function indexProviders(providers: Iterable<Provider>): ReadonlyMap<string, Provider> {
  const index = new Map<string, Provider>();
  const all = [...providers];
  for (const provider of all) for (const alias of provider.aliases ?? []) index.set(alias, provider);
  for (const provider of all) index.set(provider.name, provider);
  return index;
}

// Maps throughout: names come from clients, and `constructor` must not resolve.
const INDEX = indexProviders(PROVIDERS.values());

/** The provider of a name or an alias, e.g. `xai` for `grok`. */
export function findProvider(
  name: string,
  index: ReadonlyMap<string, Provider> = INDEX,
): Provider | undefined {
  return index.get(name);
}
