/** Containers, callers, citations and the order of blocks come back to Claude from every kind of client. */
import { assertEquals } from "@std/assert";
import { type Client, CLIENTS, type Json, lab, runAgent } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";

type Turns = Exclude<Parameters<typeof strictAnthropic>[0], (asked: never) => unknown>;

const model = "anthropic/claude-opus-5-5";
const QUESTION = [{ role: "system", content: "Be brief." }, { role: "user", content: "How is it?" }];
const TOOLS = [
  { type: "code_execution_20260521", name: "code_execution" },
  {
    type: "function",
    function: { name: "clock", parameters: { type: "object", properties: {} } },
    allowed_callers: ["code_execution_20260521"],
  },
];

/** The clients that keep more of an answer than OpenAI documents. */
const KEEPING = Object.entries(CLIENTS).filter(([name]) => !name.includes("drops"));
/** Many clients trim an answer before they store it. */
const trimming = (client: Client): Client => async (room, body) => {
  const message = await client(room, body);
  return typeof message.content === "string" ? { ...message, content: message.content.trim() } : message;
};

const answers = (messages: unknown) =>
  (messages as Json[]).filter(({ role }) => role === "assistant").map(({ content }) => content);

/** Runs an agent, asks once more, and checks every request against what the API accepts. */
async function run(client: Client, turns: Turns, container?: Json): Promise<Json> {
  const { play, check } = strictAnthropic([...turns, [{ type: "text", text: "Bye" }]], container);
  const room = lab(play);
  const messages = await runAgent(room, client, { model, tools: TOOLS, messages: QUESTION });
  await client(room, { model, tools: TOOLS, messages: [...messages, { role: "user", content: "And now?" }] });
  assertEquals(room.asked.map(check).find(Boolean), undefined);
  return room.asked.at(-1)!.body;
}

const CODE = {
  type: "server_tool_use",
  id: "srvtoolu_1",
  name: "code_execution",
  input: { code: "clock()" },
};

for (const [name, client] of KEEPING) {
  Deno.test(`a call from code is answered in its container, with ${name}`, async () => {
    const caller = { type: "code_execution_20260521", tool_id: "srvtoolu_1" };
    const turns: Turns = [
      [
        { type: "thinking", thinking: "Hm", signature: "c2lnMQ==" },
        CODE,
        { type: "tool_use", id: "toolu_1", name: "clock", input: {}, caller },
        { type: "tool_use", id: "toolu_2", name: "clock", input: {} },
        { type: "tool_use", id: "toolu_3", name: "clock", input: {}, caller, toolset_name: "computer" },
      ],
      [{ type: "text", text: "Noon." }],
    ];
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const last = await run(client, turns, { id: "container_011", expires_at, skills: null });
    assertEquals(last.container, "container_011");
    // Compared byte for byte, because later signatures are bound to it.
    assertEquals(JSON.stringify(answers(last.messages)), JSON.stringify(turns));
    // If code waits for a result, the API reports the fault. Otherwise an expired container is left out.
    const expired = { id: "container_011", expires_at: new Date(Date.now() - 60_000).toISOString() };
    assertEquals((await run(client, turns, expired)).container, undefined);
  });

  Deno.test(`citations of a search come back with their text, with ${name}`, async () => {
    const citation = (at: number) => ({
      type: "web_search_result_location",
      url: `https://e.example/${at}`,
      title: at ? "E" : null,
      encrypted_index: `IDX${at}`,
      cited_text: "x",
    });
    const turns: Turns = [
      [
        { type: "thinking", thinking: "Hm", signature: "c2lnMQ==" },
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "x" } },
        { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
        { type: "text", text: "It is " },
        { type: "text", text: "four degrees", citations: [citation(0), citation(1)] },
        { type: "text", text: ", and " },
        { type: "text", text: "cold", citations: [citation(2)] },
      ],
    ];
    // OpenRouter's own clients do not keep sources.
    const keeps = !name.includes("OpenRouter");
    const { play, check } = strictAnthropic([...turns, [{ type: "text", text: "Bye" }]]);
    const room = lab(play);
    const first = await client(room, { model, web_search_options: {}, messages: QUESTION });
    const messages = [...QUESTION, first, { role: "user", content: "More" }];
    await client(room, { model, web_search_options: {}, messages });
    assertEquals(room.asked.map(check), [undefined, undefined]);
    const [content] = answers(room.asked[1].body.messages) as Json[][];
    assertEquals(content, keeps ? turns[0] : turns[0].map(({ citations: _, ...block }) => block));
  });

  Deno.test(`blocks come back in their order although the text was trimmed, with ${name}`, async () => {
    const say = (text: string) => ({ type: "text", text });
    const think = (thinking: string) => ({ type: "thinking", thinking, signature: btoa(thinking) });
    const call = (at: number) => ({ type: "tool_use", id: `toolu_${at}`, name: "clock", input: {} });
    const turns: Turns = [
      [think("a"), say("\n\nFirst. "), think("b"), say("Then.\n"), call(1)],
      [say("  Again"), think("c"), say(" and again "), think("d"), call(2)],
      [think("e"), say("Done.")],
    ];
    const last = await run(trimming(client), turns);
    assertEquals(answers(last.messages), turns);
  });
}

