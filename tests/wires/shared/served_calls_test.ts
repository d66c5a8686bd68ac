import { assertEquals } from "@std/assert";
import { withServed } from "../../../wires/shared/served_calls.ts";
import type { Citation, Message, Part, ServedCall } from "../../../wires/types.ts";
import { callOf } from "../gathered.ts";

const text = (text: string): Part => ({ type: "text", text, path: "p" });
const served = (id: string, after: number): ServedCall => ({
  kind: "mcp",
  id,
  tool: { server: "docs", name: "find" },
  input: { q: id },
  output: `Found ${id}`,
  path: id,
  after,
});
const cite = (start: number, end: number): Citation => ({ url: "https://e.test", title: "T", start, end });
const called = (id: string) => ({ id, name: "docs__find", arguments: `{"q":"${id}"}`, path: id });
const result = (id: string): Message => ({
  role: "tool",
  callId: id,
  path: id,
  parts: [{ type: "text", text: `Found ${id}`, path: id }],
});

Deno.test("withServed() parts an answer where results stand, and keeps the rest in its place", () => {
  const own = { id: "c", name: "f", arguments: "{}", path: "c" };
  const message: Message = {
    role: "assistant",
    path: "m",
    parts: [text("one "), text("two "), text("three")],
    thoughts: [{ text: "Hm.", path: "t" }],
    calls: [own],
    served: [served("a", 1), served("b", 1), served("d", 3)],
    citations: [cite(0, 3), cite(4, 7), cite(8, 13)],
    signature: "c2ln",
    cache: { type: "ephemeral" },
  };
  const call = { ...callOf({}), messages: [message] };
  const empty = { role: "assistant" as const, path: "m", thoughts: [], calls: [], parts: [] };
  assertEquals(withServed(call).messages, [
    {
      ...empty,
      parts: [text("one ")],
      thoughts: message.thoughts,
      calls: [called("a"), called("b")],
      citations: [cite(0, 3)],
    },
    result("a"),
    result("b"),
    {
      ...empty,
      parts: [text("two "), text("three")],
      calls: [called("d")],
      citations: [cite(0, 3), cite(4, 9)],
    },
    result("d"),
    { ...empty, calls: [own], signature: "c2ln", cache: { type: "ephemeral" }, cachePath: undefined },
  ]);
});

Deno.test("withServed() changes nothing of a call without them", () => {
  const call = callOf({});
  assertEquals(withServed(call) === call, true);
});
