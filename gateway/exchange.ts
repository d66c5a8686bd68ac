/** The state that one request carries through the gateway. */
import type { Provider, Unsigned } from "../providers/types.ts";
import type { RuntimeContext } from "./context.ts";
import type { Config } from "./setup/config.ts";
import type { Call, ClientWire } from "../wires/types.ts";
import type { Caller } from "./access/credentials.ts";
import type { Report } from "./log/report.ts";
import type { Sizes } from "./policies/token_limits.ts";
import type { Target } from "./targets/find_target.ts";
import type { GatewayError } from "../wires/errors.ts";

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
  /** The id of the answer, if it is kept under one. Such a request takes no part in caching. */
  readonly answerId?: string;
  /** The estimated size of a request that may come to a limit on cost of its route; `null` if tokens do not tell its price. */
  readonly sizes?: Sizes | null;
  /** Takes the requests in place of the providers, if the client asks what would be sent (`sluice-explain`). */
  readonly explain?: Explainer;
}

/** A request that is ready to be signed and sent. */
export interface Unsent extends Unsigned {
  provider: Provider;
  headers: Headers;
  /** The key that it would be signed with, if any. */
  key?: string;
  /** Whose key it would be sent with. Absent without a key. */
  keyOf?: "client" | "gateway";
  /** The client's fields that the target does not have. */
  dropped?: readonly string[];
  /** The call that the body was written from. Absent if the body is handed through. */
  call?: Call;
  /** The model, if it is not known from the step that is explained. */
  model?: string;
}

/** Takes requests in place of providers, and answers with an account of them. */
export interface Explainer {
  /** Takes a request. Resolves with nothing: there is no answer. */
  take(request: Unsent, exchange: Exchange): Promise<undefined>;
  /** The client's answer. @param refused A target that no request is written for. Told if no other target is known. */
  answer(refused?: { target: Target; error: GatewayError }): Response;
}
