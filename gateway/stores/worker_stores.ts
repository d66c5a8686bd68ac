/** The databases of Cloudflare's Workers. */
import type { Sql, SqlStatement, SqlValue } from "./sql.ts";

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

/** The methods of the Durable Object that keeps rows. */
export interface SqlObject {
  all(text: string, params: readonly SqlValue[]): Promise<Record<string, unknown>[]>;
  batch(statements: readonly SqlStatement[]): Promise<Record<string, unknown>[][]>;
}

/** The part of a binding to a class of Durable Objects that is used here. */
export interface ObjectNamespace {
  idFromName(name: string): object;
  get(id: object): SqlObject;
}

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

/** The part of a Durable Object's storage that is used here. */
export interface ObjectStorage {
  sql: { exec(text: string, ...params: readonly SqlValue[]): { toArray(): Record<string, unknown>[] } };
  transactionSync<T>(work: () => T): T;
}

/** The variables of a Worker that are bindings to a store. */
export const STORE_BINDINGS = { d1: "SLUICE_D1", object: "SLUICE_STATE" };

/**
 * The store that a Worker's bindings name.
 *
 * @throws TypeError that names the faulty binding.
 */
export function boundStore(variables: Readonly<Record<string, unknown>>): Sql | undefined {
  const { [STORE_BINDINGS.d1]: d1, [STORE_BINDINGS.object]: object } = variables;
  if (d1 !== undefined && object !== undefined) {
    throw new TypeError(
      `Cannot use ${STORE_BINDINGS.d1}: ${STORE_BINDINGS.object} is a store already; bind only one`,
    );
  }
  if (d1 !== undefined) {
    if (!has(d1, "prepare")) throw notBound(STORE_BINDINGS.d1, "a D1 database");
    return d1Sql(d1 as D1Database);
  }
  if (object === undefined) return undefined;
  if (!has(object, "idFromName")) throw notBound(STORE_BINDINGS.object, "the Durable Object SluiceState");
  return objectSql(object as ObjectNamespace);
}

const has = (binding: unknown, method: string): boolean =>
  typeof binding === "object" && binding !== null &&
  typeof (binding as Record<string, unknown>)[method] === "function";

const notBound = (name: string, what: string) =>
  new TypeError(`Cannot use ${name}: it must be a binding to ${what}`);
