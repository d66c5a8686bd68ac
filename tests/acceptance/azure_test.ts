/** Azure's deployments by every client: where they are asked, over which API, and with which header. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Json, lab, readEvents, runAgent } from "./lab.ts";
import { CLIENTS } from "./lab.ts";
import { strictAzure } from "./strict_azure.ts";

const PARAMETERS = { type: "object", properties: { city: { type: "string" } } };
const TOOLS = ["weather", "clock"].map((name) => ({
  type: "function",
  function: { name, parameters: PARAMETERS },
}));
const USER = { role: "user", content: "Hello" };
const DEPLOYMENTS = {
  "gpt-4o": "gpt-4o",
  "gpt-5.4": "gpt-5.4",
  "gpt-5.6-eu": "gpt-5.6",
  "my-gpt-5.1-codex": "gpt-5.1-codex",
};

const azure = (options: Json = {}, turns = [[{ text: ["Yes"] }]]) =>
  lab(strictAzure("my-res", DEPLOYMENTS, turns).play, options);

/** The options of a row that names the models of its deployments. */
const named = (more: Json = {}) => ({ providers: { azure: { baseModels: DEPLOYMENTS, ...more } } });

Deno.test("Azure's deployments are asked as OpenAI's models are, over chat completions or Responses", async () => {
  const cases: [model: string, more: Json, path: string][] = [
    ["my-res/gpt-4o", { tools: TOOLS }, "chat/completions"],
    ["my-res/gpt-5.4", { tools: TOOLS }, "chat/completions"],
    ["my-res/gpt-5.4", { tools: TOOLS, reasoning_effort: "low" }, "responses"],
    ["my-res/gpt-5.6-eu", {}, "chat/completions"],
    ["my-res/gpt-5.6-eu", { tools: TOOLS }, "responses"],
    ["my-res/gpt-5.6-eu", { tools: TOOLS, reasoning_effort: "none" }, "chat/completions"],
  ];
  for (const name of ["azure", "azure-openai"]) {
    for (const [model, more, path] of cases) {
      for (const stream of [false, true]) {
        const room = azure(named());
        const response = await room.post({ model: `${name}/${model}`, messages: [USER], stream, ...more });
        assertEquals(response.status, 200, `${model} ${await response.clone().text()}`);
        const [{ url, headers, body }] = room.asked;
        assertEquals(url.href, `https://my-res.openai.azure.com/openai/v1/${path}`, model);
        assertEquals(body.model, model.slice("my-res/".length));
        assertEquals([headers.get("api-key"), headers.get("authorization")], ["key", null]);
      }
    }
  }
});

Deno.test("nothing is read from a deployment's name: without baseModels the request goes on as it is written", async () => {
  const sent = { temperature: 0.2, max_tokens: 9, tools: TOOLS, reasoning_effort: "low" };
  for (const model of ["gpt-5.6-eu", "my-gpt-5.1-codex"]) {
    const room = azure();
    await room.post({ model: `azure/my-res/${model}`, messages: [USER], ...sent });
    const [{ url, body }] = room.asked;
    assertEquals(url.pathname, "/openai/v1/chat/completions");
    assertEquals(body, { model, messages: [USER], ...sent });
  }
  const room = azure({ providers: { azure: { baseModels: { blue: "gpt-5.4" } } } });
  const refused = await room.post({ model: "azure/my-res/blue", messages: [USER], ...sent, stop: "x" });
  assertEquals(new URL(room.asked[0].url).pathname, "/openai/v1/responses");
  assertEquals([room.asked[0].body.model, room.asked[0].body.max_output_tokens], ["blue", 16]);
  await refused.body?.cancel();
});

Deno.test("what Azure's filter adds to a stream does not break an SDK, and goes on to the client", async () => {
  const room = azure();
  const stream = room.openai.chat.completions.stream({
    model: "azure/my-res/gpt-4o",
    messages: [{ role: "user", content: "Hello" }],
  });
  const { id, model, choices: [{ message }] } = await stream.finalChatCompletion();
  assertEquals([id, model, message.content], ["chatcmpl-1", "m", "by chat"]);
  const { chunks } = await readEvents(
    await room.post({ model: "azure/my-res/gpt-4o", messages: [USER], stream: true }),
  );
  assertEquals((chunks[0].prompt_filter_results as Json[]).length, 1);
});

Deno.test("the base URL may be a resource's at each of Azure's domains, with the ends that its portal shows", async () => {
  for (const domain of ["openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"]) {
    const host = `https://my-res.${domain}`;
    for (
      const end of ["", "/", "/openai", "/openai/v1/", "/openai/deployments", "/openai/deployments/other"]
    ) {
      for (const model of ["gpt-5.6-eu", "my-res/gpt-5.6-eu"]) {
        const room = azure(named({ baseUrl: host + end }));
        const response = await room.post({ model: `azure/${model}`, messages: [USER], tools: TOOLS });
        assertEquals(response.status, 200, await response.clone().text());
        assertEquals(room.asked[0].url.href, `${host}/openai/v1/responses`, end);
      }
    }
  }
});

