/** The stores of Cloudflare's Workers. */
import { IS_PROCESS } from "../context.ts";
import { memoryKv } from "./memory_kv.ts";
import { objectCounters } from "./object_counters.ts";
import type { Sql, SqlValue } from "./sql.ts";
import { sqlKv } from "./sql_kv.ts";
import type { ObjectNamespace } from "./state_object.ts";
import type { Stores } from "./stores.ts";
import { type WorkerCache, workerKv } from "./worker_kv.ts";

/** The most bytes of a value in D1 and in a Durable Object, whose rows have at most 2 MB. */
const MOST_VALUE_BYTES = 1_900_000;

/** The part of a binding to a D1 database that is used here. */
export interface D1Database {
  prepare(text: string): D1Statement;
  batch(statements: D1Statement[]): Promise<{ results: Record<string, unknown>[] }[]>;
}

interface D1Statement {
  bind(...params: readonly SqlValue[]): D1Statement;
  all(): Promise<{ results: Record<string, unknown>[] }>;
}

/**
 * A D1 database.
 *
 * @see https://developers.cloudflare.com/d1/worker-api/d1-database/
 */
export const d1Sql = (database: D1Database): Sql => ({
  dialect: "sqlite",
  all: async (text, params = []) => (await database.prepare(text).bind(...params).all()).results,
  async batch(statements) {
    const all = await database.batch(
      statements.map(([text, params]) => database.prepare(text).bind(...params)),
    );
    return all.map(({ results }) => results);
  },
  maxValueBytes: MOST_VALUE_BYTES,
});

/** The database in a Durable Object. A stub belongs to one request, so each call makes its own. */
export function objectSql(namespace: ObjectNamespace, name = "logs"): Sql {
  const object = () => namespace.get(namespace.idFromName(name));
  return {
    dialect: "sqlite",
    all: (text, params = []) => object().all(text, params),
    batch: (statements) => object().batch(statements),
    maxValueBytes: MOST_VALUE_BYTES,
  };
}

/** The variables of a Worker that are bindings to a store. */
export const STORE_BINDINGS = { d1: "SLUICE_D1", object: "SLUICE_STATE" };

/**
 * The stores of a Worker: those that its bindings name, and the cache of its data center.
 *
 * @param variables The Worker's `env`, with the binding `SLUICE_STATE` to the class `SluiceState`, or `SLUICE_D1` to a D1
 * database. Without either, only cached answers outlive an isolate.
 * @throws TypeError that names the faulty binding.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { createGateway, workerStores } from "../../mod.ts";
 *
 * // In a Worker: `export default { fetch: (request, env, context) => gatewayOf(env).fetch(request, context) }`.
 * const gatewayOf = (env: Record<string, unknown>) => createGateway({ store: workerStores(env) });
 * const response = await gatewayOf({}).fetch(new Request("https://sluice.example.com/health"));
 * assertEquals(response.status, 200);
 * assertThrows(() => gatewayOf({ SLUICE_STATE: "logs" }), TypeError, "Cannot use SLUICE_STATE");
 * ```
 */
export function workerStores(variables: Readonly<Record<string, unknown>>): Stores | undefined {
  const { [STORE_BINDINGS.d1]: d1, [STORE_BINDINGS.object]: object } = variables;
  if (d1 !== undefined && object !== undefined) {
    throw new TypeError(
      `Cannot use ${STORE_BINDINGS.d1}: ${STORE_BINDINGS.object} is a store already; bind only one`,
    );
  }
  if (d1 !== undefined && !has(d1, "prepare")) throw notBound(STORE_BINDINGS.d1, "a D1 database");
  if (object !== undefined && !has(object, "idFromName")) {
    throw notBound(STORE_BINDINGS.object, "the Durable Object SluiceState");
  }
  const sql = d1 ? d1Sql(d1 as D1Database) : object ? objectSql(object as ObjectNamespace) : undefined;
  const stores: Stores = {};
  if (sql) stores.sql = sql;
  if (object) stores.counters = objectCounters(object as ObjectNamespace);
  if (!IS_PROCESS) stores.kv = cacheOf(sql);
  return sql || stores.kv ? stores : undefined;
}

/** Bytes of cached answers in the memory of an isolate, which has 128 MB in all. */
const MOST_BYTES = 16 * 2 ** 20;

/** The cache of the data center. Its name keeps it apart from that of the zone's pages. */
const cacheOf = (sql: Sql | undefined) =>
  workerKv(() => (globalThis as unknown as Caches).caches.open("sluice"), {
    otherwise: sql ? sqlKv(sql) : memoryKv(MOST_BYTES, Date.now),
    now: Date.now,
    warn: (line) => console.error(`Warning: ${line}`),
  });

interface Caches {
  caches: { open(name: string): Promise<WorkerCache> };
}

const has = (binding: unknown, method: string): boolean =>
  typeof binding === "object" && binding !== null &&
  typeof (binding as Record<string, unknown>)[method] === "function";

const notBound = (name: string, what: string) =>
  new TypeError(`Cannot use ${name}: it must be a binding to ${what}`);
