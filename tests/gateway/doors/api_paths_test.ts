/** Paths of OpenAI's, Anthropic's and Cloudflare's own APIs, which clients request below the gateway's address. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.12.0";
import OpenAI from "npm:openai@7.57.0";
import { API_WORDS } from "../../../providers/api_words.ts";
import { before, completion, messages, nothing, post } from "../../fakes.ts";
import { createGateway } from "../../../gateway/gateway.ts";

const HOST = "http://gateway.test";
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** The first segments of the paths of both APIs, from their SDKs. */
const WORDS = [
  ..."agents assistants audio batches chat chatkit completions containers content_provenance_checks".split(
    " ",
  ),
  ..."conversations decisions edits embeddings engines evals files fine-tunes fine_tuning images live".split(
    " ",
  ),
  ..."models moderations organization projects realtime responses safety skills threads uploads".split(" "),
  ..."usage vector_stores videos webhook_endpoints webhook_event_types".split(" "),
  ..."complete compliance deployment_runs deployments dreams environments memory_stores messages".split(" "),
  ..."organizations sessions tunnels user_profiles vaults rerank v1 beta".split(" "),
];

Deno.test("API_WORDS holds the first segments of OpenAI's and Anthropic's paths", () => {
  assertEquals([...API_WORDS].sort(), WORDS.sort());
});

async function ask(method: string, path: string) {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const body = method === "GET" || method === "HEAD" ? undefined : "{}";
  const response = await fetch(
    new Request(HOST + path, { method, body, headers: { "content-type": "application/json" } }),
  );
  return { status: response.status, body: await response.json() };
}

