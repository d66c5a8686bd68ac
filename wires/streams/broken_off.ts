/** What a client is told of a stream that broke. */
import { EventTooLong } from "./sse.ts";
import type { WireError } from "../types.ts";

/**
 * The error for a provider's stream that broke before the answer was finished.
 *
 * @param name The provider, or the wire where no provider is known.
 * @param cause An error of the runtime's network code, or of ours; it holds no keys and no prompt.
 */
export function brokenOff(name: string, cause: unknown): WireError {
  const message = cause instanceof EventTooLong
    ? eventTooLong(name, cause)
    : `The stream from ${name} broke off before the answer was finished`;
  return {
    message,
    type: "server_error",
    code: "upstream_broke_off",
    // Without the address that it may name.
    metadata: { provider: name, cause: String(cause).replaceAll(/\S+:\/\/\S+/g, "…") },
  };
}

/** The message for an event that is longer than is taken. */
export const eventTooLong = (name: string, { most }: EventTooLong): string =>
  `The stream from ${name} sent an event longer than ${most} bytes`;
