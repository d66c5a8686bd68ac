import { assertEquals } from "@std/assert";
import { contentWatch } from "../../../wires/streams/begun.ts";
import { keptBytes } from "../../../wires/streams/chunks.ts";

/** Whether bodies of an unknown format have begun after a comment, and after an event. */
function begins(type: string): boolean[] {
  const watch = contentWatch(type, undefined);
  const held = keptBytes();
  return [": waiting\n\n", 'data: {"a":1}\n\n'].map((text) => {
    const chunk = new TextEncoder().encode(text);
    held.add(chunk);
    return watch(chunk, held);
  });
}

Deno.test("contentWatch() recognizes an event stream of unknown format by its content type, in any case and with parameters", () => {
  const streams = ["text/event-stream", "TEXT/Event-Stream", "text/event-stream; charset=utf-8"];
  for (const type of streams) assertEquals(begins(type), [false, true], type);
  const whole = ["application/json", "APPLICATION/JSON; charset=utf-8", "application/problem+json"];
  for (const type of whole) assertEquals(begins(type), [false, false], type);
  const others = ["", "xtext/event-stream", "text/event-streams", "text/plain; x=json", "application/jsonl"];
  for (const type of others) assertEquals(begins(type), [true, true], type);
});
