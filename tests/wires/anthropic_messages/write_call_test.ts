import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { writeCall } from "../../../wires/anthropic_messages/write_call.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject } from "../../../wires/types.ts";

const USER = { role: "user", content: "Hi" };
/** A model that accepts most settings: budgets, sampling, forced tools. */
const OLDER = "claude-sonnet-4-5";
const NEWEST = "claude-opus-5-5";
/** How files of these types begin. */
const PNG = "iVBORw0KGgo=";
const JPEG = "/9j/4AAQ";
const GIF = "R0lGODlh";
const WEBP = btoa("RIFF\x1a\x00\x00\x00WEBPVP8L");
const PDF = btoa("%PDF-1.7");
const SVG = btoa("<svg xmlns='http://www.w3.org/2000/svg'/>");

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

Deno.test("writeCall() sends the last version with sampling settings, and streams only if asked", () => {
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
    // Without the brackets that close the last content, its turn, the list and the body.
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

Deno.test("writeCall() keeps a later system message in its place, as a turn of its own if the model accepts one", () => {
  const system = { role: "system", content: "S" };
  const more = { role: "user", content: "More" };
  const answer = { role: "assistant", content: "A" };
  const marked = text("<system>\nS\n</system>");
  for (const model of ["claude-opus-4-8", "claude-opus-5", "claude-haiku-5-5", "claude-sonnet-5-5", NEWEST]) {
    const { body } = write({ messages: [USER, system] }, model);
    assertEquals(body.system, undefined, model);
    assertEquals(body.messages, [turn("user", text("Hi")), turn("system", text("S"))], model);
    assertEquals(messages([USER, system, answer, USER], model), [
      turn("user", text("Hi")),
      turn("system", text("S")),
      turn("assistant", text("A")),
      turn("user", text("Hi")),
    ], model);
  }
  for (const model of ["claude-sonnet-5", "claude-opus-4-7", OLDER, "claude-mythos-preview", "other"]) {
    assertEquals(messages([USER, system], model), [turn("user", text("Hi"), marked)], model);
  }
  // The API refuses a user turn after a system turn, and the previous request may have ended with a system turn.
  assertEquals(messages([USER, system, more], OLDER), [turn("user", text("Hi"), marked, text("More"))]);
  assertEquals(messages([USER, system, more], NEWEST), [
    turn("user", text("Hi")),
    turn("system", text("S")),
    turn("assistant", text("(no answer)")),
    turn("user", text("More")),
  ]);
  // The API also refuses a system turn after an assistant turn.
  for (const model of [OLDER, NEWEST]) {
    assertEquals(messages([USER, answer, system], model).at(-1), turn("user", marked), model);
    assertEquals(messages([USER, answer, system, answer, USER], model), [
      turn("user", text("Hi")),
      turn("assistant", text("A")),
      turn("user", marked),
      turn("assistant", text("A")),
      turn("user", text("Hi")),
    ], model);
  }
});

Deno.test("writeCall() keeps a system turn before an empty answer", () => {
  const list = [USER, { role: "developer", content: "S" }, { role: "assistant", content: "" }];
  assertEquals(messages(list, NEWEST), [turn("user", text("Hi")), turn("system", text("S"))]);
  assertEquals(messages([...list, USER], NEWEST), [
    turn("user", text("Hi")),
    turn("system", text("S")),
    turn("assistant", text("(no answer)")),
    turn("user", text("Hi")),
  ]);
  assertEquals(messages([...list, USER]), [
    turn("user", text("Hi"), text("<system>\nS\n</system>"), text("Hi")),
  ]);
});

Deno.test("writeCall() puts an instruction between calls and their results behind the results", () => {
  const list = [
    USER,
    { role: "assistant", tool_calls: [call("c1")] },
    { role: "system", content: "S" },
    { role: "tool", tool_call_id: "c1", content: "x" },
  ];
  const result = { type: "tool_result", tool_use_id: "c1", content: "x" };
  assertEquals(messages(list).at(-1), turn("user", result, text("<system>\nS\n</system>")));
  assertEquals(messages(list, NEWEST).slice(-2), [turn("user", result), turn("system", text("S"))]);
});

Deno.test("writeCall() adds a user turn to a conversation of instructions only, and keeps it in the next request", () => {
  const alone = [{ role: "system", content: "A" }, { role: "system", content: "B" }];
  const begin = turn("user", text("Begin."));
  for (const model of [OLDER, NEWEST]) {
    const { body } = write({ messages: alone }, model);
    assertEquals([body.system, body.messages], [[text("A"), text("B")], [begin]]);
    const next = write({ messages: [...alone, { role: "assistant", content: "C" }, USER] }, model).body;
    assertEquals([next.system, next.messages], [
      [text("A"), text("B")],
      [begin, turn("assistant", text("C")), turn("user", text("Hi"))],
    ]);
  }
});

Deno.test("writeCall() refuses a last user message of which nothing is left", () => {
  const answer = { role: "assistant", content: "A" };
  const audio = { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } };
  const refused = (list: unknown[], model?: string) => {
    const error = assertThrows(() => messages(list, model), GatewayError);
    assertEquals([error.status, error.code], [400, "invalid_request"]);
    return [error.details.param, error.message];
  };
  const empty =
    "Cannot send the request: messages[2].content is empty; write a text, or leave the message out";
  for (const content of ["", " \n", [], [{ type: "text", text: "\t" }]]) {
    for (const model of [OLDER, NEWEST]) {
      assertEquals(refused([USER, answer, { role: "user", content }], model), ["messages[2].content", empty]);
    }
  }
  assertEquals(refused([USER, answer, { role: "user", content: [audio] }]), [
    "messages[2].content",
    "Cannot send the request: messages[2].content holds only content that Claude cannot read " +
    "(messages[2].content[0].input_audio); add a text",
  ]);
  assertEquals(refused([{ role: "user", content: "" }])[0], "messages[0].content");
  assertEquals(
    refused([{ role: "system", content: "S" }, { role: "user", content: " " }])[0],
    "messages[1].content",
  );
  assertEquals(refused([{ role: "system", content: "" }])[0], "messages[0].content");
  // An earlier message of which nothing is left was answered, so it is only left out.
  assertEquals(messages([USER, { role: "user", content: "" }, answer]).length, 2);
  // Other content in the turn can be answered.
  assertEquals(
    messages([USER, answer, { role: "user", content: "" }, USER]).at(-1),
    turn("user", text("Hi")),
  );
});

Deno.test("writeCall() leaves out and names a begun answer if the model cannot continue it", () => {
  const list = [USER, { role: "assistant", content: "The answer is (" }];
  const models = {
    "claude-3-haiku-20240307": true,
    "claude-opus-4-1": true,
    "claude-sonnet-4-5": true,
    "claude-haiku-4-5-20251001": true,
    "claude-opus-4-5": true,
    "other": true,
    "claude-opus-4-6": false,
    "claude-sonnet-4-6": false,
    "claude-opus-4-7": false,
    "claude-opus-4-8": false,
    "claude-mythos-preview": false,
    "claude-mythos-5-2": false,
    "claude-sonnet-5": false,
    "claude-opus-5": false,
    "claude-fable-5": false,
    "claude-haiku-5-5": false,
    "claude-sonnet-5-5": false,
    "claude-opus-5-5": false,
    "claude-novel-1": false,
  };
  for (const [model, taken] of Object.entries(models)) {
    const { body, dropped } = write({ messages: list }, model);
    assertEquals([body.messages.length, dropped], taken ? [2, []] : [1, ["messages[1]"]], model);
  }
  // These are not begun answers: a search of Anthropic's own that continues, and tool calls without results.
  const data = '{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}';
  const paused = {
    ...list[1],
    reasoning_details: [{ type: "reasoning.encrypted", data, format: "anthropic-claude-v1", index: 0 }],
  };
  assertEquals(messages([USER, paused], NEWEST).length, 2);
  assertEquals(messages([USER, { role: "assistant", tool_calls: [call("c")] }], NEWEST).length, 2);
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
  const png = { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } };
  const list = messages([
    USER,
    { role: "assistant", tool_calls: [call("c1"), call("c2")] },
    { role: "tool", tool_call_id: "c1", content: "no", is_error: true },
    { role: "tool", tool_call_id: "c2", content: [png] },
    { role: "tool", tool_call_id: "c3", content: "" },
    { role: "tool", tool_call_id: "c4", content: "", is_error: true },
    { role: "tool", tool_call_id: "c5", content: " \n", is_error: true },
  ]);
  assertEquals(list[2].content, [
    { type: "tool_result", tool_use_id: "c1", content: "no", is_error: true },
    {
      type: "tool_result",
      tool_use_id: "c2",
      content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }],
    },
    { type: "tool_result", tool_use_id: "c3" },
    {
      type: "tool_result",
      tool_use_id: "c4",
      content: "The tool failed and returned nothing.",
      is_error: true,
    },
    {
      type: "tool_result",
      tool_use_id: "c5",
      content: "The tool failed and returned nothing.",
      is_error: true,
    },
  ]);
});

