/** What a token with a budget is billed for, where an answer does not end as it should. */
import { assert, assertEquals } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import type { Attempt } from "../../../gateway/policies/attempt.ts";
import { reserve } from "../../../gateway/policies/budgets.ts";
import type { TokenBudget } from "../../../gateway/policies/token_limits.ts";
import { calendarWindow, COUNTED_MS } from "../../../gateway/policies/windows.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { random } from "../../mutate.ts";
import { ask, before, chunk, clock, completion, events, post, refusal, ROOT, STREAM } from "../../fakes.ts";

const TOKEN = { authorization: "Bearer spending-token" };
const MODEL = "openai/gpt-4.1";
const DOLLAR: TokenBudget = { limitUsd: 1, window: "day" };

/** A token of an answer costs a cent, and one of a prompt a cent too. */
const PRICES: Options["prices"] = {
  [MODEL]: { input: 10_000, output: 10_000, priority: { output: 20_000 } },
};

function budgeted(answer: Parameters<typeof before>[0], more: Options = {}, token: object = {}) {
  const tokens = [{ token: "spending-token", budgets: [DOLLAR], ...token }];
  const keys = { openai: "sk-stored", anthropic: "sk-ant-stored" };
  const gateway = before(answer, { keys, tokens, prices: PRICES, ...clock().options, ...more });
  const spent = async (): Promise<number> => {
    const request = new Request("http://gateway.test/sluice/api/me", { headers: TOKEN });
    const { budgets: [{ spentUsd, heldUsd }] } = await (await gateway.fetch(request)).json();
    assertEquals(heldUsd, 0);
    return spentUsd;
  };
  return { ...gateway, spent };
}

/** A client that leaves after some events. */
async function leave(response: Response, events: number): Promise<void> {
  const reader = response.body!.getReader();
  for (let n = 0; n < events; n++) await reader.read();
  await reader.cancel();
}

const withUsage = (event: string, usage: object) =>
  `data: ${JSON.stringify({ ...JSON.parse(event.slice(6)), usage })}\n\n`;

const stream = (model = MODEL, more: object = {}) =>
  ask(model, TOKEN, { stream: true, max_tokens: 5, ...more });

Deno.test("a client that leaves is billed for its prompt as the provider has counted it, or else by the estimate", async () => {
  const hello = "x".repeat(40);
  for (
    const [usage, cents] of [
      [{ prompt_tokens: 30, completion_tokens: 0 }, 30 + 10],
      // Some count the answer first, and the prompt at the end.
      [{ prompt_tokens: 0, completion_tokens: 15 }, NaN],
    ] as const
  ) {
    const { fetch, spent } = budgeted(() =>
      events(withUsage(STREAM[0], usage), chunk({ content: hello }), new Promise(() => {}))
    );
    await leave(await fetch(stream()), 2);
    const bill = Math.round(100 * await spent());
    if (!Number.isNaN(cents)) assertEquals(bill, cents);
    // The estimate of the prompt is some tokens, and the answer has as many as were told.
    else assert(bill > 15 + 5 && bill < 15 + 60, `${bill}`);
  }
});

Deno.test("a client that leaves is not billed by the cost so far, but by its tokens", async () => {
  const told = withUsage(STREAM[0], { prompt_tokens: 10, completion_tokens: 20, cost: 0.001 });
  const begun = () => events(told, chunk({ content: "Hi" }), new Promise(() => {}));
  const { fetch, spent } = budgeted(begun);
  await leave(await fetch(stream()), 2);
  assertEquals(await spent(), 0.3);
  // Without a price the cost so far is all that is known.
  const { fetch: unpriced, spent: spentThere } = budgeted(begun, {}, { unknownPrice: "allow" });
  await leave(await unpriced(stream("openai/unknown")), 2);
  assertEquals(await spentThere(), 0.001);
});

Deno.test("a client that leaves before anything was sent is billed for nothing", async () => {
  let unsent = 0;
  // The client leaves at each look at the clock: one of them is that of the limits.
  for (let leavesAt = 1; leavesAt < 12; leavesAt++) {
    const left = new AbortController();
    let calls = 0;
    const { fetch, sent, spent } = budgeted(() => completion(), {
      now() {
        if (++calls === leavesAt) left.abort();
        return Date.UTC(2026, 10, 24);
      },
    });
    const response = await fetch(ask(MODEL, TOKEN, { max_tokens: 1 }, { signal: left.signal }));
    await response.text();
    if (sent.length > 0) continue;
    unsent++;
    assertEquals([response.status, await spent()], [499, 0], `${leavesAt}`);
  }
  assert(unsent > 0);
});

