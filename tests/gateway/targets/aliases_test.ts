import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { readEnv } from "../../../gateway/setup/env.ts";
import { soleProvider } from "../../../providers/nearest_names.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import { before, completion, message, messages, post, ROOT } from "../../fakes.ts";

const CHAT = "http://gateway.test/v1/chat/completions";

/** The requests that were sent, each as `host model`. */
function gateway(models: Options["models"], options: Options = {}) {
  const { fetch, sent } = before(({ url }) => {
    if (url.includes("fails")) return new Response("no", { status: 503 });
    return url.includes("anthropic") ? message() : completion();
  }, { models, ...options });
  const went = () => sent.map(({ url, body }) => `${new URL(url).hostname} ${JSON.parse(body).model}`);
  return { fetch, sent, went };
}

const MODELS = {
  "claude-*": "openai/gpt-x",
  "gpt-5.5": "anthropic/claude-x",
  "my-*-fast": "groq/llama-*-instant",
  "openai/old-*": "openai/new-*",
  "several": ["cerebras/a", "groq/b"],
  "dynamic/support": "openai/of-support",
  "*": "openrouter/*",
};

/** The client's names, and where each request goes. */
const NAMES: [string, string][] = [
  ["claude-sonnet-x", "api.openai.com gpt-x"],
  ["claude-", "api.openai.com gpt-x"],
  ["gpt-5.5", "api.anthropic.com claude-x"],
  ["gpt-5.5-mini", "openrouter.ai gpt-5.5-mini"],
  ["my-3-fast", "api.groq.com llama-3-instant"],
  ["my--fast", "api.groq.com llama--instant"],
  ["my-fast", "openrouter.ai my-fast"],
  ["meta-llama/llama-4", "openrouter.ai meta-llama/llama-4"],
  ["openai/old-1", "api.openai.com new-1"],
  ["openai/gpt-x", "api.openai.com gpt-x"],
  ["anthropic/claude-y", "api.anthropic.com claude-y"],
  ["xai/claude-y", "api.x.ai claude-y"],
  ["@cf/meta/llama", "api.cloudflare.com @cf/meta/llama"],
  ["dynamic/support", "api.openai.com of-support"],
  ["several", "api.cerebras.ai a"],
];

Deno.test("models: the first pattern that matches leads a name on, and what its star stands for is carried over", async () => {
  for (const [name, place] of NAMES) {
    const { fetch, went } = gateway(MODELS, { account: "acct" });
    const response = await fetch(post(CHAT, { model: name, messages }));
    assertEquals([response.status, went()], [200, [place]], name);
  }
});

Deno.test("models: a value is not looked up again, so that there is no loop", async () => {
  const { fetch, went } = gateway({
    "a": "openai/b",
    "openai/b": "groq/a",
    "groq/a": "openai/b",
    "*": "groq/*",
  });
  for (const model of ["a", "openai/b", "groq/a", "groq/groq/a", "b"]) {
    await fetch(post(CHAT, { model, messages }));
  }
  assertEquals(went(), [
    "api.openai.com b",
    "api.groq.com a",
    "api.openai.com b",
    "api.groq.com groq/a",
    "api.groq.com b",
  ]);
});

Deno.test("models: a list is tried in turn, and each target once", async () => {
  const providers = { fails: { baseUrl: "https://fails.test" }, fails2: { baseUrl: "https://fails2.test" } };
  const models = { several: ["fails/a", "fails2/b", "openai/c"], one: "openai/c", two: "openai/d" };
  const { fetch, went } = gateway(models, { providers });
  const response = await fetch(post(CHAT, { model: "several", messages }));
  assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "2"]);
  assertEquals(went(), ["fails.test a", "fails2.test b", "api.openai.com c"]);
  const inList = gateway(models, { providers });
  await inList.fetch(post(CHAT, { models: ["fails/a", "several", "one"], messages }));
  assertEquals(inList.went(), ["fails.test a", "fails2.test b", "api.openai.com c"]);
  const inHeader = gateway(models, { providers });
  await inHeader.fetch(post(CHAT, { model: "fails/x", messages }, { "sluice-fallback": "fails2/y, two" }));
  assertEquals(inHeader.went(), ["fails.test x", "fails2.test y", "api.openai.com d"]);
  const step = (model: string) => ({
    provider: "compat",
    endpoint: "chat/completions",
    query: { model, messages },
  });
  const universal = gateway(models, { providers });
  assertEquals((await universal.fetch(post(ROOT, [step("several")]))).status, 200);
  assertEquals((await universal.fetch(post(ROOT, [step("fails/x"), step("one")]))).status, 200);
  assertEquals(universal.went().slice(2), ["api.openai.com c", "fails.test x", "api.openai.com c"]);
});

