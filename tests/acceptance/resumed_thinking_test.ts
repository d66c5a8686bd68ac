/**
 * Clients of Messages that set a budget for thinking, and turns that another provider's model has begun. Claude refuses such a
 * turn while it is to think: the turn must begin with a thought that it signed.
 */
import { assert, assertEquals } from "@std/assert";
import { type Asked, type Json, lab, type Play } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import type { Block } from "./strict_anthropic_rules.ts";
import { strictOpenAI } from "./strict_openai.ts";

const CLAUDE = "anthropic/claude-sonnet-4-5";
const THINKING = { type: "enabled", budget_tokens: 2000 };
const TOOLS = [{ name: "weather", input_schema: { type: "object" } }];

const user = (content: unknown) => ({ role: "user", content });
const assistant = (...content: Json[]) => ({ role: "assistant", content });
const use = (id: string) => ({ type: "tool_use", id, name: "weather", input: {} });
const result = (id: string) => ({ type: "tool_result", tool_use_id: id, content: "sunny" });
const OWN = { type: "thinking", thinking: "I look.", signature: "EqQBc2ln" };

function sender(play: Play) {
  const { gateway, asked } = lab(play);
  const send = async (body: Json): Promise<{ response: Response; sent: Asked }> => {
    const response = await gateway.fetch(
      new Request("http://gateway.test/v1/messages", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify({ model: CLAUDE, max_tokens: 4000, thinking: THINKING, tools: TOOLS, ...body }),
      }),
    );
    return { response, sent: asked.at(-1)! };
  };
  return { send, asked };
}

/** What was sent as `thinking`, and what the client was told. A refusal of the strict provider fails the test. */
async function thinkingSent(
  messages: Json[],
  more: Json = {},
  turns: Block[][] = [[{ type: "text", text: "Ok" }]],
) {
  const fake = strictAnthropic(turns);
  const { send } = sender(fake.play);
  // The provider knows the thought of its own.
  await (await send({ messages: [user("Hi")] })).response.body?.cancel();
  const { response, sent } = await send({ messages, ...more });
  assertEquals(response.status, 200, await response.text());
  return { sent: sent.body, dropped: response.headers.get("sluice-dropped") };
}

const OFF = { type: "disabled" };

Deno.test("Claude does not think in a turn that another provider's model began, and the client is told", async () => {
  // Also ids that look like Claude's: of its other hosts, and such as Sluice writes for ids with other characters.
  for (const id of ["call_1", "toolu_1", "toolu_bdrk_1", "toolu_slc_ZnVuY3Rpb25zLng6MA"]) {
    for (const filler of [0, 300_000]) {
      const question = user("x".repeat(filler) + "Weather?");
      const turn = [question, assistant(use(id)), user([result(id)])];
      for (
        const messages of [
          turn,
          // Two calls, in one answer and one after another, and words of the user beside the result.
          [question, assistant(use(id), use("b")), user([result(id), result("b")])],
          [...turn, assistant(use("b")), user([result("b"), { type: "text", text: "Go on" }])],
          [question, assistant({ type: "text", text: "I look." }, use(id)), user([result(id)])],
        ]
      ) {
        const { sent, dropped } = await thinkingSent(messages);
        assertEquals([sent.thinking, dropped], [OFF, "thinking"], `${id} ${filler}`);
        assertEquals(sent.messages, messages);
      }
    }
  }
});

