import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { sqlLogs } from "../../../gateway/stores/sql_logs.ts";
import { migrate } from "../../../gateway/stores/sql_schema.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";

function sqlOf(database: DatabaseSync): Sql {
  return {
    dialect: "sqlite",
    all: (text, params = []) => Promise.resolve().then(() => database.prepare(text).all(...params)),
    async batch(statements) {
      await Promise.resolve();
      database.exec("begin");
      try {
        const rows = statements.map(([text, params]) => database.prepare(text).all(...params));
        database.exec("commit");
        return rows;
      } catch (cause) {
        database.exec("rollback");
        throw cause;
      }
    },
  };
}

const SUMS = ["sluice_minutes", "sluice_hours", "sluice_days"];

/** A database as gateways before the column `cached` have made it, with the sums of one day. */
async function older(): Promise<DatabaseSync> {
  const database = new DatabaseSync(":memory:");
  await migrate(sqlOf(database));
  for (const table of SUMS) database.exec(`alter table ${table} drop column cached`);
  database.exec("delete from sluice_schema where version > 10");
  const columns = database.prepare("select name, type from pragma_table_info('sluice_days')").all();
  const names = columns.map(({ name }) => name).join(", ");
  const values = columns.map(({ type }) => type === "text" ? "'-'" : "1").join(", ");
  database.exec(`insert into sluice_days (${names}) values (${values})`);
  return database;
}

Deno.test("a database of an older gateway gets the new columns, and keeps its sums", async () => {
  const database = await older();
  const keeping = { rows: 10, days: 0, bodyBytes: 0, replaces: true, now: Date.now, onFull: () => {} };
  const logs = sqlLogs(sqlOf(database), keeping);
  const { points } = await logs.stats({ grain: "day", from: 0, to: Infinity });
  assertEquals(points.map(({ at, requests, cached }) => [at, requests, cached]), [[1, 1, 0]]);
  await logs.close();
});

Deno.test("migrate() runs in several processes at once", async () => {
  const database = await older();
  await Promise.all([1, 2, 3].map(() => migrate(sqlOf(database))));
  const [{ version }] = database.prepare("select max(version) as version from sluice_schema").all();
  const fresh = new DatabaseSync(":memory:");
  await migrate(sqlOf(fresh));
  const [{ version: wanted }] = fresh.prepare("select max(version) as version from sluice_schema").all();
  assertEquals(version, wanted);
});

Deno.test("migrate() fails with the database's own error if a statement cannot run", async () => {
  const database = await older();
  database.exec("drop table sluice_hours");
  await assertRejects(() => migrate(sqlOf(database)), Error, "no such table: sluice_hours");
});
