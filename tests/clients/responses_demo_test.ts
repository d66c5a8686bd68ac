/** OpenAI's SDK with the demo on Responses, and the cases that Open Responses tests. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.59.0";
import { zodTextFormat } from "npm:openai@7.59.0/helpers/zod";
import { z } from "npm:zod@4.6.7";
import { handler } from "../../mod.ts";
import type { JsonObject } from "../../wires/types.ts";
import { checkResponse, readResponseStream } from "../acceptance/responses_events.ts";
import { clientOf } from "./client_of.ts";

// ---------------------------------------------------------------- the demo

for (const base of ["/v1", "", "/v1/0123abcd/my-gateway/compat", "/client/v4/accounts/0123abcd/ai/v1"]) {
  Deno.test(`responses.create() works with baseURL "…${base}", whole and streamed`, async () => {
    const client = clientOf(handler, base);
    const whole = await client.responses.create({ model: "demo/echo", input: "Hello, world" });
    assertEquals(whole.output_text, "Hello, world");
    const pieces: string[] = [];
    for await (
      const event of await client.responses.create({
        model: "demo/echo",
        input: "Hello, world",
        stream: true,
      })
    ) {
      if (event.type === "response.output_text.delta") pieces.push(event.delta);
    }
    assertEquals(pieces.join(""), "Hello, world");
  });
}

Deno.test("responses.parse() gets what the schema asks for from the demo", async () => {
  const City = z.object({ name: z.string(), size: z.enum(["small", "large"]) });
  const response = await clientOf(handler).responses.parse({
    model: "demo/echo",
    input: "Hello",
    text: { format: zodTextFormat(City, "city") },
  });
  assertEquals(City.parse(response.output_parsed), response.output_parsed);
});

Deno.test("a conversation continues with the output items of the earlier answer", async () => {
  const { responses } = clientOf(handler);
  const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "First" }];
  const first = await responses.create({ model: "demo/echo", input });
  const second = await responses.create({
    model: "demo/echo",
    input: [...input, ...first.output as OpenAI.Responses.ResponseInput, { role: "user", content: "Second" }],
  });
  assertEquals(second.output_text, "Second");
});

Deno.test("the SDK raises a failure in mid-stream, and a cut stream is never a complete answer", async () => {
  const { responses } = clientOf(handler);
  for (const model of ["demo/error", "demo/cut"]) {
    const request = { model, input: "A text of several tokens, so that it breaks in the middle" };
    await assertRejects(() => responses.stream(request).finalResponse(), Error);
  }
});

Deno.test("a reference that needs a store is an error that says what to send instead", async () => {
  const { responses } = clientOf(handler);
  const asked = responses.create({ model: "demo/echo", input: "Hello", previous_response_id: "resp_1" });
  const error = await assertRejects(() => asked, OpenAI.BadRequestError, "send the whole conversation");
  assertEquals([error.code, error.param], ["previous_response_not_found", "previous_response_id"]);
  await assertRejects(() => responses.retrieve("resp_1"), OpenAI.NotFoundError, "stores no responses");
});

// ---------------------------------------------------------------- Open Responses

/** The seven cases of Open Responses' compliance test, https://www.openresponses.org/compliance (2026-04-24). */
const COMPLIANCE: [string, JsonObject][] = [
  ["basic text", { input: [{ type: "message", role: "user", content: "Say hello in exactly 3 words." }] }],
  ["streaming", { stream: true, input: [{ type: "message", role: "user", content: "Count from 1 to 5." }] }],
  ["system prompt", {
    input: [
      { type: "message", role: "system", content: "You are a pirate. Always respond in pirate speak." },
      { type: "message", role: "user", content: "Say hello." },
    ],
  }],
  ["tool calling", {
    input: [{ type: "message", role: "user", content: "What's the weather like in San Francisco?" }],
    tools: [{
      type: "function",
      name: "get_weather",
      description: "Get the current weather for a location",
      parameters: {
        type: "object",
        properties: {
          location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
        },
        required: ["location"],
      },
    }],
    tool_choice: "required",
  }],
  ["image input", {
    input: [{
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "What do you see in this image?" },
        { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" },
      ],
    }],
  }],
  ["multi-turn conversation", {
    input: [
      { type: "message", role: "user", content: "My name is Alice." },
      {
        type: "message",
        role: "assistant",
        content: "Hello Alice! Nice to meet you. How can I help you today?",
      },
      { type: "message", role: "user", content: "What is my name?" },
    ],
  }],
];
COMPLIANCE.push(["tool calling, streamed", { ...COMPLIANCE[3][1], stream: true }]);

for (const [name, body] of COMPLIANCE) {
  Deno.test(`the demo passes Open Responses' case "${name}"`, async () => {
    const answer = await handler(
      new Request("http://gateway.test/v1/responses", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "demo/echo", ...body }),
      }),
    );
    assertEquals(answer.status, 200);
    const response = body.stream ? readResponseStream(await answer.text()).response : await answer.json();
    checkResponse(response);
    assertEquals(response.status, "completed");
    assert(response.output.length > 0);
    if (body.tools) assertEquals(response.output[0].type, "function_call");
  });
}
