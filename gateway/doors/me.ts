/** Tells the holder of a gateway token what the token opens, and what is left of its limits and budgets. */
import { unauthorized } from "../access/credentials.ts";
import { budgetsLeft } from "../policies/budgets.ts";
import { rulesFor } from "../policies/limit.ts";
import type { Metered } from "../policies/token_limits.ts";
import type { Config } from "../setup/config.ts";

/**
 * Serves `GET /sluice/api/me`. `null` in a list's place means all.
 *
 * @throws GatewayError `unauthorized` for a request without a gateway token.
 */
export async function serveMe(request: Request, config: Config): Promise<Response> {
  // A program that made the gateway has no token of its own, and asks for that of a request.
  const caller = await config.tokens.admit(request, null, true);
  const { token: name, gateways = null, providers = null, models = null, metered } = caller;
  if (name === undefined) throw unauthorized("it needs a gateway token, as authorization: Bearer TOKEN");
  const answer = { name, gateways, providers, models, ...await leftOf(metered ?? { name }, config) };
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}

/** What is left of a token's limits and budgets. */
async function leftOf(metered: Metered, { counters, now }: Config): Promise<object> {
  const at = now();
  const { rules } = rulesFor(metered, at);
  const { sums } = await counters.take([], rules);
  const limits = rules.map(({ kind }, place) => {
    const limit = metered.limits![kind]!;
    return [kind, { limit, left: Math.max(0, Math.floor(limit - sums[place])) }];
  });
  return { limits: Object.fromEntries(limits), budgets: await budgetsLeft(metered, at, counters) };
}
