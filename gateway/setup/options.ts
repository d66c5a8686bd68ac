/** The options of a gateway, and their schema. */
import * as v from "npm:valibot@1.5.0";
import { WIRES } from "../../providers/kinds.ts";
import { isPlaceName } from "../../providers/urls.ts";
import { apiVersion, resource } from "./azure_options.ts";
import { check } from "./check.ts";
import { credential, isPlaceholder } from "../access/credential_texts.ts";
import type { GatewayAllowance } from "../access/gateway_allowance.ts";
import type { GatewayToken } from "../access/gateway_token.ts";
import type { StoredKeys } from "../access/stored_keys.ts";
import { headersOption } from "./headers_option.ts";
import type { RateLimits, TokenBudget } from "../policies/token_limits.ts";
import { type Limits, limitsOption } from "./limits.ts";
import { logsOption, type LogsOptions, storeOption } from "./logs_option.ts";
import { type Cost, isCost } from "../../providers/prices/table.ts";
import type { LogEntry } from "../stores/log_row.ts";
import type { Sql } from "../stores/sql.ts";
import type { Stores } from "../stores/stores.ts";
import { policyOptions, type PolicySettings } from "../policies/settings.ts";
import type { Wait } from "../policies/timers.ts";
import { otelOption, type OtelOptions } from "./otel_option.ts";
import { chatField } from "./chat_field.ts";
import { breakerOption } from "./breaker_option.ts";
import { cacheOption } from "./cache_option.ts";
import {
  gatewaysOption,
  meteringOptions,
  openingOptions,
  teamsOption,
  tokenName,
} from "./metering_options.ts";
import { responsesOption } from "./responses_option.ts";
import { metricsOption, ownToken } from "./metrics_option.ts";
import type { ProviderOptions } from "./provider_options.ts";
import { PLACES } from "./places_option.ts";
import { type RouteElement, routesOption } from "./routes_option.ts";
import { readSwitchText } from "./texts.ts";

/**
 * Options of `createGateway`. All are optional.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type Options } from "../../mod.ts";
 *
 * const options: Options = { models: { fast: ["demo/status-503", "demo/echo"] }, strict: true };
 * const query = { model: "fast", messages: [{ role: "user", content: "Hello" }] };
 * const response = await createGateway(options).gateway("default")
 *   .run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals((await response.json()).choices[0].message.content, "Hello");
 * ```
 */
