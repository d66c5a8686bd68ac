/** Two schemas that must both hold, keyword by keyword. */
import { assertEquals } from "@std/assert";
import { exampleOf } from "../../../providers/demo/example.ts";

const text = "Hello";

Deno.test("exampleOf() obeys both of two schemas", () => {
  const cases: [object, object, unknown][] = [
    [{ type: ["string", "integer"] }, { type: ["integer", "null"] }, 0],
    [{ type: "number" }, { type: "integer", minimum: 3 }, 3],
    [{ items: { type: "integer" }, minItems: 1 }, { items: { minimum: 5 } }, [5]],
    [
      { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
      { properties: { a: { minimum: 5 }, b: { type: "null" } }, required: ["b"] },
      { a: 5, b: null },
    ],
    [{ type: "integer", minimum: 2, multipleOf: 2 }, { minimum: 3, multipleOf: 2 }, 4],
    [{ type: "string", title: "a" }, { title: "b" }, text],
  ];
  for (const [one, two, value] of cases) {
    const made = JSON.parse(JSON.stringify(exampleOf({ allOf: [one, two] }, text) ?? null));
    assertEquals(made, value, JSON.stringify([one, two]));
  }
});

Deno.test("exampleOf() returns undefined if two schemas may contradict each other", () => {
  const pairs: [object, object][] = [
    [{ const: 1 }, { const: 2 }],
    [{ enum: [1, 2] }, { enum: [2, 3] }],
    [{ type: "string", format: "date" }, { format: "email" }],
    [{ type: "integer", multipleOf: 2 }, { multipleOf: 3 }],
    [{ type: "string", pattern: "^a$" }, { pattern: "^b$" }],
    [{ type: "array", prefixItems: [{ type: "null" }] }, { prefixItems: [{ type: "string" }] }],
    [{ type: "string" }, { type: "integer" }],
  ];
  for (const pair of pairs) assertEquals(exampleOf({ allOf: pair }, text), undefined, JSON.stringify(pair));
});
