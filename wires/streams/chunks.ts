/** Reading a body chunk by chunk. */

const isDeno = "Deno" in globalThis;

/** Bytes that a read takes at most, at first and after reads that took as much; an idle stream holds that many. */
const READ_BYTES = { first: 4 * 1024, most: 64 * 1024 };

/** A chunk of a body, or its end. */
export type Chunk = { done: false; value: Uint8Array } | { done: true; value?: Uint8Array };

/** Takes the chunks of one body. */
export interface ChunkReader {
  /**
   * The next chunk. Rejects when the body breaks.
   *
   * @param spent What the read before gave: its memory is used again, for this one.
   */
  read(spent?: Uint8Array): Promise<Chunk>;
  cancel(reason?: unknown): Promise<void>;
}

/**
 * A reader that hands one buffer round where the body allows it.
 *
 * Deno makes a new buffer of 64 KiB for each plain read of a fetched body: handed round, a stream of 200 small chunks
 * costs half. Bun's bodies are no byte streams, and workerd's cost the same either way; to ask a body that is none costs
 * an exception (40 us of a first token on Bun).
 */
export function chunkReader(body: ReadableStream<Uint8Array>): ChunkReader {
  const byob = isDeno ? byobReader(body) : undefined;
  if (!byob) return body.getReader() as ChunkReader;
  let bytes = READ_BYTES.first;
  return {
    read(spent) {
      const short = spent?.length === bytes && bytes < READ_BYTES.most;
      if (short) bytes *= 4;
      // Of a body that was cancelled no memory comes back.
      const buffer = short || !spent ? new ArrayBuffer(bytes) : spent.buffer as ArrayBuffer;
      return byob.read(new Uint8Array(buffer)) as Promise<Chunk>;
    },
    cancel: (reason) => byob.cancel(reason),
  };
}

/** Bytes that are kept until they are asked for. */
export interface KeptBytes {
  readonly length: number;
  /** Copies a chunk. */
  add(chunk: Uint8Array): void;
  /** All so far; good until more are added. */
  view(): Uint8Array;
  /** All of them as one, in memory of just that length. Nothing may be added afterwards. */
  join(): Uint8Array<ArrayBuffer>;
}

/**
 * Keeps the chunks of a body in one buffer that grows.
 *
 * A list of the chunks would keep the memory that each is a view on: Deno reads every chunk into 64 KiB, so a body that
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

/** The same bytes in a buffer of another size. Node has `transfer`, which need not copy, from version 21 on. */
function resized(buffer: ArrayBuffer, size: number): ArrayBuffer {
  if (typeof buffer.transfer === "function") return buffer.transfer(size);
  const copy = new ArrayBuffer(size);
  new Uint8Array(copy).set(new Uint8Array(buffer, 0, Math.min(size, buffer.byteLength)));
  return copy;
}

/**
 * Reads a body whole.
 *
 * @param most Bytes that are kept.
 * @param onMore What a longer body comes to: it throws, or the first `most` bytes are returned. The body is cancelled
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
    return undefined; // No byte stream.
  }
}
