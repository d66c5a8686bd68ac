/** Decides who may use the gateway, and separates its tokens from the providers' keys. */
import { GatewayError, quote } from "../../wires/errors.ts";
import type { Provider } from "../../providers/types.ts";
import type { Metered, TokenBudget, TokenLimits } from "../policies/token_limits.ts";
import { matchesModel } from "../targets/model_patterns.ts";
import { basicPair, credential, decodeParam, isPlaceholder } from "./credential_texts.ts";
import { equal, hash } from "./hash.ts";
import { isProxyParam } from "./proxy_headers.ts";
import { tokenFinder } from "./secrets.ts";

/**
 * A gateway token.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type GatewayToken } from "../../mod.ts";
 *
 * const token: GatewayToken = { token: "secret", providers: ["demo"] };
 * const { fetch } = createGateway({ tokens: [token] });
 * const models = (headers?: HeadersInit) => fetch(new Request("http://localhost/v1/models", { headers }));
 * assertEquals((await models()).status, 401);
 * assertEquals((await models({ authorization: "Bearer secret" })).status, 200);
 * ```
 */
export interface GatewayToken {
  /** The secret itself. */
  token: string;
  /** The name for the token in rows of requests. Default: eight letters and digits of a hash, which do not tell the token. */
  name?: string;
  /** Gateway ids that it opens; absent for all. */
  gateways?: readonly string[];
  /** Provider names that it opens; absent for all. */
  providers?: readonly string[];
  /** The models that it opens, as `{provider}/{model}` with at most one `*`: `openai/gpt-*`. Absent for all. */
  models?: readonly string[];
  /** What it may ask for. Default: no limits. */
  limits?: TokenLimits;
  /** What it may spend. All of them hold. Default: no budget. */
  budgets?: readonly TokenBudget[];
  /** Whether a token with a budget may use models whose price is not known. They cost its budgets nothing. Default `refuse`. */
  unknownPrice?: "refuse" | "allow";
}

/** Headers in which clients send a provider's key, the usual one first. Rows may add others. */
const KEY_HEADERS = ["authorization", "x-api-key", "x-goog-api-key", "api-key", "xi-api-key"];

/** Every header in which a client may send a key of one of these providers, in lower case. */
export function keyHeaders(providers: Iterable<Provider>): readonly string[] {
  return [...new Set([...KEY_HEADERS, ...[...providers].map(({ auth }) => auth.header.toLowerCase())])];
}

/** The header in which Cloudflare's clients send the gateway's token. */
export const OWN_HEADER = "cf-aig-authorization";
const OWN_SUBPROTOCOL = "cf-aig-authorization.";

/** At most this many credentials of one header, or of one query, are checked one by one. */
const MOST_CREDENTIALS = 8;

/** The query parameters in which some providers take their key. */
const KEY_PARAM = /^(?:key|api_key)=(.+)$/;

/** Whether a path below a provider has a key in its query. */
export const hasQueryKey = (endpoint: string) => paramsOf(endpoint).some((param) => KEY_PARAM.test(param));

/**
 * A query with its `?`, for a provider that takes keys only in headers. Parameters are left out that bring a key, hold a gateway
 * token or belong to a front proxy, and the version of Azure's API, which the row decides.
 */
export function keylessQuery(query: string, tokens: Pick<TokenCheck, "ownQuery">): string {
  const kept = tokens.ownQuery(query).slice(1).split("&").filter((param) =>
    param !== "" && !KEY_PARAM.test(param) && !param.startsWith("api-version=")
  );
  return kept.length > 0 ? `?${kept.join("&")}` : "";
}

const paramsOf = (url: string) => url.includes("?") ? url.slice(url.indexOf("?") + 1).split("&") : [];

/** Who sent a request. */
export interface Caller {
  /** Whether the caller may use stored keys: it presented a gateway token, or is the program that made the gateway. */
  trusted: boolean;
  /** The name of the caller's token, or its default name. */
  token?: string;
  /** Tells the caller's token from all others: its name, or its hash. */
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
  /** Whether a text, e.g. a header's value, holds a token anywhere. Absent if the gateway has no tokens. */
  holds?: (text: string) => boolean;
  /** Set if the gateway has no tokens. */
  isEmpty?: true;
  /** Whether a request without a token is refused. */
  isRequired: boolean;
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
}

/**
 * Makes the check of gateway tokens.
 *
 * @param required Whether a request without a token is refused. If not, it may still use its own provider keys.
 * @param names The headers that may hold a key, from `keyHeaders`.
 */
