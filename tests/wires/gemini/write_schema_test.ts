import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { writeSchema } from "../../../wires/gemini/write_schema.ts";
import type { JsonObject } from "../../../wires/types.ts";

function written(schema: JsonObject): { schema: JsonObject; dropped: string[] } {
  const dropped: string[] = [];
  return { schema: writeSchema(schema, "s", dropped), dropped };
}

const of = (property: unknown, more: JsonObject = {}) => ({
  type: "object",
  properties: { p: property },
  ...more,
});

Deno.test("writeSchema() returns a schema that Google reads unchanged", () => {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "https://a.example/s",
    $comment: "c",
    type: "object",
    title: "T",
    description: "D",
    default: {},
    examples: [],
    deprecated: true,
    propertyOrdering: ["a"],
    properties: {
      // Names of properties are not keywords.
      const: { type: "string", format: "date-time", enum: ["a", 1] },
      $ref: { type: "array", items: {}, prefixItems: [true], minItems: 1, maxItems: 2 },
      pattern: { anyOf: [{ type: "number", minimum: 1, maximum: 2 }, { $ref: "#/$defs/a~1b%20c" }] },
      enum: { oneOf: [{ $ref: "#" }, { $ref: "#anchored" }, { $ref: "#/$defs/x" }] },
      x: { default: { const: 1, $ref: "#/none", pattern: 1 }, examples: [{ const: 1 }], readOnly: true },
    },
    required: ["const"],
    additionalProperties: { type: "string" },
    $defs: { "a/b c": { $anchor: "anchored" }, x: false },
    "x-own": { const: 1 },
  };
  assertStrictEquals(written(schema).schema, schema);
  assertEquals(written(schema).dropped, []);
});

Deno.test("writeSchema() writes a const as an enum of one value, if Google's enum can hold it", () => {
  const cases: [JsonObject, JsonObject, string[]][] = [
    [{ type: "string", const: "a" }, { type: "string", enum: ["a"] }, []],
    [{ const: "a" }, { type: "string", enum: ["a"] }, []],
    [{ const: 1 }, { type: "integer", enum: [1] }, []],
    [{ const: 1.5, description: "d" }, { type: "number", enum: [1.5], description: "d" }, []],
    [{ const: null }, { type: "null" }, []],
    [{ const: true }, { type: "boolean" }, ["s.const"]],
    [{ type: "object", const: {} }, { type: "object" }, ["s.const"]],
    [{ const: [1] }, { type: "array" }, ["s.const"]],
    [{ enum: ["a", "b"], const: "a" }, { type: "string", enum: ["a"] }, []],
    [{ enum: [true] }, { type: "boolean" }, ["s.enum"]],
    [{ type: "boolean", enum: [true] }, { type: "boolean" }, ["s.enum"]],
    [{ type: "boolean", enum: [true, false] }, { type: "boolean" }, []],
    [{ type: ["boolean", "null"], enum: [true, false, null] }, { type: ["boolean", "null"] }, []],
    [{ enum: [false, null] }, { type: ["boolean", "null"] }, ["s.enum"]],
    [{ enum: ["a", true] }, { type: ["string", "boolean"] }, ["s.enum"]],
    [{ enum: [{ a: 1 }, { a: 2 }] }, { type: "object" }, ["s.enum"]],
    [{ type: "object", enum: [{ a: 1 }] }, { type: "object" }, ["s.enum"]],
    [{ type: "array", enum: [[], true] }, { type: "array" }, ["s.enum"]],
    [{ type: ["string", "null"], enum: ["a", null] }, { type: ["string", "null"], enum: ["a", null] }, []],
  ];
  for (const [schema, wanted, dropped] of cases) {
    const said = JSON.stringify(schema);
    assertEquals(written(of(schema)), { schema: of(wanted), dropped }, said);
    for (const keyword of ["anyOf", "oneOf", "prefixItems"]) {
      assertEquals(written({ [keyword]: [{}, schema] }).schema, { [keyword]: [{}, wanted] }, said);
    }
    for (const keyword of ["items", "additionalProperties"]) {
      assertEquals(written({ [keyword]: schema }).schema, { [keyword]: wanted }, said);
    }
    assertEquals(written({ $defs: { a: schema } }).schema, { $defs: { a: wanted } }, said);
    assertEquals(written({ items: [schema] }).schema, { items: [wanted] }, said);
  }
});

Deno.test("writeSchema() keeps each keyword that Google does not read, and names it once", () => {
  const unread = {
    allOf: [{}, {}],
    contains: {},
    dependentRequired: {},
    exclusiveMaximum: 1,
    exclusiveMinimum: 1,
    maxLength: 1,
    minLength: 1,
    multipleOf: 1,
    not: {},
    nullable: true,
    pattern: "a",
    patternProperties: {},
    propertyNames: {},
    uniqueItems: true,
  };
  for (const [keyword, value] of Object.entries(unread)) {
    const schema = { anyOf: [{ [keyword]: value }, { [keyword]: value }] };
    assertEquals(written(schema), { schema, dropped: [`s.${keyword}`] });
  }
});

