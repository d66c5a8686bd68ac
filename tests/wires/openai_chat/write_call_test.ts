import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { GatewayError } from "../../../wires/errors.ts";
import { type ChatTakes, openaiChat } from "../../../wires/openai_chat/mod.ts";
import type { Call, JsonObject, Message, Part, Settings, Thought } from "../../../wires/types.ts";

/** A part or a message of a client of another wire. Each has a path in that client's body. */
const at = <T>(path: string, value: T) => ({ ...value, path });
const text = (text: string, path = "p", more: JsonObject = {}): Part =>
  ({ type: "text", text, path, ...more }) as Part;
const user = (path: string, ...parts: Part[]): Message => ({ role: "user", path, parts });
const system = (path: string, ...parts: Part[]): Message => ({ role: "system", path, parts });
const tool = (path: string, callId: string, parts: Part[], error?: boolean): Message => ({
  role: "tool",
  path,
  callId,
  parts,
  error,
});
const assistant = (
  path: string,
  parts: Part[],
  more: Partial<Extract<Message, { role: "assistant" }>> = {},
): Message => ({
  role: "assistant",
  path,
  parts,
  thoughts: [],
  calls: [],
  ...more,
});
const PNG = { mime: "image/png", data: "iVBORw0KGgo=" };
const picture = (path: string): Part => ({ type: "image", media: PNG, mediaPath: `${path}.source`, path });
const PICTURE = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };

function callOf(messages: Message[], settings: Settings = {}, more: Partial<Call> = {}): Call {
  return {
    wire: "anthropic",
    model: "m",
    stream: false,
    includeUsage: false,
    messages,
    settings,
    sent: new Map(Object.keys(settings).map((name) => [name, `their.${name}`])) as Call["sent"],
    dropped: [],
    extra: {},
    ...more,
  };
}

function write(messages: Message[], settings: Settings = {}, takes?: ChatTakes, more: Partial<Call> = {}) {
  const { body, dropped, toolNames, clientPath } = openaiChat.writeCall(
    callOf(messages, settings, more),
    takes,
  );
  const { model: _, ...rest } = JSON.parse(JSON.stringify(body));
  return { body: rest, messages: rest.messages, dropped, toolNames, clientPath: clientPath! };
}

const ASK = [user("messages[0]", text("Hi", "messages[0].content[0]"))];

// ---------------------------------------------------------------- messages

Deno.test("openaiChat.writeCall() keeps system, user and assistant turns in their place", () => {
  const { messages, dropped } = write([
    system("system", text("a", "system[0]"), text("b", "system[1]")),
    { role: "developer", path: "d", parts: [text("c")], name: "n" },
    user("u0", text("d"), text(""), text("e")),
    assistant("a0", [text("f"), text("g"), { type: "refusal", text: "h", path: "r" }]),
    system("s1", text("i")),
    user("u1", text("j"), picture("u1.content[1]")),
  ]);
  assertEquals(messages, [
    { role: "system", content: "a\n\nb" },
    { role: "developer", content: "c", name: "n" },
    { role: "user", content: "d\n\ne" },
    { role: "assistant", content: "fgh" },
    { role: "system", content: "i" },
    { role: "user", content: [{ type: "text", text: "j" }, PICTURE] },
  ]);
  assertEquals(dropped, []);
});

