/**
 * Answers as providers and the proxies before them really send them: in any pieces, with any content type, cut
 * anywhere.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { events, inPieces, type Json, lab, readEvents, sse } from "./lab.ts";

const EVENTS = { "content-type": "text/event-stream" };
const USER = { role: "user", content: "Hi" };

interface Wire {
  model: string;
  /** An answer that says "Grüße 👋" and calls `f` with `{"id":…}`. */
  stream: (Json | string)[];
  whole: Json;
  named: boolean;
}

const CLAUDE_HEAD = { id: "msg_1", type: "message", role: "assistant", model: "claude-x" };
const GOOGLE_PARTS = [{ text: "Grüße " }, { text: "👋" }, {
  functionCall: { id: "c1", name: "f", args: { x: [1] } },
}];
const google = (parts: Json[], more: Json = {}) => ({
  candidates: [{ content: { role: "model", parts }, ...more }],
  usageMetadata: {
    promptTokenCount: 9,
    candidatesTokenCount: 5,
    thoughtsTokenCount: 2,
    cachedContentTokenCount: 4,
  },
  responseId: "r1",
  modelVersion: "gemini-x",
});

const WIRES: Wire[] = [{
  model: "anthropic/claude-sonnet-4-5",
  named: true,
  stream: [
    {
      type: "message_start",
      message: {
        ...CLAUDE_HEAD,
        content: [],
        usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 1 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Grüße " } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "👋" } },
    { type: "content_block_stop", index: 0 },
    {
      type: "content_block_start",
      index: 1,
      content_block: { type: "tool_use", id: "c1", name: "f", input: {} },
    },
    { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"x":' } },
    { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "[1]}" } },
    { type: "content_block_stop", index: 1 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 7 } },
    { type: "message_stop" },
  ],
  whole: {
    ...CLAUDE_HEAD,
    content: [{ type: "text", text: "Grüße 👋" }, {
      type: "tool_use",
      id: "c1",
      name: "f",
      input: { x: [1] },
    }],
    stop_reason: "tool_use",
    usage: { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 7 },
  },
}, {
  model: "google-ai-studio/gemini-2.5-flash",
  named: false,
  stream: [
    google([GOOGLE_PARTS[0]]),
    google([GOOGLE_PARTS[1]]),
    google([GOOGLE_PARTS[2]], { finishReason: "STOP" }),
  ],
  whole: google(GOOGLE_PARTS, { finishReason: "STOP" }),
}, {
  model: "cohere/command-a-plus",
  named: true,
  stream: [
    { type: "message-start", id: "c1", delta: { message: { role: "assistant" } } },
    { type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "" } } } },
    { type: "content-delta", index: 0, delta: { message: { content: { text: "Grüße " } } } },
    { type: "content-delta", index: 0, delta: { message: { content: { text: "👋" } } } },
    { type: "content-end", index: 0 },
    {
      type: "tool-call-start",
      index: 0,
      delta: {
        message: { tool_calls: { id: "c1", type: "function", function: { name: "f", arguments: "" } } },
      },
    },
    {
      type: "tool-call-delta",
      index: 0,
      delta: { message: { tool_calls: { function: { arguments: '{"x":' } } } },
    },
    {
      type: "tool-call-delta",
      index: 0,
      delta: { message: { tool_calls: { function: { arguments: "[1]}" } } } },
    },
    { type: "tool-call-end", index: 0 },
    {
      type: "message-end",
      delta: {
        finish_reason: "TOOL_CALL",
        usage: { tokens: { input_tokens: 9, output_tokens: 7 }, cached_tokens: 4 },
      },
    },
    "[DONE]",
  ],
  whole: {
    id: "c1",
    message: {
      role: "assistant",
      content: [{ type: "text", text: "Grüße 👋" }],
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"x":[1]}' } }],
    },
    finish_reason: "TOOL_CALL",
    usage: { tokens: { input_tokens: 9, output_tokens: 7 }, cached_tokens: 4 },
  },
}];

// deno-lint-ignore no-explicit-any -- Answers are compared as they are.
type Any = any;

/** The content of an answer, whole or read by the official SDK. */
function gist({ choices: [{ message, finish_reason }], usage }: Any) {
  const calls = message.tool_calls.map((
    { id, function: { name, arguments: args } }: Any,
  ) => [id, name, args]);
  return { text: message.content, calls, finish_reason, usage };
}

