import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "npm:ajv@8.20.0/dist/2020.js";
import addFormats from "npm:ajv-formats@3.0.1";
import { exampleOf } from "../../../providers/demo/example.ts";
import { recordedTest, recordings } from "../../recordings.ts";

const text = "Where is Ada, and what is 1 + 1?";

/** Schemas, with the value that they must give if only one is right. */
const SCHEMAS: { schema: unknown; value?: unknown }[] = [
  { schema: {}, value: text },
  { schema: true, value: text },
  { schema: { type: "object", properties: { a: { type: "string" } } }, value: {} },
  {
    schema: { properties: { b: {}, a: { type: "integer" } }, required: ["a", "b"] },
    value: { b: text, a: 0 },
  },
  { schema: { items: { type: "integer" }, minItems: 1 }, value: [0] },
  { schema: { minimum: 2 }, value: 2 },
  { schema: { type: ["null", "string"] }, value: text },
  { schema: { type: "null" }, value: null },
  { schema: { type: "boolean" }, value: true },
  { schema: { const: { deep: [1, null] } }, value: { deep: [1, null] } },
  { schema: { enum: [null, "red", "green"] }, value: "red" },
  { schema: { type: "integer", enum: ["1", 2] }, value: 2 },
  { schema: { type: "string", maxLength: 5 }, value: "Where" },
  { schema: { type: "string", maxLength: 0 }, value: "" },
  { schema: { type: "string", minLength: 100 } },
  { schema: { type: "integer", minimum: 3 }, value: 3 },
  { schema: { type: "integer", exclusiveMinimum: 3 }, value: 4 },
  { schema: { type: "integer", maximum: -3 }, value: -3 },
  { schema: { type: "integer", minimum: 1.5, maximum: 2.5 }, value: 2 },
  { schema: { type: "integer", multipleOf: 7, minimum: 1 }, value: 7 },
  { schema: { type: "integer", multipleOf: 0.5, minimum: 0.5 }, value: 1 },
  { schema: { type: "integer", multipleOf: 2, minimum: -6, maximum: -5 }, value: -6 },
  { schema: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 0.5 }, value: 0.25 },
  { schema: { type: "number", minimum: -1, maximum: 1 }, value: 0 },
  { schema: { type: "number", minimum: 0.5, multipleOf: 0.25 }, value: 0.5 },
  { schema: { type: "array" }, value: [] },
  { schema: { type: "array", items: { type: "integer" }, minItems: 3 }, value: [0, 1, 2] },
  { schema: { type: "array", items: { type: "string" } }, value: [text] },
  { schema: { type: "array", items: { type: "string" }, maxItems: 0 }, value: [] },
  { schema: { type: "array", prefixItems: [{ type: "integer" }, { type: "boolean" }], items: false } },
  { schema: { type: "array", items: { type: "string", maxLength: 3 }, minItems: 4, uniqueItems: true } },
  { schema: { type: "array", items: { enum: ["a", "b", "c"] }, minItems: 3, uniqueItems: true } },
  {
    schema: {
      type: "array",
      items: { type: "integer", minimum: -5, maximum: -3 },
      minItems: 3,
      uniqueItems: true,
    },
  },
  {
    schema: { type: "array", items: { type: "boolean" }, minItems: 2, uniqueItems: true },
    value: [true, false],
  },
  {
    schema: { type: "object", minProperties: 1, properties: { a: { type: "integer" }, b: {} } },
    value: { a: 0 },
  },
  {
    schema: { type: "object", required: ["free"], additionalProperties: { type: "boolean" } },
    value: { free: true },
  },
  {
    schema: { anyOf: [{ type: "integer", minimum: 5, maximum: 4 }, { type: "string", enum: ["b"] }] },
    value: "b",
  },
  { schema: { oneOf: [{ type: "integer" }, { type: "string" }] }, value: 0 },
  {
    schema: { allOf: [{ type: "number", minimum: 2 }, { type: "integer", maximum: 9 }, { minimum: 4 }] },
    value: 4,
  },
  {
    schema: {
      allOf: [
        { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        { properties: { a: { minimum: 3 }, b: { type: "string" } }, required: ["b"] },
      ],
    },
    value: { a: 3, b: text },
  },
  { schema: { allOf: [{ type: "string", pattern: "^abc" }, { minLength: 9 }] }, value: "abcaaaaaa" },
  { schema: { type: "string", pattern: "mid", minLength: 20 } },
  { schema: { type: "string", pattern: "^[a-z]+$", minLength: 7, maxLength: 8 } },
  {
    schema: {
      type: "string",
      format: "uuid",
      pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    },
  },
  {
    schema: { type: "string", format: "email", pattern: "^(?!\\.)[^@]+@example\\.com$" },
    value: "user@example.com",
  },
  { schema: { allOf: [{ enum: ["a", "b"] }, { type: "string" }] }, value: "a" },
  { schema: { type: ["string", "null"], anyOf: [{ type: "null" }, { minLength: 1 }] }, value: null },
  {
    schema: { anyOf: [{ type: "string" }, { type: "integer" }], oneOf: [{ minimum: 3, type: "number" }] },
    value: 3,
  },
  { schema: { anyOf: [{ type: "object" }, { type: "string" }], enum: ["x"] }, value: "x" },
  {
    schema: {
      type: "object",
      properties: { kind: { $ref: "#/$defs/Kind", description: "beside a reference" } },
      required: ["kind"],
      $defs: { Kind: { enum: ["cat", "dog"] } },
    },
    value: { kind: "cat" },
  },
  {
    schema: {
      $ref: "#/definitions/a~1b%20c",
      definitions: { "a/b c": { $ref: "#/definitions/number" }, number: { type: "integer", minimum: 2 } },
    },
    value: 2,
  },
  {
    // The schema refers to itself. A second visit would never end, so `null` ends the list.
    schema: {
      type: "object",
      properties: { value: { type: "integer" }, next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
      required: ["value", "next"],
      additionalProperties: false,
    },
    value: { value: 0, next: { value: 0, next: null } },
  },
  {
    schema: {
      $ref: "#/$defs/Node",
      $defs: {
        Node: {
          type: "object",
          properties: { children: { type: "array", items: { $ref: "#/$defs/Node" } } },
          required: ["children"],
        },
      },
    },
    value: { children: [] },
  },
  {
    schema: JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"integer"}},"required":["__proto__"]}',
    ),
    value: JSON.parse('{"__proto__":0}'),
  },
  ...["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"].map(
    (format) => ({ schema: { type: "string", format } }),
  ),
];

