import { assertEquals } from "@std/assert";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { inSchemas } from "../../acceptance/strict_anthropic_rules.ts";

const AT = "response_format.json_schema";

/** Writes a request. The strict fake must accept its schemas. */
function write(fields: JsonObject) {
  const messages = [{ role: "user", content: "Hi" }];
  const { body, dropped } = anthropicMessages.writeCall(readCall({ messages, ...fields }, "claude-opus-5"));
  const sent = JSON.parse(JSON.stringify(body));
  assertEquals(inSchemas(sent), undefined);
  return { body: sent, dropped };
}

const format = (schema: JsonObject) => {
  const { body, dropped } = write({
    response_format: { type: "json_schema", json_schema: { name: "n", schema } },
  });
  return { schema: body.output_config?.format.schema, system: body.system, dropped };
};

const tool = (parameters: JsonObject, name = "f", strict?: boolean) => ({
  type: "function",
  function: { name, parameters, ...(strict === undefined ? {} : { strict }) },
});

const STRING = { type: "string" };
const object = (properties: JsonObject, required = Object.keys(properties), more: JsonObject = {}) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
  ...more,
});

// ---------------------------------------------------------------- the root of a tool's schema

Deno.test("writeCall() moves alternatives at the root of a tool's schema into its description, and names them", () => {
  const anyOf = [{ required: ["a"] }, { required: ["b"] }];
  const parameters = { type: "object", properties: { a: STRING, b: STRING }, anyOf };
  const { body, dropped } = write({ tools: [tool(parameters)] });
  assertEquals(body.tools[0].input_schema, {
    type: "object",
    properties: { a: STRING, b: STRING },
    description: '{anyOf: [{"required":["a"]},{"required":["b"]}]}',
  });
  assertEquals(dropped, ["tools[0].function.parameters.anyOf"]);
});

Deno.test("writeCall() adds the properties of the alternatives to those of the root", () => {
  const parameters = {
    description: "D",
    properties: { a: { type: "integer" } },
    required: ["a"],
    oneOf: [{ properties: { a: STRING, b: STRING }, required: ["b"] }, { $ref: "#/$defs/c" }],
    allOf: [{ properties: { e: STRING }, required: ["e"] }, { $ref: "#/$defs/none" }, true],
    $defs: { c: { properties: { c: STRING } } },
  };
  const { body, dropped } = write({ functions: [{ name: "f", parameters }] });
  const { description, ...schema } = body.tools[0].input_schema;
  assertEquals(schema, {
    type: "object",
    properties: { e: STRING, a: { type: "integer" }, b: STRING, c: STRING },
    required: ["a", "e"],
    $defs: parameters.$defs,
  });
  assertEquals(
    description,
    `D\n\n{allOf: ${JSON.stringify(parameters.allOf)}, oneOf: ${JSON.stringify(parameters.oneOf)}}`,
  );
  assertEquals(dropped, ["functions[0].parameters.allOf", "functions[0].parameters.oneOf"]);
});

Deno.test("writeCall() follows references of the alternatives into the definitions only", () => {
  const shown = ($ref: string) => {
    const defs = { "a/b~c": { properties: { p: STRING } }, d: { properties: { q: STRING } } };
    const { body } = write({ tools: [tool({ anyOf: [{ $ref }], $defs: defs, definitions: defs })] });
    return Object.keys(body.tools[0].input_schema.properties ?? {}).join();
  };
  assertEquals(shown("#/$defs/d"), "q");
  assertEquals(shown("#/definitions/d"), "q");
  assertEquals(shown("#/$defs/a~1b~0c"), "p");
  for (
    const other of ["x#/$defs/d", "#/$defs/d/properties/q", "#/$defs/", "#/other/d", "#/$defs/constructor"]
  ) {
    assertEquals(shown(other), "", other);
  }
});

