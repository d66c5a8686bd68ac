/** What Anthropic's structured outputs accept in a schema, keyword by keyword. */
import { assertEquals } from "@std/assert";
import { ask, before, message } from "../../fakes.ts";

/** The schema that Anthropic gets for a property, and what was dropped. */
async function sent(property: object, headers: Record<string, string> = {}) {
  const schema = {
    type: "object",
    properties: { a: property },
    required: ["a"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema", json_schema: { name: "n", schema, strict: true } };
  const { fetch, sent } = before(() => message("{}"));
  const response = await fetch(ask("anthropic/claude-sonnet-5-5", headers, { response_format }));
  await response.body?.cancel();
  const body = sent[0] && JSON.parse(sent[0].body);
  return {
    status: response.status,
    dropped: response.headers.get("sluice-dropped"),
    schema: body?.output_config.format.schema.properties.a,
  };
}

const strict = { "sluice-strict": "true" };
const PATH = "response_format.json_schema.schema.properties.a";

Deno.test("Anthropic gets each format that it enforces, unchanged", async () => {
  const formats = "date-time time date duration email hostname uri ipv4 ipv6 uuid".split(" ");
  for (const format of formats) {
    const property = { type: "string", format };
    assertEquals(await sent(property, strict), { status: 200, dropped: null, schema: property }, format);
  }
});

Deno.test("Anthropic gets each keyword that it knows, unchanged", async () => {
  const keywords: [object, object?][] = [
    [{ type: ["string", "null"] }],
    [{ type: "string", enum: ["x"] }],
    [{ type: "string", const: "x" }],
    [{ type: "string", default: "x" }],
    [{ type: "string", title: "x" }],
    [{ type: "string", description: "x" }],
    [{ type: "array", items: { type: "string" }, minItems: 0 }],
    [{ type: "array", items: { type: "string" }, minItems: 1 }],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }],
    [{ oneOf: [{ type: "string" }, { type: "null" }] }, { anyOf: [{ type: "string" }, { type: "null" }] }],
  ];
  for (const [property, schema = property] of keywords) {
    const expected = { status: 200, dropped: null, schema };
    assertEquals(await sent(property, strict), expected, JSON.stringify(property));
  }
});

Deno.test("Anthropic gets keywords without effect in the description, and they are not named", async () => {
  const notes = {
    examples: ["x"],
    deprecated: true,
    readOnly: true,
    writeOnly: true,
    $comment: "x",
    $id: "x",
  };
  for (const [keyword, value] of Object.entries(notes)) {
    const { status, dropped, schema } = await sent({ type: "string", [keyword]: value }, strict);
    assertEquals([status, dropped], [200, null], keyword);
    assertEquals(schema, { type: "string", description: `{${keyword}: ${JSON.stringify(value)}}` });
  }
});

Deno.test("Anthropic gets any other keyword in the description, and the keyword is named", async () => {
  const others: Record<string, object> = {
    format: { type: "string", format: "idn-email" },
    minimum: { type: "integer", minimum: 1 },
    pattern: { type: "string", pattern: "^a$" },
    minItems: { type: "array", items: { type: "string" }, minItems: 2 },
    minLength: { type: "string", minLength: 1 },
    uniqueItems: { type: "array", items: { type: "string" }, uniqueItems: true },
  };
  for (const [keyword, property] of Object.entries(others)) {
    const { status, dropped, schema } = await sent(property);
    assertEquals([status, dropped], [200, `${PATH}.${keyword}`], keyword);
    assertEquals([keyword in schema, schema.description.startsWith(`{${keyword}: `)], [false, true]);
    assertEquals((await sent(property, strict)).status, 400, `${keyword}, strict`);
  }
});
