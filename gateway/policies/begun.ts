/** Holds an answer back until it has begun. */
import { GatewayError } from "../../wires/errors.ts";
import { contentWatch, EarlyError, isJson, toldBegun } from "../../wires/streams/begun.ts";
import type { Begun } from "../../wires/streams/begun.ts";
import { keptBytes } from "../../wires/streams/chunks.ts";
import type { Attempt, Policy } from "./attempt.ts";
import { joined, withBody } from "./held.ts";
import { waiting } from "./timers.ts";

/**
 * Holds an answer back until it has begun, if another attempt can stand in for it or a timeout waits for it. An answer that
 * fails before it has begun is a failed attempt.
 */
export const begun: Policy = (next) => {
  async function held(attempt: Attempt): Promise<Response> {
    const told = toldBegun();
    const response = await next({ ...attempt, begun: told });
    if (response.status >= 400) return response;
    const { step, run } = attempt;
    const answer = await waiting(begin(response, told, attempt), run);
    const looked = step.look?.(answer);
    return looked ? await waiting(looked, run) : answer;
  }
  return (attempt) => attempt.last && !attempt.onFirst ? next(attempt) : held(attempt);
};

/**
 * Waits until an answer has begun: for the last attempt until its first byte, for any other until its first content.
 *
 * An event stream has begun with its first content (text, reasoning, a tool's name, a finished answer; not a frame that only
 * names a role), or with its first event if its format is not known. A JSON answer has begun when it is complete, because
 * its reader can do nothing earlier.
 *
 * The attempt's signal ends the wait, because some bodies do not listen to the signal of their request.
 *
 * @param told The part of the answer that `send` has read on its way.
 * @returns The same response with its complete body.
 * @throws GatewayError `bad_upstream_answer` if the body breaks before that, or if the stream holds an error or ends before
 * that; the signal's reason.
 */
async function begin(response: Response, told: Begun, attempt: Attempt): Promise<Response> {
  const { signal, last, onFirst, step, run } = attempt;
  const { provider, format } = step;
  if (!response.body && (last || !format)) return response;
  const body = response.body ?? new Blob([]).stream();
  const { maxHeldBytes } = run.config.limits;
  const watch = contentWatch(response.headers.get("content-type") ?? "", format);
  const source = body.getReader();
  const leave = () => void source.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", leave, { once: true });
  try {
    signal.throwIfAborted();
    const held = keptBytes();
    for (;;) {
      const { done, value } = await source.read();
      signal.throwIfAborted();
      onFirst?.();
      if (value) held.add(value);
      if (last || (told.hasBegun() ?? watch(value, held)) || done) break;
      if (held.length <= maxHeldBytes) continue;
      if (isJson(held)) break;
      throw new EarlyError({ message: `The stream has no content in its first ${maxHeldBytes} bytes` });
    }
    return withBody(response, joined(held, source));
  } catch (cause) {
    source.cancel(cause).catch(() => {});
    if (signal.aborted || cause instanceof GatewayError) throw cause;
    throw new GatewayError("bad_upstream_answer", `The answer of ${provider} failed before it began`, {
      metadata: cause instanceof EarlyError ? { provider, error: step.mask(cause.error) } : { provider },
      cause,
    });
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
