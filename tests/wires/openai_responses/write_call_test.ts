import { assert, assertEquals, assertThrows } from "@std/assert";
import { responsesWire } from "../../../wires/openai_responses/mod.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { strictResponses } from "../../acceptance/strict_responses.ts";
import { USER, write } from "./talk.ts";

const { check } = strictResponses([]);

const SCHEMA = { type: "object", properties: { a: { type: "string" } } };
const F = { type: "function", function: { name: "f", description: "d", parameters: SCHEMA } };
const GRAMMAR = { type: "grammar", syntax: "lark", definition: "start: /a/" };
const CUSTOM = {
  type: "custom",
  custom: {
    name: "c",
    description: "text",
    format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /a/" } },
  },
};

Deno.test("writeCall() sends the whole conversation, stores nothing, and asks for sealed reasoning", () => {
  const { path, body, dropped } = write("gpt-5.6", { stream: true });
  assertEquals(path, "/responses");
  assertEquals(body, {
    model: "gpt-5.6",
    input: [{ type: "message", role: "user", content: "Hello" }],
    store: false,
    include: ["reasoning.encrypted_content"],
    stream: true,
  });
  assertEquals(dropped, []);
});

Deno.test("writeCall() asks for sealed reasoning only if the model reasons", () => {
  for (const model of ["gpt-5", "gpt-5.4-mini", "o3", "o1-pro", "gpt-5-codex", "gpt-6-astra"]) {
    assertEquals(write(model).body.include, ["reasoning.encrypted_content"], model);
  }
  for (const model of ["gpt-4o", "gpt-4.1", "gpt-5-chat-latest", "my-deployment"]) {
    assertEquals(write(model).body.include, undefined, model);
  }
});

// ---------------------------------------------------------------- messages

Deno.test("writeCall() keeps instructions in their place", () => {
  const messages = [
    { role: "system", content: "s" },
    USER,
    { role: "assistant", content: "a" },
    { role: "developer", content: [{ type: "text", text: "d" }, { type: "text", text: "e" }] },
    USER,
  ];
  assertEquals(write("gpt-5.6", { messages }).body.input, [
    { type: "message", role: "system", content: "s" },
    { type: "message", role: "user", content: "Hello" },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] },
    {
      type: "message",
      role: "developer",
      content: [{ type: "input_text", text: "d" }, { type: "input_text", text: "e" }],
    },
    { type: "message", role: "user", content: "Hello" },
  ]);
});

Deno.test("writeCall() writes each part in the API's own form, and names parts that the API does not have", () => {
  const content = [
    { type: "text", text: "x" },
    { type: "image_url", image_url: { url: "https://a.example/b.png" } },
    { type: "image_url", image_url: { url: "data:image/png;base64,QUJD", detail: "original" } },
    { type: "file", file: { file_id: "file-1" } },
    { type: "file", file: { file_data: "QUJD" } },
    { type: "file", file: { file_data: "data:text/csv;base64,QUJD", filename: "t.csv" } },
    { type: "file", file: { file_data: "https://a.example/b.pdf" } },
    { type: "input_file", file_url: "https://a.example/c.pdf" },
    { type: "input_audio", input_audio: { data: "QUJD", format: "wav" } },
    { type: "video_url", video_url: { url: "https://a.example/b.mp4" } },
  ];
  const { body, dropped } = write("gpt-5.6", { messages: [{ role: "user", content }] });
  assertEquals((body.input as { content: unknown }[])[0].content, [
    { type: "input_text", text: "x" },
    { type: "input_image", detail: "auto", image_url: "https://a.example/b.png" },
    { type: "input_image", detail: "original", image_url: "data:image/png;base64,QUJD" },
    { type: "input_file", file_id: "file-1" },
    { type: "input_file", filename: "file.pdf", file_data: "data:application/pdf;base64,QUJD" },
    { type: "input_file", filename: "t.csv", file_data: "data:text/csv;base64,QUJD" },
    { type: "input_file", file_url: "https://a.example/b.pdf" },
    { type: "input_file", file_url: "https://a.example/c.pdf" },
  ]);
  assertEquals(dropped, ["messages[0].content[8].input_audio", "messages[0].content[9].video_url"]);
  assertEquals(check({ body }), undefined);
});

