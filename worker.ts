/**
 * The gateway as a Worker. It serves HTTP like `mod.ts`, and it is a binding that replaces `env.AI` in other Workers:
 *
 * ```jsonc
 * "services": [{ "binding": "AI", "service": "sluice", "entrypoint": "AI" }]
 * ```
 *
 * The Worker's variables and secrets set the options of both.
 *
 * @module
 */
// @ts-types="./cloudflare_workers.d.ts"
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { ai, type AiRunOptions } from "./gateway/ai.ts";
import type {
  GatewayBinding,
  GatewayLog,
  GatewayLogChanges,
  RunOptions,
  UniversalStep,
} from "./gateway/binding.ts";
import { configured } from "./gateway/serve/configured.ts";
import { textsOf } from "./gateway/setup/env.ts";
import type { Addition, Rule, Taken } from "./gateway/stores/counters.ts";
import { type StoredCounters, storedCounters } from "./gateway/stores/object_counters.ts";
import type { SqlStatement, SqlValue } from "./gateway/stores/sql.ts";
import type { ObjectStorage } from "./gateway/stores/state_object.ts";
import { STORE_BINDINGS, workerStores } from "./gateway/stores/worker_stores.ts";
import type { RuntimeContext } from "./gateway/context.ts";
import type { Gateway } from "./gateway/gateway.ts";

/**
 * A Worker's variables and secrets, by name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import worker, { type Variables } from "./worker.ts";
 *
 * const env: Variables = { SLUICE_TOKENS: "secret" };
 * const response = await worker.fetch(new Request("https://sluice.example.com/v1/models"), env);
 * assertEquals(response.status, 401);
 * ```
 */
export type Variables = Record<string, unknown>;

let made: Gateway | undefined;

/** The gateway. All requests share it, so that stored keys take turns. */
function gatewayOf(env: Variables): Gateway {
  if (made) return made;
  const bindings = Object.values(STORE_BINDINGS);
  const names = Object.keys(env).filter((name) => !bindings.includes(name));
  return made = configured(textsOf(env), { names, store: workerStores(env) }).gateway;
}

/**
 * Serves the Worker's own address.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import worker from "./worker.ts";
 *
 * // What workerd does with each request.
 * const response = await worker.fetch(new Request("https://sluice.example.com/health"), {});
 * assertEquals(response.status, 200);
 * ```
 */
const worker: {
  fetch(request: Request, env: Variables, context?: RuntimeContext): Promise<Response>;
} = {
  fetch: (request, env, context) => gatewayOf(env).fetch(request, context),
};
export default worker;

/**
 * The object behind a service binding with `entrypoint: "AI"`. Only Workers with that binding can reach it, so they need no
 * token.
 *
 * The other Worker wraps it by `ai(env.AI)` from `ai.ts`, because RPC cannot carry a signal or the value of a property.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ai } from "./ai.ts";
 * import { AI } from "./worker.ts";
 *
 * // workerd makes the object and gives it to the other Worker as `env.AI`.
 * const env = { AI: new AI({ waitUntil() {} }, { SLUICE_TOKENS: "secret" }) };
 * const answer = await ai(env.AI).run("demo/echo", { messages: [{ role: "user", content: "Hello" }] });
 * assertEquals((answer as { model: string }).model, "echo");
 * ```
 */
export class AI extends WorkerEntrypoint<Variables> {
  /** As `ai(env.AI).run`, but without a signal. */
  run(model: string, inputs: object, options?: AiRunOptions): Promise<unknown> {
    return ai({ fetch: (request) => this.fetch(request), gateway: (id) => this.gateway(id) })
      .run(model, inputs, options);
  }

  /**
   * Not available over RPC, where each property is a stub: truthy, without a value.
   *
   * @throws TypeError always, when the stub is awaited.
   */
  get aiGatewayLogId(): never {
    throw new TypeError(
      "Cannot read aiGatewayLogId through a service binding: wrap the binding, ai(env.AI).aiGatewayLogId",
    );
  }

