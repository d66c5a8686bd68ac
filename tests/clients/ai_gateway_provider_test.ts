/** `ai-gateway-provider`, which sends the AI SDK's calls through the gateway's object as steps of the universal endpoint. */
import { createAnthropic } from "npm:@ai-sdk/anthropic@4.0.105";
import { createGoogle } from "npm:@ai-sdk/google@4.0.121";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import { AiGatewayUnauthorizedError, createAiGateway } from "npm:ai-gateway-provider@4.0.1";
import { createAnthropic as createAnthropicKeyless } from "npm:ai-gateway-provider@4.0.1/providers/anthropic";
import { createUnified } from "npm:ai-gateway-provider@4.0.1/providers/unified";
import { APICallError, generateText, isStepCount, streamText, tool } from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { createGateway, remoteGateway } from "../../mod.ts";
import { ANSWER, CALL, nativeApis } from "./native_apis.ts";

type Model = Parameters<ReturnType<typeof createAiGateway>>[0];

/** Each API of these providers' models, and the key with which it must be called. */
const MODELS: Record<
  string,
  { model(name?: string): Exclude<Model, unknown[]>; url: RegExp; key: string[] }
> = {
  "OpenAI, Responses": {
    model: (name = "gpt-5-mini") => createOpenAI({ apiKey: "sk-openai" })(name),
    url: /^https:\/\/api\.openai\.com\/v1\/responses$/,
    key: ["authorization", "Bearer sk-openai"],
  },
  "OpenAI, chat": {
    model: (name = "gpt-5-mini") => createOpenAI({ apiKey: "sk-openai" }).chat(name),
    url: /^https:\/\/api\.openai\.com\/v1\/chat\/completions$/,
    key: ["authorization", "Bearer sk-openai"],
  },
  "Anthropic": {
    model: (name = "claude-sonnet-4-5") => createAnthropic({ apiKey: "sk-anthropic" })(name),
    url: /^https:\/\/api\.anthropic\.com\/v1\/messages$/,
    key: ["x-api-key", "sk-anthropic"],
  },
  "Google": {
    model: (name = "gemini-2.5-flash") => createGoogle({ apiKey: "sk-google" })(name),
    url:
      /^https:\/\/generativelanguage\.googleapis\.com\/v1beta\/models\/[\w.-]+:(stream)?[gG]enerateContent/,
    key: ["x-goog-api-key", "sk-google"],
  },
  "unified, Anthropic": {
    model: (name = "claude-sonnet-4-5") =>
      createUnified({ apiKey: "sk-anthropic", includeUsage: true })(`anthropic/${name}`),
    url: /^https:\/\/api\.anthropic\.com\/v1\/messages$/,
    key: ["x-api-key", "sk-anthropic"],
  },
  "unified, Google": {
    model: (name = "gemini-2.5-flash") =>
      createUnified({ apiKey: "sk-google", includeUsage: true })(`google-ai-studio/${name}`),
    url:
      /^https:\/\/generativelanguage\.googleapis\.com\/v1beta\/models\/[\w.-]+:(stream)?[gG]enerateContent/,
    key: ["x-goog-api-key", "sk-google"],
  },
};

/** The package with a gateway to these APIs. */
function setUp(options: Parameters<typeof createGateway>[0] = {}) {
  const { fetch, sent } = nativeApis();
  const { gateway } = createGateway({ fetch, wait: () => Promise.resolve(), ...options });
  const binding = gateway("default");
  return { binding, sent, aigateway: createAiGateway({ binding }) };
}

const prompt = "Is it sunny?";

const tools = () => ({
  weather: tool({
    description: "Today's weather",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => `sunny in ${city}`,
  }),
});

