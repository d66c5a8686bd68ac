/** Spares targets that keep failing. */
import { GatewayError, quote } from "../../wires/errors.ts";
import { answerIn, type Attempt, noteSkipped, type Outcome, outcomeOf, type Policy } from "./attempt.ts";
import type { Breaker } from "./target_states.ts";

/**
 * Does not send a step whose target keeps failing. Such a step fails at once, so that the next one is tried; without a next one the
 * request is 503. It stands above `retry`: the attempts of a step are one request to its target.
 */
export const breaker: Policy = (next) => {
  async function guarded(attempt: Attempt, breaker: Breaker): Promise<Response> {
    const { step, run, signal } = attempt;
    const { provider, model } = step;
    const permit = breaker.ask(provider, model);
    if (permit.waitMs !== undefined) {
      noteSkipped(run, step, "breaker");
      throw spared(provider, model, permit.waitMs);
    }
    let outcome: Outcome | undefined;
    try {
      outcome = await outcomeOf(next, attempt, signal);
    } finally {
      breaker.tell(provider, model, permit, outcome && isFailure(outcome));
    }
    return answerIn(outcome);
  }
  return (attempt) => {
    const { breaker } = attempt.run.config;
    return breaker ? guarded(attempt, breaker) : next(attempt);
  };
};

/** Statuses of clients' errors that tell of a target in trouble all the same. */
const BUSY: ReadonlySet<number> = new Set([408, 429]);

/** Whether an outcome tells that its target is in trouble; `undefined` if it tells nothing of it. */
function isFailure({ response, error }: Outcome): boolean | undefined {
  const status = response?.status ?? (error instanceof GatewayError ? error.status : undefined);
  if (status === undefined) return undefined;
  // An error of the gateway's own that is the client's fault has asked nobody.
  if (!response && status < 500) return undefined;
  return status >= 500 || BUSY.has(status);
}

function spared(provider: string, model: string | undefined, waitMs: number): GatewayError {
  const seconds = `${Math.max(1, Math.ceil(waitMs / 1000))}`;
  const name = model === undefined ? provider : quote(`${provider}/${model}`);
  return new GatewayError(
    "overloaded",
    `Cannot ask ${name}: too many of its last requests have failed; try again in ${seconds} s`,
    { headers: { "retry-after": seconds } },
  );
}
