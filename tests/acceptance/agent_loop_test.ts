/** Whole agent runs: providers must accept in the next request what each client kept of Sluice's answers. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { CLIENTS, type Json, lab, runAgent } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";
import { CLAUDE, COMMAND, GEMINI } from "./turns.ts";

const TOOLS = ["weather", "clock"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { city: { type: "string" } } } },
}));
const QUESTION = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "How is the weather in Zürich, and what time is it?" },
];

const PROVIDERS: Record<
  string,
  { model: string; provider: () => ReturnType<typeof strictAnthropic>; body?: Json }[]
> = {
  anthropic: [
    {
      model: "anthropic/claude-sonnet-4-5",
      provider: () => strictAnthropic(CLAUDE),
      body: { reasoning_effort: "high" },
    },
    { model: "anthropic/claude-sonnet-4-5", provider: () => strictAnthropic(CLAUDE) },
    {
      model: "anthropic/claude-sonnet-4-5",
      provider: () => strictAnthropic(CLAUDE),
      body: { thinking: { type: "enabled", budget_tokens: 2000 } },
    },
    {
      model: "anthropic/claude-opus-5",
      provider: () => strictAnthropic(CLAUDE),
      body: { reasoning_effort: "low" },
    },
    { model: "anthropic/claude-opus-5-5", provider: () => strictAnthropic(CLAUDE) },
    { model: "anthropic/claude-haiku-5-5", provider: () => strictAnthropic(CLAUDE) },
  ],
  google: [
    {
      model: "google-ai-studio/gemini-3-pro",
      provider: () => strictGoogle(GEMINI),
      body: { reasoning_effort: "high" },
    },
  ],
  cohere: [
    { model: "cohere/command-a-reasoning-08-2025", provider: () => strictCohere(COMMAND) },
    { model: "cohere/command-a-03-2025", provider: () => strictCohere(COMMAND) },
  ],
};

for (const [name, client] of Object.entries(CLIENTS)) {
  for (const { model, provider, body } of Object.values(PROVIDERS).flat()) {
    Deno.test(`an agent loop over ${model} ${JSON.stringify(body ?? {})} with ${name}`, async () => {
      const { play, check } = provider();
      const room = lab(play);
      const messages = await runAgent(room, client, { model, tools: TOOLS, messages: QUESTION, ...body });
      assertStringIncludes(messages.at(-1)!.content as string, "Sunny, and noon.");
      // The conversation continues.
      messages.push({ role: "user", content: "Thanks! And now?" });
      await client(room, { model, tools: TOOLS, messages, ...body });
      assertEquals(room.asked.map(check), Array(4).fill(undefined));
    });
  }
}

for (const [name, client] of Object.entries(CLIENTS)) {
  const drops = name.includes("drops");
  Deno.test(`Claude's blocks come back ${drops ? "without thoughts" : "unchanged"} from ${name}`, async () => {
    const room = lab(strictAnthropic(CLAUDE).play);
    const model = "anthropic/claude-opus-5";
    const messages = await runAgent(room, client, { model, tools: TOOLS, messages: QUESTION });
    await client(room, {
      model,
      tools: TOOLS,
      messages: [...messages, { role: "user", content: "And now?" }],
    });
    const back = (room.asked.at(-1)!.body.messages as Json[]).filter(({ role }) => role === "assistant");
    const kept = drops
      ? CLAUDE.map((blocks) => blocks.filter(({ type }) => !type.endsWith("thinking")))
      : CLAUDE;
    assertEquals(back.map(({ content }) => content), kept);
  });
}

Deno.test("Gemini's signatures come back from every client, each on its own call", async () => {
  for (const client of Object.values(CLIENTS)) {
    const room = lab(strictGoogle(GEMINI).play);
    await runAgent(room, client, { model: "google/gemini-3-pro", tools: TOOLS, messages: QUESTION });
    const contents = room.asked.at(-1)!.body.contents as { parts: Json[] }[];
    const calls = contents.flatMap(({ parts }) => parts).filter((part) => part.functionCall);
    assertEquals(calls.map((part) => part.thoughtSignature), ["AbC+/d==", undefined, "EfG/+h=="]);
    assertEquals((calls[2].functionCall as Json).id, "fc-9");
  }
});

Deno.test("thinking is left out and named while its thoughts are lost, and comes back with the next question", async () => {
  const room = lab(strictAnthropic(CLAUDE).play);
  const call = { id: "toolu_01", type: "function", function: { name: "clock", arguments: "" } };
  const messages: Json[] = [
    ...QUESTION,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "toolu_01", content: "noon" },
  ];
  const thinking = { type: "enabled", budget_tokens: 2000 };
  const body = { model: "anthropic/claude-sonnet-4-5", thinking, temperature: 0.5, messages, tools: TOOLS };
  const lost = await room.post(body);
  assertEquals([lost.status, lost.headers.get("sluice-dropped")], [200, "thinking"]);
  assertEquals(room.asked[0].body.temperature, 0.5);
  const next = await room.post({
    ...body,
    messages: [...messages, { role: "assistant", content: "Noon." }, { role: "user", content: "Why?" }],
  });
  assertEquals([next.status, next.headers.get("sluice-dropped")], [200, "temperature"]);
  assertEquals(room.asked[1].body.thinking, thinking);
});
