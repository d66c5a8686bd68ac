/** Keeps sums of rows by minute, hour and day in SQL tables. */
import { addRow, emptyTally, GRAINS, type Grouping, grouping, MOST_GROUPS, STEPS } from "./rollups.ts";
import type { Grain, Group, LogRow, Point, Stats, StatsQuery, Tally } from "./store.ts";
import { type Sql, type SqlStatement, type SqlValue, sqlValue } from "./sql.ts";

const TOTALS = {
  requests: "requests",
  errors: "errors",
  tokens_in: "inputTokens",
  tokens_out: "outputTokens",
  cost: "cost",
  unpriced: "unpriced",
  cached: "cached",
} as const satisfies Readonly<Record<string, keyof Tally>>;

const DURATIONS = STEPS.map((_, step) => `d${step}`), FIRST = STEPS.map((_, step) => `f${step}`);

/** The columns of the two histograms, one for each step. */
export const HISTOGRAMS: readonly string[] = [...DURATIONS, ...FIRST];

const SUMMED = [...Object.keys(TOTALS), ...HISTOGRAMS];
const OF = ["account", "gateway", "provider", "model", "token"] as const;

/**
 * The tables, with the milliseconds for which their sums are kept. Days could be summed up from hours, but 30 days of 36 groups
 * took 80 ms instead of 5.
 */
const TABLES = {
  sluice_minutes: { grain: "minute", keptMs: 48 * GRAINS.hour },
  sluice_hours: { grain: "hour", keptMs: 366 * GRAINS.day },
  sluice_days: { grain: "day", keptMs: 1830 * GRAINS.day },
} as const;

type Table = keyof typeof TABLES;

const TABLE_OF: Readonly<Record<Grain, Table>> = {
  minute: "sluice_minutes",
  hour: "sluice_hours",
  day: "sluice_days",
};

/** The most groups of one hour. Further ones count without their model and token, because clients choose names of models. */
const MOST_OF_HOUR = 1000;

/** The sums of one group in one span of time. */
interface Sum {
  table: Table;
  at: number;
  of: Group["of"];
  tally: Tally;
}

/** Makes the function that writes the sums of rows as statements. */
export function sumStatements(): (rows: readonly LogRow[]) => SqlStatement[] {
  const groupOf = grouping();
  const bounded = boundedGroups();
  return (rows) => {
    const sums = new Map<string, Sum>();
    for (const row of rows) addTo(sums, row, groupOf, bounded);
    // In one order everywhere: of two gateways that write the same sums in other orders, each would wait for the other.
    return [...sums].sort(([one], [other]) => one < other ? -1 : 1).map(([, sum]) => insertSum(sum));
  };
}

function addTo(sums: Map<string, Sum>, row: LogRow, groupOf: Grouping, bounded: Bounded): void {
  const group = groupOf(row);
  if (!group) return;
  const of = bounded(group.time, group.of);
  for (const [table, { grain }] of Object.entries(TABLES) as [Table, { grain: Grain }][]) {
    const at = startOf(group.time, grain);
    const key = JSON.stringify([table, at, ...OF.map((name) => of[name])]);
    let sum = sums.get(key);
    if (!sum) sums.set(key, sum = { table, at, of, tally: emptyTally() });
    addRow(sum.tally, row);
  }
}

const startOf = (time: number, grain: Grain) => Math.floor(time / GRAINS[grain]) * GRAINS[grain];

type Bounded = (time: number, of: Group["of"]) => Group["of"];

function boundedGroups(): Bounded {
  const known = new Set<string>();
  let hour = NaN;
  return (time, of) => {
    const now = startOf(time, "hour");
    if (now !== hour) known.clear();
    hour = now;
    const key = JSON.stringify(OF.map((name) => of[name]));
    if (known.size >= MOST_OF_HOUR && !known.has(key)) return { ...of, model: "", token: "" };
    known.add(key);
    return of;
  };
}

const insertText = (table: Table) =>
  `insert into ${table} (at, ${OF.join(", ")}, ${SUMMED.join(", ")}) values (${
    ["at", ...OF, ...SUMMED].map(() => "?").join(", ")
  }) on conflict (at, ${OF.join(", ")}) do update set ${
    SUMMED.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(", ")
  }`;

const INSERTS: Readonly<Record<Table, string>> = {
  sluice_minutes: insertText("sluice_minutes"),
  sluice_hours: insertText("sluice_hours"),
  sluice_days: insertText("sluice_days"),
};

const insertSum = ({ table, at, of, tally }: Sum): SqlStatement => [INSERTS[table], [
  at,
  ...OF.map((name) => sqlValue(of[name])),
  ...Object.values(TOTALS).map((member) => tally[member]),
  ...tally.durations,
  ...tally.firstTokens,
]];

/** Reads sums. */
export async function readStats(sql: Sql, { grain, from, to, scope = {} }: StatsQuery): Promise<Stats> {
  const table = TABLE_OF[grain];
  // The greatest number that a column can hold and JavaScript can write.
  const params: SqlValue[] = [Math.max(from, 0), Math.min(to, Number.MAX_SAFE_INTEGER)];
  let where = "at >= ? and at < ?";
  for (const name of ["account", "gateway"] as const) {
    const value = scope[name];
    if (value === undefined) continue;
    where += ` and ${name} = ?`;
    params.push(value);
  }
  const sums = SUMMED.map((name) => `sum(${name}) as ${name}`).join(", ");
  const of = OF.join(", ");
  const [points, groups] = await Promise.all([
    sql.all(
      `select at, ${sums} from ${table} where ${where} group by at order by at`,
      params,
    ),
    sql.all(
      `select ${of}, ${sums} from ${table} where ${where} group by ${of} order by sum(requests) desc, ${of} limit ${MOST_GROUPS}`,
      params,
    ),
  ]);
  return {
    points: points.map((record): Point => ({ at: Number(record.at), ...tallyOf(record) })),
    groups: groups.map((record): Group => ({
      of: Object.fromEntries(OF.map((name) => [name, record[name]])) as unknown as Group["of"],
      ...tallyOf(record),
    })),
  };
}

const tallyOf = (record: Record<string, unknown>): Tally => ({
  ...Object.fromEntries(Object.entries(TOTALS).map(([column, member]) => [member, Number(record[column])])),
  durations: DURATIONS.map((step) => Number(record[step])),
  firstTokens: FIRST.map((step) => Number(record[step])),
} as Tally);

/** How many of the oldest minutes, or hours, one call removes: the sums outlive a clock that is wrong for a while. */
const REMOVED_AT_ONCE = 5;

/** The statements that remove sums that are too old. To be run once a minute. */
export const oldSums = (now: number): SqlStatement[] =>
  Object.entries(TABLES).map(([table, { keptMs }]) => [
    `delete from ${table} where at in (select distinct at from ${table} where at < ? order by at limit ${REMOVED_AT_ONCE})`,
    [now - keptMs],
  ]);
