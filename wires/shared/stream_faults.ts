/** What can be wrong with any provider's stream, in one wording. Made anew each time, for an error gets more metadata later. */
import type { WireError } from "../types.ts";

/** An event is not what every event of these streams is. */
export const badEvent = (): WireError => ({
  message: "The provider sent an event that is not a JSON object",
  code: "bad_chunk",
});

/** The stream ended, but its answer did not. */
export const cutOff = (): WireError => ({
  message: "The provider's answer ended before it was finished",
  code: "cut_off",
});
