/** What can be set by a program. */
import * as v from "npm:valibot@1.5.0";
import { type WireName, WIRES } from "../../providers/kinds.ts";
import { nearestNames } from "../../providers/nearest_names.ts";
import type { ChatField } from "../../providers/types.ts";
import { isPlaceName } from "../../providers/urls.ts";
import { check } from "./check.ts";
import { credential, type GatewayToken, isPlaceholder } from "../access/credentials.ts";
import type { StoredKeys } from "../access/stored_keys.ts";
import { type Limits, limitsOption } from "./limits.ts";
import { type Cost, isCost } from "../../providers/prices/table.ts";
import type { LogEntry } from "../stores/log_row.ts";
import { policyOptions, type PolicySettings } from "../policies/settings.ts";
import type { Wait } from "../policies/timers.ts";
import { readSwitchText } from "./texts.ts";

/** Changes to a row of the provider table, or a row of your own. */
export interface ProviderOptions {
  /** Where the provider's paths begin. A row of your own must have one. */
  baseUrl?: string;
  /**
   * Which format it speaks; or which formats, the usual one first: a client of one of the others is handed through. Default:
   * the row's, or `openai` for a row of your own.
   */
  wire?: WireName | readonly WireName[];
  /** Headers for every request to it. They win over the client's, and over its key where one is the header for keys. */
  headers?: Record<string, string>;
  /** The header that carries its key. Default: the row's, or that of the wire's author, e.g. `x-api-key`. */
  auth?: { header: string; prefix: string };
  /** Chat path below `baseUrl`, for the wire `openai` only. Default: the row's, or `/chat/completions`. */
  chatPath?: string;
  /** Mend its answers where an OpenAI SDK could not read them, for the wire `openai` only. Default: the row's, or false. */
  conform?: boolean;
  /** Top-level fields it refuses; they are left out and named in `sluice-dropped`. */
  drop?: readonly ChatField[];
  /**
   * Which chat calls go over its Responses API, for the wire `openai` only. `when needed`: those that OpenAI's models take
   * only there, such as function tools beside an effort. Default: the row's, which is `when needed` for `openai`, or `never`.
   */
  responses?: "always" | "when needed" | "never";
  /** Top-level fields it knows by another name, for the wire `openai` only: for others a request is written anew. */
  rename?: Readonly<Partial<Record<ChatField, string>>>;
}

/** What `createGateway` takes; all of it optional. */
export interface Options {
  /** Sends requests to providers. Default: the runtime's `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** By provider name: other settings for a row, or rows of your own. */
  providers?: Record<string, ProviderOptions>;
  /**
   * Names that clients write, and the models that they stand for, e.g. `{"claude-*": "openai/gpt-6.1-sol", "*":
   * "openrouter/*"}`. The first pattern that matches counts; its `*` is carried over; a list is tried in turn. A pattern
   * without a slash never matches a name that begins with a provider's.
   */
  models?: Readonly<Record<string, string | readonly string[]>>;
  /** What the gateway takes, reads and holds at most. */
  limits?: Partial<Limits>;
  /** Refuse a request with a field that its target cannot express, as with `sluice-strict: true`. Default false. */
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
  /** Tokens that requests must present, each for everything or for some gateways and providers. Default none. */
  tokens?: readonly (string | GatewayToken)[];
  /** Whether a request without a token is refused. Default: when there are tokens. */
  tokenRequired?: boolean;
  /** Provider keys, for requests that present a token and bring no key of their own. */
  keys?: Record<string, StoredKeys>;
  /** Milliseconds until the first part of an answer must have come. Default 0: no limit. */
  requestTimeoutMs?: number;
  /** Default: one try. `retryDelayMs` (default 1000) grows by `backoff` (default exponential), with full jitter. */
  retries?: { maxAttempts?: number; retryDelayMs?: number; backoff?: PolicySettings["backoff"] };
  /** Milliseconds without a byte after which a stream has failed. Default 0: no limit. */
  streamIdleTimeoutMs?: number;
  /** Let providers of your own be reached by plain http, not only on this machine. Default false. */
  allowHttp?: boolean;
  /** The account id for providers whose URL needs one (Workers AI), when a request's path names none or `-`. */
  account?: string;
  /** Where clients find the gateway, without path: what `getUrl()` begins with. Without it that fails. */
  url?: string;
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** A number from 0 up to 1. Default `Math.random`. */
  random?: () => number;
  /** Waits between tries. Default: by the runtime's clock. */
  wait?: Wait;
  /**
   * Takes a row about each request when it has ended, a streamed answer at its end. Default: none, and no answer is looked
   * at for it. A promise that it returns is kept alive by the runtime's `waitUntil`, and may fail.
   */
  log?: (entry: LogEntry) => unknown;
  /**
   * Keep a row about each request for a model, in memory: `true` for the newest 1000, or how many. They are read by
   * Cloudflare's REST paths with the admin token, and by `getLog()` of the gateway as an object. Default false.
   */
  logs?: boolean | { rows?: number };
  /** Costs by `{provider}/{model}`, in US dollars for a million tokens. They win over the table of prices. */
  prices?: Readonly<Record<string, Cost>>;
  /**
   * The table of prices: a URL, or a function that gives its text, which is JSON in the form of models.dev's `api.json`. Read
   * beside the first request and again each day, for 30 s and 8 MiB at most. Default, also until it is read and where it cannot
   * be: the table that comes with the gateway.
   */
  priceTable?: string | (() => Promise<string>);
  /** Opens the paths of the gateway's operator: rows of requests. It opens no model. Default: they are closed. */
  adminToken?: string;
}

