/** One attempt at one step, and the function that sends it. Policies wrap this function. */
import type { GatewayError } from "../../wires/errors.ts";
import type { AnswerFormat, WireError } from "../../wires/types.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import type { RuntimeContext } from "../context.ts";
import type { LogAttempt, LogRoute } from "../stores/log_row.ts";
import type { AnswerCache, CachePlan } from "./answer_cache.ts";
import type { Breaker } from "./target_states.ts";
import type { Facts } from "./cached_answer.ts";
import type { PolicySettings } from "./settings.ts";
import type { SharedCounters } from "./shared_counters.ts";
import type { Progress, Timer, Wait } from "./timers.ts";
import type { Metered, Metering, Prices, Sizes } from "./token_limits.ts";

/** Sends an attempt. Resolves with its answer, whatever its status; rejects if there is no answer. */
export type Send = (attempt: Attempt) => Promise<Response>;

/**
 * Wraps `Send`. It is called once for each gateway, so all requests share the state in its closure.
 *
 * A policy with nothing to do for an attempt returns `next(attempt)` itself, so that the common request costs no promise of
 * its own. To change an attempt, a policy passes another object on; it never changes the object.
 */
export type Policy = (next: Send) => Send;

/** One way to get an answer. */
export interface Step {
  /** The provider's name. */
  provider: string;
  model?: string;
  /** Index of the step that the client wrote, where one of its steps may become several. */
  place?: number;
  /** The client's id for this step. */
  eventId?: string;
  /** The client's `cf-aig-metadata` for this step, if it may differ from the request's. */
  metadata?: string;
  settings: PolicySettings;
  /**
   * The reason why the request cannot be written for this step, if there is one; the step is not sent then. Called only if
   * another step can stand in. Absent if the request is written already.
   */
  fault?: () => GatewayError | undefined;
  /**
   * Writes the request, if that waits until the cache has no answer. Called once then.
   *
   * @throws GatewayError for a fault of the client's request.
   */
  ready?: () => void;
  /** Sends the step once. Throws a GatewayError if the upstream cannot be reached; aborts with the attempt's signal. */
  send: Send;
  /** Checks an answer that has begun, if `send` did not. Throws a GatewayError if it is not an answer. */
  look?: (response: Response) => Promise<Response> | undefined;
  /** The error of an answer, without the stored key that it may repeat. */
  mask(error: WireError): WireError;
  /** Whether another key is free. If so, a refused attempt is repeated at once. */
  otherKey?: () => boolean;
  /** The answer's format, by its path; `undefined` if the path generates nothing or does not tell the format. */
  format: AnswerFormat | undefined;
  /** The way through a route that led to this step. Absent if none did. */
  way?: string;
  /**
   * Asks the limits of a route whether the request comes to this step. Called when the step has its turn. Resolves with the reason
   * if the request does not come to it. Absent if no limit stands before the step.
   */
  gate?: (run: Run) => Promise<Closed | undefined>;
  /** How its answer may be cached. Absent if the step takes no part in caching. */
  cache?: CachePlan;
  /**
   * Set for a path of the provider's own whose cost no tokens tell: it costs nothing, e.g. because it reads an object, or the
   * cost is not known, as of a picture.
   */
  costs?: "nothing" | "unknown";
}

/** Why a request does not come to a step of a route. */
export interface Closed {
  fault: GatewayError;
  /** The limit that had no room. Absent if the step is not on the way of the request. */
  limit?: string;
}

/** The request that attempts are made for: its client, the clock and randomness of the options, and its report. */
export interface Run {
  /** The client's signal. It ends waiting, retrying and the upstream; its reason is thrown. */
  readonly signal: AbortSignal;
  /** The client's headers. */
  readonly headers: Headers;
  readonly config: {
    now: () => number;
    random: () => number;
    wait: Wait;
    timer: Timer;
    limits: { maxHeldBytes: number };
    counters: SharedCounters;
    prices: Prices;
    cache?: AnswerCache;
    breaker?: Breaker;
  };
  /** The sender. `metered` is its token, if that has limits. */
  readonly caller: { metered?: Metered };
  readonly report: Told;
  readonly context?: RuntimeContext;
}

