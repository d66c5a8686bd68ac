/** Reads the option `keys`. */
import { isKeySet, keySetFault } from "../../providers/sign/key_set.ts";
import type { KeySet, Provider } from "../../providers/types.ts";
import { byAlias, type StoredKeys } from "../access/stored_keys.ts";

/** The stored keys by the names of rows. @throws TypeError that names the faulty option. */
export function readKeys(
  keys: Record<string, StoredKeys> = {},
  providers: ReadonlyMap<string, Provider>,
): Map<string, StoredKeys> {
  const read = new Map<string, StoredKeys>();
  for (const [name, stored] of Object.entries(keys)) {
    const provider = providers.get(name);
    if (!provider) throw new TypeError(`Cannot use option keys.${name}: there is no such provider`);
    if (read.has(provider.name)) {
      throw new TypeError(
        `Cannot use option keys.${name}: ${provider.name} has keys under another of its names`,
      );
    }
    read.set(provider.name, asKeys(name, stored, provider.keySet));
  }
  return read;
}

/** The keys of a provider whose keys may be sets: a set in place of keys by alias is one key. Faulty sets are refused. */
function asKeys(name: string, stored: StoredKeys, keySet: KeySet | undefined): StoredKeys {
  if (!keySet) return stored;
  const keys = isKeySet(stored, keySet) ? JSON.stringify(stored) : stored;
  for (const key of Object.values(byAlias(keys)).flat()) {
    const fault = typeof key === "string" ? keySetFault(key, keySet) : undefined;
    if (fault !== undefined) throw new TypeError(`Cannot use option keys.${name}: ${fault}`);
  }
  return keys;
}