// ---------------------------------------------------------------- what guards them

/** Where a provider's paths begin, or the gateway's. */
export const baseUrl = v.pipe(
  v.string(),
  v.check(
    isBaseUrl,
    "must be an http or https URL, without query or credentials, and with places such as {account} only",
  ),
  v.transform((url) => url.replace(/\/+$/, "")),
);

function isBaseUrl(text: string): boolean {
  // A row's host may have places that its path fills, as `{region}`.
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

const names = v.array(v.string());

/** All of `ChatField`, for JSON is not checked by a compiler. */
const CHAT_FIELDS: Readonly<Record<ChatField, true>> = {
  audio: true,
  cache_control: true,
  chat_template_kwargs: true,
  enable_thinking: true,
  frequency_penalty: true,
  function_call: true,
  functions: true,
  logit_bias: true,
  logprobs: true,
  max_completion_tokens: true,
  max_tokens: true,
  metadata: true,
  min_p: true,
  modalities: true,
  moderation: true,
  n: true,
  parallel_tool_calls: true,
  prediction: true,
  presence_penalty: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning: true,
  reasoning_effort: true,
  repetition_penalty: true,
  response_format: true,
  safety_identifier: true,
  seed: true,
  service_tier: true,
  stop: true,
  store: true,
  stream_options: true,
  temperature: true,
  thinking: true,
  tool_choice: true,
  tools: true,
  top_k: true,
  top_logprobs: true,
  top_p: true,
  user: true,
  verbosity: true,
  web_search_options: true,
};

const chatField = v.pipe(
  v.string(),
  v.check((name) => Object.hasOwn(CHAT_FIELDS, name), ({ input }) => {
    const [near] = nearestNames(input, Object.keys(CHAT_FIELDS), 1);
    return `is not a field of a chat request${near ? `; did you mean ${JSON.stringify(near)}?` : ""}`;
  }),
);

/** Something that must fit into a header. */
const secret = (pattern: RegExp, says: string) => v.pipe(v.string(says), v.trim(), v.regex(pattern, says));

/** Without what parts credentials in a header, and without what JSON is made of: a token is never a piece of either. */
const token = v.pipe(
  secret(/^[!#-+\--Z\\^-z|~]+$/, 'must be a text of ASCII characters without blanks and { } [ ] " ,'),
  v.check(
    (text) => !isPlaceholder(text) && readSwitchText(text) === undefined,
    "must not be a word that programs write where they have no token",
  ),
);
const key = v.pipe(
  secret(/^[\x20-\x7e]+$/, "must be a text of ASCII characters"),
  v.check((text) => credential(text) === text, "must be a key without a word such as Bearer before it"),
  v.check((text) => !isPlaceholder(text), "must not be a word that programs write where they have no key"),
);
const keys = v.union([key, v.pipe(v.array(key), v.nonEmpty())], "must be a key or a list of keys");
const keysByAlias = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value), "must be a key or a list of keys"),
  v.record(v.string(), keys),
  v.check((byAlias) => Object.keys(byAlias).length > 0, "must hold a key"),
);

