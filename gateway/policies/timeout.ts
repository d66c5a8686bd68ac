/** Limits the time until an answer begins. */
import { GatewayError } from "../../wires/errors.ts";
import type { Attempt, Policy } from "./attempt.ts";
import { deadline } from "./timers.ts";

/**
 * Ends an attempt whose answer does not begin within `requestTimeoutMs`, with a GatewayError `upstream_timeout`.
 *
 * As at Cloudflare, the last of several attempts has no limit, because nothing can follow it.
 */
export const timeout: Policy = (next) => {
  async function limited(attempt: Attempt): Promise<Response> {
    const { signal, step: { provider, settings: { requestTimeoutMs: ms } } } = attempt;
    const limit = deadline(
      signal,
      ms,
      () =>
        new GatewayError("upstream_timeout", `Cannot wait for ${provider}: no answer began within ${ms} ms`),
    );
    try {
      return await next({ ...attempt, signal: limit.signal, onFirst: limit.disarm });
    } catch (error) {
      throw limit.signal.aborted && !signal.aborted ? limit.signal.reason : error;
    } finally {
      limit.disarm();
    }
  }
  return (attempt) => {
    const { requestTimeoutMs, maxAttempts } = attempt.step.settings;
    return requestTimeoutMs === 0 || attempt.last && maxAttempts > 1 ? next(attempt) : limited(attempt);
  };
};
