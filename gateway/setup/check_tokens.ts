/** Checks the tokens that open the gateway's own paths. */
import type { GatewayToken } from "../access/credentials.ts";
import type { checkOptions } from "./options.ts";

/**
 * Checks that these tokens are apart from the gateway tokens. They are looked for inside of credentials: a gateway token that holds
 * one would open nothing.
 *
 * @throws TypeError
 */
export function checkOwnTokens(
  { adminToken, metrics }: ReturnType<typeof checkOptions>,
  tokens: readonly GatewayToken[],
): void {
  for (const [option, own] of [["adminToken", adminToken], ["metrics.token", metrics?.token]] as const) {
    if (own === undefined || !tokens.some(({ token }) => token.includes(own))) continue;
    throw new TypeError(
      `Cannot use option ${option}: it is one of the tokens, or a part of one; choose another text`,
    );
  }
  if (adminToken === undefined || adminToken !== metrics?.token) return;
  throw new TypeError(
    "Cannot use option metrics.token: it is the operator's token, which opens /metrics too; choose another text",
  );
}
