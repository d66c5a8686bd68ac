/** Turns a program's options into a config: checked, with every default filled in. */
import {
  compatible,
  EMBEDDINGS,
  endpointsBeside,
  ownResponses,
  spoken,
  type WireName,
} from "../../providers/kinds.ts";
import { findProvider, indexProviders, PROVIDERS } from "../../providers/table.ts";
import type { Provider, Row, Spoken, SpokenChat } from "../../providers/types.ts";
import { keyHeaders } from "../access/credentials.ts";
import { type KeyStore, keyStore } from "../access/stored_keys.ts";
import { checkOwnTokens, readGateways, readTeams, readTokens } from "./check_tokens.ts";
import { changeRoutes } from "./change_routes.ts";
import { checkNames, checkRow, CUSTOM } from "./check_rows.ts";
import { type Aliases, readAliases } from "../targets/aliases.ts";
import type { Routes } from "../targets/routes/legs.ts";
import { breakerFor } from "./breaker_option.ts";
import { cacheOf } from "./cache_option.ts";
import { guarding, journalOf, pricesOf, timerOf } from "./journal_of.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { checkOptions, type Options } from "./options.ts";
import { guardedRoutes, routeBook } from "./route_book.ts";
import { fixedRoutes } from "./routes_option.ts";
import { readKeys } from "./stored_key_options.ts";
import type { AnswerCache } from "../policies/answer_cache.ts";
import type { KeptResponses } from "../policies/kept_responses.ts";
import { responsesOf } from "./responses_option.ts";
import type { Send } from "../policies/attempt.ts";
import { chain } from "../policies/chain.ts";
import { DEFAULTS, type PolicySettings } from "../policies/settings.ts";
import type { Breaker } from "../policies/target_states.ts";
import { storeGuard } from "../policies/store_guard.ts";
import { type InTime, timeLimit, type Timer, type Wait } from "../policies/timers.ts";
import { wait } from "../../wires/shared/wait.ts";
import { type AdminCheck, adminCheck } from "../access/admin.ts";
import { type SharedCounters, sharedCounters } from "../policies/shared_counters.ts";
import { type Access, accessOf } from "./access_of.ts";
import { memoryRoutes, type RouteStore, sqlRoutes } from "../stores/routes.ts";
import { type FilledStores, storesOf } from "../stores/stores.ts";
import type { Journal } from "../log/journal.ts";
import { noLosses } from "../log/metrics.ts";
import type { PriceBook } from "../log/prices.ts";

