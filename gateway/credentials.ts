/** Who may use the gateway, and with whose provider keys. */
import { GatewayError } from "../wires/errors.ts";
import type { Provider } from "../providers/types.ts";
import { retryAfter } from "./policies/retry.ts";

/** A credential of the gateway's own. */
export interface GatewayToken {
  token: string;
  /** Gateway ids that it is good for; absent for all. */
  gateways?: readonly string[];
  /** Provider names that it is good for; absent for all. */
  providers?: readonly string[];
}

/** One provider's stored keys: one, several used in turn, or either by alias; the usual alias is `default`. */
export type StoredKeys = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/** Headers in which clients put keys, and so may put our token. */
export const CREDENTIAL_HEADERS = [
  "cf-aig-authorization",
  "authorization",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "xi-api-key",
] as const;

const SUBPROTOCOL = "cf-aig-authorization.";

/** Who sent a request. */
export interface Caller {
  /** Presented a token of ours, or is a program that holds the gateway object itself: may use stored keys. */
  trusted: boolean;
  /** Names of headers whose value is no provider key: our token, or what an SDK sends for want of a key. */
  ignored: ReadonlySet<string>;
  /** Whether the caller's token is good for a provider. */
  allows(provider: Provider): boolean;
  /** @throws GatewayError `unauthorized` for a provider that it is not good for. */
  check(provider: Provider): void;
}

/** The gateway's tokens. */
export interface TokenCheck {
  /**
   * Finds out who sent a request with these headers.
   *
   * @param insider The sender is a program that holds the gateway object and needs no token.
   * @throws GatewayError `unauthorized` when a token is asked for and none is there, or it is for another gateway.
   */
  admit(headers: Headers, gateway: string | undefined, insider: boolean): Promise<Caller> | Caller;
  /** The headers of these, those of a step, whose value is no provider key. */
  ignored(headers: Headers): Promise<ReadonlySet<string>>;
}

/**
 * @param required Whether a request without a token is refused. If not, it may still use its own provider keys.
 */
export function tokenCheck(tokens: readonly GatewayToken[], required: boolean): TokenCheck {
  // Hashes are compared, in constant time: a comparison of the texts would tell how much of one was right.
  const hashed = Promise.all(tokens.map(async (token) => ({ ...token, hash: await hash(token.token) })));

  async function find(text: string): Promise<GatewayToken | undefined> {
    const wanted = await hash(text);
    let found: GatewayToken | undefined;
    for (const token of await hashed) if (equal(token.hash, wanted)) found = token;
    return found;
  }

  function placeholders(headers: Headers): Set<string> {
    const ignored = new Set<string>();
    for (const name of CREDENTIAL_HEADERS) {
      const value = headers.get(name);
      if (value !== null && isPlaceholder(value)) ignored.add(name);
    }
    return ignored;
  }

  async function take(headers: Headers): Promise<{ ignored: Set<string>; token?: GatewayToken }> {
    const ignored = placeholders(headers);
    let token: GatewayToken | undefined;
    for (const name of CREDENTIAL_HEADERS) {
      const value = headers.get(name);
      const own = value === null || ignored.has(name) ? undefined : await find(bare(value));
      if (own) ignored.add(name);
      token ??= own;
    }
    for (const protocol of headers.get("sec-websocket-protocol")?.split(",") ?? []) {
      const text = protocol.trim();
      if (text.startsWith(SUBPROTOCOL)) token ??= await find(text.slice(SUBPROTOCOL.length));
    }
    return { ignored, token };
  }

  async function admit(headers: Headers, gateway: string | undefined, insider: boolean): Promise<Caller> {
    const { ignored, token } = await take(headers);
    if (!token) {
      if (!required || insider) return { trusted: insider, ignored, ...anyProvider };
      throw unauthorized("it needs a gateway token, as cf-aig-authorization: Bearer TOKEN");
    }
    const { gateways, providers } = token;
    if (gateways && !(gateway !== undefined && gateways.includes(gateway))) {
      throw unauthorized("its token is not for this gateway");
    }
    const allows = ({ name }: Provider) => !providers || providers.includes(name);
    return {
      trusted: true,
      ignored,
      allows,
      check(provider) {
        if (!allows(provider)) throw unauthorized(`its token is not for provider ${provider.name}`);
      },
    };
  }

  if (tokens.length > 0) return { admit, ignored: async (headers) => (await take(headers)).ignored };
  // Without tokens there is nothing to await.
  return {
    admit: (headers, _, insider) => ({ trusted: insider, ignored: placeholders(headers), ...anyProvider }),
    ignored: (headers) => Promise.resolve(placeholders(headers)),
  };
}

