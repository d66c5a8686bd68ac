import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { configured, type Serving } from "../../../gateway/serve/configured.ts";
import { readEnv } from "../../../gateway/setup/env.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, completion } from "../../fakes.ts";

/** The gateway of an environment, the requests that it sent to OpenAI, and the lines that it wrote on standard error. */
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
      const response = await made.gateway.fetch(ask("openai/gpt", { host: "127.0.0.1", ...headers }));
      await response.text();
      return response.status;
    };
    const token = made.madeToken ?? "";
    const statuses = [
      await get(),
      await get({ authorization: "Bearer sk-mine" }),
      await get({ authorization: `Bearer ${token || "wrong"}` }),
      (await made.gateway.fetch(ask("demo/echo", { host: "127.0.0.1" }))).status,
    ];
    return { ...made, sent, statuses, written, token };
  } finally {
    console.error = error;
    await server.shutdown();
  }
}

const warnings = (written: string[]) => written.filter((line) => line.startsWith("Warning: "));

Deno.test("configured() makes no token for processes that share a port, and warns if they cannot share it", async () => {
  const shared = { OPENAI_API_KEY: "sk-1", SLUICE_REUSE_PORT: "true" };
  const nobody = "Warning: The stored keys (openai) serve nobody over HTTP: set SLUICE_TOKENS";
  const { madeToken, madeAdminToken, written } = await served({ ...shared, PORT: "8080" }, { alone: true });
  assertEquals([madeToken, madeAdminToken, warnings(written)], [undefined, undefined, [nobody]]);
  const apart = await served({ ...shared, PORT: "0" }, { alone: true });
  assertEquals(warnings(apart.written), [
    nobody,
    "Warning: SLUICE_REUSE_PORT has no effect with PORT 0: each process listens on a port of its own",
  ]);
  const alone = await served({ PORT: "0" }, { alone: true });
  assertEquals(warnings(alone.written), []);
});

Deno.test("configured() makes a token for stored keys when it is served alone, and asks it for nothing else", async () => {
  const { sent, statuses, stored, token, written } = await served({ OPENAI_API_KEY: "sk-1" }, {
    alone: true,
  });
  assertMatch(token, /^sluice-[0-9a-f]{32}$/);
  assertEquals(stored, ["openai"]);
  assertEquals(statuses, [401, 200, 200, 200]);
  assertEquals(sent, ["Bearer sk-mine", "Bearer sk-1"]);
  assertEquals(warnings(written), []);
  const again = await served({ OPENAI_API_KEY: "sk-1" }, { alone: true });
  assert(again.token !== token, "each run has its own");
});

Deno.test("configured() makes no token where there is one, or no key", async () => {
  const own = await served({ OPENAI_API_KEY: "sk-1", SLUICE_TOKENS: "mine, wrong" }, { alone: true });
  assertEquals([own.madeToken, own.statuses], [undefined, [401, 401, 200, 401]]);
  assertEquals(own.sent, ["Bearer sk-1"]);
  const none = await served({}, { alone: true });
  assertEquals([none.madeToken, none.statuses], [undefined, [200, 200, 200, 200]]);
});

Deno.test("configured() uses no stored key without a token if it is not served alone, and warns once", async () => {
  const { sent, madeToken, written } = await served({ OPENAI_API_KEY: "sk-1", GROQ_API_KEY: "gsk-1" });
  assertEquals(madeToken, undefined);
  assertEquals(sent, ["Bearer sk-mine", "Bearer wrong"]);
  const [warning, ...rest] = warnings(written);
  assertStringIncludes(warning, "SLUICE_TOKENS");
  assertStringIncludes(warning, "groq, openai");
  assertEquals(rest, []);
});

Deno.test("configured() warns of variables that are not read, and starts", async () => {
  const variables = {
    SLUICE_OPENIA_BASE_URL: "x",
    SLUICE_TOKEN: "secret",
    SLUICE_FOO: "1",
    SLUICE_NONE_BASE_URL: "y",
  };
  const { written } = await served(variables);
  assertEquals(warnings(written), [
    "Warning: SLUICE_FOO is not read",
    "Warning: SLUICE_NONE_BASE_URL is not read",
    "Warning: SLUICE_OPENIA_BASE_URL is not read; did you mean SLUICE_OPENAI_BASE_URL?",
    "Warning: SLUICE_TOKEN is not read; did you mean SLUICE_TOKENS?",
  ]);
});

