/** Counts at the limits of routes. */
import { GatewayError, quote } from "../../wires/errors.ts";
import type { Addition, Rule } from "../stores/counters.ts";
import { endsEarly } from "../targets/routes/legs.ts";
import type { RouteLeg, Toll } from "../targets/routes/types.ts";
import type { Closed, Run } from "./attempt.ts";
import { costSeen, holding, holdsOf, mostAt, unitsOf } from "./budgets.ts";
import { sha256 } from "./sha256.ts";
import type { Metering, Sizes } from "./token_limits.ts";
import { HELD_MS, type Window, windowOf } from "./windows.ts";

/** A request at the limits of its route. */
export interface Passing {
  /** Tells the counters of one route from those of all others. */
  scope: readonly string[];
  run: Run;
  /** The estimated size of the request; `null` if tokens do not tell its price. Absent if no limit on cost may ask. */
  sizes?: Sizes | null;
}

/**
 * The reason why a try is not on the way of a request; `undefined` if it is. Each limit is asked once, when a try behind it has its
 * turn.
 */
export async function closedGate(
  { gates, route }: RouteLeg,
  passing: Passing,
): Promise<Closed | undefined> {
  for (const { toll, isOpen } of gates) {
    const hasPassed = await (toll.passed ??= passes(toll, passing));
    if (hasPassed === isOpen) continue;
    if (hasPassed) return { fault: endsEarly(route.name) };
    const { report } = passing.run;
    if (report.route && report.tries === 0) report.route = { ...report.route, way: toll.way };
    const limit = `${toll.node.counts === "cost" ? "budget" : "limit"} ${toll.id}`;
    return { fault: overLimit(toll, route.name, passing.run), limit };
  }
  return undefined;
}

/** Whether a request passes a limit. If it does, it is counted, or what it may cost is held until its answer has ended. */
async function passes(toll: Toll, passing: Passing): Promise<boolean> {
  const { node: { counts, limit, windowMs, fallback }, id } = toll;
  const { counters } = passing.run.config;
  try {
    if (counts === "cost") return await holds(toll, passing);
    const { window, key, of } = sumOf(toll, passing);
    const added = [{ key, amount: 1, ttlMs: window.leftMs + windowMs }];
    return (await counters.take(added, [{ limit, of }])).ok;
  } catch (cause) {
    // Without its store a limit on requests lets them pass, and a limit on money does not.
    if (counts === "requests") return true;
    if (fallback) return false;
    const message = `Cannot serve the request: the store that counts at ${quote(id)} of its route failed`;
    throw new GatewayError("overloaded", message, { cause, headers: { "retry-after": "1" } });
  }
}

/** Holds the most that a request may cost at the models behind a limit. @returns Whether there is room for it. */
async function holds(toll: Toll, passing: Passing): Promise<boolean> {
  const { run: { config: { counters, prices, now }, report }, sizes } = passing;
  const { limit, fallback } = toll.node;
  const { window, name, of } = sumOf(toll, passing);
  const held = holdsOf((at) => `${name}:held:${at}`, now());
  const most = Math.max(
    0,
    ...toll.behind.map(({ provider, model }) => mostAt(provider.name, model, sizes, prices) ?? 0),
  );
  // A request that costs nothing, or nobody knows what, passes as long as something is left.
  const units = unitsOf(limit) - (most === 0 ? 1 : 0);
  const additions = most === 0 ? [] : [holding(held.key, most)];
  if (!(await counters.take(additions, [{ limit: units, of: [...of, ...held.of] }])).ok) {
    if (fallback) return false;
    const { sums: [spent] } = await counters.take([], [{ limit: Infinity, of }]);
    // Requests that still run may cost less than is held for them.
    toll.waitMs = spent + most <= units ? 1000 : window.leftMs;
    return false;
  }
  report.listened = true;
  const { settle } = report;
  report.settle = (seen) => {
    const freed = most === 0 ? [] : [holding(held.key, -most)];
    return Promise.all([settle?.(seen), counters.settle(spending(toll, passing, seen), freed)]);
  };
  return true;
}

