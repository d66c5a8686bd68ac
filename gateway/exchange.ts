/** What one request carries through the gateway. */
import type { Config } from "./setup/config.ts";
import type { WireError } from "../wires/types.ts";
import type { Caller } from "./access/credentials.ts";
import type { Observer, Passing } from "./log/observe.ts";

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

/** One request on its way. */
export interface Exchange {
  readonly config: Config;
  /** The client's headers. */
  readonly headers: Headers;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  readonly account?: string;
  readonly gateway?: string;
  readonly caller: Caller;
  readonly report: Report;
  readonly context?: RuntimeContext;
}

/** What became of a request, for response headers; filled in on the way. */
export interface Report {
  /** Index of the step that answered, or was the last to be tried. */
  step: number;
  provider?: string;
  model?: string;
  /** What that step was called by the client, if it was. */
  eventId?: string;
  /** Bytes of its body that the gateway holds. */
  heldBytes: number;
  /** Milliseconds spent waiting for providers, or between tries. */
  waitedMs: number;
  /** Requests sent to providers. */
  tries: number;
  /** Tries beyond the first of each step. */
  retries: number;
  /** When the client leaves by what it says of its own patience, by the gateway's timer; unset until it is asked. */
  leavesAt?: number;
  /** Somebody listens: what follows is filled in, for the answer of the last try. */
  listened: boolean;
  /** Watches an answer that the gateway reads anyway. */
  observer?: Observer;
  /** An answer whose bytes are handed through. */
  passing?: Passing;
  /** What the provider answered in place of an answer. */
  refusal?: WireError;
  /** What the gateway itself found wrong. */
  failure?: { code: string; message: string };
}
