/** Decides which headers are sent to providers and which are returned to clients. */
import type { Provider } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { type HeaderTarget, isForProvider } from "../../wires/shared/own_headers.ts";
import { isObeyed, staysHere } from "../access/proxy_headers.ts";
import type { Mask } from "../access/secrets.ts";
import { readSwitchText } from "../setup/texts.ts";

/**
 * The most characters in all headers of a request or a step, and the most headers. Providers' proxies refuse more.
 */
const MOST_CHARS = 64 * 1024, MOST_HEADERS = 500;

/** @throws GatewayError `headers_too_large` */
export function checkSize(count: number, chars: number, param = "headers"): void {
  if (count <= MOST_HEADERS && chars <= MOST_CHARS) return;
  const held = count > MOST_HEADERS
    ? `are ${count}; send at most ${MOST_HEADERS}`
    : `hold ${chars} characters; send at most ${MOST_CHARS}`;
  throw new GatewayError("headers_too_large", `Cannot read the request: its headers ${held}`, { param });
}

/** Headers to send. Names are in lower case. */
export type SentHeaders = Headers | PlainHeaders;

/**
 * The methods of `Headers` over a plain object. Deno makes a request from a plain object in a quarter of the time that
 * `Headers` take (15 us instead of 60, with 12 headers). On Bun and workerd a copy of the client's `Headers` is cheaper (by
 * 10 us of 135 on Bun, for a small call).
 */
class PlainHeaders {
  // Without a prototype, because a header may be named `__proto__`.
  readonly values: Record<string, string> = Object.create(null);
  get(name: string): string | null {
    return this.values[name] ?? null;
  }
  set(name: string, value: string): void {
    this.values[name] = value;
  }
  delete(name: string): void {
    delete this.values[name];
  }
}

const plain = "Deno" in globalThis;

/** An empty set of headers to send. */
export const sentHeaders = (): SentHeaders => plain ? new PlainHeaders() : new Headers();

/**
 * Sets the headers of the option `providers.*.headers`. They win over the client's. Those that hold a set of credentials stay
 * here: the provider gets the signature alone.
 */
export function setFixed(headers: SentHeaders, { fixed, keySet }: Provider): void {
  for (const member in keySet?.headers) headers.delete(keySet!.headers![member]);
  for (const name in fixed) headers.set(name, fixed[name]);
}

/** Sets a header unless it is set already. */
export function setMissing(headers: SentHeaders, name: string, value: string): void {
  if (headers.get(name) === null) headers.set(name, value);
}

/** The headers in a form that `fetch` takes. */
export const headersInit = (headers: SentHeaders): HeadersInit =>
  headers instanceof PlainHeaders ? headers.values : headers;

/**
 * The client's headers that a provider may see.
 *
 * @param keys Names of the headers that may hold a key. They are left out here and sent only to the provider they are for.
 * @param holdsToken Whether a value holds a gateway token; such a header is left out. Absent if there are no tokens.
 * @param target The provider and wire of the request; headers for others are left out. Default: no header is left out for
 * this reason, because the client itself named the provider.
 * @throws GatewayError `headers_too_large`
 */
export function requestHeaders(
  headers: Headers,
  keys: readonly string[],
  holdsToken?: (text: string) => boolean,
  target?: HeaderTarget,
): SentHeaders {
  const named = connectionHeaders(headers);
  const sent = plain ? new PlainHeaders() : new Headers(headers);
  let size = 0;
  let values = "";
  // `forEach`, because in Deno `for … of` sorts the headers again at each step: 15 times slower for 17 headers.
  headers.forEach((value, name) => {
    size += name.length + value.length;
    const stays = staysHere(name) || keys.includes(name) || named?.includes(name) ||
      target !== undefined && !isForProvider(name, target);
    if (stays) return sent.delete(name);
    if (plain) sent.set(name, value);
    if (holdsToken) values += `${value}\n`;
  });
  checkSize(0, size);
  // All at once, and one by one only if there is something to find.
  if (holdsToken?.(values)) {
    headers.forEach((value, name) => {
      if (holdsToken(value)) sent.delete(name);
    });
  }
  return sent;
}

/**
 * The names in the header `connection`. The headers with these names belong to the connection.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
function connectionHeaders(headers: Headers): string[] | undefined {
  const value = headers.get("connection");
  if (value === null || value === "keep-alive" || value === "close") return undefined;
  return value.split(",").map((name) => name.trim().toLowerCase());
}

/**
 * Headers of an answer that clients never get: those of the connection, cookies, those that are wrong after `fetch` has
 * decompressed the body, and those that would change how browsers treat the gateway's host.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 (headers of a connection)
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4 (`content-encoding`), 8.6 (`content-length`), 6.6.2
 * (`trailer`), 7.8 (`upgrade`), 11.7.1 (`proxy-authenticate`)
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.1 (`transfer-encoding`)
 * @see https://www.rfc-editor.org/rfc/rfc6265#section-4.1 (`set-cookie`),
 * https://www.rfc-editor.org/rfc/rfc6797#section-6.1 (`strict-transport-security`),
 * https://www.rfc-editor.org/rfc/rfc7838#section-3 (`alt-svc`)
 * @see https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/clear-site-data/, https://www.w3.org/TR/reporting-1/,
 * https://www.w3.org/TR/network-error-logging/ (2026-11)
 */
const DROP: ReadonlySet<string> = new Set([
  "alt-svc",
  "clear-site-data",
  "connection",
  "content-encoding",
  "content-length",
  "content-security-policy",
  "content-security-policy-report-only",
  "keep-alive",
  "nel",
  "proxy-authenticate",
  "proxy-connection",
  "report-to",
  "reporting-endpoints",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The provider's headers that the client may see, e.g. `retry-after`, `x-ratelimit-*`, request ids.
 *
 * @param out The headers to add them to. The headers of a finished response save a copy that `new Response` would make.
 * @param mask Masks values, which may repeat a secret.
 */
export function responseHeaders(headers: Headers, out: Headers = new Headers(), mask?: Mask): Headers {
  const named = connectionHeaders(headers);
  let values = "";
  headers.forEach((value, name) => {
    // The operator decides which pages may read an answer, so the provider's CORS headers are left out.
    const stays = DROP.has(name) || name.startsWith("access-control-") || isObeyed(name) ||
      named?.includes(name);
    if (stays) return;
    out.append(name, value);
    if (mask) values += `${value}\n`;
  });
  // All at once, and one by one only if there is something to find.
  if (mask && mask.text(values) !== values) {
    for (const [name, value] of [...out]) out.set(name, mask.text(value));
  }
  return out;
}

/**
 * The value of a switch in a header. It is off if the header is absent.
 *
 * @throws GatewayError `invalid_request` for any other value than those of `readSwitchText`.
 */
export function readSwitch(headers: Headers, name: string): boolean {
  const value = headers.get(name);
  if (value === null) return false;
  const on = readSwitchText(value);
  if (on !== undefined) return on;
  const message = `Cannot read the request: ${name} must be "true" or "false"`;
  throw new GatewayError("invalid_request", message, { param: name });
}

/** Whether a redirect leads to the same origin as the request. */
export function isOwnLocation(location: string, url: string): boolean {
  // Read without a base first: with a base on http, `http:other.example` is a relative path, but for a client on https it is
  // another host.
  const base = URL.canParse(location) ? undefined : url;
  return URL.canParse(location, base) && new URL(location, base).origin === new URL(url).origin;
}

/** A value as text for a header: texts and numbers unchanged, objects as JSON in ASCII. */
export function headerValue(value: unknown): string {
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, member) => typeof member === "bigint" ? String(member) : member)
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