const anyProvider = { allows: () => true, check() {} };

const unauthorized = (why: string) => new GatewayError("unauthorized", `Cannot serve the request: ${why}`);

/** What SDKs send when they were given no key. */
function isPlaceholder(value: string): boolean {
  return value.includes("CF_TEMP_TOKEN") || /^\s*(bearer)?\s*(undefined|null)?\s*$/i.test(value);
}

/** The credential without its scheme. */
const bare = (value: string) => value.replace(/^\s*(bearer|token|key)\s+/i, "").trim();

async function hash(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  let different = 0;
  for (let at = 0; at < a.length; at++) different |= a[at] ^ b[at];
  return different === 0;
}

// ---------------------------------------------------------------- stored keys

/** How long a key rests that its provider refused, when the provider does not say, in milliseconds. */
const REST_MS = 60_000;

/** A stored key, for one try. */
export interface TakenKey {
  key: string;
  /** Tells how the provider took it: after 401 or 429 it rests for a while. */
  report(response: Response): void;
}

/** The keys that the gateway holds for its users. */
export interface KeyStore {
  /** Providers that have keys, by name. */
  readonly providers: readonly string[];
  /**
   * The next key of an alias, skipping those that rest; if all do, the one whose rest ends first.
   *
   * @param alias `default` when absent.
   * @returns `undefined` when there is no key for the provider and no alias was asked for.
   * @throws GatewayError `unknown_key_alias`.
   */
  take(provider: string, alias: string | null): TakenKey | undefined;
}

interface RingKey {
  key: string;
  restsUntil: number;
}

export function keyStore(stored: Readonly<Record<string, StoredKeys>>, now: () => number): KeyStore {
  const rings = new Map<string, Map<string, { keys: RingKey[]; next: number }>>();
  for (const [provider, keys] of Object.entries(stored)) {
    const byAlias = typeof keys === "string" || Array.isArray(keys) ? { default: keys } : keys;
    const aliases = new Map(
      Object.entries(byAlias as Record<string, string | string[]>).map(([alias, list]) => [
        alias,
        { keys: [list].flat().map((key) => ({ key, restsUntil: 0 })), next: 0 },
      ]),
    );
    rings.set(provider, aliases);
  }
  return {
    providers: [...rings.keys()],
    take(provider, alias) {
      const ring = rings.get(provider)?.get(alias ?? "default");
      if (!ring || ring.keys.length === 0) {
        if (alias === null) return undefined;
        // The aliases that there are stay the operator's secret.
        throw new GatewayError(
          "unknown_key_alias",
          `Cannot use a stored key: ${provider} has none of alias ${JSON.stringify(alias)}`,
        );
      }
      const { keys } = ring;
      const at = now();
      const order = keys.map((_, step) => keys[(ring.next + step) % keys.length]);
      const chosen = order.find((key) => key.restsUntil <= at) ??
        order.reduce((first, key) => key.restsUntil < first.restsUntil ? key : first);
      ring.next = (keys.indexOf(chosen) + 1) % keys.length;
      return {
        key: chosen.key,
        report({ status, headers }) {
          if (status !== 401 && status !== 429) return;
          chosen.restsUntil = now() + (retryAfter(headers, now()) ?? REST_MS);
        },
      };
    },
  };
}
