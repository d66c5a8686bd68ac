/** What each store of rows must do. It runs on Deno, on Bun (`kinds.ts`) and in workerd (`tests/runtimes/state_worker.ts`). */
import { COLUMN_NAMES } from "../../../gateway/stores/columns.ts";
import { quantile, total } from "../../../gateway/stores/rollups.ts";
import { sqlLogs } from "../../../gateway/stores/sql_logs.ts";
import type { Sql } from "../../../gateway/stores/sql.ts";
import type { Grain, LogBody, LogFilter, LogQuery, LogRow, Logs } from "../../../gateway/stores/store.ts";

/** What a store is made with. */
export interface Limits {
  rows: number;
  days: number;
  bodyBytes: number;
  replaces: boolean;
  now: () => number;
  onFull: (rows: number) => void;
}

/** A kind of store. */
export interface Kind {
  name: string;
  /** Whether rows have an age after which they are removed. */
  ages: boolean;
  open(limits: Limits): Promise<Logs>;
}

/** A store in a SQL database. */
export const inSql = (name: string, open: () => Promise<Sql>): Kind => ({
  name,
  ages: true,
  async open(limits) {
    const sql = await open();
    return { ...sqlLogs(sql, limits), close: async () => await sql.close?.() };
  },
});

const NOON = Date.UTC(2026, 10, 28, 12);
const SCOPE = { account: "acct", gateway: "gw" };

/** A row with a time in milliseconds after noon. */
export const rowOf = (id: string, after = 0, more: Partial<LogRow> = {}): LogRow => ({
  time: new Date(NOON + after).toISOString(),
  level: "info",
  id,
  method: "POST",
  path: "/v1/acct/gw/compat/chat/completions",
  status: 200,
  provider: "openai",
  model: "gpt",
  durationMs: 100,
  stream: false,
  ...SCOPE,
  tries: 1,
  step: 0,
  ...more,
});

/** A row in which each member has a value. */
const FULL = rowOf("full", 0, {
  level: "error",
  upstreamId: "req_1",
  status: 429,
  firstTokenMs: 20,
  stream: true,
  inputTokens: 3,
  outputTokens: 4,
  cacheReadTokens: 1,
  cacheWriteTokens: 2,
  reasoningTokens: 1,
  cost: 0.0000125,
  price: "table",
  finishReason: "stop",
  token: "team a",
  metadata: { team: "a", n: 7, on: true },
  eventId: "ev",
  userAgent: "test/1",
  dropped: "seed",
  cached: true,
  tries: 2,
  attempts: [{ provider: "groq", status: 503, ms: 3 }, {
    provider: "openai",
    model: "gpt",
    status: 429,
    ms: 5,
  }],
  payload: false,
  requestType: "application/json",
  responseType: "text/event-stream",
  step: 1,
  error: { status: 429, type: "rate_limit", code: "rate_limit_exceeded" },
  feedback: -1,
  score: 0.5,
});

const bodyOf = (id: string, side: string, more: Partial<LogBody> = {}): LogBody => ({
  ...SCOPE,
  id,
  side,
  text: `the ${side} of '${id}'\n<b>\u{1f600}`,
  bytes: 20,
  isCut: false,
  headers: { "content-type": "text/plain" },
  ...more,
});

const query = (more: Partial<LogQuery> = {}): LogQuery => ({
  filters: [],
  orderBy: "created_at",
  descending: true,
  offset: 0,
  limit: 100,
  ...more,
});

/** @throws Error if two values are not the same as JSON. */
export const same = (seen: unknown, due: unknown, what: string) => {
  const [left, right] = [sorted(seen), sorted(due)];
  if (left !== right) throw new Error(`${what}\n  is  ${left}\n  due ${right}`);
};

/** JSON with the members of each object in order. */
const sorted = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, one) =>
      typeof one === "object" && one !== null && !Array.isArray(one)
        ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => a < b ? -1 : 1))
        : one,
  ) ?? "undefined";

/** What a case is given. */
interface Scene {
  logs: Logs;
  kind: Kind;
  ids(more?: Partial<LogQuery>): Promise<string[]>;
  /** Moves the clock. */
  pass(ms: number): void;
  /** The numbers of rows that a full store did not take. */
  full: number[];
}

