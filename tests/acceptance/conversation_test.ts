/** Conversations in every order that OpenAI accepts, and conversations that move from one provider to another. */
import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { type Asked, CLIENTS, type Json, lab } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";

const TOOLS = ["f", "g"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: {} } },
}));

/** The signature of the packed id below. */
const ISSUED = { f: "QUJD", g: "QUJD" };

/** The native APIs, each answering with text. */
const NATIVE = {
  "anthropic/claude-sonnet-4-5": () => strictAnthropic([[{ type: "text", text: "Yes" }]]),
  "anthropic/claude-opus-5": () => strictAnthropic([[{ type: "text", text: "Yes" }]]),
  "google/gemini-3-pro": () => strictGoogle([[{ text: "Yes" }]], { demandsOwn: false, issued: ISSUED }),
  "google/gemini-3.8-flash": () => strictGoogle([[{ text: "Yes" }]], { demandsOwn: false, issued: ISSUED }),
  "google/gemini-3-pro-image": () => strictGoogle([[{ text: "Yes" }]], { demandsOwn: false, issued: ISSUED }),
  "google/gemini-2.5-pro": () => strictGoogle([[{ text: "Yes" }]], { demandsOwn: false, issued: ISSUED }),
  "cohere/command-a-03-2025": () => strictCohere([{ text: "Yes" }]),
  "cohere/command-a-reasoning-08-2025": () => strictCohere([{ text: "Yes" }]),
};

// ---------------------------------------------------------------- every order

const text = fc.constantFrom("", " ", "\n", "Hi", " 👋 ", "\ud83d", "\u0000", "a\u2028b");
const content = fc.oneof(
  text,
  fc.array(text.map((said) => ({ type: "text", text: said })), { maxLength: 3 }),
);
const id = fc.constantFrom(
  "call_0",
  "",
  "a.b",
  "a_b",
  "fc|9/ü",
  "x".repeat(300),
  "toolu_01",
  "call_1__sig_QUJD",
);

/** A step of a conversation: one message, or an assistant's tool calls with all their results in any order. */
const step: fc.Arbitrary<Json[]> = fc.oneof(
  fc.tuple(fc.constantFrom("system", "developer", "user", "user", "assistant"), content)
    .map(([role, said]) => [{ role, content: said }]),
  fc.record({ role: fc.constant("assistant"), content: fc.constant(null) }).map((message) => [message]),
  fc.tuple(fc.option(content), fc.uniqueArray(id, { minLength: 1, maxLength: 3 }), fc.boolean(), content).map(
    ([said, ids, turned, result]) => {
      const calls = ids.map((one, at) => ({
        id: one,
        type: "function",
        function: { name: "fg"[at % 2], arguments: at ? "{}" : "" },
      }));
      const results = ids.map((one) => ({ role: "tool", tool_call_id: one, content: result }));
      return [
        { role: "assistant", content: said, tool_calls: calls },
        ...(turned ? results.reverse() : results),
      ];
    },
  ),
);

for (const [model, provider] of Object.entries(NATIVE)) {
  Deno.test(`${model} accepts conversations in every order`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const messages = [{ role: "user", content: "Begin" }, ...steps.flat(), {
          role: "user",
          content: "End",
        }];
        const { check, play } = provider();
        const { post, asked } = lab(play);
        const response = await post({ model, messages, tools: TOOLS });
        await response.body?.cancel();
        assertEquals([response.status, asked.length && check(asked[0])], [200, undefined]);
        const [begin, end] = ["Begin", "End"].map((said) => asked[0].text.indexOf(`"${said}"`));
        assert(0 <= begin && begin < end, asked[0].text);
      }),
      { numRuns: 100 },
    );
  });

  Deno.test(`${model} accepts a conversation of instructions only, or of blanks`, async () => {
    for (
      const messages of [
        [{ role: "system", content: "Say hi" }],
        [{ role: "developer", content: "Say" }, { role: "system", content: "hi" }],
        [{ role: "user", content: "Hi" }, { role: "assistant", content: "" }],
        [{ role: "user", content: "Hi" }, { role: "system", content: "Be brief" }],
        [{ role: "user", content: "Hi" }, { role: "assistant", content: " \n" }, {
          role: "user",
          content: "Go on",
        }],
        Array.from({ length: 100 }, (_, at) => ({ role: at % 2 ? "assistant" : "user", content: `${at}` }))
          .slice(0, 99),
      ]
    ) {
      const { check, play } = provider();
      const { post, asked } = lab(play);
      const response = await post({ model, messages });
      await response.body?.cancel();
      assertEquals(
        [response.status, check(asked[0])],
        [200, undefined],
        JSON.stringify(messages).slice(0, 80),
      );
    }
  });
}