const headers = v.pipe(
  v.record(v.string(), v.string()),
  v.check((entries) => {
    try {
      return new Headers(entries) !== undefined;
    } catch {
      return false;
    }
  }, "must be headers: one has characters that headers cannot hold"),
);

/** Rows in memory: some 200 MB. */
const MOST_ROWS = 200_000;

const wireName = v.picklist(Object.keys(WIRES));

/** What guards `Options`. */
export const OPTIONS = v.strictObject({
  fetch: v.optional(v.function()),
  providers: v.optional(v.record(
    v.string(),
    v.strictObject({
      baseUrl: v.optional(baseUrl),
      wire: v.optional(v.union([wireName, v.pipe(v.array(wireName), v.nonEmpty("must name a wire"))])),
      headers: v.optional(headers),
      auth: v.optional(
        v.strictObject({
          header: v.pipe(v.string(), v.regex(/^[\w-]+$/, "must be a header's name")),
          prefix: v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/, "must be a text of ASCII characters")),
        }),
      ),
      chatPath: v.optional(v.pipe(v.string(), v.startsWith("/", "must begin with /"))),
      conform: v.optional(v.boolean()),
      responses: v.optional(v.picklist(["always", "when needed", "never"])),
      drop: v.optional(v.array(chatField)),
      rename: v.optional(v.record(chatField, v.pipe(v.string(), v.regex(/^\w+$/, "must be a field's name")))),
    }),
  )),
  models: v.optional(v.record(
    v.string(),
    v.union([v.string(), v.pipe(v.array(v.string()), v.nonEmpty())], "must be a model, or a list of models"),
  )),
  limits: v.optional(limitsOption),
  strict: v.optional(v.boolean()),
  origins: v.optional(v.array(origin)),
  hosts: v.optional(v.array(host)),
  tokens: v.optional(v.pipe(
    v.array(v.union([
      token,
      v.strictObject({
        token,
        name: v.optional(
          v.pipe(
            v.string(),
            v.regex(/^[\w .@-]{1,64}$/, "must be 1 to 64 of A-Z a-z 0-9 _ . @ - and blanks"),
          ),
        ),
        gateways: v.optional(names),
        providers: v.optional(names),
      }),
    ], "must be a token, or {token, name?, gateways?, providers?}")),
    v.nonEmpty("must hold a token, or be left out for a gateway that is open to all"),
  )),
  tokenRequired: v.optional(v.boolean()),
  keys: v.optional(
    v.record(v.string(), v.union([keys, keysByAlias], "must be keys, or keys by alias")),
  ),
  ...policyOptions,
  streamIdleTimeoutMs: policyOptions.requestTimeoutMs,
  allowHttp: v.optional(v.boolean()),
  account: v.optional(v.pipe(v.string(), v.nonEmpty())),
  url: v.optional(baseUrl),
  now: v.optional(v.function()),
  random: v.optional(v.function()),
  wait: v.optional(v.function()),
  log: v.optional(v.function()),
  logs: v.optional(v.union(
    [
      v.boolean(),
      v.strictObject({
        rows: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_ROWS))),
      }),
    ],
    `must be true, false, or {rows} with a number up to ${MOST_ROWS}`,
  )),
  prices: v.optional(v.record(
    v.pipe(v.string(), v.includes("/", "must be named {provider}/{model}")),
    v.custom<Cost>(isCost, "must be a cost: {input, output} in US dollars for a million tokens"),
  )),
  priceTable: v.optional(
    v.union([v.pipe(v.string(), v.trim(), v.nonEmpty()), v.function()], "must be a URL, or a function"),
  ),
  adminToken: v.optional(v.pipe(
    v.string(),
    v.trim(),
    v.minLength(16, "must have at least 16 characters"),
    v.regex(/^[\x21-\x7e]+$/, "must be of ASCII characters, without blanks"),
  )),
});

/**
 * Checks options. Blanks around tokens, keys and URLs are taken off.
 *
 * @throws TypeError that names the option at fault.
 */
export const checkOptions = (options: Options): v.InferOutput<typeof OPTIONS> => check(OPTIONS, options);
