import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { PLAIN_MODEL, settings } from "./scene.ts";

// ---------------------------------------------------------------- tools and settings

const tool = (name: string, more: JsonObject = {}) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { a: { type: "string" } } }, ...more },
});

Deno.test("cohere writes tools with their schema unchanged, and adds a schema to a function without parameters", () => {
  const parameters = {
    type: "object",
    properties: { a: { anyOf: [{ type: "string" }, { $ref: "#/$defs/b" }] } },
    $defs: { b: {} },
  };
  const tools = [
    tool("first", { description: "One", parameters }),
    { type: "function", function: { name: "second" } },
  ];
  assertEquals(settings({ tools }), {
    tools: [
      { type: "function", function: { name: "first", description: "One", parameters } },
      { type: "function", function: { name: "second", parameters: { type: "object", properties: {} } } },
    ],
    dropped: [],
  });
});

Deno.test("cohere sets strict_tools when every tool is strict, and else names those that are", () => {
  assertEquals(settings({ tools: [tool("a", { strict: true }), tool("b", { strict: true })] }), {
    tools: [tool("a"), tool("b")],
    strict_tools: true,
    dropped: [],
  });
  assertEquals(settings({ tools: [tool("a"), tool("b", { strict: true })] }), {
    tools: [tool("a"), tool("b")],
    dropped: ["tools[1].function.strict"],
  });
  assertEquals(settings({ tools: [] }), { tools: [], dropped: [] });
});

Deno.test("cohere writes tool_choice, and a named tool as the only tool", () => {
  const tools = [tool("a"), tool("b")];
  const named = (name: string) => ({ type: "function", function: { name } });
  assertEquals(settings({ tools, tool_choice: "none" }), { tools, tool_choice: "NONE", dropped: [] });
  assertEquals(settings({ tools, tool_choice: "required" }), { tools, tool_choice: "REQUIRED", dropped: [] });
  assertEquals(settings({ tools, tool_choice: "auto" }), { tools, dropped: [] });
  assertEquals(settings({ tools, tool_choice: named("b") }), {
    tools: [tool("b")],
    tool_choice: "REQUIRED",
    dropped: [],
  });
  assertEquals(settings({ tools, tool_choice: named("c") }), { tools, dropped: ["tool_choice"] });
  assertEquals(settings({ tools, parallel_tool_calls: true }), { tools, dropped: [] });
  assertEquals(settings({ tools, parallel_tool_calls: false }), { tools, dropped: ["parallel_tool_calls"] });
});

Deno.test("cohere writes response_format with the schema unchanged", () => {
  const schema = { type: "object", properties: { a: { type: "integer" } }, additionalProperties: false };
  const format = (json_schema: JsonObject) =>
    settings({ response_format: { type: "json_schema", json_schema } });
  assertEquals(settings({ response_format: { type: "json_object" } }), {
    response_format: { type: "json_object" },
    dropped: [],
  });
  assertEquals(format({ name: "answer", schema, strict: true }), {
    response_format: { type: "json_object", json_schema: schema },
    dropped: [],
  });
  assertEquals(format({ name: "answer", schema, description: "An answer" }).dropped, [
    "response_format.json_schema.description",
  ]);
  assertEquals(settings({ response_format: { type: "text" } }), { dropped: [] });
});

Deno.test("cohere names a response format beside tools or documents, which it accepts with neither", () => {
  const response_format = { type: "json_object" };
  const tools = [{ type: "function", function: { name: "g" } }];
  assertEquals(settings({ response_format, tools }).dropped, ["response_format"]);
  assertEquals(settings({ response_format, tools }).response_format, undefined);
  assertEquals(settings({ response_format, documents: [{ id: "1", data: {} }] }).dropped, [
    "response_format",
  ]);
  assertEquals(settings({ response_format, tools: [] }).response_format, response_format);
});

Deno.test("cohere is sent only the tools that tool_choice allows", () => {
  const tools = ["f", "g", "h"].map((name) => ({ type: "function", function: { name } }));
  const allowed = (mode: string) => {
    const tool_choice = { type: "allowed_tools", allowed_tools: { mode, tools: [tools[2], tools[0]] } };
    const { tools: sent, tool_choice: choice, dropped } = settings({ tools, tool_choice });
    return [(sent as typeof tools).map((tool) => tool.function.name), choice, dropped];
  };
  assertEquals(allowed("required"), [["f", "h"], "REQUIRED", []]);
  assertEquals(allowed("auto"), [["f", "h"], undefined, []]);
});

