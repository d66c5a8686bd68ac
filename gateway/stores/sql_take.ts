/** The statements that add to counters, all or none. */
import { isObject } from "../../wires/shared/json.ts";
import { type Sql, type SqlStatement, StoreError } from "./sql.ts";

/** The most that the sum of counters may be before a call, and the counters with their weights. */
export type Limit = [most: number, of: [key: string, weight: number][]];

/** What is asked of a database in one call. */
export interface Question {
  amounts: [key: string, amount: number, until: number][];
  limits: Limit[];
  /** The counters whose values are wanted. */
  keys: string[];
  /** The time. A counter whose time is over counts as 0. */
  at: number;
  /** Removes some of the counters that were over at a time. */
  sweep?: { until: number; most: number };
}

/** Answers it. `values` are those before the call; `isAdded` is absent if there was nothing to add. */
export type Take = (
  sql: Sql,
  question: Question,
) => Promise<{ isAdded?: boolean; values: ReadonlyMap<string, number> }>;

const fault = (says: string) => new StoreError(new TypeError(says));

// ---------------------------------------------------------------- SQLite

const VALUES =
  "select key, value from sluice_counters where until > ? and key in (select value from json_each(?))";

/** The sum of a limit's counters. Those that have no row count as 0. */
const SUM = "select sum(json_extract(o.value, '$[1]') * c.value) from json_each(r.value, '$[1]') as o " +
  "join sluice_counters as c on c.key = json_extract(o.value, '$[0]') and c.until > ?";

/** Adds all amounts, unless the sum of a limit is too high. Lists are JSON, because D1 takes only 100 values. */
const ADD = `insert into sluice_counters (key, value, until)
  select json_extract(a.value, '$[0]'), json_extract(a.value, '$[1]'), json_extract(a.value, '$[2]')
  from json_each(?) as a
  where not exists (
    select 1 from json_each(?) as r where coalesce((${SUM}), 0) > json_extract(r.value, '$[0]'))
  on conflict (key) do update set
    value = excluded.value + case when sluice_counters.until > ? then sluice_counters.value else 0 end,
    until = case when sluice_counters.until > ? then sluice_counters.until else excluded.until end
  returning key`;

/** Counters from which something was taken off. */
const CLAMP =
  "update sluice_counters set value = 0 where value < 0 and key in (select value from json_each(?))";

const SWEEP =
  "delete from sluice_counters where key in (select key from sluice_counters where until <= ? limit ?)";

export const takeInSqlite: Take = async (sql, { amounts, limits, keys, at, sweep }) => {
  const statements: SqlStatement[] = [[VALUES, [at, JSON.stringify(keys)]]];
  if (amounts.length > 0) {
    statements.push([ADD, [JSON.stringify(amounts), JSON.stringify(limits), at, at, at]]);
  }
  const lowered = amounts.filter(([, amount]) => amount < 0).map(([key]) => key);
  if (lowered.length > 0) statements.push([CLAMP, [JSON.stringify(lowered)]]);
  if (sweep) statements.push([SWEEP, [sweep.until, sweep.most]]);
  const rows: unknown = await sql.batch(statements);
  if (!isRows(rows, statements.length)) {
    throw fault("batch() of the store must return the rows of each statement");
  }
  const values = new Map(rows[0].map(({ key, value }) => [key as string, value as number]));
  return { values, isAdded: amounts.length > 0 ? rows[1].length > 0 : undefined };
};

const isRows = (rows: unknown, count: number): rows is Record<string, unknown>[][] =>
  Array.isArray(rows) && rows.length === count && rows.every(Array.isArray);

// ---------------------------------------------------------------- PostgreSQL

/**
 * One call of this function takes for several requests, one after another, in one transaction. It locks all counters that they read
 * or change, always in the same order. Each statement in it sees what others have committed before.
 */