Deno.test("openaiChat.writeCall() writes each kind of media, and names what it cannot", () => {
  const file = (media: JsonObject, name?: string): Part =>
    ({ type: "file", media, mediaPath: "f.source", path: "f", name }) as Part;
  const encoded = btoa("plain");
  const cases: [Part, JsonObject | undefined][] = [
    [
      at("i", {
        type: "image",
        media: { url: "https://a.example/b" },
        mediaPath: "i.source",
        detail: "low",
      }) as Part,
      {
        type: "image_url",
        image_url: { url: "https://a.example/b", detail: "low" },
      },
    ],
    [at("i", { type: "image", media: { id: "file_1" }, mediaPath: "f.source" }) as Part, undefined],
    [at("v", { type: "video", media: { url: "https://a.example/v" }, mediaPath: "v.source" }) as Part, {
      type: "video_url",
      video_url: { url: "https://a.example/v" },
    }],
    [at("s", { type: "audio", media: { mime: "audio/mpeg", data: "QQ==" }, mediaPath: "s.source" }) as Part, {
      type: "input_audio",
      input_audio: { data: "QQ==", format: "mp3" },
    }],
    [
      at("s", { type: "audio", media: { mime: "audio/x-wav", data: "QQ==" }, mediaPath: "s.source" }) as Part,
      {
        type: "input_audio",
        input_audio: { data: "QQ==", format: "wav" },
      },
    ],
    [
      at("s", { type: "audio", media: { url: "https://a.example/s" }, mediaPath: "f.source" }) as Part,
      undefined,
    ],
    [file({ mime: "text/plain", data: encoded }, "a.txt"), { type: "text", text: "a.txt:\nplain" }],
    [file({ mime: "application/json", data: encoded }), { type: "text", text: "plain" }],
    [file({ mime: "text/plain", data: "/w==" }), {
      type: "file",
      file: { filename: "document.bin", file_data: "data:text/plain;base64,/w==" },
    }],
    [file({ mime: "application/pdf", data: "JVBERi0=" }), {
      type: "file",
      file: { filename: "document.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
    }],
    [file(PNG), PICTURE],
    [file({ url: "https://a.example/f.pdf" }), undefined],
    [file({ id: "file_1" }), undefined],
    [at("f.source", { type: "native", value: { type: "container_upload" } }) as Part, undefined],
  ];
  for (const [part, written] of cases) {
    const { messages, dropped } = write([user("u", text("x"), part)]);
    if (written === undefined) {
      assertEquals([messages[0].content, dropped], ["x", ["f.source"]], JSON.stringify(part));
    } else if (written.type === "text") {
      assertEquals([messages[0].content, dropped], [`x\n\n${written.text}`, []]);
    } else assertEquals([messages[0].content[1], dropped], [written, []], JSON.stringify(part));
  }
  // Files and parts of a chat client belong to its provider.
  const own = [file({ id: "file_1" }), at("n", { type: "native", value: { type: "x", y: 1 } }) as Part];
  assertEquals(write([user("u", ...own)], {}, {}, { wire: "openai" }).messages[0].content, [
    { type: "file", file: { file_id: "file_1" } },
    { type: "x", y: 1 },
  ]);
});

const CALLS = ["a", "b"].map((id) => ({
  id,
  name: `do_${id}`,
  arguments: id === "a" ? '{"x":1}' : "",
  path: `calls.${id}`,
}));

Deno.test("openaiChat.writeCall() puts results behind their tool calls, and their media behind all results as a user's message", () => {
  const { messages, dropped } = write([
    ...ASK,
    assistant("m1", [], { calls: CALLS }),
    user("m2", text("by the way")),
    tool("m2.b", "b", [picture("m2.b.content[0]")]),
    tool("m2.a", "a", [text("one"), picture("m2.a.content[1]"), text("two")], true),
    tool("m2.c", "a", [text("again")]),
    assistant("m3", [text("done")]),
  ]);
  assertEquals(messages.slice(1), [
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "a", type: "function", function: { name: "do_a", arguments: '{"x":1}' } },
        { id: "b", type: "function", function: { name: "do_b", arguments: "{}" } },
      ],
    },
    { role: "tool", tool_call_id: "b", content: "(The result follows in the user's next message.)" },
    { role: "tool", tool_call_id: "a", content: "Error: one\n\ntwo" },
    {
      role: "user",
      content: [
        { type: "text", text: "Attached to the result of do_b:" },
        PICTURE,
        { type: "text", text: "Attached to the result of do_a:" },
        PICTURE,
      ],
    },
    { role: "user", content: "by the way" },
    { role: "assistant", content: "done" },
  ]);
  assertEquals(dropped, ["m2.c"]);
});

