/** The rows of cloud providers. */
import { fitOpenAI } from "../../wires/openai_chat/mod.ts";
import { responsesWire } from "../../wires/openai_responses/mod.ts";
import { compatible, header, ownPaths } from "../kinds.ts";
import { azureCall, azureDeployment, azureOpenAI, vertex, workersAI } from "../native.ts";
import { signAzure } from "../sign/key.ts";
import { shortToolId } from "../tool_ids.ts";
import type { Row } from "../types.ts";
import { BEDROCK } from "./amazon.ts";
import { COMPLETIONS, MAX_TOKENS, OPENAI_ONLY, OPENAI_TAKES } from "./shared.ts";

export const CLOUDS = {
  "aws-bedrock": BEDROCK,
  // Read in `azure.js` of `openai` 7.59 and in https://learn.microsoft.com/azure/foundry/openai/how-to/responses (2026-11).
  "azure-openai": compatible("https://{resource}.openai.azure.com/openai/v1", {
    endpoints: COMPLETIONS,
    drop: ["top_k"],
    takes: OPENAI_TAKES,
    aliases: ["azure"],
    native: azureOpenAI,
    callPath: azureCall,
    settings: ["apiVersion"],
    modelId: azureDeployment,
    modelPath: /^[^/]+\/(?:openai\/deployments\/)?(?!openai\/)([^/?]+)\//,
    models: fitOpenAI,
    embeddings: { most: 2048, drop: ["input_type"] },
    toolId: shortToolId(40),
    // Its thoughts are sealed for itself: OpenAI cannot open them.
    also: [{ wire: responsesWire("azure-openai-responses-v1"), path: "/responses", isAuthor: true }],
    responses: "when needed",
    // The first chunk of a stream has neither `id` nor `model`, and a filter may send choices without a `delta` (recorded 2026-08).
    conform: true,
    auth: header("api-key"),
    sign: signAzure,
    // Azure lists the models that could be deployed, and not the deployments.
    modelsPath: false,
    keyEnv: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
  }),
  digitalocean: compatible("https://inference.do-ai.run/v1", {
    keyEnv: ["DIGITALOCEAN_ACCESS_TOKEN", "GRADIENT_MODEL_ACCESS_KEY"],
  }),
  "google-vertex-ai": ownPaths("https://{location}-aiplatform.googleapis.com", {
    aliases: ["google-vertex", "vertex"],
    native: vertex,
  }),
  heroku: compatible("https://us.inference.heroku.com/v1", { keyEnv: ["INFERENCE_KEY"] }),
  // "Unsupported parameter(s)" or "extra_forbidden" for every field that the model's schema does not have.
  nvidia: compatible("https://integrate.api.nvidia.com/v1", {
    endpoints: COMPLETIONS,
    drop: [...OPENAI_ONLY, "metadata", "prompt_cache_key", "service_tier", "store"],
    ...MAX_TOKENS,
    keyEnv: ["NVIDIA_API_KEY"],
  }),
  ovhcloud: compatible("https://oai.endpoints.kepler.ai.cloud.ovh.net/v1", {
    endpoints: COMPLETIONS,
    keyEnv: ["OVHCLOUD_API_KEY"],
  }),
  scaleway: compatible("https://api.scaleway.ai/v1", { keyEnv: ["SCW_SECRET_KEY", "SCALEWAY_API_KEY"] }),
  // "Type mismatch of '/messages/0/content', 'array' not in 'string'": many of its models take only texts.
  "workers-ai": compatible("https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1", {
    native: workersAI,
    // At most 100 texts. The size of a vector cannot be set.
    embeddings: { most: 100, tokens: false, base64: false, drop: ["dimensions"] },
    modelPath: /^(?:run\/)?((?:@|%40)(?:cf|hf)(?:\/|%2f)[^?]+)/i,
    messages: { texts: true },
    // In JSON mode `content` is a parsed object (recorded 2025-12).
    conform: true,
    modelsPath: "/models/search?task=Text%20Generation&per_page=1000",
    keyEnv: ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"],
  }),
} satisfies Record<string, Row>;
