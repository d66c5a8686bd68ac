import { assertEquals } from "@std/assert";
import { packToolId, unpackToolId } from "../../wires/tool_id.ts";

Deno.test("packToolId() carries a signature in characters that every provider takes", () => {
  assertEquals(packToolId("call_1", "ab+/cd=="), "call_1__sig_ab-_cd");
  assertEquals(unpackToolId("call_1__sig_ab-_cd"), { id: "call_1", signature: "ab+/cd==" });
});

Deno.test("packToolId() leaves an id alone that has nothing to carry", () => {
  for (const signature of [undefined, ""]) assertEquals(packToolId("call_1", signature), "call_1");
  assertEquals(unpackToolId("call_1"), { id: "call_1" });
  assertEquals(unpackToolId(""), { id: "" });
});

Deno.test("packToolId() carries nothing that would come back changed or that an id cannot hold", () => {
  for (const signature of ["a_b-", "ab+/c", "a,b ", "a\nbc", 'a"b\\', "ééé", "=", "ab=c"]) {
    assertEquals(packToolId("call_1", signature), "call_1", signature);
  }
});

Deno.test("packToolId() never packs twice", () => {
  const once = packToolId("call_1", "abcd");
  assertEquals(packToolId(once, "efgh"), once);
});