  /** The gateway with an id: `env.AI.gateway("default")`. */
  gateway(id: string): GatewayBinding {
    return new GatewayTarget(gatewayOf(this.env).gateway(id, this.ctx));
  }

  /** `env.AI.fetch(request)`: any path of the gateway, on any host. */
  fetch(request: Request): Promise<Response> {
    return gatewayOf(this.env).call(request, this.ctx);
  }
}

/** One gateway, which another Worker calls by reference. */
class GatewayTarget extends RpcTarget implements GatewayBinding {
  readonly #binding: GatewayBinding;

  constructor(binding: GatewayBinding) {
    super();
    this.#binding = binding;
  }

  /**
   * Runs a step, or several until one answers.
   *
   * RPC carries a `signal` only if the other Worker has the compatibility flag `enable_abortsignal_rpc`, which is still
   * experimental in November 2026. Without the flag the call fails before it is sent. `ai(env.AI)` needs no flag.
   */
  run(data: UniversalStep | readonly UniversalStep[], options?: RunOptions): Promise<Response> {
    return this.#binding.run(data, options);
  }

  /** The URL of this gateway for HTTP clients: `SLUICE_URL` and the gateway's path. */
  getUrl(provider?: string): Promise<string> {
    return this.#binding.getUrl(provider);
  }

  /** The log row of a request, by its answer's `cf-aig-log-id`. */
  getLog(id: string): Promise<GatewayLog> {
    return this.#binding.getLog(id);
  }

  /** Adds feedback, a score or metadata to a request that has ended. */
  patchLog(id: string, changes: GatewayLogChanges): Promise<void> {
    return this.#binding.patchLog(id, changes);
  }
}

/**
 * Keeps rows of requests and counts for limits and budgets, in the SQLite of Durable Objects. It is used if the Worker has the
 * binding `SLUICE_STATE`:
 *
 * ```jsonc
 * "durable_objects": { "bindings": [{ "name": "SLUICE_STATE", "class_name": "SluiceState" }] },
 * "migrations": [{ "tag": "sluice-1", "new_sqlite_classes": ["SluiceState"] }]
 * ```
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 * import type { SqlValue } from "./mod.ts";
 * import { SluiceState } from "./worker.ts";
 *
 * // workerd makes the object and its storage.
 * const database = new DatabaseSync(":memory:");
 * const exec = (text: string, ...params: SqlValue[]) => {
 *   const rows = database.prepare(text).all(...params);
 *   return { toArray: () => rows };
 * };
 * const storage = { sql: { exec }, transactionSync: <T>(work: () => T) => work() };
 * const state = new SluiceState({ storage, waitUntil() {} }, {});
 * await state.batch([["create table a (b text)", []], ["insert into a (b) values (?)", ["c"]]]);
 * assertEquals((await state.all("select b from a", [])).map(({ b }) => b), ["c"]);
 * ```
 */
export class SluiceState extends DurableObject<Variables> {
  readonly #storage: ObjectStorage;
  readonly #counters: StoredCounters;

  constructor(ctx: { storage: unknown; waitUntil(promise: Promise<unknown>): void }, env: Variables) {
    super(ctx, env);
    this.#storage = ctx.storage as ObjectStorage;
    this.#counters = storedCounters(this.#storage, Date.now);
  }

  /** Runs one statement and returns its rows. */
  all(text: string, params: readonly SqlValue[]): Promise<Record<string, unknown>[]> {
    return Promise.resolve(this.#storage.sql.exec(text, ...params).toArray());
  }

  /** Runs statements: either all of them take effect, or none. Returns the rows of each. */
  batch(statements: readonly SqlStatement[]): Promise<Record<string, unknown>[][]> {
    return Promise.resolve(
      this.#storage.transactionSync(() =>
        statements.map(([text, params]) => this.#storage.sql.exec(text, ...params).toArray())
      ),
    );
  }

  /** Adds to counters, unless a rule refuses it. */
  take(additions: readonly Addition[], rules: readonly Rule[]): Promise<Taken> {
    return Promise.resolve(this.#counters.take(additions, rules));
  }

  /** Called when counters are over. */
  alarm(): Promise<void> {
    return this.#counters.tidy();
  }
}
