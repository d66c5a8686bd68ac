import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { read } from "./read.ts";

/** The call of this JSON text. */
const readText = (fields: string) => read(JSON.parse(`{${fields}}`));

Deno.test("readCall() reads structured output, and names formats that it does not know", () => {
  const format = (response_format: JsonObject) => read({ response_format });
  assertEquals(format({ type: "text" }).settings.response_format, undefined);
  assertEquals(format({ type: "text" }).sent.size, 0);
  assertEquals(format({ type: "json_object" }).settings.response_format, { type: "json_object" });
  const schema = { type: "object" };
  assertEquals(
    format({ type: "json_schema", json_schema: { name: "n", description: "d", schema, strict: true } })
      .settings
      .response_format,
    {
      type: "json_schema",
      name: "n",
      description: "d",
      schema,
      strict: true,
      path: "response_format.json_schema",
    },
  );
  const other = format({ type: "grammar", grammar: "root ::= x" });
  assertEquals([other.settings.response_format, other.dropped], [undefined, ["response_format"]]);
});

Deno.test("readCall() keeps settings unchanged, in the client's order", () => {
  const fields = {
    seed: 7,
    top_p: 0,
    temperature: 0.5,
    top_k: 3,
    frequency_penalty: -1,
    presence_penalty: 1,
    n: 2,
    logprobs: false,
    top_logprobs: 2,
    logit_bias: { "50256": -100 },
    user: "u",
    service_tier: "flex",
    metadata: { a: "b" },
    reasoning_effort: "xhigh",
    verbosity: "low",
    modalities: ["text"],
    audio: { voice: "a" },
    prediction: { type: "content" },
    store: true,
    web_search_options: {},
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    parallel_tool_calls: false,
  };
  const { settings, sent, extra, dropped } = read(fields);
  assertEquals(settings, fields);
  assertEquals([...sent.values()], Object.keys(fields));
  assertEquals([extra, dropped], [{}, []]);
});

Deno.test("readCall() reads several spellings of a setting as one", () => {
  assertEquals(read({ stop: "x" }).settings.stop, ["x"]);
  assertEquals(read({ stop: ["x", "y"] }).settings.stop, ["x", "y"]);
  const both = [{ max_tokens: 1, max_completion_tokens: 2 }, { max_completion_tokens: 2, max_tokens: 1 }];
  for (const fields of both) {
    const { settings, sent, dropped } = read(fields);
    assertEquals([settings.max_tokens, sent.get("max_tokens")], [2, "max_completion_tokens"]);
    assertEquals([sent.size, dropped], [1, []]);
  }
  const { settings, sent } = read({ max_tokens: 1, max_completion_tokens: null });
  assertEquals([settings.max_tokens, sent.get("max_tokens")], [1, "max_tokens"]);
});

Deno.test("readCall() takes null as absent everywhere", () => {
  const fields = "stream stream_options tools functions tool_choice function_call parallel_tool_calls " +
    "response_format max_tokens max_completion_tokens temperature top_p top_k stop seed n logprobs logit_bias user " +
    "metadata reasoning_effort modalities audio unknown";
  const call = read(Object.fromEntries(fields.split(" ").map((field) => [field, null])));
  const { messages: _, ...rest } = call;
  assertEquals(rest, {
    wire: "openai",
    model: "m",
    stream: false,
    includeUsage: false,
    settings: {},
    sent: new Map(),
    dropped: [],
    extra: {},
  });
});

Deno.test("readCall() reads the stream's options", () => {
  assertEquals(read({ stream: true }).stream, true);
  const { includeUsage, dropped } = read({
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
  });
  assertEquals([includeUsage, dropped], [true, ["stream_options.include_obfuscation"]]);
});

Deno.test("readCall() forwards unknown fields, whatever their names", () => {
  const call = readText(
    '"thinking":{"type":"enabled"},"constructor":1,"toString":2,"hasOwnProperty":3,"__proto__":{"polluted":true}',
  );
  assertEquals(Object.entries(call.extra), [
    ["thinking", { type: "enabled" }],
    ["constructor", 1],
    ["toString", 2],
    ["hasOwnProperty", 3],
  ]);
  assertEquals(call.dropped, ["__proto__"]);
  assertEquals(({} as JsonObject).polluted, undefined);
  assertEquals(Object.getPrototypeOf(call.extra), Object.prototype);
});
