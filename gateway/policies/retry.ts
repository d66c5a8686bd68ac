/** Tries the same step again. */
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
 * The most attempts of a request beyond the first of each step. Deno does not tell that a client has left while its request
 * is served, unless the request had no body. This limits the work for a client that has left.
 */
const MOST_RETRIES = 10;

/**
 * Tries a step up to `maxAttempts` times, until it answers with a status under 400. Only failures that may pass are tried
 * again, and refusals of a key if another key is free.
 */
export const retry: Policy = (next) => {
  async function again(attempt: Attempt): Promise<Response> {
    const { run, step: { settings: { maxAttempts } }, signal } = attempt;
    const { config, report } = run;
    // Starts the clock of the client's own timeout.
    isPatient(run, 0);
    for (let tried = 1;; tried++) {
      signal.throwIfAborted();
      const isLast = tried === maxAttempts;
      const outcome = await outcomeOf(next, { ...attempt, last: attempt.last && isLast }, signal);
      if (isLast || isGood(outcome) || report.retries++ >= MOST_RETRIES) return answerIn(outcome);
      const ms = pauseAfter(outcome, tried, attempt);
      if (ms === undefined || !isPatient(run, ms)) return answerIn(outcome);
      // The next attempt is certain, so the failed one need not hold its connection during the wait.
      discard(outcome);
      if (ms > 0) await waiting(config.wait(ms, signal), run);
    }
  }
  return (attempt) => attempt.step.settings.maxAttempts === 1 ? next(attempt) : again(attempt);
};

/** Milliseconds to wait before the next attempt; `undefined` if another attempt would not help. */
function pauseAfter(outcome: Outcome, tried: number, { step, run }: Attempt): number | undefined {
  const { status, headers } = told(outcome);
  if (isKeyRefusal(status) && step.otherKey?.()) return 0;
  if (!isPassing(status)) return undefined;
  return retryDelay(headers, tried, step.settings, run.config.now(), run.config.random());
}

/** Status and headers of a failure. An error that is not a GatewayError has status 0, which is not tried again. */
function told({ response, error }: Outcome): { status: number; headers?: Headers } {
  if (response) return response;
  return error instanceof GatewayError
    ? { status: error.status, headers: new Headers(error.details.headers) }
    : { status: 0 };
}