Deno.test("two or three segments of OpenAI's API are not an account and a gateway, whatever the method", async () => {
  const paths = [
    "/v1/responses/resp_1",
    "/v1/responses/resp_1/input_items",
    "/v1/chat/completions/chatcmpl-1",
    "/v1/files/file-1/content",
    "/v1/batches/b1",
    "/v1/fine_tuning/jobs",
    "/v1/vector_stores/vs_1/search",
    "/v1/uploads/u1/complete",
    "/v1/threads/t1/runs",
    "/v1/conversations/c/items",
    "/v1/realtime/client_secrets",
    "/v1/audio/speech",
    "/v1/organization/usage/completions",
    "/responses/resp_1",
    "/compat/responses/resp_1",
  ];
  for (const path of paths) {
    for (const method of METHODS) {
      for (const tail of ["", "/", "//", "?x=/v1/a/b"]) {
        const { status, body } = await ask(method, path + tail);
        const endpoint = path.replace(/^\/(v1|compat)\//, "").replace(/^\//, "");
        // These paths read a stored response, which is not found.
        assertEquals(status, endpoint.startsWith("responses") ? 404 : 400, `${method} ${path}${tail}`);
        assertEquals(Object.keys(body), ["error"], path);
        assertEquals(Object.keys(body.error), ["message", "type", "param", "code"], path);
        assertStringIncludes(body.error.message, `/v1/-/default/openai/${endpoint}`);
      }
    }
  }
});

Deno.test("every API's first segment is known under /v1/, also doubled, encoded or after two slashes", async () => {
  for (const word of WORDS) {
    if (word === "v1" || word === "beta" || word === "models") continue;
    const encoded = `%${word.charCodeAt(0).toString(16)}${word.slice(1)}`;
    const prefixes = ["/v1/", "/", "/v1/v1/", "//v1/", "/v1//", "/v1%2f"];
    for (const path of [...prefixes.map((prefix) => prefix + word), `/v1/${encoded}`, `/v1/${encoded}%2f`]) {
      const { status, body } = await ask("POST", `${path}/one/two/three`);
      const isStored = word === "responses" && status === 404;
      assertEquals(status, isStored ? 404 : 400, path);
      assertStringIncludes(body.error.message, isStored ? "stores no responses" : "is not supported", path);
      assertEquals(body.type === "error", word === "messages" || word === "complete", path);
    }
  }
});

Deno.test("a first segment that only looks like v1 or beta begins no path of an API", async () => {
  for (const path of ["/v12/threads", "/xv1/threads", "/betamax/threads", "/mybeta/threads"]) {
    const { status, body } = await ask("POST", path);
    assertEquals(status, 404, path);
    assert(!JSON.stringify(body).includes("OpenAI's own path"), path);
  }
});

Deno.test("an error names the path that works", async () => {
  const cases: [string, string][] = [
    ["/v1/chat/completion", "Chat completions are at /v1/chat/completions"],
    ["/v1/chat", "Chat completions are at /v1/chat/completions"],
    ["/v1/v1/Models", "Models are listed at /v1/models"],
    ["/v1/acct/gw/compat/moderations", "OpenAI's own path is /v1/acct/gw/openai/moderations"],
    ["/v1/a%2Fb/g%20w/compat/images", "OpenAI's own path is /v1/a%2Fb/g%20w/openai/images"],
    ["/v1/acct/gw/compat/v1/messages/batches", "/v1/acct/gw/anthropic/v1/messages/batches"],
    ["/v1/Chat/Completions", "Chat completions are at /v1/chat/completions"],
    ["/V1/CHAT/completions", "Chat completions are at /v1/chat/completions"],
    ["/v1/Responses/resp_A", "OpenAI's own path is /v1/-/default/openai/responses/resp_A"],
    ["/v1/Messages/batches", "Anthropic's own path is /v1/-/default/anthropic/v1/messages/batches"],
    ["/v1/beta/threads", "OpenAI's own path is /v1/-/default/openai/threads"],
    ["/v1/Beta/Assistants/a_1", "OpenAI's own path is /v1/-/default/openai/assistants/a_1"],
    ["/v1/beta", "OpenAI's own path is /v1/-/default/openai/beta"],
  ];
  for (const [path, cure] of cases) {
    const { status, body } = await ask("POST", path);
    assertEquals(status, 400, path);
    assertStringIncludes(body.error.message, cure);
  }
  const long = await ask("POST", `/v1/responses/${"x".repeat(10_000)}`);
  assert(JSON.stringify(long.body).length < 1000);
});

Deno.test("ids that are not the first segment of an API are an account and a gateway", async () => {
  const { fetch, sent } = before(() => completion());
  const accounts = ["-", "0123456789abcdef0123456789abcdef", "acct", "my-team", "compat", "constructor"];
  for (const account of accounts) {
    for (const gateway of ["default", "messages", "responses", "v1"]) {
      const url = `${HOST}/v1/${account}/${gateway}/compat/chat/completions`;
      assertEquals((await fetch(post(url, { model: "openai/m", messages }))).status, 200, url);
    }
  }
  assertEquals(sent.length, accounts.length * 4);
  for (const path of ["/v1/acct/gw//compat/chat/completions", "//compat/chat/completions"]) {
    assertEquals((await fetch(post(HOST + path, { model: "openai/m", messages }))).status, 200, path);
  }
  await fetch(post(`${HOST}/v1/acct/gw//openai/v1/responses`, {}));
  assertEquals(sent.at(-1)!.url, "https://api.openai.com/v1/responses");
  const { body } = await ask("GET", "/v1/acct/responses");
  assertEquals(body.internalCode, 405);
});

Deno.test("other paths of Anthropic's API are refused in Anthropic's shape, with the path that works", async () => {
  for (
    const path of ["/v1/Messages", "/v1/messages/batches", "/v1/messages/batches/b/results", "/v1/complete"]
  ) {
    for (const method of METHODS) {
      const { status, body } = await ask(method, path);
      assertEquals(status, 400);
      assertEquals(Object.keys(body), ["type", "error", "request_id"]);
      assertEquals([body.type, body.error.type], ["error", "invalid_request_error"]);
      assertStringIncludes(body.error.message, "/v1/-/default/anthropic");
    }
  }
  const client = new Anthropic({
    apiKey: "k",
    baseURL: HOST,
    maxRetries: 0,
    fetch: (url, init) => createGateway().fetch(new Request(url as string, init as RequestInit)),
  });
  const error = await assertRejects(() => client.messages.batches.retrieve("b"), Anthropic.BadRequestError);
  assertStringIncludes(error.message, "/v1/-/default/anthropic");
});

Deno.test("a missing token is the first error, in the shape of the path", async () => {
  const { fetch } = createGateway({ tokens: ["tok"], fetch: nothing.fetch });
  const refused = async (path: string) => {
    const response = await fetch(post(HOST + path, { model: "m" }));
    assertEquals(response.status, 401, path);
    return await response.json();
  };
  assertEquals((await refused("/v1/messages")).error.type, "authentication_error");
  assertEquals((await refused("/v1/responses/r")).error.type, "authentication_error");
  assertEquals((await refused("/v1/acct/gw/openai/x")).internalCode, 2009);
  assertEquals((await refused("/openai/v1/x")).internalCode, 2009);
  assertEquals((await refused("/client/v4/accounts/a/ai/run/@cf/x")).errors[0].code, 2009);
});

// ---------------------------------------------------------------- one model

Deno.test("a model is found by its name, encoded or not, as OpenAI's SDK asks for it", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const openai = new OpenAI({
    apiKey: "k",
    baseURL: `${HOST}/v1`,
    maxRetries: 0,
    fetch: (url, init) => fetch(new Request(url as string, init as RequestInit)),
  });
  const { id, object, owned_by } = await openai.models.retrieve("demo/echo");
  assertEquals({ id, object, owned_by }, { id: "demo/echo", object: "model", owned_by: "sluice" });
  for (const prefix of ["/v1", "", "/compat", "/v1/acct/gw/compat", "/v1/acct/gw/compat/v1"]) {
    for (const name of ["demo/echo", "demo%2Fecho", "demo/echo/"]) {
      const response = await fetch(new Request(`${HOST}${prefix}/models/${name}`));
      assertEquals([response.status, (await response.json()).id], [200, "demo/echo"], prefix + name);
    }
  }
  await assertRejects(() => openai.models.retrieve("llama-4"), OpenAI.NotFoundError, "llama-4");
  await assertRejects(() => openai.models.retrieve("demo/nothing"), OpenAI.NotFoundError);
  await assertRejects(() => openai.models.delete("demo/echo"), OpenAI.APIError, "405");
});

