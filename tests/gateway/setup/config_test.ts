import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import { ask, before, completion, message, post, ROOT } from "../../fakes.ts";

/** The error message for faulty options. */
function complaint(options: unknown): string {
  return assertThrows(() => createGateway(options as Options), TypeError).message;
}

Deno.test("createGateway() names the option at fault", () => {
  const row = (fields: object) => ({ providers: { mine: { baseUrl: "https://mine.test", ...fields } } });
  const faults: [string, unknown][] = [
    ["(root)", null],
    ["(root)", "x"],
    ["fetch", { fetch: "x" }],
    ["nonsense", { nonsense: 1 }],
    ["strict", { strict: "yes" }],
    ["origins", { origins: "https://app.example" }],
    ["origins.0", { origins: ["https://app.example/"] }],
    ["origins.1", { origins: ["*", "app.example"] }],
    ["limits.maxBodyBytes", { limits: { maxBodyBytes: 0 } }],
    ["limits.maxBodyBytes", { limits: { maxBodyBytes: 1.5 } }],
    ["limits.maxBytes", { limits: { maxBytes: 1 } }],
    ["now", { now: 5 }],
    ["log", { log: true }],
    ["providers", { providers: "x" }],
    ["providers.mine.baseUrl", { providers: { mine: {} } }],
    ["providers.mine.baseUrl", row({ baseUrl: "http://mine.test" })],
    ["providers.mine.wire", row({ wire: "constructor" })],
    ["providers.mine.headers.x", row({ headers: { x: 5 } })],
    ["providers.mine.headers", row({ headers: { x: "a\r\nb" } })],
    ["providers.mine.auth.header", row({ auth: { header: "a b", prefix: "" } })],
    ["providers.mine.auth.prefix", row({ auth: { header: "x-key", prefix: "Bearer\n" } })],
    ["providers.mine.chatPath", row({ chatPath: "chat" })],
    ["providers.mine.drop", row({ drop: "seed" })],
    ["providers.mine.key", row({ key: "sk-1" })],
    // A row with such a name could not be reached.
    ["providers.a/b", { providers: { "a/b": { baseUrl: "https://mine.test" } } }],
    ["providers.", { providers: { "": { baseUrl: "https://mine.test" } } }],
    ["providers.compat", { providers: { compat: { baseUrl: "https://mine.test" } } }],
  ];
  for (const [option, options] of faults) {
    const message = complaint(options);
    assert(message.startsWith(`Cannot use option ${option}: `), `${option}: ${message}`);
  }
});

Deno.test("createGateway() says in words what an option must be", () => {
  const row = (fields: object) => ({ providers: { mine: { baseUrl: "https://mine.test", ...fields } } });
  const faults: [string, unknown][] = [
    ["(root): it must be an object", 5],
    ["nope: it is not known", { nope: 1 }],
    ["fetch: it must be a function", { fetch: "x" }],
    ["strict: it must be true or false", { strict: "yes" }],
    ["account: it must be a text", { account: 1 }],
    ["account: it must not be empty", { account: "" }],
    ["origins: it must be a list", { origins: "https://app.example" }],
    ["limits.maxBodyBytes: it must be a number", { limits: { maxBodyBytes: "1" } }],
    ["limits.maxBodyBytes: it must be at least 1", { limits: { maxBodyBytes: 0 } }],
    ["limits.maxBodyBytes: it must be a whole number", { limits: { maxBodyBytes: 1.5 } }],
    ["retries.maxAttempts: it must be at most 5", { retries: { maxAttempts: 9 } }],
    ['retries.backoff: it must be "constant" or "linear" or "exponential"', { retries: { backoff: "x" } }],
    ["requestTimeoutMs: it must be a whole number", { requestTimeoutMs: true }],
    ["keys.openai: it must be keys, or keys by alias", { keys: { openai: 5 } }],
    ["keys.openai: it must not be empty", { keys: { openai: [] } }],
    ["providers.mine.auth.header: it must be a header's name", row({ auth: { header: "a b", prefix: "" } })],
    ["providers.mine.chatPath: it must begin with /", row({ chatPath: "chat" })],
  ];
  for (const [says, options] of faults) assertEquals(complaint(options), `Cannot use option ${says}`);
});

