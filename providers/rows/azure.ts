/** The rows of Azure. */
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { fitOpenAI } from "../../wires/openai_chat/mod.ts";
import { responsesWire } from "../../wires/openai_responses/mod.ts";
import { azureAI, azureCall, azureDeployment, azureOpenAI } from "../azure.ts";
import { compatible, header } from "../kinds.ts";
import { signAzure } from "../sign/azure.ts";
import { dropMinted } from "../sign/tokens.ts";
import { shortToolId } from "../tool_ids.ts";
import type { KeySet, Row, Spoken } from "../types.ts";
import { COMPLETIONS, OPENAI_TAKES } from "./shared.ts";

/** An app of Entra ID. Its secret gets tokens. */
const APP: KeySet = {
  needs: ["tenantId", "clientId", "clientSecret"],
  may: ["scope"],
  env: {
    tenantId: "AZURE_TENANT_ID",
    clientId: "AZURE_CLIENT_ID",
    clientSecret: "AZURE_CLIENT_SECRET",
    scope: "AZURE_SCOPE",
  },
  // Azure itself sets these where a program signs in without a secret.
  unless: ["AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"],
};

/** Its thoughts are sealed for itself: OpenAI cannot open them. */
const RESPONSES: Spoken = {
  wire: responsesWire("azure-openai-responses-v1"),
  path: "/responses",
  isAuthor: true,
};

/**
 * Claude, which Anthropic runs there.
 *
 * Read in `@anthropic-ai/foundry-sdk` 1.1.1 (2026-11).
 */
const CLAUDE: Spoken = {
  wire: anthropicMessages,
  path: "/anthropic/v1/messages",
  isAuthor: true,
  headers: { "anthropic-version": "2023-06-01" },
};

/** Columns of both rows. */
const AZURE = {
  callPath: azureCall,
  modelId: azureDeployment,
  models: fitOpenAI,
  toolId: shortToolId(40),
  also: [RESPONSES],
  responses: "when needed",
  // The first chunk of a stream has neither `id` nor `model`, and a filter may send choices without a `delta` (recorded 2026-08).
  conform: true,
  auth: header("api-key"),
  sign: signAzure,
  dropToken: dropMinted,
  keySet: APP,
  // Azure lists the models that could be deployed, and not the deployments.
  modelsPath: false,
} as const;

// Read in recordings of 2026-08 and https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints (2026-11).
export const AZURE_AI: Row = {
  ...compatible("https://{resource}.services.ai.azure.com/openai/v1", {
    ...AZURE,
    aliases: ["azure_ai"],
    native: azureAI,
    settings: ["baseModels", "resource"],
    modelNames: /claude/i,
    settingEnv: { baseUrl: ["AZURE_AI_API_BASE"], resource: ["ANTHROPIC_FOUNDRY_RESOURCE"] },
    modelPath: /^[^/]+\/openai\/deployments\/([^/?]+)\//,
    keyEnv: ["AZURE_AI_API_KEY", "ANTHROPIC_FOUNDRY_API_KEY"],
  }),
  routes: [{ models: /claude[^/]*$/i, wires: [CLAUDE] }],
};

// Read in `azure.js` of `openai` 7.59 and in https://learn.microsoft.com/azure/foundry/openai/how-to/responses (2026-11).
export const AZURE_OPENAI: Row = compatible("https://{resource}.openai.azure.com/openai/v1", {
  ...AZURE,
  endpoints: COMPLETIONS,
  drop: ["top_k"],
  takes: OPENAI_TAKES,
  aliases: ["azure"],
  native: azureOpenAI,
  settings: ["apiVersion", "baseModels", "resource"],
  // An operator names deployments as they like.
  modelNames: /(?!)/,
  settingEnv: {
    apiVersion: ["AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"],
    baseUrl: ["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"],
    resource: ["AZURE_RESOURCE_NAME"],
  },
  modelPath: /^[^/]+\/(?:openai\/deployments\/)?(?!openai\/)([^/?]+)\//,
  embeddings: { most: 2048, drop: ["input_type"] },
  keyEnv: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"],
});
