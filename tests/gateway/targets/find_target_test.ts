import { assertEquals, assertStringIncludes } from "@std/assert";
import { findProvider } from "../../../providers/table.ts";
import { EXAMPLE_MODELS } from "../../../providers/example_models.ts";
import { likelyProvider, soleProvider } from "../../../providers/nearest_names.ts";
import { before, completion, messages, nothing, post, ROOT } from "../../fakes.ts";
import { createGateway } from "../../../gateway/gateway.ts";

async function refusal(
  body: object,
): Promise<{ status: number; code: string; message: string; param: string }> {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const response = await fetch(post("http://gateway.test/v1/chat/completions", body));
  return { status: response.status, ...(await response.json()).error };
}

/** Names of models as their makers write them, with their providers. */
const BARE: Record<string, string> = {
  "gpt-5": "openai",
  "GPT-4o": "openai",
  "o4-mini": "openai",
  "chatgpt-4o-latest": "openai",
  "ft:gpt-4o-mini:org::id": "openai",
  "codex-mini-latest": "openai",
  "claude-sonnet-5": "anthropic",
  "sonnet": "anthropic",
  "opus": "anthropic",
  "haiku": "anthropic",
  "fable": "anthropic",
  "mythos": "anthropic",
  "gemini-3-pro": "google-ai-studio",
  "gemma-3": "google-ai-studio",
  "grok-4": "grok",
  "deepseek-chat": "deepseek",
  "mistral-large-latest": "mistral",
  "codestral-latest": "mistral",
  "devstral": "mistral",
  "magistral": "mistral",
  "ministral-8b": "mistral",
  "mixtral": "mistral",
  "pixtral": "mistral",
  "command-a": "cohere",
  "c4ai-aya": "cohere",
  "sonar-pro": "perplexity",
  "llama-3.3-70b": "groq",
  "qwen3": "alibaba",
  "qwq-32b": "alibaba",
  "kimi-k3": "moonshot",
  "glm-5": "zai",
  "minimax-m2": "minimax",
  "echo": "demo",
};

Deno.test("the error for a model without a provider names the likely provider, and how to write it twice", async () => {
  for (const [model, provider] of Object.entries(BARE)) {
    assertEquals(likelyProvider(model), provider, model);
    assertEquals(typeof findProvider(provider), "object", provider);
    if (soleProvider(model)) continue;
    const { status, code, message, param } = await refusal({ model, messages });
    assertEquals([status, code, param], [400, "2019", "model"]);
    assertStringIncludes(message, `"${provider}/${model}"`);
    assertStringIncludes(message, `write it twice: "${provider}/${provider}/${model}"`);
  }
  for (const model of ["my-model", "xgpt-5", "neo1", "o0", "text-embedding-3-large", ""]) {
    assertEquals(likelyProvider(model), undefined, model);
  }
  assertStringIncludes((await refusal({ model: "my-model", messages })).message, EXAMPLE_MODELS.openai);
  const long = await refusal({ model: `llama-${"5".repeat(10_000)}`, messages });
  assertEquals(long.message.length < 600, true);
});

Deno.test("the error for an unknown provider tells the cure for clients that cut the first segment off", async () => {
  const { message } = await refusal({ model: "meta-llama/llama-4", messages });
  assertStringIncludes(message, '"meta-llama"');
  assertStringIncludes(message, "write the provider twice");
  const near = await refusal({ model: "antropic/claude", messages });
  assertStringIncludes(near.message, 'did you mean "anthropic"?');
});