Deno.test("answers of earlier versions of Sluice come back unchanged", async () => {
  const sealed = (data: string, kind: string, index: number) => ({
    type: "reasoning.encrypted",
    data,
    format: `anthropic-${kind}-v1`,
    index,
  });
  const { play } = strictAnthropic([[{ type: "text", text: "Yes" }]]);
  const room = lab(play);
  const message = (content: string) => ({
    role: "assistant",
    content,
    reasoning_details: [
      sealed(JSON.stringify(CODE), "block", 0),
      sealed('{"type":"code_execution_tool_result","tool_use_id":"srvtoolu_1","content":{}}', "block", 1),
      sealed("x4bbx6", "layout", 2),
    ],
  });
  for (const content of ["So. Done. ", "So. Done."]) {
    const response = await room.post({
      model,
      tools: TOOLS,
      messages: [...QUESTION, message(content), QUESTION[1]],
    });
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null]);
    const [blocks] = answers(room.asked.at(-1)!.body.messages) as Json[][];
    assertEquals(blocks.map(({ type, text }) => text ?? type), [
      "So. ",
      "server_tool_use",
      "code_execution_tool_result",
      content.slice(4),
    ]);
  }
});

Deno.test("parts of a request that Claude refuses are left out and named, or refused by the gateway", async () => {
  const USER = { role: "user", content: "Hi" };
  const jpeg = { type: "image_url", image_url: { url: "data:image/png;base64,/9j/4AAQ" } };
  const svg = { type: "image_url", image_url: { url: `data:image/svg+xml;base64,${btoa("<svg/>")}` } };
  const cases: [Json, string | null][] = [
    [{ messages: [USER, { role: "assistant", content: "The answer is (" }] }, "messages[1]"],
    [{ messages: [USER], top_p: 1, temperature: 1 }, null],
    [{ messages: [USER], user: "jane@example.com" }, "user"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "?" }, jpeg] }] }, null],
    [
      { messages: [{ role: "user", content: [{ type: "text", text: "?" }, svg] }] },
      "messages[0].content[1].image_url",
    ],
    [{ messages: [USER], response_format: { type: "json_object" } }, "response_format"],
    [{ messages: [USER], tool_choice: "required", tools: TOOLS }, "tool_choice"],
    [{ messages: [USER], usage: { include: true }, reasoning: { effort: "high" } }, "usage"],
  ];
  for (const [body, dropped] of cases) {
    const { play } = strictAnthropic([[{ type: "text", text: "Yes" }]]);
    const room = lab(play);
    const response = await room.post({ model, ...body });
    await response.body?.cancel();
    assertEquals(
      [response.status, response.headers.get("sluice-dropped")],
      [200, dropped],
      JSON.stringify(body),
    );
    const strict = await room.post({ model, ...body }, { "sluice-strict": "true" });
    await strict.body?.cancel();
    assertEquals([strict.status, room.asked.length], dropped === null ? [200, 2] : [400, 1]);
  }
  const room = lab(strictAnthropic([[{ type: "text", text: "Yes" }]]).play);
  const messages = [USER, { role: "assistant", content: "Hi there" }, { role: "user", content: " " }];
  const refused = await room.post({ model, messages });
  assertEquals([refused.status, room.asked.length], [400, 0]);
  assertEquals((await refused.json()).error.param, "messages[2].content");
});
