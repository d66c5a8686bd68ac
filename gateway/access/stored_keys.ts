/** The providers' keys that the gateway holds for its users. */
import type { Provider } from "../../providers/types.ts";
import { GatewayError, quote } from "../../wires/errors.ts";
import { isKeyRefusal, retryAfter } from "../policies/delay.ts";
import type { KeyRing } from "./key_ring.ts";
import { madeRing, type MakeKey } from "./made_keys.ts";

/**
 * One provider's stored keys: one key, several keys used in turn, or either of these by alias. The usual alias is `default`. A
 * function in place of the key gets it when it is needed, see `MakeKey`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type StoredKeys } from "../../mod.ts";
 *
 * const openai: StoredKeys = { default: ["sk-1", "sk-2"], team: "sk-3" };
 * const sent: (string | null)[] = [];
 * const gateway = createGateway({
 *   keys: { openai },
 *   fetch(_, { headers }) {
 *     sent.push(new Headers(headers).get("authorization"));
 *     return Promise.resolve(Response.json({}));
 *   },
 * }).gateway("default");
 * const step = { provider: "openai", endpoint: "models", query: {} };
 * await gateway.run(step);
 * await gateway.run(step, { gateway: { byokAlias: "team" } });
 * assertEquals(sent, ["Bearer sk-1", "Bearer sk-3"]);
 * ```
 */
export type StoredKeys =
  | string
  | readonly string[]
  | MakeKey
  | Readonly<Record<string, string | readonly string[] | MakeKey>>;

/** Milliseconds for which a refused key is not used, if the provider does not say how long. */
const REST_MS = 60_000;

/** The longest such time in milliseconds, so that a provider's mistake cannot disable a key for days. */
const LONGEST_REST_MS = 3_600_000;

/** The keys that the gateway holds for its users. */
export interface KeyStore {
  /** The names of the providers that have keys. */
  readonly providers: readonly string[];
  /** Whether a provider has a key of any alias. */
  has(provider: string): boolean;
  /**
   * The keys of an alias.
   *
   * @param alias `default` when absent.
   * @returns `undefined` if the provider has no key and no alias was asked for.
   * @throws GatewayError `unknown_key_alias`.
   */
  find(provider: string, alias: string | null): KeyRing | undefined;
}

/** Makes the store. All requests share its rings, so that the keys of an alias take turns. */
export function keyStore(
  stored: ReadonlyMap<string, StoredKeys>,
  providers: ReadonlyMap<string, Provider>,
  now: () => number,
): KeyStore {
  const rings = new Map<string, Map<string, KeyRing>>();
  for (const [provider, keys] of stored) {
    const ringOf = (list: string | readonly string[] | MakeKey) =>
      typeof list === "function"
        ? madeRing(provider, list, providers.get(provider)?.keySet, now)
        : keyRing([list].flat(), now);
    const ofAliases = Object.entries(byAlias(keys)).map(([alias, list]) => [alias, ringOf(list)] as const);
    rings.set(provider, new Map(ofAliases));
  }
  return {
    providers: [...rings.keys()],
    has: (provider) => rings.has(provider),
    find(provider, alias) {
      const ring = rings.get(provider)?.get(alias ?? "default");
      if (ring || alias === null) return ring;
      // The message does not list the aliases: they are the operator's secret.
      throw new GatewayError(
        "unknown_key_alias",
        `Cannot use a stored key: ${provider} has none of alias ${quote(alias)}`,
        { param: "cf-aig-byok-alias" },
      );
    },
  };
}

/** The keys of each alias. Keys without one have the alias `default`. */
export const byAlias = (keys: StoredKeys): Exclude<StoredKeys, string | readonly string[] | MakeKey> =>
  typeof keys === "object" && !Array.isArray(keys)
    ? keys as Exclude<StoredKeys, string | readonly string[] | MakeKey>
    : { default: keys as string | readonly string[] | MakeKey };

function keyRing(keys: readonly string[], now: () => number): KeyRing {
  const ring = keys.map((key) => ({ key, restsUntil: 0 }));
  let next = 0;
  return {
    isFree: () => ring.some(({ restsUntil }) => restsUntil <= now()),
    take() {
      const at = now();
      let chosen = next;
      for (let step = 0; step < ring.length; step++) {
        const index = (next + step) % ring.length;
        if (ring[index].restsUntil <= at) {
          chosen = index;
          break;
        }
        if (ring[index].restsUntil < ring[chosen].restsUntil) chosen = index;
      }
      next = (chosen + 1) % ring.length;
      const taken = ring[chosen];
      return {
        key: taken.key,
        report({ status, headers }) {
          if (!isKeyRefusal(status)) return;
          taken.restsUntil = now() + Math.min(retryAfter(headers, now()) ?? REST_MS, LONGEST_REST_MS);
        },
      };
    },
  };
}
