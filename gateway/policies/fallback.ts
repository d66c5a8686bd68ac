/** Tries another step after one that failed. */
import type { GatewayError } from "../../wires/errors.ts";
import {
  answerIn,
  type Attempt,
  discard,
  isGood,
  isPatient,
  noteSkipped,
  type Outcome,
  outcomeOf,
  type Policy,
} from "./attempt.ts";

/**
 * Tries the steps of a request in turn, until one answers with a status under 400.
 *
 * After any failure the next step is tried, because another provider may know a model that this one does not know. A step
 * is skipped if a limit of its route is reached, or if the request cannot be written for it. The steps end when the client
 * has left, or when its own timeout (`isPatient`) is over. If all steps fail, the outcome of the last one that was sent is
 * passed on. If none could be sent, the fault of the first step is thrown, because the client prefers that step.
 */
export const fallback: Policy = (next) => {
  async function inTurn(attempt: Attempt): Promise<Response> {
    const { run, others, signal } = attempt;
    const steps = [attempt.step, ...others];
    let fault: GatewayError | undefined;
    let failed: Outcome | undefined;
    // Starts the clock of the client's own timeout.
    isPatient(run, 0);
    for (const [index, step] of steps.entries()) {
      signal.throwIfAborted();
      const closed = await step.gate?.(run);
      const unsent = closed?.fault ?? step.fault?.();
      if (unsent) {
        const why = closed ? closed.limit : `cannot take ${unsent.details.param ?? "the request"}`;
        if (why !== undefined) noteSkipped(run, step, why);
        fault ??= unsent;
        continue;
      }
      if (failed) discard(failed);
      const last = attempt.last && index === others.length;
      failed = await outcomeOf(next, { ...attempt, step, index, others: [], last }, signal);
      if (isGood(failed) || !isPatient(run, 0)) break;
    }
    if (failed) return answerIn(failed);
    throw fault;
  }
  return (attempt) => attempt.others.length === 0 && !attempt.step.gate ? next(attempt) : inTurn(attempt);
};
