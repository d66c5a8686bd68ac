import { assert, assertEquals } from "@std/assert";
import type { Call } from "../../../wires/types.ts";
import { bare, read } from "./read.ts";

Deno.test("readCall() reads tools with their further members, and keeps schemas unchanged", () => {
  const parameters = JSON.parse('{"type":"object","z":1,"a":{"$ref":"#/$defs/x"},"__proto__":{"b":2}}');
  const { settings, dropped, sent } = read({
    tools: [
      {
        type: "function",
        function: { name: "f", description: "d", parameters, strict: true, defer_loading: true },
        cache_control: { type: "ephemeral" },
        eager: 1,
      },
      { type: "function", function: { name: "g", description: null, parameters: null, strict: null } },
      { type: "web_search_20250305", name: "web_search" },
      { googleSearch: {} },
      { type: "custom", custom: { name: "free" } },
      {
        type: "custom",
        custom: {
          name: "patch",
          description: "d",
          format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /a/" } },
          more: 1,
        },
        cache_control: { type: "ephemeral" },
      },
    ],
  });
  const [first, ...rest] = settings.tools!;
  assert(first.type === "function");
  assertEquals(first.parameters, parameters);
  assertEquals(
    bare([{ ...first, parameters: undefined }, ...rest]),
    [
      {
        type: "function",
        name: "f",
        description: "d",
        strict: true,
        cache: { type: "ephemeral" },
        extra: { defer_loading: true, eager: 1 },
        path: "tools[0]",
        definitionPath: "tools[0].function",
        parametersPath: "tools[0].function.parameters",
      },
      {
        type: "function",
        name: "g",
        extra: {},
        path: "tools[1]",
        definitionPath: "tools[1].function",
        parametersPath: "tools[1].function.parameters",
      },
      { type: "native", value: { type: "web_search_20250305", name: "web_search" }, path: "tools[2]" },
      { type: "native", value: { googleSearch: {} }, path: "tools[3]" },
      { type: "custom", name: "free", path: "tools[4]", formatPath: "tools[4].custom.format" },
      {
        type: "custom",
        name: "patch",
        description: "d",
        format: { type: "grammar", syntax: "lark", definition: "start: /a/" },
        cache: { type: "ephemeral" },
        path: "tools[5]",
        formatPath: "tools[5].custom.format",
      },
    ] as Call["settings"]["tools"],
  );
  assertEquals(dropped, ["tools[5].custom.more"]);
  assertEquals(sent.get("tools"), "tools");
});

Deno.test("readCall() reads every form of tool_choice", () => {
  const choice = (tool_choice: unknown) => read({ tool_choice }).settings.tool_choice;
  for (const word of ["none", "auto", "required"] as const) {
    assertEquals(choice(word), word);
    assertEquals(choice({ type: word }), word);
  }
  assertEquals(choice("any"), "required");
  assertEquals(choice({ type: "any" }), "required");
  assertEquals(choice({ type: "function", function: { name: "f" } }), { name: "f" });
  assertEquals(choice({ type: "custom", custom: { name: "f" } }), { name: "f" });
  assertEquals(choice({ type: "tool", name: "f" }), { name: "f" });
});

Deno.test("readCall() reads the tools that tool_choice allows, and names those that are not functions of the call", () => {
  const allowed = (mode: string, tools: unknown) => {
    const { settings, sent, dropped } = read({
      tools: [
        ...["f", "g"].map((name) => ({ type: "function", function: { name } })),
        { type: "custom", custom: { name: "free" } },
      ],
      tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools } },
    });
    return [settings.tool_choice, settings.allowed_tools, sent.get("allowed_tools"), dropped];
  };
  const path = "tool_choice.allowed_tools.tools";
  const f = { type: "function", function: { name: "f" } };
  assertEquals(allowed("required", [f]), ["required", ["f"], path, []]);
  assertEquals(allowed("auto", [f, { type: "function", name: "g" }]), ["auto", ["f", "g"], path, []]);
  assertEquals(allowed("auto", [{}, f, null, { type: "function", function: { name: "h" } }]), [
    "auto",
    ["f"],
    path,
    [`${path}[0]`, `${path}[2]`, `${path}[3]`],
  ]);
  // A list without any of the tools allows none; an absent list allows all.
  assertEquals(allowed("auto", [{ type: "web_search" }]), ["none", undefined, undefined, [`${path}[0]`]]);
  assertEquals(allowed("auto", []), ["none", undefined, undefined, []]);
  assertEquals(allowed("required", []), ["none", undefined, undefined, ["tool_choice.allowed_tools.mode"]]);
  const free = { type: "custom", custom: { name: "free" } };
  assertEquals(allowed("auto", [free, f]), ["auto", ["free", "f"], path, []]);
  assertEquals(allowed("auto", undefined), ["auto", undefined, undefined, []]);
});

Deno.test("readCall() reads legacy functions, and prefers tools", () => {
  const legacy = read({ functions: [{ name: "f", parameters: {} }], function_call: { name: "f" } });
  assertEquals(bare(legacy.settings.tools), [
    {
      type: "function",
      name: "f",
      parameters: {},
      extra: {},
      path: "functions[0]",
      definitionPath: "functions[0]",
      parametersPath: "functions[0].parameters",
    },
  ]);
  assertEquals(legacy.settings.tool_choice, { name: "f" });
  assertEquals([...legacy.sent], [["tools", "functions"], ["tool_choice", "function_call"]]);
  assertEquals(read({ function_call: "none" }).settings.tool_choice, "none");

  const tools = [{ type: "function", function: { name: "g" } }];
  const functions = [{ name: "f" }];
  for (const fields of [{ tools, functions }, { functions, tools }]) {
    const { settings, sent, dropped } = read(fields);
    assertEquals(settings.tools!.map((tool) => tool.type === "function" && tool.name), ["g"]);
    assertEquals(sent.get("tools"), "tools");
    assertEquals(dropped, ["functions"]);
  }
  for (
    const fields of [{ tool_choice: "auto", function_call: "none" }, {
      function_call: "none",
      tool_choice: "auto",
    }]
  ) {
    const { settings, dropped } = read(fields);
    assertEquals([settings.tool_choice, dropped], ["auto", ["function_call"]]);
  }
});
