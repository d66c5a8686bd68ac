/** The part of Workers' built-in module `cloudflare:workers` that worker.ts uses; no other runtime has it. */

/** An object that is handed over by reference: the other Worker calls its methods here. */
export abstract class RpcTarget {}

/** What a service binding that names the class reaches. */
export abstract class WorkerEntrypoint<Env> {
  protected readonly env: Env;
  protected readonly ctx: { waitUntil(promise: Promise<unknown>): void };
}
