/**
 * Shows the gateway's options in the form of Cloudflare's REST API, so that its SDK and Terraform can read them from another base
 * URL. They are set where the gateway is started, so what would change them is refused, with the option's name.
 *
 * @see https://developers.cloudflare.com/api/resources/ai_gateway/ and the types of the SDK `cloudflare` 7.3.0
 */
import { PROVIDERS } from "../../providers/table.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote, shorten } from "../../wires/errors.ts";
import { isObject } from "../../wires/shared/json.ts";
import type { JsonObject } from "../../wires/types.ts";
import type { Exchange } from "../exchange.ts";
import { allowanceOf } from "../access/gateway_allowance.ts";
import { limitsIn } from "../policies/limit_rules.ts";
import type { Config } from "../setup/config.ts";
import { findProvider } from "../targets/find_target.ts";
import { parseJson, takeBody } from "../upstream/body.ts";

/** The parts of a path. Without `part` it is for one gateway. */
export interface ManagementRoute {
  account: string;
  gateway?: string;
  part?: string;
  id?: string;
}

type Holder = Pick<Exchange, "config" | "report">;

/** Cloudflare's number for a malformed request, and for a thing that does not exist. */
const NUMBER = { malformed: 7001, missing: 7002 };

const MOST_PER_PAGE = 100, USUAL_PER_PAGE = 20;

/** Options have no dates. */
const NO_DATE = "1970-01-01T00:00:00.000Z";
const DATES = { created_at: NO_DATE, modified_at: NO_DATE };

/**
 * Serves a request.
 *
 * - `…/ai-gateway/gateways`: `GET` lists the default gateway and those with requests; `…/{gateway}`: `GET`. `POST` and `PUT` are
 *   accepted if they change nothing.
 * - `…/{gateway}/url/{provider}`, `…/{gateway}/provider_configs`: `GET`.
 * - `…/ai-gateway/custom-providers`, `…/{id}`: `GET`.
 *
 * @throws GatewayError `invalid_request` for what would change an option, `not_found`.
 */
export async function serveManagement(
  request: Request,
  { account, gateway, part, id }: ManagementRoute,
  holder: Holder,
): Promise<Response> {
  const { config } = holder;
  const { searchParams } = new URL(request.url);
  const isRead = request.method === "GET";
  switch (part) {
    case "url":
      return answer(urlOf(request, account, gateway!, id!, config));
    case "provider_configs":
      if (!isRead) throw readOnly("a provider's key", "keys, or SLUICE_KEYS");
      return page(storedKeys(gateway!, config), searchParams);
    case "custom-providers":
      if (!isRead) throw readOnly("a custom provider", "providers");
      return id === undefined
        ? page(found(customProviders(config), searchParams), searchParams)
        : answer(customProvider(id, config));
    case "gateways":
      if (isRead) return page(await gateways(account, searchParams, config), searchParams);
      return await unchanged(request, undefined, holder);
    default:
      if (isRead) return answer(gatewayOf(gateway!, config));
      if (request.method === "PUT") return await unchanged(request, gateway, holder);
      throw malformed(
        `Cannot delete the gateway ${
          quote(gateway!)
        }: a gateway of any name is served; DELETE …/logs removes its rows`,
      );
  }
}

const malformed = (message: string, param?: string) =>
  new GatewayError("invalid_request", message, { number: NUMBER.malformed, ...(param && { param }) });

const readOnly = (what: string, option: string) =>
  malformed(`Cannot write ${what}: it is set by the option ${option}, where the gateway is started`);

const answer = (result: unknown, more: object = {}) =>
  Response.json({ success: true, result, errors: [], messages: [], ...more }, {
    headers: { "cache-control": "no-store" },
  });