Deno.test("of several steps the dearest tier is held, whichever step has it", async () => {
  const step = (service_tier?: string) => ({
    ...{ provider: "openai", endpoint: "chat/completions", headers: {} },
    query: { model: "gpt-4.1", messages: [], max_tokens: 40, service_tier },
  });
  const send = async (steps: object[]) => {
    const { fetch } = budgeted(() => completion(), { prices: { [MODEL]: { ...PRICES![MODEL], input: 0 } } }, {
      budgets: [{ limitUsd: 0.5, window: "day" }],
    });
    const response = await fetch(post(ROOT, steps, { "cf-aig-authorization": "Bearer spending-token" }));
    await response.text();
    return response.status;
  };
  assertEquals(await send([step(), step()]), 200);
  assertEquals(await send([step("priority"), step()]), 429);
  assertEquals(await send([step(), step("priority")]), 429);
});

Deno.test("a request that a sum refuses by less than its rounding gets the error for a budget", async () => {
  const now = () => Date.UTC(2026, 10, 24);
  const attempt = {
    run: {
      config: { now, prices: { find: () => ({ cost: { input: 0, output: 10_000 } }) } },
      report: { sizes: { input: 0, mostOutput: 40, answers: 1 } },
    },
    step: { provider: "openai", model: "gpt-4.1" },
    others: [],
  } as unknown as Attempt;
  const reserved = reserve(attempt, { name: "team", budgets: [{ ...DOLLAR, technique: "sliding" }] })!;
  const refusal = (sum: number) => reserved.refusal([sum], memoryCounters(now));
  // 0.6 dollars are left for a request that may cost 0.4.
  assertEquals(await refusal(0.6e9 - 1), undefined);
  for (const sum of [0.6e9 - 1e-4, 0.6e9, 0.6e9 + 1e-4]) {
    assertEquals((await refusal(sum))?.details.number, 2045, `${sum}`);
  }
});

// ---------------------------------------------------------------- windows

const WINDOWS = ["hour", "day", "week", "month"] as const;

Deno.test("calendarWindow() leaves no gap between two windows, over leap days and turns of years", () => {
  const pick = random(5);
  const odd = [
    "2028-02-28T23:59:59.999Z",
    "2028-02-29T12:00:00Z",
    "2027-02-28T23:59:59.999Z",
    "2026-12-31T23:59:59.999Z",
  ];
  const times = [
    ...odd.map((text) => Date.parse(text)),
    ...Array.from({ length: 2000 }, () => Date.UTC(2000) + pick(80 * 366) * 86_400_000 + pick(86_400_000)),
  ];
  for (const now of times) {
    for (const window of WINDOWS) {
      const { at, leftMs, left } = calendarWindow(now, window);
      const place = `${window} at ${new Date(now).toISOString()}`;
      assert(leftMs > 0 && left > 0 && left <= 1, place);
      const last = calendarWindow(now + leftMs - 1, window), next = calendarWindow(now + leftMs, window);
      assertEquals([last.at, last.leftMs, next.at, next.left], [at, 1, at + 1, 1], place);
      // A sum is kept until the window after it is over.
      assert(leftMs + next.leftMs <= COUNTED_MS[window], place);
    }
  }
});

Deno.test("calendarWindow() begins weeks on Monday, and months with their first day, by UTC", () => {
  const starts = (now: string, window: TokenBudget["window"]) =>
    new Date(Date.parse(now) + calendarWindow(Date.parse(now), window).leftMs).toISOString().slice(0, 16);
  // 2027 begins on a Friday, 2029 on a Monday.
  assertEquals(starts("2026-12-31T23:59:59Z", "week"), "2027-01-04T00:00");
  assertEquals(starts("2028-12-31T23:59:59Z", "week"), "2029-01-01T00:00");
  assertEquals(starts("2028-02-29T23:59:59Z", "day"), "2028-03-01T00:00");
  assertEquals(starts("2028-02-28T23:59:59Z", "day"), "2028-02-29T00:00");
  assertEquals(starts("2100-02-28T00:00:00Z", "month"), "2100-03-01T00:00");
  // Where clocks are put back for winter, no hour is there twice.
  assertEquals(starts("2026-10-25T00:30:00Z", "hour"), "2026-10-25T01:00");
});

Deno.test("a request that the provider refuses, or that fails, is not billed for its prompt", async () => {
  for (const status of [0, 400, 500]) {
    const { fetch, sent, spent } = budgeted(() => {
      if (status === 0) throw new TypeError("no route");
      return refusal(status);
    });
    const response = await fetch(ask(MODEL, TOKEN, { max_tokens: 5 }));
    await response.text();
    assertEquals([response.ok, sent.length, await spent()], [false, 1, 0], `${status}`);
  }
});
