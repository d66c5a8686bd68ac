/** Times what gateways ask of counters: to admit a request of a token, and to settle it. It runs on any runtime. */
import type { Addition, Counters, Rule } from "../gateway/stores/counters.ts";

/** How counters are used. */
export interface Load {
  /** Requests in all, and those that run at any time. */
  requests: number;
  atOnce: number;
  /** Gateway tokens that they are spread over. */
  tokens: number;
}

/** What was measured. */
export interface Measured extends Load {
  /** Requests that were admitted, and as many as the limits allow. */
  admitted: number;
  allowed: number;
  failed: number;
  /** Calls in a second. */
  perSecond: number;
  /** Milliseconds of a call: the middle one, and one of a hundred. */
  median: number;
  late: number;
}

/** The share of the requests that the limits allow. */
const ALLOWED = 0.8;

const TTL = 3_600_000;

/**
 * Admits and settles requests, each with a limit of requests, of those at once, and a budget, as `policies/limit.ts` does.
 *
 * @param instances The counters of each gateway. They take turns.
 */
export async function takes(
  instances: readonly Counters[],
  { requests, atOnce, tokens }: Load,
): Promise<Measured> {
  const run = crypto.randomUUID();
  const most = Math.floor(ALLOWED * requests / tokens);
  const times: number[] = [];
  let admitted = 0, failed = 0, next = 0;

  async function take(at: number, additions: Addition[], rules: Rule[]): Promise<boolean> {
    const from = performance.now();
    try {
      return (await instances[at % instances.length].take(additions, rules)).ok;
    } catch {
      failed++;
      return false;
    } finally {
      times.push(performance.now() - from);
    }
  }

  async function send(at: number): Promise<void> {
    const name = (kind: string) => `${kind}:${run}-${at % tokens}:1`;
    const add = (kind: string, amount: number) => ({ key: name(kind), amount, ttlMs: TTL });
    const of = (...kinds: string[]) => kinds.map((kind) => ({ key: name(kind), weight: 1 }));
    const isAdmitted = await take(at, [add("rpm", 1), add("open", 1), add("held", 5e6)], [
      { limit: most, of: [...of("rpm"), { key: `${name("rpm")}0`, weight: 0.5 }] },
      { limit: 1e6, of: of("open") },
      { limit: 1e15, of: of("spent", "held") },
    ]);
    if (!isAdmitted) return;
    admitted++;
    await take(at, [add("open", -1), add("held", -5e6), add("spent", 3e6)], []);
  }

  const started = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < requests) await send(next++);
  }));
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  return {
    requests,
    atOnce,
    tokens,
    admitted,
    allowed: most * tokens,
    failed,
    perSecond: times.length / seconds,
    median: times[times.length >> 1],
    late: times[Math.floor(times.length * 0.99)],
  };
}
