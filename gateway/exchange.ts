/** The state that one request carries through the gateway. */
import type { RuntimeContext } from "./context.ts";
import type { Config } from "./setup/config.ts";
import type { ClientWire } from "../wires/types.ts";
import type { Caller } from "./access/credentials.ts";
import type { Report } from "./log/report.ts";

/** A request's state from its door to its answer. */
export interface Exchange {
  readonly config: Config;
  /** The query of the client's URL, from its `?` on; empty or absent without one. */
  readonly query?: string;
  /** The client's headers. */
  readonly headers: Headers;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  readonly account?: string;
  readonly gateway?: string;
  readonly caller: Caller;
  /** The wire that the client speaks, which its door tells. */
  readonly client: ClientWire;
  readonly report: Report;
  readonly context?: RuntimeContext;
}
