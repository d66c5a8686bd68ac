/** Decides who may use the gateway, and separates its tokens from the providers' keys. */
import { GatewayError, quote } from "../../wires/errors.ts";
import type { Provider } from "../../providers/types.ts";
import type { Metered } from "../policies/token_limits.ts";
import type { Metadata } from "../stores/log_row.ts";
import { matchesModel } from "../targets/model_patterns.ts";
import { credential, isPlaceholder } from "./credential_texts.ts";
import { type Holder, type Seen, tokenSearch } from "./find_token.ts";
import type { GatewayToken } from "./gateway_token.ts";
import type { Meter } from "./metered.ts";
import { hasQueryKey, ownQuery } from "./query.ts";
import { tokenFinder } from "./secrets.ts";
import { holdsKey } from "./key_texts.ts";
import type { VirtualKeys } from "./virtual_keys.ts";

/** Headers in which clients send a provider's key, the usual one first. Rows may add others. */
const KEY_HEADERS = ["authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key"];

/** Every header in which a client may send a key of one of these providers, in lower case. */
export function keyHeaders(providers: Iterable<Provider>): readonly string[] {
  return [...new Set([...KEY_HEADERS, ...[...providers].map(({ auth }) => auth.header.toLowerCase())])];
}

/** The header in which Cloudflare's clients send the gateway's token. */
export const OWN_HEADER = "cf-aig-authorization";
const OWN_SUBPROTOCOL = "cf-aig-authorization.";

/** Who sent a request. */
export interface Caller {
  /** Whether the caller may use stored keys: it presented a gateway token, or is the program that made the gateway. */
  trusted: boolean;
  /** The name of the caller's token, or its default name. */
  token?: string;
  /** The id of the caller's virtual key. */
  id?: string;
  /** Tells the caller's token from all others: its name, its hash, or the id of a key. */
  tenant?: string;
  /** The provider's keys in the request: header values by name, the usual header first. */
  keys: ReadonlyMap<string, string>;
  /** The place of a credential that is not a gateway token, e.g. `authorization`. Only for a caller without a token. */
  stranger?: string;
  /** What the caller's token opens; absent for all. */
  gateways?: readonly string[];
  providers?: readonly string[];
  models?: readonly string[];
  /** The caller's token, if it has limits or budgets. */
  metered?: Metered;
  /** Finds `metered` for other headers, where it depends on them. */
  meter?: (headers: Headers) => Metered | undefined;
  /** Entries for the rows of requests with the caller's virtual key. */
  metadata?: Metadata;
  /** Whether the caller's token opens a provider, and one of its models. */
  allows(provider: Provider, model?: string): boolean;
  /**
   * @param model The provider's name for the model.
   * @throws GatewayError `unauthorized` for a provider that the token does not open, `forbidden` for such a model.
   */
  check(provider: Provider, model?: string): void;
}

/** The check of gateway tokens. */
export interface TokenCheck {
  /** Whether a text, e.g. a header's value, holds a token or a virtual key anywhere. Absent if the gateway has none. */
  readonly holds?: (text: string) => boolean;
  /** Whether the gateway has neither tokens nor virtual keys. */
  readonly isEmpty: boolean;
  /** Whether a request without a token is refused. */
  readonly isRequired: boolean;
  /**
   * Finds out who sent a request.
   *
   * @param gateway `null` for a request that is about no gateway, and may hold a token of any.
   * @param insider Whether the sender is the program that made the gateway: it needs no token.
   * @throws GatewayError `unauthorized` if a token is required and missing, or if the token is for another gateway.
   */
  admit(request: Request, gateway: string | undefined | null, insider: boolean): Promise<Caller> | Caller;
  /** The providers' keys among a step's headers. */
  keys(headers: Headers): Promise<ReadonlyMap<string, string>>;
  /** A path below a provider, without the query parameters that hold a gateway token or belong to a front proxy. */
  ownQuery(endpoint: string): string;
  /** The gateway tokens of the options. */
  tokens(): Promise<readonly Holder[]>;
}