const USAGE = {
  prompt_tokens: 9,
  completion_tokens: 7,
  total_tokens: 16,
  prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0, audio_tokens: 0 },
};

for (const { model, stream, whole, named } of WIRES) {
  const text = sse(stream, named);
  const reasoning_tokens = model.startsWith("google") ? 2 : 0;
  const SAID = {
    text: "Grüße 👋",
    calls: [["c1", "f", '{"x":[1]}']],
    finish_reason: "tool_calls",
    usage: { ...USAGE, completion_tokens_details: { reasoning_tokens, audio_tokens: 0 } },
  };
  const streamed = async (play: () => Response) => {
    const body = { model, messages: [USER], stream_options: { include_usage: true } } as Any;
    return gist(await lab(play).openai.chat.completions.stream(body).finalChatCompletion());
  };

  Deno.test(`${model} gives the same answer whole, streamed, in pieces of any size and with any content type`, async () => {
    const made = await lab(() => Response.json(whole)).openai.chat.completions.create(
      { model, messages: [USER] } as Any,
    );
    assertEquals(gist(made), SAID);
    for (const size of [1, 2, 3, 7, 64, 1e6]) {
      assertEquals(await streamed(() => new Response(inPieces(text, size), { headers: EVENTS })), SAID);
    }
    for (const eol of ["\r\n", "\r"]) {
      const other = "\ufeff: a comment\n\n".replaceAll("\n", eol) + text.replaceAll("\n", eol);
      assertEquals(await streamed(() => new Response(inPieces(other, 5), { headers: EVENTS })), SAID);
    }
    for (
      const type of [
        "text/plain",
        "application/octet-stream",
        "application/json",
        "Text/Event-Stream; charset=UTF-8",
      ]
    ) {
      assertEquals(
        await streamed(() => new Response(text, { headers: { "content-type": type } })),
        SAID,
        type,
      );
    }
    for (const type of ["text/plain", "application/octet-stream", "Application/JSON"]) {
      const body = JSON.stringify(whole);
      assertEquals(
        await streamed(() => new Response(body, { headers: { "content-type": type } })),
        SAID,
        type,
      );
    }
    assertEquals(await streamed(() => new Response(inPieces(text, 1))), SAID);
  });

  Deno.test(`${model} answering with a stream although none was asked for gives a whole answer`, async () => {
    const { post } = lab(() => events(text));
    const response = await post({ model, messages: [USER] });
    assertMatch(response.headers.get("content-type")!, /^application\/json/);
    assertEquals(gist(await response.json()), SAID);
    const cut = await lab(() => events(sse(stream.slice(0, 2), named))).post({ model, messages: [USER] });
    assertEquals(cut.status, 502);
  });

  Deno.test(`${model} streams one role, one finish, one [DONE], and usage only when asked`, async () => {
    for (const include_usage of [true, false, undefined]) {
      const { post } = lab(() => events(text));
      const options = include_usage === undefined ? {} : { stream_options: { include_usage } };
      const { chunks, done, last } = await readEvents(
        await post({ model, messages: [USER], stream: true, ...options }),
      );
      assertEquals([done, last], [1, "[DONE]"]);
      const choices = chunks.flatMap((chunk) => chunk.choices as Any[]);
      assertEquals(choices.filter(({ delta }) => delta.role).length, 1);
      assertEquals(choices.filter(({ finish_reason }) => finish_reason).length, 1);
      assertEquals(choices.at(-1).finish_reason, "tool_calls");
      assertEquals(chunks.filter(({ usage }) => usage).length, include_usage ? 1 : 0);
      const named = choices.findIndex(({ delta }) => delta.tool_calls?.[0].function.name);
      const argued = choices.findIndex(({ delta }) => delta.tool_calls?.[0].function.arguments);
      assert(named >= 0 && named < argued);
    }
  });

  Deno.test(`${model} cut off after any event gives an error and nothing after it`, async () => {
    for (let kept = 0; kept < stream.length - (stream.at(-1) === "[DONE]" ? 2 : 1); kept++) {
      // Anthropic's message is complete once its stop reason has come.
      if ((stream[kept - 1] as Json | undefined)?.type === "message_delta") continue;
      const { openai, post } = lab(() => events(sse(stream.slice(0, kept), named)));
      const body = { model, messages: [USER], stream: true, stream_options: { include_usage: true } };
      const { done, chunks } = await readEvents(await post(body));
      assertEquals(done, 0);
      assert(chunks.at(-1)!.error);
      assertEquals(chunks.filter((chunk) => chunk.error || chunk.usage).length, 1);
      await assertRejects(
        () => openai.chat.completions.stream(body as Any).finalChatCompletion(),
        OpenAI.APIError,
      );
    }
  });

  Deno.test(`${model} answering with nothing, half an answer or an HTML page gives one clear error`, async () => {
    const half = JSON.stringify(whole).slice(0, 60);
    for (const stream of [true, false]) {
      for (const said of ["", half, "<!doctype html><p>Bad gateway", "null", "[]", '"text"', "{}", "42"]) {
        for (const type of ["application/json", "text/html", ""]) {
          const { post } = lab(() => new Response(said, { headers: type ? { "content-type": type } : {} }));
          const response = await post({ model, messages: [USER], stream });
          const { error } = await response.json();
          assertEquals([response.status, typeof error.message], [502, "string"], `${said} ${type}`);
        }
      }
    }
  });
}

