/** Another step in place of one that failed. */
import { answerIn, type Attempt, discard, isGood, isPatient, outcomeOf, type Policy } from "./attempt.ts";

/**
 * Takes the steps of a request in turn, until one answers with a status under 400.
 *
 * Any failure moves on to the next step: another provider may well know the model that this one does not. Before each step
 * the client must still be there, as far as the runtime tells, and by what it says of its own patience. When all fail, the
 * last one's failure is passed on, thrown if it was not an answer.
 */
export const fallback: Policy = (next) => {
  async function inTurn(attempt: Attempt): Promise<Response> {
    const { run, step, others, signal } = attempt;
    // From here the client's time is counted.
    isPatient(run, 0);
    for (let index = 0;; index++) {
      signal.throwIfAborted();
      const isLast = index === others.length;
      const outcome = await outcomeOf(
        next,
        {
          ...attempt,
          step: index === 0 ? step : others[index - 1],
          index,
          others: [],
          last: attempt.last && isLast,
        },
        signal,
      );
      if (isLast || isGood(outcome) || !isPatient(run, 0)) return answerIn(outcome);
      discard(outcome);
    }
  }
  return (attempt) => attempt.others.length === 0 ? next(attempt) : inTurn(attempt);
};
