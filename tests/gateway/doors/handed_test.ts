/** The older completions and rerank, which are handed through. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { createGateway } from "../../../gateway/gateway.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import { before, events, post } from "../../fakes.ts";

const HOST = "http://gateway.test";
const key = { authorization: "Bearer key" };

/** `name | completions | rerank`, from the providers' SDKs and references. */
const LINES = `
alibaba | /completions | -
azure-openai | /completions | -
cerebras | /completions | -
cohere | - | /v2/rerank
deepinfra | /completions | -
deepseek | /beta/completions | -
featherless | /completions | -
fireworks | /completions | -
friendli | /completions | -
grok | /v1/completions | -
hyperbolic | /completions | -
llamacpp | /completions | /rerank
lmstudio | /completions | -
nebius | /completions | -
novita | /completions | /rerank
nscale | /completions | -
nvidia | /completions | -
ollama | /completions | -
openai | /completions | -
openrouter | /v1/completions | /v1/rerank
ovhcloud | /completions | -
siliconflow | - | /rerank
together | /completions | /rerank
vercel | - | /rerank
vllm | /completions | /rerank
voyage | - | /rerank`.trim().split("\n");

Deno.test("the rows that have completions and rerank are those of the list", () => {
  const lines = [...PROVIDERS.values()].flatMap(({ name, endpoints }) =>
    endpoints ? [`${name} | ${endpoints.completions ?? "-"} | ${endpoints.rerank ?? "-"}`] : []
  );
  assertEquals(lines, LINES);
});

Deno.test("completions are handed through with nothing but the model changed, whole and streamed, to the SDK", async () => {
  const choice = { index: 0, text: "b", finish_reason: "stop", logprobs: null };
  const answer = { id: "cmpl-1", object: "text_completion", created: 1, model: "m", choices: [choice] };
  const { fetch, sent } = before(({ body }) =>
    body.includes('"stream":true')
      ? events(`data: ${JSON.stringify(answer)}\n\n`, "data: [DONE]\n\n")
      : Response.json(answer)
  );
  const client = new OpenAI({
    apiKey: "key",
    baseURL: `${HOST}/v1`,
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input, init)),
  });
  const asked = { model: "together/org/m", prompt: "a", suffix: "c", max_tokens: 5 };
  assertEquals((await client.completions.create(asked)).choices[0].text, "b");
  const texts: string[] = [];
  for await (const { choices } of await client.completions.create({ ...asked, stream: true })) {
    texts.push(choices[0].text);
  }
  assertEquals(texts, ["b"]);
  assertEquals(sent.map(({ url }) => url), Array(2).fill("https://api.together.ai/v1/completions"));
  assertEquals(JSON.parse(sent[0].body), { ...asked, model: "org/m" });
  assertEquals(sent[0].headers.get("authorization"), "Bearer key");
});

Deno.test("rerank is handed through at each of its paths, Cohere's among them", async () => {
  const results = [{ index: 1, relevance_score: 0.9 }];
  for (
    const path of [
      "/v1/rerank",
      "/rerank",
      "/v2/rerank",
      "/v1/acct/gw/compat/rerank",
      "/v1/acct/gw/compat/v2/rerank",
      "/v1/v1/rerank",
    ]
  ) {
    const { fetch, sent } = before(() => Response.json({ id: "r", results }));
    const body = `{"model": "cohere/rerank-x", "query":"q","documents":["a", "b"],"top_n":1}`;
    const response = await fetch(post(HOST + path, body, key));
    assertEquals([response.status, (await response.json()).results], [200, results], path);
    assertEquals([sent[0].url, sent[0].body], [
      "https://api.cohere.com/v2/rerank",
      body.replace("cohere/", ""),
    ]);
    assertEquals(response.headers.get("cf-aig-model"), "rerank-x");
  }
});

Deno.test("a provider without completions or rerank is one clear 400, and chat does not stand in", async () => {
  const { fetch, sent } = before(() => Response.json({}));
  const cases: [string, string, string][] = [
    ["/v1/completions", "anthropic/m", "anthropic has no completions of the older form here"],
    ["/v1/completions", "mistral/m", "mistral has no completions of the older form here"],
    ["/v1/completions", "demo/echo", "demo has no completions of the older form here"],
    ["/v1/rerank", "openai/m", "openai has no rerank here"],
    ["/v1/rerank", "gemini/m", "google-ai-studio has no rerank here"],
  ];
  for (const [path, model, words] of cases) {
    const response = await fetch(post(HOST + path, { model, prompt: "x" }, key));
    const { error } = await response.json();
    assertEquals([response.status, error.param, error.code], [400, "model", "2019"], model);
    assertStringIncludes(error.message, words);
  }
  for (const path of ["/v1/completions", "/v2/rerank"]) {
    assertEquals((await fetch(new Request(HOST + path))).status, 405, path);
    assertEquals((await fetch(post(HOST + path, "[]"))).status, 400, path);
    assertEquals((await fetch(post(HOST + path, {}))).status, 400, path);
  }
  assertEquals(sent.length, 0);
});