/** One page of a list. */
function page(all: readonly JsonObject[], params: URLSearchParams): Response {
  const number = (name: string, usual: number, most: number) => {
    const text = params.get(name) ?? `${usual}`;
    if (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
    throw malformed(`Cannot read the query: ${name} must be a number from 1 to ${most}`, name);
  };
  const at = number("page", 1, 1_000_000), perPage = number("per_page", USUAL_PER_PAGE, MOST_PER_PAGE);
  const shown = all.slice((at - 1) * perPage, at * perPage);
  const total_pages = Math.ceil(all.length / perPage);
  const counts = { count: shown.length, total_count: all.length, total_pages };
  return answer(shown, { result_info: { page: at, per_page: perPage, ...counts } });
}

/** Those whose id, name or slug holds the text that is searched for. */
function found(all: JsonObject[], params: URLSearchParams): JsonObject[] {
  const wanted = params.get("search")?.toLowerCase() ?? "";
  return all.filter(({ id, name, slug }) => `${id}\n${name}\n${slug}`.toLowerCase().includes(wanted));
}

// ---------------------------------------------------------------- gateways

/** A setting of Cloudflare's gateway: what it is here, and the option that sets it. */
interface Setting {
  is: (config: Config, id: string) => unknown;
  /** Absent if nothing sets it. */
  option?: string;
}

const RATE_OPTION = "gateways[].limits, or SLUICE_GATEWAYS";

/** The first limit on all requests of a gateway: Cloudflare's have one. */
function rateOf({ gateways }: Config, id: string) {
  const limit = limitsIn(allowanceOf(gateways, id)?.limits)
    .find(({ counts, models, providers }) => counts === "requests" && !models && !providers);
  if (!limit) return undefined;
  return {
    limit: limit.most,
    interval: limit.windowMs / 1000,
    technique: limit.isSliding ? "sliding" : "fixed",
  };
}

const none = (): null => null, no = () => false;

/** By name. A map: names come from clients, and `constructor` must not be found. */
const SETTINGS: ReadonlyMap<string, Setting> = new Map(Object.entries<Setting>({
  authentication: { is: ({ tokens }) => tokens.isRequired, option: "tokenRequired" },
  // Providers' keys are the client's or stored ones.
  byok_only: { is: () => true },
  // A provider with another URL has other answers.
  cache_invalidate_on_update: { is: () => true },
  cache_ttl: { is: ({ cache }) => cache?.ttl ?? 0, option: "cache.ttl, or SLUICE_CACHE_TTL" },
  collect_logs: { is: ({ journal }) => journal?.logs !== undefined, option: "logs, or SLUICE_LOGS" },
  dlp: { is: none },
  guardrails: { is: none },
  is_default: { is: (_, id) => id === "default" },
  log_classification: { is: no },
  log_management: { is: none, option: "logs.rows, or SLUICE_LOGS_ROWS" },
  log_management_strategy: { is: none, option: "logs.whenFull, or SLUICE_LOGS_WHEN_FULL" },
  logpush: { is: no },
  logpush_public_key: { is: none },
  otel: { is: none, option: "otel, or OTEL_EXPORTER_OTLP_ENDPOINT" },
  rate_limiting_interval: { is: (config, id) => rateOf(config, id)?.interval ?? null, option: RATE_OPTION },
  rate_limiting_limit: { is: (config, id) => rateOf(config, id)?.limit ?? null, option: RATE_OPTION },
  rate_limiting_technique: { is: (config, id) => rateOf(config, id)?.technique ?? null, option: RATE_OPTION },
  retry_backoff: { is: ({ policy }) => policy.backoff, option: "retries.backoff" },
  retry_delay: { is: ({ policy }) => policy.retryDelayMs, option: "retries.retryDelayMs" },
  retry_max_attempts: { is: ({ policy }) => policy.maxAttempts, option: "retries.maxAttempts" },
  spend_limits: { is: none, option: "gateways[].budgets, or SLUICE_GATEWAYS" },
  store_id: { is: none, option: "keys, or SLUICE_KEYS" },
  stripe: { is: none },
  workers_ai_billing_mode: { is: () => "postpaid" },
  zdr: { is: no },
}));

/** Gateways differ by their limits alone. */
const gatewayOf = (id: string, config: Config): JsonObject => ({
  id,
  ...DATES,
  ...Object.fromEntries([...SETTINGS].map(([name, { is }]) => [name, is(config, id)])),
});

/** How far back the requests are that a gateway is listed for, in milliseconds. */
const LISTED_MS = 30 * 86_400_000;

/** The default gateway, and those of the account that had requests. Any other name is served too. */
async function gateways(account: string, params: URLSearchParams, config: Config): Promise<JsonObject[]> {
  const ids = new Set(["default"]);
  const now = config.now();
  const query = { grain: "day", from: now - LISTED_MS, to: now + 1, scope: { account } } as const;
  const { groups = [] } = await config.journal?.logs?.stats(query) ?? {};
  for (const { of: { gateway } } of groups) ids.add(gateway);
  return found([...ids].sort().map((id) => gatewayOf(id, config)), params);
}

/** Members that only tell of a gateway. */
const TOLD: ReadonlySet<string> = new Set(["id", "created_at", "modified_at"]);

/** Answers a request to make or change a gateway, if it asks for what the options say already. */
async function unchanged(request: Request, gateway: string | undefined, holder: Holder): Promise<Response> {
  const { config } = holder;
  const wanted = parseJson(await takeBody(request, holder));
  if (!isObject(wanted)) throw malformed("Cannot write the gateway: the body must be a JSON object");
  const id = gateway ?? wanted.id;
  if (typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) {
    throw malformed("Cannot write the gateway: id must have 1 to 64 characters of A-Z a-z 0-9 _ -", "id");
  }
  const differing = Object.keys(wanted).filter((name) =>
    !TOLD.has(name) && !isSame(wanted[name], SETTINGS.get(name)?.is(config, id))
  );
  if (differing.length === 0) return answer(gatewayOf(id, config));
  const told = differing.slice(0, 10).map((name) => {
    const option = SETTINGS.get(name)?.option;
    return `${shorten(name)} (${option === undefined ? "it cannot be set here" : `option ${option}`})`;
  });
  const cure = "the options are set where the gateway is started";
  throw malformed(`Cannot write the gateway ${quote(id)}: ${told.join(", ")}; ${cure}`, differing[0]);
}

/** Whether two values of a setting mean the same: Cloudflare writes what is turned off in several ways. */
const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other) || isOff(one) && isOff(other);

