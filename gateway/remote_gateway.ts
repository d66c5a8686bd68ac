/** The gateway as an object, for a Sluice that is served elsewhere. */
import { type GatewayBinding, gatewayBinding } from "./binding.ts";

/** A Sluice that is served elsewhere. */
export interface RemoteGateway {
  /** Its address, e.g. `https://sluice.example.com`. */
  url: string;
  /** One of its gateway tokens. Default none. */
  token?: string;
  /** The account id in the path, which selects the account of Workers AI. Default: the gateway's option `account`. */
  account?: string;
  /** The gateway id in the path. Default `default`. */
  gateway?: string;
  /**
   * Sends the requests. Default: the runtime's `fetch`. A Worker with a service binding passes
   * `(request) => env.AI.fetch(request)`.
   */
  fetch?: (request: Request) => Promise<Response>;
}

/**
 * Makes the same object for a Sluice that is served elsewhere, e.g. for the `binding` option of `ai-gateway-provider`.
 *
 * @throws TypeError for a `url` that is not an http or https URL.
 */
export function remoteGateway(
  { url, token, account, gateway = "default", fetch: send = (request) => fetch(request) }: RemoteGateway,
): GatewayBinding {
  if (!/^https?:\/\/[^/?#]/.test(url)) {
    throw new TypeError(`Cannot use url: ${JSON.stringify(url)} is not an http or https URL`);
  }
  return gatewayBinding({
    url: url.replace(/\/+$/, ""),
    account,
    id: gateway,
    headers: token === undefined ? {} : { "cf-aig-authorization": `Bearer ${token}` },
    fetch: send,
  });
}
