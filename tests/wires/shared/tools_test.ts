import { assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { customAsFunction, inputReader, readInput, unsaidMembers } from "../../../wires/shared/tools.ts";
import type { CustomTool, ServerTool } from "../../../wires/types.ts";

/** What a reader returns for each piece, and at the end. */
function pieces(...given: string[]): string[] {
  const reader = inputReader();
  return [...given.map((piece) => reader.push(piece)), reader.end()];
}

Deno.test("inputReader() returns the same text wherever the arguments are cut", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.constantFrom('a"b\\c\n\t\u0001é😀', "\\ud83d", '{"input":"x"}', "</input>\u2028"),
  );
  /** Every character as an escape, as some models write what is not ASCII. */
  const escaped = (value: string) =>
    `"${value.replace(/[^ -~]|["\\]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
  const written = fc.constantFrom(JSON.stringify, escaped);
  const member = fc.constantFrom("input", "patch");
  const space = fc.constantFrom("", " ", "\n  ");
  const cuts = fc.array(fc.nat(), { maxLength: 9 });
  fc.assert(fc.property(text, written, member, space, cuts, (text, write, member, space, cuts) => {
    const whole = `${space}{${space}"${member}"${space}:${space}${write(text)}${space}}${space}`;
    const places = [0, ...new Set(cuts.map((cut) => cut % whole.length)), whole.length].sort((a, b) => a - b);
    const given = pieces(...places.slice(1).map((place, at) => whole.slice(places[at], place)));
    assertEquals(given.join(""), text);
    // Each piece can be sent on its own: it has no half of a surrogate pair whose other half exists.
    for (const piece of given.slice(0, -1)) {
      const isHalf = /[\ud800-\udbff]$/.test(piece) && /[\ud800-\udbff][\udc00-\udfff]/.test(text);
      if (isHalf) assertEquals(text.includes(piece.slice(-1) + given[given.indexOf(piece) + 1][0]), false);
    }
  }));
});

Deno.test("inputReader() reads each escape of JSON, cut behind its backslash or not", () => {
  for (
    const [escape, char] of Object.entries({
      b: "\b",
      f: "\f",
      n: "\n",
      r: "\r",
      t: "\t",
      '"': '"',
      "/": "/",
      "\\": "\\",
    })
  ) {
    assertEquals(pieces(`{"input":"a\\${escape}b"}`).join(""), `a${char}b`, escape);
    assertEquals(pieces(`{"input":"a\\`, `${escape}b"}`).join(""), `a${char}b`, escape);
  }
});

Deno.test("inputReader() returns text as soon as it is certain", () => {
  assertEquals(pieces('{"inp', 'ut": "a', "b\\", "nc\\u00e", '9d"', "}"), [
    "",
    "a",
    "b",
    "\nc",
    "éd",
    "",
    "",
  ]);
  assertEquals(pieces('{"patch":"\\ud83d', "\\ude0", '0!"}'), ["", "", "😀!", ""]);
  assertEquals(pieces('{"input":"\ud83d', '\ude00"}'), ["", "😀", ""]);
});

Deno.test("inputReader() returns arguments of another form when they have ended", () => {
  const cases: [string, string][] = [
    ["*** Begin Patch", "*** Begin Patch"],
    ['"quoted"', '"quoted"'],
    ['{"note": "first", "input": "x\\ny"}', "x\ny"],
    ['{"note": "first", "patch": "p"}', "p"],
    ['{"inputs": "x"}', '{"inputs": "x"}'],
    ['{"input": 7}', '{"input": 7}'],
    ['{"input": {"a": 1}}', '{"input": {"a": 1}}'],
    ['["input"]', '["input"]'],
    ["{not json", "{not json"],
    ["{}", ""],
    ["", ""],
    ["   ", "   "],
    // The arguments were cut off by a limit.
    ['{"input": "half', "half"],
    ['{"input": "half\\', "half"],
    ['{"input": "half\\u00', "half"],
    ['{"inp', '{"inp'],
    // JSON does not have these escapes.
    ['{"input": "\\d+ \\u{1} \\x"}', "\\d+ \\u{1} \\x"],
    // Raw line breaks, and members after the text.
    ['{"input": "a\nb"} and more', "a\nb"],
    ['{"input": "a", "other": "b"}', "a"],
    [`{${" ".repeat(5000)}"input": "x"}`, "x"],
  ];
  for (const [written, text] of cases) {
    assertEquals(readInput(written), text, written.slice(0, 40));
    assertEquals(pieces(...written).join(""), text, written.slice(0, 40));
  }
});

Deno.test("customAsFunction() has one text parameter, and a grammar in the description", () => {
  const tool: CustomTool = {
    type: "custom",
    name: "f",
    path: "tools[0]",
    formatPath: "tools[0].custom.format",
  };
  const written = (more: Partial<CustomTool>) => {
    const dropped: string[] = [];
    const { description, parameters } = customAsFunction({ ...tool, ...more }, dropped);
    assertEquals(Object.keys(parameters!.properties!), ["input"]);
    return [description, dropped];
  };
  assertEquals(written({}), [undefined, []]);
  assertEquals(written({ description: "d", format: { type: "text" } }), ["d", []]);
  const lark = { type: "grammar", syntax: "lark", definition: "start: X" } as const;
  assertEquals(written({ description: "d", format: lark }), [
    "d\n\nThe input must match this lark grammar:\nstart: X",
    ["tools[0].custom.format"],
  ]);
  assertEquals(written({ format: { ...lark, syntax: "regex", definition: "a+" } }), [
    "The input must match this regular expression:\na+",
    ["tools[0].custom.format"],
  ]);
});

Deno.test("unsaidMembers() names members that a target does not accept by the client's spelling", () => {
  const tool = (search: ServerTool["search"], value: ServerTool["value"]): ServerTool => ({
    type: "server",
    kind: "web_search",
    search,
    value,
    path: "tools[1]",
  });
  const messages = tool(
    { allowedDomains: ["a.example"], maxUses: 2 },
    {
      type: "web_search_20250305",
      name: "web_search",
      allowed_domains: ["a.example"],
      blocked_domains: [],
      max_uses: 2,
    },
  );
  assertEquals(unsaidMembers(messages), ["tools[1].allowed_domains", "tools[1].max_uses"]);
  assertEquals(unsaidMembers(messages, ["allowedDomains"]), ["tools[1].max_uses"]);
  const responses = tool(
    { allowedDomains: ["a.example"], location: { city: "Bern" } },
    {
      type: "web_search",
      filters: { allowed_domains: ["a.example"] },
      user_location: { city: "Bern" },
      search_context_size: "low",
      name: null,
    },
  );
  assertEquals(unsaidMembers(responses, ["allowedDomains", "location"]), ["tools[1].search_context_size"]);
  assertEquals(unsaidMembers(responses, ["location"]), ["tools[1].filters", "tools[1].search_context_size"]);
});
