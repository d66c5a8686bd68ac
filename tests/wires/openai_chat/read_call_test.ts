import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../../../wires/errors.ts";
import { isObject } from "../../../wires/shared/json.ts";
import { checkCall, readCall } from "../../../wires/openai_chat/read_call.ts";
import { isPlainTalk, MESSAGES } from "../../../wires/openai_chat/read_turns.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { read, USER } from "./read.ts";

function fault(fields: JsonObject): { param?: string; message: string } {
  const error = assertThrows(() => read(fields), GatewayError);
  assertEquals(error.code, "invalid_request");
  return { param: error.details.param, message: error.message };
}

Deno.test("readCall() names the path of every fault", () => {
  const message = (message: unknown) => ({ messages: [USER, message] });
  const content = (...content: unknown[]) => message({ role: "user", content });
  const assistant = (members: JsonObject) => message({ role: "assistant", ...members });
  const tool = (definition: unknown) => ({ tools: [{ type: "function", function: definition }] });
  const format = (json_schema: unknown) => ({ response_format: { type: "json_schema", json_schema } });
  const faults: [string, JsonObject][] = [
    ["messages", { messages: undefined }],
    ["messages", { messages: null }],
    ["messages", { messages: [] }],
    ["messages", { messages: "Hello" }],
    ["messages[1]", message(null)],
    ["messages[1]", message("Hello")],
    ["messages[1].role", message({})],
    ["messages[1].role", message({ role: "bot", content: "x" })],
    ["messages[1].role", message({ role: "constructor", content: "x" })],
    ["messages[1].content", message({ role: "user" })],
    ["messages[1].content", message({ role: "user", content: null })],
    ["messages[1].content", message({ role: "system", content: 5 })],
    ["messages[1].content", message({ role: "user", content: { text: "x" } })],
    ["messages[1].content[1]", content({ type: "text", text: "x" }, "x")],
    ["messages[1].content[0]", content(null)],
    ["messages[1].content[0].type", content({})],
    ["messages[1].content[0].text", content({ type: "text" })],
    ["messages[1].content[0].text", content({ type: "text", text: 5 })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url" })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url", image_url: { url: 5 } })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url", image_url: "data:image/png" })],
    ["messages[1].content[0].image_url.url", content({ type: "image_url", image_url: "data:a/b,%zz" })],
    ["messages[1].content[0].video_url.url", content({ type: "video_url" })],
    ["messages[1].content[0].input_audio.data", content({ type: "input_audio", input_audio: {} })],
    ["messages[1].content[0].file.file_data", content({ type: "file", file: { filename: "x" } })],
    ["messages[1].content[0].refusal", content({ type: "refusal" })],
    ["messages[1].tool_call_id", message({ role: "tool", content: "x" })],
    ["messages[1].tool_call_id", message({ role: "tool", content: "x", tool_call_id: 5 })],
    ["messages[1].content", message({ role: "tool", tool_call_id: "a" })],
    ["messages[1].name", message({ role: "function", content: "x" })],
    ["messages[1].tool_calls", assistant({ tool_calls: {} })],
    ["messages[1].tool_calls[0]", assistant({ tool_calls: ["x"] })],
    ["messages[1].tool_calls[0].id", assistant({ tool_calls: [{ function: { name: "f" } }] })],
    ["messages[1].tool_calls[0].function.name", assistant({ tool_calls: [{ id: "a", function: {} }] })],
    ["messages[1].function_call", assistant({ function_call: "f" })],
    ["messages[1].function_call.name", assistant({ function_call: {} })],
    ["stream", { stream: "true" }],
    ["stream_options", { stream_options: true }],
    ["stream_options.include_usage", { stream_options: { include_usage: 1 } }],
    ["tools", { tools: {} }],
    ["tools[0]", { tools: ["f"] }],
    ["tools[0].function", { tools: [{ type: "function", name: "f" }] }],
    ["tools[0].function.name", tool({})],
    ["tools[0].function.description", tool({ name: "f", description: 5 })],
    ["tools[0].function.parameters", tool({ name: "f", parameters: [] })],
    ["tools[0].function.strict", tool({ name: "f", strict: "yes" })],
    ["functions[0].name", { functions: [{}] }],
    ["functions[0].parameters", { functions: [{ name: "f", parameters: "{}" }] }],
    ["tool_choice", { tool_choice: 5 }],
    ["tool_choice", { tool_choice: "sometimes" }],
    ["tool_choice.function.name", { tool_choice: { type: "function" } }],
    ["function_call.function.name", { function_call: {} }],
    ["response_format", { response_format: "json" }],
    ["response_format.type", { response_format: {} }],
    ["response_format.json_schema", format(undefined)],
    ["response_format.json_schema.schema", format({ name: "n" })],
    ["response_format.json_schema.strict", format({ schema: {}, strict: 1 })],
    ["max_tokens", { max_tokens: "5" }],
    ["max_tokens", { max_tokens: Infinity }],
    ["temperature", { temperature: true }],
    ["stop", { stop: 5 }],
    ["stop[1]", { stop: ["a", 5] }],
    ["logit_bias", { logit_bias: "x" }],
    ["user", { user: 5 }],
    ["modalities[0]", { modalities: [5] }],
  ];
  for (const [param, fields] of faults) assertEquals(fault(fields).param, param, JSON.stringify(fields));
});

