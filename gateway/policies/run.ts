/** Trying steps in turn until one answers. */
import { GatewayError } from "../../wires/errors.ts";
import type { Emit, StreamReader } from "../../wires/types.ts";
import { EarlyFailure, firstBytes, firstContent } from "./held.ts";
import { isPassing, retryDelay } from "./retry.ts";
import type { PolicySettings } from "./settings.ts";
import { deadline, type Wait } from "./timers.ts";

/** One way to get an answer. */
export interface Step {
  /** For messages. */
  name: string;
  settings: PolicySettings;
  /** One try. Throws a GatewayError for an upstream that cannot be reached; aborts with the signal. */
  send(signal: AbortSignal): Promise<Response>;
  /** Reads the events of the answer, to know when its content has begun. Default: OpenAI chat completions. */
  read?: (emit: Emit) => StreamReader;
}

/** Time and chance, as options give them. */
export interface Clock {
  now: () => number;
  random: () => number;
  wait: Wait;
}

/** The answer that counts, and the index of the step that gave it. */
export type Outcome = { index: number } & ({ response: Response } | { error: unknown });

/**
 * Tries each step, with its retries, until one answers with a status under 400.
 *
 * A step's tries are used up before the next step. Only passing failures are tried again, but any failure moves on to
 * the next step: another provider may well know the model that this one does not. A stream that fails before its first
 * content counts as a failure as long as anything is left to try. The very last of several tries runs without a
 * timeout: there is nothing better to do than wait.
 *
 * @param signal The client's: ends waiting, retrying and the upstream. Its reason is thrown.
 * @returns The last step's failure when all fail.
 */
export async function runSteps(steps: readonly Step[], signal: AbortSignal, clock: Clock): Promise<Outcome> {
  let outcome: Outcome | undefined;
  for (const [index, step] of steps.entries()) {
    const { maxAttempts } = step.settings;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const last = index === steps.length - 1 && attempt === maxAttempts;
      discard(outcome);
      try {
        outcome = { index, response: await tryOnce(step, signal, last) };
      } catch (error) {
        if (signal.aborted) throw error;
        outcome = { index, error };
      }
      const { response } = outcome as { response?: Response };
      if (response && response.status < 400) return outcome;
      if (last || attempt === maxAttempts || (response && !isPassing(response.status))) break;
      const ms = retryDelay(response?.headers, attempt, step.settings, clock.now(), clock.random());
      if (ms === undefined) break;
      if (ms > 0) await clock.wait(ms, signal);
    }
  }
  return outcome!;
}

async function tryOnce(step: Step, signal: AbortSignal, last: boolean): Promise<Response> {
  const { requestTimeoutMs: ms, maxAttempts } = step.settings;
  const limited = ms > 0 && !(last && maxAttempts > 1);
  if (!limited && last) return await step.send(signal);
  const limit = limited ? deadline(signal, ms, () => late(step.name, ms)) : undefined;
  try {
    const within = limit?.signal ?? signal;
    let response = await step.send(within);
    if (response.status < 400) {
      if (limit) response = await firstBytes(response, within);
      limit?.disarm();
      if (!last) response = await firstContent(response, step.read);
    }
    return response;
  } catch (error) {
    if (limit?.signal.aborted && !signal.aborted) throw limit.signal.reason;
    if (error instanceof EarlyFailure || !(error instanceof GatewayError)) {
      throw signal.aborted ? error : brokenOff(step.name, error);
    }
    throw error;
  } finally {
    limit?.disarm();
  }
}

const late = (name: string, ms: number) =>
  new GatewayError("upstream_timeout", `Cannot wait for ${name}: no answer began within ${ms} ms`);

const brokenOff = (name: string, cause: unknown) =>
  new GatewayError("bad_upstream_answer", `The answer of ${name} failed before its first content`, { cause });

/** A failure that nobody will read must not hold its connection. */
function discard(outcome: Outcome | undefined): void {
  if (outcome && "response" in outcome) outcome.response.body?.cancel().catch(() => {});
}
