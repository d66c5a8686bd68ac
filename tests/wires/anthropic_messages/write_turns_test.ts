import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { call, messages, NEWEST, OLDER, PNG, text, turn, USER, write } from "./written.ts";

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
