/** Reads a body chunk by chunk. */

const isDeno = "Deno" in globalThis;

/**
 * The size of the read buffer in bytes: at first, and at most. It grows fourfold when a read fills it. An idle stream
 * holds one buffer.
 */
const READ_BYTES = { first: 4 * 1024, most: 64 * 1024 };

/** A chunk of a body, or its end. */
export type Chunk = { done: false; value: Uint8Array } | { done: true; value?: Uint8Array };

/** A reader of one body. */
export interface ChunkReader {
  /**
   * Reads the next chunk. Rejects if the body breaks.
   *
   * @param spent The previous chunk. Its memory is reused for this one.
   */
  read(spent?: Uint8Array): Promise<Chunk>;
  cancel(reason?: unknown): Promise<void>;
}

/**
 * Makes a reader that reuses one buffer where the runtime allows it.
 *
 * Deno makes a new buffer of 64 KiB for each plain read of a fetched body. With one buffer reused, a stream of 200
 * small chunks costs half. Bun's bodies are not byte streams, and on workerd both ways cost the same. Asking a body
 * that is not a byte stream for such a reader costs an exception (40 us until the first token on Bun).
 */
export function chunkReader(body: ReadableStream<Uint8Array>): ChunkReader {
  const byob = isDeno ? byobReader(body) : undefined;
  if (!byob) return body.getReader() as ChunkReader;
  let bytes = READ_BYTES.first;
  return {
    read(spent) {
      const short = spent?.length === bytes && bytes < READ_BYTES.most;
      if (short) bytes *= 4;
      // A read of a cancelled body does not return the buffer.
      const buffer = short || !spent ? new ArrayBuffer(bytes) : spent.buffer as ArrayBuffer;
      return byob.read(new Uint8Array(buffer)) as Promise<Chunk>;
    },
    cancel: (reason) => byob.cancel(reason),
  };
}

/** Bytes of a body that are kept. */
export interface KeptBytes {
  readonly length: number;
  /** Adds a copy of a chunk. */
  add(chunk: Uint8Array): void;
  /** All bytes so far. The view is valid until more bytes are added. */
  view(): Uint8Array;
  /** All bytes in memory of exactly that length. Nothing may be added afterwards. */
  join(): Uint8Array<ArrayBuffer>;
}

/**
 * Keeps the chunks of a body in one buffer that grows.
 *
 * A list of chunks would keep the whole buffer behind each chunk. Deno reads every chunk into 64 KiB, so a body that
 * came byte by byte held 48 KB for each of its bytes.
 */
export function keptBytes(): KeptBytes {
  let buffer = new ArrayBuffer(0);
  let bytes = new Uint8Array(buffer);
  let length = 0;
  return {
    get length() {
      return length;
    },
    add(chunk) {
      const needed = length + chunk.length;
      if (needed > buffer.byteLength) {
        buffer = resized(buffer, Math.max(needed, 2 * buffer.byteLength, 1024));
        bytes = new Uint8Array(buffer);
      }
      bytes.set(chunk, length);
      length = needed;
    },
    view: () => bytes.subarray(0, length),
    join: () => new Uint8Array(buffer.byteLength === length ? buffer : resized(buffer, length)),
  };
}

/** Returns the same bytes in a buffer of another size. Node has `transfer`, which avoids a copy, from version 21 on. */
function resized(buffer: ArrayBuffer, size: number): ArrayBuffer {
  if (typeof buffer.transfer === "function") return buffer.transfer(size);
  const copy = new ArrayBuffer(size);
  new Uint8Array(copy).set(new Uint8Array(buffer, 0, Math.min(size, buffer.byteLength)));
  return copy;
}

/**
 * Reads a whole body.
 *
 * @param most The most bytes that are kept.
 * @param onMore Called for a longer body. It may throw; else the first `most` bytes are returned. The body is cancelled
 * either way.
 */
export async function readAll(
  body: ReadableStream<Uint8Array>,
  most: number,
  onMore: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = chunkReader(body);
  const kept = keptBytes();
  let spent: Uint8Array | undefined;
  for (;;) {
    const { done, value } = await reader.read(spent);
    if (done) return kept.join();
    spent = value;
    if (kept.length + value.length > most) {
      reader.cancel().catch(() => {});
      onMore();
      kept.add(value.subarray(0, most - kept.length));
      return kept.join();
    }
    kept.add(value);
  }
}

function byobReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined; // The body is not a byte stream.
  }
}