Deno.test("results with instructions between them stay together", async () => {
  const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
  const messages = [
    { role: "user", content: "Go" },
    { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
    { role: "tool", tool_call_id: "b", content: "2" },
    { role: "system", content: "Be brief" },
    { role: "tool", tool_call_id: "a", content: "1" },
  ];
  for (const model of ["anthropic/claude-sonnet-4-5", "google/gemini-3-pro"] as const) {
    const { check, play } = NATIVE[model]();
    const { post, asked } = lab(play);
    const response = await post({ model, messages, tools: TOOLS });
    await response.body?.cancel();
    assertEquals([response.status, check(asked[0])], [200, undefined]);
  }
});

Deno.test("a conversation with tool calls may continue without tools, and then no tool is called", async () => {
  const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  const messages = [
    { role: "user", content: "Go" },
    { role: "assistant", content: null, tool_calls: [call("a", "f"), call("b", "g"), call("c", "f")] },
    ...["a", "b", "c"].map((id) => ({ role: "tool", tool_call_id: id, content: "1" })),
    { role: "user", content: "Sum up" },
  ];
  for (const [model, provider] of Object.entries(NATIVE)) {
    for (const tools of [undefined, []]) {
      const { check, play } = provider();
      const { post, asked } = lab(play);
      const response = await post({ model, messages, tools });
      await response.body?.cancel();
      assertEquals([response.status, check(asked[0])], [200, undefined], model);
      assertEquals(response.headers.get("sluice-dropped"), null);
      if (!model.startsWith("anthropic")) continue;
      assertEquals((asked[0].body.tools as Json[]).map(({ name }) => name), ["f", "g"]);
      assertEquals(asked[0].body.tool_choice, { type: "none" });
    }
  }
});

// ---------------------------------------------------------------- ids

/** The results of a request: pairs of the called function and its result. */
function answered(model: string, { body }: Asked): [unknown, unknown][] {
  const blocks = (body.messages as Json[] ?? []).flatMap(({ content }) =>
    Array.isArray(content) ? content : []
  );
  if (model.startsWith("anthropic")) {
    const calls = blocks.filter(({ type }) => type === "tool_use");
    return blocks.filter(({ type }) => type === "tool_result").map(({ tool_use_id, content }) => [
      calls.find(({ id }) => id === tool_use_id).input.n,
      Number(content),
    ]);
  }
  if (model.startsWith("google")) {
    const parts = (body.contents as { parts: Json[] }[]).flatMap(({ parts }) => parts);
    const calls = parts.map(({ functionCall }) => functionCall as Json).filter(Boolean);
    return parts.map(({ functionResponse }) => functionResponse as Json).filter(Boolean).map((
      { id, response },
    ) => [
      (calls.find((call) => call.id === id)!.args as Json).n,
      Number((response as Json).output),
    ]);
  }
  const calls = (body.messages as Json[]).flatMap(({ tool_calls }) => (tool_calls ?? []) as Json[]);
  return (body.messages as Json[]).filter(({ role }) => role === "tool").map(({ tool_call_id, content }) => [
    JSON.parse((calls.find(({ id }) => id === tool_call_id)!.function as Json).arguments as string).n,
    Number(content),
  ]);
}

for (const [model, provider] of Object.entries(NATIVE)) {
  Deno.test(`${model} gets each result at its own call, whatever the ids`, async () => {
    const turns = [
      ["call_0", "call_1"],
      ["call_0"], // The ids restart in each turn.
      ["", ""],
      [""],
      ["a.b", "a_b", "a b"],
      ["é", "日", "\ud83d"],
      ["y".repeat(300), "y".repeat(301)],
      ["call_0_2", "call"],
    ];
    let n = 0;
    const messages: Json[] = [{ role: "user", content: "Count" }];
    for (const ids of turns) {
      const first = n;
      const calls = ids.map((id) => ({
        id,
        type: "function",
        function: { name: "f", arguments: JSON.stringify({ n: n++ }) },
      }));
      messages.push(
        { role: "assistant", content: null, tool_calls: calls },
        ...ids.map((id, at) => ({ role: "tool", tool_call_id: id, content: `${first + at}` })),
      );
    }
    const { play, check } = provider();
    const { post, asked } = lab(play);
    const response = await post({ model, messages, tools: TOOLS });
    await response.body?.cancel();
    assertEquals([response.status, check(asked[0])], [200, undefined]);
    const pairs = answered(model, asked[0]);
    assertEquals(pairs, Array.from({ length: n }, (_, at) => [at, at]));
    // The next request begins with this one: ids do not depend on what comes after.
    const next = await post({
      model,
      messages: [...messages, { role: "assistant", content: "16" }, messages[0]],
      tools: TOOLS,
    });
    await next.body?.cancel();
    assertEquals([next.status, check(asked[1])], [200, undefined]);
    assertEquals(answered(model, asked[1]), pairs);
    assert(asked[1].text.startsWith(asked[0].text.slice(0, asked[0].text.lastIndexOf("]"))));
  });
}

// ---------------------------------------------------------------- moving

const SIGNED = "A".repeat(200) + "+/9=";
/** The signature of Claude's thoughts. */
const CLAUDES = "Q2xhdWRlIHNpZ25lZCB0aGlz";
const MOVES: [model: string, provider: { play: (asked: Asked) => Response }][] = [
  [
    "google/gemini-3-pro",
    strictGoogle([[
      { text: "Hm", thought: true },
      { functionCall: { name: "f", args: { n: 1 } }, thoughtSignature: SIGNED },
      { functionCall: { name: "g", args: {} } },
    ]], { demandsOwn: false }),
  ],
  [
    "openai/gpt-5",
    strictOpenAI([{ calls: [{ id: "call_9LongEnoughToBeReal0001", name: "f", args: { n: 2 } }] }]),
  ],
  [
    "anthropic/claude-opus-5",
    strictAnthropic([[
      { type: "thinking", thinking: "Aha", signature: CLAUDES },
      { type: "text", text: "So" },
      { type: "tool_use", id: "toolu_1", name: "g", input: {} },
    ]]),
  ],
  ["mistral/mistral-large", strictOpenAI([{ calls: [{ id: "abcDEF123", name: "f", args: { n: 3 } }] }])],
  [
    "cohere/command-a-reasoning-08-2025",
    strictCohere([{ thinking: "Hm", calls: [{ id: "f_0", name: "f", args: {} }] }]),
  ],
  ["groq/openai/gpt-oss-120b", strictOpenAI([{ calls: [{ id: "fc_1", name: "g", args: {} }] }])],
  [
    "deepseek/deepseek-chat",
    strictOpenAI([{ text: "Done", calls: [{ id: "call_00_x", name: "g", args: {} }] }]),
  ],
];

for (const [name, client] of Object.entries(CLIENTS)) {
  Deno.test(`a conversation moves between all providers with ${name}`, async () => {
    const messages: Json[] = [{ role: "developer", content: "Be brief" }, { role: "user", content: "Go" }];
    /** Whether the client keeps the thoughts that Claude signed. */
    let kept = false;
    // Two rounds, so that each provider gets what every other one answered.
    for (const [at, [model, provider]] of [...MOVES, ...MOVES].entries()) {
      const room = lab(provider.play);
      const message = await client(room, { model, messages, tools: TOOLS });
      const [{ text }] = room.asked;
      if (model.startsWith("anthropic/")) {
        // Claude's own thoughts come back to Claude, unchanged.
        if (at < MOVES.length) kept = JSON.stringify(message).includes(CLAUDES);
        assertEquals(text.includes(`"signature":"${CLAUDES}"`), at >= MOVES.length && kept, model);
      } else if (!/^(openai|deepseek)\//.test(model)) {
        assert(!text.includes(CLAUDES), `${model} got Claude's signature`);
      }
      messages.push(message);
      const calls = message.tool_calls as { id: string; function: { name: string } }[];
      assert(calls.length > 0, model);
      for (const call of calls) {
        messages.push({ role: "tool", tool_call_id: call.id, content: call.function.name });
      }
    }
    assertEquals(kept, !name.includes("drops what it does not know"));
  });
}

for (const stream of [false, true]) {
  Deno.test(`an image model's pictures come back with their signatures${stream ? ", streamed" : ""}`, async () => {
    const drawn = (data: string, thoughtSignature: string) => ({
      inlineData: { mimeType: "image/png", data },
      thoughtSignature,
    });
    const parts = [{ text: "Here", thoughtSignature: "QQ==" }, drawn("QUJD", "Qg=="), drawn("QUJE", "Qw==")];
    const { play, check } = strictGoogle([parts]);
    const { openai, asked, post } = lab(play);
    const model = "google/gemini-3.1-flash-image";
    const first = [{ role: "user", content: "Draw two" }];
    const body = { model, messages: first } as Parameters<typeof openai.chat.completions.stream>[0];
    const { choices: [{ message }] } = stream
      ? await openai.chat.completions.stream(body).finalChatCompletion()
      : await (await post(body)).json();
    const { role, content, images } = message;
    const more = [{ role: "user", content: "Now in red" }];
    for (
      const kept of [message, { role, content, images: images.map(({ image_url }: Json) => ({ image_url })) }]
    ) {
      const response = await post({ model, messages: [...first, kept, ...more] });
      await response.body?.cancel();
      assertEquals([response.status, check(asked.at(-1)!)], [200, undefined]);
    }
    const [whole, bare] = asked.slice(1).map(({ body }) => (body.contents as { parts: Json[] }[])[1].parts);
    assertEquals(whole, parts);
    const standIn = "skip_thought_signature_validator";
    assertEquals(bare, parts.map((part) => ({ ...part, thoughtSignature: standIn })));
  });
}

Deno.test("Gemini's signatures come back from a conversation that began at OpenRouter", async () => {
  const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  const signed = (data: string, id?: string) => ({
    type: "reasoning.encrypted",
    data,
    format: "google-gemini-v1",
    index: 0,
    ...(id && { id }),
  });
  const messages = [
    { role: "user", content: "Go" },
    {
      role: "assistant",
      content: "",
      tool_calls: [call("tool_f_1", "f"), call("tool_g_2", "g")],
      reasoning_details: [
        { type: "reasoning.text", text: "Hm", format: "google-gemini-v1", index: 0 },
        signed("QUJD", "tool_f_1"),
      ],
    },
    { role: "tool", tool_call_id: "tool_f_1", content: "1" },
    { role: "tool", tool_call_id: "tool_g_2", content: "2" },
    { role: "assistant", content: "Done", reasoning_details: [signed("RUZH")] },
    { role: "user", content: "Thanks" },
  ];
  const { post, asked } = lab(strictGoogle([[{ text: "Yes" }]], { issued: { f: "QUJD" } }).play);
  const response = await post({ model: "google/gemini-3-pro", messages, tools: TOOLS });
  await response.body?.cancel();
  assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null]);
  const contents = asked[0].body.contents as { parts: Json[] }[];
  assertEquals(contents[1].parts, [
    { text: "Hm", thought: true },
    { functionCall: { id: "tool_f_1", name: "f", args: {} }, thoughtSignature: "QUJD" },
    { functionCall: { id: "tool_g_2", name: "g", args: {} } },
  ]);
  assertEquals(contents[3].parts, [{ text: "Done", thoughtSignature: "RUZH" }]);
});

