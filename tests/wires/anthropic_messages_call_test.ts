import { assert, assertEquals } from "@std/assert";
import { writeCall } from "../../wires/anthropic_messages_call.ts";
import { readCall } from "../../wires/openai_chat_call.ts";
import type { JsonObject } from "../../wires/types.ts";

const USER = { role: "user", content: "Hi" };
/** A model that takes most of what there is: budgets, sampling, forced tools. */
const OLDER = "claude-sonnet-4-5";
const NEWEST = "claude-opus-5-5";

function write(fields: JsonObject, model = OLDER) {
  const { body, dropped } = writeCall(readCall({ messages: [USER], ...fields }, model));
  return { body: JSON.parse(JSON.stringify(body)), dropped };
}

const messages = (list: unknown[], model?: string) => write({ messages: list }, model).body.messages;
const text = (value: string, more: JsonObject = {}) => ({ type: "text", text: value, ...more });
const turn = (role: string, ...content: unknown[]) => ({ role, content });
const call = (id: string, args = "{}", name = "look") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

// ---------------------------------------------------------------- the request

Deno.test("writeCall() sends the version that still knows sampling, and streams only when asked", () => {
  const whole = writeCall(readCall({ messages: [USER] }, OLDER));
  assertEquals(whole.path, "/v1/messages");
  assertEquals(whole.headers, { "anthropic-version": "2023-06-01" });
  assertEquals(whole.body.stream, undefined);
  assertEquals(write({ stream: true }).body.stream, true);
});

Deno.test("writeCall() sets the model's own maximum when the client sets no limit", () => {
  const limits = {
    "claude-3-haiku-20240307": 4096,
    "claude-3-5-sonnet-20241022": 8192,
    "claude-3-7-sonnet-latest": 64_000,
    "claude-opus-4-20250514": 32_000,
    "claude-opus-4-1@20250805": 32_000,
    "claude-sonnet-4-0": 64_000,
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": 64_000,
    "claude-haiku-4-5-20251001": 64_000,
    "claude-opus-4-6": 128_000,
    "claude-haiku-5-5": 128_000,
    "claude-fable-5-2": 128_000,
    "claude-opus-9": 128_000,
    "claude-novel-1": 64_000,
    "other-model": 64_000,
  };
  for (const [model, limit] of Object.entries(limits)) {
    assertEquals(write({}, model).body.max_tokens, limit, model);
  }
  assertEquals(write({ max_tokens: 10 }).body.max_tokens, 10);
  assertEquals(write({ max_completion_tokens: 11 }).body.max_tokens, 11);
});

Deno.test("writeCall() makes the next request's text begin with this one's", () => {
  const common = {
    model: NEWEST,
    temperature: 1,
    tools: [{
      type: "function",
      function: {
        name: "z",
        parameters: { type: "object", properties: { b: { type: "string" }, a: { type: "integer" } } },
      },
    }, { type: "function", function: { name: "a" } }],
    reasoning_effort: "high",
  };
  const steps: unknown[][] = [
    [{ role: "system", content: "Be brief." }, { role: "user", content: "One" }],
    [{ role: "user", content: "and two" }],
    [{ role: "assistant", content: "Looking", tool_calls: [call("c1"), call("c2")] }],
    [{ role: "tool", tool_call_id: "c1", content: "x" }, { role: "tool", tool_call_id: "c2", content: "y" }],
    [{ role: "assistant", content: "Found" }, { role: "user", content: "Good" }],
    [{ role: "developer", content: "Now be long." }],
    [{ role: "assistant", content: "Long" }, { role: "user", content: "Bye" }],
  ];
  let conversation: unknown[] = [];
  let before: string | undefined;
  for (const step of steps) {
    conversation = [...conversation, ...step];
    const { body } = writeCall(readCall({ ...common, messages: conversation }, NEWEST));
    const json = JSON.stringify(body);
    // Less what closes the last content, its turn, the list and the body.
    if (before) assert(json.startsWith(before.slice(0, -"]}]}".length)), `${before}\n${json}`);
    before = json;
  }
});

Deno.test("writeCall() forwards unknown fields, and lets them win", () => {
  const { body, dropped } = write({
    mcp_servers: [{ name: "m" }],
    cache_control: { type: "ephemeral" },
    thinking: { type: "enabled", budget_tokens: 2000 },
    output_config: { task_budget: 1 },
    response_format: { type: "json_schema", json_schema: { name: "n", schema: { type: "string" } } },
  });
  assertEquals(body.mcp_servers, [{ name: "m" }]);
  assertEquals(body.cache_control, { type: "ephemeral" });
  assertEquals(body.thinking, { type: "enabled", budget_tokens: 2000 });
  assertEquals(body.output_config, {
    format: { type: "json_schema", schema: { type: "string" } },
    task_budget: 1,
  });
  assertEquals(dropped, []);
});

