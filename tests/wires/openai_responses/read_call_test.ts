/** How requests of OpenAI's Responses are read into neutral calls. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { read } from "./read.ts";

// ---------------------------------------------------------------- what is refused and what is named

const REFUSED: [JsonObject, string, string][] = [
  [{ input: "x", previous_response_id: "resp_1" }, "previous_response_not_found", "previous_response_id"],
  [{ input: "x", conversation: "conv_1" }, "previous_response_not_found", "conversation"],
  [{ input: [{ type: "item_reference", id: "msg_1" }] }, "previous_response_not_found", "input[0]"],
  [{ input: [{ id: "msg_1" }] }, "previous_response_not_found", "input[0]"],
  [
    { input: [{ type: "compaction", id: "cmp_1", encrypted_content: "gAAAA" }] },
    "previous_response_not_found",
    "input[0]",
  ],
  [{ input: "x", background: true }, "invalid_request", "background"],
  [{ input: "x", prompt: { id: "pmpt_1" } }, "invalid_request", "prompt"],
  [{}, "invalid_request", "input"],
  [{ input: [] }, "invalid_request", "input"],
  [{ input: 3 }, "invalid_request", "input"],
  [{ input: ["x"] }, "invalid_request", "input[0]"],
  [{ input: "x", stream: "yes" }, "invalid_request", "stream"],
  [{ input: "x", max_output_tokens: 0 }, "invalid_request", "max_output_tokens"],
  [{ input: "x", temperature: "hot" }, "invalid_request", "temperature"],
  [{ input: "x", tools: [3] }, "invalid_request", "tools[0]"],
  [{ input: "x", tools: [{ type: "function" }] }, "invalid_request", "tools[0].name"],
  [
    { input: "x", tools: [{ type: "namespace", name: "n", tools: [{}] }] },
    "invalid_request",
    "tools[0].tools[0].name",
  ],
  [{ input: [{ role: "judge", content: "x" }] }, "invalid_request", "input[0].role"],
  [{ input: [{ role: "user", content: 3 }] }, "invalid_request", "input[0].content"],
  [
    { input: [{ role: "user", content: [{ type: "input_text" }] }] },
    "invalid_request",
    "input[0].content[0].text",
  ],
  [{ input: [{ type: "function_call", name: "f", arguments: "{}" }] }, "invalid_request", "input[0].call_id"],
  [{ input: [{ type: "function_call", call_id: "c" }] }, "invalid_request", "input[0].name"],
  [
    { input: [{ type: "function_call", call_id: "c", name: "f", arguments: "[".repeat(3000) }] },
    "invalid_request",
    "input[0].arguments",
  ],
  [{ input: "x", text: { format: { type: "xml" } } }, "invalid_request", "text.format.type"],
  [{ input: "x", text: { format: { type: "json_schema" } } }, "invalid_request", "text.format.schema"],
  [
    { input: "x", tools: [{ type: "function", name: "f" }], tool_choice: 3 },
    "invalid_request",
    "tool_choice",
  ],
];

for (const [body, code, param] of REFUSED) {
  Deno.test(`readCall() refuses ${JSON.stringify(body).slice(0, 100)} at ${param}`, () => {
    const error = assertThrows(() => read(body), GatewayError);
    assertEquals([error.code, error.details.param], [code, param]);
    assert(!error.message.includes("gAAAA"));
  });
}

/** What is left out, and the path that names it. */
const NAMED: [JsonObject, string[]][] = [
  [{ store: true }, ["store"]],
  [{ store: false, stream_options: { include_obfuscation: false }, client_metadata: { a: "b" } }, []],
  [{ truncation: "auto" }, ["truncation"]],
  [{
    truncation: "disabled",
    background: false,
    previous_response_id: null,
    conversation: null,
    prompt: null,
  }, []],
  [{ max_tool_calls: 3 }, ["max_tool_calls"]],
  [{ include: ["reasoning.encrypted_content", "web_search_call.action.sources"] }, []],
  [{ include: ["file_search_call.results"] }, ["include[0]"]],
  [{ context_management: [{ type: "compaction" }], prompt_cache_options: {} }, [
    "context_management",
    "prompt_cache_options",
  ]],
  [{ reasoning: { effort: "low", context: "all" } }, ["reasoning.context"]],
  [{
    tools: [{ type: "mcp" }, { type: "file_search" }, { type: "image_generation" }, { type: "computer" }, {
      type: "shell",
      environment: { type: "container_auto" },
    }],
  }, ["tools[0]", "tools[1]", "tools[2]", "tools[3]", "tools[4]"]],
  [{ tools: [{ type: "function", name: "f", output_schema: {}, defer_loading: true }] }, [
    "tools[0].output_schema",
  ]],
  [{ input: [{ role: "user", content: [{ type: "hologram" }, { type: "input_text", text: "x" }] }] }, [
    "input[0].content[0]",
  ]],
  [
    {
      input: [
        { role: "user", content: "x" },
        { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
        { type: "mcp_list_tools", id: "l", server_label: "s", tools: [] },
        { type: "telepathy" },
      ],
    },
    ["input[1]", "input[2]", "input[3]"],
  ],
];

for (const [body, dropped] of NAMED) {
  Deno.test(`readCall() names ${dropped.join(", ") || "nothing"} as dropped from ${JSON.stringify(body).slice(0, 100)}`, () => {
    assertEquals(read({ input: "x", ...body }).dropped, dropped);
  });
}

// ---------------------------------------------------------------- settings

Deno.test("readCall() reads the settings, each under the client's own name for it", () => {
  const { settings, sent } = read({
    input: "x",
    max_output_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    reasoning: { effort: "high", summary: "auto" },
    text: {
      verbosity: "low",
      format: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true },
    },
    top_logprobs: 2,
    metadata: { a: "b" },
    prompt_cache_key: "k",
    safety_identifier: "s",
    service_tier: "flex",
    user: "u",
  });
  assertEquals(settings, {
    metadata: { a: "b" },
    prompt_cache_key: "k",
    safety_identifier: "s",
    service_tier: "flex",
    temperature: 0.5,
    top_p: 0.9,
    user: "u",
    max_tokens: 9,
    reasoning_effort: "high",
    reasoning_summary: "auto",
    verbosity: "low",
    response_format: {
      type: "json_schema",
      name: "n",
      description: undefined,
      schema: { type: "object" },
      strict: true,
      path: "text.format",
    },
    logprobs: true,
    top_logprobs: 2,
  });
  assertEquals(Object.fromEntries(sent), {
    metadata: "metadata",
    prompt_cache_key: "prompt_cache_key",
    safety_identifier: "safety_identifier",
    service_tier: "service_tier",
    temperature: "temperature",
    top_p: "top_p",
    user: "user",
    max_tokens: "max_output_tokens",
    reasoning_effort: "reasoning.effort",
    reasoning_summary: "reasoning.summary",
    verbosity: "text.verbosity",
    response_format: "text.format",
    logprobs: "top_logprobs",
    top_logprobs: "top_logprobs",
  });
});

Deno.test("readCall() takes the last configuration_update for the settings", () => {
  const { settings, sent } = read({
    reasoning: { effort: "low" },
    text: { format: { type: "json_object" } },
    input: [
      { type: "configuration_update", reasoning: { effort: "high" } },
      { role: "user", content: "x" },
      { type: "configuration_update", reasoning: { effort: "max" }, text: { format: { type: "text" } } },
    ],
  });
  assertEquals([settings.reasoning_effort, settings.response_format], ["max", undefined]);
  assertEquals(Object.fromEntries(sent), { reasoning_effort: "input[2].reasoning.effort" });
});
