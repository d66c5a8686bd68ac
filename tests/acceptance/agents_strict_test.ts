/**
 * Agents under `sluice-strict`: what Codex 0.171 and Claude Code 2.1.332 send with every call is refused only where it
 * changes what is asked. Their bodies are as they were seen on the wire.
 */
import { assert, assertEquals } from "@std/assert";
import { type Json, lab } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";

const SEARCH = {
  type: "web_search",
  external_web_access: false,
  index_gated_web_access: true,
  search_content_types: ["text", "image"],
  search_context_size: "high",
};
const SHELL = {
  type: "function",
  name: "exec_command",
  strict: false,
  parameters: { type: "object", properties: {} },
};
const MCP = {
  type: "namespace",
  name: "mcp__files",
  description: "Files",
  tools: [{ ...SHELL, name: "read" }],
};

const said = (role: string, text: string) => ({
  type: "message",
  role,
  content: [{ type: "input_text", text }],
});

/** A request of Codex. */
const codex = (model: string, more: Json = {}): Json => ({
  model,
  input: [said("developer", "You are a coding agent."), said("user", "Do it")],
  tools: [SHELL, MCP],
  tool_choice: "auto",
  parallel_tool_calls: true,
  reasoning: { effort: "medium", summary: "detailed" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "0199",
  text: { verbosity: "low" },
  client_metadata: { session_id: "0199" },
  ...more,
});

/** A request of Claude Code. */
const claudeCode = (model: string, more: Json = {}): Json => ({
  model,
  max_tokens: 32_000,
  stream: true,
  thinking: { type: "adaptive", display: "omitted" },
  output_config: { effort: "high" },
  context_management: {
    edits: [{ type: "clear_thinking_20251015", keep: "all" }, { type: "clear_tool_uses_20250919" }],
  },
  metadata: { user_id: JSON.stringify({ device_id: "d", account_uuid: "a", session_id: "s" }) },
  system: [{ type: "text", text: "You are an agent.", cache_control: { type: "ephemeral", ttl: "1h" } }],
  tools: [{ name: "Read", description: "Reads", input_schema: { type: "object", properties: {} } }],
  messages: [
    { role: "user", content: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }] },
    { role: "system", content: "It is Monday." },
  ],
  ...more,
});

const TEXT = { type: "text", text: "Hi" };
const google = () => strictGoogle([[{ text: "Hi" }]]).play;
const claude = () => strictAnthropic([[TEXT]]).play;
const chat = () => strictOpenAI([{ text: "Hi" }]).play;

/** Models with and without thoughts, efforts and a search of their own. */
const MODELS: Record<string, () => Parameters<typeof lab>[0]> = {
  "anthropic/claude-opus-5-5": claude,
  "anthropic/claude-opus-4-8": claude,
  "google-ai-studio/gemini-3-pro": google,
  "google-ai-studio/gemini-2.5-flash": google,
  "google-ai-studio/gemini-2.0-flash": google,
  "cohere/command-a-reasoning-08-2025": () => strictCohere([{ text: "Hi" }]).play,
  "cohere/command-a-03-2025": () => strictCohere([{ text: "Hi" }]).play,
  "mistral/mistral-large-latest": chat,
  "local/llama-3.3-70b": chat,
};

/** A gateway before a model. */
const room = (model: string) =>
  lab(MODELS[model](), { providers: { local: { baseUrl: "https://local.test/v1" } } });

