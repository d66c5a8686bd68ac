import { assertEquals, assertMatch } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { cutNames, readName, writeName } from "../../../wires/gemini/names.ts";

Deno.test("writeName() changes only names that Google refuses or that would be read back differently", () => {
  const names = {
    "f": "f",
    "_f": "_f",
    "mcp__server.tool:x-y": "mcp__server.tool:x-y",
    "get_user_x": "get_user_x",
    "2fa": "_2fa",
    "_2fa": "__2fa",
    "__2fa": "___2fa",
    "a/b": "a_x2f_b",
    "-a": "_x2d_a",
    ".a": "_x2e_a",
    "a b": "a_x20_b",
    "é": "_xe9_",
    "工具": "_x5de5__x5177_",
    "👋": "_x1f44b_",
    "a_x2f_b": "a_x5f_x2f_b",
    "1/_x2f_": "_1_x2f__x5f_x2f_",
  };
  for (const [name, written] of Object.entries(names)) {
    assertEquals(writeName(name), written);
    assertEquals(readName(written), name);
  }
});

Deno.test("readName() reads back whatever writeName() wrote", () => {
  const piece = fc.constantFrom(
    "_",
    "x",
    "_x",
    "2e",
    "_x2e_",
    "5f",
    "1",
    "a",
    ".",
    "-",
    ":",
    "é",
    "/",
    "\ud83d",
    " ",
  );
  const name = fc.array(fc.oneof(piece, fc.string()), { minLength: 1, maxLength: 8 }).map((all) =>
    all.join("")
  )
    .filter((text) => text !== "");
  fc.assert(
    fc.property(name, (text) => {
      assertMatch(writeName(text), /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/);
      const read = readName(writeName(text));
      // A name that is too long for Google is cut. A hash keeps it apart from similar names.
      const tool = { type: "custom", name: text, path: "tools[0]", formatPath: "tools[0].format" } as const;
      assertEquals(cutNames([tool])?.get(read) ?? read, text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readName() takes any name that a model makes up", () => {
  assertEquals(readName("_xffffff_"), "_xffffff_");
  assertEquals(readName("_x110000_"), "_x110000_");
  assertEquals(readName("_x10ffff_"), "\u{10ffff}");
  assertEquals(readName(""), "");
});

Deno.test("writeName() cuts names that are too long for Google, and cutNames() remembers them", () => {
  const tool = (name: string) => ({
    type: "function" as const,
    name,
    extra: {},
    path: "tools[0]",
    definitionPath: "tools[0].function",
    parametersPath: "tools[0].function.parameters",
  });
  const long = ["a", "b"].map((end) => `mcp__${"x".repeat(130)}${end}`);
  const foreign = ["工", "具"].map((end) => "搜".repeat(40) + end);
  const emoji = [`${"👋".repeat(20)}a`, `1${"👋".repeat(20)}`];
  const all = [...long, ...foreign, ...emoji];
  const written = all.map(writeName);
  for (const name of written) assertMatch(name, /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/);
  assertEquals(new Set(written).size, all.length);
  assertEquals(all.map(writeName), written);
  const names = cutNames(all.map(tool))!;
  assertEquals(written.map((name) => names.get(readName(name))), all);
  // The longest name that is not cut.
  const whole = ["y".repeat(128), "搜".repeat(18), `_${"👋".repeat(15)}`];
  assertEquals(whole.map((name) => readName(writeName(name))), whole);
  assertEquals(cutNames(whole.map(tool)), undefined);
  assertEquals(cutNames(undefined), undefined);
});
