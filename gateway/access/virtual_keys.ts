/** Finds the virtual key that a client sends. */
import { GatewayError } from "../../wires/errors.ts";
import { base64url } from "../../wires/shared/base64.ts";
import { hex } from "../../wires/shared/hex.ts";
import type { Key, KeyFacts, Keys } from "../stores/keys.ts";
import type { Metadata } from "../stores/log_row.ts";
import { UnknownKeys } from "./cached_keys.ts";
import type { GatewayToken } from "./gateway_token.ts";
import { hash } from "./hash.ts";

/** What a virtual key opens, as it was checked when it was saved. */
export interface VirtualKeyFacts extends KeyFacts, Omit<GatewayToken, "token" | "name" | "team"> {
  /** Entries for the rows of its requests. */
  metadata?: Metadata;
}

/** Makes a secret of 256 random bits. */
export const makeSecret = (): string => `sl-${base64url(crypto.getRandomValues(new Uint8Array(32)))}`;

/** The hash of a secret, as it is kept. No salt: a secret of 256 random bits is in no list of texts and their hashes. */
export const hashOf = async (secret: string): Promise<string> => hex(await hash(secret));

/** The virtual keys of a gateway, as its doors need them. */
export interface VirtualKeys {
  /** Whether requests must have a token or a key, because a key was made once. */
  isUsed(): Promise<boolean> | boolean;
  /** The same, as far as it is known without a wait. */
  readonly isKnown: boolean;
  /**
   * The key with this secret.
   *
   * @throws GatewayError `unauthorized` if there is none, or if it opens nothing now; `overloaded` if the store does not answer.
   */
  find(secret: string): Promise<Key & { about: VirtualKeyFacts }>;
}

/** Finds keys in a store. */
export function virtualKeys(keys: Keys, now: () => number): VirtualKeys {
  let isKnown = false;
  const told = (isUsed: boolean) => isKnown = isUsed;
  return {
    get isKnown() {
      return isKnown;
    },
    isUsed() {
      const used = keys.isUsed();
      return used instanceof Promise ? used.then(told, refuse) : told(used);
    },
    async find(secret) {
      const hash = await hashOf(secret);
      let key: Key | undefined;
      try {
        key = await keys.find(hash);
      } catch (error) {
        return refuse(error);
      }
      const at = now();
      if (!key) throw noKey("there is no such virtual key");
      if (key.hash !== hash && key.former!.until <= at) {
        throw noKey("its virtual key was replaced by another");
      }
      const { expires, disabled } = key.about;
      if (disabled) throw noKey("its virtual key is disabled");
      if (expires !== undefined && Date.parse(expires) <= at) throw noKey("its virtual key has expired");
      return key;
    },
  };
}

const noKey = (why: string) =>
  new GatewayError(
    "unauthorized",
    `Cannot serve the request: ${why}; ask the gateway's operator for another`,
  );

/** @throws GatewayError `overloaded`: a store that fails opens nothing, and does not say that there is no such key. */
function refuse(cause: unknown): never {
  const [state, retryMs] = cause instanceof UnknownKeys
    ? ["its key is not known, and too many unknown keys were sent to look it up", cause.retryMs]
    : ["the store of virtual keys does not answer", 1000];
  throw new GatewayError("overloaded", `Cannot serve the request: ${state}`, {
    headers: { "retry-after": `${Math.ceil(retryMs / 1000)}` },
    cause,
  });
}
