import { assertEquals } from "@std/assert";
import { collector } from "../../../wires/streams/collect.ts";
import type { Delta, Usage } from "../../../wires/types.ts";

function collect(...deltas: Delta[]) {
  const { emit, answer } = collector();
  deltas.forEach(emit);
  return answer;
}

const usage = (input: number): Usage => ({
  input,
  cacheRead: 0,
  cacheWrite: 0,
  audioIn: 0,
  output: 0,
  reasoning: 0,
  audioOut: 0,
});

Deno.test("collector() joins the pieces of each choice", () => {
  const { choices } = collect(
    { type: "text", choice: 0, text: "a" },
    { type: "text", choice: 1, text: "x" },
    { type: "text", choice: 0, text: "b" },
    { type: "thought", choice: 0, block: 0, text: "t" },
    { type: "thought", choice: 0, block: 1, redacted: "R" },
    { type: "thought", choice: 0, block: 0, text: "u", signature: "S", format: "f" },
    { type: "tool", choice: 0, index: 0, id: "a", name: "f" },
    { type: "tool", choice: 0, index: 1, id: "b", name: "g", signature: "G" },
    { type: "args", choice: 0, index: 1, text: "{" },
    { type: "args", choice: 0, index: 0, text: "1" },
    { type: "args", choice: 0, index: 1, text: "}" },
    { type: "stop", choice: 1, reason: "length" },
  );
  assertEquals(choices[0].text, "ab");
  assertEquals(choices[0].reasoning, "tu");
  assertEquals(choices[0].thoughts, [
    { text: "tu", signature: "S", redacted: undefined, format: "f" },
    { redacted: "R", signature: undefined, format: undefined },
  ]);
  assertEquals(choices[0].calls.map(({ name, arguments: text, signature }) => [name, text, signature]), [
    ["f", "1", undefined],
    ["g", "{}", "G"],
  ]);
  assertEquals([choices[0].stop, choices[1].stop, choices[1].text], [undefined, "length", "x"]);
});

Deno.test("collector() keeps the first start and the last usage", () => {
  const { start, usage: kept } = collect(
    { type: "start", id: "one" },
    { type: "usage", usage: usage(1) },
    { type: "start", id: "two" },
    { type: "usage", usage: usage(2) },
  );
  assertEquals([start.id, kept], ["one", usage(2)]);
});

Deno.test("collector() takes nothing after an error, and keeps what came before", () => {
  const { error, choices } = collect(
    { type: "text", choice: 0, text: "a" },
    { type: "error", error: { message: "one" } },
    { type: "text", choice: 0, text: "b" },
    { type: "error", error: { message: "two" } },
  );
  assertEquals([error?.message, choices[0].text], ["one", "a"]);
});
