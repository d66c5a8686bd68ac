import { assert, assertEquals } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { before, messageOf, ROOT } from "../../fakes.ts";

const TOKEN = "gateway-token";

/** The providers' answers, by the beginning of the URL. */
const LISTS: Record<string, unknown> = {
  "https://api.openai.com/v1/models": {
    object: "list",
    data: [{ id: "gpt-5", object: "model", created: 7, owned_by: "openai" }],
  },
  "https://api.anthropic.com/v1/models?limit=1000": {
    data: [{ type: "model", id: "claude-x", display_name: "X", created_at: "1970-01-01T00:00:09Z" }],
    has_more: false,
  },
  "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000": {
    models: [{ name: "models/gemini-x", displayName: "X" }],
  },
  "https://api.cohere.com/v1/models?page_size=1000&endpoint=chat": { models: [{ name: "command-x" }] },
  "https://api.together.ai/v1/models": [{ id: "org/model", created: 8, organization: "org" }],
  "https://api.cloudflare.com/client/v4/accounts/acct/ai/models/search?task=Text%20Generation&per_page=1000":
    {
      success: true,
      result: [{ id: "0b1c", name: "@cf/meta/llama" }],
    },
  "https://api.mistral.ai/v1/models": { data: "junk" },
};

const KEYS = Object.fromEntries(
  ["openai", "anthropic", "google-ai-studio", "cohere", "together", "workers-ai", "mistral"].map((name) => [
    name,
    `key-of-${name}`,
  ]),
);

async function list(
  options: Options = {},
  headers: Record<string, string> = {},
  path = "/v1/acct/gw/compat/models",
) {
  const { fetch, sent } = before(
    ({ url }) => url in LISTS ? Response.json(LISTS[url]) : new Response("?", { status: 404 }),
    options,
  );
  const response = await fetch(new Request(`http://gateway.test${path}`, { headers }));
  assertEquals(response.status, 200);
  const { object, data } = await response.json();
  assertEquals(object, "list");
  const ids: string[] = data.map(({ id }: { id: string }) => id);
  return { ids, data, asked: sent, missing: response.headers.get("sluice-missing") };
}

const trusted = { authorization: `Bearer ${TOKEN}` };
const remote = (ids: string[]) => ids.filter((id) => !id.startsWith("demo/"));

Deno.test("listModels() lists the built-in models at every door, without asking anybody", async () => {
  for (const root of ["", "/v1", "/compat", "/compat/v1", "/v1/acct/gw/compat", "/v1/acct/gw/compat/v1"]) {
    const { ids, asked } = await list({}, { authorization: "Bearer a-provider-key" }, `${root}/models`);
    assert(ids.includes("demo/echo"), root);
    assertEquals(ids.length, new Set(ids).size);
    assertEquals(asked, [], root);
  }
});

Deno.test("listModels() asks every provider that has a stored key, with it, in the form that each has", async () => {
  const { ids, data, asked, missing } = await list({ keys: KEYS, tokens: [TOKEN] }, trusted);
  assertEquals(remote(ids).sort(), [
    "anthropic/claude-x",
    "cohere/command-x",
    "google-ai-studio/gemini-x",
    "openai/gpt-5",
    "together/org/model",
    "workers-ai/@cf/meta/llama",
  ]);
  assertEquals(data.find(({ id }: { id: string }) => id === "openai/gpt-5"), {
    id: "openai/gpt-5",
    object: "model",
    created: 7,
    owned_by: "openai",
    type: "model",
    display_name: "openai/gpt-5",
    created_at: "1970-01-01T00:00:07Z",
  });
  assertEquals(data.find(({ id }: { id: string }) => id === "anthropic/claude-x").created, 9);
  const anthropic = asked.find(({ url }) => url.includes("anthropic"))!;
  assertEquals(anthropic.headers.get("x-api-key"), "key-of-anthropic");
  assertEquals(anthropic.headers.get("anthropic-version"), "2023-06-01");
  for (const { url, headers } of asked) {
    assert(![...headers].some(([, value]) => value.includes(TOKEN)), url);
  }
  // Junk in place of a list counts as an empty list.
  assertEquals(missing, null);
});

