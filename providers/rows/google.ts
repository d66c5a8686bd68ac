/** The row of Vertex AI, with its ways to the models of each publisher. */
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { gemini, mostVertexTexts, vertexEmbeddings, vertexGemini } from "../../wires/gemini/mod.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { fitResponses, responsesWire } from "../../wires/openai_responses/mod.ts";
import { object } from "../../wires/shared/json.ts";
import type { ProviderWire } from "../../wires/types.ts";
import { madeBy, OPEN_API, OPENAI_OWN, vertexCall, vertexModel } from "../google.ts";
import { bearer } from "../kinds.ts";
import { vertex } from "../native.ts";
import { googleUrl, signGoogle } from "../sign/google.ts";
import { dropMinted } from "../sign/tokens.ts";
import { mistralToolId } from "../tool_ids.ts";
import type { Row, Spoken, SpokenChat } from "../types.ts";
import { claudeAtCloud, OPENAI_ONLY } from "./shared.ts";

/** Google's own models. The wire writes the path of its author, which `vertexCall` puts below the project. */
const GEMINI: Spoken = { wire: vertexGemini, path: "" };

/**
 * The betas that Claude takes there; a request with any other is refused ("Unexpected value(s)"). Read in LiteLLM 1.110.2
 * (`anthropic_beta_headers_config.json`), 2026-11.
 */
const BETAS: ReadonlySet<string> = new Set([
  "compact-2026-01-12",
  "compact-2026-09-04",
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "dangerous-tool-use-2026-09-03",
  "interleaved-thinking-2025-05-14",
  "per-turn-control-2026-07-01",
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "tool-search-tool-2025-10-19",
  "web-search-2025-03-05",
]);

const VERSION = "vertex-2023-10-16";

/** Its errors are Anthropic's, or Google's if the request did not reach Claude. */
const readError: ProviderWire["readError"] = (status, body) => {
  const isGoogles = typeof object(object(body)?.error)?.status === "string";
  return (isGoogles ? gemini : anthropicMessages).readError(status, body);
};

/**
 * Counts the tokens of Claude: the path names no model, so the body does. It has another name than the wire of Anthropic's
 * clients, so that their requests for counts are written anew.
 */
const COUNTING: ProviderWire = {
  ...anthropicMessages,
  name: "gemini",
  counter: {
    ...anthropicMessages.counter!,
    pathEnd: "",
    writeCall(call) {
      const request = anthropicMessages.counter!.writeCall(call);
      const body = { anthropic_version: VERSION, ...request.body };
      return { ...request, headers: {}, path: "/publishers/anthropic/models/count-tokens:rawPredict", body };
    },
  },
};

/**
 * Claude by Anthropic's Messages in Google's form.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
 */
const CLAUDE: Spoken = {
  ...claudeAtCloud(VERSION, BETAS, "model"),
  path: "/publishers/anthropic/models/{model}:rawPredict",
  streamPath: "/publishers/anthropic/models/{model}:streamRawPredict",
  readError,
  counting: COUNTING,
};

/** The publisher's own chat completions, with the model in the URL and in the body. */
const RAW: SpokenChat = {
  wire: openaiChat,
  path: "/publishers/{publisher}/models/{model}:rawPredict",
  streamPath: "/publishers/{publisher}/models/{model}:streamRawPredict",
  drop: [...OPENAI_ONLY, "logit_bias", "store", "stream_options", "top_k", "user"],
};

/** Mistral refuses every field that its SDK does not list, as at its own API. */
const MISTRAL: SpokenChat = {
  ...RAW,
  takes: { efforts: ["none", "high"], thoughts: "none" },
  rename: { max_completion_tokens: "max_tokens", seed: "random_seed" },
  toolId: mistralToolId,
};

const AI21: SpokenChat = { ...RAW, rename: { max_completion_tokens: "max_tokens" } };

/** OpenAI's chat completions for the models of others. The body names the model with its publisher. */
const OPEN: SpokenChat = { wire: openaiChat, path: "/endpoints/openapi/chat/completions" };

/**
 * OpenAI's own models: only Responses serve them. Thoughts that were sealed there cannot be opened elsewhere.
 *
 * Read in `providers/vertex.js` of `openai` 7.59 (2026-11).
 */
const RESPONSES: Spoken = {
  wire: responsesWire("google-vertex-ai-responses-v1"),
  path: "/publishers/openai/v1/responses",
  models: fitResponses,
};

// Read in `@google/genai` 3.3, `@anthropic-ai/vertex-sdk` 1.1.3 and https://cloud.google.com/vertex-ai/generative-ai/docs (2026-11).
export const VERTEX: Row = {
  aliases: ["google-vertex", "google-vertex-anthropic", "vertex", "vertex_ai"],
  baseUrl: "https://{location}-aiplatform.googleapis.com",
  auth: bearer,
  wires: [GEMINI],
  routes: [
    { models: madeBy("anthropic"), wires: [CLAUDE] },
    { models: madeBy("mistralai"), wires: [MISTRAL] },
    { models: madeBy("ai21"), wires: [AI21] },
    { models: OPENAI_OWN, wires: [RESPONSES] },
    { models: madeBy(...OPEN_API), wires: [OPEN] },
  ],
  embeddings: { wire: vertexEmbeddings, most: mostVertexTexts, tokens: false },
  native: vertex,
  callPath: vertexCall,
  keyedUrl: googleUrl,
  modelId: vertexModel,
  // Its list has every model of every publisher, and not those that a project may call.
  modelsPath: false,
  settings: ["location", "project"],
  settingEnv: {
    location: [
      ...["GOOGLE_VERTEX_LOCATION", "VERTEXAI_LOCATION", "GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION"],
    ],
    project: [
      ...["GOOGLE_VERTEX_PROJECT", "VERTEXAI_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"],
    ],
  },
  sign: signGoogle,
  dropToken: dropMinted,
  keyEnv: ["GOOGLE_APPLICATION_CREDENTIALS_JSON", "VERTEXAI_CREDENTIALS", "GOOGLE_VERTEX_API_KEY"],
  // The members of a service account's key file. Cloudflare's have a region too.
  keySet: {
    needs: ["client_email", "private_key"],
    may: [
      ...["auth_provider_x509_cert_url", "auth_uri", "client_id", "client_x509_cert_url", "private_key_id"],
      ...["project_id", "quota_project_id", "region", "token_uri", "type", "universe_domain"],
    ],
    // The file of `gcloud auth application-default login`.
    or: {
      needs: ["client_id", "client_secret", "refresh_token"],
      may: ["account", "project_id", "quota_project_id", "type", "universe_domain"],
    },
    env: { client_email: "GOOGLE_CLIENT_EMAIL", private_key: "GOOGLE_PRIVATE_KEY" },
    file: "GOOGLE_APPLICATION_CREDENTIALS",
  },
};
