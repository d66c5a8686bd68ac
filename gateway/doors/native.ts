/** Serves a provider's own API under the gateway's address. Bodies pass byte for byte in both directions. */
import { formatOf, isRepeatable, WITHOUT_OUTPUT } from "../../providers/formats.ts";
import { modelInPath, nativeUrl, targetUrl } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import type { AnswerFormat } from "../../wires/types.ts";
import { askNativeUsage, isAskedForUsage } from "../upstream/asked_usage.ts";
import { findShallow, readWhole, type Upload, upload } from "../upstream/body.ts";
import { measure } from "../explain/measure.ts";
import { hasQueryKey } from "../access/query.ts";
import { type CachePlan, MOST_BYTES } from "../policies/answer_cache.ts";
import type { CacheSettings } from "../policies/cache_settings.ts";
import { cachePlans, cacheSettings } from "./caching.ts";
import { parse } from "../../wires/shared/json.ts";
import type { Exchange } from "../exchange.ts";
import { requestHeaders, type SentHeaders, setFixed, setMissing } from "../upstream/headers.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { needsModel } from "../policies/limit_rules.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import type { Route } from "./find_door.ts";
import { checkModels, clearModel, isClear, modelsIn } from "./native_models.ts";
import { maskObject } from "../upstream/masked.ts";
import { clientKeySet, readyKey, sendKey } from "../upstream/client_keys.ts";
import { storedKeys } from "../upstream/send.ts";
import { type Asking, type NativeRequest, sendOnce } from "./send_native.ts";
import { findProvider } from "../targets/find_target.ts";

/**
 * Hands a request through to a provider's own path.
 *
 * @throws GatewayError `unknown_provider`, or an error for a path that the provider's row does not have.
 */
export async function native(
  request: Request,
  { provider: slug, path }: Route & { door: "native" },
  exchange: Exchange,
): Promise<Response> {
  const { config, report, headers } = exchange;
  if (headers.get("upgrade")?.toLowerCase() === "websocket") {
    throw new GatewayError(
      "unsupported",
      "Cannot open a WebSocket: the gateway does not support them yet; send the request over HTTP",
    );
  }
  const provider = findProvider(slug, config.providers);
  report.provider = provider.name;
  report.model = modelInPath(provider, path);
  exchange.caller.check(provider);
  const settings = readPolicy(headers, config.policy);
  const query = request.url.indexOf("?");
  const endpoint = query < 0 ? path : config.tokens.ownQuery(path + request.url.slice(query));
  // A signature may hold a hash of the whole body, and limits on models and budgets must know the model.
  const { caller } = exchange;
  const isSigned = provider.keySet?.hashes &&
    (caller.keys.size === 0 || clientKeySet(provider, exchange) !== undefined);
  const caching = request.method === "POST" ? nativeCaching(provider, endpoint, exchange) : undefined;
  const isKeyed = caching !== undefined && !(Number(request.headers.get("content-length")) > MOST_BYTES);
  const isMeasured = needsModel(caller.metered);
  const isWhole = isSigned || isKeyed || isMeasured || caller.models !== undefined ||
    isAskedForUsage(request.method, path, caller);
  const { body, fault } = await bodyOf(request, settings, exchange, isWhole);
  checkModels(provider, path, body, exchange);
  if (isMeasured && ArrayBuffer.isView(body)) await measure(body as Uint8Array<ArrayBuffer>, exchange);
  const model = isMeasured ? clearModel(provider, path, body, report.sizes?.model) : report.model;
  const sent = {
    provider,
    endpoint,
    model,
    method: request.method,
    headers: nativeHeaders(provider, exchange),
  };
  const step = nativeStep(
    { ...sent, body, caching },
    settings,
    exchange,
  );
  try {
    return await exchange.config.send(firstAttempt(step, exchange));
  } catch (cause) {
    // The request failed because its body broke, so the body's fault is the error to tell.
    throw fault?.() ?? cause;
  }
}

/**
 * Bodies announced with up to this many bytes are read before they are sent. A stream costs more, some runtimes send it in
 * chunks, which some servers refuse, and it cannot be sent again if a connection from the pool turns out to be closed.
 */
const READ_FIRST = 256 * 1024;

/**
 * The body to send. With several attempts it is read as a whole; with one attempt a long body is a stream.
 *
 * @param isHashed Whether a hash of the body is needed: it is read as a whole then.
 */
async function bodyOf(
  request: Request,
  { maxAttempts }: PolicySettings,
  exchange: Exchange,
  isWhole: boolean,
): Promise<{ body: BodyInit | null; fault?: Upload["fault"] }> {
  // On workerd a GET with `content-length: 0` has a body, but `fetch` refuses a GET with a body.
  if (!request.body || request.method === "GET" || request.method === "HEAD") return { body: null };
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced <= READ_FIRST) return { body: await readWhole(request, exchange, Infinity) };
  // A long upload is not read only to be shown.
  if (exchange.explain && !isShown(request, announced, exchange)) return { body: request.body };
  // On Deno a DELETE without a body has an empty stream, which would be sent in chunks.
  const isDelete = request.method === "DELETE";
  if (maxAttempts === 1 && !isDelete && !exchange.explain && !isWhole) {
    return upload(request.body, exchange.config.limits);
  }
  const whole = await readWhole(request, exchange);
  return { body: isDelete && whole.length === 0 ? null : whole };
}

