import { assert, assertEquals } from "@std/assert";
import { writeCall } from "../../../wires/anthropic_messages/write_call.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { call, NEWEST, OLDER, USER, write } from "./written.ts";

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

Deno.test("writeCall() names a user id that is not a text", () => {
  assertEquals(write({ metadata: { user_id: 5 } }).dropped, ["metadata.user_id"]);
  assertEquals(write({ metadata: { user_id: null } }).dropped, []);
});
