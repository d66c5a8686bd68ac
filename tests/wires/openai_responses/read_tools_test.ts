/** How requests of OpenAI's Responses are read into neutral calls. */
import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { bare, read } from "./read.ts";

const toolsOf = (body: JsonObject) => {
  const { settings, dropped } = read({ input: "x", ...body });
  return { tools: settings.tools?.map((tool) => bare(tool)) as JsonObject[], settings, dropped };
};

Deno.test("readCall() reads functions with their paths", () => {
  const { settings } = read({
    input: "x",
    tools: [{ type: "function", name: "f", description: "d", parameters: { type: "object" }, strict: true }],
  });
  assertEquals(settings.tools, [{
    type: "function",
    name: "f",
    description: "d",
    parameters: { type: "object" },
    strict: true,
    path: "tools[0]",
    definitionPath: "tools[0]",
    parametersPath: "tools[0].parameters",
    extra: {},
  }]);
});

Deno.test("readCall() reads custom tools and their grammars", () => {
  const format = { type: "grammar", syntax: "lark", definition: "start: /a/" };
  const { tools } = toolsOf({
    tools: [{ type: "custom", name: "c", format }, { type: "custom", name: "d" }],
  });
  assertEquals(tools, [{ type: "custom", name: "c", format }, { type: "custom", name: "d" }]);
});

Deno.test("readCall() flattens namespaces to names that every provider accepts", () => {
  const long = "n".repeat(40);
  const { tools, dropped } = toolsOf({
    tools: [
      {
        type: "namespace",
        name: "mcp__x",
        description: "About x",
        tools: [{ type: "function", name: "y", description: "Does y" }, { type: "custom", name: "z" }],
      },
      { type: "namespace", name: long, description: "", tools: [{ type: "function", name: long }] },
      { type: "namespace", name: "a b", description: "", tools: [{ type: "function", name: "c" }] },
    ],
  });
  assertEquals(tools.slice(0, 2).map(({ name, description }) => [name, description]), [
    ["mcp__x__y", "[mcp__x: About x]\nDoes y"],
    ["mcp__x__z", undefined],
  ]);
  for (const { name } of tools) assert(/^[\w-]{1,64}$/.test(`${name}`), `${name}`);
  assertEquals(new Set(tools.map(({ name }) => name)).size, 4);
  assertEquals(dropped, []);
});

Deno.test("readCall() keeps names different that would be equal once they are flat", () => {
  const space = (name: string, tool: string) => ({
    type: "namespace",
    name,
    description: "",
    tools: [{ type: "function", name: tool }],
  });
  const { tools } = toolsOf({
    tools: [space("a__b", "c"), space("a", "b__c"), { type: "function", name: "a__b__c" }],
  });
  assertEquals(new Set(tools.map(({ name }) => name)).size, 3);
});

Deno.test("readCall() offers the tools that items add, each once", () => {
  const send = { type: "function", name: "send", parameters: {} };
  const { tools } = toolsOf({
    tools: [{
      type: "tool_search",
      execution: "client",
      description: "Finds",
      parameters: { type: "object" },
    }],
    input: [
      { type: "additional_tools", role: "developer", tools: [send] },
      { role: "user", content: "x" },
      { type: "tool_search_call", call_id: "c", execution: "client", arguments: {} },
      {
        type: "tool_search_output",
        call_id: "c",
        execution: "client",
        tools: [send, {
          type: "namespace",
          name: "n",
          description: "",
          tools: [{ type: "function", name: "m" }],
        }],
      },
    ],
  });
  assertEquals(tools.map(({ name }) => name), ["tool_search", "send", "n__m"]);
  assertEquals([tools[0].description, tools[0].parameters], ["Finds", { type: "object" }]);
});

Deno.test("readCall() reads tools that the client runs as functions, and offers all tools in place of OpenAI's tool search", () => {
  const { tools, dropped } = toolsOf({
    tools: [
      { type: "shell", environment: { type: "local" } },
      { type: "local_shell" },
      { type: "apply_patch" },
      { type: "tool_search" },
      { type: "function", name: "f", defer_loading: true },
    ],
  });
  assertEquals(tools.map(({ type, name, kind }) => [type, name, kind]), [
    ["function", "shell", "shell"],
    ["function", "local_shell", "local_shell"],
    ["function", "apply_patch", "apply_patch"],
    ["function", "f", undefined],
  ]);
  assertEquals(dropped, []);
});

Deno.test("readCall() reads server tools by their kind", () => {
  const search = {
    type: "web_search",
    filters: { allowed_domains: ["a.test"], blocked_domains: ["b.test"] },
    user_location: { type: "approximate", city: "Bern" },
    search_context_size: "low",
  };
  const code = { type: "code_interpreter", container: { type: "auto" } };
  assertEquals(toolsOf({ tools: [search, { type: "web_search_preview" }, code] }).tools, [
    {
      type: "server",
      kind: "web_search",
      value: search,
      search: {
        allowedDomains: ["a.test"],
        blockedDomains: ["b.test"],
        location: { type: "approximate", city: "Bern" },
        contextSize: "low",
      },
    },
    { type: "server", kind: "web_search", value: { type: "web_search_preview" }, search: {} },
    { type: "server", kind: "code_execution", value: code },
  ]);
});

const OFFERED = [
  { type: "function", name: "f" },
  { type: "custom", name: "c" },
  { type: "apply_patch" },
  { type: "namespace", name: "n", description: "", tools: [{ type: "function", name: "m" }] },
];

const CHOICES: [unknown, unknown, unknown, string[]][] = [
  ["auto", "auto", undefined, []],
  ["required", "required", undefined, []],
  ["none", "none", undefined, []],
  [{ type: "function", name: "f" }, { name: "f" }, undefined, []],
  [{ type: "custom", name: "c" }, { name: "c" }, undefined, []],
  [{ type: "apply_patch" }, { name: "apply_patch" }, undefined, []],
  [{ type: "function", namespace: "n", name: "m" }, { name: "n__m" }, undefined, []],
  [{ type: "file_search" }, undefined, undefined, ["tool_choice"]],
  [
    { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "f" }, { type: "mcp" }] },
    "required",
    ["f"],
    ["tool_choice.tools[1]"],
  ],
  [{ type: "allowed_tools", mode: "auto", tools: [{ type: "custom", name: "c" }] }, "auto", ["c"], []],
  [
    { type: "allowed_tools", mode: "required", tools: [{ type: "mcp" }] },
    "none",
    undefined,
    ["tool_choice.tools[0]", "tool_choice.mode"],
  ],
];

for (const [tool_choice, choice, allowed, named] of CHOICES) {
  Deno.test(`readCall() reads the choice ${JSON.stringify(tool_choice)}`, () => {
    const { settings, dropped } = toolsOf({ tools: OFFERED, tool_choice });
    assertEquals([settings.tool_choice, settings.allowed_tools, dropped], [
      choice as never,
      allowed as never,
      named,
    ]);
  });
}
