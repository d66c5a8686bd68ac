import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { call, messages, NEWEST, OLDER, text, USER, write } from "./written.ts";

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