/** The parts of a request's report that policies write: the step that was sent last, and the time and attempts so far. */
interface Told extends Progress {
  /** Bytes of the request's body that the gateway holds. */
  readonly heldBytes: number;
  /** Requests sent to providers. */
  readonly tries: number;
  /** The estimated size of the request, if its token has a budget; `null` if tokens do not tell its price. */
  readonly sizes?: Sizes | null;
  step: number;
  place?: number;
  route?: LogRoute;
  /** The first attempts, for the row. Those of a request that is not listened to are not kept. */
  attempts?: LogAttempt[];
  provider?: string;
  model?: string;
  eventId?: string;
  metadata?: string;
  /** Attempts beyond the first of each step. */
  retries: number;
  /** Must be called once when the answer has ended, with what was seen of it; with nothing if there was no answer. */
  settle?: (seen?: Metering) => unknown;
  /** The rule that has refused the request: a limit's name, `budget`, or `price` if its price is not known. */
  limitedBy?: string;
  /** When the client will leave, by the gateway's timer; `undefined` until `isPatient` is first called. */
  leavesAt?: number;
  /** Whether the answer must be observed to its end. */
  listened: boolean;
  /** What is observed. */
  observer?: { readonly seen: Facts & { end?: string; error?: unknown } };
  /** Whether the answer came from the cache. Absent if the request takes no part in caching. */
  cache?: "HIT" | "MISS";
  /** The facts about a cached answer. */
  replayed?: Facts;
  /** Copies the answer for the cache, when it is as the client gets it and is observed. */
  keep?: (response: Response) => Promise<Response>;
}

/** One attempt. */
export interface Attempt {
  readonly run: Run;
  readonly step: Step;
  /** The step's place in the request, from 0. */
  readonly index: number;
  /** The steps to try if this one fails. */
  readonly others: readonly Step[];
  /** Ends this attempt. */
  readonly signal: AbortSignal;
  /** Whether no other attempt can follow: its failure is then the request's failure. */
  readonly last: boolean;
  /** Called when the answer's first byte, or its end, has come. Absent if nobody waits for it. */
  readonly onFirst?: () => void;
  /**
   * Told by `send` what it reads of the answer anyway. Absent if the answer is not held back, so that nobody needs to know
   * whether it has begun.
   */
  readonly begun?: Begun;
}

/** How many attempts of a request its row shows. A request for embeddings in parts may have many more. */
export const MOST_ATTEMPTS = 20;

/** Notes for the row of the request that nothing was sent for a step. */
export function noteSkipped({ report }: Pick<Run, "report">, { provider, model }: Step, why: string): void {
  if (!report.listened) return;
  const attempts = report.attempts ??= [];
  if (attempts.length >= MOST_ATTEMPTS) return;
  attempts.push({ provider, model: model?.slice(0, 200), ms: 0, skipped: true, why: why.slice(0, 200) });
}

const NONE: readonly Step[] = [];

/** A request's first attempt, at its first step. */
export function firstAttempt(step: Step, run: Run, others: readonly Step[] = NONE): Attempt {
  return {
    run,
    step,
    index: 0,
    others,
    signal: run.signal,
    last: true,
    onFirst: undefined,
    begun: undefined,
  };
}

/** Sends an attempt, without any policy. */
export const sendStep: Send = (attempt) => {
  const { step, index, run: { report } } = attempt;
  report.step = index;
  report.place = step.place;
  report.provider = step.provider;
  report.model = step.model;
  report.eventId = step.eventId;
  report.metadata = step.metadata;
  return step.send(attempt);
};

/**
 * Whether the client will still wait after some time. OpenAI's and Anthropic's SDKs send their own timeout, in seconds: an
 * attempt after it would be for nobody.
 *
 * @param ms Milliseconds from now.
 */
export function isPatient({ config: { timer }, headers, report }: Run, ms: number): boolean {
  report.leavesAt ??= timer() + patience(headers);
  return timer() + ms < report.leavesAt;
}

/** The client's own timeout in milliseconds; Infinity if it does not tell one. */
export function patience(headers: Headers): number {
  const seconds = headers.get("x-stainless-timeout") ?? headers.get("x-stainless-read-timeout");
  return seconds !== null && /^\d{1,6}$/.test(seconds) && Number(seconds) > 0
    ? 1000 * Number(seconds)
    : Infinity;
}

/** The answer of an attempt, or its error. */
export type Outcome = { response: Response; error?: undefined } | { response?: undefined; error: unknown };

/**
 * Sends an attempt and waits for its outcome. Rejects only if `signal` has aborted.
 *
 * @param signal The signal of the attempt that this one is a part of.
 */
export async function outcomeOf(next: Send, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  try {
    return { response: await next(attempt) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { error };
  }
}

/** Whether there is an answer with a status under 400. */
export const isGood = ({ response }: Outcome) => response !== undefined && response.status < 400;

/** Cancels the body of an outcome that nobody will read, so that it does not hold its connection. */
export const discard = ({ response }: Outcome) => void response?.body?.cancel().catch(() => {});

/** The answer of an outcome. @throws The outcome's error, if it has no answer. */
export function answerIn({ response, error }: Outcome): Response {
  if (response) return response;
  throw error;
}
