/** Azure AI Foundry: Claude by Messages, all other models by OpenAI's API. */
import { assert, assertEquals } from "@std/assert";
import { AnthropicFoundry } from "npm:@anthropic-ai/foundry-sdk@1.1.1";
import { AzureOpenAI } from "npm:openai@7.57.0";
import { type Asked, type Json, lab } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictAzure } from "./strict_azure.ts";

// deno-lint-ignore no-explicit-any -- SDKs of several forms.
type Any = any;

const messages = [{ role: "user" as const, content: "Hello" }];
const CLAUDE = "claude-sonnet-5-5";

/** A resource of Foundry: Claude's API beside OpenAI's. */
function foundry(deployments: Record<string, string> = { "DeepSeek-V4": "m", "gpt-4o": "gpt-4o" }) {
  const claude = strictAnthropic([[{ type: "text", text: "by Messages" }]]);
  const other = strictAzure("my-res", deployments, [[{ text: ["by Responses"] }]]);
  return (asked: Asked): Response | Promise<Response> => {
    const { url, headers, body } = asked;
    if (!url.pathname.startsWith("/anthropic/")) return other.play(asked);
    const key = headers.get("x-api-key"), token = headers.get("authorization");
    if (url.host !== "my-res.services.ai.azure.com") return Response.json({ error: {} }, { status: 404 });
    if ((key === null) === (token === null) || headers.has("api-key")) {
      return Response.json({ error: { code: "401", message: "Access denied" } }, { status: 401 });
    }
    if (!headers.has("anthropic-version")) {
      return Response.json({ error: { message: "anthropic-version: header is required" } }, { status: 400 });
    }
    const model = body.model === "blue" ? CLAUDE : body.model;
    const sent = new Headers(headers);
    sent.set("x-api-key", "key");
    sent.delete("authorization");
    return claude.play({
      ...asked,
      headers: sent,
      body: { ...body, model },
      url: new URL(`https://api.anthropic.com${url.pathname.slice("/anthropic".length)}`),
    });
  };
}

Deno.test("Claude on Foundry is asked by Messages, other deployments by /openai/v1, from every client's wire", async () => {
  for (const name of ["azure-ai", "azure_ai"]) {
    const cases: [model: string, path: string, said: string][] = [
      [CLAUDE, "/anthropic/v1/messages", "by Messages"],
      ["blue", "/anthropic/v1/messages", "by Messages"],
      ["DeepSeek-V4", "/openai/v1/chat/completions", "by chat"],
    ];
    for (const [model, path, said] of cases) {
      for (const stream of [false, true]) {
        for (const door of ["chat/completions", "messages", "responses"]) {
          const room = lab(foundry(), { providers: { "azure-ai": { baseModels: { blue: CLAUDE } } } });
          const body: Json = { model: `${name}/my-res/${model}`, stream };
          if (door === "responses") body.input = messages;
          else Object.assign(body, { messages, max_tokens: 99 });
          const response = await room.gateway.fetch(
            new Request(`http://gateway.test/v1/${door}`, {
              method: "POST",
              headers: { "content-type": "application/json", authorization: "Bearer key" },
              body: JSON.stringify(body),
            }),
          );
          const text = await response.text();
          const isHanded = door === "responses" && path.startsWith("/openai");
          assertEquals(response.status, 200, text);
          assert(stream || text.includes(isHanded ? "by Responses" : said), text);
          const [{ url, body: sent }] = room.asked;
          assertEquals(
            url.href,
            `https://my-res.services.ai.azure.com${isHanded ? "/openai/v1/responses" : path}`,
          );
          assertEquals(sent.model, model);
        }
      }
    }
  }
});

Deno.test("Foundry's base URL may have each end that its portal shows", async () => {
  const host = "https://my-res.services.ai.azure.com";
  for (const end of ["", "/", "/anthropic", "/anthropic/v1", "/models", "/openai/v1"]) {
    for (const model of [CLAUDE, "gpt-4o"]) {
      const room = lab(foundry(), { providers: { "azure-ai": { baseUrl: host + end } } });
      const response = await room.post({ model: `azure-ai/${model}`, messages });
      assertEquals(response.status, 200, `${end} ${await response.clone().text()}`);
    }
  }
});

Deno.test("tokens of Claude on Foundry are counted there", async () => {
  const room = lab(foundry());
  const response = await room.gateway.fetch(
    new Request("http://gateway.test/v1/messages/count_tokens", {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": "key-12345678" },
      body: JSON.stringify({ model: `azure-ai/my-res/${CLAUDE}`, messages }),
    }),
  );
  assertEquals(await response.json(), { input_tokens: 20 });
  assertEquals(room.asked[0].url.pathname, "/anthropic/v1/messages/count_tokens");
});

