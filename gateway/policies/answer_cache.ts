/** Keeps answers in a store, and finds them again. */
import type { Kv } from "../stores/kv.ts";
import { type CachedAnswer, packAnswer, unpackAnswer } from "./cached_answer.ts";
import { type Capture, captures } from "./capture.ts";
import { TTL } from "./cache_settings.ts";
import { within } from "./timers.ts";

/** The most bytes of a request's body and of an answer that take part, as at Cloudflare: 25 MiB. */
export const MOST_BYTES = 25 * 2 ** 20;

/** The longest wait for the store, in milliseconds. */
const LATE_MS = 250;

/** For how long the version is not read again, in milliseconds: another process may have raised it. */
const VERSION_MS = 10_000;

/** The version of the key and of the form in which answers are kept. A change of either raises it. */
const FORM = "1";

/** Milliseconds between two lines about failures of the store. */
const TELL_MS = 60_000;

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
  /** The hash of the body, or the client's own key. */
  body: Promise<ArrayBuffer> | string;
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
  copy(): Capture;
  /** Makes all answers unreachable. @throws The store's error. */
  clear(): Promise<void>;
}

/** What a cache is made of. */
interface Parts {
  kv: Kv;
  ttl: number;
  shared: boolean;
  /** The most bytes of copies of answers that have not ended. */
  maxBytes: number;
  now: () => number;
  /** Prints a line about failures. */
  warn: (line: string) => void;
  /** Called at each failure of the store. */
  onFailure?: () => void;
}

/** The entry that holds the version. Without the version of a store that fails, no answer is read or kept. */
const VERSION_KEY = "sluice-cache-version";

/** Makes a cache of answers over a store. */
export function answerCache({ kv, ttl, shared, maxBytes, now, warn, onFailure }: Parts): AnswerCache {
  const counts: CacheCounts = { hits: 0, misses: 0, stored: 0, failures: 0 };
  let version: { text: string; until: number } | undefined;
  let told = { at: -Infinity, failures: 0 };

  function fail(what: string, cause?: unknown): void {
    counts.failures++;
    onFailure?.();
    if (now() - told.at < TELL_MS) return;
    const times = counts.failures - told.failures;
    told = { at: now(), failures: counts.failures };
    // The store's own message may hold an address or a password.
    const reason = cause instanceof Error ? ` (${cause.name})` : "";
    warn(`the cache's store failed ${times === 1 ? "once" : `${times} times`}: ${what}${reason}`);
  }

  /** Asks the store. @returns `undefined` if it failed. */
  async function ask<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await within(work(), LATE_MS, () => new DOMException("too slow", "TimeoutError"));
    } catch (cause) {
      fail(what, cause);
      return undefined;
    }
  }

  async function versionOf(): Promise<string | undefined> {
    if (version && now() < version.until) return version.text;
    const text = await ask("cannot read", async () => {
      const bytes = await kv.get(VERSION_KEY);
      return bytes ? new TextDecoder().decode(bytes) : "";
    });
    version = text === undefined ? undefined : { text, until: now() + VERSION_MS };
    return text;
  }

  return {
    ttl,
    shared,
    counts,
    copy: captures(Math.min(MOST_BYTES, maxBytes), maxBytes),
    async keyOf(plans) {
      const version = await versionOf();
      if (version === undefined) return undefined;
      const parts: (string | Uint8Array)[] = [FORM, version];
      for (const plan of plans) {
        if (!plan) parts.push("");
        else {
          const { body } = plan;
          const isOwn = typeof body === "string";
          parts.push(...plan.parts, isOwn ? "key" : "body", isOwn ? body : new Uint8Array(await body));
        }
      }
      return "sluice-cache-" + await hashOf(parts);
    },
    async find(key) {
      const bytes = await ask("cannot read", () => kv.get(key));
      const answer = bytes && unpackAnswer(bytes);
      if (bytes && !answer) fail("an answer in it is malformed");
      if (answer) counts.hits++;
      else counts.misses++;
      return answer;
    },
    async keep(key, answer, ttlMs) {
      const isKept = await ask("cannot write", async () => {
        await kv.put(key, packAnswer(answer), ttlMs);
        return true;
      });
      if (isKept) counts.stored++;
    },
    async clear() {
      // A new version that nobody has used: a number could be raised by two processes at once.
      const text = crypto.randomUUID();
      // Entries live no longer than this one.
      await kv.put(VERSION_KEY, new TextEncoder().encode(text), 1000 * TTL.most);
      version = { text, until: now() + VERSION_MS };
    },
  };
}

/** The SHA-256 of parts as hexadecimal digits. Each part stands behind its length, so that no part runs into the next. */
async function hashOf(parts: readonly (string | Uint8Array)[]): Promise<string> {
  const encoder = new TextEncoder();
  const pieces = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + 4 + piece.length, 0));
  const view = new DataView(all.buffer);
  let at = 0;
  for (const piece of pieces) {
    view.setUint32(at, piece.length);
    all.set(piece, at + 4);
    at += 4 + piece.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