export interface Options {
  /** Sends requests to providers. Default: the runtime's `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Changes to rows of the provider table, or rows of your own, by provider name. */
  providers?: Record<string, ProviderOptions>;
  /**
   * Patterns of model names that clients may write, each with the model to use, e.g. `{"claude-*": "openai/gpt-6.1-sol", "*":
   * "openrouter/*"}`. The first pattern that matches counts. A `*` in the model stands for the text that the pattern's `*`
   * matched. The models of a list are tried in turn. A pattern without a slash never matches a name that begins with a
   * provider's name.
   */
  models?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * Routes by name, which clients name as `dynamic/{name}`: graphs of conditions, shares, limits and models, in the form of
   * Cloudflare's dynamic routes. A route is the list of its elements, or an object that holds it.
   */
  routes?: Readonly<Record<string, readonly RouteElement[] | { readonly elements: readonly RouteElement[] }>>;
  /** Limits on the size and the duration of requests and answers. */
  limits?: Partial<Limits>;
  /** Refuse a request with a field that its target does not have, as with `sluice-strict: true`. Default false. */
  strict?: boolean;
  /**
   * Origins whose pages may call the gateway from a browser, e.g. `https://app.example`; `"*"` for any. Besides these,
   * the gateway's own origin, pages on loopback, desktop shells and browser extensions may. Every other origin is 403.
   */
  origins?: string[];
  /**
   * Host names that the gateway answers to, besides loopback and the host of `url`: `gateway.internal`, or with a port,
   * `gateway.internal:8787`; `"*"` for any. A request to another host is 403 unless it brings a gateway token. Default:
   * any host, but none when the served form listens on loopback.
   */
  hosts?: string[];
  /** Tokens that requests must present. A token may be limited to some gateways and providers. Default none. */
  tokens?: readonly (string | GatewayToken)[];
  /**
   * What teams may ask for and spend, by their names: `{"growth": {"limits": {"rpm": 600}, "budgets": [{"limitUsd": 100, "window":
   * "month"}]}}`. They hold beside those of each token and virtual key of the team.
   */
  teams?: Readonly<Record<string, { limits?: RateLimits; budgets?: readonly TokenBudget[] }>>;
  /**
   * What may be asked of gateways and spent at them, by their ids; `"*"` for all others together. It holds for all requests, also
   * for those without a token and for the program's own: `{"prod": {"limits": [{"requests": 100, "seconds": 3600}]}}`.
   */
  gateways?: Readonly<Record<string, GatewayAllowance>>;
  /** Whether a request without a token is refused. Default: true if there are tokens, or once a virtual key was made. */
  tokenRequired?: boolean;
  /**
   * Provider keys, for requests that present a token and bring no key of their own. A function in place of a key is asked for
   * it when it is needed, e.g. a provider of `@aws-sdk/credential-providers`.
   */
  keys?: Record<string, StoredKeys>;
  /** Milliseconds within which the first part of an answer must come. Default 0: no limit. */
  requestTimeoutMs?: number;
  /** Default: one attempt. `retryDelayMs` (default 1000) grows by `backoff` (default exponential), with full jitter. */
  retries?: { maxAttempts?: number; retryDelayMs?: number; backoff?: PolicySettings["backoff"] };
  /**
   * How answers are cached. `ttl`: seconds for which each answer is kept, from 60 to 2678400 (default 0: only answers to
   * requests with `cf-aig-cache-key`). `shared`: all clients share answers (default false: each token and key has its own).
   * `maxBytes`: the most bytes of all answers (default 64 MiB, on Workers 16 MiB); 0 turns the cache off.
   */
  cache?: { ttl?: number; shared?: boolean; maxBytes?: number };
  /**
   * Spare a target (a model of a provider) that keeps failing: it is skipped if another one can be tried, and else the request is 503.
   * `failures` (default 5) within `windowMs` (default 60000) that are also a `share` (default 0.5) of its requests open the breaker for
   * `openMs` (default 30000). Then a single request is let through, which decides. Each process decides for itself. Default: off.
   */
  breaker?: { failures?: number; share?: number; windowMs?: number; openMs?: number };
  /**
   * Which responses of OpenAI's Responses are kept, for `previous_response_id` and conversations, in `store` or else in memory.
   * `store`: true as at OpenAI, so also those of requests that do not say `store`; `"asked"` for those of requests that say
   * `store: true`; default false. `days`: they are removed when nobody has used them for so long (default 30). `maxBytes`: the
   * most bytes of all (default 1 GiB in `store`, 64 MiB in memory, 16 MiB there on Workers); the oldest are removed first.
   */
  responses?: { store?: boolean | "asked"; days?: number; maxBytes?: number };
  /** Milliseconds without a byte after which a stream has failed. Default 0: no limit. */
  streamIdleTimeoutMs?: number;
  /** Allow providers of your own on plain http, also on other machines. Default false: loopback only. */
  allowHttp?: boolean;
  /** The account id for providers whose URL needs one (Workers AI), for requests whose path has none or `-`. */
  account?: string;
  /** The gateway's address for clients, without a path. `getUrl()` needs it. */
  url?: string;
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** A number from 0 up to 1. Default `Math.random`. */
  random?: () => number;
  /** Waits between attempts. Default: by the runtime's clock. */
  wait?: Wait;
  /**
   * Called with a row about each request when its answer has ended. Default: none. The runtime's `waitUntil` keeps a promise
   * that it returns alive; the promise may reject.
   */
  log?: (entry: LogEntry) => unknown;
  /**
   * Keep a row about each request for a model, in `store` or else in memory. Cloudflare's REST paths return the rows to whoever
   * presents `adminToken`, and so does `getLog()` of the gateway as an object. Default: false, or true with a `store`.
   */
  logs?: boolean | LogsOptions;
  /**
   * What keeps rows, counts of limits and budgets, and cached answers: what `openStore()` makes from a URL, or a database that
   * keeps them all. Default: the memory of the process.
   */
  store?: Sql | Stores | string;
  /** Costs by `{provider}/{model}`, in US dollars for a million tokens. They win over the table of prices. */
  prices?: Readonly<Record<string, Cost>>;
  /**
   * The table of prices: a URL, or a function that returns its text, which is JSON in the form of models.dev's `api.json`. It is
   * read beside the first request and again each day; a URL may take 30 s and have 8 MiB. Default, also until it is read or if it
   * cannot be read: the table that comes with the gateway.
   */
  priceTable?: string | (() => Promise<string>);
  /** Opens the paths of the gateway's operator, which return rows of requests. It opens no models. Default: closed. */
  adminToken?: string;
  /**
   * Count requests for Prometheus. `token` (at least 16 characters) opens `/metrics` and nothing else; `adminToken` opens it too.
   * `labels` are keys of the clients' metadata that become labels, e.g. `["team"]`. Default: counted if there is an
   * `adminToken`.
   */
  metrics?: { token?: string; labels?: readonly string[] };
  /**
   * Send a span about each request for a model, and one for each attempt, to a collector of OpenTelemetry (OTLP over HTTP, as
   * JSON). Spans hold no prompts and no answers. Default: none.
   */
  otel?: OtelOptions;
}

