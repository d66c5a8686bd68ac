/** What runtimes pass beside a request. */

/** What a runtime has for one request, beside the request. A Worker's third argument is one. */
export interface RuntimeContext {
  /** Keeps the runtime at work until a promise has settled, also after the answer was sent. */
  waitUntil(promise: Promise<unknown>): void;
}

/** Lets work that the client does not wait for come to its end, where the runtime would stop it. Never rejects. */
export function keepAlive(work: Promise<unknown>, context: RuntimeContext | undefined): void {
  const settled = work.catch(() => {});
  context?.waitUntil(settled);
}

/** The context among what runtimes pass beside a request: Deno and Bun pass objects that have none. */
export function contextIn(passed: unknown): RuntimeContext | undefined {
  const { waitUntil } = (passed ?? {}) as Partial<RuntimeContext>;
  return typeof waitUntil === "function" ? passed as RuntimeContext : undefined;
}
