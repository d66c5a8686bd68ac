import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { mistralToolId, shortToolId } from "../../providers/tool_ids.ts";
import { packToolId } from "../../wires/shared/tool_id.ts";

Deno.test("shortToolId() leaves short ids unchanged, and takes the signature off longer ones", () => {
  const toolId = shortToolId(40);
  for (const id of ["call_1", "toolu_01A09q90qw90lq917835lq9", "x".repeat(40), "", packToolId("a", "abcd")]) {
    assertEquals(toolId(id), id);
  }
  assertEquals(toolId(packToolId("call_1", "abcd".repeat(20))), "call_1");
});

Deno.test("mistralToolId() leaves Mistral's own ids unchanged", () => {
  assertEquals(mistralToolId("D681PevKs"), "D681PevKs");
  for (const id of ["call_1", "D681PevKsx", "D681PevK", "D681-evKs", ""]) {
    assertNotEquals(mistralToolId(id), id);
  }
});

Deno.test("an id of a tool call always becomes the same accepted id, and different ids stay different", () => {
  const kinds: [string, RegExp][] = [["short", /^.{0,40}$/s], ["mistral", /^[a-zA-Z0-9]{9}$/]];
  const id = fc.oneof(fc.string(), fc.string({ minLength: 41 }), fc.stringMatching(/^call_[a-zA-Z0-9]{24}$/));
  for (const [kind, taken] of kinds) {
    const toolId = kind === "short" ? shortToolId(40) : mistralToolId;
    fc.assert(fc.property(fc.uniqueArray(id, { maxLength: 20 }), (ids) => {
      const written = ids.map(toolId);
      for (const one of written) {
        assert(taken.test(one), `${kind}: ${one}`);
        assertEquals(toolId(one), one, "twice is as once");
      }
      assertEquals(new Set(written).size, ids.length, kind);
      assertEquals(ids.map(toolId), written);
    }));
  }
});