Deno.test("a provider's model is looked for in its own list, with the client's key or the gateway's", async () => {
  const list = { data: [{ id: "gpt-x", created: 5, owned_by: "system" }, { id: "other" }] };
  const { fetch, sent } = before(() => Response.json(list), { keys: { openai: "sk-stored" } });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(new Request(HOST + path, { headers }));
    return { status: response.status, body: await response.json() };
  };
  const found = await get("/v1/models/openai/gpt-x", { authorization: "Bearer sk-mine" });
  const { id, object, created, owned_by } = found.body;
  assertEquals({ id, object, created, owned_by }, {
    id: "openai/gpt-x",
    object: "model",
    created: 5,
    owned_by: "system",
  });
  assertEquals([sent[0].url, sent[0].headers.get("authorization")], [
    "https://api.openai.com/v1/models",
    "Bearer sk-mine",
  ]);
  await get("/v1/models/openai%2Fgpt-x");
  const missing = await get("/v1/models/openai/gpt-y", { authorization: "Bearer sk-mine" });
  assertEquals(missing.status, 404);
  assertEquals([missing.body.error.code, missing.body.error.param], ["model_not_found", "model"]);
  for (const id of ["llama-4", "nobody/x", "azure-openai/x", "constructor/x", "%E0%A4%A", "openai"]) {
    const { status, body } = await get(`/v1/models/${id}`);
    assertEquals(
      [status, body.error.type],
      [404, "invalid_request_error"],
      id,
    );
  }
});

Deno.test("a model is returned under the alias that the client wrote, and only for providers of its token", async () => {
  const list = { models: [{ name: "models/gemini-x" }] };
  const { fetch, sent } = before(() => Response.json(list), {
    tokens: [{ token: "tok", providers: ["google-ai-studio"] }],
    keys: { google: "AIza-stored", openai: "sk-stored" },
  });
  const headers = { "cf-aig-authorization": "Bearer tok" };
  const response = await fetch(new Request(`${HOST}/v1/models/google/gemini-x`, { headers }));
  assertEquals((await response.json()).id, "google/gemini-x");
  assertEquals(sent[0].headers.get("x-goog-api-key"), "AIza-stored");
  const refused = await fetch(new Request(`${HOST}/v1/models/openai/gpt-x`, { headers }));
  assertEquals([refused.status, sent.length], [401, 1]);
});

