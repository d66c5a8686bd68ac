import { assertEquals, assertThrows } from "@std/assert";
import { jsonLines, jsonLinesReader } from "../../../wires/streams/json_lines.ts";
import { EventTooLong } from "../../../wires/streams/sse.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(...chunks: Uint8Array[]): string[] {
  const frames: string[] = [];
  const reader = jsonLinesReader((data, event) => frames.push(`${event}${data}`));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return frames;
}

/** As Ollama's `/api/chat` streams, with line ends of both kinds, an empty line, and no end of the last line. */
const TEXT = '{"message":{"content":"Grüß 🗼"},"done":false}\r\n\n{"a":1}\n \t\n{"done":true}';
const LINES = ['{"message":{"content":"Grüß 🗼"},"done":false}', '{"a":1}', '{"done":true}'];

Deno.test("jsonLinesReader() yields the same lines wherever two cuts fall, inside characters too", () => {
  const all = bytes(TEXT);
  for (let first = 0; first <= all.length; first++) {
    for (let second = first; second <= all.length; second++) {
      const lines = read(all.subarray(0, first), all.subarray(first, second), all.subarray(second));
      assertEquals(lines, LINES, `cut at ${first} and ${second}`);
    }
  }
});

Deno.test("jsonLinesReader() yields the same lines when they come byte by byte, in reused memory", () => {
  const frames: string[] = [];
  const reader = jsonLinesReader((data) => frames.push(data));
  const buffer = new Uint8Array(1);
  for (const byte of bytes(TEXT)) {
    buffer[0] = byte;
    reader.push(buffer);
  }
  reader.end();
  assertEquals(frames, LINES);
});

Deno.test("jsonLinesReader() refuses a line beyond its limit, however it is cut, and counts each line anew", () => {
  for (const size of [1, 3, 100]) {
    const frames: string[] = [];
    const reader = jsonLinesReader((data) => frames.push(data), 10);
    const all = bytes(`${"1".repeat(10)}\n${"2".repeat(10)}\n${"3".repeat(11)}`);
    assertThrows(() => {
      for (let at = 0; at < all.length; at += size) reader.push(all.subarray(at, at + size));
    }, EventTooLong);
    assertEquals(frames, ["1".repeat(10), "2".repeat(10)]);
  }
});

Deno.test("jsonLines passes its limit on", () => {
  const reader = jsonLines.reader(() => {}, () => {}, 3);
  assertThrows(() => reader.push(bytes("1234")), EventTooLong);
});
