import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { messages, NEWEST, OLDER, text, USER, write } from "./written.ts";

// ---------------------------------------------------------------- tools

Deno.test("writeCall() writes tools in their order, schemas untouched, extras and native tools as they are", () => {
  const parameters = {
    type: "object",
    properties: { n: { type: "integer", minimum: 1 } },
    $schema: "https://json-schema.org/draft/2020-12/schema",
  };
  const native = { type: "web_search_20260318", name: "web_search", max_uses: 2 };
  const { body, dropped } = write({
    tools: [
      {
        type: "function",
        function: { name: "b", description: "B", parameters, eager_input_streaming: true },
      },
      native,
      { type: "function", function: { name: "a", strict: false }, defer_loading: true },
    ],
  });
  assertEquals(body.tools, [
    { name: "b", description: "B", input_schema: parameters, eager_input_streaming: true },
    native,
    { name: "a", input_schema: { type: "object" }, strict: false, defer_loading: true },
  ]);
  assertEquals(dropped, []);
});

Deno.test("writeCall() narrows a strict tool's schema to what the grammar can express", () => {
  const { body, dropped } = write({
    tools: [{
      type: "function",
      function: {
        name: "a",
        strict: true,
        parameters: { type: "object", properties: { n: { type: "integer", minimum: 1 } }, required: ["n"] },
      },
    }],
  });
  assertEquals(body.tools[0], {
    name: "a",
    input_schema: {
      type: "object",
      properties: { n: { type: "integer", description: "{minimum: 1}" } },
      required: ["n"],
      additionalProperties: false,
    },
    strict: true,
  });
  assertEquals(dropped, ["tools[0].function.parameters.properties.n.minimum"]);
});

Deno.test("writeCall() writes each tool choice", () => {
  const tools = [{ type: "function", function: { name: "look" } }];
  const choice = (fields: JsonObject, model?: string) => {
    const { body, dropped } = write({ tools, ...fields }, model);
    return [body.tool_choice, dropped];
  };
  assertEquals(choice({}), [undefined, []]);
  assertEquals(choice({ tool_choice: "none" }), [{ type: "none" }, []]);
  assertEquals(choice({ tool_choice: "auto" }), [{ type: "auto" }, []]);
  assertEquals(choice({ tool_choice: "required" }), [{ type: "any" }, []]);
  const named = { type: "function", function: { name: "look" } };
  assertEquals(choice({ tool_choice: named }), [{ type: "tool", name: "look" }, []]);
  const serial = { disable_parallel_tool_use: true };
  assertEquals(choice({ parallel_tool_calls: false }), [{ type: "auto", ...serial }, []]);
  assertEquals(choice({ parallel_tool_calls: true }), [undefined, []]);
  const both = { type: "any", ...serial };
  assertEquals(choice({ tool_choice: "required", parallel_tool_calls: false })[0], both);
  assertEquals(choice({ parallel_tool_calls: false, tool_choice: "required" })[0], both);
  assertEquals(choice({ parallel_tool_calls: false, tool_choice: "none" })[0], { type: "none" });
});

Deno.test("writeCall() does not force a tool on models that refuse it", () => {
  const tools = [{ type: "function", function: { name: "look" } }];
  for (
    const model of [
      "claude-opus-5-5",
      "claude-sonnet-5-5",
      "claude-fable-5-1",
      "claude-mythos-5-2",
      "claude-mythos-preview",
    ]
  ) {
    const { body, dropped } = write({ tools, tool_choice: "required" }, model);
    assertEquals([body.tool_choice, dropped], [undefined, ["tool_choice"]], model);
  }
  for (const model of ["claude-opus-5", "claude-haiku-5-5", "claude-sonnet-5", "claude-fable-5", "other"]) {
    assertEquals(write({ tools, tool_choice: "required" }, model).body.tool_choice, { type: "any" }, model);
  }
});

Deno.test("writeCall() searches the web with Anthropic's tool", () => {
  const { body, dropped } = write({
    web_search_options: {
      search_context_size: "low",
      user_location: { type: "approximate", approximate: { city: "Oslo" } },
    },
    tools: [{ type: "function", function: { name: "look" } }],
  });
  assertEquals(body.tools.map((tool: JsonObject) => tool.name), ["look", "web_search"]);
  assertEquals(body.tools[1], {
    type: "web_search_20250305",
    name: "web_search",
    user_location: { type: "approximate", city: "Oslo" },
  });
  assertEquals(dropped, ["web_search_options.search_context_size"]);
});

// ---------------------------------------------------------------- structured output

