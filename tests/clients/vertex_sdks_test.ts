/** The SDKs of Vertex AI at its native paths: only the base URL is changed, and the gateway signs. */
import { AnthropicVertex } from "npm:@anthropic-ai/vertex-sdk@1.1.3";
import { GoogleGenAI } from "npm:@google/genai@3.1.0";
import { assert, assertEquals } from "@std/assert";
import { account, googleCloud, tokenEndpoint } from "../acceptance/strict_vertex.ts";
import { before } from "../fakes.ts";

// deno-lint-ignore no-explicit-any -- Parts of SDKs' classes.
type Any = any;

const TOKEN = "token-of-the-gateway";
const BASE = "http://gateway.test/v1/account/default/google-vertex-ai";

/** What an SDK has in place of Google's sign-in: the gateway's token. */
const authClient: Any = {
  projectId: "my-project",
  getRequestHeaders: () => Promise.resolve(new Headers({ authorization: `Bearer ${TOKEN}` })),
};

async function room() {
  const one = await account("one");
  const endpoint = tokenEndpoint([one], Date.now);
  const gateway = before(googleCloud(endpoint), { tokens: [TOKEN], keys: { vertex: one.file as Any } });
  const fetch =
    ((input: Any, init: Any) => gateway.fetch(new Request(input, init))) as typeof globalThis.fetch;
  const calls = () => gateway.sent.filter(({ url }) => url.includes("aiplatform")).map(({ url }) => url);
  return { fetch, calls, endpoint };
}

Deno.test("@google/genai in its Vertex mode reaches Gemini through the gateway", async () => {
  const { fetch, calls, endpoint } = await room();
  const { models } = new GoogleGenAI({
    vertexai: true,
    project: "my-project",
    location: "europe-west4",
    googleAuthOptions: { authClient },
    httpOptions: { baseUrl: BASE, fetch, retryOptions: { attempts: 1 } } as Any,
  });
  const request = { model: "gemini-3.5-flash", contents: "Hi" };
  assertEquals((await models.generateContent(request)).text, "Hi");
  const chunks = await Array.fromAsync(await models.generateContentStream(request));
  assertEquals(chunks.map(({ text }) => text ?? "").join(""), "Hi");
  const place =
    "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/europe-west4/publishers/google/";
  assertEquals(calls(), [
    `${place}models/gemini-3.5-flash:generateContent`,
    `${place}models/gemini-3.5-flash:streamGenerateContent?alt=sse`,
  ]);
  assertEquals(endpoint.minted.length, 1);
});

Deno.test("@anthropic-ai/vertex-sdk reaches Claude through the gateway", async () => {
  const { fetch, calls } = await room();
  const { messages } = new AnthropicVertex({
    projectId: "my-project",
    region: "us-east5",
    baseURL: `${BASE}/v1`,
    authClient,
    maxRetries: 0,
    fetch,
  });
  const request = {
    model: "claude-sonnet-4-5@20250929",
    max_tokens: 9,
    messages: [{ role: "user" as const, content: "Hi" }],
  };
  const whole = await messages.create(request);
  assert(whole.content[0].type === "text");
  assertEquals(whole.content[0].text, "Hi");
  assertEquals(await messages.stream(request).finalText(), "Hi");
  assertEquals(calls().map((url) => /models\/(.+)$/.exec(url)![1]), [
    "claude-sonnet-4-5@20250929:rawPredict",
    "claude-sonnet-4-5@20250929:streamRawPredict",
  ]);
});