const ajv = addFormats.default(new Ajv2020({ strict: false, validateFormats: true }));

Deno.test("exampleOf() gives a value that the schema accepts", () => {
  for (const { schema, value } of SCHEMAS) {
    // Through JSON, as the value is sent: that drops members that are undefined.
    const given = JSON.parse(JSON.stringify(exampleOf(schema, text) ?? null));
    const validate = ajv.compile(schema as Record<string, unknown>);
    assert(
      validate(given),
      `${JSON.stringify(schema)}: ${JSON.stringify(given)}: ${ajv.errorsText(validate.errors)}`,
    );
    if (value !== undefined) assertEquals(given, value, JSON.stringify(schema));
  }
});

Deno.test("exampleOf() reads the older spellings of drafts 4 and 7", () => {
  assertEquals(exampleOf({ type: "integer", minimum: 3, exclusiveMinimum: true }, text), 4);
  assertEquals(
    exampleOf({ type: "array", items: [{ type: "integer" }, { const: "b" }], additionalItems: false }, text),
    [0, "b"],
  );
});

Deno.test("exampleOf() returns undefined for a schema without values, in bounded time", () => {
  const branches = Array.from({ length: 40 }, () => ({ anyOf: [{ minimum: 2 }, { minimum: 3 }] }));
  let deep: unknown = { type: "integer" };
  for (let i = 0; i < 5_000; i++) deep = { type: "array", items: deep, minItems: 1 };
  const impossible = [
    false,
    { enum: [] },
    { type: "integer", minimum: 2, maximum: 1 },
    { type: "integer", enum: ["one"] },
    { type: "string", minLength: 3, maxLength: 2 },
    { type: "string", minLength: 1e12 },
    { type: "array", minItems: 1e12 },
    { type: "object", minProperties: 1e12 },
    { type: "array", items: { type: "boolean" }, minItems: 3, uniqueItems: true },
    { type: "object", required: ["a"], additionalProperties: false },
    { $ref: "#/$defs/nobody" },
    { $ref: "https://example.com/schema.json" },
    { $ref: "#/constructor" },
    { $ref: "#" },
    { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
    { type: "object", properties: { self: { $ref: "#" } }, required: ["self"] },
    { allOf: [{ type: "string" }, { type: "integer" }] },
    { allOf: [{ const: 1 }, { const: 2 }] },
    { allOf: branches, type: "integer", maximum: 1 },
    { type: "string", pattern: "(?=a)b" },
    { type: "string", pattern: "[" },
    { type: "string", pattern: "(".repeat(5_000) },
    { type: "string", pattern: "((a{9999}){9999}){9999}" },
    { type: "string", pattern: "^[a-z]{2}$", minLength: 3 },
    { type: "string", pattern: "^[a-z]{5,}$", maxLength: 4 },
    { type: "array", items: { type: "string", format: "date" }, minItems: 2, uniqueItems: true },
    { type: "object", minProperties: 2, properties: { a: {} } },
    { allOf: [{ type: "string", pattern: "^a$" }, { pattern: "^b$" }] },
    deep,
  ];
  for (const schema of impossible) {
    assertEquals(exampleOf(schema, text), undefined, JSON.stringify(schema)?.slice(0, 100));
  }
});

/** Every schema that real callers sent in the recorded exchanges. */
function* recordedSchemas(): Generator<[string, unknown]> {
  for (const { name, request } of recordings()) {
    const body = request?.body ?? {};
    for (const tool of Array.isArray(body.tools) ? body.tools : []) {
      if (tool.function?.parameters) yield [name, tool.function.parameters];
      if (tool.input_schema) yield [name, tool.input_schema];
    }
    if (body.response_format?.json_schema?.schema) yield [name, body.response_format.json_schema.schema];
  }
}

recordedTest("exampleOf() fills the schemas of the recorded exchanges", () => {
  let count = 0;
  for (const [name, schema] of recordedSchemas()) {
    const validator = addFormats.default(new Ajv2020({ strict: false, validateSchema: false }));
    const { $schema: _, $id: __, ...rest } = schema as Record<string, unknown>;
    const validate = validator.compile(rest);
    const given = JSON.parse(JSON.stringify(exampleOf(rest, text) ?? null));
    assert(validate(given), `${name}: ${JSON.stringify(rest)}: ${JSON.stringify(given)}`);
    count++;
  }
  assert(count > 100, `${count} schemas`);
});
