/** Times the reading of events: our reader beside `eventsource-parser`, which would be used if it were faster. */
import { assertEquals } from "@std/assert";
import { createParser } from "npm:eventsource-parser@4.1.3";
import type { OnFrame } from "../wires/streams/framing.ts";
import { sseReader } from "../wires/streams/sse.ts";
import { chunksOf, cut, type Frame, length, size } from "./loads.ts";
import { SHAPES } from "./shapes.ts";

/** `eventsource-parser` reads text, so bytes are decoded first, as in its own stream class. */
function parser(onEvent: OnFrame) {
  const decoder = new TextDecoder();
  const { feed, reset } = createParser({ onEvent: ({ data, event }) => onEvent(data, event ?? "") });
  return {
    push: (chunk: Uint8Array) => feed(decoder.decode(chunk, { stream: true })),
    end() {
      feed(decoder.decode());
      reset({ consume: true });
    },
  };
}

const readers = { "eventsource-parser": parser, sseReader };

const anthropic = SHAPES.anthropic.events(200);
const loads = {
  "anthropic, 200 text events, one per chunk": chunksOf(anthropic, 1),
  "anthropic, 200 text events, 16 per chunk": chunksOf(anthropic, 16),
  "openai, 200 text events, one per chunk": chunksOf(SHAPES.openai.events(200), 1),
  "gemini with CRLF, 200 text events, one per chunk": chunksOf(SHAPES.gemini.events(200), 1),
  "one line of 256 KiB in 4 KiB chunks": cut(`data: ${"x".repeat(256 * 1024)}\n\n`, 4096),
  "anthropic, 200 text events, 1-byte chunks": cut(anthropic.join(""), 1),
};

for (const [load, chunks] of Object.entries(loads)) {
  const group = `SSE, ${load} (${size(length(chunks))})`;
  const read = (make: typeof parser) => {
    const events: Frame[] = [];
    const reader = make((data, event) => events.push({ data, event }));
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    return events;
  };
  assertEquals(read(sseReader), read(parser), group);
  for (const [name, make] of Object.entries(readers)) {
    Deno.bench(name, { group, baseline: make === parser }, () => {
      let sum = 0;
      const reader = make((data) => sum += data.length);
      for (const chunk of chunks) reader.push(chunk);
      reader.end();
      if (sum === 0) throw new Error("no event was read");
    });
  }
}