Deno.test("a route that does not exist gets an error of its own, wherever it is named", async () => {
  const { status, message, param } = await refusal({ model: "dynamic/support", messages });
  assertEquals([status, param], [400, "model"]);
  assertStringIncludes(message, 'Cannot find the route "support"');
  assertStringIncludes(message, "SLUICE_ROUTES");
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const query = { model: "dynamic/support", messages };
  const step = { provider: "compat", endpoint: "chat/completions", headers: {}, query };
  const universal = await (await fetch(post(ROOT, [step]))).json();
  assertStringIncludes(universal.message, 'Cannot find the route "support"');
  // An operator's own provider may have that name.
  const own = before(() => completion(), { providers: { dynamic: { baseUrl: "https://dynamic.test" } } });
  const response = await own.fetch(post("http://gateway.test/v1/chat/completions", query));
  assertEquals([response.status, own.sent[0].url], [200, "https://dynamic.test/chat/completions"]);
});

Deno.test("universal() takes Cloudflare's own misspelling of the compat endpoint, and no other", async () => {
  const { fetch, sent } = before(() => completion());
  const ask = (endpoint: string) =>
    fetch(
      post(ROOT, [{ provider: "compat", endpoint, headers: {}, query: { model: "openai/m", messages } }]),
    );
  for (
    const endpoint of ["chat/completion", "/v1/chat/completion/", "chat/completions", "v1/chat/completions"]
  ) {
    assertEquals((await ask(endpoint)).status, 200, endpoint);
  }
  for (const endpoint of ["chat/complet", "xchat/completion", "chat/completionss", "chat/completion/x", ""]) {
    assertEquals((await (await ask(endpoint)).json()).internalCode, 2019, endpoint);
  }
  assertEquals(sent.length, 4);
});

Deno.test("workers-ai gets a list of texts as one text, and other lists unchanged", async () => {
  const { fetch, sent } = before(() => completion());
  const image = { type: "image_url", image_url: { url: "https://x.test/a.png" } };
  const text = (text: string, more: object = {}) => ({ type: "text", text, ...more });
  const ask = async (model: string, more = "") => {
    const messages = [
      { role: "system", content: [text("Be brief", { cache_control: { type: "ephemeral" } })] },
      { role: "user", content: [text("One"), text(`Two${more}`)] },
      { role: "user", content: [text("See"), image] },
      { role: "assistant", content: "As it was", tool_calls: [] },
      { role: "user", content: [] },
    ];
    const response = await fetch(
      post("http://gateway.test/v1/acct/gw/compat/chat/completions", { model, messages }),
    );
    assertEquals(response.status, 200);
    const sentMessages = JSON.parse(sent.at(-1)!.body).messages;
    return { messages, sent: sentMessages, dropped: response.headers.get("sluice-dropped") };
  };
  for (const more of ["", "x".repeat(300 * 1024)]) {
    const { messages, sent, dropped } = await ask("@cf/meta/llama", more);
    assertEquals(sent, [
      { role: "system", content: "Be brief" },
      { role: "user", content: `One\nTwo${more}` },
      messages[2],
      messages[3],
      { role: "user", content: "" },
    ]);
    assertEquals(dropped, "messages[0].content[0].cache_control");
  }
  const other = await ask("openrouter/m");
  assertEquals(other.sent, other.messages);
});

Deno.test("cf-aig-model is the model of the path where one names it", async () => {
  const { fetch } = before(() => Response.json({}));
  const cases: [string, string][] = [
    ["azure-openai/res/gpt-4o/chat/completions", "gpt-4o"],
    ["workers-ai/@cf/meta/llama", "@cf/meta/llama"],
    ["aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-v1%3A0/converse", "amazon.nova-v1:0"],
    ["google/v1beta/models/gemini-x:generateContent", "gemini-x"],
    ["openai/v1/files", "unknown"],
  ];
  for (const [path, model] of cases) {
    const response = await fetch(post(`${ROOT}/${path}`, {}));
    assertEquals([response.status, response.headers.get("cf-aig-model")], [200, model], path);
    const [provider, ...endpoint] = path.split("/");
    const step = { provider, endpoint: endpoint.join("/"), headers: {}, query: {} };
    assertEquals((await fetch(post(ROOT, [step]))).headers.get("cf-aig-model"), model, path);
  }
});
