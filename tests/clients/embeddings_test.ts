/** The official OpenAI SDK asks strict fakes of each provider for embeddings. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { createGateway, handler } from "../../mod.ts";
import { answerStrictly, STRICT_EMBEDDINGS, vectorFor } from "../acceptance/strict_embeddings.ts";
import { before } from "../fakes.ts";

function clientOf(fetch: (request: Request) => Promise<Response>, path = "/v1"): OpenAI {
  return new OpenAI({
    apiKey: "key",
    baseURL: `http://gateway.test${path}`,
    maxRetries: 0,
    fetch: (input, init) => fetch(new Request(input, init)),
  });
}

const TEXTS = ["a", "bcd", "ef"];
/** The vectors have one size, whatever the client asks for. */
const FIXED = ["workers-ai"];

for (const [name, { model, url }] of Object.entries(STRICT_EMBEDDINGS)) {
  Deno.test(`embeddings.create() reads ${name}: base64 by default, floats, a single text, dimensions`, async () => {
    const { fetch, sent } = before(answerStrictly, { account: "acct" });
    const { embeddings } = clientOf(fetch);
    const plain = await embeddings.create({ model, input: TEXTS });
    assertEquals(plain.data.map(({ embedding }) => [...embedding]), TEXTS.map((text) => vectorFor(text)));
    assertEquals(
      plain.data.map(({ index, object }) => [index, object]),
      TEXTS.map((_, at) => [at, "embedding"]),
    );
    assertEquals(plain.object, "list");
    assertEquals(typeof plain.model, "string");
    assertEquals(sent[0].url, url);
    const floats = await embeddings.create({ model, input: "abc", encoding_format: "float" });
    assertEquals(floats.data.map(({ embedding }) => embedding), [vectorFor("abc")]);
    const raw = await embeddings.create({ model, input: ["abc"], encoding_format: "base64" });
    assertEquals(typeof raw.data[0].embedding, "string");
    const { data, response } = await embeddings.create({ model, input: TEXTS, dimensions: 6 }).withResponse();
    assertEquals(data.data[1].embedding.length, FIXED.includes(name) ? 4 : 6);
    assertEquals(response.headers.get("sluice-dropped"), FIXED.includes(name) ? "dimensions" : null);
  });

  Deno.test(`embeddings.create() sends ${name} a list over its limit in parts, and joins the answers`, async () => {
    const { fetch, sent } = before(answerStrictly, { account: "acct" });
    const input = Array.from({ length: 2100 }, (_, at) => "x".repeat(1 + at % 7) + at);
    const { data, usage } = await clientOf(fetch).embeddings.create({ model, input });
    assertEquals(data.map(({ index }) => index), input.map((_, at) => at));
    assertEquals(data.map(({ embedding }) => embedding[0]), input.map(({ length }) => length));
    const counts = ["gemini", "workers-ai"].includes(name) ? 0 : input.join("").length;
    assertEquals(usage, { ...usage, prompt_tokens: counts, total_tokens: counts });
    const most: Record<string, number> = {
      alibaba: 10,
      cohere: 96,
      gemini: 100,
      mistral: 256,
      openai: 2048,
      voyage: 1000,
      "workers-ai": 100,
    };
    assertEquals(sent.length, Math.ceil(2100 / (most[name] ?? 2100)));
  });
}

Deno.test("embeddings.create() works with every base URL that chat completions have", async () => {
  for (const path of ["/v1", "", "/compat", "/v1/acct/gw/compat", "/v1/acct/gw/compat/v1", "/v1/v1"]) {
    const { data } = await clientOf(handler, path).embeddings.create({ model: "demo/embed", input: "Hello" });
    assertEquals(data[0].embedding.length, 64, path);
  }
  const rest = clientOf(handler, "/client/v4/accounts/acct/ai/v1");
  assertEquals((await rest.embeddings.create({ model: "demo/embed", input: "Hello" })).data.length, 1);
});

Deno.test("the demo's embeddings are equal for equal texts, near for similar texts, and as long as requested", async () => {
  const { embeddings } = clientOf(handler);
  const input = [
    "the cat sat on the mat",
    "a cat sat on a mat",
    "quarterly revenue grew",
    "the cat sat on the mat",
  ];
  const { data, usage } = await embeddings.create({ model: "demo/embed", input, dimensions: 512 });
  const [cat, alike, other, again] = data.map(({ embedding }) => [...embedding]);
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, at) => sum + x * b[at], 0);
  assertEquals([cat.length, cat], [512, again]);
  assertAlmostEquals(dot(cat, cat), 1, 1e-6);
  assert(dot(cat, alike) > dot(cat, other) + 0.2);
  assertEquals(usage.prompt_tokens, usage.total_tokens);
  const tokens = await embeddings.create({ model: "demo/embed", input: [[1, 2, 3], [4]] });
  assertEquals([tokens.data.length, tokens.usage.total_tokens], [2, 4]);
  const fails = await assertRejects(
    () => embeddings.create({ model: "demo/status-429", input: "x" }),
    OpenAI.RateLimitError,
  );
  assertEquals(fails.code, "rate_limit_exceeded");
  await assertRejects(() => embeddings.create({ model: "demo/echo", input: "x" }), OpenAI.NotFoundError);
});

Deno.test("embeddings fall back to the next model, also of another provider", async () => {
  const { fetch } = before((sent) =>
    sent.url.includes("openai.com")
      ? Response.json({ error: { message: "busy" } }, { status: 503 })
      : answerStrictly(sent)
  );
  const { embeddings } = clientOf(fetch);
  const fallback = { headers: { "sluice-fallback": "cohere/embed-v4.0" } };
  const { data } = await embeddings.create({ model: "openai/m", input: TEXTS }, fallback);
  assertEquals(data.map(({ embedding }) => embedding[0]), [1, 3, 2]);
});

Deno.test("an added row has the embeddings of its wire", async () => {
  const sent: string[] = [];
  const gateway = createGateway({
    providers: {
      mine: { baseUrl: "https://mine.test/api", chatPath: "/v9/chat/completions" },
      yours: { baseUrl: "https://yours.test", wire: "cohere" },
      theirs: { baseUrl: "https://theirs.test", wire: "anthropic" },
    },
    fetch(url) {
      sent.push(url);
      return Promise.resolve(
        Response.json({ object: "list", data: [{ index: 0, embedding: [1] }], embeddings: { float: [[1]] } }),
      );
    },
  });
  const { embeddings } = clientOf(gateway.fetch);
  await embeddings.create({ model: "mine/m", input: "x" });
  await embeddings.create({ model: "yours/m", input: "x" });
  const fault = await assertRejects(
    () => embeddings.create({ model: "theirs/m", input: "x" }),
    OpenAI.BadRequestError,
  );
  assertEquals(fault.message, '400 Cannot route model "theirs/m": theirs has no embeddings here');
  assertEquals(sent, ["https://mine.test/api/v9/embeddings", "https://yours.test/v2/embed"]);
});
