import { assertEquals, assertThrows } from "@std/assert";
import { parseJson } from "../../../gateway/upstream/body.ts";
import { GatewayError } from "../../../wires/errors.ts";

Deno.test("parseJson() keeps nothing of a text that was not UTF-8, or was cut inside a character, for the next call", () => {
  const good = new TextEncoder().encode('{"a":"é"}');
  for (const bad of [[0x22, 0xff, 0x22], [0x22, 0xc3], [0xef, 0xbb]]) {
    assertThrows(() => parseJson(new Uint8Array(bad)), GatewayError);
    assertEquals(parseJson(good), { a: "é" });
  }
});
