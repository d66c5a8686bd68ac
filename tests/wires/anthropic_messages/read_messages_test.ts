/** How requests of Anthropic's clients are read into neutral terms, field by field. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { checkCall, readCall } from "../../../wires/anthropic_messages/read_call.ts";
import { seal } from "../../../wires/shared/envelope.ts";
import type { Call, JsonObject, Message } from "../../../wires/types.ts";

const USER = { role: "user", content: "Hi" };

function read(fields: JsonObject): Call {
  const body = { model: "x/m", max_tokens: 100, messages: [USER], ...fields };
  checkCall(body);
  return readCall(JSON.parse(JSON.stringify(body)), "m");
}

const messages = (list: unknown[], more: JsonObject = {}): Message[] =>
  read({ messages: list, ...more }).messages;
const settings = (fields: JsonObject) => {
  const { settings, dropped } = read(fields);
  const { max_tokens: _, ...rest } = settings;
  return { ...rest, dropped };
};
const text = (text: string, path: string, more: JsonObject = {}) => ({ type: "text", text, path, ...more });

// ---------------------------------------------------------------- system

Deno.test("readCall() makes the system text the first message, as a text or in blocks with their cache marks", () => {
  assertEquals(messages([USER], { system: "Be brief." })[0], {
    role: "system",
    path: "system",
    parts: [text("Be brief.", "system")],
  } as Message);
  const cache_control = { type: "ephemeral" };
  assertEquals(
    messages([USER], {
      system: [{ type: "text", text: "A" }, { type: "text", text: "B", cache_control }],
    })[0],
    {
      role: "system",
      path: "system",
      parts: [text("A", "system[0]"), text("B", "system[1]", { cache: cache_control })],
    } as Message,
  );
});

Deno.test("readCall() leaves out Claude Code's billing line and does not name it", () => {
  const billing = { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.332; cch=1a2b;" };
  const call = read({ system: [billing, { type: "text", text: "You are Claude Code." }] });
  assertEquals(call.messages[0].parts, [text("You are Claude Code.", "system[1]")] as never);
  assertEquals(call.dropped, []);
  assertEquals(read({ system: [billing] }).messages.length, 1);
});

Deno.test("readCall() keeps a system message in its place", () => {
  const list = messages([USER, { role: "system", content: "Now in German." }, {
    role: "assistant",
    content: "Ja",
  }]);
  assertEquals(list.map(({ role, path }) => `${role} ${path}`), [
    "user messages[0]",
    "system messages[1]",
    "assistant messages[2]",
  ]);
});

Deno.test("readCall() leaves out a message with clear_at next_user_message once a user message follows", () => {
  const reminder = { role: "system", content: "Hurry.", clear_at: "next_user_message" };
  assertEquals(messages([USER, reminder]).length, 2);
  assertEquals(messages([USER, reminder, { role: "assistant", content: "ok" }, USER]).length, 3);
});

// ---------------------------------------------------------------- content

Deno.test("readCall() reads pictures, PDFs and documents of text", () => {
  const source = { type: "base64", media_type: "image/png", data: "iVBO\nRw0KGgo=" };
  const [message] = messages([{
    role: "user",
    content: [
      { type: "image", source },
      { type: "image", source: { type: "url", url: "https://a.example/i.png" } },
      { type: "image", source: { type: "file", file_id: "file_1" } },
      {
        type: "document",
        title: "T",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
      },
      { type: "document", source: { type: "url", url: "https://a.example/d.pdf" }, context: "Of 2026" },
      {
        type: "document",
        title: "Notes",
        source: { type: "text", media_type: "text/plain", data: "Buy milk" },
      },
      { type: "document", source: { type: "content", content: [{ type: "text", text: "part" }] } },
      {
        type: "search_result",
        title: "S",
        source: "https://s.example",
        content: [{ type: "text", text: "found" }],
      },
    ],
  }]);
  const path = (at: number) => `messages[0].content[${at}]`;
  assertEquals(message.parts as unknown, [
    {
      type: "image",
      media: { mime: "image/png", data: "iVBORw0KGgo=" },
      mediaPath: `${path(0)}.source`,
      path: path(0),
    },
    {
      type: "image",
      media: { url: "https://a.example/i.png" },
      mediaPath: `${path(1)}.source`,
      path: path(1),
    },
    { type: "image", media: { id: "file_1" }, mediaPath: `${path(2)}.source`, path: path(2) },
    {
      type: "file",
      media: { mime: "application/pdf", data: "JVBERi0=" },
      mediaPath: `${path(3)}.source`,
      path: path(3),
      name: "T",
      namePath: `${path(3)}.title`,
    },
    text("Context: Of 2026", path(4)),
    {
      type: "file",
      media: { url: "https://a.example/d.pdf" },
      mediaPath: `${path(4)}.source`,
      path: path(4),
    },
    text("Title: Notes\n\nBuy milk", path(5)),
    text("part", `${path(6)}.source.content[0]`),
    text("S\nhttps://s.example\nfound", path(7)),
  ]);
});

Deno.test("readCall() puts tool results before the user's other content, with their errors and pictures", () => {
  const list = messages([
    USER,
    {
      role: "assistant",
      content: [{ type: "tool_use", id: "toolu_1", name: "look", input: { at: 1 } }, {
        type: "tool_use",
        id: "toolu_2",
        name: "look",
        input: {},
      }],
    },
    {
      role: "user",
      content: [
        { type: "text", text: "Well?" },
        { type: "tool_result", tool_use_id: "toolu_2", content: "no", is_error: true },
        {
          type: "tool_result",
          tool_use_id: "toolu_1",
          cache_control: { type: "ephemeral" },
          content: [
            { type: "text", text: "seen" },
            { type: "image", source: { type: "url", url: "https://a.example/i.png" } },
          ],
        },
      ],
    },
  ]);
  assertEquals(list[1], {
    role: "assistant",
    path: "messages[1]",
    parts: [],
    thoughts: [],
    calls: [
      { id: "toolu_1", name: "look", arguments: '{"at":1}', path: "messages[1].content[0]" },
      { id: "toolu_2", name: "look", arguments: "{}", path: "messages[1].content[1]" },
    ],
  });
  const path = "messages[2].content[2]";
  assertEquals(list.slice(2), [
    {
      role: "tool",
      path: "messages[2].content[1]",
      callId: "toolu_2",
      error: true,
      parts: [text("no", "messages[2].content[1].content")],
    },
    {
      role: "tool",
      path,
      callId: "toolu_1",
      cache: { type: "ephemeral" },
      parts: [text("seen", `${path}.content[0]`), {
        type: "image",
        media: { url: "https://a.example/i.png" },
        mediaPath: `${path}.content[1].source`,
        path: `${path}.content[1]`,
      }],
    },
    { role: "user", path: "messages[2]", parts: [text("Well?", "messages[2].content[0]")] },
  ] as Message[]);
});

Deno.test("readCall() describes what Anthropic's own tools did in words, and names what no other provider can read", () => {
  const call = read({
    messages: [USER, {
      role: "assistant",
      content: [
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "deno" } },
        {
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_1",
          content: [{
            type: "web_search_result",
            title: "Deno",
            url: "https://deno.com",
            encrypted_content: "x",
          }],
        },
        { type: "web_search_tool_result", tool_use_id: "s2", content: { error_code: "max_uses_exceeded" } },
        { type: "code_execution_tool_result", tool_use_id: "s3", content: { stdout: "4", stderr: "" } },
        {
          type: "web_fetch_tool_result",
          tool_use_id: "s4",
          content: {
            url: "https://a.example",
            content: { type: "document", title: "A", source: { type: "text", data: "page" } },
          },
        },
        { type: "compaction", content: "Earlier: hello." },
        { type: "compaction", content: null },
        { type: "mcp_tool_use", id: "m1", name: "x", server_name: "s", input: {} },
        { type: "container_upload", file_id: "f" },
        { type: "novel_block" },
      ],
    }],
  });
  assertEquals(call.messages[1].parts.map((part) => "text" in part ? part.text : part.type), [
    "[web_search: deno]",
    "Deno https://deno.com",
    "[failed: max_uses_exceeded]",
    "4",
    "A https://a.example\npage",
    "Earlier: hello.",
  ]);
  // The call has no result.
  assertEquals(call.dropped, [6, 8, 9, 7].map((at) => `messages[1].content[${at}]`));
});

// ---------------------------------------------------------------- thoughts

Deno.test("readCall() opens envelopes, keeps Anthropic's own proofs, and drops empty unsigned thoughts", () => {
  const gemini = { signature: "c2ln", format: "google-gemini-v1" };
  const openai = { redacted: "gAAAA", id: "rs_1", format: "openai-responses-v1" };
  const list = messages([USER, {
    role: "assistant",
    content: [
      { type: "thinking", thinking: "own", signature: "EqQB" },
      { type: "redacted_thinking", data: "Emwk" },
      { type: "thinking", thinking: "", signature: seal({ text: "t", ...gemini }) },
      { type: "redacted_thinking", data: seal(openai) },
      { type: "thinking", thinking: "plain", signature: seal({ text: "plain" }) },
      { type: "thinking", thinking: "", signature: seal({ text: "hidden" }, { withText: true }) },
      { type: "thinking", thinking: "unsigned", signature: "" },
      { type: "thinking", thinking: "", signature: "" },
      { type: "text", text: "Hello" },
    ],
  }]);
  const claude = "anthropic-claude-v1";
  const path = (at: number) => `messages[1].content[${at}]`;
  const [, turn] = list;
  assert(turn.role === "assistant");
  assertEquals(turn.thoughts, [
    { signature: "EqQB", format: claude, text: "own", path: path(0) },
    { redacted: "Emwk", format: claude, path: path(1) },
    { ...gemini, path: path(2) },
    { ...openai, path: path(3) },
    { text: "plain", path: path(4) },
    { text: "hidden", path: path(5) },
    { text: "unsigned", path: path(6) },
  ]);
});

Deno.test("readCall() gives tool calls the ids that their makers wrote, each a unique one", () => {
  const use = (id: string) => ({ type: "tool_use", id, name: "f", input: {} });
  const result = (id: string) => ({ type: "tool_result", tool_use_id: id, content: "r" });
  const packed = `toolu_slc_${btoa("functions.f:0").replaceAll("=", "")}`;
  const list = messages([
    USER,
    { role: "assistant", content: [use(packed), use("call_0__sig_c2ln")] },
    { role: "user", content: [result(packed), result("call_0__sig_c2ln")] },
    { role: "assistant", content: [use("call_0")] },
    { role: "user", content: [result("call_0")] },
  ]);
  const calls = list.flatMap((message) => message.role === "assistant" ? message.calls : []);
  assertEquals(calls.map(({ id, signature }) => [id, signature]), [
    ["functions.f:0", undefined],
    ["call_0", "c2ln"],
    ["call_0_2", undefined],
  ]);
  assertEquals(list.flatMap((message) => message.role === "tool" ? message.callId : []), [
    "functions.f:0",
    "call_0",
    "call_0_2",
  ]);
});

// ---------------------------------------------------------------- settings

Deno.test("readCall() reads each setting, and names those that only Anthropic has", () => {
  const rows: [JsonObject, JsonObject][] = [
    [{ temperature: 0.5, top_p: 0.9, top_k: 3 }, { temperature: 0.5, top_p: 0.9, top_k: 3 }],
    [{ stop_sequences: ["END"] }, { stop: ["END"] }],
    [{ stop_sequences: [] }, {}],
    [{ thinking: { type: "disabled" } }, { reasoning_effort: "none" }],
    [{ thinking: { type: "adaptive" } }, {}],
    [{ thinking: { type: "adaptive", display: "omitted" } }, { reasoning_summary: "none" }],
    [{ thinking: { type: "adaptive", display: "summarized" } }, { reasoning_summary: "auto" }],
    [{ thinking: { type: "enabled", budget_tokens: 5000 } }, {
      reasoning_effort: "medium",
      reasoning_budget: 5000,
      reasoning_summary: "auto",
    }],
    [{ output_config: { effort: "max" }, thinking: { type: "adaptive" } }, { reasoning_effort: "max" }],
    [{ output_config: { effort: "max" }, thinking: { type: "disabled" } }, { reasoning_effort: "none" }],
    [{ thinking: { type: "disabled" }, output_config: { effort: "max" } }, { reasoning_effort: "none" }],
    [{ output_config: { task_budget: { total: 9 } } }, { dropped: ["output_config.task_budget"] }],
    [{ service_tier: "standard_only" }, { service_tier: "default" }],
    [{ service_tier: "auto" }, { service_tier: "auto" }],
    [{ speed: "fast" }, { dropped: ["speed"] }],
    [{ speed: "standard" }, {}],
    [{ context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] } }, {}],
    [{ context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } }, {
      dropped: ["context_management.edits[0]"],
    }],
    [{
      container: "c",
      fallbacks: [],
      inference_geo: "eu",
      cache_control: { type: "ephemeral" },
      mcp_servers: [{}],
    }, {
      dropped: ["container", "fallbacks", "inference_geo", "cache_control", "mcp_servers"],
    }],
    [{ container: null, betas: ["x"] }, {}],
    [{ thread: { type: "create" } }, { dropped: ["thread"] }],
  ];
  for (const [fields, expected] of rows) {
    assertEquals(settings(fields) as unknown, { dropped: [], ...expected }, JSON.stringify(fields));
  }
});

Deno.test("readCall() reads a schema for the answer in both spellings", () => {
  const schema = { type: "object", properties: {} };
  const format = { type: "json_schema", schema };
  const of = (path: string) => ({ type: "json_schema", name: "answer", schema, path });
  assertEquals(
    read({ output_config: { format } }).settings.response_format,
    of("output_config.format") as never,
  );
  assertEquals(read({ output_format: format }).settings.response_format, of("output_format") as never);
  assertEquals(read({ output_config: { format }, output_format: format }).dropped, ["output_format"]);
});

Deno.test("readCall() uses the effort of the last message that sets one", () => {
  const call = read({
    output_config: { effort: "low" },
    messages: [USER, { role: "system", output_config: { effort: "xhigh" } }],
  });
  assertEquals(call.settings.reasoning_effort, "xhigh");
  assertEquals(call.sent.get("reasoning_effort"), "messages[1].output_config.effort");
  assertEquals(call.messages.length, 1);
});

Deno.test("readCall() never sends the ids of a device or an account", () => {
  const user_id = JSON.stringify({ device_id: "d1", account_uuid: "a1", session_id: "s1" });
  const { settings } = read({ metadata: { user_id, other: 1 } });
  assertEquals(settings.prompt_cache_key, "s1");
  assert(/^user_[a-z0-9]{8,20}$/.test(settings.safety_identifier!), settings.safety_identifier);
  assertEquals(
    read({ metadata: { user_id: user_id.replace("s1", "s2") } }).settings.safety_identifier,
    settings.safety_identifier,
  );
  assertEquals(read({ metadata: { user_id: "u1", other: 1 } }).dropped, ["metadata.other"]);
});

Deno.test("readCall() asks for one token if the client only warms a cache", () => {
  assertEquals(read({ max_tokens: 0 }).settings.max_tokens, 1);
});

Deno.test("readCall() refuses a request that depends on state at Anthropic", () => {
  const refused = (fields: JsonObject) => {
    const { status, details } = assertThrows(() => read(fields), GatewayError);
    return [status, details.param, details.metadata?.error_code];
  };
  assertEquals(refused({ thread: { type: "continue", previous_message_id: "m" } }), [
    404,
    "thread",
    "thread_not_found",
  ]);
  assertEquals(refused({ compaction: { type: "x" } }), [400, "compaction", undefined]);
});

Deno.test("checkCall() and readCall() name the path of a fault", () => {
  const rows: [JsonObject, string][] = [
    [{ messages: [] }, "messages"],
    [{ messages: undefined }, "messages"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].role"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [{ messages: [{ role: "user", content: [{ text: "x" }] }] }, "messages[0].content[0].type"],
    [{ stream: "yes" }, "stream"],
    [{ max_tokens: "9" }, "max_tokens"],
    [{ tools: {} }, "tools"],
    [{ tools: [{ input_schema: {} }] }, "tools[0].name"],
    [{ tools: [{ name: "f", input_schema: "x" }] }, "tools[0].input_schema"],
    [{ tool_choice: { type: "some" } }, "tool_choice.type"],
    [{ tool_choice: { type: "tool" } }, "tool_choice.name"],
    [{ system: 1 }, "system"],
    [{ output_config: { format: { type: "xml" } } }, "output_config.format.type"],
    [
      { messages: [{ role: "user", content: [{ type: "image", source: { type: "x" } }] }] },
      "messages[0].content[0].source.type",
    ],
    [{ messages: [{ role: "user", content: [{ type: "image" }] }] }, "messages[0].content[0].source"],
    [
      { messages: [{ role: "user", content: [{ type: "tool_result" }] }] },
      "messages[0].content[0].tool_use_id",
    ],
  ];
  for (const [fields, param] of rows) {
    const body = { model: "x/m", max_tokens: 1, messages: [USER], ...fields };
    const error = assertThrows(() => {
      checkCall(body);
      readCall(body, "m");
    }, GatewayError);
    assertEquals([error.code, error.details.param], ["invalid_request", param]);
  }
});

// ---------------------------------------------------------------- tools

Deno.test("readCall() reads functions, and names members that mean nothing elsewhere", () => {
  const input_schema = { type: "object", properties: { a: { type: "string" } }, $schema: "x" };
  const { settings, dropped } = read({
    tools: [
      { name: "f", description: "d", input_schema, strict: true, cache_control: { type: "ephemeral" } },
      { type: "custom", name: "g", input_schema, eager_input_streaming: true, allowed_callers: ["direct"] },
      { name: "h", input_schema, input_examples: [{}], allowed_callers: ["code_execution_20260120"] },
    ],
  });
  const paths = (at: number) => ({
    path: `tools[${at}]`,
    definitionPath: `tools[${at}]`,
    parametersPath: `tools[${at}].input_schema`,
  });
  const common = { type: "function", parameters: input_schema, extra: {} };
  const none = { description: undefined, strict: undefined, cache: undefined };
  assertEquals(settings.tools as unknown, [
    { ...common, name: "f", description: "d", strict: true, cache: { type: "ephemeral" }, ...paths(0) },
    { ...common, ...none, name: "g", ...paths(1) },
    { ...common, ...none, name: "h", ...paths(2) },
  ]);
  assertEquals(dropped, ["tools[2].input_examples", "tools[2].allowed_callers"]);
});

Deno.test("readCall() reads the tools whose schema only Claude knows as functions", () => {
  const { settings, dropped } = read({
    tools: [
      { type: "bash_20250124", name: "bash" },
      { type: "text_editor_20250728", name: "str_replace_based_edit_tool", max_characters: 1000 },
      { type: "memory_20250818", name: "memory" },
      { type: "computer_toolset_20260801", name: "computer" },
      { type: "advisor_20260301", name: "advisor" },
      { type: "mcp_toolset", mcp_server_name: "s" },
    ],
  });
  const offered = settings.tools!.map((tool) =>
    tool.type === "function"
      ? [tool.name, tool.kind, Object.keys(tool.parameters!.properties as JsonObject).slice(0, 2)]
      : tool.type
  );
  assertEquals(offered, [
    ["bash", "bash_20250124", ["command", "restart"]],
    ["str_replace_based_edit_tool", "text_editor_20250728", ["command", "path"]],
    ["memory", "memory_20250818", ["command", "path"]],
  ]);
  assertEquals(dropped, ["tools[3]", "tools[4]", "tools[5]"]);
});

Deno.test("readCall() reads server tools by their kind and search terms", () => {
  const search = {
    type: "web_search_20260318",
    name: "web_search",
    allowed_domains: ["deno.com"],
    max_uses: 3,
    user_location: { type: "approximate", city: "Bern" },
  };
  const fetched = { type: "web_fetch_20250910", name: "web_fetch" };
  const code = { type: "code_execution_20250825", name: "code_execution" };
  assertEquals(read({ tools: [search, fetched, code] }).settings.tools as unknown, [
    {
      type: "server",
      kind: "web_search",
      search: { allowedDomains: ["deno.com"], maxUses: 3, location: { type: "approximate", city: "Bern" } },
      value: search,
      path: "tools[0]",
    },
    { type: "server", kind: "web_fetch", search: {}, value: fetched, path: "tools[1]" },
    { type: "server", kind: "code_execution", search: {}, value: code, path: "tools[2]" },
  ]);
});

Deno.test("readCall() offers a deferred tool once it is loaded, until it is removed", () => {
  const input_schema = { type: "object" };
  const tools = ["a", "b", "c", "d"].map((name) => ({ name, input_schema, defer_loading: name !== "a" }));
  const names = (list: unknown[], more: unknown[] = []) =>
    read({ tools: [...tools, ...more], messages: list }).settings.tools?.map((tool) =>
      "name" in tool && tool.name
    );
  const loaded = [USER, {
    role: "assistant",
    content: [{ type: "tool_use", id: "t", name: "ToolSearch", input: {} }],
  }, {
    role: "user",
    content: [{
      type: "tool_result",
      tool_use_id: "t",
      content: [{ type: "tool_reference", tool_name: "b" }],
    }],
  }];
  const change = (type: string, name: string) => ({
    role: "system",
    content: [{ type, tool: { type: "tool_reference", name } }],
  });
  assertEquals(names([USER]), ["a"]);
  assertEquals(names(loaded), ["a", "b"]);
  assertEquals(names([...loaded, change("tool_addition", "c")]), ["a", "b", "c"]);
  assertEquals(names([...loaded, change("tool_removal", "b"), change("tool_removal", "a")]), undefined);
  // Only Anthropic searches for tools.
  const search = { type: "tool_search_tool_bm25_20251119", name: "tool_search_tool_bm25" };
  assertEquals(names([USER], [search]), ["a", "b", "c", "d"]);
});

Deno.test("readCall() reads the tool choice, and drops the choice of a tool that is not offered", () => {
  const tools = [{ name: "f", input_schema: { type: "object" } }];
  const choose = (tool_choice: JsonObject) => settings({ tools, tool_choice });
  assertEquals(choose({ type: "auto" }).tool_choice, "auto");
  assertEquals(choose({ type: "none" }).tool_choice, "none");
  assertEquals(choose({ type: "any" }).tool_choice, "required");
  assertEquals(choose({ type: "tool", name: "f" }).tool_choice, { name: "f" });
  assertEquals(choose({ type: "auto", disable_parallel_tool_use: true }).parallel_tool_calls, false);
  const gone = choose({ type: "tool", name: "web_search" });
  assertEquals([gone.tool_choice, gone.dropped], [undefined, ["tool_choice.name"]]);
});
