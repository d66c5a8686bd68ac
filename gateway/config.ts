/** What a program set, checked and with every default. */
import {
  compatible,
  findProvider,
  indexProviders,
  PROVIDERS,
  type WireName,
  WIRES,
} from "../providers/table.ts";
import type { Provider } from "../providers/types.ts";
import {
  type GatewayToken,
  keyHeaders,
  type KeyStore,
  keyStore,
  type StoredKeys,
  type TokenCheck,
  tokenCheck,
} from "./credentials.ts";
import { checkOptions, type LogEntry, type Options } from "./options.ts";
import { DEFAULTS, type PolicySettings } from "./policies/settings.ts";
import { type Timer, type Wait, wait } from "./policies/timers.ts";

/** Options with every default filled in. */
export interface Config {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** By name and alias. */
  providers: ReadonlyMap<string, Provider>;
  maxBodyBytes: number;
  strict: boolean;
  origins: readonly string[];
  /** Hosts that are answered besides loopback; `undefined` for any host. */
  hosts?: ReadonlySet<string>;
  tokens: TokenCheck;
  keys: KeyStore;
  /** Names of headers that may hold a provider's key. */
  keyHeaders: readonly string[];
  policy: PolicySettings;
  streamIdleTimeoutMs: number;
  account?: string;
  url?: string;
  now: () => number;
  /** Measures durations. */
  timer: Timer;
  random: () => number;
  wait: Wait;
  log: (entry: LogEntry) => void;
}

/**
 * Fills in the defaults.
 *
 * @throws TypeError that names the option at fault.
 */
export function readOptions(options: Options): Config {
  const read = checkOptions(options);
  const now = options.now ?? Date.now;
  const providers = readProviders(options.providers, read.allowHttp ?? false);
  const credentials = keyHeaders(providers.values());
  const tokens = readTokens(read.tokens, providers);
  if (read.tokenRequired && tokens.length === 0) {
    throw new TypeError("Cannot use option tokenRequired: there are no tokens");
  }
  return {
    // Looked up at each call: a Worker's global fetch must not be taken off its object.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    providers,
    maxBodyBytes: read.limits?.maxBodyBytes ?? 64 * 2 ** 20,
    strict: read.strict ?? false,
    origins: read.origins ?? [],
    hosts: read.hosts && new Set([...read.hosts, ...read.url ? [new URL(read.url).host] : []]),
    tokens: tokenCheck(tokens, read.tokenRequired ?? tokens.length > 0, credentials),
    keyHeaders: credentials,
    keys: keyStore(readKeys(read.keys, providers), now),
    policy: {
      ...DEFAULTS,
      ...defined(read.retries),
      ...defined({ requestTimeoutMs: read.requestTimeoutMs }),
    },
    streamIdleTimeoutMs: read.streamIdleTimeoutMs ?? 0,
    account: read.account,
    url: read.url,
    now,
    timer: options.now ?? (() => performance.now()),
    random: options.random ?? Math.random,
    wait: options.wait ?? wait,
    log: options.log ?? (() => {}),
  };
}

const defined = <T extends object>(from: T = {} as T): { [K in keyof T]: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };

/** The row of each wire's own author: others who speak it mostly take keys and list models as that does. */
const AUTHORS: Record<WireName, string> = {
  anthropic: "anthropic",
  cohere: "cohere",
  gemini: "google-ai-studio",
  openai: "openai",
  perplexity: "perplexity-agent",
};

/** Rows of one's own are found as `{slug}` and, as in the service we replace, as `custom-{slug}`. */
const CUSTOM = "custom-";

function readProviders(
  changes: Options["providers"] = {},
  allowHttp: boolean,
): ReadonlyMap<string, Provider> {
  const providers = new Map(PROVIDERS);
  for (const [name, { wire, baseUrl, ...columns }] of Object.entries(changes)) {
    const known = findProvider(name);
    const base = baseUrl?.replace(/\/+$/, "");
    const changed = defined({ ...columns, baseUrl: base, wire: wire && WIRES[wire] });
    if (known) {
      providers.set(known.name, { ...known, ...changed });
      continue;
    }
    if (!/^[\w.-]+$/.test(name) || name === "compat") {
      throw new TypeError(`Cannot use option providers.${name}: it is no name that a model can begin with`);
    }
    const option = `providers.${name}.baseUrl`;
    if (base === undefined) {
      throw new TypeError(`Cannot use option ${option}: a provider that is not in the table needs one`);
    }
    if (!allowHttp && !/^(https:|http:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/]|$))/.test(base)) {
      throw new TypeError(`Cannot use option ${option}: it must be https unless allowHttp is set`);
    }
    const { auth, modelsPath } = PROVIDERS.get(AUTHORS[wire ?? "openai"])!;
    const slug = name.startsWith(CUSTOM) ? name.slice(CUSTOM.length) : name;
    providers.set(name, {
      name,
      aliases: [name === slug ? CUSTOM + slug : slug],
      ...compatible(base, { auth, modelsPath, ...changed }),
    });
  }
  return indexProviders(providers.values());
}

function readTokens(
  tokens: Options["tokens"] = [],
  providers: ReadonlyMap<string, Provider>,
): GatewayToken[] {
  const texts = tokens.map((token) => typeof token === "string" ? token : token.token);
  return tokens.map((token, at) => {
    const first = texts.indexOf(texts[at]);
    // With other limits it would be anyone's guess which hold.
    if (first < at) throw new TypeError(`Cannot use option tokens.${at}: it is the same as tokens.${first}`);
    if (typeof token === "string") return { token };
    const names = token.providers?.map((name) => {
      const provider = providers.get(name);
      if (provider) return provider.name;
      throw new TypeError(
        `Cannot use option tokens.${at}.providers: there is no provider ${JSON.stringify(name)}`,
      );
    });
    return { ...token, providers: names };
  });
}

function readKeys(
  keys: Record<string, StoredKeys> = {},
  providers: ReadonlyMap<string, Provider>,
): Map<string, StoredKeys> {
  const read = new Map<string, StoredKeys>();
  for (const [name, stored] of Object.entries(keys)) {
    const provider = providers.get(name);
    if (!provider) throw new TypeError(`Cannot use option keys.${name}: there is no such provider`);
    read.set(provider.name, stored);
  }
  return read;
}
