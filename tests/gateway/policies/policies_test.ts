import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { retryAfter, retryDelay } from "../../../gateway/policies/delay.ts";
import { DEFAULTS } from "../../../gateway/policies/settings.ts";
import { deadline } from "../../../gateway/policies/timers.ts";
import { wait } from "../../../wires/shared/wait.ts";
import {
  ask,
  before,
  chunk,
  clock,
  completion,
  events,
  message,
  pieces,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";

const step = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt" } };

/** The three doors that send, each asking OpenAI. */
const DOORS: [string, (headers?: Record<string, string>) => Request][] = [
  ["compat", (headers) => ask("openai/gpt", headers)],
  ["native", (headers) => post(`${ROOT}/openai/chat/completions`, step.query, headers)],
  ["universal", (headers) => post(ROOT, [step], headers)],
];

// ---------------------------------------------------------------- settings

const BAD_HEADERS: [string, string[]][] = [
  ["cf-aig-max-attempts", ["0", "6", "-1", "1.5", "", "many", "1e1", "0x2", "99999999999999999999"]],
  ["cf-aig-retry-delay", ["-1", "60001", "soon", "1.5", "1s"]],
  ["cf-aig-request-timeout", ["-1", "later", "1.5", "2147483648", "Infinity"]],
  ["cf-aig-backoff", ["quadratic", "Exponential", "constructor", ""]],
];

const BAD_CONFIG: [string, unknown[]][] = [
  ["maxAttempts", [0, 6, -1, 1.5, "many", true, [], {}]],
  ["retryDelay", [-1, 60_001, "soon"]],
  ["requestTimeout", [-1, 1e12, "later"]],
  ["backoff", ["quadratic", 1, "toString"]],
];

for (const [door, request] of DOORS) {
  Deno.test(`${door}: a policy header out of its limits is 400 that names it, and nothing is sent`, async () => {
    const { fetch, sent } = before(() => completion());
    for (const [name, values] of BAD_HEADERS) {
      for (const value of values) {
        const response = await fetch(request({ [name]: value }));
        assertEquals(response.status, 400, `${name}: ${value}`);
        assertStringIncludes(await response.text(), name);
      }
    }
    assertEquals(sent.length, 0);
  });

  Deno.test(`${door}: policy headers at their limits are taken`, async () => {
    const { fetch, sent } = before(() => completion());
    const good = {
      "cf-aig-max-attempts": "5",
      "cf-aig-retry-delay": "60000",
      "cf-aig-request-timeout": "2147483647",
      "cf-aig-backoff": "linear",
    };
    for (
      const headers of [good, {
        "cf-aig-max-attempts": "1",
        "cf-aig-retry-delay": "0",
        "cf-aig-request-timeout": "0",
      }]
    ) {
      const response = await fetch(request(headers));
      assertEquals(response.status, 200);
      await response.text();
    }
    assertEquals(sent.length, 2);
  });
}

Deno.test("a step's config out of its limits is 400 with its path", async () => {
  const { fetch, sent } = before(() => completion());
  for (const [name, values] of BAD_CONFIG) {
    for (const value of values) {
      const response = await fetch(post(ROOT, [step, { ...step, config: { [name]: value } }]));
      assertEquals(response.status, 400, `${name}: ${value}`);
      assertEquals((await response.json()).param, `[1].config.${name}`);
    }
  }
  assertEquals(sent.length, 0);
});

Deno.test("options out of the same limits are refused at start", () => {
  const bad: Options[] = [
    { retries: { maxAttempts: 6 } },
    { retries: { retryDelayMs: 60_001 } },
    // deno-lint-ignore no-explicit-any
    { retries: { backoff: "quadratic" as any } },
    { requestTimeoutMs: -1 },
    { streamIdleTimeoutMs: 2 ** 31 },
  ];
  for (const options of bad) {
    const error = assertThrows(() => createGateway(options), TypeError) as Error;
    assertStringIncludes(error.message, Object.keys(options)[0]);
  }
});

Deno.test("config wins over a step's headers, they over the request's, they over the options", async () => {
  const tries = async (config: object, own: object, request: Record<string, string>, options: Options) => {
    const { fetch, sent } = before(() => refusal(503), { ...options, ...clock().options });
    await fetch(post(ROOT, [{ ...step, config, headers: own }], request));
    return sent.length;
  };
  const config = { maxAttempts: 2 };
  const own = { "CF-AIG-Max-Attempts": 3 };
  const request = { "cf-aig-max-attempts": "4" };
  const options = { retries: { maxAttempts: 5 } };
  assertEquals(await tries(config, own, request, options), 2);
  assertEquals(await tries({}, own, request, options), 3);
  assertEquals(await tries({}, {}, request, options), 4);
  assertEquals(await tries({}, {}, {}, options), 5);
  assertEquals(await tries({}, {}, {}, {}), 1);
  // Each setting by itself.
  assertEquals(await tries({ backoff: "linear" }, { "cf-aig-retry-delay": "1" }, request, options), 4);
});

// ---------------------------------------------------------------- retries

for (const [door, request] of DOORS) {
  Deno.test(`${door}: only failures that may pass are tried again`, async () => {
    const passing = [408, 409, 425, 429, 500, 501, 502, 503, 504, 520, 524, 529];
    const lasting = [400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 424, 451, 499];
    for (const status of [...passing, ...lasting]) {
      const { fetch, sent } = before(() => refusal(status), clock().options);
      const response = await fetch(request({ "cf-aig-max-attempts": "3" }));
      assertEquals(response.status, status);
      assertStringIncludes(await response.text(), `No: ${status}`);
      assertEquals(sent.length, passing.includes(status) ? 3 : 1, `${status}`);
    }
  });

  Deno.test(`${door}: a network that fails is tried again, and is 502 with 2005 when it stays so`, async () => {
    const fail = () => Promise.reject(new TypeError("error sending request"));
    const { fetch, sent } = before(fail, clock().options);
    const response = await fetch(request({ "cf-aig-max-attempts": "5" }));
    assertEquals([response.status, sent.length], [502, 5]);
    const { error } = await response.json();
    assertEquals(String(error.code ?? error[0].code), "2005");
    const again = before((_, at) => at < 2 ? fail() : completion("third time"), clock().options);
    const third = await again.fetch(request({ "cf-aig-max-attempts": "3" }));
    assertStringIncludes(await third.text(), "third time");
  });

  Deno.test(`${door}: the same body and headers are sent each time`, async () => {
    const { fetch, sent } = before((_, at) => at < 4 ? refusal(500) : completion(), clock().options);
    const response = await fetch(request({ "cf-aig-max-attempts": "5", authorization: "Bearer k" }));
    assertEquals(response.status, 200);
    await response.text();
    assert(sent[0].body.includes("gpt"));
    for (const { url, method, body, headers } of sent) {
      assertEquals([url, method, body], [sent[0].url, "POST", sent[0].body]);
      assertEquals([...headers], [...sent[0].headers]);
    }
  });
}

Deno.test("a redirect is not an answer on compat, and is tried again", async () => {
  const away = () => new Response(null, { status: 302, headers: { location: "https://elsewhere.test/" } });
  const { fetch, sent } = before((_, at) => at === 0 ? away() : completion(), clock().options);
  assertEquals((await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }))).status, 200);
  assertEquals(sent.map(({ url }) => new URL(url).host), ["api.openai.com", "api.openai.com"]);
});

