import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type Attempt,
  firstAttempt,
  type Policy,
  type Run,
  type Step,
} from "../../../gateway/policies/attempt.ts";
import { chain, POLICIES } from "../../../gateway/policies/chain.ts";
import { DEFAULTS, type PolicySettings } from "../../../gateway/policies/settings.ts";
import type { AnswerFormat, Delta } from "../../../wires/types.ts";
import { sharedCounters } from "../../../gateway/policies/shared_counters.ts";
import { memoryCounters } from "../../../gateway/stores/counters.ts";
import { before, clock, events, post, ROOT } from "../../fakes.ts";

function run(): Run {
  const { options } = clock();
  const counters = sharedCounters({
    counters: memoryCounters(options.now),
    now: options.now,
    timer: options.now,
    warn() {},
    outage: { allowed: 0, refused: 0, lost: 0 },
  });
  const config = {
    ...options,
    timer: options.now,
    limits: { maxHeldBytes: 1000 },
    counters,
    prices: { find: () => undefined },
  };
  const report = { step: 0, waitedMs: 0, retries: 0, tries: 0, heldBytes: 0, listened: false };
  return { signal: new AbortController().signal, headers: new Headers(), config, report, caller: {} };
}

const step = (provider: string, send: Step["send"], settings: Partial<PolicySettings> = {}): Step => ({
  provider,
  settings: { ...DEFAULTS, ...settings },
  format: undefined,
  mask: (error) => error,
  send,
});

Deno.test("chain() passes the common attempt on unchanged: the same attempt, the same promise", () => {
  const seen: Attempt[] = [];
  const answer = Promise.resolve(new Response());
  const send = chain();
  const attempt = firstAttempt(
    step("openai", (attempt) => {
      seen.push(attempt);
      return answer;
    }),
    run(),
  );
  assertStrictEquals(send(attempt), answer);
  assertEquals(seen.length, 1);
  assertStrictEquals(seen[0], attempt);
});

Deno.test("chain() runs its policies from the first to the last, each around the next", async () => {
  const order: string[] = [];
  const named = (name: string): Policy => (next) => async (attempt) => {
    order.push(name);
    const answer = await next(attempt);
    order.push(`/${name}`);
    return answer;
  };
  const send = chain([named("a"), named("b")], () => Promise.resolve(new Response()));
  await send(firstAttempt(step("openai", () => Promise.reject()), run()));
  assertEquals(order, ["a", "b", "/b", "/a"]);
});

Deno.test("all requests share the state of a policy", async () => {
  let asked = 0;
  /** Keeps the first good answer of each provider. */
  const cache: Policy = (next) => {
    const kept = new Map<string, Response>();
    return async (attempt) => {
      const { provider } = attempt.step;
      const found = kept.get(provider);
      if (found) return found.clone();
      const answer = await next(attempt);
      if (answer.ok) kept.set(provider, answer.clone());
      return answer;
    };
  };
  const send = chain([cache, ...POLICIES]);
  const flaky = step(
    "openai",
    () => Promise.resolve(new Response("hi", { status: ++asked === 1 ? 503 : 200 })),
    {
      maxAttempts: 2,
    },
  );
  for (let request = 0; request < 3; request++) {
    assertEquals(await (await send(firstAttempt(flaky, run()))).text(), "hi");
  }
  assertEquals(asked, 2);
});

Deno.test("each attempt knows whether another one can follow, and whether somebody waits for its beginning", async () => {
  const seen: unknown[] = [];
  const failing = (provider: string, settings: Partial<PolicySettings>) =>
    step(provider, ({ last, index, begun, onFirst }) => {
      seen.push([provider, index, last, begun !== undefined, onFirst !== undefined]);
      return Promise.resolve(new Response(null, { status: 503 }));
    }, settings);
  const two = { maxAttempts: 2, requestTimeoutMs: 1000 };
  const answer = await chain()(firstAttempt(failing("a", two), run(), [failing("b", two)]));
  assertEquals(answer.status, 503);
  assertEquals(seen, [
    ["a", 0, false, true, true],
    ["a", 0, false, true, true],
    ["b", 1, false, true, true],
    ["b", 1, true, false, false],
  ]);
});

const CLAUDE = (text: string) =>
  [
    {
      type: "message_start",
      message: { id: "m", role: "assistant", content: [], usage: { input_tokens: 1 } },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
  ].map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);

Deno.test("a translated stream begins with its first content, though chunks were written before it", async () => {
  const steps = (cutAt: number) =>
    before((_, at) =>
      at === 0 ? events(...CLAUDE("Hi").slice(0, cutAt), new TypeError("reset")) : events(...CLAUDE("Hallo"))
    );
  const ask = (model: string) => ({
    provider: "compat",
    endpoint: "chat/completions",
    query: { model, stream: true, messages: [{ role: "user", content: "Hi" }] },
  });
  for (const cutAt of [1, 2, 3]) {
    const { fetch, sent } = steps(cutAt);
    const answer = await fetch(post(ROOT, [ask("anthropic/claude"), ask("anthropic/claude")]));
    const text = await answer.text();
    // If it breaks off before content, the next step answers. After content, the client sees the failure.
    assertEquals(
      [sent.length, answer.headers.get("cf-aig-step")],
      cutAt < 3 ? [2, "1"] : [1, "0"],
      `${cutAt}`,
    );
    assert(text.includes(cutAt < 3 ? '"Hallo"' : '"Hi"'), text);
  }
});

Deno.test("bytes that a reader has already turned into deltas are not read again", async () => {
  const format: AnswerFormat = {
    readStream() {
      throw new Error("read again");
    },
    readAnswer() {},
    readError: (_, body) => ({ message: `${body}` }),
  };
  const answering = (told: Delta) => ({
    ...step("anthropic", ({ begun }) => {
      begun?.delta(told);
      return Promise.resolve(events("data: {}\n\n", ""));
    }),
    format,
  });
  const text = answering({ type: "text", choice: 0, text: "Hi" });
  const failed = answering({ type: "error", error: { message: "overloaded" } });
  const first = run();
  assertEquals((await chain()(firstAttempt(text, first, [failed]))).status, 200);
  assertEquals(first.report.step, 0);
  const second = run();
  assertEquals((await chain()(firstAttempt(failed, second, [text]))).status, 200);
  assertEquals(second.report.step, 1);
});
