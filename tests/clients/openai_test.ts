/** The official OpenAI SDK as people use it, with the demo and with every wire. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { zodResponseFormat } from "npm:openai@7.57.0/helpers/zod";
import { z } from "npm:zod@4.6.7";
import { createGateway, type Gateway, handler } from "../../mod.ts";
import type { JsonObject } from "../../wires/types.ts";
import {
  type FakeProvider,
  FAKES,
  type Scenario,
  SCENARIOS,
  sseText,
  streamed,
  TEXT,
} from "../wires/shared.ts";

const MESSAGES = [{ role: "user" as const, content: "Hello, world" }];
const HOST = "http://gateway.test";

function clientOf(fetch: Gateway["fetch"], path = "/v1"): OpenAI {
  return new OpenAI({
    apiKey: "key",
    baseURL: HOST + path,
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input, init)),
  });
}

const demo = clientOf(handler).chat.completions;

/** A client with a provider that gives these answers one after another, and what was sent to the provider. */
function clientOfFake(fake: FakeProvider, stream: boolean, ...answers: Scenario[]) {
  const sent: JsonObject[] = [];
  const gateway = createGateway({
    async fetch(_, init) {
      const answer = answers[sent.length];
      sent.push(await new Response(init.body).json());
      if (!stream) return Response.json(fake.whole(answer));
      return streamed(fake, fake.stream(answer));
    },
  });
  return {
    sent,
    completions: clientOf(gateway.fetch).chat.completions,
    model: `${fake.provider}/${fake.model}`,
  };
}

// ---------------------------------------------------------------- where

const BASES = [
  "/v1",
  "",
  "/compat",
  "/v1/0123abcd/my-gateway/compat",
  "/v1/0123abcd/my-gateway/compat/v1",
  // Cloudflare's documentation gives the whole path, and the SDK appends its own path to it.
  "/v1/0123abcd/my-gateway/compat/chat/completions",
];

for (const base of BASES) {
  Deno.test(`create() works with baseURL "…${base}", whole and streamed`, async () => {
    const { completions } = clientOf(handler, base).chat;
    const whole = await completions.create({ model: "demo/echo", messages: MESSAGES });
    assertEquals(whole.choices[0].message.content, "Hello, world");
    const pieces: string[] = [];
    for await (
      const chunk of await completions.create({ model: "demo/echo", messages: MESSAGES, stream: true })
    ) {
      pieces.push(chunk.choices[0].delta.content ?? "");
    }
    assertEquals(pieces.join(""), "Hello, world");
  });
}

Deno.test("models.list() has the demo's models under the names that create() accepts", async () => {
  const models = await Array.fromAsync(clientOf(handler).models.list());
  assert(models.some(({ id }) => id === "demo/echo"), JSON.stringify(models));
});

Deno.test("withResponse() shows the dropped fields", async () => {
  const anthropic = FAKES.find(({ provider }) => provider === "anthropic")!;
  const { completions, model } = clientOfFake(anthropic, false, TEXT);
  const { response } = await completions.create({ model, messages: MESSAGES, seed: 7 }).withResponse();
  assertEquals(response.headers.get("sluice-dropped"), "seed");
});

// ---------------------------------------------------------------- helpers of the SDK

const City = z.object({
  name: z.string(),
  size: z.enum(["small", "large"]),
  founded: z.number().int().nullable(),
  districts: z.array(z.object({ name: z.string(), people: z.number() })),
});

Deno.test("parse() gets what the schema asks for from the demo", async () => {
  const response_format = zodResponseFormat(City, "city");
  const answer = await demo.parse({ model: "demo/echo", messages: MESSAGES, response_format });
  assertEquals(City.parse(answer.choices[0].message.parsed), answer.choices[0].message.parsed);
});

for (const fake of FAKES) {
  Deno.test(`parse() reads JSON from ${fake.name ?? fake.provider}, whole and streamed`, async () => {
    const response_format = zodResponseFormat(z.object({ city: z.string() }), "place");
    const answer: Scenario = { ...TEXT, text: ['{"city": "Zü', 'rich"}'] };
    for (const stream of [false, true]) {
      const { completions, model } = clientOfFake(fake, stream, answer);
      const request = { model, messages: MESSAGES, response_format };
      const { choices: [{ message }] } = stream
        ? await completions.stream(request).finalChatCompletion()
        : await completions.parse(request);
      assertEquals(message.parsed, { city: "Zürich" });
    }
  });

  for (const stream of [false, true]) {
    Deno.test(`runTools() calls functions for ${fake.name ?? fake.provider}, ${stream ? "streamed" : "whole"}`, async () => {
      const calls = SCENARIOS.find(({ name }) => name === "parallel calls")!;
      const { completions, model, sent } = clientOfFake(fake, stream, calls, TEXT);
      const asked: unknown[] = [];
      const tool = (name: string) => ({
        type: "function" as const,
        function: {
          name,
          description: name,
          parameters: { type: "object", properties: {} },
          parse: JSON.parse,
          function: (args: unknown) => {
            asked.push([name, args]);
            return `${name} says 7`;
          },
        },
      });
      const request = { model, messages: MESSAGES, tools: [tool("weather"), tool("clock")] };
      const runner = stream ? completions.runTools({ ...request, stream }) : completions.runTools(request);
      assertEquals(await runner.finalContent(), TEXT.text!.join(""));
      assertEquals(asked, [["weather", { city: "Zürich" }], ["clock", { zone: "CET" }]]);
      assertEquals(sent.length, 2);
      for (const result of ["weather says 7", "clock says 7"]) {
        assertStringIncludes(JSON.stringify(sent[1]), result);
      }
    });
  }
}