Deno.test("the wait grows as the backoff says, with full jitter, up to a minute", async () => {
  const waits = async (backoff: string, delay: string) => {
    const time = clock();
    const { fetch } = before(() => refusal(503), time.options);
    const headers = { "cf-aig-max-attempts": "5", "cf-aig-retry-delay": delay, "cf-aig-backoff": backoff };
    await fetch(ask("openai/gpt", headers));
    return time.waits;
  };
  // The random number is 0.5.
  assertEquals(await waits("constant", "1000"), [500, 500, 500, 500]);
  assertEquals(await waits("linear", "1000"), [500, 1000, 1500, 2000]);
  assertEquals(await waits("exponential", "1000"), [500, 1000, 2000, 4000]);
  assertEquals(await waits("exponential", "60000"), [30_000, 30_000, 30_000, 30_000]);
  assertEquals(await waits("exponential", "0"), []);
});

Deno.test("retry-after is waited for as it says, up to a minute, and not tried against beyond", async () => {
  const at = Date.UTC(2026, 10, 24);
  const date = (seconds: number) => new Date(at + seconds * 1000).toUTCString();
  const cases: [Record<string, string>, number[]][] = [
    [{ "retry-after": "2" }, [2000]],
    [{ "retry-after": "0.5" }, [500]],
    [{ "retry-after": "0" }, []],
    [{ "retry-after": "60" }, [60_000]],
    [{ "retry-after-ms": "250", "retry-after": "9" }, [250]],
    [{ "retry-after": date(5) }, [5000]],
    [{ "retry-after": date(-5) }, []],
    [{ "retry-after": "soon" }, [500]],
    [{ "retry-after": "-5" }, [500]],
    [{ "retry-after": "5 minutes" }, [500]],
  ];
  for (const [headers, waits] of cases) {
    const time = clock(at);
    const { fetch, sent } = before((_, at) => at === 0 ? refusal(429, headers) : completion(), time.options);
    const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }));
    assertEquals([response.status, sent.length], [200, 2]);
    assertEquals(time.waits, waits, JSON.stringify(headers));
  }
  for (const value of ["61", "86400", date(61)]) {
    const time = clock(at);
    const { fetch, sent } = before(() => refusal(429, { "retry-after": value }), time.options);
    const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }));
    assertEquals([response.status, sent.length, time.waits.length], [429, 1, 0]);
    assertEquals(response.headers.get("retry-after"), value);
  }
});

