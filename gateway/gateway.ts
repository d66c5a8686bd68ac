/** One request, door to answer. */
import { GatewayError } from "../wires/errors.ts";
import { type GatewayBinding, gatewayBinding, NO_ACCOUNT } from "./binding.ts";
import { takeBody } from "./body.ts";
import { warnOfFewFetches } from "./bun_fetches.ts";
import { chat } from "./chat.ts";
import { type Config, readOptions } from "./config.ts";
import { allowCrossOrigin, preflight } from "./cors.ts";
import { admitForeignHost, isForeignHost, refuseForeignPage } from "./cross_site.ts";
import type { Exchange, Report } from "./exchange.ts";
import { headerText } from "./headers.ts";
import { home } from "./home.ts";
import { uuidv7 } from "./ids.ts";
import { findModel, listModels } from "./models.ts";
import { native } from "./native.ts";
import type { Options } from "./options.ts";
import { faultResponse } from "./respond.ts";
import { errorShape, findRoute, pathOf, type Route, unsupported } from "./route.ts";
import { universal } from "./universal.ts";

/** A gateway: what `Deno.serve`, `Bun.serve` and a Worker's default export take. */
export interface Gateway {
  /** Serves one request. */
  fetch: (request: Request) => Promise<Response>;
  /**
   * As `fetch`, for requests of the program that holds the gateway: no token is asked for, and stored keys may be used.
   * Not to be served.
   */
  call: (request: Request) => Promise<Response>;
  /** The gateway as an object, likewise for the program that holds it. */
  gateway: (id: string) => GatewayBinding;
}

/**
 * Makes a gateway.
 *
 * @throws TypeError that names the option at fault.
 */
export function createGateway(options: Options = {}): Gateway {
  const config = readOptions(options);
  if (!options.fetch) warnOfFewFetches();
  const { url, account } = config;
  const call = (request: Request) => serve(request, config, true);
  return {
    fetch: (request) => serve(request, config, false),
    call,
    gateway: (id) => gatewayBinding({ url, account, id, fetch: call }),
  };
}

/**
 * Serves one request.
 *
 * @param insider The caller is a program that holds the gateway itself, and needs no token.
 */
export async function serve(request: Request, config: Config, insider: boolean): Promise<Response> {
  const started = { at: config.now(), timer: config.timer() };
  const report: Report = { step: 0, waitedMs: 0 };
  let response: Response;
  try {
    response = request.method === "OPTIONS" ? preflight(request, config) : await open(
      findRoute(request.method, pathOf(request.url), config.providers),
      request,
      report,
      config,
      insider,
    );
  } catch (error) {
    response = failure(error, request, report, config);
  }
  stamp(response, request, report, started, config);
  return allowCrossOrigin(request, response, config);
}

async function open(
  route: Route,
  request: Request,
  report: Report,
  config: Config,
  insider: boolean,
): Promise<Response> {
  if (route.door === "home") return home(request);
  if (route.door === "health") return Response.json({ status: "ok" });
  if (!insider) refuseForeignPage(request, config);
  const { headers, signal } = request;
  const { gateway } = route;
  const account = route.account === NO_ACCOUNT ? config.account : route.account ?? config.account;
  const admit = () => config.tokens.admit(request, gateway, insider);
  const admitted = !insider && isForeignHost(request, config.hosts)
    ? admitForeignHost(request, admit)
    : admit();
  const caller = admitted instanceof Promise ? await admitted : admitted;
  const exchange: Exchange = { config, headers, signal, account, gateway, caller, report };
  switch (route.door) {
    // Awaited here, for a promise that is returned is awaited twice.
    case "chat":
      return await chat(await takeBody(request, config.maxBodyBytes), exchange);
    case "models":
      return await listModels(exchange);
    case "universal":
      return await universal(await takeBody(request, config.maxBodyBytes), exchange);
    case "native":
      return await native(request, route, exchange);
    case "model":
      return await findModel(route.id, exchange);
    case "unsupported":
      throw unsupported(route);
  }
}

/** What clients of the replaced service read: who answered, under which ids, and what the gateway itself took. */
function stamp(
  { headers }: Response,
  request: Request,
  { step, provider, model, eventId, waitedMs }: Report,
  started: { at: number; timer: number },
  { timer }: Config,
): void {
  const own = timer() - started.timer - waitedMs;
  const id = uuidv7(started.at);
  headers.set("cf-aig-log-id", id);
  headers.set("cf-aig-request-id", id);
  headers.set("cf-aig-event-id", eventId ?? request.headers.get("cf-aig-event-id") ?? id);
  headers.set("cf-aig-step", `${step}`);
  headers.set("cf-aig-provider", provider ?? "unknown");
  headers.set("cf-aig-model", headerText(model ?? "unknown"));
  headers.append("server-timing", `sluice;dur=${Math.max(0, Math.round(own * 1000) / 1000)}`);
}

/** A failure in the shape that the clients of its path read. */
function failure(error: unknown, request: Request, { provider, model }: Report, config: Config): Response {
  // Nobody reads it.
  if (request.signal.aborted) return new Response(null, { status: 499 });
  const fault = error instanceof GatewayError
    ? error
    : new GatewayError("internal", "Cannot serve the request: the gateway failed", { cause: error });
  const { status, message, number, code, details } = fault;
  const cause = fault.cause instanceof Error ? ` (${fault.cause.name})` : "";
  config.log({ level: "error", status, message: message + cause, code: number ?? code, provider, model });
  const headers = new Headers(details.headers);
  return faultResponse(fault, errorShape(pathOf(request.url), config.providers), headers);
}
