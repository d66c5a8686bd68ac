import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { before, completion, messages, post, refusal, ROOT } from "../../fakes.ts";

/** Sends a chat request. Returns the bodies that the providers got. */
async function sent(body: JsonObject | string, headers: Record<string, string> = {}): Promise<JsonObject[]> {
  const { fetch, sent } = before(({ url }) => url.includes("api.openai.com") ? refusal(503) : completion());
  const response = await fetch(post(`${ROOT}/compat/chat/completions`, body, headers));
  await response.body?.cancel();
  return sent.map(({ body }) => JSON.parse(body));
}

const both = [{ model: "gpt", messages }, { model: "llama", messages }];

Deno.test("a chat request may name its models in a list alone", async () => {
  assertEquals(await sent({ models: ["openai/gpt", "groq/llama"], messages }), both);
  assertEquals(await sent({ messages, models: ["openai/gpt", "groq/llama"], model: null }), both);
});

Deno.test("a chat request may name its models in `model` and a list, or a header", async () => {
  assertEquals(await sent({ model: "openai/gpt", models: ["groq/llama"], messages }), both);
  assertEquals(await sent({ model: "openai/gpt", messages }, { "sluice-fallback": "groq/llama" }), both);
});

Deno.test("a chat request may name its models in a header alone", async () => {
  assertEquals(await sent({ messages }, { "sluice-fallback": "openai/gpt, groq/llama" }), both);
});

Deno.test("a list of models is found in a body that only a full parse can read, too", async () => {
  const text = `{"\\u006dodels": ["openai/gpt", "groq/llama"], "messages": ${JSON.stringify(messages)}}`;
  assertEquals(await sent(text), both);
});