/** What a request that has ended has cost, to be added in the window in which it ended. */
function spending(toll: Toll, passing: Passing, seen: Metering | undefined): Addition[] {
  const { run, sizes } = passing;
  const { step, status } = toll.sent ?? { step: -1, status: 0 };
  // If the client leaves before its answer begins, the provider has its prompt.
  const isBilled = step === run.report.step &&
    (seen ? status > 0 && status < 400 : run.signal.aborted && run.report.tries > 0);
  const cost = isBilled ? unitsOf(costSeen(seen, run, sizes)) : 0;
  if (cost === 0) return [];
  const { key, window } = sumOf(toll, passing);
  return [{ key, amount: cost, ttlMs: window.leftMs + toll.node.windowMs }];
}

/** The counters of a limit at this time. */
function sumOf({ id, node, value }: Toll, { scope, run }: Passing): {
  window: Window;
  /** What its counters' names begin with. */
  name: string;
  key: string;
  of: Rule["of"];
} {
  const { counts, windowMs, isSliding } = node;
  const window = windowOf(run.config.now(), windowMs);
  const about = [...scope, id, counts, windowMs];
  const own = nameOf([...about, flat(value)]);
  const isApart = namesOf(run).keep(own, run.config.now(), Math.max(window.leftMs + windowMs, 2 * HELD_MS));
  const name = isApart ? own : nameOf([...about, OTHERS]);
  const key = `${name}:${window.at}`;
  const of = [{ key, weight: 1 }];
  if (isSliding) of.push({ key: `${name}:${window.at - 1}`, weight: window.left });
  return { window, name, key, of };
}

/** The name of counters. A hash: a value may be long, or a secret. */
function nameOf(parts: readonly unknown[]): string {
  return `route:${sha256(new TextEncoder().encode(JSON.stringify(parts))).slice(0, 32)}`;
}

/** The most values that a process tells apart at a time. Clients choose them. */
const MOST_VALUES = 250_000;

/** Milliseconds between two searches for values that may be forgotten: one takes some milliseconds. */
const SWEPT_EACH_MS = 10_000;

/** Names of counters that are in use. */
interface UsedNames {
  /** Notes that a name is used for some time. @returns Whether it may be: not if too many others are. */
  keep(name: string, now: number, ms: number): boolean;
}

/** Stands for all further values. No value is a list. */
const OTHERS = ["others"];

/** The names of counters that are in use. @param most How many there may be. */
export function usedNames(most: number = MOST_VALUES): UsedNames {
  /** Until when each is in use. */
  const names = new Map<string, number>();
  let sweptAt = -Infinity;
  return {
    keep(name, now, ms) {
      if (!names.has(name) && names.size >= most) {
        if (now - sweptAt >= SWEPT_EACH_MS) {
          for (const [known, until] of names) if (until <= now) names.delete(known);
          sweptAt = now;
        }
        if (names.size >= most) return false;
      }
      names.set(name, now + ms);
      return true;
    },
  };
}

/** By the counters of a gateway. */
const USED = new WeakMap<object, UsedNames>();

/** The names that are in use among the counters of a gateway. */
export function namesOf({ config: { counters } }: Pick<Run, "config">): UsedNames {
  const names = USED.get(counters) ?? usedNames();
  USED.set(counters, names);
  return names;
}

/** The most characters of a value that tell it from others. */
const MOST_CHARACTERS = 1000;

/** A value that requests are counted by. All requests without one, or with a list or an object in its place, count together. */
function flat(value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, MOST_CHARACTERS);
  return typeof value === "number" || typeof value === "boolean" ? value : null;
}

function overLimit(
  { id, node: { counts, limit, windowMs }, waitMs }: Toll,
  route: string,
  run: Run,
): GatewayError {
  const seconds = Math.ceil((waitMs ?? windowOf(run.config.now(), windowMs).leftMs) / 1000);
  const what = counts === "requests" ? `${limit} requests` : `${limit} US dollars`;
  const more = counts === "requests"
    ? ""
    : ", and the request, with those that still run, may cost more than is left";
  return new GatewayError(
    "rate_limited",
    `Cannot serve the request: the route ${quote(route)} allows ${what} in ${windowMs / 1000} s at ${
      quote(id)
    }${more}; try again in ${seconds} s`,
    { headers: { "retry-after": `${seconds}` } },
  );
}