for (const [name, { model, url, key: [header, value] }] of Object.entries(MODELS)) {
  Deno.test(`ai-gateway-provider, ${name}: text, whole and streamed`, async () => {
    const { aigateway, sent } = setUp();
    const whole = await generateText({ model: aigateway(model()), prompt });
    const streamed = streamText({ model: aigateway(model()), prompt });
    const deltas = await Array.fromAsync(streamed.textStream);
    for (
      const { text, usage, finish } of [
        { text: whole.text, usage: whole.usage, finish: whole.finishReason },
        { text: deltas.join(""), usage: await streamed.usage, finish: await streamed.finishReason },
      ]
    ) {
      assertEquals([text, finish], [ANSWER, "stop"]);
      assertEquals([usage.inputTokens, usage.outputTokens], [20, 5]);
    }
    assertEquals(deltas.length > 1, true);
    assertEquals(sent.map((one) => url.test(one.url)), [true, true]);
    assertEquals(sent.map(({ headers }) => headers.get(header)), [value, value]);
  });

  Deno.test(`ai-gateway-provider, ${name}: tools, whole and streamed`, async () => {
    const { aigateway, sent } = setUp();
    const stopWhen = isStepCount(3);
    const whole = await generateText({ model: aigateway(model()), prompt, tools: tools(), stopWhen });
    const streamed = streamText({ model: aigateway(model()), prompt, tools: tools(), stopWhen });
    for (
      const { steps, text } of [
        { steps: whole.steps, text: whole.text },
        { steps: await streamed.steps, text: await streamed.text },
      ]
    ) {
      assertEquals(text, ANSWER);
      assertEquals(steps.map(({ finishReason }) => finishReason), ["tool-calls", "stop"]);
      const [call] = steps[0].toolCalls;
      assertEquals([call.toolName, call.input], [CALL.name, CALL.args]);
      assertEquals(steps[0].toolResults[0].output, "sunny in Zürich");
    }
    assertEquals(sent.length, 4);
  });

  Deno.test(`ai-gateway-provider, ${name}: as the fallback of another model, whole and streamed`, async () => {
    const { aigateway, sent } = setUp();
    const down = () => createOpenAI({ apiKey: "sk-first" }).chat("down-model");
    const late = () => createAnthropic({ apiKey: "sk-first" })("late-model");
    const whole = await generateText({ model: aigateway([down(), model()]), prompt, maxRetries: 0 });
    assertEquals(whole.text, ANSWER);
    const streamed = streamText({ model: aigateway([down(), late(), model()]), prompt, maxRetries: 0 });
    assertEquals(await streamed.text, ANSWER);
    assertEquals(sent.map((one) => one.headers.get(header) === value && url.test(one.url)), [
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  Deno.test(`ai-gateway-provider, ${name}: the provider's own error, and the abort of a stream`, async () => {
    const { aigateway, sent } = setUp();
    const call = generateText({ model: aigateway(model("down-model")), prompt, maxRetries: 0 });
    const error = await assertRejects(() => call, APICallError, "Overloaded");
    assertEquals(error.statusCode, 503);
    const controller = new AbortController();
    const { textStream } = streamText({
      model: aigateway(model("endless-model")),
      prompt,
      abortSignal: controller.signal,
    });
    const reader = textStream.getReader();
    await reader.read();
    assertEquals(sent[1].signal.aborted, false);
    controller.abort();
    while (!(await reader.read()).done);
    assertEquals(sent[1].signal.aborted, true);
  });
}

Deno.test("ai-gateway-provider: a model without its own key is called with the stored one", async () => {
  const { aigateway, sent } = setUp({ keys: { anthropic: { default: "sk-a", team: "sk-b" } } });
  await generateText({ model: aigateway(createAnthropicKeyless()("claude-sonnet-4-5")), prompt });
  const { fetch, sent: sentToo } = nativeApis();
  const { gateway } = createGateway({ fetch, keys: { anthropic: { default: "sk-a", team: "sk-b" } } });
  const team = createAiGateway({ binding: gateway("default"), options: { byokAlias: "team" } });
  await generateText({ model: team(createAnthropicKeyless()("claude-sonnet-4-5")), prompt });
  assertEquals([...sent, ...sentToo].map(({ headers }) => headers.get("x-api-key")), ["sk-a", "sk-b"]);
});

Deno.test("ai-gateway-provider: its options reach the gateway", async () => {
  const { binding, sent } = setUp();
  let eventId: string | null = null;
  const aigateway = createAiGateway({
    binding: {
      async run(data, options) {
        const response = await binding.run(data as Parameters<typeof binding.run>[0], options);
        eventId = response.headers.get("cf-aig-event-id");
        return response;
      },
    },
    options: {
      eventId: "mine",
      metadata: { user: "Zoë", big: 2n ** 64n },
      retries: { maxAttempts: 3, retryDelayMs: 1, backoff: "constant" },
      requestTimeoutMs: 1000,
    },
  });
  const model = createOpenAI({ apiKey: "sk-1" })("down-model");
  await assertRejects(() => generateText({ model: aigateway(model), prompt, maxRetries: 0 }), APICallError);
  assertEquals([sent.length, eventId], [3, "mine"]);
  assertEquals([...sent[0].headers.keys()].filter((name) => name.startsWith("cf-")), []);
});

Deno.test("ai-gateway-provider: works with remoteGateway(), and throws its own error for a refusal", async () => {
  const { fetch } = nativeApis();
  const served = createGateway({ fetch, tokens: ["tok"], keys: { openai: "sk-stored" } });
  const ask = (token: string) => {
    const binding = remoteGateway({ url: "https://sluice.test", token, fetch: served.fetch });
    const model = createAiGateway({ binding })(createOpenAI({ apiKey: "sk-own" })("gpt-5-mini"));
    return generateText({ model, prompt, maxRetries: 0 });
  };
  assertEquals((await ask("tok")).text, ANSWER);
  assertInstanceOf(await ask("other").catch((error) => error), AiGatewayUnauthorizedError);
});

Deno.test("ai-gateway-provider, unified: a route whose first model fails", async () => {
  const to = (elementId: string) => ({ elementId });
  const { aigateway, sent } = setUp({
    routes: {
      support: [
        { id: "start", type: "start", outputs: { next: to("first") } },
        {
          id: "first",
          type: "model",
          properties: { provider: "openai", model: "down-model" },
          outputs: { fallback: to("second") },
        },
        { id: "second", type: "model", properties: { provider: "anthropic", model: "claude-sonnet-4-5" } },
      ],
    },
    keys: { openai: "sk-openai", anthropic: "sk-anthropic" },
  });
  const model = () => aigateway(createUnified()("dynamic/support"));
  assertEquals((await generateText({ model: model(), prompt, maxRetries: 0 })).text, ANSWER);
  assertEquals(await streamText({ model: model(), prompt, maxRetries: 0 }).text, ANSWER);
  assertEquals(sent.length, 4);
});