// ---------------------------------------------------------------- messages

Deno.test("writeCall() hoists leading system messages in their order", () => {
  const list = [{ role: "system", content: "A" }, { role: "developer", content: "B" }, USER];
  assertEquals(write({ messages: list }).body.system, [text("A"), text("B")]);
  assertEquals(write({ messages: [list[0], USER] }).body.system, "A");
  const cached = {
    role: "system",
    content: [{ type: "text", text: "A", cache_control: { type: "ephemeral" } }],
  };
  assertEquals(write({ messages: [cached, USER] }).body.system, [
    text("A", { cache_control: { type: "ephemeral" } }),
  ]);
  assertEquals(write({ messages: [list[0], USER], system: "Own" }).body.system, [text("Own"), text("A")]);
});

Deno.test("writeCall() keeps a later system message in its place where the model takes it there", () => {
  const list = [USER, { role: "system", content: "S" }, { role: "user", content: "More" }];
  const { body } = write({ messages: list }, NEWEST);
  assertEquals(body.system, undefined);
  assertEquals(body.messages, [turn("user", text("Hi"), text("More")), turn("system", text("S"))]);
  const older = write({ messages: list }, "claude-sonnet-5").body;
  assertEquals(older.system, "S");
  assertEquals(older.messages, [turn("user", text("Hi"), text("More"))]);
});

Deno.test("writeCall() hoists a system message of a gap in which the user says nothing", () => {
  const list = [USER, { role: "assistant", content: "A" }, { role: "system", content: "S" }, {
    role: "assistant",
    content: "B",
  }, USER];
  const { body } = write({ messages: list }, NEWEST);
  assertEquals(body.system, "S");
  assertEquals(body.messages.map((one: JsonObject) => one.role), ["user", "assistant", "user"]);
});

Deno.test("writeCall() makes a system message that the model must answer the user's", () => {
  const alone = [{ role: "system", content: "A" }, { role: "system", content: "B" }];
  assertEquals(write({ messages: alone }).body.system, "A");
  assertEquals(write({ messages: alone }).body.messages, [turn("user", text("B"))]);
  const last = [USER, { role: "assistant", content: "A" }, { role: "system", content: "Sum up" }];
  assertEquals(messages(last).at(-1), turn("user", text("Sum up")));
});

Deno.test("writeCall() merges turns of one role", () => {
  assertEquals(
    messages([USER, USER, { role: "assistant", content: "A" }, { role: "assistant", content: "B" }, USER]),
    [
      turn("user", text("Hi"), text("Hi")),
      turn("assistant", text("A"), text("B")),
      turn("user", text("Hi")),
    ],
  );
});

Deno.test("writeCall() puts tool results first in one user turn", () => {
  assertEquals(
    messages([
      USER,
      { role: "assistant", content: null, tool_calls: [call("c1", '{"q":1}'), call("c2", "")] },
      { role: "user", content: "Well?" },
      { role: "tool", tool_call_id: "c1", content: "one" },
      {
        role: "tool",
        tool_call_id: "c2",
        content: [{ type: "text", text: "a" }, { type: "text", text: "b" }],
      },
    ]),
    [
      turn("user", text("Hi")),
      turn(
        "assistant",
        { type: "tool_use", id: "c1", name: "look", input: { q: 1 } },
        { type: "tool_use", id: "c2", name: "look", input: {} },
      ),
      turn(
        "user",
        { type: "tool_result", tool_use_id: "c1", content: "one" },
        { type: "tool_result", tool_use_id: "c2", content: [text("a"), text("b")] },
        text("Well?"),
      ),
    ],
  );
});

Deno.test("writeCall() marks failed tool results, and keeps pictures and empty results", () => {
  const png = { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } };
  const list = messages([
    USER,
    { role: "assistant", tool_calls: [call("c1"), call("c2")] },
    { role: "tool", tool_call_id: "c1", content: "no", is_error: true },
    { role: "tool", tool_call_id: "c2", content: [png] },
    { role: "tool", tool_call_id: "c3", content: "" },
  ]);
  assertEquals(list[2].content, [
    { type: "tool_result", tool_use_id: "c1", content: "no", is_error: true },
    {
      type: "tool_result",
      tool_use_id: "c2",
      content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } }],
    },
    { type: "tool_result", tool_use_id: "c3" },
  ]);
});

