/** Takes one request from its door to its answer. */
import { GatewayError } from "../wires/errors.ts";
import { type GatewayBinding, gatewayBinding, NO_ACCOUNT } from "./binding.ts";
import { KEEPS_BODIES, letGo } from "./upstream/body.ts";
import { takeMeasured } from "./explain/measure.ts";
import { warnOfFewFetches } from "./bun_fetches.ts";
import { chat } from "./doors/chat.ts";
import { countTokens } from "./doors/count_tokens.ts";
import { type Config, readOptions } from "./setup/config.ts";
import { closeAll } from "./setup/journal_of.ts";
import { allowCrossOrigin, preflight } from "./doors/cors.ts";
import { admitForeignHost, isForeignHost, refuseForeignPage } from "./doors/cross_site.ts";
import { contextIn, keepAlive, type RuntimeContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { Report } from "./log/report.ts";
import { readSwitch } from "./upstream/headers.ts";
import { explaining } from "./explain/explain.ts";
import { NoSearch } from "./upstream/no_search.ts";
import { isPublic, servePublic } from "./doors/public.ts";
import { serveMetrics } from "./doors/metrics.ts";
import { isForOperators, openOperators, scopeName } from "./doors/operators.ts";
import { tellEnd, withCost } from "./log/journal.ts";
import { isUrl } from "./log/price_source.ts";
import { beginTrace } from "./log/trace.ts";
import { observed, observer, type Passing, replayed } from "./log/observe.ts";
import { uuidv7 } from "./ids.ts";
import { embeddings } from "./doors/embeddings.ts";
import { handed } from "./doors/handed.ts";
import { findModel, listModels } from "./doors/models.ts";
import { native } from "./doors/native.ts";
import type { Options } from "./setup/options.ts";
import type { Metering } from "./policies/token_limits.ts";
import { stamp } from "./upstream/stamp.ts";
import { waiting } from "./policies/timers.ts";
import { keptAnswer, tellCaller } from "./upstream/captured.ts";
import { StoreFailure } from "./policies/store_guard.ts";
import { StoreError } from "./stores/sql.ts";
import { faultResponse } from "./upstream/error_response.ts";
import { checkHost, DEFAULT_CLIENT, errorShape, findRoute, pathOf, type Route } from "./doors/find_door.ts";
import { answered } from "./doors/responses/ask.ts";
import { serveStored } from "./doors/responses/serve.ts";
import { run } from "./doors/run.ts";
import { universal } from "./doors/universal.ts";

/**
 * A gateway. `Deno.serve`, `Bun.serve` and a Worker's default export take it as it is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type Gateway } from "../mod.ts";
 *
 * const gateway: Gateway = createGateway({ tokens: ["secret"] });
 * const request = () => new Request("http://localhost/v1/models");
 * assertEquals((await gateway.fetch(request())).status, 401);
 * assertEquals((await gateway.call(request())).status, 200);
 * ```
 */
export interface Gateway {
  /**
   * Serves one request.
   *
   * @param context A Worker's `ctx`. Objects of other runtimes, which have no `waitUntil`, are ignored.
   */
  fetch: (request: Request, context?: RuntimeContext | object) => Promise<Response>;
  /**
   * As `fetch`, for requests of the program that made the gateway: they need no token and may use stored keys. Never serve
   * it to a network.
   */
  call: (request: Request, context?: RuntimeContext | object) => Promise<Response>;
  /** The gateway as an object with `run()` and `getLog()`, for the program that made it. Its calls need no token. */
  gateway: (id: string, context?: RuntimeContext | object) => GatewayBinding;
  /**
   * Sends what the gateway still holds, spans to a collector and rows of requests to the store, and closes the store. Call it
   * before the program ends. Spans and rows of later requests may be lost.
   */
  close: () => Promise<void>;
}

/**
 * Makes a gateway.
 *
 * @throws TypeError that names the faulty option.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway } from "../mod.ts";
 *
 * const gateway = createGateway({ requestTimeoutMs: 30_000, retries: { maxAttempts: 3 } });
 * const response = await gateway.fetch(
 *   new Request("http://localhost/v1/chat/completions", {
 *     method: "POST",
 *     headers: { "content-type": "application/json" },
 *     body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
 *   }),
 * );
 * assertEquals((await response.json()).choices[0].message.content, "Hello");
 * ```
 */
export function createGateway(options: Options = {}): Gateway {
  return gatewayWith(options, readOptions(options));
}

/** Makes a gateway whose options were read already. */
export function gatewayWith(options: Options, config: Config): Gateway {
  const { priceTable } = options;
  if (typeof priceTable === "string" && !isUrl(priceTable)) {
    throw new TypeError(
      "Cannot use option priceTable: it must be an http or https URL, or a function that returns the text",
    );
  }
  if (typeof options.store === "string") {
    throw new TypeError("Cannot use option store: it must be an object, which openStore() makes from a URL");
  }
  if (!options.fetch) warnOfFewFetches();
  const { url, account } = config;
  const call: Gateway["call"] = (request, context) => serve(request, config, true, contextIn(context));
  return {
    fetch: (request, context) => serve(request, config, false, contextIn(context)),
    call,
    gateway: (id, context) =>
      gatewayBinding({ url, account, id, fetch: (request) => call(request, context) }),
    close: () => closeAll(config),
  };
}

/**
 * Serves one request.
 *
 * @param insider Whether the caller is the program that made the gateway: it needs no token.
 */
export async function serve(
  request: Request,
  config: Config,
  insider: boolean,
  context?: RuntimeContext,
): Promise<Response> {
  const started = { at: config.now(), timer: config.timer() };
  const report: Report = {
    id: uuidv7(started.at),
    tries: 0,
    retries: 0,
    listened: config.journal !== undefined,
    account: config.account ?? NO_ACCOUNT,
    gateway: "default",
    step: 0,
    waitedMs: 0,
    heldBytes: 0,
  };
  if (config.journal?.spans) report.trace = beginTrace(request.headers, report.id);
  let response: Response;
  let idHeader: string | undefined;
  try {
    checkHost(request.headers);
    if (request.method === "OPTIONS") response = preflight(request, config);
    else {
      const route = findRoute(
        request.method,
        pathOf(request.url),
        config.providers,
        request.headers.get("upgrade"),
      );
      if ("client" in route) idHeader = route.client.requestIdHeader;
      response = await open(route, request, report, config, insider, context);
    }
    if (report.passing) response = await watch(response, report.passing, request, report, config);
    if (report.keep) response = await report.keep(response);
    if (report.replayed) report.observer = replayed(report.replayed, config.timer, request.signal);
    if (report.observer && config.journal?.prices) {
      response = await waiting(withCost(response, request, report, config.journal.prices), {
        report,
        config,
      });
    }
    if (report.envelope) response = await report.envelope(response);
    if (report.capture) response = await keptAnswer(response, report.capture, request, report);
  } catch (error) {
    response = failure(error, request, report, config);
    if (report.capture) response = await keptAnswer(response, report.capture, request, report);
  }
  if (KEEPS_BODIES && report.observer && report.heldBytes > 0) {
    report.observer.whenEnded(() => letGo(report, config));
  } else letGo(report, config);
  if (report.settle) settle(report);
  const ids = stamp(response, request, report, started.timer, idHeader, config);
  if (config.journal) {
    const path = withoutTokens(pathOf(request.url), config.tokens);
    tellEnd(config.journal, config, { request, path, response, ...ids, report, started, context });
  }
  return allowCrossOrigin(request, response, config);
}

async function open(
  route: Route,
  request: Request,
  report: Report,
  config: Config,
  insider: boolean,
  context: RuntimeContext | undefined,
): Promise<Response> {
  if (isPublic(route.door)) return await servePublic(route.door, request, config);
  if (!insider) refuseForeignPage(request, config);
  if (route.door === "metrics") return await serveMetrics(request, config, insider);
  const { headers, signal } = request;
  const gateway = route.gateway ?? gatewayOf(route, headers);
  const account = route.account === NO_ACCOUNT ? config.account : route.account ?? config.account;
  if (report.listened) tellScope(report, route, account, gateway, config, context);
  if (isForOperators(route)) {
    return await openOperators(route, request, account ?? NO_ACCOUNT, insider, { config, report });
  }
  const admit = () => config.tokens.admit(request, gateway, insider);
  const admitted = !insider && isForeignHost(request, config.hosts)
    ? admitForeignHost(request, admit)
    : admit();
  const own = admitted instanceof Promise ? await admitted : admitted;
  const caller = config.meterGateway ? config.meterGateway(own, gateway) : own;
  tellCaller(report, caller, headers, config);
  const client = "client" in route ? route.client : DEFAULT_CLIENT;
  const sent = { headers, signal, query: queryOf(request.url) };
  const asked: Exchange = { ...sent, config, account, gateway, caller, client, report, context };
  const exchange = readSwitch(headers, "sluice-explain") ? await explaining(asked, route.door) : asked;
  switch (route.door) {
    // Awaited here: returning the bare promise would cost an extra tick.
    case "chat":
      return await answered(await takeMeasured(request, exchange), exchange, chat);
    case "completions":
    case "rerank":
      return await handed(await takeMeasured(request, exchange), route.door, exchange);
    case "embeddings":
      return await embeddings(await takeMeasured(request, exchange), exchange);
    case "run":
    case "task":
      return await run(await takeMeasured(request, exchange), exchange, route.door === "run");
    case "count":
      return await answered(await takeMeasured(request, exchange), exchange, countTokens);
    case "models":
      return await listModels(exchange);
    case "universal":
      return await universal(await takeMeasured(request, exchange), exchange);
    case "native":
      return await native(request, route, exchange);
    case "model":
      return await findModel(route.id, exchange);
    case "unsupported":
    case "stored":
      return await serveStored(request, route, exchange);
  }
}

/** Counts what a request of a token with limits took, when its answer has ended. */
function settle({ settle, observer }: Report): void {
  // If a store fails here, the count of open requests lapses by itself.
  const done = (seen?: Metering) => void Promise.resolve(settle!(seen)).catch(() => {});
  if (observer) observer.whenEnded(done);
  else done();
}

/** Tells a request that is listened to whose it is. */
function tellScope(
  report: Report,
  { door }: Route,
  account: string | undefined,
  gateway: string | undefined,
  config: Config,
  context: RuntimeContext | undefined,
): void {
  // Started now, so that the table is there when the answer ends. A row that must wait for it comes late.
  const prices = config.journal?.prices;
  prices?.load();
  const fresh = prices?.refresh();
  if (fresh) keepAlive(fresh, context);
  report.forModel = !NOT_FOR_MODELS.has(door);
  report.account = withoutTokens(scopeName(account ?? NO_ACCOUNT), config.tokens);
  report.gateway = withoutTokens(scopeName(gateway ?? "default"), config.tokens);
}

const queryOf = (url: string) => {
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark);
};

