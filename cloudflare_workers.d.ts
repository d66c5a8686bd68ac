/** The part of the Workers' built-in module `cloudflare:workers` that worker.ts uses. Other runtimes do not have it. */

/** An object that RPC passes by reference: another Worker calls its methods in this Worker. */
export abstract class RpcTarget {}

/** The base class of an entrypoint that a service binding names. */
export abstract class WorkerEntrypoint<Env> {
  constructor(ctx: { waitUntil(promise: Promise<unknown>): void }, env: Env);
  protected readonly env: Env;
  protected readonly ctx: { waitUntil(promise: Promise<unknown>): void };
}

/** The base class of an object with a storage of its own. */
export abstract class DurableObject<Env> {
  constructor(ctx: { storage: unknown; waitUntil(promise: Promise<unknown>): void }, env: Env);
  protected readonly env: Env;
}
