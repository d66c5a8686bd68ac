/** The gateways that the benches compare, each a process of its own. */
import { bundle, ROOT } from "../tests/bundle.ts";
import { freePort } from "../tests/free_port.ts";
import { bunBinary, workerdBinary } from "../tests/runtimes/binaries.ts";
import { type Process, run, startProcess } from "./process.ts";

/** A format of the fake provider. */
export type Shape = "openai" | "anthropic" | "gemini";

/** A request in the form of one target. */
export interface Knock {
  path: string;
  headers: Record<string, string>;
  body: string;
  /** A text near the end of every good answer. */
  expect: string;
}

/** One gateway. */
export interface Target {
  name: string;
  runtime: "deno" | "bun" | "workerd" | "node" | "none";
  kind: "direct" | "floor" | "identity" | "least" | "ours" | "logged" | "before" | "peer";
  /**
   * Starts it in front of a provider's port.
   *
   * @param oneFile Whether Sluice runs as the one file of `deno task bundle`, not from its source.
   */
  start(provider: number, oneFile?: boolean): Promise<{ process: Process; port: number }>;
  /** @param load The fake provider's model. */
  knock(shape: Shape, load: string, messages: unknown[], provider: number): Knock;
}

/** The headers that the OpenAI SDK sends beside the key. */
const HEADERS = {
  authorization: "Bearer sk-bench-0123456789abcdef",
  accept: "application/json",
  "accept-encoding": "identity",
  "user-agent": "OpenAI/JS 6.9.1",
  "x-stainless-arch": "x64",
  "x-stainless-lang": "js",
  "x-stainless-os": "Linux",
  "x-stainless-package-version": "6.9.1",
  "x-stainless-retry-count": "0",
  "x-stainless-runtime": "node",
  "x-stainless-runtime-version": "v24.0.0",
};

const MAX_TOKENS = 1000;

function chat(model: string, load: string, messages: unknown[]): string {
  const stream = load.startsWith("s");
  return JSON.stringify({
    model,
    messages,
    max_tokens: MAX_TOKENS,
    temperature: 0.5,
    ...(stream && { stream }),
  });
}

/** The end of an answer in OpenAI's format. */
const expectChat = (load: string) => load.startsWith("s") ? "data: [DONE]" : `"total_tokens"`;