Deno.test("openaiChat.writeCall() writes earlier reasoning if the provider accepts it, and no proof of another provider", () => {
  const thoughts: (Thought & { path: string })[] = [
    { text: "plain", path: "t0" },
    { text: "signed", signature: "S", format: "anthropic-claude-v1", path: "t1" },
    { redacted: "R", format: "openai-responses-v1", id: "rs_1", path: "t2" },
    { redacted: '{"layout":"bu"}', format: "anthropic-claude-v1", path: "t3" },
  ];
  const calls = [{ ...CALLS[0], signature: "G" }];
  const ask = (takes: ChatTakes) => {
    const { messages: [, out], dropped } = write(
      [...ASK, assistant("m1", [text("x")], { thoughts, calls, signature: "W" })],
      {},
      takes,
    );
    const { role: _, content: _c, tool_calls: _t, ...rest } = out;
    return [rest, dropped];
  };
  assertEquals(ask({}), [{ reasoning_content: "plain\n\nsigned" }, ["t2", "t3"]]);
  assertEquals(ask({ thoughts: "reasoning" }), [{ reasoning: "plain\n\nsigned" }, ["t2", "t3"]]);
  assertEquals(ask({ thoughts: "none" }), [{}, ["t0", "t1", "t2", "t3"]]);
  assertEquals(ask({ thoughts: "reasoning_details" }), [
    {
      reasoning: "plain",
      reasoning_details: [
        { type: "reasoning.text", text: "signed", signature: "S", format: "anthropic-claude-v1", index: 0 },
        { type: "reasoning.encrypted", data: "R", format: "openai-responses-v1", id: "rs_1", index: 1 },
        { type: "reasoning.encrypted", data: "G", format: "google-gemini-v1", id: "a", index: 2 },
        { type: "reasoning.encrypted", data: "W", format: "google-gemini-v1", index: 3 },
      ],
    },
    ["t3"],
  ]);
});

Deno.test("openaiChat.writeCall() keeps cache marks for providers that accept them, and else names them", () => {
  const cache = { type: "ephemeral" };
  const marked = [
    system("system", text("a", "system[0]"), text("b", "system[1]", { cache })),
    { ...user("m0", text("c", "m0.content[0]")), cache },
    assistant("m1", [text("d", "m1.content[0]", { cache })]),
    user("m2", text("e")),
  ];
  const tools: Settings["tools"] = [{
    type: "function",
    name: "f",
    cache,
    extra: {},
    path: "tools[0]",
    definitionPath: "tools[0]",
    parametersPath: "tools[0].input_schema",
  }];
  const plain = write(marked, { tools });
  assertEquals(plain.dropped, [
    "tools[0].cache_control",
    "system[1].cache_control",
    "m0.cache_control",
    "m1.content[0].cache_control",
  ]);
  assertEquals(plain.messages.map(({ content }: JsonObject) => content), ["a\n\nb", "c", "d", "e"]);
  const kept = write(marked, { tools }, { cacheMarks: true });
  assertEquals(kept.dropped, []);
  assertEquals(kept.body.tools[0].cache_control, cache);
  assertEquals(kept.messages.map(({ content }: JsonObject) => content), [
    [{ type: "text", text: "a" }, { type: "text", text: "b", cache_control: cache }],
    [{ type: "text", text: "c", cache_control: cache }],
    [{ type: "text", text: "d", cache_control: cache }],
    "e",
  ]);
});

Deno.test("openaiChat.writeCall() refuses a last message of which nothing is left", () => {
  const nothing = user("messages[0]", {
    type: "file",
    media: { id: "f" },
    mediaPath: "messages[0].content[0].source",
    path: "p",
  });
  const error = assertThrows(() => write([nothing]), GatewayError);
  assertEquals(error.toWireError().param, "messages[0].content");
  // In the middle of a conversation such a message is left out.
  assertEquals(write([nothing, user("messages[1]", text("x"))]).messages.length, 1);
});

// ---------------------------------------------------------------- settings

