/** Which headers cross the gateway. */
import { GatewayError } from "../wires/errors.ts";

/** Never sent on: they belong to the connection, to the gateway or to the client's browser. */
const STAY: ReadonlySet<string> = new Set([
  "accept-encoding",
  "cdn-loop",
  "connection",
  "content-encoding",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "origin",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "referer",
  "te",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "via",
  "x-real-ip",
]);

const STAY_PREFIXES = ["cf-", "sec-", "sluice-", "x-forwarded-"];

/**
 * The client's headers that any provider may see.
 *
 * @param keys Names of the headers that may hold someone's key: they stay, and go only where they are meant to.
 */
export function requestHeaders(headers: Headers, keys: readonly string[]): Headers {
  const out = new Headers();
  for (const [name, value] of headers) {
    if (!STAY.has(name) && !STAY_PREFIXES.some((prefix) => name.startsWith(prefix))) out.set(name, value);
  }
  for (const name of keys) out.delete(name);
  return out;
}

/** Not handed back: connection headers, cookies, and those that fetch's own decoding has made untrue. */
const DROP: readonly string[] = [
  "connection",
  "content-encoding",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "set-cookie",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** The provider's headers that the client may see, e.g. `retry-after`, `x-ratelimit-*`, request ids. */
export function responseHeaders(headers: Headers): Headers {
  const out = new Headers(headers);
  for (const name of DROP) out.delete(name);
  return out;
}

/** Characters of one text, and of a list, that go into a header: clients take only so much of all headers together. */
const MOST = { text: 200, list: 2000 };

/** The beginning of a client's text for a header: percent-encoded where it is not printable ASCII, or is `,` or `%`. */
export function headerText(text: string): string {
  const kept = text.slice(0, MOST.text).toWellFormed();
  return kept.replace(/[^\x21-\x24\x26-\x2b\x2d-\x7e]/gu, encodeURIComponent);
}

/** Names for a header, each once: `seed, logit_bias`. What does not fit is counted: `…, and 57 more`. */
export function headerList(names: readonly string[]): string {
  const all = new Set(names);
  let list = "";
  let left = all.size;
  for (const name of all) {
    const text = headerText(name);
    if (list.length + text.length > MOST.list) return `${list}, and ${left} more`;
    list += (list && ", ") + text;
    left--;
  }
  return list;
}

/** A value as a header can hold it: text and numbers as they are, objects as JSON in ASCII. */
export function headerValue(value: unknown): string {
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, member) => typeof member === "bigint" ? String(member) : member)
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The most that the headers of a step may hold, in characters: more than any provider's proxies take. */
const MOST_CHARS = 64 * 1024;

/**
 * Holds a step to what runtimes hold a request to.
 *
 * @throws GatewayError `headers_too_large`
 */
export function checkSize(headers: Headers): void {
  let size = 0;
  headers.forEach((value, name) => size += name.length + value.length);
  if (size <= MOST_CHARS) return;
  throw new GatewayError(
    "headers_too_large",
    `Cannot read the request: its headers hold ${size} characters, and ${MOST_CHARS} are the most`,
    { param: "headers" },
  );
}
