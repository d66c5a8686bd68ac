/**
 * OpenAI's Responses: fits a Responses client's own request to OpenAI's models.
 *
 * Clients leave out what `gpt-5-mini` refuses, because they know that name. They do not know `openai/gpt-5-mini`. What
 * each generation accepts is in `shared/openai_models.ts`.
 */
import { isObject, list } from "../shared/json.ts";
import {
  type Fit,
  fixedAt,
  isDefault,
  isNothing,
  type OpenAIModel,
  openaiModel,
  reasons,
  takesEffort,
} from "../shared/openai_models.ts";

const SETTINGS = ["parallel_tool_calls", "prompt_cache_retention", "temperature", "top_logprobs", "top_p"];

/**
 * Fits a request to one of OpenAI's models. A refused setting that has its default value is left out and not named.
 *
 * @param get Reads a member of the body; `undefined` if there is none.
 * @returns `undefined` if the model accepts the request unchanged.
 */
export function fitResponses(id: string, get: (field: string) => unknown): Fit | undefined {
  const model = openaiModel(id);
  if (!model) return undefined;
  const fit: Fit = { edits: new Map(), dropped: [] };
  const fixed = fixedAt(model, fitEffort(model, get, fit));
  for (const field of SETTINGS) {
    const value = get(field);
    if (value === undefined) continue;
    const byDefault = isDefault(field, value);
    if (!model.refused.includes(field) && !(fixed.includes(field) && !byDefault)) continue;
    fit.edits.set(field, "remove");
    if (!byDefault && !isNothing(value) && !(field === "top_logprobs" && value === 0)) {
      fit.dropped.push(field);
    }
  }
  if (fixed.includes("verbosity")) fitVerbosity(get, fit);
  fitInclude(model, fixed, get, fit);
  return fit.edits.size > 0 ? fit : undefined;
}

/** Leaves out an effort that the model does not know. @returns The one that holds. */
function fitEffort(model: OpenAIModel, get: (field: string) => unknown, { edits, dropped }: Fit): string {
  const reasoning = get("reasoning");
  const effort = isObject(reasoning) ? reasoning.effort ?? undefined : undefined;
  if (typeof effort !== "string") return model.effort;
  if (takesEffort(model, effort)) return effort;
  const { effort: _, ...rest } = reasoning as Record<string, unknown>;
  edits.set("reasoning", Object.keys(rest).length > 0 ? { value: JSON.stringify(rest) } : "remove");
  if (effort !== model.effort) dropped.push("reasoning.effort");
  return model.effort;
}

function fitVerbosity(get: (field: string) => unknown, { edits, dropped }: Fit): void {
  const text = get("text");
  if (!isObject(text) || isNothing(text.verbosity ?? null) || isDefault("verbosity", text.verbosity)) return;
  const { verbosity: _, ...rest } = text;
  edits.set("text", Object.keys(rest).length > 0 ? { value: JSON.stringify(rest) } : "remove");
  dropped.push("text.verbosity");
}

/** A model that cannot reason refuses to be asked for its sealed reasoning: nothing is lost with that. */
function fitInclude(
  model: OpenAIModel,
  fixed: readonly string[],
  get: (field: string) => unknown,
  { edits, dropped }: Fit,
): void {
  const include = list(get("include"));
  const kept = include.filter((name, at) => {
    if (name === "reasoning.encrypted_content") return reasons(model);
    if (name !== "message.output_text.logprobs" || !fixed.includes("logprobs")) return true;
    dropped.push(`include[${at}]`);
    return false;
  });
  if (kept.length < include.length) edits.set("include", { value: JSON.stringify(kept) });
}
