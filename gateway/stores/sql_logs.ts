/** Keeps rows of requests in a SQL database. */
import { conditionOf, orderOf } from "./sql_filters.ts";
import { bodyOf, insertBody, insertRow, jsonOf, removeRows, rowOf, sizeOf } from "./sql_rows.ts";
import { withTables } from "./sql_schema.ts";
import { readStats, sumStatements } from "./sql_sums.ts";
import { type Sql, type SqlStatement, type SqlValue, sqlValue } from "./sql.ts";
import type { LogChanges, LogQuery, Logs, Scope } from "./store.ts";
import { type Keeping, retention } from "./retention.ts";

/** How many rows are removed at a time. */
const REMOVED_AT_ONCE = 1000;

/** Makes a store of rows in a database. Its tables are made at the first call. */
export function sqlLogs(database: Sql, keeping: Keeping): Logs {
  const sql = withTables(database);
  const sums = sumStatements();
  const kept = retention(sql, keeping);

  return {
    async add(rows, bodies = []) {
      const taken = rows.slice(0, await kept.roomFor(rows.length));
      const ids = new Set(taken.map(({ id }) => id));
      const theirs = bodies.filter(({ id }) => ids.has(id));
      await sql.batch([...taken.map(insertRow), ...theirs.map(insertBody), ...sums(rows)]);
      await kept.after(taken.length, theirs.reduce((bytes, body) => bytes + sizeOf(body), 0));
    },
    async get({ account, gateway }, id) {
      const [record] = await sql.all(
        "select * from sluice_logs where id = ? and account = ? and gateway = ?",
        [id, account, gateway],
      );
      return record && rowOf(record);
    },
    async bodies({ account, gateway }, id) {
      const records = await sql.all(
        "select * from sluice_bodies where id = ? and account = ? and gateway = ?",
        [
          id,
          account,
          gateway,
        ],
      );
      return records.map(bodyOf);
    },
    async newest(limit, after) {
      const known = after === undefined
        ? ""
        : "where seq > coalesce((select max(seq) from sluice_logs where id = ?), 0)";
      const params = after === undefined ? [limit] : [sqlValue(after), limit];
      const records = await sql.all(`select * from sluice_logs ${known} order by seq desc limit ?`, params);
      return records.map(rowOf);
    },
    async list(scope, query) {
      const [where, params] = conditionOf(scope, query, sql.dialect);
      const [[{ total }], records] = await Promise.all([
        sql.all(`select count(*) as total from sluice_logs where ${where}`, params),
        sql.all(`select * from sluice_logs where ${where} order by ${orderOf(query)} limit ? offset ?`, [
          ...params,
          query.limit,
          query.offset,
        ]),
      ]);
      return { rows: records.map(rowOf), total: Number(total) };
    },
    async patch(scope, id, changes) {
      const [text, params] = updateOf(scope, id, changes);
      return (await sql.all(text, params)).length > 0;
    },
    async remove(scope, query) {
      const count = await remove(sql, scope, query);
      kept.removed(count);
      return count;
    },
    stats: (query) => readStats(sql, query),
    // The database may keep more than rows: who has opened it closes it.
    close: () => Promise.resolve(),
  };
}

function updateOf({ account, gateway }: Scope, id: string, changes: LogChanges): SqlStatement {
  const { feedback, score, metadata } = changes;
  const sets: [column: string, value: SqlValue][] = [];
  if (feedback !== undefined) sets.push(["feedback", feedback]);
  if (score !== undefined) sets.push(["score", score]);
  if (metadata !== undefined) sets.push(["metadata", jsonOf(metadata)]);
  // Without a change the statement only finds out whether the row exists.
  const set = ["id = id", ...sets.map(([column]) => `${column} = ?`)].join(", ");
  return [`update sluice_logs set ${set} where id = ? and account = ? and gateway = ? returning id`, [
    ...sets.map(([, value]) => value),
    id,
    account,
    gateway,
  ]];
}

/** Removes the rows of a query, some at a time, so that no statement runs for long. */
async function remove(sql: Sql, scope: Scope, query: LogQuery): Promise<number> {
  const [where, params] = conditionOf(scope, query, sql.dialect);
  const select = `select seq from sluice_logs where ${where} order by ${orderOf(query)} limit ? offset ?`;
  let removed = 0;
  while (removed < query.limit) {
    const limit = Math.min(REMOVED_AT_ONCE, query.limit - removed);
    const found = (await sql.all(select, [...params, limit, query.offset])).map(({ seq }) => Number(seq));
    if (found.length > 0) await sql.batch(removeRows(found));
    removed += found.length;
    if (found.length < limit) break;
  }
  return removed;
}
