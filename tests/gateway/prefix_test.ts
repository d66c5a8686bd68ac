/**
 * A request begins with the request before it: with its tools, its system prompt and each of its turns, byte for byte.
 * Prompt caches hold only then, and so does reasoning that a provider has signed.
 */
import { assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { type Json, lab } from "../acceptance/lab.ts";

const PNG = "iVBORw0KGgo=";
const TOOLS = ["f", "g"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { a: { type: "string" } } } },
}));

/** A model of each wire, and of each generation that differs in how it takes instructions. */
const MODELS = [
  "anthropic/claude-sonnet-4-5",
  "anthropic/claude-sonnet-4-6",
  "anthropic/claude-opus-4-8",
  "anthropic/claude-opus-5-5",
  "anthropic/claude-haiku-5-5",
  "cohere/command-a-03-2025",
  "cohere/command-a-reasoning-08-2025",
  "google/gemini-2.5-pro",
  "google/gemini-3-pro",
  "google/gemini-3-pro-image",
  "google/gemini-3.8-flash",
  "google/gemma-3-27b-it",
  "mistral/mistral-large",
  "openai/gpt-5",
  "openai/gpt-5.6",
  "openai/o3-pro",
  "perplexity-agent/sonar",
];

// ---------------------------------------------------------------- what is sent

/** The constant part of a request, followed by its smallest pieces in their order. */
function pieces({ system, systemInstruction, tools, messages, contents, input }: Json): string[] {
  const turns = (messages ?? contents ?? input) as Json[];
  const bare = (value: unknown) =>
    JSON.stringify(value, (key, one) => key === "cache_control" ? undefined : one) ?? "";
  return [
    bare([system, systemInstruction, tools]),
    ...turns.flatMap((turn) => {
      const list = turn.parts ?? turn.content;
      // APIs with blocks join neighbouring messages of one role into one turn.
      return Array.isArray(list) && turn.role !== undefined
        ? list.map((block) => `${turn.role} ${bare(block)}`)
        : [bare(turn)];
    }),
  ];
}

/** Sends each request of a conversation and compares it with the one before. */
async function grow(model: string, requests: Json[][]): Promise<void> {
  const room = lab(() => Response.json({}));
  let before: string[] = [];
  for (const messages of requests) {
    const response = await room.post({ model, messages, tools: TOOLS });
    await response.body?.cancel();
    // A request whose last turn is empty is refused, so it has no answer.
    if (response.status === 400) continue;
    const now = pieces(room.asked.at(-1)!.body);
    assertEquals(now.slice(0, before.length), before, JSON.stringify(messages));
    before = now;
  }
}

// ---------------------------------------------------------------- conversations

const word = fc.constantFrom("Hi", " 👋 ", "a\u2028b", "So?\n");
const said = fc.oneof(
  word,
  fc.array(word.map((text) => ({ type: "text", text })), { minLength: 1, maxLength: 2 }),
);
const image = { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } };

/** Messages between two answers: at least one of the user, with instructions and blank messages anywhere. */
const asked: fc.Arbitrary<Json[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: said.map((content): Json => ({ role: "user", content })) },
    { weight: 1, arbitrary: fc.constant<Json>({ role: "user", content: [image] }) },
    { weight: 1, arbitrary: fc.constantFrom("", " \n").map((content): Json => ({ role: "user", content })) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom("system", "developer"), said)
        .map(([role, content]): Json => ({ role, content })),
    },
  ),
  { minLength: 1, maxLength: 4 },
);

const thoughts = fc.option(
  fc.constantFrom<Json>(
    {
      reasoning_details: [
        { type: "reasoning.text", text: "Hm", signature: "c2ln", format: "anthropic-claude-v1", index: 0 },
      ],
    },
    { reasoning_content: "Hm" },
  ),
  { nil: {} },
);

const answer: fc.Arbitrary<Json> = fc.tuple(fc.oneof(word, fc.constantFrom("", null)), thoughts)
  .map(([content, more]) => ({ role: "assistant", content, ...more }));

/** Tool calls with all their results, and messages that an agent may put behind or between them. */
const called = fc.tuple(
  answer,
  fc.uniqueArray(fc.constantFrom("c1", "c.2", "", "call_0"), { minLength: 1, maxLength: 3 }),
  fc.constantFrom("x", "", [{ type: "text", text: "y" }], [image]),
  fc.constantFrom<Json[]>([], [{ role: "system", content: "900 tokens left" }]),
  fc.boolean(),
).map(([message, ids, content, reminder, between]): [Json, Json[]] => {
  const tool_calls = ids.map((id, at) => ({
    id,
    type: "function",
    function: { name: "fg"[at % 2], arguments: at ? "{}" : '{"a":"b"}' },
  }));
  const results = ids.map((id) => ({ role: "tool", tool_call_id: id, content }));
  return [{ ...message, tool_calls }, between ? [...reminder, ...results] : [...results, ...reminder]];
});

/** Messages after a request whose answer the client has not kept. */
const unanswered = asked.map((next): [undefined, Json[]] => [undefined, next]);

/** The requests of a conversation. Each has the messages of the one before, its answer, and new messages. */
const conversation: fc.Arbitrary<Json[][]> = fc.tuple(
  asked,
  fc.array(fc.oneof(fc.tuple(answer, asked), called, unanswered), { minLength: 1, maxLength: 6 }),
).map(([first, steps]) => {
  const requests = [first];
  for (const [message, next] of steps) {
    const before = requests.at(-1)!;
    // Instructions at the very beginning are the system prompt, which is one text.
    if (!message && before.every(isInstruction)) continue;
    requests.push([...before, ...message ? [message] : [], ...next]);
  }
  return requests;
});

const isInstruction = ({ role }: Json) => role === "system" || role === "developer";

for (const model of MODELS) {
  Deno.test(`${model}: a request begins with the request before it`, () =>
    fc.assert(fc.asyncProperty(conversation, (requests) => grow(model, requests)), { numRuns: 150 }));
}

Deno.test("twelve rounds with a reminder each keep the whole beginning", async () => {
  for (const model of MODELS) {
    const requests: Json[][] = [[{ role: "system", content: "S" }, { role: "user", content: "Go" }]];
    for (let round = 0; round < 12; round++) {
      const call = { id: `t${round}`, type: "function", function: { name: "f", arguments: "{}" } };
      requests.push([
        ...requests.at(-1)!,
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: `t${round}`, content: "r" },
        { role: "system", content: `<total_tokens>${900 - round}</total_tokens>` },
      ]);
    }
    await grow(model, requests);
  }
});
