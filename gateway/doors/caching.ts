/** Decides whether a request takes part in caching, and what its answer depends on. */
import { isCredential } from "../access/credential_headers.ts";
import { staysHere } from "../access/proxy_headers.ts";
import type { Exchange } from "../exchange.ts";
import { type CachePlan, MOST_BYTES } from "../policies/answer_cache.ts";
import { type CacheSettings, readCaching } from "../policies/cache_settings.ts";
import { readSwitch } from "../upstream/headers.ts";

/**
 * The settings of a request that takes part in caching; `undefined` for any other, for one that asks what would be sent, and for
 * one whose answer is kept under an id of its own. Costs one look at a header.
 */
export function cacheSettings(
  { config: { cache }, headers, explain, answerId }: Exchange,
): CacheSettings | undefined {
  return explain || answerId !== undefined ? undefined : cache && readCaching(headers, cache.ttl, readSwitch);
}

/**
 * A body of up to this many bytes is copied, and hashed with the rest of the key. A longer one is hashed in another thread.
 * (`digest` copies it too, before it returns its promise.)
 */
const SHORT = 8 * 1024;

/** The place where a step of a request is answered. */
export interface AnswerPlace {
  /** The kind of API, e.g. a wire's name. */
  kind: string;
  provider: string;
  /** The URL of the provider's API. */
  url: string;
  model: string;
}

/** A request that may take part in caching. */
interface Cacheable {
  /** The client's body. It is read at once, because `prepare` edits it in place. */
  body: Uint8Array<ArrayBuffer>;
  /** Reads a field of the body. */
  get: (field: string) => unknown;
}

/**
 * Makes the plans of the steps of one request; `undefined` if the request takes no part in caching.
 *
 * @param settings Default: those of the request.
 */
export function cachePlans(
  { body, get }: Cacheable,
  exchange: Exchange,
  settings: CacheSettings | undefined = cacheSettings(exchange),
): ((place: AnswerPlace) => CachePlan) | undefined {
  if (!settings || body.length > MOST_BYTES || isStored(get)) return undefined;
  const { ttlMs, key } = settings;
  const { account = "", gateway = "", query = "" } = exchange;
  const shared = [
    ...[account, gateway, query, ...headersOf(exchange)],
    // A client that asks for a stream must not get a whole answer, whatever its key.
    get("stream") === true ? "stream" : "whole",
  ];
  const counted = key ?? (body.length <= SHORT ? body.slice() : crypto.subtle.digest("SHA-256", body));
  return ({ kind, provider, url, model }) => ({
    ttlMs,
    parts: [...shared, kind, provider, url, model],
    body: counted,
  });
}

/**
 * Whether a request makes something at the provider besides its answer, or continues something there: a stored answer, one in
 * the background, a conversation.
 */
const isStored = (get: (field: string) => unknown): boolean =>
  get("store") === true || get("background") === true ||
  (get("previous_response_id") ?? get("conversation") ?? null) !== null;

/** Headers that change answers. The names are in lower case. */
const CHANGING =
  /^(?:accept|anthropic-.*|cf-aig-byok-alias|openai-.*|prefer|sluice-fallback|sluice-strict|x-amzn-bedrock-.*|x-goog-user-project)$/;

/** The headers that change answers, and what tells the client from others unless all share answers. */
function headersOf({ caller, headers, config }: Exchange): [changing: string, tenant: string] {
  const { tokens: { holds }, keyHeaders, cache } = config;
  const changing: [string, string][] = [], others: [string, string][] = [];
  headers.forEach((value, name) => {
    if (CHANGING.test(name)) changing.push([name, value]);
    // Each credential that a provider would get counts.
    const isSent = isCredential(name, value) && !staysHere(name) && !keyHeaders.includes(name) &&
      !holds?.(value);
    if (isSent) others.push([name, value]);
  });
  const { trusted, tenant, keys } = caller;
  return [
    JSON.stringify(changing.sort()),
    cache!.shared ? "" : JSON.stringify([trusted, tenant ?? null, [...keys].sort(), others.sort()]),
  ];
}
