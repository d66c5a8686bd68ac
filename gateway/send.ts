/** Sending a request to its provider. */
import type { Provider } from "../providers/types.ts";
import { GatewayError } from "../wires/errors.ts";
import { type Caller, credential, type KeyRing } from "./credentials.ts";
import type { Exchange } from "./exchange.ts";
import { withIdleLimit } from "./policies/held.ts";

/**
 * Sends one request.
 *
 * @param signal Ends the request and the answer.
 * @throws GatewayError `upstream_unreachable`; the signal's own reason when it has ended the request.
 */
export async function send(
  provider: Provider,
  url: string,
  init: RequestInit & { headers: Headers },
  signal: AbortSignal,
  { config, report }: Exchange,
): Promise<Response> {
  const { fetch, now, streamIdleTimeoutMs } = config;
  const started = now();
  try {
    // The provider chooses no host either: a redirect is never followed.
    const request: RequestInit = { ...init, signal, redirect: "manual" };
    const response = provider.fetch
      ? await provider.fetch(new Request(url, request))
      : await fetch(url, request);
    return streamIdleTimeoutMs > 0 ? withIdleLimit(response, streamIdleTimeoutMs, idle) : response;
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new GatewayError(
      "upstream_unreachable",
      `Cannot reach ${provider.name}: no answer to the request`,
      {
        metadata: { provider: provider.name },
        cause,
      },
    );
  } finally {
    report.upstreamMs += now() - started;
  }

  function idle(): Error {
    return new GatewayError(
      "upstream_timeout",
      `${provider.name} sent nothing for ${streamIdleTimeoutMs} ms`,
    );
  }
}

/** The provider's key that a client sent, without its scheme. */
export function clientKey({ keys }: Caller): string | undefined {
  for (const value of keys.values()) {
    const key = credential(value);
    // A credential of several words (`Basic …`, a signature) is for whoever stands before the gateway.
    if (!/\s/.test(key)) return key;
  }
  return undefined;
}

/** Writes a key where the provider wants it. */
export function setKey(headers: Headers, { auth }: Provider, key: string): void {
  headers.set(auth.header, auth.prefix + key);
}

/**
 * The stored keys for a caller that may use them and brought none.
 *
 * @throws GatewayError `unknown_key_alias`.
 */
export function storedKeys(provider: Provider, { config, caller, headers }: Exchange): KeyRing | undefined {
  // A provider built in needs none.
  if (!caller.trusted || provider.fetch) return undefined;
  return config.keys.find(provider.name, headers.get("cf-aig-byok-alias"));
}
