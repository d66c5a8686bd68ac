/** Makes the gateway of the served form from its environment. */
import { IS_PROCESS } from "../context.ts";
import { isLoopback } from "../doors/cross_site.ts";
import { type Gateway, gatewayWith } from "../gateway.ts";
import { readOptions } from "../setup/config.ts";
import { SERVED_LIMITS } from "../setup/limits.ts";
import { type Env, readEnv, type Served } from "../setup/env.ts";
import { hex } from "../../wires/shared/hex.ts";
import { readPrices } from "../../providers/prices/table.ts";
import { isUrl, readTable } from "../log/price_source.ts";
import { readStoreUrls, type StoreUrl } from "../stores/read_store_urls.ts";
import { storesAt } from "../stores/store_url.ts";
import type { Sql } from "../stores/sql.ts";
import { isSql, type Stores } from "../stores/stores.ts";
import { STORE_BINDINGS } from "../stores/worker_stores.ts";
import { cannotUse } from "../setup/env_settings.ts";
import { findProvider, PROVIDERS } from "../../providers/table.ts";
import { containerKeys } from "./container_keys.ts";
import { isWritten, jsonLine, type LogLevel, textLine } from "../log/line.ts";
import type { Options } from "../setup/options.ts";
import type { Started } from "./start_lines.ts";

/** How a gateway is served. */
export interface Serving {
  /** The names of all variables, if the runtime tells them. */
  names?: Iterable<string>;
  /**
   * Whether the gateway is one process whose output its operator reads. Only then it makes a token of its own: each of
   * several processes would make another one.
   */
  alone?: boolean;
  /** The text of the file that `SLUICE_CONFIG` names. */
  file?: string;
  /** Warnings of what was read before. */
  told?: readonly string[];
  /** Opens a file. Absent if the runtime cannot read files. */
  open?: OpenFile;
  /** The store of a Worker's bindings. */
  store?: Sql | Stores;
}

/** Opens a file by its path. */
export type OpenFile = (path: string) => Promise<ReadableStream<Uint8Array>>;

/** A gateway, how it is served, and the facts that its first lines of output tell. */
export type Configured =
  & Served
  & {
    gateway: Gateway;
    /** Opens the store and reads the file of prices once, if there are any. Rejects with a TypeError that names the fault. */
    checkFiles(): Promise<unknown>;
    /** The paths of the store's files, if a store is opened by its URL. */
    storePaths?: string[];
  }
  & Pick<Started, "stored" | "tokens" | "madeToken" | "madeAdminToken">;

/**
 * Makes the gateway of the served form. It writes a line on standard error for each warning, and for each request that has
 * ended: `SLUICE_LOG`, or `log` in the file, sets the least level, `info` (default), `warn`, `error` or `off`. On a terminal
 * the line is for people, elsewhere it is one JSON object.
 *
 * With stored keys and without `SLUICE_TOKENS` the gateway is not an open relay for the keys. Served alone it makes a token:
 * requests without it must bring their own keys, and are refused once there is a virtual key. Otherwise stored keys serve nobody over HTTP.
 *
 * @throws TypeError that names the faulty variable.
 */
export function configured(
  env: Env,
  { names, alone = false, file, told = [], open, store }: Serving = {},
): Configured {
  const served = readEnv(env, names, file);
  const { options, warnings, reusePort } = served;
  warnings.push(...told);
  if (alone && isLoopback(served.hostname)) options.hosts ??= [];
  const stored = Object.keys(options.keys ?? {});
  const tokens = tokensOf(options, env);
  // They are no reason to make a token: every container of ECS has them.
  if (open) addContainerKeys(options, env, open, warnings);
  let madeToken: string | undefined;
  if (stored.length > 0 && options.tokens === undefined) {
    if (alone && !reusePort) {
      madeToken = makeToken();
      options.tokens = [madeToken];
    } else {
      warnings.push(
        `The stored keys (${stored.join(", ")}) serve nobody over HTTP: set SLUICE_TOKENS`,
      );
    }
  }
  if (alone && reusePort && served.port === 0) {
    warnings.push("SLUICE_REUSE_PORT has no effect with PORT 0: each process listens on a port of its own");
  }
  if (!alone || reusePort) warnings.push(...countsAlone(options, store));
  for (const warning of warnings) console.error(`Warning: ${warning}`);
  // Rows cost time and memory. With `SLUICE_LOG=off` the gateway makes no operator's token and so keeps none by itself.
  const madeAdminToken = served.log !== "off" &&
      alone && !reusePort && isLoopback(served.hostname) && options.adminToken === undefined
    ? makeToken("sluice-admin-")
    : undefined;
  if (madeAdminToken) options.adminToken = madeAdminToken;
  // An operator with a token wants to read rows.
  if (options.adminToken !== undefined) options.logs ??= true;
  const log = logger(served.log);
  const checkPrices = usePriceFile(options, open);
  const { checkStore, storePaths } = useStore(options, store, open !== undefined);
  const whole: Options = { ...options, limits: { ...SERVED_LIMITS, ...options.limits }, log };
  return {
    ...served,
    stored,
    tokens,
    madeToken,
    madeAdminToken,
    checkFiles: () => Promise.all([checkPrices(), checkStore()]),
    storePaths,
    gateway: gatewayWith(whole, readOptions(whole, madeToken !== undefined)),
  };
}

