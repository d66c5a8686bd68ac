/** Limits on the size and the duration of requests and answers. */
import * as v from "npm:valibot@1.5.0";

/**
 * Limits on bytes and on time; each has a default.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type Limits } from "../../mod.ts";
 *
 * const limits: Partial<Limits> = { maxBodyBytes: 1024 };
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "a".repeat(2000) }] };
 * const response = await createGateway({ limits }).gateway("default")
 *   .run({ provider: "compat", endpoint: "chat/completions", query });
 * assertEquals(response.status, 413);
 * ```
 */
export interface Limits {
  /** The longest request body that is read, in bytes; a longer one is 413. Default 64 MiB. */
  maxBodyBytes: number;
  /**
   * The longest event of a provider's stream that is read, in bytes (UTF-16 units where it is not ASCII): one line, or all
   * lines up to the blank one. A stream with a longer event ends with an error event. Does not apply to streams that are
   * handed through. Default 32 MiB.
   */
  maxLineBytes: number;
  /**
   * The longest whole answer of a provider that is read, in bytes after decompression; a longer one is 502. Does not apply to
   * answers that are handed through. Default 128 MiB.
   */
  maxAnswerBytes: number;
  /**
   * How much of an answer is held back before it has begun, in bytes, while another target can still be tried. A stream
   * without content in its first `maxHeldBytes` has failed; a longer JSON answer has begun. Default 8 MiB.
   */
  maxHeldBytes: number;
  /**
   * Milliseconds for which a client may be silent while it sends a body; after that it is answered 408. A body announced as
   * 64 KiB or less must arrive within this time, any other body within 20 times as long. 0 for no limit. Default 0; 30,000
   * where `mod.ts` or `worker.ts` serves the gateway.
   */
  bodyTimeoutMs: number;
  /**
   * Bytes of request bodies held at once. A further request is 503 with `retry-after`. A body counts from its first byte
   * until its answer has ended; on Workers, and for a body of less than 256 KiB without a log, until its answer begins. 0 for
   * no limit. Default 0; 512 MiB where `mod.ts` or `worker.ts` serves the gateway.
   */
  maxInFlightBytes: number;
}

const MIB = 2 ** 20;

/** The defaults of a gateway that a program makes by `createGateway`. */
export const LIMITS: Limits = {
  maxBodyBytes: 64 * MIB,
  maxLineBytes: 32 * MIB,
  maxAnswerBytes: 128 * MIB,
  maxHeldBytes: 8 * MIB,
  bodyTimeoutMs: 0,
  maxInFlightBytes: 0,
};

/** The other defaults of the served form. */
export const SERVED_LIMITS: Partial<Limits> = { bodyTimeoutMs: 30_000, maxInFlightBytes: 512 * MIB };

const bytes = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)));
const orNone = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)));

/** The schema of the option `limits`. */
export const limitsOption = v.strictObject({
  maxBodyBytes: bytes,
  maxLineBytes: bytes,
  maxAnswerBytes: bytes,
  maxHeldBytes: bytes,
  // 20 times this value still fits a timer of every runtime (2 ** 31 - 1 ms).
  bodyTimeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000_000))),
  maxInFlightBytes: orNone,
});
