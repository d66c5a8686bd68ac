/** Reads the credentials in the query of a URL. */
import { decodeParam } from "./credential_texts.ts";
import { isProxyParam } from "./proxy_headers.ts";

/** The query parameters in which some providers take their key. */
export const KEY_PARAM = /^(?:key|api_key)=(.+)$/;

/** Whether a path below a provider has a key in its query. */
export const hasQueryKey = (endpoint: string) => paramsOf(endpoint).some((param) => KEY_PARAM.test(param));

/**
 * A query with its `?`, for a provider that takes keys only in headers. Parameters are left out that bring a key, hold a gateway
 * token or belong to a front proxy, and the version of Azure's API, which the row decides.
 */
export function keylessQuery(query: string, tokens: { ownQuery(endpoint: string): string }): string {
  const kept = tokens.ownQuery(query).slice(1).split("&").filter((param) =>
    param !== "" && !KEY_PARAM.test(param) && !param.startsWith("api-version=")
  );
  return kept.length > 0 ? `?${kept.join("&")}` : "";
}

/** The parameters of a URL's query, or of a path's. */
export const paramsOf = (url: string) => url.includes("?") ? url.slice(url.indexOf("?") + 1).split("&") : [];

/**
 * A path below a provider, without the query parameters that hold a gateway token or belong to a front proxy.
 *
 * @param holds Whether a text holds a token. Default: none does.
 */
export function ownQuery(endpoint: string, holds: (text: string) => boolean = () => false): string {
  const mark = endpoint.indexOf("?");
  if (mark < 0) return endpoint;
  const params = endpoint.slice(mark + 1).split("&");
  const own = params.filter((param) => !holds(param) && !isProxyParam(decodeParam(param.split("=", 1)[0])));
  if (own.length === params.length) return endpoint;
  return endpoint.slice(0, mark) + (own.length > 0 ? `?${own.join("&")}` : "");
}