Deno.test("members of messages that a provider refuses are left out, and named if they are not empty", async () => {
  const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
  const messages = [
    { role: "developer", content: "Be brief" },
    { role: "user", content: "Go", name: "ada" },
    {
      role: "assistant",
      content: null,
      refusal: null,
      annotations: [],
      reasoning_content: "Hm",
      reasoning_details: [{ type: "reasoning.text", text: "Hm", signature: "c2ln", index: 0 }],
      tool_calls: [{ ...call, extra_content: { google: { thought_signature: "QUJD" } } }],
    },
    { role: "tool", tool_call_id: "c1", content: "1", name: "f" },
  ];
  const lost =
    "messages[2].reasoning_content, messages[2].reasoning_details, messages[2].tool_calls[0].extra_content";
  const cases = [
    ["mistral/m", `messages[1].name, ${lost}`],
    ["groq/m", `${lost}, messages[3].name`],
    ["deepseek/m", null],
    ["openai/m", null],
  ];
  for (const [model, dropped] of cases) {
    const { play, check } = strictOpenAI([{ text: "Yes" }]);
    const { post, asked } = lab(play);
    const response = await post({ model, messages });
    await response.body?.cancel();
    assertEquals([response.status, check(asked[0])], [200, undefined], model!);
    assertEquals(response.headers.get("sluice-dropped"), dropped, model!);
  }
});