Deno.test("writeCall() reads legacy function calls and their results", () => {
  const list = messages([
    USER,
    { role: "assistant", content: null, function_call: { name: "look", arguments: '{"q":2}' } },
    { role: "function", name: "look", content: "two" },
  ]);
  assertEquals(list[1].content[0].input, { q: 2 });
  assertEquals(list[2].content[0].tool_use_id, list[1].content[0].id);
});

Deno.test("writeCall() loses no arguments that are not a JSON object", () => {
  const inputs = { "": {}, "null": {}, '{"a":': { INVALID_JSON: '{"a":' }, "[1]": { INVALID_JSON: "[1]" } };
  for (const [args, input] of Object.entries(inputs)) {
    const list = messages([USER, { role: "assistant", tool_calls: [call("c", args)] }, USER]);
    assertEquals(list[1].content[0].input, input, args);
  }
});

Deno.test("writeCall() makes tool ids safe, alike in call and result, and distinct", () => {
  const ids = ["call:1", "call.1", "ok-1_A", ""];
  const list = messages([
    USER,
    { role: "assistant", tool_calls: ids.map((id) => call(id)) },
    ...ids.map((id) => ({ role: "tool", tool_call_id: id, content: id || "-" })),
  ]);
  const called = list[1].content.map((block: JsonObject) => block.id);
  assertEquals(list[2].content.map((block: JsonObject) => block.tool_use_id), called);
  assertEquals(new Set(called).size, ids.length);
  for (const id of called) assert(/^[a-zA-Z0-9_-]+$/.test(id), id);
  assertEquals(called[2], "ok-1_A");
});

Deno.test("writeCall() leaves empty text out, and the turn that had nothing else", () => {
  assertEquals(
    messages([USER, { role: "assistant", content: "" }, {
      role: "user",
      content: [{ type: "text", text: " \n" }, { type: "text", text: "x" }],
    }]),
    [turn("user", text("Hi"), text("x"))],
  );
});

Deno.test("writeCall() ends a prefill where its text ends", () => {
  assertEquals(messages([USER, { role: "assistant", content: "The answer is: \n" }]).at(-1), {
    role: "assistant",
    content: [text("The answer is:")],
  });
  assertEquals(messages([USER, { role: "assistant", content: "A " }, USER])[1].content, [text("A ")]);
});

Deno.test("writeCall() names the names, except a tool's", () => {
  const { dropped } = write({
    messages: [{ ...USER, name: "ann" }, { role: "assistant", tool_calls: [call("c")], name: "bot" }, {
      role: "tool",
      tool_call_id: "c",
      content: "x",
      name: "look",
    }],
  });
  assertEquals(dropped, ["messages[0].name", "messages[1].name"]);
});

// ---------------------------------------------------------------- parts

Deno.test("writeCall() writes pictures by value, address and file id", () => {
  const url = (value: string) => ({ type: "image_url", image_url: { url: value } });
  const { body, dropped } = write({
    messages: [{
      role: "user",
      content: [url("data:image/jpeg;base64,/9j="), url("https://a.example/x.png"), {
        type: "image_url",
        image_url: { url: "https://a.example/y.png", detail: "high" },
      }],
    }],
  });
  assertEquals(body.messages[0].content, [
    { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "/9j=" } },
    { type: "image", source: { type: "url", url: "https://a.example/x.png" } },
    { type: "image", source: { type: "url", url: "https://a.example/y.png" } },
  ]);
  assertEquals(dropped, ["messages[0].content[2].image_url.detail"]);
});

