/** Remembers for some seconds which keys a store has, so that few requests wait for it. */
import { GatewayError } from "../../wires/errors.ts";
import type { Key, Keys } from "../stores/keys.ts";
import { StoreError } from "../stores/sql.ts";

/** Milliseconds for which a look-up is remembered: a key that another gateway changes is changed here after this time. */
export const REMEMBERED_MS = 10_000;

/** Milliseconds after a failure of the store in which it is not asked again by requests. */
const REST_MS = 1000;

/** How many hashes are remembered: of keys, and of texts that are no keys. */
const MOST_REMEMBERED = 10_000;

/** How many unknown hashes are looked up in `REMEMBERED_MS`. Somebody may send one wrong key after another. */
const MOST_UNKNOWN = 1000;

/** The longest wait for a store, and for its first answer, before which it may have to be opened and to make its tables. */
const WAIT_MS = { usual: 250, first: 5000 };

/** The parts of the process that are used here. */
export interface Around {
  now: () => number;
  /** Rejects if work takes longer than so many milliseconds. */
  inTime<T>(work: Promise<T>, ms: number): Promise<T>;
  /** Is told of each failure. */
  onFailure(error: unknown): void;
}

/** A store's failure, or the refusal to ask it. `retryMs`: milliseconds after which a request may be tried again. */
export class KeysError extends StoreError {
  readonly retryMs: number;
  constructor(cause: unknown, retryMs: number) {
    super(cause);
    this.retryMs = retryMs;
  }
}

interface Remembered {
  key?: Key;
  at: number;
}

/** A map that forgets what was set longest ago. */
function limited<V>(most: number) {
  const map = new Map<string, V>();
  return {
    get: (name: string) => map.get(name),
    delete: (name: string) => map.delete(name),
    values: () => map.entries(),
    set(name: string, value: V) {
      map.delete(name);
      if (map.size >= most) map.delete(map.keys().next().value!);
      map.set(name, value);
    },
  };
}

/**
 * Puts this memory before a store. Only `isUsed` and `find` use it. After a change of this process's own nothing that it has
 * changed is remembered.
 *
 * No promise is shared by several requests: on Workers a request may not wait for the work of another one.
 */
export function cachedKeys(store: Keys, { now, inTime, onFailure }: Around): Keys {
  const found = limited<Remembered>(MOST_REMEMBERED), missed = limited<Remembered>(MOST_REMEMBERED);
  let isOpen = false;
  let isUsed = false;
  let usedAt: number | undefined;
  let failed: { at: number; error: unknown } | undefined;
  let unknown = { at: -Infinity, count: 0 };

  const isFresh = (at: number, ms = REMEMBERED_MS) => now() >= at && now() - at < ms;

  async function ask<T>(work: () => Promise<T> | T): Promise<T> {
    if (failed && isFresh(failed.at, REST_MS)) throw new KeysError(failed.error, REST_MS);
    try {
      const answer = await inTime(Promise.resolve().then(work), isOpen ? WAIT_MS.usual : WAIT_MS.first);
      isOpen = true;
      failed = undefined;
      return answer;
    } catch (error) {
      failed = { at: now(), error };
      onFailure(error);
      throw new KeysError(error, REST_MS);
    }
  }

  /** Asks for the operator, who may wait longer, and whose answer is not remembered. */
  async function askNow<T>(work: () => Promise<T> | T): Promise<T> {
    try {
      return await inTime(Promise.resolve().then(work), WAIT_MS.first);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      onFailure(error);
      throw error instanceof StoreError ? error : new StoreError(error);
    }
  }

  async function readUsed(): Promise<boolean> {
    try {
      isUsed = await ask(() => store.isUsed());
      usedAt = now();
    } catch (error) {
      // What was open stays open. A request with a key is refused until the store answers.
      if (usedAt === undefined) throw error;
    }
    return isUsed;
  }

  /** Counts a look-up of an unknown hash. @throws KeysError if there were too many. */
  function countUnknown(): void {
    if (!isFresh(unknown.at)) unknown = { at: now(), count: 0 };
    if (++unknown.count <= MOST_UNKNOWN) return;
    const retryMs = Math.max(REST_MS, unknown.at + REMEMBERED_MS - now());
    throw new KeysError(new Error("too many unknown keys were sent"), retryMs);
  }

  function forget(key: Key | undefined): void {
    if (!key) return;
    for (const hash of [key.hash, key.former?.hash]) {
      if (hash === undefined) continue;
      found.delete(hash);
      missed.delete(hash);
    }
  }

  function forgetId(id: string): void {
    for (const [hash, { key }] of found.values()) if (key?.id === id) found.delete(hash);
  }

  return {
    isUsed() {
      // A gateway with keys never has none again.
      if (isUsed || usedAt !== undefined && isFresh(usedAt)) return isUsed;
      return readUsed();
    },
    async find(hash) {
      const known = found.get(hash) ?? missed.get(hash);
      if (known && isFresh(known.at)) return known.key;
      if (!known?.key) countUnknown();
      const at = now();
      const key = await ask(() => store.find(hash));
      found.delete(hash);
      missed.delete(hash);
      (key ? found : missed).set(hash, { key, at });
      return key;
    },
    get: (id) => askNow(() => store.get(id)),
    named: (name) => askNow(() => store.named(name)),
    list: (query) => askNow(() => store.list(query)),
    async save(key) {
      const isSaved = await askNow(() => store.save(key));
      if (isSaved) {
        isUsed = true;
        forgetId(key.id);
        forget(key);
      }
      return isSaved;
    },
    async remove(id) {
      const isRemoved = await askNow(() => store.remove(id));
      forgetId(id);
      return isRemoved;
    },
  };
}
