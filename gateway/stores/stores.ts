/** What a gateway keeps state in: databases, values and counters. */
import { type Counters, memoryCounters } from "./counters.ts";
import type { Kv } from "./kv.ts";
import type { Sql } from "./sql.ts";
import { sqlCounters } from "./sql_counters.ts";
import { sqlKv } from "./sql_kv.ts";

/**
 * The stores of a gateway, by what they are for. A database alone fills each role that is left out; without one it is filled by
 * the memory of the process.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, openStore, type Stores } from "../../mod.ts";
 *
 * const { sql, counters }: Stores = await openStore("sqlite::memory:");
 * // Answers are cached by a store of the program's own.
 * const kept = new Map<string, Uint8Array<ArrayBuffer>>();
 * const kv: Stores["kv"] = {
 *   get: (key) => Promise.resolve(kept.get(key)),
 *   put: (key, value) => Promise.resolve(void kept.set(key, value)),
 *   delete: (key) => Promise.resolve(void kept.delete(key)),
 * };
 * const gateway = createGateway({ store: { sql, counters, kv }, cache: { ttl: 60 } });
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const ask = async () => {
 *   const response = await gateway.gateway("default").run({ provider: "compat", endpoint: "chat/completions", query });
 *   await response.text();
 *   return response.headers.get("cf-aig-cache-status");
 * };
 * assertEquals([await ask(), await ask()], ["MISS", "HIT"]);
 * await gateway.close();
 * ```
 */
export interface Stores {
  /** Keeps rows of requests. */
  sql?: Sql;
  /**
   * The same database over connections of its own, for virtual keys, routes and responses: requests wait for these, and must not wait
   * for pages of rows. Default: `sql`.
   */
  quick?: Sql;
  /** Keeps cached answers. */
  kv?: Kv;
  /** Counts for the limits and budgets of tokens. */
  counters?: Counters;
  /** The most milliseconds that a request waits for counts and cached answers. Default 250. */
  timeoutMs?: number;
  /** Closes all of them. `close()` of the gateway calls it, and `close()` of `sql`. */
  close?(): Promise<void> | void;
}

/** The stores of a gateway, with every role that has a default filled. */
export interface FilledStores {
  sql?: Sql;
  /** Present if `sql` is. */
  quick?: Sql;
  /** Absent if cached answers are kept in memory. */
  kv?: Kv;
  counters: Counters;
  timeoutMs?: number;
  close(): Promise<void>;
}

/**
 * Fills the roles of the option `store`.
 *
 * @param store While options are only checked, it is still a URL.
 * @param now The clock of the gateway.
 */
export function storesOf(store: Sql | Stores | string | undefined, now: () => number): FilledStores {
  const given: Stores = store === undefined || typeof store === "string"
    ? {}
    : isSql(store)
    ? { sql: store }
    : store;
  const { sql } = given;
  return {
    sql,
    quick: given.quick ?? sql,
    kv: given.kv ?? (sql && sqlKv(sql, now)),
    counters: given.counters ?? (sql ? sqlCounters(sql, now) : memoryCounters(now)),
    timeoutMs: given.timeoutMs,
    async close() {
      await sql?.close?.();
      await given.close?.();
    },
  };
}

const hasMethods = (value: unknown, ...names: string[]): boolean =>
  typeof value === "object" && value !== null &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");

/** Whether a value is a database. */
export const isSql = (value: unknown): value is Sql =>
  hasMethods(value, "all", "batch") && ["sqlite", "postgres"].includes((value as Sql).dialect);

/** Whether a value has stores, and each of them its methods. */
export function isStores(value: unknown): value is Stores {
  if (typeof value !== "object" || value === null) return false;
  const { sql, quick, kv, counters } = value as Stores;
  if (sql === undefined && kv === undefined && counters === undefined) return false;
  return (sql === undefined || isSql(sql)) &&
    (quick === undefined || sql !== undefined && isSql(quick)) &&
    (kv === undefined || hasMethods(kv, "get", "put", "delete")) &&
    (counters === undefined || hasMethods(counters, "take"));
}
