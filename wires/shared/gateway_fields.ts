/**
 * Fields of requests that other gateways define for themselves. A provider's own API refuses a field that it does not know
 * (`provider: Extra inputs are not permitted`), so they are left out and named.
 *
 * Read in 2026-11 from `@openrouter/sdk` 1.3.19 (`ChatRequest`) and openrouter.ai/docs, Vercel's "OpenAI Chat Completions
 * Configuration with AI Gateway" and LiteLLM's pages on its proxy.
 */
import { isObject } from "./json.ts";
import type { Call } from "../types.ts";

/** `reasoning` is not among them: it is read. */
const GATEWAY_FIELDS: ReadonlySet<string> = new Set([
  // OpenRouter
  "debug",
  "image_config",
  "include_reasoning",
  "min_p",
  "models",
  "plugins",
  "preset",
  "prompt_cache_options", // OpenAI's as well.
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
  // OpenAI's newest, of which no other wire has the like.
  "moderation",
]);

/** Whether a field is another gateway's. A provider that has one of the same name asks first. */
export const isGatewayField = (name: string): boolean => GATEWAY_FIELDS.has(name);

/** Tokens to think with that each effort stands for; a number up to one is that effort. */
const EFFORT_TOKENS = [["low", 1024], ["medium", 8192], ["high", 24_576], ["xhigh", 32_000]] as const;

/** The effort that a number of tokens comes to. */
export const effortOf = (tokens: number) => EFFORT_TOKENS.find(([, most]) => most >= tokens)?.[0] ?? "max";

/**
 * The call with OpenRouter's `reasoning` read: `effort`, `max_tokens` as a budget or the effort that it comes to,
 * `enabled`. What it says beside these is named, and so is all of it beside a `reasoning_effort` or a `thinking`. Without it,
 * the budget that a client of another wire has set.
 *
 * @param asBudget The call with so many tokens to think with; nothing where the model, or this call, takes no number.
 * @see https://openrouter.ai/docs/use-cases/reasoning-tokens (2026-11)
 */
export function withRouterReasoning(
  call: Call,
  dropped: string[],
  asBudget: (call: Call, tokens: number) => Call | undefined = () => undefined,
): Call {
  const { reasoning, ...extra } = call.extra;
  if (reasoning === undefined) {
    // The effort that stands beside a budget is for those who take no number.
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
 * The call with Anthropic's `thinking` read, which LiteLLM takes for every provider: a budget, or the effort that it comes
 * to. Beside a `reasoning_effort`, and where it says neither, it is named.
 *
 * @param asBudget As for `withRouterReasoning`.
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
