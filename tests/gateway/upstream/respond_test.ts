import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import {
  ask,
  before,
  chunk,
  completion,
  events,
  message,
  messageOf,
  pieces,
  refusal,
  STREAM,
} from "../../fakes.ts";

/** One provider of the client's own wire, and one that is translated. */
const MODELS = ["openai/m", "anthropic/claude-sonnet-4-5"];

/** The client's response to an answer of the provider, and the lines that were logged. */
async function answer(
  model: string,
  provider: Response | (() => Response | Promise<Response>),
  more: object = {},
  options: Options = {},
) {
  const logged: LogEntry[] = [];
  const { fetch } = before(() => typeof provider === "function" ? provider() : provider, {
    log: (entry) => logged.push(entry),
    ...options,
  });
  const response = await fetch(ask(model, { authorization: "Bearer sk-secret" }, more));
  const text = await response.text();
  const json = () => JSON.parse(text);
  return { status: response.status, headers: response.headers, text, json, logged };
}

// ---------------------------------------------------------------- whole answers

Deno.test("an answer on the client's own wire goes back byte for byte, under its own status and headers", async () => {
  const text = '{ "id" : "x", "n": 9007199254740993 }\n';
  for (const status of [200, 202]) {
    const provider = new Response(text, {
      status,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "x-request-id": "req_1",
        "x-ratelimit-remaining-tokens": "9",
        "openai-processing-ms": "5",
        "set-cookie": "a=b",
        "content-length": "999",
        "content-encoding": "identity",
        "strict-transport-security": "max-age=1",
        "alt-svc": 'h3=":443"',
      },
    });
    const { headers, ...answered } = await answer("openai/m", provider);
    assertEquals([answered.status, answered.text], [status, text]);
    const names = [...headers.keys()].filter((name) =>
      !name.startsWith("cf-aig-") && name !== "server-timing"
    );
    assertEquals(names, [
      "content-type",
      "openai-processing-ms",
      "x-ratelimit-remaining-tokens",
      "x-request-id",
    ]);
  }
});

Deno.test("a translated answer keeps the provider's rate limits and request id", async () => {
  const provider = message("Hi");
  provider.headers.set("anthropic-ratelimit-requests-remaining", "9");
  provider.headers.set("request-id", "req_1");
  const { json, headers } = await answer("anthropic/claude-sonnet-4-5", provider);
  assertEquals(json().choices[0].message.content, "Hi");
  assertEquals(headers.get("content-type"), "application/json");
  assertEquals([headers.get("anthropic-ratelimit-requests-remaining"), headers.get("request-id")], [
    "9",
    "req_1",
  ]);
});

Deno.test("a whole answer to a request for a stream is streamed to the client", async () => {
  const { headers, text } = await answer("anthropic/claude-sonnet-4-5", message("Hi"), { stream: true });
  assertEquals(headers.get("content-type"), "text/event-stream");
  assert(text.includes('"content":"Hi"') && text.endsWith("data: [DONE]\n\n"), text);
});

Deno.test("JSON under any label is an answer", async () => {
  for (const type of ["application/octet-stream", "text/plain", "text/html; charset=utf-8"]) {
    const provider = new Response('{"id":"x"}', { headers: { "content-type": type } });
    const { status, text, headers } = await answer("openai/m", provider);
    // Labelled as JSON: a page of the provider must not run under the gateway's address.
    assertEquals([status, text, headers.get("content-type")], [200, '{"id":"x"}', "application/json"]);
  }
  const nameless = new Response(new TextEncoder().encode('{"id":"x"}'));
  assertEquals((await answer("openai/m", nameless)).text, '{"id":"x"}');
});

Deno.test("events under any label but a page's are handed through where a stream was asked for", async () => {
  for (const type of ["text/plain", "application/octet-stream", undefined]) {
    const provider = new Response(pieces(...STREAM), { headers: type ? { "content-type": type } : {} });
    assertEquals((await answer("openai/m", provider, { stream: true })).text, STREAM.join(""));
  }
});

// ---------------------------------------------------------------- bodies that are not answers

Deno.test("a page in place of JSON is 502, with its status and its first bytes", async () => {
  const page = `<html>${"x".repeat(1000)}`;
  for (const model of MODELS) {
    for (const [status, stream] of [[200, false], [200, true], [500, false], [503, true]] as const) {
      const provider = new Response(page, {
        status,
        headers: { "content-type": "text/html", "retry-after": "7" },
      });
      const { logged, ...answered } = await answer(model, provider, { stream });
      const { error } = answered.json();
      assertEquals([answered.status, error.code, error.type], [502, "2005", "server_error"]);
      assertEquals(error.metadata, { provider: model.split("/")[0], status, body: page.slice(0, 500) });
      assertEquals(answered.headers.get("retry-after"), "7");
      assertEquals(answered.headers.get("content-type"), "application/json");
      assertEquals(logged.length, 1);
    }
  }
});