// ---------------------------------------------------------------- what answers hold

Deno.test("the digits of a number that a double cannot hold are kept, in answers and in the next request", async () => {
  const input =
    '{"id":12345678901234567890,"list":[-9007199254740993],"near":9007199254740991,"x":0.1234567890123456789}';
  const body = { ...WIRES[0].whole, content: [{ type: "tool_use", id: "c1", name: "f", input: "INPUT" }] };
  const { post, asked } = lab(() => new Response(JSON.stringify(body).replace('"INPUT"', input)));
  const { choices: [{ message }] } = await (await post({ model: WIRES[0].model, messages: [USER] })).json();
  const { arguments: text } = message.tool_calls[0].function;
  assertEquals(text, input.replace("0.1234567890123456789", String(0.1234567890123456789)));
  const result = { role: "tool", tool_call_id: "c1", content: "1" };
  await post({ model: WIRES[0].model, messages: [USER, message, result] });
  assert(asked[1].text.includes(`"input":${text}`));
});

Deno.test("arguments of five megabytes come through, whole and streamed, and cost no more than their length", async () => {
  const big = JSON.stringify({ text: 'ü\\"'.repeat(1_250_000) });
  const [{ model, stream }] = WIRES;
  const list = stream.map((event) =>
    (event as Any).delta?.partial_json === "[1]}"
      ? { ...(event as Json), delta: { type: "input_json_delta", partial_json: big.slice(1) } }
      : event
  ).map((event) =>
    (event as Any).delta?.partial_json === '{"x":'
      ? { ...(event as Json), delta: { type: "input_json_delta", partial_json: "{" } }
      : event
  );
  const { openai } = lab(() => events(sse(list, true)));
  const message =
    (await openai.chat.completions.stream({ model, messages: [USER] } as Any).finalChatCompletion())
      .choices[0].message as Any;
  assert(message.tool_calls[0].function.arguments === big);
});

Deno.test("the client can join a character in two halves, and escapes cut in the middle", async () => {
  const pieces = ['{"a":"\\ud8', "3d\\ude0", "0", " \ud83d", "\ude00", '"}'];
  const [{ model, stream }] = WIRES;
  const at = stream.findIndex((event) => (event as Any).delta?.partial_json);
  const list = [
    ...stream.slice(0, at),
    ...pieces.map((partial_json) => ({
      type: "content_block_delta",
      index: 1,
      delta: { type: "input_json_delta", partial_json },
    })),
    ...stream.slice(at + 2),
  ];
  for (const size of [1, 1e6]) {
    const { openai } = lab(() =>
      new Response(inPieces(sse(list as Json[], true), size), { headers: EVENTS })
    );
    const message =
      (await openai.chat.completions.stream({ model, messages: [USER] } as Any).finalChatCompletion())
        .choices[0].message as Any;
    assertEquals(JSON.parse(message.tool_calls[0].function.arguments), { a: "😀 😀" });
  }
});