Deno.test("a provider that refuses or is late becomes an error in OpenAI's shape", async () => {
  const refusing = before(() => new Response("no", { status: 401 }));
  const response = await refusing.fetch(new Request(`${HOST}/v1/models/openai/gpt-x`));
  assertEquals(response.status, 502);
  assertStringIncludes((await response.json()).error.message, "it answered 401");
  const silent = before(
    ({ signal }) => {
      signal.throwIfAborted();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    {
      wait: () => Promise.resolve(),
    },
  );
  assertEquals((await silent.fetch(new Request(`${HOST}/v1/models/openai/gpt-x`))).status, 504);
});

// ---------------------------------------------------------------- Cloudflare's other addresses

Deno.test("a provider's own paths stand at the root too, as on a custom domain", async () => {
  const { fetch, sent } = before(() => Response.json({}), {
    providers: { mine: { baseUrl: "https://mine.test/api" } },
  });
  const cases: [string, string][] = [
    ["/openai/v1/chat/completions", "https://api.openai.com/v1/chat/completions"],
    ["/openai/responses?x=1", "https://api.openai.com/v1/responses?x=1"],
    ["/anthropic/v1/messages", "https://api.anthropic.com/v1/messages"],
    [
      "/gemini/v1beta/models/m:generateContent",
      "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
    ],
    ["/mine/things", "https://mine.test/api/things"],
    ["/custom-mine/things", "https://mine.test/api/things"],
  ];
  for (const [path, url] of cases) {
    const response = await fetch(post(HOST + path, { model: "gpt", messages: [] }));
    assertEquals([response.status, sent.at(-1)?.url], [200, url], path);
  }
  for (
    const path of ["/nobody/v1/chat/completions", "/openai", "/constructor/x", "/wp-admin/x", "/openai%2Fx"]
  ) {
    const response = await fetch(post(HOST + path, {}));
    assertEquals([response.status, (await response.json()).error.code], [404, "not_found"], path);
  }
  assertEquals(sent.length, cases.length);
});

Deno.test("Cloudflare's REST paths lead to chat completions and to Workers AI of the account", async () => {
  const { fetch, sent } = before(() => completion());
  const base = "/client/v4/accounts/acct/ai";
  const cf = "https://api.cloudflare.com/client/v4/accounts/acct/ai";
  const cases: [string, string, string][] = [
    [`${base}/v1/chat/completions`, "openai/m", "https://api.openai.com/v1/chat/completions"],
    [`${base}/v1/chat/completions`, "@cf/meta/llama", `${cf}/v1/chat/completions`],
    [`${base}/v1/embeddings`, "@cf/baai/bge", `${cf}/v1/embeddings`],
    [`${base}/run/@cf/meta/llama`, "", `${cf}/run/@cf/meta/llama`],
    [`${base}/run/@cf%2Fmeta%2Fllama`, "", `${cf}/run/@cf%2Fmeta%2Fllama`],
    [`${base}/models/search?search=x`, "", `${cf}/models/search?search=x`],
  ];
  for (const [path, model, url] of cases) {
    const response = await fetch(post(HOST + path, { model, messages, input: "Hello" }));
    assertEquals([response.status, sent.at(-1)?.url], [200, url], path);
  }
  for (const path of ["/v1/messages", "/v1/v1/messages"]) {
    const { status, body } = await ask("POST", base + path);
    assertEquals([status, body.type], [400, "error"], path);
  }
  const run = await ask("POST", `${base}/run`);
  assertEquals([run.status, run.body.success, run.body.result, run.body.errors.length], [
    400,
    false,
    null,
    1,
  ]);
});

Deno.test("trace ids that are not hexadecimal are accepted, as in Cloudflare's own sample", async () => {
  const { fetch } = before(() => completion());
  const headers = {
    "cf-aig-otel-trace-id": "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
    "cf-aig-otel-parent-span-id": "a1b2c3d4e5f6g7h8",
  };
  const response = await fetch(
    post(`${HOST}/v1/acct/gw/compat/chat/completions`, { model: "openai/m", messages }, headers),
  );
  assertEquals(response.status, 200);
});
