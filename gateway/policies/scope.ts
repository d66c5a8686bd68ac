/** Tells which models a limit or a budget is for. */
import { withoutVersion } from "../../providers/prices/table.ts";
import { matchesModel } from "../targets/model_patterns.ts";
import type { Run, Step } from "./attempt.ts";

/** What a limit or a budget is for. Absent members mean all. */
export interface Scoped {
  models?: readonly string[];
  providers?: readonly string[];
}

/** A part of the names of counters: limits or budgets for the same models share their counters. */
export const scopeOf = ({ models, providers }: Scoped): string =>
  JSON.stringify([models ?? "*", providers ?? "*"]);

/**
 * Whether it is for a model, or for a dated version of it. It is also for a model that is not known, which may be one of its
 * models.
 */
export function isFor({ models, providers }: Scoped, provider: string, model: string | undefined): boolean {
  if (providers && !providers.includes(provider)) return false;
  if (!models || model === undefined) return true;
  return matchesModel(models, provider, model) || matchesModel(models, provider, withoutVersion(model));
}

/** The model of a step; `undefined` if neither its path nor its body names one clearly. */
export const modelOf = (
  { model, costs }: Pick<Step, "model" | "costs">,
  { report: { sizes } }: Run,
): string | undefined => model ?? (costs === "unknown" ? undefined : sizes?.model);
