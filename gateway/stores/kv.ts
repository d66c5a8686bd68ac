/** The interface of a store of values by key. */

/**
 * Keeps bytes for a limited time. It may lose any value at any time. A value that it returns is never changed, by the store or
 * by its reader.
 */
export interface Kv {
  /** Set if it answers at once, so that nobody needs to limit the wait. */
  readonly isLocal?: true;
  /** The value of a key; `undefined` if there is none, or if its time is over. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps a value for some milliseconds. It replaces the key's old value. */
  put(key: string, value: Uint8Array<ArrayBuffer>, ttlMs: number): Promise<void>;
  /** Removes a value, if there is one. */
  delete(key: string): Promise<void>;
}