Deno.test("createGateway() refuses a base URL that no path can be appended to", async () => {
  const bad = [
    "",
    "mine.test",
    "//mine.test",
    "ftp://mine.test",
    "https://",
    "https:///x",
    "https://mine.test?x=1",
  ];
  bad.push(
    "https://mine.test#x",
    "https://mine test",
    "https://mine.test/a b",
    "https://[",
    "https://mine.test:x",
  );
  bad.push(
    "https://user:secret@mine.test",
    "https://user@mine.test",
    " https://mine.test",
    "https://mine.test\n",
  );
  for (const baseUrl of bad) {
    const message = complaint({ providers: { openai: { baseUrl } } });
    assert(message.startsWith("Cannot use option providers.openai.baseUrl: "), message);
    assert(!message.includes("secret"), message);
  }
  const good = [
    "https://mine.test/v1",
    "https://mine.test/v1///",
    "http://127.0.0.1:1/v1",
    "https://[::1]:8080/v1",
  ];
  for (const baseUrl of good) {
    const { fetch, sent } = before(() => completion(), { providers: { openai: { baseUrl } } });
    await (await fetch(ask("openai/m"))).text();
    assertEquals(sent[0].url, `${baseUrl.replace(/\/+$/, "")}/chat/completions`);
  }
});

Deno.test("an option that is undefined counts as absent", async () => {
  const nothing = {
    baseUrl: undefined,
    wire: undefined,
    headers: undefined,
    auth: undefined,
    chatPath: undefined,
    conform: undefined,
    drop: undefined,
    rename: undefined,
  };
  const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? message() : completion(), {
    providers: { openai: nothing, anthropic: nothing },
    limits: undefined,
    strict: undefined,
    origins: undefined,
    now: undefined,
    random: undefined,
    log: undefined,
  });
  for (const model of ["openai/m", "anthropic/claude-sonnet-4-5"]) {
    assertEquals((await fetch(ask(model, { authorization: "Bearer sk-1" }))).status, 200);
  }
  assertEquals(sent.map(({ url }) => url), [
    "https://api.openai.com/v1/chat/completions",
    "https://api.anthropic.com/v1/messages",
  ]);
});

Deno.test("an operator's own row speaks its wire, under its own name and as custom-…", async () => {
  const { fetch, sent } = before(
    ({ url }) => url.includes("/v1/messages") ? message("claude") : completion("gpt"),
    {
      providers: {
        mine: {
          baseUrl: "https://mine.test/v1",
          headers: { "x-team": "a" },
          auth: { header: "x-mine", prefix: "Key " },
        },
        theirs: { baseUrl: "https://theirs.test", wire: "anthropic" },
      },
    },
  );
  const said = async (model: string, headers = {}) => {
    const response = await fetch(ask(model, { authorization: "Bearer sk-1", ...headers }));
    return (await response.json()).choices[0].message.content;
  };
  assertEquals(await said("mine/m"), "gpt");
  assertEquals(await said("custom-mine/m", { "x-team": "b" }), "gpt");
  assertEquals(await said("theirs/m"), "claude");
  assertEquals(sent.map(({ url }) => url), [
    "https://mine.test/v1/chat/completions",
    "https://mine.test/v1/chat/completions",
    "https://theirs.test/v1/messages",
  ]);
  assertEquals(sent.map(({ headers }) => headers.get("x-team")), ["a", "a", null], "the operator's wins");
  assertEquals(sent[0].headers.get("x-mine"), "Key sk-1");
  assertEquals(sent[0].headers.get("authorization"), null);
});

Deno.test("an operator's own row takes its key as the wire's author does, unless it sets auth", async () => {
  const at = { baseUrl: "https://mine.test" };
  const usual = {
    openai: ["authorization", "Bearer sk-1"],
    anthropic: ["x-api-key", "sk-1"],
    gemini: ["x-goog-api-key", "sk-1"],
    cohere: ["authorization", "Bearer sk-1"],
    perplexity: ["authorization", "Bearer sk-1"],
  } as const;
  for (const [wire, [header, value]] of Object.entries(usual)) {
    const { fetch, sent } = before(() => completion(), {
      providers: { mine: { ...at, wire: wire as keyof typeof usual } },
    });
    await (await fetch(ask("mine/m", { authorization: "Bearer sk-1" }))).text();
    const keys = ["authorization", "x-api-key", "x-goog-api-key"].map((
      name,
    ) => [name, sent[0].headers.get(name)]);
    assertEquals(keys.filter(([, value]) => value !== null), [[header, value]], wire);
  }
  const auth = { header: "authorization", prefix: "Bearer " };
  const { fetch, sent } = before(() => message(), {
    providers: { mine: { ...at, wire: "anthropic", auth } },
  });
  await (await fetch(ask("mine/m", { "x-api-key": "sk-1" }))).text();
  assertEquals(sent[0].headers.get("authorization"), "Bearer sk-1");
  assertEquals(sent[0].headers.get("x-api-key"), null);
});

