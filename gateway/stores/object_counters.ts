/**
 * Counters in Durable Objects: one object for each gateway token and each team.
 *
 * An object does one thing at a time, on one machine. Its storage is synchronous, so nothing comes between the look at a sum and
 * the addition. One object for all tokens would serve some hundred requests a second in all; one for each token serves as many
 * for each, and lies near those who use it.
 */
import type { Addition, Counters, Rule, Taken } from "./counters.ts";
import type { ObjectNamespace, ObjectStorage } from "./state_object.ts";

// ---------------------------------------------------------------- inside the object

/** In one of so many calls, counters that are over are removed. */
const SWEPT_EACH = 1000;

const TABLE = "create table if not exists sluice_counters (" +
  "key text not null primary key, value double precision not null, until bigint not null)";

const VALUES =
  "select key, value from sluice_counters where until > ? and key in (select value from json_each(?))";

const SET =
  "insert into sluice_counters (key, value, until) values (?, ?, ?) on conflict (key) do update set " +
  "value = excluded.value + case when sluice_counters.until > ? then sluice_counters.value else 0 end, " +
  "until = case when sluice_counters.until > ? then sluice_counters.until else excluded.until end";

/** A counter is never below 0. */
const NOT_BELOW = "update sluice_counters set value = 0 where value < 0";

const SWEEP = "delete from sluice_counters where until <= ?";

/** Counters in an object's own storage. */
export interface StoredCounters {
  take(additions: readonly Addition[], rules?: readonly Rule[]): Taken;
  /** Removes counters that are over, and the object's storage with the last of them: a token may never be used again. */
  tidy(): Promise<void>;
}

/** Makes the counters of an object. Its alarm must call `tidy`. */
export function storedCounters(storage: ObjectStorage, now: () => number): StoredCounters {
  const { sql } = storage;
  let isReady = false, hasAlarm = false, untilSweep = 0;

  function add(additions: readonly Addition[], at: number): void {
    storage.transactionSync(() => {
      for (const { key, amount, ttlMs } of additions) sql.exec(SET, key, amount, at + ttlMs, at, at);
      // Only behind all of them, because one of them may make up for another.
      if (additions.some(({ amount }) => amount < 0)) sql.exec(NOT_BELOW);
      if (untilSweep-- > 0) return;
      sql.exec(SWEEP, at);
      untilSweep = SWEPT_EACH;
    });
    if (hasAlarm) return;
    hasAlarm = true;
    // A storage that cannot be written fails the call itself.
    storage.setAlarm(at + Math.max(...additions.map(({ ttlMs }) => ttlMs))).catch(() => {});
  }

  return {
    take(additions, rules = []) {
      if (!isReady) sql.exec(TABLE);
      isReady = true;
      const at = now();
      const keys = new Set(rules.flatMap(({ of }) => of.map(({ key }) => key)));
      // A list, because a statement takes 100 values.
      const rows = keys.size > 0 ? sql.exec(VALUES, at, JSON.stringify([...keys])).toArray() : [];
      const values = new Map(rows.map(({ key, value }) => [key as string, value as number]));
      const valueOf = (key: string) => values.get(key) ?? 0, amountOf = amountsOf(additions);
      const before = rules.map((rule) => sumOf(rule, valueOf));
      const after = rules.map((rule) => sumOf(rule, (key) => Math.max(0, valueOf(key) + amountOf(key))));
      const ok = rules.every(({ limit }, index) => after[index] <= limit);
      if (ok && additions.length > 0) add(additions, at);
      return { ok, sums: ok ? after : before };
    },
    async tidy() {
      sql.exec(TABLE);
      sql.exec(SWEEP, now());
      const [{ last }] = sql.exec("select max(until) as last from sluice_counters").toArray();
      hasAlarm = last !== null;
      if (hasAlarm) return await storage.setAlarm(last as number);
      isReady = false;
      await storage.deleteAll();
    },
  };
}

