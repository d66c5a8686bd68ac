import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Options } from "../../gateway/options.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { ask, before, completion, message } from "../fakes.ts";

/** The complaint about options that are no good. */
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
    // A name that no model can be written with would be there for nothing.
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

Deno.test("createGateway() takes a base URL that something can be below, and no other", async () => {
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

Deno.test("an option that is undefined is as good as absent", async () => {
  const nothing = {
    baseUrl: undefined,
    wire: undefined,
    headers: undefined,
    auth: undefined,
    chatPath: undefined,
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

Deno.test("a row of one's own speaks its wire, under its own name and as custom-…", async () => {
  const { fetch, sent } = before(
    ({ url }) => url.includes("/v1/messages") ? message("claude") : completion("gpt"),
    {
      providers: {
        mine: {
          baseUrl: "https://mine.test/v1",
          headers: { "x-team": "a" },
          auth: { header: "x-mine", prefix: "Key " },
        },
        theirs: { baseUrl: "https://theirs.test", wire: "anthropic", chatPath: "/unused" },
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
  assertEquals(sent.map(({ headers }) => headers.get("x-team")), ["a", "b", null], "the client's own wins");
  assertEquals(sent[0].headers.get("x-mine"), "Key sk-1");
  assertEquals(sent[0].headers.get("authorization"), null);
});

Deno.test("a row of one's own takes its key as the wire's author does, unless it says otherwise", async () => {
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

Deno.test("a row is changed under its alias too", async () => {
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
