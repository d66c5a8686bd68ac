/** Calls of another wire's client, written as chat completions within the rules of a provider's row. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Exchange } from "../../../gateway/exchange.ts";
import { readOptions } from "../../../gateway/setup/config.ts";
import { readBody } from "../../../gateway/upstream/body.ts";
import { prepare } from "../../../gateway/upstream/prepare.ts";
import { findTarget } from "../../../gateway/targets/find_target.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import type { Call, ClientWire, JsonObject, WireName } from "../../../wires/types.ts";

/** A client wire with the bodies of chat completions and paths of its own. */
const foreign = (wire: WireName = "anthropic"): ClientWire => ({
  ...openaiChat,
  name: wire,
  mixesFields: wire === "openai" ? true : undefined,
  readCall(body, model): Call {
    const call = openaiChat.readCall(body, model);
    return { ...call, wire, sent: new Map([...call.sent].map(([name, path]) => [name, `their.${path}`])) };
  },
});

function sent(model: string, body: JsonObject, headers: Record<string, string> = {}, client = foreign()) {
  const config = readOptions({});
  const exchange = {
    config,
    headers: new Headers(headers),
    client,
    account: "acct",
    caller: {},
  } as unknown as Exchange;
  const text = new TextEncoder().encode(
    JSON.stringify({ messages: [{ role: "user", content: "Hi" }], ...body }),
  );
  const target = findTarget(model, config.providers);
  const { url, body: write, dropped } = prepare(readBody(text, []), target, exchange);
  return { url, body: JSON.parse(write() as string), dropped };
}

Deno.test("prepare() sends a written body to the row's own path, with the provider's name for the model", () => {
  const { url, body } = sent("grok/grok-4.3", { stream: true });
  assertEquals(url, "https://api.x.ai/v1/chat/completions");
  assertEquals(body, {
    model: "grok-4.3",
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: "Hi" }],
  });
});

Deno.test("prepare() keeps a written body within its row's rules, and names what is lost as the client calls it", () => {
  const { body, dropped } = sent("mistral/mistral-large-latest", {
    stream: true,
    seed: 7,
    logit_bias: { "1": 1 },
    user: "u",
    messages: [
      { role: "developer", content: "d" },
      { role: "user", content: "Hi", name: "n" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "toolu_0123456789", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "toolu_0123456789", content: "ok" },
    ],
  });
  const [system, user, { tool_calls: [{ id }] }, { tool_call_id }] = body.messages;
  assertEquals([system, user], [{ role: "system", content: "d" }, { role: "user", content: "Hi" }]);
  assert(/^[a-zA-Z0-9]{9}$/.test(id) && id === tool_call_id, id);
  assertEquals([body.random_seed, body.seed, body.stream_options, body.user], [
    7,
    undefined,
    undefined,
    undefined,
  ]);
  // `stream_options` is not named as dropped, because the client did not send it.
  assertEquals(dropped.toSorted(), ["messages[1].name", "their.logit_bias", "their.user"]);
});

Deno.test("prepare() fits a written body to OpenAI's model", () => {
  const { body, dropped } = sent("openai/gpt-5", {
    max_tokens: 9,
    temperature: 0.5,
    top_k: 3,
    reasoning_effort: "max",
  });
  assertEquals([body.max_completion_tokens, body.max_tokens, body.reasoning_effort], [9, undefined, "high"]);
  assertEquals(dropped.toSorted(), ["their.temperature", "their.top_k"]);
  assertEquals(sent("openai/gpt-4o", { max_tokens: 9, temperature: 0.5 }).body.temperature, 0.5);
});

Deno.test("prepare() drops by a row's own names and not by the client's of the same spelling", () => {
  const kept = sent("cerebras/gpt-oss-120b", { reasoning_effort: "low", metadata: { a: "b" } });
  assertEquals([kept.body.reasoning_effort, kept.body.metadata, kept.dropped], ["low", undefined, [
    "their.metadata",
  ]]);
});

Deno.test("prepare() sends the fields of one wire only to a target of that wire, and those of chat clients to all", () => {
  const extra = { thinking: { type: "enabled" }, container: "c" };
  for (const model of ["novita/deepseek-v4", "gemini/gemini-3-pro", "cohere/command-a-03-2025"]) {
    const { body, dropped } = sent(model, extra);
    assertEquals([body.thinking, body.container], [undefined, undefined], model);
    assertEquals(dropped, ["thinking", "container"], model);
  }
  const same = sent("anthropic/claude-opus-4-8", extra);
  assertEquals([same.body.container, same.dropped.includes("container")], ["c", false]);
  for (const model of ["novita/deepseek-v4", "gemini/gemini-3-pro"]) {
    assertEquals(sent(model, extra, {}, foreign("openai")).body.container, "c", model);
  }
});

Deno.test("prepare() refuses under sluice-strict what a written body loses by its row", () => {
  const error = assertThrows(() =>
    sent("mistral/mistral-large-latest", { user: "u" }, { "sluice-strict": "true" })
  );
  assert(error instanceof GatewayError);
  assertEquals(error.toWireError().param, "their.user");
});