Deno.test("Gemini's candidates come as choices, each with its own text, calls and reason", async () => {
  const step = (list: [index: number, part: Json, more?: Json][]) => ({
    candidates: list.map(([index, part, more]) => ({
      index,
      content: { role: "model", parts: [part] },
      ...more,
    })),
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4, totalTokenCount: 7 },
  });
  const call = (name: string) => ({ functionCall: { name, args: { of: name } } });
  const list = [
    step([[0, { text: "A" }], [1, { text: "x" }]]),
    step([[1, { text: "y" }]]),
    step([[1, call("one")], [0, { text: "B" }, { finishReason: "MAX_TOKENS" }]]),
    step([[1, call("two"), { finishReason: "STOP" }]]),
  ];
  const body = { model: "google/gemini-2.5-flash", n: 2, messages: [USER] } as Any;
  const { openai, asked } = lab(() => events(sse(list)));
  const { choices, usage } = await openai.chat.completions.stream({
    ...body,
    stream_options: { include_usage: true },
  })
    .finalChatCompletion() as Any;
  assertEquals((asked[0].body.generationConfig as Json).candidateCount, 2);
  assertEquals(choices.map((choice: Any) => [choice.index, choice.message.content, choice.finish_reason]), [
    [0, "AB", "length"],
    [1, "xy", "tool_calls"],
  ]);
  const calls = choices[1].message.tool_calls.map((
    { function: { name, arguments: args } }: Any,
  ) => [name, args]);
  assertEquals(calls, [["one", '{"of":"one"}'], ["two", '{"of":"two"}']]);
  assertEquals(new Set(choices[1].message.tool_calls.map((one: Any) => one.id)).size, 2);
  assertEquals(usage.total_tokens, 7);
});

Deno.test("a stream of Gemini without candidate 0 has no choice 0", async () => {
  const last = { index: 1, content: { parts: [{ text: "only one" }] }, finishReason: "STOP" };
  const { post } = lab(() => events(sse([{ candidates: [last] }])));
  const response = await post({ model: "google/gemini-2.5-flash", n: 2, stream: true, messages: [USER] });
  const chunks = (await response.text()).split("\n\n").filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)));
  assertEquals(chunks.flatMap(({ choices }) => choices.map(({ index }: Json) => index)), [1, 1, 1]);
  assertEquals(chunks[0].choices[0].delta, { role: "assistant", content: "" });
});

Deno.test("pictures and sound from Gemini come out whole and streamed", async () => {
  const parts = [
    { inlineData: { mimeType: "image/png", data: "QUJD" }, thoughtSignature: "Qg==" },
    { text: "See" },
    { inlineData: { mimeType: "audio/L16;rate=24000", data: "REVG" } },
  ];
  const body = { model: "google/gemini-2.5-flash-image", messages: [USER] } as Any;
  const made: Any = await lab(() => Response.json(google(parts, { finishReason: "STOP" }))).openai.chat
    .completions
    .create(body);
  const gathered: Any = (await lab(() => events(sse([google(parts, { finishReason: "STOP" })]))).openai.chat
    .completions.stream(body).finalChatCompletion()).choices[0].message;
  const { message } = made.choices[0];
  assertEquals(message.images, [{
    type: "image_url",
    image_url: { url: "data:image/png;base64,QUJD" },
    extra_content: { google: { thought_signature: "Qg==" } },
  }]);
  assertEquals(gathered.images, message.images);
  assertEquals([message.content, gathered.content], ["See", "See"]);
  assertEquals([message.audio.data, gathered.audio.data], ["REVG", "REVG"]);
});

Deno.test("a client of functions gets one function_call from every provider, whole and streamed", async () => {
  for (const { model, stream, whole, named } of WIRES) {
    const functions = [{ name: "f", parameters: { type: "object", properties: {} } }];
    const body = { model, messages: [USER], functions } as Any;
    const made: Any = await lab(() => Response.json(whole)).openai.chat.completions.create(body);
    const gathered: Any = await lab(() => events(sse(stream, named))).openai.chat.completions.stream(body)
      .finalChatCompletion();
    for (const { choices: [{ message, finish_reason }] } of [made, gathered]) {
      assertEquals(message.function_call, { name: "f", arguments: '{"x":[1]}' }, model);
      assertEquals([message.tool_calls, finish_reason], [undefined, "function_call"], model);
    }
  }
});
