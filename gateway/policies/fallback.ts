/** Another step in place of one that failed. */
import type { GatewayError } from "../../wires/errors.ts";
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

/**
 * Takes the steps of a request in turn, until one answers with a status under 400.
 *
 * Any failure moves on to the next step: another provider may well know the model that this one does not. A step that the
 * request cannot be written for is passed over. Before each step the client must still be there, as far as the runtime
 * tells, and by what it says of its own patience. When all fail, the failure of the last one that was sent is passed on,
 * thrown if it was not an answer; where none could be sent, the first one's fault is thrown: it is the one most wanted.
 */
export const fallback: Policy = (next) => {
  async function inTurn(attempt: Attempt): Promise<Response> {
    const { run, others, signal } = attempt;
    const steps = [attempt.step, ...others];
    let fault: GatewayError | undefined;
    let failed: Outcome | undefined;
    // From here the client's time is counted.
    isPatient(run, 0);
    for (const [index, step] of steps.entries()) {
      signal.throwIfAborted();
      const unsent = step.fault?.();
      if (unsent) {
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
  return (attempt) => attempt.others.length === 0 ? next(attempt) : inTurn(attempt);
};
