/** Serves the gateway as a process of its own, on Deno or on Bun. */
import { isObject } from "../../wires/shared/json.ts";
import { fetchesOf, MAX_FETCHES, MOST_FETCHES } from "../bun_fetches.ts";
import { type Configured, configured, type OpenFile } from "./configured.ts";
import { drainOn } from "./drain.ts";
import { type Env, type Served, textsOf } from "../setup/env.ts";
import { cannotUse } from "../setup/env_settings.ts";
import type { Gateway } from "../gateway.ts";
import { withKeyFiles } from "./key_files.ts";
import { startLines } from "./start_lines.ts";
import { driverFolder } from "../stores/store_url.ts";
import { STORE_BINDINGS, workerStores } from "../stores/worker_stores.ts";

/** The parts of Deno that are used here. */
export interface DenoRuntime {
  env: { get(name: string): string | undefined; toObject(): Record<string, string> };
  permissions: { querySync(permission: { name: "env"; variable?: string }): { state: string } };
  readTextFile(path: string): Promise<string>;
  open(path: string): Promise<{ readable: ReadableStream<Uint8Array> }>;
  serve(options: object, handler: (request: Request) => Promise<Response>): { shutdown(): Promise<void> };
  addSignalListener(signal: string, listener: () => void): void;
  execPath(): string;
  exit(code: number): never;
}

/** The parts of Bun that are used here. */
export interface BunRuntime {
  env: Record<string, string | undefined>;
  file(path: string): { text(): Promise<string>; stream(): ReadableStream<Uint8Array> };
  serve(options: object): { port: number; pendingRequests: number; stop(): Promise<void> };
}

/** The parts of `process`, on Bun and Node, that are used here. */
interface Process {
  env: Record<string, string | undefined>;
  argv: string[];
  execArgv: string[];
  execPath: string;
  execve?(path: string, args: string[], env: object): never;
  on(signal: string, listener: () => void): void;
  exit(code: number): never;
}

/** The runtimes' globals. A runtime has only its own ones. */
export interface Runtime {
  Deno?: DenoRuntime;
  Bun?: BunRuntime;
  process?: Process;
}

/**
 * Makes the gateway from the environment, for a runtime or a program that does the serving itself.
 *
 * @param given A Worker's variables.
 * @param lenient Whether variables that Deno may not read count as not set. If not, Deno asks for permission, or throws.
 * @throws TypeError that names the faulty variable.
 */
export async function fromEnvironment(given: unknown, lenient: boolean): Promise<Gateway> {
  const { Deno, Bun, process } = globalThis as Runtime;
  if (Deno) {
    const readable = (variable: string) =>
      !lenient || Deno.permissions.querySync({ name: "env", variable }).state === "granted";
    const env: Env = (name) => readable(name) ? Deno.env.get(name) : undefined;
    const file = await configFile(env, (path) => Deno.readTextFile(path));
    return await checked(configured(env, { names: denoNames(Deno), file, open: openOnDeno(Deno) }));
  }
  if (Bun) {
    const env: Env = (name) => Bun.env[name];
    const file = await configFile(env, (path) => Bun.file(path).text());
    return await checked(configured(env, { names: Object.keys(Bun.env), file, open: openOnBun(Bun) }));
  }
  const variables = { ...process?.env, ...isObject(given) ? given : {} };
  const bindings = Object.values(STORE_BINDINGS);
  const names = Object.keys(variables).filter((name) => !bindings.includes(name));
  return configured(textsOf(variables), { names, store: workerStores(variables) }).gateway;
}

async function checked({ checkFiles, gateway }: Configured): Promise<Gateway> {
  await checkFiles();
  return gateway;
}

const openOnDeno = (deno: DenoRuntime): OpenFile => async (path) => (await deno.open(path)).readable;

const openOnBun = (bun: BunRuntime): OpenFile => (path) => Promise.resolve(bun.file(path).stream());

/** Serves the gateway. If it cannot start, exits with a one-line message instead of a stack trace. */
export async function run(module: string): Promise<void> {
  const { Deno, Bun, process } = globalThis as Runtime;
  try {
    if (Deno) await runOnDeno(Deno, module);
    else if (Bun) await runOnBun(Bun, process!);
    else throw new Error("Cannot serve by this module on Node: run the command `sluice`");
  } catch (error) {
    console.error((error as Error).message);
    (Deno ?? process)!.exit(1);
  }
}

async function runOnDeno(deno: DenoRuntime, module: string): Promise<void> {
  const files: string[] = [];
  const written: string[] = [];
  const noted = <T>(read: (path: string) => T) => (path: string) => {
    files.push(path);
    return read(path);
  };
  try {
    const told: string[] = [];
    const env = await withKeyFiles(
      (name) => deno.env.get(name),
      noted((path) => deno.readTextFile(path)),
      (warning) => told.push(warning),
    );
    // Deno Deploy runs many processes, and nobody reads their first lines of output.
    const alone = env("DENO_DEPLOY") === undefined;
    const file = await configFile(env, noted((path) => deno.readTextFile(path)));
    const open = noted(openOnDeno(deno));
    const served = configured(env, { names: denoNames(deno), alone, file, told, open });
    const { storePath } = served;
    if (storePath !== undefined) {
      const folder = driverFolder();
      files.push(...folder === undefined ? [] : [folder], storePath);
      written.push(storePath);
    }
    await served.checkFiles();
    const { port, hostname, reusePort, gateway } = served;
    const onListen = (at: { port: number }) => tell(served, at.port);
    const server = listening(
      served,
      () => deno.serve({ port, hostname, reusePort, onListen }, gateway.fetch),
    );
    drainOn((signal, listener) => deno.addSignalListener(signal, listener), {
      finish: () => server.shutdown(),
      close: gateway.close,
      drainMs: served.drainMs,
      exit: deno.exit,
    });
  } catch (error) {
    throw withCommand(error as Error, deno, module, files, written);
  }
}

