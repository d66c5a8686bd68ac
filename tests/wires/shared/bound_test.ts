import { assertEquals, assertNotEquals } from "@std/assert";
import { boundBy } from "../../../wires/shared/bound.ts";
import { claudeModel } from "../../../wires/shared/claude_models.ts";

const BINDS = claudeModel("claude-opus-5-5");
const of = (system: unknown, tools: unknown) => boundBy(system, tools, BINDS)();
const tool = { name: "f", input_schema: { type: "object" } };
const mark = { cache_control: { type: "ephemeral" } };

Deno.test("boundBy() tells instructions and tools apart, and nothing else", () => {
  const usual = of("Be brief.", [tool]);
  assertEquals(usual, of([{ type: "text", text: "Be brief." }], [tool]));
  assertEquals(usual, of([{ type: "text", text: "Be brief.", ...mark }], [{ ...tool, ...mark }]));
  // A tool that is deferred is not in the prompt, and a point for a cache is not a tool.
  assertEquals(usual, of("Be brief.", [tool, { name: "g", defer_loading: true }]));
  assertEquals(usual, of("Be brief.", [tool, { cachePoint: { type: "default" } }]));
  const others = [
    of("Be long.", [tool]),
    of("Be brief.", []),
    of(undefined, [tool]),
    of("Be brief.", [{ name: "f" }]),
  ];
  for (const other of others) assertNotEquals(usual, other);
  assertEquals(of(undefined, undefined), of([], []));
});

Deno.test("boundBy() says of a model that takes thoughts behind anything that it is one", () => {
  const older = boundBy("Be brief.", [tool], claudeModel("claude-opus-5"))();
  assertEquals(older, `0${of("Be brief.", [tool])}`);
});
