/**
 * How cost grows: each load at one, ten and a hundred times its size. "faster than" in a group's summary is the factor.
 * About 10 and 100 mean that cost is linear in bytes. A constant share makes the factor smaller; memory that is used for the
 * first time makes it two or three times larger. Quadratic cost would show as 100 and 10,000.
 */
import { assertEquals } from "@std/assert";
import { WIRES } from "../providers/kinds.ts";
import { collector } from "../wires/streams/collect.ts";
import { editMembers, findMembers } from "../wires/shared/json_text.ts";
import { writeAnswer } from "../wires/openai_chat/write_answer.ts";
import type { JsonObject } from "../wires/types.ts";
import {
  CALL,
  chunksOf,
  cut,
  DEFAULTS,
  framesOf,
  length,
  read,
  rewrite,
  size,
  textOfChunks,
} from "./loads.ts";
import { type Shape, SHAPES, text } from "./shapes.ts";

const FACTORS = [1, 10, 100];

/** Registers one group. `make` returns the work for a factor, whose result it has checked, and the bytes that it reads. */
function grow(name: string, make: (factor: number) => { bytes: number; work: () => void }): void {
  for (const factor of FACTORS) {
    const { bytes, work } = make(factor);
    Deno.bench(`x ${factor}, ${size(bytes)}`, { group: `growth, ${name}`, baseline: factor === 1 }, work);
  }
}

// ---------------------------------------------------------------- lines

for (
  const [name, bytes, characters] of [["4 KiB chunks", 4096, 40_000], ["1-byte chunks", 1, 2500]] as const
) {
  grow(`one line in ${name}`, (factor) => {
    const chunks = cut(`data: ${"x".repeat(characters * factor)}\n\n`, bytes);
    assertEquals(framesOf(chunks).map(({ data }) => data.length), [characters * factor]);
    return { bytes: length(chunks), work: () => void framesOf(chunks) };
  });
}

grow("lines of one event in 4 KiB chunks", (factor) => {
  const chunks = cut("data: and so on\n".repeat(2500 * factor) + "\n", 4096);
  assertEquals(framesOf(chunks).map(({ data }) => data.length), ["and so on\n".length * 2500 * factor - 1]);
  return { bytes: length(chunks), work: () => void framesOf(chunks) };
});

// ---------------------------------------------------------------- streams

for (const shape of Object.keys(SHAPES) as Shape[]) {
  for (const [name, bytes] of [["4 KiB chunks", 4096], ["1-byte chunks", 1]] as const) {
    const events = bytes === 1 ? 10 : 100;
    grow(`a stream, ${shape} to openai, ${events} text events and more in ${name}`, (factor) => {
      const chunks = cut(SHAPES[shape].events(events * factor).join(""), bytes);
      const { readStream } = WIRES[shape];
      assertEquals(textOfChunks(rewrite(readStream, framesOf(chunks))), text(events * factor));
      return { bytes: length(chunks), work: () => void rewrite(readStream, framesOf(chunks)) };
    });
  }
}

grow("tool arguments, anthropic to openai, 100 pieces and more", (factor) => {
  const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
  const [start] = SHAPES.anthropic.events(1);
  const tool = { type: "tool_use", id: "toolu_1", name: "write", input: {} };
  const piece = { type: "input_json_delta", partial_json: '\\"and so on\\", ' };
  const events = [
    start,
    event({ type: "content_block_start", index: 0, content_block: tool }),
    ...Array(100 * factor).fill(event({ type: "content_block_delta", index: 0, delta: piece })),
    event({ type: "content_block_stop", index: 0 }),
    event({ type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } }),
    event({ type: "message_stop" }),
  ];
  const chunks = chunksOf(events, 1);
  const { readStream } = WIRES.anthropic;
  const args = read(readStream, framesOf(chunks)).filter((delta) => delta.type === "args");
  assertEquals(args.map((delta) => delta.text).join(""), piece.partial_json.repeat(100 * factor));
  return { bytes: length(chunks), work: () => void rewrite(readStream, framesOf(chunks)) };
});

// ---------------------------------------------------------------- bodies

for (const shape of ["anthropic", "gemini", "cohere", "perplexity", "responses"] as const) {
  grow(`a whole answer, ${shape} to openai`, (factor) => {
    const written = JSON.stringify(SHAPES[shape].whole(2000 * factor));
    const answer = () => {
      const { emit, answer } = collector();
      WIRES[shape].readAnswer(JSON.parse(written) as JsonObject, emit);
      return answer;
    };
    assertEquals(answer().choices[0].items, [{ type: "text", text: text(2000 * factor), citations: [] }]);
    return {
      bytes: written.length,
      work: () => void JSON.stringify(writeAnswer(answer(), CALL, DEFAULTS)),
    };
  });
}

grow("a same-wire body whose model comes last", (factor) => {
  const body = {
    messages: [{ role: "user", content: "and so on\n".repeat(10_000 * factor) }],
    model: "openai/m",
  };
  const written = new TextEncoder().encode(JSON.stringify(body));
  const edits = new Map([["model", { value: '"m"' }]]);
  const edit = () => editMembers(written.slice(), findMembers(written)!, edits);
  assertEquals(JSON.parse(new TextDecoder().decode(edit())), { ...body, model: "m" });
  return { bytes: written.length, work: () => void edit() };
});

grow("a same-wire body of many messages", (factor) => {
  const messages = Array(1000 * factor).fill({ role: "user", content: 'It said: "a gateway".' });
  const written = new TextEncoder().encode(JSON.stringify({ messages, model: "openai/m" }));
  const edits = new Map([["model", { value: '"m"' }]]);
  const edit = () => editMembers(written.slice(), findMembers(written)!, edits);
  assertEquals(JSON.parse(new TextDecoder().decode(edit())).model, "m");
  return { bytes: written.length, work: () => void edit() };
});