Deno.test("writeCall() sends one result for each call of a turn, and names the others", () => {
  const result = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content });
  const { body, dropped } = write({
    messages: [
      USER,
      { role: "assistant", tool_calls: [call("c1"), call("c2")] },
      result("c1", "one"),
      result("c2", "two"),
      result("c1", "again"),
      { role: "assistant", tool_calls: [call("c1")] },
      result("c1", "three"),
    ],
  });
  const sent = (at: number) =>
    body.messages[at].content.map((block: JsonObject) => [block.tool_use_id, block.content]);
  assertEquals(sent(2), [["c1", "one"], ["c2", "two"]]);
  assertEquals(sent(4), [["c1_2", "three"]]);
  assertEquals(dropped, ["messages[4]"]);
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
  const inputs = {
    "": {},
    "null": {},
    '{"a":': { INVALID_JSON: '{"a":' },
    "[1]": { INVALID_JSON: "[1]" },
    "12345678901234567890": { INVALID_JSON: "12345678901234567890" },
  };
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

Deno.test("writeCall() leaves out empty text, and a turn that had nothing else", () => {
  assertEquals(
    messages([USER, { role: "assistant", content: "" }, {
      role: "user",
      content: [{ type: "text", text: " \n" }, { type: "text", text: "x" }],
    }]),
    [turn("user", text("Hi"), text("x"))],
  );
});

