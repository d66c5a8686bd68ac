import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { configured, type Serving } from "../../gateway/configured.ts";
import { readEnv } from "../../gateway/env.ts";
import { ask, completion } from "../fakes.ts";

/** A gateway of this environment, what it sent to OpenAI's host, and what it wrote on standard error. */
async function served(variables: Record<string, string>, serving: Serving = {}) {
  const sent: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ headers }) => {
    sent.push(headers.get("authorization"));
    return completion();
  });
  const written: string[] = [];
  const { error } = console;
  console.error = (line: string) => void written.push(line);
  try {
    const all: Record<string, string> = {
      SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${server.addr.port}`,
      ...variables,
    };
    const made = configured((name) => all[name], { names: Object.keys(all), ...serving });
    const get = async (headers: Record<string, string> = {}) => {
      const response = await made.gateway.fetch(ask("openai/gpt", headers));
      await response.text();
      return response.status;
    };
    const token = made.notice?.split(" ").at(-1) ?? "";
    const statuses = [
      await get(),
      await get({ authorization: "Bearer sk-mine" }),
      await get({ authorization: `Bearer ${token || "wrong"}` }),
      (await made.gateway.fetch(ask("demo/echo"))).status,
    ];
    return { ...made, sent, statuses, written, token };
  } finally {
    console.error = error;
    await server.shutdown();
  }
}

Deno.test("configured() makes a token for stored keys when it is served alone, and asks it for nothing else", async () => {
  const { sent, statuses, notice, token, written } = await served({ OPENAI_API_KEY: "sk-1" }, {
    alone: true,
  });
  assertMatch(token, /^sluice-[0-9a-f]{32}$/);
  assertStringIncludes(notice!, "openai");
  assert(!notice!.includes("sk-1"));
  assertEquals(statuses, [200, 200, 200, 200]);
  assertEquals(sent, [null, "Bearer sk-mine", "Bearer sk-1"]);
  assertEquals(written, []);
  const again = await served({ OPENAI_API_KEY: "sk-1" }, { alone: true });
  assert(again.token !== token, "each run has its own");
});

Deno.test("configured() makes no token where there is one, or no key", async () => {
  const own = await served({ OPENAI_API_KEY: "sk-1", SLUICE_TOKENS: "mine, wrong" }, { alone: true });
  assertEquals([own.notice, own.statuses], [undefined, [401, 401, 200, 401]]);
  assertEquals(own.sent, ["Bearer sk-1"]);
  const none = await served({}, { alone: true });
  assertEquals([none.notice, none.statuses], [undefined, [200, 200, 200, 200]]);
});

Deno.test("configured() uses no stored key without a token where there are many of it, and says so once", async () => {
  const { sent, notice, written } = await served({ OPENAI_API_KEY: "sk-1", GROQ_API_KEY: "gsk-1" });
  assertEquals(notice, undefined);
  assertEquals(sent, [null, "Bearer sk-mine", "Bearer wrong"]);
  assertEquals(written.length, 1);
  assertStringIncludes(written[0], "SLUICE_TOKENS");
  assertStringIncludes(written[0], "groq, openai");
});

Deno.test("configured() warns of variables that nobody reads, and starts", async () => {
  const variables = {
    SLUICE_OPENIA_BASE_URL: "x",
    SLUICE_TOKEN: "secret",
    SLUICE_FOO: "1",
    SLUICE_NONE_BASE_URL: "y",
  };
  const { written } = await served(variables);
  assertEquals(written, [
    "Warning: SLUICE_FOO is not read",
    "Warning: SLUICE_NONE_BASE_URL is not read",
    "Warning: SLUICE_OPENIA_BASE_URL is not read; did you mean SLUICE_OPENAI_BASE_URL?",
    "Warning: SLUICE_TOKEN is not read; did you mean SLUICE_TOKENS?",
  ]);
});

Deno.test("SLUICE_TOKENS without a token in it is refused, not taken for none", () => {
  for (const value of [",", " , ", "[]"]) {
    const read = () => readEnv((name) => name === "SLUICE_TOKENS" ? value : undefined);
    assertThrows(read, TypeError, "SLUICE_TOKENS");
  }
});

Deno.test("SLUICE_TOKENS takes a list as text or JSON; stored keys take several keys and aliases", () => {
  const env: Record<string, string> = {
    SLUICE_TOKENS: '[{"token": "t", "gateways": ["g"], "providers": ["gemini"]}, "u"]',
    OPENAI_API_KEY: "sk-1, sk-2",
    GOOGLE_API_KEY: "g-1",
    SLUICE_KEYS: '{"openai": {"default": "sk-3", "team": ["sk-4"]}}',
  };
  const { options } = readEnv((name) => env[name]);
  assertEquals(options.tokens, [{ token: "t", gateways: ["g"], providers: ["gemini"] }, "u"]);
  assertEquals(options.keys, {
    "google-ai-studio": ["g-1"],
    openai: { default: "sk-3", team: ["sk-4"] },
  });
});

Deno.test("SLUICE_ALLOW_HTTP is true or false, and lets rows of one's own be plain http", () => {
  const row = '{"mine": {"baseUrl": "http://llm.internal:8000/v1"}}';
  const read = (SLUICE_ALLOW_HTTP: string) => {
    const env: Record<string, string> = { SLUICE_ALLOW_HTTP, SLUICE_PROVIDERS: row };
    return readEnv((name) => env[name]).options.allowHttp;
  };
  assertEquals(read("true"), true);
  for (const value of ["false", ""]) assertThrows(() => read(value), TypeError, "allowHttp");
  for (const value of ["yes", "TRUE", "1"]) assertThrows(() => read(value), TypeError, "SLUICE_ALLOW_HTTP");
});
