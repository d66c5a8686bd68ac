/** What is known of one request, for its answer's headers and for the log. */
import type { WireError } from "../../wires/types.ts";
import type { LogAttempt } from "../stores/log_row.ts";
import type { Observer, Passing } from "./observe.ts";

/** What became of a request, for response headers; filled in on the way. */
export interface Report {
  /** Ours for the request: in the answer's headers, in errors and in the log. */
  readonly id: string;
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
  /** The request is for a model, or a provider's own path: its row is kept. */
  forModel?: boolean;
  /** Whose request it is, see `LogEntry`. */
  account: string;
  gateway: string;
  /** The name of the gateway's token that came with it. */
  token?: string;
  /** Somebody listens: what follows is filled in, for the answer of the last try. */
  listened: boolean;
  /** The tries so far, the first twenty of them. */
  attempts?: LogAttempt[];
  /** Watches an answer that the gateway reads anyway. */
  observer?: Observer;
  /** An answer whose bytes are handed through. */
  passing?: Passing;
  /** What the provider answered in place of an answer. */
  refusal?: WireError;
  /** What the gateway itself found wrong. */
  failure?: { code: string; message: string };
}