/** Whether an explanation shows a body: JSON that is not longer than the bodies that are read. */
const isShown = ({ headers }: Request, announced: number, { config: { limits } }: Exchange) =>
  /json/i.test(headers.get("content-type") ?? "") && !(announced > limits.maxBodyBytes);

/**
 * How a POST to a provider's own path takes part in caching. Without a key of the client's own, only a request that makes an
 * answer and nothing else takes part.
 */
export function nativeCaching(
  provider: Provider,
  endpoint: string,
  exchange: Exchange,
): CacheSettings | undefined {
  const settings = cacheSettings(exchange);
  if (!settings || settings.key !== undefined) return settings;
  return isRepeatable("POST", urlOf(provider, endpoint, exchange) ?? "") ? settings : undefined;
}

/** The plan for the answer of a native request. */
function planOf(
  { provider, model = "", body, caching }: NativeRequest,
  url: string,
  exchange: Exchange,
): CachePlan | undefined {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (!caching || !(bytes instanceof Uint8Array)) return undefined;
  let fields: ReturnType<typeof findShallow>;
  const get = (field: string) => {
    // A body that is not JSON has no fields.
    const member = (fields ??= findShallow(bytes as Uint8Array<ArrayBuffer>))?.get(field);
    return member && parse(new TextDecoder().decode(bytes.subarray(member.valueStart, member.valueEnd)));
  };
  const plan = cachePlans({ body: bytes as Uint8Array<ArrayBuffer>, get }, exchange, caching);
  return plan?.({ kind: "native", provider: provider.name, url, model });
}

/** The headers of a native request, without keys. */
export function nativeHeaders(
  provider: Provider,
  { headers: from, config }: Exchange,
): SentHeaders {
  const { headers = {}, target } = provider;
  const sent = requestHeaders(from, config.keyHeaders, config.tokens.holds);
  setFixed(sent, provider);
  for (const [name, value] of Object.entries(headers)) setMissing(sent, name.toLowerCase(), value);
  if (target) sent.delete(target.header);
  return sent;
}

/** The URL of an endpoint; `undefined` for one that the provider's row does not have. */
function urlOf(
  provider: Provider,
  endpoint: string,
  { headers, config, account }: Exchange,
): string | undefined {
  const named = targetUrl(provider, headers);
  return named === undefined ? nativeUrl(provider, endpoint, account) : config.tokens.ownQuery(named);
}

/** Makes the step of a native request. @throws GatewayError for an endpoint that the provider's row does not have. */
export function nativeStep(native: NativeRequest, settings: PolicySettings, exchange: Exchange): Step {
  const { provider, endpoint, model = modelInPath(provider, endpoint), method, headers, body } = native;
  const { caller } = exchange;
  const url = urlOf(provider, endpoint, exchange);
  if (url === undefined) {
    // The query is left out of the message, because it may hold a key.
    const path = quote(endpoint.split("?", 1)[0]);
    throw new GatewayError("invalid_request", `Cannot find ${path} at ${provider.name}`, { param: "path" });
  }
  const ownSet = clientKeySet(provider, exchange);
  if (ownSet === undefined) {
    for (const [name, value] of caller.keys) {
      sendKey(headers, provider, name, value);
    }
  }
  const own = ownSet !== undefined || caller.keys.size > 0 || hasQueryKey(endpoint);
  const keys = own ? undefined : storedKeys(provider, exchange);
  const format = formatOf(method, url);
  const withUsage = isAskedForUsage(method, url, caller) && askNativeUsage(body, provider, exchange);
  const asked: Asking = {
    native: { ...native, model, body: withUsage || body },
    isUsageOurs: withUsage !== false && withUsage !== undefined,
    url,
    format,
    ownSet,
    own,
    masks: exchange.config.masks(),
  };
  return {
    provider: provider.name,
    model,
    settings,
    format,
    costs: needsModel(caller.metered) ? costsOf(native, url, format) : undefined,
    otherKey: keys?.isFree,
    cache: native.caching && planOf({ ...native, model }, url, exchange),
    mask: (error) => maskObject(asked.masks.error, error),
    send(attempt) {
      const go = () => sendOnce(asked, keys?.take(), attempt, exchange);
      const making = keys && readyKey(keys, exchange, attempt.signal);
      return making ? making.then(go) : go();
    },
  };
}

/** Methods whose requests read or delete objects. */
const FREE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);

/** Paths that count tokens: Anthropic's, Google's, OpenAI's and Amazon's. */
const COUNTS = /[/:](?:count_tokens|countTokens|responses\/input_tokens|count-tokens)$/;

/** Paths whose work is in a file, and is done later. */
const LATER = /(?::|%3a)async/i;

/** What a request costs if tokens do not tell it; `undefined` if they do. */
function costsOf(
  { method, provider, endpoint, body }: NativeRequest,
  url: string,
  format: AnswerFormat | undefined,
): Step["costs"] {
  const path = url.split("?", 1)[0].replace(/\/+$/, "");
  if (FREE_METHODS.has(method) || COUNTS.test(path)) return "nothing";
  // With two models in the body, the dearer one may be the one that the provider reads.
  if (modelsIn(body) === undefined || !isClear(endpoint, modelInPath(provider, endpoint))) return "unknown";
  return format || WITHOUT_OUTPUT.test(path) && !LATER.test(path) ? undefined : "unknown";
}
