/** Calls from browsers. */
import { GatewayError } from "../wires/errors.ts";
import type { Config } from "./config.ts";
import { allowedMethods, pathOf } from "./route.ts";

/** Answers `OPTIONS`; what a page of a foreign origin may do is said by `allowCrossOrigin`. */
export function preflight(request: Request, config: Config): Response {
  const path = pathOf(request.url);
  const methods = allowedMethods(path);
  if (methods.length === 0) throw new GatewayError("not_found", `Cannot find ${path}`);
  const headers = new Headers({ allow: [...methods, "OPTIONS"].join(", ") });
  if (allowedOrigin(request, config)) {
    headers.set("access-control-allow-methods", methods.join(", "));
    headers.set("access-control-allow-headers", request.headers.get("access-control-request-headers") ?? "*");
    headers.set("access-control-max-age", "86400");
  }
  return new Response(null, { status: 204, headers });
}

/** Lets a page of an allowed origin read the response. */
export function allowCrossOrigin(request: Request, response: Response, config: Config): Response {
  if (config.origins.length === 0) return response;
  response.headers.append("vary", "origin");
  const origin = allowedOrigin(request, config);
  if (origin) {
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-expose-headers", "*");
  }
  return response;
}

function allowedOrigin(request: Request, { origins }: Config): string | undefined {
  const origin = request.headers.get("origin");
  return origin && (origins.includes(origin) || origins.includes("*")) ? origin : undefined;
}