Deno.test("retry-after is waited for as well when the failure is a page, text or nothing", async () => {
  for (
    const [type, body] of [["text/html", "<h1>503</h1>"], ["text/plain", "overloaded"], ["text/html", ""]]
  ) {
    const failing = (value: string) => () =>
      new Response(body, { status: 503, headers: { "content-type": type, "retry-after": value } });
    const time = clock();
    const seven = failing("7");
    const { fetch } = before((_, at) => at === 0 ? seven() : completion(), time.options);
    assertEquals((await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }))).status, 200);
    assertEquals(time.waits, [7000], type);
    const hour = before(failing("3600"), time.options);
    const response = await hour.fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }));
    assertEquals([response.status, hour.sent.length], [502, 1]);
    assertEquals(response.headers.get("retry-after"), "3600");
  }
});

Deno.test("retryAfter() reads seconds, milliseconds and dates, and nothing that only looks like one", () => {
  const now = Date.UTC(2026, 10, 24);
  const cases: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": " " }, undefined],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": " 2 " }, 2000],
    [{ "retry-after": "2s" }, undefined],
    [{ "retry-after": "s2" }, undefined],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "1." }, undefined],
    [{ "retry-after": "NaN" }, undefined],
    [{ "retry-after": "-1" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, 0],
    [{ "retry-after": "Tue, 24 Nov 2026 00:00:07 GMT" }, 7000],
    [{ "retry-after": "Tuesday, 24-Nov-26 00:00:07 GMT" }, 7000],
    [{ "retry-after": "Tue Nov 24 2026 00:00:07 GMT" }, 7000],
    [{ "retry-after": "on Tue, 24 Nov 2026 00:00:07 GMT" }, undefined],
    [{ "retry-after": "24 Nov 2026 00:00:07 GMT" }, undefined],
    [{ "retry-after": "Xyz, 99 Foo" }, undefined],
    [{ "retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "250.5" }, 250.5],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after-ms": "5x" }, undefined],
    [{ "retry-after-ms": "x5" }, undefined],
    [{ "retry-after-ms": "-5", "retry-after": "9" }, 9000],
  ];
  for (const [headers, ms] of cases) {
    assertEquals(retryAfter(new Headers(headers), now), ms, JSON.stringify(headers));
  }
});

Deno.test("retryDelay() keeps to what the provider asks up to a minute, and else grows with the tries", () => {
  const now = Date.UTC(2026, 10, 24);
  const asked = (seconds: string) =>
    retryDelay(new Headers({ "retry-after": seconds }), 1, DEFAULTS, now, 0.5);
  assertEquals(["0", "60", "60.001", "99999999999"].map(asked), [0, 60_000, undefined, undefined]);
  const growth = {
    constant: [500, 500, 500, 500, 500],
    linear: [500, 1000, 1500, 2000, 2500],
    exponential: [500, 1000, 2000, 4000, 8000],
  };
  for (const [backoff, waits] of Object.entries(growth) as [keyof typeof growth, number[]][]) {
    const delays = waits.map((_, at) => retryDelay(undefined, at + 1, { ...DEFAULTS, backoff }, now, 0.5));
    assertEquals(delays, waits, backoff);
  }
  const slow = { ...DEFAULTS, retryDelayMs: 60_000 };
  assertEquals(retryDelay(undefined, 5, slow, now, 0.999), 59_940, "at most a minute");
});

// ---------------------------------------------------------------- fallback

Deno.test("any failure moves on to the next step, after the step's own tries", async () => {
  for (const status of [400, 401, 404, 429, 500]) {
    const { fetch, sent } = before(
      ({ url }) => url.includes("openai") ? refusal(status) : message("from the second"),
      clock().options,
    );
    const second = { provider: "anthropic", endpoint: "v1/messages", query: { model: "claude" } };
    const response = await fetch(post(ROOT, [{ ...step, config: { maxAttempts: 2 } }, second]));
    assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "1"]);
    assertEquals(response.headers.get("cf-aig-provider"), "anthropic");
    assertStringIncludes(await response.text(), "from the second");
    assertEquals(sent.length, status === 429 || status === 500 ? 3 : 2);
  }
});

