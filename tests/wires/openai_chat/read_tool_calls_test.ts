import { assertEquals } from "@std/assert";
import { toolCallReader } from "../../../wires/openai_chat/read_tool_calls.ts";
import type { Delta, JsonObject } from "../../../wires/types.ts";
import { assertLinear } from "../../growth.ts";

/** What is read from these elements: `name@number:id` for a tool call that begins, `number+text` for arguments. */
function read(...toolCalls: JsonObject[]): string[] {
  const said: string[] = [];
  const readToolCall = toolCallReader(0, (delta: Delta) => {
    if (delta.type === "tool") said.push(`${delta.name}@${delta.index}:${delta.id}`);
    if (delta.type === "args") said.push(`${delta.index}+${delta.text}`);
  });
  for (const toolCall of toolCalls) readToolCall(toolCall);
  return said;
}

const piece = (text: string, more: JsonObject = {}) => ({ ...more, function: { arguments: text } });
const begin = (name: string, more: JsonObject = {}, text = "") => ({
  ...more,
  function: { name, arguments: text },
});

Deno.test("toolCallReader() adds a piece to the tool call with its id, with its index, or else to the last one", () => {
  const a = { id: "a", index: 0 }, b = { id: "b", index: 1 };
  assertEquals(
    read(begin("f", a), begin("g", b), piece("1", a), piece("2", { index: 1 }), piece("3", { index: 7 })),
    ["f@0:a", "g@1:b", "0+1", "1+2", "1+3"],
  );
  // Two tool calls with one index: a piece without an id belongs to the later one.
  assertEquals(
    read(begin("f", { id: "a", index: 0 }), begin("g", { id: "b", index: 0 }), piece("1", { index: 0 })),
    ["f@0:a", "g@1:b", "1+1"],
  );
  assertEquals(read(piece("1"), piece("2", { id: "x" })), ["@0:call_0_0", "0+1", "0+2"]);
});

Deno.test("toolCallReader() separates tool calls without ids by index, by name, and by their completeness", () => {
  assertEquals(read(begin("f", { index: 0 }), begin("f", { index: 0 }, "1")), ["f@0:call_0_0", "0+1"]);
  assertEquals(read(begin("f", { index: 0 }), begin("g", { index: 0 })), ["f@0:call_0_0", "g@1:call_0_1"]);
  assertEquals(read(begin("f", {}, "{}"), begin("f", {}, "{}")), [
    "f@0:call_0_0",
    "0+{}",
    "f@1:call_0_1",
    "1+{}",
  ]);
});

Deno.test("toolCallReader() takes time in proportion to the tool calls of a stream, with and without ids", async () => {
  for (const id of [true, false]) {
    await assertLinear(`ids: ${id}`, 4000, (size) => {
      const readToolCall = toolCallReader(0, () => {});
      for (let at = 0; at < size; at++) {
        readToolCall(begin("f", { index: at, ...(id && { id: `call_${at}` }) }));
      }
    });
  }
});
