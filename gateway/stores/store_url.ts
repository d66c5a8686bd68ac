/** Opens the stores that URLs name. */
import type { Sql } from "./sql.ts";
import type { Stores } from "./stores.ts";

type Role = "sql" | "kv" | "counters";

/** The kinds of stores, by the beginning of their URLs, and the roles that each fills. */
const KINDS = {
  sqlite: ["sql", "kv", "counters"],
} as const satisfies Record<string, readonly Role[]>;

type Kind = keyof typeof KINDS;

const NAMES = Object.keys(KINDS).join(" or ");

/** A store's URL in parts. */
export interface StoreUrl {
  kind: Kind;
  /** The path of the file. */
  path: string;
}

/**
 * Reads URLs of stores, with commas between them: `sqlite:sluice.db`, `sqlite:///var/lib/sluice.db`.
 *
 * @throws TypeError whose message continues "Cannot use NAME: ". It quotes nothing that may hold a secret.
 */
export function readStoreUrls(urls: string): StoreUrl[] {
  // A path and a list of hosts may hold a comma.
  const all = urls.split(/,(?=\s*[a-z][a-z0-9+.-]*:)/).map(readStoreUrl);
  const missing = new Set<Role>(["sql", "kv", "counters"]);
  for (const { kind } of all) {
    if (!KINDS[kind].some((role) => missing.delete(role))) {
      throw new TypeError(
        `nothing would use ${kind}: the stores before it in the list do all that it can do`,
      );
    }
    for (const role of KINDS[kind]) missing.delete(role);
  }
  return all;
}

function readStoreUrl(url: string): StoreUrl {
  const [, kind, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(url.trim()) ?? [];
  if (kind === undefined) {
    throw new TypeError(`it must be a URL such as sqlite:sluice.db, and names no kind of store`);
  }
  if (!Object.hasOwn(KINDS, kind)) {
    throw new TypeError(`there is no kind of store named ${JSON.stringify(kind)}; it must be ${NAMES}`);
  }
  const path = rest.replace(/^\/\//, "");
  if (path === "" || /[?#\0]/.test(path)) {
    throw new TypeError("it must be sqlite: and the path of a file, without ? and #");
  }
  return { kind: kind as Kind, path };
}

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
 * @param urls `sqlite:PATH`. Deno must be allowed to read and to write the file. Of several URLs, with commas between them, the
 * first that can keep something keeps it.
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
  const withRole = (role: Role) => urls.find(({ kind }) => KINDS[kind].includes(role));
  const stores: Stores = {
    close: async () => {
      for (const opening of opened.values()) await (await opening.catch(() => undefined))?.close?.();
    },
  };
  const sqlUrl = withRole("sql"), kvUrl = withRole("kv"), countersUrl = withRole("counters");
  if (sqlUrl) {
    const sql = async (): Promise<Sql> => (await at(sqlUrl)).sql!;
    stores.sql = {
      dialect: "sqlite",
      all: async (text, params) => await (await sql()).all(text, params),
      batch: async (statements) => await (await sql()).batch(statements),
    };
  }
  if (kvUrl) {
    const kv = async () => (await at(kvUrl)).kv!;
    stores.kv = {
      get: async (key) => await (await kv()).get(key),
      put: async (...value) => await (await kv()).put(...value),
      delete: async (key) => await (await kv()).delete(key),
    };
  }
  if (countersUrl) {
    const counters = async () => (await at(countersUrl)).counters!;
    stores.counters = { take: async (additions, rules) => await (await counters()).take(additions, rules) };
  }
  return { stores, open: () => Promise.all(urls.map(at)) };
}

async function openOne({ kind, path }: StoreUrl): Promise<Stores> {
  let module: { open(path: string): Promise<Stores> };
  try {
    module = await import(moduleOf(kind));
  } catch (cause) {
    // Deno's error for an import that it does not allow has no name of its own.
    const { message } = cause as Error;
    if (/^Requires \w+ access to /.test(message)) {
      throw Object.assign(new Error(message, { cause }), { name: "NotCapable" });
    }
    throw new TypeError(
      `this build has no driver for ${kind}: a gateway of one file cannot open a store by its URL; ` +
        "run mod.ts, or pass an object as the option store",
      { cause },
    );
  }
  try {
    return await module.open(path);
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name === "NotCapable") throw cause;
    throw new TypeError(`the store ${JSON.stringify(path)} cannot be opened: ${message}`, { cause });
  }
}