Deno.test("when all steps fail the last one's answer is returned", async () => {
  const { fetch } = before((_, at) => refusal(500 + at), clock().options);
  const response = await fetch(post(ROOT, [step, step, step]));
  assertEquals([response.status, response.headers.get("cf-aig-step")], [502, "2"]);
  assertStringIncludes(await response.text(), "No: 502");
  const dead = before(
    (_, at) => at < 2 ? refusal(500) : Promise.reject(new TypeError("dead")),
    clock().options,
  );
  const lost = await dead.fetch(post(ROOT, [step, step, step]));
  assertEquals([lost.status, lost.headers.get("cf-aig-step")], [502, "2"]);
  assertEquals((await lost.json()).internalCode, 2005);
});

Deno.test("a body that nobody will read is cancelled before the wait", async () => {
  const cancelled: number[] = [];
  const held = (at: number) =>
    new Response(new ReadableStream({ cancel: () => void cancelled.push(at) }), { status: 503 });
  const wait: Options["wait"] = () => Promise.resolve(void cancelled.push(-1));
  const { fetch } = before((_, at) => at < 2 ? held(at) : completion(), { ...clock().options, wait });
  const response = await fetch(post(`${ROOT}/openai/x`, {}, { "cf-aig-max-attempts": "3" }));
  assertEquals(response.status, 200);
  assertEquals(cancelled, [0, -1, 1, -1]);
  await response.text();
});

// ---------------------------------------------------------------- streams that fail early

const ROLE = chunk({ role: "assistant", content: "" });
const ERROR = `data: ${
  JSON.stringify({ error: { message: "overloaded", type: "server_error", code: 503 } })
}\n\n`;

const EARLY: [string, () => Response][] = [
  ["an error event", () => events(ERROR)],
  ["an error event after a role", () => events(ROLE, ERROR)],
  ["a dead socket", () => events(new TypeError("connection reset"))],
  ["a dead socket after a role", () => events(ROLE, ROLE, new TypeError("connection reset"))],
  ["an end without an event", () => events()],
  ["an end after comments", () => events(": hello\n\n", ": still here\n\n")],
  ["an end after a role", () => events(ROLE)],
];

for (const [name, first] of EARLY) {
  Deno.test(`a stream that begins with ${name} is a failure as long as anything is left to try`, async () => {
    for (
      const request of [
        ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }),
        ask("openai/gpt", {}, { stream: true, models: ["groq/llama"] }),
        post(`${ROOT}/openai/chat/completions`, { stream: true }, { "cf-aig-max-attempts": "2" }),
        post(ROOT, [step, step]),
        post(ROOT, [{ ...step, config: { maxAttempts: 2 } }]),
      ]
    ) {
      const { fetch, sent } = before((_, at) => at === 0 ? first() : events(...STREAM), clock().options);
      const response = await fetch(request);
      assertEquals(await response.text(), STREAM.join(""), "not one byte of the first");
      assertEquals(sent.length, 2);
    }
  });
}

Deno.test("an event stream of another wire is read in its own words", async () => {
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"model":"c","role":"assistant","usage":{}}}\n\n';
  const ping = 'event: ping\ndata: {"type":"ping"}\n\n';
  const overloaded =
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
  for (
    const request of [
      ask("anthropic/claude", {}, { stream: true, models: ["openai/gpt"] }),
      post(ROOT, [{ provider: "anthropic", endpoint: "v1/messages", query: {} }, step]),
    ]
  ) {
    const { fetch } = before(({ url }) =>
      url.includes("anthropic") ? events(start, ping, overloaded) : events(...STREAM)
    );
    const response = await fetch(request);
    assertEquals([response.headers.get("cf-aig-step"), await response.text()], ["1", STREAM.join("")]);
  }
});

Deno.test("a stream of no known form fails early by an error event, or an error as its first event", async () => {
  for (
    const first of [
      'event: error\ndata: {"message":"no"}\n\n',
      'data: {"error":{"message":"no"}}\n\n',
      'data: {"type":"error","message":"no"}\n\n',
      "event: error\ndata: no\n\n",
      "",
    ]
  ) {
    const { fetch, sent } = before(
      (_, at) => at === 0 ? events(first) : events("data: 1\n\n"),
      clock().options,
    );
    const response = await fetch(post(`${ROOT}/openai/evals`, {}, { "cf-aig-max-attempts": "2" }));
    assertEquals([await response.text(), sent.length], ["data: 1\n\n", 2], first);
  }
  for (const first of ['data: {"error":null}\n\n', "data: null\n\n", "data: x\n\n", 'data: "error"\n\n']) {
    const { fetch, sent } = before(() => events(first), clock().options);
    const response = await fetch(post(`${ROOT}/openai/evals`, {}, { "cf-aig-max-attempts": "2" }));
    assertEquals([await response.text(), sent.length], [first, 1], first);
  }
});

