import { assertEquals } from "@std/assert";
import { callIds, packToolId, unpackToolId } from "../../../wires/shared/tool_id.ts";

Deno.test("packToolId() carries a signature in characters that every provider takes", () => {
  assertEquals(packToolId("call_1", "ab+/cd=="), "call_1__sig_ab-_cd");
  assertEquals(unpackToolId("call_1__sig_ab-_cd"), { id: "call_1", signature: "ab+/cd==" });
});

Deno.test("packToolId() returns the id unchanged without a signature", () => {
  for (const signature of [undefined, ""]) assertEquals(packToolId("call_1", signature), "call_1");
  assertEquals(unpackToolId("call_1"), { id: "call_1" });
  assertEquals(unpackToolId(""), { id: "" });
});

Deno.test("packToolId() leaves out a signature that would come back changed or that an id cannot hold", () => {
  for (const signature of ["a_b-", "ab+/c", "a,b ", "a\nbc", 'a"b\\', "ééé", "=", "ab=c"]) {
    assertEquals(packToolId("call_1", signature), "call_1", signature);
  }
});

Deno.test("packToolId() never packs twice", () => {
  const once = packToolId("call_1", "abcd");
  assertEquals(packToolId(once, "efgh"), once);
});

Deno.test("callIds() gives tool calls with one id different ids, and matches results in their order", () => {
  const ids = callIds();
  assertEquals(["c", "c", "", "call", "c_2", "c"].map(ids.call), [
    "c",
    "c_2",
    "call",
    "call_2",
    "c_2_2",
    "c_3",
  ]);
  assertEquals(["c", "c", "c", "c", "", "other"].map(ids.result), [
    "c",
    "c_2",
    "c_3",
    "c_3",
    "call",
    "other",
  ]);
  // A tool call that comes after all others have results gets the next result.
  assertEquals([ids.call("c"), ids.result("c")], ["c_4", "c_4"]);
});

Deno.test("callIds() needs one step per tool call, also if many have the same id", () => {
  const ids = callIds();
  const most = 50_000; // This would take a minute if each tool call looked through all calls before it.
  for (let n = 1; n <= most; n++) assertEquals(ids.call("c"), n === 1 ? "c" : `c_${n}`);
  for (let n = 1; n <= most; n++) assertEquals(ids.result("c"), n === 1 ? "c" : `c_${n}`);
});