Deno.test("an answer that is empty, cut off or not an object is 502", async () => {
  for (const text of ["", '{"id":', "null", "5", '"x"']) {
    const provider = new Response(text, { headers: { "content-type": "application/json" } });
    const { status, json } = await answer("anthropic/claude-sonnet-4-5", provider);
    assertEquals([status, json().error.code], [502, "2005"], text);
  }
});

Deno.test("a success without a body is 502 on the client's own wire too, and the next model is tried", async () => {
  const empty = { "content-length": "0", "content-type": "application/json" };
  for (const nothing of [new Response("", { headers: empty }), new Response(null, { status: 204 })]) {
    const { status, json, logged } = await answer("openai/m", () => Promise.resolve(nothing.clone()));
    const { error } = json();
    const message = `openai answered ${nothing.status} with an empty body`;
    assertEquals([status, error.code, error.message], [502, "2005", message]);
    assertEquals(error.metadata, { provider: "openai", status: nothing.status });
    assertEquals(logged.map(messageOf), [message]);
    const fetch = (url: string) =>
      Promise.resolve(url.startsWith("https://api.openai.com/") ? nothing.clone() : completion());
    const fallback = await answer("openai/m", completion(), { models: ["groq/m"] }, { fetch });
    assertEquals(fallback.status, 200);
  }
});

Deno.test("an answer that breaks off before it can be read is 502", async () => {
  const broken = (status: number, type: string) =>
    new Response(pieces('{"id":', new Error("connection reset")), {
      status,
      headers: { "content-type": type },
    });
  const cases: [string, Response][] = [
    ["anthropic/claude-sonnet-4-5", broken(200, "application/json")],
    ["anthropic/claude-sonnet-4-5", broken(500, "application/json")],
    ["openai/m", broken(429, "application/json")],
    ["openai/m", broken(200, "text/html")],
  ];
  for (const [model, provider] of cases) {
    const { status, json, logged } = await answer(model, provider);
    assertEquals([status, json().error.code, logged[0].status], [502, "2005", 502], model);
  }
});

Deno.test("a redirect is never followed, and its body is cancelled", async () => {
  for (const model of MODELS) {
    for (const status of [301, 302, 303, 307, 308, 300, 304]) {
      let cancelled = false;
      const body = status === 304 ? null : new ReadableStream({ cancel: () => void (cancelled = true) });
      const provider = new Response(body, { status, headers: { location: "https://evil.example/" } });
      const { fetch, sent } = before(() => provider);
      const response = await fetch(ask(model));
      const text = await response.text();
      assertEquals([response.status, response.headers.get("location"), sent.length], [502, null, 1]);
      assert(!text.includes("evil"), text);
      assertEquals(cancelled, body !== null);
    }
  }
  // A redirect as `fetch` returns it in browsers.
  const hidden = new Response(null);
  Object.defineProperty(hidden, "status", { value: 0 });
  assertEquals((await answer("openai/m", hidden)).status, 502);
});

Deno.test("the runtime is told not to follow redirects", async () => {
  let redirect: string | undefined;
  const fetch = (_: string, init: RequestInit) => {
    redirect = init.redirect;
    return Promise.resolve(completion());
  };
  await answer("openai/m", completion(), {}, { fetch });
  assertEquals(redirect, "manual");
});

Deno.test("a provider that cannot be reached is 502", async () => {
  for (const model of MODELS) {
    const unreachable = () =>
      Promise.reject(new TypeError("connection refused to https://api.example/?key=x"));
    const { status, json, logged } = await answer(model, unreachable);
    const { error } = json();
    const provider = model.split("/")[0];
    assertEquals([status, error.code, error.metadata], [502, "2005", { provider }]);
    assertEquals(error.message, `Cannot reach ${provider}: no answer to the request`);
    assertEquals([logged.length, messageOf(logged[0])!.endsWith("(TypeError)")], [1, true]);
  }
});

