/** Estimates the tokens and the cost of a request that is not sent. */
import { formatOf, WITHOUT_OUTPUT } from "../../providers/formats.ts";
import { estimateText } from "../../wires/shared/estimate.ts";
import { isObject, object } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Unsent } from "../exchange.ts";
import { type PriceBook, priceOf } from "../log/prices.ts";
import type { Sizes } from "../policies/token_limits.ts";
import type { Parsed } from "./shown_body.ts";
import { NO_TOKENS } from "../../wires/shared/usage.ts";

/** The fields that limit an answer's tokens, in the formats of the providers. */
const LIMITS = [
  "max_completion_tokens",
  "max_output_tokens",
  "max_tokens",
  "max_tokens_to_sample",
  "max_new_tokens",
  "max_gen_len",
  "maxOutputTokens",
  "maxTokens",
  "maxTokenCount",
  "num_predict",
];

/** The fields that tell how many answers are made. All of them are billed, also those that are not returned. */
const COUNTS = ["n", "best_of", "candidateCount", "candidate_count", "num_generations"];

/** Members in which providers keep such fields: Google, Bedrock, Workers AI and Hugging Face, Ollama. */
const SETTINGS = [
  "generationConfig",
  "generation_config",
  "inferenceConfig",
  "textGenerationConfig",
  "parameters",
  "options",
];

/** No answer is longer. A product of larger numbers could be no number. */
const MOST = 1e12;

/**
 * Estimates the tokens of a request. It is the same estimate for all formats: the text of the body, with its names.
 *
 * @returns `null` if tokens do not tell the price, e.g. of a picture that is generated, or if the body is not known.
 */
export function sizesOf(parsed: Parsed | undefined, { method, url }: Unsent): Sizes | null {
  if (!parsed || !isObject(parsed.body)) return null;
  const path = url.split("?", 1)[0];
  const hasOutput = formatOf(method, url) !== undefined;
  if (!hasOutput && !WITHOUT_OUTPUT.test(path)) return null;
  return sizesOfBody(parsed.body, parsed.mediaTokens, hasOutput);
}

/** Estimates the tokens of a request by its body, whose base64 was cut out. */
export function sizesOfBody(body: JsonObject, mediaTokens: number, hasOutput: boolean): Sizes {
  const { service_tier: tier, model } = body;
  return {
    input: Math.ceil(estimateText(body) + mediaTokens),
    ...(hasOutput ? outputOf(body) : { mostOutput: 0, answers: 1 }),
    ...(typeof tier === "string" && { tier }),
    ...(typeof model === "string" && { model }),
  };
}

/** Of several fields the largest counts: providers differ in which one they read. */
function outputOf(body: JsonObject): Pick<Sizes, "mostOutput" | "answers"> {
  const places = [body, ...SETTINGS.map((name) => object(body[name]) ?? {})];
  const find = (names: readonly string[]) => {
    const told = places.flatMap((place) => names.map((name) => place[name]))
      .filter((value): value is number => typeof value === "number" && value >= 0);
    return told.length > 0 ? Math.min(MOST, Math.max(...told)) : undefined;
  };
  const most = find(LIMITS);
  const answers = Math.max(1, find(COUNTS) ?? 1);
  return { mostOutput: most === undefined ? null : most * answers, answers };
}

/** The sizes of several requests together. `undefined` stands for no request. */
export function addSizes(sum: Sizes | null | undefined, more: Sizes | null): Sizes | null {
  if (sum === undefined || more === null || sum === null) return sum === undefined ? more : null;
  const isLimited = sum.mostOutput !== null && more.mostOutput !== null;
  return {
    ...sum,
    input: sum.input + more.input,
    mostOutput: isLimited ? sum.mostOutput! + more.mostOutput! : null,
  };
}

/** The estimate for the client. Each part is `null` if it is not known; a cost is never 0 for want of a price. */
export function estimateOf(
  { provider, model }: { provider: string; model?: string },
  sizes: Sizes | null,
  headers: Headers,
  prices: PriceBook,
): object {
  const custom = headers.get("cf-aig-custom-cost");
  const cost = (output: number | null) => {
    if (!sizes || output === null) return {};
    const usage = { ...NO_TOKENS, input: sizes.input, output };
    return priceOf({ provider, models: [model, sizes.model], usage, tier: sizes.tier, custom }, prices);
  };
  const least = cost(0);
  // The length of an answer that is free does not matter.
  const most = cost(1).cost === least.cost ? least : cost(sizes?.mostOutput ?? null);
  return {
    inputTokens: sizes?.input ?? null,
    maxOutputTokens: sizes?.mostOutput ?? null,
    costUsd: { least: least.cost ?? null, most: most.cost ?? null },
    price: least.price ?? "unknown",
  };
}
