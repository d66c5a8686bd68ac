/**
 * Keeps what a gateway token spends within its budgets.
 *
 * Before a request is sent, the most that it may cost is held, in counters that lapse by themselves. When its answer has ended,
 * its cost takes the place of what was held. So requests at once cannot spend the same dollar, and a request whose end is never
 * told costs its token nothing for long.
 */
import { type Cost, costOf } from "../../providers/prices/table.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import type { Usage } from "../../wires/types.ts";
import type { Addition, Counters, Rule } from "../stores/counters.ts";
import type { Attempt, Run, Step } from "./attempt.ts";
import { isFor, modelOf, scopeOf } from "./scope.ts";
import {
  CHARS_PER_TOKEN,
  holdersOf,
  type Metered,
  type Metering,
  type Prices,
  type Sizes,
  type TokenBudget,
  whoseOf,
} from "./token_limits.ts";
import { calendarWindow, COUNTED_MS, HELD_MS, heldAt, type Window, windowOf } from "./windows.ts";
import { NO_TOKENS, promptTokens } from "../../wires/shared/usage.ts";

/** Counters hold billionths of a dollar: whole numbers add up without an error. */
const UNITS_PER_USD = 1e9;

/** The error of a sum, in these units. */
const ROUNDING = 1e-3;

const HOUR_MS = 3_600_000;

/** The tokens that are expected of an answer whose length the request does not limit. */
export const USUAL_OUTPUT = 4096;

/** The budgets of a token that hold at a time. */
export function budgetsAt(budgets: readonly TokenBudget[], now: number): TokenBudget[] {
  const kind = (budget: TokenBudget) => `${budget.window} ${scopeOf(budget)}`;
  const lasting = budgets.filter(({ until }) => until === undefined || now < Date.parse(until));
  const replaced = new Set(lasting.filter(({ until }) => until !== undefined).map(kind));
  return lasting.filter((budget) => budget.until !== undefined || !replaced.has(kind(budget)));
}

/** The counters of one budget. */
interface Sums {
  window: Window;
  /** Where the cost of this window is added. */
  spentKey: string;
  /** Where the holds of the present requests are added. */
  heldKey: string;
  spent: Rule["of"];
  held: Rule["of"];
}

/** Where what requests hold of a sum of money is added at a time, and the counters of all that is held of it. */
export function holdsOf(nameOf: (at: number) => string, now: number): { key: string; of: Rule["of"] } {
  const { at } = windowOf(now, HELD_MS);
  return { key: nameOf(at), of: heldAt(at, nameOf) };
}

/** Holds an amount; a negative one is free again. It lapses by itself. */
export const holding = (key: string, amount: number): Addition => ({ key, amount, ttlMs: 2 * HELD_MS });

function sumsOf(name: string, budget: TokenBudget, now: number): Sums {
  const window = calendarWindow(now, budget.window);
  const held = holdsOf((at) => `held:${name}:${scopeOf(budget)}:${at}`, now);
  const spentAt = (at: number) => `spent:${name}:${budget.window}:${scopeOf(budget)}:${at}`;
  const spent = [{ key: spentAt(window.at), weight: 1 }];
  if (budget.technique === "sliding") spent.push({ key: spentAt(window.at - 1), weight: window.left });
  return {
    window,
    spentKey: spentAt(window.at),
    heldKey: held.key,
    spent,
    held: held.of,
  };
}

/** What is left of a budget. */
export interface BudgetLeft extends TokenBudget {
  spentUsd: number;
  /** What the requests that run may cost at most. */
  heldUsd: number;
  leftUsd: number;
  /** When its window ends, as a date in UTC. */
  ends: string;
}

/** The sums that tell what is left of each budget that holds at a time, and the function that reads them. */
export function budgetsLeft(
  { name, budgets = [] }: Metered,
  now: number,
): { rules: Rule[]; read(sums: readonly number[]): BudgetLeft[] } {
  const all = budgetsAt(budgets, now).map((budget) => ({ budget, sums: sumsOf(name, budget, now) }));
  const usd = (units: number) => Math.round(Math.max(0, units)) / UNITS_PER_USD;
  return {
    rules: all.flatMap(({ sums }) => [sums.spent, sums.held].map((of) => ({ limit: Infinity, of }))),
    read: (sums) =>
      all.map(({ budget, sums: { window } }, at) => {
        const [spent, held] = sums.slice(2 * at);
        return {
          ...budget,
          spentUsd: usd(spent),
          heldUsd: usd(held),
          leftUsd: usd(unitsOf(budget.limitUsd) - spent - held),
          ends: new Date(now + window.leftMs).toISOString(),
        };
      }),
  };
}

