/** The error for a stream that broke. */
import { EventTooLong } from "./sse.ts";
import type { WireError } from "../types.ts";

/**
 * Makes the error for a provider's stream that broke before the answer was finished.
 *
 * @param name The provider, or the wire if the provider is unknown.
 * @param cause An error of the runtime's network code or of ours. It holds no keys and no prompt.
 */
export function brokenOff(name: string, cause: unknown): WireError {
  const message = cause instanceof EventTooLong
    ? eventTooLong(name, cause)
    : `The stream from ${name} broke off before the answer was finished`;
  return {
    message,
    type: "server_error",
    code: "upstream_broke_off",
    // The runtime's message may name the provider's URL, which clients must not see.
    metadata: { provider: name, cause: String(cause).replaceAll(/\S+:\/\/\S+/g, "…") },
  };
}

/** The message for an event that is too long. */
export const eventTooLong = (name: string, { most }: EventTooLong): string =>
  `The stream from ${name} sent an event longer than ${most} bytes`;