Deno.test("listModels() uses no stored key for a caller that may not use stored keys", async () => {
  const open = { keys: KEYS, tokens: [TOKEN], tokenRequired: false };
  assertEquals((await list(open)).asked, []);
  const limited = { keys: KEYS, tokens: [{ token: TOKEN, providers: ["openai"] }] };
  assertEquals((await list(limited, trusted)).asked.map(({ url }) => url), [
    "https://api.openai.com/v1/models",
  ]);
});

Deno.test("listModels() answers without those who fail or take too long, and names them", async () => {
  const logged: string[] = [];
  const { ids, missing } = await list({
    keys: { openai: "a", groq: "b", mistral: "c", cohere: "d" },
    tokens: [TOKEN],
    // The deadline comes when the others have answered.
    wait: () => new Promise((resolve) => setTimeout(resolve, 20)),
    log: (entry) => void logged.push(messageOf(entry)!),
    fetch(url, { signal }) {
      if (url.includes("openai.com")) return Promise.resolve(Response.json(LISTS[url]));
      if (url.includes("groq")) return Promise.resolve(new Response("no", { status: 401 }));
      if (url.includes("mistral")) return Promise.reject(new TypeError("refused"));
      return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
    },
  }, trusted);
  assertEquals(remote(ids), ["openai/gpt-5"]);
  assertEquals(missing, "cohere, groq, mistral");
  assertEquals(logged, [
    "Cannot list the models of cohere (upstream_timeout), groq (bad_upstream_answer), mistral (upstream_unreachable)",
  ]);
});

Deno.test("listModels() is for reading only", async () => {
  const response = await createGateway().fetch(
    new Request("http://gateway.test/v1/models", { method: "POST" }),
  );
  assertEquals(response.status, 405);
  assertEquals(response.headers.get("allow"), "GET, HEAD, OPTIONS");
});

Deno.test("listModels() takes `models/` off the start of an id and nowhere else", async () => {
  const { call } = createGateway({
    keys: { fireworks: "key-of-fireworks" },
    fetch: () =>
      Promise.resolve(Response.json({ data: [{ id: "accounts/x/models/y" }, { id: "models/z" }] })),
  });
  const { data } = await (await call(new Request("http://gateway.test/v1/models"))).json();
  const ids = data.map(({ id }: { id: string }) => id);
  assertEquals(ids.filter((id: string) => !id.startsWith("demo/")), [
    "fireworks/accounts/x/models/y",
    "fireworks/z",
  ]);
});

Deno.test("listModels() asks for JSON, and rests a stored key that is refused there", async () => {
  const { fetch, sent } = before(
    ({ headers }) =>
      headers.get("authorization") === "Bearer good"
        ? Response.json({ data: [] })
        : new Response("no", { status: 401 }),
    { keys: { openai: ["bad", "good"] }, tokens: [TOKEN] },
  );
  for (let time = 0; time < 3; time++) {
    await (await fetch(new Request("http://gateway.test/v1/models", { headers: trusted }))).text();
  }
  assertEquals(sent.map(({ headers }) => headers.get("authorization")), [
    "Bearer bad",
    "Bearer good",
    "Bearer good",
  ]);
  assertEquals(sent.map(({ headers }) => headers.get("accept")), Array(3).fill("application/json"));
});

Deno.test("listModels() cancels the body of an error, and names a provider that needs an account", async () => {
  const logged: string[] = [];
  let cancelled = 0;
  const { fetch } = before(
    () => new Response(new ReadableStream({ cancel: () => void cancelled++ }), { status: 500 }),
    {
      keys: { "groq": "a", "workers-ai": "b" },
      tokens: [TOKEN],
      log: (entry) => void logged.push(messageOf(entry)!),
    },
  );
  const response = await fetch(new Request("http://gateway.test/v1/models", { headers: trusted }));
  await response.body?.cancel();
  assertEquals(response.headers.get("sluice-missing"), "groq, workers-ai");
  assertEquals(logged, [
    "Cannot list the models of groq (bad_upstream_answer), workers-ai (invalid_request)",
  ]);
  assertEquals(cancelled, 1);
});

