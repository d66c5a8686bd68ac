/** Times streams: each wire's reader, the writer of chunks, and both in one translated stream. */
import { assertEquals } from "@std/assert";
import { WIRES } from "../providers/kinds.ts";
import { openaiChat } from "../wires/openai_chat/mod.ts";
import { translate, translation } from "../wires/streams/translate.ts";
import type { Delta } from "../wires/types.ts";
import { CALL, chunksOf, DEFAULTS, framesOf, read, rewrite, textOf, textOfChunks } from "./loads.ts";
import { type Shape, SHAPES, text } from "./shapes.ts";

const EVENTS = 200;

// ---------------------------------------------------------------- readers

for (const shape of Object.keys(SHAPES) as Shape[]) {
  const { readStream } = WIRES[shape];
  const frames = framesOf(chunksOf(SHAPES[shape].events(EVENTS), 1));
  assertEquals(textOf(read(readStream, frames)), text(EVENTS), shape);
  assertEquals(textOfChunks(rewrite(readStream, frames)), text(EVENTS), shape);
  const group = `stream reader, ${shape}, ${EVENTS} text events`;
  Deno.bench("JSON.parse of the same", { group, baseline: true }, () => {
    for (const { data } of frames) if (data !== "[DONE]") JSON.parse(data);
  });
  Deno.bench("readStream", { group }, () => {
    let deltas = 0;
    const reader = readStream(() => deltas++);
    for (const { data, event } of frames) reader.frame(data, event);
    reader.end();
    if (deltas < EVENTS) throw new Error("deltas are missing");
  });
  Deno.bench("readStream and chunkWriter", { group }, () => void rewrite(readStream, frames));
}

// ---------------------------------------------------------------- the writer

const texts = read(WIRES.anthropic.readStream, framesOf(chunksOf(SHAPES.anthropic.events(EVENTS), 1)));
const writes: Record<string, Delta[]> = {
  "text": texts,
  "reasoning": texts.map((delta) =>
    delta.type === "text" ? { type: "thought", choice: 0, block: 0, text: delta.text } : delta
  ),
  "tool arguments": [
    { type: "start" },
    { type: "tool", choice: 0, index: 0, id: "toolu_bench", name: "look_up" },
    ...texts.map((delta): Delta =>
      delta.type === "text" ? { type: "args", choice: 0, index: 0, text: delta.text } : delta
    ),
  ],
};

const encoder = new TextEncoder();

function write(deltas: readonly Delta[]): Uint8Array {
  const writer = openaiChat.writer(CALL, DEFAULTS);
  let out = "";
  for (const delta of deltas) out += writer.delta(delta);
  return encoder.encode(out + writer.end());
}

for (const [name, deltas] of Object.entries(writes)) {
  const frames = framesOf([write(deltas)]);
  assertEquals(frames.at(-1)?.data, "[DONE]");
  const chunks = frames.slice(0, -1).map(({ data }) => JSON.parse(data));
  const said = chunks.flatMap(({ choices }) => choices).map(({ delta }) =>
    delta.content || delta.reasoning_content || delta.tool_calls?.[0].function.arguments || ""
  );
  assertEquals(said.join(""), text(EVENTS), name);
  const group = `chunk writer, ${EVENTS} deltas of ${name}`;
  Deno.bench("JSON.stringify of the same", { group, baseline: true }, () => {
    let out = "";
    for (const chunk of chunks) out += `data: ${JSON.stringify(chunk)}\n\n`;
    encoder.encode(out);
  });
  Deno.bench("chunkWriter", { group }, () => void write(deltas));
}

// ---------------------------------------------------------------- a stream, bytes to bytes

// The bytes come from memory, without a network: this shows the cost of the streams alone. Sockets cost several times as much.

const failure = () => ({ message: "broke off" });

for (const perChunk of [1, 16]) {
  for (const shape of ["anthropic", "gemini", "cohere", "perplexity", "responses"] as const) {
    const chunks = chunksOf(SHAPES[shape].events(EVENTS), perChunk);
    const source = () => {
      let at = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at < chunks.length) controller.enqueue(chunks[at++]);
          else controller.close();
        },
      });
    };
    const translated = () =>
      translate(
        source(),
        translation({
          reader: WIRES[shape].readStream,
          writer: openaiChat.writer(CALL, DEFAULTS),
          failure,
        }),
      );
    assertEquals(textOfChunks(await new Response(translated()).bytes()), text(EVENTS), shape);
    const group = `stream, ${shape} to openai, ${EVENTS} text events, ${perChunk} per chunk`;
    Deno.bench("identity TransformStream", { group, baseline: true }, async () => {
      for await (const _ of source().pipeThrough(new TransformStream()));
    });
    Deno.bench("translate", { group }, async () => {
      for await (const _ of translated());
    });
  }
}
