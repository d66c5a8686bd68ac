/** The rows of companies that serve their own models. */
import { anthropicMessages, dashedClaude } from "../../wires/anthropic_messages/mod.ts";
import { fitOpenAI } from "../../wires/openai_chat/mod.ts";
import { fitResponses } from "../../wires/openai_responses/mod.ts";
import { voyageEmbeddings } from "../../wires/voyage/mod.ts";
import { bearer, compatible, EMBEDDINGS, header, ownPaths, spoken } from "../kinds.ts";
import { mistralToolId, shortToolId } from "../tool_ids.ts";
import type { Row } from "../types.ts";
import {
  COMPLETIONS,
  MAX_TOKENS,
  messagesBelow,
  NO_DEVELOPER,
  OPEN_RESPONSES,
  OPENAI_ONLY,
  OPENAI_TAKES,
  RERANK,
  RESPONSES,
  V1,
} from "./shared.ts";

export const MAKERS = {
  // Its answers and chunks have no `created` and no `model` (recorded 2025).
  ai21: compatible("https://api.ai21.com/studio/v1", {
    ...MAX_TOKENS,
    conform: true,
    keyEnv: ["AI21_API_KEY"],
  }),
  // "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.[0].role'"
  alibaba: compatible("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", {
    endpoints: COMPLETIONS,
    aliases: ["dashscope"],
    // At most ten texts, and no tokens. `encoding_format` may only be `float`.
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
    // Each kind of key is refused in the other's header: "invalid x-api-key", "OAuth authentication is currently not supported".
    keyForms: [{ begins: "sk-ant-api", auth: header("x-api-key") }, { begins: "sk-ant-oat", auth: bearer }],
    headers: { "anthropic-version": "2023-06-01" },
    modelsPath: "/v1/models?limit=1000",
    version: "v1",
    keyEnv: ["ANTHROPIC_API_KEY"],
  },
  // Cartesia requires the header `cartesia-version`, which clients send.
  cartesia: ownPaths("https://api.cartesia.ai", { auth: header("x-api-key"), keyEnv: ["CARTESIA_API_KEY"] }),
  cohere: {
    endpoints: { rerank: "/v2/rerank" },
    baseUrl: "https://api.cohere.com",
    wires: [spoken("cohere")],
    embeddings: EMBEDDINGS.cohere,
    auth: bearer,
    modelsPath: "/v1/models?page_size=1000&endpoint=chat",
    keyEnv: ["CO_API_KEY", "COHERE_API_KEY"],
  },
  deepgram: ownPaths("https://api.deepgram.com", {
    version: "v1",
    auth: { header: "authorization", prefix: "Token " },
    keyEnv: ["DEEPGRAM_API_KEY"],
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
  elevenlabs: ownPaths("https://api.elevenlabs.io", {
    version: "v1",
    auth: header("xi-api-key"),
    keyEnv: ["ELEVENLABS_API_KEY"],
  }),
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
  // Its Messages are deprecated. https://docs.x.ai/docs/api-reference, …/inference/legacy for completions (2026-11)
  grok: compatible("https://api.x.ai", {
    ...V1,
    aliases: ["xai"],
    also: [{ ...OPEN_RESPONSES, path: "/v1/responses" }],
    endpoints: { completions: "/v1/completions" },
    keyEnv: ["XAI_API_KEY"],
  }),
  ideogram: ownPaths("https://api.ideogram.ai", { auth: header("api-key"), keyEnv: ["IDEOGRAM_API_KEY"] }),
  inception: compatible("https://api.inceptionlabs.ai/v1", { keyEnv: ["INCEPTION_API_KEY"] }),
  // https://platform.minimax.io/docs/api-reference/text-anthropic-api, …/text-openai-api (2026-11)
  minimax: compatible("https://api.minimax.io/v1", {
    also: [OPEN_RESPONSES, messagesBelow("https://api.minimax.io/anthropic")],
    keyEnv: ["MINIMAX_API_KEY"],
  }),
  // 422 "extra_forbidden" for every field that its SDK (2.7) does not list. Its streams report usage without `stream_options`.
  mistral: compatible("https://api.mistral.ai", {
    takes: { efforts: ["none", "high"], thoughts: "none" },
    ...V1,
    drop: [...OPENAI_ONLY, "logit_bias", "store", "stream_options", "top_k", "user"],
    rename: { max_completion_tokens: "max_tokens", seed: "random_seed" },
    // 422 "extra_forbidden" for embeddings too: its SDK lists `output_dimension`, and only texts.
    // "Too many inputs in request": more than 256.
    embeddings: {
      most: 256,
      tokens: false,
      drop: ["input_type", "user"],
      rename: { dimensions: "output_dimension" },
    },
    toolId: mistralToolId,
    // In answers of models that reason, `content` is a list of thoughts and texts (recorded 2026-07).
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
  // "unsupported role ROLE_UNSPECIFIED"
  // https://platform.kimi.ai/docs/api/overview (2026-11)
  moonshot: compatible("https://api.moonshot.ai/v1", {
    aliases: ["moonshotai"],
    also: [RESPONSES, messagesBelow("https://api.moonshot.ai/anthropic")],
    messages: { roles: NO_DEVELOPER },
    keyEnv: ["MOONSHOT_API_KEY"],
  }),
  morph: compatible("https://api.morphllm.com/v1", { keyEnv: ["MORPH_API_KEY"] }),
  // "Unrecognized request argument supplied: top_k"
  openai: compatible("https://api.openai.com/v1", {
    endpoints: COMPLETIONS,
    drop: ["top_k"],
    takes: OPENAI_TAKES,
    models: fitOpenAI,
    // "Unrecognized request argument supplied: input_type"
    embeddings: { most: 2048, drop: ["input_type"] },
    toolId: shortToolId(40),
    also: [{ ...RESPONSES, isAuthor: true, below: ["/compact"], models: fitResponses }],
    responses: "when needed",
    keyEnv: ["OPENAI_API_KEY"],
  }),
  // It ignores all settings except `response_format` and `stream`, as its documentation says.
  // https://docs.parallel.ai/chat-api/sdk-compatibility
  parallel: compatible("https://api.parallel.ai", {
    auth: header("x-api-key"),
    chatPath: "/v1beta/chat/completions",
    keyEnv: ["PARALLEL_API_KEY"],
  }),
  // It takes Sonar's model names too, and is the only API for them since chat completions ended.
  "perplexity-agent": {
    baseUrl: "https://api.perplexity.ai",
    wires: [spoken("perplexity")],
    auth: bearer,
    modelsPath: "/v1/models",
    version: "v1",
    keyEnv: ["PERPLEXITY_API_KEY"],
  },
  // Perplexity ended chat completions on 2026-09-27 in favour of its Agent API. Calls get Perplexity's own error.
  // https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar/overview
  "perplexity-ai": compatible("https://api.perplexity.ai", {
    aliases: ["perplexity"],
    ...MAX_TOKENS,
    // Each chunk also holds the message so far, and streams end without `[DONE]` (recorded 2026-06).
    conform: true,
    keyEnv: ["PERPLEXITY_API_KEY"],
  }),
  stepfun: compatible("https://api.stepfun.ai/v1", { keyEnv: ["STEPFUN_API_KEY"] }),
  upstage: compatible("https://api.upstage.ai/v1/solar", {
    embeddings: { path: "/embeddings", most: 100, tokens: false },
    keyEnv: ["UPSTAGE_API_KEY"],
  }),
  voyage: ownPaths("https://api.voyageai.com/v1", {
    endpoints: RERANK,
    aliases: ["voyageai"],
    embeddings: { wire: voyageEmbeddings, most: 1000, tokens: false },
    keyEnv: ["VOYAGE_API_KEY"],
  }),
  writer: compatible("https://api.writer.com/v1", {
    chatPath: "/chat",
    ...MAX_TOKENS,
    // Each chunk has a `message` beside its `delta`, and streams end without `[DONE]` (recorded 2025-08).
    conform: true,
    keyEnv: ["WRITER_API_KEY"],
  }),
  // https://platform.xiaomimimo.com/docs/en-US/api/chat/anthropic-api (2026-11)
  xiaomi: compatible("https://api.xiaomimimo.com/v1", {
    also: [messagesBelow("https://api.xiaomimimo.com/anthropic")],
    ...MAX_TOKENS,
    keyEnv: ["XIAOMI_API_KEY", "XIAOMI_MIMO_API_KEY"],
  }),
  // "[1214] Incorrect role information"
  // https://docs.z.ai/devpack/tool/claude (2026-11). Only its Coding Plan has Responses, at https://api.z.ai/api/v1.
  zai: compatible("https://api.z.ai/api/paas/v4", {
    aliases: ["z-ai"],
    also: [messagesBelow("https://api.z.ai/api/anthropic")],
    ...MAX_TOKENS,
    embeddings: { most: 64, tokens: false },
    messages: { roles: NO_DEVELOPER },
    keyEnv: ["ZAI_API_KEY", "ZHIPU_API_KEY"],
  }),
} satisfies Record<string, Row>;
