/** Reads the cost of an answer that a provider reports itself. */
import type { JsonObject, Usage } from "../types.ts";
import { isObject, object } from "./json.ts";

/** The unit in which xAI reports costs, see https://docs.x.ai/developers/cost-tracking (read on 2026-11-28). */
const TICKS_PER_DOLLAR = 1e10;

const amount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;

/**
 * Reads the cost in a provider's `usage`, in US dollars. Empty if the provider reports none.
 *
 * - `cost`: OpenRouter, Vercel, and others that follow them. With the caller's own key (`is_byok`) this is only the
 *   fee, and the cost of the model's provider stands beside it.
 * - `cost.total_cost`, in US dollars unless `currency` says otherwise: Perplexity.
 * - `cost_in_usd_ticks`: xAI.
 * - `estimated_cost`: DeepInfra.
 */
export function toldCost(usage: JsonObject): Pick<Usage, "cost"> {
  const { cost } = usage;
  let told: number | undefined;
  if (typeof cost === "number") {
    told = amount(cost);
    const beside = usage.is_byok === true ? object(usage.cost_details)?.upstream_inference_cost : undefined;
    if (told !== undefined) told += amount(beside) ?? 0;
  } else if (isObject(cost)) {
    if (cost.currency === undefined || cost.currency === "USD") told = amount(cost.total_cost);
  } else {
    const ticks = amount(usage.cost_in_usd_ticks);
    told = ticks === undefined ? amount(usage.estimated_cost) : ticks / TICKS_PER_DOLLAR;
  }
  return told === undefined ? {} : { cost: told };
}
