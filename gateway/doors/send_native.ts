/** Sends a request to a provider's own path once, and passes its answer back. */
import type { Provider } from "../../providers/types.ts";
import type { AnswerFormat } from "../../wires/types.ts";
import type { TakenKey } from "../access/key_ring.ts";
import type { Mask, Masks } from "../access/secrets.ts";
import type { Exchange } from "../exchange.ts";
import { isEventStream } from "../log/observe.ts";
import type { CacheSettings } from "../policies/cache_settings.ts";
import type { Attempt } from "../policies/attempt.ts";
import { UNBUFFERED } from "../upstream/answer.ts";
import { headersInit, isOwnLocation, responseHeaders, type SentHeaders } from "../upstream/headers.ts";
import { maskAll, maskFailure, maskSuccess, maskText } from "../upstream/masked.ts";
import { send, unsent } from "../upstream/send.ts";
import { sign, signAgain, unsigned } from "../upstream/signing.ts";

/** A request to a provider's own path. */
export interface NativeRequest {
  provider: Provider;
  /** The path below the provider's name, with its query. */
  endpoint: string;
  /** The model in the body, if it names one. Default: the model in the endpoint. */
  model?: string;
  method: string;
  /** The headers to send, without keys. */
  headers: SentHeaders;
  body: BodyInit | null;
  /** How the request takes part in caching. Default: not at all. */
  caching?: CacheSettings;
}

/** A native request with its URL. */
export interface Asking {
  native: NativeRequest;
  /** Whether the gateway itself has asked for the usage of the stream, which the client must not get. */
  isUsageOurs: boolean;
  url: string;
  format: AnswerFormat | undefined;
  /** The client's own set of several texts. */
  ownSet: string | undefined;
  /** Whether the client has sent any key of its own. */
  own: boolean;
  /** The masks of the current attempt's answer. */
  masks: Masks;
}

/** Signs a native request and sends it. */
export function sendOnce(
  asked: Asking,
  stored: TakenKey | undefined,
  { signal, begun }: Pick<Attempt, "signal" | "begun">,
  exchange: Exchange,
): Promise<Response> {
  const { native: { provider, endpoint, model, method, headers, body }, url, format, ownSet, own } = asked;
  const key = ownSet ?? stored?.key;
  asked.masks = exchange.config.masks(stored?.key);
  if (exchange.explain) {
    const keyOf = own ? "client" : stored && "gateway";
    return unsent({ provider, model, method, url, headers, body, key, keyOf }, exchange);
  }
  const places = provider.keySet && provider.native?.(provider.baseUrl, endpoint.replace(/^\//, ""))?.places;
  const request = unsigned({ method, url, headers, body, places }, exchange, signal);
  const go = (isFirst = true): Promise<Response> => {
    if (request.minted !== undefined) asked.masks = exchange.config.masks(stored?.key, request.minted);
    const init: RequestInit & { duplex?: "half" } = { method, headers: headersInit(headers), body };
    if (body instanceof ReadableStream) init.duplex = "half";
    return send(provider, url, init, signal, exchange, (upstream) => {
      const again = isFirst && signAgain(upstream, request, provider, key);
      if (again) return again.then(() => go(false));
      stored?.report(upstream);
      const isOut = asked.isUsageOurs ? format?.isUsageEvent : undefined;
      const passing = { provider, url, format, masks: asked.masks, isHeld: begun !== undefined, isOut };
      return passBack(upstream, passing, exchange);
    });
  };
  const signed = key !== undefined && sign(request, provider, key, stored);
  return signed ? signed.then(() => go()) : go();
}

/** How a provider's answer is passed back. */
interface Passing {
  provider: Provider;
  /** The URL that the request was sent to. */
  url: string;
  format: AnswerFormat | undefined;
  masks: Masks;
  /** Whether the answer is held back until it has begun. */
  isHeld: boolean;
  /** The events that the client must not get. */
  isOut?: (event: string) => boolean;
}

function passBack(
  upstream: Response,
  { provider: { name }, url, format, masks, isHeld, isOut }: Passing,
  exchange: Exchange,
): Promise<Response> | Response {
  const { answer: mask } = masks;
  const { listened } = exchange.report;
  if (listened) exchange.report.passing = { provider: name, format, mustBegin: false, mask, isOut };
  const failure = maskFailure(upstream, masks);
  if (failure !== upstream || !mask) return handBack(failure, url, mask);
  // Held events pass through JavaScript anyway, so all of them are masked. With a log, the observer masks them.
  const answer = isHeld && !listened && isEventStream(upstream.headers)
    ? maskAll(upstream, mask)
    : maskSuccess(upstream, mask, name, exchange);
  return answer instanceof Promise
    ? answer.then((masked) => handBack(masked, url, mask))
    : handBack(answer, url, mask);
}

/** Makes the client's answer. @param url The URL that the request was sent to. */
function handBack(
  { body, status, statusText, headers: from }: Response,
  url: string,
  mask?: Mask,
): Response {
  const response = new Response(body, { status, statusText: maskText(mask, statusText) });
  const headers = responseHeaders(from, response.headers, mask);
  if (isEventStream(response.headers)) headers.set(...UNBUFFERED);
  // A browser must not read the body as a page if its content type is another.
  headers.set("x-content-type-options", "nosniff");
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  // A client that follows a redirect to another place would send its gateway token there.
  if (location !== null && !isOwnLocation(location, url)) headers.delete("location");
  return response;
}
