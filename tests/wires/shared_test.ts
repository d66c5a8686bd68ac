/** Streams of every provider's format to a chat client: any framing, any cut, and clients that leave. */
import { assert, assertEquals } from "@std/assert";
import { createGateway, type Gateway } from "../../mod.ts";
import { bytesOf, type FakeProvider, FAKES, SCENARIOS, sseText, TEXT, typeOf } from "./shared.ts";

const URL_OF_CHAT = "https://sluice.example/v1/chat/completions";
const MESSAGES = [{ role: "user" as const, content: "Hello" }];

/** A gateway whose provider answers thus. Clock and randomness stand still: equal answers are equal bytes. */
function gatewayTo(answer: (init: RequestInit) => Response | Promise<Response>): Gateway {
  return createGateway({
    fetch: (_, init) => Promise.resolve(answer(init)),
    now: () => 1_700_000_000_000,
    random: () => 0.5,
  });
}

function request({ provider, model }: FakeProvider, stream: boolean, signal?: AbortSignal): Request {
  const body = {
    model: `${provider}/${model}`,
    messages: MESSAGES,
    ...(stream && { stream, stream_options: { include_usage: true } }),
  };
  return new Request(URL_OF_CHAT, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer key" },
    body: JSON.stringify(body),
    signal,
  });
}

/** The client's bytes for a stream of these pieces. */
async function streamText(fake: FakeProvider, ...pieces: (Uint8Array | string)[]): Promise<string> {
  const encoder = new TextEncoder();
  const list = pieces.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece);
  const headers = { "content-type": typeOf(fake) };
  const gateway = gatewayTo(() => new Response(ReadableStream.from(list), { headers }));
  const response = await gateway.fetch(request(fake, true));
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  return await response.text();
}

const nameOf = ({ name, provider }: FakeProvider) => name ?? provider;
const bytes = (text: string) => new TextEncoder().encode(text);

// ---------------------------------------------------------------- framing

for (const fake of FAKES.filter(({ framed }) => !framed)) {
  Deno.test(`${nameOf(fake)} is read with every line ending, with comments and with events without meaning`, async () => {
    for (const scenario of SCENARIOS.filter(({ name }) => !fake.lacks?.includes(name))) {
      const events = fake.stream(scenario);
      const plain = await streamText(fake, sseText(events));
      const pinged = events.flatMap((event, at) => at === 0 ? [event] : [...fake.pings, event]);
      const forms = [
        sseText(events, "\r\n"),
        sseText(events, "\r"),
        sseText(events, "\n", "keep-alive"),
        sseText(pinged, "\r\n", ""),
      ];
      for (const text of forms) {
        const out = await streamText(fake, text);
        // On the client's own wire the bytes are the provider's.
        if (fake.same) assertEquals(out, text);
        else assertEquals(out, plain);
      }
    }
  });
}

for (const fake of FAKES) {
  Deno.test(`${nameOf(fake)} is read wherever the bytes are cut`, async () => {
    for (const name of ["thinking, then text", "parallel calls"]) {
      const scenario = SCENARIOS.find((scenario) => scenario.name === name)!;
      const source = fake.framed
        ? bytesOf(fake, fake.stream(scenario).flatMap((event) => [event, ...fake.pings]))
        : bytes(sseText(fake.stream(scenario), name === "parallel calls" ? "\r\n" : "\n"));
      const whole = await streamText(fake, source);
      for (let cut = 1; cut < source.length; cut++) {
        const out = await streamText(fake, source.subarray(0, cut), source.subarray(cut));
        if (out !== whole) assertEquals(out, whole, `cut at ${cut}`);
      }
      assertEquals(await streamText(fake, ...Array.from(source, (byte) => Uint8Array.of(byte))), whole);
    }
  });
}

// ---------------------------------------------------------------- the client leaves

for (const fake of FAKES) {
  Deno.test(`${nameOf(fake)}: the request is cancelled when the client leaves before the answer`, async () => {
    const leaving = new AbortController();
    const { promise: asked, resolve } = Promise.withResolvers<AbortSignal>();
    const gateway = gatewayTo(({ signal }) => {
      resolve(signal!);
      return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    });
    const answer = gateway.fetch(request(fake, true, leaving.signal));
    const signal = await asked;
    assertEquals(signal.aborted, false);
    leaving.abort();
    await answer;
    assertEquals(signal.aborted, true);
  });

  for (const sent of [0, 3]) {
    Deno.test(`${nameOf(fake)}: the request is cancelled when the client leaves after ${sent} events`, async () => {
      const { promise: cancelled, resolve } = Promise.withResolvers<void>();
      const events = fake.stream(TEXT).slice(0, sent);
      const body = new ReadableStream({
        start: (controller) => events.forEach((event) => controller.enqueue(bytesOf(fake, [event]))),
        cancel: () => resolve(),
      });
      const headers = { "content-type": typeOf(fake) };
      const response = await gatewayTo(() => new Response(body, { headers })).fetch(request(fake, true));
      const reader = response.body!.getReader();
      const read = reader.read();
      if (sent > 0) assert((await read).value);
      await reader.cancel();
      await cancelled;
      if (sent === 0) assertEquals(await read, { done: true, value: undefined });
    });
  }
}
