/** What differs between Gemini's models: how they are addressed, and how they are told to think. */
import { GatewayError } from "./errors.ts";
import type { JsonObject } from "./types.ts";

/** `gemini-3.5-flash` and `models/gemini-3.5-flash` are one; `tunedModels/…` and the like stay. */
export function modelPath(model: string): string {
  const segments = model.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw new GatewayError("invalid_model", `Cannot address model "${model}": it is not a resource name`, {
      param: "model",
    });
  }
  const path = segments.map(encodeURIComponent).join("/");
  return segments.length > 1 ? path : `models/${path}`;
}

/** The number in `gemini-2.5-pro`; names without one (`gemini-flash-latest`) are of the newest. */
export function generation(model: string): number {
  const match = /gemini-(?:[a-z]+-)*(\d+(?:\.\d+)?)/.exec(model);
  return match ? Number(match[1]) : Infinity;
}

/** Budgets as Google's own OpenAI form sets them; the largest are what the models take. */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ["none", 0],
  ["minimal", 1024],
  ["low", 1024],
  ["medium", 8192],
  ["high", 24576],
]);

const LEVELS: ReadonlyMap<string, string> = new Map([
  ["none", "MINIMAL"],
  ["minimal", "MINIMAL"],
  ["low", "LOW"],
  ["medium", "MEDIUM"],
  ["high", "HIGH"],
  ["xhigh", "HIGH"],
  ["max", "HIGH"],
]);

/**
 * A token budget for 2.5, a level from 3 on; models before 2.5 do not think. Where thinking cannot be turned off, `none`
 * is as little as there is: 128 tokens of 2.5 Pro; `MINIMAL` of Flash up to 3.6; `LOW` of the others, which refuse less.
 *
 * @returns `undefined` when the model cannot do what was asked.
 * @see https://ai.google.dev/gemini-api/docs/generate-content/thinking
 */
export function thinkingFor(effort: string, model: string): JsonObject | undefined {
  const version = generation(model);
  const includeThoughts = effort !== "none";
  if (version >= 3) {
    const level = LEVELS.get(effort);
    if (level === undefined) return undefined;
    const thinkingLevel = level === "MINIMAL" && !/gemini-3(\.[0-6])?-flash/.test(model) ? "LOW" : level;
    return includeThoughts ? { thinkingLevel, includeThoughts } : { thinkingLevel };
  }
  if (version === 2 || version === 1.5 && !model.includes("robotics")) {
    return includeThoughts ? undefined : {};
  }
  const isPro = /gemini-2\.5-pro/.test(model);
  const thinkingBudget = effort === "xhigh" || effort === "max"
    ? (isPro ? 32768 : 24576)
    : effort === "none" && isPro
    ? 128
    : BUDGETS.get(effort);
  if (thinkingBudget === undefined) return undefined;
  return includeThoughts ? { thinkingBudget, includeThoughts } : { thinkingBudget };
}