Deno.test("writeCall() removes strict from a tool whose schema the grammar cannot express, and sends the schema unchanged", () => {
  const node = object({ next: { anyOf: [{ $ref: "#/$defs/n" }, { type: "null" }] } });
  const schemas: [string, JsonObject][] = [
    ["a circle", object({ n: { $ref: "#/$defs/n" } }, ["n"], { $defs: { n: node } })],
    ["a circle through the root", object({ n: { $ref: "#" } })],
    ["the root, in a definition of no use", object({}, [], { $defs: { n: object({ r: { $ref: "#" } }) } })],
    [
      "a circle of two",
      object({ a: { $ref: "#/definitions/a" } }, ["a"], {
        definitions: {
          a: object({ b: { $ref: "#/definitions/b" } }),
          b: object({ a: { $ref: "#/definitions/a" } }),
        },
      }),
    ],
    ["another document", object({ a: { $ref: "https://a.example/s.json" } })],
    ["nothing", object({ a: { $ref: "#/$defs/none" } })],
    [
      "a reference among several",
      object({ a: { allOf: [{ $ref: "#/$defs/d" }, STRING] } }, ["a"], { $defs: { d: STRING } }),
    ],
    ["objects", object({ a: { enum: [{ x: 1 }] } })],
    ["lists", object({ a: { type: "array", items: { enum: ["x", [1]] } } })],
  ];
  for (const [name, schema] of schemas) {
    const { body, dropped } = write({ tools: [tool(schema, "f", true)] });
    assertEquals([body.tools[0].input_schema, body.tools[0].strict], [schema, undefined], name);
    assertEquals(dropped, ["tools[0].function.strict"], name);
    assertEquals(write({ tools: [tool(schema)] }).dropped, [], name);
  }
  const root = { ...object({ a: STRING }, []), anyOf: [{ required: ["a"] }] };
  const { body, dropped } = write({ tools: [tool(root, "f", true)] });
  assertEquals(body.tools[0].strict, undefined);
  assertEquals(dropped, ["tools[0].function.parameters.anyOf", "tools[0].function.strict"]);
});

// ---------------------------------------------------------------- formats

Deno.test("writeCall() cuts a circle of references where it closes, and names the path", () => {
  const { schema, dropped } = format(
    object({ n: { $ref: "#/$defs/n" }, m: { $ref: "#/$defs/m" } }, ["n", "m"], {
      $defs: {
        n: object({ next: { anyOf: [{ $ref: "#/$defs/n" }, { type: "null" }] } }),
        m: object({ s: STRING }),
      },
    }),
  );
  assertEquals(schema.properties, { n: { $ref: "#/$defs/n" }, m: { $ref: "#/$defs/m" } });
  assertEquals(schema.$defs.n.properties.next.anyOf, [{ description: '{$ref: "#/$defs/n"}' }, {
    type: "null",
  }]);
  assertEquals(dropped, [`${AT}.schema.$defs.n.properties.next.anyOf[0].$ref`]);
  const self = format(object({ children: { type: "array", items: { $ref: "#" } } }));
  assertEquals(self.schema.properties.children.items, { description: '{$ref: "#"}' });
  assertEquals(self.dropped, [`${AT}.schema.properties.children.items.$ref`]);
  // The reference is cut at the root and nowhere else.
  const byRoot = format(
    object({ n: { $ref: "#/$defs/n" } }, ["n"], { $defs: { n: object({ r: { $ref: "#" } }) } }),
  );
  assertEquals(byRoot.schema.properties, { n: { $ref: "#/$defs/n" } });
  assertEquals(byRoot.dropped, [`${AT}.schema.$defs.n.properties.r.$ref`]);
});

Deno.test("writeCall() follows references that are not circular", () => {
  const schema = object({ a: { $ref: "#/$defs/a" }, c: { $ref: "#/$defs/x~1y" } }, ["a", "c"], {
    $defs: { a: object({ b: { $ref: "#/$defs/b" } }), b: object({ s: STRING }), "x/y": STRING },
  });
  const written = format({ ...schema, properties: { a: { $ref: "#/$defs/a" } }, required: ["a"] });
  assertEquals([written.schema.$defs.a.properties.b, written.dropped], [{ $ref: "#/$defs/b" }, []]);
});

Deno.test("writeCall() keeps allOf of one schema, and describes what the grammar cannot express", () => {
  const { schema, dropped } = format(object(
    {
      one: { allOf: [{ $ref: "#/$defs/d" }], description: "One" },
      two: { allOf: [{ $ref: "#/$defs/d" }, object({ y: STRING })] },
      plain: { allOf: [object({ x: STRING }), object({ y: STRING })] },
      choice: { enum: [{ x: 1 }, "x"] },
      fixed: { const: { x: 1 } },
      far: { $ref: "https://a.example/s.json" },
      pair: { type: "array", items: [STRING, { type: "integer" }] },
    },
    undefined,
    { $defs: { d: object({ x: STRING }) } },
  ));
  const two = [{ $ref: "#/$defs/d" }, object({ y: STRING })];
  assertEquals(schema.properties, {
    one: { anyOf: [{ $ref: "#/$defs/d" }], description: "One" },
    two: { description: `{allOf: ${JSON.stringify(two)}}` },
    plain: { allOf: [object({ x: STRING }), object({ y: STRING })] },
    choice: { description: '{enum: [{"x":1},"x"]}' },
    fixed: { description: '{const: {"x":1}}' },
    far: { description: '{$ref: "https://a.example/s.json"}' },
    pair: { type: "array", description: '{items: [{"type":"string"},{"type":"integer"}]}' },
  });
  assertEquals(
    dropped,
    ["two.allOf", "choice.enum", "fixed.const", "far.$ref", "pair.items"].map((one) =>
      `${AT}.schema.properties.${one}`
    ),
  );
});