Deno.test("a row can be changed under its alias too", async () => {
  const { fetch, sent } = before(() => completion(), {
    providers: { xai: { baseUrl: "https://mine.test" } },
  });
  await (await fetch(ask("grok/m"))).text();
  await (await fetch(ask("xai/m"))).text();
  assertEquals(sent.map(({ url }) => new URL(url).host), ["mine.test", "mine.test"]);
});

Deno.test("gateways do not share what was set for one of them", async () => {
  before(() => completion(), { providers: { openai: { baseUrl: "https://mine.test" } } });
  const { fetch, sent } = before(() => completion());
  await (await fetch(ask("openai/m"))).text();
  assertEquals(new URL(sent[0].url).host, "api.openai.com");
});

Deno.test("clock and randomness are the ones that were given", async () => {
  const options = { now: () => 1_700_000_000_999, random: () => 0.5 };
  const ids = new Set();
  for (let round = 0; round < 2; round++) {
    const { fetch } = before(() => Response.json({ content: [], stop_reason: "end_turn" }), options);
    const { id, created } = await (await fetch(ask("anthropic/claude-sonnet-4-5"))).json();
    assertEquals(created, 1_700_000_000);
    assert(/^chatcmpl-[a-z0-9]{11}$/.test(id), id);
    ids.add(id);
  }
  assertEquals(ids.size, 1);
});

// ---------------------------------------------------------------- options without effect are refused

const MINE = { baseUrl: "https://mine.test" };

Deno.test("two names of one provider are refused: one of them would win silently", () => {
  const faults: [Options, string][] = [
    [
      { providers: { gemini: {}, google: {} } },
      "providers.google: it is the same provider as providers.gemini",
    ],
    [
      { providers: { "google-ai-studio": {}, openai: {}, google: {} } },
      "providers.google: it is the same provider",
    ],
    [{ providers: { grok: {}, xai: {} } }, "providers.xai: it is the same provider as providers.grok"],
    [
      { providers: { mine: MINE, "custom-mine": MINE } },
      "providers.custom-mine: it is the same provider as providers.mine",
    ],
    [
      { providers: { "custom-mine": MINE, mine: MINE } },
      "providers.mine: it is the same provider as providers.custom-mine",
    ],
    [
      { keys: { gemini: "k1", google: "k2" } },
      "keys.google: google-ai-studio has keys under another of its names",
    ],
    [
      { providers: { mine: MINE }, keys: { mine: "k1", "custom-mine": "k2" } },
      "keys.custom-mine: mine has keys",
    ],
  ];
  for (const [options, says] of faults) {
    const message = complaint(options);
    assert(message.startsWith(`Cannot use option ${says}`), message);
  }
  createGateway({
    providers: { mine: MINE, "custom-openai": MINE, openai: {} },
    keys: { mine: "k", openai: "k" },
  });
});

Deno.test("fields to drop and rename are those of a chat request; the error for a misspelt one suggests the nearest", () => {
  const faults: [object, string][] = [
    [{ drop: ["temprature"] }, 'drop.0: it is not a field of a chat request; did you mean "temperature"?'],
    [{ drop: ["seed", "top-p"] }, 'drop.1: it is not a field of a chat request; did you mean "top_p"?'],
    [{ drop: ["Seed"] }, 'drop.0: it is not a field of a chat request; did you mean "seed"?'],
    [{ drop: ["max_token"] }, 'drop.0: it is not a field of a chat request; did you mean "max_tokens"?'],
    [{ drop: ["nonsense"] }, "drop.0: it is not a field of a chat request"],
    [{ drop: ["constructor"] }, "drop.0: it is not a field of a chat request"],
    [{ drop: ["messages"] }, "drop.0: it is not a field of a chat request"],
    [{ drop: [5] }, "drop.0: it must be a text"],
    [
      { rename: { max_completion_token: "x" } },
      'rename.max_completion_token: it is not a field of a chat request; did you mean "max_completion_tokens"?',
    ],
    [{ rename: { seed: "" } }, "rename.seed: it must be a field's name"],
    [{ rename: { seed: "a b" } }, "rename.seed: it must be a field's name"],
    [{ rename: { seed: 5 } }, "rename.seed: it must be a text"],
  ];
  for (const [columns, says] of faults) {
    for (const wire of [undefined, "openai"]) {
      const message = complaint({ providers: { mine: { ...MINE, wire, ...columns } } });
      assertEquals(message, `Cannot use option providers.mine.${says}`);
    }
  }
  const drop = ["seed", "top_k", "reasoning", "chat_template_kwargs"] as const;
  createGateway({ providers: { mine: { ...MINE, drop, rename: { max_tokens: "max_output_tokens" } } } });
});