async function send({ gateway }: ReturnType<typeof lab>, path: string, body: Json) {
  const answer = await gateway.fetch(
    new Request(`http://gateway.test/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key", "sluice-strict": "true" },
      body: JSON.stringify(body),
    }),
  );
  const dropped = answer.headers.get("sluice-dropped")?.split(", ") ?? [];
  return { status: answer.status, dropped, text: await answer.text() };
}

for (const model of Object.keys(MODELS)) {
  Deno.test(`strict refuses nothing of what Codex and Claude Code send with every call (${model})`, async () => {
    for (const [path, body] of [["responses", codex(model)], ["messages", claudeCode(model)]] as const) {
      const { status, text } = await send(room(model), path, body);
      assertEquals(status, 200, text);
    }
  });
}

const SEARCHING = ["anthropic/claude-opus-5-5", "google-ai-studio/gemini-3-pro"];

Deno.test("strict names what a search cannot be told, and refuses a search that nobody can make", async () => {
  for (const model of Object.keys(MODELS)) {
    const { status, dropped, text } = await send(
      room(model),
      "responses",
      codex(model, { tools: [SHELL, SEARCH] }),
    );
    // Older models of Google's search only if no function is offered.
    if (model.startsWith("anthropic/") || SEARCHING.includes(model)) {
      assertEquals(status, 200, text);
      for (const member of ["external_web_access", "search_content_types", "search_context_size"]) {
        assert(dropped.includes(`tools[1].${member}`), `${model}: ${dropped}`);
      }
    } else assertEquals([status, JSON.parse(text).error.param], [400, "tools[1]"], text);
  }
});

Deno.test("a search as every search is made is not named, and a summary and a length of the usual kind neither", async () => {
  const tools = [SHELL, { type: "web_search", external_web_access: true, search_context_size: "medium" }];
  const usual = { tools, reasoning: { summary: "auto" }, text: { verbosity: "medium" } };
  for (const model of SEARCHING) {
    const { dropped, text } = await send(room(model), "responses", codex(model, usual));
    assertEquals(dropped, ["prompt_cache_key"], text);
  }
});

Deno.test("strict refuses what changes the answer of an agent's call", async () => {
  const model = "google-ai-studio/gemini-3-pro";
  const losses: [path: string, body: Json, param: string][] = [
    ["responses", codex(model, { max_tool_calls: 3 }), "max_tool_calls"],
    ["responses", codex(model, { truncation: "auto" }), "truncation"],
    ["responses", codex(model, { store: true }), "store"],
    ["messages", claudeCode(model, { container: "c" }), "container"],
    [
      "messages",
      claudeCode(model, { output_config: { task_budget: { type: "tokens", total: 9 } } }),
      "output_config.task_budget",
    ],
    ["messages", claudeCode(model, { metadata: { team: "t" } }), "metadata.team"],
  ];
  for (const [path, body, lost] of losses) {
    const { status, text } = await send(room(model), path, body);
    assertEquals(status, 400, text);
    // It names what is lost, and no hint.
    assert(text.includes(lost), text);
    assert(!/cache|effort|verbosity|summary|context_management/.test(text), text);
  }
});

// ---------------------------------------------------------------- summaries

Deno.test("a wish for a summary of the reasoning shows the thoughts of a model that thinks unasked and hides them", async () => {
  const shown: [model: string, place: (body: Json) => unknown, expected: unknown][] = [
    ["anthropic/claude-opus-5-5", ({ thinking }) => thinking, { type: "adaptive", display: "summarized" }],
    ["anthropic/claude-opus-5", ({ thinking }) => thinking, { type: "adaptive", display: "summarized" }],
    // It does not think unless it is told to, or shows its thoughts anyway.
    ["anthropic/claude-opus-4-8", ({ thinking }) => thinking, undefined],
    ["anthropic/claude-sonnet-4-5", ({ thinking }) => thinking, undefined],
    ["google-ai-studio/gemini-3-pro", thinkingOf, { includeThoughts: true }],
    ["google-ai-studio/gemini-2.5-pro", thinkingOf, { includeThoughts: true }],
    // Its thinking may be off, and then the API refuses to show it.
    ["google-ai-studio/gemini-2.5-flash", thinkingOf, undefined],
    ["google-ai-studio/gemini-2.0-flash", thinkingOf, undefined],
  ];
  for (const [model, place, expected] of shown) {
    const play = model.startsWith("anthropic") ? claude() : google();
    const one = lab(play);
    const { status, text } = await send(one, "responses", {
      model,
      input: "Hi",
      reasoning: { summary: "auto" },
    });
    assertEquals([status, place(one.asked[0].body)], [200, expected], `${model}: ${text}`);
    const off = lab(play);
    const reasoning = { effort: "none", summary: "auto" };
    await send(off, "responses", { model, input: "Hi", reasoning });
    assert(!/summarized|includeThoughts/.test(off.asked[0]?.text ?? ""), model);
    const silent = lab(play);
    await send(silent, "responses", { model, input: "Hi" });
    assert(!/summarized|includeThoughts/.test(silent.asked[0].text), model);
  }
});

const thinkingOf = ({ generationConfig }: Json) => (generationConfig as Json | undefined)?.thinkingConfig;

Deno.test("how much of the pages a search reads reaches providers with a setting for it", async () => {
  const tools = [{ type: "web_search", search_context_size: "high" }];
  const asked = async (model: string) => {
    const one = lab(() => Response.json({ error: { message: "no" } }, { status: 400 }));
    const { dropped } = await send(one, "responses", { model, input: "Hi", tools });
    assertEquals(dropped, [], model);
    return one.asked[0].body;
  };
  const { tools: [search] } = await asked("perplexity-agent/perplexity/sonar") as { tools: Json[] };
  assertEquals(search, { type: "web_search", search_context_size: "high" });
  const { web_search_options } = await asked("perplexity/sonar");
  assertEquals(web_search_options, { search_context_size: "high" });
});
