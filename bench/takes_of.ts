/**
 * Shows how many calls of `take` each engine serves, and from how many at once on they take longer than gateways wait.
 *
 * `deno task bench:takes --urls=redis://127.0.0.1/,postgres://user@127.0.0.1/name`
 */
import { tmpdir } from "node:os";
import { memoryCounters } from "../gateway/stores/counters.ts";
import type { Counters } from "../gateway/stores/counters.ts";
import { openStore } from "../gateway/stores/store_url.ts";
import { bundle } from "../tests/bundle.ts";
import { serveWorkerd, STATE, workerConfig } from "../tests/runtimes/gateways.ts";
import { readFlags } from "./flags.ts";
import { type Load, type Measured, takes } from "./takes.ts";

const { urls, seconds, instances } = readFlags({ urls: "", seconds: 3, instances: 50 });

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

const ENGINES: (() => Promise<Engine>)[] = [
  () => Promise.resolve(inProcess("memory", [memoryCounters(Date.now)])),
  () => stored(`sqlite:${tmpdir()}/takes-${crypto.randomUUID()}.db`, 1),
  durableObjects,
  ...urls.split(",").filter(Boolean).map((url) => () => stored(url, instances)),
];

const columns = (...texts: (string | number)[]) =>
  console.log(texts.map((text) => `${text}`.padStart(12)).join(""));

columns("engine", "tokens", "at once", "calls/s", "median ms", "99 % ms", "admitted", "failed");
for (const open of ENGINES) {
  await using engine = await open();
  const { name, measure } = engine;
  for (const tokens of name === "Durable Objects" ? [1, 50] : [1]) {
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