Deno.test("columns without effect on a row's wire are refused, for the table's rows and an operator's own", () => {
  for (const columns of [{ rename: { seed: "random_seed" } }, { chatPath: "/chat" }, { conform: true }]) {
    const [column] = Object.keys(columns);
    const rows = [
      ...["anthropic", "gemini", "cohere", "perplexity"].map((wire) => ({
        mine: { ...MINE, wire, ...columns },
      })),
      { anthropic: columns },
      { gemini: columns },
      { openai: { wire: "anthropic", ...columns } },
    ];
    for (const providers of rows) {
      const [name] = Object.keys(providers);
      const message = complaint({ providers });
      assert(
        message.startsWith(
          `Cannot use option providers.${name}.${column}: it is for providers of the wire openai`,
        ),
      );
    }
    createGateway({
      providers: { mine: { ...MINE, ...columns }, groq: columns, anthropic: { wire: "openai", ...columns } },
    });
  }
});

Deno.test("drop works on rows of every wire, and names the fields; strict refuses them", async () => {
  const body = { top_p: 0.5, stop: ["x"], temperature: 0.2, seed: null };
  for (const wire of ["openai", "anthropic", "gemini", "cohere", "perplexity"] as const) {
    const providers = { mine: { ...MINE, wire, drop: ["top_p", "stop", "seed"] as const } };
    const { fetch, sent } = before(() => wire === "anthropic" ? message() : completion(), { providers });
    const response = await fetch(ask("mine/m", {}, body));
    assertEquals(response.headers.get("sluice-dropped"), "top_p, stop", wire);
    assert(!/0\.5|"x"/.test(sent[0].body), sent[0].body);
    assert(sent[0].body.includes("0.2"), sent[0].body);
    const strict = await fetch(ask("mine/m", { "sluice-strict": "true" }, body));
    assertEquals([strict.status, (await strict.json()).error.param, sent.length], [400, "top_p", 1]);
    // A fallback has a body of its own.
    const chain = before(
      ({ url }) => url.includes("mine") ? new Response("{}", { status: 500 }) : completion(),
      {
        providers,
      },
    );
    await chain.fetch(ask("mine/m", {}, { ...body, models: ["openai/m"] }));
    assertEquals(JSON.parse(chain.sent[1].body).top_p, 0.5);
  }
});

Deno.test("a row that is set to another wire loses its columns for OpenAI's format", async () => {
  const { fetch, sent } = before(() => message(), { providers: { mistral: { wire: "anthropic" } } });
  const response = await fetch(ask("mistral/m", {}, { user: "u1", max_completion_tokens: 5 }));
  assertEquals([sent[0].url, response.headers.get("sluice-dropped")], [
    "https://api.mistral.ai/v1/messages",
    null,
  ]);
  assertEquals(JSON.parse(sent[0].body).metadata, { user_id: "u1" });
  const same = before(() => completion(), { providers: { mistral: { wire: "openai" } } });
  await same.fetch(ask("mistral/m", {}, { max_completion_tokens: 5 }));
  assertEquals(JSON.parse(same.sent[0].body).max_tokens, 5);
});

// ---------------------------------------------------------------- guards of keys