Deno.test("an operator's own rows have both beside their chat completions", async () => {
  const { fetch, sent } = before(() => Response.json({ results: [] }), {
    providers: { mine: { baseUrl: "https://mine.test", chatPath: "/v9/chat/completions" } },
  });
  await fetch(post(`${HOST}/v1/completions`, { model: "mine/m", prompt: "x" }));
  await fetch(post(`${HOST}/v1/rerank`, { model: "mine/m", query: "x", documents: [] }));
  assertEquals(sent.map(({ url }) => url), [
    "https://mine.test/v9/completions",
    "https://mine.test/v9/rerank",
  ]);
});

Deno.test("keys, fallback, errors and the log are those of chat", async () => {
  const rows: object[] = [];
  const { fetch, sent } = before(
    ({ url }) =>
      url.includes("cohere")
        ? Response.json({ message: "invalid sk-stored-at-cohere" }, {
          status: 429,
          headers: { "retry-after": "3" },
        })
        : Response.json({ data: [{ index: 0, relevance_score: 1 }], usage: { total_tokens: 7 } }),
    {
      tokens: ["gateway-token"],
      keys: { cohere: "sk-stored-at-cohere", voyage: "sk-stored-at-voyage" },
      log: ({ provider, inputTokens, status }) => void rows.push({ provider, inputTokens, status }),
    },
  );
  const headers = { authorization: "Bearer gateway-token" };
  const one = await fetch(
    post(`${HOST}/v1/rerank`, { model: "cohere/m", query: "q", documents: ["a"] }, headers),
  );
  const text = await one.text();
  assertEquals([one.status, one.headers.get("retry-after"), text.includes("sk-stored")], [429, "3", false]);
  const two = await fetch(
    post(`${HOST}/v1/rerank`, { models: ["cohere/m", "voyage/n"], query: "q", documents: ["a"] }, headers),
  );
  assertEquals([two.status, two.headers.get("cf-aig-provider"), (await two.json()).usage.total_tokens], [
    200,
    "voyage",
    7,
  ]);
  assertEquals(sent.at(-1)!.headers.get("authorization"), "Bearer sk-stored-at-voyage");
  assertEquals(rows, [
    { provider: "cohere", inputTokens: undefined, status: 429 },
    { provider: "voyage", inputTokens: 7, status: 200 },
  ]);
  assertEquals((await fetch(post(`${HOST}/v1/rerank`, { model: "cohere/m" }, {}))).status, 401);
});

// ---------------------------------------------------------------- Cloudflare's REST and custom domains

const REST = `${HOST}/client/v4/accounts/acct/ai`;

Deno.test("Cloudflare's REST paths take Cloudflare's names of models, and a doubled version", async () => {
  const { fetch, sent } = before(({ url }) =>
    url.includes("embeddings")
      ? Response.json({ data: [{ embedding: [1], index: 0 }] })
      : Response.json({ id: "x", choices: [{}] })
  );
  const cf = "https://api.cloudflare.com/client/v4/accounts/acct/ai";
  const cases: [path: string, model: string, url: string, sent: string][] = [
    ["/v1/chat/completions", "xai/grok-x", "https://api.x.ai/v1/chat/completions", "grok-x"],
    ["/v1/v1/chat/completions", "openai/gpt-x", "https://api.openai.com/v1/chat/completions", "gpt-x"],
    [
      "/v1/chat/completions",
      "alibaba/qwen-x",
      "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions",
      "qwen-x",
    ],
    ["/v1/chat/completions", "minimax/m", "https://api.minimax.io/v1/chat/completions", "m"],
    ["/v1/chat/completions", "deepseek/m", "https://api.deepseek.com/chat/completions", "m"],
    ["/v1/chat/completions", "@cf/meta/llama", `${cf}/v1/chat/completions`, "@cf/meta/llama"],
    ["/v1/v1/embeddings", "@cf/baai/bge", `${cf}/v1/embeddings`, "@cf/baai/bge"],
    ["/v1/embeddings", "openai/e", "https://api.openai.com/v1/embeddings", "e"],
  ];
  for (const [path, model, url, name] of cases) {
    const body = { model, messages: [{ role: "user", content: "x" }], input: "x" };
    await fetch(post(REST + path, body, key));
    assertEquals([sent.at(-1)!.url, JSON.parse(sent.at(-1)!.body).model], [url, name], model);
  }
  const anthropic = before(() =>
    Response.json({ type: "message", role: "assistant", content: [], usage: {} })
  );
  for (const model of ["anthropic/claude-sonnet-4.5", "claude-sonnet-4.5"]) {
    await anthropic.fetch(
      post(`${REST}/v1/chat/completions`, { model, messages: [{ role: "user", content: "x" }] }, key),
    );
    assertEquals(JSON.parse(anthropic.sent.at(-1)!.body).model, "claude-sonnet-4-5");
  }
  const google = before(() => Response.json({ candidates: [] }));
  await google.fetch(
    post(`${REST}/v1/chat/completions`, {
      model: "google/gemini-x",
      messages: [{ role: "user", content: "x" }],
    }),
  );
  assertStringIncludes(google.sent[0].url, "/v1beta/models/gemini-x:generateContent");
});

