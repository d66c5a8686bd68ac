/**
 * Sends spans to a collector over HTTP, in batches. No request waits for it.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp (2026-11)
 */
import { readAll } from "../../wires/streams/chunks.ts";
import { isObject, parse } from "../../wires/shared/json.ts";
import { IS_PROCESS, keepAlive, type RuntimeContext } from "../context.ts";
import { retryAfter } from "../policies/delay.ts";
import { atMostEvery } from "../at_most_every.ts";
import type { Wait } from "../policies/timers.ts";
import type { Losses } from "./metrics.ts";
import { shown } from "./price_source.ts";
import { attributesOf } from "./span.ts";

/** Where spans are sent, and how. */
export interface Collector {
  /** The URL for traces. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** The attributes of the service, e.g. `service.name`. */
  resource: Readonly<Record<string, string>>;
  /** Milliseconds for one request. */
  timeoutMs: number;
}

/** The parts of the gateway that the exporter uses. */
export interface Means {
  send(url: string, init: RequestInit): Promise<Response>;
  wait: Wait;
  now: () => number;
  random: () => number;
  /** Is called with a sentence about lost spans. */
  warn(line: string): void;
  losses: Pick<Losses, "spans">;
}

/** Takes spans. */
export interface Exporter {
  /** @param context With a context the spans are sent at once, because a Worker may end after the request. */
  add(spans: readonly string[], context?: RuntimeContext): void;
  /**
   * Sends the spans that wait. What is not sent after some time is lost.
   *
   * @param ms The longest time. Default 5 s.
   */
  flush(ms?: number): Promise<void>;
}

/** How many spans one request to the collector has, and how long the first of them waits. */
const BATCH = { spans: 512, ms: 5000 };

/** The most spans that wait, and the most characters of them. Further ones are lost. */
const MOST = { spans: 2048, characters: 8 * 2 ** 20 };

/** How often a batch is sent. A Worker ends soon after its request. */
const MOST_TRIES = { process: 5, worker: 2 };

const WAITS_MS = { first: 1000, longest: 60_000 };

/** The longest time for a last flush. */
const FLUSH_MS = 5000;

/** The time between two lines about lost spans. */
const TELL_MS = 600_000;

/** The most bytes of a collector's answer that are read. */
const MOST_ANSWER = 2 ** 16;

/** Statuses after which the same batch is sent again. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The result of one request to the collector. */
type Outcome =
  | { kind: "taken" }
  | { kind: "refused in part"; count: number }
  | { kind: "too large" }
  | { kind: "failed"; why: string; afterMs?: number; isPassing: boolean };