for (const stream of [false, true]) {
  Deno.test(`runTools() runs on the demo, ${stream ? "streamed" : "whole"}`, async () => {
    const request = {
      model: "demo/echo",
      messages: MESSAGES,
      tool_choice: "required" as const,
      tools: [{
        type: "function" as const,
        function: {
          name: "twice",
          description: "Says a text twice",
          parameters: {
            type: "object",
            properties: { text: { type: "string" } },
            required: ["text"],
            additionalProperties: false,
          },
          parse: (json: string) => z.object({ text: z.string() }).strict().parse(JSON.parse(json)),
          function: ({ text }: { text: string }) => `${text}! ${text}!`,
        },
      }],
    };
    const runner = stream ? demo.runTools({ ...request, stream }) : demo.runTools(request);
    assertStringIncludes(await runner.finalContent() ?? "", "Hello, world! Hello, world!");
  });
}

// ---------------------------------------------------------------- bad days

const CLASSES = [
  [400, OpenAI.BadRequestError],
  [401, OpenAI.AuthenticationError],
  [403, OpenAI.PermissionDeniedError],
  [404, OpenAI.NotFoundError],
  [409, OpenAI.ConflictError],
  [422, OpenAI.UnprocessableEntityError],
  [429, OpenAI.RateLimitError],
  [500, OpenAI.InternalServerError],
  [503, OpenAI.InternalServerError],
] as const;

for (const [status, Class] of CLASSES) {
  Deno.test(`demo/status-${status} throws ${Class.name}, whole and streamed`, async () => {
    for (const stream of [false, true]) {
      const ask = () => demo.create({ model: `demo/status-${status}`, messages: MESSAGES, stream });
      const error: unknown = await assertRejects(ask, Class);
      assert(error instanceof OpenAI.APIError);
      assertEquals(error.status, status);
      assertEquals(typeof error.type, "string");
    }
  });
}

Deno.test("the gateway's own refusals have class, code and param", async () => {
  const unreachable = createGateway({ fetch: () => Promise.reject(new TypeError("no route to host")) });
  const cases = [
    {
      fetch: handler,
      model: "opnai/gpt-5-mini",
      Class: OpenAI.BadRequestError,
      param: "model",
      says: "openai",
    },
    { fetch: handler, model: "my-model", Class: OpenAI.BadRequestError, param: "model", says: "provider" },
    {
      fetch: unreachable.fetch,
      model: "openai/m",
      Class: OpenAI.InternalServerError,
      param: null,
      says: "openai",
    },
  ];
  for (const { fetch, model, Class, param, says } of cases) {
    const ask = () => clientOf(fetch).chat.completions.create({ model, messages: MESSAGES });
    const error: InstanceType<typeof OpenAI.APIError> = await assertRejects(ask, Class);
    assertStringIncludes(error.message, says);
    assertEquals(error.param, param);
    assert(error.code, error.message);
  }
});

Deno.test("an error in mid-stream and a broken stream are thrown after the content before them", async () => {
  for (const [model, Class] of [["demo/error", OpenAI.APIError], ["demo/cut", Error]] as const) {
    let text = "";
    const read = async () => {
      for await (const { choices } of await demo.create({ model, messages: MESSAGES, stream: true })) {
        text += choices[0].delta.content ?? "";
      }
    };
    await assertRejects(read, Class);
    assert(text !== "" && MESSAGES[0].content.startsWith(text), `${model}: ${text}`);
  }
});

Deno.test("abort() ends the wait for an answer, and the provider's work", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const gateway = createGateway({
    fetch: (_, { signal }) =>
      new Promise((_, reject) => {
        ask();
        signal!.addEventListener("abort", () => {
          leave();
          reject(signal!.reason);
        });
      }),
  });
  const leaving = new AbortController();
  const request = { model: "anthropic/claude-sonnet-4-5", messages: MESSAGES };
  const answer = clientOf(gateway.fetch).chat.completions.create(request, { signal: leaving.signal });
  await asked;
  leaving.abort();
  // In one process the gateway answers 499. Over a network the SDK hears nothing more and throws APIUserAbortError.
  await assertRejects(() => answer, OpenAI.APIError);
  await left;
});

Deno.test("abort() in mid-stream ends the provider's work", async () => {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const anthropic = FAKES.find(({ provider }) => provider === "anthropic")!;
  const begun = new TextEncoder().encode(sseText(anthropic.stream(TEXT).slice(0, 4)));
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(begun),
    cancel: () => resolve(),
  });
  const headers = { "content-type": "text/event-stream" };
  const gateway = createGateway({ fetch: () => Promise.resolve(new Response(body, { headers })) });
  const request = { model: "anthropic/claude-sonnet-4-5", messages: MESSAGES, stream: true as const };
  const stream = await clientOf(gateway.fetch).chat.completions.create(request);
  for await (const { choices } of stream) if (choices[0].delta.content) stream.controller.abort();
  await left;
});
