/**
 * Codex with models of other providers: its requests as Codex 0.171 sends them, its reading of the stream (only
 * `output_item.done` and the last event), and its history.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Json, type Lab, lab } from "./lab.ts";
import { readResponseStream } from "./responses_events.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { CLAUDE, COMMAND, GEMINI } from "./turns.ts";

/** What Codex answers to a search for tools: one namespace with one function. */
const foundMail = (call_id: string) => ({
  type: "tool_search_output",
  call_id,
  execution: "client",
  status: "completed",
  tools: [{
    type: "namespace",
    name: "mcp__mail",
    description: "",
    tools: [{ type: "function", name: "send" }],
  }],
});

const HEADERS = {
  "content-type": "application/json",
  authorization: "Bearer key",
  accept: "text/event-stream",
  originator: "codex_exec",
  "session-id": "0199",
  "thread-id": "0199",
  "x-client-request-id": "0199",
};

const PATCH = {
  type: "custom",
  name: "apply_patch",
  description: "Edits files",
  format: { type: "grammar", syntax: "lark", definition: "start: begin_patch" },
};
const SHELL = {
  type: "function",
  name: "exec_command",
  description: "Runs a command",
  strict: false,
  parameters: { type: "object", properties: { cmd: { type: "string" } }, required: ["cmd"] },
};
const SEARCH = {
  type: "tool_search",
  execution: "client",
  description: "Searches tools",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};
const MCP = {
  type: "namespace",
  name: "mcp__files",
  description: "Tools of the server files",
  tools: [{ type: "function", name: "read", strict: false, parameters: { type: "object", properties: {} } }],
};

/** A request as Codex writes it. */
const bodyOf = (model: string, input: Json[], tools: Json[] = [SHELL, PATCH, SEARCH, MCP]): Json => ({
  model,
  input,
  tools,
  tool_choice: "auto",
  parallel_tool_calls: true,
  reasoning: { effort: "medium", summary: "auto" },
  store: false,
  stream: true,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "0199",
  text: { verbosity: "low" },
  client_metadata: { session_id: "0199" },
});

const START: Json[] = [
  { type: "message", role: "developer", content: [{ type: "input_text", text: "You are a coding agent." }] },
  { type: "message", role: "user", content: [{ type: "input_text", text: "<environment_context/>" }] },
  { type: "message", role: "user", content: [{ type: "input_text", text: "Do it" }] },
];

/** Asks once, and reads the answer as Codex does. */
async function turn({ gateway }: Lab, body: Json): Promise<Json[]> {
  const request = new Request("http://gateway.test/v1/responses", {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
  });
  const answer = await gateway.fetch(request);
  const text = await answer.text();
  assertEquals(answer.status, 200, text);
  const { events } = readResponseStream(text);
  const last = events.at(-1)!;
  assertEquals(last.type, "response.completed", text);
  assertEquals(typeof (last.response as Json).id, "string");
  return events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item as Json);
}

/** What Codex keeps of an item: the members that it knows. */
const KEPT: Record<string, string[]> = {
  message: ["type", "role", "content", "id", "phase"],
  reasoning: ["type", "id", "summary", "content", "encrypted_content"],
  function_call: ["type", "name", "namespace", "arguments", "call_id", "id"],
  custom_tool_call: ["type", "status", "call_id", "name", "input", "id"],
  tool_search_call: ["type", "call_id", "status", "execution", "arguments", "id"],
};
const kept = (item: Json): Json =>
  Object.fromEntries(Object.entries(item).filter(([name]) => KEPT[`${item.type}`].includes(name)));

/** The outputs of an answer's calls, in the reverse order. */
const outputs = (items: Json[], said = "Done"): Json[] =>
  items.flatMap(({ type, call_id }): Json[] =>
    type === "function_call"
      ? [{ type: "function_call_output", call_id, output: said }]
      : type === "custom_tool_call"
      ? [{ type: "custom_tool_call_output", call_id, output: said }]
      : []
  ).reverse();

