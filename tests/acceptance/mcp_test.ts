/** Servers of tools (MCP) that a provider asks by itself: from Responses' clients to Anthropic, and from Messages' to OpenAI. */
import { assert, assertEquals } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import OpenAI from "npm:openai@7.57.0";
import { events, type Json, lab, type Play, sse } from "./lab.ts";
import { seal } from "../../wires/shared/envelope.ts";
import { validate } from "./messages_events.ts";
import { readResponseStream } from "./responses_events.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

// deno-lint-ignore no-explicit-any -- Items and blocks that the SDKs' types do not know here.
type Any = any;

const URL_OF = "https://docs.example/mcp";

function clients(play: Play) {
  const one = lab(play);
  const fetch = (input: unknown, init: unknown) =>
    one.gateway.fetch(new Request(input as string, init as RequestInit));
  const shared = { maxRetries: 0, fetch };
  return {
    ...one,
    openai: new OpenAI({ apiKey: "key", baseURL: "http://gateway.test/v1", ...shared }),
    anthropic: new Anthropic({ apiKey: null, authToken: "key", baseURL: "http://gateway.test", ...shared }),
    send: (path: string, body: Json) =>
      one.gateway.fetch(
        new Request(`http://gateway.test/v1/${path}`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: "Bearer key" },
          body: JSON.stringify(body),
        }),
      ),
  };
}

// ---------------------------------------------------------------- Anthropic behind Responses

/** Anthropic as its beta of MCP has it. */
function claude({ headers, body }: { headers: Headers; body: Json }): Response {
  const no = (message: string) =>
    Response.json({ type: "error", error: { type: "invalid_request_error", message } }, { status: 400 });
  const tools = body.tools as Json[], servers = (body.mcp_servers ?? []) as Json[];
  if (servers.length > 0 && !headers.get("anthropic-beta")?.split(",").includes("mcp-client-2025-11-20")) {
    return no("mcp_servers: Extra inputs are not permitted");
  }
  for (const { type, mcp_server_name: name } of tools) {
    if (type === "mcp_toolset" && !servers.some((server) => server.name === name)) {
      return no(`MCP server '${name}' not found in mcp_servers`);
    }
  }
  for (const { name, url, type } of servers) {
    if (type !== "url" || !`${url}`.startsWith("https://")) return no("mcp_servers: Invalid URL");
    if (tools.filter((tool) => tool.mcp_server_name === name).length !== 1) {
      return no(`MCP server '${name}' is defined but not referenced by any mcp_toolset`);
    }
  }
  const use = { type: "mcp_tool_use", id: "mcptoolu_1", name: "find", server_name: "docs" };
  const content = [
    { ...use, input: { q: "deno" } },
    {
      type: "mcp_tool_result",
      tool_use_id: "mcptoolu_1",
      is_error: false,
      content: [{ type: "text", text: "Found it" }],
    },
    { type: "text", text: "Here." },
  ];
  const usage = { input_tokens: 5, output_tokens: 3 };
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude", usage };
  if (!body.stream) return Response.json({ ...message, content, stop_reason: "end_turn" });
  return events(sse([
    { type: "message_start", message: { ...message, content: [] } },
    { type: "content_block_start", index: 0, content_block: { ...use, input: {} } },
    {
      type: "content_block_delta",
      index: 0,
      delta: { type: "input_json_delta", partial_json: '{"q":"deno"}' },
    },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: content[1] },
    { type: "content_block_stop", index: 1 },
    { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "Here." } },
    { type: "content_block_stop", index: 2 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } },
    { type: "message_stop" },
  ], true));
}

const MCP = {
  type: "mcp",
  server_label: "docs",
  server_url: URL_OF,
  authorization: "token-of-docs",
  allowed_tools: ["find", "read"],
  require_approval: "never",
};

for (const stream of [false, true]) {
  Deno.test(`an mcp tool of Responses is Anthropic's toolset, and its calls are mcp_call items (stream: ${stream})`, async () => {
    const { openai, asked } = clients(claude);
    const body = { model: "anthropic/claude-opus-5-5", input: "Find deno", tools: [MCP] } as Any;
    const response = stream
      ? await openai.responses.stream(body).finalResponse()
      : await openai.responses.create(body) as Any;
    const call = response.output.find(({ type }: Json) => type === "mcp_call");
    assert(call.id.startsWith("mcp_"));
    assertEquals(
      [call.server_label, call.name, call.arguments, call.output, call.error, call.status],
      ["docs", "find", '{"q":"deno"}', "Found it", null, "completed"],
    );
    assertEquals(response.output_text, "Here.");
    assertEquals(asked[0].body.mcp_servers, [
      { type: "url", name: "docs", url: URL_OF, authorization_token: "token-of-docs" },
    ]);
    assertEquals(asked[0].body.tools, [{
      type: "mcp_toolset",
      mcp_server_name: "docs",
      default_config: { enabled: false },
      configs: { find: { enabled: true }, read: { enabled: true } },
    }]);
  });
}

