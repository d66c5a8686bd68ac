/** Puts credentials into requests. */
import { signWithKey } from "../../providers/sign/key.ts";
import type { Provider, Unsigned } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { TakenKey } from "../access/key_ring.ts";
import type { Exchange } from "../exchange.ts";

/**
 * Puts a key into a request in the form that the provider takes.
 *
 * @param stored Whose key it is, if it is a stored one. It rests if it is of no use: another one may serve the next attempt.
 * @returns A promise only if signing is asynchronous.
 */
export function sign(
  request: Unsigned,
  provider: Provider,
  key: string,
  stored?: TakenKey,
): Promise<void> | void {
  const { sign: signed = signWithKey } = provider;
  if (!stored) return signed(request, provider, key);
  try {
    return signed(request, provider, key)?.catch((cause) => rest(stored, cause));
  } catch (cause) {
    rest(stored, cause);
  }
}

/** Lets a key rest that no request can be signed with. */
function rest(stored: TakenKey, cause: unknown): never {
  if (cause instanceof GatewayError && cause.code === "unauthorized") {
    stored.report(new Response(null, { status: 401 }));
  }
  throw cause;
}

/** A request to sign, with what a signer needs that asks for a token. */
export const unsigned = (
  { method, url, headers, body, places }: Unsigned,
  { config: { fetch, now } }: Exchange,
  signal: AbortSignal,
): Unsigned => ({ method, url, headers, body, places, now: now(), fetch, signal });

/**
 * Signs a refused request again, if the provider refused a token that can be replaced.
 *
 * @returns `undefined` if there is no other token: the answer is then the client's.
 * @throws GatewayError if the request cannot be sent again.
 */
export function signAgain(
  upstream: Response,
  request: Unsigned,
  provider: Provider,
  key: string | undefined,
): Promise<void> | undefined {
  if (upstream.status !== 401 || key === undefined || !provider.dropToken?.(request, key)) return undefined;
  // A body that is streamed is gone. The token is dropped all the same: clients try again after a status of 5xx, and not after 401.
  if (request.body instanceof ReadableStream) {
    upstream.body?.cancel().catch(() => {});
    throw new GatewayError(
      "upstream_unreachable",
      `Cannot send the request to ${provider.name} once more: it refused the gateway's token with 401, and the body was ` +
        "a stream, which is gone; send the request again, it gets a new token",
      { metadata: { provider: provider.name } },
    );
  }
  const left = upstream.body?.cancel() ?? Promise.resolve();
  return left.catch(() => {}).then(() => sign(request, provider, key));
}