/** Runs until an answer has no calls. */
async function run(room: Lab, model: string, tools?: Json[]): Promise<Json[]> {
  const input = [...START];
  for (let turns = 0; turns < 10; turns++) {
    const items = await turn(room, bodyOf(model, input, tools));
    input.push(...items.map(kept));
    const results = outputs(items);
    if (results.length === 0) return input;
    input.push(...results);
  }
  throw new Error("it goes round in circles");
}

const TURNS_TOOLS = ["weather", "clock"].map((name) => ({
  type: "function",
  name,
  strict: false,
  parameters: { type: "object", properties: { city: { type: "string" } } },
}));

const PROVIDERS: [string, () => { play: ReturnType<typeof strictAnthropic>["play"]; check: unknown }][] = [
  ["anthropic/claude-sonnet-4-5", () => strictAnthropic(CLAUDE)],
  ["anthropic/claude-opus-5", () => strictAnthropic(CLAUDE)],
  ["anthropic/claude-opus-5-5", () => strictAnthropic(CLAUDE)],
  ["google-ai-studio/gemini-3-pro", () => strictGoogle(GEMINI)],
  ["cohere/command-a-reasoning-08-2025", () => strictCohere(COMMAND)],
];

for (const [model, provider] of PROVIDERS) {
  Deno.test(`Codex runs its loop on ${model}, and continues after it`, async () => {
    const { play, check } = provider();
    const room = lab(play);
    const input = await run(room, model, TURNS_TOOLS);
    const answer = input.at(-1)!.content as Json[] | undefined ?? input.at(-2)!.content as Json[];
    assertStringIncludes(answer[0].text as string, "Sunny, and noon.");
    input.push({
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "Thanks! And now?" }],
    });
    await turn(room, bodyOf(model, input, TURNS_TOOLS));
    assertEquals(room.asked.map(check as (asked: unknown) => unknown), room.asked.map(() => undefined));
  });
}

Deno.test("Claude's blocks come back unchanged through Codex' history", async () => {
  const room = lab(strictAnthropic(CLAUDE).play);
  const model = "anthropic/claude-opus-5";
  const input = await run(room, model, TURNS_TOOLS);
  input.push({ type: "message", role: "user", content: [{ type: "input_text", text: "And now?" }] });
  await turn(room, bodyOf(model, input, TURNS_TOOLS));
  const back = (room.asked.at(-1)!.body.messages as Json[]).filter(({ role }) => role === "assistant");
  assertEquals(back.map(({ content }) => content), CLAUDE);
});

Deno.test("Gemini's signatures come back through Codex' history, each on its own call", async () => {
  const room = lab(strictGoogle(GEMINI).play);
  await run(room, "google/gemini-3-pro", TURNS_TOOLS);
  const contents = room.asked.at(-1)!.body.contents as { parts: Json[] }[];
  const calls = contents.flatMap(({ parts }) => parts).filter((part) => part.functionCall);
  assertEquals(calls.map((part) => part.thoughtSignature), ["AbC+/d==", undefined, "EfG/+h=="]);
});

Deno.test("each request of a run begins with the request before it", async () => {
  const room = lab(strictAnthropic(CLAUDE).play);
  await run(room, "anthropic/claude-opus-5", TURNS_TOOLS);
  const texts = room.asked.map(({ body }) => JSON.stringify(body.messages).slice(0, -1));
  texts.slice(1).forEach((text, at) => {
    // The last turn of a request may grow, as results are one turn.
    const before = texts[at].slice(0, texts[at].lastIndexOf('"cache_control"'));
    assert(text.startsWith(before), `request ${at + 2}`);
  });
});