Deno.test("writeSchema() leaves out and names a reference to nothing", () => {
  const refs = [
    "https://x.test/s.json",
    "#/$defs/none",
    "#/$defs/constructor",
    "#/required/0",
    "#/%zz",
    "#none",
    "",
    "other.json#/a",
    7,
    null,
  ];
  for (const $ref of refs) {
    const more = { required: ["p"], $defs: { a: {} } };
    assertEquals(written(of({ $ref }, more)), { schema: of({}, more), dropped: ["s.$ref"] }, String($ref));
    assertEquals(written(of({ $ref, description: "d" }, more)).schema, of({ description: "d" }, more));
  }
});

Deno.test("writeSchema() moves a reference beside other keywords into an anyOf", () => {
  const more = { $defs: { a: { type: "string" } } };
  const $ref = "#/$defs/a";
  assertEquals(written(of({ $ref, $comment: "c" }, more)).schema, of({ $ref, $comment: "c" }, more));
  assertEquals(written(of({ description: "d", $ref, default: 1 }, more)), {
    schema: of({ description: "d", default: 1, anyOf: [{ $ref }] }, more),
    dropped: [],
  });
  assertEquals(written(of({ $ref, anyOf: [{}] }, more)), {
    schema: of({ anyOf: [{}] }, more),
    dropped: ["s.$ref"],
  });
});

Deno.test("writeSchema() moves a referenced schema from elsewhere to the root's $defs", () => {
  // As zod-to-json-schema writes a schema that is used twice, and one that contains itself.
  const schema = {
    type: "object",
    properties: {
      to: { type: "object", properties: { name: { const: "x" }, boss: { $ref: "#/properties/to" } } },
      list: { type: "array", items: { $ref: "#/properties/to/properties/name", description: "d" } },
      old: { definitions: { z: { type: "string" } }, $ref: "#/properties/old/definitions/z" },
      none: { $ref: "#/properties/gone" },
    },
    $defs: { _properties_to: {} },
  };
  const sent = JSON.stringify(schema);
  assertEquals(written(schema), {
    schema: {
      type: "object",
      properties: {
        to: { $ref: "#/$defs/_properties_to_1" },
        list: {
          type: "array",
          items: { description: "d", anyOf: [{ $ref: "#/$defs/_properties_to_properties_name" }] },
        },
        old: {
          definitions: { z: { type: "string" } },
          anyOf: [{ $ref: "#/$defs/_properties_old_definitions_z" }],
        },
        none: {},
      },
      $defs: {
        _properties_to: {},
        _properties_to_1: {
          type: "object",
          properties: {
            name: { $ref: "#/$defs/_properties_to_properties_name" },
            boss: { $ref: "#/$defs/_properties_to_1" },
          },
        },
        _properties_to_properties_name: { type: "string", enum: ["x"] },
        _properties_old_definitions_z: { type: "string" },
      },
    },
    dropped: ["s.definitions", "s.$ref"],
  });
  assertEquals(JSON.stringify(schema), sent);
});

Deno.test("writeSchema() writes a schema once, however many references lead into it", () => {
  const levels = 200;
  let deep: JsonObject = { description: "x".repeat(1000) };
  for (let level = 0; level < levels; level++) deep = { type: "object", properties: { p: deep } };
  const refs = Array.from(
    { length: levels },
    (_, at) => ({ $ref: `#/properties/a${"/properties/p".repeat(at)}` }),
  );
  const schema = { type: "object", properties: { a: deep, b: { anyOf: refs } } };
  const { dropped, schema: out } = written(schema);
  assertEquals(dropped, []);
  assert(JSON.stringify(out).length < 2 * JSON.stringify(schema).length);
});

Deno.test("writeSchema() writes keywords of older drafts as their newer names", () => {
  const $ref = "#/definitions/a";
  assertEquals(written(of({ $ref }, { definitions: { a: { const: "x" } }, $defs: { b: {} } })), {
    schema: of({ $ref: "#/$defs/a" }, { $defs: { a: { type: "string", enum: ["x"] }, b: {} } }),
    dropped: [],
  });
  assertEquals(written(of({ allOf: [{ const: "x" }], description: "d" })), {
    schema: of({ anyOf: [{ type: "string", enum: ["x"] }], description: "d" }),
    dropped: [],
  });
  const several = of({ allOf: [{ type: "string" }], anyOf: [{}] });
  assertEquals(written(several), { schema: several, dropped: ["s.allOf"] });
});

Deno.test("writeSchema() never throws, whatever the shape of the schema", () => {
  for (const value of [null, 0, "", "a", true, [], [[]], {}, [{}], [null]]) {
    const keywords = [
      "properties",
      "$defs",
      "definitions",
      "anyOf",
      "allOf",
      "items",
      "enum",
      "const",
      "$ref",
      "type",
    ];
    for (const keyword of keywords) written(of({ [keyword]: value }, { [keyword]: value }));
  }
  const own = JSON.parse('{"properties":{"__proto__":{"const":"a"}}}');
  assertEquals(
    JSON.stringify(written(own).schema),
    '{"properties":{"__proto__":{"type":"string","enum":["a"]}}}',
  );
});
