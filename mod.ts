/**
 * Sluice: one `fetch` handler that puts every model provider behind one OpenAI-compatible URL.
 *
 * Import it (`import { handler } from ".../mod.ts"`), or run it: `deno run --allow-net --allow-env mod.ts`,
 * `bun run mod.ts`, or as a Worker's main module.
 *
 * @module
 */
import { type GatewayBinding, type RemoteGateway, remoteGateway } from "./gateway/binding.ts";
import { configured } from "./gateway/configured.ts";
import type { Env } from "./gateway/env.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";

export { createGateway, type Gateway, type GatewayBinding, type RemoteGateway, remoteGateway };
export type { RunOptions, RunSettings, UniversalStep } from "./gateway/binding.ts";
export type { GatewayToken, StoredKeys } from "./gateway/credentials.ts";
export type { LogEntry, Options, ProviderOptions } from "./gateway/options.ts";
export type { PolicySettings } from "./gateway/policies/settings.ts";
export type { Wait } from "./gateway/policies/timers.ts";
export type { WireName } from "./providers/table.ts";
export type { ChatField } from "./providers/types.ts";

let made: Gateway | undefined;
const unconfigured = () => made ??= createGateway();

/** Serves one request with every default: no options, no environment. */
export function handler(request: Request): Promise<Response> {
  return unconfigured().fetch(request);
}

/** The gateway as an object, with every default: `gateway("default").run({ provider, endpoint, headers, query })`. */
export function gateway(id: string): GatewayBinding {
  return unconfigured().gateway(id);
}

// ---------------------------------------------------------------- running it

/** What of the runtimes is used here; each has only its own. */
interface Runtime {
  Deno?: {
    env: { get(name: string): string | undefined; toObject(): Record<string, string> };
    permissions: { querySync(permission: { name: "env" }): { state: string } };
    serve(options: object, handler: (request: Request) => Promise<Response>): unknown;
    exit(code: number): never;
  };
  Bun?: { env: Record<string, string | undefined> };
  process?: { exit(code: number): never };
}
const { Deno, Bun, process } = globalThis as Runtime;

/** What cannot start ends the process with one line and not a stack. */
function orExit<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    console.error((error as Error).message);
    return (Deno ?? process)!.exit(1);
  }
}

/** As `configured`, for a process of its own. */
function start(env: Env, names: string[]): ReturnType<typeof configured> {
  // On Deno Deploy there are many of it.
  return orExit(() => configured(env, { names, alone: env("DENO_DEPLOY") === undefined }));
}

/** All variables of the process, where it may see all. */
function denoNames({ env, permissions }: NonNullable<Runtime["Deno"]>): string[] {
  // Else it would be asked for, or refused with a stack.
  return permissions.querySync({ name: "env" }).state === "granted" ? Object.keys(env.toObject()) : [];
}

let worker: Gateway | undefined;

function serving(env: Record<string, string> = {}): Gateway {
  if (Deno) return configured((name) => Deno.env.get(name), { names: denoNames(Deno) }).gateway;
  return configured((name) => env[name], { names: Object.keys(env) }).gateway;
}

/**
 * For runtimes that serve a module's default export: Workers, whose variables come with each request, and Bun, which
 * takes the `port` and the rest set below. `deno serve` takes it from a main module of one line,
 * `export { default } from "./mod.ts"`.
 */
const app: { fetch?: (request: Request, env?: unknown) => Promise<Response> } = {
  fetch(request, env) {
    worker ??= serving(env as Record<string, string> | undefined);
    return worker.fetch(request);
  },
};
export default app;

if (import.meta.main && Deno) {
  const { port, hostname, gateway, notice } = start((name) => Deno.env.get(name), denoNames(Deno));
  const onListen = (at: { hostname: string; port: number }) => {
    console.log(`Sluice listens on http://${at.hostname}:${at.port}`);
    if (notice) console.log(notice);
  };
  orExit(() => {
    try {
      Deno.serve({ port, hostname, onListen }, gateway.fetch);
    } catch (error) {
      throw new Error(`Cannot listen on HOST ${hostname}, PORT ${port}: ${(error as Error).message}`);
    }
  });
  // `deno run` warns about a default export that could be served, and `deno serve` would serve it a second time.
  delete app.fetch;
}

if (import.meta.main && Bun) {
  const { port, hostname, gateway, notice } = start((name) => Bun.env[name], Object.keys(Bun.env));
  if (notice) console.log(notice);
  // Bun's own limit of 10 s without a byte would cut a model off while it thinks.
  // Outside development it would share a taken port with whoever has it, which gets half of the requests.
  const served = { idleTimeout: 0, development: false, reusePort: false };
  Object.assign(app, { port, hostname, ...served, fetch: gateway.fetch });
}