Deno.test("writeCall() refuses a last message of which nothing is left, and sends an empty one unchanged", () => {
  const sound = { type: "input_audio", input_audio: { data: "QUJD", format: "wav" } };
  const error = assertThrows(
    () => write("gpt-5.6", { messages: [{ role: "user", content: [sound] }] }),
    GatewayError,
  );
  assertEquals(error.details.param, "messages[0].content");
  const earlier = write("gpt-5.6", { messages: [{ role: "user", content: [sound] }, USER] });
  assertEquals((earlier.body.input as unknown[])[0], { type: "message", role: "user", content: "" });
  assertEquals(write("gpt-5.6", { messages: [{ role: "user", content: "" }] }).body.input, [
    { type: "message", role: "user", content: "" },
  ]);
});

Deno.test("writeCall() names the names of messages, and the cache marks that the model or the place does not take", () => {
  const cache_control = { type: "ephemeral" };
  const messages = [
    { role: "user", name: "n", content: [{ type: "text", text: "x", cache_control }] },
    { role: "assistant", content: "y", cache_control },
    USER,
  ];
  const dropped = (model: string) => write(model, { messages, tools: [{ ...F, cache_control }] }).dropped;
  assertEquals(dropped("gpt-5.6"), [
    "messages[0].name",
    "messages[1].cache_control",
    "tools[0].cache_control",
  ]);
  for (const model of ["gpt-5.5", "gpt-4o", "my-model"]) {
    assertEquals(dropped(model), [
      "messages[0].name",
      "messages[0].content[0].cache_control",
      "messages[1].cache_control",
      "tools[0].cache_control",
    ]);
  }
});

Deno.test("writeCall() writes calls and results of functions and of custom tools, whatever the order of the results", () => {
  const messages = [
    USER,
    {
      role: "assistant",
      content: "t",
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: '{"a":1}' } },
        { id: "b", type: "custom", custom: { name: "c", input: "free text" } },
        { id: "d", type: "function", function: { name: "f", arguments: "" } },
      ],
    },
    { role: "tool", tool_call_id: "b", content: "rb" },
    { role: "tool", tool_call_id: "d", content: "" },
    USER,
    {
      role: "tool",
      tool_call_id: "a",
      is_error: true,
      content: [{ type: "text", text: "no" }, {
        type: "image_url",
        image_url: { url: "https://a.example/b.png" },
      }],
    },
  ];
  const { body, dropped } = write("gpt-5.6", { messages, tools: [F, CUSTOM] });
  assertEquals((body.input as unknown[]).slice(1), [
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "t" }] },
    { type: "function_call", call_id: "a", name: "f", arguments: '{"a":1}' },
    { type: "custom_tool_call", call_id: "b", name: "c", input: "free text" },
    { type: "function_call", call_id: "d", name: "f", arguments: "{}" },
    { type: "custom_tool_call_output", call_id: "b", output: "rb" },
    { type: "function_call_output", call_id: "d", output: "" },
    { type: "message", role: "user", content: "Hello" },
    {
      type: "function_call_output",
      call_id: "a",
      output: [
        { type: "input_text", text: "Error: " },
        { type: "input_text", text: "no" },
        { type: "input_image", detail: "auto", image_url: "https://a.example/b.png" },
      ],
    },
  ]);
  assertEquals(dropped, []);
  assertEquals(check({ body }), undefined);
});

Deno.test("writeCall() marks the result of a call that failed", () => {
  const call = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
  const messages = [
    USER,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "a", is_error: true, content: "not found" },
  ];
  const { body } = write("gpt-5.6", { messages });
  assertEquals((body.input as { output?: string }[])[2].output, "Error: not found");
});

Deno.test("writeCall() shortens ids of calls to what the API takes, the same for a call and its result", () => {
  for (const id of ["x".repeat(65), `call_1__sig_${"y".repeat(3000)}`, "é".repeat(40)]) {
    const messages = [
      USER,
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: id, content: "r" },
    ];
    const { body } = write("gpt-5.6", { messages });
    const [, call, result] = body.input as { call_id: string }[];
    assertEquals(call.call_id, result.call_id);
    assertEquals(check({ body }), undefined);
  }
});

Deno.test("writeCall() writes refusals, and leaves out an empty assistant message", () => {
  const messages = [USER, { role: "assistant", content: "", refusal: "I will not" }, {
    role: "assistant",
    content: "",
  }, USER];
  assertEquals(write("gpt-5.6", { messages }).body.input, [
    { type: "message", role: "user", content: "Hello" },
    { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "I will not" }] },
    { type: "message", role: "user", content: "Hello" },
  ]);
});

// ---------------------------------------------------------------- tools

