import { assertEquals } from "@std/assert";
import { ask, before, clock, post, refusal, ROOT, STREAM } from "../../fakes.ts";
import { DOORS, ROLE, silent, step } from "./doors.ts";

// ---------------------------------------------------------------- a client that leaves

for (const [door, request] of DOORS) {
  const leaving = (headers: Record<string, string> = {}) => {
    const client = new AbortController();
    return { client, request: new Request(request(headers), { signal: client.signal }) };
  };

  Deno.test(`${door}: a client that leaves ends the upstream, and nothing is tried again`, async () => {
    const { client, request } = leaving({ "cf-aig-max-attempts": "5", "cf-aig-request-timeout": "60000" });
    const { fetch, sent } = before((one) => {
      setTimeout(() => client.abort(), 5);
      return silent(one);
    });
    const response = await fetch(request);
    assertEquals([response.status, sent.length, sent[0].signal.aborted], [499, 1, true]);
  });

  Deno.test(`${door}: a client that leaves ends the wait between tries`, async () => {
    const { client, request } = leaving({ "cf-aig-max-attempts": "5", "cf-aig-retry-delay": "60000" });
    let cancelled = 0;
    const { fetch, sent } = before(() => {
      setTimeout(() => client.abort(), 5);
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"error": {"message": "no"}}')),
        cancel: () => void cancelled++,
        pull: (controller) => door === "compat" ? controller.close() : undefined,
      });
      return new Response(body, { status: 503, headers: { "content-type": "application/json" } });
    }, { random: () => 1 });
    const response = await fetch(request);
    assertEquals([response.status, sent.length, cancelled], [499, 1, door === "compat" ? 0 : 1]);
  });

  Deno.test(`${door}: a client that leaves ends a stream that is held, though its body hears no signal`, async () => {
    const { client, request } = leaving({ "cf-aig-max-attempts": "5" });
    let cancelled = 0;
    const { fetch, sent } = before(() => {
      setTimeout(() => client.abort(), 5);
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(ROLE)),
        cancel: () => void cancelled++,
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const response = await fetch(request);
    assertEquals([response.status, sent.length, cancelled], [499, 1, 1]);
  });

  Deno.test(`${door}: a client that leaves in mid-stream cancels the upstream's body`, async () => {
    for (const attempts of ["1", "2"]) {
      let cancelled = 0;
      const { fetch } = before(() => {
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(STREAM[1])),
          cancel: () => void cancelled++,
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      }, { streamIdleTimeoutMs: 60_000 });
      const response = await fetch(
        request({ "cf-aig-max-attempts": attempts, "cf-aig-request-timeout": "60000" }),
      );
      const reader = response.body!.getReader();
      await reader.read();
      await reader.cancel();
      assertEquals(cancelled, 1);
    }
  });
}

Deno.test("a client that leaves ends all steps, not only the one that runs", async () => {
  for (
    const request of [
      post(ROOT, [step, step, { ...step, config: { maxAttempts: 5 } }]),
      ask("openai/a", {}, { models: ["groq/b", "demo/echo"] }),
    ]
  ) {
    const client = new AbortController();
    const { fetch, sent } = before((one) => {
      setTimeout(() => client.abort(), 5);
      return silent(one);
    });
    assertEquals((await fetch(new Request(request, { signal: client.signal }))).status, 499);
    assertEquals(sent.length, 1);
  }
});

Deno.test("nothing is tried for a client whose own timeout is over", async () => {
  const cases: [Record<string, string>, number][] = [
    [{ "x-stainless-timeout": "30" }, 3],
    [{ "x-stainless-read-timeout": "10" }, 1],
    [{ "x-stainless-timeout": "600" }, 6],
    [{ "x-stainless-timeout": "0" }, 6],
    [{ "x-stainless-timeout": "soon" }, 6],
    [{}, 6],
  ];
  for (const [headers, tries] of cases) {
    const time = clock();
    const { fetch, sent } = before(() => {
      time.pass(10_000);
      return refusal(503);
    }, { ...time.options, random: () => 0 });
    const all = { ...headers, "cf-aig-max-attempts": "3" };
    const response = await fetch(ask("openai/m", all, { models: ["groq/m"] }));
    assertEquals([response.status, sent.length], [503, tries], JSON.stringify(headers));
  }
});

Deno.test("a client that leaves while a try fails is not tried for again, at any door", async () => {
  for (const [, request] of DOORS) {
    const leaving = new AbortController();
    const { fetch, sent } = before(() => {
      leaving.abort();
      return refusal(503);
    }, clock().options);
    const headers = { "cf-aig-max-attempts": "3" };
    const response = await fetch(new Request(request(headers), { signal: leaving.signal }));
    assertEquals([response.status, sent.length], [499, 1]);
  }
});

Deno.test("if a client leaves while a failure is read, no other attempt and no other step follows", async () => {
  const policies: Record<string, string>[] = [
    { "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "0" },
    { "sluice-fallback": "openai/b" },
  ];
  for (const more of policies) {
    const leaving = new AbortController();
    const { fetch, sent } = before(() => {
      const body = new ReadableStream({
        pull(controller) {
          leaving.abort();
          controller.close();
        },
      }, { highWaterMark: 0 });
      return new Response(body, { status: 429 });
    }, clock().options);
    const request = ask("openai/a", more, {}, { signal: leaving.signal });
    assertEquals([(await fetch(request)).status, sent.length], [499, 1], JSON.stringify(more));
  }
});