/** Makes the exporter. It does nothing until it gets spans. */
export function otlpExporter(collector: Collector, means: Means): Exporter {
  const { wait, random } = means;
  const lose = lossTeller(collector.url, means);
  let queue: string[] = [];
  let characters = 0;
  let sending: Promise<void> | undefined;
  /** Ends waiting, for a last flush. */
  let hurry = new AbortController();
  let isDue = false;

  /** Sends a batch until the collector has taken it, or it is lost. */
  async function deliver(batch: readonly string[], tries: number): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const outcome = await post(batch, collector, means);
      if (outcome.kind === "taken") return;
      if (outcome.kind === "too large") {
        if (batch.length === 1) return lose(1, "it answered 413 to a single span");
        const half = batch.length >> 1;
        await deliver(batch.slice(0, half), tries);
        return await deliver(batch.slice(half), tries);
      }
      if (outcome.kind === "refused in part") return lose(outcome.count, "it refused them");
      const { why, isPassing, afterMs = random() * WAITS_MS.first * 2 ** (attempt - 1) } = outcome;
      if (!isPassing || attempt >= tries || hurry.signal.aborted) return lose(batch.length, why);
      // A last flush does not wait, and tries once more.
      await wait(Math.min(afterMs, WAITS_MS.longest), hurry.signal).catch(() => {});
    }
  }

  async function drain(): Promise<void> {
    do {
      const batch = queue.slice(0, BATCH.spans);
      queue = queue.slice(BATCH.spans);
      characters -= batch.reduce((sum, { length }) => sum + length, 0);
      if (batch.length > 0) await deliver(batch, MOST_TRIES.process);
    } while (queue.length >= BATCH.spans);
  }

  /** Sends batches, one after another. */
  function start(): Promise<void> {
    return sending ??= drain().finally(() => {
      sending = undefined;
      if (queue.length > 0) sendLater();
    });
  }

  function sendLater(): void {
    if (isDue) return;
    isDue = true;
    wait(BATCH.ms, hurry.signal).catch(() => {}).then(() => {
      isDue = false;
      if (queue.length > 0) return start();
    });
  }

  return {
    add(spans, context) {
      if (context || !IS_PROCESS) return keepAlive(deliver(spans, MOST_TRIES.worker), context);
      for (const span of spans) {
        if (queue.length >= MOST.spans || characters + span.length > MOST.characters) {
          lose(1, "it does not take them as fast as they come");
          continue;
        }
        queue.push(span);
        characters += span.length;
      }
      if (queue.length >= BATCH.spans) start();
      else sendLater();
    },
    async flush(ms = FLUSH_MS) {
      hurry.abort();
      const sent = (async () => {
        while (sending || queue.length > 0) await (sending ?? start());
      })();
      let limit: number | undefined;
      const late = new Promise((resolve) => limit = setTimeout(resolve, ms) as unknown as number);
      await Promise.race([sent, late]);
      clearTimeout(limit);
      if (queue.length > 0) lose(queue.length, "it did not take them before the end");
      queue = [];
      characters = 0;
      hurry = new AbortController();
    },
  };
}

/** Counts lost spans, and tells of them in one line for all of ten minutes. */
function lossTeller(url: string, { losses, warn, now }: Means): (count: number, why: string) => void {
  let untold = 0;
  const mayTell = atMostEvery(TELL_MS, now);
  return (count, why) => {
    losses.spans += count;
    untold += count;
    if (!mayTell()) return;
    warn(`${untold} ${untold === 1 ? "span was" : "spans were"} lost: ${shown(url)}: ${why}`);
    untold = 0;
  };
}

/** Sends one request. Never rejects. */
async function post(
  batch: readonly string[],
  { url, headers, resource, timeoutMs }: Collector,
  { send, now }: Means,
): Promise<Outcome> {
  const attributes = JSON.stringify(attributesOf(resource));
  const body = `{"resourceSpans":[{"resource":{"attributes":${attributes}},` +
    `"scopeSpans":[{"scope":{"name":"sluice"},"spans":[${batch.join(",")}]}]}]}`;
  try {
    const response = await send(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      // A collector may not send the spans, and the credential for it, to another host.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status } = response;
    if (response.ok) return await takenBy(response);
    response.body?.cancel().catch(() => {});
    if (status === 413) return { kind: "too large" };
    const afterMs = retryAfter(response.headers, now());
    return { kind: "failed", why: `it answered ${status}`, afterMs, isPassing: PASSING.has(status) };
  } catch (cause) {
    const isLate = (cause as Error)?.name === "TimeoutError";
    const why = isLate ? `it did not answer within ${timeoutMs} ms` : "it cannot be reached";
    return { kind: "failed", why, isPassing: true };
  }
}

/** What a collector tells that answered with a success: it may have refused some spans. */
async function takenBy({ body }: Response): Promise<Outcome> {
  if (!body) return { kind: "taken" };
  const bytes = await readAll(body, MOST_ANSWER, () => {}).catch(() => new Uint8Array());
  const told = parse(new TextDecoder().decode(bytes));
  const partial = isObject(told) ? told.partialSuccess : undefined;
  const count = isObject(partial) ? Number(partial.rejectedSpans ?? 0) : 0;
  return count > 0 ? { kind: "refused in part", count } : { kind: "taken" };
}
