/** Times requests: finding the door and the provider, the key, rewriting the body, and the whole way through the gateway. */
import { openaiChat } from "../wires/openai_chat/mod.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readBody } from "../gateway/upstream/body.ts";
import { readOptions } from "../gateway/setup/config.ts";
import { tokenCheck } from "../gateway/access/credentials.ts";
import { prepare } from "../gateway/upstream/prepare.ts";
import type { Exchange } from "../gateway/exchange.ts";
import { createGateway } from "../gateway/gateway.ts";
import { findRoute, pathOf } from "../gateway/doors/find_door.ts";
import { virtualKeys } from "../gateway/access/virtual_keys.ts";
import { memoryKeys } from "../gateway/stores/keys.ts";
import { clientKey } from "../gateway/upstream/client_keys.ts";
import { storedKeys } from "../gateway/upstream/send.ts";
import { findTarget } from "../gateway/targets/find_target.ts";
import { editMembers, findMembers } from "../wires/shared/json_text.ts";
import { HEADERS } from "./knocks.ts";
import { size } from "./loads.ts";
import { type Shape, SHAPES } from "./shapes.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// ---------------------------------------------------------------- routing

const doors = {
  chat: "/v1/chat/completions",
  "chat with ids": "/v1/acct/gw/compat/chat/completions",
  "a provider's own path": "/v1/acct/gw/anthropic/v1/messages",
};
for (const [name, path] of Object.entries(doors)) {
  const url = `http://127.0.0.1:8787${path}`;
  assertEquals(pathOf(url), path);
  assertEquals(findRoute("POST", path).door, path.includes("/anthropic/") ? "native" : "chat");
  const group = `routing, ${name}`;
  Deno.bench("new URL", { group, baseline: true }, () => void new URL(url).pathname);
  Deno.bench("findRoute", { group }, () => void findRoute("POST", pathOf(url)));
}

// ---------------------------------------------------------------- the provider and its key

const config = readOptions({ keys: { openai: ["sk-1", "sk-2"] } });
const models = {
  "a name": "openai/gpt-4.1-mini",
  "an alias": "xai/grok-4",
  "a bare Workers AI model": "@cf/meta/llama-3.1-8b-instruct",
};
for (const [name, model] of Object.entries(models)) {
  const { provider } = findTarget(model, config.providers);
  const group = `provider lookup, ${name}`;
  Deno.bench("Map.get", { group, baseline: true }, () => void config.providers.get(provider.name));
  Deno.bench("findTarget", { group }, () => void findTarget(model, config.providers));
}
assertThrows(() => findTarget("opnai/gpt-5-mini", config.providers), Error, "openai");
Deno.bench("findTarget, no such provider", { group: "provider lookup, a name" }, () => {
  try {
    findTarget("opnai/gpt-5-mini", config.providers);
  } catch { /* It names the nearest. */ }
});

/** The headers of a client's request. */
const SENT = { ...HEADERS, "content-type": "application/json" };

const request = new Request("http://localhost/v1/chat/completions", {
  headers: SENT,
});
const { headers, signal } = request;
const caller = await config.tokens.admit(request, undefined, true);
const exchange: Exchange = {
  config,
  headers,
  signal,
  caller,
  client: openaiChat,
  report: {
    id: "",
    account: "-",
    gateway: "default",
    tries: 0,
    retries: 0,
    listened: false,
    step: 0,
    waitedMs: 0,
    heldBytes: 0,
  },
};
const openai = config.providers.get("openai")!;
const checked = tokenCheck(
  [{ token: "token-of-ours" }],
  true,
  config.keyHeaders,
  virtualKeys(memoryKeys(), Date.now),
);
const withToken = new Request(request.url, {
  headers: { ...SENT, "cf-aig-authorization": "Bearer token-of-ours" },
});
assertEquals(clientKey(caller), "sk-bench-0123456789abcdef");
assertEquals(storedKeys(openai, exchange)?.take().key, "sk-1");
assert((await checked.admit(withToken, undefined, false)).trusted);
{
  const group = "key lookup";
  Deno.bench("Headers.get", { group, baseline: true }, () => void headers.get("authorization"));
  Deno.bench("a client's key", { group }, async () => {
    clientKey(await config.tokens.admit(request, undefined, false));
  });
  Deno.bench("a stored key", { group }, () => void storedKeys(openai, exchange)!.take());
  Deno.bench("a gateway token, hashed and compared", { group }, async () => {
    await checked.admit(withToken, undefined, false);
  });
}

