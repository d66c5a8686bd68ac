/** What a gateway token opens, and what its holder may ask for. */
import type { RateLimits, TokenBudget } from "../policies/token_limits.ts";

/**
 * A gateway token.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type GatewayToken } from "../../mod.ts";
 *
 * const token: GatewayToken = { token: "secret", providers: ["demo"] };
 * const { fetch } = createGateway({ tokens: [token] });
 * const models = (headers?: HeadersInit) => fetch(new Request("http://localhost/v1/models", { headers }));
 * assertEquals((await models()).status, 401);
 * assertEquals((await models({ authorization: "Bearer secret" })).status, 200);
 * ```
 */
export interface GatewayToken {
  /** The secret itself. */
  token: string;
  /** The name for the token in rows of requests. Default: eight letters and digits of a hash, which do not tell the token. */
  name?: string;
  /** Gateway ids that it opens; absent for all. */
  gateways?: readonly string[];
  /** Provider names that it opens; absent for all. */
  providers?: readonly string[];
  /** The models that it opens, as `{provider}/{model}` with at most one `*`: `openai/gpt-*`. Absent for all. */
  models?: readonly string[];
  /** What it may ask for, as an object of the usual limits, or as a list of any. Default: no limits. */
  limits?: RateLimits;
  /** What it may spend. All of them hold. Default: no budget. */
  budgets?: readonly TokenBudget[];
  /** The name of the token's team. If the option `teams` has it, the team's limits and budgets hold too. */
  team?: string;
  /**
   * Limits and budgets for each value of an entry of the clients' metadata, e.g. for each `user`: a request must name the value in
   * `cf-aig-metadata`. A token may be used for 10,000 values a day, in each process.
   */
  each?: { metadata: string; limits?: RateLimits; budgets?: readonly TokenBudget[] };
  /** Whether a token with a budget may use models whose price is not known. They cost its budgets nothing. Default `refuse`. */
  unknownPrice?: "refuse" | "allow";
}
