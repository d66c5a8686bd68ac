import { assert, assertEquals, assertThrows } from "@std/assert";
import { readEnv } from "../../../gateway/setup/env.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import { ask, completion } from "../../fakes.ts";

const read = (variables: Record<string, string> = {}) => readEnv((name) => variables[name]);

/** The URLs to which a gateway with this environment sends requests for a model. */
async function urlOf(model: string, variables: Record<string, string>): Promise<string> {
  let asked = "";
  const fetch = (url: string) => {
    asked = url;
    return Promise.resolve(completion());
  };
  await (await createGateway({ ...read(variables).options, fetch }).fetch(ask(model))).text();
  return asked;
}

Deno.test("readEnv() listens on loopback, port 8787, unless told otherwise", () => {
  const { port, hostname } = read();
  assertEquals([port, hostname], [8787, "127.0.0.1"]);
  const told = read({ PORT: "0", HOST: "0.0.0.0" });
  assertEquals([told.port, told.hostname], [0, "0.0.0.0"]);
  const empty = read({ PORT: "", HOST: "" });
  assertEquals([empty.port, empty.hostname], [8787, "127.0.0.1"]);
});

Deno.test("readEnv() takes a base URL for every row, and for an alias", async () => {
  for (const { name, fetch } of PROVIDERS.values()) {
    if (fetch) continue; // A built-in provider has no URL.
    const variable = `SLUICE_${name.toUpperCase().replaceAll("-", "_")}_BASE_URL`;
    const { options: { providers } } = read({ [variable]: "https://mine.test/" });
    assertEquals(providers?.[name]?.baseUrl, "https://mine.test", variable);
  }
  assertEquals(
    await urlOf("grok/m", { SLUICE_XAI_BASE_URL: "https://mine.test/base/" }),
    "https://mine.test/base/v1/chat/completions",
  );
});

Deno.test("a base URL may hold the version that a provider's paths begin with", async () => {
  for (
    const [model, variable, version] of [
      ["anthropic/m", "SLUICE_ANTHROPIC_BASE_URL", "v1"],
      ["gemini/m", "SLUICE_GEMINI_BASE_URL", "v1beta"],
      ["cohere/m", "SLUICE_COHERE_BASE_URL", "v2"],
    ]
  ) {
    const bare = await urlOf(model, { [variable]: "https://mine.test/base" });
    assertEquals(bare.startsWith(`https://mine.test/base/${version}/`), true, bare);
    assertEquals(await urlOf(model, { [variable]: `https://mine.test/base/${version}` }), bare);
  }
});

Deno.test("readEnv() takes an operator's own rows as JSON, to which a base URL may be added", async () => {
  const providers = JSON.stringify({
    mine: { baseUrl: "https://mine.test/v1" },
    openai: { headers: { "x-team": "a" } },
  });
  const variables = { SLUICE_PROVIDERS: providers, SLUICE_OPENAI_BASE_URL: "https://proxy.test" };
  assertEquals(await urlOf("mine/m", variables), "https://mine.test/v1/chat/completions");
  assertEquals(await urlOf("openai/m", variables), "https://proxy.test/chat/completions");
  assertEquals(read(variables).options.providers?.openai?.headers, { "x-team": "a" });
});

Deno.test("readEnv() names the faulty variable, and quotes no secret", () => {
  const faults: [string, string][] = [
    ["PORT", "x"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["PORT", "80.5"],
    ["SLUICE_OPENAI_BASE_URL", "proxy.test"],
    ["SLUICE_OPENAI_BASE_URL", "https://user:secret@proxy.test"],
    ["SLUICE_GOOGLE_AI_STUDIO_BASE_URL", "https://proxy.test?key=secret"],
    ["SLUICE_PROVIDERS", "{secret"],
    ["SLUICE_PROVIDERS", '"secret"'],
    ["SLUICE_PROVIDERS", "[]"],
    ["SLUICE_PROVIDERS", '{"mine":{}}'],
    ["SLUICE_PROVIDERS", '{"mine":{"baseUrl":"http://mine.test"}}'],
    ["SLUICE_PROVIDERS", '{"mine":{"baseUrl":"https://mine.test","key":"secret"}}'],
    ["SLUICE_TOKENS", '["secret", 5]'],
    ["SLUICE_TOKENS", '[{"token":"secret","providers":["nobody"]}]'],
    ["SLUICE_KEYS", "secret"],
    ["SLUICE_KEYS", '{"nobody":"secret"}'],
    ["SLUICE_KEYS", '{"openai":["secret", 5]}'],
    ["OPENAI_API_KEY", "secret\u{1F511}"],
  ];
  for (const [variable, value] of faults) {
    const { message } = assertThrows(() => read({ [variable]: value }), TypeError);
    assert(message.startsWith(`Cannot use ${variable}: `), `${variable}=${value}: ${message}`);
    assert(!message.includes("secret"), message);
  }
});

Deno.test("readEnv() has keys by alias beside the key of the provider's own variable", () => {
  const keys = (own: object, more: Record<string, string> = { OPENAI_API_KEY: "sk-1,sk-2" }) =>
    read({ ...more, SLUICE_KEYS: JSON.stringify(own) }).options.keys;
  assertEquals(keys({ openai: { b: "sk-b" } }), { openai: { default: ["sk-1", "sk-2"], b: "sk-b" } });
  assertEquals(keys({ openai: { default: "sk-d" } }), { openai: { default: "sk-d" } });
  assertEquals(keys({ openai: "sk-o", groq: { b: "sk-g" } }), { openai: "sk-o", groq: { b: "sk-g" } });
  assertEquals(keys({ gemini: { b: "sk-b" } }, { GEMINI_API_KEY: "sk-1" }), {
    "google-ai-studio": { default: ["sk-1"], b: "sk-b" },
  });
  assertThrows(() => keys({ openai: null }), TypeError, "SLUICE_KEYS");
});

Deno.test("readEnv() refuses two names of one provider where both cannot hold, and joins them where they can", async () => {
  const bad: Record<string, string>[] = [
    { SLUICE_KEYS: '{"gemini":"k1","google":"k2"}' },
    { SLUICE_KEYS: '{"gemini":"k1","google":"k2"}', GEMINI_API_KEY: "k0" },
    { SLUICE_PROVIDERS: '{"gemini":{},"google":{}}' },
    { SLUICE_GOOGLE_BASE_URL: "https://a.test", SLUICE_GEMINI_BASE_URL: "https://b.test" },
    { SLUICE_GROK_BASE_URL: "https://a.test", SLUICE_XAI_BASE_URL: "https://b.test" },
  ];
  for (const variables of bad) {
    const { message } = assertThrows(() => read(variables), TypeError);
    assert(Object.keys(variables).some((name) => message.startsWith(`Cannot use ${name}: `)), message);
    assert(!/k[012]/.test(message), message);
  }
  const same = { SLUICE_GROK_BASE_URL: "https://a.test/", SLUICE_XAI_BASE_URL: "https://a.test" };
  assertEquals(await urlOf("grok/m", same), "https://a.test/v1/chat/completions");
  // A base URL beside changes under another name of the same row.
  const joined = {
    SLUICE_PROVIDERS: '{"xai":{"headers":{"x-a":"1"}}}',
    SLUICE_GROK_BASE_URL: "https://a.test",
  };
  assertEquals(await urlOf("grok/m", joined), "https://a.test/v1/chat/completions");
  assertEquals(read(joined).options.providers, {
    xai: { headers: { "x-a": "1" }, baseUrl: "https://a.test" },
  });
});
