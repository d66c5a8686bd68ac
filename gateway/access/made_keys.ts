/** Keys that functions of the operator's get when they are needed, e.g. from a vault or by a cloud's own library. */
import { keySetFault } from "../../providers/sign/key_set.ts";
import { jwtEnd } from "../../providers/sign/short_lived.ts";
import { dropToken, tokenOf } from "../../providers/sign/tokens.ts";
import type { KeySet } from "../../providers/types.ts";
import { GatewayError } from "../../wires/errors.ts";
import { isObject } from "../../wires/shared/json.ts";
import type { KeyRing } from "./key_ring.ts";

/**
 * What a `MakeKey` gives. Times are in milliseconds since 1970, or a `Date`.
 *
 * @example
 * ```ts
 * import type { MadeKey } from "../../mod.ts";
 *
 * const pair: MadeKey = { accessKeyId: "ASIA…", secretAccessKey: "…", sessionToken: "…", expiration: new Date() };
 * const token: MadeKey = { token: "ey…", expiresOnTimestamp: Date.now() + 3_600_000 };
 * console.log(Object.keys(pair), Object.keys(token));
 * ```
 */
export type MadeKey =
  | string
  | { token: string; expiresOnTimestamp?: number }
  | {
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string;
    region?: string;
    expiration?: Date;
  };

/**
 * Gets a key, in place of a stored one: a text, a token with its end (as `getToken` of `@azure/identity` gives it), or a pair of
 * Amazon's keys (as the providers of `@aws-sdk/credential-providers` give it). Called when the key is first needed, once for all
 * requests that wait; again five minutes before the key's end, or after five minutes if it tells no end; and after a 401.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type MakeKey } from "../../mod.ts";
 *
 * let asked = 0;
 * const fromVault: MakeKey = () => ({ token: `sk-${++asked}`, expiresOnTimestamp: Date.now() + 3_600_000 });
 * const gateway = createGateway({
 *   keys: { openai: fromVault },
 *   fetch: (_, { headers }) => Promise.resolve(Response.json({ sent: new Headers(headers).get("authorization") })),
 * }).gateway("default");
 * const models = async () => await (await gateway.run({ provider: "openai", endpoint: "models", query: {} })).json();
 * assertEquals([await models(), await models(), asked], [{ sent: "Bearer sk-1" }, { sent: "Bearer sk-1" }, 1]);
 * ```
 */
export type MakeKey = () => MadeKey | Promise<MadeKey>;

/** Milliseconds for which a key counts that does not tell its end. Half of them are used, see `tokenOf`. */
const LASTS_MS = 600_000;

/** Keys and their sets are printable; JSON may have lines. */
const PRINTABLE = /^[\x20-\x7e]+$|^\{[\x20-\x7e\r\n\t]+$/;

/**
 * The ring of one function's key.
 *
 * @param name The provider's name, for errors.
 */
export function madeRing(
  name: string,
  make: MakeKey,
  keySet: KeySet | undefined,
  now: () => number,
): KeyRing {
  const fault = (why: string, cause?: unknown) =>
    new GatewayError(
      "upstream_unreachable",
      `Cannot sign in to ${name}: the function in the option keys ${why}`,
      {
        metadata: { provider: name },
        cause,
      },
    );

  async function mint() {
    let made: unknown;
    try {
      made = await make();
    } catch (cause) {
      // Its own words may hold a secret.
      throw cause instanceof GatewayError ? cause : fault("failed", cause);
    }
    const { key, endsAt } = read(made, keySet);
    if (key === undefined) throw fault("gave no key");
    const wrong = keySet && keySetFault(key, keySet);
    if (wrong !== undefined) throw fault(`gave a set that is not one: ${wrong}`);
    return { token: key, endsAt: endsAt ?? jwtEnd(key) ?? now() + LASTS_MS };
  }

  const ring = {};
  let current: string | undefined;
  return {
    isFree: () => true,
    ready() {
      const key = tokenOf(ring, "", now(), mint);
      if (typeof key !== "string") return key.then((made) => void (current = made));
      current = key;
    },
    take() {
      const key = current;
      return {
        key,
        report({ status }) {
          if (key !== undefined && status === 401) dropToken(ring, "", key);
        },
      };
    },
  };
}

/** Reads what a function gave. Without a key if it is none. */
function read(made: unknown, keySet: KeySet | undefined): { key?: string; endsAt?: number } {
  if (typeof made === "string") return { key: PRINTABLE.test(made) ? made.trim() : undefined };
  if (!isObject(made)) return {};
  const { token, expiresOnTimestamp, expiration } = made;
  const endsAt = expiration instanceof Date ? expiration.getTime() : expiresOnTimestamp;
  const ends = { endsAt: typeof endsAt === "number" && Number.isFinite(endsAt) ? endsAt : undefined };
  if (typeof token === "string") return { ...read(token, keySet), ...ends };
  if (!keySet) return {};
  // A cloud's library tells more of a key than its signature needs, e.g. the account.
  const members = [...keySet.needs, ...keySet.may ?? []].filter((member) => typeof made[member] === "string");
  const set = Object.fromEntries(members.map((member) => [member, made[member]]));
  return members.length === 0 ? {} : { key: JSON.stringify(set), ...ends };
}
