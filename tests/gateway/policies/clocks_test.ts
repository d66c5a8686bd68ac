/** Several machines on one store, whose clocks are apart. Each goes by its own. */
import { assert, assertEquals } from "@std/assert";
import { additionsTo, limitsAt } from "../../../gateway/policies/limit_rules.ts";
import type { Attempt } from "../../../gateway/policies/attempt.ts";
import { reserve } from "../../../gateway/policies/budgets.ts";
import { HELD_MS, MINUTE_MS } from "../../../gateway/policies/windows.ts";
import { type Counter, memoryCounters } from "../../../gateway/stores/counters.ts";
import { random } from "../../mutate.ts";

const NOON = Date.UTC(2026, 10, 24, 12);

/** Machines that share counters. `aheadMs` tells how far the clock of each is ahead. */
function machines(...aheadMs: number[]) {
  const shared = new Map<string, Counter>();
  let now = NOON;
  return {
    pass: (ms: number) => void (now += ms),
    at: () => now,
    each: aheadMs.map((ahead) => ({
      now: () => now + ahead,
      counters: memoryCounters(() => now + ahead, shared),
    })),
  };
}

for (const skew of [0, 1000, MINUTE_MS]) {
  Deno.test(`requests of machines ${skew} ms apart together pass a limit of the minute by as much again at most`, async () => {
    const pick = random(skew + 1);
    const { each, pass, at } = machines(0, skew);
    const metered = { name: "team", limits: { rpm: 100 } };
    const admitted: number[] = [];
    for (let n = 0; n < 5000; n++) {
      pass(pick(200));
      const { now, counters } = each[pick(2)];
      const limits = limitsAt(metered, now());
      const { ok } = await counters.take(additionsTo(limits, "requests", 1), limits);
      if (ok) admitted.push(at());
    }
    // The sum that slides is an estimate: it lets half as many more pass if requests do not come evenly. A machine does not see
    // what another has counted in the minute after its own.
    for (const [first, time] of admitted.entries()) {
      const within = admitted.filter((other, place) => place >= first && other < time + MINUTE_MS).length;
      assert(within <= (skew < MINUTE_MS ? 150 : 200), `${within} in the minute from ${time - NOON} ms`);
    }
    assert(admitted.length > 400, `${admitted.length}`);
  });

  Deno.test(`holds of machines ${skew} ms apart pass a budget at no time together`, async () => {
    const pick = random(skew + 7);
    const { each, pass, at } = machines(0, skew);
    const budgets = [{ limitUsd: 1, window: "day" as const }];
    /** A request that may cost ten cents. */
    const attemptAt = (now: () => number) => ({
      run: {
        config: { now, prices: { find: () => ({ cost: { input: 0, output: 10_000 } }) } },
        report: { sizes: { input: 0, mostOutput: 10, answers: 1 } },
      },
      step: { provider: "openai", model: "gpt-4.1" },
      others: [],
    } as unknown as Attempt);
    const running: { began: number; end: () => unknown }[] = [];
    let most = 0;
    for (let n = 0; n < 3000; n++) {
      pass(pick(HELD_MS / 30));
      // No request runs for longer than a window.
      while (running.length > 0 && (at() - running[0].began > HELD_MS / 2 || pick(4) === 0)) {
        await running.shift()!.end();
      }
      const { now, counters } = each[pick(2)];
      const reserved = reserve(attemptAt(now), { name: "team", budgets })!;
      const { ok } = await counters.take(reserved.additions, reserved.rules);
      if (ok) {
        running.push({
          began: at(),
          end: () => counters.take(reserved.settled(undefined, false).freed),
        });
      }
      most = Math.max(most, running.length);
    }
    assertEquals(most, 10);
  });
}
