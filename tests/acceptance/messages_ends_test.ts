/** Clients of Anthropic's Messages with any provider: Anthropic's own SDK against strict fakes of several providers. */
import { assert, assertEquals } from "@std/assert";
import { events, type Json } from "./lab.ts";
import { validate } from "./messages_events.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { CLAUDE, COHERE, GEMINI, messagesLab, storedKey, USER, WEATHER } from "./messages_lab.ts";

Deno.test("an answer that fails before it begins is tried at the next model, in one stream of events", async () => {
  const { send, asked } = messagesLab(
    (one) =>
      one.url.hostname.includes("google")
        ? events('data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}\n\n')
        : storedKey(strictCohere([{ text: "Hello" }]).play)(one),
    {
      tokens: ["gateway-token-1234"],
      keys: { "google-ai-studio": "stored-of-google", cohere: "stored-of-cohere" },
    },
  );
  const body = { model: GEMINI, max_tokens: 9, stream: true, messages: [USER] };
  const response = await send(body, {
    "sluice-fallback": COHERE,
    authorization: "Bearer gateway-token-1234",
  });
  const text = await response.text();
  assert(response.ok, text);
  assertEquals([asked.length, validate(text)], [2, "whole"]);
  assert(text.includes("Hello"));
});

for (
  const [model, fake] of [
    [CLAUDE, strictAnthropic([[{ type: "text", text: "Hello" }]])],
    [GEMINI, strictGoogle([[{ text: "Hello" }]])],
  ] as const
) {
  for (const stream of [false, true]) {
    Deno.test(`the log has the usage and the model of ${model} on Messages paths (stream: ${stream})`, async () => {
      const { send, logged } = messagesLab(fake.play);
      await (await send({ model, max_tokens: 9, stream, messages: [USER] })).text();
      const [entry] = logged as Json[];
      assertEquals([entry.status, entry.stream, entry.path], [200, stream, "/v1/messages"]);
      assertEquals(`${entry.provider}/${entry.model}`, model);
      assert(
        (entry.inputTokens as number) >= 20 && (entry.outputTokens as number) >= 11,
        JSON.stringify(entry),
      );
    });
  }
}

Deno.test("a stream that breaks off ends with an error, and never with a clean end", async () => {
  const broken = new ReadableStream({
    start(controller) {
      const first = { candidates: [{ content: { role: "model", parts: [{ text: "Hel" }] } }] };
      controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(first)}\n\n`));
    },
    pull: (controller) => controller.error(new Error("gone")),
  });
  const { send } = messagesLab(() =>
    new Response(broken, { headers: { "content-type": "text/event-stream" } })
  );
  const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
  assertEquals(validate(await response.text()), "error");
});

Deno.test("the provider's request is cancelled when the client leaves its stream", async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    pull(controller) {
      const piece = { candidates: [{ content: { role: "model", parts: [{ text: "la " }] } }] };
      controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(piece)}\n\n`));
    },
    cancel: () => void (cancelled = true),
  });
  const { send } = messagesLab(() =>
    new Response(endless, { headers: { "content-type": "text/event-stream" } })
  );
  const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  assert(cancelled);
});

Deno.test("the answer names dropped fields, and strict refuses them", async () => {
  const { send } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  const body = {
    model: GEMINI,
    max_tokens: 9,
    container: "c",
    messages: [USER],
    tool_choice: { type: "auto" },
  };
  assertEquals((await send(body)).headers.get("sluice-dropped"), "container");
  const strict = await send(body, { "sluice-strict": "true" });
  assertEquals([strict.status, (await strict.json()).error.type], [400, "invalid_request_error"]);
});

Deno.test("strict refuses no hint that changes no answer: what agents mark for caches, and whom they say they are", async () => {
  const cache_control = { type: "ephemeral" };
  const marked = (text: string) => [{ type: "text", text, cache_control }];
  const messages = {
    max_tokens: 9,
    metadata: { user_id: JSON.stringify({ device_id: "d", account_uuid: "", session_id: "s" }) },
    system: marked("You are an agent."),
    tools: [{ ...WEATHER, cache_control }],
    messages: [{ role: "user", content: marked("Hi") }],
  };
  const chat = {
    prompt_cache_key: "s",
    prompt_cache_retention: "24h",
    messages: [{ role: "system", content: marked("Be brief.") }, { role: "user", content: marked("Hi") }],
  };
  const responses = { prompt_cache_key: "s", store: false, input: "Hi" };
  const doors: [string, Json, Json][] = [
    ["messages", messages, { container: "c" }],
    ["chat/completions", chat, { logit_bias: { "1": 1 } }],
    ["responses", responses, { max_tool_calls: 3 }],
  ];
  const fakes = [[GEMINI, strictGoogle([[{ text: "Hi" }]])], [
    COHERE,
    strictCohere([{ text: "Hi" }]),
  ]] as const;
  for (const [model, { play }] of fakes) {
    const { send } = messagesLab(play);
    const strict = async (door: string, body: Json) => {
      const answer = await send({ ...body, model }, { "sluice-strict": "true" }, `/v1/${door}`);
      return {
        status: answer.status,
        dropped: answer.headers.get("sluice-dropped"),
        text: await answer.text(),
      };
    };
    for (const [door, body, loss] of doors) {
      const { status, dropped, text } = await strict(door, body);
      assertEquals([door, status], [door, 200], text);
      assert(dropped!.includes("cache"), door);
      const refused = await strict(door, { ...body, ...loss });
      assertEquals([door, refused.status], [door, 400]);
      // The fault names what is lost, and no hint.
      assert(refused.text.includes(Object.keys(loss)[0]), refused.text);
      assert(!/cache|user_id/.test(refused.text), refused.text);
    }
  }
});

Deno.test("keywords of a tool's schema that Google passes over are a loss to a strict tool alone", async () => {
  const { send, asked } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  const input_schema = {
    ...WEATHER.input_schema,
    properties: { city: { type: "string", maxLength: 9, pattern: "^B" } },
  };
  const ask = async (strict: boolean) => {
    const tools = [{ ...WEATHER, input_schema, strict }];
    const body = { model: GEMINI, max_tokens: 9, messages: [USER], tools };
    const answer = await send(body, { "sluice-strict": "true" });
    return [answer.status, await answer.text()] as const;
  };
  const [status, told] = await ask(false);
  assertEquals(status, 200, told);
  assert(asked[0].text.includes('"maxLength":9'), asked[0].text);
  const [refused, why] = await ask(true);
  assertEquals([refused, asked.length], [400, 1]);
  assert(why.includes("tools[0].input_schema.maxLength"), why);
});
