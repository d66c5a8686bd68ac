/** Fifty gateways on one store of counters that is slow and fails. No limit and no budget may be passed. */
import { assert, assertEquals } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { type Counters, memoryCounters } from "../../../gateway/stores/counters.ts";
import { ask, chunk } from "../../fakes.ts";

const GATEWAYS = 50, AT_ONCE = 60;
const LIMITS = { rpm: 100, open: 30 };
const MOST_CENTS = 500;
const MODEL = "openai/gpt-4.1";
/** A token of an answer costs a cent. */
const PRICES = { [MODEL]: { input: 0, output: 10_000 } };
const NOON = Date.UTC(2026, 10, 24, 12);
const MINUTE = 60_000;

/** Numbers from 0 to 1 that depend only on the seed. */
const numbers = (seed: number) => () => (seed = seed * 48271 % 0x7fffffff) / 0x7fffffff;

/** What a client does: it reads its answer, leaves in the middle of it, or its gateway's process is killed. */
type End = "reads" | "leaves" | "is killed";

/**
 * Gateways on one store. Time is virtual, and nothing waits for a timer, so a seed gives the same run each time.
 *
 * @param failing The share of calls of the store that fail: half of them before they were counted, half after.
 */
function room(seed: number, failing: number) {
  const random = numbers(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const turns = async () => {
    for (let left = upTo(12); left > 0; left--) await Promise.resolve();
  };
  const time = { now: NOON };
  const store = { failing };
  const engine = memoryCounters(() => time.now);
  const counters: Counters = {
    async take(additions, rules) {
      await turns();
      const fails = random() < store.failing, isBefore = random() < 0.5;
      if (fails && isBefore) throw new Error("the store cannot be reached");
      const taken = await engine.take(additions, rules);
      await turns();
      if (fails) throw new Error("the answer of the store was lost");
      return taken;
    },
  };
  /** What providers saw: cents that they bill, those of killed gateways among them, requests by minute, and those at once. */
  const seen = { cents: 0, lostCents: 0, byMinute: new Map<number, number>(), open: 0, mostOpen: 0 };
  const statuses: Record<number, number> = {};
  /** Streams of gateways whose process was killed. */
  const killed: ReadableStream[] = [];

  /** Streams as many tokens as `max_tokens` allows, and tells them at the end. */
  async function provide(minute: number, { body }: RequestInit): Promise<Response> {
    const { max_tokens: tokens, user } = JSON.parse(await new Response(body).text());
    seen.byMinute.set(minute, (seen.byMinute.get(minute) ?? 0) + 1);
    seen.mostOpen = Math.max(seen.mostOpen, ++seen.open);
    await turns();
    let sent = 0;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (sent++ < tokens) {
          seen.cents++;
          if (user === "is killed") seen.lostCents++;
          return controller.enqueue(encode(chunk({ content: "word" })));
        }
        const usage = { prompt_tokens: 0, completion_tokens: tokens };
        controller.enqueue(
          encode(`${chunk({}, "stop")}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`),
        );
        seen.open--;
        controller.close();
      },
      cancel: () => void seen.open--,
    }, { highWaterMark: 0 });
    return new Response(stream, { headers: { "content-type": "text/event-stream" } });
  }

  const gateways = Array.from({ length: GATEWAYS }, () => {
    // Their clocks differ by up to a second.
    const skew = upTo(1000);
    const now = () => time.now + skew;
    const budgets = [{ limitUsd: MOST_CENTS / 100, window: "day" as const }];
    return createGateway({
      now,
      random,
      store: { counters },
      keys: { openai: "sk-stored" },
      prices: PRICES,
      tokens: [
        { token: "shared-token", name: "team", limits: LIMITS, budgets },
        { token: "other-token", name: "other", limits: { rpm: 1_000_000 } },
      ],
      fetch: (_, init) => provide(Math.floor(now() / MINUTE), init),
    });
  });

  async function send(tokens: number, end: End = "reads"): Promise<number> {
    await turns();
    const { fetch } = gateways[upTo(GATEWAYS - 1)];
    const headers = { authorization: "Bearer shared-token" };
    const response = await fetch(ask(MODEL, headers, { max_tokens: tokens, stream: true, user: end }));
    const { status, body } = response;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== 200 || end === "reads") await response.text();
    else {
      const reader = body!.getReader();
      await reader.read();
      if (end === "leaves") await reader.cancel();
      else {
        reader.releaseLock();
        killed.push(body!);
      }
    }
    return status;
  }

  return {
    send,
    seen,
    store,
    statuses,
    pass: (ms: number) => void (time.now += ms),
    /** Requests at once, again and again. */
    async run(rounds: number) {
      for (let round = 0; round < rounds; round++) {
        time.now += upTo(20_000);
        const ends: End[] = ["is killed", "leaves"];
        await Promise.all(Array.from({ length: AT_ONCE }, () => send(1 + upTo(9), ends[upTo(9)])));
      }
    },
    /** The store works again, and each gateway tells it what has waited: it does so behind the next request that it counts. */
    async mend() {
      store.failing = 0;
      for (const { fetch } of gateways) {
        await (await fetch(ask("demo/echo", { authorization: "Bearer other-token" }))).text();
      }
    },
    /** Lets go of what killed processes have left. It is not counted. */
    async close() {
      store.failing = 1;
      for (const stream of killed) await stream.cancel();
    },
  };
}

const encoder = new TextEncoder();
const encode = (text: string) => encoder.encode(text);

Deno.test("fifty gateways on one slow store pass no limit and no budget, and what is left can be spent", async () => {
  for (const seed of [1, 2]) {
    const { run, seen, statuses, pass, send, close } = room(seed, 0);
    await run(8);
    assert(seen.cents > MOST_CENTS / 2 && seen.cents <= MOST_CENTS, `seed ${seed}: ${seen.cents} cents`);
    assert(seen.mostOpen <= LIMITS.open, `seed ${seed}: ${seen.mostOpen} at once`);
    for (const [minute, count] of seen.byMinute) assert(count <= LIMITS.rpm, `${count} in ${minute}`);
    assertEquals(Object.keys(statuses), ["200", "429"]);
    // What was held for gateways that were killed is free again, and can be spent to the last cent.
    pass(31 * MINUTE);
    while (await send(20) === 200) pass(MINUTE);
    while (await send(1) === 200) pass(MINUTE);
    // A client that leaves is billed for a little more than it has seen.
    const counted = seen.cents - seen.lostCents;
    assert(counted > MOST_CENTS * 0.9 && counted <= MOST_CENTS, `seed ${seed}: ${counted} cents`);
    await close();
  }
});

Deno.test("fifty gateways on one store that loses calls and answers pass no budget, and count all when it works again", async () => {
  for (const seed of [1, 2, 3]) {
    const { run, mend, seen, statuses, store, pass, close } = room(seed, 0.1);
    for (let again = 0; again < 3; again++) {
      store.failing = 0.1;
      await run(3);
      assert(seen.cents - seen.lostCents <= MOST_CENTS, `seed ${seed}: ${seen.cents} cents`);
      await mend();
      // The holds of this time are over.
      pass(31 * MINUTE);
    }
    assert(seen.cents > MOST_CENTS / 2);
    assertEquals(Object.keys(statuses), ["200", "429", "503"]);
    await close();
  }
});