Deno.test("configured() writes a line for each request as SLUICE_LOG says, and attaches nothing with off", async () => {
  const statuses = (lines: string[]) => lines.map((line) => JSON.parse(line).status);
  const tokens = { SLUICE_TOKENS: "mine" };
  const levels: [string | undefined, number[]][] = [
    [undefined, [401, 401, 401, 401]],
    ["info", [401, 401, 401, 401]],
    ["warn", [401, 401, 401, 401]],
    ["error", []],
    ["off", []],
  ];
  for (const [level, expected] of levels) {
    const { written } = await served(level ? { ...tokens, SLUICE_LOG: level } : tokens);
    assertEquals(statuses(written), expected, level);
  }
  // Nobody reads the fourth answer, so it has not ended.
  const open: [string, number[]][] = [["info", [200, 200, 200]], ["warn", []], ["off", []]];
  for (const [level, expected] of open) {
    assertEquals(statuses((await served({ SLUICE_LOG: level })).written), expected, level);
  }
  for (const level of ["debug", "INFO", "on", "true"]) {
    await assertRejects(() => served({ SLUICE_LOG: level }), TypeError, "Cannot use SLUICE_LOG");
  }
});

Deno.test("configured() takes the level of its lines from the file too, and a variable wins", async () => {
  const file = (level: unknown) => ({ SLUICE_CONFIG: JSON.stringify({ log: level, tokens: ["mine"] }) });
  const lines = async (env: Record<string, string>) => (await served(env)).written.length;
  assertEquals(await lines(file("off")), 0);
  assertEquals(await lines(file("error")), 0);
  assertEquals(await lines(file("warn")), 4);
  assertEquals(await lines({ ...file("off"), SLUICE_LOG: "info" }), 4);
  assertEquals(await lines({ ...file("info"), SLUICE_LOG: "off" }), 0);
  for (const level of ["debug", true, null, {}]) {
    await assertRejects(() => served(file(level)), TypeError, "Cannot use SLUICE_CONFIG: log: it must be");
  }
});

Deno.test("configured() warns once for each provider whose variables hold different keys, and names the one that is used", async () => {
  const env = {
    GOOGLE_API_KEY: "AIza-google",
    GEMINI_API_KEY: "AIza-gemini",
    DEEPINFRA_TOKEN: " di-1 ",
    DEEPINFRA_API_KEY: "di-1",
    AZURE_API_KEY: "az-1",
    SLUICE_TOKENS: "mine",
    SLUICE_LOG: "off",
  };
  const { written } = await served(env);
  assertEquals(written, [
    "Warning: GEMINI_API_KEY and GOOGLE_API_KEY hold different keys of google-ai-studio: the key in GEMINI_API_KEY is used",
  ]);
  const { options } = readEnv((name) => (env as Record<string, string>)[name]);
  assertEquals(options.keys, {
    "azure-openai": ["az-1"],
    deepinfra: ["di-1"],
    "google-ai-studio": ["AIza-gemini"],
  });
});

/** The value that is read from one variable. */
const readOne = (variable: string, value: string) =>
  readEnv((name) => name === variable ? value : undefined).options;

Deno.test("SLUICE_TOKENS without a token in it is refused", () => {
  for (const value of [",", " , ", "[]", " [ ] ", "\ufeff", "  ", '[""]']) {
    assertThrows(() => readOne("SLUICE_TOKENS", value), TypeError, "SLUICE_TOKENS");
  }
});

Deno.test("SLUICE_TOKENS takes texts separated by commas, a JSON list, or one JSON object, with blanks or a mark around", () => {
  const limited = { token: "t", gateways: ["prod"], providers: ["openai"] };
  const json = JSON.stringify(limited);
  const good: [string, Options["tokens"]][] = [
    ["a", ["a"]],
    [" a , b,,c ", ["a", "b", "c"]],
    ["\ufeffa,b\r\n", ["a", "b"]],
    [json, [limited]],
    [`\ufeff \n${json}\n`, [limited]],
    [JSON.stringify(limited, null, 2), [limited]],
    [`[${json}, "u"]`, [limited, "u"]],
    ['\ufeff["u"]', ["u"]],
  ];
  for (const [value, tokens] of good) assertEquals(readOne("SLUICE_TOKENS", value).tokens, tokens, value);
});

Deno.test("SLUICE_TOKENS that looks like JSON but is not JSON is refused, and is never split at its commas", () => {
  const json = '{"token":"secret","gateways":["prod"],"providers":["openai"]}';
  const bad = [
    `${json},`,
    `${json},${json}`,
    `[${json}`,
    `${json}]`,
    `'${json}'`,
    `'["secret","b"]'`,
    `"[\\"secret\\"]"`,
    `secret,${json}`,
    `"secret"`,
    `"secret,b"`,
    `"secret","b"`,
    "'secret'",
    "`secret,b`",
    "[secret,b]",
    "{token: secret}",
    "secret,[b]",
    "[null]",
    "[5]",
    "[[]]",
    "{}",
    '{"tokens":["secret"]}',
    '{"Token":"secret"}',
    '{"token":"secret","provider":"openai"}',
    '{"token":"secret","providers":"openai"}',
    '{"token":"secret","gateways":null}',
    '["secret","secret"]',
    "secret,secret",
    "null",
    "undefined",
    "true",
  ];
  for (const value of bad) {
    const { message } = assertThrows(() => readOne("SLUICE_TOKENS", value), TypeError);
    assertStringIncludes(message, "Cannot use SLUICE_TOKENS: ", value);
    assert(!message.includes("secret"), message);
  }
  assertThrows(() => readOne("SLUICE_TOKENS", "'[]'"), TypeError, "take off the quotes around it");
});

