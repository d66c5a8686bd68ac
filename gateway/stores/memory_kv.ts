/** Keeps values by key in the memory of the process. */
import type { Kv } from "./kv.ts";

/** The bytes that an entry takes beside its key and its value, roughly. Without it, empty values would have no bound. */
const ENTRY_BYTES = 200;

interface Entry {
  value: Uint8Array<ArrayBuffer>;
  bytes: number;
  /** When its time is over, in milliseconds since 1970. */
  until: number;
}

/**
 * Makes a store in memory. If it is full, the values that were not used for the longest time are removed.
 *
 * @param maxBytes The most bytes of all values and keys. A longer value is not kept.
 * @param now The clock.
 */
export function memoryKv(maxBytes: number, now: () => number): Kv & { readonly bytes: number } {
  /** The entry that was used last is the last one. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function remove(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    bytes -= entry.bytes;
  }

  return {
    isLocal: true,
    get bytes() {
      return bytes;
    },
    get(key) {
      const entry = entries.get(key);
      if (!entry) return Promise.resolve(undefined);
      entries.delete(key);
      entries.set(key, entry);
      if (now() < entry.until) return Promise.resolve(entry.value);
      remove(key);
      return Promise.resolve(undefined);
    },
    put(key, value, ttlMs) {
      remove(key);
      // A character of a text takes two bytes at most.
      const size = value.length + 2 * key.length + ENTRY_BYTES;
      if (size > maxBytes) return Promise.resolve();
      entries.set(key, { value, bytes: size, until: now() + ttlMs });
      bytes += size;
      for (const oldest of entries.keys()) {
        if (bytes <= maxBytes) break;
        remove(oldest);
      }
      return Promise.resolve();
    },
    delete(key) {
      remove(key);
      return Promise.resolve();
    },
  };
}
