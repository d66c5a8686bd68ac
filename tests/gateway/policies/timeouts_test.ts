import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { deadline } from "../../../gateway/policies/timers.ts";
import { wait } from "../../../wires/shared/wait.ts";
import { ask, before, clock, completion, events, pieces, post, ROOT, STREAM } from "../../fakes.ts";
import { DOORS, ROLE, silent, step } from "./doors.ts";

// ---------------------------------------------------------------- timeouts

for (const [door, request] of DOORS) {
  Deno.test(`${door}: a request that gets no answer in time is 504 with 2005`, async () => {
    const { fetch, sent } = before(silent);
    const response = await fetch(request({ "cf-aig-request-timeout": "20" }));
    assertEquals(response.status, 504);
    const { error } = await response.json();
    assertEquals(String(error.code ?? error[0].code), "2005");
    assert(sent[0].signal.aborted, "the upstream is left");
  });

  Deno.test(`${door}: headers alone are not an answer`, async () => {
    let cancelled = 0;
    const stalled = () =>
      new Response(new ReadableStream({ cancel: () => void cancelled++ }), {
        headers: { "content-type": "application/json" },
      });
    const { fetch } = before(stalled);
    const response = await fetch(request({ "cf-aig-request-timeout": "20" }));
    assertEquals([response.status, cancelled], [504, 1]);
    await response.text();
  });

  Deno.test(`${door}: a timeout is tried again, and the last of several tries has no limit`, async () => {
    const { fetch, sent } = before(async (sent, at) => {
      if (at < 2) return silent(sent);
      await wait(60, sent.signal);
      return completion("late");
    }, { ...clock().options });
    const response = await fetch(request({ "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "3" }));
    assertStringIncludes(await response.text(), "late");
    assertEquals(sent.length, 3);
  });

  Deno.test(`${door}: an answer that has begun is never cut`, async () => {
    const signal = new AbortController().signal;
    for (const attempts of ["1", "2"]) {
      const { fetch } = before(() => events(STREAM[0], STREAM[1], wait(60, signal), STREAM[2], STREAM[3]));
      const response = await fetch(
        request({ "cf-aig-request-timeout": "20", "cf-aig-max-attempts": attempts }),
      );
      assertEquals(await response.text(), STREAM.join(""));
    }
  });
}

Deno.test("a timeout ends with the first byte, also of an answer that is still held", async () => {
  const { signal } = new AbortController();
  const held = { "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "2" };
  const stream = before(() => events(STREAM[0], wait(60, signal), ...STREAM.slice(1)));
  const streamed = await stream.fetch(ask("openai/gpt", held, { stream: true }));
  assertEquals([await streamed.text(), stream.sent.length], [STREAM.join(""), 1]);
  const headers = { "content-type": "application/json" };
  const json = before(() => new Response(pieces('{"choices":', wait(60, signal), "[{}]}"), { headers }));
  const whole = await json.fetch(ask("openai/gpt", held));
  assertEquals([await whole.text(), json.sent.length], ['{"choices":[{}]}', 1]);
});

Deno.test("a timeout is 504 whatever fetch makes of its signal, and so is an idle body", async () => {
  const late = before(({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () =>
        reject(new DOMException("The operation was aborted", "AbortError")));
    })
  );
  assertEquals((await late.fetch(ask("openai/gpt", { "cf-aig-request-timeout": "20" }))).status, 504);
  const idle = before(() => events(new Promise(() => {})), { streamIdleTimeoutMs: 20 });
  assertEquals((await idle.fetch(ask("openai/gpt", { "cf-aig-request-timeout": "60000" }))).status, 504);
});

Deno.test("a timeout falls back", async () => {
  const { fetch, sent } = before((one, at) => at === 0 ? silent(one) : completion("second"));
  const response = await fetch(post(ROOT, [{ ...step, config: { requestTimeout: 20 } }, step]));
  assertEquals([response.status, response.headers.get("cf-aig-step"), sent.length], [200, "1", 2]);
  assertStringIncludes(await response.text(), "second");
});

Deno.test("streamIdleTimeoutMs ends a stream in which nothing comes, and no other", async () => {
  const never = new Promise(() => {});
  const signal = new AbortController().signal;
  const slow = () => events(STREAM[0], wait(15, signal), STREAM[1], wait(15, signal), STREAM[2], STREAM[3]);
  const well = before(slow, { streamIdleTimeoutMs: 500 });
  assertEquals(await (await well.fetch(ask("openai/gpt", {}, { stream: true }))).text(), STREAM.join(""));
  const idle = before(() => events(STREAM[0], STREAM[1], never), { streamIdleTimeoutMs: 20 });
  const response = await idle.fetch(ask("openai/gpt", {}, { stream: true }));
  await assertRejects(() => response.text());
  // Before its content, the next target is tried.
  const role = before((_, at) => at === 0 ? events(ROLE, never) : events(...STREAM), {
    streamIdleTimeoutMs: 20,
    ...clock().options,
  });
  const second = await role.fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
  assertEquals(await second.text(), STREAM.join(""));
});

Deno.test("a translated stream that idles ends in an error event", async () => {
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"model":"c","role":"assistant","usage":{}}}\n\n';
  const { fetch } = before(() => events(start, new Promise(() => {})), { streamIdleTimeoutMs: 20 });
  const text = await (await fetch(ask("anthropic/claude", {}, { stream: true }))).text();
  assertStringIncludes(text, '"error"');
});

Deno.test("wait() and deadline() leave neither timer nor listener behind", async () => {
  const listeners = new Set<unknown>();
  const counting = {
    aborted: false,
    addEventListener: (_: string, listener: unknown) => void listeners.add(listener),
    removeEventListener: (_: string, listener: unknown) => void listeners.delete(listener),
  } as unknown as AbortSignal;
  for (let at = 0; at < 3; at++) {
    const waited = wait(1, counting);
    assertEquals(listeners.size, 1);
    await waited;
    assertEquals(listeners.size, 0);
  }
  // The test runner's own leak check fails here if a timer is left behind.
  const client = new AbortController();
  const limit = deadline(client.signal, 60_000, () => new Error("late"));
  limit.disarm();
  assertEquals(limit.signal.aborted, false);
  client.abort(new Error("left"));
  assertEquals(limit.signal.reason.message, "left");
  await assertRejects(() => wait(60_000, client.signal), Error, "left");
});