Deno.test("openaiChat.writeCall() writes every setting that chat completions have", () => {
  const same = {
    max_tokens: 7,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 4,
    stop: ["a"],
    seed: 1,
    frequency_penalty: 1,
    presence_penalty: 1,
    n: 2,
    logprobs: true,
    top_logprobs: 3,
    logit_bias: { "1": 2 },
    user: "u",
    service_tier: "flex",
    metadata: { a: "b" },
    verbosity: "low",
    modalities: ["text"],
    audio: { voice: "x" },
    prediction: { type: "content", content: "x" },
    web_search_options: {},
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
  };
  const { body, dropped } = write(ASK, { ...same, store: true, reasoning_summary: "auto" });
  const { messages: _, ...rest } = body;
  assertEquals([rest, dropped], [{ ...same, store: true }, []]);
  assertEquals(write(ASK, { store: false }).body.store, undefined);
  assertEquals(write(ASK, { response_format: { type: "json_object" } }).body.response_format, {
    type: "json_object",
  });
  const format = { type: "json_schema", schema: { type: "object" }, strict: true, path: "f" } as const;
  assertEquals(write(ASK, { response_format: format }).body.response_format, {
    type: "json_schema",
    json_schema: { name: "answer", schema: { type: "object" }, strict: true },
  });
});

Deno.test("openaiChat.writeCall() always asks streams for their usage", () => {
  assertEquals(write(ASK, {}, {}, { stream: true }).body.stream_options, { include_usage: true });
  assertEquals(write(ASK).body.stream_options, undefined);
  assertEquals(Object.keys(write(ASK, { seed: 1 }, {}, { stream: true }).body).at(-1), "messages");
});

Deno.test("openaiChat.writeCall() writes the nearest effort that the model accepts, and no effort if it accepts none", () => {
  const effort = (model: string, settings: Settings, takes?: ChatTakes) => {
    const { body, dropped } = write(ASK, settings, takes, { model });
    return body.reasoning_effort ?? (dropped.length > 0 ? `not ${dropped}` : undefined);
  };
  const cases: [model: string, effort: string, written: string | undefined][] = [
    ["gpt-5", "max", "high"],
    ["gpt-5", "minimal", "minimal"],
    ["gpt-5.2", "max", "xhigh"],
    ["gpt-5.2", "none", "none"],
    ["gpt-5", "none", "not their.reasoning_effort"],
    ["o3", "minimal", "low"],
    ["gpt-4o", "high", "not their.reasoning_effort"],
    ["gpt-4o", "none", undefined],
    ["openai/gpt-oss-120b", "xhigh", "high"],
    ["Qwen/Qwen3-235B", "minimal", "low"],
    ["deepseek-v4", "medium", "medium"],
    ["deepseek-v4", "none", "not their.reasoning_effort"],
    ["llama-3.3-70b", "high", "not their.reasoning_effort"],
    ["llama-3.3-70b", "none", undefined],
    ["gpt-5", "unheard-of", "not their.reasoning_effort"],
  ];
  for (const [model, word, written] of cases) {
    assertEquals(effort(model, { reasoning_effort: word }), written, `${model} ${word}`);
  }
  const efforts = ["none", "high"];
  assertEquals(effort("llama-3.3-70b", { reasoning_effort: "low" }, { efforts }), "high");
  assertEquals(effort("llama-3.3-70b", { reasoning_effort: "none" }, { efforts }), "none");
  assertEquals(effort("gpt-5", { reasoning_budget: 500 }), "low");
  assertEquals(effort("gpt-5", { reasoning_budget: 20_000 }), "high");
  assertEquals(effort("gpt-5", { reasoning_budget: 20_000, reasoning_effort: "low" }), "low");
});

// ---------------------------------------------------------------- tools

const FUNCTION = (name: string, more: JsonObject = {}) =>
  ({
    type: "function",
    name,
    extra: {},
    path: `tools.${name}`,
    definitionPath: "d",
    parametersPath: "p",
    ...more,
  }) as const;
const CUSTOM = {
  type: "custom",
  name: "patch",
  description: "d",
  format: { type: "grammar", syntax: "lark", definition: "x" },
  path: "tools.patch",
  formatPath: "tools.patch.format",
} as const;

