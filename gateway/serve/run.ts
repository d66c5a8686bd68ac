/** Serves the gateway as a process of its own. */
import { isObject } from "../../wires/shared/json.ts";
import { type Configured, configured } from "./configured.ts";
import { drainOn } from "./drain.ts";
import { type Env, type Served, textsOf } from "../setup/env.ts";
import { cannotUse } from "../setup/env_settings.ts";
import type { Gateway } from "../gateway.ts";
import { denoNames, type Host, hostHere, openOnBun, openOnDeno, type Runtime, type Server } from "./hosts.ts";
import { withKeyFiles } from "./key_files.ts";
import { startLines } from "./start_lines.ts";
import { STORE_BINDINGS, workerStores } from "../stores/worker_stores.ts";

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

/** Serves the gateway. If it cannot start, exits with a one-line message instead of a stack trace. */
export async function run(module: string): Promise<void> {
  const host = hostHere(module);
  if (host) return await serveOn(host);
  console.error("Cannot serve by this module on Node: run the command sluice");
  (globalThis as Runtime).process!.exit(1);
}

/** Variables that win over those of the environment. */
export type Overrides = ReadonlyMap<string, string>;

/** Serves the gateway on a host. If it cannot start, exits with a one-line message instead of a stack trace. */
export async function serveOn(host: Host, overrides?: Overrides): Promise<void> {
  try {
    const { served, server } = await startOn(host, overrides);
    tell(served, server.port);
    drainOn(host.onSignal, {
      finish: server.finish,
      close: served.gateway.close,
      drainMs: served.drainMs,
      exit: host.exit,
    });
  } catch (error) {
    console.error((host.explain?.(error as Error) ?? error as Error).message);
    host.exit(1);
  }
}

/** The environment of a host, with what its files hold. */
export interface Settings {
  env: Env;
  /** The text of the file that `SLUICE_CONFIG` names. */
  file?: string;
  /** Warnings. */
  told: string[];
}

/** Reads the environment of a host. @throws TypeError for a file that cannot be read. */
export async function readSettings(host: Host, overrides: Overrides = new Map()): Promise<Settings> {
  const told: string[] = [];
  const given: Env = (name) => overrides.get(name) ?? host.env(name);
  const env = await withKeyFiles(given, host.readText, (warning) => told.push(warning));
  return { env, file: await configFile(env, host.readText), told };
}

/**
 * Starts the gateway on a host, with the options of its environment.
 *
 * @throws Error whose message is for the operator.
 */
export async function startOn(
  host: Host,
  overrides?: Overrides,
): Promise<{ served: Configured; server: Server }> {
  host.prepare?.();
  const { env, file, told } = await readSettings(host, overrides);
  const { alone, open } = host;
  const served = configured(env, { names: host.names(), alone, file, told, open });
  if (served.storePaths) host.opens?.(served.storePaths);
  await served.checkFiles();
  const server = await listening(served, () => host.listen(served, served.gateway.fetch));
  return { served, server };
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
async function listening<T>({ hostname, port }: Served, serve: () => T | Promise<T>): Promise<T> {
  try {
    return await serve();
  } catch (cause) {
    const { message, code } = cause as Error & { code?: string };
    if ((cause as Error).name === "NotCapable") throw cause;
    const why = code && !message.includes(code) ? `${message} (${code})` : message;
    throw new Error(`Cannot listen on HOST ${hostname}, PORT ${port}: ${why}`, { cause });
  }
}

function tell(served: Configured, port: number): void {
  const { hostname, stored, madeToken, madeAdminToken, tokens } = served;
  console.log(startLines({ hostname, port, stored, madeToken, madeAdminToken, tokens }));
}
