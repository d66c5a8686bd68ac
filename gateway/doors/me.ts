/** Tells the holder of a gateway token what the token opens, and what is left of its limits and budgets. */
import { unauthorized } from "../access/credentials.ts";
import type { Config } from "../setup/config.ts";
import { leftOfAll } from "./left.ts";

/**
 * Serves `GET /sluice/api/me`. `null` in a list's place means all.
 *
 * @throws GatewayError `unauthorized` for a request without a gateway token.
 */
export async function serveMe(request: Request, config: Config): Promise<Response> {
  // A program that made the gateway has no token of its own, and asks for that of a request.
  const caller = await config.tokens.admit(request, null, true);
  const { token: name, id, gateways = null, providers = null, models = null, metered } = caller;
  if (name === undefined) throw unauthorized("it needs a gateway token, as authorization: Bearer TOKEN");
  const opened = { name, ...(id !== undefined && { id }), gateways, providers, models };
  const [left] = await leftOfAll([metered], config);
  const answer = { ...opened, ...left };
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}