Deno.test("the events of a server's call are the ones that OpenAI's protocol has", async () => {
  const { send } = clients(claude);
  const response = await send("responses", {
    model: "anthropic/claude-opus-5-5",
    input: "x",
    tools: [MCP],
    stream: true,
  });
  const text = await response.text();
  readResponseStream(text);
  const types = [...text.matchAll(/^event: (response\.mcp.*)$/gm)].map(([, type]) => type);
  assertEquals(types, [
    "response.mcp_call.in_progress",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_call.completed",
  ]);
});

Deno.test("a server whose tools must be approved, or that only OpenAI reaches, is left out and named", async () => {
  const cases: [tool: Json, dropped: string | null][] = [
    [{ require_approval: undefined }, "tools[1]"],
    [{ require_approval: "always" }, "tools[1]"],
    [{ require_approval: { always: { tool_names: ["read"] } } }, "tools[1]"],
    [{ require_approval: { always: { tool_names: ["read"] }, never: { tool_names: ["find"] } } }, "tools[1]"],
    [{ server_url: undefined, connector_id: "connector_gmail" }, "tools[1]"],
    [{ allowed_tools: { read_only: true } }, "tools[1]"],
    [{ server_description: "Docs" }, "tools[1].server_description"],
    [
      { headers: { "X-Team": "a", Authorization: "Bearer b" }, authorization: undefined },
      "tools[1].headers.x-team",
    ],
    [{ require_approval: { never: { tool_names: ["find"] } } }, null],
  ];
  const tool = { type: "function", name: "f", parameters: { type: "object" } };
  for (const [changes, dropped] of cases) {
    const { send, asked } = clients(claude);
    const tools = [tool, { ...MCP, ...changes }];
    const response = await send("responses", { model: "anthropic/claude-opus-5-5", input: "x", tools });
    assertEquals(response.status, 200, await response.text());
    assertEquals(response.headers.get("sluice-dropped"), dropped, JSON.stringify(changes));
    const isKept = dropped !== "tools[1]";
    assertEquals((asked[0].body.tools as Json[]).length, isKept ? 2 : 1);
    if (changes.headers) assertEquals((asked[0].body.mcp_servers as Json[])[0].authorization_token, "b");
    if (dropped === null) {
      assertEquals((asked[0].body.tools as Json[])[1].configs, { find: { enabled: true } });
    }
  }
});

Deno.test("a provider without servers of tools is not sent one, and the token of it neither", async () => {
  for (
    const model of [
      "google/gemini-3.8-flash",
      "deepinfra/llama-3.3",
      "cohere/command-a",
      "perplexity-agent/sonar",
    ]
  ) {
    const { send, asked } = clients(() => Response.json({ error: { message: "no" } }, { status: 400 }));
    const response = await send("responses", { model, input: "x", tools: [MCP] });
    await response.text();
    assertEquals(asked[0]?.text.includes("token-of-docs") ?? false, false, model);
  }
});

// ---------------------------------------------------------------- OpenAI behind Messages

/** OpenAI's Responses, as far as a server of tools goes. */
function gpt({ body, url }: { body: Json; url: URL }): Response {
  if (url.pathname !== "/v1/responses") {
    return Response.json({ error: { message: "wrong door" } }, { status: 404 });
  }
  for (const tool of (body.tools ?? []) as Json[]) {
    const fine = /^[a-zA-Z][\w-]*$/.test(`${tool.server_label}`) && tool.require_approval === "never";
    if (tool.type === "mcp" && !fine) {
      return Response.json({ error: { message: "bad mcp" } }, { status: 400 });
    }
  }
  const call = {
    id: "mcp_1",
    type: "mcp_call",
    server_label: "docs",
    name: "find",
    arguments: '{"q":"deno"}',
  };
  const text = { type: "output_text", text: "Here.", annotations: [], logprobs: [] };
  const output = [
    {
      id: "mcpl_1",
      type: "mcp_list_tools",
      server_label: "docs",
      tools: [{ name: "find", input_schema: {} }],
    },
    { ...call, status: "completed", output: "Found it", error: null, approval_request_id: null },
    { id: "msg_1", type: "message", status: "completed", role: "assistant", content: [text] },
  ];
  const usage = { input_tokens: 5, output_tokens: 3, total_tokens: 8 };
  const response = {
    id: "resp_1",
    object: "response",
    created_at: 1,
    status: "completed",
    model: body.model,
  };
  if (!body.stream) return Response.json({ ...response, output, usage });
  const list: Json[] = [{ type: "response.created", response: { ...response, output: [] } }];
  output.forEach((item, output_index) => {
    list.push({ type: "response.output_item.added", output_index, item: { ...item, status: "in_progress" } });
    list.push({ type: "response.output_item.done", output_index, item });
  });
  list.push({ type: "response.completed", response: { ...response, output, usage } });
  return events(sse(list, true));
}

