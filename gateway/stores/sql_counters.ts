/** Keeps counters in a SQL database. */
import { type Addition, type Counters, isCount, type Rule, type Taken } from "./counters.ts";
import { withTables } from "./sql_schema.ts";
import { type Limit, type Take, takeInSqlite, takingInPostgres } from "./sql_take.ts";
import { type Sql, sqlValue, StoreError } from "./sql.ts";

/** In one of so many calls, counters that are over are removed, at most so many: more than the calls between can add. */
const SWEPT = { each: 100, most: 2000 };

/** How long counters that are over are kept: a gateway whose clock is behind may still need them. */
const GRACE_MS = 600_000;

/**
 * Makes counters in a database. Its tables are made at the first call.
 *
 * @param now The time in milliseconds since 1970. The gateways on one database may have clocks of their own: the names of
 * counters and the times until which they count are by the same clock.
 */
export function sqlCounters(database: Sql, now: () => number = Date.now): Counters {
  const sql = withTables(database);
  const take: Take = sql.dialect === "postgres" ? takingInPostgres() : takeInSqlite;
  let untilSweep = 0;
  return {
    async take(additions, rules = []) {
      const at = now();
      const isSwept = additions.length > 0 && untilSweep-- <= 0;
      if (isSwept) untilSweep = SWEPT.each;
      const amounts = totals(additions, at);
      const sweep = isSwept ? { until: at - GRACE_MS, most: SWEPT.most } : undefined;
      const { isAdded, values } = await take(sql, {
        amounts: [...amounts].map(([key, { amount, until }]) => [key, amount, until]),
        limits: limitsOf(rules, (key) => amounts.get(key)?.amount ?? 0),
        keys: [...new Set(rules.flatMap(({ of }) => of.map(({ key }) => textOf(key))))],
        at,
        sweep,
      });
      return taken(amounts, rules, values, isAdded);
    },
  };
}

/** A name as each database takes it. */
const textOf = (key: string) => sqlValue(key) as string;

type Amounts = ReadonlyMap<string, { amount: number; until: number }>;

/** What is added to each counter, and when it is over. */
function totals(additions: readonly Addition[], at: number): Amounts {
  const all = new Map<string, { amount: number; until: number }>();
  for (const { key, amount, ttlMs } of additions) {
    const name = textOf(key), known = all.get(name);
    if (known) known.amount += amount;
    else all.set(name, { amount, until: at + ttlMs });
  }
  return all;
}

/**
 * The limits, less what the call itself adds.
 *
 * JSON has no infinite numbers, and such limits refuse nothing.
 */
const limitsOf = (rules: readonly Rule[], addedOf: (key: string) => number): Limit[] =>
  rules.filter(({ limit }) => limit < Infinity)
    .map(({ limit, of }) => [
      limit - sumOf(of, addedOf),
      of.map(({ key, weight }) => [textOf(key), weight]),
    ]);

const sumOf = (of: Rule["of"], valueOf: (key: string) => number) =>
  of.reduce((sum, { key, weight }) => sum + weight * valueOf(textOf(key)), 0);

/** @param values Those before the call. @param isAdded `undefined` if there was nothing to add. */
function taken(
  amounts: Amounts,
  rules: readonly Rule[],
  values: ReadonlyMap<string, number>,
  isAdded: boolean | undefined,
): Taken {
  for (const value of values.values()) {
    if (!isCount(value)) throw new StoreError(new TypeError("a counter is not a number of at least 0"));
  }
  const valueOf = (key: string) => values.get(key) ?? 0;
  const ok = isAdded ?? rules.every(({ limit, of }) => sumOf(of, valueOf) <= limit);
  const after = (key: string) => Math.max(0, valueOf(key) + (ok ? amounts.get(key)?.amount ?? 0 : 0));
  return { ok, sums: rules.map(({ of }) => sumOf(of, after)) };
}