Deno.test("Cloudflare's REST hands a model's own input through, with its envelope, errors in it too", async () => {
  const envelope = { result: { response: "Hi" }, success: true, errors: [], messages: [] };
  const { fetch, sent } = before(() => Response.json(envelope));
  for (const model of ["@cf/meta/llama", "@cf%2Fmeta%2Fllama"]) {
    const response = await fetch(post(`${REST}/run/${model}`, { prompt: "x" }, key));
    assertEquals(await response.json(), envelope);
    assertEquals(response.headers.get("cf-aig-model"), "@cf/meta/llama");
    assertEquals(sent.at(-1)!.url, `https://api.cloudflare.com/client/v4/accounts/acct/ai/run/${model}`);
  }
  const closed = createGateway({ tokens: ["t"] });
  const refused = await closed.fetch(post(`${REST}/run/@cf/meta/llama`, { prompt: "x" }));
  const { success, result, errors, messages } = await refused.json();
  assertEquals([refused.status, success, result, messages, errors[0].code], [401, false, null, [], 2009]);
});

Deno.test("cf-aig-gateway-id names the gateway of Cloudflare's REST, for a token that is limited to some", async () => {
  const { fetch } = before(() => Response.json({ id: "x", choices: [{}] }), {
    tokens: [{ token: "of-prod", gateways: ["prod"] }, { token: "of-default", gateways: ["default"] }],
  });
  const ask = async (token: string, id?: string, url = `${REST}/v1/chat/completions`) => {
    const headers: Record<string, string> = { "cf-aig-authorization": `Bearer ${token}` };
    if (id !== undefined) headers["cf-aig-gateway-id"] = id;
    return (await fetch(
      post(url, { model: "openai/m", messages: [{ role: "user", content: "x" }] }, headers),
    )).status;
  };
  assertEquals(await ask("of-prod", "prod"), 200);
  assertEquals([await ask("of-prod"), await ask("of-prod", "default"), await ask("of-prod", "")], [
    401,
    401,
    401,
  ]);
  assertEquals([await ask("of-default"), await ask("of-default", ""), await ask("of-default", "prod")], [
    200,
    200,
    401,
  ]);
  // The header does not change the gateway of any other path.
  assertEquals(await ask("of-prod", "prod", `${HOST}/v1/acct/other/compat/chat/completions`), 401);
  assertEquals(await ask("of-prod", "prod", `${HOST}/v1/chat/completions`), 401);
});

Deno.test("an operator's own row cannot have the name of one of the gateway's paths", () => {
  const names =
    "chat client compat completions embeddings health messages metrics models rerank responses sluice v1 v2";
  for (const name of names.split(" ")) {
    for (const written of [name, `custom-${name}`]) {
      let message = "";
      try {
        createGateway({ providers: { [written]: { baseUrl: "https://x.test" } } });
      } catch (error) {
        message = (error as Error).message;
      }
      assertStringIncludes(
        message,
        `Cannot use option providers.${written}: the gateway has a path of its own at /${name}; choose another name`,
      );
    }
  }
  createGateway({ providers: { chatty: { baseUrl: "https://x.test" }, v10: { baseUrl: "https://y.test" } } });
});

Deno.test("a custom domain's paths lead to providers and to the compat doors, and no provider takes a door's place", async () => {
  const { fetch, sent } = before(() =>
    Response.json({ data: [{ embedding: [1], index: 0 }], choices: [{}], id: "x" })
  );
  const body = { model: "openai/m", messages: [{ role: "user", content: "x" }], input: "x", prompt: "x" };
  const cases: [string, string][] = [
    ["/openai/v1/chat/completions", "https://api.openai.com/v1/chat/completions"],
    ["/openai/embeddings", "https://api.openai.com/v1/embeddings"],
    ["/compat/chat/completions", "https://api.openai.com/v1/chat/completions"],
    ["/compat/embeddings", "https://api.openai.com/v1/embeddings"],
    ["/compat/completions", "https://api.openai.com/v1/completions"],
    ["/voyage/v1/embeddings", "https://api.voyageai.com/v1/embeddings"],
  ];
  for (const [path, url] of cases) {
    const response = await fetch(post(HOST + path, body, key));
    await response.body?.cancel();
    assertEquals([response.status, sent.at(-1)!.url], [200, url], path);
  }
});