Deno.test("a stream is passed on from its first content, and the client sees its later failure", async () => {
  const never = new Promise(() => {});
  const { fetch, sent } = before(() => events(ROLE, chunk({ content: "Hi" }), never), clock().options);
  const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }, { stream: true }));
  const reader = response.body!.getReader();
  const text = new TextDecoder();
  assertEquals(text.decode((await reader.read()).value), ROLE + chunk({ content: "Hi" }));
  await reader.cancel();
  assertEquals(sent.length, 1);
  const broken = before(
    () => events(ROLE, chunk({ content: "Hi" }), new TypeError("reset")),
    clock().options,
  );
  const late = await broken.fetch(ask("openai/gpt", { "cf-aig-max-attempts": "5" }, { stream: true }));
  await assertRejects(() => late.text());
  assertEquals(broken.sent.length, 1);
});

Deno.test("an error after content is not an early failure, also in the same chunk", async () => {
  const text = ROLE + chunk({ content: "Hi" }) + ERROR;
  const { fetch, sent } = before(() => events(text), clock().options);
  const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
  assertEquals([await response.text(), sent.length], [text, 1]);
});

Deno.test("a tool's name, reasoning or a refusal is content", async () => {
  const call = { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: "" } };
  for (const delta of [{ tool_calls: [call] }, { reasoning_content: "hm" }, { refusal: "No" }]) {
    const { fetch, sent } = before(() => events(ROLE, chunk(delta), new Promise(() => {})), clock().options);
    const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
    assertEquals([response.status, sent.length], [200, 1]);
    await response.body!.cancel();
  }
});

Deno.test("nothing is held when there is nothing left to try", async () => {
  const never = new Promise(() => {});
  for (const options of [{}, { requestTimeoutMs: 60_000 }]) {
    const { fetch } = before(() => events(ROLE, never), options);
    const response = await fetch(ask("openai/gpt", {}, { stream: true }));
    const reader = response.body!.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), ROLE);
    await reader.cancel();
  }
  // The second step of two is the last one.
  const { fetch } = before((_, at) => at === 0 ? refusal(500) : events(ROLE, never));
  const response = await fetch(ask("openai/gpt", {}, { stream: true, models: ["groq/x"] }));
  const reader = response.body!.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), ROLE);
  await reader.cancel();
});

Deno.test("a whole answer that breaks is a failure as long as anything is left to try", async () => {
  const headers = { "content-type": "application/json" };
  const broken = () => new Response(pieces('{"choices": [', new TypeError("reset")), { headers });
  for (
    const request of [
      ask("openai/gpt", { "cf-aig-max-attempts": "2" }),
      ask("anthropic/claude", { "cf-aig-max-attempts": "2" }, { models: ["openai/gpt"] }),
      post(`${ROOT}/openai/chat/completions`, {}, { "cf-aig-max-attempts": "2" }),
      post(ROOT, [step, step]),
    ]
  ) {
    const { fetch } = before(
      ({ url }, at) => url.includes("anthropic") || at === 0 ? broken() : completion("second"),
      clock().options,
    );
    const response = await fetch(request);
    assertEquals(response.status, 200);
    assertStringIncludes(await response.text(), "second");
  }
});

Deno.test("a whole answer that is cut off or holds an error is a failure as long as anything is left to try", async () => {
  const json = { headers: { "content-type": "application/json; charset=utf-8" } };
  const retry = { "cf-aig-max-attempts": "2" };
  const answered = async (text: string, request: Request) => {
    const { fetch } = before(
      (_, at) => at === 0 ? new Response(text, json) : completion("second"),
      clock().options,
    );
    const response = await fetch(request);
    return [response.status, await response.text()] as const;
  };
  const requests = () => [
    ask("openai/gpt", retry),
    ask("openai/gpt", {}, { models: ["groq/llama"] }),
    post(`${ROOT}/openai/chat/completions`, {}, retry),
    post(ROOT, [step, step]),
  ];
  for (
    const text of [
      '{"choices": [{"index": 0, "message": {"content": "fir',
      '{"error": {"message": "overloaded"}}',
      '{"choices": [], "error": {"message": "no one is there"}}',
      '{"type": "error", "error": {"type": "overloaded_error"}}',
    ]
  ) {
    for (const request of requests()) {
      const [status, body] = await answered(text, request);
      assertEquals(status, 200);
      assertStringIncludes(body, "second", text);
    }
  }
  // These are answers.
  for (
    const text of [
      '{"choices": [{"message": {"content": "first"}}], "error": {"message": "late"}}',
      '{"id": "resp_1", "error": null, "note": "first"}',
    ]
  ) {
    const [, native] = requests().slice(1, 3);
    assertEquals(await answered(text, native), [200, text]);
  }
  // The answer of a path that generates nothing is not checked.
  for (
    const text of ["", "null", "{}", '"first"', '{"id": "batch_1", "error": {"message": "failed"}}', "{"]
  ) {
    assertEquals(await answered(text, post(`${ROOT}/openai/files`, {}, retry)), [200, text]);
  }
  // The last step's answer is passed on unchanged.
  const { fetch } = before(() => new Response('{"error": {"message": "overloaded"}}', json), clock().options);
  const response = await fetch(ask("openai/gpt", retry));
  assertEquals([response.status, await response.text()], [200, '{"error": {"message": "overloaded"}}']);
});