Deno.test("listModels() ends when its client leaves, without an error in the log", async () => {
  const levels: string[] = [];
  const leaving = new AbortController();
  const { fetch } = createGateway({
    keys: { openai: "a" },
    tokens: [TOKEN],
    log: ({ level }) => void levels.push(level),
    fetch: (_, { signal }) =>
      new Promise((_, reject) => {
        signal!.addEventListener("abort", () => reject(signal!.reason));
        leaving.abort();
      }),
  });
  const request = new Request("http://gateway.test/v1/models", { headers: trusted, signal: leaving.signal });
  assertEquals((await fetch(request)).status, 499);
  assertEquals(levels, ["warn"]);
});

Deno.test("models of providers whose keys are stored are listed for callers with a token only", async () => {
  const { fetch, sent } = before(() => Response.json({ data: [{ id: "m" }] }), {
    tokens: ["t"],
    tokenRequired: false,
    keys: { openai: "sk-stored" },
  });
  for (const headers of [{}, { authorization: "Bearer sk-own" }] as Record<string, string>[]) {
    const response = await fetch(new Request(`${ROOT}/compat/models`, { headers }));
    // The provider is not named either.
    assertEquals([response.status, response.headers.get("sluice-missing")], [200, null]);
    assertEquals((await response.text()).includes("openai"), false);
  }
  assertEquals(sent.length, 0);
});

Deno.test("listModels() gives Anthropic's shape in OpenAI's: a page with names, dates and limits", async () => {
  const answers: Record<string, unknown> = {
    "https://api.anthropic.com/v1/models?limit=1000": {
      data: [{
        type: "model",
        id: "claude-x",
        display_name: "Claude X",
        created_at: "2026-01-02T03:04:05Z",
        max_input_tokens: 1_000_000,
        max_tokens: 128_000,
      }],
    },
    "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000": {
      models: [{ name: "models/g", displayName: "G", inputTokenLimit: 5, outputTokenLimit: 6 }],
    },
    "https://openrouter.ai/api/v1/models": {
      data: [{
        id: "a/b",
        name: "B",
        created: 1e15,
        context_length: 7,
        top_provider: { max_completion_tokens: 8 },
      }],
    },
    "https://api.groq.com/openai/v1/models": {
      data: [{ id: "l", created: -5, owned_by: 7, context_window: 9, max_completion_tokens: "10" }],
    },
  };
  const { fetch } = before(({ url }) => Response.json(answers[url]), {
    tokens: [TOKEN],
    keys: { anthropic: "a", "google-ai-studio": "b", openrouter: "c", groq: "d" },
  });
  const headers = { "x-api-key": TOKEN, "anthropic-version": "2023-06-01" };
  const response = await fetch(new Request("http://gateway.test/v1/models?limit=1000", { headers }));
  const { data, ...page } = await response.json();
  assertEquals(page, { object: "list", has_more: false, first_id: data[0].id, last_id: data.at(-1).id });
  const since = { created: 0, created_at: "1970-01-01T00:00:00Z" };
  const model = { object: "model", type: "model" };
  assertEquals(data.filter(({ owned_by }: { owned_by: string }) => owned_by !== "sluice"), [
    {
      ...model,
      id: "anthropic/claude-x",
      created: 1767323045,
      owned_by: "anthropic",
      display_name: "Claude X",
      created_at: "2026-01-02T03:04:05Z",
      max_input_tokens: 1_000_000,
      max_tokens: 128_000,
    },
    {
      ...model,
      ...since,
      id: "google-ai-studio/g",
      owned_by: "google-ai-studio",
      display_name: "G",
      max_input_tokens: 5,
      max_tokens: 6,
    },
    {
      ...model,
      ...since,
      id: "openrouter/a/b",
      owned_by: "openrouter",
      display_name: "B",
      max_input_tokens: 7,
      max_tokens: 8,
    },
    { ...model, ...since, id: "groq/l", owned_by: "groq", display_name: "groq/l", max_input_tokens: 9 },
  ]);
  for (const id of ["anthropic/claude-x", "anthropic%2Fclaude-x", "claude-x"]) {
    const one = await fetch(new Request(`http://gateway.test/v1/models/${id}`, { headers }));
    const { id: told, max_input_tokens } = await one.json();
    assertEquals([one.status, told, max_input_tokens], [200, decodeURIComponent(id), 1_000_000]);
  }
});