// ---------------------------------------------------------------- schema

/** A provider's base URL, or the gateway's address. */
export const baseUrl = v.pipe(
  v.string(),
  v.check(
    isBaseUrl,
    "must be an http or https URL, without query or credentials, and with places such as {account} only",
  ),
  v.transform((url) => url.replace(/\/+$/, "")),
);

function isBaseUrl(text: string): boolean {
  // A base URL may hold places that each request fills, such as `{region}`.
  const filled = text.replaceAll(/\{(\w+)\}/g, (all, place) => isPlaceName(place) ? "x" : all);
  if (!/^https?:\/\/[^/?#\s\\][^?#\s\\]*$/.test(filled) || !URL.canParse(filled)) return false;
  const { username, password } = new URL(filled);
  return username === "" && password === "" && !/[{}]/.test(filled);
}

const origin = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(
    /^(\*|null|file:\/\/|[a-z][a-z0-9+.-]*:\/\/[^/\s*]+)$/,
    'must be an origin, e.g. "https://app.example", or "*"',
  ),
  // Browsers leave out a default port.
  v.transform((text) => /^https?:/.test(text) && URL.canParse(text) ? new URL(text).origin : text),
);

const host = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(
    /^(\*|([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?)$/,
    'must be a host, e.g. "gateway.internal" or "gateway.internal:8787", or "*"',
  ),
);

/** A text that must fit into a header. */
const secret = (pattern: RegExp, says: string) => v.pipe(v.string(says), v.trim(), v.regex(pattern, says));

/** A gateway token: a comma would end it in a header's list, and JSON's marks could make it a piece of a JSON text. */
const token = v.pipe(
  secret(/^[!#-+\--Z\\^-z|~]+$/, 'must be a text of ASCII characters without blanks, { } [ ] " or ,'),
  v.check(
    (text) => !isPlaceholder(text) && readSwitchText(text) === undefined,
    'must not be a placeholder such as "undefined" or "true"',
  ),
);
const key = v.pipe(
  // JSON and private keys have lines.
  secret(/^[\x20-\x7e]+$|^(?:\{|-----BEGIN )[\x20-\x7e\r\n\t]+$/, "must be a text of ASCII characters"),
  v.check((text) => credential(text) === text, "must be a key without a word such as Bearer before it"),
  v.check((text) => !isPlaceholder(text), 'must not be a placeholder such as "undefined"'),
);
const keys = v.union(
  [key, v.pipe(v.array(key), v.nonEmpty()), v.function()],
  "must be a key, a list of keys, or a function",
);
const keysByAlias = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value), "must be a key or a list of keys"),
  v.record(v.string(), keys),
  v.check((byAlias) => Object.keys(byAlias).length > 0, "must hold a key"),
);

const wireName = v.picklist(Object.keys(WIRES));

/** The schema of `Options`. */
export const OPTIONS = v.strictObject({
  fetch: v.optional(v.function()),
  providers: v.optional(v.record(
    v.string(),
    v.strictObject({
      baseUrl: v.optional(baseUrl),
      wire: v.optional(v.union([wireName, v.pipe(v.array(wireName), v.nonEmpty("must name a wire"))])),
      headers: v.optional(headersOption),
      auth: v.optional(
        v.strictObject({
          header: v.pipe(v.string(), v.regex(/^[\w-]+$/, "must be a header's name")),
          prefix: v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/, "must be a text of ASCII characters")),
        }),
      ),
      chatPath: v.optional(v.pipe(v.string(), v.startsWith("/", "must begin with /"))),
      conform: v.optional(v.boolean()),
      apiVersion: v.optional(apiVersion),
      baseModels: v.optional(v.record(v.string(), v.string())),
      ...PLACES,
      resource: v.optional(resource),
      responses: v.optional(v.picklist(["always", "when needed", "never"])),
      traces: v.optional(v.boolean()),
      drop: v.optional(v.array(chatField)),
      rename: v.optional(v.record(chatField, v.pipe(v.string(), v.regex(/^\w+$/, "must be a field's name")))),
    }),
  )),
  models: v.optional(v.record(
    v.string(),
    v.union([v.string(), v.pipe(v.array(v.string()), v.nonEmpty())], "must be a model, or a list of models"),
  )),
  routes: v.optional(routesOption),
  limits: v.optional(limitsOption),
  strict: v.optional(v.boolean()),
  origins: v.optional(v.array(origin)),
  hosts: v.optional(v.array(host)),
  tokens: v.optional(v.pipe(
    v.array(v.union(
      [
        token,
        v.strictObject({
          token,
          name: v.optional(tokenName),
          ...openingOptions,
          ...meteringOptions,
        }),
      ],
      "must be a token, or {token, name?, gateways?, providers?, models?, limits?, budgets?, unknownPrice?, team?, each?}",
    )),
    v.nonEmpty("must hold a token; leave it out for a gateway that is open to all"),
  )),
  teams: v.optional(teamsOption),
  gateways: v.optional(gatewaysOption),
  tokenRequired: v.optional(v.boolean()),
  keys: v.optional(
    v.record(v.string(), v.union([keys, keysByAlias], "must be keys, or keys by alias")),
  ),
  ...policyOptions,
  streamIdleTimeoutMs: policyOptions.requestTimeoutMs,
  breaker: v.optional(breakerOption),
  cache: v.optional(cacheOption),
  responses: v.optional(responsesOption),
  allowHttp: v.optional(v.boolean()),
  account: v.optional(v.pipe(v.string(), v.nonEmpty())),
  url: v.optional(baseUrl),
  now: v.optional(v.function()),
  random: v.optional(v.function()),
  wait: v.optional(v.function()),
  log: v.optional(v.function()),
  logs: v.optional(logsOption),
  store: v.optional(storeOption),
  prices: v.optional(v.record(
    v.pipe(v.string(), v.includes("/", "must be named {provider}/{model}")),
    v.custom<Cost>(isCost, "must be a cost: {input, output} in US dollars for a million tokens"),
  )),
  priceTable: v.optional(
    v.union([v.pipe(v.string(), v.trim(), v.nonEmpty()), v.function()], "must be a URL, or a function"),
  ),
  adminToken: v.optional(ownToken),
  metrics: v.optional(metricsOption),
  otel: v.optional(otelOption),
});

/**
 * Checks options. Blanks around tokens and keys, and slashes at the end of URLs, are taken off.
 *
 * @throws TypeError that names the faulty option.
 */
export const checkOptions = (options: Options): v.InferOutput<typeof OPTIONS> => check(OPTIONS, options);
