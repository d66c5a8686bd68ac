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
  assertEquals(choices[0].items.map((item) => item.type), ["text", "thought", "thought", "tool", "tool"]);
  const [text, first, second, f, g] = choices[0].items;
  assertEquals(text, { type: "text", text: "ab", citations: [] });
  assertEquals(first, {
    type: "thought",
    thought: { text: "tu", signature: "S", redacted: undefined, format: "f" },
  });
  assertEquals(second, {
    type: "thought",
    thought: { redacted: "R", signature: undefined, format: undefined },
  });
  assertEquals(f, { type: "tool", call: { id: "a", name: "f", arguments: "1", signature: undefined } });
  assertEquals(g, { type: "tool", call: { id: "b", name: "g", arguments: "{}", signature: "G" } });
  assertEquals([choices[0].stop, choices[1].stop], [undefined, "length"]);
  assertEquals(choices[1].items, [{ type: "text", text: "x", citations: [] }]);
});

Deno.test("collector() keeps the order of the model's items", () => {
  const citation = { url: "u", title: "t", start: 0, end: 1 };
  const serverCall = { kind: "web_search", input: { query: "q" } } as const;
  const { choices: [choice] } = collect(
    { type: "text", choice: 0, text: "a" },
    { type: "thought", choice: 0, block: 0, text: "t", summary: true },
    { type: "text", choice: 0, text: "b" },
    { type: "text", choice: 0, text: "" },
    { type: "citation", choice: 0, citation },
    { type: "server_tool", choice: 0, serverCall },
    { type: "tool", choice: 0, index: 0, id: "a", name: "f", custom: true },
    { type: "args", choice: 0, index: 0, text: "free" },
    { type: "refusal", choice: 0, text: "n" },
    { type: "refusal", choice: 0, text: "o" },
    { type: "image", choice: 0, media: { url: "i" }, signature: "S" },
    { type: "text", choice: 0, text: "c" },
    { type: "signature", choice: 0, signature: "G" },
    { type: "stop", choice: 0, reason: "stop", sequence: "END" },
  );
  assertEquals(choice.items, [
    { type: "text", text: "a", citations: [] },
    {
      type: "thought",
      thought: { text: "t", signature: undefined, redacted: undefined, format: undefined },
      summary: true,
    },
    { type: "text", text: "b", citations: [citation] },
    { type: "server_tool", serverCall },
    { type: "tool", call: { id: "a", name: "f", arguments: "free", signature: undefined, custom: true } },
    { type: "refusal", text: "no" },
    { type: "image", media: { url: "i" }, signature: "S" },
    { type: "text", text: "c", citations: [] },
  ]);
  assertEquals([choice.signature, choice.stop, choice.sequence], ["G", "stop", "END"]);
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
  assertEquals([error?.message, choices[0].items], ["one", [{ type: "text", text: "a", citations: [] }]]);
});
