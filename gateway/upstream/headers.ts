/** Which headers cross the gateway. */
import type { Provider } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { type HeaderTarget, isForProvider } from "../../wires/shared/own_headers.ts";
import { isObeyed, staysHere } from "../access/proxy_headers.ts";
import type { Mask } from "../access/secrets.ts";
import { readSwitchText } from "../setup/texts.ts";

/**
 * The most that the headers of a request or a step may hold, in characters, and how many there may be: providers' proxies
 * take no more.
 */
const MOST_CHARS = 64 * 1024, MOST_HEADERS = 500;

/** @throws GatewayError `headers_too_large` */
export function checkSize(count: number, chars: number, param = "headers"): void {
  if (count <= MOST_HEADERS && chars <= MOST_CHARS) return;
  const held = count > MOST_HEADERS
    ? `are ${count}, and ${MOST_HEADERS} are the most`
    : `hold ${chars} characters, and ${MOST_CHARS} are the most`;
  throw new GatewayError("headers_too_large", `Cannot read the request: its headers ${held}`, { param });
}

/** Headers to send; names in lower case. */
export type SentHeaders = Headers | PlainHeaders;

/**
 * As `Headers`, in a plain object: Deno fills a request from one in a quarter of the time that it takes from `Headers`
 * (15 us for 60, with 12 headers). On Bun and workerd a copy of the client's `Headers` is cheaper (by 10 us of 135 on Bun,
 * for a small call).
 */
class PlainHeaders {
  // Without a prototype, for a header may be called `__proto__`.
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

/** No headers yet, to send. */
export const sentHeaders = (): SentHeaders => plain ? new PlainHeaders() : new Headers();

/** Sets the headers that an operator's row has: they win over the client's. */
export function setFixed(headers: SentHeaders, { fixed }: Provider): void {
  for (const name in fixed) headers.set(name, fixed[name]);
}

/** Sets a header unless it is there. */
export function setMissing(headers: SentHeaders, name: string, value: string): void {
  if (headers.get(name) === null) headers.set(name, value);
}

/** As `fetch` takes them. */
export const headersInit = (headers: SentHeaders): HeadersInit =>
  headers instanceof PlainHeaders ? headers.values : headers;

/**
 * The client's headers that any provider may see.
 *
 * @param keys Names of the headers that may hold someone's key: they stay, and go only where they are meant to.
 * @param holdsToken Tells a value that holds a token of ours, if there are tokens: such a header stays too.
 * @param target Whom the request goes to: headers that are for others stay too. Default: whom the client has named itself.
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
  // `for … of` sorts anew at each step in Deno: 15 times slower for 17 headers.
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

/** Headers that `connection` names belong to the connection too. */
function connectionHeaders(headers: Headers): string[] | undefined {
  const value = headers.get("connection");
  if (value === null || value === "keep-alive" || value === "close") return undefined;
  return value.split(",").map((name) => name.trim().toLowerCase());
}

/**
 * Not handed back: connection headers, cookies, what only the gateway says, what fetch's own decoding has made untrue, and
 * what would make browsers treat the gateway's host as the provider's.
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
 * @param out Takes them. Those of a response that is made already save the copy that one made with headers makes.
 * @param mask Of values that may repeat a secret.
 */
export function responseHeaders(headers: Headers, out: Headers = new Headers(), mask?: Mask): Headers {
  const named = connectionHeaders(headers);
  let values = "";
  headers.forEach((value, name) => {
    // Whose pages may read an answer is the operator's to say and not the provider's.
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
 * A switch that the client sets; off when it is not there.
 *
 * @throws GatewayError `invalid_request` for a value that is neither on nor off.
 */
export function readSwitch(headers: Headers, name: string): boolean {
  const value = headers.get(name);
  if (value === null) return false;
  const on = readSwitchText(value);
  if (on !== undefined) return on;
  const message = `Cannot read the request: ${name} must be "true" or "false"`;
  throw new GatewayError("invalid_request", message, { param: name });
}

/** Whether the address that a redirect names is at the host that was asked. */
export function isOwnLocation(location: string, url: string): boolean {
  // Read without a base first: to a client on https, `http:other.example` from a provider on http is another host.
  const base = URL.canParse(location) ? undefined : url;
  return URL.canParse(location, base) && new URL(location, base).origin === new URL(url).origin;
}

/** A value as a header can hold it: text and numbers as they are, objects as JSON in ASCII. */
export function headerValue(value: unknown): string {
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, member) => typeof member === "bigint" ? String(member) : member)
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