async function runOnBun(bun: BunRuntime, process: Process): Promise<void> {
  if (fetchesOf(bun.env[MAX_FETCHES]) === undefined) startAgain(process);
  const read = (path: string) => bun.file(path).text();
  const told: string[] = [];
  const env = await withKeyFiles((name) => bun.env[name], read, (warning) => told.push(warning));
  const file = await configFile(env, read);
  const names = Object.keys(bun.env);
  const served = configured(env, { names, alone: true, file, told, open: openOnBun(bun) });
  await served.checkFiles();
  const { port, hostname, reusePort, gateway } = served;
  // Bun's default of 10 s without a byte would cut off a model that thinks, and its default of 128 MiB an upload to a
  // provider's own path. Outside development its default is `reusePort: true`: it would share a taken port with another
  // process, which would get half of the requests.
  const options = {
    port,
    hostname,
    reusePort,
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
  };
  const server = listening(
    served,
    () => bun.serve({ ...options, fetch: (request: Request) => gateway.fetch(request) }),
  );
  tell(served, server.port);
  drainOn((signal, listener) => process.on(signal, listener), {
    async finish() {
      // The promise of `stop()` would also wait for connections without a request.
      server.stop();
      while (server.pendingRequests > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    close: gateway.close,
    drainMs: served.drainMs,
    exit: (code) => process.exit(code),
  });
}

/**
 * Replaces this process by the same program with more fetches: same process id, same files, same arguments. Bun reads the
 * variable only when it starts. Where `execve` does not exist, as on Windows, the gateway warns.
 */
function startAgain({ execve, execPath, execArgv, argv, env }: Process): void {
  try {
    execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env, [MAX_FETCHES]: MOST_FETCHES });
  } catch {
    // `createGateway` warns of it.
  }
}

/** The names of all variables. An empty list if the process may not read all: Deno would ask for permission, or refuse. */
export function denoNames({ env, permissions }: DenoRuntime): string[] {
  return permissions.querySync({ name: "env" }).state === "granted" ? Object.keys(env.toObject()) : [];
}

/**
 * The text of the file that `SLUICE_CONFIG` names; `undefined` if it does not name a file.
 *
 * @throws TypeError for a file that cannot be read.
 */
export async function configFile(
  env: Env,
  read: (path: string) => Promise<string>,
): Promise<string | undefined> {
  const path = env("SLUICE_CONFIG")?.trim();
  if (!path || path.startsWith("{")) return undefined;
  try {
    return await read(path);
  } catch (cause) {
    if ((cause as Error).name === "NotCapable") throw cause;
    throw cannotUse(
      "SLUICE_CONFIG",
      `the file ${JSON.stringify(path)} cannot be read: ${(cause as Error).message}`,
    );
  }
}

/** Starts the server. @throws Error that names the address on which it cannot listen. */
function listening<T>({ hostname, port }: Served, serve: () => T): T {
  try {
    return serve();
  } catch (cause) {
    const { message, code } = cause as Error & { code?: string };
    if ((cause as Error).name === "NotCapable") throw cause;
    const why = code && !message.includes(code) ? `${message} (${code})` : message;
    throw new Error(`Cannot listen on HOST ${hostname}, PORT ${port}: ${why}`, { cause });
  }
}

/**
 * Adds the whole command to Deno's error for a missing permission. A Deno that npm has installed is started by `npx`, as it
 * may not be on the path.
 *
 * @param files The files that the program has tried to read so far.
 * @param written The files that it writes.
 */
function withCommand(
  error: Error,
  { execPath }: DenoRuntime,
  module: string,
  files: readonly string[],
  written: readonly string[],
): Error {
  if (error.name !== "NotCapable") return error;
  const flags = ["--allow-net", "--allow-env"];
  if (files.length > 0) flags.push(`--allow-read=${files.join(",")}`);
  if (written.length > 0) flags.push(`--allow-write=${written.join(",")}`);
  const program = module.startsWith("file://") ? decodeURIComponent(new URL(module).pathname) : module;
  const deno = /[\\/]node_modules[\\/]@?deno[\\/]/.test(execPath()) ? ["npx", "-y", "deno"] : ["deno"];
  const command = [...deno, "run", ...flags, program].map((word) =>
    /^[\w./:@=+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  );
  return new Error(`${error.message.split(", run again")[0]}. Run: ${command.join(" ")}`, { cause: error });
}

function tell(served: Configured, port: number): void {
  const { hostname, stored, madeToken, madeAdminToken, tokens } = served;
  console.log(startLines({ hostname, port, stored, madeToken, madeAdminToken, tokens }));
}