Deno.test("writeCall() writes PDFs and texts as documents", () => {
  const file = (value: JsonObject) => ({ type: "file", file: value });
  const { body, dropped } = write({
    messages: [{
      role: "user",
      content: [
        file({ file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" }),
        file({ file_data: "https://a.example/b.pdf" }),
        file({ file_id: "file_1" }),
        file({ file_data: "data:text/csv;base64,w6ksMQ==", filename: "c.csv" }),
        file({ file_data: "data:application/zip;base64,UEsD" }),
      ],
    }],
  });
  assertEquals(body.messages[0].content, [
    {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBE" },
      title: "a.pdf",
    },
    { type: "document", source: { type: "url", url: "https://a.example/b.pdf" } },
    { type: "document", source: { type: "file", file_id: "file_1" } },
    { type: "document", source: { type: "text", media_type: "text/plain", data: "é,1" }, title: "c.csv" },
  ]);
  assertEquals(dropped, ["messages[0].content[4].file"]);
});

Deno.test("writeCall() leaves out and names what no block can hold", () => {
  const { body, dropped } = write({
    messages: [
      { role: "system", content: [{ type: "image_url", image_url: { url: "https://a.example/x.png" } }] },
      {
        role: "user",
        content: [
          { type: "input_audio", input_audio: { data: "AAA=", format: "wav" } },
          { type: "video_url", video_url: { url: "https://a.example/v.mp4" } },
          { type: "text", text: "Hi" },
        ],
      },
    ],
  });
  assertEquals(body.messages, [turn("user", text("Hi"))]);
  assertEquals(dropped, [
    "messages[0].content[0].image_url",
    "messages[1].content[0].input_audio",
    "messages[1].content[1].video_url",
  ]);
});

Deno.test("writeCall() writes refusals as text and native blocks as they are", () => {
  const search = { type: "search_result", source: "https://a.example", title: "A", content: [text("x")] };
  const list = messages([
    { role: "user", content: [search] },
    { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
    USER,
  ]);
  assertEquals(list[0].content, [search]);
  assertEquals(list[1].content, [text("No.")]);
});

Deno.test("writeCall() keeps caching marks on parts, messages, tools and results", () => {
  const cache_control = { type: "ephemeral", ttl: "1h" };
  const { body } = write({
    tools: [{ type: "function", function: { name: "look" }, cache_control }],
    messages: [
      { role: "system", content: "S", cache_control },
      { role: "user", content: [{ type: "text", text: "a", cache_control }, { type: "text", text: "b" }] },
      { role: "assistant", content: "c", tool_calls: [call("c1")], cache_control },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "r", cache_control }] },
      { role: "tool", tool_call_id: "c2", content: "r", cache_control },
    ],
  });
  assertEquals(body.tools[0].cache_control, cache_control);
  assertEquals(body.system, [text("S", { cache_control })]);
  assertEquals(body.messages[0].content, [text("a", { cache_control }), text("b")]);
  assertEquals(body.messages[1].content.map((block: JsonObject) => block.cache_control), [
    undefined,
    cache_control,
  ]);
  // The API refuses marks inside a result.
  assertEquals(body.messages[2].content, [
    { type: "tool_result", tool_use_id: "c1", content: "r", cache_control },
    { type: "tool_result", tool_use_id: "c2", content: "r", cache_control },
  ]);
});

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

