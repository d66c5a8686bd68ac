/**
 * Where the time of a call goes: the gateway on Deno under V8's sampling profiler, driven over loopback.
 *
 * Prints self time per request by area and by our own functions. Built-in functions of JavaScript (`JSON.parse`) count for
 * whoever calls them; what is outside JavaScript, sockets above all, is not in it.
 *
 * ```sh
 * deno task bench:profile [whole|s200x1] [openai|anthropic|gemini]
 * ```
 *
 * @module
 */
import { ROOT } from "../tests/bundle.ts";
import { bunBinary } from "../tests/runtimes/binaries.ts";
import type { Seen } from "./load.ts";
import { freePort, run, startProcess } from "./process.ts";
import { type Shape, startProvider, TARGETS } from "./targets.ts";

const SECONDS = 7;

/** A `.cpuprofile`, as far as it is read. */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  /** Microseconds. */
  timeDeltas: number[];
}

/** The first that fits counts. */
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
];

async function main() {
  const [load = "whole", shape = "openai"] = Deno.args as [string?, Shape?];
  const { profile, done } = await record(load, shape);
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const areas = new Map<string, number>();
  const own = new Map<string, number>();
  const add = (to: Map<string, number>, key: string, micros: number) =>
    to.set(key, (to.get(key) ?? 0) + micros);
  for (const [at, id] of profile.samples.entries()) {
    const { functionName: name, url } = frames.get(id)!;
    const micros = profile.timeDeltas[at];
    if (name === "(idle)" || name === "(root)") continue;
    const area = name === "(garbage collector)"
      ? "garbage collection"
      : AREAS.find(([, pattern]) => pattern.test(url))?.[0] ?? "calls out of JavaScript";
    add(areas, area, micros);
    if (area.startsWith("Sluice")) {
      add(own, `${name || "(anonymous)"}, ${url.slice(url.lastIndexOf("/") + 1)}`, micros);
    }
  }
  const total = [...areas.values()].reduce((sum, micros) => sum + micros, 0);
  print("area", areas, total, done);
  print("function of ours", own, total, done, 15);
}

/** Profiles the gateway under a load. The compilers' first seconds are in the profile, and in the count of requests. */
async function record(load: string, shape: Shape): Promise<{ profile: Profile; done: number }> {
  const folder = await Deno.makeTempDir();
  const provider = await startProvider();
  await using _provider = provider.process;
  const port = freePort();
  const process = startProcess(Deno.execPath(), [
    "run",
    "--allow-net",
    "--allow-env",
    "--cpu-prof",
    "--cpu-prof-interval=100",
    `--cpu-prof-dir=${folder}`,
    `${ROOT}/bench/profiled.ts`,
  ], { env: { PORT: `${port}`, UPSTREAM: `http://127.0.0.1:${provider.port}` }, cwd: ROOT });
  await using _process = process;
  await process.printed(/listening/);
  const prompt = [{ role: "user", content: "What is a gateway, and why would anyone want one? ".repeat(6) }];
  const knock = TARGETS.find(({ kind }) => kind === "ours")!.knock(shape, load, prompt, provider.port);
  const job = { ...knock, port, connections: load === "whole" ? 32 : 8, requests: 1e9, seconds: SECONDS };
  const seen: Seen = JSON.parse(await run(await bunBinary(), [`${ROOT}/bench/load.ts`, JSON.stringify(job)]));
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
