/** The report of one request, for its answer's headers and for the log. */
import type { Capture } from "./capture.ts";
import type { WireError } from "../../wires/types.ts";
import type { Facts } from "../policies/cached_answer.ts";
import type { LogAttempt, LogRoute, Metadata } from "../stores/log_row.ts";
import type { Metering, Sizes } from "../policies/token_limits.ts";
import type { Observer, Passing } from "./observe.ts";
import type { Trace } from "./trace.ts";

/** The facts about one request. They are filled in while it is served. */
export interface Report {
  /** The gateway's id of the request: in the answer's headers, in errors and in the log. */
  readonly id: string;
  /** Index of the step that was sent last, which is the one that answered if any did. */
  step: number;
  /** Index of the client's own step that it was made of, if the client wrote steps. */
  place?: number;
  provider?: string;
  model?: string;
  /** The route that the request was led by, and the way to that step. Absent if it named no route. */
  route?: LogRoute;
  /** The client's id for that step, if it has one. */
  eventId?: string;
  /** The client's metadata for that step, if it has its own. */
  metadata?: string;
  /** Bytes of the request's body that the gateway holds. */
  heldBytes: number;
  /** Milliseconds spent waiting for providers, or between attempts. */
  waitedMs: number;
  /** Requests sent to providers. */
  tries: number;
  /** Attempts beyond the first of each step. */
  retries: number;
  /** When the client's own timeout is over, by the gateway's timer; unset until `isPatient` is called. */
  leavesAt?: number;
  /** Whether the request is for a model or a provider's own path, so that its row is kept. */
  forModel?: boolean;
  /** The kind of work that was done, if the path does not tell it, see `operationOf`. */
  operation?: string;
  /** The account and the gateway of the request, see `LogEntry`. */
  account: string;
  gateway: string;
  /** The name of the gateway token in the request. */
  token?: string;
  /** The entries of its virtual key for the row. */
  keyMetadata?: Metadata;
  /** Whether the end of the answer must be observed. If so, the members below are filled in for the last attempt. */
  listened: boolean;
  /** The estimated size of the request, if its token has a budget; `null` if tokens do not tell its price. */
  sizes?: Sizes | null;
  /** Must be called once when the answer has ended, with what was seen of it; with nothing if there was no answer. */
  settle?: (seen?: Metering) => unknown;
  /** The rule that has refused the request: a limit's name, `budget`, or `price` if its price is not known. */
  limitedBy?: string;
  /** Keeps the bodies of the request, if they may be kept. */
  capture?: Capture;
  /** The trace of the request, if it is traced. */
  trace?: Trace;
  /** The first twenty attempts. */
  attempts?: LogAttempt[];
  /** Observes the answer. */
  observer?: Observer;
  /** How to observe an answer whose bytes are handed through. */
  passing?: Passing;
  /** The provider's error, if it answered with one. */
  refusal?: WireError;
  /** Whether the client asks only what would be sent. */
  explained?: true;
  /** Whether the answer came from the cache. Absent if the request takes no part in caching. */
  cache?: "HIT" | "MISS";
  /** The facts about an answer from the cache. */
  replayed?: Facts;
  /** Keeps the answer, in the cache or for clients that go on from it. */
  keep?: (response: Response) => Promise<Response>;
  /** Puts the answer into the envelope of its path. */
  envelope?: (response: Response) => Promise<Response>;
  /** The gateway's own error. */
  failure?: { code: string; message: string };
}
