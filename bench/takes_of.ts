/**
 * Shows how many calls of `take` each engine serves, and from how many at once on they take longer than gateways wait. It starts the
 * servers of Redis and Postgres that this machine has, and measures others by their URLs.
 *
 * `deno task bench:takes --engines=Redis,Postgres --urls=redis://10.0.0.5/,postgres://user@10.0.0.5/name`
 */
import { tmpdir } from "node:os";
import { memoryCounters } from "../gateway/stores/counters.ts";
import type { Counters } from "../gateway/stores/counters.ts";
import { openStore } from "../gateway/stores/store_url.ts";
import { bundle } from "../tests/bundle.ts";
import {
  noPostgres,
  noRedis,
  type Server,
  startPostgres,
  startRedis,
} from "../tests/gateway/stores/servers.ts";
import { serveWorkerd, STATE, workerConfig } from "../tests/runtimes/gateways.ts";
import { readFlags } from "./flags.ts";
import { type Load, type Measured, takes } from "./takes.ts";

const { urls, engines, seconds, instances } = readFlags({ urls: "", engines: "", seconds: 3, instances: 50 });

/** Milliseconds that a gateway waits for a store. */
const LATE_MS = 250;

const AT_ONCE = [1, 10, 50, 200, 800];

/** An engine, and how it is measured. */
interface Engine extends AsyncDisposable {
  name: string;
  measure(load: Load): Promise<Measured>;
}

const inProcess = (name: string, counters: readonly Counters[], close = () => Promise.resolve()): Engine => ({
  name,
  measure: (load) => takes(counters, load),
  [Symbol.asyncDispose]: close,
});

/** @param count How many gateways there are, each with connections of its own. */
async function stored(url: string, count: number): Promise<Engine> {
  const stores = await Promise.all(Array.from({ length: count }, () => openStore(url)));
  const close = async () => {
    for (const store of stores) await store.close!();
  };
  return inProcess(url.replace(/:.*/, ""), stores.map(({ counters }) => counters!), close);
}

async function durableObjects(): Promise<Engine> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/takes.js`;
  await bundle(path, "bench/takes_worker.js");
  const workers = [
    await workerConfig("takes", "takes.js", [STATE.binding], [], STATE.objects),
    STATE.storage(folder),
  ];
  const worker = await serveWorkerd(workers, { "takes.js": await Deno.readTextFile(path) }, {});
  return {
    name: "Durable Objects",
    measure: async (load) =>
      await (await fetch(worker.url, { method: "POST", body: JSON.stringify(load) })).json(),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Gateways on a server that this starts. The last arguments win. */
async function served(name: string, start: () => Promise<Server>): Promise<Engine> {
  const server = await start();
  const { measure, [Symbol.asyncDispose]: close } = await stored(server.url, instances);
  return {
    name,
    measure,
    async [Symbol.asyncDispose]() {
      await close();
      await server.end();
    },
  };
}

/** What the store of the simulation takes for a call, how long the way to it takes, and how many calls fail. */
const SIMULATED = { callMs: 1, wayMs: 4, failing: 0.01 };

/** Gateways on one store in this process that does one call after another, at the end of a way that takes time and loses calls. */
function simulated(count: number): Engine {
  const store = memoryCounters(Date.now);
  let freeAt = 0;
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const way = () => pass(SIMULATED.wayMs * Math.random());
  const fail = () => {
    if (Math.random() < SIMULATED.failing / 2) throw new Error("lost");
  };
  const counters: Counters = {
    async take(additions, rules) {
      await way();
      fail();
      freeAt = Math.max(freeAt, performance.now()) + SIMULATED.callMs;
      await pass(freeAt - performance.now());
      const answer = await store.take(additions, rules);
      await way();
      fail();
      return answer;
    },
  };
  return inProcess("simulation", Array.from({ length: count }, () => counters));
}

/** The engines by their names, with the reason why one cannot be measured here. */
const ENGINES: Record<string, [open: () => Promise<Engine> | Engine, missing?: string]> = {
  memory: [() => inProcess("memory", [memoryCounters(Date.now)])],
  SQLite: [() => stored(`sqlite:${tmpdir()}/takes-${crypto.randomUUID()}.db`, 1)],
  Redis: [() => served("Redis", () => startRedis("--appendfsync", "everysec")), noRedis],
  // Each gateway has a connection.
  Postgres: [
    () =>
      served("Postgres", () => startPostgres("-c", "fsync=on", "-c", `max_connections=${instances + 50}`)),
    noPostgres,
  ],
  "Durable Objects": [durableObjects],
  simulation: [() => simulated(instances)],
};

const wanted = engines === "" ? Object.keys(ENGINES) : engines.split(",");
const opened = [
  ...wanted.map((name) =>
    ENGINES[name] ?? [undefined, `${name} is not one of ${Object.keys(ENGINES).join(", ")}`]
  ),
  ...urls.split(",").filter(Boolean).map((url) => [() => stored(url, instances)] as const),
];

const columns = (...texts: (string | number)[]) =>
  console.log(texts.map((text) => `${text}`.padStart(12)).join(""));

columns("engine", "tokens", "at once", "calls/s", "median ms", "99 % ms", "admitted", "failed");
for (const [open, missing] of opened) {
  if (!open || missing !== undefined) {
    console.log(`not measured: ${missing}`);
    continue;
  }
  await using engine = await open();
  const { name, measure } = engine;
  // Counters of one token are one object, or are locked together.
  for (const tokens of ["Durable Objects", "Postgres"].includes(name) ? [1, 50] : [1]) {
    let saturated: number | undefined;
    for (const atOnce of AT_ONCE) {
      // A short run tells how long the measured one must be.
      const { perSecond: about } = await measure({ requests: Math.max(50, atOnce), atOnce, tokens });
      const requests = Math.round(Math.max(2 * atOnce, about * seconds / 2));
      const seen = await measure({ requests, atOnce, tokens });
      const { admitted, allowed, failed, perSecond, median, late } = seen;
      if (admitted > allowed) throw new Error(`${name} has admitted ${admitted} of ${allowed}`);
      if (late > LATE_MS) saturated ??= atOnce;
      const [middle, slow] = [median, late].map((ms) => ms.toFixed(ms < 1 ? 3 : 1));
      columns(name, tokens, atOnce, Math.round(perSecond), middle, slow, `${admitted}/${allowed}`, failed);
    }
    console.log(
      saturated === undefined
        ? `${name} answers within ${LATE_MS} ms, also ${AT_ONCE.at(-1)} calls at once`
        : `${name} takes longer than ${LATE_MS} ms for one of a hundred, if ${saturated} calls run at once`,
    );
  }
}
