/** Sending a request to its provider. */
import type { Provider } from "../providers/types.ts";
import { GatewayError } from "../wires/errors.ts";
import type { Caller, TakenKey } from "./credentials.ts";
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

/** Headers that hold a provider's key, the usual one first. */
const KEY_HEADERS = ["authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key"] as const;

/** The provider's key that a client sent, without its scheme. */
export function clientKey(headers: Headers, ignored: ReadonlySet<string>): string | undefined {
  for (const name of KEY_HEADERS) {
    const value = ignored.has(name) ? null : headers.get(name);
    if (value) {
      return name === "authorization" ? value.match(/^\s*(?:bearer\s+)?(\S+)\s*$/i)?.[1] : value.trim();
    }
  }
  return undefined;
}

/** Copies the headers in which a client sent a provider's key, as they are. Returns whether there was one. */
export function copyKeys(from: Headers, to: Headers, ignored: ReadonlySet<string>): boolean {
  let any = false;
  for (const name of KEY_HEADERS) {
    const value = ignored.has(name) ? null : from.get(name);
    if (value === null) continue;
    to.set(name, value);
    any = true;
  }
  return any;
}

/** Writes a key where the provider wants it. */
export function setKey(headers: Headers, { auth }: Provider, key: string): void {
  headers.set(auth.header, auth.prefix + key);
}

/** A stored key, for a caller that may use one and brought none. Taken anew for each try, so that keys take turns. */
export function storedKey(
  provider: Provider,
  caller: Caller,
  { config, headers }: Exchange,
): TakenKey | undefined {
  return caller.trusted ? config.keys.take(provider.name, headers.get("cf-aig-byok-alias")) : undefined;
}
