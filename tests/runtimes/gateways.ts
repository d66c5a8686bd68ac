/** Starts the gateway in each way that people run it, as a process of its own on a free port of loopback. */
import { bundle, ROOT } from "../bundle.ts";
import { bunBinary, esbuildBinary, workerdBinary } from "./binaries.ts";

/** A gateway that answers at `url`. */
export interface Running extends AsyncDisposable {
  url: string;
  /** The text that it wrote to standard output and standard error so far. */
  output(): string;
  /** Sends its process a signal. */
  signal(name: Deno.Signal): void;
  /** The exit code of its process. */
  ended: Promise<number>;
}

/** A way to run the gateway. */
export interface Runtime {
  name: string;
  /**
   * How the runtime notices that a client leaves while nothing is sent. `close`: by the end of its stream. `reset`: only by a
   * reset of the connection, because workerd takes the end of the client's stream for a half-closed connection.
   */
  noticesLeavingBy: "close" | "reset";
  /**
   * The longest request, in bytes, for which the runtime notices before the answer's headers that its client leaves. Deno
   * 2.8.3 to 2.9.6 reads from the connection again only after the headers, unless the request came in one read.
   */
  noticesLeavingUpTo: number;
  start(env: Record<string, string>): Promise<Running>;
}

/** The Deno that runs the tests. */
export const DENO = Deno.execPath();

/** The README's command, without Deno's own output. */
export const RUN = ["run", "--quiet", "--no-prompt", "--allow-net", "--allow-env"];

const ON_DENO = { noticesLeavingBy: "close", noticesLeavingUpTo: 400 } as const;
const ON_BUN = { noticesLeavingBy: "close", noticesLeavingUpTo: Infinity } as const;

export const RUNTIMES: Runtime[] = [
  {
    name: "deno run",
    ...ON_DENO,
    start: (env) => startServed(DENO, [...RUN, "mod.ts"], env),
  },
  {
    name: "deno, imported by URL",
    ...ON_DENO,
    start: startByUrl,
  },
  {
    name: "deno, one file",
    ...ON_DENO,
    start: async (env) => startServed(DENO, [...RUN, await oneFile()], env),
  },
  {
    name: "deno serve",
    ...ON_DENO,
    start: startDenoServe,
  },
  {
    name: "bun run",
    ...ON_BUN,
    start: async (env) => startServed(await installForBun(), ["run", "mod.ts"], env),
  },
  {
    name: "bun, one file",
    ...ON_BUN,
    start: async (env) => startServed(await bunBinary(), ["run", await oneFile()], env),
  },
  {
    name: "workerd, one file",
    noticesLeavingBy: "reset",
    noticesLeavingUpTo: Infinity,
    start: startWorkerd,
  },
];

/** The one-file build, made once. */
const oneFile = once(async () => (await bundle(await Deno.makeTempFile({ suffix: ".js" }))).path);

