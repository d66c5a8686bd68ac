/** The row of Amazon Bedrock, with its ways to the models of each maker. */
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import {
  bedrockConverse,
  bedrockEmbeddings,
  countsInvoked,
  mostTexts,
} from "../../wires/bedrock_converse/mod.ts";
import { fitOpenAI, openaiChat } from "../../wires/openai_chat/mod.ts";
import { fitResponses, responsesWire } from "../../wires/openai_responses/mod.ts";
import { list, object } from "../../wires/shared/json.ts";
import { openaiModel } from "../../wires/shared/openai_models.ts";
import { awsEventStream, awsModelStream } from "../../wires/streams/aws_event_stream.ts";
import { bedrock, bedrockCall, bedrockId } from "../amazon.ts";
import { bearer } from "../kinds.ts";
import { amazonUrl, signAmazon } from "../sign/amazon.ts";
import type { Call, WireRequest } from "../../wires/types.ts";
import type { Route, Row, Spoken, SpokenChat } from "../types.ts";
import { claudeAtCloud, OPENAI_TAKES } from "./shared.ts";

/** Amazon's form for the models of all makers. */
const CONVERSE: Spoken = {
  wire: bedrockConverse,
  path: "/model/{model}/converse",
  streamPath: "/model/{model}/converse-stream",
  framing: awsEventStream,
};

/**
 * The betas that Invoke takes; it refuses a request with any other ("invalid beta flag"). Read in LiteLLM 1.110.2
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
  "effort-2025-11-24",
  "fine-grained-tool-streaming-2025-05-14",
  "mid-conversation-output-config-2026-07-01",
  "mid-conversation-tool-changes-2026-07-01",
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "tool-search-tool-2025-10-19",
]);

const VERSION = "bedrock-2023-05-31";

/** A request to Claude in Amazon's form, to count its tokens. */
function writeInvoked(call: Call): WireRequest {
  const request = anthropicMessages.writeCall(call);
  const { model: _, stream: __, ...body } = request.body;
  return { ...request, body: { anthropic_version: VERSION, ...body } };
}

/**
 * Converse's own fields, which chat clients write for every model of Amazon's: InvokeModel has headers for them.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html (2026-11)
 */
const IN_HEADERS = {
  guardrailConfig: {
    guardrailIdentifier: { header: "x-amzn-bedrock-guardrailidentifier" },
    guardrailVersion: { header: "x-amzn-bedrock-guardrailversion" },
    trace: { header: "x-amzn-bedrock-trace", write: (value: string) => value.toUpperCase() },
  },
  performanceConfig: { latency: { header: "x-amzn-bedrock-performanceconfig-latency" } },
  serviceTier: { type: { header: "x-amzn-bedrock-service-tier" } },
};

const CLAUDE = claudeAtCloud(VERSION, BETAS, "model", "stream", ...Object.keys(IN_HEADERS));

/**
 * Claude by Anthropic's Messages in Amazon's frames: Converse loses ids, betas, tool search and the management of context.
 *
 * "anthropic_version: Field required", "model: Extra inputs are not permitted":
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
 */
const INVOKE: Spoken = {
  ...CLAUDE,
  form: { ...CLAUDE.form, inHeaders: IN_HEADERS },
  path: "/model/{model}/invoke",
  streamPath: "/model/{model}/invoke-with-response-stream",
  framing: awsModelStream,
  serverTools: false,
  readError: bedrockConverse.readError,
  counting: countsInvoked(writeInvoked),
};

/** Anthropic's Messages as they are, which Amazon serves since 2026. */
const MESSAGES: Spoken = {
  wire: anthropicMessages,
  isAuthor: true,
  path: "/anthropic/v1/messages",
  counting: countsInvoked(writeInvoked),
};

/** OpenAI's chat completions, which Amazon serves for some makers. */
const CHAT: SpokenChat = { wire: openaiChat, path: "/openai/v1/chat/completions", takes: OPENAI_TAKES };

/** Grok answers 503 to penalties, and 400 to the effort `none` (LiteLLM 1.110.2, 2026-11). */
const GROK: SpokenChat = {
  ...CHAT,
  drop: ["frequency_penalty", "presence_penalty"],
  models: (_, get) =>
    get("reasoning_effort") === "none"
      ? { edits: new Map([["reasoning_effort", "remove" as const]]), dropped: ["reasoning_effort"] }
      : undefined,
};

