/** The interface of databases that take SQL. */

/**
 * A database that takes SQL, for the option `store`. Any client of SQLite, D1 or a Durable Object fits with a few lines.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 * import { createGateway, type Sql } from "../../mod.ts";
 *
 * const database = new DatabaseSync(":memory:");
 * const store: Sql = {
 *   dialect: "sqlite",
 *   all: (text, params = []) => Promise.resolve(database.prepare(text).all(...params)),
 *   batch(statements) {
 *     database.exec("begin");
 *     const rows = statements.map(([text, params]) => database.prepare(text).all(...params));
 *     database.exec("commit");
 *     return Promise.resolve(rows);
 *   },
 * };
 * const gateway = createGateway({ store });
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await gateway.gateway("default").run({ provider: "compat", endpoint: "chat/completions", query });
 * await response.text();
 * await gateway.close();
 * const rows = database.prepare("select provider, status from sluice_logs").all();
 * assertEquals(rows.map(({ provider, status }) => [provider, status]), [["demo", 200]]);
 * ```
 */
export interface Sql {
  /** The kind of SQL that the database takes. */
  dialect: "sqlite" | "postgres";
  /** Runs one statement and returns its rows. Places for values are written `?`. */
  all(text: string, params?: readonly SqlValue[]): Promise<Record<string, unknown>[]>;
  /**
   * Runs statements in order, as one transaction: either all of them take effect, or none, and no other statement runs between
   * them. Returns the rows of each.
   */
  batch(statements: readonly SqlStatement[]): Promise<Record<string, unknown>[][]>;
  /** The most bytes of one value. Longer ones are not stored. Default: no limit. */
  readonly maxValueBytes?: number;
  /** Closes the database. `close()` of the gateway calls it. */
  close?(): Promise<void> | void;
}

/**
 * A value in a statement.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { SqlValue } from "../../mod.ts";
 *
 * const params: SqlValue[] = ["openai", 200, null];
 * assertEquals(params.length, 3);
 * ```
 */
export type SqlValue = string | number | null | Uint8Array<ArrayBuffer>;

/**
 * A statement with its values.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { SqlStatement } from "../../mod.ts";
 *
 * const [text, params]: SqlStatement = ["delete from sluice_logs where id = ?", ["01a22432"]];
 * assertEquals([text.length, params.length], [36, 1]);
 * ```
 */
export type SqlStatement = readonly [text: string, params: readonly SqlValue[]];

/** A value for a column: absent ones become `null`, and a text loses what PostgreSQL refuses. */
export function sqlValue(value: string | number | null | undefined): SqlValue {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value.toWellFormed().replaceAll(/\0/g, "\ufffd") : value;
}

/** A URL, which may hold a password. */
const URLS = /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi;

/** The failure of a database. Its words are told to the operator, without URLs. */
export class StoreError extends Error {
  constructor(cause: unknown) {
    super((cause instanceof Error ? cause.message : `${cause}`).replaceAll(URLS, "***"), { cause });
    this.name = "StoreError";
  }
}

/** The same database, whose failures are of the class above. */
export function withStoreErrors(sql: Sql): Sql {
  const fail = (cause: unknown) => {
    throw new StoreError(cause);
  };
  return {
    dialect: sql.dialect,
    all: async (text, params) => await sql.all(text, params).catch(fail),
    batch: async (statements) => await sql.batch(statements).catch(fail),
  };
}