type Case = [name: string, run: (scene: Scene) => Promise<void>, limits?: Partial<Limits>];

const CASES: Case[] = [
  ["returns a row as it was added", async ({ logs }) => {
    // JSON leaves out what is undefined.
    const few = rowOf("few", 1, { provider: undefined, model: undefined, tries: 0, token: undefined });
    const unpriced = rowOf("unpriced", 2, { cost: null, inputTokens: 1 });
    await logs.add([FULL, few, unpriced]);
    for (const row of [FULL, few, unpriced]) same(await logs.get(SCOPE, row.id), row, row.id);
    same(await logs.get(SCOPE, "nobody"), undefined, "a row that is not there");
  }],
  ["keeps the rows of each account and gateway apart", async ({ logs, ids }) => {
    const others = [{ account: "other", gateway: "gw" }, { account: "acct", gateway: "other" }];
    for (const scope of [SCOPE, ...others]) await logs.add([rowOf("one", 0, scope)]);
    same(await ids(), ["one"], "list");
    for (const scope of others) {
      same(await logs.patch(scope, "one", { feedback: 1 }), true, "patch");
      same((await logs.get(scope, "one"))?.feedback, 1, "patched");
      same((await logs.get(SCOPE, "one"))?.feedback, undefined, "not patched");
    }
    same(await logs.remove(others[0], query()), 1, "remove");
    same(await ids(), ["one"], "list after a removal");
    same(await logs.get(others[0], "one"), undefined, "removed");
  }],
  ["changes a row, and takes values back", async ({ logs }) => {
    await logs.add([rowOf("a"), rowOf("b")]);
    same(await logs.patch(SCOPE, "a", { feedback: 1, score: 0.25, metadata: { x: "y" } }), true, "patch");
    const { feedback, score, metadata } = (await logs.get(SCOPE, "a"))!;
    same([feedback, score, metadata], [1, 0.25, { x: "y" }], "changed");
    same(await logs.patch(SCOPE, "a", { feedback: null, score: null, metadata: null }), true, "take back");
    same(await logs.get(SCOPE, "a"), rowOf("a"), "as before");
    same(await logs.patch(SCOPE, "a", {}), true, "no change");
    same(await logs.patch(SCOPE, "nobody", { feedback: 1 }), false, "missing");
    same(await logs.get(SCOPE, "b"), rowOf("b"), "another row");
  }],
  ["returns the newest rows by arrival, whatever their times", async ({ logs }) => {
    for (const [at, after] of [0, -5000, 10, -9000].entries()) await logs.add([rowOf(`r${at}`, after)]);
    await logs.add([rowOf("r4", 0, { account: "other" })]);
    const newest = async (limit: number, after?: string) =>
      (await logs.newest(limit, after)).map(({ id }) => id);
    same(await newest(10), ["r4", "r3", "r2", "r1", "r0"], "all");
    same(await newest(2), ["r4", "r3"], "two");
    same(await newest(10, "r2"), ["r4", "r3"], "after one");
    same(await newest(10, "r4"), [], "after the last");
    same(await newest(10, "gone"), ["r4", "r3", "r2", "r1", "r0"], "after a row that is gone");
  }],
  ["lists pages in order, with the number of all", async ({ logs, ids }) => {
    const rows = [300, 100, 200].map((durationMs, at) => rowOf(`r${at}`, at, { durationMs }));
    await logs.add([...rows, rowOf("r3", 3, { cost: 1, durationMs: 100 })]);
    same(await ids(), ["r3", "r2", "r1", "r0"], "by time");
    same(await ids({ descending: false }), ["r0", "r1", "r2", "r3"], "by time, up");
    same(await ids({ orderBy: "duration" }), ["r0", "r2", "r3", "r1"], "by duration");
    same(await ids({ orderBy: "cost", descending: false }), ["r0", "r1", "r2", "r3"], "absent values first");
    same(await ids({ orderBy: "cost" }), ["r3", "r2", "r1", "r0"], "absent values last");
    const page = await logs.list(SCOPE, query({ offset: 1, limit: 2 }));
    same([page.rows.map(({ id }) => id), page.total], [["r2", "r1"], 4], "a page");
    for (const orderBy of COLUMN_NAMES) same((await ids({ orderBy })).length, 4, orderBy);
  }],
  ["filters by each column with each operator", async ({ logs, ids }) => {
    const other = rowOf("other", 60_000, {
      path: "/v1/chat/completions",
      provider: "groq",
      model: "gpt-Mini",
    });
    await logs.add([FULL, other]);
    for (const [key, operator, value, full, rest] of FILTERS) {
      const due = [...rest ? ["other"] : [], ...full ? ["full"] : []];
      same(
        await ids({ filters: [{ key, operator, value }] }),
        due,
        `${key} ${operator} ${JSON.stringify(value)}`,
      );
    }
    const both = [{ key: "provider", operator: "eq", value: ["openai"] }, {
      key: "model",
      operator: "contains",
      value: ["mini"],
    }] satisfies LogFilter[];
    same(await ids({ filters: both }), [], "two conditions");
    for (
      const [search, due] of [["MINI", ["other"]], ["LIMIT_EX", ["full"]], ["%", []], ["_", [
        "full",
      ]]] as const
    ) {
      same(await ids({ search }), due, `search ${search}`);
    }
  }],
  ["takes odd characters in every text", async ({ logs, ids }) => {
    const odd = `'"; drop table sluice_logs; -- \u{1f600} ÄÖ \\ % _ <b>`;
    const row = rowOf(odd, 0, {
      model: odd,
      token: odd,
      userAgent: odd,
      metadata: { [odd]: odd },
      error: { code: odd, message: odd },
    });
    await logs.add([row]);
    same(await logs.get(SCOPE, odd), row, "the row");
    for (const key of ["model", "token", "user_agent", "id", "metadata.key", "metadata.value"]) {
      for (const operator of ["eq", "contains"] as const) {
        same(await ids({ filters: [{ key, operator, value: [odd] }] }), [odd], `${key} ${operator}`);
      }
    }
    // A text that is cut may end with one half of a character.
    await logs.add([rowOf("half", 1, { model: "half \ud83d", dropped: "\0" })]);
    same((await logs.get(SCOPE, "half"))?.id, "half", "a half character");
  }],
  ["removes the rows of a query", async ({ logs, ids }) => {
    const rows = Array.from({ length: 2500 }, (_, at) => rowOf(`r${at}`, at, { status: at % 5 ? 200 : 500 }));
    await logs.add(rows);
    const failed: LogFilter[] = [{ key: "status_code", operator: "eq", value: [500] }];
    same(await logs.remove(SCOPE, query({ filters: failed, limit: 2 })), 2, "two");
    same((await ids({ filters: failed }))[0], "r2485", "the newest of them are gone");
    same(await logs.remove(SCOPE, query({ filters: failed, limit: 1e9 })), 498, "all of them");
    same(await logs.remove(SCOPE, query({ limit: 1e9 })), 2000, "the rest");
    same(await ids(), [], "none is left");
  }],
  ["keeps bodies beside their rows, and removes them with their rows", async ({ logs }) => {
    const bodies = ["request", "try1", "response"].map((side) => bodyOf("a", side));
    await logs.add([rowOf("a"), rowOf("b")], [
      ...bodies,
      bodyOf("b", "request", { url: "https://x", isCut: true }),
    ]);
    same((await logs.bodies(SCOPE, "a")).sort((x, y) => x.side < y.side ? -1 : 1), [
      bodies[0],
      bodies[2],
      bodies[1],
    ], "a");
    same(await logs.bodies(SCOPE, "b"), [bodyOf("b", "request", { url: "https://x", isCut: true })], "b");
    same(await logs.bodies({ account: "other", gateway: "gw" }, "a"), [], "another account");
    same(await logs.bodies(SCOPE, "c"), [], "no row");
    await logs.remove(SCOPE, query({ filters: [{ key: "id", operator: "eq", value: ["a"] }] }));
    same([(await logs.bodies(SCOPE, "a")).length, (await logs.bodies(SCOPE, "b")).length], [0, 1], "removed");
  }],
  ["removes the oldest bodies when they have too many bytes", async ({ logs }) => {
    for (let at = 0; at < 5; at++) {
      await logs.add([rowOf(`r${at}`, at)], [bodyOf(`r${at}`, "request", { text: "x".repeat(300) })]);
    }
    const kept = async () => {
      const counts = ["r0", "r1", "r2", "r3", "r4"].map(async (id) => (await logs.bodies(SCOPE, id)).length);
      return (await Promise.all(counts)).join("");
    };
    same(await kept(), "00111", "the newest three");
    same((await logs.get(SCOPE, "r0"))?.id, "r0", "the row stays");
    await logs.remove(SCOPE, query({ limit: 3 }));
    await logs.add([rowOf("r0", 9, { account: "x" }), rowOf("r4", 9)], [
      bodyOf("r4", "request", { text: "y".repeat(900) }),
    ]);
    same((await logs.bodies(SCOPE, "r4"))[0].text[0], "y", "those of removed rows do not count");
  }],
  ["keeps no bodies of rows that a full store does not take", async ({ logs }) => {
    await logs.add([rowOf("a")]);
    await logs.add([rowOf("b")], [bodyOf("b", "request")]);
    same(await logs.bodies(SCOPE, "b"), [], "the body");
  }, { rows: 1, replaces: false }],
  ["sums rows by minute, hour and day, also when they are gone", async ({ logs }) => {
    const rows = [0, 59_999, 60_000, 3_600_000, 12 * 3_600_000].map((after, at) => rowOf(`r${at}`, after));
    for (const row of rows) await logs.add([row]);
    await logs.remove(SCOPE, query({ limit: 1e9 }));
    const points = async (grain: Grain, more = {}) =>
      (await logs.stats({ grain, from: 0, to: Infinity, ...more })).points
        .map(({ at, requests }) => [(at - NOON) / 60_000, requests]);
    same(await points("minute"), [[0, 2], [1, 1], [60, 1], [720, 1]], "minutes");
    same(await points("hour"), [[0, 3], [60, 1], [720, 1]], "hours");
    same(await points("day"), [[-720, 4], [720, 1]], "days");
    same(await points("minute", { from: NOON, to: NOON + 60_000 }), [[0, 2]], "a span");
  }],
  ["sums tokens, costs, failures and times by group", async ({ logs }) => {
    await logs.add([
      rowOf("a", 0, {
        inputTokens: 10,
        outputTokens: 5,
        cost: 0.5,
        token: "a",
        durationMs: 90,
        firstTokenMs: 20,
      }),
      rowOf("b", 0, { inputTokens: 1, cost: 0.25, token: "a", durationMs: 5000 }),
      rowOf("cached", 0, { cached: true, tries: 0, cost: 0, provider: "groq", model: "x" }),
    ]);
    await logs.add([
      rowOf("c", 0, { level: "error", status: 500, token: "a", durationMs: 90 }),
      rowOf("d", 0, { cost: null, inputTokens: 7, provider: "groq", model: "x" }),
      rowOf("e", 0, { level: "warn", tries: 0, provider: "openai", model: "made up" }),
      rowOf("f", 0, { gateway: "made up", tries: 0, level: "warn" }),
    ]);
    const { groups, points } = await logs.stats({ grain: "day", from: 0, to: Infinity });
    const seen = groups.map(({ of, requests, errors, cached, inputTokens, outputTokens, cost, unpriced }) =>
      [of.provider, of.model, of.token, requests, errors, cached, inputTokens, outputTokens, cost, unpriced]
        .join()
    );
    same([seen[0], seen.slice(1).sort()], ["openai,gpt,a,3,1,0,11,5,0.75,0", [
      ",,,1,1,0,0,0,0,0",
      "groq,x,,2,0,1,7,0,0,1",
    ]], "groups");
    same(points.length, 1, "points");
    same(quantile(groups[0].durations, 0.5)! <= 100, true, "median");
    same(quantile(groups[0].durations, 0.99)! > 3200, true, "slowest");
    same(groups[0].firstTokens.reduce((sum, count) => sum + count, 0), 1, "first tokens");
    const of = (scope: object) =>
      logs.stats({ grain: "hour", from: 0, to: Infinity, scope }).then(({ points }) =>
        total(points).requests
      );
    same(
      [await of(SCOPE), await of({ gateway: "made up" }), await of({ account: "x" })],
      [6, 0, 0],
      "scopes",
    );
  }],
  ["removes the oldest rows when there are too many", async ({ logs, ids, full }) => {
    for (let at = 0; at < 5; at++) await logs.add([rowOf(`r${at}`, at)]);
    await logs.add(Array.from({ length: 3 }, (_, at) => rowOf(`s${at}`, 10 + at)));
    same(await ids(), ["s2", "s1", "s0"], "the newest three");
    same(full, [], "all were taken");
  }, { rows: 3 }],
  ["takes no rows when it is full, if it is told so, but sums all", async ({ logs, ids, full }) => {
    await logs.add([rowOf("a"), rowOf("b", 1)]);
    await logs.add([rowOf("c", 2), rowOf("d", 3)]);
    await logs.add([rowOf("e", 4)]);
    same(await ids(), ["c", "b", "a"], "the first three");
    same(full, [1, 1], "the others were counted");
    same(total((await logs.stats({ grain: "day", from: 0, to: Infinity })).points).requests, 5, "sums");
    await logs.remove(SCOPE, query({ limit: 2 }));
    await logs.add([rowOf("f", 5)]);
    same(await ids(), ["f", "a"], "there is room again");
  }, { rows: 3, replaces: false }],
  ["removes rows by their age, some at a time", async ({ logs, kind, ids, pass }) => {
    if (!kind.ages) return;
    const DAY = 86_400_000;
    await logs.add(Array.from({ length: 1500 }, (_, at) => rowOf(`old${at}`, at)));
    await logs.add([rowOf("young", 2 * DAY)]);
    const count = async () => (await logs.list(SCOPE, query())).total;
    same(await count(), 1501, "all are young");
    // The clock jumps: one look removes a thousand at most.
    pass(3.5 * DAY);
    await logs.add([rowOf("new", 3.5 * DAY)]);
    same(await count(), 502, "the first look");
    await logs.add([rowOf("new2", 3.5 * DAY)]);
    same(await count(), 503, "no look before a minute has passed");
    pass(60_000);
    await logs.add([rowOf("new3", 3.5 * DAY)]);
    same(await ids(), ["new3", "new2", "new", "young"], "the second look");
    pass(-20 * DAY);
    await logs.add([rowOf("old", -20 * DAY), rowOf("set back", -16 * DAY)]);
    same((await ids()).includes("old"), false, "a look after the clock was set back");
  }, { days: 2 }],
  ["removes minutes after two days, and keeps hours", async ({ logs, kind, pass }) => {
    if (!kind.ages) return;
    const DAY = 86_400_000;
    await logs.add([rowOf("old")]);
    pass(3 * DAY);
    await logs.add([rowOf("new", 3 * DAY)]);
    const count = async (grain: Grain) =>
      total((await logs.stats({ grain, from: 0, to: Infinity })).points).requests;
    same([await count("minute"), await count("hour"), await count("day")], [1, 2, 2], "sums");
  }],
  ["keeps the sums of a limited number of models in an hour", async ({ logs, kind }) => {
    if (!kind.ages) return;
    await logs.add(Array.from({ length: 1010 }, (_, at) => rowOf(`r${at}`, 0, { model: `m${at}` })));
    const { groups } = await logs.stats({ grain: "hour", from: 0, to: Infinity });
    same([groups.length, groups[0].of.model, groups[0].requests], [1000, "", 10], "groups");
    await logs.add([rowOf("next", 3_600_000, { model: "of the next hour" })]);
    const next = await logs.stats({ grain: "hour", from: NOON + 3_600_000, to: Infinity });
    same(next.groups.map(({ of }) => of.model), ["of the next hour"], "the next hour");
  }],
];

