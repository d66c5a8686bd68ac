/** A gateway set up by its environment. */
import { isLoopback } from "./cross_site.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { type Env, readEnv, type Served } from "./env.ts";

/** How a gateway is served. */
export interface Serving {
  /** Of all variables, as far as they are known. */
  names?: Iterable<string>;
  /**
   * It is one process that its operator starts and watches. Of many, each would make another token, and nobody would
   * read it.
   */
  alone?: boolean;
}

/**
 * Makes the gateway of the served form, with a line on standard error for each failure and each warning.
 *
 * With stored keys and no `SLUICE_TOKENS` it is no open relay for them: served alone it makes a token, without which
 * requests are served with their own keys only; else stored keys serve nobody over HTTP.
 *
 * @returns The gateway, and what its operator should be told once it listens.
 * @throws TypeError that names the variable at fault.
 */
export function configured(
  env: Env,
  { names, alone = false }: Serving = {},
): Served & { gateway: Gateway; notice?: string } {
  const served = readEnv(env, names);
  const { options, warnings } = served;
  if (alone && isLoopback(served.hostname)) options.hosts ??= [];
  const stored = Object.keys(options.keys ?? {});
  let notice: string | undefined;
  if (stored.length > 0 && options.tokens === undefined) {
    const keys = `The stored keys (${stored.join(", ")})`;
    if (alone) {
      const token = makeToken();
      Object.assign(options, { tokens: [token], tokenRequired: false });
      notice =
        `${keys} serve requests with this token, made for this run (SLUICE_TOKENS sets your own): ${token}`;
    } else warnings.push(`${keys} serve nobody over HTTP: SLUICE_TOKENS is not set`);
  }
  for (const warning of warnings) console.error(`Warning: ${warning}`);
  const log = (entry: object) => console.error(JSON.stringify(entry));
  return { ...served, notice, gateway: createGateway({ ...options, log }) };
}

/** 128 bits by chance. */
function makeToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `sluice-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
