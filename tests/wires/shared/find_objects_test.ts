/** The objects of a list, or the one object, as parts of a text. */
import { assertEquals } from "@std/assert";
import { findObjects } from "../../../wires/shared/json_text.ts";

const found = (text: string) =>
  findObjects(new TextEncoder().encode(text))?.map((part) => new TextDecoder().decode(part));

Deno.test("findObjects() finds one object, or those of a list, whatever blanks are around them", () => {
  const cases: Record<string, string[]> = {
    '{"a":1}': ['{"a":1}'],
    ' \n{"a":[{},{}]}\t': ['{"a":[{},{}]}'],
    "[{}]": ["{}"],
    '[{"a":1},{"b":"]"}]': ['{"a":1}', '{"b":"]"}'],
    ' [ {"a":1} , {} ] ': ['{"a":1}', "{}"],
  };
  for (const [text, objects] of Object.entries(cases)) assertEquals(found(text), objects, text);
});

Deno.test("findObjects() returns undefined for any other text", () => {
  const others = [
    "",
    " ",
    "[]",
    "[ ]",
    "{",
    "[{}",
    "[{},]",
    "[{}{}]",
    "[{}]]",
    "[{}],",
    "{},{}",
    "{}]",
    "{} x",
    "[{},1]",
  ];
  for (const text of [...others, "[[{}]]", "1", '"{}"', "null", "x{}"]) {
    assertEquals(found(text), undefined, text);
  }
});