const sumOf = ({ of }: Rule, valueOf: (key: string) => number): number =>
  of.reduce((sum, { key, weight }) => sum + weight * valueOf(key), 0);

const amountsOf = (additions: readonly Addition[]) => (key: string): number =>
  additions.reduce((sum, addition) => addition.key === key ? sum + addition.amount : sum, 0);

// ---------------------------------------------------------------- in the Worker

/** The part of a call that concerns one object. */
interface Part {
  owner: string;
  additions: Addition[];
  /** The rules, and their places among all rules. */
  rules: { rule: Rule; at: number }[];
}

/**
 * Counters in objects, one for each owner: the second part of a counter's name, `growth` of `rpm:growth:29650000`.
 *
 * Nearly each call has one owner, and is one call of one object. A call with several asks their objects in turn: what a token may
 * not do is refused before its team is asked, so no token can use up what its team has by being refused. If a later object
 * refuses, the ones before get back what they counted. Until then they count too much, never too little.
 */
export function objectCounters(namespace: ObjectNamespace): Counters {
  const take = async (owner: string, additions: readonly Addition[], rules: readonly Rule[]) =>
    await namespace.get(namespace.idFromName(`counters:${owner}`)).take(additions, rules);
  const giveBack = (parts: readonly Part[]) =>
    Promise.allSettled(
      parts.map(({ owner, additions }) =>
        take(owner, additions.map((addition) => ({ ...addition, amount: -addition.amount })), [])
      ),
    );

  /** Asks several objects. */
  async function takeInTurn(parts: readonly Part[], count: number): Promise<Taken> {
    const sums = new Array<number>(count).fill(0);
    const taken: Part[] = [];
    let isOk = true;
    try {
      for (const part of parts) {
        const { owner, additions, rules } = part;
        // After a refusal only the sums are wanted.
        const answer = await take(owner, isOk ? additions : [], rules.map(({ rule }) => rule));
        for (const [index, { at }] of rules.entries()) sums[at] = answer.sums[index];
        if (!isOk) continue;
        isOk = answer.ok;
        if (isOk) taken.push(part);
      }
    } catch (cause) {
      await giveBack(taken);
      throw cause;
    }
    if (isOk) return { ok: true, sums };
    await giveBack(taken);
    for (const { additions, rules } of taken) {
      for (const { rule, at } of rules) sums[at] -= sumOf(rule, amountsOf(additions));
    }
    return { ok: false, sums };
  }

  return {
    async take(additions, rules = []) {
      const parts = partsOf(additions, rules);
      if (parts.length === 0) return { ok: true, sums: [] };
      if (parts.length === 1) return await take(parts[0].owner, additions, rules);
      if (rules.length > 0) return await takeInTurn(parts, rules.length);
      // What has ended is counted wherever it can be.
      const all = await Promise.allSettled(parts.map(({ owner, additions }) => take(owner, additions, [])));
      for (const one of all) if (one.status === "rejected") throw one.reason;
      return { ok: true, sums: [] };
    },
  };
}

const ownerOf = (key: string): string => key.split(":", 2)[1] ?? "";

/** Parts a call by the owners of its counters, in the order in which it names them. */
function partsOf(additions: readonly Addition[], rules: readonly Rule[]): Part[] {
  const parts = new Map<string, Part>();
  const partOf = (owner: string) => {
    let part = parts.get(owner);
    if (!part) parts.set(owner, part = { owner, additions: [], rules: [] });
    return part;
  };
  for (const addition of additions) partOf(ownerOf(addition.key)).additions.push(addition);
  for (const [at, rule] of rules.entries()) {
    const owners = new Set(rule.of.map(({ key }) => ownerOf(key)));
    if (owners.size > 1) {
      throw new TypeError(`Cannot check a limit on the sum of counters of ${[...owners].join(" and ")}`);
    }
    const [owner = ""] = owners;
    partOf(owner).rules.push({ rule, at });
  }
  return [...parts.values()];
}
