/** Trying steps in turn until one answers. */
import { GatewayError } from "../../wires/errors.ts";
import type { AnswerFormat } from "../../wires/types.ts";
import { begin } from "./held.ts";
import { isKeyRefusal, isPassing, retryDelay } from "./retry.ts";
import type { PolicySettings } from "./settings.ts";
import { deadline, type Progress, type Timer, type Wait, waiting } from "./timers.ts";

/** One way to get an answer. */
export interface Step {
  /** The provider's name. */
  provider: string;
  model?: string;
  /** What the client calls this step. */
  eventId?: string;
  settings: PolicySettings;
  /**
   * One try. Throws a GatewayError for an upstream that cannot be reached; aborts with the signal.
   *
   * @param alone The answer is passed on as it is returned: nobody else looks whether it is one.
   */
  send(signal: AbortSignal, alone: boolean): Promise<Response>;
  /** Looks whether an answer that has begun is one, where `send` did not. Throws a GatewayError. */
  look?: (response: Response) => Promise<Response>;
  /** Whether a key is free that was not just refused: with that, a try is worth it at once. */
  otherKey?: () => boolean;
  /** Of the answer, by the path that it comes from; `undefined` where that generates nothing, or does not tell. */
  format: AnswerFormat | undefined;
}

/** What steps are run for: the client that waits, time and chance as options give them, and what is told afterwards. */
export interface Run {
  signal: AbortSignal;
  /** The client's. */
  headers: Headers;
  config: {
    now: () => number;
    random: () => number;
    wait: Wait;
    timer: Timer;
    limits: { maxHeldBytes: number };
  };
  report: Progress & Partial<Pick<Step, "provider" | "model" | "eventId">> & { step: number };
}

/**
 * Tries that a request may have beyond the first of each step. Deno does not tell that a client has left while its request
 * is served, unless the request had no body: this bounds what is done for one that nobody waits for.
 */
const MOST_RETRIES = 10;

type Outcome = { response: Response } | { error: unknown };

/**
 * Tries each step, with its retries, until one answers with a status under 400.
 *
 * A step's tries are used up before the next step. Only passing failures are tried again, but any failure moves on to
 * the next step: another provider may well know the model that this one does not. An answer that fails before its first
 * content counts as a failure as long as anything is left to try. Before each try the client must still be there, as far as
 * the runtime tells, and by what it says of its own patience.
 *
 * @param run Its signal is the client's: it ends waiting, retrying and the upstream, and its reason is thrown. Its report
 * names the step that was tried last.
 * @returns The first good answer; the last step's failure when all fail, thrown if it was no answer.
 */
export function runSteps(steps: readonly Step[], run: Run): Promise<Response> {
  const [step] = steps;
  const { settings } = step;
  if (steps.length > 1 || settings.maxAttempts > 1 || settings.requestTimeoutMs > 0) {
    return runAll(steps, run);
  }
  // As most requests are: nothing to come after it, and no limit.
  enter(step, 0, run);
  return step.send(run.signal, true);
}

async function runAll(steps: readonly Step[], run: Run): Promise<Response> {
  const { config, signal } = run;
  const leavesAt = config.timer() + patience(run.headers);
  let retries = 0;
  let outcome: Outcome | undefined;
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index];
    const { maxAttempts } = step.settings;
    if (outcome && config.timer() >= leavesAt) break;
    enter(step, index, run);
    for (let attempt = 1;; attempt++) {
      discard(outcome);
      signal.throwIfAborted();
      outcome = await tryOnce(step, index === steps.length - 1 && attempt === maxAttempts, run);
      if ("response" in outcome && outcome.response.status < 400) return outcome.response;
      if (attempt === maxAttempts || retries++ >= MOST_RETRIES) break;
      const ms = pauseAfter(outcome, attempt, step, run);
      if (ms === undefined || config.timer() + ms >= leavesAt) break;
      // The next try is certain: the failure need not hold its connection while we wait.
      discard(outcome);
      if (ms > 0) await waiting(config.wait(ms, signal), run);
    }
  }
  if ("error" in outcome!) throw outcome.error;
  return outcome!.response;
}

/**
 * Milliseconds that the client says it waits for an answer, as OpenAI's and Anthropic's SDKs do (seconds): a try after
 * that is for nobody.
 */
function patience(headers: Headers): number {
  const seconds = headers.get("x-stainless-timeout") ?? headers.get("x-stainless-read-timeout");
  return seconds !== null && /^\d{1,6}$/.test(seconds) && Number(seconds) > 0
    ? 1000 * Number(seconds)
    : Infinity;
}

function enter({ provider, model, eventId }: Step, index: number, { report }: Run): void {
  report.step = index;
  report.provider = provider;
  report.model = model;
  report.eventId = eventId;
}

/**
 * One try, until its answer has begun.
 *
 * @param last Nothing is left to try: the answer is passed on as it comes. As in the service we replace, the last of
 * several tries has no limit of time: there is nothing better to do than wait.
 */
async function tryOnce(step: Step, last: boolean, run: Run): Promise<Outcome> {
  const { signal } = run;
  const { requestTimeoutMs: ms, maxAttempts } = step.settings;
  const limit = ms > 0 && !(last && maxAttempts > 1) ? deadline(signal, ms, () => late(step, ms)) : undefined;
  const within = limit?.signal ?? signal;
  try {
    const alone = last && !limit;
    const response = await step.send(within, alone);
    if (response.status >= 400 || alone) return { response };
    const begun = begin(response, step.provider, within, {
      hold: !last,
      format: step.format,
      maxBytes: run.config.limits.maxHeldBytes,
      onFirst: () => limit?.disarm(),
    });
    const answer = await waiting(begun, run);
    return { response: step.look ? await waiting(step.look(answer), run) : answer };
  } catch (error) {
    if (signal.aborted) throw error;
    return { error: limit?.signal.aborted ? limit.signal.reason : error };
  } finally {
    limit?.disarm();
  }
}

const late = ({ provider }: Step, ms: number) =>
  new GatewayError("upstream_timeout", `Cannot wait for ${provider}: no answer began within ${ms} ms`);

/** Milliseconds to wait before another try; `undefined` when none is worth it. */
function pauseAfter(outcome: Outcome, attempt: number, step: Step, { config }: Run): number | undefined {
  const { status, headers } = told(outcome);
  if (isKeyRefusal(status) && step.otherKey?.()) return 0;
  if (!isPassing(status)) return undefined;
  return retryDelay(headers, attempt, step.settings, config.now(), config.random());
}

/** What a failure says of another try. One that is the gateway's own, or the request's, has no status that passes. */
function told(outcome: Outcome): { status: number; headers?: Headers } {
  if ("response" in outcome) return outcome.response;
  const { error } = outcome;
  return error instanceof GatewayError
    ? { status: error.status, headers: new Headers(error.details.headers) }
    : { status: 0 };
}

/** A failure that nobody will read must not hold its connection. */
function discard(outcome: Outcome | undefined): void {
  if (outcome && "response" in outcome) outcome.response.body?.cancel().catch(() => {});
}
