/** A database of SQLite in this thread, for trouble that a test makes. */
import { DatabaseSync } from "node:sqlite";
import type { Sql } from "../../../gateway/stores/sql.ts";

/** A database in memory whose size can be limited. */
export function smallStore() {
  const database = new DatabaseSync(":memory:");
  const sql: Sql = {
    dialect: "sqlite",
    all: async (text, params = []) =>
      await Promise.resolve().then(() => database.prepare(text).all(...params)),
    async batch(statements) {
      await Promise.resolve();
      database.exec("begin");
      try {
        const rows = statements.map(([text, params]) => database.prepare(text).all(...params));
        database.exec("commit");
        return rows;
      } catch (error) {
        if (database.isTransaction) database.exec("rollback");
        throw error;
      }
    },
  };
  const pages = () => Number(Object.values(database.prepare("pragma page_count").get()!)[0]);
  return {
    sql,
    database,
    pages,
    limit: (count: number) => database.exec(`pragma max_page_count = ${count}`),
  };
}
