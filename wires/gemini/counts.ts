/** Gemini's generateContent, the provider's half: reads usage and log probabilities. */
import { count, object, text } from "../shared/json.ts";
import type { JsonObject, Usage } from "../types.ts";

/** Whether a usage has counts. Until the last chunk Vertex sends only its traffic type. */
export const isCounted = (usage: JsonObject) =>
  usage.promptTokenCount !== undefined || usage.candidatesTokenCount !== undefined ||
  usage.totalTokenCount !== undefined;

/**
 * Reads the usage. Google's prompt count includes cached tokens. Thoughts and tools' results are counted separately
 * from candidates and prompt.
 */
export function readUsage(usage: JsonObject): Usage {
  const cacheRead = count(usage.cachedContentTokenCount);
  const audioIn = Math.max(0, audio(usage.promptTokensDetails) - audio(usage.cacheTokensDetails));
  const audioOut = audio(usage.candidatesTokensDetails);
  const prompt = count(usage.promptTokenCount) - cacheRead - audioIn;
  return {
    input: Math.max(0, prompt) + count(usage.toolUsePromptTokenCount),
    cacheRead,
    cacheWrite: 0,
    audioIn,
    output: Math.max(0, count(usage.candidatesTokenCount) - audioOut),
    reasoning: count(usage.thoughtsTokenCount),
    audioOut,
  };
}

function audio(details: unknown): number {
  if (!Array.isArray(details)) return 0;
  const entry = details.find((detail) => object(detail)?.modality === "AUDIO");
  return count(object(entry)?.tokenCount);
}

/** Reads log probabilities into OpenAI's form: each chosen token with the most likely tokens of its step. */
export function readLogprobs(result: unknown): JsonObject | undefined {
  const { chosenCandidates, topCandidates } = object(result) ?? {};
  if (!Array.isArray(chosenCandidates)) return undefined;
  const content = chosenCandidates.map((chosen, step) => {
    const top = Array.isArray(topCandidates) ? object(topCandidates[step])?.candidates : undefined;
    return { ...logprob(chosen), top_logprobs: Array.isArray(top) ? top.map(logprob) : [] };
  });
  return { content, refusal: null };
}

function logprob(candidate: unknown): JsonObject {
  const { token, logProbability } = object(candidate) ?? {};
  return {
    token: text(token) ?? "",
    logprob: typeof logProbability === "number" ? logProbability : 0,
    bytes: null,
  };
}
