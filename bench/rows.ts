/**
 * Times what the operator's page and Cloudflare's REST read from a store of 100,000 rows over 30 days, in milliseconds.
 *
 * `deno task bench:rows [ROWS]`, or on Bun `bun run bench/rows.ts [ROWS]`
 */
import { tmpdir } from "node:os";
import process from "node:process";
import { sqlLogs } from "../gateway/stores/sql_logs.ts";
import { openStore } from "../gateway/stores/store_url.ts";
import type { Grain, LogQuery, LogRow } from "../gateway/stores/store.ts";

const ROWS = Number(process.argv[2] ?? 100_000), MODELS = 12, TOKENS = 3, ROUNDS = 15;
const DAY = 86_400_000;
const END = Date.UTC(2026, 10, 28, 12);
const SCOPE = { account: "-", gateway: "default" };

/** A row. The last hour has a tenth of all rows, the rest is spread over the other days. */
function rowOf(at: number): LogRow {
  const isLate = at >= ROWS * 0.9;
  const part = isLate ? (at - ROWS * 0.9) / (ROWS * 0.1) : at / (ROWS * 0.9);
  const time = isLate ? END - (1 - part) * 3_600_000 : END - (1 - part) * 30 * DAY;
  const failed = at % 50 === 0;
  return {
    time: new Date(time).toISOString(),
    level: failed ? "error" : "info",
    id: crypto.randomUUID(),
    method: "POST",
    path: "/v1/chat/completions",
    status: failed ? 500 : 200,
    provider: ["openai", "anthropic", "groq"][at % 3],
    model: `model-${at % MODELS}`,
    token: `team ${at % TOKENS}`,
    durationMs: 100 + at % 5000,
    firstTokenMs: 50 + at % 500,
    stream: true,
    inputTokens: at % 3000,
    outputTokens: at % 700,
    cost: (at % 100) / 10_000,
    price: "table",
    ...SCOPE,
    userAgent: "OpenAI/JS 7.59.0",
    metadata: { team: `t${at % 20}`, user: at },
    requestType: "application/json",
    responseType: "text/event-stream",
    attempts: [{ provider: "openai", model: `model-${at % MODELS}`, status: 200, ms: 80 }],
    tries: 1,
    step: 0,
  };
}

const path = `${tmpdir()}/rows-${crypto.randomUUID()}.db`;
const { sql, close } = await openStore(`sqlite:${path}`);
const logs = sqlLogs(sql!, {
  rows: 1e8,
  days: 0,
  bodyBytes: 0,
  replaces: true,
  now: () => END,
  onFull: () => {},
});

const started = performance.now();
for (let at = 0; at < ROWS; at += 100) {
  await logs.add(Array.from({ length: 100 }, (_, next) => rowOf(at + next)));
}
const perRow = (performance.now() - started) / ROWS;

const query = (more: Partial<LogQuery> = {}): LogQuery => ({
  filters: [],
  orderBy: "created_at",
  descending: true,
  offset: 0,
  limit: 50,
  ...more,
});
const eq = (key: string, value: string) => ({ filters: [{ key, operator: "eq" as const, value: [value] }] });
const chart = (grain: Grain, span: number) => () => logs.stats({ grain, from: END - span, to: END + DAY });
const [known] = await logs.newest(1);

const READS: [name: string, read: () => Promise<unknown>][] = [
  ["newest 100 rows", () => logs.newest(100)],
  ["newest after a row", () => logs.newest(100, known.id)],
  ["one row", () => logs.get(SCOPE, known.id)],
  ["page of 50 rows with the count of all", () => logs.list(SCOPE, query())],
  ["page 100", () => logs.list(SCOPE, query({ offset: 5000 }))],
  ["page of a token, with count", () => logs.list(SCOPE, query(eq("token", "team 1")))],
  ["page of failures, with count", () => logs.list(SCOPE, query(eq("success", "false")))],
  ["page of a value of metadata, with count", () => logs.list(SCOPE, query(eq("metadata.value", "t7")))],
  ["page by cost, with count", () => logs.list(SCOPE, query({ orderBy: "cost" }))],
  ["chart of 1 h", chart("minute", 3_600_000)],
  ["chart of 24 h", chart("hour", DAY)],
  ["chart of 30 d", chart("day", 30 * DAY)],
];

console.log(`${ROWS} rows, ${(perRow * 1000).toFixed(0)} us for each to write in batches of 100`);
for (const [name, read] of READS) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    await read();
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  console.log(
    `${times[ROUNDS >> 1].toFixed(1).padStart(8)} ms  ${name} (slowest ${times.at(-1)!.toFixed(1)})`,
  );
}
const [{ pages, size }] = await sql!.all(
  "select page_count as pages, page_size as size from pragma_page_count(), pragma_page_size()",
);
console.log(`${Math.round(Number(pages) * Number(size) / ROWS)} bytes on disk for each row, with its sums`);
await close!();
