import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { before, post, ROOT } from "../../fakes.ts";
import { fixture, PLAIN_MODEL, THINKING_MODEL, USER } from "./scene.ts";

/** What the client gets, and what was sent to Cohere, for a request that the fixture answers. */
async function exchange(body: JsonObject, answer: string) {
  const { fetch, sent } = before(() => Response.json(JSON.parse(answer)));
  const response = await fetch(
    post(`${ROOT}/compat/chat/completions`, body, { authorization: "Bearer key" }),
  );
  const [{ url, headers, body: text }] = sent;
  return { asked: { url, headers, body: JSON.parse(text) }, response, answer: await response.json() };
}

Deno.test("cohere is called at its own URL with the client's key, and what it cannot express is named", async () => {
  const body = {
    model: `cohere/${THINKING_MODEL}`,
    messages: [{ ...USER, name: "ada" }],
    user: "u",
    seed: 1,
  };
  const { asked, response, answer } = await exchange(body, await fixture("citations.json"));
  assertEquals(asked.url, "https://api.cohere.com/v2/chat");
  assertEquals(asked.headers.get("authorization"), "Bearer key");
  assertEquals(asked.body, { model: THINKING_MODEL, messages: [USER], seed: 1 });
  assertEquals(response.headers.get("sluice-dropped"), "messages[0].name, user");
  const [{ message }] = answer.choices;
  assertEquals(message.annotations.length, 4);
  assertEquals(message.annotations[3].url_citation.start_index, message.content.indexOf("1848"));
});

Deno.test("cohere gets its first answer back in the second turn", async () => {
  for (const model of [PLAIN_MODEL, THINKING_MODEL]) {
    const text = await fixture("tools.json");
    const first = { model: `cohere/${model}`, messages: [USER] };
    const { answer } = await exchange(first, text);
    const [{ message }] = answer.choices;
    const results = message.tool_calls.map(({ id }: { id: string }) => ({
      role: "tool",
      tool_call_id: id,
      content: "ok",
    }));
    const { asked } = await exchange({ ...first, messages: [USER, message, ...results] }, text);
    const { tool_plan, tool_calls } = JSON.parse(text).message;
    const plan = model === PLAIN_MODEL
      ? { tool_plan }
      : { content: [{ type: "thinking", thinking: tool_plan }] };
    assertEquals(asked.body.messages, [USER, { role: "assistant", ...plan, tool_calls }, ...results]);
  }
});