/** The request in the provider's own format, for targets that do not translate. */
function nativeKnock(shape: Shape, load: string, messages: unknown[]): Knock {
  const stream = load.startsWith("s");
  switch (shape) {
    case "openai":
      return {
        path: "/v1/chat/completions",
        headers: HEADERS,
        body: chat(load, load, messages),
        expect: expectChat(load),
      };
    case "anthropic":
      return {
        path: "/v1/messages",
        headers: HEADERS,
        body: chat(load, load, messages),
        expect: stream ? "message_stop" : `"output_tokens"`,
      };
    case "gemini":
      return {
        path: `/v1beta/models/${load}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
        headers: HEADERS,
        body: JSON.stringify({
          contents: messages.map((message) => ({
            role: "user",
            parts: [{ text: (message as { content: unknown }).content }],
          })),
          generationConfig: { maxOutputTokens: MAX_TOKENS, temperature: 0.5 },
        }),
        expect: stream ? `"finishReason":"STOP"` : `"totalTokenCount"`,
      };
  }
}

/** Bun's `fetch` runs at most 256 requests at once by default. The others would wait for ever, because idle streams never end. */
const BUN_ENV = { BUN_CONFIG_MAX_HTTP_REQUESTS: "20000" };

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
 * @param kind `logged`: with the log that the served form has by default, so that each answer is observed.
 * @param root The folder of the checkout to run.
 */
function ours(
  runtime: "deno" | "bun" | "workerd",
  kind: "ours" | "logged" | "before" = "ours",
  root = ROOT,
): Target {
  const names = { ours: "Sluice", logged: "Sluice, logged", before: "Sluice before" };
  return {
    name: `${names[kind]}, ${runtime}`,
    runtime,
    kind,
    knock: (shape, load, messages) => ({
      path: "/v1/chat/completions",
      headers: HEADERS,
      body: chat(`${PREFIXES[shape]}/${load}`, load, messages),
      expect: expectChat(load),
    }),
    async start(provider, oneFile) {
      const port = freePort();
      const url = `http://127.0.0.1:${provider}`;
      const env = {
        PORT: `${port}`,
        SLUICE_LOG: kind === "logged" ? "info" : "off",
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

const PREFIXES: Record<Shape, string> = {
  openai: "openai",
  anthropic: "anthropic",
  gemini: "google-ai-studio",
};

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

// ---------------------------------------------------------------- peers

const PORTKEY = {
  dependencies: { "@portkey-ai/gateway": "1.15.2" },
  // A fresh install would take a newer version, with which every stream is answered with 500.
  overrides: { "@hono/node-server": "1.13.5" },
};
const LLMOPS = { dependencies: { "@llmops/gateway": "0.6.10" } };

/** Makes Portkey listen on loopback only. It has no option for that. */
const LOOPBACK = `import net from "node:net";
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (port, ...rest) {
  return typeof port === "number" || typeof port === "string"
    ? listen.call(this, { port: Number(port), host: "127.0.0.1" }, ...rest.filter((one) => typeof one === "function"))
    : listen.call(this, { ...port, host: "127.0.0.1" }, ...rest);
};
`;

const LLMOPS_SERVER = `import app from "@llmops/gateway";
const port = Number(process.env.PORT);
if (globalThis.Deno) Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, (request) => app.fetch(request));
else Bun.serve({ port, hostname: "127.0.0.1", idleTimeout: 0, fetch: (request) => app.fetch(request) });
`;

/** The paths that Portkey and its fork use below a \`custom-host\`. */
const HOST_PATHS: Record<Shape, string> = { openai: "/v1", anthropic: "/v1", gemini: "" };
const FAMILY_NAMES: Record<Shape, string> = { openai: "openai", anthropic: "anthropic", gemini: "google" };

/** Both peers have the same origin and differ in the prefix of their headers. */
function family(prefix: string): Target["knock"] {
  return (shape, load, messages, provider) => ({
    path: "/v1/chat/completions",
    headers: {
      ...HEADERS,
      [`x-${prefix}-provider`]: FAMILY_NAMES[shape],
      [`x-${prefix}-custom-host`]: `http://127.0.0.1:${provider}${HOST_PATHS[shape]}`,
    },
    body: chat(load, load, messages),
    // These peers send no `[DONE]` for Gemini.
    expect: shape === "gemini" && load.startsWith("s") ? `"finish_reason":"stop"` : expectChat(load),
  });
}

const portkey: Target = {
  name: "Portkey 1.15.2 (pinned), node",
  runtime: "node",
  kind: "peer",
  knock: family("portkey"),
  async start() {
    const folder = await installed("portkey", PORTKEY, { "loopback.mjs": LOOPBACK });
    const port = freePort();
    const script = `${folder}/node_modules/@portkey-ai/gateway/build/start-server.js`;
    const process = startProcess("node", [
      "--import",
      `${folder}/loopback.mjs`,
      script,
      `--port=${port}`,
      "--headless",
    ], { cwd: folder, env: { NODE_ENV: "production" } });
    return { process, port };
  },
};

function llmops(runtime: "deno" | "bun"): Target {
  return {
    name: `llmops 0.6.10, ${runtime}`,
    runtime,
    kind: "peer",
    knock: family("llmops"),
    async start() {
      const folder = await installed("llmops", LLMOPS, { "server.mjs": LLMOPS_SERVER });
      const port = freePort();
      const options = { cwd: folder, env: { PORT: `${port}`, NODE_ENV: "production", ...BUN_ENV } };
      const process = runtime === "deno"
        ? startProcess(
          Deno.execPath(),
          ["run", "--quiet", "--allow-all", "--node-modules-dir=manual", "server.mjs"],
          options,
        )
        : startProcess(await bunBinary(), ["server.mjs"], options);
      return { process, port };
    },
  };
}

/** Installs npm packages into a folder that is kept between runs. */
async function installed(name: string, manifest: object, files: Record<string, string>): Promise<string> {
  const folder = `${ROOT}/dist/peers/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${file}`, text);
  const text = JSON.stringify({ private: true, ...manifest });
  const done = `${folder}/installed.json`;
  const before = await Deno.readTextFile(done).catch(() => "");
  if (before !== text) {
    await Deno.writeTextFile(`${folder}/package.json`, text);
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], folder);
    await Deno.writeTextFile(done, text);
  }
  return folder;
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
  llmops("deno"),
  floor("bun", false),
  floor("bun", true),
  least("bun"),
  ours("bun"),
  ours("bun", "logged"),
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
