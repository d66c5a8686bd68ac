/**
 * Measures what a gateway between a client and a provider costs, with whole processes side by side.
 *
 * Each round visits every load, and for each load every target, in random order, so that noise hits all targets alike. Ratios
 * are taken within a round, and the tables show medians with the lowest and highest round. Many short rounds tell more
 * than a few long ones. Each visit begins with a lead that is not counted. The garbage of a process without requests for eight
 * seconds is collected, and V8 then discards the optimised code of dead objects (124 functions of Deno's and ours,
 * seen with `--trace-deopt`). It makes this code anew only after 3,000 calls. A translated call took 1.7 x the floor in the
 * first two seconds after ten idle ones, 1.3 x in the next two, and 1.2 x in a process that is never idle. So the lead has
 * some seconds of whole calls, whatever is measured: streams would need 15 seconds for as many calls. All traffic
 * is on loopback, all loops are bounded, and only processes started here are ended.
 *
 * ```sh
 * deno task bench:compare [--rounds=5] [--seconds=1] [--lead=3] [--warm=4] [--targets='deno|bun'] [--loads='^whole']
 *   [--against=DIR] [--json=FILE]
 * ```
 *
 * `--targets` and `--loads` are regular expressions. `--against` names another checkout, such as a `git worktree` of an
 * older commit: it is a target of its own, and the last table shows what the change between the two costs.
 *
 * @module
 */
import { bundle, ROOT } from "../tests/bundle.ts";
import { bunBinary } from "../tests/runtimes/binaries.ts";
import { leave, readFlags } from "./flags.ts";
import { FRESH, imagePrompt, type Load, LOADS, PROMPT } from "./compare_loads.ts";
import type { Shape } from "./knocks.ts";
import type { Job, Seen } from "./load.ts";
import { cpuMicros, forgetPeak, memory, type Process, run, startProcess } from "./process.ts";
import { before, direct, startProvider, type Target, TARGETS } from "./targets.ts";
import { printTables } from "./tables.ts";

/** One visit of a load to a target. */
export interface Visit {
  /** CPU microseconds of the target per request. */
  cpu: number;
  /** Requests per second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  first: number;
  firstP99: number;
  gap: number;
  gapP99: number;
  /** The highest resident memory during the load minus that before it, in bytes. */
  peak?: number;
  /** Bytes of resident memory per open stream. */
  perStream?: number;
  /** Milliseconds from the start of the process to its first answer. */
  coldStart?: number;
  /** Resident memory after the first answer, in bytes. */
  resident?: number;
}

/** Visits by load, then by target; one for each round. */
export type Results = Map<string, Map<string, Visit[]>>;

const IDLE_STREAMS = 2000;

