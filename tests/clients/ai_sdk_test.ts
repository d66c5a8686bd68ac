/** The AI SDK with its client for OpenAI-compatible APIs. */
import { createOpenAICompatible } from "npm:@ai-sdk/openai-compatible@3.0.92";
import { generateText, stepCountIs, streamText, tool } from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";
import { assertEquals } from "@std/assert";
import { createGateway } from "../../mod.ts";
import { type FakeProvider, FAKES, type Scenario, SCENARIOS, streamed, TEXT } from "../wires/shared.ts";

/** A model of a provider that gives these answers one after another. */
function modelOf(fake: FakeProvider, stream: boolean, ...answers: Scenario[]) {
  const gateway = createGateway({
    fetch() {
      const answer = answers.shift()!;
      if (!stream) return Promise.resolve(Response.json(fake.whole(answer)));
      return Promise.resolve(streamed(fake, fake.stream(answer)));
    },
  });
  const provider = createOpenAICompatible({
    name: "sluice",
    apiKey: "key",
    baseURL: "http://gateway.test/v1",
    includeUsage: true,
    fetch: (input, init) => gateway.fetch(new Request(input, init)),
  });
  return provider(`${fake.provider}/${fake.model}`);
}

const CALLS = SCENARIOS.find(({ name }) => name === "parallel calls")!;

for (const fake of FAKES) {
  Deno.test(`the AI SDK runs tools and reads the answer of ${fake.name ?? fake.provider}, whole and streamed`, async () => {
    for (const stream of [false, true]) {
      const asked: unknown[] = [];
      const note = (inputSchema: z.ZodType) =>
        tool({ inputSchema, execute: (input) => `noted as number ${asked.push(input)}` });
      const options = {
        model: modelOf(fake, stream, CALLS, TEXT),
        prompt: "Hello",
        tools: { weather: note(z.object({ city: z.string() })), clock: note(z.object({ zone: z.string() })) },
        stopWhen: stepCountIs(2),
      };
      const result = stream ? streamText(options) : await generateText(options);
      assertEquals(await result.text, TEXT.text!.join(""));
      assertEquals(asked, [{ city: "Zürich" }, { zone: "CET" }]);
      assertEquals(await result.finishReason, "stop");
      const { inputTokens, outputTokens } = await result.usage;
      // The usage of both steps.
      assertEquals(inputTokens, CALLS.usage.prompt + TEXT.usage.prompt);
      assertEquals(outputTokens, CALLS.usage.completion + TEXT.usage.completion);
    }
  });
}

Deno.test("the AI SDK reads the reasoning of anthropic", async () => {
  const thinking = SCENARIOS.find(({ thinking }) => thinking)!;
  const anthropic = FAKES.find(({ provider }) => provider === "anthropic")!;
  const { reasoningText } = await generateText({
    model: modelOf(anthropic, false, thinking),
    prompt: "Hello",
  });
  assertEquals(reasoningText, thinking.thinking!.join(""));
});
