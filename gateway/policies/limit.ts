/** Limits how much each gateway token may ask for. */
import { GatewayError } from "../../wires/errors.ts";
import type { Addition, Counters, Rule, Taken } from "../stores/counters.ts";
import type { Attempt, Policy } from "./attempt.ts";
import { reserve } from "./budgets.ts";
import type { SharedCounters } from "./shared_counters.ts";
import {
  CHARS_PER_TOKEN,
  holdersOf,
  type Metered,
  type Metering,
  type TokenLimits,
  whoseOf,
} from "./token_limits.ts";
import { HELD_MS, heldAt, MINUTE_MS, type Window, windowOf } from "./windows.ts";
import { answerTokens, promptTokens } from "../../wires/shared/usage.ts";

/**
 * Admits the requests of tokens with limits or budgets. A request counts once, whatever is tried for it.
 *
 * The sums of a minute slide: they are those of the current minute and of the part of the minute before it that is less than
 * 60 s ago, as if its requests had come evenly.
 */
export const limit: Policy = (next) => {
  async function admitted(attempt: Attempt, metered: Metered): Promise<Response> {
    const { config, report, signal } = attempt.run;
    if (metered.fault) throw metered.fault;
    const now = config.now();
    const held = holdersOf(metered).map((holder) => rulesFor(holder, now));
    const rules = held.flatMap(({ rules }) => rules), [{ minute }] = held;
    const reserved = reserve(attempt, metered);
    const taken = await countsOf(
      config.counters,
      [
        ...held.map(({ keys }) => ({ key: keys.rpm, amount: 1, ttlMs: 2 * MINUTE_MS })),
        ...held.map(({ keys }) => ({ key: keys.open, amount: 1, ttlMs: 2 * HELD_MS })),
        ...reserved?.additions ?? [],
      ],
      [...rules, ...reserved?.rules ?? []],
      (reserved?.rules.length ?? 0) > 0,
    );
    const told = taken ? headersOf(rules, taken.sums, minute) : [];
    if (taken && !taken.ok) {
      const overBudget = await reserved?.refusal(taken.sums.slice(rules.length), config.counters);
      if (overBudget) report.limitedBy = "budget";
      throw overBudget ?? await refusal(rules, taken.sums, told, minute, attempt.run);
    }
    let status = 0;
    const { heldBytes } = report;
    report.settle = (seen) => {
      const isAnswered = status > 0 && status < 400;
      const tokens = seen && isAnswered ? tokensIn(seen, heldBytes) : 0;
      const additions = taken
        ? held.map(({ keys }) => ({ key: keys.open, amount: -1, ttlMs: 2 * HELD_MS }))
        : [];
      if (tokens > 0) {
        for (const { keys } of held) additions.push({ key: keys.tpm, amount: tokens, ttlMs: 2 * MINUTE_MS });
      }
      // If the client leaves before its answer begins, the provider has its prompt.
      const isLeft = status === 0 && signal.aborted && report.tries > 0;
      const { spent = [], freed } = reserved?.settled(seen, isAnswered || isLeft) ?? {};
      return config.counters.settle([...additions, ...spent], freed);
    };
    // The client may have left while a store was asked. Nothing is sent then, and nothing is billed.
    signal.throwIfAborted();
    const response = await next(attempt);
    status = response.status;
    for (const [header, value] of told) response.headers.set(header, value);
    return response;
  }
  return (attempt) => {
    const { metered } = attempt.run.caller;
    return metered ? admitted(attempt, metered) : next(attempt);
  };
};

/**
 * Counts a request.
 *
 * @returns `undefined` if the store fails and no budget asks: then its limits hold nobody back.
 * @throws GatewayError `store_unavailable` if the store fails and a budget asks: nobody knows what is left of it.
 */
async function countsOf(
  counters: SharedCounters,
  additions: readonly Addition[],
  rules: readonly Rule[],
  hasBudget: boolean,
): Promise<Taken | undefined> {
  try {
    return await counters.take(additions, rules);
  } catch (cause) {
    if (!(cause instanceof GatewayError) || cause.code !== "store_unavailable") throw cause;
    counters.without(hasBudget ? "refused" : "allowed");
    if (hasBudget) throw cause;
  }
}

/** A rule, and the limit that it is for. */
interface Named extends Rule {
  kind: keyof TokenLimits;
  holder: Metered;
}