Deno.test("Codex' tools are functions to Claude, and their calls come back in kind", async () => {
  const call = (name: string, input: Json, at: number) => ({
    type: "tool_use",
    id: `toolu_0${at}`,
    name,
    input,
  });
  const room = lab(
    strictAnthropic([
      [
        call("apply_patch", { input: '*** Begin Patch\n*** Add File: "ü"\n*** End Patch' }, 1),
        call("mcp__files__read", {}, 2),
        call("tool_search", { query: "mail" }, 3),
        call("exec_command", { cmd: "ls" }, 4),
      ],
      [{ type: "text", text: "Done." }],
    ]).play,
  );
  const items = await turn(room, bodyOf("anthropic/claude-opus-5", START));
  assertEquals(items.map(({ id: _, status: __, ...item }) => item), [
    {
      type: "custom_tool_call",
      call_id: "toolu_01",
      name: "apply_patch",
      input: '*** Begin Patch\n*** Add File: "ü"\n*** End Patch',
    },
    { type: "function_call", call_id: "toolu_02", name: "read", namespace: "mcp__files", arguments: "{}" },
    { type: "tool_search_call", call_id: "toolu_03", execution: "client", arguments: { query: "mail" } },
    { type: "function_call", call_id: "toolu_04", name: "exec_command", arguments: '{"cmd":"ls"}' },
  ]);
  const found = foundMail("toolu_03");
  await turn(
    room,
    bodyOf("anthropic/claude-opus-5", [...START, ...items.map(kept), ...outputs(items), found]),
  );
  const [first, second] = room.asked.map(({ body }) => (body.tools as Json[]).map(({ name }) => name));
  assertEquals(first, ["exec_command", "apply_patch", "tool_search", "mcp__files__read"]);
  assertEquals(second, [...first, "mcp__mail__send"]);
  const [, patch] = room.asked[0].body.tools as Json[];
  assertStringIncludes(patch.description as string, "start: begin_patch");
  const turns = room.asked[1].body.messages as { role: string; content: Json[] }[];
  const used = turns.flatMap(({ content }) => content).filter(({ type }) => type === "tool_use");
  assertEquals(used.map(({ name, input }) => [name, input]), [
    ["apply_patch", { input: '*** Begin Patch\n*** Add File: "ü"\n*** End Patch' }],
    ["mcp__files__read", {}],
    ["tool_search", { query: "mail" }],
    ["exec_command", { cmd: "ls" }],
  ]);
});

Deno.test("Codex runs its loop on a server of one's own, whose template knows no developer", async () => {
  const call = (name: string, at: number) => ({ id: `call_${at}`, name, args: { city: "Bern" } });
  const { play, check } = strictOpenAI([
    { think: "Two tools.", calls: [call("weather", 1), call("clock", 2)] },
    { text: "Sunny, and noon." },
  ]);
  const room = lab(play, { providers: { local: { baseUrl: "https://local.test/v1" } } });
  const later = { type: "message", role: "developer", content: [{ type: "input_text", text: "Be brief." }] };
  const input = await run(room, "local/some-model", TURNS_TOOLS);
  input.push(later, { type: "message", role: "user", content: [{ type: "input_text", text: "And now?" }] });
  await turn(room, bodyOf("local/some-model", input, TURNS_TOOLS));
  assertEquals(room.asked.map(check), room.asked.map(() => undefined));
  const roles = (room.asked.at(-1)!.body.messages as Json[]).map(({ role }) => role);
  assertEquals(roles.filter((role) => role === "system").length, 2);
  assertEquals((room.asked.at(-1)!.body.messages as Json[])[3].reasoning_content, "Two tools.");
});

