import { assertEquals } from "@std/assert";
import { conformAnswer, conforming } from "../../../wires/openai_chat/conform.ts";
import type { JsonObject } from "../../../wires/types.ts";

const DEFAULTS = { id: "d", created: 9, model: "dm" };

const envelope = { id: "a", object: "chat.completion", created: 1, model: "m" };

const whole = (message: object, more: object = {}) =>
  conformAnswer({ ...envelope, choices: [{ index: 0, message, finish_reason: "stop", ...more }] }, DEFAULTS);

// deno-lint-ignore no-explicit-any -- Whatever JSON was written.
const first = (answer: JsonObject) => (answer as any).choices[0];

/** The events of a mended stream. */
// deno-lint-ignore no-explicit-any -- Whatever JSON was written.
function stream(events: (object | string)[], size = Infinity): any[] {
  const step = conforming(
    DEFAULTS,
    () => ({ message: "broke off", code: "upstream_broke_off" }),
    (chunk) => chunk,
  );
  const bytes = new TextEncoder().encode(
    events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join(""),
  );
  let text = "";
  let more = true;
  for (let at = 0; more && at < bytes.length; at += size) more = step.push(bytes.subarray(at, at + size));
  if (more) step.end();
  text += step.take();
  return text.split("\n\n").slice(0, -1).map((event) => event.slice("data: ".length)).map((data) =>
    data === "[DONE]" ? data : JSON.parse(data)
  );
}

const chunk = (delta: object, more: object = {}) => ({
  ...envelope,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});

const END = chunk({}, { finish_reason: "stop" });

Deno.test("conformAnswer() keeps a correct answer unchanged", () => {
  const answer = {
    ...envelope,
    service_tier: "default",
    system_fingerprint: "fp",
    citations: ["https://a.example"],
    search_results: [{ url: "https://a.example" }],
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: "Hi",
        refusal: null,
        reasoning_content: "r",
        reasoning_details: [{ type: "reasoning.text", text: "r", signature: "s", index: 0 }],
        annotations: [{ type: "url_citation", url_citation: { url: "u" } }],
        audio: { id: "x", data: "AA", transcript: "t", expires_at: 1 },
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      logprobs: { content: [{ token: "Hi", logprob: -1 }], refusal: null },
      finish_reason: "stop",
    }],
    usage: {
      prompt_tokens: 1,
      completion_tokens: 2,
      total_tokens: 3,
      prompt_tokens_details: { x: 1 },
      cost: 4,
    },
  };
  const copy = structuredClone(answer);
  assertEquals(conformAnswer(answer, DEFAULTS), copy);
});

Deno.test("conformAnswer() fills in what an envelope lacks", () => {
  const { choices: _, ...mended } = conformAnswer({
    id: "",
    service_tier: "",
    choices: [{ message: { content: "x" } }],
  }, DEFAULTS);
  assertEquals(mended, { id: "d", object: "chat.completion", created: 9, model: "dm" });
});

Deno.test("conformAnswer() keeps an error unchanged", () => {
  for (const body of [{ error: { message: "no" } }, {}, { choices: [] }]) {
    assertEquals(conformAnswer(structuredClone(body), DEFAULTS), body as JsonObject);
  }
});

Deno.test("conformAnswer() writes content as a text", () => {
  const contents: [unknown, object][] = [
    [{ a: [1] }, { content: '{"a":[1]}' }],
    [5, { content: "5" }],
    [null, { content: null }],
    [undefined, { content: null }],
    [[], { content: "" }],
    [
      [{ type: "thinking", thinking: [{ type: "text", text: "th" }], closed: true }, {
        type: "text",
        text: "x",
      }],
      { content: "x", reasoning_content: "th" },
    ],
    [[{ type: "thinking", thinking: "th" }, { type: "text", text: "x" }], {
      content: "x",
      reasoning_content: "th",
    }],
    [[{ type: "text", text: "x" }, { type: "reference", reference_ids: [1] }], {
      content: "x",
      content_parts: [{ type: "text", text: "x" }, { type: "reference", reference_ids: [1] }],
    }],
    [[{ type: "thinking", thinking: [], signature: "s" }], {
      content: "",
      content_parts: [{ type: "thinking", thinking: [], signature: "s" }],
    }],
  ];
  for (const [content, expected] of contents) {
    assertEquals(first(whole({ content })).message, { role: "assistant", ...expected });
  }
});

Deno.test("conformAnswer() writes tool calls as an SDK reads them, and drops empty legacy ones", () => {
  const { message, finish_reason } = first(whole({
    content: null,
    function_call: { name: "", arguments: "" },
    audio: { id: "", data: "", transcript: "", expires_at: 0 },
    tool_calls: [
      { id: "", function: { name: "f", arguments: { a: 1 } } },
      { name: "g", arguments: { b: 2 } },
      { id: "c", type: "function", function: { name: "h" } },
    ],
  }, { finish_reason: "" }));
  assertEquals(message, {
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "call_0_0", type: "function", function: { name: "f", arguments: '{"a":1}' } },
      { id: "call_0_1", type: "function", function: { name: "g", arguments: '{"b":2}' } },
      { id: "c", type: "function", function: { name: "h", arguments: "" } },
    ],
  });
  assertEquals(finish_reason, "tool_calls");
});