/** The rules of a token's limits at a time, and the counters that a request adds to. */
export function rulesFor(
  holder: Metered,
  now: number,
): { rules: Named[]; minute: Window; keys: Record<keyof TokenLimits, string> } {
  const { name, limits = {} } = holder;
  const minute = windowOf(now, MINUTE_MS), held = windowOf(now, HELD_MS);
  const keyOf = (kind: string, at: number) => `${kind}:${name}:${at}`;
  const keys = {
    rpm: keyOf("rpm", minute.at),
    tpm: keyOf("tpm", minute.at),
    open: keyOf("open", held.at),
  };
  const sliding = (kind: "rpm" | "tpm") => [
    { key: keys[kind], weight: 1 },
    { key: keyOf(kind, minute.at - 1), weight: minute.left },
  ];
  const rules: Named[] = [];
  if (limits.rpm !== undefined) rules.push({ kind: "rpm", holder, limit: limits.rpm, of: sliding("rpm") });
  // What an answer takes is known when it ends: a request is admitted as long as a token is left.
  if (limits.tpm !== undefined) {
    rules.push({ kind: "tpm", holder, limit: limits.tpm - 1, of: sliding("tpm") });
  }
  if (limits.open !== undefined) {
    const of = heldAt(held.at, (at) => keyOf("open", at));
    rules.push({ kind: "open", holder, limit: limits.open, of });
  }
  return { rules, minute, keys };
}

/** The most bytes of a request in an estimate: longer ones hold pictures or files. */
const MOST_TEXT_BYTES = 400_000;

/** The tokens of a request and its answer. If the provider did not tell them, they are estimated. */
function tokensIn({ usage, chars }: Metering, requestBytes: number): number {
  if (!usage) return Math.ceil((Math.min(requestBytes, MOST_TEXT_BYTES) + chars) / CHARS_PER_TOKEN);
  return promptTokens(usage) + answerTokens(usage);
}

/**
 * The headers that tell a client its limits by the minute, and what is left of them. `x-ratelimit-*` are the provider's.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 (2025-09)
 */
function headersOf(
  rules: readonly Named[],
  sums: readonly number[],
  { leftMs }: Window,
): [name: string, value: string][] {
  const policies: string[] = [], left: string[] = [];
  for (const [at, { kind, holder: { limits, prefix = "" } }] of rules.entries()) {
    if (kind === "open") continue;
    const most = limits![kind]!;
    policies.push(`"${prefix}${kind}";q=${most};w=${MINUTE_MS / 1000}`);
    left.push(
      `"${prefix}${kind}";r=${Math.max(0, Math.floor(most - sums[at]))};t=${Math.ceil(leftMs / 1000)}`,
    );
  }
  return policies.length === 0
    ? []
    : [["ratelimit-policy", policies.join(", ")], ["ratelimit", left.join(", ")]];
}

const SAYS: Readonly<Record<keyof TokenLimits, (most: number) => string>> = {
  rpm: (most) => `may send ${most} requests in a minute`,
  tpm: (most) => `may use ${most} tokens in a minute`,
  open: (most) => `may have ${most} requests at once`,
};

/** The error for a request over a limit: over the one that it must wait for longest. */
async function refusal(
  rules: readonly Named[],
  sums: readonly number[],
  told: readonly [string, string][],
  minute: Window,
  { config: { counters }, report }: Attempt["run"],
): Promise<GatewayError> {
  let worst: { kind: keyof TokenLimits; holder: Metered; most: number; waitMs: number } | undefined;
  for (const [at, { kind, holder, limit, of }] of rules.entries()) {
    // Nothing was added, so these are the sums before the request. It may add 1, or nothing to the tokens.
    const room = kind === "tpm" ? limit : limit - 1;
    if (sums[at] <= room) continue;
    const waitMs = kind === "open" ? 1000 : await untilRoom(of, room, minute, counters);
    if (worst && waitMs <= worst.waitMs) continue;
    worst = { kind, holder, most: kind === "tpm" ? limit + 1 : limit, waitMs };
  }
  if (!worst) {
    report.limitedBy = "rpm";
    return new GatewayError(
      "rate_limited",
      "Cannot serve the request: its gateway token has just reached one of its limits; try again in 1 s",
      { headers: { "retry-after": "1", ...Object.fromEntries(told) } },
    );
  }
  const { kind, holder, most, waitMs } = worst;
  report.limitedBy = kind;
  return new GatewayError(
    "rate_limited",
    `Cannot serve the request: ${whoseOf(holder)} ${SAYS[kind](most)}; try again in ${
      Math.ceil(waitMs / 1000)
    } s`,
    { headers: { "retry-after": `${Math.ceil(waitMs / 1000)}`, ...Object.fromEntries(told) } },
  );
}

/** Milliseconds until a sliding sum has fallen to `room`, if nothing is added. */
async function untilRoom(
  [current, before]: Rule["of"],
  room: number,
  { leftMs }: Window,
  counters: Counters,
): Promise<number> {
  const alone = [current, before].map(({ key }) => ({ limit: Infinity, of: [{ key, weight: 1 }] }));
  const { sums: [now, then] } = await counters.take([], alone);
  // In this minute only the part of the minute before it falls.
  if (now <= room) return leftMs - (room - now) / then * MINUTE_MS;
  // In the next one the present minute falls.
  return leftMs + (1 - room / now) * MINUTE_MS;
}
