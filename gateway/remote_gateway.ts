/** The gateway as an object, for a Sluice that is served elsewhere. */
import { type GatewayBinding, gatewayBinding } from "./binding.ts";

/**
 * A Sluice that is served elsewhere.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type RemoteGateway, remoteGateway } from "../mod.ts";
 *
 * // The gateway that is served elsewhere; `fetch` takes the place of the network.
 * const served = createGateway({ tokens: ["secret"] });
 * const place: RemoteGateway = {
 *   url: "https://sluice.example.com",
 *   token: "secret",
 *   fetch: (request) => served.fetch(request),
 * };
 * assertEquals(await remoteGateway(place).getUrl(), "https://sluice.example.com/v1/-/default/");
 * ```
 */
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
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, remoteGateway } from "../mod.ts";
 *
 * // The gateway that is served elsewhere; `fetch` takes the place of the network.
 * const served = createGateway({ tokens: ["secret"] });
 * const binding = remoteGateway({
 *   url: "https://sluice.example.com",
 *   token: "secret",
 *   fetch: (request) => served.fetch(request),
 * });
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await binding.run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals((await response.json()).choices[0].message.content, "Hello");
 * ```
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
