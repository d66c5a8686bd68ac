import { assert, assertEquals, assertThrows } from "@std/assert";
import * as v from "npm:valibot@1.5.0";
import { readEnv, textsOf } from "../../../gateway/setup/env.ts";
import { optionVariables } from "../../../gateway/setup/env_options.ts";
import type { Schema } from "../../../gateway/setup/check.ts";
import { configured } from "../../../gateway/serve/configured.ts";

const read = (variables: Record<string, string>, file?: string) =>
  readEnv((name) => variables[name], Object.keys(variables), file);

/** The error message for an environment. */
const refusal = (variables: Record<string, string>, file?: string) =>
  assertThrows(() => read(variables, file), TypeError).message;

/** Each kind of option as text, with the value that is read. */
const TEXTS: [variable: string, text: string, path: string, value: unknown][] = [
  ["SLUICE_ORIGINS", "*", "origins", ["*"]],
  ["SLUICE_ORIGINS", "https://a.example, app://b", "origins", ["https://a.example", "app://b"]],
  ["SLUICE_ORIGINS", '["https://a.example"]', "origins", ["https://a.example"]],
  ["SLUICE_HOSTS", "gateway.internal,b:81", "hosts", ["gateway.internal", "b:81"]],
  ["SLUICE_STRICT", "true", "strict", true],
  ["SLUICE_STRICT", "false", "strict", false],
  ["SLUICE_LIMITS_MAX_BODY_BYTES", "1000", "limits.maxBodyBytes", 1000],
  ["SLUICE_LIMITS", '{"maxBodyBytes": 1000}', "limits.maxBodyBytes", 1000],
  ["SLUICE_RETRIES_MAX_ATTEMPTS", "3", "retries.maxAttempts", 3],
  ["SLUICE_RETRIES_RETRY_DELAY_MS", "0", "retries.retryDelayMs", 0],
  ["SLUICE_RETRIES_BACKOFF", "linear", "retries.backoff", "linear"],
  ["SLUICE_REQUEST_TIMEOUT_MS", "5000", "requestTimeoutMs", 5000],
  ["SLUICE_STREAM_IDLE_TIMEOUT_MS", " 5000 ", "streamIdleTimeoutMs", 5000],
  ["SLUICE_TOKEN_REQUIRED", "false", "tokenRequired", false],
  ["SLUICE_ALLOW_HTTP", "true", "allowHttp", true],
  ["SLUICE_ACCOUNT", "acct", "account", "acct"],
  ["CLOUDFLARE_ACCOUNT_ID", "acct", "account", "acct"],
  ["SLUICE_URL", "https://a.example/", "url", "https://a.example"],
  ["SLUICE_KEYS", '{"openai":"sk-1"}', "keys.openai", "sk-1"],
  ["SLUICE_LOGS", "true", "logs", true],
  ["SLUICE_LOGS", "false", "logs", false],
  ["SLUICE_LOGS", '{"rows": 5}', "logs.rows", 5],
  ["SLUICE_LOGS_ROWS", "5000", "logs.rows", 5000],
  ["SLUICE_LOGS_DAYS", "0", "logs.days", 0],
  ["SLUICE_LOGS_WHEN_FULL", "STOP_INSERTING", "logs.whenFull", "STOP_INSERTING"],
  ["SLUICE_LOGS_BODIES", "errors", "logs.bodies", "errors"],
  ["SLUICE_LOGS_BODY_BYTES", "1000", "logs.bodyBytes", 1000],
  ["SLUICE_STORE", "sqlite:x.db", "store", "sqlite:x.db"],
  ["SLUICE_TOKENS", "a,b", "tokens", ["a", "b"]],
  ["SLUICE_PROVIDERS", '{"openai":{"chatPath":"/x"}}', "providers.openai.chatPath", "/x"],
];

const at = (object: unknown, path: string): unknown =>
  path.split(".").reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);

Deno.test("each option is read from its variable", () => {
  for (const [variable, text, path, value] of TEXTS) {
    const { options, warnings } = read({ [variable]: text });
    assertEquals(at(options, path), value, `${variable}=${text}`);
    assertEquals(warnings, [], variable);
  }
});