/** Options with every default filled in. */
export interface Config extends Access {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Rows by name and by alias. */
  providers: ReadonlyMap<string, Provider>;
  /** The operator's names for models; absent if there are none. */
  aliases?: Aliases;
  /** The routes; absent if there are none. */
  routes?: Routes;
  /** Where the operator's API writes routes; absent if nobody can. */
  routeStore?: RouteStore;
  limits: Limits;
  /** Bytes of request bodies that the gateway holds at this moment. */
  inFlight: { bytes: number };
  /** Waits for a request's body, at most `limits.bodyTimeoutMs`. */
  inTime: InTime;
  strict: boolean;
  origins: readonly string[];
  /** Hosts that the gateway answers to besides loopback; `undefined` for any host. */
  hosts?: ReadonlySet<string>;
  keys: KeyStore;
  /** Names of the headers that may hold a provider's key. */
  keyHeaders: readonly string[];
  policy: PolicySettings;
  /** Sends an attempt through the policies, which are composed once for a gateway. */
  send: Send;
  /** The cache of answers; absent if it is turned off. */
  cache?: AnswerCache;
  /** Spares targets that keep failing; absent if it is turned off. */
  breaker?: Breaker;
  /** The responses that clients may go on from; absent if none are kept. */
  responses?: KeptResponses;
  streamIdleTimeoutMs: number;
  account?: string;
  url?: string;
  now: () => number;
  /** Counts for the limits of tokens. */
  counters: SharedCounters;
  stores: FilledStores;
  /** Measures durations. */
  timer: Timer;
  random: () => number;
  wait: Wait;
  /** Takes the rows of requests; absent where nobody asked for them. */
  journal?: Journal;
  /** The prices, also where no rows are kept. */
  prices: PriceBook;
  /** Tells the gateway's operator from everybody else. */
  admin: AdminCheck;
  /** Tells whoever may read the counts from everybody else. */
  scraper: AdminCheck;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @param openUntilKeys Whether a request without a token is let in, although there are tokens, until there is a virtual key.
 * @throws TypeError that names the faulty option.
 */
export function readOptions(options: Options, openUntilKeys = false): Config {
  const read = checkOptions(options);
  const now = options.now ?? Date.now;
  const limits = { ...LIMITS, ...defined(read.limits) };
  const providers = readProviders(options.providers, read.allowHttp ?? false);
  const credentials = keyHeaders(providers.values());
  const teams = readTeams(read.teams, providers);
  const gateways = readGateways(read.gateways, providers);
  const tokens = readTokens(read.tokens, { providers, teams });
  checkOwnTokens(read, tokens);
  // A Worker's global `fetch` must not be called as a method of another object.
  const send: Config["fetch"] = options.fetch ?? ((url, init) => fetch(url, init));
  const prices = pricesOf(options, read, providers, send);
  const stores = storesOf(options.store, now);
  const losses = noLosses();
  const journal = journalOf(options, read, { sql: stores.sql, losses }, prices, send);
  const guard = guarding(options, losses, stores);
  return {
    fetch: send,
    providers,
    ...namesOf(options, providers, stores.quick, guard),
    limits,
    inFlight: { bytes: 0 },
    counters: sharedCounters({ counters: stores.counters, now, ...guard }),
    stores,
    inTime: timeLimit(limits.bodyTimeoutMs),
    strict: read.strict ?? false,
    origins: read.origins ?? [],
    hosts: read.hosts && new Set([...read.hosts, ...read.url ? [new URL(read.url).host] : []]),
    keyHeaders: credentials,
    keys: keyStore(readKeys(read.keys as Options["keys"], providers), providers, now),
    ...accessOf(read, {
      tokens,
      teams,
      gateways,
      names: credentials,
      openUntilKeys,
      sql: stores.quick,
      now,
      guarding: guard,
    }),
    policy: { ...DEFAULTS, ...defined({ ...read.retries, requestTimeoutMs: read.requestTimeoutMs }) },
    send: chain(),
    ...policiesOf(options, read, stores, guard),
    streamIdleTimeoutMs: read.streamIdleTimeoutMs ?? 0,
    account: read.account,
    url: read.url,
    now,
    timer: timerOf(options),
    random: options.random ?? Math.random,
    wait: options.wait ?? wait,
    journal,
    prices,
    admin: adminCheck(read.adminToken),
    scraper: adminCheck(read.metrics?.token),
  };
}

/** What tells and counts the failures of the stores. */
type Guarding = ReturnType<typeof guarding>;

/** The names that clients may write beside those of models: routes, and the operator's own. */
function namesOf(
  options: Options,
  providers: ReadonlyMap<string, Provider>,
  sql: FilledStores["sql"],
  guarding: Guarding,
): Pick<Config, "aliases" | "routes" | "routeStore"> {
  const { models, routes: written = {}, adminToken } = options;
  const fixed = fixedRoutes(written, providers);
  const store = sql ? sqlRoutes(sql) : adminToken === undefined ? undefined : memoryRoutes();
  const guard = storeGuard({ ...guarding, name: "the store of routes" });
  const routes = fixed.size > 0 || store
    ? routeBook({ fixed, store, guard, providers, timer: guarding.timer })
    : undefined;
  return {
    routes,
    routeStore: sql && store ? guardedRoutes(store, guard) : store,
    aliases: models && readAliases(models, providers, routes),
  };
}

/** What the policies remember of answers and of targets. */
function policiesOf(
  options: Options,
  { cache, breaker, responses }: ReturnType<typeof checkOptions>,
  stores: FilledStores,
  guard: Guarding,
): Pick<Config, "cache" | "breaker" | "responses"> {
  const { now = Date.now } = options;
  return {
    cache: cacheOf(cache, now, stores.kv, guard),
    breaker: breakerFor(breaker, timerOf(options)),
    responses: responsesOf(responses, stores.quick, now, guard),
  };
}

const defined = <T extends object>(from: T = {} as T): { [K in keyof T]: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };

/** The provider that invented each wire. Others who speak the wire mostly take keys and list models in the same way. */
const AUTHORS: Record<WireName, string> = {
  anthropic: "anthropic",
  cohere: "cohere",
  gemini: "google-ai-studio",
  openai: "openai",
  perplexity: "perplexity-agent",
  responses: "openai",
};

/** The wires to keep under a new base URL: those after the first that have a base URL of their own are left out. */
const belowBase = ([first, ...others]: Provider["wires"]): Provider["wires"] => [
  first,
  ...others.filter(({ baseUrl }) => baseUrl === undefined),
];

/** The path of Responses on a row whose chat completions are at this path. */
const besideChat = (chatPath: string): string => chatPath.replace(/(?:\/chat\/completions)?$/, "/responses");

/**
 * The wires, with Responses marked as the row's own. A row that had no Responses gets them beside its chat completions.
 *
 * @param name The row's name. It marks the sealed thoughts, which no other provider can open.
 */
function withResponses([chat, ...others]: Provider["wires"], name: string): Provider["wires"] {
  const known = others.find(({ wire }) => wire.name === "responses");
  const own = ownResponses(name, known?.path ?? besideChat(chat.path));
  return [chat, ...others.filter((spoken) => spoken !== known), { ...known, ...own }];
}

/**
 * The wires, followed by those of `others` that the row does not have yet, each at its usual path.
 *
 * @param name The row's name.
 */
function withOthers(wires: Provider["wires"], others: readonly WireName[], name: string): Provider["wires"] {
  const [usual] = wires;
  const responsesAt = usual.wire.name === "openai" ? besideChat(usual.path) : "/v1/responses";
  const added = others.filter((other) => wires.every(({ wire }) => wire.name !== other))
    .map((other) => other === "responses" ? ownResponses(name, responsesAt) : spoken(other));
  return [...wires, ...added];
}

/** The options of a row that change its first wire only. */
interface WireColumns {
  chatPath?: string;
  conform?: boolean;
  drop?: readonly string[];
  rename?: Readonly<Record<string, string>>;
}

/**
 * A row's wires with the options' changes. Columns change the first wire only. If the options name another wire than the
 * first one, that wire becomes the only one.
 *
 * @param name The wire that the options name, if any.
 */
function changeWires(
  known: Provider["wires"],
  name: WireName | undefined,
  { chatPath, conform, drop, rename }: WireColumns,
): Provider["wires"] {
  const wires = name === undefined || known[0].wire.name === name
    ? known
    : [known.find(({ wire }) => wire.name === name) ?? spoken(name)] as const;
  const [first, ...others] = wires;
  const changes: Partial<SpokenChat> = defined({
    path: chatPath,
    conform,
    drop: drop as SpokenChat["drop"],
    rename,
  });
  return [{ ...first, ...changes } as Spoken, ...others];
}

const lowerCased = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function readProviders(
  changes: Options["providers"] = {},
  allowHttp: boolean,
): ReadonlyMap<string, Provider> {
  const providers = new Map(PROVIDERS);
  checkNames(Object.keys(changes));
  for (const [name, options] of Object.entries(changes)) {
    const { wire: written, baseUrl, headers, chatPath, conform, drop, rename, baseModels, ...columns } =
      options;
    const [wire, ...others] = typeof written === "string" ? [written] : written ?? [];
    const base = baseUrl?.replace(/\/+$/, "");
    const { responses = "never" } = columns;
    const change = (listed: Provider["wires"]) => {
      const kept = base === undefined ? listed : belowBase(listed);
      const wires = withOthers(changeWires(kept, wire, { chatPath, conform, drop, rename }), others, name);
      return responses === "never" || known?.responses ? wires : withResponses(wires, name);
    };
    const known = findProvider(name);
    checkRow(name, options, known);
    const changed: Partial<Omit<Row, "embeddings">> = defined({
      ...columns,
      baseUrl: base,
      fixed: headers && lowerCased(headers),
      baseModels: baseModels && new Map(Object.entries(baseModels)),
    });
    if (known) {
      const keyForms = changed.auth && { keyForms: undefined };
      const wires = change(known.wires);
      const isOther = wires[0].wire !== known.wires[0].wire;
      providers.set(known.name, {
        ...known,
        ...(isOther && { embeddings: EMBEDDINGS[wire!], endpoints: undefined }),
        ...keyForms,
        ...changeRoutes(known, wire, drop),
        ...changed,
        wires,
      });
      continue;
    }
    const option = `providers.${name}.baseUrl`;
    if (base === undefined) {
      throw new TypeError(`Cannot use option ${option}: a provider that is not in the table needs one`);
    }
    if (!allowHttp && !/^(https:|http:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/]|$))/.test(base)) {
      throw new TypeError(`Cannot use option ${option}: it must be https unless allowHttp is set`);
    }
    const { auth, keyForms, modelsPath } = PROVIDERS.get(AUTHORS[wire ?? "openai"])!;
    const slug = name.startsWith(CUSTOM) ? name.slice(CUSTOM.length) : name;
    providers.set(name, {
      name,
      aliases: [name === slug ? CUSTOM + slug : slug],
      ...compatible(base, { chatPath, auth, ...(!changed.auth && { keyForms }), modelsPath, ...changed }),
      ...(wire === undefined || wire === "openai"
        ? { endpoints: endpointsBeside(chatPath) }
        : { embeddings: EMBEDDINGS[wire] }),
      wires: change([wire === "responses" ? ownResponses(name, "/responses") : spoken(wire ?? "openai")]),
    });
  }
  return indexProviders(providers.values());
}