Deno.test("an operator's own row needs https, or an address on this machine, unless allowHttp is set", () => {
  const bad = [
    "http://mine.test",
    "http://mine.test/https:",
    "http://evil.test/https://mine.test",
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "http://evil.test/http://127.0.0.1/",
    "http://10.0.0.1",
    "http://[::2]",
  ];
  for (const baseUrl of bad) {
    assertEquals(
      complaint({ providers: { mine: { baseUrl } } }),
      "Cannot use option providers.mine.baseUrl: it must be https unless allowHttp is set",
    );
    createGateway({ providers: { mine: { baseUrl } }, allowHttp: true });
  }
  for (
    const baseUrl of [
      "https://mine.test",
      "http://127.0.0.1:1",
      "http://localhost/v1",
      "http://[::1]:8080",
      "http://127.0.0.1",
    ]
  ) {
    createGateway({ providers: { mine: { baseUrl } } });
  }
});

Deno.test("an operator's headers win over the client's at every door, in any letter case, and the row's own stay", async () => {
  const fixed = {
    "OpenAI-Organization": "org-operator",
    "x-internal-auth": "operator-secret",
    "anthropic-beta": "b-operator",
  };
  const providers = {
    openai: { headers: fixed },
    anthropic: { headers: fixed },
    mine: { ...MINE, wire: "anthropic" as const, headers: fixed },
  };
  const { fetch, sent } = before(({ url }) => url.includes("openai") ? completion() : message(), {
    providers,
  });
  const client = {
    "openai-organization": "org-attacker",
    "x-internal-auth": "attacker",
    "anthropic-beta": "b-attacker",
    "x-own": "1",
  };
  const requests = [
    ask("openai/m", client),
    ask("anthropic/m", client),
    ask("mine/m", client),
    ...["openai", "anthropic", "mine"].flatMap((provider) => [
      post(`${ROOT}/${provider}/v1/x`, {}, client),
      post(ROOT, { provider, endpoint: "v1/x", headers: client, query: {} }),
      post(ROOT, { provider, endpoint: "v1/x", headers: { ...client, connection: undefined }, query: {} }),
    ]),
    post(`${ROOT}/openai/x`, {}, { ...client, connection: "x-internal-auth, openai-organization" }),
  ];
  for (const request of requests) {
    assertEquals((await fetch(request)).status, 200);
    const { headers, url } = sent.at(-1)!;
    for (const [name, value] of Object.entries(fixed)) {
      assertEquals(headers.get(name), value, `${url} ${name}`);
    }
    assertEquals(headers.get("x-own"), "1");
    assertEquals(
      headers.get("anthropic-version"),
      url.includes("openai") || url.includes("mine.test/v1/x") ? null : "2023-06-01",
    );
  }
  // The row's own headers are defaults, so the client's win over them.
  await fetch(ask("anthropic/m", { "anthropic-version": "2024-01-01" }));
  assertEquals(sent.at(-1)!.headers.get("anthropic-version"), "2024-01-01");
});

Deno.test("a header for keys that the operator sets carries neither the client's key nor a stored one", async () => {
  const providers = {
    openai: { headers: { Authorization: "Bearer operator" } },
    anthropic: { headers: { "x-api-key": "operator" } },
  };
  const options = { providers, tokens: ["t"], keys: { openai: "stored", anthropic: "stored" } };
  const { fetch, sent } = before(({ url }) => url.includes("openai") ? completion() : message(), options);
  for (
    const own of [{}, { authorization: "Bearer mine" }, { "x-api-key": "mine" }] as Record<string, string>[]
  ) {
    const headers = { ...own, "cf-aig-authorization": "t" };
    for (const request of [ask("openai/m", headers), post(`${ROOT}/openai/x`, {}, headers)]) {
      await fetch(request);
      assertEquals(sent.at(-1)!.headers.get("authorization"), "Bearer operator");
    }
    for (const request of [ask("anthropic/m", headers), post(`${ROOT}/anthropic/v1/x`, {}, headers)]) {
      await fetch(request);
      assertEquals(sent.at(-1)!.headers.get("x-api-key"), "operator");
    }
  }
});

Deno.test("the request for a list of models has the operator's headers", async () => {
  const providers = { openai: { headers: { "OpenAI-Organization": "org" } } };
  const { fetch, sent } = before(() => Response.json({ data: [] }), {
    providers,
    tokens: ["t"],
    keys: { openai: "k" },
  });
  await (await fetch(new Request(`${ROOT}/compat/models`, { headers: { authorization: "Bearer t" } })))
    .text();
  assertEquals(sent[0].headers.get("openai-organization"), "org");
});

