/** Writes rows of requests into columns of a SQL table, and reads them back. */
import type { LogBody, LogRow } from "./store.ts";
import { type SqlStatement, type SqlValue, sqlValue } from "./sql.ts";

/** The members of a row that have a column of their own. All others are in the column `more`, as JSON. */
const COLUMNS = [
  ["account", "account"],
  ["gateway", "gateway"],
  ["id", "id"],
  ["time", "time"],
  ["level", "level"],
  ["provider", "provider"],
  ["model", "model"],
  ["token", "token"],
  ["status", "status"],
  ["duration_ms", "durationMs"],
  ["first_ms", "firstTokenMs"],
  ["tokens_in", "inputTokens"],
  ["tokens_out", "outputTokens"],
  ["cache_read", "cacheReadTokens"],
  ["cost", "cost"],
  ["method", "method"],
  ["path", "path"],
  ["request_type", "requestType"],
  ["response_type", "responseType"],
  ["event_id", "eventId"],
  ["user_agent", "userAgent"],
  ["feedback", "feedback"],
  ["score", "score"],
] as const satisfies readonly (readonly [string, keyof LogRow])[];

/** The columns whose values PostgreSQL's clients may return as texts. */
const NUMBERS: ReadonlySet<string> = new Set([
  "status",
  "duration_ms",
  "first_ms",
  "tokens_in",
  "tokens_out",
  "cache_read",
  "cost",
  "feedback",
  "score",
]);

const MEMBERS: ReadonlySet<string> = new Set([...COLUMNS.map(([, member]) => member), "metadata"]);

const WRITTEN = [...COLUMNS.map(([column]) => column), "metadata", "error_code", "more"];

const INSERT = `insert into sluice_logs (${WRITTEN.join(", ")}) values (${
  WRITTEN.map(() => "?").join(", ")
}) on conflict (id, account, gateway) do nothing`;

/** The statement that adds a row. A row that is there already is left as it is. */
export function insertRow(row: LogRow): SqlStatement {
  const rest = Object.entries(row).filter(([member]) => !MEMBERS.has(member));
  // "No known price" must not be read back as "no tokens".
  if (row.cost === null) rest.push(["cost", null]);
  return [INSERT, [
    ...COLUMNS.map(([, member]) => sqlValue(row[member])),
    jsonOf(row.metadata),
    sqlValue(codeOf(row)),
    JSON.stringify(Object.fromEntries(rest)),
  ]];
}

/** A JSON text for a column. */
export const jsonOf = (value: object | null | undefined): SqlValue => value ? JSON.stringify(value) : null;

const codeOf = ({ error }: LogRow): string | undefined =>
  error?.code === undefined ? undefined : String(error.code);

/** The row in a record of the table. */
export function rowOf(record: Record<string, unknown>): LogRow {
  const row: Record<string, unknown> = JSON.parse(record.more as string);
  for (const [column, member] of COLUMNS) {
    const value = record[column] ?? undefined;
    if (value !== undefined) row[member] = NUMBERS.has(column) ? Number(value) : value;
  }
  if (typeof record.metadata === "string") row.metadata = JSON.parse(record.metadata);
  return row as unknown as LogRow;
}

/** The statements that remove rows. The numbers are written out, because D1 takes only 100 values. */
export function removeRows(seqs: readonly number[]): SqlStatement[] {
  const list = seqs.map((seq) => Math.trunc(seq)).join(", ");
  const rows = `sluice_logs where seq in (${list})`;
  return [
    [
      `delete from sluice_bodies where (id, account, gateway) in (select id, account, gateway from ${rows})`,
      [],
    ],
    [`delete from ${rows}`, []],
  ];
}

/** The bytes of a body in the store. */
export const sizeOf = ({ text }: LogBody): number => text.length;

/** The statement that adds a body. */
export function insertBody(body: LogBody): SqlStatement {
  const { account, gateway, id, side, text, ...more } = body;
  const values = [account, gateway, id, side, sizeOf(body), text, JSON.stringify(more)];
  return [
    "insert into sluice_bodies (account, gateway, id, side, bytes, body, more) values (?, ?, ?, ?, ?, ?, ?) " +
    "on conflict (id, account, gateway, side) do nothing",
    values.map(sqlValue),
  ];
}

/** The body in a record of the table. */
export const bodyOf = ({ account, gateway, id, side, body, more }: Record<string, unknown>): LogBody =>
  ({ ...JSON.parse(more as string), account, gateway, id, side, text: body }) as LogBody;
