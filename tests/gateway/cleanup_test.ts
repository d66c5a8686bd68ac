/** The gateway cancels each provider's body that is not read to its end. */
import { assertEquals } from "@std/assert";
import type { Options } from "../../gateway/setup/options.ts";
import { ask, before, chunk, completion, post, ROOT } from "../fakes.ts";

/** A body that begins with a text and then stays open. It counts how often it was cancelled. */
function open(text: string, init: ResponseInit = {}) {
  const cancelled = Promise.withResolvers<void>();
  let count = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => text === "" ? undefined : controller.enqueue(new TextEncoder().encode(text)),
    cancel() {
      count++;
      cancelled.resolve();
    },
  });
  return { response: new Response(body, init), cancelled: cancelled.promise, count: () => count };
}

const SSE = { headers: { "content-type": "text/event-stream" } };
const JSON_TYPE = { headers: { "content-type": "application/json" } };
const BEGINNING = 'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{}}}\n\n' +
  'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hi"}}\n\n';
const ERROR = 'data: {"type":"error","error":{"type":"overloaded_error","message":"no"}}\n\n';
const native = () => post(`${ROOT}/openai/chat/completions`, { stream: true });

/** A client that reads the beginning of an answer and cancels it. */
const LEFT: [string, () => Request, ReturnType<typeof open>, Options?][] = [
  ["handed through", () => ask("openai/m", {}, { stream: true }), open(chunk({ content: "Hi" }), SSE)],
  ["translated", () => ask("anthropic/m", {}, { stream: true }), open(BEGINNING, SSE)],
  ["translated, without a content type", () => ask("anthropic/m", {}, { stream: true }), open(BEGINNING)],
  [
    "held until it began",
    () => ask("openai/m", {}, { stream: true, models: ["groq/m"] }),
    open(chunk({ content: "Hi" }), SSE),
  ],
  ["of a native path", native, open(chunk({ content: "Hi" }), SSE)],
  ["with a limit", native, open(chunk({ content: "Hi" }), SSE), { streamIdleTimeoutMs: 60_000 }],
  ["with a deadline", native, open(chunk({ content: "Hi" }), SSE), { requestTimeoutMs: 60_000 }],
];

for (const [name, request, body, options] of LEFT) {
  Deno.test(`an answer ${name} is cancelled once when its client cancels it`, async () => {
    const { fetch, sent } = before(() => body.response, options);
    const response = await fetch(request());
    assertEquals([response.status, sent.length], [200, 1]);
    const reader = response.body!.getReader();
    assertEquals((await reader.read()).done, false);
    await reader.cancel("gone");
    await body.cancelled;
    assertEquals(body.count(), 1);
  });
}

Deno.test("a translated stream with an error event is cancelled, and ends for the client", async () => {
  const body = open(BEGINNING + ERROR, SSE);
  const { fetch } = before(() => body.response);
  const text = await (await fetch(ask("anthropic/m", {}, { stream: true }))).text();
  await body.cancelled;
  assertEquals([body.count(), text.includes('"message":"no"'), text.includes("[DONE]")], [1, true, false]);
});

Deno.test("an answer with a redirect, or with a number that is not an HTTP status, is cancelled", async () => {
  const hidden = (status: number) => {
    const body = open("{}", JSON_TYPE);
    Object.defineProperty(body.response, "status", { value: status });
    return body;
  };
  for (const body of [open("{}", { status: 302 }), hidden(0), hidden(199), hidden(600)]) {
    const { fetch } = before(() => body.response);
    const response = await fetch(ask("openai/m"));
    await response.body?.cancel();
    assertEquals(response.status, 502);
    await body.cancelled;
    assertEquals(body.count(), 1);
  }
});

Deno.test("a stream that falls silent is cancelled", async () => {
  for (const [model, beginning] of [["openai/m", chunk({ content: "Hi" })], ["anthropic/m", BEGINNING]]) {
    const body = open(beginning, SSE);
    const { fetch } = before(() => body.response, { streamIdleTimeoutMs: 5 });
    const response = await fetch(ask(model, {}, { stream: true }));
    await response.text().catch(() => {});
    await body.cancelled;
    assertEquals(body.count(), 1, model);
  }
});

Deno.test("an answer that does not begin in time is cancelled before the next target is asked", async () => {
  const body = open("", SSE);
  const { fetch, sent } = before((_, at) => at === 0 ? body.response : completion());
  const late = { "cf-aig-request-timeout": "5" };
  const response = await fetch(ask("openai/m", late, { models: ["groq/m"] }));
  await response.body?.cancel();
  await body.cancelled;
  assertEquals([response.status, sent.length, body.count()], [200, 2, 1]);
});

Deno.test("an answer that is held back is cancelled when its client leaves", async () => {
  const body = open(": wait\n\n", SSE);
  const leaving = new AbortController();
  const { fetch, sent } = before(() => {
    setTimeout(() => leaving.abort());
    return body.response;
  });
  const request = ask("openai/m", {}, { stream: true, models: ["groq/m"] }, { signal: leaving.signal });
  assertEquals((await fetch(request)).status, 499);
  await body.cancelled;
  assertEquals([body.count(), sent.length], [1, 1]);
});