Deno.test("writeCall() writes tools flat, and writes strict: false for a function that is not strict", () => {
  const strict = {
    ...F.function,
    name: "g",
    strict: true,
    parameters: { ...SCHEMA, additionalProperties: false },
  };
  const tools = [
    F,
    { type: "function", function: { ...strict, defer_loading: true } },
    { type: "function", function: { name: "h" } },
    CUSTOM,
    { type: "web_search", search_context_size: "low" },
  ];
  const { body, dropped } = write("gpt-5.6", { tools });
  assertEquals(body.tools, [
    { type: "function", name: "f", description: "d", parameters: SCHEMA, strict: false },
    {
      type: "function",
      name: "g",
      description: "d",
      parameters: { ...SCHEMA, additionalProperties: false },
      strict: true,
      defer_loading: true,
    },
    { type: "function", name: "h", parameters: { type: "object", properties: {} }, strict: false },
    { type: "custom", name: "c", description: "text", format: GRAMMAR },
    { type: "web_search", search_context_size: "low" },
  ]);
  assertEquals(dropped, []);
  assertEquals(check({ body }), undefined);
});

Deno.test("writeCall() writes every form of tool_choice", () => {
  const choice = (tool_choice: unknown) => {
    const { body } = write("gpt-5.6", { tools: [F, CUSTOM], tool_choice });
    assertEquals(check({ body }), undefined);
    return body.tool_choice;
  };
  for (const word of ["none", "auto", "required"]) assertEquals(choice(word), word);
  assertEquals(choice({ type: "function", function: { name: "f" } }), { type: "function", name: "f" });
  assertEquals(choice({ type: "custom", custom: { name: "c" } }), { type: "custom", name: "c" });
  const tools = [{ type: "custom", custom: { name: "c" } }, { type: "function", function: { name: "f" } }];
  for (const mode of ["auto", "required"]) {
    assertEquals(choice({ type: "allowed_tools", allowed_tools: { mode, tools } }), {
      type: "allowed_tools",
      mode,
      tools: [{ type: "custom", name: "c" }, { type: "function", name: "f" }],
    });
  }
});

Deno.test("writeCall() writes web_search_options as a tool", () => {
  const web_search_options = {
    search_context_size: "high",
    user_location: { type: "approximate", approximate: { country: "CH", city: "Bern" } },
  };
  const { body, dropped } = write("gpt-5.6", { tools: [F], web_search_options });
  assertEquals((body.tools as unknown[])[1], {
    type: "web_search",
    search_context_size: "high",
    user_location: { type: "approximate", country: "CH", city: "Bern" },
  });
  assertEquals(dropped, []);
});

// ---------------------------------------------------------------- settings

Deno.test("writeCall() writes each setting that the API has under its name here", () => {
  const schema = { type: "object", properties: {} };
  const { body, dropped } = write("gpt-5.6", {
    max_completion_tokens: 500,
    reasoning_effort: "none",
    temperature: 0.5,
    top_p: 0.9,
    logprobs: true,
    top_logprobs: 3,
    verbosity: "low",
    response_format: { type: "json_schema", json_schema: { name: "n", description: "d", schema } },
    parallel_tool_calls: false,
    service_tier: "flex",
    metadata: { a: "b" },
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    user: "u",
    store: false,
    prompt_cache_options: { ttl: "12h" },
    include: ["web_search_call.action.sources", 7],
  });
  const { model: _, input: __, ...rest } = body;
  assertEquals(rest, {
    prompt_cache_options: { ttl: "12h" },
    max_output_tokens: 500,
    temperature: 0.5,
    top_p: 0.9,
    top_logprobs: 3,
    parallel_tool_calls: false,
    service_tier: "flex",
    metadata: { a: "b" },
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    user: "u",
    store: false,
    include: [
      "reasoning.encrypted_content",
      "web_search_call.action.sources",
      "message.output_text.logprobs",
    ],
    reasoning: { effort: "none" },
    text: {
      verbosity: "low",
      format: { type: "json_schema", name: "n", description: "d", schema, strict: false },
    },
  });
  assertEquals(dropped, []);
  assertEquals(check({ body }), undefined);
});

Deno.test("writeCall() names settings that the API does not have, but not empty ones", () => {
  const lost = {
    stop: ["END"],
    n: 2,
    seed: 1,
    frequency_penalty: 0.5,
    presence_penalty: -1,
    logit_bias: { "50256": -100 },
    audio: { voice: "alloy", format: "mp3" },
    modalities: ["text", "audio"],
    prediction: { type: "content", content: "x" },
    top_k: 5,
    store: true,
  };
  for (const model of ["gpt-5.6", "gpt-4o", "my-deployment"]) {
    const { body, dropped } = write(model, lost);
    assertEquals(dropped.sort(), Object.keys(lost).sort(), model);
    assertEquals(check({ body }), undefined);
  }
  const nothing = {
    stop: [],
    n: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    logit_bias: {},
    modalities: ["text"],
    logprobs: false,
    temperature: 1,
    top_p: 1,
    verbosity: "medium",
    parallel_tool_calls: true,
    store: false,
  };
  for (const model of ["gpt-5.6", "gpt-6-astra", "o3", "gpt-5-codex", "gpt-4o"]) {
    const { body, dropped } = write(model, nothing);
    assertEquals(dropped, [], model);
    assertEquals(check({ body }), undefined, model);
  }
});

