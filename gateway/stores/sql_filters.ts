/** Writes the conditions and the order of a query for rows as SQL. They mean the same as those of `columns.ts`. */
import type { LogFilter, LogQuery, Scope } from "./store.ts";
import type { Sql, SqlValue } from "./sql.ts";

type Dialect = Sql["dialect"];
type Wanted = LogFilter["value"][number];

/** A piece of SQL that is true or false, never null, with its values. */
type Condition = readonly [text: string, params: readonly SqlValue[]];

const NEVER: Condition = ["1 = 0", []], ALWAYS: Condition = ["1 = 1", []];

/** A column of the table, or an expression: for `boolean` a condition, for `each` a part of each entry of the metadata. */
interface Field {
  kind: "text" | "number" | "boolean" | "each" | "none";
  sql: string;
}

const text = (sql: string): Field => ({ kind: "text", sql });
const number = (sql: string): Field => ({ kind: "number", sql });
const boolean = (sql: string): Field => ({ kind: "boolean", sql });
const NONE: Field = { kind: "none", sql: "null" };

const TOKENS = "case when tokens_in is null and tokens_out is null then null " +
  "else coalesce(tokens_in, 0) + coalesce(tokens_out, 0) end";

/** The fields, under the names of Cloudflare's REST API. */
const FIELDS: ReadonlyMap<string, Field> = new Map([
  ["id", text("id")],
  ["created_at", text("time")],
  ["provider", text("provider")],
  ["model", text("model")],
  ["model_type", NONE],
  ["request_type", text("method")],
  ["request_content_type", text("request_type")],
  ["response_content_type", text("response_type")],
  ["authentication", boolean("token is not null")],
  ["wholesale", boolean(NEVER[0])],
  ["compatibilityMode", boolean("path like '%/compat/%'")],
  ["dlp_action", NONE],
  ["path", text("path")],
  ["status_code", number("status")],
  ["success", boolean("level = 'info'")],
  // In a text within the JSON, quotation marks have backslashes before them.
  ["cached", boolean("more like '%\"cached\":true%'")],
  ["cost", number("cost")],
  ["tokens", number(`(${TOKENS})`)],
  ["tokens_in", number("tokens_in")],
  ["tokens_out", number("tokens_out")],
  ["duration", number("duration_ms")],
  ["feedback", number("feedback")],
  ["score", number("score")],
  ["token", text("token")],
  ["account", text("account")],
  ["gateway", text("gateway")],
  ["event_id", text("event_id")],
  ["user_agent", text("user_agent")],
  ["metadata.key", { kind: "each", sql: "key" }],
  ["metadata.value", { kind: "each", sql: "value" }],
]);

/** The condition of a query, without the word `where`. */
export function conditionOf(
  { account, gateway }: Scope,
  { filters, search }: Pick<LogQuery, "filters" | "search">,
  dialect: Dialect,
): Condition {
  const all: Condition[] = [["account = ? and gateway = ?", [account, gateway]]];
  if (search !== undefined) all.push(searched(search, dialect));
  for (const filter of filters) all.push(filtered(filter, dialect));
  return joined(all, "and");
}

/** The order of a query. Rows with equal values stay in the order of their arrival. Absent values come first. */
export function orderOf({ orderBy, descending }: Pick<LogQuery, "orderBy" | "descending">): string {
  const { kind, sql } = FIELDS.get(orderBy)!;
  const way = descending ? "desc" : "asc";
  if (kind === "none") return `seq ${way}`;
  // The index gives rows in this order, but not with a rule for null.
  if (sql === "time") return `time ${way}, seq ${way}`;
  const value = kind === "boolean"
    ? `case when ${sql} then 1 else 0 end`
    : kind === "each"
    ? "metadata"
    : sql;
  return `${value} ${way} nulls ${descending ? "last" : "first"}, seq ${way}`;
}

const joined = (all: readonly Condition[], word: "and" | "or"): Condition => [
  all.map(([sql]) => `(${sql})`).join(` ${word} `),
  all.flatMap(([, params]) => params),
];

const not = ([sql, params]: Condition): Condition => [`not (${sql})`, params];

/** Whether an expression holds a text. A pattern of `like` may have only 50 bytes in D1. */
const holdsExactly = (sql: string, wanted: string, dialect: Dialect): Condition => [
  `${dialect === "postgres" ? "strpos" : "instr"}(${sql}, ?) > 0`,
  [wanted],
];

