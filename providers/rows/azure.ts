/** The rows of Azure. */
import { fitOpenAI } from "../../wires/openai_chat/mod.ts";
import { responsesWire } from "../../wires/openai_responses/mod.ts";
import { azureCall, azureDeployment, azureOpenAI } from "../azure.ts";
import { compatible, header } from "../kinds.ts";
import { signAzure } from "../sign/key.ts";
import { shortToolId } from "../tool_ids.ts";
import type { Row } from "../types.ts";
import { COMPLETIONS, OPENAI_TAKES } from "./shared.ts";

// Read in `azure.js` of `openai` 7.59 and in https://learn.microsoft.com/azure/foundry/openai/how-to/responses (2026-11).
export const AZURE_OPENAI: Row = compatible("https://{resource}.openai.azure.com/openai/v1", {
  endpoints: COMPLETIONS,
  drop: ["top_k"],
  takes: OPENAI_TAKES,
  aliases: ["azure"],
  native: azureOpenAI,
  callPath: azureCall,
  settings: ["apiVersion", "resource"],
  settingEnv: {
    apiVersion: ["AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"],
    baseUrl: ["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"],
    resource: ["AZURE_RESOURCE_NAME"],
  },
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
  keyEnv: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"],
});