Deno.test("writeCall() leaves out settings that the model's generation refuses", () => {
  const settings = {
    temperature: 0.5,
    top_p: 0.9,
    top_logprobs: 2,
    verbosity: "low",
    parallel_tool_calls: false,
  };
  const cases: [model: string, effort: string | undefined, dropped: string[]][] = [
    ["gpt-5.6", undefined, ["temperature", "top_p", "top_logprobs"]],
    ["gpt-5.6", "none", []],
    ["gpt-5.4", undefined, []],
    ["gpt-5.4", "low", ["temperature", "top_p", "top_logprobs"]],
    ["gpt-6-astra", undefined, ["temperature", "top_p", "top_logprobs"]],
    ["o3", undefined, ["temperature", "top_p", "top_logprobs", "verbosity", "parallel_tool_calls"]],
    ["gpt-5-codex", undefined, ["temperature", "top_p", "top_logprobs", "verbosity"]],
    ["gpt-5.2-pro", undefined, ["temperature", "top_p", "top_logprobs"]],
    ["gpt-4o", undefined, ["verbosity"]],
  ];
  for (const [model, reasoning_effort, expected] of cases) {
    const { body, dropped } = write(model, { ...settings, reasoning_effort });
    assertEquals(dropped.sort(), expected.sort(), `${model} ${reasoning_effort}`);
    assertEquals(check({ body }), undefined, model);
  }
  assertEquals(write("gpt-6-astra", { prompt_cache_retention: "24h" }).dropped, ["prompt_cache_retention"]);
});

Deno.test("writeCall() sends the efforts that a model takes on Responses", () => {
  const words = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
  const taken: Record<string, string[]> = {
    "gpt-4o": [],
    "gpt-5": ["minimal", "low", "medium", "high"],
    "gpt-5.4": ["none", "low", "medium", "high", "xhigh"],
    "gpt-5.6": ["none", "low", "medium", "high", "xhigh", "max"],
    "gpt-6-astra": ["low", "medium", "high", "xhigh", "max"],
    "gpt-6-sol": ["none", "low", "medium", "high", "xhigh", "max"],
    "gpt-5-pro": ["high"],
    "gpt-5.4-pro": ["medium", "high", "xhigh"],
    "gpt-5.1-codex": ["low", "medium", "high"],
    "gpt-5.2-codex": ["low", "medium", "high", "xhigh"],
    "o3-deep-research": ["medium"],
  };
  for (const [model, efforts] of Object.entries(taken)) {
    for (const reasoning_effort of words) {
      const { body, dropped } = write(model, { reasoning_effort });
      const isTaken = efforts.includes(reasoning_effort);
      assertEquals(
        body.reasoning,
        isTaken ? { effort: reasoning_effort } : undefined,
        `${model} ${reasoning_effort}`,
      );
      const isSame = model === "gpt-4o" && reasoning_effort === "none";
      assertEquals(dropped, isTaken || isSame ? [] : ["reasoning_effort"], `${model} ${reasoning_effort}`);
      assertEquals(check({ body }), undefined, model);
    }
  }
  assertEquals(write("my-deployment", { reasoning_effort: "high" }).body.reasoning, { effort: "high" });
});

Deno.test("writeCall() asks for a summary only if the client does", () => {
  assertEquals(write("gpt-5.6", { reasoning_effort: "low" }).body.reasoning, { effort: "low" });
  const asked = write("gpt-5.6", {
    reasoning_effort: "low",
    reasoning: { summary: "auto", context: "all_turns" },
  });
  assertEquals(asked.body.reasoning, { summary: "auto", context: "all_turns", effort: "low" });
  assertEquals(asked.dropped, []);
  const { body, dropped } = write("gpt-5.6", {
    reasoning: { effort: "high", max_tokens: 5, exclude: false },
  });
  assertEquals(body.reasoning, { effort: "high" });
  assertEquals(dropped, ["reasoning.max_tokens"]);
  assertEquals(write("gpt-5.6", { reasoning: { enabled: false } }).body.reasoning, { effort: "none" });
  assertEquals(write("gpt-6-astra", { reasoning: { enabled: false } }).dropped, ["reasoning.enabled"]);
  assertEquals(write("gpt-5.6", { reasoning_effort: "low", reasoning: { effort: "high" } }).dropped, [
    "reasoning.effort",
  ]);
});