async function main() {
  const { rounds, seconds, lead, warm, against, json: file, ...patterns } = readFlags({
    rounds: 5,
    seconds: 1,
    lead: 3,
    warm: 4,
    targets: "",
    loads: "",
    against: "",
    json: "",
  });
  const picked = (flag: "targets" | "loads") => {
    const pattern = new RegExp(patterns[flag], "i");
    return (name: string) => pattern.test(name);
  };
  const [isTarget, isLoad] = [picked("targets"), picked("loads")];
  const known = against ? [...TARGETS, ...before(against)] : TARGETS;
  const targets = known.filter(({ name }) => isTarget(name));
  const loads = LOADS.filter(({ name }) => isLoad(name));
  const fresh = FRESH.filter(isLoad);
  if (targets.length === 0) leave(`--targets fits none of ${known.map(({ name }) => name).join("; ")}`);
  if (loads.length + fresh.length === 0) {
    leave(`--loads fits none of ${[...LOADS.map(({ name }) => name), ...FRESH].join("; ")}`);
  }
  const results: Results = new Map();
  const add = (load: string, target: string, visit: Visit) => {
    const byTarget = results.get(load) ?? new Map<string, Visit[]>();
    results.set(load, byTarget.set(target, [...byTarget.get(target) ?? [], visit]));
  };
  const provider = await startProvider();
  await using _provider = provider.process;
  await using stack = new AsyncDisposableStack();
  if (loads.length > 0) {
    const running = new Map<Target, Running>([[direct, provider]]);
    for (const target of targets) {
      const started = await start(target, provider.port);
      running.set(target, stack.use(started.process) && started);
    }
    // The first round only warms up, because the JavaScript compilers work for some 20,000 requests.
    for (let round = 0; round <= rounds; round++) {
      for (const load of shuffled(loads)) {
        // All targets of a load follow each other, because the noise of the machine changes from second to second.
        for (const [target, at] of shuffled([...running])) {
          if (!fits(load, target)) continue;
          await visitLoad(wholeCalls(load), target, at, provider.port, round > 0 ? lead : warm);
          if (load.model !== "whole") await visitLoad(atFullSpeed(load), target, at, provider.port, 1);
          if (round === 0) continue;
          const visit = await visitLoad(load, target, at, provider.port, load.seconds ?? seconds);
          add(load.name, target.name, visit);
        }
      }
      console.error(`round ${round} of ${rounds} done`);
    }
    await stack.disposeAsync();
  }
  const pairs = fresh.flatMap((load) => targets.map((target) => ({ load, target })))
    .filter(({ load, target }) => target.kind !== "identity" || load.startsWith("idle"))
    .filter(({ load, target }) => target.kind !== "peer" || !load.endsWith("one file"))
    .filter(({ target }) => target.kind !== "caching");
  const freshRounds = pairs.length > 0 ? Math.min(rounds, 3) : 0;
  for (let round = 0; round < freshRounds; round++) {
    for (const { load, target } of shuffled(pairs)) {
      add(load, target.name, await visitFresh(load, target, provider.port));
    }
    console.error(`fresh processes, round ${round + 1} of ${freshRounds} done`);
  }
  if (file) {
    const plain = [...results].map(([load, by]) => [load, Object.fromEntries(by)]);
    await Deno.writeTextFile(file, JSON.stringify(Object.fromEntries(plain)));
  }
  const { bytes, gzipBytes } = await bundle(await Deno.makeTempFile({ suffix: ".js" }));
  console.log(
    `\`deno task bench:compare${Deno.args.map((arg) => ` ${quoted(arg)}`).join("")}\`, ${await machine()}\n`,
  );
  printTables(results, targets);
  console.log(
    `Bundle: ${(bytes / 1000).toFixed(1)} kB minified, ${(gzipBytes / 1000).toFixed(1)} kB gzipped.`,
  );
}

/** Calls that run all code often enough for the compilers. */
function wholeCalls(load: Load): Load {
  return { ...load, model: "whole", connections: 32 };
}

/** The same loads without pauses: with a token in 20 ms the compilers would need more than an hour. */
function atFullSpeed(load: Load): Load {
  return { ...load, model: load.model.replace(/p\d+$/, ""), connections: Math.max(8, load.connections) };
}

interface Running {
  process: Process;
  port: number;
}

function fits(load: Load, target: Target): boolean {
  if (target.kind === "direct") return load.direct === true;
  if (load.cached || target.kind === "caching") {
    return load.cached === true && (target.kind === "caching" || target.kind === "ours");
  }
  if (load.client && (target.kind === "peer" || target.kind === "least")) return false;
  return target.kind !== "identity" || load.model !== "whole";
}

// ---------------------------------------------------------------- visits

async function visitLoad(
  load: Load,
  target: Target,
  { process, port }: Running,
  provider: number,
  seconds: number,
): Promise<Visit> {
  const knock = target.knock(load.shape, load.model, PROMPT, provider, load.client);
  const job = { ...knock, port, connections: load.connections, requests: Infinity };
  const before = cpuMicros(process.pid);
  const seen = await drive({ ...job, requests: 1e9, seconds });
  const cpu = cpuMicros(process.pid) - before;
  check(seen, `${load.name} to ${target.name}`, process);
  return visitOf(seen, cpu);
}

function visitOf(seen: Seen, cpu: number): Visit {
  return {
    cpu: cpu / seen.done,
    rate: seen.done / seen.seconds,
    p50: seen.latency.p50,
    p99: seen.latency.p99,
    first: seen.first.p50,
    firstP99: seen.first.p99,
    gap: seen.gap.p50,
    gapP99: seen.gap.p99,
  };
}