for (
  const model of ["anthropic/claude-opus-5-5", "anthropic/claude-opus-5", "google-ai-studio/gemini-3-pro"]
) {
  Deno.test(`a run on ${model} can be summarised by Codex and by the gateway, and goes on`, async () => {
    const isClaude = model.startsWith("anthropic");
    const summaries = [
      // Codex asks without tools, and goes on with what it is answered.
      { type: "message", role: "user", content: [{ type: "input_text", text: "Write a summary." }] },
      { type: "compaction_trigger" },
    ];
    for (const [at, asks] of summaries.entries()) {
      const { play, check } = isClaude
        ? strictAnthropic([
          ...CLAUDE.slice(0, 2),
          ...["SUMMARY", "On."].map((text) => [{ type: "text", text }]),
        ])
        : strictGoogle([...GEMINI.slice(0, 2), [{ text: "SUMMARY" }], [{ text: "On." }]]);
      const room = lab(play);
      const input = [...START];
      for (let turns = 0; turns < 2; turns++) {
        const items = await turn(room, bodyOf(model, input, TURNS_TOOLS));
        input.push(...items.map(kept), ...outputs(items));
      }
      const tools = at === 0 ? [] : TURNS_TOOLS;
      const [summary, ...more] = await turn(room, bodyOf(model, [...input, asks], tools));
      assertEquals([summary.type, more.length], [at === 0 ? "message" : "compaction", 0]);
      const next = [...START, ...at === 0 ? [kept(summary)] : [summary], START[2]];
      await turn(room, bodyOf(model, next, TURNS_TOOLS));
      assertStringIncludes(room.asked.at(-1)!.text, "SUMMARY");
      assertEquals(room.asked.map(check as (asked: unknown) => unknown), room.asked.map(() => undefined));
      // Thoughts that may stay do.
      const proof = isClaude ? '"signature":' : '"thoughtSignature":';
      assertEquals(room.asked[1].text.includes(proof), true);
      assertEquals(room.asked[2].text.includes('"type":"thinking"'), model.endsWith("opus-5") && at === 0);
    }
  });
}

Deno.test("thoughts that a summary cannot keep are named", async () => {
  const room = lab(strictAnthropic([...CLAUDE.slice(0, 1), [{ type: "text", text: "SUMMARY" }]]).play);
  const items = await turn(room, bodyOf("anthropic/claude-opus-5-5", START, TURNS_TOOLS));
  const input = [...START, ...items.map(kept), ...outputs(items), START[2]];
  const answer = await room.gateway.fetch(
    new Request("http://gateway.test/v1/responses", {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify(bodyOf("anthropic/claude-opus-5-5", input, [])),
    }),
  );
  await answer.body?.cancel();
  const dropped = answer.headers.get("sluice-dropped")!.split(", ");
  assertEquals(dropped.filter((path) => path.startsWith("input")), ["input[3]", "input[4]"]);
});

Deno.test("Codex finds tools in mid-run: Claude's thoughts of before are left out and named where they are bound to fewer tools", async () => {
  const found = foundMail("toolu_01");
  const thought = (text: string) => ({ type: "thinking", thinking: text, signature: btoa(text) });
  for (
    const [model, stay] of [["claude-opus-5-5", ["Now send."]], ["claude-opus-5", [
      "Search.",
      "Now send.",
    ]]] as const
  ) {
    const { play, check } = strictAnthropic([
      [thought("Search."), {
        type: "tool_use",
        id: "toolu_01",
        name: "tool_search",
        input: { query: "mail" },
      }],
      [thought("Now send."), { type: "tool_use", id: "toolu_02", name: "mcp__mail__send", input: {} }],
      [{ type: "text", text: "Sent." }],
    ]);
    const room = lab(play);
    const input = [...START];
    input.push(...(await turn(room, bodyOf(`anthropic/${model}`, input))).map(kept), found);
    const items = await turn(room, bodyOf(`anthropic/${model}`, input));
    input.push(...items.map(kept), ...outputs(items));
    await turn(room, bodyOf(`anthropic/${model}`, input));
    assertEquals(room.asked.map(check), [undefined, undefined, undefined]);
    const turns = room.asked[2].body.messages as { content: Json[] }[];
    const thoughts = turns.flatMap(({ content }) => content).filter(({ type }) => type === "thinking");
    assertEquals(thoughts.map(({ thinking }) => thinking), [...stay]);
  }
});