/** Whether an expression holds a text, in any letter case. `lower` of SQL changes only the letters of ASCII. */
const holds = (sql: string, wanted: string, dialect: Dialect): Condition =>
  holdsExactly(
    `lower(coalesce(${sql}, ''))`,
    wanted.replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase()),
    dialect,
  );

const searched = (search: string, dialect: Dialect): Condition =>
  joined(["id", "provider", "model", "path", "error_code"].map((sql) => holds(sql, search, dialect)), "or");

function filtered({ key, operator, value }: LogFilter, dialect: Dialect): Condition {
  const field = FIELDS.get(key)!;
  const isNegative = operator === "neq";
  const any = joined(
    value.map((wanted) => compared(field, isNegative ? "eq" : operator, wanted, dialect)),
    "or",
  );
  return isNegative ? not(any) : any;
}

type Operator = Exclude<LogFilter["operator"], "neq">;

function compared(field: Field, operator: Operator, wanted: Wanted, dialect: Dialect): Condition {
  switch (field.kind) {
    case "none":
      return operator === "eq" && wanted === null ? ALWAYS : NEVER;
    case "boolean":
      return comparedBoolean(field.sql, operator, `${wanted}`);
    case "each":
      return comparedEach(field.sql, operator, wanted, dialect);
  }
  const { kind, sql } = field;
  if (wanted === null) return operator === "eq" ? [`${sql} is null`, []] : NEVER;
  if (operator === "contains") {
    return holds(kind === "number" ? `cast(${sql} as text)` : sql, `${wanted}`, dialect);
  }
  const value = kind === "number" ? numberOf(wanted) : `${wanted}`;
  if (value === undefined) return NEVER;
  return [`${sql} is not null and ${sql} ${SIGNS[operator]} ?`, [value]];
}

const SIGNS = { eq: "=", lt: "<", gt: ">" } as const;

/** A number, also one that is written as a text. */
function numberOf(wanted: Wanted): number | undefined {
  if (typeof wanted !== "number" && typeof wanted !== "string") return undefined;
  const value = Number(wanted);
  return `${wanted}`.trim() === "" || !Number.isFinite(value) ? undefined : value;
}

function comparedBoolean(sql: string, operator: Operator, wanted: string): Condition {
  if (operator === "lt" || operator === "gt") return NEVER;
  const fits = (word: string) => operator === "eq" ? word === wanted : word.includes(wanted.toLowerCase());
  const found: Condition[] = [];
  if (fits("true")) found.push([sql, []]);
  if (fits("false")) found.push([`not (${sql})`, []]);
  return found.length > 0 ? joined(found, "or") : NEVER;
}

/** How the entries of the metadata are read. `kind` is JSON's kind of a value. */
const EACH: Readonly<
  Record<Dialect, { from: string; key: string; value: string; number: string; isText: string }>
> = {
  sqlite: {
    key: "e.key",
    from: "json_each(metadata) as e",
    value: "case e.type when 'true' then 'true' when 'false' then 'false' else cast(e.value as text) end",
    number: "case when e.type in ('integer', 'real') then e.value end",
    isText: "e.type = 'text'",
  },
  postgres: {
    key: `(e.key collate "C")`,
    from: "jsonb_each(metadata::jsonb) as e(key, value)",
    value: `((e.value #>> '{}') collate "C")`,
    number: "case when jsonb_typeof(e.value) = 'number' then (e.value #>> '{}')::double precision end",
    isText: "jsonb_typeof(e.value) = 'string'",
  },
};

/** Whether one entry of the metadata meets a condition. */
function comparedEach(part: string, operator: Operator, wanted: Wanted, dialect: Dialect): Condition {
  const each = EACH[dialect];
  const one = part === "key" ? each.key : each.value;
  const within = ([sql, params]: Condition): Condition => [
    `exists (select 1 from ${each.from} where ${sql})`,
    params,
  ];
  if (operator === "contains") return within(holds(one, `${wanted}`, dialect));
  if (operator === "eq") {
    // Most rows are ruled out by their text, which is five times as fast as reading its entries.
    const written = JSON.stringify(`${wanted}`).slice(1, -1);
    return joined([
      ["metadata is not null", []],
      holdsExactly("metadata", written, dialect),
      within([
        `${one} = ?`,
        [`${wanted}`],
      ]),
    ], "and");
  }
  const sign = SIGNS[operator];
  if (part === "key") return within([`${one} ${sign} ?`, [`${wanted}`]]);
  const value = numberOf(wanted);
  const asText: Condition = [`${each.isText} and ${one} ${sign} ?`, [`${wanted}`]];
  return within(value === undefined ? asText : joined([asText, [`${each.number} ${sign} ?`, [value]]], "or"));
}
