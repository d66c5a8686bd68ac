/** Keeps a client's credentials from providers that they are not meant for. */
import { withoutCredentials } from "../access/credential_headers.ts";
import type { Exchange } from "../exchange.ts";
import type { Target } from "../targets/find_target.ts";

/**
 * The exchange for each target of a request. The client's credentials, in whatever header, are meant for the first target's
 * provider only.
 */
export function exchangesFor(
  first: { provider: Target["provider"] },
  exchange: Exchange,
): (target: Target) => Exchange {
  let strange: Exchange | undefined;
  return ({ provider }) =>
    provider === first.provider
      ? exchange
      : strange ??= { ...exchange, headers: withoutCredentials(exchange.headers) };
}