Deno.test("OpenTelemetry's variables set the collector", () => {
  const otel = (variables: Record<string, string>) => read(variables).options.otel;
  const place = "http://collector:4318";
  assertEquals(otel({}), undefined);
  assertEquals(otel({ OTEL_SERVICE_NAME: "mine", OTEL_EXPORTER_OTLP_HEADERS: "a=b" }), undefined);
  for (
    const [address, url] of [
      [place, `${place}/v1/traces`],
      [`${place}/`, `${place}/v1/traces`],
      [`${place}/otel/?key=1`, `${place}/otel/v1/traces?key=1`],
    ]
  ) assertEquals(otel({ OTEL_EXPORTER_OTLP_ENDPOINT: ` ${address} ` }), { url });
  const all = {
    OTEL_EXPORTER_OTLP_ENDPOINT: place,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.test/as/it/is",
    OTEL_EXPORTER_OTLP_HEADERS: "x=1",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "Authorization=Basic%20abc%3D%3D, x-a = 100% , x-b=c=d,,",
    OTEL_EXPORTER_OTLP_TIMEOUT: "5000",
    OTEL_SERVICE_NAME: "mine",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.version=1%2C2",
  };
  assertEquals(otel(all), {
    url: "https://traces.test/as/it/is",
    headers: { Authorization: "Basic abc==", "x-a": "100%", "x-b": "c=d" },
    timeoutMs: 5000,
    serviceName: "mine",
    resource: { "deployment.environment.name": "test", "service.version": "1,2" },
  });
  for (
    const off of [{ OTEL_SDK_DISABLED: "TRUE" }, { OTEL_TRACES_EXPORTER: "none" }] as Record<string, string>[]
  ) {
    assertEquals(otel({ ...all, ...off }), undefined);
  }
  assertEquals(
    otel({ ...all, OTEL_SDK_DISABLED: "false", OTEL_TRACES_EXPORTER: "otlp" })?.serviceName,
    "mine",
  );
  // The gateway's own variables win.
  assertEquals(otel({ ...all, SLUICE_OTEL_SERVICE_NAME: "other" })?.serviceName, "other");
  assertEquals(otel({ SLUICE_OTEL_URL: place })?.url, place);
  const { warnings } = read({ ...all, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
  assertEquals(warnings.length, 1);
  assert(warnings[0].startsWith("OTEL_EXPORTER_OTLP_PROTOCOL is grpc"), warnings[0]);
});

Deno.test("a faulty value of OpenTelemetry's variables ends the start, and is not quoted", () => {
  const place = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
  const url = "it must be an http or https URL; a credential goes into the headers";
  const faults: [Record<string, string>, string][] = [
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, `OTEL_EXPORTER_OTLP_ENDPOINT: ${url}`],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://user:secret@collector" }, `OTEL_EXPORTER_OTLP_ENDPOINT: ${url}`],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "grpc://secret" }, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ${url}`],
    [
      { ...place, OTEL_EXPORTER_OTLP_HEADERS: "secret" },
      "OTEL_EXPORTER_OTLP_HEADERS: it must be name=value, separated by commas",
    ],
    [
      { ...place, OTEL_EXPORTER_OTLP_HEADERS: "a b=secret" },
      "OTEL_EXPORTER_OTLP_HEADERS: it must be headers: a name or a value has a character that headers cannot hold",
    ],
    [
      { ...place, OTEL_RESOURCE_ATTRIBUTES: "=secret" },
      "OTEL_RESOURCE_ATTRIBUTES: it must be name=value, separated by commas",
    ],
    [{ ...place, OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }, "OTEL_EXPORTER_OTLP_TIMEOUT: it must be a number"],
    [{ ...place, OTEL_EXPORTER_OTLP_TIMEOUT: "0" }, "OTEL_EXPORTER_OTLP_TIMEOUT: it must be at least 1"],
  ];
  for (const [variables, why] of faults) assertEquals(refusal(variables), `Cannot use ${why}`);
  // Switched off, nothing of it is read.
  assertEquals(read({ ...faults[0][0], OTEL_SDK_DISABLED: "true" }).options.otel, undefined);
});

Deno.test("how the served form listens is read from its variables, and has defaults", () => {
  const listening = ({ port, hostname, drainMs, reusePort }: ReturnType<typeof read>) => ({
    port,
    hostname,
    drainMs,
    reusePort,
  });
  assertEquals(listening(read({})), { port: 8787, hostname: "127.0.0.1", drainMs: 30_000, reusePort: false });
  const variables = { PORT: "0", HOST: "::", SLUICE_DRAIN_MS: "0", SLUICE_REUSE_PORT: "true" };
  assertEquals(listening(read(variables)), { port: 0, hostname: "::", drainMs: 0, reusePort: true });
  const file = JSON.stringify({ port: 1, host: "0.0.0.0", drainMs: 2, reusePort: true });
  assertEquals(listening(read({ SLUICE_CONFIG: file })), {
    port: 1,
    hostname: "0.0.0.0",
    drainMs: 2,
    reusePort: true,
  });
});

Deno.test("optionVariables() needs no line for a new option, of whatever depth", () => {
  const schema = v.strictObject({
    limits: v.optional(
      v.strictObject({
        maxLineBytes: v.optional(v.pipe(v.number(), v.integer())),
        a: v.optional(v.strictObject({ bC: v.boolean() })),
      }),
    ),
    log: v.optional(v.function()),
    $schema: v.optional(v.string()),
  });
  const names = optionVariables(schema as Schema).map(({ name }) => name);
  assertEquals(names, [
    "SLUICE_LIMITS",
    "SLUICE_LIMITS_MAX_LINE_BYTES",
    "SLUICE_LIMITS_A",
    "SLUICE_LIMITS_A_B_C",
  ]);
});

Deno.test("readEnv() names the variable of an option's fault, and does not quote its value", () => {
  const faults: [variable: string, value: string, says: string][] = [
    ["SLUICE_STRICT", "secret", "it must be true or false"],
    ["SLUICE_LIMITS_MAX_BODY_BYTES", "64MiB-secret", "it must be a number"],
    ["SLUICE_LIMITS_MAX_BODY_BYTES", "0", "it must be at least 1"],
    ["SLUICE_LIMITS_MAX_BODY_BYTES", "1.5", "it must be a whole number"],
    ["SLUICE_LIMITS", '{"secret": 1}', "limits.secret: it is not known"],
    ["SLUICE_LIMITS", "secret", "it is not valid JSON"],
    ["SLUICE_RETRIES_MAX_ATTEMPTS", "9", "it must be at most 5"],
    ["SLUICE_RETRIES_BACKOFF", "secret", 'it must be "constant" or "linear" or "exponential"'],
    [
      "SLUICE_ORIGINS",
      "secret.example",
      'origins.0: it must be an origin, e.g. "https://app.example", or "*"',
    ],
    ["SLUICE_DRAIN_MS", "-1", "it must be at least 0"],
    ["SLUICE_LOGS", "secret", "it must be true or false or an object"],
    ["SLUICE_LOGS", '{"row": 1}', "logs.row: it is not known; did you mean rows?"],
    ["SLUICE_LOGS_ROWS", "secret", "it must be a number"],
    ["SLUICE_LOGS_ROWS", "0", "it must be at least 1"],
    ["SLUICE_LOGS_ROWS", "200001", "it must be at most 200000 without a store"],
    ["SLUICE_LOGS_WHEN_FULL", "secret", 'it must be "DELETE_OLDEST" or "STOP_INSERTING"'],
    ["SLUICE_LOGS_BODIES", "secret", 'it must be "none" or "errors" or "all"'],
    ["SLUICE_CONFIG", '{"logs":{"redact":"x"}}', "logs.redact: it is not known"],
    ["SLUICE_STORE", " ", "it must not be empty"],
    ["SLUICE_REUSE_PORT", "secret", "it must be true or false"],
    ["SLUICE_URL", " ", "it must be an http or https URL, without query or credentials"],
    ["SLUICE_TOKEN_REQUIRED", "true", "there are no tokens"],
    ["CLOUDFLARE_ACCOUNT_ID", " ", "it must not be empty"],
    ["PORT", "secret", "it must be a port from 0 to 65535"],
    ["PORT", "65536", "it must be a port from 0 to 65535"],
    ["SLUICE_CONFIG", "secret.json", "this runtime cannot read files; set it to the JSON itself"],
    ["SLUICE_CONFIG", "{secret", "it is not valid JSON"],
    ["SLUICE_CONFIG", '{"retrys":{}}', "retrys: it is not known; did you mean retries?"],
    [
      "SLUICE_CONFIG",
      '{"limits":{"maxBodyByte":1}}',
      "limits.maxBodyByte: it is not known; did you mean maxBodyBytes?",
    ],
    [
      "SLUICE_CONFIG",
      '{"providers":{"mine":{"baseURL":"x"}}}',
      "providers.mine.baseURL: it is not known; did you mean baseUrl?",
    ],
    ["SLUICE_CONFIG", '{"zebra":1}', "zebra: it is not known"],
    ["SLUICE_CONFIG", '{"fetch":"x"}', "fetch: it is not known"],
    ["SLUICE_CONFIG", '{"port":"80"}', "port: it must be a port from 0 to 65535"],
    [
      "SLUICE_CONFIG",
      '{"providers":{"mine":{}}}',
      "providers.mine.baseUrl: a provider that is not in the table needs one",
    ],
  ];
  for (const [variable, value, says] of faults) {
    const message = refusal({ [variable]: value });
    const expected = `Cannot use ${variable}: ${says}`;
    assert(message.startsWith(expected), `${variable}=${value}: ${message}`);
    assert(!message.replace("limits.secret", "").includes("secret"), message);
  }
});

Deno.test("a member of an option that is switched off does not switch it on", () => {
  const variables = { SLUICE_LOGS: "false", SLUICE_LOGS_ROWS: "5" };
  assertEquals(read(variables).options.logs, false);
  assertEquals(read({ ...variables, SLUICE_LOGS: "true" }).options.logs, { rows: 5 });
});

Deno.test("SLUICE_CONFIG's file is read like the JSON itself, also with a byte order mark, and must hold an object", () => {
  assertEquals(
    read({ SLUICE_CONFIG: "sluice.json" }, '\ufeff{"$schema": "./sluice.schema.json", "strict": true}\n')
      .options.strict,
    true,
  );
  for (const text of ["", "[]", "null", '"x"', "{"]) {
    assert(refusal({ SLUICE_CONFIG: "sluice.json" }, text).startsWith("Cannot use SLUICE_CONFIG: it "), text);
  }
});

Deno.test("a variable wins over the file, and what it does not set stays the file's", () => {
  const file = JSON.stringify({
    strict: true,
    origins: ["https://file.example"],
    retries: { maxAttempts: 2, retryDelayMs: 5 },
    providers: {
      gemini: { baseUrl: "https://file.test", headers: { "x-file": "1" } },
      mine: { baseUrl: "https://mine.test" },
    },
    keys: { openai: { default: "sk-file", team: "sk-team" }, groq: "gsk-file" },
    tokens: ["file-token"],
    port: 1,
  });
  const { options, port } = read({
    SLUICE_CONFIG: file,
    SLUICE_ORIGINS: "https://variable.example",
    SLUICE_RETRIES_MAX_ATTEMPTS: "3",
    SLUICE_GOOGLE_AI_STUDIO_BASE_URL: "https://variable.test",
    SLUICE_PROVIDERS: '{"other":{"baseUrl":"https://other.test"}}',
    OPENAI_API_KEY: "sk-variable",
    SLUICE_KEYS: '{"mistral":"sk-m"}',
    SLUICE_TOKENS: "variable-token",
    PORT: "2",
  });
  assertEquals([options.strict, options.origins, options.retries, options.tokens, port], [
    true,
    ["https://variable.example"],
    { maxAttempts: 3, retryDelayMs: 5 },
    ["variable-token"],
    2,
  ]);
  assertEquals(options.providers, {
    gemini: { baseUrl: "https://variable.test", headers: { "x-file": "1" } },
    mine: { baseUrl: "https://mine.test" },
    other: { baseUrl: "https://other.test" },
  });
  assertEquals(options.keys, {
    openai: { default: ["sk-variable"], team: "sk-team" },
    groq: "gsk-file",
    mistral: "sk-m",
  });
});

Deno.test("the variables that Kubernetes sets for a service called sluice are warned of and set nothing", () => {
  const variables = {
    SLUICE_PORT: "tcp://10.0.0.7:8787",
    SLUICE_HOST: "10.0.0.7",
    SLUICE_SERVICE_HOST: "10.0.0.7",
    SLUICE_SERVICE_PORT: "8787",
    SLUICE_PORT_8787_TCP: "tcp://10.0.0.7:8787",
    SLUICE_PORT_8787_TCP_PROTO: "tcp",
    SLUICE_PORT_8787_TCP_PORT: "8787",
    SLUICE_PORT_8787_TCP_ADDR: "10.0.0.7",
  };
  const { port, hostname, warnings, options } = read(variables);
  assertEquals([port, hostname, options], [8787, "127.0.0.1", {}]);
  assertEquals(warnings.length, 8);
  assertEquals(
    warnings.find((line) => line.startsWith("SLUICE_PORT ")),
    "SLUICE_PORT is not read; did you mean PORT?",
  );
});

Deno.test("SLUICE_LOG and SLUICE_CONFIG are known; the error for a misspelt option names its variable", () => {
  const { warnings } = read({
    SLUICE_LOG: "off",
    SLUICE_CONFIG: "{}",
    SLUICE_ORIGIN: "*",
    SLUICE_KEY: "{}",
    SLUICE_LIMITS_MAX_BODY_BYTE: "1",
  });
  assertEquals(warnings, [
    "SLUICE_KEY is not read; did you mean SLUICE_KEYS?",
    "SLUICE_LIMITS_MAX_BODY_BYTE is not read; did you mean SLUICE_LIMITS_MAX_BODY_BYTES?",
    "SLUICE_ORIGIN is not read; did you mean SLUICE_ORIGINS?",
  ]);
});

Deno.test("an origin that the environment lists may call the served form", async () => {
  const env: Record<string, string> = { SLUICE_ORIGINS: "https://app.example" };
  const { fetch } = configured((name) => env[name], { alone: true }).gateway;
  const preflight = (origin: string) =>
    fetch(
      new Request("http://127.0.0.1:8787/v1/chat/completions", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      }),
    );
  assertEquals(
    (await preflight("https://app.example")).headers.get("access-control-allow-origin"),
    "https://app.example",
  );
  assertEquals((await preflight("https://evil.example")).headers.get("access-control-allow-origin"), null);
});