Deno.test("writeCall() sends a JSON schema as the native format, and names a format without a schema", () => {
  const schema = {
    type: "object",
    properties: {
      id: { type: "string", format: "uuid" },
      at: { type: "string", format: "regex", minLength: 2, description: "When" },
      one: { oneOf: [{ type: "string" }, { $ref: "#/$defs/d" }] },
      list: { type: "array", minItems: 3, items: { type: "object", properties: {} } },
      map: { type: "object", additionalProperties: { type: "string" } },
    },
    required: ["id"],
    additionalProperties: false,
    $defs: { d: { type: "object", properties: { n: { type: "number", maximum: 3 } } } },
  };
  const { body, dropped } = write({
    response_format: {
      type: "json_schema",
      json_schema: { name: "n", description: "D", strict: true, schema },
    },
  });
  assertEquals(body.output_config.format, {
    type: "json_schema",
    schema: {
      type: "object",
      properties: {
        id: { type: "string", format: "uuid" },
        at: { type: "string", description: 'When\n\n{format: "regex", minLength: 2}' },
        one: { anyOf: [{ type: "string" }, { $ref: "#/$defs/d" }] },
        list: {
          type: "array",
          items: { type: "object", properties: {}, additionalProperties: false },
          description: "{minItems: 3}",
        },
        map: { type: "object", additionalProperties: false },
      },
      required: ["id"],
      $defs: {
        d: {
          type: "object",
          properties: { n: { type: "number", description: "{maximum: 3}" } },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
  });
  const at = "response_format.json_schema";
  assertEquals(dropped, [
    `${at}.description`,
    `${at}.schema.properties.at.format`,
    `${at}.schema.properties.at.minLength`,
    `${at}.schema.properties.list.minItems`,
    `${at}.schema.properties.map.additionalProperties`,
    `${at}.schema.$defs.d.properties.n.maximum`,
  ]);
  assertEquals(write({ response_format: { type: "text" } }).dropped, []);
});

Deno.test("writeCall() asks for JSON in words if there is no schema, after the client's own system prompt", () => {
  const words =
    "Answer with one valid JSON object and nothing else: no words before or behind it, and no code fence.";
  const response_format = { type: "json_object" };
  const { body, dropped } = write({ response_format });
  assertEquals([body.output_config, body.system, dropped], [undefined, words, ["response_format"]]);
  const own = [{ role: "system", content: "S" }, USER];
  assertEquals(write({ response_format, messages: own }).body.system, [text("S"), text(words)]);
  const next = [...own, { role: "assistant", content: "{}" }, { role: "system", content: "T" }, USER];
  assertEquals(write({ response_format, messages: next }).body.system, [text("S"), text(words)]);
});

Deno.test("writeCall() leaves a schema within the subset as it is", () => {
  const schema = {
    type: "object",
    properties: { a: { anyOf: [{ type: "string", enum: ["x", "y"] }, { type: "null" }] }, b: { const: 1 } },
    required: ["a", "b"],
    additionalProperties: false,
  };
  const { body, dropped } = write({
    response_format: { type: "json_schema", json_schema: { name: "n", schema } },
  });
  assertEquals(body.output_config.format.schema, schema);
  assertEquals(dropped, []);
});

Deno.test("writeCall() keeps the client's own container", () => {
  const sealed = '{"layout":"","container":{"id":"container_1"},"nonce":"x"}';
  const answered = {
    role: "assistant",
    content: "A",
    reasoning_details: [{ type: "reasoning.encrypted", data: sealed, format: "anthropic-claude-v1" }],
  };
  const fields = { messages: [USER, answered, USER], tools: [{ type: "function", function: { name: "a" } }] };
  assertEquals(write(fields).body.container, "container_1");
  assertEquals(write({ ...fields, container: "mine" }).body.container, "mine");
  assertEquals(write({ messages: fields.messages }).body.container, undefined);
});

Deno.test("writeCall() cites only what is in the text", () => {
  const cited = (start_index: number, end_index: number) => ({
    type: "url_citation",
    url_citation: {
      start_index,
      end_index,
      url: "https://e.example",
      title: "E",
      type: "web_search_result_location",
      encrypted_index: "I",
      cited_text: "c",
    },
  });
  const said = (...annotations: unknown[]) =>
    messages([USER, { role: "assistant", content: "abcdef", annotations }, USER])[1].content.map(
      (block: JsonObject) => [block.text, (block.citations as unknown[] | undefined)?.length],
    );
  assertEquals(said(cited(2, 4), cited(2, 4)), [["ab", undefined], ["cd", 2], ["ef", undefined]]);
  for (const wrong of [cited(4, 4), cited(5, 3), cited(3, 9), cited(7, 9)]) {
    assertEquals(said(wrong), [["abcdef", undefined]]);
    assertEquals(said(cited(0, 2), wrong), [["ab", 1], ["cdef", undefined]]);
  }
  assertEquals(said(cited(0, 4), cited(2, 6)), [["abcd", 1], ["ef", undefined]]);
});

Deno.test("writeCall() writes no tool choice without tools, and names a forced one", () => {
  for (const choice of ["auto", "none"]) {
    const { body, dropped } = write({ tool_choice: choice });
    assertEquals([body.tool_choice, dropped], [undefined, []]);
  }
  for (const choice of ["required", { type: "function", function: { name: "f" } }]) {
    for (const model of [OLDER, NEWEST]) {
      const { body, dropped } = write({ tool_choice: choice, tools: [] }, model);
      assertEquals([body.tool_choice, dropped], [undefined, ["tool_choice"]]);
    }
  }
  // The setting becomes a search tool.
  assertEquals(write({ tool_choice: "required", web_search_options: {} }).body.tool_choice, { type: "any" });
});