/** The warning of one instance among several, if something has limits or budgets and no store counts for all instances. */
function countsAlone(
  { tokens = [], teams = {}, gateways = {}, store }: Options,
  bound: Sql | Stores | undefined,
): string[] {
  const isMetered = Object.keys(teams).length > 0 || Object.keys(gateways).length > 0 ||
    [tokens].flat().some((one) => typeof one !== "string" && (one.limits ?? one.budgets ?? one.each));
  const given = store ?? bound;
  const isShared = typeof given === "string" || isSql(given) || (given?.sql ?? given?.counters) !== undefined;
  if (!isMetered || isShared) return [];
  const { d1, object } = STORE_BINDINGS;
  return [
    IS_PROCESS
      ? "Each process counts limits and budgets by itself: set SLUICE_STORE, so that they count together"
      : `Each isolate counts limits and budgets by itself: bind ${object} or ${d1}, so that they count together`,
  ];
}

/** Adds the keys of the container that the gateway is served in, where their provider has no others. */
function addContainerKeys(options: Options, env: Env, open: OpenFile, warnings: string[]): void {
  const stored = new Set(Object.keys(options.keys ?? {}).map((name) => findProvider(name)?.name));
  const send = options.fetch ?? ((url, init) => fetch(url, init));
  for (const provider of PROVIDERS.values()) {
    if (!provider.keySet?.container || stored.has(provider.name)) continue;
    const keys = containerKeys(provider, env, open, send, (warning) => warnings.push(warning));
    if (keys) options.keys = { ...options.keys, [provider.name]: keys };
  }
}

/** Makes the option `priceTable` read a file, if it is a path. Returns the check whether the file can be read. */
function usePriceFile(options: Options, open: OpenFile | undefined): () => Promise<unknown> {
  const { priceTable: path } = options;
  if (typeof path !== "string" || isUrl(path)) return () => Promise.resolve();
  if (!open) throw cannotUse("SLUICE_PRICES", "this runtime cannot read files; set it to a URL");
  const read = async () => await readTable(await open(path));
  options.priceTable = read;
  return async () => {
    try {
      readPrices(await read());
    } catch (cause) {
      if ((cause as Error).name === "NotCapable") throw cause;
      const file = JSON.stringify(path);
      throw cannotUse("SLUICE_PRICES", `the file ${file} cannot be read: ${(cause as Error).message}`);
    }
  };
}

/** Makes the option `store` a database, if it is a URL. Returns the check whether it can be opened. */
function useStore(
  options: Options,
  given: Sql | Stores | undefined,
  opensFiles: boolean,
): { checkStore(): Promise<unknown>; storePaths?: string[] } {
  const { store: urls } = options;
  if (typeof urls !== "string") {
    if (given) options.store = given;
    return { checkStore: () => Promise.resolve() };
  }
  if (!opensFiles) {
    const { d1, object } = STORE_BINDINGS;
    throw cannotUse(
      "SLUICE_STORE",
      `this runtime opens no files; on Workers a store is a binding: ${d1} or ${object}`,
    );
  }
  const refused = (cause: unknown) =>
    (cause as Error).name === "NotCapable" ? cause : cannotUse("SLUICE_STORE", (cause as Error).message);
  let read: StoreUrl[];
  try {
    read = readStoreUrls(urls);
  } catch (cause) {
    throw refused(cause);
  }
  // Opened after this, because the options of a gateway are read before anything waits.
  const { stores, open } = storesAt(read);
  options.store = stores;
  if (!stores.sql && options.logs) {
    console.error(
      "Warning: SLUICE_STORE names no database, so rows of requests and virtual keys are kept in memory; add one after a " +
        "comma, e.g. sqlite:sluice.db",
    );
  }
  return {
    checkStore: () =>
      open().catch((cause) => {
        throw refused(cause);
      }),
    storePaths: read.filter(({ kind }) => kind === "sqlite").map(({ place }) => place),
  };
}

/** Whether requests need a token, and whether the variable `SLUICE_TOKENS` is itself one token. */
function tokensOf({ tokens, tokenRequired }: Options, env: Env): Started["tokens"] {
  if (tokens === undefined) return undefined;
  if (tokenRequired === false) return "optional";
  return /^[^,{}[\]"]+$/.test(env("SLUICE_TOKENS") ?? "") ? "one" : "several";
}

/** The parts of the runtimes that tell whether standard error is a terminal. */
interface Streams {
  Deno?: { stderr: { isTerminal(): boolean } };
  process?: { stderr?: { isTTY?: boolean } };
}

/** The option `log` that writes a line on standard error. `undefined` for `off`, so that no answer is observed. */
function logger(level: LogLevel): Options["log"] {
  if (level === "off") return undefined;
  const { Deno, process } = globalThis as Streams;
  const isTerminal = Deno ? Deno.stderr.isTerminal() : process?.stderr?.isTTY ?? false;
  return (entry) => {
    if (isWritten(entry.level, level)) console.error(isTerminal ? textLine(entry, true) : jsonLine(entry));
  };
}

/** A token of 128 random bits. */
function makeToken(prefix = "sluice-"): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${prefix}${hex(bytes)}`;
}
