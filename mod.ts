/**
 * Sluice: one `fetch` handler that puts every model provider behind the APIs that clients already speak.
 *
 * Import it (`import { createGateway } from ".../mod.ts"`), or run it: `deno run --allow-net --allow-env mod.ts`,
 * `bun run mod.ts`, or as a Worker's main module.
 *
 * @module
 */
import type { GatewayBinding } from "./gateway/binding.ts";
import { IS_PROCESS, type RuntimeContext } from "./gateway/context.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { fromEnvironment, run } from "./gateway/serve/run.ts";
import { type RemoteGateway, remoteGateway } from "./gateway/remote_gateway.ts";
import { translateStream, type TranslateStreamOptions } from "./gateway/translate_stream.ts";

export { type Ai, ai, type AiRunOptions, type AiService } from "./gateway/ai.ts";
export { createGateway, type Gateway, type GatewayBinding, type RemoteGateway, remoteGateway };
export type { GatewayLog, GatewayLogChanges } from "./gateway/binding.ts";
export type { Cost, Rates } from "./providers/prices/table.ts";
export { translateStream, type TranslateStreamOptions };
export type { RunOptions, RunSettings, UniversalStep } from "./gateway/binding.ts";
export type { GatewayAllowance } from "./gateway/access/gateway_allowance.ts";
export type { GatewayToken } from "./gateway/access/gateway_token.ts";
export type { LimitRule, RateLimits, TokenBudget, TokenLimits } from "./gateway/policies/token_limits.ts";
export type { MadeKey, MakeKey } from "./gateway/access/made_keys.ts";
export type { StoredKeys } from "./gateway/access/stored_keys.ts";
export type { Limits } from "./gateway/setup/limits.ts";
export type { LogsOptions } from "./gateway/setup/logs_option.ts";
export type { Sql, SqlStatement, SqlValue } from "./gateway/stores/sql.ts";
export { openStore } from "./gateway/stores/store_url.ts";
export { redis, type SendCommand } from "./gateway/stores/redis.ts";
export type { Stores } from "./gateway/stores/stores.ts";
export { workerStores } from "./gateway/stores/worker_stores.ts";
export type { Kv } from "./gateway/stores/kv.ts";
export type {
  Addition as CounterAddition,
  Counters,
  Rule as CounterRule,
  Taken as CountersTaken,
} from "./gateway/stores/counters.ts";
export type { LogAttempt, LogEntry, LogError, LogRoute, Metadata } from "./gateway/stores/log_row.ts";
export type { Options } from "./gateway/setup/options.ts";
export type { OtelOptions } from "./gateway/setup/otel_option.ts";
export type { RouteElement } from "./gateway/setup/routes_option.ts";
export type { ProviderOptions } from "./gateway/setup/provider_options.ts";
export type { RuntimeContext };
export type { PolicySettings } from "./gateway/policies/settings.ts";
export type { Wait } from "./gateway/policies/timers.ts";
export type { WireName } from "./providers/kinds.ts";
export type { ChatField } from "./providers/types.ts";

let made: Gateway | undefined;

/**
 * The gateway as an object, with every default: `gateway("default").run({ provider, endpoint, headers, query })`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gateway } from "./mod.ts";
 *
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await gateway("default").run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals((await response.json()).choices[0].message.content, "Hello");
 * ```
 */
export function gateway(id: string): GatewayBinding {
  return (made ??= createGateway()).gateway(id);
}

// ---------------------------------------------------------------- serving it

let served: Gateway | undefined;
let first: Promise<Gateway> | undefined;

/**
 * Serves one request by a gateway with the options of the environment: `Deno.serve(handler)`.
 *
 * On Deno it reads the variables that the program may read, and none without `--allow-env`.
 *
 * @param env A Worker's variables. Other runtimes pass something else, which is ignored.
 * @param context A Worker's `ctx`.
 * @throws TypeError that names the faulty variable.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { handler } from "./mod.ts";
 *
 * // `Deno.serve(handler)` serves it; a call needs no server.
 * const response = await handler(
 *   new Request("http://localhost/v1/chat/completions", {
 *     method: "POST",
 *     headers: { "content-type": "application/json" },
 *     body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
 *   }),
 * );
 * assertEquals((await response.json()).choices[0].message.content, "Hello");
 * ```
 */
export function handler(request: Request, env?: unknown, context?: RuntimeContext): Promise<Response> {
  return served ? served.fetch(request, context) : serveFirst(request, true, env, context);
}

/**
 * For runtimes that serve a module's default export: Workers, `deno serve` and Deno Deploy. There the main module may be the
 * one line `export { default } from "https://…/mod.ts"`. As `handler`, but it throws if variables cannot be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import app from "./mod.ts";
 *
 * // What `deno serve mod.ts` does with each request.
 * const response = await app.fetch!(new Request("http://localhost/health"));
 * assertEquals(response.status, 200);
 * ```
 */
const app: { fetch?: (request: Request, env?: unknown, context?: RuntimeContext) => Promise<Response> } = {
  fetch: (request, env, context) =>
    served ? served.fetch(request, context) : serveFirst(request, false, env, context),
};
export default app;

async function serveFirst(
  request: Request,
  lenient: boolean,
  env: unknown,
  context: RuntimeContext | undefined,
): Promise<Response> {
  served = await (first ??= fromEnvironment(env, lenient));
  return served.fetch(request, context);
}

if (import.meta.main && IS_PROCESS) {
  run(import.meta.url);
  // With a `fetch` in the default export, `deno run` would warn, and Bun would serve the module a second time.
  delete app.fetch;
}
