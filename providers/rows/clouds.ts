/** The rows of cloud providers. */
import { compatible } from "../kinds.ts";
import { workersAI } from "../native.ts";
import type { Row } from "../types.ts";
import { BEDROCK } from "./amazon.ts";
import { AZURE_AI, AZURE_OPENAI } from "./azure.ts";
import { VERTEX } from "./google.ts";
import { COMPLETIONS, MAX_TOKENS, OPENAI_ONLY } from "./shared.ts";

export const CLOUDS = {
  "aws-bedrock": BEDROCK,
  "azure-ai": AZURE_AI,
  "azure-openai": AZURE_OPENAI,
  digitalocean: compatible("https://inference.do-ai.run/v1", {
    keyEnv: ["DIGITALOCEAN_ACCESS_TOKEN", "GRADIENT_MODEL_ACCESS_KEY"],
  }),
  "google-vertex-ai": VERTEX,
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
