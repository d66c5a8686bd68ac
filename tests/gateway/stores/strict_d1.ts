/** A D1 database that keeps to D1's limits, on the SQLite of this runtime. */
import { DatabaseSync } from "node:sqlite";
import type { SqlValue } from "../../../gateway/stores/sql.ts";
import type { D1Database } from "../../../gateway/stores/worker_stores.ts";

/** https://developers.cloudflare.com/d1/platform/limits/ (November 2026) */
const MOST = { params: 100, statement: 100_000, value: 2_000_000, pattern: 50 };

const bytes = (text: string) => new TextEncoder().encode(text).length;

function check(text: string, params: readonly unknown[]): void {
  if (bytes(text) > MOST.statement) throw new Error("D1_ERROR: statement too long: SQLITE_TOOBIG");
  if (params.length > MOST.params) throw new Error("D1_ERROR: too many SQL variables: SQLITE_ERROR");
  for (const param of params) {
    if (
      param !== null && typeof param !== "string" && typeof param !== "number" &&
      !(param instanceof Uint8Array)
    ) {
      throw new Error(`D1_TYPE_ERROR: Type '${typeof param}' not supported for value '${param}'`);
    }
    const size = typeof param === "string" ? bytes(param) : param instanceof Uint8Array ? param.length : 0;
    if (size > MOST.value) {
      throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
    }
  }
  for (const [, pattern] of text.matchAll(/\b(?:like|glob)\s+'([^']*)'/gi)) {
    if (bytes(pattern) > MOST.pattern) throw new Error("D1_ERROR: LIKE or GLOB pattern too complex");
  }
  if (/\b(?:like|glob)\s+\?/i.test(text)) throw new Error("the test cannot tell how long this pattern is");
  if (/^\s*(?:begin|commit|rollback|savepoint|pragma|attach|vacuum)\b/i.test(text)) {
    throw new Error("D1_ERROR: not authorized: SQLITE_AUTH");
  }
}

/** Makes an empty database. */
export function strictD1(): D1Database {
  const database = new DatabaseSync(":memory:");
  const run = (text: string, params: readonly SqlValue[]) => {
    check(text, params);
    const rows = database.prepare(text).all(...params) as Record<string, unknown>[];
    // D1 returns bytes as a list of numbers.
    const listed = (value: unknown) => value instanceof Uint8Array ? [...value] : value;
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, listed(value)]))
    );
  };
  type Statement = ReturnType<D1Database["prepare"]> & { run(): Record<string, unknown>[] };
  const statement = (text: string, params: readonly SqlValue[]): Statement => ({
    bind: (...values) => statement(text, values),
    all: async () => ({ results: await Promise.resolve().then(() => run(text, params)) }),
    run: () => run(text, params),
  });
  return {
    prepare: (text) => statement(text, []),
    async batch(statements) {
      await Promise.resolve();
      if (statements.length === 0) throw new Error("D1_ERROR: No SQL statements detected.");
      database.exec("begin");
      try {
        const all = (statements as Statement[]).map((one) => ({ results: one.run() }));
        database.exec("commit");
        return all;
      } catch (error) {
        database.exec("rollback");
        throw error;
      }
    },
  };
}