Deno.test("openaiChat.writeCall() writes tools and the choice of a tool as the provider accepts them", () => {
  const tools: Settings["tools"] = [
    FUNCTION("f", { parameters: { type: "object" }, strict: true, extra: { defer_loading: true } }),
    CUSTOM,
    { type: "native", value: { type: "x" }, path: "tools.x" },
    { type: "server", kind: "web_search", value: { type: "web_search" }, path: "tools.s" },
  ];
  const own = write(ASK, { tools, tool_choice: { name: "patch" } }, { openaiTools: true });
  assertEquals(own.body.tools, [
    { type: "function", function: { name: "f", parameters: { type: "object" }, strict: true } },
    {
      type: "custom",
      custom: {
        name: "patch",
        description: "d",
        format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } },
      },
    },
  ]);
  assertEquals(own.body.tool_choice, { type: "custom", custom: { name: "patch" } });
  assertEquals(own.dropped, ["tools.f.defer_loading", "tools.x", "tools.s"]);
  const others = write(ASK, { tools, tool_choice: { name: "patch" } });
  assertEquals(
    others.body.tools.map(({ type, function: one }: JsonObject) => [type, (one as JsonObject).name]),
    [
      ["function", "f"],
      ["function", "patch"],
    ],
  );
  assertEquals(others.body.tool_choice, { type: "function", function: { name: "patch" } });
  assert(others.dropped.includes("tools.patch.format"));

  // The name is also replaced in the conversation.
  const calls = [{ id: "a", name: "patch", arguments: "free", custom: true, path: "c" }];
  const called = (takes: ChatTakes) =>
    write([...ASK, assistant("m1", [], { calls }), tool("m2", "a", [text("ok")])], { tools }, takes)
      .messages[1].tool_calls[0];
  assertEquals(called({ openaiTools: true }), {
    id: "a",
    type: "custom",
    custom: { name: "patch", input: "free" },
  });
  assertEquals(called({}), {
    id: "a",
    type: "function",
    function: { name: "patch", arguments: '{"input":"free"}' },
  });
});

Deno.test("openaiChat.writeCall() restricts the model to the tools that are allowed", () => {
  const settings: Settings = {
    allowed_tools: ["f", "patch"],
    tool_choice: "required",
    tools: [FUNCTION("f"), FUNCTION("g"), CUSTOM],
    parallel_tool_calls: false,
  };
  const own = write(ASK, settings, { openaiTools: true }).body;
  assertEquals(own.tools.length, 3);
  assertEquals(own.tool_choice, {
    type: "allowed_tools",
    allowed_tools: {
      mode: "required",
      tools: [{ type: "function", function: { name: "f" } }, { type: "custom", custom: { name: "patch" } }],
    },
  });
  const others = write(ASK, settings).body;
  assertEquals(others.tools.map((one: JsonObject) => (one.function as JsonObject).name), ["f", "patch"]);
  assertEquals([others.tool_choice, others.parallel_tool_calls], ["required", false]);
});

Deno.test("openaiChat.writeCall() leaves out a tool choice without tools", () => {
  const tools: Settings["tools"] = [{ type: "server", kind: "web_search", value: {}, path: "tools[0]" }];
  const { body, dropped } = write(ASK, { tool_choice: "required", parallel_tool_calls: true, tools });
  assertEquals([body.tools, body.tool_choice, body.parallel_tool_calls], [undefined, undefined, undefined]);
  assertEquals(dropped, ["tools[0]", "their.tool_choice"]);
});

Deno.test("openaiChat.writeCall() writes a search tool as a setting for OpenAI's search models", () => {
  const search = { location: { city: "Bern" }, maxUses: 2 };
  const value = {
    type: "web_search_20250305",
    name: "web_search",
    user_location: { city: "Bern" },
    max_uses: 2,
  };
  const tools: Settings["tools"] = [{ type: "server", kind: "web_search", search, value, path: "tools[0]" }];
  const { body, dropped } = write(ASK, { tools }, {}, { model: "gpt-4o-search-preview" });
  assertEquals(body.web_search_options, {
    user_location: { type: "approximate", approximate: { city: "Bern" } },
  });
  assertEquals(dropped, ["tools[0].max_uses"]);
});

Deno.test("openaiChat.writeCall() replaces a name that providers refuse, and remembers the original", () => {
  const long = `mcp__${"x".repeat(80)}`;
  const names = [long, `${long}y`, "a.b/c", "fine-1"];
  const calls = names.map((name, index) => ({ id: `${index}`, name, arguments: "{}", path: "c" }));
  const results = calls.map(({ id }) => tool("r", id, [text("ok")]));
  const { body, toolNames } = write([...ASK, assistant("m", [], { calls }), ...results], {
    tools: names.map((name) => FUNCTION(name)),
    tool_choice: { name: long },
  });
  const written = body.tools.map((one: JsonObject) => (one.function as JsonObject).name) as string[];
  for (const name of written) assert(/^[\w-]{1,64}$/.test(name), name);
  assertEquals(new Set(written).size, 4);
  assertEquals(written.map((name) => toolNames!.get(name) ?? name), names);
  assertEquals(
    body.messages[1].tool_calls.map((one: JsonObject) => (one.function as JsonObject).name),
    written,
  );
  assertEquals(body.tool_choice.function.name, written[0]);
  assertEquals(write(ASK, { tools: [FUNCTION("fine")] }).toolNames, undefined);
});

