/** What the gateway takes, reads and holds at most. */
import * as v from "npm:valibot@1.5.0";

/** Limits on bytes and on time; each has a default. */
export interface Limits {
  /** Longest request body taken, in bytes; a longer one is 413. Default 64 MiB. */
  maxBodyBytes: number;
  /**
   * Longest event of a provider's stream that is read, in bytes (UTF-16 units where it is not ASCII): one line, or all lines
   * up to the blank one. A stream with a longer one ends with an error event. Not for streams that are handed through.
   * Default 32 MiB.
   */
  maxLineBytes: number;
  /**
   * Longest whole answer of a provider that is read, in bytes and unpacked; a longer one is 502. Not for answers that are
   * handed through. Default 128 MiB.
   */
  maxAnswerBytes: number;
  /**
   * What is held back of an answer before it has begun, in bytes, while another target is left to try. A stream without
   * content up to here has failed; a JSON answer that is longer has begun. Default 8 MiB.
   */
  maxHeldBytes: number;
  /**
   * Milliseconds that a client may be silent while it sends a body; then it is answered 408. A body announced as 64 KiB or
   * less must be there within that time, and any other within 20 times as long. 0 for no limit. Default 0; 30,000 where the
   * gateway is served by `mod.ts` or `worker.ts`.
   */
  bodyTimeoutMs: number;
  /**
   * Bytes of request bodies held at once, from the first byte until their answers have ended (until they begin, on Workers and
   * for a body of less than 256 KiB without a log); a request beyond them is 503 with `retry-after`. 0 for no limit. Default 0; 512 MiB where the gateway is served by `mod.ts` or `worker.ts`.
   */
  maxInFlightBytes: number;
}

const MIB = 2 ** 20;

/** What holds for a program's own gateway. */
export const LIMITS: Limits = {
  maxBodyBytes: 64 * MIB,
  maxLineBytes: 32 * MIB,
  maxAnswerBytes: 128 * MIB,
  maxHeldBytes: 8 * MIB,
  bodyTimeoutMs: 0,
  maxInFlightBytes: 0,
};

/** What the served form sets unless its operator does. */
export const SERVED_LIMITS: Partial<Limits> = { bodyTimeoutMs: 30_000, maxInFlightBytes: 512 * MIB };

const bytes = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)));
const orNone = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)));

/** What guards the option `limits`. */
export const limitsOption = v.strictObject({
  maxBodyBytes: bytes,
  maxLineBytes: bytes,
  maxAnswerBytes: bytes,
  maxHeldBytes: bytes,
  // The longest timer that every runtime keeps, with room for the 20 times.
  bodyTimeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000_000))),
  maxInFlightBytes: orNone,
});
