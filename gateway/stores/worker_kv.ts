/**
 * Keeps values by key in the cache of Cloudflare's data center, which a Worker reaches without a binding.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/cache/ (2026-11)
 */
import type { Kv } from "./kv.ts";

/** The part of a cache that is used here. */
export interface WorkerCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
  delete(url: string): Promise<boolean>;
}

interface Beside {
  /** Takes the values if there is no such cache. If it is not local, it also keeps what must be the same everywhere. */
  otherwise: Kv;
  now: () => number;
  /** Prints a line. */
  warn: (line: string) => void;
}

/** Keys of a cache are URLs. No request from outside reaches this host, nor a cache with a name. */
const urlOf = (key: string) => `https://cache.sluice.invalid/${encodeURIComponent(key)}`;

/** When a value's time is over, by our clock. The rules of a zone may make the cache keep it for longer. */
const UNTIL = "sluice-until";

/** The value by which it is found out whether there is a cache. */
const PROBE = "is there a cache";

/**
 * Makes a store of values in a cache. Each data center has its own.
 *
 * A Worker at `workers.dev` has none, and neither has one behind Cloudflare Access: calls then do nothing, and tell nothing. So
 * a value is first put there and looked for.
 *
 * @param open Opens the cache: its object may belong to one request.
 */
export function workerKv(
  open: () => Promise<WorkerCache>,
  { otherwise, now, warn }: Beside,
): Kv {
  // Not a promise, because one request must not wait for the promise of another.
  let exists: boolean | undefined;

  async function put(cache: WorkerCache, key: string, value: Uint8Array<ArrayBuffer>, ttlMs: number) {
    const headers = {
      "content-type": "application/octet-stream",
      "cache-control": `public, max-age=${Math.ceil(ttlMs / 1000)}`,
      [UNTIL]: `${now() + ttlMs}`,
    };
    await cache.put(urlOf(key), new Response(value, { headers }));
  }

  async function isThere(cache: WorkerCache): Promise<boolean> {
    try {
      await put(cache, PROBE, new Uint8Array(1), 60_000);
      const found = await cache.match(urlOf(PROBE));
      await found?.body?.cancel();
      return found !== undefined;
    } catch {
      return false;
    }
  }

  /** The cache; `undefined` if there is none. */
  async function find(): Promise<WorkerCache | undefined> {
    if (exists === false) return undefined;
    const cache = await open();
    if (exists === undefined) {
      const isFound = await isThere(cache);
      // Others may have asked at the same time.
      if (exists === undefined && !isFound) {
        warn(
          "this Worker has no cache of a data center, as at workers.dev: cached answers are kept " +
            `${
              otherwise.isLocal ? "in the memory of each isolate" : "in its store"
            }; a custom domain has one`,
        );
      }
      exists ??= isFound;
    }
    return exists ? cache : undefined;
  }

  return {
    everywhere: otherwise.isLocal ? undefined : otherwise,
    async get(key) {
      const cache = await find();
      if (!cache) return await otherwise.get(key);
      const found = await cache.match(urlOf(key));
      if (!found) return undefined;
      if (now() < Number(found.headers.get(UNTIL))) return new Uint8Array(await found.arrayBuffer());
      await found.body?.cancel();
      return undefined;
    },
    async put(key, value, ttlMs, maxBytes) {
      const cache = await find();
      if (cache) await put(cache, key, value, ttlMs);
      else await otherwise.put(key, value, ttlMs, maxBytes);
    },
    async delete(key) {
      const cache = await find();
      if (cache) await cache.delete(urlOf(key));
      else await otherwise.delete(key);
    },
  };
}
