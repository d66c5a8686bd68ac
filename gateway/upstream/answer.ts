/** Makes the answers to clients. */
import { GatewayError } from "../../wires/errors.ts";
import { headerList } from "../../wires/shared/header_text.ts";
import { responseHeaders } from "./headers.ts";
import type { Exchange } from "../exchange.ts";
import { maskText } from "./masked.ts";
import type { Outgoing } from "./prepare.ts";

export const JSON_TYPE = "application/json", EVENTS_TYPE = "text/event-stream";

/**
 * A header for streams of events. nginx buffers an answer before it passes it on, unless its configuration or this header
 * forbids it.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
 */
export const UNBUFFERED = ["x-accel-buffering", "no"] as const;

/** How many characters an error quotes of an answer that the gateway could not read. */
export const QUOTED = 500;

/** How many characters of such an answer are masked before the quote is cut from them. */
const MASKED = 64 * 1024;

/** The provider's headers that the client may see, with `sluice-dropped` for what could not be sent to the provider. */
export function headersFor(
  { headers }: Response,
  { dropped, masks }: Outgoing,
  out = new Headers(),
): Headers {
  responseHeaders(headers, out, masks.answer);
  if (dropped.length > 0) out.set("sluice-dropped", headerList(dropped));
  return out;
}

/**
 * An answer with the provider's status and headers.
 *
 * @param type The answer's content type. Default: the provider's.
 */
export function answerWith(
  body: BodyInit | null,
  upstream: Response,
  outgoing: Outgoing,
  type?: string,
): Response {
  // The headers are written into the finished response, because `new Response` would copy them.
  const response = new Response(body, { status: upstream.status });
  headersFor(upstream, outgoing, response.headers);
  if (type) response.headers.set("content-type", type);
  if (type === EVENTS_TYPE) response.headers.set(...UNBUFFERED);
  return response;
}

/**
 * The error for a provider's answer that is not JSON.
 *
 * @param headers The provider's headers that the client may see. Its rate limits and request ids matter most here.
 */
export function notJson(
  text: string,
  { status }: Response,
  outgoing: Outgoing,
  headers: Headers,
): GatewayError {
  const { name: provider } = outgoing.target.provider;
  return new GatewayError(
    "bad_upstream_answer",
    `${provider} answered ${status} with something that is not JSON`,
    { metadata: { provider, status, body: quote(text, outgoing) }, headers: Object.fromEntries(headers) },
  );
}

/** The beginning of an answer, without secrets. It is masked before it is cut, so that no half of a key is left. */
export const quote = (text: string, { masks }: Outgoing): string =>
  maskText(masks.error, text.slice(0, MASKED)).slice(0, QUOTED);

type ContentKind = "json" | "events" | "page" | "other" | "none";

export function contentKind(headers: Headers): ContentKind {
  const type = headers.get("content-type")?.toLowerCase();
  if (!type) return "none";
  if (type.includes("json")) return "json";
  if (type.startsWith("text/event-stream")) return "events";
  return type.startsWith("text/html") ? "page" : "other";
}

/** An id for an answer without one, in the form of the client's wire. */
export function answerId({ config, client, answerId }: Exchange): string {
  return answerId ??
    client.idPrefix + Math.floor(config.random() * 2 ** 52).toString(36).padStart(11, "0");
}