async function visitFresh(load: typeof FRESH[number], target: Target, provider: number): Promise<Visit> {
  const { process, port, answered } = await start(target, provider, load.endsWith("one file"));
  await using _ = process;
  const coldStart = answered - process.startedAt;
  const resident = memory(process.pid).bytes;
  const none: Visit = {
    cpu: NaN,
    rate: NaN,
    p50: NaN,
    p99: NaN,
    first: NaN,
    firstP99: NaN,
    gap: NaN,
    gapP99: NaN,
  };
  if (load.startsWith("cold start")) return { ...none, coldStart, resident };
  if (load === "10 MB body") {
    const knock = target.knock("openai", "whole", imagePrompt(), provider);
    await using file = await temporaryFile(knock.body);
    const job: Job = {
      ...knock,
      body: "",
      bodyFile: file.path,
      port,
      connections: 2,
      requests: 20,
      seconds: 20,
    };
    await drive({ ...job, requests: 4 });
    const { bytes } = memory(process.pid);
    forgetPeak(process.pid);
    const before = cpuMicros(process.pid);
    const seen = await drive(job);
    const cpu = cpuMicros(process.pid) - before;
    check(seen, `${load} to ${target.name}`, process);
    const { peak, bytes: settled } = memory(process.pid);
    return { ...visitOf(seen, cpu), peak, resident: Math.max(bytes, settled) };
  }
  const shape: Shape = load.endsWith("openai") ? "openai" : "anthropic";
  const warm = target.knock(shape, "s20x1", PROMPT, provider);
  const warmed = await drive({ ...warm, port, connections: 32, requests: 1000, seconds: 5 });
  check(warmed, `${load} to ${target.name}`, process);
  const before = memory(process.pid).bytes;
  const knock = target.knock(shape, "s64x1p600000", PROMPT, provider);
  await using holder = await driver({
    ...knock,
    port,
    connections: IDLE_STREAMS,
    requests: 1e9,
    seconds: 60,
    hold: true,
  });
  await holder.process.printed(/held/);
  await sleep(1000);
  return { ...none, perStream: (memory(process.pid).bytes - before) / IDLE_STREAMS, resident: before };
}

// ---------------------------------------------------------------- helpers

/** Quotes a text for a shell. */
const quoted = (arg: string) => /^[\w=.-]+$/.test(arg) ? arg : arg.replace(/=(.*)$/, "='$1'");

/** Starts a target and waits for its first good answer. */
async function start(
  target: Target,
  provider: number,
  oneFile = false,
): Promise<Running & { answered: number }> {
  const { process, port } = await target.start(provider, oneFile);
  const knock = target.knock("openai", "whole", PROMPT, provider);
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${knock.path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...knock.headers },
        body: knock.body,
      });
      const text = await response.text();
      if (!text.includes(knock.expect)) throw new Error(`${target.name} answered ${response.status} ${text}`);
      return { process, port, answered: performance.now() };
    } catch (error) {
      if (!(error instanceof TypeError) || performance.now() > deadline) {
        const output = process.output();
        await process[Symbol.asyncDispose]();
        throw new Error(`${target.name} does not answer: ${output}`, { cause: error });
      }
      await sleep(1);
    }
  }
}

async function drive(job: Job): Promise<Seen> {
  return JSON.parse(await run(await bunBinary(), [`${ROOT}/bench/load.ts`, JSON.stringify(job)]));
}

async function driver(job: Job): Promise<{ process: Process } & AsyncDisposable> {
  const process = startProcess(await bunBinary(), [`${ROOT}/bench/load.ts`, JSON.stringify(job)]);
  return { process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

function check(seen: Seen, what: string, process: Process): void {
  if (seen.failed === 0 && seen.done > 0) return;
  throw new Error(
    `${what}: ${seen.failed} of ${seen.failed + seen.done} failed: ${seen.failure} ${process.output()}`,
  );
}

async function temporaryFile(text: string): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

function shuffled<T>(list: readonly T[]): T[] {
  const out = [...list];
  for (let at = out.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [out[at], out[other]] = [out[other], out[at]];
  }
  return out;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The machine and the versions of the run. */
async function machine(): Promise<string> {
  const model = /model name\s*: (.*)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "?";
  const bun = (await run(await bunBinary(), ["--version"])).trim();
  const node = (await run("node", ["--version"])).trim();
  return `${navigator.hardwareConcurrency} cores of ${model}, Deno ${Deno.version.deno}, Bun ${bun}, Node ${node}, ` +
    `workerd 1.20261117.1, ${new Date().toISOString().slice(0, 10)}`;
}

if (import.meta.main) await main();
