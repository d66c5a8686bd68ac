/** What Deno and Bun bring to serve the gateway as a process of its own. Node's part is in `cli`. */
import { fetchesOf, MAX_FETCHES, MOST_FETCHES } from "../bun_fetches.ts";
import type { Env, Served } from "../setup/env.ts";
import { driverFolder } from "../stores/store_url.ts";
import type { OpenFile } from "./configured.ts";

/** A server that listens. */
export interface Server {
  port: number;
  /** Stops taking connections. Resolves once no answer is running. */
  finish(): Promise<void>;
}

/** A runtime, as far as it serves the gateway. */
export interface Host {
  env: Env;
  /** The names of all variables, if it tells them. */
  names(): string[];
  /** Whether one process serves, whose first lines of output somebody reads. */
  alone: boolean;
  readText(path: string): Promise<string>;
  open: OpenFile;
  listen(served: Served, fetch: (request: Request) => Promise<Response>): Server | Promise<Server>;
  onSignal(signal: string, listener: () => void): void;
  exit(code: number): void;
  /** Is called before anything else. */
  prepare?(): void;
  /** Is called before a store is opened that a driver's module opens, with the paths of its files. */
  opens?(paths: readonly string[]): void;
  /** Adds the cure to an error. */
  explain?(error: Error): Error;
}

/** The parts of Deno that are used here. */
export interface DenoRuntime {
  env: { get(name: string): string | undefined; toObject(): Record<string, string> };
  permissions: { querySync(permission: { name: "env"; variable?: string }): { state: string } };
  readTextFile(path: string): Promise<string>;
  open(path: string): Promise<{ readable: ReadableStream<Uint8Array> }>;
  serve(
    options: object,
    handler: (request: Request) => Promise<Response>,
  ): { addr: { port: number }; shutdown(): Promise<void> };
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
 * The host, on Deno and on Bun.
 *
 * @param module The URL of the main module, for the command that an error may tell.
 * @param args Arguments of that command.
 */
export function hostHere(module: string, args: readonly string[] = []): Host | undefined {
  const { Deno, Bun, process } = globalThis as Runtime;
  return Deno ? denoHost(Deno, [module, ...args]) : Bun && bunHost(Bun, process!);
}

export const openOnDeno = (deno: DenoRuntime): OpenFile => async (path) => (await deno.open(path)).readable;

export const openOnBun = (bun: BunRuntime): OpenFile => (path) => Promise.resolve(bun.file(path).stream());

function denoHost(deno: DenoRuntime, command: readonly string[]): Host {
  const files: string[] = [];
  const written: string[] = [];
  const noted = <T>(read: (path: string) => T) => (path: string) => {
    files.push(path);
    return read(path);
  };
  return {
    env: (name) => deno.env.get(name),
    names: () => denoNames(deno),
    // Deno Deploy runs many processes, and nobody reads their first lines of output.
    get alone() {
      return deno.env.get("DENO_DEPLOY") === undefined;
    },
    readText: noted((path) => deno.readTextFile(path)),
    open: noted(openOnDeno(deno)),
    opens(paths) {
      const folder = driverFolder();
      files.push(...folder === undefined ? [] : [folder], ...paths);
      written.push(...paths);
    },
    listen({ port, hostname, reusePort }, fetch) {
      hideAbortWarning();
      const server = deno.serve({ port, hostname, reusePort, onListen() {} }, fetch);
      return { port: server.addr.port, finish: () => server.shutdown() };
    },
    onSignal: (signal, listener) => deno.addSignalListener(signal, listener),
    exit: (code) => deno.exit(code),
    explain: (error) => withCommand(error, deno, command, files, written),
  };
}

/**
 * Without the flag `--unstable-no-legacy-abort` Deno aborts a request's signal also after its answer, and warns of it once. The
 * gateway's work is over by then. An installed command has no place for the flag.
 */
function hideAbortWarning(): void {
  const { warn } = console;
  console.warn = (...told: unknown[]) => {
    if (!`${told[0]}`.startsWith("Deno.serve: request.signal aborts on successful")) warn(...told);
  };
}

function bunHost(bun: BunRuntime, process: Process): Host {
  return {
    env: (name) => bun.env[name],
    names: () => Object.keys(bun.env),
    alone: true,
    readText: (path) => bun.file(path).text(),
    open: openOnBun(bun),
    prepare() {
      if (fetchesOf(bun.env[MAX_FETCHES]) === undefined) startAgain(process);
    },
    listen({ port, hostname, reusePort }, fetch) {
      // Bun's default of 10 s without a byte would cut off a model that thinks, and its default of 128 MiB an upload to a
      // provider's own path. Outside development its default is `reusePort: true`: it would share a taken port with another
      // process, which would get half of the requests.
      const server = bun.serve({
        port,
        hostname,
        reusePort,
        idleTimeout: 0,
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        fetch: (request: Request) => fetch(request),
      });
      return {
        port: server.port,
        async finish() {
          // The promise of `stop()` would also wait for connections without a request.
          server.stop();
          while (server.pendingRequests > 0) await new Promise((resolve) => setTimeout(resolve, 20));
        },
      };
    },
    onSignal: (signal, listener) => process.on(signal, listener),
    exit: (code) => process.exit(code),
  };
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
 * Adds the whole command to Deno's error for a missing permission. A Deno that npm has installed is started by `npx`, as it
 * may not be on the path.
 *
 * @param command The main module and its arguments.
 * @param files The files that the program has tried to read so far.
 * @param written The files that it writes.
 */
function withCommand(
  error: Error,
  { execPath }: DenoRuntime,
  [module, ...args]: readonly string[],
  files: readonly string[],
  written: readonly string[],
): Error {
  if (error.name !== "NotCapable") return error;
  const flags = ["--allow-net", "--allow-env"];
  if (files.length > 0) flags.push(`--allow-read=${files.join(",")}`);
  if (written.length > 0) flags.push(`--allow-write=${written.join(",")}`);
  const program = module.startsWith("file://") ? decodeURIComponent(new URL(module).pathname) : module;
  const deno = /[\\/]node_modules[\\/]@?deno[\\/]/.test(execPath()) ? ["npx", "-y", "deno"] : ["deno"];
  const words = [...deno, "run", ...flags, program, ...args].map((word) =>
    /^[\w./:@=+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  );
  return new Error(`${error.message.split(", run again")[0]}. Run: ${words.join(" ")}`, { cause: error });
}
