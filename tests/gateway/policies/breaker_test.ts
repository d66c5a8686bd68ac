/** The breaker: which targets are spared, when, and what becomes of their requests. */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { breakerOf } from "../../../gateway/policies/target_states.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { ask, before, clock, completion, events, message, post, refusal, ROOT } from "../../fakes.ts";
import { DOORS } from "./doors.ts";

const BREAKER = { failures: 3, windowMs: 60_000, openMs: 10_000 };

/** A gateway with a breaker, before a provider whose answer can be changed. */
function guarded(options: Partial<Options> = {}) {
  const state: { answer: Parameters<typeof before>[0] } = { answer: () => refusal(503) };
  const rows: LogEntry[] = [];
  const time = clock();
  const gateway = before((sent, at) => state.answer(sent, at), {
    breaker: BREAKER,
    log: (row) => rows.push(row),
    adminToken: "an-admin-token-of-the-test",
    ...time.options,
    ...options,
  });
  const send = async (model = "openai/gpt-6", headers?: Record<string, string>, more?: object) => {
    const response = await gateway.fetch(ask(model, headers, more));
    await response.text().catch(() => {});
    return response.status;
  };
  const statuses = async (count: number, model?: string) => {
    const found = [];
    for (let at = 0; at < count; at++) found.push(await send(model));
    return found;
  };
  async function metrics() {
    const headers = { authorization: "Bearer an-admin-token-of-the-test" };
    return await (await gateway.fetch(new Request("http://gateway.test/metrics", { headers }))).text();
  }
  return { ...gateway, state, rows, send, statuses, metrics, pass: time.pass };
}

Deno.test("breaker: a target that keeps failing is asked no more for a while; then one request decides", async () => {
  const { state, sent, send, statuses, pass } = guarded();
  assertEquals(await statuses(5), [503, 503, 503, 503, 503]);
  assertEquals(sent.length, 3);
  pass(9_999);
  await send();
  assertEquals(sent.length, 3);
  pass(1);
  assertEquals(await statuses(2), [503, 503]);
  assertEquals(sent.length, 4);
  pass(10_000);
  state.answer = () => completion();
  assertEquals(await statuses(3), [200, 200, 200]);
  assertEquals(sent.length, 7);
  // It begins anew: the old failures are forgotten.
  state.answer = () => refusal(500);
  await statuses(3);
  assertEquals(sent.length, 10);
  await send();
  assertEquals(sent.length, 10);
});

Deno.test("breaker: the error says how long to wait, and the row that nothing was sent", async () => {
  const { fetch, statuses, pass, rows, metrics } = guarded();
  await statuses(3);
  pass(2_500);
  const response = await fetch(ask("openai/gpt-6"));
  assertEquals([response.status, response.headers.get("retry-after")], [503, "8"]);
  assertEquals(
    (await response.json()).error.message,
    'Cannot ask "openai/gpt-6": too many of its last requests have failed; try again in 8 s',
  );
  const { tries, attempts } = rows[3];
  const skipped = { provider: "openai", model: "gpt-6", ms: 0, skipped: true, why: "breaker" };
  assertEquals([tries, attempts], [0, [skipped]]);
  const text = await metrics();
  assertMatch(text, /^sluice_breaker_open\{provider="openai",model="gpt-6"\} 1$/m);
  assertMatch(text, /^sluice_tries_total\{provider="openai",status="skipped"\} 1$/m);
});

Deno.test("breaker: /metrics tells a target that was spared, and none that never was", async () => {
  const { state, statuses, send, pass, metrics } = guarded();
  assertEquals((await metrics()).includes("sluice_breaker_open"), false);
  await statuses(3);
  pass(10_000);
  state.answer = () => completion();
  await send();
  await send("groq/llama");
  const lines = (await metrics()).split("\n").filter((line) => line.startsWith("sluice_breaker_open"));
  assertEquals(lines, ['sluice_breaker_open{provider="openai",model="gpt-6"} 0']);
});

