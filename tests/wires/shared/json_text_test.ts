import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { type Edit, editMembers, findMembers, replaceText } from "../../../wires/shared/json_text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (data: Uint8Array) => new TextDecoder().decode(data);

/** The text with these edits; `undefined` if only a full parse is safe. */
function edit(text: string, edits: Record<string, Edit>): string | undefined {
  const data = bytes(text);
  const members = findMembers(data);
  return members && textOf(editMembers(data, members, new Map(Object.entries(edits))));
}

// ---------------------------------------------------------------- finding

Deno.test("findMembers() finds the members of the outermost object only", () => {
  const text = ' { "a" : {"a": 1, "b": [ "}" ]} ,\n"b":"\\"}{", "c":-1.5e+3,"d":null , "é":"🗼" } ';
  const data = bytes(text);
  const members = findMembers(data)!;
  const values = [...members].map(([key, { start, valueStart, valueEnd }]) => {
    assert(textOf(data.subarray(start)).startsWith(`"${key}"`));
    return [key, textOf(data.subarray(valueStart, valueEnd))];
  });
  assertEquals(values, [
    ["a", '{"a": 1, "b": [ "}" ]}'],
    ["b", '"\\"}{"'],
    ["c", "-1.5e+3"],
    ["d", "null"],
    ["é", '"🗼"'],
  ]);
  assertEquals(findMembers(bytes("{}"))?.size, 0);
  assertEquals(findMembers(bytes(" {\t\r\n} "))?.size, 0);
});

Deno.test("findMembers() returns undefined for a text that a provider may read differently", () => {
  const unsure = [
    '{"model":1,"model":2}',
    '{"model":1,"\\u006dodel":2}',
    '{"a\\"b":1}',
    '{"\\\\":1}',
  ];
  for (const text of unsure) assertEquals(findMembers(bytes(text)), undefined, text);
});

Deno.test("findMembers() keeps a byte order mark in a key", () => {
  const members = findMembers(bytes('{"\uFEFFmodel":1,"model":2}'));
  assertEquals([...members!.keys()], ["\uFEFFmodel", "model"]);
  assertEquals([...findMembers(bytes('{"\uFEFFmodel":1}'))!.keys()], ["\uFEFFmodel"]);
});

Deno.test("findMembers() returns undefined for a text that is not one object", () => {
  const others = [
    "",
    " ",
    "1",
    '"a"',
    "[]",
    '[{"a":1}]',
    "null",
    "{",
    "{}}",
    "{} {}",
    '{"a"}',
    '{"a":}',
    '{"a":1',
  ];
  others.push(
    '{"a":1,}',
    "{a:1}",
    "{,}",
    '{"a":1 "b":2}',
    '{"a',
    '{"a":"',
    '{"a":"\\"}',
    '{"a":[}',
    "{'a':1}",
  );
  for (const text of others) assertEquals(findMembers(bytes(text)), undefined, text);
});

// ---------------------------------------------------------------- editing

Deno.test("editMembers() changes values and keys and leaves every other byte", () => {
  const text = '{ "model" : "openai/gpt",\n\t"seed":9007199254740993123, "t":1.0e0, "x":"\\u00e9\\/" }\n';
  assertEquals(
    edit(text, { model: { value: '"gpt"' } }),
    '{ "model" : "gpt",\n\t"seed":9007199254740993123, "t":1.0e0, "x":"\\u00e9\\/" }\n',
  );
  assertEquals(
    edit(text, { model: { value: '"a-much-longer-name"' } }),
    '{ "model" : "a-much-longer-name",\n\t"seed":9007199254740993123, "t":1.0e0, "x":"\\u00e9\\/" }\n',
  );
  assertEquals(
    edit(text, { seed: { key: "random_seed" }, model: { value: '"gpt"' } }),
    '{ "model" : "gpt",\n\t"random_seed":9007199254740993123, "t":1.0e0, "x":"\\u00e9\\/" }\n',
  );
  assertEquals(edit('{"a":1}', { a: { key: "b", value: "2" } }), '{"b":2}');
  assertEquals(edit('{"a":1}', {}), '{"a":1}');
  assertEquals(edit('{"a":1}', { b: "remove", c: { key: "d" } }), '{"a":1}');
});

Deno.test("editMembers() shortens in place from whichever end is nearer", () => {
  for (const text of ['{"model":"openai/gpt","z":"0123456789"}', '{"z":"0123456789","model":"openai/gpt"}']) {
    assertEquals(edit(text, { model: { value: '"gpt"' } }), text.replace("openai/", ""));
    assertEquals(edit(text, { model: "remove" }), '{"z":"0123456789"}');
  }
});

