/** The settings of LiteLLM's proxy that are not about one model. */
import { type Imported, isSection, type Reader, reader, variableOf } from "./litellm_file.ts";

/** Reads what concerns all models: retries, timeouts, aliases, fallbacks and the cache. */
export function readSettings(section: Reader, made: Imported): void {
  const retries = section.take("num_retries");
  if (typeof retries === "number" && retries > 0) {
    made.config.retries = { maxAttempts: Math.min(5, retries + 1) };
  }
  const timeout = section.take("request_timeout") ?? section.take("timeout");
  if (typeof timeout === "number" && timeout > 0) made.config.requestTimeoutMs = Math.round(timeout * 1000);
  readAliases(section.take("model_group_alias"), made);
  readFallbacks(section.take("fallbacks"), section, made);
  readCache(section, made);
  readBudget(section, made);
}

function readAliases(aliases: unknown, { config: { models = {} } }: Imported): void {
  for (const [alias, named] of Object.entries(isSection(aliases) ? aliases : {})) {
    const name = isSection(named) ? named.model : named;
    if (typeof name === "string" && models[name] !== undefined) models[alias] ??= models[name];
  }
}

/** `[{name: [others]}]`: the models of the others are tried after those of the name. */
function readFallbacks(fallbacks: unknown, { path }: Reader, made: Imported): void {
  const { models = {} } = made.config;
  const before = structuredClone(models);
  for (const entry of Array.isArray(fallbacks) ? fallbacks : []) {
    for (const [name, others] of Object.entries(isSection(entry) ? entry : {})) {
      const own = before[name];
      const more = (Array.isArray(others) ? others : []).flatMap((other) => before[other] ?? []);
      if (own === undefined || more.length === 0) {
        made.left.push(`${path}.fallbacks: of ${JSON.stringify(name)} name no models of model_list`);
      } else models[name] = [...new Set([own, more].flat())];
    }
  }
}

function readCache(section: Reader, made: Imported): void {
  const isOn = section.take("cache");
  const params = section.take("cache_params");
  if (isOn !== true) return;
  const cache = reader(isSection(params) ? params : {}, `${section.path}.cache_params`, made.left);
  const ttl = Number(cache.take("ttl") ?? 3600);
  // LiteLLM's answers are shared by all its keys.
  made.config.cache = { ttl: Math.min(2_678_400, Math.max(60, Math.round(ttl) || 60)), shared: true };
  const type = cache.take("type");
  const [host, port, password] = ["host", "port", "password"].map((name) => cache.take(name));
  if (type === "redis") {
    const url = typeof host === "string" && variableOf(host) === undefined
      ? `redis://${host}:${variableOf(port) === undefined ? port ?? 6379 : 6379}`
      : undefined;
    made.variables.push(
      `SLUICE_STORE: ${
        url === undefined || password !== undefined ? "redis://:PASSWORD@HOST:PORT of" : `${url}, from`
      } cache_params`,
    );
  } else if (type !== undefined && type !== "local") {
    made.left.push(
      `${section.path}.cache_params.type: ${
        JSON.stringify(type)
      } is not a store that Sluice has (docs/stores.md)`,
    );
  }
  cache.end();
}

/** LiteLLM's lengths of time that are windows of our budgets. */
const WINDOWS: ReadonlyMap<unknown, string> = new Map([
  ["60m", "hour"],
  ["1h", "hour"],
  ["24h", "day"],
  ["1d", "day"],
  ["7d", "week"],
  ["1w", "week"],
  ["30d", "month"],
  ["1mo", "month"],
]);

/** What the whole proxy may spend. */
function readBudget(section: Reader, made: Imported): void {
  const limitUsd = section.take("max_budget"), duration = section.take("budget_duration");
  if (typeof limitUsd !== "number" || limitUsd <= 0) return;
  const window = WINDOWS.get(duration);
  if (window === undefined) {
    made.left.push(`${section.path}.budget_duration: a budget is for an hour, a day, a week or a month`);
  } else ofAll(made).budgets = [{ limitUsd, window }];
}

/** The limits and budgets of all gateways together. */
const ofAll = ({ config }: Imported) => (config.gateways ??= {})["*"] ??= {};

/** Reads the proxy's own key and database, and how many requests it serves at once. */
export function readGeneral(section: Reader, made: Imported): void {
  const open = section.take("global_max_parallel_requests");
  if (Number.isInteger(open) && open as number > 0) ofAll(made).limits = { open: open as number };
  const key = section.take("master_key");
  const variable = variableOf(key);
  if (variable !== undefined) {
    made.variables.push(`SLUICE_TOKENS: the value of ${variable}, which clients send`);
  } else if (typeof key === "string") made.config.tokens = [{ token: key, name: "master" }];
  if (key !== undefined) {
    made.variables.push(
      "SLUICE_ADMIN_TOKEN: a new token of 16 characters or more, for the page and the keys",
    );
  }
  const database = section.take("database_url");
  if (database !== undefined) {
    const own = "the address of a database of its own (LiteLLM's tables are not read)";
    const at = made.variables.findIndex((line) => line.startsWith("SLUICE_STORE: "));
    if (at < 0) made.variables.push(`SLUICE_STORE: ${own}`);
    else made.variables[at] += `; then, after a comma, ${own}`;
  }
}