Deno.test("models: embeddings and the lists of models know the names too", async () => {
  const { fetch, sent } = before(
    ({ url }) =>
      url.endsWith("/models")
        ? Response.json({ data: [{ id: "m", created: 7, context_length: 1000 }] })
        : Response.json({ data: [{ embedding: [1], index: 0 }] }),
    {
      models: {
        "text-embedding-3-small": "mistral/mistral-embed",
        "known": "openai/m",
        "new": "openai/n",
        "x-*": "openai/*",
      },
      keys: { openai: "sk-stored" },
      tokens: ["t", { token: "limited", providers: ["mistral"] }],
    },
  );
  const headers = { authorization: "Bearer t" };
  await fetch(
    post("http://gateway.test/v1/embeddings", { model: "text-embedding-3-small", input: "x" }, headers),
  );
  assertEquals(sent[0].url, "https://api.mistral.ai/v1/embeddings");
  const get = async (path: string, headers: Record<string, string>) =>
    await (await fetch(new Request(`http://gateway.test${path}`, { headers }))).json();
  const { data } = await get("/v1/models", headers);
  const names = data.filter(({ owned_by }: { owned_by: string }) => owned_by !== "sluice");
  assertEquals(names.map(({ id }: { id: string }) => id), [
    "openai/m",
    "text-embedding-3-small",
    "known",
    "new",
  ]);
  assertEquals(names[2], { ...names[0], id: "known", display_name: "known" });
  assertEquals(await get("/v1/models/known", headers), { ...names[0], id: "known" });
  assertEquals((await get("/v1/models/new", headers)).id, "new");
  assertEquals((await get("/v1/models/x-m", headers)).max_input_tokens, 1000);
  const limited = await get("/v1/models", { authorization: "Bearer limited" });
  assertEquals(limited.data.map(({ id }: { id: string }) => id), ["text-embedding-3-small"]);
});

Deno.test("models: an error names the pattern, and a token that is not for the provider is told so", async () => {
  const { fetch, sent } = gateway({ "claude-*": "openai/gpt-x", "e-*": "anthropic/*" }, {
    tokens: [{ token: "t", providers: ["anthropic"] }],
    keys: { openai: "sk-stored" },
  });
  const headers = { authorization: "Bearer t" };
  const refused = await fetch(post(CHAT, { model: "claude-x", messages }, headers));
  const { error } = await refused.json();
  assertEquals(refused.status, 401);
  assertStringIncludes(error.message, "its token is not for provider openai");
  assertStringIncludes(error.message, 'maps "claude-x" to it, by the pattern "claude-*"');
  const none = await fetch(post("http://gateway.test/v1/embeddings", { model: "e-x", input: "x" }, headers));
  assertStringIncludes(
    (await none.json()).error.message,
    'anthropic has no embeddings here (the option models maps "e-x" to it',
  );
  const long = await fetch(post(CHAT, { model: `e-${"x".repeat(300)}`, messages }, headers));
  const told = await long.json();
  assertEquals([long.status, told.error.param], [400, "model"]);
  assertStringIncludes(told.error.message, 'by the pattern "e-*"');
  assertEquals(sent.length, 0);
});

Deno.test("models: a key of Anthropic's form is not sent to another provider that a name leads to", async () => {
  const models = { "claude-*": "openai/gpt-x", "haiku": "anthropic/claude-x" };
  const { fetch, sent } = gateway(models, { tokens: ["t"], tokenRequired: false, keys: { groq: "sk-groq" } });
  const key = "sk-ant-api03-abcdefgh";
  for (
    const headers of [{ "x-api-key": key }, { authorization: "Bearer sk-ant-oat01-abcdefgh" }] as Record<
      string,
      string
    >[]
  ) {
    await fetch(post(CHAT, { model: "claude-x", messages }, headers));
    for (const [, value] of sent.at(-1)!.headers) assertEquals(value.includes("sk-ant"), false);
  }
  await fetch(post(CHAT, { model: "haiku", messages }, { "x-api-key": key }));
  assertEquals(sent.at(-1)!.headers.get("x-api-key"), key);
  await fetch(post(CHAT, { model: "claude-x", messages }, { "x-api-key": "sk-of-openai" }));
  assertEquals(sent.at(-1)!.headers.get("authorization"), "Bearer sk-of-openai");
  // A client that names the provider sends a key for that provider.
  await fetch(post(CHAT, { model: "openai/gpt-x", messages }, { "x-api-key": key }));
  assertEquals(sent.at(-1)!.headers.get("authorization"), `Bearer ${key}`);
});