/** Whether a request without a token is refused: always, never, or from the time on at which the first virtual key was made. */
export type TokenNeed = boolean | "with keys";

/**
 * Makes the check of gateway tokens and virtual keys.
 *
 * @param required Whether a request without a token is refused. If not, it may still use its own provider keys.
 * @param names The headers that may hold a key, from `keyHeaders`.
 * @param meter Finds whose limits hold. Default: nobody's do.
 */
export function tokenCheck(
  tokens: readonly GatewayToken[],
  required: TokenNeed,
  names: readonly string[],
  keys: VirtualKeys,
  meter: Meter = () => undefined,
): TokenCheck {
  const search = tokenSearch(tokens, keys);

  /** The headers that hold a credential. Placeholders of SDKs do not count. */
  function given(headers: Headers): Map<string, string> {
    const keys = new Map<string, string>();
    for (const name of names) {
      const value = headers.get(name);
      if (value !== null && !isPlaceholder(credential(value))) keys.set(name, value);
    }
    return keys;
  }

  /** Separates our token from the providers' keys. */
  async function part(headers: Headers): Promise<Seen & { keys: Map<string, string> }> {
    const keys = given(headers);
    const seen: Seen = {};
    const own = headers.get(OWN_HEADER);
    if (own !== null) await search.lookIn(own, seen);
    for (const [name, value] of keys) {
      const rest = await search.partValue(value, seen);
      if (rest === undefined) keys.delete(name);
      else keys.set(name, rest);
    }
    for (const protocol of headers.get("sec-websocket-protocol")?.split(",") ?? []) {
      const text = protocol.trim();
      if (text.startsWith(OWN_SUBPROTOCOL)) await search.look(text.slice(OWN_SUBPROTOCOL.length), seen);
    }
    return { ...seen, keys };
  }

  async function admit(
    { headers, url }: Request,
    gateway: string | undefined | null,
    insider: boolean,
  ): Promise<Caller> {
    const { keys: own, ...seen } = await part(headers);
    if (!seen.holder) await search.lookInQuery(url, seen);
    const { holder, fault } = seen;
    if (!holder) {
      if (fault) throw fault;
      const stranger = placeOfCredential(headers, own, url);
      const isOpen = insider || !(required === "with keys" ? await keys.isUsed() : required);
      if (isOpen) return { ...unlimited(insider, own), stranger };
      throw unauthorized(stranger === undefined ? NO_TOKEN : noSuchToken(stranger));
    }
    return callerOf(holder, own, gateway, (headers) => meter(holder, headers), headers);
  }

  /** Serves a gateway that has neither tokens nor keys. Nothing is hashed, so the result is no promise. */
  function admitAll(request: Request, gateway: string | undefined | null, insider: boolean) {
    const own = given(request.headers);
    for (const value of own.values()) {
      // A key of another gateway, or of this one before it was started again, is not for a provider.
      if (value.includes("sl-")) return admit(request, gateway, insider);
    }
    return unlimited(insider, own);
  }

  function admitOpen(request: Request, gateway: string | undefined | null, insider: boolean) {
    const used = required === true || keys.isUsed();
    if (used instanceof Promise) return admitLater(used, request, gateway, insider);
    return used ? admit(request, gateway, insider) : admitAll(request, gateway, insider);
  }

  async function admitLater(
    used: Promise<boolean>,
    request: Request,
    gateway: string | undefined | null,
    insider: boolean,
  ): Promise<Caller> {
    try {
      if (!await used) return await admitAll(request, gateway, insider);
    } catch (error) {
      if (required !== false && !insider) throw error;
    }
    return await admit(request, gateway, insider);
  }

  const finds = tokens.length > 0 ? tokenFinder(tokens.map(({ token }) => token)) : undefined;
  const holds = (text: string) => finds?.(text) || holdsKey(text);
  return {
    get holds() {
      return finds || keys.isKnown ? holds : undefined;
    },
    get isEmpty() {
      return !finds && !keys.isKnown;
    },
    get isRequired() {
      return required === "with keys" ? keys.isKnown : required;
    },
    admit: finds ? admit : admitOpen,
    keys: async (headers) => (await part(headers)).keys,
    ownQuery: (endpoint) => ownQuery(endpoint, finds || keys.isKnown ? holds : undefined),
    tokens: search.tokens,
  };
}

