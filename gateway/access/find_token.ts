/** Finds gateway tokens and virtual keys in the credentials that clients send. */
import { hex } from "../../wires/shared/hex.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { Metadata } from "../stores/log_row.ts";
import { basicPair, credential, decodeParam } from "./credential_texts.ts";
import type { GatewayToken } from "./gateway_token.ts";
import { equal, hash } from "./hash.ts";
import { isSecret } from "./key_texts.ts";
import { KEY_PARAM, paramsOf } from "./query.ts";
import type { VirtualKeys } from "./virtual_keys.ts";

/** At most this many credentials of one header, or of one query, are checked one by one. */
const MOST_CREDENTIALS = 8;

/** A token, or a virtual key. */
export interface Holder extends Omit<GatewayToken, "token"> {
  name: string;
  /** Tells it from all others, for the cache of answers. */
  tenant: string;
  /** The id of a virtual key. */
  id?: string;
  /** A virtual key's entries for rows. */
  metadata?: Metadata;
}

/** What was found in the credentials of one request. */
export interface Seen {
  holder?: Holder;
  /** The reason why a virtual key opens nothing. */
  fault?: GatewayError;
}

/** Finds tokens and keys. Each function notes what it finds, and tells whether there was something that is not the provider's. */
export interface TokenSearch {
  /** Looks at a text. */
  look(text: string, seen: Seen): Promise<boolean>;
  /** Looks at one credential, with or without its scheme. */
  lookIn(value: string, seen: Seen): Promise<boolean>;
  /** Looks at the query of a URL, where some clients put their key. */
  lookInQuery(url: string, seen: Seen): Promise<void>;
  /**
   * Separates what is ours from the rest of a header's value: two headers of one name arrive as one, with a comma.
   *
   * @returns The rest, if there is one.
   */
  partValue(value: string, seen: Seen): Promise<string | undefined>;
  /** The gateway tokens of the options. */
  tokens(): Promise<readonly Holder[]>;
}

/** Makes the search. */
export function tokenSearch(tokens: readonly GatewayToken[], keys: VirtualKeys): TokenSearch {
  // Compares hashes, in constant time: the duration of a comparison of texts would tell how many characters were right.
  let hashed: Promise<(Holder & { hash: Uint8Array })[]> | undefined;

  // Made with the first request: a Worker cannot hash outside of one.
  const known = () =>
    hashed ??= Promise.all(tokens.map(async ({ token, ...about }) => ({
      ...about,
      name: about.name ?? await nameOf(token),
      tenant: about.name === undefined ? `hash ${await hash(token)}` : `name ${about.name}`,
      hash: await hash(token),
    })));

  async function look(text: string, seen: Seen): Promise<boolean> {
    if (tokens.length > 0) {
      const wanted = await hash(text);
      let found: Holder | undefined;
      for (const token of await known()) if (equal(token.hash, wanted)) found = token;
      seen.holder ??= found;
      if (found) return true;
    }
    if (!isSecret(text)) return false;
    try {
      const { id, name, about } = await keys.find(text);
      seen.holder ??= { ...about, id, name, tenant: `key ${id}` };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      seen.fault ??= error;
    }
    return true;
  }

  async function lookIn(value: string, seen: Seen): Promise<boolean> {
    if (await look(credential(value), seen)) return true;
    for (const half of basicPair(value)) if (await look(half, seen)) return true;
    return false;
  }

  return {
    look,
    lookIn,
    tokens: known,
    async partValue(value, seen) {
      if (await lookIn(value, seen)) return undefined;
      // The value may be a signature, which may have any number of commas.
      const list = value.split(",", MOST_CREDENTIALS + 1);
      if (list.length === 1 || list.length > MOST_CREDENTIALS) return value;
      const others: string[] = [];
      for (const one of list) if (!await lookIn(one, seen)) others.push(one);
      return others.length === list.length ? value : others.join(",").trim() || undefined;
    },
    async lookInQuery(url, seen) {
      const written = paramsOf(url).filter((param) => KEY_PARAM.test(param));
      if (written.length > MOST_CREDENTIALS) return;
      for (const param of written) await look(decodeParam(KEY_PARAM.exec(param)![1]), seen);
    },
  };
}

/** The default name of a token: 32 bits of a hash, which very many texts share, so that it does not tell the token. */
async function nameOf(token: string): Promise<string> {
  const bytes = await hash(`the name of ${token}`);
  return hex(bytes.subarray(0, 4));
}
