/** Sums of tokens, whose buckets `Usage` describes. */
import type { Usage } from "../types.ts";

/** No tokens at all. A usage of few buckets is written over it. */
export const NO_TOKENS: Readonly<Usage> = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  audioIn: 0,
  output: 0,
  reasoning: 0,
  audioOut: 0,
};

/** The tokens of the prompt. */
export const promptTokens = ({ input, cacheRead, cacheWrite, audioIn }: Usage): number =>
  input + cacheRead + cacheWrite + audioIn;

/** The tokens of the answer. */
export const answerTokens = ({ output, reasoning, audioOut }: Usage): number => output + reasoning + audioOut;
