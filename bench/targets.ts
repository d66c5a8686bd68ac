/** The gateways that the benches compare, each a process of its own. */
import { bundle, ROOT } from "../tests/bundle.ts";
import { freePort } from "../tests/free_port.ts";
import { bunBinary, workerdBinary } from "../tests/runtimes/binaries.ts";
import { type Client, type Knock, knockAs, nativeKnock, PREFIXES, type Shape, type Turn } from "./knocks.ts";
import { llmops, portkey } from "./peers.ts";
import { BUN_ENV, type Process, run, startProcess } from "./process.ts";

/** One gateway. */
export interface Target {
  name: string;
  runtime: "deno" | "bun" | "workerd" | "node" | "none";
  kind: "direct" | "floor" | "identity" | "least" | "ours" | "logged" | "caching" | "before" | "peer";
  /**
   * Starts it in front of a provider's port.
   *
   * @param oneFile Whether Sluice runs as the one file of `deno task bundle`, not from its source.
   */
  start(provider: number, oneFile?: boolean): Promise<{ process: Process; port: number }>;
  /**
   * @param load The fake provider's model.
   * @param client The format of the client's requests, for targets that translate. Default `chat`.
   */
  knock(shape: Shape, load: string, messages: readonly Turn[], provider: number, client?: Client): Knock;
}

// ---------------------------------------------------------------- the floor

function floor(runtime: "deno" | "bun" | "workerd", identity: boolean): Target {
  return {
    name: `${identity ? "identity transform" : "floor"}, ${runtime}`,
    runtime,
    kind: identity ? "identity" : "floor",
    knock: nativeKnock,
    async start(provider) {
      const settings = { UPSTREAM: `http://127.0.0.1:${provider}`, ...(identity && { IDENTITY: "1" }) };
      if (runtime !== "workerd") return await startFloor(runtime, `${ROOT}/bench/floor.ts`, settings);
      const port = freePort();
      return { process: await startWorkerd(await floorWorker(), port, settings), port };
    },
  };
}

async function startFloor(runtime: "deno" | "bun", file: string, settings: Record<string, string>) {
  const port = freePort();
  const env = { PORT: `${port}`, ...settings };
  const process = runtime === "deno"
    ? startProcess(Deno.execPath(), ["run", "--quiet", "--allow-net", "--allow-env", file], { env })
    : startProcess(await bunBinary(), [file], { env: { ...env, ...BUN_ENV } });
  return { process, port };
}

/** The minimal gateway, which shows the runtime's part of each mark. */
function least(runtime: "deno" | "bun"): Target {
  return {
    ...floor(runtime, false),
    name: `least gateway, ${runtime}`,
    kind: "least",
    start: (provider) =>
      startFloor(runtime, `${ROOT}/bench/least.ts`, { UPSTREAM: `http://127.0.0.1:${provider}` }),
  };
}

const floorWorker = once(async () => {
  const code = await run(Deno.execPath(), ["bundle", "--quiet", `${ROOT}/bench/floor.ts`]);
  return `${code}\nexport default { fetch: pass };`;
});

// ---------------------------------------------------------------- ours

/**
 * Sluice from its source.
 *
 * @param kind `logged`: with the log that the served form has by default, so that each answer is observed. `caching`: with a
 * cache that answers all equal requests but the first.
 * @param root The folder of the checkout to run.
 */
function ours(
  runtime: "deno" | "bun" | "workerd",
  kind: "ours" | "logged" | "caching" | "before" = "ours",
  root = ROOT,
): Target {
  const names = {
    ours: "Sluice",
    logged: "Sluice, logged",
    caching: "Sluice, cached",
    before: "Sluice before",
  };
  return {
    name: `${names[kind]}, ${runtime}`,
    runtime,
    kind,
    knock: (shape, load, messages, _, client = "chat") =>
      knockAs(client, PREFIXES[shape] + load, load, messages),
    async start(provider, oneFile) {
      const port = freePort();
      const url = `http://127.0.0.1:${provider}`;
      const env = {
        PORT: `${port}`,
        SLUICE_LOG: kind === "logged" ? "info" : "off",
        ...(kind === "caching" && { SLUICE_CACHE_TTL: "86400" }),
        SLUICE_OPENAI_BASE_URL: `${url}/v1`,
        SLUICE_ANTHROPIC_BASE_URL: url,
        SLUICE_GOOGLE_AI_STUDIO_BASE_URL: `${url}/v1beta`,
      };
      if (runtime === "workerd") {
        const { PORT: _, ...bindings } = env;
        return { process: await startWorkerd(await oneFileCode(), port, bindings), port };
      }
      const file = oneFile ? await oneFilePath() : `${root}/mod.ts`;
      if (runtime === "bun") {
        await packages(root);
        const options = { env: { ...env, ...BUN_ENV }, cwd: root };
        return { process: startProcess(await bunBinary(), ["run", file], options), port };
      }
      const args = ["run", "--quiet", "--allow-net", "--allow-env", file];
      return { process: startProcess(Deno.execPath(), args, { env, cwd: root }), port };
    },
  };
}

/** Another checkout of Sluice, e.g. a `git worktree` of an older commit, to tell what a change costs. */
export const before = (root: string): Target[] => [ours("deno", "before", root), ours("bun", "before", root)];

const oneFilePath = once(async () => {
  const path = `${ROOT}/dist/sluice.js`;
  await Deno.mkdir(`${ROOT}/dist`, { recursive: true });
  await bundle(path);
  return path;
});

const oneFileCode = once(async () => await Deno.readTextFile(await oneFilePath()));

const installing = new Map<string, Promise<unknown>>();

function packages(root: string): Promise<unknown> {
  const install = async () => await run(await bunBinary(), ["install", "--no-save"], root);
  if (!installing.has(root)) installing.set(root, install());
  return installing.get(root)!;
}

// ---------------------------------------------------------------- all of them

/** The client talks to the provider itself. */
export const direct: Target = {
  name: "direct",
  runtime: "none",
  kind: "direct",
  knock: nativeKnock,
  start: () => Promise.reject(new Error("There is nothing to start")),
};

/** All targets, in the order of the tables. */
export const TARGETS: readonly Target[] = [
  floor("deno", false),
  floor("deno", true),
  least("deno"),
  ours("deno"),
  ours("deno", "logged"),
  ours("deno", "caching"),
  llmops("deno"),
  floor("bun", false),
  floor("bun", true),
  least("bun"),
  ours("bun"),
  ours("bun", "logged"),
  ours("bun", "caching"),
  llmops("bun"),
  floor("workerd", false),
  floor("workerd", true),
  ours("workerd"),
  portkey,
];

/** Starts the fake provider. */
export async function startProvider(): Promise<{ process: Process; port: number }> {
  const process = startProcess(await bunBinary(), [`${ROOT}/bench/fake_provider.ts`]);
  const [, port] = await process.printed(/listening (\d+)/);
  return { process, port: Number(port) };
}

async function startWorkerd(code: string, port: number, bindings: Record<string, string>): Promise<Process> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/worker.js`, code);
  const texts = Object.entries(bindings).map(([name, value]) => `(name = "${name}", text = "${value}")`);
  await Deno.writeTextFile(
    `${folder}/config.capnp`,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-11-17",
  
  bindings = [${texts.join(", ")}],
);
`,
  );
  const process = startProcess(await workerdBinary(), ["serve", `${folder}/config.capnp`]);
  return {
    ...process,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}
