/**
 * The gateway as a Worker: over HTTP like `mod.ts`, and as a binding for other Workers, in place of `env.AI`:
 *
 * ```jsonc
 * "services": [{ "binding": "AI", "service": "sluice", "entrypoint": "AI" }]
 * ```
 *
 * Both are set up by the Worker's variables and secrets.
 *
 * @module
 */
// @ts-types="./cloudflare_workers.d.ts"
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
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
import type { RuntimeContext } from "./gateway/context.ts";
import type { Gateway } from "./gateway/gateway.ts";

/** A Worker's variables and secrets, by name. */
export type Variables = Record<string, unknown>;

let made: Gateway | undefined;

/** One for all requests, so that stored keys take turns. */
const gatewayOf = (env: Variables) => made ??= configured(textsOf(env), { names: Object.keys(env) }).gateway;

/** What the Worker's address is served by. */
const worker: {
  fetch(request: Request, env: Variables, context?: RuntimeContext): Promise<Response>;
} = {
  fetch: (request, env, context) => gatewayOf(env).fetch(request, context),
};
export default worker;

/**
 * What a service binding with `entrypoint: "AI"` is: only Workers that were given it reach it, and need no token.
 *
 * The other Worker wraps it, `ai(env.AI)` of `ai.ts`: RPC carries no signal, and no property but as a stub.
 */
export class AI extends WorkerEntrypoint<Variables> {
  /** As `ai(env.AI).run`, but without a signal. */
  run(model: string, inputs: object, options?: AiRunOptions): Promise<unknown> {
    return ai({ fetch: (request) => this.fetch(request), gateway: (id) => this.gateway(id) })
      .run(model, inputs, options);
  }

  /**
   * What is read through a service binding is a stub, truthy and without a value; awaiting it says so.
   *
   * @throws TypeError always.
   */
  get aiGatewayLogId(): never {
    throw new TypeError(
      "Cannot tell aiGatewayLogId through a service binding: wrap it, ai(env.AI).aiGatewayLogId",
    );
  }

  /** `env.AI.gateway("default")` */
  gateway(id: string): GatewayBinding {
    return new GatewayTarget(gatewayOf(this.env).gateway(id, this.ctx));
  }

  /** `env.AI.fetch(request)`: any path of the gateway, on any host. */
  fetch(request: Request): Promise<Response> {
    return gatewayOf(this.env).call(request, this.ctx);
  }
}

/** One gateway, for another Worker. */
class GatewayTarget extends RpcTarget implements GatewayBinding {
  readonly #binding: GatewayBinding;

  constructor(binding: GatewayBinding) {
    super();
    this.#binding = binding;
  }

  /**
   * Runs a step, or several until one answers.
   *
   * A `signal` crosses to another Worker only where that has the compatibility flag `enable_abortsignal_rpc`, still
   * experimental in November 2026; its call fails before it is sent otherwise. `ai(env.AI)` takes one anywhere.
   */
  run(data: UniversalStep | readonly UniversalStep[], options?: RunOptions): Promise<Response> {
    return this.#binding.run(data, options);
  }

  /** Where HTTP clients find this gateway: `SLUICE_URL` and its path. */
  getUrl(provider?: string): Promise<string> {
    return this.#binding.getUrl(provider);
  }

  /** The row of a request, by its answer's `cf-aig-log-id`. */
  getLog(id: string): Promise<GatewayLog> {
    return this.#binding.getLog(id);
  }

  /** Says something about a request that has ended. */
  patchLog(id: string, changes: GatewayLogChanges): Promise<void> {
    return this.#binding.patchLog(id, changes);
  }
}