export function tokenCheck(
  tokens: readonly GatewayToken[],
  required: boolean,
  names: readonly string[],
): TokenCheck {
  const { find, findIn, partValue, findInQuery } = tokenSearch(tokens);

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
  async function part(headers: Headers): Promise<{ keys: Map<string, string>; token?: NamedToken }> {
    const keys = given(headers);
    const own = headers.get(OWN_HEADER);
    let token = own === null ? undefined : await findIn(own);
    for (const [name, value] of keys) {
      const { found, rest } = await partValue(value);
      token ??= found;
      if (rest === undefined) keys.delete(name);
      else keys.set(name, rest);
    }
    for (const protocol of headers.get("sec-websocket-protocol")?.split(",") ?? []) {
      const text = protocol.trim();
      if (text.startsWith(OWN_SUBPROTOCOL)) token ??= await find(text.slice(OWN_SUBPROTOCOL.length));
    }
    return { keys, token };
  }

  async function admit(
    { headers, url }: Request,
    gateway: string | undefined | null,
    insider: boolean,
  ): Promise<Caller> {
    const { keys, token: inHeaders } = await part(headers);
    const token = inHeaders ?? await findInQuery(url);
    if (!token) {
      const stranger = placeOfCredential(headers, keys, url);
      if (!required || insider) return { ...unlimited(insider, keys), stranger };
      throw unauthorized(stranger === undefined ? NO_TOKEN : noSuchToken(stranger));
    }
    const { gateways, providers, models, limits, budgets, unknownPrice, name } = token;
    if (gateways && gateway !== null && !(gateway !== undefined && gateways.includes(gateway))) {
      throw unauthorized("its token is not for this gateway");
    }
    const opens = ({ name }: Provider) => !providers || providers.includes(name);
    const opensModel = ({ name }: Provider, model: string | undefined) =>
      !models || model === undefined || matchesModel(models, name, model);
    return {
      trusted: true,
      token: name,
      tenant: token.tenant,
      keys,
      metered: limits || budgets ? { name, limits, budgets, unknownPrice } : undefined,
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

  if (tokens.length > 0) {
    const holds = tokenFinder(tokens.map(({ token }) => token));
    return {
      holds,
      isRequired: required,
      admit,
      keys: async (headers) => (await part(headers)).keys,
      ownQuery: (endpoint) => ownQuery(endpoint, holds),
    };
  }
  // Without tokens nothing is hashed, so `admit` returns its result without a promise.
  return {
    isEmpty: true,
    isRequired: false,
    admit: ({ headers }, _, insider) => unlimited(insider, given(headers)),
    keys: (headers) => Promise.resolve(given(headers)),
    ownQuery,
  };
}

/** A token with the name that it was given, or its default name. `tenant` tells it from all others. */
type NamedToken = GatewayToken & { name: string; tenant: string };

/** Finds gateway tokens in texts that clients send. */
function tokenSearch(tokens: readonly GatewayToken[]) {
  // Compares hashes, in constant time: the duration of a comparison of texts would tell how many characters were right.
  let hashed: Promise<(NamedToken & { hash: Uint8Array })[]> | undefined;

  async function find(text: string): Promise<NamedToken | undefined> {
    // Made with the first request: a Worker cannot hash outside of one.
    hashed ??= Promise.all(tokens.map(async (token) => ({
      ...token,
      name: token.name ?? await nameOf(token.token),
      tenant: token.name === undefined ? `hash ${await hash(token.token)}` : `name ${token.name}`,
      hash: await hash(token.token),
    })));
    const wanted = await hash(text);
    let found: NamedToken | undefined;
    for (const token of await hashed) if (equal(token.hash, wanted)) found = token;
    return found;
  }

  /** The token in one credential, with or without its scheme. */
  async function findIn(value: string): Promise<NamedToken | undefined> {
    let found = await find(credential(value));
    for (const half of basicPair(value)) found ??= await find(half);
    return found;
  }

  /** Separates our token from the rest of a header's value: two headers of one name arrive as one, with a comma. */
  async function partValue(value: string): Promise<{ found?: NamedToken; rest?: string }> {
    const whole = await findIn(value);
    if (whole) return { found: whole };
    // The value may be a signature, which may have any number of commas.
    const list = value.split(",", MOST_CREDENTIALS + 1);
    if (list.length === 1 || list.length > MOST_CREDENTIALS) return { rest: value };
    let found: NamedToken | undefined;
    const others: string[] = [];
    for (const one of list) {
      const token = await findIn(one);
      found ??= token;
      if (!token) others.push(one);
    }
    return { found, rest: others.length > 0 ? others.join(",").trim() : undefined };
  }

  /** The token in the query of a URL, where some clients put their key. */
  async function findInQuery(url: string): Promise<NamedToken | undefined> {
    const written = paramsOf(url).filter((param) => KEY_PARAM.test(param));
    if (written.length > MOST_CREDENTIALS) return undefined;
    let token: NamedToken | undefined;
    for (const param of written) token ??= await find(decodeParam(KEY_PARAM.exec(param)![1]));
    return token;
  }

  return { find, findIn, partValue, findInQuery };
}

function ownQuery(endpoint: string, holds: (text: string) => boolean = () => false): string {
  const mark = endpoint.indexOf("?");
  if (mark < 0) return endpoint;
  const params = endpoint.slice(mark + 1).split("&");
  const own = params.filter((param) => !holds(param) && !isProxyParam(decodeParam(param.split("=", 1)[0])));
  if (own.length === params.length) return endpoint;
  return endpoint.slice(0, mark) + (own.length > 0 ? `?${own.join("&")}` : "");
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

/** The default name of a token: 32 bits of a hash, which very many texts share, so that it does not tell the token. */
async function nameOf(token: string): Promise<string> {
  const bytes = await hash(`the name of ${token}`);
  return Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
