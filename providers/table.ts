/** The provider table: a row per provider, and finding one by the name that a client wrote. */
import { CLOUDS } from "./rows/clouds.ts";
import { HOSTS } from "./rows/hosts.ts";
import { LOCAL } from "./rows/local.ts";
import { MAKERS } from "./rows/makers.ts";
import type { Provider, Row } from "./types.ts";

/**
 * Checked in November 2026 against the providers' documentation and SDKs as of then: base URLs and key variables also
 * against models.dev (2026-08-18), `@ai-sdk/*` and LiteLLM 1.109. A row drops only what its provider was seen or is
 * documented to refuse; what a provider merely ignores is sent.
 */
const ROWS: Readonly<Record<string, Row>> = { ...MAKERS, ...HOSTS, ...CLOUDS, ...LOCAL };

/** Every provider by its name; aliases are in `findProvider`. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  Object.keys(ROWS).sort().map((name) => [name, { name, ...ROWS[name] }]),
);

/** The providers of a table under their names and their aliases. A name wins over an alias. */
export function indexProviders(providers: Iterable<Provider>): ReadonlyMap<string, Provider> {
  const index = new Map<string, Provider>();
  const all = [...providers];
  for (const provider of all) for (const alias of provider.aliases ?? []) index.set(alias, provider);
  for (const provider of all) index.set(provider.name, provider);
  return index;
}

// Maps throughout: names come from clients, and `constructor` must not resolve.
const INDEX = indexProviders(PROVIDERS.values());

/** The provider of a name or an alias, e.g. `xai` for `grok`. */
export function findProvider(
  name: string,
  index: ReadonlyMap<string, Provider> = INDEX,
): Provider | undefined {
  return index.get(name);
}