Deno.test("writeCall() raises a limit below the least that the API takes, and names it", () => {
  for (const field of ["max_tokens", "max_completion_tokens"]) {
    const { body, dropped } = write("gpt-5.6", { [field]: 1 });
    assertEquals([body.max_output_tokens, dropped], [16, [field]]);
    assertEquals(check({ body }), undefined);
  }
  assertEquals(write("gpt-5.6", { max_tokens: 16 }).dropped, []);
});

Deno.test("writeCall() sends unknown fields, but none that would change the meaning of the call", () => {
  const ours = {
    input: "x",
    instructions: "y",
    previous_response_id: "r",
    conversation: "c",
    background: true,
    text: {},
  };
  const { body, dropped } = write("gpt-5.6", { ...ours, later: 1 });
  assertEquals(dropped, Object.keys(ours));
  assertEquals(body, { ...write("gpt-5.6").body, later: 1 });
});

Deno.test("writeCall() writes json_object, and a name for a schema that has none", () => {
  const messages = [{ role: "user", content: "Answer in JSON" }];
  const object = write("gpt-5.6", { messages, response_format: { type: "json_object" } });
  assertEquals(object.body.text, { format: { type: "json_object" } });
  assertEquals(check({ body: object.body }), undefined);
  const schema = { type: "object" };
  const named = write("gpt-5.6", {
    response_format: { type: "json_schema", json_schema: { schema, strict: true } },
  });
  assertEquals(named.body.text, { format: { type: "json_schema", name: "response", schema, strict: true } });
});

Deno.test("the strict provider refuses what OpenAI refuses", () => {
  const refused = (body: Record<string, unknown>) => {
    const fault = check({ body: { model: "gpt-5.6", input: [], ...body } });
    assert(fault, JSON.stringify(body));
    return fault.message;
  };
  const call = { type: "function_call", call_id: "a", name: "f", arguments: "{}" };
  const faults: [Record<string, unknown>, string][] = [
    [{ stop: ["a"] }, "Unknown parameter: 'stop'."],
    [{ max_output_tokens: 15 }, "Expected a value >= 16"],
    [{ temperature: 0 }, "'temperature' is not supported"],
    [{ reasoning: { effort: "minimal" } }, "'minimal' is not supported"],
    [{ reasoning: { enabled: true } }, "Unknown parameter: 'reasoning.enabled'."],
    [{ model: "gpt-4o", include: ["reasoning.encrypted_content"] }, "Encrypted content is not supported"],
    [{ input: [call] }, "No tool output found for function call a."],
    [
      { input: [{ type: "function_call_output", call_id: "a", output: "" }] },
      "No tool call found for function call output",
    ],
    [{ input: [{ ...call, id: "call_a" }] }, "begins with 'fc'"],
    [{ input: [{ ...call, call_id: "a".repeat(65) }] }, "string too long"],
    [
      { input: [{ role: "assistant", content: [{ type: "input_text", text: "" }] }] },
      "Supported values are: 'output_text'",
    ],
    [{ input: [{ type: "reasoning", id: "rs_1", summary: [] }] }, "Items are not persisted"],
    [
      { input: [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" }] },
      "could not be verified",
    ],
    [{ input: [{ role: "user", content: "", name: "n" }] }, "Unknown parameter: 'input[0].name'."],
    [
      { tools: [{ type: "function", function: { name: "f" } }] },
      "Missing required parameter: 'tools[0].name'.",
    ],
    [{ tools: [{ type: "function", name: "f", parameters: {} }] }, "'additionalProperties' is required"],
    [{ tool_choice: { type: "function", name: "f" } }, "not found in 'tools'"],
    [{ text: { format: { type: "json_object" } } }, "must contain the word 'json'"],
  ];
  for (const [body, words] of faults) {
    assert(refused(body).includes(words), `${refused(body)} and not ${words}`);
  }
  const unverified = strictResponses([], { verified: false }).check({
    body: { model: "gpt-5.6", input: [], reasoning: { summary: "auto" } },
  });
  assertEquals(unverified?.param, "reasoning.summary");
});

Deno.test("responsesWire() of another maker writes the same requests", () => {
  const more = { tools: [F], reasoning_effort: "high", max_tokens: 50 };
  assertEquals(write("gpt-5.6", more, responsesWire("azure-openai-responses-v1")), write("gpt-5.6", more));
});
