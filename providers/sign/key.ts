/** Signs requests with a key in a header. */
import type { Auth, Provider, Unsigned } from "../types.ts";

/** Sets the key in the header of the row's `auth`, or in the header for keys of its form. */
export function signWithKey(
  { headers }: { headers: Pick<Unsigned["headers"], "set"> },
  provider: Provider,
  key: string,
): void {
  const { header, prefix } = keyForm(provider, key) ?? provider.auth;
  setUnfixed(headers, provider, header.toLowerCase(), prefix + key);
}

/** Where a key of another kind than the row's goes, e.g. an OAuth token. */
export const keyForm = ({ keyForms }: Provider, key: string): Auth | undefined =>
  keyForms?.find(({ begins }) => key.startsWith(begins))?.auth;

/** Sets a header, unless the operator has set it for all requests. */
export function setUnfixed(
  headers: Pick<Unsigned["headers"], "set">,
  { fixed }: Provider,
  name: string,
  value: string,
): void {
  if (!fixed || !Object.hasOwn(fixed, name)) headers.set(name, value);
}