Deno.test("writeCall() knows each format, note and keyword of the grammar", () => {
  const formats = "date-time time date duration email hostname uri ipv4 ipv6 uuid".split(" ");
  for (const one of formats) {
    const written = format(object({ a: { type: "string", format: one } }));
    assertEquals([written.schema.properties.a, written.dropped], [{ type: "string", format: one }, []]);
  }
  for (const note of ["examples", "deprecated", "readOnly", "writeOnly", "$comment", "$id"]) {
    const written = format(object({ a: { type: "string", [note]: "x" } }));
    assertEquals([written.schema.properties.a, written.dropped], [
      { type: "string", description: `{${note}: "x"}` },
      [],
    ]);
  }
  const kept = { type: "string", enum: ["x", null, 1], default: "x", title: "T", description: "D" };
  assertEquals(format(object({ a: kept })).schema.properties.a, kept);
  assertEquals(format(object({ a: { const: 1 } })).schema.properties.a, { const: 1 });
  for (const keyword of ["minimum", "maxLength", "pattern", "minProperties", "not", "if", "uniqueItems"]) {
    assertEquals(format(object({ a: { type: "string", [keyword]: 1 } })).dropped, [
      `${AT}.schema.properties.a.${keyword}`,
    ]);
  }
});

// ---------------------------------------------------------------- limits

const names = (count: number) => Array.from({ length: count }, (_, at) => `p${at}`);
const properties = (count: number, value: JsonObject = STRING) =>
  Object.fromEntries(names(count).map((name) => [name, value]));
const stricts = (fields: JsonObject) => {
  const { body, dropped } = write(fields);
  return [(body.tools ?? []).filter((one: JsonObject) => one.strict).length, dropped];
};

Deno.test("writeCall() keeps strict on as many tools as the API accepts, and names the others", () => {
  const many = (count: number, schema: JsonObject) => names(count).map((name) => tool(schema, name, true));
  const off = (...at: number[]) => at.map((one) => `tools[${one}].function.strict`);
  const plain = object({ a: STRING });
  assertEquals(stricts({ tools: many(20, plain) }), [20, []]);
  assertEquals(stricts({ tools: many(22, plain) }), [20, off(20, 21)]);
  // Tools that are not strict do not count.
  assertEquals(stricts({ tools: [...many(20, plain), tool(plain, "loose"), tool(plain, "off", false)] }), [
    20,
    [],
  ]);
  // Tools in Anthropic's own form are sent unchanged, and count.
  const native = { name: "own", input_schema: plain, strict: true };
  assertEquals(stricts({ tools: [...many(20, plain), native] }), [20, off(19)]);
  const optional = object(properties(8), []);
  assertEquals(stricts({ tools: [...many(3, optional), { ...native, input_schema: optional }] }), [
    3,
    off(2),
  ]);
  assertEquals(stricts({ tools: many(3, optional) }), [3, []]);
  assertEquals(stricts({ tools: [...many(4, optional), tool(plain, "last", true)] }), [4, off(3)]);
  const unions = object(properties(4, { type: ["string", "null"] }));
  assertEquals(stricts({ tools: many(4, unions) }), [4, []]);
  assertEquals(stricts({ tools: many(5, unions) }), [4, off(4)]);
  const nullable = object(properties(4, { anyOf: [STRING, { type: "null" }] }));
  assertEquals(stricts({ tools: many(5, nullable) }), [4, off(4)]);
  const deep = object(
    { list: { type: "array", items: object({ inner: { $ref: "#/$defs/d" } }) } },
    ["list"],
    {
      $defs: { d: optional },
    },
  );
  assertEquals(stricts({ tools: many(4, deep) }), [3, off(3)]);
});

Deno.test("writeCall() counts the format of the answer with the tools, and asks in words for one beyond the limits", () => {
  const wanted = (schema: JsonObject) => ({ type: "json_schema", json_schema: { name: "n", schema } });
  const optional = object(properties(20), []);
  const small = tool(object(properties(4), []), "small", true);
  const large = tool(object(properties(5), []), "large", true);
  assertEquals(stricts({ tools: [small], response_format: wanted(optional) }), [1, []]);
  assertEquals(stricts({ tools: [large], response_format: wanted(optional) }), [0, [
    "tools[0].function.strict",
  ]]);
  const beyond = object(properties(25), []);
  const { body, dropped } = write({ tools: [small], response_format: wanted(beyond) });
  assertEquals([body.output_config, dropped, body.tools[0].strict], [undefined, [`${AT}.strict`], true]);
  assertEquals(
    body.system,
    "Answer with one JSON value that is valid by this JSON Schema, and nothing else: no words before or behind it, " +
      `and no code fence.\n\n${JSON.stringify(beyond)}`,
  );
});
