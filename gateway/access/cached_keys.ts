/** Remembers for some seconds which keys a store has, so that few requests wait for it. */
import type { Key, Keys } from "../stores/keys.ts";
import { OPERATOR_MS, type StoreGuard } from "../policies/store_guard.ts";

/** Milliseconds for which a look-up is remembered: a key that another gateway changes is changed here after this time. */
export const REMEMBERED_MS = 10_000;

/** How many hashes are remembered: of keys, and of texts that are no keys. */
const MOST_REMEMBERED = 10_000;

/** How many unknown hashes are looked up in `REMEMBERED_MS`. Somebody may send one wrong key after another. */
const MOST_UNKNOWN = 1000;

/** Too many unknown keys were sent. `retryMs`: milliseconds after which a request may be tried again. */
export class UnknownKeys extends Error {
  override readonly name = "UnknownKeys";
  constructor(readonly retryMs: number) {
    super("too many unknown keys were sent");
  }
}

/** What asks the store, and the gateway's clock. */
interface Parts {
  guard: StoreGuard;
  now: () => number;
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
export function cachedKeys(store: Keys, { guard, now }: Parts): Keys {
  const found = limited<Remembered>(MOST_REMEMBERED), missed = limited<Remembered>(MOST_REMEMBERED);
  let isUsed = false;
  let usedAt: number | undefined;
  let unknown = { at: -Infinity, count: 0 };
  /** How many changes this process has made: what was asked before one is not remembered after it. */
  let changes = 0;

  const isFresh = (at: number) => now() >= at && now() - at < REMEMBERED_MS;

  /** Asks for the operator, who may wait longer, and whose answer is not remembered. */
  const askNow = <T>(work: () => Promise<T> | T) =>
    guard.ask("cannot read or change keys", work, { lateMs: OPERATOR_MS });

  async function readUsed(): Promise<boolean> {
    try {
      const used = await guard.ask("cannot tell whether there are keys", () => store.isUsed());
      // A key may have been made here meanwhile.
      isUsed ||= used;
      usedAt = now();
    } catch (error) {
      // What was open stays open. A request with a key is refused until the store answers.
      if (usedAt === undefined) throw error;
    }
    return isUsed;
  }

  /** Counts a look-up of an unknown hash. @throws UnknownKeys if there were too many. */
  function countUnknown(): void {
    if (!isFresh(unknown.at)) unknown = { at: now(), count: 0 };
    if (++unknown.count > MOST_UNKNOWN) throw new UnknownKeys(unknown.at + REMEMBERED_MS - now());
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
      const at = now(), changesBefore = changes;
      const key = await guard.ask("cannot find a key", () => store.find(hash));
      if (changes !== changesBefore) return key;
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
        changes++;
        forgetId(key.id);
        forget(key);
      }
      return isSaved;
    },
    async remove(id) {
      const isRemoved = await askNow(() => store.remove(id));
      changes++;
      forgetId(id);
      return isRemoved;
    },
  };
}