// ---------------------------------------------------------------- paths and prefixes

Deno.test("openaiChat.writeCall() knows the client's path of everything that it wrote", () => {
  const { clientPath } = write(
    [
      system("system", text("a", "system[0]")),
      user("m0", text("x", "m0.content[0]"), picture("m0.content[1]")),
      assistant("m1", [text("y")], { calls: CALLS, thoughts: [{ text: "t", path: "m1.content[0]" }] }),
      tool("m2.content[0]", "a", [picture("m2.content[0].content[0]")]),
      tool("m2.content[1]", "b", [text("r")]),
    ],
    { seed: 1, reasoning_budget: 100, max_tokens: 3 },
    {},
    { extra: { thinking: {} } },
  );
  const cases: Record<string, string | undefined> = {
    "seed": "their.seed",
    "max_tokens": "their.max_tokens",
    "reasoning_effort": "their.reasoning_budget",
    "thinking": "thinking",
    "stream_options": undefined,
    "messages[0]": "system",
    "messages[0].name": "system.name",
    "messages[1].content[1].image_url": "m0.content[1]",
    "messages[1].content": "m0",
    "messages[2].reasoning_content": "m1.content[0]",
    "messages[2].tool_calls[1].extra": "calls.b",
    "messages[2].refusal": "m1",
    "messages[3].tool_call_id": "m2.content[0]",
    "messages[5].content[1]": "m2.content[0].content[0]",
    "messages[9]": undefined,
  };
  for (const [path, client] of Object.entries(cases)) assertEquals(clientPath(path), client, path);
});

Deno.test("openaiChat.writeCall() makes a conversation's next request begin with this one", () => {
  const word = fc.constantFrom("Hi", " ", "a\u2028b", "");
  const parts = fc.array(fc.oneof(word.map((one) => text(one)), fc.constant(picture("p"))), { maxLength: 2 });
  let ids = 0;
  /** The messages between two answers. Tool calls are answered at once, among other messages. */
  const round = fc.record({
    asked: fc.array(fc.record({ role: fc.constantFrom("system", "user", "developer"), parts }), {
      maxLength: 3,
    }),
    said: parts,
    thought: fc.option(word, { nil: undefined }),
    results: fc.array(fc.record({ parts, error: fc.boolean(), aside: fc.boolean() }), { maxLength: 3 }),
  });
  fc.assert(fc.property(fc.array(round, { minLength: 2, maxLength: 4 }), (rounds) => {
    const messages: Message[] = [];
    const lengths: number[] = [];
    for (const { asked, said, thought, results } of rounds) {
      for (const { role, parts } of asked) messages.push({ role, parts, path: "m" } as Message);
      messages.push(user("m", text("go on")));
      lengths.push(messages.length);
      const calls = results.map(() => ({ id: `c${ids++}`, name: "f", arguments: "{}", path: "c" }));
      messages.push(assistant("m", said.filter(({ type }) => type === "text"), {
        calls,
        thoughts: thought ? [{ text: thought, path: "t" }] : [],
      }));
      results.forEach(({ parts, error, aside }, index) => {
        if (aside) messages.push(system("m", text("aside")));
        messages.push(tool("m", calls[index].id, parts, error));
      });
      if (calls.length > 0) lengths.push(messages.length);
    }
    let before = "";
    for (const length of lengths) {
      const { body } = openaiChat.writeCall(callOf(messages.slice(0, length)));
      const now = JSON.stringify(body);
      const begins = before.slice(0, -2); // The text without its closing brackets.
      assertEquals(now.slice(0, begins.length), begins);
      before = now;
    }
  }));
});
