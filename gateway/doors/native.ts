/** A provider's own API under the gateway's address, byte for byte both ways. */
import { formatOf } from "../../providers/formats.ts";
import { modelInPath, nativeUrl, targetUrl } from "../../providers/native.ts";
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { readWhole, type Upload, upload } from "../upstream/body.ts";
import { hasQueryKey } from "../access/credentials.ts";
import type { Exchange } from "../exchange.ts";
import {
  headersInit,
  isOwnLocation,
  requestHeaders,
  responseHeaders,
  type SentHeaders,
  setFixed,
  setMissing,
} from "../upstream/headers.ts";
import { firstAttempt, type Step } from "../policies/attempt.ts";
import { type PolicySettings, readPolicy } from "../policies/settings.ts";
import type { Route } from "./find_door.ts";
import type { Mask } from "../access/secrets.ts";
import { UNBUFFERED } from "../upstream/answer.ts";
import {
  isEventStream,
  maskAll,
  maskFailure,
  maskObject,
  maskSuccess,
  maskText,
} from "../upstream/masked.ts";
import { send, sendKey, sign, storedKeys } from "../upstream/send.ts";
import { findProvider } from "../targets/find_target.ts";

/**
 * Hands a request through to a provider's own path.
 *
 * @throws GatewayError `unknown_provider`, or for a path that the provider's row does not cover.
 */
export async function native(
  request: Request,
  { provider: slug, path }: Route & { door: "native" },
  exchange: Exchange,
): Promise<Response> {
  const { config, report, headers } = exchange;
  if (headers.get("upgrade")?.toLowerCase() === "websocket") {
    throw new GatewayError("unsupported", "Cannot open a WebSocket: the gateway serves none yet");
  }
  const provider = findProvider(slug, config.providers);
  report.provider = provider.name;
  report.model = modelInPath(provider, path);
  exchange.caller.check(provider);
  const settings = readPolicy(headers, config.policy);
  const query = request.url.indexOf("?");
  const endpoint = query < 0 ? path : config.tokens.ownQuery(path + request.url.slice(query));
  const { body, fault } = await bodyOf(request, settings, exchange);
  const step = nativeStep(
    { provider, endpoint, method: request.method, headers: nativeHeaders(provider, exchange), body },
    settings,
    exchange,
  );
  try {
    return await exchange.config.send(firstAttempt(step, exchange));
  } catch (cause) {
    // What broke the request was its body, and not the provider.
    throw fault?.() ?? cause;
  }
}

/**
 * Announced bodies up to this size are read first, in bytes. Streams are sent in chunks by some runtimes, which not every
 * server takes, cost more, and cannot be sent again when a connection from the pool turns out to be closed.
 */
const READ_FIRST = 256 * 1024;

/** Another try needs the body again; a single one streams what is long, or of no known length. */
async function bodyOf(
  request: Request,
  { maxAttempts }: PolicySettings,
  exchange: Exchange,
): Promise<{ body: BodyInit | null; fault?: Upload["fault"] }> {
  // On workerd a GET with `content-length: 0` has a body too, and `fetch` sends none with one.
  if (!request.body || request.method === "GET" || request.method === "HEAD") return { body: null };
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced <= READ_FIRST) return { body: await readWhole(request, exchange, Infinity) };
  // Deno makes a stream of the body that a DELETE does not have, and would send it on in chunks.
  const isDelete = request.method === "DELETE";
  if (maxAttempts === 1 && !isDelete) return upload(request.body, exchange.config.limits);
  const whole = await readWhole(request, exchange);
  return { body: isDelete && whole.length === 0 ? null : whole };
}

/** A request to a provider's own path. */
export interface NativeRequest {
  provider: Provider;
  /** Below the provider's slug, with its query. */
  endpoint: string;
  /** Where its body says it; else it is looked for in the endpoint. */
  model?: string;
  method: string;
  /** To send, without keys. */
  headers: SentHeaders;
  body: BodyInit | null;
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

/** @throws GatewayError for an endpoint that the provider's row does not cover. */
export function nativeStep(native: NativeRequest, settings: PolicySettings, exchange: Exchange): Step {
  const { provider, endpoint, model = modelInPath(provider, endpoint), method, headers, body } = native;
  const { caller, account } = exchange;
  const named = targetUrl(provider, exchange.headers);
  const url = named === undefined
    ? nativeUrl(provider, endpoint, account)
    : exchange.config.tokens.ownQuery(named);
  if (url === undefined) {
    // Without its query, which may hold a key.
    const path = quote(endpoint.split("?", 1)[0]);
    throw new GatewayError("invalid_request", `Cannot find ${path} at ${provider.name}`, { param: "path" });
  }
  for (const [name, value] of caller.keys) sendKey(headers, provider, name, value);
  const own = caller.keys.size > 0 || hasQueryKey(endpoint);
  const keys = own ? undefined : storedKeys(provider, exchange);
  const format = formatOf(method, url);
  let masks = exchange.config.masks();
  return {
    provider: provider.name,
    model,
    settings,
    format,
    otherKey: keys?.isFree,
    mask: (error) => maskObject(masks.error, error),
    send({ signal, begun }) {
      const stored = keys?.take();
      masks = exchange.config.masks(stored?.key);
      const go = () => {
        const init: RequestInit & { duplex?: "half" } = { method, headers: headersInit(headers), body };
        if (body instanceof ReadableStream) init.duplex = "half";
        return send(provider, url, init, signal, exchange, (upstream) => {
          stored?.report(upstream);
          const { answer: mask } = masks;
          const { name } = provider;
          const { listened } = exchange.report;
          if (listened) exchange.report.passing = { provider: name, format, mustBegin: false, mask };
          const failure = maskFailure(upstream, masks);
          if (failure !== upstream || !mask) return handBack(failure, url, mask);
          // Its events pass through JavaScript anyway; a listener's are masked where they are listened to.
          const answer = begun && !listened && isEventStream(upstream)
            ? maskAll(upstream, mask)
            : maskSuccess(upstream, mask, name, exchange);
          return answer instanceof Promise
            ? answer.then((masked) => handBack(masked, url, mask))
            : handBack(answer, url, mask);
        });
      };
      const signed = stored && sign({ method, url, headers, body }, provider, stored.key);
      return signed ? signed.then(go) : go();
    },
  };
}

/** @param url What was asked. */
function handBack(
  { body, status, statusText, headers: from }: Response,
  url: string,
  mask?: Mask,
): Response {
  const response = new Response(body, { status, statusText: maskText(mask, statusText) });
  const headers = responseHeaders(from, response.headers, mask);
  if (isEventStream(response)) headers.set(...UNBUFFERED);
  // No page is made of what the provider calls something else.
  headers.set("x-content-type-options", "nosniff");
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  // A client that follows a redirect would bring its gateway token there.
  if (location !== null && !isOwnLocation(location, url)) headers.delete("location");
  return response;
}
