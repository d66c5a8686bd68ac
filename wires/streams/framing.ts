/** How bytes are cut into frames. */
import type { WireError } from "../types.ts";

/** Takes the next frame: its data as text, and its name, empty when it has none. */
export type OnFrame = (data: string, event: string) => void;

/** Cuts the bytes of one stream; chunks may be cut anywhere. */
export interface FrameReader {
  /** @throws EventTooLong, or an `Error` for bytes that are not in this framing. */
  push(chunk: Uint8Array): void;
  /** The bytes ended. */
  end(): void;
}

/** A framing of streams, as a row of the provider table names it. */
export interface Framing {
  /** The content type that announces it, in lower case and without parameters. */
  type: string;
  /**
   * Makes the reader of one stream.
   *
   * @param onError Takes an error that the framing itself can tell; the provider sends nothing after it.
   * @param maxSize The longest frame, in bytes or UTF-16 units.
   */
  reader(onFrame: OnFrame, onError: (error: WireError) => void, maxSize?: number): FrameReader;
}

/** The longest frame that is taken unless another limit is named. */
export const FRAME_SIZE = 32 * 2 ** 20;
