/** The keys that clients bring, and stored keys that must be got first. */
import { keyForm, setUnfixed, signWithKey } from "../../providers/sign/key.ts";
import { keySetFault, readKeySet } from "../../providers/sign/key_set.ts";
import { whileOpen } from "../../providers/sign/tokens.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { credential } from "../access/credential_texts.ts";
import type { Caller } from "../access/credentials.ts";
import { setInHeaders } from "../access/header_sets.ts";
import type { KeyRing } from "../access/key_ring.ts";
import type { Exchange } from "../exchange.ts";
import type { SentHeaders } from "./headers.ts";

/** The provider's key that a client sent, without its scheme. */
export function clientKey({ keys }: Caller): string | undefined {
  for (const value of keys.values()) {
    const key = credential(value);
    // A credential of several words (`Basic …`, a signature) is for a proxy before the gateway, not for the provider.
    // JSON may have blanks: the names in a service account's key do.
    if (!/\s/.test(key) || key.startsWith("{")) return key;
  }
  return undefined;
}

/**
 * The client's key if it is a set of several texts that the provider's signer reads: in one header, or in one for each text.
 *
 * @throws GatewayError `invalid_request` for a set that is not whole, or of a kind that only the operator may have.
 */
export function clientKeySet(provider: Provider, { caller, headers }: Exchange): string | undefined {
  const { name, keySet } = provider;
  if (!keySet) return undefined;
  const key = (keySet.headers && setInHeaders(keySet, headers)) ?? clientKey(caller);
  if (key === undefined || !key.startsWith("{") && !readKeySet(key)) return undefined;
  const fault = keySetFault(key, { ...keySet, or: undefined });
  if (fault === undefined) return key;
  throw new GatewayError("invalid_request", `Cannot sign in to ${name}: ${fault}`, {
    metadata: { provider: name },
  });
}

/** Sets a client's key in the header that it came in, or in another one if the provider takes keys of this form only there. */
export function sendKey(headers: SentHeaders, provider: Provider, name: string, value: string): void {
  const key = credential(value);
  if (keyForm(provider, key)) signWithKey({ headers }, provider, key);
  else setUnfixed(headers, provider, name, value);
}

/** Waits for a key that a function of the operator's makes. An explanation asks nobody. */
export function readyKey(
  keys: KeyRing,
  { explain }: Exchange,
  signal: AbortSignal,
): Promise<void> | undefined {
  const making = explain ? undefined : keys.ready?.();
  return making && whileOpen(making, signal);
}