export const TAKE_FUNCTION = `create or replace function sluice_take_1(
    calls jsonb, sweep_until bigint, sweep_most bigint)
  returns text language plpgsql as $body$
  declare
    call jsonb;
    moment bigint;
    found jsonb;
    answer jsonb;
    answers jsonb := '[]';
  begin
    perform pg_advisory_xact_lock(7583942, hash) from (
      select distinct hashtext(key) as hash from (
        select a ->> 0 as key from jsonb_array_elements(calls) as c, jsonb_array_elements(c -> 'amounts') as a
        union all
        select k from jsonb_array_elements(calls) as c, jsonb_array_elements_text(c -> 'keys') as k
        where jsonb_array_length(c -> 'amounts') > 0) as named
      order by 1) as hashes;
    for call in select * from jsonb_array_elements(calls) loop
      moment := (call ->> 'at')::bigint;
      select coalesce(jsonb_object_agg(c.key, c.value), '{}') into found from sluice_counters as c
        where c.until > moment and c.key in (select jsonb_array_elements_text(call -> 'keys'));
      answer := jsonb_build_object('values', found);
      if jsonb_array_length(call -> 'amounts') > 0 then
        if exists (
          select 1 from jsonb_array_elements(call -> 'limits') as l where (l ->> 0)::double precision < (
            select coalesce(sum((o ->> 1)::double precision * (found ->> (o ->> 0))::double precision), 0)
            from jsonb_array_elements(l -> 1) as o)) then
          answer := answer || '{"isAdded": false}';
        else
          insert into sluice_counters as c (key, value, until)
            select a ->> 0, (a ->> 1)::double precision, (a ->> 2)::bigint
            from jsonb_array_elements(call -> 'amounts') as a
            on conflict (key) do update set
              value = excluded.value + case when c.until > moment then c.value else 0 end,
              until = case when c.until > moment then c.until else excluded.until end;
          update sluice_counters as c set value = 0 where c.value < 0 and c.key in (
            select a ->> 0 from jsonb_array_elements(call -> 'amounts') as a where (a ->> 1)::double precision < 0);
          answer := answer || '{"isAdded": true}';
        end if;
      end if;
      answers := answers || jsonb_build_array(answer);
    end loop;
    if sweep_most > 0 then
      delete from sluice_counters where key in (
        select c.key from sluice_counters as c where c.until <= sweep_until limit sweep_most for update skip locked);
    end if;
    return answers;
  end $body$`;

/** The list is a text for the client, because some clients write a text for a place of the type JSON as JSON once more. */
const CALL = "select sluice_take_1(cast(cast(? as text) as jsonb), ?, ?) as taken";

/** The most calls that are sent as one. */
const MOST_CALLS = 100;

interface Waiting {
  question: Question;
  resolve(answer: Awaited<ReturnType<Take>>): void;
  reject(cause: unknown): void;
}

/**
 * Makes the function that asks PostgreSQL. Calls that come while one is being answered are sent together when it is: a busy counter
 * is locked until the disk has what was added, so that calls of their own could add only some hundred times in a second.
 */
export function takingInPostgres(): Take {
  let waiting: Waiting[] = [];
  let isBusy = false;

  async function send(sql: Sql): Promise<void> {
    isBusy = true;
    while (waiting.length > 0) {
      const calls = waiting.slice(0, MOST_CALLS);
      waiting = waiting.slice(MOST_CALLS);
      try {
        const answers = await ask(sql, calls.map(({ question }) => question));
        calls.forEach(({ resolve }, at) => resolve(answers[at]));
      } catch (cause) {
        for (const { reject } of calls) reject(cause);
      }
    }
    isBusy = false;
  }

  return (sql, question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (!isBusy) send(sql);
    });
}

async function ask(sql: Sql, questions: readonly Question[]): Promise<Awaited<ReturnType<Take>>[]> {
  const sweep = questions.find(({ sweep }) => sweep)?.sweep;
  const calls = questions.map(({ amounts, limits, keys, at }) => ({ amounts, limits, keys, at }));
  const [row] = await sql.all(CALL, [JSON.stringify(calls), sweep?.until ?? 0, sweep?.most ?? 0]);
  const answers: unknown = JSON.parse(String(row?.taken));
  if (!Array.isArray(answers) || answers.length !== calls.length) {
    throw fault("the store's answer has no values");
  }
  return answers.map((answer, at) => {
    const { isAdded, values } = answer ?? {};
    const isWhole = typeof isAdded === (calls[at].amounts.length > 0 ? "boolean" : "undefined") &&
      isObject(values);
    if (!isWhole) throw fault("the store's answer has no values");
    return { isAdded, values: new Map(Object.entries(values as Record<string, number>)) };
  });
}