Deno.test("cohere writes sampling settings under its own names", () => {
  const shared = { temperature: 0.4, seed: 3, frequency_penalty: 0.1, presence_penalty: 0.2, logprobs: true };
  const openai = { max_completion_tokens: 9, top_p: 0.9, top_k: 7, stop: "END", n: 1, modalities: ["text"] };
  assertEquals(settings({ ...openai, ...shared, stream: true }), {
    max_tokens: 9,
    p: 0.9,
    k: 7,
    stop_sequences: ["END"],
    ...shared,
    stream: true,
    dropped: [],
  });
});

Deno.test("cohere keeps settings within its ranges, which are narrower than OpenAI's", () => {
  assertEquals(settings({ top_p: 1 }), { p: 0.99, dropped: [] });
  assertEquals(settings({ top_p: 0 }), { p: 0.01, dropped: [] });
  const beyond = { frequency_penalty: -0.5, presence_penalty: 1.5, top_k: 501, top_p: 1.1 };
  assertEquals(settings(beyond), { dropped: Object.keys(beyond) });
  assertEquals(settings({ frequency_penalty: 0, store: false, logit_bias: {} }), {
    frequency_penalty: 0,
    dropped: [],
  });
});

Deno.test("cohere names the settings that it cannot express, in the client's order", () => {
  const body = {
    user: "u",
    n: 2,
    top_logprobs: 3,
    logit_bias: { 5: 1 },
    service_tier: "flex",
    metadata: { a: "b" },
    verbosity: "low",
    store: true,
    modalities: ["text", "audio"],
    audio: { voice: "a", format: "wav" },
    prediction: { type: "content", content: "x" },
    web_search_options: {},
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
  };
  assertEquals(settings(body), { dropped: Object.keys(body) });
});

Deno.test("cohere forwards its own fields untouched", () => {
  const own = {
    documents: [{ id: "a", data: { text: "Lamp" } }, "plain"],
    citation_options: { mode: "fast" },
    safety_mode: "STRICT",
    priority: 5,
    p: 0.5,
  };
  assertEquals(settings({ ...own, top_p: 0.9 }), { ...own, dropped: [] });
});

Deno.test("writeCall() names the fields of other gateways, and reads OpenRouter's reasoning", () => {
  const fields = {
    provider: { order: ["cohere"] },
    transforms: [],
    route: "fallback",
    plugins: [],
    usage: { include: true },
    models: ["cohere/command-a"],
    providerOptions: {},
    fallbacks: [],
    moderation: {},
  };
  assertEquals(settings({ ...fields, safety_mode: "NONE" }), {
    safety_mode: "NONE",
    dropped: Object.keys(fields),
  });
  const thinking = (reasoning: unknown, model?: string) => {
    const { thinking, dropped, ...rest } = settings({ reasoning }, model);
    assertEquals(rest, {});
    return [thinking, dropped];
  };
  assertEquals(thinking({ effort: "high" }), [{ type: "enabled" }, []]);
  assertEquals(thinking({ max_tokens: 900.5 }), [{ type: "enabled", token_budget: 900 }, []]);
  assertEquals(thinking({ enabled: false }), [{ type: "disabled" }, []]);
  assertEquals(thinking({ max_tokens: 900 }, PLAIN_MODEL), [undefined, ["reasoning.max_tokens"]]);
});

Deno.test("writeCall() recognizes models that do not think by their names", () => {
  const thinks = (model: string) => settings({ reasoning_effort: "high" }, model).thinking !== undefined;
  const plain = [
    "command",
    "command-r",
    "command-r-plus-08-2024",
    "command-light",
    "command-nightly",
    "command-a-03-2025",
    "command-a-vision-07-2025",
    "command-a-translate-08-2025",
    "aya",
    "c4ai-aya-expanse-32b",
    "c4ai-command-r",
  ];
  for (const model of plain) assertEquals(thinks(model), false, model);
  const others = [
    "command-a-reasoning-08-2025",
    "command-a-plus-05-2026",
    "command-a-04-2026",
    "command-b",
    "commander",
    "my-command-r",
    "my-c4ai-aya-expanse",
    "my-aya",
    "north",
  ];
  for (const model of others) assertEquals(thinks(model), true, model);
});

Deno.test("writeCall() accepts thinking in Cohere's form and in Anthropic's", () => {
  const thinking = (thinking: unknown, model?: string) => {
    const { thinking: sent, dropped } = settings({ thinking }, model);
    return [sent, dropped];
  };
  for (const own of [{ type: "enabled", token_budget: 7 }, { type: "enabled" }, { type: "disabled" }]) {
    assertEquals(thinking(own), [own, []]);
  }
  const budget = { type: "enabled", budget_tokens: 5000 };
  assertEquals(thinking(budget), [{ type: "enabled", token_budget: 5000 }, []]);
  assertEquals(thinking(budget, PLAIN_MODEL), [undefined, ["thinking"]]);
});
