import { assert, assertEquals } from "@std/assert";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import { gemini } from "../../../wires/gemini/mod.ts";
import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import { translate, translation } from "../../../wires/streams/translate.ts";
import type { ClientWire } from "../../../wires/types.ts";

/** A provider's stream that the test feeds, its translation, and a timer that the test rings. */
function lab(client: ClientWire, mostMs = 60_000) {
  let feed!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled: unknown;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void (feed = controller),
    cancel: (reason) => void (cancelled = reason),
  });
  const defaults = { id: "id_1", created: 0, model: "m" };
  const call = client.readCall(
    { model: "m", stream: true, messages: [{ role: "user", content: "hi" }] },
    "m",
  );
  const step = translation({
    reader: (emit) => gemini.readStream(emit),
    writer: client.writer(call, defaults),
    failure: (cause) => ({ message: String((cause as Error).message), status: 504 }),
  });
  let ring: (() => void) | undefined;
  let timers = 0;
  const events = translate(body, step, {
    tellMs: 15_000,
    mostMs,
    onOver: () => new Error("too silent"),
    every(ms, then) {
      assertEquals(ms, 7_500);
      timers++;
      ring = then;
      return () => void (ring = undefined);
    },
  });
  const reader = events.pipeThrough(new TextDecoderStream()).getReader();
  return {
    say: (text: string) =>
      feed.enqueue(new TextEncoder().encode(
        `data: ${JSON.stringify({ candidates: [{ content: { role: "model", parts: [{ text }] } }] })}\n\n`,
      )),
    comment: () => feed.enqueue(new TextEncoder().encode(": processing\n\n")),
    finish() {
      feed.enqueue(new TextEncoder().encode('data: {"candidates":[{"finishReason":"STOP"}]}\n\n'));
      feed.close();
    },
    read: async () => (await reader.read()).value,
    cancel: () => reader.cancel("gone"),
    ring: () => ring?.(),
    isArmed: () => ring !== undefined,
    timers: () => timers,
    cancelled: () => cancelled,
  };
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

const PING = 'event: ping\ndata: {"type":"ping"}\n\n';

Deno.test("translate() sends a ping to a client of Messages while the provider is silent, after message_start", async () => {
  const { read, ring, say } = lab(anthropicMessages);
  const first = read();
  await settled();
  ring();
  ring();
  const told = await first;
  assert(told!.startsWith("event: message_start\n"), told);
  assert(told!.endsWith(PING), told);
  const second = read();
  await settled();
  ring();
  assertEquals(await second, PING);
  const third = read();
  say("Hello");
  assert((await third)!.includes("Hello"));
});

Deno.test("translate() sends a comment to a client of chat completions while the provider is silent", async () => {
  const { read, ring } = lab(openaiChat);
  const first = read();
  await settled();
  ring();
  ring();
  assertEquals(await first, ": keep-alive\n\n");
});

Deno.test("translate() sends no keep-alive while chunks come, or while the last one is not taken", async () => {
  const { read, ring, say, comment, finish, isArmed, timers } = lab(anthropicMessages);
  const texts: (string | undefined)[] = [];
  for (const word of ["a", "b", "c"]) {
    const next = read();
    await settled();
    ring();
    say(word);
    texts.push(await next);
  }
  // The client does not read, so the provider is not waited for.
  ring();
  ring();
  ring();
  const quiet = read();
  await settled();
  // Chunks without content for the client do not suppress the keep-alive.
  comment();
  ring();
  comment();
  await settled();
  ring();
  assertEquals(await quiet, PING);
  assert(!texts.join("").includes("ping"), texts.join(""));
  finish();
  let rest = "";
  for (let text = await read(); text !== undefined; text = await read()) rest += text;
  assert(rest.endsWith('data: {"type":"message_stop"}\n\n'), rest);
  assertEquals([isArmed(), timers()], [false, 1]);
});

Deno.test("translate() ends a stream as broken and cancels its source if the provider is silent for too long", async () => {
  const { read, ring, cancelled, isArmed } = lab(anthropicMessages, 30_000);
  let out = "";
  const first = read();
  await settled();
  for (let rings = 0; rings < 4; rings++) {
    ring();
    await settled();
  }
  out += await first;
  for (let text = await read(); text !== undefined; text = await read()) out += text;
  assert(out.endsWith('"error":{"type":"timeout_error","message":"too silent"},"request_id":null}\n\n'), out);
  assert(!out.includes("message_stop"), out);
  assertEquals((cancelled() as Error).message, "too silent");
  assertEquals(isArmed(), false);
});

Deno.test("translate() stops its timer when the client leaves", async () => {
  const { read, cancel, cancelled, isArmed } = lab(anthropicMessages);
  const first = read();
  await settled();
  assertEquals(isArmed(), true);
  await cancel();
  await first;
  assertEquals([isArmed(), cancelled()], [false, "gone"]);
});