Deno.test("the role developer becomes system if a provider does not know it, in long requests too", async () => {
  const user = (length: number) => ({ role: "user", content: "x".repeat(length) });
  for (const provider of ["alibaba", "deepseek", "mistral", "moonshot", "zai"]) {
    for (const length of [1, 300_000]) {
      const { post, asked } = lab(() => Response.json({ choices: [] }));
      const messages = [{ role: "developer", content: "Be brief" }, user(length)];
      const response = await post({ model: `${provider}/m`, messages });
      await response.body?.cancel();
      assertEquals((asked[0].body.messages as Json[]).map(({ role }) => role), ["system", "user"], provider);
      assertEquals(response.headers.get("sluice-dropped"), null);
    }
  }
  const { post, asked } = lab(() => Response.json({ choices: [] }));
  const text = `{"model":"deepseek/m","x":1.0,"messages":[{"role":"user","content":"${
    "x".repeat(300_000)
  }"}]}`;
  await (await post(text)).body?.cancel();
  assertEquals(asked[0].text, text.replace("deepseek/m", "m"));
});

// ---------------------------------------------------------------- names of functions

Deno.test("Gemini's calls come under the client's names, whatever these are, in both turns", async () => {
  const names = [
    "look",
    "2fa_code",
    "a/b",
    "工具",
    `mcp__${"搜".repeat(40)}`,
    `${"n".repeat(139)}a`,
    `${"n".repeat(139)}b`,
    "👋".repeat(30),
  ];
  const tools = names.map((name) => ({ ...TOOLS[0], function: { ...TOOLS[0].function, name } }));
  for (const stream of [false, true]) {
    for (const name of names) {
      let called = "";
      const room = lab((asked) => {
        const declared = (asked.body.tools as { functionDeclarations: { name: string }[] }[])[0];
        called = declared.functionDeclarations[names.indexOf(name)].name;
        const turn = [{ functionCall: { id: "c1", name: called, args: {} }, thoughtSignature: "QUJD" }];
        return strictGoogle([turn]).play(asked);
      });
      const asking = { model: "google/gemini-3-pro", messages: [{ role: "user", content: "Hi" }], tools };
      const response = await room.post({ ...asking, stream });
      const text = await response.text();
      assertEquals(response.status, 200, text);
      const written = JSON.stringify(name).slice(1, -1);
      assert(text.includes(`"name":"${written}"`), `${stream}: ${text}`);
      const toolCall = { id: "c1", type: "function", function: { name, arguments: "{}" } };
      const choice = { type: "function", function: { name } };
      const next = await room.post({
        ...asking,
        tool_choice: choice,
        messages: [
          ...asking.messages,
          { role: "assistant", content: null, tool_calls: [toolCall] },
          { role: "tool", tool_call_id: "c1", content: "r" },
        ],
      });
      assertEquals(next.status, 200, await next.text());
      const [, , { parts: [{ functionResponse }] }] = room.asked[1].body.contents as {
        parts: { functionResponse: Json }[];
      }[];
      assertEquals(functionResponse.name, called);
    }
  }
});
