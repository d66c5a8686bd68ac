/** One request, door to answer. */
import { GatewayError } from "../wires/errors.ts";
import { takeBody } from "./body.ts";
import { type Config, type Options, readOptions } from "./config.ts";
import { allowCrossOrigin, preflight } from "./cors.ts";
import { type Outgoing, prepare } from "./dispatch.ts";
import { home } from "./home.ts";
import { listModels } from "./models.ts";
import { errorResponse, respond } from "./respond.ts";
import { findRoute, type Route } from "./route.ts";

/** A gateway: what `Deno.serve`, `Bun.serve` and a Worker's default export take. */
export interface Gateway {
  fetch: (request: Request) => Promise<Response>;
}

/**
 * Makes a gateway.
 *
 * @throws TypeError that names the option at fault.
 */
export function createGateway(options: Options = {}): Gateway {
  const config = readOptions(options);
  return {
    async fetch(request) {
      let response: Response;
      try {
        response = request.method === "OPTIONS" ? preflight(request, config) : await serve(request, config);
      } catch (error) {
        response = failure(error, config);
      }
      return allowCrossOrigin(request, response, config);
    },
  };
}

function serve(request: Request, config: Config): Promise<Response> | Response {
  const route = findRoute(request.method, pathOf(request.url));
  switch (route.door) {
    case "chat":
      return chat(request, route, config);
    case "models":
      return listModels(config);
    case "home":
      return home(request);
    case "health":
      return Response.json({ status: "ok" });
  }
}

async function chat(
  request: Request,
  { account }: Route & { door: "chat" },
  config: Config,
): Promise<Response> {
  const text = await takeBody(request, config.maxBodyBytes);
  const outgoing = prepare(request, text, account, config);
  const upstream = await send(outgoing, request.signal, config);
  const response = await respond(upstream, outgoing, config);
  if (outgoing.dropped.length > 0) response.headers.set("sluice-dropped", outgoing.dropped.join(", "));
  return response;
}

/** @throws GatewayError `upstream_unreachable`. */
async function send(
  { target, url, headers, body }: Outgoing,
  signal: AbortSignal,
  config: Config,
): Promise<Response> {
  const { provider, model } = target;
  // The provider chooses no host either: a redirect is an error.
  const init: RequestInit = { method: "POST", headers, body, signal, redirect: "manual" };
  try {
    return provider.fetch ? await provider.fetch(new Request(url, init)) : await config.fetch(url, init);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new GatewayError(
      "upstream_unreachable",
      `Cannot reach ${provider.name}: no answer to the request`,
      {
        metadata: { provider: provider.name, model },
        cause,
      },
    );
  }
}

function failure(error: unknown, config: Config): Response {
  const known = error instanceof GatewayError;
  // A client that left reads no answer; anything else unknown is a fault of ours, told without its details.
  if (!known && (error as { name?: string })?.name === "AbortError") {
    return new Response(null, { status: 499 });
  }
  const fault = known
    ? error
    : new GatewayError("internal", "Cannot serve the request: the gateway failed", { cause: error });
  const { status, message, number, code, details } = fault;
  const cause = fault.cause instanceof Error ? ` (${fault.cause.name})` : "";
  config.log({ level: "error", status, message: message + cause, code: number ?? code });
  return errorResponse(fault.toWireError(), new Headers(details.headers));
}

/** The path of an absolute URL, without the cost of parsing all of it. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}