Deno.test("a translated whole answer that breaks on the last try is 502 and not the gateway's own failure", async () => {
  const headers = { "content-type": "application/json" };
  const broken = () => new Response(pieces('{"content": [', new TypeError("reset")), { headers });
  const { fetch } = before(broken);
  const response = await fetch(ask("anthropic/claude"));
  assertEquals([response.status, (await response.json()).error.code], [502, "2005"]);
});

Deno.test("a list of JSON may be a stream: it begins with its first piece", async () => {
  const headers = { "content-type": "application/json; charset=UTF-8" };
  const list = () => new Response(pieces("[{}\n", new Promise(() => {})), { headers });
  const { fetch } = before(list);
  const url = `${ROOT}/google-ai-studio/v1beta/models/g:streamGenerateContent`;
  const response = await fetch(post(url, {}, { "cf-aig-max-attempts": "2" }));
  const reader = response.body!.getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), "[{}\n");
  await reader.cancel();
});

Deno.test("a stream with only roles is not held back without a limit", async () => {
  const many = ROLE.repeat(Math.ceil(1e6 / ROLE.length));
  const { fetch } = before(() => events(...Array(20).fill(many), new Promise(() => {})), clock().options);
  const response = await fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
  assertEquals(response.status, 200);
  await response.body!.cancel();
});

// ---------------------------------------------------------------- timeouts

/** An upstream that is silent until its request is aborted. */
const silent = ({ signal }: { signal: AbortSignal }) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

