/** The limits of tokens as rules about counters. */
import type { Addition, Rule } from "../stores/counters.ts";
import type { Attempt } from "./attempt.ts";
import { isFor, modelOf, scopeOf } from "./scope.ts";
import {
  hasBudget,
  holdersOf,
  type LimitRule,
  type Metered,
  type RateLimits,
  type TokenLimits,
} from "./token_limits.ts";
import { HELD_MS, heldAt, MINUTE_MS, type Window, windowOf } from "./windows.ts";

/** One limit. */
export interface Limit extends Pick<LimitRule, "models" | "providers"> {
  /** Its name in headers: `rpm`, or `requests-2` for the second of a list. */
  name: string;
  counts: "requests" | "tokens" | "open";
  most: number;
  windowMs: number;
  isSliding: boolean;
  /** Tells its counters from those of limits for other models. */
  scope: string;
}

const COUNTS = ["requests", "tokens", "open"] as const;

/** What the limits with short names count. */
const SHORT = [["rpm", "requests"], ["tpm", "tokens"], ["open", "open"]] as const;

const NONE: readonly Limit[] = [];

/** The limits that were read before. */
const known = new WeakMap<RateLimits, readonly Limit[]>();

/** The limits one by one. */
export function limitsIn(limits: RateLimits | undefined): readonly Limit[] {
  if (!limits) return NONE;
  let all = known.get(limits);
  if (!all) known.set(limits, all = isList(limits) ? limits.map(limitOf) : shortLimits(limits));
  return all;
}

/** Whether limits are a list: the type of `Array.isArray` does not know lists that are only read. */
export const isList = (limits: RateLimits): limits is readonly LimitRule[] => Array.isArray(limits);

function limitOf({ seconds = 60, technique = "sliding", models, providers, ...rule }: LimitRule, at: number) {
  const counts = COUNTS.find((kind) => rule[kind] !== undefined)!;
  const windowMs = 1000 * seconds, isSliding = technique === "sliding";
  const scope = scopeOf({ models, providers });
  return {
    name: `${counts}-${at + 1}`,
    counts,
    most: rule[counts]!,
    windowMs,
    isSliding,
    models,
    providers,
    scope,
  };
}

const shortLimits = (limits: TokenLimits): Limit[] =>
  SHORT.filter(([name]) => limits[name] !== undefined)
    .map(([name, counts]) => ({
      name,
      counts,
      most: limits[name]!,
      windowMs: MINUTE_MS,
      isSliding: true,
      scope: scopeOf({}),
    }));

/** Whether the tokens of answers count for a token: their number, or their price. */
export const countsTokens = (metered: Metered): boolean =>
  holdersOf(metered).some(({ limits, budgets }) =>
    budgets !== undefined || limitsIn(limits).some(({ counts }) => counts === "tokens")
  );

/** Whether the model of a request must be known, and not its provider alone. */
export const needsModel = (metered: Metered | undefined): boolean =>
  metered !== undefined &&
  (hasBudget(metered) ||
    holdersOf(metered).some(({ limits }) => limitsIn(limits).some(({ models }) => models)));

/** A limit at a time, as a rule about counters. */
export interface LimitNow extends Rule {
  about: Limit;
  holder: Metered;
  /** The window of the time. */
  window: Window;
  /** The counter of that window, and for how long it counts. */
  key: string;
  ttlMs: number;
}

/** The limits of a holder at a time. */
export const limitsAt = (holder: Metered, now: number): LimitNow[] =>
  limitsIn(holder.limits).map((about) => {
    const { counts, most, windowMs, isSliding, scope } = about;
    const isOpen = counts === "open";
    const lengthMs = isOpen ? HELD_MS : windowMs;
    const window = windowOf(now, lengthMs);
    const kind = isOpen ? "open" : `${counts}/${windowMs / 1000}`;
    const keyOf = (at: number) => `${kind}:${holder.name}:${scope}:${at}`;
    const of = isOpen ? heldAt(window.at, keyOf) : [{ key: keyOf(window.at), weight: 1 }];
    if (!isOpen && isSliding) of.push({ key: keyOf(window.at - 1), weight: window.left });
    return {
      about,
      holder,
      window,
      key: keyOf(window.at),
      ttlMs: 2 * lengthMs,
      // What an answer takes is known when it ends: a request is admitted as long as a token is left.
      limit: counts === "tokens" ? most - 1 : most,
      of,
    };
  });

/** The limits for a request: those for a model that it may come to. */
export function limitsFor(metered: Metered, { step, others, run }: Attempt): LimitNow[] {
  const now = run.config.now(), steps = [step, ...others];
  return holdersOf(metered).flatMap((holder) => limitsAt(holder, now))
    .filter(({ about }) => steps.some((step) => isFor(about, step.provider, modelOf(step, run))));
}

/** What to add to the counters of these limits. Limits for the same share a counter, to which it is added once. */
export function additionsTo(
  limits: readonly LimitNow[],
  counts: Limit["counts"],
  amount: number,
): Addition[] {
  const additions = new Map<string, Addition>();
  for (const { about, key, ttlMs } of limits) {
    if (about.counts === counts) additions.set(key, { key, amount, ttlMs });
  }
  return [...additions.values()];
}
