/** A thin stand-in for `cloudflare:workers`, so that the examples in `worker.ts` run outside of workerd. */

/** Keeps the context and the variables, as workerd's does. */
export class WorkerEntrypoint<Env> {
  constructor(protected ctx: object, protected env: Env) {}
}

/** An object that another Worker calls by reference. */
export class RpcTarget {}

/** An object with a storage of its own. */
export class DurableObject<Env> {
  constructor(protected ctx: object, protected env: Env) {}
}
