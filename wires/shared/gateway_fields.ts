/**
 * Request fields that other gateways define. A provider's own API refuses fields that it does not know (`provider:
 * Extra inputs are not permitted`), so these are left out and named in `sluice-dropped`.
 *
 * Read in 2026-11 from `@openrouter/sdk` 1.3.19 (`ChatRequest`) and openrouter.ai/docs, Vercel's "OpenAI Chat
 * Completions Configuration with AI Gateway" and LiteLLM's pages on its proxy.
 */
import { isObject } from "./json.ts";
import type { Call } from "../types.ts";

/** `reasoning` is missing on purpose: `withRouterReasoning()` reads it. */
const GATEWAY_FIELDS: ReadonlySet<string> = new Set([
  // OpenRouter
  "debug",
  "image_config",
  "include_reasoning",
  "min_p",
  "models",
  "plugins",
  "preset",
  "prompt_cache_options", // OpenAI has it too.
  "provider",
  "repetition_penalty",
  "route",
  "session_id",
  "stop_server_tools_when",
  "structured_outputs",
  "top_a",
  "trace",
  "transforms",
  "usage",
  // Vercel
  "providerOptions",
  // LiteLLM
  "context_window_fallbacks",
  "drop_params",
  "fallbacks",
  "litellm_metadata",
  "mock_response",
  "num_retries",
  // A new field of OpenAI that no other wire has.
  "moderation",
]);

/**
 * Whether another gateway defines the field. A caller whose provider has a field of the same name must check that
 * first.
 */
export const isGatewayField = (name: string): boolean => GATEWAY_FIELDS.has(name);

/**
 * The thinking budget in tokens that each effort stands for. A budget up to that number becomes that effort; a larger
 * one than all becomes `max`.
 */
const EFFORT_TOKENS = [["low", 1024], ["medium", 8192], ["high", 24_576], ["xhigh", 32_000]] as const;

/** The effort for a thinking budget in tokens. */
export const effortOf = (tokens: number) => EFFORT_TOKENS.find(([, most]) => most >= tokens)?.[0] ?? "max";

/**
 * Reads OpenRouter's `reasoning` into a call: `effort`, `enabled`, and `max_tokens` as a budget or as the effort that
 * it stands for. Its other members are added to `dropped`. All of it is dropped if the client also sent
 * `reasoning_effort` or `thinking`. Without `reasoning`, the budget that a client of another wire set is used.
 *
 * @param dropped Takes the client's paths of what is left out.
 * @param asBudget Returns the call with a thinking budget in tokens; `undefined` if the model or this call takes no
 * number.
 * @see https://openrouter.ai/docs/use-cases/reasoning-tokens (2026-11)
 */
export function withRouterReasoning(
  call: Call,
  dropped: string[],
  asBudget: (call: Call, tokens: number) => Call | undefined = () => undefined,
): Call {
  const { reasoning, ...extra } = call.extra;
  if (reasoning === undefined) {
    // An effort beside the budget is for models that take no number.
    const { reasoning_budget: tokens } = call.settings;
    return tokens !== undefined && asBudget(call, tokens) || call;
  }
  const rest = { ...call, extra };
  if (!isObject(reasoning)) {
    dropped.push("reasoning");
    return rest;
  }
  const { effort, max_tokens: budget, enabled, ...others } = reasoning;
  for (const name in others) {
    if (others[name] !== false && others[name] !== null) dropped.push(`reasoning.${name}`);
  }
  const { settings } = call;
  if (settings.reasoning_effort !== undefined || extra.thinking !== undefined) {
    for (const name of ["effort", "max_tokens", "enabled"]) {
      if (reasoning[name] != null) dropped.push(`reasoning.${name}`);
    }
    return rest;
  }
  const counted = typeof budget === "number" && budget > 0;
  if (counted && enabled !== false) {
    const told = asBudget(rest, budget);
    if (told) return told;
  }
  const [word, field] = enabled === false
    ? ["none", "enabled"]
    : typeof effort === "string"
    ? [effort, "effort"]
    : counted
    ? [effortOf(budget), "max_tokens"]
    : enabled === true
    ? ["medium", "enabled"]
    : [];
  if (word === undefined) return rest;
  if (field !== "max_tokens" && counted) dropped.push("reasoning.max_tokens");
  const sent = new Map(call.sent).set("reasoning_effort", `reasoning.${field}`);
  return { ...rest, sent, settings: { ...settings, reasoning_effort: word } };
}

/**
 * Reads Anthropic's `thinking` into a call; LiteLLM takes it for every provider. It becomes a budget or the effort that
 * the budget stands for. It is dropped beside a `reasoning_effort`, or if it says neither a budget nor `disabled`.
 *
 * @param dropped Takes the client's paths of what is left out.
 * @param asBudget As in `withRouterReasoning`.
 */
export function withClaudeThinking(
  call: Call,
  dropped: string[],
  asBudget: (call: Call, tokens: number) => Call | undefined,
): Call {
  const { thinking, ...extra } = call.extra;
  if (thinking === undefined) return call;
  const rest = { ...call, extra };
  const { type, budget_tokens: budget } = isObject(thinking) ? thinking : {};
  const tokens = typeof budget === "number" && budget > 0 ? budget : undefined;
  const effort = type === "disabled" ? "none" : tokens === undefined ? undefined : effortOf(tokens);
  if (effort === undefined || call.settings.reasoning_effort !== undefined) {
    dropped.push("thinking");
    return rest;
  }
  const told = tokens !== undefined && type !== "disabled" ? asBudget(rest, tokens) : undefined;
  if (told) return told;
  const sent = new Map(call.sent).set("reasoning_effort", "thinking");
  return { ...rest, sent, settings: { ...call.settings, reasoning_effort: effort } };
}
