/** The table of providers, and finding a provider by the name that a client wrote. */
import { CLOUDS } from "./rows/clouds.ts";
import { HOSTS } from "./rows/hosts.ts";
import { LOCAL } from "./rows/local.ts";
import { MAKERS } from "./rows/makers.ts";
import type { Provider, Row } from "./types.ts";

/**
 * All rows. They were checked in November 2026 against the providers' documentation and SDKs. Base URLs and key variables were
 * also checked against models.dev (2026-08-18), `@ai-sdk/*` and LiteLLM 1.109. A row drops only fields that its provider was
 * seen, or is documented, to refuse. Fields that a provider merely ignores are sent.
 */
const ROWS: Readonly<Record<string, Row>> = { ...MAKERS, ...HOSTS, ...CLOUDS, ...LOCAL };

/** All providers by name. `findProvider` also knows aliases. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  Object.keys(ROWS).sort().map((name) => [name, { name, ...ROWS[name] }]),
);

/** An index of providers by name and by alias. A name wins over an alias. */
export function indexProviders(providers: Iterable<Provider>): ReadonlyMap<string, Provider> {
  const index = new Map<string, Provider>();
  const all = [...providers];
  for (const provider of all) for (const alias of provider.aliases ?? []) index.set(alias, provider);
  for (const provider of all) index.set(provider.name, provider);
  return index;
}

// A map, not an object: names come from clients, and `constructor` must not be found.
const INDEX = indexProviders(PROVIDERS.values());

/** The provider with a name or an alias, e.g. `grok` for `xai`. */
export function findProvider(
  name: string,
  index: ReadonlyMap<string, Provider> = INDEX,
): Provider | undefined {
  return index.get(name);
}
