/** The way of spans to a collector, over HTTP. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { otlpExporter } from "../../../gateway/log/otlp.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { refused, startCollector, taken } from "../../collector.ts";
import { ask } from "../../fakes.ts";
import { readSpans } from "../../otlp.ts";

/** A gateway whose waits pass at once, with the lines that it wrote. */
function scene(url: string, options: Options = {}, otel: object = {}) {
  const waits: number[] = [];
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  const gateway = createGateway({
    otel: { url, ...otel },
    metrics: {},
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => 1,
    ...options,
  });
  return {
    ...gateway,
    waits,
    lines,
    /** One request to the built-in provider: two spans. */
    async request() {
      const response = await gateway.fetch(ask("demo/echo"));
      await response.text();
      assertEquals(response.status, 200);
    },
    async lost() {
      const told = await (await gateway.call(new Request("http://gateway.test/metrics"))).text();
      return Number(/^sluice_spans_dropped_total (\d+)$/m.exec(told)![1]);
    },
    [Symbol.dispose]: () => void (console.error = error),
  };
}

/** Waits until something is so. */
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !await check(); tries++) {
    assert(tries < 500);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("spans go out together after five seconds, with the collector's headers, and are sent once", async () => {
  await using collector = startCollector();
  using gateway = scene(collector.url, {}, {
    headers: { authorization: "Basic abc" },
    serviceName: "mine",
    resource: { "service.name": "other", "host.name": "h" },
  });
  await gateway.request();
  await collector.answered(1);
  assertEquals(collector.names, ["chat echo", "POST"]);
  assertEquals(collector.requests[0].headers.get("authorization"), "Basic abc");
  assertEquals(gateway.waits, [5000]);
  await gateway.close();
  assertEquals([collector.requests.length, gateway.lines, await gateway.lost()], [1, [], 0]);
});

Deno.test("a batch is sent again after 429, when the collector asks for it, and after 502, 503 and 504", async () => {
  await using collector = startCollector((_, turn) =>
    [refused(429, { "retry-after": "7" }), refused(502), refused(503), refused(504)][turn] ?? taken()
  );
  using gateway = scene(collector.url);
  await gateway.request();
  await collector.answered(5);
  assertEquals(gateway.waits, [5000, 7000, 2000, 4000, 8000]);
  assertEquals(collector.names, ["chat echo", "POST"]);
  await gateway.close();
  assertEquals(await gateway.lost(), 0);
});

Deno.test("a wait that a collector asks for is at most a minute", async () => {
  await using collector = startCollector((_, turn) =>
    turn === 0 ? refused(429, { "retry-after": "86400" }) : taken()
  );
  using gateway = scene(collector.url);
  await gateway.request();
  await collector.answered(2);
  assertEquals(gateway.waits[1], 60_000);
  await gateway.close();
});

Deno.test("spans that are not taken are counted, and told in one line for ten minutes", async () => {
  await using collector = startCollector(() => refused(503));
  let at = 0;
  using gateway = scene(`${collector.url}?key=secret`, { now: () => at }, {
    headers: { authorization: "Basic abc" },
  });
  await gateway.request();
  await until(async () => await gateway.lost() === 2);
  assertEquals(collector.requests.length, 5);
  await gateway.request();
  await until(async () => await gateway.lost() === 4);
  assertEquals(gateway.lines, [`Warning: 2 spans were lost: ${collector.url}: it answered 503`]);
  at += 600_000;
  await gateway.request();
  await until(async () => await gateway.lost() === 6);
  assertEquals(gateway.lines[1], `Warning: 4 spans were lost: ${collector.url}: it answered 503`);
  // The clock was set back.
  at = 0;
  await gateway.request();
  await until(() => gateway.lines.length === 3);
});

Deno.test("a refusal that will stay is not sent again, and a redirect is not followed", async () => {
  for (
    const answer of [refused(401), refused(400), refused(307, { location: "http://127.0.0.1:9/v1/traces" })]
  ) {
    await using collector = startCollector(() => answer.clone());
    using gateway = scene(collector.url);
    await gateway.request();
    await until(async () => await gateway.lost() === 2);
    assertEquals(collector.requests.length, 1);
    assertEquals(gateway.lines.length, 1);
    assert(gateway.lines[0].endsWith(`it answered ${answer.status}`), gateway.lines[0]);
  }
});

Deno.test("a batch that is too large is sent in halves", async () => {
  await using collector = startCollector((spans) => spans > 1 ? refused(413) : taken());
  using gateway = scene(collector.url);
  await gateway.request();
  await collector.answered(3);
  assertEquals(collector.names, ["chat echo", "POST"]);
  await using never = startCollector(() => refused(413));
  using other = scene(never.url);
  await other.request();
  await until(async () => await other.lost() === 2);
  assertMatch(other.lines[0], /^Warning: 1 span was lost: .*413 to a single span$/);
});

Deno.test("spans that a collector refuses in part are counted", async () => {
  await using collector = startCollector(() =>
    Response.json({ partialSuccess: { rejectedSpans: "1", errorMessage: "a text that is not shown" } })
  );
  using gateway = scene(collector.url);
  await gateway.request();
  await until(async () => await gateway.lost() === 1);
  assertEquals(gateway.lines, [`Warning: 1 span was lost: ${collector.url}: it refused them`]);
});

Deno.test("a dead or silent collector holds up no request, and neither does it the end", async () => {
  using dead = scene("http://127.0.0.1:9/v1/traces");
  await dead.request();
  await until(async () => await dead.lost() === 2);
  assertMatch(dead.lines[0], /it cannot be reached$/);
  const gate = Promise.withResolvers<Response>();
  await using silent = startCollector(() => gate.promise.then((answer) => answer.clone()));
  using gateway = scene(silent.url, {}, { timeoutMs: 50 });
  await gateway.request();
  await gateway.request();
  await gateway.close();
  assertEquals(await gateway.lost(), 4);
  assertMatch(gateway.lines[0], /it did not answer within 50 ms$/);
  gate.resolve(taken());
});

Deno.test("flushing sends what waits, once more what failed, and the exporter works on afterwards", async () => {
  await using collector = startCollector((_, turn) => turn === 1 ? refused(503) : taken());
  using gateway = scene(collector.url, { wait: undefined });
  await gateway.request();
  assertEquals(collector.requests.length, 0);
  await gateway.close();
  assertEquals(collector.names.length, 2);
  await gateway.request();
  await gateway.close();
  assertEquals(await gateway.lost(), 2);
  await gateway.request();
  await gateway.close();
  assertEquals(collector.names.length, 4);
});

/** An exporter before a function. Its waits are counted, and pass when `ring` is called. */
function exporter(send: (body: string) => Promise<Response>) {
  const losses = { rows: 0, storeErrors: 0, spans: 0 };
  let ring = () => {}, waits = 0;
  const made = otlpExporter({ url: "http://collector.test/", resource: {}, timeoutMs: 60_000 }, {
    send: (_, { body }) => send(body as string),
    wait: (_, signal) =>
      new Promise((resolve, reject) => {
        waits++;
        ring = resolve;
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", reject);
      }),
    now: () => 0,
    random: () => 1,
    warn() {},
    losses,
  });
  return { ...made, losses, ring: () => ring(), waits: () => waits };
}

/** Lets all promises settle that can. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

const span = (length = 1) => JSON.stringify({ name: "x".repeat(length) });
const countIn = (body: string) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans.length;

Deno.test("a batch has 512 spans, and does not wait once it is full", async () => {
  const sent: number[] = [];
  const { add, flush } = exporter((body) => {
    sent.push(countIn(body));
    return Promise.resolve(taken());
  });
  for (let at = 0; at < 1100; at++) add([span()]);
  await settled();
  assertEquals(sent, [512, 512]);
  await flush();
  assertEquals(sent, [512, 512, 76]);
});

Deno.test("spans wait for others: behind a full batch, and after a flush", async () => {
  const sent: number[] = [];
  const gate = Promise.withResolvers<void>();
  const { add, flush, ring, waits } = exporter(async (body) => {
    sent.push(countIn(body));
    await gate.promise;
    return taken();
  });
  for (let at = 0; at < 600; at++) add([span()]);
  gate.resolve();
  await settled();
  assertEquals(sent, [512]);
  ring();
  await settled();
  assertEquals(sent, [512, 88]);
  await flush();
  const before = waits();
  for (let at = 0; at < 3; at++) add([span()]);
  await settled();
  assertEquals([sent, waits() - before], [[512, 88], 1]);
  ring();
  await settled();
  assertEquals(sent, [512, 88, 3]);
});

Deno.test("a large batch is halved, and not sent span by span", async () => {
  const sent: number[] = [];
  const { add, flush } = exporter((body) => {
    sent.push(countIn(body));
    return Promise.resolve(countIn(body) > 100 ? refused(413) : taken());
  });
  for (let at = 0; at < 512; at++) add([span()]);
  await flush();
  assertEquals(sent.length, 1 + 2 + 4 + 8);
});

Deno.test("a flush ends, and counts what the collector did not take until then", async () => {
  const { add, flush, losses } = exporter(() => new Promise(() => {}));
  for (let at = 0; at < 600; at++) add([span()]);
  await flush(10);
  assertEquals(losses.spans, 88);
});

Deno.test("spans that wait are bounded by their number and by their length", async () => {
  const gate = Promise.withResolvers<void>();
  const sent: number[] = [];
  const many = exporter(async (body) => {
    await gate.promise;
    sent.push(countIn(body));
    return taken();
  });
  for (let at = 0; at < 5000; at++) many.add([span()]);
  assertEquals(many.losses.spans, 5000 - 512 - 2048);
  gate.resolve();
  await many.flush();
  assertEquals([sent.reduce((sum, count) => sum + count), many.losses.spans], [2560, 2440]);
  const long = exporter(() => Promise.resolve(taken()));
  for (let at = 0; at < 20; at++) long.add([span(2 ** 20)]);
  assertEquals(long.losses.spans, 13);
  await long.flush();
  for (let at = 0; at < 5; at++) long.add([span(2 ** 20)]);
  assertEquals(long.losses.spans, 13);
  await long.flush();
});

Deno.test("with a Worker's context spans are sent at once and waitUntil knows of it", async () => {
  const sent: string[] = [];
  const work: Promise<unknown>[] = [];
  const { fetch } = createGateway({
    otel: { url: "http://collector.test/v1/traces" },
    fetch: (_, { body }) => {
      sent.push(body as string);
      return Promise.resolve(taken());
    },
  });
  const context = { waitUntil: (promise: Promise<unknown>) => void work.push(promise) };
  await (await fetch(ask("demo/echo"), context)).text();
  await Promise.all(work);
  await Promise.all(work);
  assertEquals(sent.map((body) => readSpans(body).spans.length), [2]);
});

Deno.test("a gateway without a collector has no trace", async () => {
  let rows = 0;
  const gateway = createGateway({ log: () => void rows++, fetch: () => Promise.reject(new Error("sent")) });
  await (await gateway.fetch(ask("demo/echo"))).text();
  await gateway.close();
  assertEquals(rows, 1);
});