// ---------------------------------------------------------------- official clients

const through = (room: ReturnType<typeof lab>) =>
  ((input: Any, init: Any) => room.gateway.fetch(new Request(input, init))) as Any;

Deno.test("AnthropicFoundry speaks to Claude at Foundry's own path and at the gateway's", async () => {
  for (
    const [baseURL, model] of [
      ["http://gateway.test/v1/-/default/azure-ai/my-res/anthropic", CLAUDE],
      ["http://gateway.test", `azure-ai/my-res/${CLAUDE}`],
    ]
  ) {
    const room = lab(foundry());
    const client = new AnthropicFoundry({
      apiKey: "key-12345678",
      baseURL,
      maxRetries: 0,
      fetch: through(room),
    });
    const body = { model, max_tokens: 99, messages };
    assertEquals(((await client.messages.create(body)).content[0] as Any).text, "by Messages");
    assertEquals(((await client.messages.stream(body).finalMessage()).content[0] as Any).text, "by Messages");
    assertEquals(new Set(room.asked.map(({ url }) => url.href)).size, 1);
  }
});

Deno.test("AzureOpenAI speaks to any model at the gateway's own paths, and its version stays here", async () => {
  for (
    const place of [{ baseURL: "http://gateway.test/v1" }, { baseURL: "http://gateway.test/v1/a/g/compat" }]
  ) {
    const room = lab(strictAzure("my-res", { "gpt-4o": "gpt-4o" }, [[{ text: ["Yes"] }]]).play);
    const options = { apiKey: "key-12345678", apiVersion: "2025-04-01-preview", maxRetries: 0 };
    const client = new AzureOpenAI({ ...options, ...place, fetch: through(room) });
    const model = "azure/my-res/gpt-4o";
    const chat = await client.chat.completions.create({ model, messages });
    assertEquals(chat.choices[0].message.content, "by chat");
    const { data } = await client.embeddings.create({ model, input: "x", encoding_format: "float" });
    assertEquals(data[0].embedding, [1, 0.5]);
    assertEquals((await client.responses.create({ model, input: messages })).output_text, "Yes");
    const v1 = "https://my-res.openai.azure.com/openai/v1";
    const paths = ["chat/completions", "embeddings", "responses"].map((path) => `${v1}/${path}`);
    assertEquals(room.asked.map(({ url }) => url.href), paths);
  }
  const room = lab(strictAzure("my-res", { "gpt-4o": "gpt-4o" }, [[{ text: ["Yes"] }]]).play);
  const endpoint = "http://gateway.test/v1/a/g/compat";
  const client = new AzureOpenAI({
    apiKey: "key-12345678",
    apiVersion: "v1",
    endpoint,
    fetch: through(room),
  });
  const { choices } = await client.chat.completions.create({ model: "azure/my-res/gpt-4o", messages });
  assertEquals(choices[0].message.content, "by chat");
});

Deno.test("a parameter of the client's stands behind the version of the row's", async () => {
  const play = strictAzure("my-res", { "gpt-4o": "gpt-4o" }, [[{ text: ["Yes"] }]]).play;
  const room = lab(play, { providers: { azure: { apiVersion: "2025-04-01-preview" } } });
  const response = await room.gateway.fetch(
    new Request("http://gateway.test/v1/responses?api-version=2024-01-01&x=1", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify({ model: "azure/my-res/gpt-4o", input: messages }),
    }),
  );
  assertEquals(response.status, 200, await response.text());
  const path = "https://my-res.openai.azure.com/openai/responses";
  assertEquals(room.asked[0].url.href, `${path}?api-version=2025-04-01-preview&x=1`);
});

Deno.test("AzureOpenAI speaks to a resource at its own path, with its key and with a token", async () => {
  const options = { apiVersion: "2025-04-01-preview", maxRetries: 0 };
  for (
    const keys of [{ apiKey: "key-12345678" }, { azureADTokenProvider: () => Promise.resolve("eyJ.a.b") }]
  ) {
    const room = lab(strictAzure("my-res", { "gpt-4o": "gpt-4o" }, [[{ text: ["Yes"] }]]).play);
    const client = new AzureOpenAI({
      ...options,
      ...keys as Any,
      endpoint: "http://gateway.test/v1/-/default/azure-openai/my-res",
      fetch: through(room),
    });
    const whole = await client.chat.completions.create({ model: "gpt-4o", messages });
    assertEquals(whole.choices[0].message.content, "by chat");
    const said = await client.responses.create({ model: "gpt-4o", input: messages });
    assertEquals(said.output_text, "Yes");
    assertEquals(room.asked.map(({ url }) => url.href), [
      "https://my-res.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview",
      "https://my-res.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
    ]);
  }
});
