/** The interface of a store of values by key. */

/**
 * Keeps bytes for a limited time. It may lose any value at any time. A value that it returns is never changed, by the store or
 * by its reader.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type Kv, openStore } from "../../mod.ts";
 *
 * const { kv, close } = await openStore("sqlite::memory:");
 * const values: Kv = kv!;
 * await values.put("a", Uint8Array.of(1, 255), 60_000);
 * assertEquals([...(await values.get("a"))!], [1, 255]);
 * await close!();
 * ```
 */
export interface Kv {
  /** Set if it answers at once, so that nobody needs to limit the wait. */
  readonly isLocal?: true;
  /** Keeps the few values that must be the same for all processes, if this store keeps values near each process. */
  readonly everywhere?: Kv;
  /** The value of a key; `undefined` if there is none, or if its time is over. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Keeps a value for some milliseconds. It replaces the key's old value.
   *
   * @param maxBytes The most bytes of all values. A store with a limit of its own need not keep this one.
   */
  put(key: string, value: Uint8Array<ArrayBuffer>, ttlMs: number, maxBytes?: number): Promise<void>;
  /** Removes a value, if there is one. */
  delete(key: string): Promise<void>;
}
