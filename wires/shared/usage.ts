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

/** The most tokens of a bucket, and US dollars, that are believed. */
const MOST = { tokens: 1e9, usd: 1e6 };

/**
 * A usage whose numbers can be added up, whatever the provider has told: whole tokens, and no number that is negative, infinite or
 * absurd. One such number in the counters of limits, or among rows, would spoil those of all others.
 */
export function plausible(usage: Usage): Usage {
  const entries = Object.entries(usage).map(([name, amount]: [string, number | undefined]) => {
    if (amount === undefined) return [name, amount];
    const isCost = name === "cost";
    const told = isCost ? amount : Math.round(amount);
    return [name, Math.min(isCost ? MOST.usd : MOST.tokens, told > 0 ? told : 0)];
  });
  return Object.fromEntries(entries);
}

/** The tokens of the prompt. */
export const promptTokens = ({ input, cacheRead, cacheWrite, audioIn }: Usage): number =>
  input + cacheRead + cacheWrite + audioIn;

/** The tokens of the answer. */
export const answerTokens = ({ output, reasoning, audioOut }: Usage): number => output + reasoning + audioOut;