Deno.test("a resource of the options serves models that name none", async () => {
  const options = { providers: { azure: { resource: "my-res" } } };
  for (const model of ["gpt-4o", "my-res/gpt-4o"]) {
    const room = azure(options);
    assertEquals((await room.post({ model: `azure/${model}`, messages: [USER] })).status, 200);
    assertEquals(room.asked[0].url.host, "my-res.openai.azure.com");
  }
});

Deno.test("a version that is a date leads to the older paths, any other to /openai/v1", async () => {
  const cases: [apiVersion: string, model: string, path: string][] = [
    ["2025-04-01-preview", "gpt-4o", "/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview"],
    ["2025-04-01-preview", "gpt-5.6-eu", "/responses?api-version=2025-04-01-preview"],
    ["preview", "gpt-4o", "/v1/chat/completions?api-version=preview"],
    ["v1", "gpt-5.6-eu", "/v1/responses"],
  ];
  for (const [apiVersion, model, path] of cases) {
    const room = azure(named({ apiVersion }));
    const response = await room.post({ model: `azure/my-res/${model}`, messages: [USER], tools: TOOLS });
    assertEquals(response.status, 200, await response.clone().text());
    assertEquals(room.asked[0].url.href, `https://my-res.openai.azure.com/openai${path}`);
  }
});

Deno.test("a token of Entra ID goes to Azure as a bearer token, and a model without its resource is told how to name it", async () => {
  const room = azure();
  const signed = await room.post({ model: "azure/my-res/gpt-4o", messages: [USER] }, {
    authorization: "Bearer eyJhbGciOi.x.y",
  });
  assertEquals(signed.status, 200);
  assertEquals(room.asked[0].headers.get("api-key"), null);
  const bare = await room.post({ model: "azure/gpt-4o", messages: [USER] });
  assertEquals(bare.status, 400);
  const { message } = (await bare.json()).error;
  for (
    const cure of ["azure-openai/{resource}/{deployment}", "AZURE_RESOURCE_NAME", "AZURE_OPENAI_ENDPOINT"]
  ) {
    assertStringIncludes(message, cure);
  }
  const odd = ["evil.example%2f", "evil.example#", "a.b", "-a", "a-", "a".repeat(64), "a:1", "a@b", "ä"];
  for (const resource of odd) {
    const evil = await room.post({ model: `azure/${resource}/gpt-4o`, messages: [USER] });
    assertEquals([evil.status, room.asked.length], [400, 1], resource);
  }
});

Deno.test("clients of Responses, Messages and embeddings reach Azure too", async () => {
  const room = azure(named());
  const ask = (path: string, body: Json) =>
    room.gateway.fetch(
      new Request(`http://gateway.test/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify(body),
      }),
    );
  const model = "azure/my-res/my-gpt-5.1-codex";
  for (const stream of [false, true]) {
    const handed = await ask("responses", { model, input: [{ role: "user", content: "Hello" }], stream });
    const text = await handed.text();
    assertEquals([handed.status, text.includes("Yes")], [200, true], text);
    const said = await ask("messages", { model, max_tokens: 99, messages: [USER], stream });
    assertEquals([said.status, (await said.text()).includes("Yes")], [200, true]);
  }
  const vectors = await ask("embeddings", { model: "azure/my-res/gpt-4o", input: "x" });
  assertEquals((await vectors.json()).data[0].embedding, [1, 0.5]);
  assertEquals(room.asked.map(({ url }) => url.pathname.replace("/openai/v1/", "")), [
    ...Array(4).fill("responses"),
    "embeddings",
  ]);
});

Deno.test("an agent's turns on Azure keep their sealed reasoning, which goes to nobody else", async () => {
  const turns = [
    [{ think: "x" }, { call: "weather", id: "call_1", args: ['{"city":"Oslo"}'] }],
    [{ text: ["Done"] }],
  ];
  for (const [name, client] of Object.entries(CLIENTS)) {
    const room = azure(named(), turns as never);
    const body = { model: "azure/my-res/gpt-5.6-eu", messages: [USER], tools: TOOLS };
    const messages = await runAgent(room, client, body);
    assertEquals(messages.at(-1)!.content, "Done", name);
    const sealed = (room.asked[1].body.input as Json[]).some(({ type }) => type === "reasoning");
    assertEquals(sealed, !name.includes("drops"), name);
    const details = messages[1].reasoning_details as Json[] | undefined;
    if (details) assertEquals(details[0].format, "azure-openai-responses-v1");
  }
});
