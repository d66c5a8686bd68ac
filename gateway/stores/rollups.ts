/** Keeps sums of rows by minute, hour and day. They stay when the rows are removed, so charts do not read rows. */
import type { Grain, Group, LogRow, Point, Scope, Stats, StatsQuery, Tally } from "./store.ts";

/** The milliseconds of each grain. Days are UTC days. */
export const GRAINS: Readonly<Record<Grain, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** How many sums of each grain are kept. The oldest ones are removed first, in the order in which they were made. */
const MOST_SUMS: Readonly<Record<Grain, number>> = { minute: 10_000, hour: 20_000, day: 40_000 };

/** The most gateways with sums of their own. There is a limit because their names come from clients. */
const MOST_SCOPES = 1000;

/** The most groups in one answer: those with the most requests. */
export const MOST_GROUPS = 1000;

/** The upper ends of a histogram's steps, in milliseconds. One more step has no end. Histograms can be added up. */
export const STEPS = [10, 18, 32, 56, 100, 180, 320, 560, 1000, 1800, 3200, 5600, 10_000, 18_000, 32_000]
  .concat([56_000, 100_000, 180_000, 320_000, Infinity]);

/** The sums of one span of time. */
type Sums = Tally & Group["of"] & { at: number };

/** A tally of nothing. */
export const emptyTally = (): Tally => ({
  requests: 0,
  errors: 0,
  cached: 0,
  inputTokens: 0,
  outputTokens: 0,
  cost: 0,
  unpriced: 0,
  durations: STEPS.map(() => 0),
  firstTokens: STEPS.map(() => 0),
});

const stepOf = (ms: number) => STEPS.findIndex((most) => ms <= most);

/** Counts a row. */
export function addRow(sums: Tally, row: LogRow): void {
  sums.requests++;
  if (row.level !== "info") sums.errors++;
  if (row.cached) sums.cached++;
  sums.inputTokens += row.inputTokens ?? 0;
  sums.outputTokens += row.outputTokens ?? 0;
  sums.cost += row.cost ?? 0;
  if (row.cost === null) sums.unpriced++;
  sums.durations[stepOf(row.durationMs)]++;
  if (row.firstTokenMs !== undefined) sums.firstTokens[stepOf(row.firstTokenMs)]++;
}

/** The members of a tally that are numbers. */
const ADDED = ["requests", "errors", "cached", "inputTokens", "outputTokens", "cost", "unpriced"] as const;

function addTally(sums: Tally, other: Tally): void {
  for (const name of ADDED) {
    sums[name] += other[name];
  }
  for (const name of ["durations", "firstTokens"] as const) {
    other[name].forEach((count, step) => sums[name][step] += count);
  }
}

/**
 * A quantile of a histogram in milliseconds, as exact as its steps.
 *
 * @param share From 0 to 1.
 * @returns `undefined` for an empty histogram.
 */
export function quantile(histogram: readonly number[], share: number): number | undefined {
  const all = histogram.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let left = share * all;
  for (const [step, count] of histogram.entries()) {
    if (count > 0 && left <= count) {
      const from = step === 0 ? 0 : STEPS[step - 1];
      // The last step has no end.
      const to = Number.isFinite(STEPS[step]) ? STEPS[step] : from;
      return Math.round(from + (to - from) * (left / count));
    }
    left -= count;
  }
  return undefined;
}

/** The sum of all tallies. */
export function total(tallies: Iterable<Tally>): Tally {
  const sums = emptyTally();
  for (const tally of tallies) addTally(sums, tally);
  return sums;
}

/** The time of a row, and the group in which it counts; `undefined` for a row that does not count. */
export type Grouping = (row: LogRow) => { time: number; of: Group["of"] } | undefined;

/** Makes the function that tells where a row counts. Its number of gateways is limited. */
export function grouping(): Grouping {
  const scopes = new Set<string>();

  /** Whether a row counts. A gateway in a path gets sums only after a provider was asked for it: clients may invent names. */
  function isCounted({ account, gateway, tries, cached }: LogRow): boolean {
    const scope = JSON.stringify([account, gateway]);
    if ((tries > 0 || cached) && scopes.size < MOST_SCOPES) scopes.add(scope);
    return scopes.has(scope) || account === "-" && gateway === "default";
  }

  return (row) => {
    const time = Date.parse(row.time);
    if (row.explained || !isCounted(row) || Number.isNaN(time)) return undefined;
    const { account, gateway, token = "" } = row;
    const { provider = "", model = "" } = row.tries > 0 || row.cached ? row : {};
    return { time, of: { account, gateway, provider, model, token } };
  };
}

/** Makes a store of sums in memory. */
export function rollups(): { add(row: LogRow): void; stats(query: StatsQuery): Stats } {
  const kept = new Map<Grain, Map<string, Sums>>(
    (Object.keys(GRAINS) as Grain[]).map((grain) => [grain, new Map()]),
  );
  const groupOf = grouping();

  return {
    add(row) {
      const group = groupOf(row);
      if (!group) return;
      const { time, of: { account, gateway, provider, model, token } } = group;
      for (const [grain, sums] of kept) {
        const at = Math.floor(time / GRAINS[grain]) * GRAINS[grain];
        const key = JSON.stringify([at, account, gateway, provider, model, token]);
        let one = sums.get(key);
        if (!one) {
          one = { ...emptyTally(), at, account, gateway, provider, model, token };
          sums.set(key, one);
          if (sums.size > MOST_SUMS[grain]) sums.delete(sums.keys().next().value!);
        }
        addRow(one, row);
      }
    },
    stats({ grain, from, to, scope = {} }) {
      const points = new Map<number, Point>();
      const groups = new Map<string, Group>();
      for (const { at, account, gateway, provider, model, token, ...tally } of kept.get(grain)!.values()) {
        if (at < from || at >= to || !isOf(scope, { account, gateway })) continue;
        const point = points.get(at) ?? { at, ...emptyTally() };
        points.set(at, point);
        addTally(point, tally);
        const of = { account, gateway, provider, model, token };
        const key = JSON.stringify(Object.values(of));
        const group = groups.get(key) ?? { of, ...emptyTally() };
        groups.set(key, group);
        addTally(group, tally);
      }
      return {
        points: [...points.values()].sort((a, b) => a.at - b.at),
        groups: [...groups.values()].sort((a, b) => b.requests - a.requests).slice(0, MOST_GROUPS),
      };
    },
  };
}

/** Whether something belongs to the wanted account and gateway. Absent values match all. */
export const isOf = (wanted: Partial<Scope>, { account, gateway }: Scope): boolean =>
  (wanted.account ?? account) === account && (wanted.gateway ?? gateway) === gateway;
