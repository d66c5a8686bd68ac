/** The AI SDK's Anthropic provider and Anthropic's tool runner before every provider, by Messages. */
import { assert, assertEquals } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import { createAnthropic } from "npm:@ai-sdk/anthropic@4.0.105";
import { generateText, stepCountIs, streamText, tool } from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";
import { createGateway } from "../../mod.ts";
import type { JsonObject } from "../../wires/types.ts";
import { type FakeProvider, FAKES, type Scenario, SCENARIOS, streamed, TEXT } from "../wires/shared.ts";

// deno-lint-ignore no-explicit-any -- Tools of either SDK.
type Any = any;

/** A provider that gives these answers one after the other, and what it was sent. */
function before(fake: FakeProvider, ...answers: Scenario[]) {
  const sent: JsonObject[] = [];
  const gateway = createGateway({
    async fetch(url, init) {
      const answer = answers[sent.length];
      const body: JsonObject = await new Response(init.body).json();
      sent.push(body);
      const streams = body.stream === true || /stream/i.test(url);
      return streams ? streamed(fake, fake.stream(answer)) : Response.json(fake.whole(answer));
    },
  });
  const fetch = (input: RequestInfo | URL, init?: RequestInit) => gateway.fetch(new Request(input, init));
  return { sent, fetch, model: `${fake.provider}/${fake.model}` };
}

const PARALLEL = SCENARIOS.find(({ name }) => name === "parallel calls")!;
const SAID = TEXT.text!.join("");

for (const fake of FAKES) {
  const name = fake.name ?? fake.provider;

  Deno.test(`the AI SDK's Anthropic provider runs tools on ${name}, whole and streamed`, async () => {
    for (const stream of [false, true]) {
      const { fetch, model, sent } = before(fake, PARALLEL, TEXT);
      const anthropic = createAnthropic({
        baseURL: "http://gateway.test/v1",
        apiKey: "key",
        fetch: fetch as Any,
      });
      const asked: unknown[] = [];
      const note = (inputSchema: z.ZodType) =>
        tool({ inputSchema, execute: (input) => `noted as number ${asked.push(input)}` });
      const options = {
        model: anthropic(model),
        system: "Be brief.",
        prompt: "Hello",
        tools: { weather: note(z.object({ city: z.string() })), clock: note(z.object({ zone: z.string() })) },
        stopWhen: stepCountIs(3),
      };
      const result = stream ? streamText(options) : await generateText(options);
      assertEquals(await result.text, SAID);
      assertEquals(asked, [{ city: "Zürich" }, { zone: "CET" }]);
      assertEquals(sent.length, 2);
      for (const number of [1, 2]) assert(JSON.stringify(sent[1]).includes(`noted as number ${number}`));
    }
  });

  Deno.test(`Anthropic's tool runner calls functions for ${name}, whole and streamed`, async () => {
    for (const stream of [false, true]) {
      const { fetch, model, sent } = before(fake, PARALLEL, TEXT);
      const client = new Anthropic({
        apiKey: "key",
        baseURL: "http://gateway.test",
        maxRetries: 0,
        fetch: fetch as Any,
      });
      const asked: unknown[] = [];
      const tools = ["weather", "clock"].map((name) => ({
        name,
        input_schema: { type: "object", properties: {} },
        run: (input: unknown) => `noted as number ${asked.push(input)}`,
        parse: (input: unknown) => input,
      }));
      const runner = client.beta.messages.toolRunner({
        model,
        max_tokens: 1000,
        stream,
        tools,
        messages: [{ role: "user", content: "Hello" }],
      } as Any);
      const final = await (runner as Any).runUntilDone();
      assertEquals(final.content.at(-1).text, SAID);
      assertEquals(asked, [{ city: "Zürich" }, { zone: "CET" }]);
      assertEquals(sent.length, 2);
    }
  });
}
