/**
 * OpenAI chat completions: a request as OpenAI's own models take it.
 *
 * What each generation takes is in `shared/openai_models.ts`.
 */
import { GatewayError } from "../errors.ts";
import type { Edit } from "../shared/json_text.ts";
import {
  DEFAULTS,
  hasFunctions,
  isDefault,
  isNothing,
  type OpenAIModel,
  openaiModel,
} from "../shared/openai_models.ts";

/** What must change in a request's body so that a model takes it. */
export interface Fit {
  /** By member of the body. */
  edits: Map<string, Edit>;
  /** Settings that are left out although they said something. */
  dropped: string[];
  roles?: Readonly<Record<string, string>>;
  /** Why the model cannot take the request at all. */
  fault?: GatewayError;
}

/**
 * Fits a request to one of OpenAI's models.
 *
 * A default value is left out without a word, where it is refused: nothing is lost with it.
 *
 * @param get Reads a member of the body; `undefined` when there is none.
 * @returns `undefined` when the model takes the request as it is.
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

/** Two limits mean the same; the newer one counts. */
function renameLimit({ edits }: Fit, get: (field: string) => unknown): void {
  const limit = get("max_tokens");
  if (limit === undefined) return;
  const isRenamed = limit !== null && (get("max_completion_tokens") ?? null) === null;
  edits.set("max_tokens", isRenamed ? { key: "max_completion_tokens" } : "remove");
  if (isRenamed) edits.set("max_completion_tokens", "remove");
}

/** Whether an effort is one that the model takes, and takes beside these tools. */
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