/** What each token has left of that of its budgets that has the least. All are asked of the counters at once. */
export async function leastLeft(
  all: readonly Metered[],
  now: number,
  counters: Counters,
): Promise<[name: string, usd: number][]> {
  const budgets = all.flatMap(({ name, budgets = [] }) =>
    budgetsAt(budgets, now).map((budget) => ({ name, budget, sums: sumsOf(name, budget, now) }))
  );
  const rules = budgets.map(({ sums: { spent, held } }) => ({ limit: Infinity, of: [...spent, ...held] }));
  const { sums } = await counters.take([], rules);
  const left = new Map<string, number>();
  for (const [at, { name, budget }] of budgets.entries()) {
    const usd = Math.max(0, budget.limitUsd - sums[at] / UNITS_PER_USD);
    left.set(name, Math.min(usd, left.get(name) ?? usd));
  }
  return [...left];
}

/** What a request holds of its token's budgets. */
export interface Reserved {
  additions: Addition[];
  rules: Rule[];
  /** The error for a request that these rules refuse; `undefined` if they do not. @param sums The sums of the rules. */
  refusal(sums: readonly number[], counters: Counters): Promise<GatewayError | undefined>;
  /** What to add when the request has ended: what it cost, and its hold, taken off. @param isBilled Whether the provider will bill it. */
  settled(seen: Metering | undefined, isBilled: boolean): { spent: Addition[]; freed: Addition[] };
}

/**
 * Finds what a request must hold.
 *
 * @throws GatewayError `forbidden` if the price of a target is not known.
 */
export function reserve({ run, step, others }: Attempt, metered: Metered): Reserved | undefined {
  const holders = holdersOf(metered).filter(({ budgets }) => budgets);
  if (holders.length === 0) return undefined;
  const now = run.config.now();
  const steps = [step, ...others];
  const held: { holder: Metered; budget: TokenBudget; sums: Sums; hold: number }[] = [];
  for (const holder of holders) {
    const isAllowed = (holder.unknownPrice ?? metered.unknownPrice) === "allow";
    for (const budget of budgetsAt(holder.budgets!, now)) {
      let hold = 0;
      for (const target of steps) {
        if (!isFor(budget, target.provider, modelOf(target, run))) continue;
        hold = Math.max(hold, holdFor(target, run, holder, isAllowed));
      }
      if (hold > 0) held.push({ holder, budget, hold, sums: sumsOf(holder.name, budget, now) });
    }
  }
  const holds = new Map<string, number>();
  for (const { sums: { heldKey }, hold } of held) {
    holds.set(heldKey, Math.max(hold, holds.get(heldKey) ?? 0));
  }
  const additions = (sign: number) => [...holds].map(([key, hold]) => holding(key, sign * hold));
  return {
    additions: additions(1),
    rules: held.map(({ budget, sums }) => ({
      limit: unitsOf(budget.limitUsd),
      of: [...sums.spent, ...sums.held],
    })),
    async refusal(sums, counters) {
      let worst: Refused | undefined;
      for (const [at, { holder, budget, sums: { window, spent, heldKey } }] of held.entries()) {
        const most = unitsOf(budget.limitUsd), hold = holds.get(heldKey)!;
        // A sum that slides is not a whole number: its error depends on the order of its parts.
        if (sums[at] + hold <= most - ROUNDING) continue;
        const { sums: [used] } = await counters.take([], [{ limit: Infinity, of: spent }]);
        // Other requests may cost less than is held for them.
        const waitMs = used + hold <= most ? 1000 : window.leftMs;
        if (!worst || waitMs > worst.waitMs) worst = { holder, budget, waitMs, used };
      }
      return worst && overBudget(worst);
    },
    settled(seen, isBilled) {
      const cost = isBilled ? unitsOf(costSeen(seen, run)) : 0;
      const spent = cost === 0 ? [] : holders.flatMap((holder) => spending(holder, cost, run));
      return { spent, freed: additions(-1) };
    },
  };
}

/** US dollars in the unit of the counters. */
export const unitsOf = (usd: number): number => Math.round(usd * UNITS_PER_USD);

/** The cost to add to each budget for the model that has answered, in the window in which the answer ended. */
function spending({ name, budgets = [] }: Metered, cost: number, run: Run): Addition[] {
  const { report: { provider = "", model, sizes }, config } = run;
  const now = config.now();
  const added = new Map<string, Addition>();
  // A budget that another one replaces for some time counts on.
  for (const budget of budgets) {
    if (!isFor(budget, provider, model ?? sizes?.model)) continue;
    const { spentKey } = sumsOf(name, budget, now);
    added.set(spentKey, { key: spentKey, amount: cost, ttlMs: COUNTED_MS[budget.window] });
  }
  return [...added.values()];
}