Deno.test("a Worker's variables may be JSON: SLUICE_CONFIG is then the options themselves", () => {
  const env = textsOf({
    SLUICE_CONFIG: { strict: true, tokens: ["a"] },
    PORT: 80,
    SLUICE_ORIGINS: ["https://a.example"],
  });
  const { options, port } = readEnv(env);
  assertEquals([options.strict, options.tokens, options.origins, port], [
    true,
    ["a"],
    ["https://a.example"],
    80,
  ]);
  assertEquals(env("SLUICE_URL"), undefined);
});

Deno.test("JSON with a member named __proto__, constructor or prototype, or nested too deeply, is refused", () => {
  for (const name of ["__proto__", "constructor", "prototype"]) {
    for (
      const text of [`{"${name}":{"baseUrl":"https://x.test"}}`, `{ "openai" : { "${name}" : "sk-a" } }`]
    ) {
      for (const variable of ["SLUICE_PROVIDERS", "SLUICE_KEYS", "SLUICE_CONFIG"]) {
        const message = refusal({ [variable]: text });
        assert(message.startsWith(`Cannot use ${variable}: it has a member named __proto__`), message);
      }
    }
  }
  assertEquals(
    refusal({ SLUICE_CONFIG: `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}` }),
    "Cannot use SLUICE_CONFIG: it is not valid JSON",
  );
});

