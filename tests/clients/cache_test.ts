/** Official clients before the cache: how they ask for it, and that they read a cached answer as they read the first one. */
import { createAnthropic } from "npm:@ai-sdk/anthropic@4.0.105";
import { createGoogle } from "npm:@ai-sdk/google@4.0.121";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import { createAiGateway } from "npm:ai-gateway-provider@4.0.1";
import { createUnified } from "npm:ai-gateway-provider@4.0.1/providers/unified";
import { generateText, isStepCount, streamText, tool } from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createGateway, type LogEntry, type Options } from "../../mod.ts";
import { cacheStatus } from "../caches.ts";
import { ANSWER, nativeApis } from "./native_apis.ts";

type Model = Parameters<ReturnType<typeof createAiGateway>>[0];
type CacheOptions = NonNullable<Parameters<typeof createAiGateway>[0]["options"]>;

const MODELS: Record<string, () => Exclude<Model, unknown[]>> = {
  "OpenAI, Responses": () => createOpenAI({ apiKey: "sk-openai" })("gpt-5-mini"),
  "OpenAI, chat": () => createOpenAI({ apiKey: "sk-openai" }).chat("gpt-5-mini"),
  "Anthropic": () => createAnthropic({ apiKey: "sk-anthropic" })("claude-sonnet-4-5"),
  "Google": () => createGoogle({ apiKey: "sk-google" })("gemini-2.5-flash"),
  "unified": () =>
    createUnified({ apiKey: "sk-anthropic", includeUsage: true })("anthropic/claude-sonnet-4-5"),
};

const prompt = "Is it sunny?";

/** The package with its options, over HTTP to a gateway whose answers are watched. */
function setUp(asked: CacheOptions, options: Options = {}) {
  const { fetch, sent } = nativeApis();
  const rows: LogEntry[] = [];
  const { gateway } = createGateway({ fetch, log: (row) => rows.push(row), ...options });
  const statuses: (string | null)[] = [];
  const own = gateway("default");
  const binding = {
    ...own,
    async run(...args: Parameters<typeof own.run>) {
      const answer = await own.run(...args);
      statuses.push(cacheStatus(answer));
      return answer;
    },
  };
  return { aigateway: createAiGateway({ binding, options: asked }), sent, statuses, rows };
}

for (const [name, model] of Object.entries(MODELS)) {
  Deno.test(`ai-gateway-provider, ${name}: a cached answer is read alike, whole and streamed`, async () => {
    const { aigateway, sent, statuses } = setUp({ cacheKey: "weather" });
    const whole = async () => {
      const { text, usage, finishReason } = await generateText({ model: aigateway(model()), prompt });
      return { text, usage, finishReason };
    };
    const streamed = async () => {
      const { textStream, usage, finishReason } = streamText({ model: aigateway(model()), prompt });
      return {
        deltas: await Array.fromAsync(textStream),
        usage: await usage,
        finishReason: await finishReason,
      };
    };
    const [first, second] = [await whole(), await whole()];
    assertEquals(first.text, ANSWER);
    assertEquals(second, first);
    const [third, fourth] = [await streamed(), await streamed()];
    assertEquals(third.deltas.join(""), ANSWER);
    assertEquals(fourth, third);
    assertEquals([statuses, sent.length], [["MISS", "HIT", "MISS", "HIT"], 2]);
  });
}

Deno.test("ai-gateway-provider: each turn of a conversation with tools is cached by itself", async () => {
  const { aigateway, sent, statuses } = setUp({}, { cache: { ttl: 60 } });
  const weather = tool({
    description: "Today's weather",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => `sunny in ${city}`,
  });
  const ask = async () =>
    (await generateText({
      model: aigateway(MODELS["OpenAI, chat"]()),
      prompt,
      tools: { weather },
      stopWhen: isStepCount(3),
    })).steps.map(({ text, toolCalls, finishReason }) => ({
      text,
      finishReason,
      calls: toolCalls.map(({ toolName, input }) => ({ toolName, input })),
    }));
  const [first, second] = [await ask(), await ask()];
  assertEquals(second, first);
  assertEquals(first.map(({ finishReason }) => finishReason), ["tool-calls", "stop"]);
  assertEquals([statuses, sent.length], [["MISS", "MISS", "HIT", "HIT"], 2]);
});

Deno.test("ai-gateway-provider: cacheTtl, skipCache and metadata mean what they mean at Cloudflare", async () => {
  const cases: [CacheOptions, Options["cache"], (string | null)[]][] = [
    [{ cacheTtl: 600 }, undefined, [null, null]],
    [{ cacheTtl: 600 }, { ttl: 60 }, ["MISS", "HIT"]],
    [{ cacheKey: "k", cacheTtl: 600 }, undefined, ["MISS", "HIT"]],
    [{ cacheKey: "k", skipCache: true }, undefined, [null, null]],
    [{ skipCache: true }, { ttl: 60 }, [null, null]],
    [{ metadata: { user: "a" } }, { ttl: 60 }, ["MISS", "HIT"]],
  ];
  for (const [asked, cache, expected] of cases) {
    const { aigateway, statuses, rows } = setUp(asked, { cache });
    for (let at = 0; at < 2; at++) {
      await generateText({ model: aigateway(MODELS["OpenAI, chat"]()), prompt });
    }
    assertEquals(statuses, expected, JSON.stringify([asked, cache]));
    assertEquals(rows.map(({ cached }) => cached), [undefined, expected[1] === "HIT" || undefined]);
    if (asked.metadata) assertEquals(rows[1].metadata, { user: "a" });
  }
});

Deno.test("ai-gateway-provider: a time out of bounds is told by the gateway's error", async () => {
  const { aigateway } = setUp({ cacheKey: "k", cacheTtl: 30 });
  let told = "";
  try {
    await generateText({ model: aigateway(MODELS["OpenAI, chat"]()), prompt, maxRetries: 0 });
  } catch (error) {
    told = `${error} ${JSON.stringify(error)}`;
  }
  assertStringIncludes(told, "cf-aig-cache-ttl must be 0, or a whole number of seconds from 60 to 2678400");
});
