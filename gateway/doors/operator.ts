/** Serves the views of the gateway's operator: JSON below `/sluice/api`. */
import { GatewayError } from "../../wires/errors.ts";
import { logsOf } from "../log/journal.ts";
import type { Config } from "../setup/config.ts";
import { GRAINS, quantile, total } from "../stores/rollups.ts";
import type { Grain, Group, Logs, Scope, Tally } from "../stores/store.ts";

/** The view that a path names. */
export type View = "logs" | "stats" | "providers" | "cache";

/**
 * Serves a view.
 *
 * - `logs`: the newest rows of all gateways, newest first; `after` is the id of the last row that the client has, `limit` at
 *   most 1000.
 * - `stats`: `span` is `1h`, `24h` or `30d`; `account` and `gateway` select one gateway.
 * - `providers`: each row of the table, and whether it has keys.
 * - `cache`: how often answers were found and kept in this process. `DELETE` makes all kept answers unreachable.
 *
 * @throws GatewayError `invalid_request` for a malformed query, `not_found` if the gateway keeps no rows or has no cache, `overloaded`
 * if the store of the cache fails.
 */
export async function serveOperator(view: View, request: Request, config: Config): Promise<Response> {
  const params = new URL(request.url).searchParams;
  const answer = view === "providers"
    ? providers(config)
    : view === "cache"
    ? await cacheView(request.method, config)
    : view === "logs"
    ? await newest(logsOf(config.journal), params)
    : await stats(logsOf(config.journal), params, config.now());
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}

async function cacheView(method: string, { cache }: Config): Promise<object> {
  if (!cache) {
    const message = "Cannot open the cache: it is turned off; set the option cache.maxBytes to more than 0";
    throw new GatewayError("not_found", message);
  }
  if (method !== "DELETE") return { ttl: cache.ttl, shared: cache.shared, ...cache.counts };
  try {
    await cache.clear();
  } catch (cause) {
    const message = "Cannot clear the cache: its store failed; cached answers may still be sent";
    throw new GatewayError("overloaded", message, { cause });
  }
  return { cleared: true };
}

const malformed = (name: string, due: string) =>
  new GatewayError("invalid_request", `Cannot read the query: ${name} must be ${due}`, { param: name });

const LIMITS = { usual: 100, most: 1000 };

async function newest(logs: Logs, params: URLSearchParams): Promise<object> {
  const text = params.get("limit") ?? `${LIMITS.usual}`;
  const limit = Number(text);
  if (!/^\d{1,4}$/.test(text) || limit < 1 || limit > LIMITS.most) {
    throw malformed("limit", `a number from 1 to ${LIMITS.most}`);
  }
  return { rows: await logs.newest(limit, params.get("after") ?? undefined) };
}

/** The columns of a chart: their number, and the span of time of each. The last column is not complete yet. */
const SPANS: ReadonlyMap<string, { grain: Grain; columns: number }> = new Map([
  ["1h", { grain: "minute", columns: 60 }],
  ["24h", { grain: "hour", columns: 24 }],
  ["30d", { grain: "day", columns: 30 }],
]);

async function stats(logs: Logs, params: URLSearchParams, now: number): Promise<object> {
  const span = params.get("span") ?? "1h";
  const { grain, columns } = SPANS.get(span) ?? {};
  if (!grain || !columns) throw malformed("span", [...SPANS.keys()].join(", "));
  const step = GRAINS[grain];
  const to = (Math.floor(now / step) + 1) * step;
  const from = to - columns * step;
  const scope: Partial<Scope> = {
    account: params.get("account") ?? undefined,
    gateway: params.get("gateway") ?? undefined,
  };
  const { points, groups } = await logs.stats({ grain, from, to, scope });
  const known = new Map(points.map((point) => [point.at, point]));
  const every = Array.from({ length: columns }, (_, column) => from + column * step);
  return {
    span,
    points: every.map((at) => ({ at: new Date(at).toISOString(), ...shown(known.get(at) ?? total([])) })),
    totals: shown(total(groups)),
    models: by(groups, ({ provider, model }) => provider && model ? `${provider}/${model}` : provider),
    providers: by(groups, ({ provider }) => provider),
    tokens: by(groups, ({ token }) => token),
    gateways: by(groups, ({ account, gateway }) => `${account}/${gateway}`),
  };
}

/** Sums for the client. The quantiles of histograms are in milliseconds, or `null` if nothing was counted. */
function shown(
  { durations, firstTokens, requests, errors, cached, inputTokens, outputTokens, cost, unpriced }: Tally,
) {
  return {
    requests,
    errors,
    cached,
    inputTokens,
    outputTokens,
    cost,
    unpriced,
    p50: quantile(durations, 0.5) ?? null,
    p95: quantile(durations, 0.95) ?? null,
    firstP50: quantile(firstTokens, 0.5) ?? null,
  };
}

/** The most totals of one kind. */
const MOST_TOTALS = 50;

/** The totals of each name. The most expensive come first, then those with the most requests. */
function by(groups: readonly Group[], nameOf: (of: Group["of"]) => string): object[] {
  const named = new Map<string, Group[]>();
  for (const group of groups) {
    const name = nameOf(group.of);
    const list = named.get(name);
    if (list) list.push(group);
    else named.set(name, [group]);
  }
  return [...named].map(([name, all]) => ({ name, ...shown(total(all)) }))
    .sort((a, b) => b.cost - a.cost || b.requests - a.requests)
    .slice(0, MOST_TOTALS);
}

/** Each row by its name, with its variables and whether it has keys. The keys themselves are never shown. */
function providers({ providers, keys }: Config): object {
  const rows = new Set(providers.values());
  return {
    providers: [...rows].map(({ name, aliases = [], fetch, keyEnv = [] }) => ({
      name,
      aliases,
      // The built-in provider needs no key.
      key: fetch ? "none is needed" : keys.has(name) ? "stored" : "none",
      variables: keyEnv,
    })).sort((a, b) => a.name < b.name ? -1 : 1),
  };
}