Deno.test("breaker: a target that is spared is skipped if another one can be tried", async () => {
  const { state, sent, send, rows } = guarded();
  state.answer = ({ url }) => url.includes("api.openai") ? refusal(500) : completion();
  const more = { models: ["groq/llama"] };
  for (let at = 0; at < 5; at++) assertEquals(await send("openai/gpt-6", undefined, more), 200);
  assertEquals(sent.map(({ url }) => url.includes("api.openai")), [
    true,
    false,
    true,
    false,
    true,
    false,
    false,
    false,
  ]);
  const { attempts = [], tries, step } = rows[4];
  assertEquals([tries, step, attempts.map(({ provider, skipped }) => [provider, skipped])], [1, 1, [
    ["openai", true],
    ["groq", undefined],
  ]]);
});

for (const [door, request] of DOORS) {
  Deno.test(`breaker: it holds at the door ${door}`, async () => {
    const { fetch, sent } = guarded();
    for (let at = 0; at < 5; at++) await (await fetch(request({ authorization: "Bearer sk-1" }))).text();
    assertEquals(sent.length, 3);
  });
}

Deno.test("breaker: models of one provider are apart", async () => {
  const { sent, statuses } = guarded();
  await statuses(4, "openai/gpt-6");
  await statuses(4, "openai/gpt-5");
  assertEquals(sent.length, 6);
});

const KINDS: [kind: string, answer: Parameters<typeof before>[0], counts: boolean][] = [
  ["500", () => refusal(500), true],
  ["529", () => refusal(529), true],
  ["429", () => refusal(429), true],
  ["408", () => refusal(408), true],
  ["no connection", () => Promise.reject(new TypeError("no route to host")), true],
  [
    "a stream that fails before its content, where another target could stand in",
    () => events(new Error("broke")),
    true,
  ],
  ["400", () => refusal(400), false],
  ["401", () => refusal(401), false],
  ["404", () => refusal(404), false],
  ["200", () => completion(), false],
];

for (const [kind, answer, counts] of KINDS) {
  Deno.test(`breaker: ${kind} ${counts ? "counts" : "does not count"} as a failure`, async () => {
    const { state, sent, send } = guarded();
    state.answer = answer;
    const more = kind.includes("stream") ? { stream: true, models: ["openai/other"] } : {};
    for (let at = 0; at < 6; at++) await send("openai/gpt-6", undefined, more);
    const asked = sent.filter(({ body }) => JSON.parse(body).model === "gpt-6").length;
    assertEquals(asked, counts ? 3 : 6);
  });
}

Deno.test("breaker: a request that cannot be written for its target does not count", async () => {
  const { state, sent, send } = guarded({ strict: true });
  state.answer = () => message();
  for (let at = 0; at < 5; at++) await send("anthropic/claude", undefined, { seed: 1 });
  assertEquals([sent.length, await send("anthropic/claude"), sent.length], [0, 200, 1]);
});

Deno.test("breaker: failures that are few among many requests open nothing", async () => {
  const { state, sent, send } = guarded();
  for (let at = 0; at < 40; at++) {
    state.answer = () => at % 4 === 3 ? refusal(500) : completion();
    await send();
  }
  assertEquals(sent.length, 40);
  const strict = guarded({ breaker: { ...BREAKER, share: 0.2 } });
  for (let at = 0; at < 40; at++) {
    strict.state.answer = () => at % 4 === 3 ? refusal(500) : completion();
    await strict.send();
  }
  assertEquals(strict.sent.length, 12);
});

Deno.test("breaker: failures of long ago open nothing", async () => {
  const { sent, send, pass } = guarded();
  for (let at = 0; at < 10; at++) {
    await send();
    pass(40_000);
  }
  assertEquals(sent.length, 10);
});

Deno.test("breaker: the tries of one request are one failure", async () => {
  const { sent, send } = guarded({ retries: { maxAttempts: 2, retryDelayMs: 0 } });
  for (let at = 0; at < 5; at++) await send();
  assertEquals(sent.length, 6);
});

Deno.test("breaker: of requests at once only one is let through to decide", async () => {
  const { state, sent, send, statuses, pass } = guarded();
  await statuses(3);
  pass(10_000);
  const held = Promise.withResolvers<Response>();
  state.answer = () => held.promise;
  const trial = send();
  assertEquals(await statuses(3), [503, 503, 503]);
  assertEquals(sent.length, 4);
  // If nothing is heard of it, another one is let through.
  pass(10_000);
  const second = send();
  assertEquals(await statuses(1), [503]);
  assertEquals(sent.length, 5);
  held.resolve(completion());
  // Both get the one answer: its body can be read once.
  assert([await trial, await second].includes(200));
});

