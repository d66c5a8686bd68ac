/** Marks up to which a prompt is worth keeping, from every client to every provider that has its own form of them. */
import { assertEquals } from "@std/assert";
import { type Json, lab, type Play } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

const MARK = { type: "ephemeral" };
const BREAKPOINT = { mode: "explicit" };
const SCHEMA = { type: "object", properties: {} };

function room(play: Play, options: Parameters<typeof lab>[1] = {}) {
  const one = lab(play, options);
  const send = async (path: string, body: Json) => {
    const response = await one.gateway.fetch(
      new Request(`http://gateway.test/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify(body),
      }),
    );
    const text = await response.text();
    assertEquals(response.status, 200, text);
    return { text, dropped: response.headers.get("sluice-dropped") };
  };
  return { ...one, send };
}

const openai = (options?: Parameters<typeof lab>[1]) => {
  const responses = strictResponses([[{ text: ["Yes"] }]]);
  const chat = strictOpenAI([{ text: "Yes" }]);
  return room((asked) => (asked.url.pathname === "/v1/responses" ? responses : chat).play(asked), options);
};

/** As Claude Code marks its prompt. */
const marked = (model: string, stream: boolean): Json => ({
  model,
  stream,
  max_tokens: 100,
  system: [{ type: "text", text: "s" }, { type: "text", text: "Rules", cache_control: MARK }],
  messages: [
    { role: "user", content: [{ type: "text", text: "Look" }] },
    { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "look", input: {} }] },
    {
      role: "user",
      content: [{
        type: "tool_result",
        tool_use_id: "t1",
        content: "Seen",
        cache_control: { ...MARK, ttl: "1h" },
      }],
    },
  ],
});

for (const stream of [false, true]) {
  Deno.test(`marks of a Messages client are OpenAI's breakpoints over Responses (stream: ${stream})`, async () => {
    const { send, asked } = openai();
    const tools = [{ name: "look", input_schema: SCHEMA }];
    const { dropped } = await send("messages", { ...marked("openai/gpt-5.6", stream), tools });
    const input = asked[0].body.input as Json[];
    assertEquals(input[0].content, [
      { type: "input_text", text: "s" },
      { type: "input_text", text: "Rules", prompt_cache_breakpoint: BREAKPOINT },
    ]);
    assertEquals(input.at(-1)!.output, [
      { type: "input_text", text: "Seen", prompt_cache_breakpoint: BREAKPOINT },
    ]);
    // OpenAI promises half an hour.
    assertEquals(dropped, "messages[2].content[0].cache_control.ttl");
  });

  Deno.test(`marks of a Messages client are OpenAI's breakpoints on chat completions (stream: ${stream})`, async () => {
    const { send, asked } = openai({ providers: { openai: { responses: "never" } } });
    const body = marked("openai/gpt-5.6", stream);
    const { dropped } = await send("messages", { ...body, messages: (body.messages as Json[]).slice(0, 1) });
    assertEquals(asked[0].url.pathname, "/v1/chat/completions");
    assertEquals((asked[0].body.messages as Json[])[0].content, [
      { type: "text", text: "s" },
      { type: "text", text: "Rules", prompt_cache_breakpoint: BREAKPOINT },
    ]);
    assertEquals(dropped, null);
  });

  Deno.test(`a model without breakpoints gets none, and the marks are named (stream: ${stream})`, async () => {
    const { send, asked } = openai();
    for (const model of ["openai/gpt-5.5", "openai/gpt-4o", "openai/gpt-5-pro"]) {
      const { dropped } = await send("messages", marked(model, stream));
      assertEquals(asked.at(-1)!.text.includes("breakpoint"), false, model);
      assertEquals(
        dropped,
        "system[1].cache_control, messages[2].content[0].cache_control",
        model,
      );
    }
  });
}

Deno.test("breakpoints of OpenAI's clients are Claude's marks, the longer lifetime too", async () => {
  const anthropic = strictAnthropic([[{ type: "text", text: "Yes" }]]);
  const { send, asked } = room(anthropic.play);
  const breakpoint = { ...BREAKPOINT, ttl: "12h" };
  await send("chat/completions", {
    model: "anthropic/claude-opus-5-5",
    messages: [
      { role: "system", content: [{ type: "text", text: "s", prompt_cache_breakpoint: BREAKPOINT }] },
      { role: "user", content: [{ type: "text", text: "u", prompt_cache_breakpoint: breakpoint }] },
    ],
  });
  await send("responses", {
    model: "anthropic/claude-opus-5-5",
    input: [
      { role: "system", content: [{ type: "input_text", text: "s", prompt_cache_breakpoint: BREAKPOINT }] },
      { role: "user", content: [{ type: "input_text", text: "u", prompt_cache_breakpoint: breakpoint }] },
    ],
  });
  for (const { body } of asked) {
    assertEquals(body.system, [{ type: "text", text: "s", cache_control: MARK }]);
    assertEquals((body.messages as Json[])[0].content, [
      { type: "text", text: "u", cache_control: { ...MARK, ttl: "1h" } },
    ]);
  }
});

Deno.test("breakpoints that a provider has no form of are named by the client's own path", async () => {
  const { send } = room(() =>
    Response.json({ candidates: [{ content: { parts: [{ text: "Yes" }] }, finishReason: "STOP" }] })
  );
  const { dropped } = await send("responses", {
    model: "google/gemini-3.8-flash",
    input: [{
      role: "user",
      content: [{ type: "input_text", text: "u", prompt_cache_breakpoint: BREAKPOINT }],
    }],
  });
  assertEquals(dropped, "input[0].content[0].prompt_cache_breakpoint");
});

Deno.test("a chat client's marks go over Responses as breakpoints", async () => {
  const { send, asked } = openai();
  const content = [{ type: "text", text: "u", cache_control: MARK }];
  const tools = [{ type: "function", function: { name: "look", parameters: SCHEMA } }];
  await send("chat/completions", { model: "openai/gpt-5.6", messages: [{ role: "user", content }], tools });
  assertEquals((asked[0].body.input as Json[])[0].content, [
    { type: "input_text", text: "u", prompt_cache_breakpoint: BREAKPOINT },
  ]);
});
