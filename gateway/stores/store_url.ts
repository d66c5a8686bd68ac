/** Opens the stores that URLs name. */
import { type Kind, KINDS, masked, readStoreUrls, type Role, type StoreUrl } from "./read_store_urls.ts";
import type { Sql } from "./sql.ts";
import type { Stores } from "./stores.ts";

/**
 * The module that opens a kind of store. Its name is computed so that no other module imports it, with the extension of this
 * module: the package for npm holds JavaScript.
 */
const moduleOf = (kind: Kind) => {
  const [extension] = /\.[jt]s$/.exec(import.meta.url) ?? [".ts"];
  return new URL(`./open_${kind}${extension}`, import.meta.url).href;
};

/** The folder of these modules, if they are files. Deno must be allowed to read it. */
export const driverFolder = (): string | undefined =>
  import.meta.url.startsWith("file:")
    ? decodeURIComponent(new URL(".", import.meta.url).pathname)
    : undefined;

/**
 * Opens stores, for the option `store`.
 *
 * @param urls `sqlite:PATH` (Deno must be allowed to read and to write the file) or `postgres://user:password@host:5432/database`. Of
 * several URLs, with commas between them, the first that can keep something keeps it.
 * @throws TypeError for a malformed URL, or a store that cannot be opened.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, openStore } from "../../mod.ts";
 *
 * const gateway = createGateway({ store: await openStore("sqlite::memory:") });
 * const binding = gateway.gateway("default");
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await binding.run({ provider: "compat", endpoint: "chat/completions", query });
 * await response.text();
 * assertEquals((await binding.getLog(response.headers.get("cf-aig-log-id")!)).provider, "demo");
 * await gateway.close();
 * ```
 */
export async function openStore(urls: string): Promise<Stores> {
  const { stores, open } = storesAt(readStoreUrls(urls));
  await open();
  return stores;
}

/** The stores at these URLs. Each is opened when it is first used. @returns Also a function that opens them all. */
export function storesAt(urls: readonly StoreUrl[]): { stores: Stores; open(): Promise<unknown> } {
  const opened = new Map<StoreUrl, Promise<Stores>>();
  function at(url: StoreUrl): Promise<Stores> {
    const known = opened.get(url);
    if (known) return known;
    const opening = openOne(url);
    opened.set(url, opening);
    // The next use tries again.
    opening.catch(() => opened.delete(url));
    return opening;
  }
  /** Makes the function that uses the store of a role. Its errors tell no secrets. */
  function using<R extends Role | "quick">(url: StoreUrl, role: R) {
    return async <T>(use: (store: NonNullable<Stores[R]>) => Promise<T> | T): Promise<T> => {
      try {
        return await use((await at(url))[role]!);
      } catch (cause) {
        throw withoutSecrets(cause as Error, url);
      }
    };
  }
  const urlOf = (role: Role) => urls.find(({ kind }) => KINDS[kind].includes(role));
  const stores: Stores = {
    close: async () => {
      for (const opening of opened.values()) await (await opening.catch(() => undefined))?.close?.();
    },
  };
  const sqlUrl = urlOf("sql"), kvUrl = urlOf("kv"), countersUrl = urlOf("counters");
  if (sqlUrl) {
    const sqlOf = (role: "sql" | "quick"): Sql => {
      const use = using(sqlUrl, role);
      return {
        dialect: sqlUrl.kind === "postgres" ? "postgres" : "sqlite",
        all: (text, params) => use((sql) => sql.all(text, params)),
        batch: (statements) => use((sql) => sql.batch(statements)),
      };
    };
    stores.sql = sqlOf("sql");
    stores.quick = sqlOf("quick");
  }
  if (kvUrl) {
    const use = using(kvUrl, "kv");
    stores.kv = {
      get: (key) => use((kv) => kv.get(key)),
      put: (...value) => use((kv) => kv.put(...value)),
      delete: (key) => use((kv) => kv.delete(key)),
    };
  }
  if (countersUrl) {
    const use = using(countersUrl, "counters");
    stores.counters = { take: (additions, rules) => use((counters) => counters.take(additions, rules)) };
  }
  return { stores, open: () => Promise.all(urls.map(at)) };
}

/** The same error, or one without the password of the store. */
function withoutSecrets(error: Error, url: StoreUrl): Error {
  const message = masked(error.message, url);
  return message === error.message && url.secrets.length === 0
    ? error
    : Object.assign(new Error(message), { name: error.name });
}

/** The packages that drivers need, for those who install them by themselves. */
const PACKAGES: Partial<Record<Kind, string>> = { postgres: "postgres", redis: "@redis/client" };

async function openOne(url: StoreUrl): Promise<Stores> {
  const { kind, place, shown } = url;
  let module: { open(place: string): Promise<Stores> };
  try {
    module = await import(moduleOf(kind));
  } catch (cause) {
    // Deno's error for an import that it does not allow has no name of its own.
    const { message } = cause as Error;
    if (/^Requires \w+ access to /.test(message)) {
      throw Object.assign(new Error(message, { cause }), { name: "NotCapable" });
    }
    throw new TypeError(withoutDriver(kind, message), { cause });
  }
  try {
    return await module.open(place);
  } catch (cause) {
    const error = withoutSecrets(cause as Error, url);
    if (error.name === "NotCapable") throw error;
    throw new TypeError(`the store ${JSON.stringify(shown)} cannot be opened: ${reasonOf(error)}`);
  }
}

/** Why a driver's module cannot be loaded: its package is not there, or the module itself. `message` is the runtime's. */
function withoutDriver(kind: Kind, message: string): string {
  const npm = PACKAGES[kind];
  // "Cannot find package 'postgres' imported from …"
  if (npm !== undefined && message.includes(`'${npm}'`)) {
    return `the package ${npm}, its driver, is not installed. Run: npm install ${npm} (with -g beside a command that is installed with -g)`;
  }
  return `this build has no driver for ${kind}: a gateway of one file cannot open a store by its URL; ` +
    "run mod.ts or the command sluice, or pass an object as the option store";
}

/** Some errors of connections have no message. */
const reasonOf = ({ message, name }: Error) => message || name;
