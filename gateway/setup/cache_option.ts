/** The option `cache`: its schema, and the cache that it describes. */
import * as v from "npm:valibot@1.5.0";
import { IS_PROCESS } from "../context.ts";
import { type AnswerCache, answerCache } from "../policies/answer_cache.ts";
import type { GuardParts } from "../policies/store_guard.ts";
import { isTtl, TTL } from "../policies/cache_settings.ts";
import type { Kv } from "../stores/kv.ts";
import { memoryKv } from "../stores/memory_kv.ts";

const TTL_RULE = `must be 0, or a whole number of seconds from ${TTL.least} to ${TTL.most}`;

/** The schema of the option. */
export const cacheOption = v.strictObject({
  ttl: v.optional(v.pipe(v.number(TTL_RULE), v.check((ttl) => ttl === 0 || isTtl(ttl), TTL_RULE))),
  shared: v.optional(v.boolean()),
  maxBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});

/** The default of `cache.maxBytes`. An isolate on Workers has 128 MB in all. */
const MAX_BYTES = (IS_PROCESS ? 64 : 16) * 2 ** 20;

/**
 * The cache; `undefined` if it is turned off.
 *
 * @param kv The store of its answers. Default: the memory of the process.
 * @param guard What tells and counts its failures.
 */
export function cacheOf(
  { ttl = 0, shared = false, maxBytes = MAX_BYTES }: v.InferOutput<typeof cacheOption> = {},
  now: () => number,
  kv: Kv | undefined,
  guard: Omit<GuardParts, "name">,
): AnswerCache | undefined {
  if (maxBytes === 0) return undefined;
  const copyBytes = kv ? Math.min(maxBytes, MAX_BYTES) : maxBytes;
  return answerCache({
    kv: kv ?? memoryKv(maxBytes, now),
    ttl,
    shared,
    maxBytes,
    copyBytes,
    now,
    ...guard,
  });
}
