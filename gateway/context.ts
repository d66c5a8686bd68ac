/** The runtime, and the context that it passes with a request. */

/** The parts of the runtimes' globals that tell them apart. */
interface Globals {
  process?: { versions?: { node?: string } };
  navigator?: { userAgent?: string };
}

/** Whether the runtime is Node. Workers have a `process` too, if their compatibility flags ask for Node's modules. */
function isNode(): boolean {
  const { process, navigator } = globalThis as Globals;
  return process?.versions?.node !== undefined && navigator?.userAgent !== "Cloudflare-Workers";
}

/**
 * Whether the runtime is Deno, Bun or Node: a process that serves all requests. On Workers a request may hold only what
 * belongs to it, and Cloudflare watches the client's connection.
 */
export const IS_PROCESS: boolean = "Deno" in globalThis || "Bun" in globalThis || isNode();

/**
 * The runtime's context of one request: the third argument of a Worker's `fetch`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type RuntimeContext } from "../mod.ts";
 *
 * const work: Promise<unknown>[] = [];
 * const context: RuntimeContext = { waitUntil: (promise) => void work.push(promise) };
 * const gateway = createGateway({ log: () => Promise.resolve("stored") });
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * const response = await gateway.gateway("default", context)
 *   .run({ provider: "compat", endpoint: "chat/completions", query });
 * await response.text();
 * await Promise.all(work);
 * assertEquals(response.status, 200);
 * ```
 */
export interface RuntimeContext {
  /** Keeps the Worker running until the promise has settled, even after the answer was sent. */
  waitUntil(promise: Promise<unknown>): void;
}

/** Lets work finish that the client does not wait for. A rejection is ignored. */
export function keepAlive(work: Promise<unknown>, context: RuntimeContext | undefined): void {
  const settled = work.catch(() => {});
  context?.waitUntil(settled);
}

/** The context, if the runtime passed one: the objects that Deno and Bun pass have no `waitUntil`. */
export function contextIn(passed: unknown): RuntimeContext | undefined {
  const { waitUntil } = (passed ?? {}) as Partial<RuntimeContext>;
  return typeof waitUntil === "function" ? passed as RuntimeContext : undefined;
}