Deno.test("the reason why a provider cannot be reached is in our own words", async () => {
  const coded = (code: string) => Object.assign(new TypeError("at https://api.example/?key=x"), { code });
  const sending = "error sending request for url (https://api.example/?key=x): client error";
  const causes: [Error, string][] = [
    [coded("ECONNREFUSED"), "the connection was refused"],
    [coded("ENOTFOUND"), "its host was not found"],
    [coded("ECONNRESET"), "the connection was closed before an answer"],
    [coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "no secure connection could be made"],
    [coded("DEPTH_ZERO_SELF_SIGNED_CERT"), "no secure connection could be made"],
    [
      new TypeError(`${sending} (Connect): dns error: failed to lookup address information`),
      "its host was not found",
    ],
    [
      new TypeError("fetch failed", {
        cause: new Error(`${sending} (Connect): tcp connect error: Connection refused (os error 111)`),
      }),
      "the connection was refused",
    ],
    [new TypeError("for https://certs.example/tls"), "no answer to the request"],
    [new TypeError(`${sending} (Connect): tls handshake eof`), "no secure connection could be made"],
    [
      new TypeError(`${sending} (Connect): invalid peer certificate: UnknownIssuer`),
      "no secure connection could be made",
    ],
  ];
  for (const [cause, why] of causes) {
    const { json, logged } = await answer("openai/m", () => Promise.reject(cause));
    assertEquals(json().error.message, `Cannot reach openai: ${why}`);
    assertEquals(logged.map(messageOf), [`Cannot reach openai: ${why} (TypeError)`]);
  }
});

// ---------------------------------------------------------------- errors

Deno.test("an OpenAI error on the client's own wire goes back byte for byte", async () => {
  const text = '{ "error" : {"message":"no","type":"t","param":null,"code":null, "more": 1.0} }';
  const headers = { "content-type": "application/octet-stream", "retry-after": "3", "x-request-id": "r" };
  const { logged, ...answered } = await answer("openai/m", new Response(text, { status: 429, headers }));
  assertEquals([answered.status, answered.text], [429, text]);
  assertEquals(answered.headers.get("content-type"), "application/json");
  assertEquals([answered.headers.get("retry-after"), answered.headers.get("x-request-id")], ["3", "r"]);
  assertEquals(
    logged.map(({ level, status, error, provider, model }) => [level, status, error, provider, model]),
    [
      ["error", 429, { status: 429, type: "t", code: undefined }, "openai", "m"],
    ],
  );
});

Deno.test("a prompt that does not fit has OpenAI's code, whoever says so and in whatever words", async () => {
  const told = (code: string | null) => ({
    error: { message: "This model's maximum context length is 9 tokens.", type: "t", param: null, code },
  });
  const bodies: [string, unknown][] = [
    ["openai/m", told("context_length_exceeded")],
    ["deepseek/m", told("invalid_request_error")],
    ["groq/m", told(null)],
    ["anthropic/m", {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 9 > 5" },
    }],
  ];
  for (const [model, body] of bodies) {
    const { status, json } = await answer(model, Response.json(body, { status: 400 }));
    const { error } = json();
    assertEquals([status, error.code], [400, "context_length_exceeded"], model);
    // An error that already has the code is returned unchanged.
    if (model === "openai/m") assertEquals(json(), body);
    else assertEquals(error.metadata.original, body);
  }
});

Deno.test("any other error becomes OpenAI's, with the provider's status and its original beside it", async () => {
  const bodies: [string, number, unknown, string][] = [
    ["openai/m", 400, { detail: "no" }, "no"],
    ["openai/m", 401, { code: "c", error: "no" }, "no"],
    ["openai/m", 403, "no", "no"],
    ["openai/m", 404, "", "The provider answered 404 without a message"],
    ["openai/m", 500, [], "The provider answered 500 without a message"],
    ["anthropic/m", 529, { type: "error", error: { type: "overloaded_error", message: "no" } }, "no"],
  ];
  for (const [model, status, body, expected] of bodies) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const provider = new Response(text, { status, headers: { "request-id": "req_1", "retry-after": "3" } });
    const answered = await answer(model, provider);
    const { error } = answered.json();
    assertEquals([answered.status, error.message], [status, expected], text);
    assertEquals(error.metadata, { original: body, provider: model.split("/")[0], request_id: "req_1" });
    assertEquals(answered.headers.get("retry-after"), "3");
  }
});

Deno.test("an error under status 200 is an error, under the status of its type", async () => {
  for (const [type, expected] of [["overloaded_error", 529], ["rate_limit_error", 429]] as const) {
    const body = { type: "error", error: { type, message: "no" } };
    const { status, json } = await answer("anthropic/m", Response.json(body));
    assertEquals([status, json().error.message], [expected, "no"]);
  }
});