Deno.test("conformAnswer() writes OpenAI's finish reason, and keeps the provider's", () => {
  const ends: [unknown, string, unknown?][] = [
    ["eos", "stop", "eos"],
    ["", "stop"],
    [undefined, "stop"],
    [null, "stop"],
    ["tool_call", "tool_calls", "tool_call"],
    ["weird", "stop", "weird"],
    ["length", "length"],
  ];
  for (const [reason, finish, native] of ends) {
    const { finish_reason, native_finish_reason } = first(whole({ content: "x" }, { finish_reason: reason }));
    assertEquals([finish_reason, native_finish_reason], [finish, native]);
  }
});

Deno.test("conforming() keeps a correct stream unchanged, wherever it is cut", () => {
  const usage = {
    ...envelope,
    object: "chat.completion.chunk",
    choices: [],
    usage: { total_tokens: 3, cost: 1 },
  };
  const calls = [{ index: 0, id: "c", type: "function", function: { name: "f", arguments: "" } }];
  const events = [
    chunk({ role: "assistant", content: "" }),
    { ...chunk({ content: "Grüße 🌍", reasoning_content: "r" }), citations: ["u"] },
    chunk({ content: "b" }, { logprobs: { content: [], refusal: null } }),
    chunk({ tool_calls: calls }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] }),
    chunk({}, { finish_reason: "tool_calls" }),
    usage,
    "[DONE]",
  ];
  for (const size of [1, 7, Infinity]) assertEquals(stream(events, size), events);
});

Deno.test("conforming() names the role at the beginning of each choice, and only there", () => {
  const choice = (index: number) => ({ index, delta: { content: "x" }, finish_reason: null });
  const two = { ...chunk({}), choices: [choice(0), choice(1)] };
  const roles = stream([two, structuredClone(two), END]).slice(0, 2).map(({ choices }) =>
    choices.map(({ delta }: { delta: { role?: string } }) => delta.role)
  );
  assertEquals(roles, [["assistant", "assistant"], [undefined, undefined]]);
});

Deno.test("conforming() removes the message beside a delta, and ends with [DONE]", () => {
  const events = stream([
    chunk({ content: "a" }, { message: { content: "a" } }),
    chunk({ content: "b" }, { message: { content: "ab" }, finish_reason: "stop" }),
  ]);
  assertEquals(events, [
    chunk({ role: "assistant", content: "a" }),
    chunk({ content: "b" }, { finish_reason: "stop" }),
    "[DONE]",
  ]);
});

Deno.test("conforming() gives a first chunk without an id the id of the next one", () => {
  const [early] = stream([{
    id: "",
    object: "",
    model: "",
    created: 0,
    choices: [],
    prompt_filter_results: [1],
  }, END]);
  assertEquals(early, {
    ...envelope,
    object: "chat.completion.chunk",
    choices: [],
    prompt_filter_results: [1],
  });
});

Deno.test("conforming() numbers calls that have no number", () => {
  const call = (id: string | undefined, name: string | undefined, args: unknown) =>
    chunk({ tool_calls: [{ id, function: { name, arguments: args } }] });
  const events = stream([call("x", "f", "{"), call("", undefined, "}"), call("", "g", { a: 1 }), END]);
  assertEquals(events.slice(0, 3).map(({ choices }) => choices[0].delta.tool_calls[0]), [
    { id: "x", type: "function", index: 0, function: { name: "f", arguments: "{" } },
    { index: 0, function: { arguments: "}" } },
    { id: "call_0_1", type: "function", index: 1, function: { name: "g", arguments: '{"a":1}' } },
  ]);
});

Deno.test("conforming() writes a finish reason if the provider sends none", () => {
  const ends = (events: object[]) =>
    stream([...events, "[DONE]"]).map((event) =>
      event === "[DONE]" ? event : event.choices[0]?.finish_reason
    );
  assertEquals(ends([chunk({ content: "a" }, { finish_reason: "" })]), [null, "stop", "[DONE]"]);
  assertEquals(ends([chunk({ content: "a" }, { finish_reason: "eos" })]), ["stop", "[DONE]"]);
  const calls = [{ index: 0, id: "c", function: { name: "f", arguments: "{}" } }];
  const usage = { ...envelope, choices: [], usage: { total_tokens: 1 } };
  assertEquals(ends([chunk({ tool_calls: calls }), usage]), [null, "tool_calls", undefined, "[DONE]"]);
});

Deno.test("conforming() ends with an error if the answer is cut off, broken or refused", () => {
  const last = (events: (object | string)[]) => stream(events).at(-1).error.code;
  assertEquals(last([chunk({ content: "a" })]), "cut_off");
  assertEquals(last([]), "cut_off");
  assertEquals(last([chunk({ content: "a" }), "nonsense", END]), "bad_chunk");
  assertEquals(stream([chunk({ content: "a" }), { error: { message: "no", code: "full" } }, END]).slice(1), [
    { error: { message: "no", code: "full" } },
  ]);
  const step = conforming(
    DEFAULTS,
    () => ({ message: "broke off", code: "upstream_broke_off" }),
    (chunk) => chunk,
  );
  step.fail(new Error("reset"));
  assertEquals(JSON.parse(step.take().slice("data: ".length)).error.code, "upstream_broke_off");
});