Deno.test("breaker: a client that leaves while its request decides leaves the decision to the next one", async () => {
  const { state, fetch, sent, send, statuses, pass } = guarded();
  await statuses(3);
  pass(10_000);
  state.answer = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const leaving = new AbortController();
  const trial = fetch(ask("openai/gpt-6", undefined, {}, { signal: leaving.signal }));
  await new Promise((resolve) => setTimeout(resolve));
  leaving.abort();
  assertEquals((await trial).status, 499);
  state.answer = () => completion();
  assertEquals([await send(), await send(), sent.length], [200, 200, 6]);
});

Deno.test("breakerOf() remembers a bounded number of targets, and forgets those first that do well", () => {
  const breaker = breakerOf({ failures: 1, share: 0, windowMs: 1000, openMs: 1000 }, () => 0);
  breaker.tell("openai", "failing", {}, true);
  for (let at = 0; at < 5000; at++) breaker.tell("openai", `m${at}`, {}, false);
  assertEquals(breaker.ask("openai", "failing"), { waitMs: 1000 });
  for (let at = 0; at < 5000; at++) breaker.tell("openai", `f${at}`, {}, true);
  assertEquals(breaker.opened().length, 1000);
  assertEquals(breaker.ask("openai", "failing"), {});
});

Deno.test("breakerOf() tells a request of before from the one that decides", () => {
  let now = 0;
  const breaker = breakerOf({ failures: 1, share: 0, windowMs: 1000, openMs: 1000 }, () => now);
  const early = breaker.ask("openai", "m");
  breaker.tell("openai", "m", breaker.ask("openai", "m"), true);
  now = 1000;
  const trial = breaker.ask("openai", "m");
  assertEquals(trial, { isTrial: true });
  breaker.tell("openai", "m", early, false);
  assertEquals(breaker.ask("openai", "m"), { waitMs: 1000 });
  breaker.tell("openai", "m", trial, false);
  assertEquals(breaker.ask("openai", "m"), {});
});

Deno.test("the option breaker is off by default, and checked", async () => {
  const off = guarded({ breaker: undefined });
  await off.statuses(10);
  assertEquals(off.sent.length, 10);
  const usual = guarded({ breaker: {} });
  await usual.statuses(10);
  assertEquals(usual.sent.length, 5);
  const faults: [breaker: object, message: string][] = [
    [{ failures: 0 }, "breaker.failures: it must be at least 1"],
    [{ share: 2 }, "breaker.share: it must be at most 1"],
    [{ windowMs: 1 }, "breaker.windowMs: it must be at least 100"],
    [{ openMs: 1.5 }, "breaker.openMs: it must be a whole number"],
    [{ open: 5 }, "breaker.open: it is not known"],
  ];
  for (const [breaker, message] of faults) {
    const error = assertThrows(() => createGateway({ breaker: breaker as Options["breaker"] }), TypeError);
    assertStringIncludes(error.message, message);
  }
});

Deno.test("breaker: a universal request goes on to its next step", async () => {
  const { state, fetch, sent } = guarded();
  state.answer = ({ url }) => url.includes("api.openai") ? refusal(500) : completion();
  const query = { model: "gpt-6", messages: [{ role: "user", content: "Hello" }] };
  const steps = ["openai", "groq"].map((provider) => ({ provider, endpoint: "chat/completions", query }));
  for (let at = 0; at < 4; at++) {
    const response = await fetch(post(ROOT, steps));
    await response.text();
    assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "1"]);
  }
  assertEquals(sent.length, 7);
});

Deno.test("breakerOf() counts the failures of the window before as if they had come evenly, and none of earlier ones", () => {
  for (const [pause, needed] of [[0, 1], [15_000, 2], [30_000, 3], [60_000, 4], [120_000, 4]]) {
    let at = 0;
    const breaker = breakerOf({ failures: 4, share: 0.5, windowMs: 60_000, openMs: 1000 }, () => at);
    const fail = () => breaker.tell("openai", "m", {}, true);
    for (let times = 0; times < 3; times++) fail();
    at = 60_000 + pause;
    let times = 0;
    while (breaker.opened().length === 0) fail(), times++;
    assertEquals(times, needed, `${pause}`);
  }
});
