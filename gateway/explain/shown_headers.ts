/** Shows the URL and the headers of a request without its credentials. */
import { isCredential } from "../access/credential_headers.ts";
import type { Unsent } from "../exchange.ts";
import { sign } from "../upstream/signing.ts";

/**
 * The headers whose values the client sent or its format adds, and the names of all others: those with a credential, those of
 * the operator, and those that signing adds.
 *
 * @param keys Names of the headers that may hold a key.
 */
export async function shownHeaders(
  request: Unsent,
  keys: readonly string[],
): Promise<{ headers: Record<string, string>; hidden: string[] }> {
  const { provider, headers } = request;
  const { auth, keyForms = [], fixed = {} } = provider;
  const hidden = new Set(await signedNames(request));
  const places = new Set([
    ...keys,
    ...[auth, ...keyForms.map((form) => form.auth)].map(({ header }) => header.toLowerCase()),
  ]);
  const shown: [string, string][] = [];
  headers.forEach((value, name) => {
    const isHidden = hidden.has(name) || places.has(name) || Object.hasOwn(fixed, name) ||
      isCredential(name, value);
    if (isHidden) hidden.add(name);
    else shown.push([name, value]);
  });
  return { headers: Object.fromEntries(shown), hidden: [...hidden].sort() };
}

/** The names of the headers that signing sets. The values stay here. */
async function signedNames({ provider, headers, key, method, url, body }: Unsent): Promise<string[]> {
  if (key === undefined) return [];
  const signed = new Map<string, string>();
  const names = {
    get: (name: string) => signed.get(name) ?? headers.get(name),
    set: (name: string, value: string) => void signed.set(name.toLowerCase(), value),
    delete: () => {},
  };
  await sign({ method, url, headers: names, body, namesOnly: true }, provider, key);
  return [...signed.keys()];
}

/** The URL. The values of its query that may be credentials are masked. */
export function shownUrl(url: string): string {
  const mark = url.indexOf("?");
  if (mark < 0) return url;
  const params = url.slice(mark + 1).split("&").map((param) => {
    const [name, ...value] = param.split("=");
    return value.length > 0 && isCredential(decoded(name).toLowerCase(), value.join("="))
      ? `${name}=***`
      : param;
  });
  return `${url.slice(0, mark)}?${params.join("&")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
