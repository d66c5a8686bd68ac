/** Another try of the same step. */
import { GatewayError } from "../../wires/errors.ts";
import {
  answerIn,
  type Attempt,
  discard,
  isGood,
  isPatient,
  type Outcome,
  outcomeOf,
  type Policy,
} from "./attempt.ts";
import { isKeyRefusal, isPassing, retryDelay } from "./delay.ts";
import { waiting } from "./timers.ts";

/**
 * Tries that a request may have beyond the first of each step. Deno does not tell that a client has left while its request
 * is served, unless the request had no body: this bounds what is done for one that nobody waits for.
 */
const MOST_RETRIES = 10;

/**
 * Tries a step up to `maxAttempts` times, until it answers with a status under 400. Only passing failures are tried again.
 */
export const retry: Policy = (next) => {
  async function again(attempt: Attempt): Promise<Response> {
    const { run, step: { settings: { maxAttempts } }, signal } = attempt;
    const { config, report } = run;
    // From here the client's time is counted.
    isPatient(run, 0);
    for (let tried = 1;; tried++) {
      signal.throwIfAborted();
      const isLast = tried === maxAttempts;
      const outcome = await outcomeOf(next, { ...attempt, last: attempt.last && isLast }, signal);
      if (isLast || isGood(outcome) || report.retries++ >= MOST_RETRIES) return answerIn(outcome);
      const ms = pauseAfter(outcome, tried, attempt);
      if (ms === undefined || !isPatient(run, ms)) return answerIn(outcome);
      // The next try is certain: the failure need not hold its connection while we wait.
      discard(outcome);
      if (ms > 0) await waiting(config.wait(ms, signal), run);
    }
  }
  return (attempt) => attempt.step.settings.maxAttempts === 1 ? next(attempt) : again(attempt);
};

/** Milliseconds to wait before another try; `undefined` when none is worth it. */
function pauseAfter(outcome: Outcome, tried: number, { step, run }: Attempt): number | undefined {
  const { status, headers } = told(outcome);
  if (isKeyRefusal(status) && step.otherKey?.()) return 0;
  if (!isPassing(status)) return undefined;
  return retryDelay(headers, tried, step.settings, run.config.now(), run.config.random());
}

/** What a failure says of another try. One that is the gateway's own, or the request's, has no status that passes. */
function told({ response, error }: Outcome): { status: number; headers?: Headers } {
  if (response) return response;
  return error instanceof GatewayError
    ? { status: error.status, headers: new Headers(error.details.headers) }
    : { status: 0 };
}
