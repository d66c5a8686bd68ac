/** Answers browsers: preflight requests and CORS headers. */
import { GatewayError, shorten } from "../../wires/errors.ts";
import type { Config } from "../setup/config.ts";
import { allowedOrigin } from "./cross_site.ts";
import { allowedMethods, pathOf } from "./find_door.ts";
import { ANY_METHOD } from "./table.ts";

/**
 * Answers `OPTIONS`. A page of an allowed origin may ask for any path, so that it can read the 404 of the request itself.
 *
 * @throws GatewayError `not_found`
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function preflight(request: Request, config: Config): Response {
  const path = pathOf(request.url);
  const known = allowedMethods(path, config.providers);
  const allowed = !isOwn(path) && allowedOrigin(request, config) !== undefined;
  if (known.length === 0 && !allowed) throw new GatewayError("not_found", `Cannot find ${shorten(path)}`);
  const methods = known.length === 0 ? ANY_METHOD : known;
  const headers = new Headers({ allow: [...methods, "OPTIONS"].join(", ") });
  if (allowed) {
    headers.set("access-control-allow-methods", methods.join(", "));
    headers.set("access-control-allow-headers", request.headers.get("access-control-request-headers") ?? "*");
    headers.set("access-control-max-age", "86400");
    if (request.headers.get("access-control-request-private-network") === "true") {
      headers.set("access-control-allow-private-network", "true");
    }
  }
  return new Response(null, { status: 204, headers });
}

/** Whether a path is for the gateway's own page or its operator. Pages of other origins may not read it. */
const isOwn = (path: string) => path.startsWith("/sluice/") || /^\/metrics\/?$/.test(path);

/**
 * Lets a page of an allowed origin read the response.
 *
 * @see https://fetch.spec.whatwg.org/#http-responses
 */
export function allowCrossOrigin(request: Request, response: Response, config: Config): Response {
  const { headers, method } = request;
  // `vary` is for caches, which do not keep the answer of a POST.
  if (method === "POST" && !headers.has("origin")) return response;
  response.headers.append("vary", "origin");
  const origin = isOwn(pathOf(request.url)) ? undefined : allowedOrigin(request, config);
  if (origin !== undefined) {
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-expose-headers", "*");
  }
  return response;
}