/** Cloudflare's REST paths hold an account but not a gateway. A header names the gateway; the default is `default`. */
const gatewayOf = ({ account }: Route, headers: Headers): string | undefined =>
  account === undefined ? undefined : headers.get("cf-aig-gateway-id")?.trim() || "default";

/** Doors whose requests are about the gateway itself. Their requests get no row in the log. */
const NOT_FOR_MODELS: ReadonlySet<Route["door"]> = new Set([
  "management",
  "keys",
  "logs",
  "routes",
  "operator",
  "models",
  "model",
  "stored",
  "unsupported",
]);

/** Reads along in an answer that is handed through, for the log. */
function watch(
  response: Response,
  passing: Passing,
  { signal }: Request,
  report: Report,
  config: Config,
): Promise<Response> | Response {
  if (!response.body) return response;
  report.observer = observer(config.timer, signal);
  return waiting(observed(response, passing, report.observer), { report, config });
}

/** A path, or a message that quotes one, without tokens: some clients write a token where a path has the account. */
const withoutTokens = (text: string, { holds }: Config["tokens"]): string =>
  holds?.(text) ? text.split("/").map((part) => holds(part) ? "***" : part).join("/") : text;

/** The answer to a request that failed, in the error shape of its path's clients. */
function failure(error: unknown, request: Request, report: Report, config: Config): Response {
  report.observer = report.passing = report.refusal = undefined;
  if (request.signal.aborted) {
    report.failure = { code: "client_left", message: "The client left before its answer began" };
    // The client has left; nobody will read this response.
    return new Response(null, { status: 499 });
  }
  if (error instanceof NoSearch) return error.answer();
  const fault = error instanceof GatewayError
    ? error
    : error instanceof StoreFailure
    ? new GatewayError("overloaded", `Cannot serve the request: ${error.message}`, {
      headers: { "retry-after": "1" },
      cause: error,
    })
    : error instanceof StoreError
    ? new GatewayError("overloaded", `Cannot use the store of rows: ${error.message}`, { cause: error })
    : new GatewayError("internal", "Cannot serve the request: the gateway failed", { cause: error });
  const { message, code, details } = fault;
  const cause = fault.cause instanceof Error ? ` (${fault.cause.name})` : "";
  report.failure = { code, message: withoutTokens(message, config.tokens) + cause };
  const headers = new Headers(details.headers);
  return faultResponse(fault, errorShape(pathOf(request.url), config.providers), headers, report.id);
}
