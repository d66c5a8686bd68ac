/** Puts credentials into requests. */
import { signWithKey } from "../../providers/sign/key.ts";
import type { Provider, Unsigned } from "../../providers/types.ts";
import type { Exchange } from "../exchange.ts";

/**
 * Puts a key into a request in the form that the provider takes.
 *
 * @returns A promise only if signing is asynchronous.
 */
export const sign = (request: Unsigned, provider: Provider, key: string): Promise<void> | void =>
  (provider.sign ?? signWithKey)(request, provider, key);

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
 */
export function signAgain(
  upstream: Response,
  request: Unsigned,
  provider: Provider,
  key: string | undefined,
): Promise<void> | undefined {
  if (upstream.status !== 401 || key === undefined || !provider.dropToken?.(request, key)) return undefined;
  // A body that is streamed is gone. The token is dropped all the same, for the next request.
  if (request.body instanceof ReadableStream) return undefined;
  const left = upstream.body?.cancel() ?? Promise.resolve();
  return left.catch(() => {}).then(() => sign(request, provider, key));
}