// ---------------------------------------------------------------- streams

Deno.test("a stream on the client's own wire is the provider's, byte for byte and unbuffered", async () => {
  const { promise: waited, resolve } = Promise.withResolvers<void>();
  const { fetch } = before(() => events(STREAM[0], waited, ...STREAM.slice(1)));
  const response = await fetch(ask("openai/m", {}, { stream: true }));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader.read()).value, STREAM[0], "before the rest is there");
  resolve();
  let rest = "";
  for (let step = await reader.read(); !step.done; step = await reader.read()) rest += step.value;
  assertEquals(rest, STREAM.slice(1).join(""));
});

Deno.test("a stream on the client's own wire that breaks off ends as a broken connection", async () => {
  const { fetch } = before(() => events(STREAM[0], chunk({ content: "H" }), new Error("connection reset")));
  const response = await fetch(ask("openai/m", {}, { stream: true }));
  await assertRejects(() => response.text(), Error, "connection reset");
});

Deno.test("a translated stream that breaks off ends with an error event, and is logged once", async () => {
  const start = 'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{}}}\n\n';
  const provider = events(start, new Error("connection reset"));
  const { text, logged, status } = await answer("anthropic/m", provider, { stream: true });
  const last = text.trimEnd().split("\n\n").at(-1)!;
  const { error } = JSON.parse(last.slice("data: ".length));
  assertEquals([status, error.code, error.type], [200, "upstream_broke_off", "server_error"]);
  assert(!text.includes("[DONE]"));
  assertEquals(logged.map(({ status, provider }) => [status, provider]), [[200, "anthropic"]]);
});

// ---------------------------------------------------------------- the log

Deno.test("the log holds neither keys nor prompts nor answers, whatever goes wrong", async () => {
  const secret = "my secret prompt";
  const logged: LogEntry[] = [];
  const log = (entry: LogEntry) => void logged.push(entry);
  const providers = [
    () => refusal(401),
    () => Response.json({ error: { message: `Bad key sk-secret for ${secret}` } }, { status: 400 }),
    () => new Response(`<html>${secret}`, { status: 502 }),
    () => new Response(secret),
    () => Promise.reject(new Error(secret)),
    () => events(new Error(secret)),
  ];
  for (const provider of providers) {
    for (const model of [...MODELS, `nobody/m`, "m"]) {
      for (const stream of [false, true]) {
        const { fetch } = before(provider, { log });
        const messages = [
          { role: "user", content: secret },
          stream ? { role: secret } : { role: "user", content: "" },
        ];
        const request = ask(model, { authorization: "Bearer sk-secret" }, { messages, stream });
        await (await fetch(request)).text().catch(() => {});
      }
    }
  }
  assert(logged.length > 30);
  const all = JSON.stringify(logged);
  assert(!all.includes("secret"), all);
});

Deno.test("advice to wait that a provider gives in its body comes as whole seconds, rounded up", async () => {
  const error = {
    code: 429,
    message: "quota",
    status: "RESOURCE_EXHAUSTED",
    details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.2s" }],
  };
  const { status, headers } = await answer(
    "google-ai-studio/gemini-x",
    Response.json({ error }, { status: 429 }),
  );
  assertEquals([status, headers.get("retry-after")], [429, "2"]);
});

Deno.test("a refusal that is not JSON is quoted up to 500 characters", async () => {
  for (const model of ["openai/m", "anthropic/m", "cohere/m", "google-ai-studio/m"]) {
    const { status, json } = await answer(model, new Response("x".repeat(10_000), { status: 400 }));
    assertEquals([status, json().error.message], [400, "x".repeat(500)], model);
  }
});

Deno.test("a whole answer that is read, or an error, makes no stream of its body", async () => {
  const cases: [model: string, answer: Response][] = [
    ["anthropic/claude-sonnet-4-5", message()],
    ["anthropic/claude-sonnet-4-5", refusal(400)],
    ["openai/gpt-4.1", refusal(400)],
  ];
  for (const [model, answer] of cases) {
    const text = await answer.text();
    const { status, headers } = answer;
    headers.set("content-length", `${text.length}`);
    const upstream = new Response(text, { status, headers });
    let asked = 0;
    Object.defineProperty(upstream, "body", { get: () => void asked++ });
    const response = await before(() => upstream).fetch(ask(model, { authorization: "Bearer sk-client" }));
    assertEquals([response.status, asked], [status, 0], model);
    await response.text();
  }
});