Deno.test("readCall() reads a source that has both of its ends, and leaves others out", () => {
  const annotation = (url_citation: object) => ({ type: "url_citation", url_citation });
  const annotations = [
    annotation({ url: "https://a.test/", title: "A", start_index: 0, end_index: 2 }),
    annotation({ url: "https://b.test/", start_index: 0 }),
    annotation({ url: "https://c.test/", end_index: 2 }),
    annotation({ url: "https://d.test/", start_index: "0", end_index: 2 }),
  ];
  const messages = [USER, { role: "assistant", content: "Hi", annotations }, USER];
  const { messages: [, answer] } = readCall({ messages }, "m");
  assert(answer.role === "assistant");
  assertEquals(answer.citations?.map(({ url }) => url), ["https://a.test/"]);
});

Deno.test("readCall() refuses a body if a setting has the wrong type, and no other body", () => {
  const values = fc.constantFrom<unknown>(
    null,
    "none",
    1,
    1.5,
    true,
    {},
    [],
    ["a"],
    [{ name: "f" }],
    Infinity,
    {
      type: "none",
      name: "f",
    },
  );
  const SETTINGS: Record<string, (value: unknown) => boolean> = {
    temperature: Number.isFinite,
    max_tokens: Number.isFinite,
    seed: Number.isFinite,
    user: (value) => typeof value === "string",
    store: (value) => typeof value === "boolean",
    metadata: (value) => typeof value === "object",
    modalities: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
    stop: (value) =>
      typeof value === "string" || Array.isArray(value) && value.every((one) => typeof one === "string"),
    functions: (value) => Array.isArray(value) && value.every((one) => typeof one === "object"),
    tool_choice: (value) => value === "none" || isObject(value) && "name" in value,
  };
  const fields = fc.uniqueArray(fc.tuple(fc.constantFrom(...Object.keys(SETTINGS)), values), {
    selector: ([field]) => field,
    maxLength: 4,
  });
  fc.assert(fc.property(fields, (fields) => {
    const right = fields.every(([field, value]) => value === null || SETTINGS[field](value));
    const body = { messages: [USER], ...Object.fromEntries(fields) };
    let accepted = true;
    try {
      checkCall(body);
      readCall(body, "m");
    } catch (error) {
      assert(error instanceof GatewayError);
      accepted = false;
    }
    assertEquals(accepted, right);
  }));
});

