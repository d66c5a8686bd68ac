/**
 * OpenAI chat completions: fits a request to OpenAI's own models. What each generation accepts is in
 * `shared/openai_models.ts`.
 */
import { GatewayError } from "../errors.ts";
import {
  DEFAULTS,
  type Fit,
  hasFunctions,
  isDefault,
  isNothing,
  type OpenAIModel,
  openaiModel,
} from "../shared/openai_models.ts";

/**
 * Fits a request to one of OpenAI's models.
 *
 * A refused setting that has its default value is left out and not named, because nothing is lost.
 *
 * @param get Reads a member of the body; `undefined` if there is none.
 * @returns `undefined` if the model accepts the request unchanged.
 */
export function fitOpenAI(id: string, get: (field: string) => unknown): Fit | undefined {
  const model = openaiModel(id);
  if (!model) return undefined;
  const fit: Fit = { edits: new Map(), dropped: [], roles: model.roles };
  const leaveOut = (field: string, value: unknown) => {
    fit.edits.set(field, "remove");
    const byDefault = field === "reasoning_effort" ? model.effort : DEFAULTS[field];
    if (value !== byDefault && !isNothing(value)) fit.dropped.push(field);
  };
  const fix = (field: string) => {
    const value = get(field);
    if (value !== undefined && !isDefault(field, value)) leaveOut(field, value);
  };
  if (model.newLimit) renameLimit(fit, get);
  for (const field of model.refused) {
    const value = get(field);
    if (value !== undefined) leaveOut(field, value);
  }
  model.fixed.forEach(fix);
  let effort = get("reasoning_effort");
  if (effort !== undefined && !keepsEffort(effort, model, get)) {
    leaveOut("reasoning_effort", effort);
    effort = undefined;
  }
  effort ??= model.effort;
  if (effort !== "none") model.fixedWhileReasoning?.forEach(fix);
  if (model.functionTools === "none" && effort !== "none" && hasFunctions(get)) {
    fit.fault = noTools(id, model);
  }
  return fit.edits.size > 0 || fit.roles || fit.fault ? fit : undefined;
}

/** Renames the token limit. Both names mean the same; the newer one wins. */
function renameLimit({ edits }: Fit, get: (field: string) => unknown): void {
  const limit = get("max_tokens");
  if (limit === undefined) return;
  const isRenamed = limit !== null && (get("max_completion_tokens") ?? null) === null;
  edits.set("max_tokens", isRenamed ? { key: "max_completion_tokens" } : "remove");
  if (isRenamed) edits.set("max_completion_tokens", "remove");
}

/** Whether the model accepts the effort, together with the tools of the request. */
function keepsEffort(
  effort: unknown,
  { efforts, functionTools }: OpenAIModel,
  get: (field: string) => unknown,
): boolean {
  if (typeof effort !== "string" || !efforts.includes(effort)) return false;
  return functionTools !== "unset" || effort === "none" || !hasFunctions(get);
}

function noTools(id: string, { efforts }: OpenAIModel): GatewayError {
  const cure = efforts.includes("none") ? 'set reasoning_effort to "none", or ' : "";
  return new GatewayError(
    "invalid_request",
    `Cannot send function tools to ${id} by chat completions: OpenAI refuses them there while the model reasons; ` +
      `${cure}call OpenAI's Responses API, at /v1/-/default/openai/responses`,
    { param: "tools" },
  );
}
