/**
 * The faults that any provider's stream can have, in one wording. Each function makes a new object, because metadata is
 * added to the error later.
 */
import type { WireError } from "../types.ts";

/** The error for an event that is not a JSON object. */
export const badEvent = (): WireError => ({
  message: "The provider sent an event that is not a JSON object",
  code: "bad_chunk",
});

/** The error for a stream that ended before its answer. */
export const cutOff = (): WireError => ({
  message: "The provider's answer ended before it was finished",
  code: "cut_off",
});
