/**
 * Sends 20,000 requests to a gateway that keeps rows in SQLite while the operator's page polls, and as many to one that keeps no
 * rows, in turns. Checks on Deno and on Bun that
 *
 * - no row is lost: the file holds all of them, and so do the sums;
 * - requests take at most 5 ms longer at the 99th percentile;
 * - memory stops growing.
 *
 * ```sh
 * deno task bench:logs [--requests=20000] [--clients=2] [--targets='deno|bun']
 * ```
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "../tests/bundle.ts";
import { freePort } from "../tests/free_port.ts";
import { bunBinary } from "../tests/runtimes/binaries.ts";
import { installForBun } from "../tests/runtimes/gateways.ts";
import { readFlags } from "./flags.ts";
import { knockAs, PREFIXES } from "./knocks.ts";
import type { Job, Seen } from "./load.ts";
import { BUN_ENV, memory, type Process, run, startProcess } from "./process.ts";
import { startProvider } from "./targets.ts";

const ADMIN = "operator-0123456789";
const ROUNDS = 10;
/** The time between two polls of the page. */
const POLL_MS = 500;
/** The most milliseconds that rows may cost at the 99th percentile. */
const MOST_MS = 5;
/** The highest memory of the last third of the rounds, relative to the middle third. */
const RISE = 1.1;

/** `clients` at once. With more than two, requests wait for a core, and rows cost them as much as their CPU does. */
const flags = readFlags({ requests: 20_000, clients: 2, targets: "deno|bun" });
const failures: string[] = [];

interface Gateway {
  process: Process;
  port: number;
}

async function start(runtime: string, provider: number, more: Record<string, string>): Promise<Gateway> {
  const port = freePort();
  const url = `http://127.0.0.1:${provider}/v1`;
  const env = { PORT: `${port}`, SLUICE_LOG: "off", SLUICE_OPENAI_BASE_URL: url, ...more };
  const process = runtime === "deno"
    ? startProcess(Deno.execPath(), ["run", "--quiet", "-A", `${ROOT}/mod.ts`], { env, cwd: ROOT })
    : startProcess(await bunBinary(), ["run", `${ROOT}/mod.ts`], { env: { ...env, ...BUN_ENV }, cwd: ROOT });
  await process.printed(/listens on/);
  return { process, port };
}

async function load({ port }: Gateway, requests: number, kind: string): Promise<Seen> {
  const { path, headers, body, expect } = knockAs("chat", PREFIXES.openai + kind, kind, [
    { role: "user", content: "Hello" },
  ]);
  const job: Job = { port, path, headers, body, connections: flags.clients, requests, seconds: 600, expect };
  return JSON.parse(await run(await bunBinary(), [`${ROOT}/bench/load.ts`, JSON.stringify(job)]));
}

async function ask({ port }: Gateway, path: string) {
  const headers = { authorization: `Bearer ${ADMIN}` };
  const response = await fetch(`http://127.0.0.1:${port}/sluice/api/${path}`, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}

/** Polls as the page does, until it is stopped. */
function poll(gateway: Gateway): () => Promise<number[]> {
  const took: number[] = [];
  let isStopped = false;
  const polling = (async () => {
    let after = "";
    while (!isStopped) {
      const from = performance.now();
      const { rows } = await ask(gateway, `logs?limit=100${after && `&after=${after}`}`);
      if (rows.length > 0) {
        after = rows[0].id;
        await ask(gateway, "stats?span=1h");
      }
      took.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  })();
  return async () => {
    isStopped = true;
    await polling;
    return took.sort((a, b) => a - b);
  };
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
const ms = (value: number) => `${value.toFixed(1)} ms`;
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

function check(isMet: boolean, what: string): void {
  console.log(`${isMet ? "  ok " : "  NOT"} ${what}`);
  if (!isMet) failures.push(what);
}

async function prove(runtime: string, provider: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/rows.db`;
  await using off = (await start(runtime, provider, {})).process;
  const without = { process: off, port: Number(/:(\d+)/.exec(off.output())![1]) };
  const store = { SLUICE_STORE: `sqlite:${path}`, SLUICE_ADMIN_TOKEN: ADMIN };
  await using on = (await start(runtime, provider, store)).process;
  const kept = { process: on, port: Number(/:(\d+)/.exec(on.output())![1]) };
  const warm = 500;
  for (const gateway of [without, kept]) await load(gateway, warm, "whole");
  const stop = poll(kept);
  const each = Math.round(flags.requests / ROUNDS);
  const seen = { without: [] as Seen[], kept: [] as Seen[] };
  const bytes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const isFirst = round % 2 === 0;
    for (const name of isFirst ? ["without", "kept"] as const : ["kept", "without"] as const) {
      seen[name].push(await load(name === "kept" ? kept : without, each, "whole"));
    }
    bytes.push(memory(on.pid).bytes);
  }
  const polls = await stop();
  const { totals } = await ask(kept, "stats?span=24h");
  Deno.kill(on.pid, "SIGTERM");
  await on.ended;
  const database = new DatabaseSync(path, { readOnly: true });
  const [{ count }] = database.prepare("select count(*) as count from sluice_logs").all();
  database.close();
  await Deno.remove(folder, { recursive: true });

  const due = warm + each * ROUNDS;
  const failed = [...seen.kept, ...seen.without].reduce((sum, { failed }) => sum + failed, 0);
  const p99 = (all: Seen[]) => median(all.map(({ latency }) => latency.p99));
  const p50 = (all: Seen[]) => median(all.map(({ latency }) => latency.p50));
  console.log(`${runtime}: ${each * ROUNDS} requests, ${flags.clients} at once, ${polls.length} polls`);
  check(failed === 0, `${failed} requests have failed`);
  check(
    count === due && totals.requests === due,
    `${count} of ${due} rows in the file, ${totals.requests} in the sums`,
  );
  check(!/Warning/.test(on.output()), "no line tells trouble");
  console.log(`      p50 ${ms(p50(seen.without))} without rows, ${ms(p50(seen.kept))} with rows`);
  check(
    p99(seen.kept) - p99(seen.without) <= MOST_MS,
    `p99 ${ms(p99(seen.without))} without rows, ${
      ms(p99(seen.kept))
    } with rows (medians of ${ROUNDS} rounds)`,
  );
  const third = Math.floor(ROUNDS / 3);
  const [middle, last] = [bytes.slice(third, 2 * third), bytes.slice(-third)].map((part) =>
    Math.max(...part)
  );
  check(last <= middle * RISE, `memory ${bytes.map(mib).join(", ")}`);
  console.log(`      a poll of the page takes ${ms(median(polls))}, at most ${ms(polls.at(-1)!)}`);
}

await installForBun();
const { process: provider, port } = await startProvider();
try {
  for (const runtime of flags.targets.split("|")) await prove(runtime, port);
} finally {
  await provider[Symbol.asyncDispose]();
}
if (failures.length > 0) Deno.exit(1);