// ---------------------------------------------------------------- the refusals

/** A budget without room for a request. */
interface Refused {
  holder: Metered;
  budget: TokenBudget;
  waitMs: number;
  used: number;
}

function overBudget({ holder, budget: { limitUsd, window }, waitMs, used }: Refused): GatewayError {
  const left = Math.max(0, limitUsd - used / UNITS_PER_USD);
  const isSoon = waitMs <= HOUR_MS;
  const seconds = `${Math.ceil(waitMs / 1000)}`;
  const message =
    `Cannot serve the request: ${whoseOf(holder)} may spend ${limitUsd} US dollars in a ${window} ` +
    `and has ${Number(left.toFixed(6))} left; the request, with those that still run, may cost more` +
    (isSoon ? `; try again in ${seconds} s` : "");
  // An SDK would repeat a 429 at once.
  const headers: Record<string, string> = isSoon ? { "retry-after": seconds } : { "x-should-retry": "false" };
  return new GatewayError("rate_limited", message, { number: 2045, headers });
}

function unknownPriceOf(step: Step, run: Run, holder: Metered): GatewayError {
  run.report.limitedBy = "price";
  const model = modelOf(step, run);
  const name = model === undefined ? step.provider : quote(`${step.provider}/${model}`);
  return new GatewayError(
    "forbidden",
    `Cannot serve the request: ${
      whoseOf(holder)
    } has a budget, and the price of the request to ${name} is not known; ` +
      'set the option prices, or unknownPrice: "allow" of the token or the gateway',
    { number: 2040 },
  );
}

// ---------------------------------------------------------------- costs

/** The most that a request may cost at one target. @throws GatewayError `forbidden` if the price is not known. */
function holdFor(step: Step, run: Run, holder: Metered, isAllowed: boolean): number {
  if (step.costs === "nothing") return 0;
  const { config: { prices }, report: { sizes } } = run;
  const model = modelOf(step, run);
  const most = step.costs === "unknown" ? undefined : mostAt(step.provider, model, sizes, prices);
  if (most !== undefined) return most;
  if (isAllowed) return 0;
  throw unknownPriceOf(step, run, holder);
}

/** The most that a request may cost at a model, in the unit of the counters; `undefined` if its price is not known. */
export function mostAt(
  provider: string,
  model: string | undefined,
  sizes: Sizes | null | undefined,
  prices: Prices,
): number | undefined {
  const found = model === undefined || !sizes ? undefined : prices.find(provider, model);
  return found && unitsOf(mostCost(sizes!, found.cost));
}

/** The most that a request may cost: its prompt may be written into a cache, and the answer may be thoughts. */
function mostCost({ input, mostOutput, answers, tier }: Sizes, cost: Cost): number {
  const output = mostOutput ?? USUAL_OUTPUT * answers;
  let most = 0;
  for (const prompt of [{ input }, { cacheWrite: input }, { cacheWrite: input, cacheWriteHour: input }]) {
    for (const answer of [{ output }, { reasoning: output }]) {
      for (const at of [undefined, tier]) {
        most = Math.max(most, costOf({ ...NO_TOKENS, ...prompt, ...answer }, cost, at));
      }
    }
  }
  return most;
}

/**
 * The cost of a request that has ended, in US dollars. A client's own price, `cf-aig-custom-cost`, does not count here.
 *
 * @param sizes The estimated size of the request, for tokens that were not told.
 */
export function costSeen(seen: Metering | undefined, run: Run, sizes = run.report.sizes): number {
  const { report: { provider = "", model }, config: { prices } } = run;
  const { usage: told } = seen ?? {};
  if (told?.cost !== undefined && seen?.end === "whole") return told.cost;
  const usage = usageOf(seen, sizes);
  for (const name of [model, sizes?.model, seen?.model]) {
    const found = name === undefined ? undefined : prices.find(provider, name);
    if (found) return costOf(usage, found.cost, seen?.tier ?? sizes?.tier);
  }
  return told?.cost ?? 0;
}

/** The tokens of a request that has ended. Tokens that were not told are estimated. */
function usageOf(seen: Metering | undefined, sizes: Sizes | null | undefined): Usage {
  const told = seen?.usage;
  const chars = Math.ceil((seen?.chars ?? 0) / CHARS_PER_TOKEN);
  if (!told) return { ...NO_TOKENS, input: sizes?.input ?? 0, output: chars };
  if (seen.end === "whole") return told;
  // The usage at the end of the answer is missing.
  const { input, output, reasoning, audioOut } = told;
  return {
    ...told,
    input: promptTokens(told) > 0 ? input : sizes?.input ?? 0,
    output: Math.max(output, chars - reasoning - audioOut),
  };
}