for (const [door, request] of DOORS) {
  Deno.test(`${door}: a request that gets no answer in time is 504 with 2005`, async () => {
    const { fetch, sent } = before(silent);
    const response = await fetch(request({ "cf-aig-request-timeout": "20" }));
    assertEquals(response.status, 504);
    const { error } = await response.json();
    assertEquals(String(error.code ?? error[0].code), "2005");
    assert(sent[0].signal.aborted, "the upstream is left");
  });

  Deno.test(`${door}: headers alone are not an answer`, async () => {
    let cancelled = 0;
    const stalled = () =>
      new Response(new ReadableStream({ cancel: () => void cancelled++ }), {
        headers: { "content-type": "application/json" },
      });
    const { fetch } = before(stalled);
    const response = await fetch(request({ "cf-aig-request-timeout": "20" }));
    assertEquals([response.status, cancelled], [504, 1]);
    await response.text();
  });

  Deno.test(`${door}: a timeout is tried again, and the last of several tries has no limit`, async () => {
    const { fetch, sent } = before(async (sent, at) => {
      if (at < 2) return silent(sent);
      await wait(60, sent.signal);
      return completion("late");
    }, { ...clock().options });
    const response = await fetch(request({ "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "3" }));
    assertStringIncludes(await response.text(), "late");
    assertEquals(sent.length, 3);
  });

  Deno.test(`${door}: an answer that has begun is never cut`, async () => {
    const signal = new AbortController().signal;
    for (const attempts of ["1", "2"]) {
      const { fetch } = before(() => events(STREAM[0], STREAM[1], wait(60, signal), STREAM[2], STREAM[3]));
      const response = await fetch(
        request({ "cf-aig-request-timeout": "20", "cf-aig-max-attempts": attempts }),
      );
      assertEquals(await response.text(), STREAM.join(""));
    }
  });
}

Deno.test("a timeout ends with the first byte, also of an answer that is still held", async () => {
  const { signal } = new AbortController();
  const held = { "cf-aig-request-timeout": "20", "cf-aig-max-attempts": "2" };
  const stream = before(() => events(STREAM[0], wait(60, signal), ...STREAM.slice(1)));
  const streamed = await stream.fetch(ask("openai/gpt", held, { stream: true }));
  assertEquals([await streamed.text(), stream.sent.length], [STREAM.join(""), 1]);
  const headers = { "content-type": "application/json" };
  const json = before(() => new Response(pieces('{"choices":', wait(60, signal), "[{}]}"), { headers }));
  const whole = await json.fetch(ask("openai/gpt", held));
  assertEquals([await whole.text(), json.sent.length], ['{"choices":[{}]}', 1]);
});

Deno.test("a timeout is 504 whatever fetch makes of its signal, and so is an idle body", async () => {
  const late = before(({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () =>
        reject(new DOMException("The operation was aborted", "AbortError")));
    })
  );
  assertEquals((await late.fetch(ask("openai/gpt", { "cf-aig-request-timeout": "20" }))).status, 504);
  const idle = before(() => events(new Promise(() => {})), { streamIdleTimeoutMs: 20 });
  assertEquals((await idle.fetch(ask("openai/gpt", { "cf-aig-request-timeout": "60000" }))).status, 504);
});

Deno.test("a timeout falls back", async () => {
  const { fetch, sent } = before((one, at) => at === 0 ? silent(one) : completion("second"));
  const response = await fetch(post(ROOT, [{ ...step, config: { requestTimeout: 20 } }, step]));
  assertEquals([response.status, response.headers.get("cf-aig-step"), sent.length], [200, "1", 2]);
  assertStringIncludes(await response.text(), "second");
});

Deno.test("streamIdleTimeoutMs ends a stream in which nothing comes, and no other", async () => {
  const never = new Promise(() => {});
  const signal = new AbortController().signal;
  const slow = () => events(STREAM[0], wait(15, signal), STREAM[1], wait(15, signal), STREAM[2], STREAM[3]);
  const well = before(slow, { streamIdleTimeoutMs: 500 });
  assertEquals(await (await well.fetch(ask("openai/gpt", {}, { stream: true }))).text(), STREAM.join(""));
  const idle = before(() => events(STREAM[0], STREAM[1], never), { streamIdleTimeoutMs: 20 });
  const response = await idle.fetch(ask("openai/gpt", {}, { stream: true }));
  await assertRejects(() => response.text());
  // Before its content, the next target is tried.
  const role = before((_, at) => at === 0 ? events(ROLE, never) : events(...STREAM), {
    streamIdleTimeoutMs: 20,
    ...clock().options,
  });
  const second = await role.fetch(ask("openai/gpt", { "cf-aig-max-attempts": "2" }, { stream: true }));
  assertEquals(await second.text(), STREAM.join(""));
});

Deno.test("a translated stream that idles ends in an error event", async () => {
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"model":"c","role":"assistant","usage":{}}}\n\n';
  const { fetch } = before(() => events(start, new Promise(() => {})), { streamIdleTimeoutMs: 20 });
  const text = await (await fetch(ask("anthropic/claude", {}, { stream: true }))).text();
  assertStringIncludes(text, '"error"');
});

// ---------------------------------------------------------------- a client that leaves

for (const [door, request] of DOORS) {
  const leaving = (headers: Record<string, string> = {}) => {
    const client = new AbortController();
    return { client, request: new Request(request(headers), { signal: client.signal }) };
  };

  Deno.test(`${door}: a client that leaves ends the upstream, and nothing is tried again`, async () => {
    const { client, request } = leaving({ "cf-aig-max-attempts": "5", "cf-aig-request-timeout": "60000" });
    const { fetch, sent } = before((one) => {
      setTimeout(() => client.abort(), 5);
      return silent(one);
    });
    const response = await fetch(request);
    assertEquals([response.status, sent.length, sent[0].signal.aborted], [499, 1, true]);
  });

  Deno.test(`${door}: a client that leaves ends the wait between tries`, async () => {
    const { client, request } = leaving({ "cf-aig-max-attempts": "5", "cf-aig-retry-delay": "60000" });
    let cancelled = 0;
    const { fetch, sent } = before(() => {
      setTimeout(() => client.abort(), 5);
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"error": {"message": "no"}}')),
        cancel: () => void cancelled++,
        pull: (controller) => door === "compat" ? controller.close() : undefined,
      });
      return new Response(body, { status: 503, headers: { "content-type": "application/json" } });
    }, { random: () => 1 });
    const response = await fetch(request);
    assertEquals([response.status, sent.length, cancelled], [499, 1, door === "compat" ? 0 : 1]);
  });

  Deno.test(`${door}: a client that leaves ends a stream that is held, though its body hears no signal`, async () => {
    const { client, request } = leaving({ "cf-aig-max-attempts": "5" });
    let cancelled = 0;
    const { fetch, sent } = before(() => {
      setTimeout(() => client.abort(), 5);
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(ROLE)),
        cancel: () => void cancelled++,
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const response = await fetch(request);
    assertEquals([response.status, sent.length, cancelled], [499, 1, 1]);
  });

  Deno.test(`${door}: a client that leaves in mid-stream cancels the upstream's body`, async () => {
    for (const attempts of ["1", "2"]) {
      let cancelled = 0;
      const { fetch } = before(() => {
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode(STREAM[1])),
          cancel: () => void cancelled++,
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      }, { streamIdleTimeoutMs: 60_000 });
      const response = await fetch(
        request({ "cf-aig-max-attempts": attempts, "cf-aig-request-timeout": "60000" }),
      );
      const reader = response.body!.getReader();
      await reader.read();
      await reader.cancel();
      assertEquals(cancelled, 1);
    }
  });
}

