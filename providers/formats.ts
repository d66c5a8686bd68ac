/** Tells the format of an answer by the path that it comes from. */
import { anthropicMessages } from "../wires/anthropic_messages/mod.ts";
import { bedrockConverse } from "../wires/bedrock_converse/mod.ts";
import { cohere } from "../wires/cohere/mod.ts";
import { gemini } from "../wires/gemini/mod.ts";
import { openaiChat } from "../wires/openai_chat/mod.ts";
import { openaiResponses } from "../wires/openai_responses/mod.ts";
import { perplexityAgent } from "../wires/perplexity_agent/mod.ts";
import type { AnswerFormat } from "../wires/types.ts";

/** The colon between a model's name and a verb, `gemini-2.5-flash:generateContent`. It may be percent-encoded. */
const COLON = "(?::|%3[Aa])";

/**
 * The ends of paths that generate an answer, each with the answer's format. The provider does not matter, because many
 * providers serve the formats of others.
 *
 * Read in November 2026 from the references of OpenAI, Anthropic, Google (Gemini API and Vertex AI), Cohere, Mistral,
 * Perplexity, and of OpenRouter, Vercel, DeepSeek and Bedrock, which serve Anthropic's and OpenAI's formats too.
 */
const FORMATS: readonly (readonly [RegExp, AnswerFormat])[] = [
  [/\/chat\/completions$/, openaiChat],
  // OpenAI's older form, and Mistral's `/fim/completions` and `/agents/completions`.
  [/\/completions$/, openaiChat],
  // Not `/v1/threads/{id}/messages`, which is OpenAI's and adds a message to a conversation.
  [/\/v\d+[a-z]*\d*\/messages$/, anthropicMessages],
  [
    new RegExp(`/publishers/anthropic/models/[^/]+${COLON}(?:rawPredict|streamRawPredict)$`),
    anthropicMessages,
  ],
  [new RegExp(`/publishers/mistralai/models/[^/]+${COLON}(?:rawPredict|streamRawPredict)$`), openaiChat],
  [new RegExp(`${COLON}(?:generateContent|streamGenerateContent)$`), gemini],
  [/\/responses$/, openaiResponses],
  // `/v1/chat` is missing: it is Cohere's older version, and Writer's chat completions.
  [/\/v2\/chat$/, cohere],
  [/\/v1\/agent$/, perplexityAgent],
  // Bedrock's whole answers. Its streams are no server-sent events.
  [/\/model\/[^/]+\/converse$/, bedrockConverse],
  [/\/model\/[^/]*claude[^/]*\/invoke$/, anthropicMessages],
];

/** Paths whose answers hold no text of a model, and are priced by the tokens of the request. */
export const WITHOUT_OUTPUT = /embed|rerank/i;

/**
 * The format of an answer.
 *
 * @param url The URL of the request, e.g. `https://openrouter.ai/api/v1/messages?beta=true`.
 * @returns `undefined` if the path does not tell the format, or if the request generates nothing, e.g. if it reads or deletes
 * an object.
 */
export function formatOf(method: string, url: string): AnswerFormat | undefined {
  if (method !== "POST") return undefined;
  const path = pathOf(url);
  return FORMATS.find(([pattern]) => pattern.test(path))?.[1];
}

/** Whether a URL, or a path below a base URL, is that of chat completions, whose streams tell their usage if they are asked to. */
export const isChatPath = (url: string): boolean => /(?:^|\/)chat\/completions$/.test(pathOf(url));

/**
 * The ends of further paths whose requests make an answer and nothing else. (`/files`, `/batches`, `/predictions` make
 * something at the provider, and their answers name it.)
 *
 * Read in November 2026 from the references of OpenAI, Google, Cohere, Voyage, Mistral, Workers AI, Bedrock, ElevenLabs and
 * Deepgram.
 */
const REPEATABLE: readonly RegExp[] = [
  /\/(?:embeddings?|embed|multimodalembeddings|rerank|moderations|classify|classifications|ocr|tokenize|detokenize)$/,
  /\/(?:images\/generations|audio\/speech|messages\/count_tokens|responses\/input_tokens)$/,
  /\/v1\/(?:chat|speak|listen|text-to-speech\/[^/]+(?:\/stream)?)$/,
  new RegExp(`${COLON}(?:embedContent|batchEmbedContents|predict|countTokens|rawPredict)$`),
  /\/(?:@|%40)(?:cf|hf)\//i,
  /\/model\/[^/]+\/(?:converse|invoke)$/,
];

/**
 * Whether a request to a provider's own path makes an answer and nothing else, so that the answer of an equal request can
 * stand for it.
 */
export function isRepeatable(method: string, url: string): boolean {
  if (formatOf(method, url)) return true;
  return method === "POST" && REPEATABLE.some((pattern) => pattern.test(pathOf(url)));
}

/** A URL without its query and a last slash. */
function pathOf(url: string): string {
  const query = url.indexOf("?");
  let end = query < 0 ? url.length : query;
  if (url[end - 1] === "/") end--;
  return url.slice(0, end);
}