function isOff(value: unknown): boolean {
  if (!isObject(value)) return !value || Array.isArray(value) && value.length === 0;
  return value.enabled === false || Object.values(value).every(isOff);
}

/** The base URL of a provider's own paths. */
function urlOf(request: Request, account: string, gateway: string, provider: string, config: Config): string {
  const base = (config.url ?? new URL(request.url).origin).replace(/\/+$/, "");
  if (provider !== "compat") findProvider(provider, config.providers, "provider");
  return [base, "v1", encodeURIComponent(account), encodeURIComponent(gateway), provider].join("/");
}

// ---------------------------------------------------------------- providers

/** The stored keys, without a piece of them. Their aliases are not told either. */
const storedKeys = (gateway_id: string, { keys }: Config): JsonObject[] =>
  [...keys.providers].sort().map((provider) => ({
    id: provider,
    gateway_id,
    provider_slug: provider,
    alias: "default",
    default_config: true,
    secret_id: "",
    secret_preview: "***",
    modified_at: NO_DATE,
  }));

/** The providers of the options that the table does not have. Their headers may hold a secret, and are not shown. */
function customProviders({ providers }: Config): JsonObject[] {
  const own = [...new Set(providers.values())].filter(({ name }) => !PROVIDERS.has(name));
  return own.map(shownProvider).sort((a, b) => `${a.id}` < `${b.id}` ? -1 : 1);
}

function shownProvider({ name, baseUrl }: Provider): JsonObject {
  const slug = name.replace(/^custom-/, "");
  return { id: slug, name: slug, slug, base_url: baseUrl, enable: true, ...DATES };
}

function customProvider(id: string, config: Config): JsonObject {
  const provider = customProviders(config).find((one) => one.id === id);
  if (provider) return provider;
  throw new GatewayError("not_found", `There is no custom provider ${quote(id)}`, {
    number: NUMBER.missing,
  });
}
