/** Tools with free text with providers that only have functions: offered, called, answered. */
import { assert, assertEquals } from "@std/assert";
import { type Json, lab, type Play, readEvents } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictCohere } from "./strict_cohere.ts";
import { strictGoogle } from "./strict_google.ts";

const PATCH = '*** Begin Patch\n+ say "😀"\\n\n*** End Patch';
const PERPLEXITY: Play = ({ body }) => {
  const turn = (body.input as Json[]).some(({ type }) => type === "function_call_output") ? 1 : 0;
  const output = [
    {
      type: "function_call",
      call_id: "c1",
      name: "apply_patch",
      arguments: JSON.stringify({ input: PATCH }),
    },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Done." }] },
  ];
  return Response.json({ id: "r", model: "m", status: "completed", output: [output[turn]] });
};

const PROVIDERS: Record<string, { model: string; play: () => Play; written: (body: Json) => Json }> = {
  anthropic: {
    model: "anthropic/claude-sonnet-4-5",
    play: () =>
      strictAnthropic([
        [{ type: "tool_use", id: "toolu_1", name: "apply_patch", input: { input: PATCH } }],
        [{ type: "text", text: "Done." }],
      ]).play,
    written: ({ tools }) => (tools as Json[])[0].input_schema as Json,
  },
  cohere: {
    model: "cohere/command-a-03-2025",
    play: () =>
      strictCohere([
        { calls: [{ id: "c1", name: "apply_patch", args: { input: PATCH } }] },
        { text: "Done." },
      ]).play,
    written: ({ tools }) => ((tools as Json[])[0].function as Json).parameters as Json,
  },
  gemini: {
    model: "gemini/gemini-3-pro-preview",
    play: () =>
      strictGoogle([
        [{ functionCall: { name: "apply_patch", args: { input: PATCH } }, thoughtSignature: "AbC+/d==" }],
        [{ text: "Done." }],
      ]).play,
    written: ({ tools }) =>
      (tools as { functionDeclarations: Json[] }[])[0].functionDeclarations[0].parametersJsonSchema as Json,
  },
  perplexity: {
    model: "perplexity-agent/sonar",
    play: () => PERPLEXITY,
    written: ({ tools }) => (tools as Json[])[0].parameters as Json,
  },
};

const TOOLS = [{
  type: "custom",
  custom: {
    name: "apply_patch",
    description: "Patches.",
    format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /.+/" } },
  },
}];
const ASK = { role: "user", content: "patch it" };

for (const [name, { model, play, written }] of Object.entries(PROVIDERS)) {
  Deno.test(`${name} is offered a custom tool as a function, and its calls come back as calls of a custom tool`, async () => {
    for (const stream of name === "perplexity" ? [false] : [false, true]) {
      const at = lab(play());
      const ask = async (messages: Json[]): Promise<Json> => {
        const response = await at.post({ model, messages, tools: TOOLS, stream });
        assertEquals(response.status, 200, await response.clone().text());
        assertEquals(response.headers.get("sluice-dropped"), "tools[0].custom.format");
        if (!stream) return ((await response.json()).choices[0]) as Json;
        const { chunks } = await readEvents(response);
        const message: Json = { role: "assistant", content: "" };
        const calls: { id: string; type: string; custom: { name: string; input: string } }[] = [];
        for (const chunk of chunks) {
          const [{ delta }] = chunk.choices as { delta: Json }[];
          for (const { index, custom, ...call } of (delta.tool_calls ?? []) as Json[]) {
            assert(typeof custom === "object" && !("function" in call), JSON.stringify(delta));
            if (!calls[index as number]) calls[index as number] = { ...call, custom } as typeof calls[number];
            else calls[index as number].custom.input += (custom as Json).input;
          }
        }
        if (calls.length > 0) message.tool_calls = calls;
        return {
          message,
          finish_reason: chunks.at(-1)!.choices && (chunks.at(-1)!.choices as Json[])[0].finish_reason,
        };
      };
      const { message, finish_reason } = await ask([ASK]) as { message: Json; finish_reason: string };
      assertEquals(finish_reason, "tool_calls");
      const [{ id, type, custom }] = message.tool_calls as Json[];
      assertEquals([type, custom], ["custom", { name: "apply_patch", input: PATCH }]);
      assertEquals(Object.keys(written(at.asked[0].body).properties as Json), ["input"]);
      assert(at.asked[0].text.includes("start: /.+/"), "the grammar is told in words");
      await ask([ASK, message, { role: "tool", tool_call_id: id as string, content: "ok" }]);
      // The call went back as a call of the function, with the whole text.
      const texts = (value: unknown): string[] =>
        typeof value === "string"
          ? [value]
          : typeof value === "object" && value
          ? Object.values(value).flatMap(texts)
          : [];
      const sent = texts(at.asked[1].body);
      assert(sent.includes(PATCH) || sent.includes(JSON.stringify({ input: PATCH })), at.asked[1].text);
    }
  });
}

Deno.test("chat returns a custom tool's call as such even if its arguments have another form, and keeps functions unchanged", async () => {
  const at = lab(
    strictAnthropic([[
      { type: "tool_use", id: "toolu_1", name: "apply_patch", input: { wrong: 1 } },
      { type: "tool_use", id: "toolu_2", name: "look", input: { input: "x" } },
    ]]).play,
  );
  const tools = [...TOOLS, { type: "function", function: { name: "look", parameters: { type: "object" } } }];
  const response = await at.post({ model: "anthropic/claude-sonnet-4-5", messages: [ASK], tools });
  const { tool_calls } = (await response.json()).choices[0].message;
  assertEquals(tool_calls.map((call: Json) => call.custom ?? call.function), [
    { name: "apply_patch", input: '{"wrong":1}' },
    { name: "look", arguments: '{"input":"x"}' },
  ]);
});
