import { assertEquals } from "@std/assert";
import { createGateway } from "../../mod.ts";
import type { JsonObject } from "../../wires/types.ts";

const messages = [{ role: "user", content: "Hello" }];

/** Sends a chat request; gives the bodies that the providers got. */
async function sent(body: JsonObject | string, headers: Record<string, string> = {}): Promise<JsonObject[]> {
  const bodies: JsonObject[] = [];
  const { fetch } = createGateway({
    fetch: async (url, init) => {
      bodies.push(await new Response(init.body as BodyInit).json());
      return url.includes("api.openai.com")
        ? Response.json({ error: { message: "busy" } }, { status: 503 })
        : Response.json({ id: "a", choices: [] });
    },
  });
  const response = await fetch(
    new Request("http://gateway/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
  await response.body?.cancel();
  return bodies;
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