type Filter = [
  key: string,
  operator: LogFilter["operator"],
  value: LogFilter["value"],
  full: boolean,
  rest: boolean,
];

/** Conditions with what they are for the full row, and for the other one. */
const FILTERS: Filter[] = [
  ["id", "eq", ["full"], true, false],
  ["id", "neq", ["full"], false, true],
  ["created_at", "gt", ["2026-11-28T12:00:30Z"], false, true],
  ["created_at", "lt", ["2026-11-28T12:00:30Z"], true, false],
  ["created_at", "gt", ["2026-11-28"], true, true],
  ["provider", "eq", ["openai"], true, false],
  ["provider", "eq", ["openai", "groq"], true, true],
  ["model", "eq", ["gpt"], true, false],
  ["model", "neq", ["gpt", "gpt-Mini"], false, false],
  ["model", "contains", ["MINI"], false, true],
  ["model", "contains", ["%"], false, false],
  ["model_type", "eq", [null], true, true],
  ["model_type", "neq", ["chat"], true, true],
  ["model_type", "eq", ["chat"], false, false],
  ["dlp_action", "neq", [null], false, false],
  ["request_type", "eq", ["POST"], true, true],
  ["request_content_type", "eq", ["application/json"], true, false],
  ["request_content_type", "eq", [null], false, true],
  ["request_content_type", "neq", [null], true, false],
  ["request_content_type", "neq", ["text/plain"], true, true],
  ["response_content_type", "contains", ["stream"], true, false],
  ["authentication", "eq", [true], true, false],
  ["authentication", "eq", ["false"], false, true],
  ["authentication", "neq", [true], false, true],
  ["compatibilityMode", "eq", [true], true, false],
  ["wholesale", "eq", [false], true, true],
  ["cached", "eq", ["true"], true, false],
  ["cached", "neq", [true], false, true],
  ["cached", "contains", ["als"], false, true],
  ["success", "eq", [true], false, true],
  ["success", "eq", ["false"], true, false],
  ["success", "gt", [0], false, false],
  ["path", "contains", ["/COMPAT/"], true, false],
  ["status_code", "eq", [429], true, false],
  ["status_code", "eq", ["429"], true, false],
  ["status_code", "gt", [200], true, false],
  ["status_code", "lt", ["429"], false, true],
  ["status_code", "lt", ["x"], false, false],
  ["status_code", "contains", ["42"], true, false],
  ["cost", "eq", [0.0000125], true, false],
  ["cost", "eq", [null], false, true],
  ["cost", "lt", [1], true, false],
  ["cost", "neq", [1], true, true],
  ["tokens", "eq", [7], true, false],
  ["tokens", "gt", [6], true, false],
  ["tokens", "eq", [null], false, true],
  ["tokens_in", "eq", ["3"], true, false],
  ["tokens_out", "lt", [5], true, false],
  ["duration", "eq", [100], true, true],
  ["feedback", "eq", [-1], true, false],
  ["feedback", "eq", [null], false, true],
  ["score", "gt", [0.4], true, false],
  ["token", "eq", ["team a"], true, false],
  ["account", "eq", ["acct"], true, true],
  ["gateway", "neq", ["gw"], false, false],
  ["event_id", "eq", ["ev"], true, false],
  ["user_agent", "contains", ["TEST"], true, false],
  ["metadata.key", "eq", ["team"], true, false],
  ["metadata.key", "neq", ["team"], false, true],
  ["metadata.key", "contains", ["EA"], true, false],
  ["metadata.key", "gt", ["s"], true, false],
  ["metadata.value", "eq", ["a"], true, false],
  ["metadata.value", "eq", [7], true, false],
  ["metadata.value", "eq", ["7"], true, false],
  ["metadata.value", "eq", [true], true, false],
  ["metadata.value", "eq", [1], false, false],
  ["metadata.value", "neq", ["a"], false, true],
  ["metadata.value", "contains", ["RU"], true, false],
  ["metadata.value", "gt", [6], true, false],
  // The text "a" comes after "7".
  ["metadata.value", "gt", [7], true, false],
  ["metadata.value", "gt", ["b"], false, false],
  ["metadata.value", "gt", ["z"], false, false],
  ["metadata.value", "lt", ["b"], true, false],
];

/** The cases for a kind of store, each with a store of its own. */
export const casesOf = (kind: Kind): [name: string, run: () => Promise<void>][] =>
  CASES.map(([name, run, more]) => [`${kind.name}: ${name}`, async () => {
    let at = NOON;
    const full: number[] = [];
    const limits = { rows: 100_000, days: 30, bodyBytes: 1000, replaces: true, now: () => at, ...more };
    const logs = await kind.open({ ...limits, onFull: (rows) => void full.push(rows) });
    const ids = async (more?: Partial<LogQuery>) =>
      (await logs.list(SCOPE, query(more))).rows.map(({ id }) => id);
    try {
      await run({ logs, kind, ids, full, pass: (ms) => void (at += ms) });
    } finally {
      await logs.close();
    }
  }]);