Deno.test("a token of SLUICE_TOKENS as one JSON object has its limits, and no piece of it opens anything", async () => {
  const token = '{"token":"t","gateways":["prod"],"providers":["openai"]}';
  const { sent, gateway } = await served({ SLUICE_TOKENS: token, OPENAI_API_KEY: "sk-stored" });
  assertEquals(sent, []);
  for (const piece of ['"gateways":["prod"]', '{"token":"t"', '"providers":["openai"]}', token]) {
    assertEquals((await gateway.fetch(ask("openai/gpt", { authorization: `Bearer ${piece}` }))).status, 401);
  }
});

Deno.test("a variable of keys takes keys separated by commas or a JSON list of them, and nothing else like JSON", () => {
  const good: [string, string[]][] = [
    ["sk-1", ["sk-1"]],
    ["\ufeff sk-1, sk-2\n", ["sk-1", "sk-2"]],
    ['["sk-1","sk-2"]', ["sk-1", "sk-2"]],
    ["id:sk-1", ["id:sk-1"]],
  ];
  for (const [value, keys] of good) assertEquals(readOne("OPENAI_API_KEY", value).keys, { openai: keys });
  const bad = [
    '["sk-1"',
    '"sk-1"',
    "'sk-1'",
    "'sk-1,sk-2'",
    '{"default":"sk-1"}',
    "sk-1,{}",
    "[]",
    "[5]",
    '["[sk-1]"]',
  ];
  for (const value of bad) {
    const { message } = assertThrows(() => readOne("OPENAI_API_KEY", value), TypeError);
    assertStringIncludes(message, "Cannot use OPENAI_API_KEY: ", value);
    assert(!message.includes("sk-"), message);
  }
});

Deno.test("SLUICE_KEYS and SLUICE_PROVIDERS are a JSON object, with blanks or a mark around, and nothing else", () => {
  const keys = '{"openai":{"team":"sk-1"}}';
  assertEquals(readOne("SLUICE_KEYS", `\ufeff ${keys}\n`).keys, JSON.parse(keys));
  const row = '{"mine":{"baseUrl":"https://mine.test"}}';
  assertEquals(readOne("SLUICE_PROVIDERS", `\ufeff${row} `).providers, JSON.parse(row));
  for (const variable of ["SLUICE_KEYS", "SLUICE_PROVIDERS"]) {
    for (
      const value of [
        `'${keys}'`,
        JSON.stringify(keys),
        `[${keys}]`,
        "[]",
        `${keys},`,
        "sk-1",
        "null",
        "5",
        " ",
      ]
    ) {
      const { message } = assertThrows(() => readOne(variable, value), TypeError);
      assertStringIncludes(message, `Cannot use ${variable}: `, value);
      assert(!message.includes("sk-"), message);
    }
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

Deno.test("SLUICE_ALLOW_HTTP is true or false, and allows plain http for an operator's own rows", () => {
  const row = '{"mine": {"baseUrl": "http://llm.internal:8000/v1"}}';
  const read = (SLUICE_ALLOW_HTTP: string) => {
    const env: Record<string, string> = { SLUICE_ALLOW_HTTP, SLUICE_PROVIDERS: row };
    return readEnv((name) => env[name]).options.allowHttp;
  };
  for (const value of ["true", "TRUE", "yes", "on", "1", " true\n"]) assertEquals(read(value), true, value);
  for (const value of ["false", "", "False", "no", "off", "0"]) {
    assertThrows(() => read(value), TypeError, "allowHttp");
  }
  for (const value of ["y", "2", "enabled", "'true'"]) {
    assertThrows(() => read(value), TypeError, "SLUICE_ALLOW_HTTP");
  }
});

Deno.test("configured() answers to loopback hosts only where it listens on loopback", async () => {
  const status = async (variables: Record<string, string>, serving: Serving) => {
    const made = configured((name) => variables[name], serving);
    const request = new Request(
      "http://evil.example/v1/chat/completions",
      ask("demo/echo", { host: "evil.example" }),
    );
    const response = await made.gateway.fetch(request);
    await response.body?.cancel();
    return response.status;
  };
  const alone = { alone: true };
  assertEquals(await status({}, alone), 403);
  for (const HOST of ["127.0.0.2", "localhost", "::1"]) {
    assertEquals(await status({ HOST }, alone), 403, HOST);
  }
  for (const HOST of ["0.0.0.0", "::", "10.0.0.1"]) assertEquals(await status({ HOST }, alone), 200, HOST);
  assertEquals(await status({ SLUICE_URL: "https://evil.example" }, alone), 200);
  assertEquals(await status({}, {}), 200, "a Worker and deno serve listen elsewhere");
});
