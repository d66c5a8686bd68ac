/** Opens the store that a URL names. */
import type { Sql } from "./sql.ts";

/** The kinds of stores, by the beginning of their URLs. */
const KINDS = ["sqlite"] as const;
type Kind = typeof KINDS[number];

/** A store's URL in parts. */
export interface StoreUrl {
  kind: Kind;
  /** The path of the file. */
  path: string;
}

/**
 * Reads a store's URL: `sqlite:sluice.db`, `sqlite:///var/lib/sluice.db`.
 *
 * @throws TypeError whose message continues "Cannot use NAME: ". It quotes nothing that may hold a secret.
 */
export function readStoreUrl(url: string): StoreUrl {
  const [, kind, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(url.trim()) ?? [];
  if (kind === undefined) {
    throw new TypeError(`it must be a URL such as sqlite:sluice.db, and names no kind of store`);
  }
  if (!KINDS.includes(kind as Kind)) {
    throw new TypeError(
      `there is no kind of store named ${JSON.stringify(kind)}; it must be ${KINDS.join(" or ")}`,
    );
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
 * Opens a store, for the option `store`.
 *
 * @param url `sqlite:PATH`. Deno must be allowed to read and to write the file.
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
export async function openStore(url: string): Promise<Sql> {
  const { kind, path } = readStoreUrl(url);
  let module: { open(path: string): Promise<Sql> };
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
        "run mod.ts, or pass an object with the methods of Sql as the option store",
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
