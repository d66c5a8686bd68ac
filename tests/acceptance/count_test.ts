/** How many tokens a call has: who is asked for whose clients, where, and what is never asked for an answer. */
import { assert, assertEquals } from "@std/assert";
import { type Json, lab } from "./lab.ts";

/** Counters of providers, by host and path; whatever else is asked would be an answer, and paid for. */
const COUNTERS: Record<string, (body: Json) => Json | undefined> = {
  "api.openai.com/v1/responses/input_tokens": ({ model, input, ...more }) =>
    Object.keys(more).every((name) =>
        ["instructions", "reasoning", "text", "tool_choice", "tools"].includes(name)
      ) &&
      model && input
      ? { object: "response.input_tokens", input_tokens: 21 }
      : undefined,
  "r.openai.azure.com/openai/v1/responses/input_tokens": () => ({ input_tokens: 22 }),
  "api.anthropic.com/v1/messages/count_tokens": ({ model, messages, max_tokens }) =>
    model && messages && max_tokens === undefined ? { input_tokens: 23 } : undefined,
  "generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:countTokens": () => ({ totalTokens: 24 }),
};

function room(isBroken = false) {
  const one = lab(({ url, body }) => {
    const answer = isBroken ? undefined : COUNTERS[url.host + url.pathname]?.(body);
    return answer
      ? Response.json(answer)
      : Response.json({ error: { message: "no such path" } }, { status: 404 });
  });
  const count = async (door: "messages" | "responses", model: string, more: Json = {}) => {
    const isMessages = door === "messages";
    const asked = isMessages ? { messages: [{ role: "user", content: "Hello" }] } : { input: "Hello" };
    const path = isMessages ? "messages/count_tokens" : "responses/input_tokens";
    const response = await one.gateway.fetch(
      new Request(`http://gateway.test/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify({ model, ...asked, ...more }),
      }),
    );
    const body = await response.json();
    assertEquals(response.status, 200, JSON.stringify(body));
    if (!isMessages) assertEquals(body.object, "response.input_tokens");
    return { tokens: body.input_tokens as number, estimated: response.headers.get("sluice-estimated") };
  };
  return { ...one, count };
}

const COUNTED: [model: string, tokens: number][] = [
  ["openai/gpt-5.6", 21],
  ["openai/gpt-4o", 21],
  ["azure/r/gpt-5.6", 22],
  ["anthropic/claude-opus-5-5", 23],
  ["google/gemini-3.8-flash", 24],
];

for (const door of ["messages", "responses"] as const) {
  Deno.test(`a client of ${door} gets the count of its model's own provider`, async () => {
    for (const [model, tokens] of COUNTED) {
      const { count, asked } = room();
      assertEquals(await count(door, model), { tokens, estimated: null }, model);
      assertEquals(asked.length, 1, model);
      assert(Object.hasOwn(COUNTERS, asked[0].url.host + asked[0].url.pathname), asked[0].url.href);
    }
  });

  Deno.test(`a count of ${door} never asks a provider for an answer, and is estimated where nobody counts`, async () => {
    const models = ["openai/gpt-5.6", "azure/r/gpt-5.6", "google/gemini-3.8-flash", "mistral/m", "cohere/c"];
    const rows = ["deepseek/d", "minimax/m", "groq/g", "openrouter/o", "fireworks/f", "ollama/o", "zai/z"];
    // What OpenAI says to its own clients is the answer, errors too.
    const foreign = door === "responses" ? models.slice(1) : models;
    for (const model of [...foreign, ...rows]) {
      const { count, asked } = room(true);
      const { tokens, estimated } = await count(door, model);
      assertEquals([tokens > 0, estimated], [true, "true"], model);
      for (const { url } of asked) {
        assert(/\/input_tokens$|\/count_tokens$|:countTokens$/.test(url.pathname), url.href);
      }
    }
  });
}

Deno.test("tools, thoughts and instructions are counted as they would be sent", async () => {
  const { count, asked } = room();
  const tools = [{ name: "f", input_schema: { type: "object" } }];
  const more = { system: "s", tools, max_tokens: 9, temperature: 0.5, stop_sequences: ["x"], stream: true };
  assertEquals((await count("messages", "openai/gpt-5.6", more)).tokens, 21);
  assertEquals((asked[0].body.tools as Json[])[0].name, "f");
  assertEquals((asked[0].body.input as Json[])[0].role, "system");
  const functions = [{ type: "function", name: "f", parameters: { type: "object" } }];
  const settings = { instructions: "s", tools: functions, max_output_tokens: 99, store: true };
  assertEquals((await count("responses", "anthropic/claude-opus-5-5", settings)).tokens, 23);
  assertEquals([asked[1].body.system, (asked[1].body.tools as Json[])[0].name], ["s", "f"]);
  // Claude's counter refuses what only an answer has.
  const answered = { stream: true, temperature: 0.5, safety_identifier: "u1", service_tier: "default" };
  for (const more of [answered, { ...answered, temperature: undefined, top_p: 0.5 }]) {
    assertEquals((await count("responses", "anthropic/claude-sonnet-4", more)).tokens, 23);
    assertEquals(Object.keys(asked.at(-1)!.body).sort(), ["messages", "model"]);
  }
});
