/**
 * Profiles a call: runs the gateway under the sampling profiler of V8 or of JavaScriptCore, with requests over loopback.
 *
 * Prints self time per request by area, and by functions: our own, and the runtime's native ones. V8 adds the time of
 * built-in functions of JavaScript (`JSON.parse`) to their callers. Work outside JavaScript, at sockets
 * above all, is missing. Bun's profiler measures clock time: a function that waits or wakes another thread (`fetch`) looks dearer
 * than it is, and everything runs about twice as slowly.
 *
 * ```sh
 * deno task bench:profile [whole|s200x1] [openai|anthropic|gemini|responses] [deno|bun] [chat|messages|responses]
 * ```
 *
 * @module
 */
import { ROOT } from "../tests/bundle.ts";
import { freePort } from "../tests/free_port.ts";
import { bunBinary } from "../tests/runtimes/binaries.ts";
import type { Client, Shape } from "./knocks.ts";
import type { Seen } from "./load.ts";
import { run, startProcess } from "./process.ts";
import { startProvider, TARGETS } from "./targets.ts";

const SECONDS = 7;

type Runtime = "deno" | "bun";

/** The members of a `.cpuprofile` that are read. */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  /** Microseconds. */
  timeDeltas: number[];
}

/** The areas. The first that matches counts. */
const AREAS: [area: string, pattern: RegExp][] = [
  ["Sluice, gateway", /\/gateway\/|\/mod\.ts$/],
  ["Sluice, wires", /\/wires\//],
  ["Sluice, providers", /\/providers\//],
  ["Deno, headers", /20_headers/],
  ["Deno, fetch and bodies", /ext:deno_(fetch|net)/],
  ["Deno, streams", /06_streams/],
  ["Deno, HTTP server", /ext:deno_http/],
  ["Deno, type checks of Web IDL", /webidl/],
  ["Deno, other", /^ext:/],
  ["Bun, other", /^(node|bun|internal):/],
];

const NATIVE = "calls out of JavaScript";

async function main() {
  const [load = "whole", shape = "openai", runtime = "deno", client] = Deno.args as [
    string?,
    Shape?,
    Runtime?,
    Client?,
  ];
  const { profile, done } = await record(load, shape, runtime, client);
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const areas = new Map<string, number>();
  const functions = new Map<string, number>();
  const add = (to: Map<string, number>, key: string, micros: number) =>
    to.set(key, (to.get(key) ?? 0) + micros);
  for (const [at, id] of profile.samples.entries()) {
    const { functionName: name, url } = frames.get(id)!;
    const micros = profile.timeDeltas[at];
    if (name === "(idle)" || name === "(root)") continue;
    const area = name === "(garbage collector)"
      ? "garbage collection"
      : AREAS.find(([, pattern]) => pattern.test(url))?.[0] ?? NATIVE;
    add(areas, area, micros);
    const isNative = area === NATIVE;
    if (isNative || area.startsWith("Sluice")) {
      const place = isNative ? "native" : url.slice(url.lastIndexOf("/") + 1);
      add(functions, `${name || "(anonymous)"}, ${place}`, micros);
    }
  }
  const total = [...areas.values()].reduce((sum, micros) => sum + micros, 0);
  print("area", areas, total, done);
  print("function", functions, total, done, 20);
}

/** Profiles the gateway under a load. The profile and the count of requests include the compilers' first seconds. */
async function record(
  load: string,
  shape: Shape,
  runtime: Runtime,
  client?: Client,
): Promise<{ profile: Profile; done: number }> {
  const folder = await Deno.makeTempDir();
  const provider = await startProvider();
  await using _provider = provider.process;
  const port = freePort();
  const bun = await bunBinary();
  const [binary, flags] = runtime === "bun"
    ? [bun, []]
    : [Deno.execPath(), ["run", "--allow-net", "--allow-env"]];
  const process = startProcess(binary, [
    ...flags,
    "--cpu-prof",
    "--cpu-prof-interval=100",
    `--cpu-prof-dir=${folder}`,
    `${ROOT}/bench/profiled.ts`,
  ], { env: { PORT: `${port}`, UPSTREAM: `http://127.0.0.1:${provider.port}` }, cwd: ROOT });
  await using _process = process;
  await process.printed(/listening/);
  const prompt = [{ role: "user", content: "What is a gateway, and why would anyone want one? ".repeat(6) }];
  const knock = TARGETS.find(({ kind }) => kind === "ours")!.knock(
    shape,
    load,
    prompt,
    provider.port,
    client,
  );
  const job = { ...knock, port, connections: load === "whole" ? 32 : 8, requests: 1e9, seconds: SECONDS };
  const seen: Seen = JSON.parse(await run(bun, [`${ROOT}/bench/load.ts`, JSON.stringify(job)]));
  if (seen.failed > 0) throw new Error(`${seen.failed} requests failed: ${seen.failure}`);
  Deno.kill(process.pid, "SIGINT");
  await process.ended;
  const [file] = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".cpuprofile"));
  const profile = JSON.parse(await Deno.readTextFile(`${folder}/${file.name}`));
  await Deno.remove(folder, { recursive: true });
  return { profile, done: seen.done };
}

function print(what: string, times: Map<string, number>, total: number, requests: number, most = 99): void {
  console.log(`| ${what} | us per request | share |\n| --- | ---: | ---: |`);
  const rows = [...times].sort(([, a], [, b]) => b - a).slice(0, most);
  for (const [name, micros] of rows) {
    console.log(`| ${name} | ${(micros / requests).toFixed(1)} | ${(100 * micros / total).toFixed(1)} % |`);
  }
  console.log();
}

if (import.meta.main) await main();