const SERVERS = [{ type: "url", name: "docs", url: URL_OF, authorization_token: "token-of-docs" }];

for (const stream of [false, true]) {
  Deno.test(`a toolset of Messages is OpenAI's mcp tool, and its calls are Anthropic's blocks (stream: ${stream})`, async () => {
    const { anthropic, asked } = clients(gpt);
    const body = {
      model: "openai/gpt-5.6",
      max_tokens: 100,
      messages: [{ role: "user", content: "Find deno" }],
      mcp_servers: SERVERS,
      tools: [{
        type: "mcp_toolset",
        mcp_server_name: "docs",
        default_config: { enabled: false },
        configs: { find: { enabled: true } },
      }],
      betas: ["mcp-client-2025-11-20"],
    } as Any;
    const message: Any = stream
      ? await anthropic.beta.messages.stream(body).finalMessage()
      : await anthropic.beta.messages.create(body);
    const [use, result] = message.content.filter(({ type }: Json) => `${type}`.startsWith("mcp_"));
    assertEquals([use.type, use.name, use.server_name, use.input], ["mcp_tool_use", "find", "docs", {
      q: "deno",
    }]);
    assertEquals([result.type, result.tool_use_id, result.is_error], ["mcp_tool_result", use.id, false]);
    assertEquals(result.content, [{ type: "text", text: "Found it", citations: null }]);
    assertEquals(asked[0].body.tools, [{
      type: "mcp",
      server_label: "docs",
      server_url: URL_OF,
      authorization: "token-of-docs",
      allowed_tools: ["find"],
      require_approval: "never",
    }]);
    // The second turn: OpenAI gets its own items back.
    const turns = [
      ...body.messages,
      { role: "assistant", content: message.content },
      { role: "user", content: "Again" },
    ];
    const again = stream
      ? await anthropic.beta.messages.stream({ ...body, messages: turns }).finalMessage()
      : await anthropic.beta.messages.create({ ...body, messages: turns });
    assertEquals(again.content.length, message.content.length);
    const types = (asked[1].body.input as Json[]).map(({ type }) => type);
    assertEquals(types, ["message", "mcp_list_tools", "mcp_call", "message", "message"]);
  });
}

Deno.test("the events of a server's call are the ones that Anthropic's protocol has", async () => {
  const { send } = clients(gpt);
  const tools = [{ type: "mcp_toolset", mcp_server_name: "docs" }];
  const messages = [{ role: "user", content: "x" }];
  const body = {
    model: "openai/gpt-5.6",
    max_tokens: 99,
    stream: true,
    messages,
    mcp_servers: SERVERS,
    tools,
  };
  assertEquals(validate(await (await send("messages", body)).text()), "whole");
});

Deno.test("a toolset with forbidden tools, or without its server, is left out and named; older servers say it themselves", async () => {
  const deny = { type: "mcp_toolset", mcp_server_name: "docs", configs: { drop: { enabled: false } } };
  const cases: [more: Json, dropped: string | null, allowed?: string[]][] = [
    [{ mcp_servers: SERVERS, tools: [deny] }, "tools[0]"],
    [{ tools: [{ type: "mcp_toolset", mcp_server_name: "docs" }] }, "tools[0]"],
    [{ mcp_servers: SERVERS }, "mcp_servers"],
    [
      { mcp_servers: [{ ...SERVERS[0], tool_configuration: { enabled: true, allowed_tools: ["find"] } }] },
      null,
      ["find"],
    ],
  ];
  for (const [more, dropped, allowed] of cases) {
    const { send, asked } = clients(gpt);
    const messages = [{ role: "user", content: "x" }];
    const response = await send("messages", { model: "openai/gpt-5.6", max_tokens: 99, messages, ...more });
    assertEquals(response.status, 200, await response.text());
    assertEquals(response.headers.get("sluice-dropped"), dropped);
    assertEquals((asked[0].body.tools as Json[] | undefined)?.[0].allowed_tools, allowed);
  }
});

// ---------------------------------------------------------------- earlier calls, behind another provider