// ---------------------------------------------------------------- the rewrite

const prompt = {
  role: "user",
  content: "In a few words: what is a gateway, and why would anyone want one? ",
};
const image = {
  role: "user",
  content: [{
    type: "image_url",
    image_url: { url: `data:image/png;base64,${"iVBORw0K".repeat(1_250_000)}` },
  }],
};
/** Settings that every model below takes. */
const settings = { max_tokens: 1000, stream: true };
const MODEL = "openai/gpt-4.1-mini";
const EDITS = new Map([["model", { value: '"gpt-4.1-mini"' }]]);

const edit = (text: Uint8Array<ArrayBuffer>) => editMembers(text, findMembers(text)!, EDITS);
const reparse = (text: Uint8Array) =>
  encoder.encode(JSON.stringify({ ...JSON.parse(decoder.decode(text)), model: "gpt-4.1-mini" }));

const bodies = {
  "small, model first": { model: MODEL, messages: [prompt], ...settings },
  "small, model last": { messages: [prompt], ...settings, model: MODEL },
  "with an image, model first": { model: MODEL, messages: [image], ...settings },
  "with an image, model last": { messages: [image], ...settings, model: MODEL },
};
for (const [name, body] of Object.entries(bodies)) {
  const text = encoder.encode(JSON.stringify(body));
  assert(decoder.decode(edit(text.slice())) === decoder.decode(reparse(text)), name);
  const group = `same-wire rewrite, ${name}, ${size(text.length)}`;
  Deno.bench("JSON.parse and JSON.stringify", { group, baseline: true }, () => void reparse(text));
  // The edit changes the text in place, so each run has a copy, whose cost is included.
  Deno.bench("copy, findMembers and editMembers", { group }, () => void edit(text.slice()));
}

const MODELS: Record<Shape, string> = {
  openai: MODEL,
  anthropic: "anthropic/claude-sonnet-4-5",
  gemini: "google-ai-studio/gemini-2.5-flash",
  cohere: "cohere/command-a-03-2025",
  perplexity: "perplexity-agent/sonar",
  responses: "openai/gpt-5-codex",
};
const tool = { name: "look_up", parameters: { type: "object", properties: { word: { type: "string" } } } };
for (const [shape, model] of Object.entries(MODELS)) {
  const text = encoder.encode(
    JSON.stringify({
      model,
      messages: [
        { role: "system", content: "You are a careful assistant." },
        ...Array(6).fill([
          prompt,
          { role: "assistant", content: "It stands between." },
        ]).flat(),
        prompt,
      ],
      tools: [{ type: "function", function: tool }],
      ...settings,
    }),
  );
  const ready = () => {
    const body = readBody(text.slice(), exchange.client.ruleWords);
    return prepare(body, findTarget(body.get("model"), config.providers), exchange);
  };
  const sent = ready();
  assertEquals(sent.dropped, []);
  assert((await new Response(sent.body()).text()).includes("look_up"));
  const group = `request to ${shape}, 14 messages and a tool, ${size(text.length)}`;
  Deno.bench("JSON.parse and JSON.stringify", { group, baseline: true }, () => void reparse(text));
  Deno.bench("readBody and prepare", { group }, () => void ready());
}

// ---------------------------------------------------------------- the whole way

for (const [shape, model] of Object.entries(MODELS) as [Shape, string][]) {
  const body = JSON.stringify({ model, messages: [prompt], max_tokens: 1000 });
  const answer = JSON.stringify(SHAPES[shape].whole(60));
  const fetch = () =>
    Promise.resolve(new Response(answer, { headers: { "content-type": "application/json" } }));
  const gateway = createGateway({ fetch });
  const request = () =>
    new Request("http://127.0.0.1:8787/v1/chat/completions", { method: "POST", headers: SENT, body });
  const pass = async (request: Request) => {
    const headers = new Headers(request.headers);
    headers.delete("host");
    await request.arrayBuffer();
    return new Response((await fetch()).body);
  };
  const written = await (await gateway.fetch(request())).json();
  assertEquals(written.object, "chat.completion", JSON.stringify(written));
  const group = `whole call through the gateway, ${shape}`;
  Deno.bench("a bare pass-through", { group, baseline: true }, async () => {
    await (await pass(request())).arrayBuffer();
  });
  Deno.bench("createGateway().fetch", { group }, async () => {
    await (await gateway.fetch(request())).arrayBuffer();
  });
}
