/** Limits and budgets of whole gateways. */
import type { Metered, RateLimits, TokenBudget } from "../policies/token_limits.ts";
import type { Caller } from "./credentials.ts";

/**
 * What may be asked of a gateway, and spent at it, by all requests together.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type GatewayAllowance } from "../../mod.ts";
 *
 * const trial: GatewayAllowance = { limits: { rpm: 1 } };
 * const { fetch } = createGateway({ gateways: { trial } });
 * const ask = () =>
 *   fetch(
 *     new Request("http://localhost/v1/-/trial/compat/chat/completions", {
 *       method: "POST",
 *       headers: { "content-type": "application/json" },
 *       body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
 *     }),
 *   );
 * assertEquals((await ask()).status, 200);
 * assertEquals((await ask()).status, 429);
 * ```
 */
export interface GatewayAllowance {
  /** What may be asked, as an object of the usual limits, or as a list of any. Default: no limits. */
  limits?: RateLimits;
  /** What may be spent. All of them hold. Default: no budget. */
  budgets?: readonly TokenBudget[];
  /** Whether models whose price is not known may be used beside these budgets. They cost nothing. Default `refuse`. */
  unknownPrice?: "refuse" | "allow";
}

/** Stands for all gateways without an allowance of their own. Clients choose the ids, so these have one count together. */
const OTHERS = "*";

/** What is known of a gateway, by the ids of gateways. */
export const allowanceOf = <T>(gateways: ReadonlyMap<string, T>, id: string): T | undefined =>
  gateways.get(id) ?? gateways.get(OTHERS);

/** Adds the limits and budgets of a gateway to those of a caller. */
export type GatewayMeter = (caller: Caller, gateway: string | undefined) => Caller;

/** Makes the function; `undefined` if no gateway has an allowance. */
export function gatewayMeter(gateways: ReadonlyMap<string, GatewayAllowance>): GatewayMeter | undefined {
  if (gateways.size === 0) return undefined;
  const holders = new Map<string, Metered>();
  for (const [id, { unknownPrice = "refuse", ...allowance }] of gateways) {
    const whose = id === OTHERS ? "the gateway, with others," : "the gateway";
    holders.set(id, { name: `gateway/${id}`, whose, prefix: "gateway-", unknownPrice, ...allowance });
  }
  return (caller, id = "default") => {
    const holder = allowanceOf(holders, id);
    if (!holder) return caller;
    const { metered, meter } = caller;
    const withGateway = (metered: Metered = { name: "" }): Metered => ({
      ...metered,
      also: [...metered.also ?? [], holder],
    });
    return {
      ...caller,
      metered: withGateway(metered),
      meter: meter && ((headers) => withGateway(meter(headers))),
    };
  };
}
