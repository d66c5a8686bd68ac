/** The providers' keys that the gateway holds for its users. */
import { GatewayError, quote } from "../../wires/errors.ts";
import { isKeyRefusal, retryAfter } from "../policies/delay.ts";

/** One provider's stored keys: one, several used in turn, or either by alias; the usual alias is `default`. */
export type StoredKeys = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/** How long a key rests that its provider refused, when the provider does not say, in milliseconds. */
const REST_MS = 60_000;

/** The longest rest that a provider may ask for, in milliseconds: a mistake of its own must not lose a key for days. */
const LONGEST_REST_MS = 3_600_000;

/** A stored key, for one try. */
export interface TakenKey {
  key: string;
  /** Tells how the provider took it: after 401 or 429 it rests for a while. */
  report(response: Response): void;
}

/** The keys of one alias, in turn. */
export interface KeyRing {
  /** The next key that does not rest; if all do, the one whose rest ends first. */
  take(): TakenKey;
  /** Whether there is one that does not rest. */
  isFree(): boolean;
}

/** The keys that the gateway holds for its users. */
export interface KeyStore {
  /** Providers that have keys, by name. */
  readonly providers: readonly string[];
  /** Whether a provider has keys, of any alias. */
  has(provider: string): boolean;
  /**
   * The keys of an alias.
   *
   * @param alias `default` when absent.
   * @returns `undefined` if no alias was asked for and the provider has no key.
   * @throws GatewayError `unknown_key_alias`.
   */
  find(provider: string, alias: string | null): KeyRing | undefined;
}

/** Makes the store; alike rings are shared, so that keys take turns over all requests. */
export function keyStore(stored: ReadonlyMap<string, StoredKeys>, now: () => number): KeyStore {
  const rings = new Map<string, Map<string, KeyRing>>();
  for (const [provider, keys] of stored) {
    const byAlias = typeof keys === "string" || Array.isArray(keys) ? { default: keys } : keys;
    rings.set(
      provider,
      new Map(Object.entries(byAlias).map(([alias, list]) => [alias, keyRing([list].flat(), now)])),
    );
  }
  return {
    providers: [...rings.keys()],
    has: (provider) => rings.has(provider),
    find(provider, alias) {
      const ring = rings.get(provider)?.get(alias ?? "default");
      if (ring || alias === null) return ring;
      // The aliases that there are stay the operator's secret.
      throw new GatewayError(
        "unknown_key_alias",
        `Cannot use a stored key: ${provider} has none of alias ${quote(alias)}`,
        { param: "cf-aig-byok-alias" },
      );
    },
  };
}

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