Deno.test("editMembers() removes any set of members with their commas", () => {
  for (const gap of ["", " ", "\n  "]) {
    const keys = ["a", "b", "c", "d"];
    const text = `{${gap}${keys.map((key) => `"${key}"${gap}:${gap}"${key}"`).join(`${gap},${gap}`)}${gap}}`;
    for (let mask = 0; mask < 1 << keys.length; mask++) {
      const gone = keys.filter((_, at) => mask & 1 << at);
      const edited = edit(text, Object.fromEntries(gone.map((key) => [key, "remove" as const])))!;
      const kept = Object.fromEntries(keys.filter((key) => !gone.includes(key)).map((key) => [key, key]));
      let parsed: unknown;
      try {
        parsed = JSON.parse(edited);
      } catch {
        parsed = edited;
      }
      assertEquals(parsed, kept, `without ${gone}`);
    }
  }
});

Deno.test("editMembers() renames one member and removes another of that name", () => {
  const renamed = { max_tokens: "remove", max_completion_tokens: { key: "max_tokens" } } as const;
  assertEquals(edit('{"max_tokens":1,"max_completion_tokens":2}', renamed), '{"max_tokens":2}');
  assertEquals(edit('{"max_completion_tokens":2,"max_tokens":1}', renamed), '{"max_tokens":2}');
});

/** JSON as clients write it: any white space, any spelling of a number or of a character in a string. */
const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);
const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => JSON.stringify(value)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).map(String),
  fc.constantFrom("-0", "1.0", "1e400", "0.1E-2"),
);
const string = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\\", '"', "{", "}", "[", "]", ",", ":", "a", "\n") }),
).map((value) => JSON.stringify(value));
const { json, object } = fc.letrec<{ json: string; list: string; object: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    string,
    number,
    fc.constantFrom("true", "false", "null"),
    tie("list"),
    tie("object"),
  ),
  list: fc.tuple(fc.array(tie("json"), { maxLength: 3 }), space).map(([list, gap]) =>
    `[${gap}${list.join(`${gap},${gap}`)}${gap}]`
  ),
  object: fc.tuple(fc.array(fc.tuple(string, tie("json")), { maxLength: 3 }), space).map(([list, gap]) =>
    `{${gap}${list.map(([key, value]) => `${key}${gap}:${gap}${value}`).join(`,${gap}`)}${gap}}`
  ),
}));

const KEYS = ["model", "messages", "seed", "max_tokens", "n", "", "é", "a b"];
const NEW_KEYS = ["renamed", "other", "ü", 'q"'];
const body = fc.tuple(
  fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), json), { selector: ([key]) => key }),
  space,
  space,
);
const edits = fc.dictionary(
  fc.constantFrom(...KEYS, "absent"),
  fc.oneof(
    fc.constant("remove" as const),
    string.map((value) => ({ value })),
    fc.constantFrom(...NEW_KEYS).map((key) => ({ key })),
    fc.tuple(fc.constantFrom(...NEW_KEYS), json).map(([key, value]) => ({ key, value })),
  ),
  { noNullPrototype: true },
);

Deno.test("editMembers() gives the same as parsing, editing and writing, for any JSON", () => {
  fc.assert(
    fc.property(body, edits, ([list, gap, end], edits) => {
      const text = `${gap}{${gap}${
        list.map(([key, value]) => `${JSON.stringify(key)}${gap}:${value}${end}`).join(`,${gap}`)
      }}${end}`;
      const edited = edit(text, edits as Record<string, Edit>)!;
      assert(edited !== undefined, text);
      const expected: [string, unknown][] = [];
      for (const [key, value] of list) {
        const change = (edits as Record<string, Edit>)[key];
        if (change === "remove") continue;
        expected.push([change?.key ?? key, JSON.parse(change?.value ?? value)]);
      }
      assertEquals(Object.entries(JSON.parse(edited)), Object.entries(Object.fromEntries(expected)), text);
      // Members that were kept are unchanged byte for byte, also numbers that JavaScript cannot hold.
      for (const [key, value] of list) {
        if (edits[key] === undefined) assert(edited.includes(value), `${value} in ${edited}`);
      }
    }),
    { numRuns: 500 },
  );
});

// ---------------------------------------------------------------- the short way

