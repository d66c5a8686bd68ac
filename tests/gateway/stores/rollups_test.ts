import { assert, assertEquals } from "@std/assert";
import { memoryLogs } from "../../../gateway/stores/memory.ts";
import { quantile, rollups, total } from "../../../gateway/stores/rollups.ts";
import type { Grain, LogRow } from "../../../gateway/stores/store.ts";

const NOON = Date.UTC(2026, 10, 28, 12);
const ALL = { from: 0, to: Infinity };

let last = 0;

/** A row with a time in milliseconds after noon. */
const row = (after = 0, more: Partial<LogRow> = {}): LogRow => ({
  time: new Date(NOON + after).toISOString(),
  level: "info",
  id: `id-${last++}`,
  method: "POST",
  path: "/v1/chat/completions",
  status: 200,
  provider: "openai",
  model: "gpt",
  durationMs: 100,
  stream: false,
  account: "-",
  gateway: "default",
  tries: 1,
  step: 0,
  ...more,
});

function sumsOf(...rows: LogRow[]) {
  const sums = rollups();
  for (const one of rows) sums.add(one);
  return sums;
}

Deno.test("rollups() sums rows by minute, hour and day", () => {
  const sums = sumsOf(row(0), row(59_999), row(60_000), row(3_600_000), row(12 * 3_600_000));
  const points = (grain: Grain) =>
    sums.stats({ grain, ...ALL }).points.map(({ at, requests }) => [(at - NOON) / 60_000, requests]);
  assertEquals(points("minute"), [[0, 2], [1, 1], [60, 1], [720, 1]]);
  assertEquals(points("hour"), [[0, 3], [60, 1], [720, 1]]);
  assertEquals(points("day"), [[-720, 4], [720, 1]]);
  assertEquals(sums.stats({ grain: "minute", from: NOON, to: NOON + 60_000 }).points.length, 1);
});

Deno.test("rollups() sums tokens, costs, failures and unknown prices by groups of requests", () => {
  const sums = sumsOf(
    row(0, { inputTokens: 10, outputTokens: 5, cost: 0.5, token: "a" }),
    row(0, { inputTokens: 1, cost: 0.25, token: "a" }),
    row(0, { level: "error", status: 500, token: "b" }),
    row(0, { cost: null, inputTokens: 7, provider: "groq", model: "x" }),
    row(0, { level: "warn", tries: 0, provider: "openai", model: "made up" }),
    row(0, { cached: true, tries: 0, cost: 0, inputTokens: 10, token: "a" }),
  );
  const { groups, points } = sums.stats({ grain: "day", ...ALL });
  const seen = groups.map((
    { of: { provider, model, token }, requests, errors, inputTokens, outputTokens, cost, unpriced },
  ) => [
    [provider, model, token].join("/"),
    requests,
    errors,
    inputTokens,
    outputTokens,
    cost,
    unpriced,
  ]);
  assertEquals(seen, [
    ["openai/gpt/a", 3, 0, 21, 5, 0.75, 0],
    ["openai/gpt/b", 1, 1, 0, 0, 0, 0],
    ["groq/x/", 1, 0, 7, 0, 0, 1],
    ["//", 1, 1, 0, 0, 0, 0],
  ]);
  assertEquals(points.length, 1);
  const { requests, errors, cached, cost } = total(groups);
  assertEquals([requests, errors, cached, cost], [6, 2, 1, 0.75]);
  assertEquals(groups.map(({ cached }) => cached), [1, 0, 0, 0]);
  assertEquals(points[0].cached, 1);
});

Deno.test("rollups() keeps gateways apart, and has no sums for a gateway that no provider has answered", () => {
  const sums = sumsOf(
    row(0, { account: "a", gateway: "g" }),
    row(0, { account: "b", gateway: "g", tries: 0, cached: true }),
    row(0, { account: "a", gateway: "g", tries: 0, level: "warn" }),
    row(0, { account: "a", gateway: "made-up", tries: 0, level: "warn" }),
    row(0, { tries: 0, level: "warn" }),
  );
  const count = (scope?: object) => total(sums.stats({ grain: "day", ...ALL, scope }).points).requests;
  assertEquals([count(), count({ account: "a", gateway: "g" }), count({ gateway: "g" })], [4, 2, 3]);
  assertEquals([count({ gateway: "made-up" }), count({ account: "-" })], [0, 1]);
});

Deno.test("rollups() holds a bounded number of sums, however many models and however far the clock jumps", () => {
  const sums = rollups();
  for (let at = 0; at < 12_000; at++) sums.add(row(0, { model: `m${at}` }));
  const { points: [{ requests }], groups } = sums.stats({ grain: "minute", ...ALL });
  assertEquals(requests, 10_000);
  assertEquals(groups.length, 1000);
  const jumping = sumsOf(row(0), row(1e12), row(-1e12), row(0));
  const days = jumping.stats({ grain: "day", ...ALL }).points.map(({ requests }) => requests);
  assertEquals(days, [1, 2, 1]);
  assertEquals(sumsOf({ ...row(), time: "no time" }).stats({ grain: "day", ...ALL }).points, []);
});

Deno.test("quantile() returns a quantile as exact as the histogram's steps", () => {
  const { points: [{ durations, firstTokens }] } = sumsOf(
    ...Array.from({ length: 95 }, () => row(0, { durationMs: 90 })),
    ...Array.from({ length: 5 }, () => row(0, { durationMs: 5000, firstTokenMs: 900_000 })),
  ).stats({ grain: "day", ...ALL });
  const within = (share: number, from: number, to: number) => {
    const ms = quantile(durations, share)!;
    assert(ms > from && ms <= to, `${share}: ${ms}`);
  };
  within(0.5, 56, 100);
  within(0.95, 56, 100);
  within(0.96, 3200, 5600);
  assertEquals(quantile(firstTokens, 0.5), 320_000);
  assertEquals(quantile(durations.map(() => 0), 0.5), undefined);
});

Deno.test("memoryLogs() returns the newest rows by arrival, and sums of removed rows", async () => {
  const logs = memoryLogs({ rows: 3 });
  // The clock goes back between the rows.
  const rows = [row(0), row(-5000), row(10), row(-9000)];
  for (const one of rows) await logs.add([one]);
  const ids = async (limit: number, after?: string) => (await logs.newest(limit, after)).map(({ id }) => id);
  assertEquals(await ids(10), [rows[3].id, rows[2].id, rows[1].id]);
  assertEquals(await ids(2), [rows[3].id, rows[2].id]);
  assertEquals(await ids(10, rows[2].id), [rows[3].id]);
  assertEquals(await ids(10, rows[3].id), []);
  assertEquals((await ids(10, rows[0].id)).length, 3);
  const { points } = await logs.stats({ grain: "day", ...ALL });
  assertEquals(total(points).requests, 4);
});
