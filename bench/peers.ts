/** Other gateways, each as its maker runs it. */
import { ROOT } from "../tests/bundle.ts";
import { freePort } from "../tests/free_port.ts";
import { bunBinary } from "../tests/runtimes/binaries.ts";
import { HEADERS, knockAs, type Shape } from "./knocks.ts";
import { BUN_ENV, run, startProcess } from "./process.ts";
import type { Target } from "./targets.ts";

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

/** What they are asked for here. */
type PeerShape = Exclude<Shape, "responses">;

/** The paths that Portkey and its fork use below a \`custom-host\`. */
const HOST_PATHS: Record<PeerShape, string> = { openai: "/v1", anthropic: "/v1", gemini: "" };
const FAMILY_NAMES: Record<PeerShape, string> = {
  openai: "openai",
  anthropic: "anthropic",
  gemini: "google",
};

/** Both peers have the same origin and differ in the prefix of their headers. */
function family(prefix: string): Target["knock"] {
  return (shape, load, messages, provider) => {
    const knock = knockAs("chat", load, load, messages);
    const headers = {
      ...HEADERS,
      [`x-${prefix}-provider`]: FAMILY_NAMES[shape as PeerShape],
      [`x-${prefix}-custom-host`]: `http://127.0.0.1:${provider}${HOST_PATHS[shape as PeerShape]}`,
    };
    // These peers send no `[DONE]` for Gemini.
    const expect = shape === "gemini" && load.startsWith("s") ? `"finish_reason":"stop"` : knock.expect;
    return { ...knock, headers, expect };
  };
}

/** Portkey, the most used. */
export const portkey: Target = {
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

/** The fastest of them. */
export function llmops(runtime: "deno" | "bun"): Target {
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