Deno.test("the error for a row's name with a blank names its variable", () => {
  assertEquals(
    refusal({ SLUICE_PROVIDERS: '{"my corp":{"baseUrl":"https://x.test"}}' }),
    "Cannot use SLUICE_PROVIDERS: providers.my corp: a provider's name may only contain letters, digits, _, . and -, and must not begin with . or -",
  );
});

Deno.test("an operator's token that is a gateway token too, or a part of one, ends the start", () => {
  const why = "Cannot use SLUICE_ADMIN_TOKEN: it is one of the tokens, or a part of one; choose another text";
  const admin = "operator-0123456789";
  for (const tokens of [admin, `a,${admin}`, `[{"token":"${admin}"}]`, `${admin}-more`]) {
    const message = refusal({ SLUICE_ADMIN_TOKEN: ` ${admin} `, SLUICE_TOKENS: tokens });
    assertEquals([message, message.includes(admin)], [why, false], tokens);
  }
  assertEquals(read({ SLUICE_ADMIN_TOKEN: admin, SLUICE_TOKENS: "operator" }).options.adminToken, admin);
});

Deno.test("a token for metrics that is a gateway token too, a part of one, or the operator's ends the start", () => {
  const token = "scraper-0123456789";
  for (const tokens of [token, `a,${token}`, `${token}-more`]) {
    assertEquals(
      refusal({ SLUICE_METRICS_TOKEN: token, SLUICE_TOKENS: tokens }),
      "Cannot use SLUICE_METRICS_TOKEN: it is one of the tokens, or a part of one; choose another text",
    );
  }
  assertEquals(
    refusal({ SLUICE_METRICS_TOKEN: token, SLUICE_ADMIN_TOKEN: token }),
    "Cannot use SLUICE_METRICS_TOKEN: it is the operator's token, which opens /metrics too; choose another text",
  );
  const { options, warnings } = read({ SLUICE_METRICS_TOKEN: token, SLUICE_METRICS_LABELS: "team, env" });
  assertEquals([options.metrics, warnings], [{ token, labels: ["team", "env"] }, []]);
});