Deno.test("isPlainTalk() is only true for conversations that the schema accepts too", () => {
  const message = fc.record({
    role: fc.constantFrom<unknown>(
      "system",
      "developer",
      "user",
      "assistant",
      "tool",
      "function",
      "bot",
      "toString",
    ),
    content: fc.constantFrom<unknown>("text", "", null, 5, [], [{ type: "text", text: "a" }]),
    tool_calls: fc.constantFrom<unknown>(null, [], [{ id: "a" }], [{}], "x"),
    function_call: fc.constantFrom<unknown>(null, { name: "f" }, {}),
    tool_call_id: fc.constantFrom<unknown>("a", 5),
    name: fc.constantFrom<unknown>("a", 5),
  }, { requiredKeys: [] });
  const messages = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.array(
        fc.oneof(
          {
            weight: 3,
            arbitrary: fc.record({ role: fc.constantFrom("user", "assistant"), content: fc.string() }),
          },
          { weight: 3, arbitrary: message },
          fc.constantFrom<unknown>(null, "text", 5, []),
        ),
        { maxLength: 3 },
      ),
    },
    fc.constantFrom<unknown>({}, "text", null, undefined),
  );
  let plain = 0;
  fc.assert(
    fc.property(messages, (messages) => {
      if (!isPlainTalk(messages)) return;
      plain++;
      assert(v.is(MESSAGES, messages), JSON.stringify(messages));
    }),
    { numRuns: 3000 },
  );
  assert(plain > 100, `${plain} conversations were plain`);
});

Deno.test("readCall() says what is wrong without quoting the request", () => {
  assertEquals(
    fault({ messages: undefined }).message,
    "Cannot read the request: messages is missing",
  );
  assertEquals(
    fault({ messages: [] }).message,
    "Cannot read the request: messages must be at least one entry, and is an empty list",
  );
  assertEquals(
    fault({ messages: [{ role: "user", content: 5 }] }).message,
    "Cannot read the request: messages[0].content must be a string or a list, and is a number",
  );
  const secret = "my secret prompt";
  for (
    const fields of [{ messages: secret }, { messages: [secret] }, { messages: [{ role: secret }] }, {
      tool_choice: secret,
    }, { messages: [{ role: "user", content: [secret] }] }]
  ) {
    assert(!fault(fields).message.includes(secret), JSON.stringify(fields));
  }
});

Deno.test("readCall() only throws GatewayError, whatever the body", () => {
  const words = fc.constantFrom(
    ..."role content type text image_url url function name parameters id tool_calls tool_call_id images"
      .split(" "),
    ..."reasoning_details index signature data input_audio file file_data __proto__ constructor".split(" "),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      fc.constantFrom<unknown>(
        "user",
        "assistant",
        "tool",
        "function",
        "text",
        "image_url",
        "file",
        "data:,",
        "",
      ),
      fc.constantFrom<unknown>(null, 0, -1, true),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(words, tie("value"), { maxKeys: 5 }),
    ),
  }));
  const list = fc.array(value, { maxLength: 2 });
  const inMessage = (members: { [name: string]: fc.Arbitrary<unknown> }) =>
    fc.record({ role: fc.constantFrom("user", "assistant", "tool"), content: fc.constant("x"), ...members })
      .map((message) => ({ messages: [{ tool_call_id: "a", ...message }] }));
  const withField = (name: string, value: fc.Arbitrary<unknown>) =>
    value.map((value) => ({ messages: [USER], [name]: value }));
  const body = fc.oneof(
    inMessage({ content: list }),
    inMessage({ tool_calls: list, images: value }),
    inMessage({ reasoning_details: list, extra_content: value }),
    withField("tools", list),
    withField("tool_choice", value),
    withField("response_format", value),
  );
  let read = 0;
  fc.assert(
    fc.property(body, (body) => {
      try {
        checkCall(body);
        readCall(body, "m");
        read++;
      } catch (error) {
        assert(error instanceof GatewayError, String(error));
        assert(error.details.param, error.message);
      }
    }),
    { numRuns: 1000 },
  );
  assert(read > 100, `${read} of them are calls`);
});
