/** Keeps answers in a store, and finds them again. */
import type { Kv } from "../stores/kv.ts";
import { type CachedAnswer, packAnswer, unpackAnswer } from "./cached_answer.ts";
import { answerCopies, type AnswerCopy } from "./answer_copy.ts";
import { TTL } from "./cache_settings.ts";
import { sha256 } from "./sha256.ts";
import { type GuardParts, storeGuard } from "./store_guard.ts";

/** The most bytes of a request's body and of an answer that take part, as at Cloudflare: 25 MiB. */
export const MOST_BYTES = 25 * 2 ** 20;

/** For how long the version is not read again, in milliseconds: another process may have raised it. */
const VERSION_MS = 10_000;

/** The version of the key and of the form in which answers are kept. A change of either raises it. */
const FORM = "1";

const encoder = new TextEncoder();

/** How often something happened since the gateway was made. */
export interface CacheCounts {
  hits: number;
  misses: number;
  /** Answers that were kept. */
  stored: number;
  /** Failed, slow or malformed answers of the store. */
  failures: number;
}

/** How the answer of a step may be cached. */
export interface CachePlan {
  /** Milliseconds for which the answer is kept. */
  ttlMs: number;
  /** What the answer depends on besides the body. */
  parts: readonly string[];
  /** The body, or its hash if it is long, or the client's own key. */
  body: Uint8Array | Promise<ArrayBuffer> | string;
}

/** A gateway's cache of answers. A store that fails is never an error of the request. */
export interface AnswerCache {
  /** Seconds for which answers are kept without a header; 0 if only requests with a key of their own take part. */
  readonly ttl: number;
  /** Whether all clients share answers. */
  readonly shared: boolean;
  readonly counts: CacheCounts;
  /**
   * The key of a request; `undefined` if the store fails.
   *
   * @param plans Those of its steps, in the order in which they are tried.
   */
  keyOf(plans: readonly (CachePlan | undefined)[]): Promise<string | undefined>;
  find(key: string): Promise<CachedAnswer | undefined>;
  keep(key: string, answer: CachedAnswer, ttlMs: number): Promise<void>;
  /** Begins to copy an answer. */
  copy(): AnswerCopy;
  /** Makes all answers unreachable. @throws The store's error. */
  clear(): Promise<void>;
}

/** What a cache is made of. */
interface Parts extends Omit<GuardParts, "name"> {
  kv: Kv;
  ttl: number;
  shared: boolean;
  /** The most bytes of all answers that are kept. */
  maxBytes: number;
  /** The most bytes of copies of answers that have not ended. They are in memory. */
  copyBytes?: number;
  now: () => number;
}

/** The entry that holds the version. Without the version of a store that fails, no answer is read or kept. */
const VERSION_KEY = "sluice-cache-version";

/** Makes a cache of answers over a store. */
export function answerCache(
  { kv, ttl, shared, maxBytes, copyBytes = maxBytes, now, ...parts }: Parts,
): AnswerCache {
  const { everywhere = kv } = kv;
  const counts: CacheCounts = { hits: 0, misses: 0, stored: 0, failures: 0 };
  let version: { text: string; until: number } | undefined;
  const guard = storeGuard({
    ...parts,
    name: "the cache's store",
    onFailure() {
      counts.failures++;
      parts.onFailure?.();
    },
  });

  /** Asks the store. @returns `undefined` if it failed. */
  async function ask<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      // A timer for each request would take longer than a store in memory.
      return kv.isLocal ? await work() : await guard.ask(what, work);
    } catch (cause) {
      if (kv.isLocal) guard.fail(what, cause);
      return undefined;
    }
  }

  /** Answers that a store in memory has returned, by their bytes, which are the same array each time. */
  const read = new WeakMap<Uint8Array, CachedAnswer>();

  function unpacked(bytes: Uint8Array<ArrayBuffer>): CachedAnswer | undefined {
    const answer = read.get(bytes) ?? unpackAnswer(bytes);
    if (answer && kv.isLocal) read.set(bytes, answer);
    return answer;
  }

  async function versionOf(): Promise<string | undefined> {
    if (version && now() < version.until) return version.text;
    const text = await ask("cannot read", async () => {
      const bytes = await everywhere.get(VERSION_KEY);
      return bytes ? new TextDecoder().decode(bytes) : "";
    });
    version = text === undefined ? undefined : { text, until: now() + VERSION_MS };
    return text;
  }

  return {
    ttl,
    shared,
    counts,
    copy: answerCopies(Math.min(MOST_BYTES, copyBytes), copyBytes),
    async keyOf(plans) {
      const version = await versionOf();
      if (version === undefined) return undefined;
      const texts = [FORM, version], bodies: Uint8Array[] = [];
      for (const plan of plans) {
        if (!plan) {
          texts.push("no part");
          continue;
        }
        const { parts, body } = plan;
        const kind = typeof body === "string" ? "key" : body instanceof Promise ? "hash" : "body";
        texts.push(kind, `${parts.length}`, ...parts);
        if (typeof body === "string") texts.push(body);
        else bodies.push(body instanceof Promise ? new Uint8Array(await body) : body);
      }
      return "sluice-cache-" + hashOf(texts, bodies);
    },
    async find(key) {
      const bytes = await ask("cannot read", () => kv.get(key));
      const answer = bytes && unpacked(bytes);
      if (bytes && !answer) guard.fail("an answer in it is malformed");
      if (answer) counts.hits++;
      else counts.misses++;
      return answer;
    },
    async keep(key, answer, ttlMs) {
      const isKept = await ask("cannot write", async () => {
        await kv.put(key, packAnswer(answer), ttlMs, maxBytes);
        return true;
      });
      if (isKept) counts.stored++;
    },
    async clear() {
      // A new version that nobody has used: a number could be raised by two processes at once.
      const text = crypto.randomUUID();
      // Entries live no longer than this one.
      await everywhere.put(VERSION_KEY, encoder.encode(text), 1000 * TTL.most);
      version = { text, until: now() + VERSION_MS };
    },
  };
}

/**
 * The SHA-256 of texts and then of bytes, as hexadecimal digits. Each text stands behind its length, and before the bytes stand
 * their lengths and the length of all text, so that no part runs into the next.
 */
function hashOf(texts: readonly string[], bodies: readonly Uint8Array[]): string {
  let written = "";
  for (const text of texts) written += `${text.length}:${text}`;
  for (const { length } of bodies) written += `${`${length}`.length}:${length}`;
  const head = encoder.encode(written);
  const all = new Uint8Array(4 + head.length + bodies.reduce((sum, { length }) => sum + length, 0));
  new DataView(all.buffer).setUint32(0, head.length);
  all.set(head, 4);
  let at = 4 + head.length;
  for (const body of bodies) {
    all.set(body, at);
    at += body.length;
  }
  return sha256(all);
}