Deno.test("models: a faulty pattern or value is refused at the start, with its pattern", () => {
  const cases: [Record<string, string | string[]>, string][] = [
    [{ "a": "nobody/x" }, 'models.a: Cannot route to "nobody"'],
    [{ "a": "deepgram/x" }, "models.a: deepgram has only its own paths"],
    [{ "a": "llama-4" }, 'models.a: Cannot route model "llama-4": write it as'],
    [{ "a": "" }, "models.a: Cannot route the request"],
    [{ "a": "openai/" }, "models.a: Cannot route model"],
    [{ "": "openai/x" }, "models.: a pattern must not be empty"],
    [{ "a*b*": "openai/x" }, "models.a*b*: a pattern may hold one *"],
    [{ "a*": "openai/*-*" }, "models.a*: a value may hold one *"],
    [{ "a": "openai/*" }, "models.a: its value holds a *, but the pattern does not"],
    [{ "a*": "*/x" }, 'models.a*: a value names its provider before the *, e.g. "openrouter/*"'],
    [{ "a*": "*" }, "models.a*: a value names its provider before the *"],
    [{ "a": ["openai/x", "nobody/y"] }, 'models.a: Cannot route to "nobody"'],
    [{ "a": [] }, "models.a: it must"],
  ];
  for (const [models, words] of cases) {
    const { message } = assertThrows(() => createGateway({ models }), TypeError);
    assertStringIncludes(message, `Cannot use option ${words}`);
  }
  createGateway({
    models: { "a": "claude-x", "b": ["gpt-x", "mine/x"] },
    providers: { mine: { baseUrl: "https://x.test" } },
  });
});

Deno.test("SLUICE_MODELS is the option as JSON", () => {
  const read = (text: string) =>
    readEnv((name) => name === "SLUICE_MODELS" ? text : undefined).options.models;
  assertEquals(read('{"claude-*": "openai/x", "b": ["openai/y"]}'), {
    "claude-*": "openai/x",
    "b": ["openai/y"],
  });
  assertThrows(() => read('{"a": 7}'), TypeError, "SLUICE_MODELS");
  assertThrows(() => read("openai/x"), TypeError, "SLUICE_MODELS");
  assertThrows(() => read('{"a": "nobody/x"}'), TypeError, "nobody");
});

/** Names that only one provider serves, and names that several serve. */
const SOLE: Record<string, string> = {
  "claude-sonnet-x": "anthropic",
  "gpt-x": "openai",
  "gpt-4o": "openai",
  "o3": "openai",
  "o4-mini": "openai",
  "o10-pro": "openai",
  "chatgpt-4o-latest": "openai",
  "codex-mini-latest": "openai",
  "ft:gpt-4o-mini:org::id": "openai",
  "text-embedding-3-large": "openai",
  "text-embedding-ada-002": "openai",
  "gemini-3-pro": "google-ai-studio",
  "gemini-embedding-001": "google-ai-studio",
  "grok-4": "grok",
  "deepseek-chat": "deepseek",
  "mistral-large-latest": "mistral",
  "mistral-embed": "mistral",
  "codestral-latest": "mistral",
  "devstral-medium": "mistral",
  "magistral-small": "mistral",
  "ministral-8b": "mistral",
  "pixtral-large": "mistral",
  "command-a": "cohere",
  "command-r-plus": "cohere",
  "embed-v4.0": "cohere",
  "embed-english-v3.0": "cohere",
  "voyage-4": "voyage",
};
const SHARED = [
  ..."gpt-oss-120b gemma-4 llama-4 qwen3 mixtral-8x7b kimi-k3 glm-5 minimax-m2 sonar-pro sonnet opus o o-3 o3x claude"
    .split(" "),
  ..."text-embedding-004 text-embedding-v4 embed my-gpt-5 xclaude-1 echo gpt embedding-001 commander".split(
    " ",
  ),
];

Deno.test("a bare name that only one provider can mean goes there, and any other is told how to be written", async () => {
  for (const [name, provider] of Object.entries(SOLE)) {
    assertEquals([name, soleProvider(name), soleProvider(name.toUpperCase())], [name, provider, provider]);
    if (PROVIDERS.get(provider)!.chat === false || name.includes("embed")) continue;
    const { fetch, sent } = gateway(undefined);
    const response = await fetch(post(CHAT, { model: name, messages }, { authorization: "Bearer key" }));
    await response.body?.cancel();
    assertEquals(response.headers.get("cf-aig-provider"), provider);
    assertEquals(response.headers.get("cf-aig-model"), name.replaceAll(":", ":"));
    assertEquals(sent.length, 1, name);
  }
  for (const name of SHARED) assertEquals(soleProvider(name), undefined, name);
  const { fetch, went } = gateway({ "gpt-x": "groq/llama" });
  await fetch(post(CHAT, { model: "gpt-x", messages }));
  await fetch(post(CHAT, { model: "gpt-y", messages }));
  assertEquals(went(), ["api.groq.com llama", "api.openai.com gpt-y"]);
});
