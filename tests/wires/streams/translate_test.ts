import { assert, assertEquals } from "@std/assert";
import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import { chunkWriter } from "../../../wires/openai_chat/write_stream.ts";
import { sourceOf } from "../../sources.ts";
import { callOf } from "../gathered.ts";
import { translate, translation } from "../../../wires/streams/translate.ts";
import type { Emit, StreamReader } from "../../../wires/types.ts";

/** A chunk that says this. */
const say = (content: string, finish_reason: string | null = null) =>
  `data: ${
    JSON.stringify({
      id: "a",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta: { content }, finish_reason }],
    })
  }\n\n`;

const END = `${say("", "stop")}data: [DONE]\n\n`;

function translated(
  body: ReadableStream<Uint8Array>,
  read: (emit: Emit) => StreamReader = openaiChat.readStream,
) {
  const writer = chunkWriter(callOf(), { id: "d", created: 0, model: "d" });
  const failures: unknown[] = [];
  const step = translation({
    reader: read,
    writer,
    failure(cause) {
      failures.push(cause);
      return { message: "broke off", code: "upstream_broke_off" };
    },
  });
  const stream = translate(body, step);
  return { stream, failures };
}

/** The content of a stream's events: text, the message of an error, or how it ended. */
const said = (text: string) =>
  text.split("\n\n").slice(0, -1).map((event) => {
    const data = event.slice("data: ".length);
    if (data === "[DONE]") return data;
    const { error, choices } = JSON.parse(data);
    return error ? `! ${error.message}` : choices[0].finish_reason ?? choices[0].delta.content;
  });

Deno.test("translate() writes at most one chunk for each chunk of the source, and no empty one", async () => {
  const { body } = sourceOf([
    ": ping\n\n",
    say("a") + say("b"),
    say("c").slice(0, 9),
    "",
    say("c").slice(9),
    END,
  ]);
  const chunks: string[][] = [];
  for await (const chunk of translated(body).stream) chunks.push(said(new TextDecoder().decode(chunk)));
  assertEquals(chunks, [["", "a", "b"], ["c"], ["stop", "[DONE]"]]);
});

Deno.test("translate() reads nothing from the source before the client asks for it", async () => {
  const { body, seen } = sourceOf([say("a"), say("b"), say("c"), END]);
  const reader = translated(body).stream.getReader();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(seen.taken, 0);
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(seen.taken, 1);
  await reader.cancel();
});

Deno.test("translate() turns a source that breaks into an error event and no clean end", async () => {
  const broken = new Error("connection reset");
  const { stream, failures } = translated(sourceOf([say("a"), broken]).body);
  assertEquals(said(await new Response(stream).text()), ["", "a", "! broke off"]);
  assertEquals(failures, [broken]);
});

Deno.test("translate() turns a source that ends too soon into an error event and no clean end", async () => {
  const { stream, failures } = translated(sourceOf([say("a")]).body);
  const events = said(await new Response(stream).text());
  assertEquals(events.length, 3);
  assert(events[2].startsWith("! "), events[2]);
  assertEquals(failures, []);
});

Deno.test("translate() ends at the provider's error and cancels the source", async () => {
  const { body, seen } = sourceOf([
    `${say("a")}data: {"error":{"message":"no room"}}\n\n${say("b")}`,
    say("c"),
  ], "wait");
  assertEquals(said(await new Response(translated(body).stream).text()), ["", "a", "! no room"]);
  assertEquals(seen, { taken: 1, cancelled: "cancelled" });
});

Deno.test("translate() turns an exception of the reader into an error event and cancels the source", async () => {
  const { body, seen } = sourceOf([say("a"), say("b")], "wait");
  const fault = new TypeError("cannot read");
  let frames = 0;
  const { stream, failures } = translated(body, (emit) => {
    const reader = openaiChat.readStream(emit);
    return {
      ...reader,
      frame(data, event) {
        if (++frames === 2) throw fault;
        reader.frame(data, event);
      },
    };
  });
  assertEquals(said(await new Response(stream).text()), ["", "a", "! broke off"]);
  assertEquals([failures, seen.cancelled], [[fault], fault]);
});

Deno.test("translate() cancels the source when the client leaves, also while it waits", async () => {
  for (const chunks of [[], [say("a")]]) {
    const { body, seen } = sourceOf(chunks, "wait");
    const { stream, failures } = translated(body);
    const reader = stream.getReader();
    if (chunks.length > 0) await reader.read();
    const waiting = reader.read();
    await reader.cancel("gone");
    assertEquals(await waiting, { done: true, value: undefined });
    assertEquals([seen.cancelled, failures], ["gone", []]);
  }
});