/** Installs the project's packages, which Bun needs, and returns Bun's path. */
export const installForBun = once(async () => {
  const bun = await bunBinary();
  const { code, output } = await run(bun, ["install", "--no-save"]);
  if (code !== 0) throw new Error(`Cannot install the packages for Bun: ${output}`);
  return bun;
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/** Starts a program that prints the address it listens on. */
export async function startServed(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<Running> {
  return await startProcess(
    command,
    args,
    { PORT: "0", ...env },
    /http:\/\/[\w.]+:(\d+)/,
  );
}

/** The result of a program that has ended. */
export interface Finished {
  code: number;
  output: string;
}

/** Runs a program in the project's folder. */
export async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, cwd: ROOT }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  return { code, output };
}

function startDenoServe(env: Record<string, string>): Promise<Running> {
  const args = ["serve", "--no-prompt", "--allow-net", "--allow-env", "--host", "127.0.0.1", "--port", "0"];
  return startProgram(`export { default } from "file://${ROOT}/mod.ts";`, args, env);
}

/** Serves the project's files and runs a program that imports them from there. */
async function startByUrl(env: Record<string, string>): Promise<Running> {
  const files = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    try {
      return new Response(await Deno.readFile(ROOT + path), {
        headers: { "content-type": "text/typescript" },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
  const host = `127.0.0.1:${files.addr.port}`;
  const program = `
    import sluice, { createGateway, handler } from "http://${host}/mod.ts";
    if (typeof createGateway !== "function" || typeof handler !== "function") throw new Error("an export is missing");
    const onListen = ({ port }: Deno.NetAddr) => console.log(\`http://127.0.0.1:\${port}\`);
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, (request) => sluice.fetch!(request));
  `;
  // Another run may have had the same port, so modules cached for its address may be stale.
  const args = [...RUN, `--allow-import=${host}`, `--reload=http://${host}`];
  return afterwards(await startProgram(program, args, env), () => files.shutdown());
}

/** Starts a program of our own on Deno. */
async function startProgram(source: string, args: string[], env: Record<string, string>): Promise<Running> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, source);
  return afterwards(await startServed(DENO, [...args, path], env), () => Deno.remove(path));
}

/** The gateway, with further work after it has stopped. */
function afterwards(gateway: Running, clean: () => Promise<void>): Running {
  const stop = async () => {
    await gateway[Symbol.asyncDispose]();
    await clean();
  };
  return { ...gateway, [Symbol.asyncDispose]: stop };
}

async function startWorkerd(env: Record<string, string>): Promise<Running> {
  const files = { "sluice.js": await Deno.readTextFile(await oneFile()) };
  return serveWorkerd([await workerConfig("sluice", "sluice.js", environmentBindings(env))], files, env);
}

/** Bindings of a Worker to the variables that workerd is started with, in workerd's configuration language. */
export const environmentBindings = (env: Record<string, string>) =>
  Object.keys(env).map((name) => `(name = "${name}", fromEnvironment = "${name}")`);

/** A Worker of one module, as `wrangler.jsonc` sets one up, in workerd's configuration language. */
export async function workerConfig(
  name: string,
  file: string,
  bindings: string[],
  flags: string[] = [],
  more = "",
): Promise<string> {
  const { compatibility_date, compatibility_flags } = await wranglerConfig();
  return `(name = "${name}", worker = (
    modules = [(name = "${file}", esModule = embed "${file}")],
    bindings = [${bindings.join(", ")}],
    compatibilityDate = "${compatibility_date}",
    compatibilityFlags = ${JSON.stringify([...compatibility_flags, ...flags])},
    globalOutbound = "network",${more}
  ))`;
}

/** What `workerConfig` needs for a Worker that exports `SluiceState`. */
export const STATE = {
  binding: `(name = "SLUICE_STATE", durableObjectNamespace = "SluiceState")`,
  objects: `
    durableObjectNamespaces = [(className = "SluiceState", uniqueKey = "sluice", enableSql = true)],
    durableObjectStorage = (localDisk = "storage"),`,
  /** The folder in which the objects lie, as one of workerd's services. */
  storage: (folder: string) => `(name = "storage", disk = (path = "${folder}", writable = true))`,
};

/**
 * Starts workerd.
 *
 * @param workers The Workers, of which the first is served.
 * @param files The texts of their modules, by name.
 */
export async function serveWorkerd(
  workers: string[],
  files: Record<string, string>,
  env: Record<string, string>,
): Promise<Running> {
  const folder = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
  const first = /name = "(\w+)"/.exec(workers[0])![1];
  await Deno.writeTextFile(
    `${folder}/config.capnp`,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${workers.join(", ")}, (name = "network", network = (allow = ["public", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "${first}")],
);
`,
  );
  const args = ["serve", "--experimental", "--control-fd=1", `${folder}/config.capnp`];
  const gateway = await startProcess(await workerdBinary(), args, env, LISTENING);
  return afterwards(gateway, () => Deno.remove(folder, { recursive: true }));
}

/**
 * Starts the Worker of `wrangler.jsonc`, bundled as wrangler does. Its `fetch` cannot reach loopback addresses.
 *
 * @param changed The file as a user has changed it.
 */
export async function startWrangler(changed?: string): Promise<Running> {
  await installForBun();
  const file = changed === undefined ? "wrangler.jsonc" : `wrangler-${crypto.randomUUID()}.jsonc`;
  if (changed !== undefined) await Deno.writeTextFile(`${ROOT}/${file}`, changed);
  const args = ["serve", "--control-fd=1", "--socket-addr", "http=127.0.0.1:0", file];
  const env = { WORKERD_ESBUILD: await esbuildBinary() };
  try {
    return await startProcess(await workerdBinary(), args, env, LISTENING);
  } finally {
    if (changed !== undefined) await Deno.remove(`${ROOT}/${file}`);
  }
}

const LISTENING = /"socket":"http","port":(\d+)/;

/** The settings of `wrangler.jsonc`, so that the tests run the same Worker as is deployed. */
async function wranglerConfig(): Promise<{ compatibility_date: string; compatibility_flags: string[] }> {
  const text = await Deno.readTextFile(`${ROOT}/wrangler.jsonc`);
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ""));
}

async function startProcess(
  command: string,
  args: string[],
  env: Record<string, string>,
  address: RegExp,
): Promise<Running> {
  const child = new Deno.Command(command, { args, env, cwd: ROOT, stdout: "piped", stderr: "piped" }).spawn();
  let output = "";
  const listening = Promise.withResolvers<string>();
  const follow = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      const port = output.match(address)?.[1];
      if (port) listening.resolve(`http://127.0.0.1:${port}`);
    }
  };
  const outputs = Promise.all([follow(child.stdout), follow(child.stderr)]);
  const ended = child.status.then(async ({ code }) => {
    await outputs;
    listening.reject(new Error(`Cannot start ${command}: it ended with code ${code}\n${output}`));
    return code;
  });
  const deadline = setTimeout(
    () => listening.reject(new Error(`Cannot start ${command}: no address after 30 s\n${output}`)),
    30_000,
  );
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // The process has ended by itself.
    }
    await ended;
  };
  try {
    const url = await listening.promise;
    const signal = (name: Deno.Signal) => child.kill(name);
    return { url, output: () => output, signal, ended, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}
