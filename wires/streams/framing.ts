/** Framings: how the bytes of a stream are cut into frames. */
import type { WireError } from "../types.ts";

/** Called for each frame with its data as text and its name, which is empty if the frame has none. */
export type OnFrame = (data: string, event: string) => void;

/** Cuts the bytes of one stream into frames. Chunks may be cut anywhere. */
export interface FrameReader {
  /** @throws EventTooLong for a frame over the limit; an `Error` for bytes that are not in this framing. */
  push(chunk: Uint8Array): void;
  /** Called once, when the bytes have ended. */
  end(): void;
}

/** A framing of streams, as a row of the provider table names it. */
export interface Framing {
  /** The content type that announces it, in lower case and without parameters. */
  type: string;
  /**
   * Makes the reader of one stream.
   *
   * @param onError Called for an error that the framing itself carries. The provider sends nothing after it.
   * @param maxSize The longest frame, in bytes or UTF-16 units. Default: `FRAME_SIZE`.
   */
  reader(onFrame: OnFrame, onError: (error: WireError) => void, maxSize?: number): FrameReader;
}

/** The default limit on a frame, in bytes or UTF-16 units: 32 MiB. */
export const FRAME_SIZE = 32 * 2 ** 20;