Deno.test("options of a row without effect, or by which something would be lost, are refused at start", () => {
  const mine = (fields: object) => ({ mine: { baseUrl: "https://mine.test", ...fields } });
  const faults: [string, object][] = [
    ...["aws-bedrock"].flatMap((name): [string, object][] => [
      [`${name}.rename`, { [name]: { rename: { max_tokens: "most" } } }],
      [`${name}.chatPath`, { [name]: { chatPath: "/x" } }],
      [`${name}.region`, { [name]: { region: "evil.test" } }],
    ]),
    ["openai.region", { openai: { region: "us-east-1" } }],
    ["openai.project", { openai: { project: "p" } }],
    ["openai.location", { openai: { location: "eu" } }],
    ["vertex.location", { vertex: { location: "evil.test" } }],
    ["vertex.project", { vertex: { project: "p/../q" } }],
    ...["fal", "replicate"].flatMap((
      name,
    ): [string, object][] => [
      [`${name}.drop`, { [name]: { drop: ["top_p"] } }],
      [`${name}.rename`, { [name]: { rename: { max_tokens: "most" } } }],
      [`${name}.chatPath`, { [name]: { chatPath: "/x" } }],
      [`${name}.conform`, { [name]: { conform: true } }],
      [`${name}.wire`, { [name]: { wire: "anthropic" } }],
    ]),
    ["openai.apiVersion", { openai: { apiVersion: "v1" } }],
    ["mine.apiVersion", mine({ apiVersion: "v1" })],
    ["azure.apiVersion", { azure: { apiVersion: "2025-13-01" } }],
    ["azure.resource", { azure: { resource: "evil.test#" } }],
    ["openai.resource", { openai: { resource: "r" } }],
    ["demo.baseUrl", { demo: { baseUrl: "https://x.test" } }],
    ["demo.headers", { demo: { headers: { "x-a": "1" } } }],
    ["demo.auth", { demo: { auth: { header: "x-a", prefix: "" } } }],
    ["mine.rename.top_p", mine({ drop: ["top_p"], rename: { top_p: "p" } })],
    ["mine.rename.top_p", mine({ rename: { top_p: "messages" } })],
    ["mine.rename.seed", mine({ rename: { seed: "model" } })],
    ["mine.rename.seed", mine({ rename: { top_p: "p", seed: "p" } })],
    ["mine.headers", mine({ headers: { "X-A": "1", "x-a": "2" } })],
    ["mine.headers", mine({ headers: { "Content-Length": "5" } })],
    ["mine.headers", mine({ headers: { "transfer-encoding": "chunked" } })],
    ["mine.auth.header", mine({ auth: { header: "Connection", prefix: "" } })],
    ["mine.baseUrl", mine({ baseUrl: "https://mine.test/{accounts}" })],
    ["mine.baseUrl", mine({ baseUrl: "https://mine.test/{toString}" })],
    ["mine.baseUrl", mine({ baseUrl: "https://mine.test/{account" })],
    ["OpenAI", { OpenAI: { baseUrl: "https://x.test" } }],
    ["..", { "..": { baseUrl: "https://x.test" } }],
    [".mine", { ".mine": { baseUrl: "https://x.test" } }],
  ];
  for (const [option, providers] of faults) {
    const message = complaint({ providers });
    assert(message.startsWith(`Cannot use option providers.${option}: `), `${option}: ${message}`);
  }
  createGateway({
    providers: {
      mine: {
        baseUrl: "https://mine.test/{account}",
        drop: ["top_p"],
        rename: { seed: "random_seed", temperature: "top_k" },
        headers: { "X-A": "1", "x-b": "2" },
      },
      "aws-bedrock": { baseUrl: "https://bedrock.{region}.test", headers: { "x-a": "1" } },
      demo: { drop: ["top_p"] },
    },
  });
});

Deno.test("a stored key must be a key, not a placeholder, a key with its scheme or an empty list of aliases", () => {
  for (const key of ["undefined", "null", "Bearer sk-a", "token sk-a"]) {
    for (const keys of [key, [key], { default: key }, { default: ["sk-b", key] }]) {
      const message = complaint({ keys: { openai: keys } });
      assert(message.startsWith("Cannot use option keys.openai"), message);
      assertEquals(message.includes("sk-"), false);
    }
  }
  assert(complaint({ keys: { openai: {} } }).includes("must hold a key"));
});