Deno.test("Claude thinks again in the next turn, and in each turn that it began with a thought", async () => {
  const begun = [user("Weather?"), assistant(OWN, use("toolu_1")), user([result("toolu_1")])];
  const foreign = [user("Weather?"), assistant(use("call_1")), user([result("call_1")])];
  for (const filler of [0, 300_000]) {
    const first = user("x".repeat(filler) + "Hi");
    for (
      const messages of [
        [first],
        [first, assistant({ type: "text", text: "Hi" }), ...begun],
        [
          first,
          assistant({ type: "text", text: "Hi" }),
          ...foreign,
          assistant({ type: "text", text: "Sunny" }),
          user("Sure?"),
        ],
        // A thought begins the turn; later calls of the turn need none, whoever made them.
        [
          first,
          assistant({ type: "text", text: "Hi" }),
          ...begun,
          assistant(use("call_2")),
          user([result("call_2")]),
        ],
      ]
    ) {
      const { sent, dropped } = await thinkingSent(messages, {}, [[OWN, { type: "text", text: "Ok" }]]);
      assertEquals([sent.thinking, dropped], [THINKING, null]);
      assertEquals(sent.messages, messages);
    }
  }
  const sealed = { type: "redacted_thinking", data: "EmwKsealed" };
  const behindSealed = [user("Weather?"), assistant(sealed, use("toolu_1")), user([result("toolu_1")])];
  const { send } = sender(() => Response.json({ type: "message", content: [], usage: {} }));
  assertEquals((await send({ messages: behindSealed })).sent.body.thinking, THINKING);
  // Adaptive thinking needs no thought before it.
  const adaptive = { model: "anthropic/claude-opus-4-6", thinking: { type: "adaptive" } };
  assertEquals((await thinkingSent(foreign, adaptive)).sent.thinking, adaptive.thinking);
});

Deno.test("where Claude does not think, its thoughts are not to be cleared either", async () => {
  const messages = [user("Weather?"), assistant(use("call_1")), user([result("call_1")])];
  const thoughts = (keep: unknown) => ({ type: "clear_thinking_20251015", keep });
  const uses = { type: "clear_tool_uses_20250919" };
  const cleared = async (...edits: Json[]) => {
    const { sent, dropped } = await thinkingSent(messages, { context_management: { edits } });
    return [sent.context_management, dropped];
  };
  assertEquals(await cleared(thoughts("all")), [null, "thinking"]);
  assertEquals(await cleared(thoughts({ type: "thinking_turns", value: 1 }), uses), [
    { edits: [uses] },
    "thinking, context_management.edits[0]",
  ]);
  assertEquals(await cleared(uses), [{ edits: [uses] }, "thinking"]);
});

Deno.test("the same holds for Claude at other hosts, and not for other models of the same format", async () => {
  const messages = [user("Weather?"), assistant(use("call_1")), user([result("call_1")])];
  const { send } = sender(() => Response.json({ type: "message", content: [], usage: {} }));
  const sentTo = async (model: string) => (await send({ model, messages })).sent.body.thinking;
  assertEquals(await sentTo("openrouter/anthropic/claude-sonnet-4.5"), OFF);
  assertEquals(await sentTo("z-ai/glm-4.6"), THINKING);
  // It waits for nothing.
  messages.push(assistant({ type: "text", text: "Sunny" }));
  assertEquals(await sentTo(CLAUDE), THINKING);
});

Deno.test("a tool call of an OpenAI model is answered by Claude with a budget for thinking", async () => {
  const claude = strictAnthropic([[OWN, { type: "text", text: "Sunny" }]]);
  const openai = strictOpenAI([{ text: "", calls: [{ id: "call_1", name: "weather", args: {} }] }]);
  const { send } = sender((asked) => (asked.url.host === "api.anthropic.com" ? claude : openai).play(asked));
  const messages: Json[] = [user("Weather?")];
  const ask = async (model: string) => {
    const { response, sent } = await send({ model, messages });
    const answer = await response.json();
    assertEquals(response.status, 200, JSON.stringify(answer));
    messages.push({ role: "assistant", content: answer.content });
    return { content: answer.content as Json[], sent };
  };
  const { content: [call] } = await ask("openai/gpt-4.1");
  assertEquals(call.type, "tool_use");
  messages.push(user([result(call.id as string)]));
  const resumed = await ask(CLAUDE);
  assertEquals(resumed.sent.body.thinking, OFF);
  messages.push(user("Sure?"));
  const { sent } = await ask(CLAUDE);
  assertEquals(sent.body.thinking, THINKING);
  const before = JSON.stringify(resumed.sent.body.messages).slice(0, -1);
  assert(JSON.stringify(sent.body.messages).startsWith(before));
});