Deno.test("replaceText() returns undefined if the place of the member is ambiguous", () => {
  const replace = (text: string) => replaceText(text, "model", JSON.parse(text).model, "gpt");
  assertEquals(replace('{ "n":1e2, "model" :\n"a/gpt" }'), '{ "n":1e2, "model" :\n"gpt" }');
  assertEquals(replace('{"x":"say \\"model\\"","model":"a"}'), '{"x":"say \\"model\\"","model":"gpt"}');
  assertEquals(replace('{"messages":["model"],"model":"a"}'), undefined);
  assertEquals(replace('{"model":"a","tools":[{"model":"a"}]}'), undefined);
  assertEquals(replace('{"model":"a","model":"a"}'), undefined);
  assertEquals(replace('{"model":"a","mod\\u0065l":"a"}'), undefined);
  assertEquals(replace('{"model":"a\\/b"}'), undefined);
});

Deno.test("replaceText() gives the same as editMembers(), for any JSON that it accepts", () => {
  const name = fc.oneof(fc.constantFrom("openai/gpt", "é", 'a"b', "a\\b", ""), fc.string({ unit: "binary" }));
  const written = fc.constantFrom('"model"', '"mod\\u0065l"', '"models"', '"\\"model\\""');
  const other = fc.oneof(
    fc.tuple(string, json),
    fc.tuple(string, object),
    fc.tuple(written, json),
    fc.tuple(string, written),
    fc.tuple(string, written.map((key) => `{${key}:"openai/gpt"}`)),
  );
  let taken = 0;
  fc.assert(
    fc.property(name, fc.array(other, { maxLength: 3 }), fc.nat(3), space, (model, others, at, gap) => {
      const members = others.map(([key, value]) => `${key}${gap}:${gap}${value}`);
      members.splice(at, 0, `${gap}"model"${gap}:${gap}${JSON.stringify(model)}${gap}`);
      const text = `{${members.join(`,${gap}`)}}${gap}`;
      const parsed = JSON.parse(text);
      if (typeof parsed.model !== "string") return;
      const replaced = replaceText(text, "model", parsed.model, "another");
      if (replaced === undefined) return;
      taken++;
      // There is nothing to compare with if a key is written twice.
      assertEquals(JSON.parse(replaced), { ...parsed, model: "another" }, text);
      const edited = edit(text, { model: { value: '"another"' } });
      if (edited !== undefined) assertEquals(replaced, edited, text);
    }),
    { numRuns: 1000 },
  );
  assert(taken > 200, `${taken}`);
});

Deno.test("findMembers() agrees with a full parse of any JSON text, or returns undefined", () => {
  let read = 0;
  fc.assert(fc.property(fc.oneof(json, object), (text) => {
    const data = bytes(text);
    const members = findMembers(data);
    if (!members) return;
    if (members.size > 0) read++;
    const parsed = JSON.parse(text);
    const found = [...members].map(([key, { valueStart, valueEnd }]) =>
      [key, JSON.parse(textOf(data.subarray(valueStart, valueEnd)))] as const
    );
    assertEquals(Object.fromEntries(found), parsed);
  }));
  assert(read > 0, "none had members");
});

Deno.test("findMembers() survives any bytes", () => {
  const piece = fc.constantFrom("{", "}", "[", "]", '"', "\\", ",", ":", " ", "a", "1", "null", "\uFEFF");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const data = bytes(pieces.join(""));
      const members = findMembers(data);
      for (const { start, valueStart, valueEnd } of members?.values() ?? []) {
        assert(0 < start && start < valueStart && valueStart < valueEnd && valueEnd < data.length);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("editMembers() moves only the shorter side of a long body", () => {
  const image = "A".repeat(10_000_000);
  const model = '"model":"openai/gpt"';
  const long = `"messages":[{"role":"user","content":"${image}"}]`;
  for (const text of [`{${model},${long}}`, `{${long},${model}}`]) {
    const data = bytes(text);
    const edited = editMembers(data, findMembers(data)!, new Map([["model", { value: '"gpt"' }]]));
    assertEquals(edited.buffer, data.buffer, "not copied");
    assertEquals(edited.length, data.length - "openai/".length);
    const { model, messages } = JSON.parse(textOf(edited));
    assertEquals([model, messages[0].content.length], ["gpt", image.length]);
  }
});

Deno.test("findMembers() notes words that are strings in values, at any depth", () => {
  const noted = (text: string) => {
    const words = new Map([["tool_calls", false], ["id", false]]);
    findMembers(bytes(text), words);
    return [...words.keys()].filter((word) => words.get(word));
  };
  assertEquals(noted('{"a":[{"tool_calls":[{"id":"x"}]}]}'), ["tool_calls", "id"]);
  assertEquals(noted('{"a":{"b":"id"}}'), ["id"]);
  for (const text of ['{"id":1}', '{"a":["tool_call","ids","i\\"d","id ","\\"id\\"",1]}', '{"a":[]}']) {
    assertEquals(noted(text), [], text);
  }
});
