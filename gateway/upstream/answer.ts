/** What every answer to a client is made with. */
import { GatewayError } from "../../wires/errors.ts";
import { headerList } from "../../wires/shared/header_text.ts";
import { responseHeaders } from "./headers.ts";
import type { Exchange } from "../exchange.ts";
import { maskText } from "./masked.ts";
import type { Outgoing } from "./prepare.ts";

export const JSON_TYPE = "application/json", EVENTS_TYPE = "text/event-stream";

/**
 * On a stream of events: nginx gathers up an answer's bytes before it passes them on, unless its configuration or this
 * says otherwise.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
 */
export const UNBUFFERED = ["x-accel-buffering", "no"] as const;

/** Characters of an answer we could not read that an error quotes. */
export const QUOTED = 500;

/** Characters of it that are looked through for secrets first. */
const MASKED = 64 * 1024;

/** The provider's headers as the client may see them, and what could not be sent to the provider. */
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
 * @param type Its content type. Default: the provider's.
 */
export function answerWith(
  body: BodyInit | null,
  upstream: Response,
  outgoing: Outgoing,
  type?: string,
): Response {
  // Written into the headers that it has: a response made with headers copies them.
  const response = new Response(body, { status: upstream.status });
  headersFor(upstream, outgoing, response.headers);
  if (type) response.headers.set("content-type", type);
  if (type === EVENTS_TYPE) response.headers.set(...UNBUFFERED);
  return response;
}

/** @param headers The provider's, as the client may see them: limits and request ids matter here most of all. */
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

/** The beginning of an answer, without secrets: of one that is cut first, half a key would be left. */
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

/** An id for an answer that has none, as the client's wire writes them. */
export function answerId({ config, client }: Exchange): string {
  return client.idPrefix + Math.floor(config.random() * 2 ** 52).toString(36).padStart(11, "0");
}
