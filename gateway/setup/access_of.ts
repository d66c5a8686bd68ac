/** Makes the check of tokens and virtual keys, the store of these keys, and the masks that hide both. */
import { apartFrom } from "../access/admin.ts";
import { cachedKeys } from "../access/cached_keys.ts";
import { type TokenCheck, tokenCheck, type TokenNeed } from "../access/credentials.ts";
import { type GatewayAllowance, type GatewayMeter, gatewayMeter } from "../access/gateway_allowance.ts";
import type { GatewayToken } from "../access/gateway_token.ts";
import { withKeys } from "../access/key_texts.ts";
import { answerMasks, type Masks } from "../access/secrets.ts";
import { type Meter, meter, type Teams } from "../access/metered.ts";
import { type VirtualKeys, virtualKeys } from "../access/virtual_keys.ts";
import { readMetadata } from "../log/metadata.ts";
import { IS_PROCESS } from "../context.ts";
import { type GuardParts, storeGuard } from "../policies/store_guard.ts";
import { type Keys, memoryKeys, sqlKeys } from "../stores/keys.ts";
import type { Sql } from "../stores/sql.ts";
import type { checkOptions } from "./options.ts";

/** The parts of the config that tell who may use the gateway. */
export interface Access {
  tokens: TokenCheck;
  teams: Teams;
  /** Limits and budgets of whole gateways, by their ids. */
  gateways: ReadonlyMap<string, GatewayAllowance>;
  /** Adds those of its gateway to a caller's; absent if there are none. */
  meterGateway?: GatewayMeter;
  /** Finds whose limits hold for a token or a key. */
  meter: Meter;
  virtualKeys: Keys;
  /** The masks of an answer, by the stored key that the request was sent with, if any, and the token that was minted for it. */
  masks: (key?: string, minted?: string) => Masks;
}

/** What the check is made of, besides the options. */
interface Parts {
  tokens: readonly GatewayToken[];
  teams: Teams;
  gateways: ReadonlyMap<string, GatewayAllowance>;
  /** Names of the headers that may hold a credential. */
  names: readonly string[];
  /** Whether a request without a token is let in, although there are tokens, until there is a virtual key. */
  openUntilKeys: boolean;
  /** Keeps virtual keys; in memory if it is absent. */
  sql?: Sql;
  now: () => number;
  /** What tells and counts the failures of that store. */
  guarding: Omit<GuardParts, "name">;
}

/**
 * Makes these parts.
 *
 * @throws TypeError if tokens are required, and there can be none.
 */
export function accessOf(
  { tokenRequired, adminToken, metrics, store }: ReturnType<typeof checkOptions>,
  { tokens, teams, gateways, names, openUntilKeys, now, ...parts }: Parts,
): Access {
  if (tokenRequired && tokens.length === 0 && store === undefined && adminToken === undefined) {
    throw new TypeError(
      "Cannot use option tokenRequired: there are no tokens, and no virtual key can be made; set the option tokens or adminToken",
    );
  }
  const required: TokenNeed = tokenRequired ?? (tokens.length > 0 && !openUntilKeys || "with keys");
  const kept = keysOf({ now, ...parts });
  const keys = virtualKeys(kept, now);
  const finds = meter(teams, now, readMetadata);
  const check = tokenCheck(tokens, required, names, keys, finds);
  const ofUsers = apartFrom(adminToken, "the operator's token", check, names);
  return {
    tokens: apartFrom(metrics?.token, "the token for metrics", ofUsers, names),
    teams,
    gateways,
    meterGateway: gatewayMeter(gateways),
    meter: finds,
    virtualKeys: kept,
    masks: keyMasks(tokens.map(({ token }) => token), keys),
  };
}

/** The longest wait for the first answer of a database, in milliseconds: it may have to make its tables. */
const FIRST_MS = 5000;

/** The keys in a database, or in memory. */
function keysOf({ sql, now, guarding }: Pick<Parts, "sql" | "now" | "guarding">): Keys {
  // Each isolate of a Worker would have keys of its own.
  if (!sql) return memoryKeys(IS_PROCESS ? undefined : 0);
  const guard = storeGuard({ ...guarding, name: "the store of virtual keys", firstMs: FIRST_MS });
  return cachedKeys(sqlKeys(sql), { guard, now });
}

/** As `answerMasks`. Masks for errors also hide virtual keys, if the gateway may have any. */
function keyMasks(tokens: readonly string[], keys: VirtualKeys): Access["masks"] {
  const masksOf = answerMasks(tokens);
  const made = new WeakMap<Masks, Masks>();
  return (key, minted) => {
    const masks = masksOf(key, minted);
    if (tokens.length === 0 && !keys.isKnown) return masks;
    let both = made.get(masks);
    if (!both) made.set(masks, both = { answer: masks.answer, error: withKeys(masks.error) });
    return both;
  };
}