const SAID = { text: "Here.", question: "Find deno", again: "Again" };

/** The same earlier answer in both forms: a text, a call of a server's tool with its result, a text. */
const HISTORY = {
  messages: (failed: boolean): Json[] => [
    { role: "user", content: SAID.question },
    {
      role: "assistant",
      content: [
        { type: "text", text: "I look." },
        { type: "mcp_tool_use", id: "mcptoolu_1", name: "find", server_name: "docs", input: { q: "deno" } },
        {
          type: "mcp_tool_result",
          tool_use_id: "mcptoolu_1",
          is_error: failed,
          content: [{ type: "text", text: "Found it" }],
        },
        { type: "text", text: SAID.text },
      ],
    },
    { role: "user", content: SAID.again },
  ],
  responses: (failed: boolean): Json[] => [
    { role: "user", content: SAID.question },
    { role: "assistant", content: "I look." },
    {
      ...{ type: "mcp_call", id: "mcp_1", server_label: "docs", name: "find", arguments: '{"q":"deno"}' },
      ...(failed ? { output: null, error: "Found it" } : { output: "Found it", error: null }),
    },
    { role: "assistant", content: SAID.text },
    { role: "user", content: SAID.again },
  ],
};
const OFFERED = {
  messages: { mcp_servers: SERVERS, tools: [{ type: "mcp_toolset", mcp_server_name: "docs" }] },
  responses: { tools: [MCP] },
};
type Door = keyof typeof HISTORY;

/** Sends the earlier answer, and returns what the strict provider was sent. */
async function earlier(door: Door, model: string, play: Play, { offers = false, failed = false } = {}) {
  const { send, asked } = clients(play);
  const history = HISTORY[door](failed);
  const body = door === "messages"
    ? { max_tokens: 9000, messages: history }
    : { store: false, input: history };
  const response = await send(door, { model, ...body, ...(offers && OFFERED[door]) });
  assertEquals(response.status, 200, await response.text());
  return { sent: asked[0], dropped: response.headers.get("sluice-dropped") };
}

const strictClaude = () => strictAnthropic([[{ type: "text", text: "Ok" }]]).play;
const strictGPT = () => strictResponses([[{ text: ["Ok"] }]]).play;

for (const failed of [false, true]) {
  Deno.test(`an earlier mcp_call goes to Anthropic as its blocks if the server is offered (failed: ${failed})`, async () => {
    const { sent, dropped } = await earlier("responses", "anthropic/claude-opus-5", strictClaude(), {
      offers: true,
      failed,
    });
    assertEquals(
      sent.body.messages,
      HISTORY.messages(failed).map(({ role, content }) => ({
        role,
        content: typeof content === "string"
          ? [{ type: "text", text: content }]
          : (content as Json[]).map((block) =>
            block.type === "mcp_tool_result"
              ? {
                ...block,
                tool_use_id: "mcptoolu_mcp_1",
                content: [{ type: "text", text: "Found it", citations: null }],
              }
              : block.type === "mcp_tool_use"
              ? { ...block, id: "mcptoolu_mcp_1" }
              : block
          ),
      })),
    );
    assertEquals(dropped, null);
  });

  Deno.test(`earlier mcp_tool_use and its result go to OpenAI as an mcp_call if the server is offered (failed: ${failed})`, async () => {
    const { sent, dropped } = await earlier("messages", "openai/gpt-5.6", strictGPT(), {
      offers: true,
      failed,
    });
    const texts = (text: string) => ({
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text }],
    });
    assertEquals((sent.body.input as Json[]).slice(1, 4), [
      texts("I look."),
      {
        id: "mcp_1",
        type: "mcp_call",
        status: failed ? "failed" : "completed",
        server_label: "docs",
        name: "find",
        arguments: '{"q":"deno"}',
        approval_request_id: null,
        output: failed ? null : "Found it",
        error: failed
          ? { type: "mcp_tool_execution_error", content: [{ type: "text", text: "Found it" }] }
          : null,
      },
      texts(SAID.text),
    ]);
    assertEquals(dropped, null);
  });
}

