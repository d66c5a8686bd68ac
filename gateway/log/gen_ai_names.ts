/**
 * The names of OpenTelemetry's conventions for generative AI. They stand in one file, because the conventions are in development
 * and names still change.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md (2026-11)
 */
export const NAMES = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  conversation: "gen_ai.conversation.id",
  requestModel: "gen_ai.request.model",
  stream: "gen_ai.request.stream",
  maxTokens: "gen_ai.request.max_tokens",
  temperature: "gen_ai.request.temperature",
  topP: "gen_ai.request.top_p",
  topK: "gen_ai.request.top_k",
  frequencyPenalty: "gen_ai.request.frequency_penalty",
  presencePenalty: "gen_ai.request.presence_penalty",
  seed: "gen_ai.request.seed",
  choices: "gen_ai.request.choice.count",
  reasoning: "gen_ai.request.reasoning.level",
  previousResponse: "gen_ai.request.previous_response.id",
  responseId: "gen_ai.response.id",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  firstChunk: "gen_ai.response.time_to_first_chunk",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheRead: "gen_ai.usage.cache_read.input_tokens",
  cacheWrite: "gen_ai.usage.cache_write.input_tokens",
  /** The older name of `cacheWrite`, which some programs still read. */
  cacheCreation: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  audioInput: "gen_ai.usage.audio.input_tokens",
  audioOutput: "gen_ai.usage.audio.output_tokens",
  /** Not in the convention; Cloudflare's gateway sends it, and several programs read it. */
  cost: "gen_ai.usage.cost",
  errorType: "error.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  method: "http.request.method",
  status: "http.response.status_code",
  resend: "http.request.resend_count",
  userAgent: "user_agent.original",
  path: "url.path",
} as const;

/** The attributes whose numbers are fractions, also where a value is whole. All other numbers are integers. */
export const FRACTIONS: ReadonlySet<string> = new Set<string>([
  NAMES.temperature,
  NAMES.topP,
  NAMES.frequencyPenalty,
  NAMES.presencePenalty,
  NAMES.firstChunk,
  NAMES.cost,
]);

/** The convention's names of providers, by the names of their rows, where the two differ. */
const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ["aws-bedrock", "aws.bedrock"],
  ["azure-ai", "azure.ai.inference"],
  ["azure-openai", "azure.ai.openai"],
  ["google-ai-studio", "gcp.gemini"],
  ["google-vertex-ai", "gcp.vertex_ai"],
  ["grok", "x_ai"],
  ["mistral", "mistral_ai"],
  ["moonshot", "moonshot_ai"],
  ["perplexity-agent", "perplexity"],
  ["perplexity-ai", "perplexity"],
]);

/** The convention's name of a provider. */
export const providerName = (row: string): string => PROVIDERS.get(row) ?? row;
