/** Tells what is left of the limits and budgets of a token. */
import { budgetsLeft } from "../policies/budgets.ts";
import { rulesFor } from "../policies/limit.ts";
import type { Metered } from "../policies/token_limits.ts";
import type { Config } from "../setup/config.ts";

/** What is left now. */
export async function leftOf(metered: Metered, { counters, now }: Config): Promise<object> {
  const at = now();
  const { rules } = rulesFor(metered, at);
  const { sums } = await counters.take([], rules);
  const limits = rules.map(({ kind }, place) => {
    const limit = metered.limits![kind]!;
    return [kind, { limit, left: Math.max(0, Math.floor(limit - sums[place])) }];
  });
  return { limits: Object.fromEntries(limits), budgets: await budgetsLeft(metered, at, counters) };
}
