/** Clients of other formats with providers that only have chat completions. */
import { assert, assertEquals } from "@std/assert";
import { events, type Json, lab, sse } from "./lab.ts";

const ask = (at: ReturnType<typeof lab>, body: Json): Promise<Response> =>
  at.gateway.fetch(
    new Request("http://gateway.test/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify({ model: "novita/deepseek/deepseek-v4", ...body }),
    }),
  );

const PATCH = "*** Begin Patch\n+ x\n";
const TOOLS = [
  { type: "function", name: "look", parameters: { type: "object", properties: {} } },
  {
    type: "custom",
    name: "apply_patch",
    description: "Patches.",
    format: { type: "grammar", syntax: "lark", definition: "x" },
  },
];
const CALLS = [
  { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } },
  {
    id: "call_2",
    type: "function",
    function: { name: "apply_patch", arguments: JSON.stringify({ input: PATCH }) },
  },
];
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

/** DeepSeek's answer: thinking, and then two tool calls. */
function play({ body }: { body: Json }): Response {
  const message = { role: "assistant", content: null, reasoning_content: "Let me see.", tool_calls: CALLS };
  if (!body.stream) {
    return Response.json({
      id: "1",
      model: "m",
      choices: [{ index: 0, message, finish_reason: "tool_calls" }],
      usage: USAGE,
    });
  }
  const chunk = (delta: Json, finish_reason: string | null = null) => ({
    id: "1",
    model: "m",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const pieces = CALLS.flatMap(({ function: { name, arguments: text }, ...call }, index) => [
    chunk({ tool_calls: [{ ...call, index, function: { name, arguments: "" } }] }),
    ...text.match(/[^]{1,3}/g)!.map((piece) =>
      chunk({ tool_calls: [{ index, function: { arguments: piece } }] })
    ),
  ]);
  return events(sse([
    chunk({ role: "assistant", content: "", reasoning_content: "Let me" }),
    chunk({ reasoning_content: " see." }),
    ...pieces,
    chunk({}, "tool_calls"),
    { id: "1", model: "m", choices: [], usage: USAGE },
    "[DONE]",
  ]));
}

Deno.test("a Responses client gets tool calls in the kind that it offered from a provider of chat completions, and answers them", async () => {
  for (const stream of [false, true]) {
    const at = lab(play);
    const input: Json[] = [{ role: "user", content: "Look, then patch." }];
    const response = await ask(at, {
      input,
      tools: TOOLS,
      stream,
      instructions: "Be brief.",
      reasoning: { effort: "xhigh" },
    });
    assertEquals(response.status, 200, await response.clone().text());
    assertEquals(at.asked[0].url.href, "https://api.novita.ai/openai/v1/chat/completions");
    const { messages, tools, reasoning_effort, stream_options } = at.asked[0].body as Record<string, Json[]>;
    assertEquals(messages, [{ role: "system", content: "Be brief." }, {
      role: "user",
      content: "Look, then patch.",
    }]);
    assertEquals(tools.map((one) => [one.type, (one.function as Json).name]), [["function", "look"], [
      "function",
      "apply_patch",
    ]]);
    assertEquals([reasoning_effort, stream_options] as unknown[], [
      "high",
      stream ? { include_usage: true } : undefined,
    ]);
    assert(response.headers.get("sluice-dropped")?.includes("tools[1].format"));

    let answer: Json;
    if (stream) {
      const last = (await response.text()).trim().split("\n\n").map((event) =>
        event.slice(event.indexOf("data: ") + 6)
      )
        .filter((data) => data.startsWith("{")).map((data) => JSON.parse(data)).at(-1);
      assertEquals(last.type, "response.completed");
      answer = last.response;
    } else answer = await response.json();
    const output = answer.output as Json[];
    const [look, patch] = output.filter(({ type }) => type !== "reasoning");
    assertEquals([look.type, look.name, look.call_id], ["function_call", "look", "call_1"]);
    assertEquals([patch.type, patch.name, patch.input], ["custom_tool_call", "apply_patch", PATCH]);
    const { input_tokens, output_tokens } = answer.usage as Json;
    assertEquals([input_tokens, output_tokens], [10, 5]);

    await ask(at, {
      tools: TOOLS,
      input: [
        ...input,
        ...output,
        { type: "function_call_output", call_id: "call_1", output: "seen" },
        { type: "custom_tool_call_output", call_id: "call_2", output: "ok" },
      ],
    });
    const second = at.asked[1].body.messages as Json[];
    assertEquals(second.slice(1), [
      { role: "assistant", content: null, reasoning_content: "Let me see.", tool_calls: CALLS },
      { role: "tool", tool_call_id: "call_1", content: "seen" },
      { role: "tool", tool_call_id: "call_2", content: "ok" },
    ]);
  }
});