/**
 * The caller with a token or a virtual key.
 *
 * @param keys The provider's keys in the request.
 * @throws GatewayError `unauthorized` if the token is for another gateway.
 */
function callerOf(
  holder: Holder,
  keys: Caller["keys"],
  gateway: string | undefined | null,
  meter: (headers: Headers) => Metered | undefined,
  headers: Headers,
): Caller {
  const { gateways, providers, models, name, id, tenant, metadata } = holder;
  if (gateways && gateway !== null && !(gateway !== undefined && gateways.includes(gateway))) {
    throw unauthorized("its token is not for this gateway");
  }
  const opens = ({ name }: Provider) => !providers || providers.includes(name);
  const opensModel = ({ name }: Provider, model: string | undefined) =>
    !models || model === undefined || matchesModel(models, name, model);
  return {
    trusted: true,
    token: name,
    id,
    tenant,
    keys,
    metadata,
    metered: meter(headers),
    meter: holder.each && meter,
    gateways,
    providers,
    models,
    allows: (provider, model) => opens(provider) && opensModel(provider, model),
    check(provider, model) {
      if (!opens(provider)) throw unauthorized(`its token is not for provider ${provider.name}`);
      if (!opensModel(provider, model)) throw notForModel(provider, model!);
    },
  };
}

const yes = () => true, pass = () => {};

/** A caller who may use every provider. */
const unlimited = (trusted: boolean, keys: Caller["keys"]): Caller => ({
  trusted,
  keys,
  allows: yes,
  check: pass,
});

const notForModel = ({ name }: Provider, model: string) =>
  new GatewayError(
    "forbidden",
    `Cannot serve the request: its token is not for ${quote(`${name}/${model}`)}`,
  );

export const unauthorized = (why: string) =>
  new GatewayError("unauthorized", `Cannot serve the request: ${why}`);

const NO_TOKEN = `it needs a gateway token, in the place of an API key or as ${OWN_HEADER}: Bearer TOKEN`;

const noSuchToken = (place: string) =>
  `there is no such gateway token as the one in ${place}; send a token of this gateway in its place` +
  (place === OWN_HEADER ? "" : `, or as ${OWN_HEADER}: Bearer TOKEN beside the provider's key`);

/** The place of a request's credential, which is a wrong token or a provider's key. The likeliest place of a token is first. */
function placeOfCredential(headers: Headers, keys: Caller["keys"], url: string): string | undefined {
  if (headers.has(OWN_HEADER)) return OWN_HEADER;
  const protocol = "sec-websocket-protocol";
  if (headers.get(protocol)?.includes(OWN_SUBPROTOCOL)) return protocol;
  const [name] = keys.keys();
  return name ?? (hasQueryKey(url) ? "the query" : undefined);
}

/** The error for a caller with neither a gateway token nor a key, who asks a provider that has a stored key. */
export function noStoredKey({ name }: Provider, { stranger }: Caller, { isEmpty }: TokenCheck): GatewayError {
  if (isEmpty) {
    return unauthorized(
      `the stored key of ${name} needs a gateway token, and the gateway has none: set the option tokens, ` +
        "or SLUICE_TOKENS, or send a key of your own",
    );
  }
  return unauthorized(
    stranger === undefined
      ? `${NO_TOKEN}, for the stored key of ${name}, or a key of your own`
      : noSuchToken(stranger),
  );
}
