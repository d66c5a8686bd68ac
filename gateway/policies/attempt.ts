/** What policies wrap: one attempt at one step, and the function that sends it. */
import type { GatewayError } from "../../wires/errors.ts";
import type { AnswerFormat, WireError } from "../../wires/types.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import type { PolicySettings } from "./settings.ts";
import type { Progress, Timer, Wait } from "./timers.ts";

/** Sends an attempt, and gives its answer: also one of status 400 or more. Rejects where there is no answer. */
export type Send = (attempt: Attempt) => Promise<Response>;

/**
 * Wraps `Send`. It is called once for each gateway, so what its closure holds is shared by all requests.
 *
 * Where a policy has nothing to do for an attempt it returns `next(attempt)` as it is: the common request then costs no
 * promise. It changes an attempt by passing another object on, never in place.
 */
export type Policy = (next: Send) => Send;

/** One way to get an answer. */
export interface Step {
  /** The provider's name. */
  provider: string;
  model?: string;
  /** What the client calls this step. */
  eventId?: string;
  settings: PolicySettings;
  /**
   * Why the request cannot be written for this step, if so; nothing is sent then. Asked only where another step may stand
   * in. Absent where the request is written already.
   */
  fault?: () => GatewayError | undefined;
  /** Sends it once. Throws a GatewayError for an upstream that cannot be reached; aborts with the attempt's signal. */
  send: Send;
  /** Looks whether an answer that has begun is one, where `send` did not. Throws a GatewayError. */
  look?: (response: Response) => Promise<Response> | undefined;
  /** What an answer says went wrong, without the stored key that it may repeat. */
  mask(error: WireError): WireError;
  /** Whether a key is free that was not just refused: with that, a try is worth it at once. */
  otherKey?: () => boolean;
  /** Of the answer, by the path that it comes from; `undefined` where that generates nothing, or does not tell. */
  format: AnswerFormat | undefined;
}

/** What attempts are made for: the client that waits, time and chance as options give them, and what is told afterwards. */
export interface Run {
  /** The client's: it ends waiting, retrying and the upstream, and its reason is thrown. */
  readonly signal: AbortSignal;
  /** The client's. */
  readonly headers: Headers;
  readonly config: {
    now: () => number;
    random: () => number;
    wait: Wait;
    timer: Timer;
    limits: { maxHeldBytes: number };
  };
  readonly report: Told;
}

/** What is told of a request: the step that was tried last, and what its tries have taken. */
interface Told extends Progress {
  step: number;
  provider?: string;
  model?: string;
  eventId?: string;
  /** Tries beyond the first of each step. */
  retries: number;
  /** By the gateway's timer; `undefined` until it is first asked. */
  leavesAt?: number;
}

/** One attempt. */
export interface Attempt {
  readonly run: Run;
  readonly step: Step;
  /** The step's place in the request, from 0. */
  readonly index: number;
  /** The steps that may be taken when this one fails. */
  readonly others: readonly Step[];
  /** Ends this attempt. */
  readonly signal: AbortSignal;
  /** Nothing is left to try after it: its failure is the request's. */
  readonly last: boolean;
  /** The first byte of the answer, or its end, has come. Present where somebody waits for that. */
  readonly onFirst?: () => void;
  /**
   * Takes what `send` reads of the answer anyway. Absent where the answer is passed on as it is returned, and nobody else
   * looks whether it is one.
   */
  readonly begun?: Begun;
}

const NONE: readonly Step[] = [];

/** The attempt that a request begins with: at its first step. */
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
  report.provider = step.provider;
  report.model = step.model;
  report.eventId = step.eventId;
  return step.send(attempt);
};

/**
 * Whether the client waits that long, by what it says of its own patience, as OpenAI's and Anthropic's SDKs do (seconds): a
 * try after that is for nobody.
 *
 * @param ms Milliseconds from now.
 */
export function isPatient({ config: { timer }, headers, report }: Run, ms: number): boolean {
  report.leavesAt ??= timer() + patience(headers);
  return timer() + ms < report.leavesAt;
}

function patience(headers: Headers): number {
  const seconds = headers.get("x-stainless-timeout") ?? headers.get("x-stainless-read-timeout");
  return seconds !== null && /^\d{1,6}$/.test(seconds) && Number(seconds) > 0
    ? 1000 * Number(seconds)
    : Infinity;
}

/** What came of an attempt. */
export type Outcome = { response: Response; error?: undefined } | { response?: undefined; error: unknown };

/**
 * Sends an attempt and waits for what comes of it.
 *
 * @param signal Of the attempt that this one is a part of. Rejects only when that has ended.
 */
export async function outcomeOf(next: Send, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  try {
    return { response: await next(attempt) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { error };
  }
}

/** Whether an answer is one that the client wants. */
export const isGood = ({ response }: Outcome) => response !== undefined && response.status < 400;

/** A failure that nobody will read must not hold its connection. */
export const discard = ({ response }: Outcome) => void response?.body?.cancel().catch(() => {});

/** The answer. @throws what there was in place of one. */
export function answerIn({ response, error }: Outcome): Response {
  if (response) return response;
  throw error;
}
