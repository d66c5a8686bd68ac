/** What one request carries through the gateway. */
import type { Config } from "./setup/config.ts";
import type { WireError } from "../wires/types.ts";
import type { Caller } from "./access/credentials.ts";
import type { Observer, Passing } from "./log/observe.ts";

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