Deno.test("writeCall() narrows a strict tool's schema to what the grammar knows", () => {
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
  for (const model of ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-mythos-5-2"]) {
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

Deno.test("writeCall() sends a JSON schema as the native format, and says that there is none without a schema", () => {
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
  const object = write({ response_format: { type: "json_object" } });
  assertEquals([object.body.output_config, object.dropped], [undefined, ["response_format"]]);
  assertEquals(write({ response_format: { type: "text" } }).dropped, []);
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

// ---------------------------------------------------------------- settings

Deno.test("writeCall() writes the settings that the API has and names those it has not", () => {
  const { body, dropped } = write({
    stop: ["a", " \n", "b"],
    top_k: 5,
    temperature: 0.3,
    user: "u-1",
    seed: 1,
    frequency_penalty: 0.5,
    presence_penalty: 0,
    n: 2,
    logprobs: true,
    top_logprobs: 3,
    logit_bias: { "1": 2 },
    store: false,
    verbosity: "low",
    modalities: ["text", "audio"],
    prompt_cache_key: "k",
  });
  assertEquals(body.stop_sequences, ["a", "b"]);
  assertEquals([body.top_k, body.temperature], [5, 0.3]);
  assertEquals(body.metadata, { user_id: "u-1" });
  assertEquals(
    new Set(dropped),
    new Set([
      "stop[1]",
      "seed",
      "frequency_penalty",
      "n",
      "logprobs",
      "top_logprobs",
      "logit_bias",
      "verbosity",
      "modalities",
      "prompt_cache_key",
    ]),
  );
  assertEquals(write({ stop: "x", n: 1, modalities: ["text"] }).dropped, []);
  assertEquals(write({ stop: "x" }).body.stop_sequences, ["x"]);
  assertEquals(write({ stop: "\n" }).dropped, ["stop"]);
});

Deno.test("writeCall() sends one user id, and names the other fields of metadata", () => {
  const { body, dropped } = write({
    metadata: { user_id: "m", team: "t" },
    user: "u",
    safety_identifier: "m",
  });
  assertEquals(body.metadata, { user_id: "m" });
  assertEquals(new Set(dropped), new Set(["metadata.team", "user"]));
});

Deno.test("writeCall() writes the service tiers that the API has", () => {
  const tiers = { auto: "auto", priority: "auto", default: "standard_only", standard_only: "standard_only" };
  for (const [asked, sent] of Object.entries(tiers)) {
    assertEquals(write({ service_tier: asked }).body.service_tier, sent, asked);
  }
  assertEquals(write({ service_tier: "flex" }).dropped, ["service_tier"]);
});

Deno.test("writeCall() sends only the sampling settings that the model takes", () => {
  const sampling = (fields: JsonObject, model: string) => {
    const { body: { temperature, top_p, top_k }, dropped } = write(fields, model);
    return [temperature, top_p, top_k, dropped];
  };
  const all = { temperature: 0.5, top_p: 0.9, top_k: 3 };
  assertEquals(sampling(all, "claude-sonnet-4-0"), [0.5, 0.9, 3, []]);
  assertEquals(sampling(all, OLDER), [0.5, undefined, 3, ["top_p"]]);
  assertEquals(sampling(all, "claude-opus-4-7"), [undefined, undefined, undefined, Object.keys(all)]);
  assertEquals(sampling({ temperature: 1, top_p: 1 }, "claude-sonnet-5"), [1, 1, undefined, []]);
  // OpenAI's scale ends at 2, this one at 1.
  assertEquals(sampling({ temperature: 1.2, top_p: 0.9 }, OLDER), [undefined, 0.9, undefined, [
    "temperature",
  ]]);
  const thinking = { thinking: { type: "enabled", budget_tokens: 1024 } };
  assertEquals(sampling({ ...all, ...thinking }, OLDER), [undefined, undefined, undefined, Object.keys(all)]);
  assertEquals(sampling({ top_p: 0.96, ...thinking }, OLDER), [undefined, 0.96, undefined, []]);
});

// ---------------------------------------------------------------- reasoning

Deno.test("writeCall() gives older models a budget below the limit", () => {
  const budget = (fields: JsonObject, model = OLDER) => {
    const { body, dropped } = write(fields, model);
    return [body.thinking?.budget_tokens, dropped];
  };
  assertEquals(write({ reasoning_effort: "low" }).body.thinking, { type: "enabled", budget_tokens: 1024 });
  assertEquals(budget({ reasoning_effort: "medium" }), [8192, []]);
  assertEquals(budget({ reasoning_effort: "high" }), [24_576, []]);
  assertEquals(budget({ reasoning_effort: "high", max_tokens: 10_000 }), [5000, []]);
  assertEquals(budget({ reasoning_effort: "high", max_tokens: 1500 }), [1024, []]);
  assertEquals(budget({ reasoning_effort: "high", max_tokens: 1024 }), [undefined, ["reasoning_effort"]]);
  assertEquals(budget({ reasoning_effort: "none" }), [undefined, []]);
  assertEquals(budget({ reasoning_effort: "eager" }), [undefined, ["reasoning_effort"]]);
  assertEquals(budget({ reasoning_effort: "high" }, "claude-3-5-haiku-latest"), [undefined, [
    "reasoning_effort",
  ]]);
  // A forced tool and thinking exclude each other.
  const forced = { tools: [{ type: "function", function: { name: "a" } }], tool_choice: "required" };
  assertEquals(budget({ reasoning_effort: "high", ...forced }), [undefined, ["reasoning_effort"]]);
});

Deno.test("writeCall() goes on from tool results without a budget when the client has lost the thoughts", () => {
  const thoughts = [{ type: "reasoning.text", text: "Hm", signature: "s", format: "anthropic-claude-v1" }];
  const asked = { role: "assistant", tool_calls: [call("c1")] };
  const result = { role: "tool", tool_call_id: "c1", content: "x" };
  const thinks = (list: unknown[], model = OLDER) => {
    const { body, dropped } = write({ messages: list, reasoning_effort: "low" }, model);
    return [body.thinking?.type, dropped];
  };
  const lost = [undefined, ["reasoning_effort"]];
  assertEquals(thinks([USER, asked, result]), lost);
  assertEquals(thinks([USER, { ...asked, reasoning_content: "Hm" }, result]), [
    undefined,
    ["reasoning_effort", "messages[1].reasoning_content"],
  ]);
  assertEquals(thinks([USER, { ...asked, reasoning_details: thoughts }, result]), ["enabled", []]);
  // Older models think once, at the beginning of the turn.
  assertEquals(thinks([USER, { ...asked, reasoning_details: thoughts }, result, asked, result]), [
    "enabled",
    [],
  ]);
  assertEquals(thinks([USER, asked, result, { role: "assistant", content: "A" }, USER]), ["enabled", []]);
  assertEquals(thinks([USER, asked, result], "claude-opus-4-6"), ["adaptive", []]);
});

Deno.test("writeCall() gives newer models an effort and adaptive thinking, with a summary to show", () => {
  const plan = (effort: string, model: string, more: JsonObject = {}) => {
    const { body, dropped } = write({ reasoning_effort: effort, ...more }, model);
    return [body.thinking, body.output_config?.effort, dropped];
  };
  const adaptive = { type: "adaptive" };
  const shown = { ...adaptive, display: "summarized" };
  assertEquals(plan("low", "claude-opus-4-6"), [adaptive, "low", []]);
  assertEquals(plan("xhigh", "claude-opus-4-6"), [adaptive, "high", []]);
  assertEquals(plan("max", "claude-sonnet-4-6"), [adaptive, "max", []]);
  assertEquals(plan("xhigh", "claude-opus-4-7"), [shown, "xhigh", []]);
  assertEquals(plan("minimal", NEWEST), [shown, "low", []]);
  assertEquals(plan("later", NEWEST), [shown, "later", []]);
  const forced = { tools: [{ type: "function", function: { name: "a" } }], tool_choice: "required" };
  assertEquals(plan("high", "claude-sonnet-5", forced), [shown, "high", []]);
  const native = { thinking: { type: "adaptive", display: "omitted" } };
  assertEquals(plan("high", NEWEST, native), [native.thinking, "high", []]);
});

Deno.test("writeCall() turns thinking off as the model has it, and says where it cannot", () => {
  const off = (model: string) => {
    const { body, dropped } = write({ reasoning_effort: "none" }, model);
    return [body.thinking, body.output_config?.effort, dropped];
  };
  assertEquals(off("claude-opus-4-8"), [undefined, undefined, []]);
  assertEquals(off("claude-opus-5"), [{ type: "disabled" }, undefined, []]);
  assertEquals(off("claude-haiku-5-5"), [{ type: "disabled" }, undefined, []]);
  assertEquals(off("claude-sonnet-5-5"), [{ type: "between_tools" }, undefined, []]);
  for (const model of [NEWEST, "claude-fable-5", "claude-mythos-preview"]) {
    assertEquals(off(model), [undefined, "low", ["reasoning_effort"]], model);
  }
});

Deno.test("writeCall() hands back only thoughts that Anthropic signed", () => {
  const thoughts = (reasoning_details: JsonObject[]) =>
    messages([USER, { role: "assistant", content: "A", reasoning_details }, USER])[1].content;
  const format = "anthropic-claude-v1";
  assertEquals(
    thoughts([
      { type: "reasoning.text", text: "Hm", signature: "s1", format, index: 0 },
      { type: "reasoning.encrypted", data: "sealed", format, index: 1 },
      { type: "reasoning.text", text: "", signature: "s2", index: 2 },
      { type: "reasoning.text", text: "unsigned", format, index: 3 },
      { type: "reasoning.encrypted", data: "other", format: "google-gemini-v1", index: 4 },
      { type: "reasoning.text", text: "x", signature: "y", format: "openai-responses-v1", index: 5 },
    ]),
    [
      { type: "thinking", thinking: "Hm", signature: "s1" },
      { type: "redacted_thinking", data: "sealed" },
      { type: "thinking", thinking: "", signature: "s2" },
      text("A"),
    ],
  );
  const unsigned = { role: "assistant", content: "A", reasoning_content: "Hm" };
  const foreign = {
    role: "assistant",
    content: "A",
    reasoning_details: [{ type: "reasoning.encrypted", data: "s", format: "openai-responses-v1" }],
  };
  const { body, dropped } = write({ messages: [USER, unsigned, USER, foreign, USER] });
  assertEquals([body.messages[1].content, body.messages[3].content], [[text("A")], [text("A")]]);
  assertEquals(dropped, ["messages[1].reasoning_content", "messages[3].reasoning_details"]);
});
