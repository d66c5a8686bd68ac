/** Clients of Anthropic's Messages with any provider: Anthropic's own SDK against strict fakes of several providers. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import { events, type Json } from "./lab.ts";
import { eventsOf, validate } from "./messages_events.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { mutate, random } from "../mutate.ts";
import { type Any, CLAUDE, COHERE, GEMINI, messagesLab, USER, WEATHER } from "./messages_lab.ts";

const googleTurns = [
  [
    { text: "Which city? ", thought: true },
    { functionCall: { name: "weather", args: { city: "Bern" }, id: "g1" }, thoughtSignature: "c2lnMQ==" },
  ],
  [{ text: "Sunny in Bern.", thoughtSignature: "c2lnMg==" }],
];

// ---------------------------------------------------------------- the SDK

for (
  const [name, model, fake] of [
    ["Gemini", GEMINI, () => strictGoogle([[{ text: "Hello " }, { text: "there" }]])],
    ["Cohere", COHERE, () => strictCohere([{ text: "Hello there" }])],
    ["GPT", "openai/gpt-4.1-mini", () => strictOpenAI([{ text: "Hello there" }])],
    ["Claude", CLAUDE, () => strictAnthropic([[{ type: "text", text: "Hello there" }]])],
  ] as const
) {
  Deno.test(`create() and stream() of Anthropic's SDK read an answer of ${name}`, async () => {
    const { anthropic } = messagesLab(fake().play);
    const body = { model, max_tokens: 100, system: "Be brief.", messages: [USER] };
    const whole = await anthropic.messages.create(body);
    const streamed = await anthropic.messages.stream(body).finalMessage();
    for (const message of [whole, streamed]) {
      assertEquals(message.content.map((block) => block.type === "text" ? block.text : ""), ["Hello there"]);
      assertEquals([message.role, message.type, message.stop_reason], ["assistant", "message", "end_turn"]);
      assert(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
      assert(message.id.startsWith("msg_"));
    }
    const response = await anthropic.messages.create(body).withResponse();
    assert(response.request_id);
  });
}

for (const stream of [false, true]) {
  Deno.test(`the SDK's tool runner calls tools on Gemini, whose signatures come back (stream: ${stream})`, async () => {
    const { anthropic, asked } = messagesLab(strictGoogle(googleTurns).play);
    const cities: string[] = [];
    const runner = anthropic.beta.messages.toolRunner({
      model: GEMINI,
      max_tokens: 1000,
      stream,
      thinking: { type: "adaptive" },
      messages: [{ role: "user", content: "Weather in Bern?" }],
      tools: [{
        ...WEATHER,
        run: ({ city }: Any) => {
          cities.push(city);
          return "sunny";
        },
        parse: (input: unknown) => input,
      } as Any],
    } as Any);
    const final = await (runner as Any).runUntilDone();
    assertEquals(cities, ["Bern"]);
    assertEquals(final.content.at(-1).text, "Sunny in Bern.");
    assertEquals(asked.length, 2);
    const contents = asked[1].body.contents as { role: string; parts: Json[] }[];
    assertEquals(contents[1].parts.map((part) => part.thoughtSignature), [undefined, "c2lnMQ=="]);
  });
}

Deno.test("Claude's own thinking is handed through and back unchanged", async () => {
  const thinking = { type: "thinking", thinking: "I look.", signature: "EqQBc2ln" };
  const use = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Bern" } };
  const fake = strictAnthropic([[thinking, use], [{ type: "text", text: "Sunny" }]]);
  const { anthropic } = messagesLab(fake.play);
  const body = {
    model: CLAUDE,
    max_tokens: 3000,
    thinking: { type: "adaptive" as const },
    tools: [WEATHER],
    messages: [{ role: "user" as const, content: "Weather in Bern?" }] as Anthropic.MessageParam[],
  };
  const first = await anthropic.messages.stream(body).finalMessage();
  assertEquals(first.content as Any, [thinking, use]);
  body.messages.push({ role: "assistant", content: first.content }, {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "sunny" }],
  });
  const second = await anthropic.messages.create(body);
  assertEquals((second.content[0] as Any).text, "Sunny");
});

Deno.test("a conversation moves from Gemini to Claude and back, without proofs of other providers", async () => {
  const google = strictGoogle(googleTurns);
  const claude = strictAnthropic([[
    { type: "thinking", thinking: "own", signature: "EqQBown" },
    { type: "text", text: "It was sunny." },
  ]]);
  const { anthropic, asked } = messagesLab((one) =>
    one.url.hostname === "api.anthropic.com" ? claude.play(one) : google.play(one)
  );
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: "Weather in Bern?" }];
  const ask = async (model: string) => {
    const { content } = await anthropic.messages.create({
      model,
      max_tokens: 3000,
      thinking: { type: "adaptive" },
      tools: [WEATHER],
      messages,
    });
    messages.push({ role: "assistant", content });
    return content;
  };
  const [thought, use] = await ask(GEMINI);
  assert(thought.type === "thinking" && thought.signature.startsWith("slc1."));
  assert(use.type === "tool_use");
  messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "sunny" }] });
  await ask(CLAUDE);
  assert(!asked[1].text.includes("slc1."), asked[1].text);
  assertEquals((asked[1].body.messages as Json[])[1].content, [{
    type: "tool_use",
    id: use.id,
    name: "weather",
    input: { city: "Bern" },
    caller: { type: "direct" },
  }]);
  messages.push({ role: "user", content: "Sure?" });
  await ask(GEMINI);
  assert(!asked[2].text.includes("EqQBown"), asked[2].text);
  assert(asked[2].text.includes("c2lnMQ=="), asked[2].text);
});

Deno.test("mutated streams of a provider give valid events", async () => {
  const pick = random(4711);
  const parts = [
    { text: "t", thought: true, thoughtSignature: "c2ln" },
    { text: "a" },
    { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "c2ln" },
  ];
  const base = {
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 1 },
  };
  let chunks: Json[] = [];
  const { send } = messagesLab(() =>
    events(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(""))
  );
  for (let round = 0; round < 500; round++) {
    chunks = [mutate(base, pick), mutate(base, pick)];
    const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
    const text = await response.text();
    if (response.status >= 400) JSON.parse(text);
    else validate(text);
  }
});

Deno.test("a stream begins with its message and its first event is named", async () => {
  const { send } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  const response = await send({ model: GEMINI, max_tokens: 9, stream: true, messages: [USER] });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals(eventsOf(await response.text())[0].event, "message_start");
});

for (const stream of [false, true]) {
  Deno.test(`demo answers on Messages paths: text, a forced tool, a stop sequence, an error (stream: ${stream})`, async () => {
    const { anthropic } = messagesLab(() => {
      throw new Error("nothing is sent");
    });
    const ask = async (more: Json) => {
      const body = {
        model: "demo/echo",
        max_tokens: 1000,
        messages: [{ role: "user", content: "Hello there" }],
        ...more,
      };
      return stream
        ? await anthropic.messages.stream(body as Any).finalMessage()
        : await anthropic.messages.create(body as Any) as Anthropic.Message;
    };
    const said = await ask({});
    assertEquals([(said.content[0] as Any).text, said.stop_reason], ["Hello there", "end_turn"]);
    assert(said.usage.output_tokens > 0);
    const [use] = (await ask({ tools: [WEATHER], tool_choice: { type: "any" } })).content;
    assert(use.type === "tool_use");
    assertEquals([use.name, typeof (use.input as Json).city], ["weather", "string"]);
    const cut = await ask({ max_tokens: 1 });
    assertEquals(cut.stop_reason, "max_tokens");
    await assertRejects(() => ask({ model: "demo/status-503" }), Anthropic.InternalServerError);
  });
}

Deno.test("a Claude model that is written with dots goes to Anthropic with dashes, at each door", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [] }));
  const messages = [{ role: "user", content: "Hi" }];
  for (const path of ["/v1/messages", "/v1/chat/completions"]) {
    await (await send({ model: "anthropic/claude-sonnet-4.5", max_tokens: 9, messages }, {}, path)).text();
  }
  assertEquals(asked.map(({ body }) => body.model), ["claude-sonnet-4-5", "claude-sonnet-4-5"]);
});
