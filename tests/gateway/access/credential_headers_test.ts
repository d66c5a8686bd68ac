import { assertEquals } from "@std/assert";
import { ask, before, completion, message, post, refusal, ROOT, type Sent } from "../../fakes.ts";

/** Headers with credentials. Those of front proxies, such as `x-auth-token`, are missing: no provider gets them at all. */
const CREDENTIALS = `
x-amz-security-token x-goog-iam-authorization-token x-goog-iam-authority-selector helicone-auth x-portkey-virtual-key
x-portkey-api-key x-portkey-config x-portkey-aws-secret-access-key x-litellm-api-key x-bf-vk
x-authorization x-authentication x-authz x-api-token x-apitoken x-openai-key x-openai-api-key x-ms-authorization-auxiliary
x-private-key x-my-credentials x-amz-signature x-signature x-hub-signature-256 x-sig x-user-secret-key my-token
openai-ephemeral-key x_custom_token x-deepl-auth-key x-sas x-pat x-user-cookie`.trim().split(/\s+/);

/** Documented headers without credentials, and headers that only look like credentials. Anthropic's own are missing: no other provider gets them. */
const OTHERS = `
idempotency-key x-idempotency-key x-cache-key x-prompt-cache-key openai-beta
openai-organization openai-project x-stainless-lang x-stainless-retry-count x-stainless-timeout x-session-id
x-max-tokens x-author x-keyword x-monkey x-signal x-path x-client-request-id user-agent
x-amzn-bedrock-trace http-referer x-title x-goog-user-project x-goog-api-client x-ms-client-request-id
x-openwebui-chat-id accept-language`.trim().split(/\s+/);

const filled = (names: string[]) => Object.fromEntries(names.map((name) => [name, `value-of-${name}`]));
const all: Record<string, string> = {
  ...filled([...CREDENTIALS, ...OTHERS]),
  "x-mine": "Bearer mine",
  "x-stainless-timeout": "600",
};

const provider = ({ url }: Sent) => new URL(url).host;
const got = ({ headers }: Sent) => Object.keys(all).filter((name) => headers.get(name) === all[name]).sort();
const everything = Object.keys(all).sort();
const harmless = [...OTHERS].sort();

Deno.test("a client's credentials go to the first target's provider only, whatever header they are in", async () => {
  for (
    const [headers, body] of [
      [{ "sluice-fallback": "openai/b, anthropic/c, groq/d, openai/e" }, {}],
      [{}, { models: ["openai/b", "anthropic/c", "groq/d", "openai/e"] }],
      [{ "cf-aig-max-attempts": "1" }, { models: ["openai/b", "anthropic/c", "groq/d", "openai/e"] }],
    ] as [Record<string, string>, object][]
  ) {
    const { fetch, sent } = before(() => refusal(400));
    await fetch(ask("openai/a", { ...all, ...headers }, body));
    assertEquals(sent.map((one) => [provider(one), got(one)]), [
      ["api.openai.com", everything],
      ["api.openai.com", everything],
      ["api.anthropic.com", harmless],
      ["api.groq.com", harmless],
      ["api.openai.com", everything],
    ]);
  }
});

Deno.test("a client's credentials go with a request for one target, translated or not, and on a native path", async () => {
  const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? message() : completion());
  for (
    const request of [
      ask("openai/a", all),
      ask("anthropic/a", all),
      post(`${ROOT}/openai/chat/completions`, {}, all),
    ]
  ) {
    assertEquals((await fetch(request)).status, 200);
    assertEquals(got(sent.at(-1)!), everything);
  }
});

Deno.test("a client's credentials for embeddings, completions and rerank go to the first target's provider only", async () => {
  const cases: [path: string, body: object, other: string, host: string][] = [
    ["embeddings", { model: "openai/a", input: "Hello" }, "groq/b", "api.groq.com"],
    ["embeddings", { model: "openai/a", input: ["Hello"] }, "cohere/b", "api.cohere.com"],
    ["completions", { model: "openai/a", prompt: "Hello" }, "together/b", "api.together.ai"],
    ["rerank", { model: "voyage/a", query: "a", documents: ["b"] }, "together/b", "api.together.ai"],
  ];
  for (const [path, body, other, host] of cases) {
    const { fetch, sent } = before(() => refusal(400));
    await fetch(post(`${ROOT}/compat/${path}`, body, { ...all, "sluice-fallback": other }));
    assertEquals(sent.map(got), [everything, harmless], path);
    assertEquals(provider(sent[1]), host);
  }
});

Deno.test("a step's credentials go to its own provider only", async () => {
  const { fetch, sent } = before(() => refusal(500));
  const query = { model: "openai/a", messages: [{ role: "user", content: "Hello" }] };
  const { "user-agent": _, ...headers } = all;
  await fetch(post(ROOT, [
    { provider: "openai", endpoint: "chat/completions", headers, query: {} },
    { provider: "groq", endpoint: "chat/completions", headers: { "x-own": "1" }, query: {} },
    { provider: "compat", endpoint: "chat/completions", headers, query },
    { provider: "compat", endpoint: "chat/completions", query: { ...query, model: "anthropic/b" } },
  ], all));
  const sentNames = everything.filter((name) => name !== "user-agent");
  assertEquals(sent.map((one) => [provider(one), got(one)]), [
    ["api.openai.com", sentNames],
    ["api.groq.com", []],
    ["api.openai.com", sentNames],
    ["api.anthropic.com", []],
  ]);
});
