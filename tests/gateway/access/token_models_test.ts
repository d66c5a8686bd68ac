import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion, message, messages, network, post, ROOT } from "../../fakes.ts";

const TOKEN = { authorization: "Bearer limited-token" };
const OWN = { "cf-aig-authorization": "Bearer limited-token" };
const KEYS = {
  openai: "sk-stored",
  anthropic: "sk-ant-stored",
  openrouter: "sk-or-stored",
  "google-ai-studio": "g-stored",
  replicate: "r8-stored",
};
const MODELS = [
  "openai/gpt-4*",
  "openrouter/openai/*",
  "gemini/gemini-2.5-flash",
  "@cf/meta/*",
  "replicate/meta/*",
];

/** A gateway whose token is for some models. */
function limited(options: Options = {}, models = MODELS) {
  const tokens = [{ token: "limited-token", name: "team", models }, "free-token"];
  return before(({ url }) => url.includes("anthropic") ? message() : completion(), {
    keys: KEYS,
    tokens,
    models: { cheap: "openai/gpt-4.1", dear: ["openai/gpt-4.1", "anthropic/claude-opus"] },
    ...options,
  });
}

async function status(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

const native = (path: string, body: unknown) =>
  new Request(`${ROOT}/${path}`, {
    method: "POST",
    headers: { ...TOKEN, "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const step = (provider: string, query: unknown, endpoint = "chat/completions") => ({
  provider,
  endpoint,
  headers: {},
  query,
});

const OPEN: Record<string, () => Request> = {
  "a model": () => ask("openai/gpt-4.1", TOKEN),
  "a bare name": () => ask("gpt-4o", TOKEN),
  "a name of the operator's": () => ask("cheap", TOKEN),
  "a fallback": () => ask("openai/gpt-4.1", { ...TOKEN, "sluice-fallback": "openai/gpt-4o" }),
  "a provider's own list": () => ask("openrouter/openai/gpt-5", TOKEN, { models: ["openai/gpt-4.1"] }),
  "the path of a provider": () => native("openai/chat/completions", { model: "gpt-4.1", messages }),
  "a path that names its model": () =>
    native("google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent", { contents: [] }),
  "a name of Google's with its prefix": () =>
    native("google-ai-studio/v1beta/openai/chat/completions", { model: "models/gemini-2.5-flash", messages }),
  "a version of a model": () =>
    native("replicate/predictions", { version: "meta/llama:1a2b", model: "meta/llama", input: {} }),
  "a universal step": () => post(ROOT, [step("openai", { model: "gpt-4.1", messages })], OWN),
  "a universal step for compat": () => post(ROOT, [step("compat", { model: "cheap", messages })], OWN),
};

const CLOSED: Record<string, () => Request> = {
  "another model": () => ask("openai/gpt-5", TOKEN),
  "another provider's model of the same name": () => ask("openrouter/gpt-4.1", TOKEN),
  "Messages": () =>
    post(`${ROOT}/compat/messages`, { model: "anthropic/claude-opus", max_tokens: 9, messages }, TOKEN),
  "Responses": () => post(`${ROOT}/compat/responses`, { model: "openai/gpt-5", input: "Hi" }, TOKEN),
  "embeddings": () =>
    post(`${ROOT}/compat/embeddings`, { model: "openai/text-embedding-3-small", input: "Hi" }, TOKEN),
  "completions": () => post("http://gateway.test/v1/completions", { model: "openai/m", prompt: "Hi" }, TOKEN),
  "a count of tokens": () =>
    post(`${ROOT}/compat/messages/count_tokens`, { model: "anthropic/claude-opus", messages }, TOKEN),
  "run": () =>
    post(
      "http://gateway.test/client/v4/accounts/acct/ai/run",
      { model: "openai/gpt-5", input: { messages } },
      TOKEN,
    ),
  "run of Workers AI": () =>
    post(
      "http://gateway.test/client/v4/accounts/acct/ai/run",
      { model: "@cf/openai/whisper", input: { audio: [] } },
      TOKEN,
    ),
  "a list of models": () => ask("openai/gpt-4.1", TOKEN, { models: ["openai/gpt-5"] }),
  "a fallback": () => ask("openai/gpt-4.1", { ...TOKEN, "sluice-fallback": "anthropic/claude-opus" }),
  "a name of the operator's, of its second model": () => ask("dear", TOKEN),
  "a provider's own list": () =>
    ask("openrouter/openai/gpt-5", TOKEN, { models: ["openai/gpt-4.1", "anthropic/claude-opus"] }),
  "a provider's own list, behind a fallback": () =>
    ask("openai/gpt-4.1", { ...TOKEN, "sluice-fallback": "openrouter/openai/gpt-5" }, {
      models: ["openai/gpt-4o", "google-ai-studio/gemini-2.5-flash"],
    }),
  "a provider's own list in a universal step": () =>
    post(
      ROOT,
      [step("compat", { model: "openrouter/openai/gpt-5", models: ["anthropic/claude-opus"], messages })],
      OWN,
    ),
  "the path of a provider": () => native("openai/chat/completions", { model: "gpt-5", messages }),
  "the path of a provider with a list of its own": () =>
    native("openrouter/v1/chat/completions", { model: "openai/gpt-5", models: ["anthropic/claude-opus"] }),
  "a long body": () =>
    native("openai/chat/completions", { messages, pad: "x".repeat(300_000), model: "gpt-5" }),
  "a path that names its model": () =>
    native("google-ai-studio/v1beta/models/gemini-2.5-pro:generateContent", { contents: [] }),
  "a path with one model, and a body with another": () =>
    native("openai/models/gpt-4.1/chat/completions", { model: "gpt-5" }),
  "a path with one model, and a body with two": () =>
    native("openai/models/gpt-4.1/chat/completions", '{"model": "gpt-4.1", "model": "gpt-5"}'),
  "a tool with a model of its own": () =>
    post(`${ROOT}/compat/responses`, {
      model: "openai/gpt-4.1",
      input: "Hi",
      tools: [{ type: "image_generation", model: "gpt-image-1" }],
    }, TOKEN),
  "a tool with a model of its own, on the path of a provider": () =>
    native("openai/responses", {
      model: "gpt-4.1",
      input: "Hi",
      tools: [{ type: "x", model: "gpt-image-1" }],
    }),
  "a batch, whose models are in a file": () =>
    native("openai/v1/batches", { model: "gpt-4.1", input_file_id: "f", endpoint: "/v1/chat/completions" }),
  "a batch, whose models are within": () =>
    native("openai/v1/messages/batches", { model: "gpt-4.1", requests: [{ params: { model: "gpt-5" } }] }),
  "a token for a session with another model": () =>
    native("openai/realtime/client_secrets", { model: "gpt-4.1", session: { model: "gpt-realtime" } }),
  "a token of Google's": () => native("google-ai-studio/v1alpha/auth_tokens", { model: "gemini-2.5-flash" }),
  "a path of another kind of model": () =>
    native("google-ai-studio/v1beta/tunedModels/m:generateContent", { model: "gemini-2.5-flash" }),
  "a path with two models": () =>
    native("google-ai-studio/v1beta/models/gemini-2.5-flash/models/gemini-2.5-pro:generateContent", {}),
  "a version beside a model": () =>
    native("replicate/predictions", { version: "1a2b3c", model: "meta/llama", input: {} }),
  "a body without a model": () => native("openai/chat/completions", { messages }),
  "a body with two models": () =>
    native("openai/chat/completions", '{"model": "gpt-5", "model": "gpt-4.1", "messages": []}'),
  "a body with a model in escapes": () =>
    native("openai/chat/completions", '{"mod\\u0065l": "gpt-5", "model": "gpt-4.1", "messages": []}'),
  "a model that is not a text": () => native("openai/chat/completions", { model: ["gpt-4.1"], messages: [] }),
  "a body that is not JSON": () => native("openai/chat/completions", "model=gpt-4.1"),
  "a path without a body": () => new Request(`${ROOT}/openai/files`, { headers: TOKEN }),
  "a universal step": () => post(ROOT, [step("openai", { model: "gpt-5", messages })], OWN),
  "a universal step whose body is a text": () =>
    post(ROOT, [step("openai", JSON.stringify({ model: "gpt-5", messages }))], OWN),
  "a second universal step": () =>
    post(
      ROOT,
      [step("openai", { model: "gpt-4.1", messages }), step("compat", { model: "openai/gpt-5" })],
      OWN,
    ),
};

for (const [name, request] of Object.entries(OPEN)) {
  Deno.test(`a token for some models opens one of them: ${name}`, async () => {
    const { fetch, sent } = limited();
    assertEquals(await status(fetch(request())), 200);
    assertEquals(sent.length, 1);
  });
}

for (const [name, request] of Object.entries(CLOSED)) {
  Deno.test(`a token for some models is 403 for others, and nothing is sent: ${name}`, async () => {
    const { fetch, sent } = limited();
    const response = await fetch(request());
    assertEquals(response.status, 403);
    assertStringIncludes(await response.text(), "token is");
    assertEquals(sent.length, 0);
    const free = request();
    const headers = new Headers(free.headers);
    headers.set(headers.has("authorization") ? "authorization" : "cf-aig-authorization", "Bearer free-token");
    const opened = await status(fetch(new Request(free, { headers })));
    assertEquals(opened === 401 || opened === 403, false);
  });
}

Deno.test("a body with two models at the gateway's own door: the one that is checked is sent", async () => {
  const { fetch, sent } = limited();
  const body = (...models: string[]) =>
    `{"messages": [{"role": "user", "content": "Hi"}], ${
      models.map((model) => `"model": "${model}"`).join(", ")
    }}`;
  const send = (...models: string[]) => status(fetch(native("compat/chat/completions", body(...models))));
  assertEquals(await send("openai/gpt-4.1", "openai/gpt-5"), 403);
  assertEquals(await send("openai/gpt-5", "openai/gpt-4.1"), 200);
  assertEquals(JSON.parse(sent[0].body!).model, "gpt-4.1");
  assertEquals(sent[0].body!.includes("gpt-5"), false);
});

Deno.test("GET /v1/models lists only the models that the token opens, and asks no other provider", async () => {
  const { fetch, sent } = before(
    () => Response.json({ data: [{ id: "gpt-4.1" }, { id: "gpt-5" }] }),
    {
      keys: KEYS,
      tokens: [{ token: "limited-token", models: ["openai/gpt-4*", "demo/echo"] }],
      models: { cheap: "openai/gpt-4.1", dear: ["openai/gpt-4.1", "anthropic/claude-opus"] },
    },
  );
  const list = async (path = "") =>
    await fetch(new Request(`http://gateway.test/v1/models${path}`, { headers: TOKEN }));
  const { data } = await (await list()).json();
  assertEquals(data.map(({ id }: { id: string }) => id).sort(), ["cheap", "demo/echo", "openai/gpt-4.1"]);
  assertEquals(sent.map(({ url }) => new URL(url).hostname), ["api.openai.com"]);
  assertEquals((await list("/openai/gpt-4.1")).status, 200);
  assertEquals((await list("/openai/gpt-5")).status, 404);
});

for (const pattern of ["nobody/*", "*", "*/gpt-4", "openai/*-*", "", "gpt"]) {
  Deno.test(`the pattern ${JSON.stringify(pattern)} ends the start, with the path of the fault`, () => {
    const tokens = [{ token: "limited-token", models: ["openai/*", pattern] }];
    const error = assertThrows(
      () => createGateway({ tokens, fetch: network(() => completion()).fetch }),
      TypeError,
    );
    assertStringIncludes(error.message, "tokens.0.models.1");
  });
}
