import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { createGateway } from "../../../gateway/gateway.ts";
import { uuidv7 } from "../../../gateway/ids.ts";
import {
  ask,
  before,
  completion,
  events,
  message,
  messageOf,
  messages,
  pieces,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const step = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt" } };

/** One request of each kind, with the provider and model that its answer names. */
const REQUESTS: [string, (headers?: Record<string, string>) => Request, string, string][] = [
  ["a whole answer", (headers) => ask("openai/gpt", headers), "openai", "gpt"],
  ["a stream", (headers) => ask("openai/gpt", headers, { stream: true }), "openai", "gpt"],
  ["a translated answer", (headers) => ask("anthropic/claude", headers), "anthropic", "claude"],
  ["the demo", (headers) => ask("demo/echo", headers), "demo", "echo"],
  [
    "a model's name with a slash",
    (headers) => ask("openrouter/meta/llama:free", headers),
    "openrouter",
    "meta/llama:free",
  ],
  ["an alias", (headers) => ask("xai/grok-4", headers), "grok", "grok-4"],
  ["universal", (headers) => post(ROOT, step, headers), "openai", "gpt"],
  ["native", (headers) => post(`${ROOT}/openai/chat/completions`, step.query, headers), "openai", "unknown"],
  [
    "Google's native path",
    (headers) => post(`${ROOT}/google/v1/models/gemini-2:generateContent`, {}, headers),
    "google-ai-studio",
    "gemini-2",
  ],
  ["models", (headers) => new Request(`${ROOT}/compat/models`, { headers }), "unknown", "unknown"],
  ["the page at /", (headers) => new Request("http://gateway.test/", { headers }), "unknown", "unknown"],
  ["health", (headers) => new Request("http://gateway.test/health", { headers }), "unknown", "unknown"],
  [
    "a path that there is none of",
    (headers) => new Request("http://gateway.test/nope", { headers }),
    "unknown",
    "unknown",
  ],
  ["a wrong method", (headers) => new Request(ROOT, { headers }), "unknown", "unknown"],
  ["a preflight", (headers) => new Request(ROOT, { method: "OPTIONS", headers }), "unknown", "unknown"],
  ["broken JSON", (headers) => post(`${ROOT}/compat/chat/completions`, "{", headers), "unknown", "unknown"],
  ["an unknown provider", (headers) => ask("nobody/x", headers), "unknown", "unknown"],
  ["an unknown native provider", (headers) => post(`${ROOT}/nobody/x`, {}, headers), "unknown", "unknown"],
];

for (const [name, request, provider, model] of REQUESTS) {
  Deno.test(`${name}: the answer says its ids, step, provider and model`, async () => {
    const at = Date.UTC(2026, 10, 24, 12);
    for (const status of [200, 400, 503]) {
      const { fetch } = before(
        ({ url, body }) =>
          status !== 200
            ? refusal(status)
            : url.includes("anthropic")
            ? message()
            : body.includes('"stream":true')
            ? events(...STREAM)
            : completion(),
        { now: () => at },
      );
      const response = await fetch(request());
      await response.text();
      const [log, id, event] = ["log", "request", "event"].map((kind) =>
        response.headers.get(`cf-aig-${kind}-id`)!
      );
      assertMatch(log, UUID_V7);
      assertEquals([id, event], [log, log]);
      assertEquals(parseInt(log.replace("-", "").slice(0, 12), 16), at);
      const seen = ["step", "provider", "model"].map((name) => response.headers.get(`cf-aig-${name}`));
      assertEquals(seen, ["0", provider, model]);
      assertMatch(response.headers.get("server-timing")!, /(^|, )sluice;dur=\d+(\.\d+)?$/);
      const own = await fetch(request({ "cf-aig-event-id": "mine 1/é" }));
      await own.text();
      assertEquals(own.headers.get("cf-aig-event-id"), "mine 1/é");
      assertMatch(own.headers.get("cf-aig-log-id")!, UUID_V7);
      assertNotEquals(own.headers.get("cf-aig-log-id"), log);
    }
  });
}

Deno.test("what a provider says in these headers is not passed on", async () => {
  const headers = {
    "cf-aig-log-id": "x",
    "cf-aig-step": "9",
    "cf-aig-provider": "x",
    "cf-aig-event-id": "x",
  };
  const { fetch } = before(() => new Response("ok", { headers }));
  const response = await fetch(post(`${ROOT}/openai/x`, {}));
  for (const [name, value] of Object.entries(headers)) assertNotEquals(response.headers.get(name), value);
});

Deno.test("the ids are there before a stream has begun", async () => {
  const { fetch } = before(() => events(new Promise(() => {})));
  const response = await fetch(ask("openai/gpt", {}, { stream: true }));
  assertMatch(response.headers.get("cf-aig-log-id")!, UUID_V7);
  await response.body!.cancel();
});

Deno.test("uuidv7() makes ids in order of time, all different", () => {
  const ids = Array.from({ length: 2000 }, (_, at) => uuidv7(1_764_000_000_000 + at));
  assertEquals([...ids].sort(), ids);
  const same = Array.from({ length: 20_000 }, () => uuidv7(0));
  assertEquals(new Set(same).size, same.length);
  for (const id of [...ids, ...same]) assertMatch(id, UUID_V7);
  // All sixteen values of each random digit, and all four of the variant.
  for (const at of [15, 16, 17, 20, 21, 22, 24, 35]) assertEquals(new Set(same.map((id) => id[at])).size, 16);
  assertEquals(new Set(same.map((id) => id[19])).size, 4);
});

// ---------------------------------------------------------------- server-timing

Deno.test("server-timing is what the gateway itself took, without providers and waits", async () => {
  let time = 0;
  const slowly = <T>(value: T, ms: number): T => {
    time += ms;
    return value;
  };
  const options: Options = {
    now: () => time,
    random: () => slowly(0.5, 3),
    wait: (ms) => Promise.resolve().then(() => slowly(undefined, ms)),
  };
  const body = (text: string) => {
    const later = Promise.resolve().then(() => slowly(0, 1000));
    return new Response(pieces(later, text), { headers: { "content-type": "application/json" } });
  };
  const whole = async () => await message().text();
  const { fetch } = before(
    async (_, at) => slowly(at === 0 ? refusal(503) : body(await whole()), 200),
    options,
  );
  const response = await fetch(
    ask("anthropic/claude", { "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "5000" }),
  );
  assertEquals(response.status, 200);
  // Two random numbers are used: for the wait, and for the id of an answer that may have none.
  assertEquals(response.headers.get("server-timing"), "sluice;dur=6");
});

Deno.test("server-timing keeps what a provider says", async () => {
  const { fetch } = before(() => new Response("ok", { headers: { "server-timing": "db;dur=5" } }));
  const response = await fetch(post(`${ROOT}/openai/x`, {}));
  assertMatch(response.headers.get("server-timing")!, /^db;dur=5, sluice;dur=/);
});

// ---------------------------------------------------------------- envelopes and codes

/** Failures, each as a request of the three doors, with its status and code. */
const FAILURES: [
  string,
  number,
  number,
  Options,
  (sent: { signal: AbortSignal }) => Response | Promise<Response>,
][] = [
  ["an upstream that cannot be reached", 502, 2005, {}, () => Promise.reject(new TypeError("refused"))],
  [
    "an upstream that does not answer",
    504,
    2005,
    { requestTimeoutMs: 10 },
    ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  ],
  ["a token that is missing", 401, 2009, { tokens: ["t"] }, () => completion()],
];

for (const [name, status, code, options, answer] of FAILURES) {
  Deno.test(`${name} is ${status} with ${code}, in the words of each door`, async () => {
    const { fetch } = before(answer, options);
    for (const request of [post(ROOT, step), post(`${ROOT}/openai/x`, {})]) {
      const response = await fetch(request);
      assertEquals([response.status, response.headers.get("content-type")], [status, "application/json"]);
      const body = await response.json();
      const { message } = body;
      assertEquals(body, {
        success: false,
        result: [],
        messages: [],
        error: [{ code, message }],
        name: "AiGatewayError",
        httpCode: status,
        internalCode: code,
        message,
      });
      assertMatch(message, /^Cannot /);
    }
    for (const path of ["/v1/acct/gw/compat", "/compat", "/v1", ""]) {
      const url = `http://gateway.test${path}/chat/completions`;
      const response = await fetch(post(url, { model: "openai/gpt", messages }));
      assertEquals([response.status, response.headers.get("content-type")], [status, "application/json"]);
      const { error } = await response.json();
      assertEquals(error.code, `${code}`);
      assertMatch(error.message, /^Cannot /);
    }
  });
}

Deno.test("each of Cloudflare's error codes stands for the errors that Cloudflare gives it to", async () => {
  const { fetch } = createGateway({ fetch: () => Promise.reject(new TypeError("none")) });
  const cases: [Request, number, number][] = [
    [ask("nobody/x"), 400, 2008],
    [ask("gpt"), 400, 2019],
    [ask("/x"), 400, 2019],
    [ask("elevenlabs/x"), 400, 2019],
    [post(`${ROOT}/compat/moderations`, {}), 400, 2019],
    [post(`${ROOT}/compat/v1/embeddings`, {}), 400, 2019],
    [post(`${ROOT}/nobody/x`, {}), 400, 2008],
    [post(ROOT, { provider: "nobody", endpoint: "x" }), 400, 2008],
    [ask("openai/x"), 502, 2005],
  ];
  for (const [request, status, code] of cases) {
    const response = await fetch(request);
    const { error } = await response.json();
    assertEquals([response.status, Number(error.code ?? error[0].code)], [status, code], request.url);
  }
  const unsupported = await (await fetch(post(`${ROOT}/compat/moderations`, {}))).json();
  assertStringIncludes(unsupported.error.message, "Compatibility endpoint: moderations is not supported.");
});

Deno.test("a wrong method gets an error in the shape of its door", async () => {
  const { fetch } = createGateway();
  const universal = await fetch(new Request(ROOT));
  assertEquals([universal.status, universal.headers.get("allow")], [405, "POST, OPTIONS"]);
  assertEquals((await universal.json()).name, "AiGatewayError");
  const compat = await fetch(new Request(`${ROOT}/compat/chat/completions`));
  assertEquals([compat.status, compat.headers.get("allow")], [405, "POST, OPTIONS"]);
  assertEquals((await compat.json()).error.code, "method_not_allowed");
});

Deno.test("an internal error is 500 and does not tell its cause", async () => {
  const logged: LogEntry[] = [];
  const random = () => {
    throw new RangeError("secret of the stack");
  };
  for (
    const request of [
      ask("anthropic/claude"),
      post(ROOT, {
        provider: "compat",
        endpoint: "chat/completions",
        query: { model: "anthropic/claude", messages },
      }),
    ]
  ) {
    const { fetch } = before(() => message(), { random, log: (entry) => logged.push(entry) });
    const response = await fetch(request);
    assertEquals(response.status, 500);
    assert(!(await response.text()).includes("secret"));
  }
  assertEquals(
    logged.map(({ error, provider, model }) => [(error as { code: string }).code, provider, model]),
    Array(2).fill(["internal", "anthropic", "claude"]),
  );
  assertStringIncludes(messageOf(logged[0])!, "RangeError");
  assert(!JSON.stringify(logged).includes("secret"));
});