const OTHERS: [model: string, play: () => Play][] = [
  ["anthropic/claude-opus-5", strictClaude],
  ["openai/gpt-5.6", strictGPT],
  ["nebius/Qwen/Qwen3-235B", () => strictOpenAI([{ text: "Ok" }]).play],
  ["google/gemini-3-pro", () => strictGoogle([[{ text: "Ok" }]], { demandsOwn: false }).play],
  ["cohere/command-a-03-2025", () => strictCohere([{ text: "Ok" }]).play],
];
for (const [model, play] of OTHERS) {
  for (const door of ["messages", "responses"] as const) {
    // Handed through.
    if (door === "messages" ? model.startsWith("anthropic") : model === "openai/gpt-5.6") continue;
    Deno.test(`an earlier call of a server's tool reaches ${model} with its result, from ${door}`, async () => {
      for (const failed of [false, true]) {
        const { sent, dropped } = await earlier(door, model, play(), { failed });
        // In the order in which it happened.
        const marks = [SAID.question, "I look.", "docs__find", "Found it", SAID.text, SAID.again];
        const places = marks.map((mark) => sent.text.indexOf(mark, sent.text.indexOf(SAID.question)));
        assertEquals(places.toSorted((a, b) => a - b), places, sent.text);
        assert(!places.includes(-1), sent.text);
        assertEquals(dropped, null);
      }
    });
  }
}

for (const stream of [false, true]) {
  Deno.test(`Claude gets its own calls of a server's tool back once, and another provider gets them too (stream: ${stream})`, async () => {
    const gemini = strictGoogle([[{ text: "Ok" }]], { demandsOwn: false }).play;
    const { openai, asked } = clients((one) =>
      one.url.host === "api.anthropic.com" ? claude(one) : gemini(one)
    );
    const input: Any[] = [{ role: "user", content: "Find deno" }];
    const ask = async (model: string) => {
      const body = { model, input, store: false, tools: [MCP] } as Any;
      const { output } = stream
        ? await openai.responses.stream(body).finalResponse()
        : await openai.responses.create(body) as Any;
      input.push(...output, { role: "user", content: "Again" });
    };
    await ask("anthropic/claude-opus-5-5");
    await ask("anthropic/claude-opus-5-5");
    const [, answer] = asked[1].body.messages as { content: Json[] }[];
    assertEquals(answer.content.map(({ type, id, tool_use_id: of }) => [type, id ?? of]), [
      ["mcp_tool_use", "mcptoolu_1"],
      ["mcp_tool_result", "mcptoolu_1"],
      ["text", undefined],
    ]);
    await ask("google/gemini-3-pro");
    assertEquals(asked[2].text.match(/Found it/g)?.length, 2);
  });
}

Deno.test("an earlier call goes as a function's to a provider that is offered another server, or behind thoughts alone", async () => {
  const { send, asked } = clients(strictGPT());
  const other = { ...OFFERED.messages, mcp_servers: [{ ...SERVERS[0], name: "other" }] };
  const tools = [{ type: "mcp_toolset", mcp_server_name: "other" }];
  const body = {
    model: "openai/gpt-5.6",
    max_tokens: 9000,
    messages: HISTORY.messages(false),
    ...other,
    tools,
  };
  const response = await send("messages", body);
  assertEquals(response.status, 200, await response.text());
  const types = (asked[0].body.input as Json[]).map(({ type }) => type);
  assertEquals(types.filter((type) => type !== "message"), ["function_call", "function_call_output"]);

  const gemini = clients(strictGoogle([[{ text: "Ok" }]], { demandsOwn: false }).play);
  const [question, said, call] = HISTORY.responses(false);
  const reasoning = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: seal({ text: "Hm." }) };
  const input = [question, said, reasoning, call, { role: "user", content: "Again" }];
  assertEquals((await gemini.send("responses", { model: "google/gemini-3-pro", input })).status, 200);
  assert(gemini.asked[0].text.includes("Found it"), gemini.asked[0].text);
});

Deno.test("what OpenAI cannot read of a call's record it gets in words that all can read", async () => {
  const { send, asked } = clients(strictGPT());
  const messages = HISTORY.messages(false);
  const item = JSON.stringify({ type: "mcp_call", id: "mcp_9", name: "find" });
  const data = seal({ redacted: item, format: "azure-openai-responses-v1" });
  (messages[1].content as Json[]).unshift({ type: "redacted_thinking", data });
  const response = await send("messages", { model: "openai/gpt-5.6", max_tokens: 9000, messages });
  assertEquals(response.status, 200, await response.text());
  assert(asked[0].text.includes("Found it"), asked[0].text);
});

Deno.test("an estimate of tokens counts what servers were asked and answered", async () => {
  const { send } = clients(() => Response.json({}));
  const count = async (messages: Json[]) => {
    const response = await send("messages/count_tokens", { model: "nebius/Qwen/Qwen3-235B", messages });
    return (await response.json()).input_tokens as number;
  };
  const [question, answer, again] = HISTORY.messages(false);
  const bare = { ...answer, content: (answer.content as Json[]).filter(({ type }) => type === "text") };
  assert(await count([question, answer, again]) >= await count([question, bare, again]) + 12);
});