Deno.test("writeCall() trims the end of a prefill", () => {
  assertEquals(messages([USER, { role: "assistant", content: "The answer is: \n" }]).at(-1), {
    role: "assistant",
    content: [text("The answer is:")],
  });
  assertEquals(messages([USER, { role: "assistant", content: "A " }, USER])[1].content, [text("A ")]);
});

Deno.test("writeCall() names the dropped name of every message but a tool's", () => {
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

Deno.test("writeCall() writes pictures by value, by URL and by file id", () => {
  const url = (value: string) => ({ type: "image_url", image_url: { url: value } });
  const { body, dropped } = write({
    messages: [{
      role: "user",
      content: [url(`data:image/jpeg;base64,${JPEG}`), url("https://a.example/x.png"), {
        type: "image_url",
        image_url: { url: "https://a.example/y.png", detail: "high" },
      }],
    }],
  });
  assertEquals(body.messages[0].content, [
    { type: "image", source: { type: "base64", media_type: "image/jpeg", data: JPEG } },
    { type: "image", source: { type: "url", url: "https://a.example/x.png" } },
    { type: "image", source: { type: "url", url: "https://a.example/y.png" } },
  ]);
  assertEquals(dropped, ["messages[0].content[2].image_url.detail"]);
});

Deno.test("writeCall() finds a picture's type by its bytes, and names bytes that are not a picture", () => {
  const image = (mime: string, data: string) => ({
    type: "image_url",
    image_url: { url: `data:${mime};base64,${data}` },
  });
  const file = (mime: string, data: string) => ({
    type: "file",
    file: { file_data: `data:${mime};base64,${data}`, filename: "f" },
  });
  const written = (part: unknown) => {
    const { body, dropped } = write({
      messages: [{ role: "user", content: [part, { type: "text", text: "?" }] }],
    });
    const [block] = body.messages[0].content;
    return block.type === "text" ? dropped : [block.type, block.source.media_type, block.source.data];
  };
  const types = { "image/png": PNG, "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP };
  for (const label of ["image/png", "image/bmp", "application/octet-stream", "text/plain"]) {
    for (const [type, data] of Object.entries(types)) {
      assertEquals(written(image(label, data)), ["image", type, data], `${type} as ${label}`);
      assertEquals(written(file(label, data)), ["image", type, data], `${type} as ${label}`);
    }
    assertEquals(written(image(label, PDF)), ["document", "application/pdf", PDF], label);
    assertEquals(written(file(label, PDF)), ["document", "application/pdf", PDF], label);
    for (const data of [SVG, "", "AAAA", "Qk0=", `${btoa("x")}${PNG}`, btoa("RIFF1234WAVE")]) {
      assertEquals(written(image(label, data)), ["messages[0].content[0].image_url"], `${data} as ${label}`);
    }
  }
  for (const label of ["image/svg+xml", "image/png"]) {
    assertEquals(written(file(label, SVG)), ["messages[0].content[0].file"], label);
  }
});

Deno.test("writeCall() sends a URL as a picture or a PDF by its ending", () => {
  const type = (part: unknown) => messages([{ role: "user", content: [part] }])[0].content[0].type;
  const image = (url: string) => type({ type: "image_url", image_url: { url } });
  const file = (file_data: string) => type({ type: "file", file: { file_data } });
  for (const end of ["a.pdf", "a.PDF", "a.pdf?x=1.png", "a.pdf#p.png"]) {
    assertEquals([image(`https://a.example/${end}`), file(`https://a.example/${end}`)], [
      "document",
      "document",
    ], end);
  }
  for (const end of ["a.png", "a.JPG", "a.jpeg?x=1.pdf", "a.gif#a.pdf", "a.webp"]) {
    assertEquals(
      [image(`https://a.example/${end}`), file(`https://a.example/${end}`)],
      ["image", "image"],
      end,
    );
  }
  for (const end of ["a", "a.pdf/b", "a.png/b", "?a.pdf", "apdf", "apng"]) {
    assertEquals(
      [image(`https://a.example/${end}`), file(`https://a.example/${end}`)],
      ["image", "document"],
      end,
    );
  }
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

Deno.test("writeCall() leaves out and names parts that no block can hold", () => {
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
  const tools = [{ type: "function", function: { name: "look" }, cache_control }];
  const first = write({
    tools,
    messages: [
      { role: "system", content: "S", cache_control },
      { role: "user", content: [{ type: "text", text: "a", cache_control }, { type: "text", text: "b" }] },
    ],
  }).body;
  assertEquals(first.tools[0].cache_control, cache_control);
  assertEquals(first.system, [text("S", { cache_control })]);
  assertEquals(first.messages[0].content, [text("a", { cache_control }), text("b")]);
  const { body } = write({
    messages: [
      USER,
      { role: "assistant", content: "c", tool_calls: [call("c1")], cache_control },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "r", cache_control }] },
      { role: "tool", tool_call_id: "c2", content: "r", cache_control },
      { role: "system", content: "S", cache_control },
    ],
  });
  assertEquals(body.messages[1].content.map((block: JsonObject) => block.cache_control), [
    undefined,
    cache_control,
  ]);
  // The API refuses marks inside a result.
  assertEquals(body.messages[2].content, [
    { type: "tool_result", tool_use_id: "c1", content: "r", cache_control },
    { type: "tool_result", tool_use_id: "c2", content: "r", cache_control },
    text("<system>\nS\n</system>", { cache_control }),
  ]);
});

Deno.test("writeCall() keeps four caching marks: the first of tools or system, and the last ones", () => {
  const cache_control = { type: "ephemeral" };
  const marked = (value: string) => ({ type: "text", text: value, cache_control });
  const users = { role: "user", content: ["a", "b", "c", "d", "e"].map(marked) };
  const marks = (fields: JsonObject) => {
    const { body, dropped } = write(fields);
    const at = [
      body.tools ?? [],
      Array.isArray(body.system) ? body.system : [],
      ...body.messages.map(
        (one: JsonObject) => one.content,
      ),
    ].flat().filter((block) => block.cache_control);
    return [at.map((block) => block.text ?? block.name), dropped];
  };
  const dropped = (...at: number[]) => at.map((one) => `messages[0].content[${one}].cache_control`);
  assertEquals(marks({ messages: [users] }), [["b", "c", "d", "e"], dropped(0)]);
  assertEquals(marks({ messages: [users], cache_control }), [["c", "d", "e"], dropped(0, 1)]);
  const tools = [{ type: "function", function: { name: "f" }, cache_control }, {
    type: "web_search_20260318",
    name: "web_search",
    cache_control,
  }];
  assertEquals(marks({ messages: [users], tools }), [
    ["f", "c", "d", "e"],
    ["tools[1].cache_control", ...dropped(0, 1)],
  ]);
  assertEquals(marks({ messages: [{ ...users, role: "system" }, USER] }), [["a", "c", "d", "e"], dropped(1)]);
  assertEquals(marks({ messages: [users], system: [marked("S")] }), [["S", "c", "d", "e"], dropped(0, 1)]);
  const four = { ...users, content: users.content.slice(1) };
  assertEquals(marks({ messages: [four] })[1], []);
  // A message's own mark replaces that of its last part, and an instruction written as user text keeps its mark.
  assertEquals(marks({ messages: [{ ...four, cache_control }] })[1], []);
  assertEquals(marks({ messages: [USER, { role: "system", content: "S", cache_control }, users] }), [
    ["b", "c", "d", "e"],
    ["messages[1].cache_control", "messages[2].content[0].cache_control"],
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

// ---------------------------------------------------------------- settings

Deno.test("writeCall() writes the settings that the API has, and names the others", () => {
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

Deno.test("writeCall() sends no user id that the API refuses, and names it", () => {
  const personal = [
    "jane.doe@example.com",
    "user jane@mail.example.co.uk (web)",
    "user:whatsapp:+14155550100",
    "Jane, +1 (415) 555-0100 (mobile)",
    "jane@\u0435xample.com",
    "+14155550100",
    "+1 415 555 0100",
    "+1 (415) 555-0100",
    "(415) 555-0100",
    "415-555-0100",
    "415.555.0100",
    "415\u2011555\u20110100",
    "4155550100",
    "555-0100",
    "0049 30 901820",
    "030/901820",
    "030901820",
    "(+49) 30 901820",
    "+49 30 901820-17",
    "tel:+49-30-901820",
    " +44 20 7946 0958 ",
    "+1 415 555 0100 ext. 12",
    "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff10\uff10",
    "x".repeat(257),
  ];
  for (const id of personal) {
    for (const field of ["user", "safety_identifier"]) {
      const { body, dropped } = write({ [field]: id });
      assertEquals([body.metadata, dropped], [undefined, [field]], id);
    }
    assertEquals(write({ metadata: { user_id: id } }).dropped, ["metadata.user_id"], id);
  }
  const opaque = [
    "u-1",
    "42",
    "123456789",
    "user-4155550100",
    "550e8400-e29b-41d4-a716-446655440000",
    "12345678901234567890",
    "jane@work",
    "k+14155550100",
    "aGk+/+1234567890=",
    "v1 +12345",
    "@jane.doe",
    "a1b2c3d4e5f6",
    "x".repeat(256),
    "\u{1f600}".repeat(256),
  ];
  for (const id of opaque) assertEquals(write({ user: id }).body.metadata, { user_id: id }, id);
});

Deno.test("writeCall() writes the service tiers that the API has", () => {
  const tiers = { auto: "auto", priority: "auto", default: "standard_only", standard_only: "standard_only" };
  for (const [asked, sent] of Object.entries(tiers)) {
    assertEquals(write({ service_tier: asked }).body.service_tier, sent, asked);
  }
  assertEquals(write({ service_tier: "flex" }).dropped, ["service_tier"]);
});

Deno.test("writeCall() sends only the sampling settings that the model accepts", () => {
  const sampling = (fields: JsonObject, model: string) => {
    const { body: { temperature, top_p, top_k }, dropped } = write(fields, model);
    return [temperature, top_p, top_k, dropped];
  };
  const all = { temperature: 0.5, top_p: 0.9, top_k: 3 };
  assertEquals(sampling(all, "claude-sonnet-4-0"), [0.5, 0.9, 3, []]);
  assertEquals(sampling(all, OLDER), [0.5, undefined, 3, ["top_p"]]);
  assertEquals(sampling(all, "claude-opus-4-7"), [undefined, undefined, undefined, Object.keys(all)]);
  const nothing = [undefined, undefined, undefined];
  for (
    const model of [
      "claude-opus-4-7",
      "claude-opus-4-8",
      "claude-opus-5",
      "claude-opus-5-5",
      "claude-sonnet-5",
      "claude-sonnet-5-5",
      "claude-haiku-5-5",
      "claude-fable-5",
      "claude-mythos-preview",
    ]
  ) {
    // The defaults of OpenAI and of this API ask for nothing.
    for (const fields of [{ temperature: 1, top_p: 1 }, { top_p: 1 }, { temperature: 1 }, { top_p: 0.99 }]) {
      assertEquals(sampling(fields, model), [...nothing, []], model);
    }
    assertEquals(sampling({ top_p: 0.995 }, model), [...nothing, ["top_p"]], model);
  }
  assertEquals(sampling({ temperature: 1, top_p: 1 }, "claude-opus-4-1"), [1, undefined, undefined, [
    "top_p",
  ]]);
  assertEquals(sampling({ top_p: 1 }, "claude-opus-4-6"), [undefined, 1, undefined, []]);
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

Deno.test("writeCall() continues from tool results without a thinking budget if the client has lost the thoughts", () => {
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
  // Text of the user beside the results, or an empty message, does not end the turn.
  const blank = { role: "user", content: " " };
  const sound = {
    role: "user",
    content: [{ type: "input_audio", input_audio: { data: "QQ==", format: "wav" } }],
  };
  assertEquals(thinks([USER, asked, result, USER]), lost);
  assertEquals(thinks([USER, asked, result, blank]), lost);
  assertEquals(thinks([USER, asked, result, { role: "assistant", content: "" }, USER]), lost);
  assertEquals(thinks([USER, asked, result, USER, asked, result]), lost);
  const kept = { ...asked, reasoning_details: thoughts };
  assertEquals(thinks([USER, kept, result, USER, asked, result]), ["enabled", []]);
  assertEquals(thinks([USER, kept, sound, asked, result])[0], "enabled");
  const answer = { role: "assistant", content: "A" };
  assertEquals(thinks([USER, answer, USER, kept, result]), ["enabled", []]);
  assertEquals(thinks([USER, kept, result, answer, USER, asked, result]), lost);
  assertEquals(thinks([USER, kept, result, answer, { role: "system", content: "S" }, asked, result]), lost);
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

Deno.test("writeCall() turns thinking off in the model's own way, and names it if the model cannot", () => {
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

Deno.test("writeCall() returns only thoughts that Anthropic signed", () => {
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

Deno.test("writeCall() reads OpenRouter's reasoning, and names OpenRouter's other fields", () => {
  const plan = (reasoning: unknown, model: string, more: JsonObject = {}) => {
    const { body, dropped } = write({ reasoning, ...more }, model);
    assertEquals(body.reasoning, undefined);
    return [body.thinking, body.output_config?.effort, dropped];
  };
  const shown = { type: "adaptive", display: "summarized" };
  const budget = (budget_tokens: number) => ({ type: "enabled", budget_tokens });
  assertEquals(plan({ effort: "high" }, NEWEST), [shown, "high", []]);
  assertEquals(plan({ effort: "low" }, OLDER), [budget(1024), undefined, []]);
  assertEquals(plan({ max_tokens: 3000 }, OLDER), [budget(3000), undefined, []]);
  assertEquals(plan({ max_tokens: 100 }, OLDER), [budget(1024), undefined, []]);
  assertEquals(plan({ max_tokens: 9000 }, OLDER, { max_tokens: 5000 }), [budget(4999), undefined, []]);
  assertEquals(plan({ max_tokens: 1024 }, NEWEST), [shown, "low", []]);
  assertEquals(plan({ max_tokens: 8000 }, NEWEST), [shown, "medium", []]);
  assertEquals(plan({ max_tokens: 20_000 }, NEWEST), [shown, "high", []]);
  assertEquals(plan({ max_tokens: 90_000 }, NEWEST), [shown, "max", []]);
  assertEquals(plan({ effort: "low", max_tokens: 9000 }, NEWEST), [shown, "low", ["reasoning.max_tokens"]]);
  assertEquals(plan({ enabled: true }, NEWEST), [shown, "medium", []]);
  assertEquals(plan({ enabled: false, effort: "high" }, "claude-opus-5"), [
    { type: "disabled" },
    undefined,
    [],
  ]);
  assertEquals(plan({ effort: "none" }, "claude-opus-5"), [{ type: "disabled" }, undefined, []]);
  assertEquals(plan({ effort: "high", exclude: true, summary: null }, NEWEST), [shown, "high", [
    "reasoning.exclude",
  ]]);
  assertEquals(plan({}, NEWEST), [undefined, undefined, []]);
  assertEquals(plan("high", NEWEST), [undefined, undefined, ["reasoning"]]);
  assertEquals(plan({ effort: "high" }, "claude-3-haiku-20240307"), [undefined, undefined, [
    "reasoning.effort",
  ]]);
  assertEquals(plan({ effort: "high" }, NEWEST, { reasoning_effort: "low" }), [shown, "low", [
    "reasoning.effort",
  ]]);
  const fields = {
    debug: {},
    image_config: {},
    include_reasoning: true,
    min_p: 0.1,
    plugins: [],
    provider: { order: ["anthropic"] },
    repetition_penalty: 1,
    route: "fallback",
    session_id: "s",
    structured_outputs: true,
    top_a: 0,
    trace: {},
    transforms: [],
    usage: { include: true },
    preset: "p",
    stop_server_tools_when: [],
    prompt_cache_options: {},
    providerOptions: {},
    num_retries: 1,
    moderation: {},
  };
  const { body, dropped } = write(fields);
  assertEquals(Object.keys(body), ["model", "max_tokens", "messages"]);
  assertEquals(dropped, Object.keys(fields));
  // Anthropic has a beta field of this name too.
  assertEquals(write({ fallbacks: [{ model: "m" }] }).body.fallbacks, [{ model: "m" }]);
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

Deno.test("writeCall() names a user id that is not a text", () => {
  assertEquals(write({ metadata: { user_id: 5 } }).dropped, ["metadata.user_id"]);
  assertEquals(write({ metadata: { user_id: null } }).dropped, []);
});