Deno.test("a client that leaves ends all steps, not only the one that runs", async () => {
  for (
    const request of [
      post(ROOT, [step, step, { ...step, config: { maxAttempts: 5 } }]),
      ask("openai/a", {}, { models: ["groq/b", "demo/echo"] }),
    ]
  ) {
    const client = new AbortController();
    const { fetch, sent } = before((one) => {
      setTimeout(() => client.abort(), 5);
      return silent(one);
    });
    assertEquals((await fetch(new Request(request, { signal: client.signal }))).status, 499);
    assertEquals(sent.length, 1);
  }
});

// ---------------------------------------------------------------- timers

Deno.test("a request has ten tries at most beyond the first of each of its models", async () => {
  const models = Array.from({ length: 20 }, (_, at) => `groq/${at}`);
  const { fetch, sent } = before(() => refusal(503), clock().options);
  const response = await fetch(ask("groq/0", { "cf-aig-max-attempts": "5" }, { models }));
  assertEquals([response.status, sent.length], [503, 30]);
  assertEquals(sent.filter(({ body }) => JSON.parse(body).model === "19").length, 1, "each is tried once");
});

Deno.test("nothing is tried for a client whose own timeout is over", async () => {
  const cases: [Record<string, string>, number][] = [
    [{ "x-stainless-timeout": "30" }, 3],
    [{ "x-stainless-read-timeout": "10" }, 1],
    [{ "x-stainless-timeout": "600" }, 6],
    [{ "x-stainless-timeout": "0" }, 6],
    [{ "x-stainless-timeout": "soon" }, 6],
    [{}, 6],
  ];
  for (const [headers, tries] of cases) {
    const time = clock();
    const { fetch, sent } = before(() => {
      time.pass(10_000);
      return refusal(503);
    }, { ...time.options, random: () => 0 });
    const all = { ...headers, "cf-aig-max-attempts": "3" };
    const response = await fetch(ask("openai/m", all, { models: ["groq/m"] }));
    assertEquals([response.status, sent.length], [503, tries], JSON.stringify(headers));
  }
});

Deno.test("a client that leaves while a try fails is not tried for again, at any door", async () => {
  for (const [, request] of DOORS) {
    const leaving = new AbortController();
    const { fetch, sent } = before(() => {
      leaving.abort();
      return refusal(503);
    }, clock().options);
    const headers = { "cf-aig-max-attempts": "3" };
    const response = await fetch(new Request(request(headers), { signal: leaving.signal }));
    assertEquals([response.status, sent.length], [499, 1]);
  }
});

Deno.test("if a client leaves while a failure is read, no other attempt and no other step follows", async () => {
  const policies: Record<string, string>[] = [
    { "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "0" },
    { "sluice-fallback": "openai/b" },
  ];
  for (const more of policies) {
    const leaving = new AbortController();
    const { fetch, sent } = before(() => {
      const body = new ReadableStream({
        pull(controller) {
          leaving.abort();
          controller.close();
        },
      }, { highWaterMark: 0 });
      return new Response(body, { status: 429 });
    }, clock().options);
    const request = ask("openai/a", more, {}, { signal: leaving.signal });
    assertEquals([(await fetch(request)).status, sent.length], [499, 1], JSON.stringify(more));
  }
});

Deno.test("wait() and deadline() leave neither timer nor listener behind", async () => {
  const listeners = new Set<unknown>();
  const counting = {
    aborted: false,
    addEventListener: (_: string, listener: unknown) => void listeners.add(listener),
    removeEventListener: (_: string, listener: unknown) => void listeners.delete(listener),
  } as unknown as AbortSignal;
  for (let at = 0; at < 3; at++) {
    const waited = wait(1, counting);
    assertEquals(listeners.size, 1);
    await waited;
    assertEquals(listeners.size, 0);
  }
  // The test runner's own leak check fails here if a timer is left behind.
  const client = new AbortController();
  const limit = deadline(client.signal, 60_000, () => new Error("late"));
  limit.disarm();
  assertEquals(limit.signal.aborted, false);
  client.abort(new Error("left"));
  assertEquals(limit.signal.reason.message, "left");
  await assertRejects(() => wait(60_000, client.signal), Error, "left");
});
