/** Tells what is left of the limits and budgets of tokens. */
import { budgetsLeft } from "../policies/budgets.ts";
import { isList, type Limit, limitsAt, limitsIn } from "../policies/limit_rules.ts";
import { holdersOf, type Metered, whoseOf } from "../policies/token_limits.ts";
import type { Rule } from "../stores/counters.ts";
import type { Config } from "../setup/config.ts";

/** Whose limits are asked for at once at most. */
const MOST_AT_ONCE = 100;

/** What is left of each token's limits and budgets now, and of those of others that hold for it too. */
export async function leftOfAll(
  all: readonly (Metered | undefined)[],
  config: Config,
): Promise<object[]> {
  const left: object[] = [];
  for (let at = 0; at < all.length; at += MOST_AT_ONCE) {
    left.push(...await leftOfSome(all.slice(at, at + MOST_AT_ONCE), config));
  }
  return left;
}

/** What is left of no limits. */
const NOTHING = { limits: {}, budgets: [] };

/** The same, with one call of the counters. */
async function leftOfSome(
  all: readonly (Metered | undefined)[],
  { counters, now }: Config,
): Promise<object[]> {
  const at = now();
  const asked = all.map((metered) =>
    metered ? holdersOf(metered).map((holder) => questionOf(holder, at)) : []
  );
  const rules = asked.flat().flatMap(({ rules }) => rules);
  const sums = rules.length > 0 ? (await counters.take([], rules)).sums : [];
  let place = 0;
  return asked.map((questions) => {
    const [own = NOTHING, ...others] = questions.map(({ rules, whose, read }) => ({
      whose,
      ...read(sums.slice(place, place += rules.length)),
    }));
    const { limits, budgets } = own;
    if (others.length === 0) return { limits, budgets };
    return {
      limits,
      budgets,
      also: others.map(({ whose, limits, budgets }) => ({ of: whose, limits, budgets })),
    };
  });
}

/** The sums that tell what is left of a holder's limits and budgets, and the function that reads them. */
function questionOf(holder: Metered, at: number) {
  const limits = limitsAt(holder, at);
  const budgets = budgetsLeft(holder, at);
  const asked: Rule[] = [...limits, ...budgets.rules];
  return {
    rules: asked,
    whose: whoseOf(holder),
    read: (sums: readonly number[]) => ({
      limits: shownLimits(holder, limits.map(({ about }, place) => leftOf(about, sums[place]))),
      budgets: budgets.read(sums.slice(limits.length)),
    }),
  };
}

const leftOf = ({ most }: Limit, sum: number): number => Math.max(0, Math.floor(most - sum));

/** The limits in the form in which they are written, with what is left of each. */
function shownLimits({ limits = {} }: Metered, left: readonly number[]): object {
  if (isList(limits)) return limits.map((rule, place) => ({ ...rule, left: left[place] }));
  return Object.fromEntries(
    limitsIn(limits).map(({ name, most }, place) => [name, { limit: most, left: left[place] }]),
  );
}
