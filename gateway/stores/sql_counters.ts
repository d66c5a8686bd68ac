/** Keeps counters in a SQL database. */
import type { Addition, Counters, Rule, Taken } from "./counters.ts";
import { migrate } from "./sql_schema.ts";
import { type Sql, type SqlStatement, StoreError, withStoreErrors } from "./sql.ts";

/** In one of so many calls, counters that are over are removed, at most so many: more than the calls between can add. */
const SWEPT = { each: 100, most: 2000 };

/**
 * Makes counters in a database. Its tables are made at the first call.
 *
 * @param now The time in milliseconds since 1970. All gateways on one database may have clocks of their own.
 */
export function sqlCounters(database: Sql, now: () => number = Date.now): Counters {
  const sql = withStoreErrors(database);
  const take = takeInSqlite;
  let isReady = false;
  let untilSweep = 0;
  return {
    async take(additions, rules = []) {
      if (!isReady) {
        await migrate(sql);
        isReady = true;
      }
      const isSwept = additions.length > 0 && untilSweep-- <= 0;
      if (isSwept) untilSweep = SWEPT.each;
      return await take(sql, additions, rules, { now: now(), isSwept });
    },
  };
}

/** What is added to each counter, and when it is over. */
function totals(additions: readonly Addition[], now: number): Map<string, { amount: number; until: number }> {
  const all = new Map<string, { amount: number; until: number }>();
  for (const { key, amount, ttlMs } of additions) {
    const known = all.get(key);
    if (known) known.amount += amount;
    else all.set(key, { amount, until: now + ttlMs });
  }
  return all;
}

/** Removes counters that are over. */
const sweep = (now: number): SqlStatement => [
  "delete from sluice_counters where key in (select key from sluice_counters where until <= ? limit ?)",
  [now, SWEPT.most],
];

// ---------------------------------------------------------------- SQLite

const VALUES =
  "select key, value from sluice_counters where until > ? and key in (select value from json_each(?))";

/** The counters of one rule: weights and values. Those that have no row count as 0. */
const SUM = "select sum(json_extract(o.value, '$[1]') * c.value) from json_each(r.value, '$[1]') as o " +
  "join sluice_counters as c on c.key = json_extract(o.value, '$[0]') and c.until > ?";

/** Adds all amounts, unless the sum of a rule is over its limit. Lists are JSON, because D1 takes only 100 values. */
const ADD = `insert into sluice_counters (key, value, until)
  select json_extract(a.value, '$[0]'), json_extract(a.value, '$[1]'), json_extract(a.value, '$[2]')
  from json_each(?) as a
  where not exists (
    select 1 from json_each(?) as r where coalesce((${SUM}), 0) > json_extract(r.value, '$[0]'))
  on conflict (key) do update set
    value = excluded.value + case when sluice_counters.until > ? then sluice_counters.value else 0 end,
    until = case when sluice_counters.until > ? then sluice_counters.until else excluded.until end
  returning key`;

async function takeInSqlite(
  sql: Sql,
  additions: readonly Addition[],
  rules: readonly Rule[],
  { now, isSwept }: { now: number; isSwept: boolean },
): Promise<Taken> {
  const added = totals(additions, now);
  const sumOf = ({ of }: Rule, valueOf: (key: string) => number) =>
    of.reduce((sum, { key, weight }) => sum + weight * valueOf(key), 0);
  const addedOf = (key: string) => added.get(key)?.amount ?? 0;
  const keys = new Set(rules.flatMap(({ of }) => of.map(({ key }) => key)));
  const statements: SqlStatement[] = [[VALUES, [now, JSON.stringify([...keys])]]];
  if (added.size > 0) {
    const amounts = [...added].map(([key, { amount, until }]) => [key, amount, until]);
    // What the call itself adds is taken off the limits. JSON has no infinite numbers, and such limits refuse nothing.
    const limits = rules.filter(({ limit }) => limit < Infinity)
      .map((rule) => [rule.limit - sumOf(rule, addedOf), rule.of.map(({ key, weight }) => [key, weight])]);
    statements.push([ADD, [JSON.stringify(amounts), JSON.stringify(limits), now, now, now]]);
  }
  if (isSwept) statements.push(sweep(now));
  const rows: unknown = await sql.batch(statements);
  if (!isRows(rows, statements.length)) {
    throw new StoreError(new TypeError("batch() of the store must return the rows of each statement"));
  }
  const [found, taken] = rows;
  const values = new Map(found.map(({ key, value }) => [key as string, Number(value)]));
  const valueOf = (key: string) => values.get(key) ?? 0;
  const ok = added.size > 0 ? taken.length > 0 : rules.every((rule) => sumOf(rule, valueOf) <= rule.limit);
  const sums = rules.map((rule) => sumOf(rule, (key) => valueOf(key) + (ok ? addedOf(key) : 0)));
  return { ok, sums };
}

const isRows = (rows: unknown, count: number): rows is Record<string, unknown>[][] =>
  Array.isArray(rows) && rows.length === count && rows.every(Array.isArray);
