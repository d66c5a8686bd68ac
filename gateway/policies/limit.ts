/** Limits how much each gateway token, each team and each gateway may ask for. */
import { GatewayError } from "../../wires/errors.ts";
import { answerTokens, promptTokens } from "../../wires/shared/usage.ts";
import type { Addition, Counters, Rule, Taken } from "../stores/counters.ts";
import type { Attempt, Policy, Run } from "./attempt.ts";
import { reserve } from "./budgets.ts";
import { additionsTo, type Limit, type LimitNow, limitsFor } from "./limit_rules.ts";
import { isFor, modelOf } from "./scope.ts";
import type { SharedCounters } from "./shared_counters.ts";
import { CHARS_PER_TOKEN, type Metered, type Metering, whoseOf } from "./token_limits.ts";

/**
 * Admits the requests of tokens with limits or budgets. A request counts once, whatever is tried for it: at each limit for a
 * model that it may come to.
 *
 * Sums that slide are those of the current window and of the part of the window before it that is less than one window ago, as
 * if its requests had come evenly.
 */
export const limit: Policy = (next) => {
  async function admitted(attempt: Attempt, metered: Metered): Promise<Response> {
    const { config, report, signal } = attempt.run;
    if (metered.fault) throw metered.fault;
    const limits = limitsFor(metered, attempt);
    const reserved = reserve(attempt, metered);
    const taken = await countsOf(
      config.counters,
      [
        ...additionsTo(limits, "requests", 1),
        ...additionsTo(limits, "open", 1),
        ...reserved?.additions ?? [],
      ],
      [...limits, ...reserved?.rules ?? []],
      (reserved?.rules.length ?? 0) > 0,
    );
    const told = taken ? headersOf(limits, taken.sums) : [];
    if (taken && !taken.ok) {
      const overBudget = await reserved?.refusal(taken.sums.slice(limits.length), config.counters);
      if (overBudget) report.limitedBy = "budget";
      throw overBudget ?? await refusal(limits, taken.sums, told, attempt.run);
    }
    let status = 0;
    const { heldBytes } = report;
    report.settle = (seen) => {
      const isAnswered = status > 0 && status < 400;
      const tokens = seen && isAnswered ? tokensIn(seen, heldBytes) : 0;
      const additions = taken ? additionsTo(limits, "open", -1) : [];
      if (tokens > 0) additions.push(...additionsTo(answeredBy(limits, attempt), "tokens", tokens));
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

/** Those of the limits that are for the model that has answered. */
function answeredBy(limits: readonly LimitNow[], { step, others, run }: Attempt): LimitNow[] {
  const { report } = run;
  const { costs } = [step, ...others][report.step] ?? {};
  const model = modelOf({ model: report.model, costs }, run);
  return limits.filter(({ about }) => isFor(about, report.provider ?? "", model));
}

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

/** The most bytes of a request in an estimate: longer ones hold pictures or files. */
const MOST_TEXT_BYTES = 400_000;

/** The tokens of a request and its answer. If the provider did not tell them, they are estimated. */
function tokensIn({ usage, chars }: Metering, requestBytes: number): number {
  if (!usage) return Math.ceil((Math.min(requestBytes, MOST_TEXT_BYTES) + chars) / CHARS_PER_TOKEN);
  return promptTokens(usage) + answerTokens(usage);
}

/**
 * The headers that tell a client its limits by time, and what is left of them. `x-ratelimit-*` are the provider's.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 (2025-09)
 */
function headersOf(limits: readonly LimitNow[], sums: readonly number[]): [name: string, value: string][] {
  const policies: string[] = [], left: string[] = [];
  for (
    const [at, { about: { name, counts, most, windowMs }, holder: { prefix = "" }, window }] of limits
      .entries()
  ) {
    if (counts === "open") continue;
    policies.push(`"${prefix}${name}";q=${most};w=${windowMs / 1000}`);
    left.push(
      `"${prefix}${name}";r=${Math.max(0, Math.floor(most - sums[at]))};t=${Math.ceil(window.leftMs / 1000)}`,
    );
  }
  return policies.length === 0
    ? []
    : [["ratelimit-policy", policies.join(", ")], ["ratelimit", left.join(", ")]];
}

const WINDOWS: ReadonlyMap<number, string> = new Map([
  [60_000, "a minute"],
  [3_600_000, "an hour"],
  [86_400_000, "a day"],
]);

const SAYS: Readonly<Record<Limit["counts"], (most: number, window: string) => string>> = {
  requests: (most, window) => `may send ${most} requests in ${window}`,
  tokens: (most, window) => `may use ${most} tokens in ${window}`,
  open: (most) => `may have ${most} requests at once`,
};

/** What a limit allows, in words. */
function allows({ counts, most, windowMs, models, providers }: Limit): string {
  const of = [...models ?? [], ...providers ?? []].join(", ");
  return SAYS[counts](most, WINDOWS.get(windowMs) ?? `${windowMs / 1000} s`) + (of && ` for ${of}`);
}

/** The error for a request over a limit: over the one that it must wait for longest. */
async function refusal(
  limits: readonly LimitNow[],
  sums: readonly number[],
  told: readonly [string, string][],
  { config: { counters }, report }: Run,
): Promise<GatewayError> {
  let worst: { about: Limit; holder: Metered; waitMs: number } | undefined;
  for (const [at, now] of limits.entries()) {
    const { about, holder, limit } = now;
    // Nothing was added, so these are the sums before the request. It may add 1, or nothing to the tokens.
    const room = about.counts === "tokens" ? limit : limit - 1;
    if (sums[at] <= room) continue;
    const waitMs = about.counts === "open" ? 1000 : await untilRoom(now, room, counters);
    if (!worst || waitMs > worst.waitMs) worst = { about, holder, waitMs };
  }
  const seconds = worst ? Math.ceil(worst.waitMs / 1000) : 1;
  const reason = worst
    ? `${whoseOf(worst.holder)} ${allows(worst.about)}`
    : "its gateway token has just reached one of its limits";
  report.limitedBy = worst?.about.name.split("-")[0] ?? "rpm";
  return new GatewayError(
    "rate_limited",
    `Cannot serve the request: ${reason}; try again in ${seconds} s`,
    { headers: { "retry-after": `${seconds}`, ...Object.fromEntries(told) } },
  );
}

/** Milliseconds until a sum has fallen to `room`, if nothing is added. */
async function untilRoom(
  { of: [current, before], about: { windowMs }, window: { leftMs } }: LimitNow,
  room: number,
  counters: Counters,
): Promise<number> {
  if (!before) return leftMs;
  const alone = [current, before].map(({ key }) => ({ limit: Infinity, of: [{ key, weight: 1 }] }));
  const { sums: [now, then] } = await counters.take([], alone);
  // In this window only the part of the window before it falls.
  if (now <= room) return leftMs - (room - now) / then * windowMs;
  // In the next one the present window falls.
  return leftMs + (1 - room / now) * windowMs;
}
