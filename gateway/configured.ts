/** A gateway set up by its environment. */
import { type Env, readEnv, type Served } from "./config.ts";
import { createGateway, type Gateway } from "./gateway.ts";

/**
 * Makes the gateway of the served form, with a line on standard error for each failure.
 *
 * @throws TypeError that names the variable at fault.
 */
export function configured(env: Env): Served & { gateway: Gateway } {
  const served = readEnv(env);
  const log = (entry: object) => console.error(JSON.stringify(entry));
  return { ...served, gateway: createGateway({ ...served.options, log }) };
}