/** OpenAI's name of one of its models: `gpt-6.1-sol` of `us.openai.gpt-6.1-sol`. */
const gptOf = (model: string) => model.replace(/^.*openai\./, "");

const GPT: SpokenChat = { ...CHAT, models: (model, get) => fitOpenAI(gptOf(model), get) };

/** OpenAI's Responses at the newer service. Thoughts that were sealed there cannot be opened elsewhere. */
const RESPONSES: Spoken = {
  wire: responsesWire("aws-bedrock-responses-v1"),
  path: "/openai/v1/responses",
  models: (model, get) => fitResponses(gptOf(model), get),
};

/** GPT takes tools there only while it does not reason, which not every one can. */
const isToolless = (get: (field: string) => unknown, model: string): boolean => {
  const effort = get("reasoning_effort") ?? object(get("reasoning"))?.effort;
  const isOff = effort === "none" && openaiModel(gptOf(model))?.efforts.includes("none");
  return isOff || ![get("tools"), get("functions")].some((tools) => list(tools).length > 0);
};

/**
 * The ways of the newer service, `mantle/` before the id: each maker has one path, and the other is refused ("isn't supported
 * on this route"). The paths of most open models have no `/openai`.
 *
 * Read in `openai` 7.59 and `@ai-sdk/amazon-bedrock` 5.0.101 (2026-11).
 */
const MANTLE: readonly Route[] = [
  { models: /(?:^|\/)mantle\/.*claude/, wires: [{ ...MESSAGES, counting: undefined }] },
  { models: /(?:^|\/)mantle\/.*openai\.gpt-\d/, takes: isToolless, wires: [GPT, RESPONSES] },
  { models: /(?:^|\/)mantle\/.*openai\.gpt-\d/, wires: [RESPONSES] },
  { models: /(?:^|\/)mantle\/.*xai\./, wires: [GROK] },
  { models: /(?:^|\/)mantle\/.*google\.gemma-4/, wires: [CHAT] },
  { models: /(?:^|\/)mantle\//, wires: [{ ...CHAT, path: "/v1/chat/completions" }] },
];

// Read in https://docs.aws.amazon.com/bedrock/latest/APIReference and `@aws-sdk/client-bedrock-runtime` 3.1164.0 (2026-11).
export const BEDROCK: Row = {
  aliases: ["amazon-bedrock", "bedrock"],
  baseUrl: "https://bedrock-runtime.{region}.amazonaws.com",
  auth: bearer,
  wires: [CONVERSE],
  routes: [
    ...MANTLE,
    { models: /(?:^|\/)converse\//, wires: [CONVERSE] },
    { models: /(?:^|\/)invoke\//, wires: [INVOKE] },
    { models: /(?:^|\/)messages\//, wires: [MESSAGES] },
    { models: /claude/, wires: [INVOKE] },
    { models: /xai\.grok/, wires: [GROK] },
    { models: /openai\.gpt-(?:5\.[6-9]|[6-9]|\d\d)/, takes: isToolless, wires: [GPT] },
  ],
  embeddings: { wire: bedrockEmbeddings, most: mostTexts, tokens: false },
  native: bedrock,
  callPath: bedrockCall,
  keyedUrl: amazonUrl,
  modelId: bedrockId,
  modelPath: /^bedrock-runtime\/[^/]+\/model\/([^/?]+)/,
  // The list of models is at another host, and has models that an account cannot call.
  modelsPath: false,
  settings: ["baseModels", "region"],
  settingEnv: {
    baseUrl: ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"],
    region: ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_REGION_NAME"],
  },
  sign: signAmazon,
  keyEnv: ["AWS_BEARER_TOKEN_BEDROCK"],
  keySet: {
    container: true,
    hashes: true,
    needs: ["accessKeyId", "secretAccessKey"],
    // Cloudflare's sets have a region too.
    may: ["sessionToken", "region"],
    env: {
      accessKeyId: "AWS_ACCESS_KEY_ID",
      secretAccessKey: "AWS_SECRET_ACCESS_KEY",
      sessionToken: "AWS_SESSION_TOKEN",
    },
    // The headers of Portkey's clients.
    headers: {
      accessKeyId: "x-portkey-aws-access-key-id",
      secretAccessKey: "x-portkey-aws-secret-access-key",
      sessionToken: "x-portkey-aws-session-token",
      region: "x-portkey-aws-region",
    },
  },
};
