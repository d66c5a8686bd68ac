/**
 * OpenAI's SDK, the OpenAI Agents SDK and the AI SDK as people use them on Responses, with the demo and with other
 * providers.
 */
import { assert, assertEquals } from "@std/assert";
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from "npm:@openai/agents@0.20.0";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import { generateText, stepCountIs, streamText, tool as aiTool } from "npm:ai@7.0.173";
import { zodTextFormat } from "npm:openai@7.59.0/helpers/zod";
import { z } from "npm:zod@4.6.7";
import { createGateway } from "../../mod.ts";
import type { JsonObject } from "../../wires/types.ts";
import { clientOf } from "./client_of.ts";
import {
  type FakeProvider,
  type Scenario,
  SCENARIOS,
  streamed,
  TEXT,
  WITHOUT_RESPONSES,
} from "../wires/shared.ts";

setTracingDisabled(true);

/** A client with a provider that gives these answers one after another, and what was sent to the provider. */
function clientOfFake(fake: FakeProvider, ...answers: Scenario[]) {
  const sent: JsonObject[] = [];
  const gateway = createGateway({
    async fetch(_, init) {
      const answer = answers[sent.length];
      const body: JsonObject = await new Response(init.body).json();
      sent.push(body);
      const streams = body.stream === true || /stream/i.test(_);
      return streams ? streamed(fake, fake.stream(answer)) : Response.json(fake.whole(answer));
    },
  });
  return {
    sent,
    fetch: gateway.fetch,
    client: clientOf(gateway.fetch),
    model: `${fake.provider}/${fake.model}`,
  };
}

// ---------------------------------------------------------------- the Agents SDK

const AGENT_CALLS: Scenario = {
  name: "a call",
  calls: [{ id: "call_a1", name: "weather", args: ['{"city":', '"Zürich"}'] }],
  finish: "tool_calls",
  usage: TEXT.usage,
};

for (const fake of WITHOUT_RESPONSES) {
  for (const stream of [false, true]) {
    Deno.test(`an agent runs its tools on ${fake.provider}, ${stream ? "streamed" : "whole"}`, async () => {
      const { client, model, sent } = clientOfFake(fake, AGENT_CALLS, TEXT);
      const asked: unknown[] = [];
      const weather = tool({
        name: "weather",
        description: "The weather of a city",
        parameters: z.object({ city: z.string() }),
        execute(input) {
          asked.push(input);
          return "sunny, 7 degrees";
        },
      });
      const agent = new Agent({ name: "A", instructions: "Be brief", model, tools: [weather] });
      const modelProvider = new OpenAIProvider({ openAIClient: client as never, useResponses: true });
      const runner = new Runner({ modelProvider, tracingDisabled: true });
      const result = stream ? await runner.run(agent, "Hello", { stream }) : await runner.run(agent, "Hello");
      if ("completed" in result) {
        for await (const _ of result);
        await result.completed;
      }
      assertEquals(result.finalOutput, TEXT.text!.join(""));
      assertEquals(asked, [{ city: "Zürich" }]);
      assertEquals(sent.length, 2);
      assert(JSON.stringify(sent[1]).includes("sunny, 7 degrees"));
    });
  }

  Deno.test(`responses.parse() reads JSON from ${fake.provider}, whole and streamed`, async () => {
    const format = zodTextFormat(z.object({ city: z.string() }), "place");
    const json: Scenario = { ...TEXT, text: ['{"city": "Zü', 'rich"}'] };
    const { client, model } = clientOfFake(fake, json, json);
    const request = { model, input: "Hello", text: { format } };
    const whole = await client.responses.parse(request);
    const streamed = await client.responses.stream(request).finalResponse();
    assertEquals([whole.output_parsed, streamed.output_parsed], [{ city: "Zürich" }, { city: "Zürich" }]);
  });

  Deno.test(`responses.stream() gathers tool calls of ${fake.provider} by their events`, async () => {
    const parallel = SCENARIOS.find(({ name }) => name === "parallel calls")!;
    const { client, model } = clientOfFake(fake, parallel);
    const tools = parallel.calls!.map(({ name }) => ({
      type: "function" as const,
      name,
      parameters: { type: "object", properties: {} },
      strict: false,
    }));
    const named: string[] = [];
    const stream = client.responses.stream({ model, input: "Hello", tools });
    stream.on("response.output_item.done", ({ item }) => {
      if (item.type === "function_call") named.push(item.name);
    });
    await stream.finalResponse();
    assertEquals(named, ["weather", "clock"]);
  });
}

// ---------------------------------------------------------------- the AI SDK

for (const fake of WITHOUT_RESPONSES) {
  Deno.test(`the AI SDK's OpenAI provider runs tools on ${fake.provider}, whole and streamed`, async () => {
    const parallel = SCENARIOS.find(({ name }) => name === "parallel calls")!;
    for (const stream of [false, true]) {
      const gateway = clientOfFake(fake, parallel, TEXT);
      const openai = createOpenAI({
        apiKey: "key",
        baseURL: "http://gateway.test/v1",
        fetch: (input, init) => gateway.fetch(new Request(input, init)),
      });
      const asked: unknown[] = [];
      const note = (inputSchema: z.ZodType) =>
        aiTool({ inputSchema, execute: (input) => `noted as number ${asked.push(input)}` });
      const options = {
        model: openai(gateway.model),
        prompt: "Hello",
        tools: { weather: note(z.object({ city: z.string() })), clock: note(z.object({ zone: z.string() })) },
        stopWhen: stepCountIs(3),
      };
      const result = stream ? streamText(options) : await generateText(options);
      assertEquals(await result.text, TEXT.text!.join(""));
      assertEquals(asked, [{ city: "Zürich" }, { zone: "CET" }]);
      assertEquals((await result.usage).inputTokens, 40);
    }
  });
}
