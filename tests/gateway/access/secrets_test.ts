import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { secretMask, tokenFinder } from "../../../gateway/access/secrets.ts";
import { ask, before, completion, events, message, pieces, post, ROOT } from "../../fakes.ts";
import { assertLinear } from "../../growth.ts";

// ---------------------------------------------------------------- tokens on their way to a provider

const TOKEN = "sluice-Token+1/x%~";

/** The forms of a token in a header or a parameter. */
const forms = (token: string): string[] => [
  token,
  `Bearer ${token}`,
  `/v1/a/g/openai/models?key=${token}`,
  `https://gw.test/v1?a=1&key=${token}&b=2`,
  `a, ${token} ,b`,
  `"${token}"`,
  `{"token":"${token}"}`,
  `cf-aig-authorization.${token}`,
  encodeURIComponent(token),
  encodeURIComponent(encodeURIComponent(token)),
  encodeURIComponent(`/v1?key=${encodeURIComponent(token)}`),
  [...token].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(""),
  `Bearer%20${encodeURIComponent(token)}`,
  `Basic ${btoa(`${token}:`)}`,
  `basic ${btoa(`user:${token}`)}`,
  `x Basic ${btoa(`${token}:x`)}, y`,
  `Basic%20${encodeURIComponent(btoa(`${token}:`))}`,
  `Basic ${btoa(`a:${token}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`,
];

Deno.test("tokenFinder() finds each token in any form, and nothing in texts without one", () => {
  const tokens = [TOKEN, "another-token", "another-taken", "short", "t"];
  const holds = tokenFinder(tokens);
  for (const token of tokens) {
    for (const form of forms(token)) assert(holds(form), `${token}: ${form}`);
    assert(holds(`${"x ".repeat(500)}${token}${" y".repeat(500)}`));
  }
  for (
    const text of [
      "",
      "sluice-Token+1/x",
      "Another-token",
      "anothertoken",
      "shorts",
      "ashort",
      "short1",
      "it",
      "tt",
      "%74x",
    ]
  ) {
    assert(!holds(text), text);
  }
  // A long token is also found within a word.
  assert(holds("xanother-tokenx"));
  for (
    const text of [
      "application/json",
      "ai/6.0.0 runtime/deno",
      "max-age=0",
      "%",
      "%%%",
      "Basic !",
      "Basic",
      "basic YQ",
    ]
  ) {
    assert(!holds(text), text);
  }
});

Deno.test("tokenFinder() finds a token of eight characters or more in base64, wherever it stands there", () => {
  const holds = tokenFinder([TOKEN]);
  for (const before of ["", "a", "ab", '{"sub":"x","token":"']) {
    const packed = btoa(`${before}${TOKEN}"}`);
    const forUrls = packed.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    assertEquals([holds(packed), holds(`eyJh.${forUrls}.x`)], [true, true], before);
  }
  assertEquals(holds(btoa(`{"token":"${TOKEN.slice(1)}"}`)), false);
});

Deno.test("tokenFinder() takes time in proportion to the text, also for the worst text", async () => {
  const holds = tokenFinder(["token-1".padEnd(24, "x"), "t", "a".repeat(40) + "b"]);
  const texts: ((size: number) => string)[] = [
    (size) => "a".repeat(size),
    (size) => "token-".repeat(size / 6),
    (size) => "%25".repeat(size / 3),
    (size) => "basic ".repeat(size / 6),
    (size) => `basic ${"A".repeat(size)}`,
    (size) => "basic" + " ".repeat(size),
  ];
  for (const text of texts) await assertLinear(text(30), 30_000, (size) => assert(!holds(text(size))));
});

/** The whole request that was sent, except its body. */
const shown = ({ url, headers }: { url: string; headers: Headers }) => url + "\n" + [...headers].join("\n");

Deno.test("a header or parameter that holds a token is sent to no provider, whatever its name, on any path", async () => {
  const options: Options = {
    tokens: [TOKEN, "token-of-another"],
    keys: { openai: "sk-stored", anthropic: "sk-ant-stored" },
  };
  const own = { "cf-aig-authorization": TOKEN, "x-own": "kept" };
  for (const token of [TOKEN, "token-of-another"]) {
    for (const form of forms(token)) {
      const { fetch, sent } = before(
        ({ url }) => url.includes("anthropic") ? message() : completion(),
        options,
      );
      const header = { ...own, "x-anything": form };
      const step = {
        provider: "openai",
        endpoint: "chat/completions",
        headers: { "x-anything": form },
        query: {},
      };
      const param = encodeURIComponent(form);
      const requests = [
        ask("openai/m", header),
        ask("anthropic/m", header),
        post(`${ROOT}/openai/chat/completions`, {}, header),
        post(ROOT, step, own),
        post(`${ROOT}/openai/chat/completions?a=1&anything=${param}&b=2`, {}, own),
        post(`${ROOT}/openai/chat/completions?${param}&a=1&b=2`, {}, own),
        post(ROOT, { ...step, endpoint: `chat/completions?a=1&anything=${param}&b=2`, headers: {} }, own),
      ];
      for (const [at, request] of requests.entries()) {
        assertEquals((await fetch(request)).status, 200);
        const text = shown(sent.at(-1)!);
        assert(!sent.at(-1)!.headers.has("x-anything"), form);
        for (const part of [token, param, "anything"]) assert(!text.includes(part), `${form}: ${text}`);
        if (at > 3) assertStringIncludes(text, "chat/completions?a=1&b=2\n");
      }
      assertEquals(sent[0].headers.get("x-own"), "kept");
    }
  }
});

Deno.test("a token in a place where the gateway does not look for tokens is not sent on either", async () => {
  const { fetch, sent } = before(() => completion(), { tokens: [TOKEN], tokenRequired: false });
  const own = { authorization: "Bearer sk-own", "x-anything": `Bearer ${TOKEN}` };
  await fetch(ask("openai/m", own));
  await fetch(post(`${ROOT}/openai/x?token=${encodeURIComponent(TOKEN)}`, {}, own));
  assertEquals(sent.map(({ url }) => new URL(url).search), ["", ""]);
  for (const { headers } of sent) {
    assertEquals([headers.get("authorization"), headers.get("x-anything")], ["Bearer sk-own", null]);
  }
  // The header in which fal's own client sends the URL.
  const fal = `https://queue.fal.run/x?fal_webhook=${encodeURIComponent(`https://gw.test?key=${TOKEN}`)}&a=1`;
  await fetch(post(`${ROOT}/fal/x`, {}, { "x-fal-target-url": fal }));
  assertEquals(sent.at(-1)!.url, "https://queue.fal.run/x?a=1");
});

// ---------------------------------------------------------------- stored keys on their way to a client

const KEY = "sk-STORED/openai+key=";

/** The forms in which a provider may repeat a key. */
const echoes = (key: string): string[] => [
  key,
  JSON.stringify(`Incorrect API key provided: ${key}.`),
  key.replaceAll("/", "\\/"),
  key.replaceAll("+", "\\u002b").replaceAll("=", "\\u003D"),
  [...key].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join(""),
  JSON.stringify(JSON.stringify(key).replaceAll("/", "\\/")),
  JSON.stringify(JSON.stringify(key.replaceAll("=", "<")).replaceAll("<", "\\u003d")),
  encodeURIComponent(key),
  encodeURIComponent(key).toLowerCase().replace("sk-stored", "sk-STORED"),
  encodeURIComponent(encodeURIComponent(key)),
  `https://api.test/v1?key=${key}&a=1`,
  key.toUpperCase(),
  key.toLowerCase(),
  hex(key),
  `0x${hex(key).toUpperCase()}`,
  `x${hex(`user:${key}`)}x`,
  btoa(key),
  ...["u:", "us:", "use:"].map((user) => `Basic ${btoa(user + key)}`),
  forUrls(btoa(`{"key":"${key}"}`)),
  encodeURIComponent(btoa(key)),
  btoa(`??>${key}?>>`).replaceAll("/", "\\/"),
  key.replaceAll("/", "&#x2F;").replaceAll("+", "&#43;").replaceAll("=", "&#061;"),
  [...key].map((char) => `\\x${hex(char)}`).join(""),
  [...key].map((char) => `\\u00${hex(char).toUpperCase()}`).join(""),
];

const hex = (text: string) =>
  [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
const forUrls = (base64: string) => base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Fails if a text holds the stored key, or the spelling of it that was echoed. */
function assertMasked(seen: string, echo: string, message = ""): void {
  const text = `${message} ${echo}: ${seen}`;
  assert(!seen.replaceAll(/[^a-z]/gi, "").toLowerCase().includes("stored"), text);
  assert(!seen.includes(echo) && !seen.includes(echo.slice(4, -4)), text);
  assert(seen.includes("***"), text);
}

Deno.test("secretMask() masks a key in any spelling, and leaves the rest", () => {
  const mask = secretMask([KEY, "another-key-1"])!;
  for (const echo of [...echoes(KEY), ...echoes("another-key-1")]) {
    const masked = mask.text(`before ${echo} after ${echo}`);
    assertMasked(masked, echo);
    assert(!masked.includes("another"), masked);
    assert(masked.startsWith("before ") && masked.includes(" after "), masked);
    // In a text without escapes, capitals of other alphabets keep their places.
    assert(mask.text(`İ ${echo} İ`).startsWith("İ "), echo);
  }
  for (
    const text of [
      "",
      "sk-STORED",
      KEY.slice(1),
      "sk-STORED/openai+keys",
      hex(KEY).slice(2),
      btoa(KEY.slice(2)),
      "%",
      "%%%25",
      "&&amp;",
      "\\",
      "\\\\",
      '{"a":"\\n\\u00e9 50% \\/"}',
    ]
  ) {
    assertEquals(mask.text(text), text);
  }
  // A word that some servers take as a key is not a secret.
  assertEquals(secretMask(["ollama", "token-1"]), undefined);
  // Eight characters are the least that is masked.
  assertEquals(secretMask(["token-12"])!.text("a token-12 b"), "a *** b");
  assertEquals(secretMask([]), undefined);
});

Deno.test("secretMask() leaves valid JSON, whatever surrounds a key", () => {
  for (const key of ["/key-stored/", '"key"-stored"', "\\key\\stored\\", "nvapi-stored", "ukey-%41-stored"]) {
    const mask = secretMask([key])!;
    for (const around of ["", "\\", "\\\\", '"', "\n", "\\n", "/", "é"]) {
      let text = around + key + around;
      for (let depth = 0; depth < 4; depth++) {
        text = JSON.stringify({ text });
        const masked = mask.text(text.replaceAll("/", "\\/"));
        assertEquals(masked.includes("***"), true, masked);
        assertEquals(masked.includes("stored"), false, masked);
        JSON.parse(masked);
      }
    }
  }
  const error = { message: `bad ${KEY}`, code: 1, metadata: { key: [KEY] } };
  assertEquals(secretMask([KEY])!.object(error), {
    message: "bad ***",
    code: 1,
    metadata: { key: ["***"] },
  });
  // A key that is itself JSON, within JSON.
  const account = JSON.stringify({ type: "service_account", key: "stored" });
  assertEquals(secretMask([account])!.object(JSON.parse(`{"key":${account}}`)), { message: "***" });
});

Deno.test("secretMask() takes time in proportion to the text, also for the worst text", async () => {
  const mask = secretMask([KEY])!;
  const worst = [
    "\\",
    "%25",
    "s",
    "sk-STORED",
    "\\u0073",
    "%2525",
    "&amp;",
    "&#x0",
    "c2s",
    KEY,
    encodeURIComponent(KEY),
  ];
  for (const piece of worst) {
    await assertLinear(piece, 20_000, (size) => mask.object({ text: piece.repeat(size / piece.length) }));
    await assertLinear(`bytes ${piece}`, 20_000, (size) => {
      const bytes = mask.bytes();
      const chunk = new TextEncoder().encode(piece.repeat(64));
      for (let at = 0; at < size; at += chunk.length) bytes.push(chunk);
      bytes.end();
    });
  }
});

Deno.test("secretMask() returns bytes at once, except an end that may be the beginning of a secret", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const given = (text: string) => new TextDecoder().decode(secretMask([KEY])!.bytes().push(encode(text)));
  for (
    const text of [
      "",
      "a",
      "data: {}\n\n",
      `data: "${KEY.slice(0, 9)}"}\n\n`,
      `${KEY.slice(0, 9)}\n`,
      "50% \n",
    ]
  ) {
    assertEquals(given(text), text);
  }
  assertEquals(given(`x ${KEY.slice(0, 9)}`), "x ");
  assertEquals(given(`x ${encodeURIComponent(KEY).slice(0, 11)}`), "x ");
  assertEquals(given(`x${KEY}x`), "x***x");
  // The same array, not a copy.
  const bytes = encode("data: {}\n\n");
  assert(secretMask([KEY])!.bytes().push(bytes) === bytes);
});

const GUARDED = {
  tokens: ["token-1"],
  keys: { openai: KEY, anthropic: KEY, mine: KEY },
  providers: {
    mine: { baseUrl: "https://mine.test", wire: "gemini" },
  },
} satisfies Options;
const WITH = { "cf-aig-authorization": "token-1" };

/** A request on each path. */
const paths = (): Request[] => [
  ask("openai/m", WITH),
  ask("anthropic/m", WITH),
  ask("mine/m", WITH),
  ask("openai/m", { ...WITH, "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0" }),
  ask("openai/m", WITH, { models: ["anthropic/m"] }),
  post(`${ROOT}/openai/chat/completions`, {}, WITH),
  post(`${ROOT}/mine/x`, {}, WITH),
  post(ROOT, [{ provider: "openai", endpoint: "x", query: {} }, {
    provider: "anthropic",
    endpoint: "x",
    query: {},
  }], WITH),
];

Deno.test("a stored key that a provider repeats in an error is masked, in the body and in headers, on every path", async () => {
  const logged: unknown[] = [];
  for (const [at, echo] of echoes(KEY).entries()) {
    // The key as a JSON string, without its quotes.
    const text = echo.startsWith('"') ? echo : `"${echo}"`;
    for (const status of at < 3 ? [401, 500] : [at % 2 ? 401 : 500]) {
      for (
        const body of [
          `{"error":{"message":${text},"type":"x","code":"invalid_api_key","param":null},"key":${text}}`,
          `{"type":"error","error":{"type":"authentication_error","message":${text}}}`,
          `[{"error":{"code":${status},"message":${text},"status":"X"}}]`,
          `<html>${echo}</html>`,
          echo,
        ]
      ) {
        const headers = {
          "content-type": "application/json",
          "x-echo-auth": `Bearer ${echo}`,
          "x-own": "kept",
        };
        const { fetch } = before(() => new Response(body, { status, headers }), {
          ...GUARDED,
          log: (entry) => logged.push(entry),
        });
        for (const request of paths()) {
          const response = await fetch(request);
          assert(response.status >= 400);
          const seen = [...response.headers].join("\n") + await response.text();
          assertMasked(seen, echo, request.url);
          assertEquals(response.headers.get("x-own"), "kept");
          assertStringIncludes(response.headers.get("x-echo-auth")!, "***");
        }
      }
    }
  }
  assert(!JSON.stringify(logged).includes("STORED"));
});

Deno.test("a stored key is masked wherever the chunks of an error's body are cut, and no other byte is changed", async () => {
  const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  for (const echo of echoes(KEY)) {
    const whole = bytes(`\x00\xff${"pad ".repeat(200)}${echo}\xc3\x28 ${echo}\xfe`);
    for (const size of [1, 2, 3, 7, 64, 1000]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
      const body = new ReadableStream({
        pull(controller) {
          const chunk = chunks.shift();
          if (chunk) controller.enqueue(chunk);
          else controller.close();
        },
      });
      const { fetch } = before(() => new Response(body, { status: 401 }), GUARDED);
      const response = await fetch(post(`${ROOT}/openai/x`, {}, WITH));
      const seen = String.fromCharCode(...new Uint8Array(await response.arrayBuffer()));
      const masked = secretMask([KEY])!.text(echo);
      assertEquals(seen, `\x00\xff${"pad ".repeat(200)}${masked}\xc3\x28 ${masked}\xfe`);
    }
  }
});

Deno.test("an error's body that breaks, or whose client leaves, ends as it does without a key to mask", async () => {
  const broken = before(() => new Response(pieces("some", new TypeError("reset")), { status: 400 }), GUARDED);
  const response = await broken.fetch(post(`${ROOT}/openai/x`, {}, WITH));
  assertEquals(await response.text().catch(() => "broke"), "broke");
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1000)),
    cancel: () => void (cancelled = true),
  });
  const left = before(() => new Response(endless, { status: 400 }), GUARDED);
  const reader = (await left.fetch(post(`${ROOT}/openai/x`, {}, WITH))).body!.getReader();
  await reader.read();
  await reader.cancel();
  await new Promise((resolve) => setTimeout(resolve));
  assert(cancelled);
});

Deno.test("a stored key that stands in a header, a page or a translated error with a status of success is masked", async () => {
  const { fetch } = before(() => {
    const response = completion();
    response.headers.set("x-echo-auth", `Bearer ${KEY}`);
    return response;
  }, GUARDED);
  for (const request of [ask("openai/m", WITH), post(`${ROOT}/openai/x`, {}, WITH)]) {
    const response = await fetch(request);
    assertEquals([response.status, response.headers.get("x-echo-auth")], [200, "Bearer ***"]);
  }
  const answers: [string, string][] = [
    ["text/html", `<html>${KEY}</html>`],
    ["text/plain", `no ${KEY}`],
    ["application/json", JSON.stringify({ type: "error", error: { type: "x", message: `bad ${KEY}` } })],
  ];
  for (const [type, body] of answers) {
    const { fetch } = before(() => new Response(body, { headers: { "content-type": type } }), GUARDED);
    for (const request of paths().slice(1, 3)) {
      const response = await fetch(request);
      assertEquals(response.status, 502);
      assert(!(await response.text()).includes("STORED"));
    }
  }
});

Deno.test("a stored key in a body that is not an answer is masked where an error quotes it", async () => {
  for (
    const [type, body] of [["application/json", `["${KEY}"]`], ["x/y", `no ${KEY}`], [
      "text/html",
      `<p>${KEY}`,
    ]]
  ) {
    const { fetch } = before(() => new Response(body, { headers: { "content-type": type } }), GUARDED);
    const response = await fetch(ask("openai/m", { ...WITH, "sluice-fallback": "openai/m2" }));
    assertEquals(response.status, 502);
    const text = await response.text();
    assert(!text.includes("STORED") && text.includes("***"), text);
  }
});

Deno.test("a stored key in an error that comes after a 200 is masked, on every wire, tried once or more", async () => {
  const key = "sk-stored/0123456789+abcdef";
  const keys = { openai: key, anthropic: key, "google-ai-studio": key };
  const options: Options = { keys, tokens: ["gateway-token"], log() {} };
  const error = { type: "overloaded_error", message: `bad key ${key}`, code: 503 };
  const failing = (data: object) => () => events(`event: error\ndata: ${JSON.stringify(data)}\n\n`);
  const answers = [failing({ type: "error", error }), () => Response.json({ error })];
  const requests = (headers: Record<string, string>) => [
    ask("openai/gpt", headers, { stream: true }),
    ask("anthropic/claude", headers, { stream: true }),
    ask("google-ai-studio/gemini-3-pro", headers, { stream: true }),
  ];
  for (
    const more of [{}, { "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0" }] as Record<string, string>[]
  ) {
    const headers = { authorization: "Bearer gateway-token", ...more };
    for (const answer of answers) {
      for (const request of requests(headers)) {
        const text = await (await before(answer, options).fetch(request)).text();
        assertEquals([text.includes(key), text.includes("bad key ***")], [false, true], text);
      }
    }
    const native = post(`${ROOT}/openai/responses`, {}, headers);
    const text = await (await before(answers[0], options).fetch(native)).text();
    assertEquals([text.includes(key), text.includes("bad key ***")], [false, true], text);
  }
});

Deno.test("the error of a stream that breaks holds neither the stored key nor an address", async () => {
  const key = "sk-stored/0123456789+abcdef";
  const cause = new Error(`https://u:${key}@h/?key=1 broke, ${key}`);
  const { fetch } = before(() => events(cause), { keys: { anthropic: key }, tokens: ["gateway-token"] });
  const response = await fetch(
    ask("anthropic/claude", { authorization: "Bearer gateway-token" }, { stream: true }),
  );
  assertStringIncludes(await response.text(), '"cause":"Error: … broke, ***"');
});

Deno.test("a stored key that a header of a success repeats is masked in any form", async () => {
  const key = "sk-stored/0123456789+abcdef";
  const answer = () => {
    const { headers, body } = completion();
    headers.set("x-echo", encodeURIComponent(key));
    return new Response(body, { headers, statusText: `OK ${key}` });
  };
  const { fetch } = before(answer, { keys: { openai: key }, tokens: ["gateway-token"] });
  const response = await fetch(ask("openai/gpt", { authorization: "Bearer gateway-token" }));
  assertEquals(response.headers.get("x-echo"), "***");
  const native = await fetch(
    post(`${ROOT}/openai/chat/completions`, {}, { authorization: "Bearer gateway-token" }),
  );
  assertEquals([native.headers.get("x-echo"), native.statusText], ["***", "OK ***"]);
});

Deno.test("a success is handed through unchanged, a stream byte for byte", async () => {
  const parts = [`data: {"a":"${KEY.slice(0, 9)}`, `${KEY.slice(9)}"}\n\n`, "data: [DONE]\n\n"];
  const { fetch } = before(() => events(...parts), GUARDED);
  const response = await fetch(post(`${ROOT}/openai/x`, {}, WITH));
  const seen: string[] = [];
  for await (const chunk of response.body!) seen.push(new TextDecoder().decode(chunk));
  assertEquals(seen, parts);
});

Deno.test("a client's own key that a provider repeats is not masked", async () => {
  const { fetch } = before(
    () => Response.json({ error: { message: "bad sk-own-key-1" } }, { status: 401 }),
    GUARDED,
  );
  for (
    const headers of [{ authorization: "Bearer sk-own-key-1" }, { "x-api-key": "sk-own-key-1" }] as Record<
      string,
      string
    >[]
  ) {
    const response = await fetch(ask("openai/m", { ...WITH, ...headers }));
    assertStringIncludes(await response.text(), "sk-own-key-1");
  }
});

// ---------------------------------------------------------------- in answers with a status of success

/** A body in chunks of a given length. */
function cut(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  }, { highWaterMark: 0 });
}

const encode = (text: string) => new TextEncoder().encode(text);

/** Requests whose answers are handed through, tried once. */
const handedThrough = (stream?: boolean): Request[] => [
  ask("openai/m", WITH, { stream }),
  post(`${ROOT}/openai/chat/completions`, { stream }, WITH),
  post(`${ROOT}/openai/responses`, { stream }, WITH),
  post(`${ROOT}/mine/x`, { stream }, WITH),
  post(ROOT, { provider: "openai", endpoint: "responses", query: { stream } }, WITH),
];

/** Without a log, and with a log that must not get the key. */
const listened: Options[] = [{}, {
  log: (entry) => assert(!/stored/i.test(JSON.stringify(entry)), JSON.stringify(entry)),
}];

Deno.test("a stored key in JSON with a status of success is masked on the only attempt, however long the body is and wherever it is cut", async () => {
  for (const more of listened) {
    for (const [at, echo] of echoes(KEY).entries()) {
      const text = echo.startsWith('"') ? echo : `"${echo.replaceAll(/\\x/g, "\\\\x")}"`;
      // Some bodies are tested at all lengths of chunks, all bodies at one.
      const pads = at < 2 ? [0, 250, 1000, 70_000] : [at % 2 ? 250 : 1000];
      for (const pad of pads) {
        const body = encode(`{"error":{"pad":"é${"x".repeat(pad)}","message":${text},"code":"no"}}`);
        const sizes = at < 2 ? [0, 1, 7, 1000] : [at % 4 < 2 ? 0 : 7];
        for (const size of sizes) {
          const headers: Record<string, string> = { "content-type": "application/json" };
          if (size === 0) headers["content-length"] = `${body.length}`;
          if (size === 1 && pad !== 250) continue;
          const { fetch } = before(
            () => new Response(size === 0 ? body : cut(body, size), { headers }),
            { ...GUARDED, ...more },
          );
          for (const request of handedThrough()) {
            const seen = await (await fetch(request)).text();
            assertMasked(seen, echo, `${request.url} ${pad} ${size}`);
            assertEquals(JSON.parse(seen).error.pad, `é${"x".repeat(pad)}`);
          }
        }
      }
    }
  }
});

Deno.test("a stored key in any kind of text is masked, and a body that is not text is returned byte for byte", async () => {
  const echo = `\x00\xff ${KEY} \xc3`;
  const body = Uint8Array.from(echo, (char) => char.charCodeAt(0));
  const types: [string | undefined, boolean][] = [
    [undefined, true],
    ["application/x-ndjson", true],
    ["application/problem+json", true],
    ["text/csv", true],
    ["application/xml", true],
    ["image/png", false],
    ["audio/mpeg", false],
    ["application/octet-stream", false],
    ["application/vnd.amazon.eventstream", false],
  ];
  for (const [type, masked] of types) {
    for (const size of [3, 1000]) {
      const headers: Record<string, string> = type ? { "content-type": type } : {};
      const { fetch } = before(() => new Response(cut(body, size), { headers }), GUARDED);
      const response = await fetch(post(`${ROOT}/openai/files/1/content`, {}, WITH));
      const seen = String.fromCharCode(...new Uint8Array(await response.arrayBuffer()));
      assertEquals(seen, masked ? echo.replace(KEY, "***") : echo, type);
    }
  }
});

Deno.test("a stored key in a stream that the gateway reads is masked wherever it is cut, also in the log", async () => {
  const told: string[] = [];
  const log: Options["log"] = (entry) => told.push(JSON.stringify(entry));
  const retried = { ...WITH, "cf-aig-max-attempts": "2" };
  const begin = `data: {"id":"1","model":"${KEY}","choices":[{"delta":{"content":"x"}}]}\n\n`;
  for (const echo of [KEY, btoa(`user:${KEY}`), encodeURIComponent(KEY), hex(KEY)]) {
    const failed = `event: error\ndata: {"error":{"message":"é ${echo}","code":"stored"}}\n\n`;
    const bytes = encode(begin + failed);
    const whole = (begin + failed).replaceAll(KEY, "***").replace(echo, secretMask([KEY])!.text(echo));
    for (const size of [1, 2, 7, 40, 64, 1000]) {
      const answer = () =>
        new Response(cut(bytes, size), { headers: { "content-type": "text/event-stream" } });
      const heard = before(answer, { ...GUARDED, log });
      for (const request of handedThrough(true)) {
        assertEquals(await (await heard.fetch(request)).text(), whole, `${request.url} ${size}`);
      }
      const held = before(answer, GUARDED);
      for (
        const request of [
          ask("openai/m", retried, { stream: true }),
          post(`${ROOT}/openai/chat/completions`, { stream: true }, retried),
          ask("openai/m", { ...WITH, "cf-aig-request-timeout": "5000" }, { stream: true }),
        ]
      ) {
        assertEquals(await (await held.fetch(request)).text(), whole, `${request.url} ${size}`);
      }
    }
  }
  assertEquals(told.length, 4 * 6 * 5);
  for (const line of told) assert(!line.includes(KEY), line);
});

Deno.test("a stored key in a stream without a content type is masked", async () => {
  const text = `data: {"error":{"message":"bad ${KEY}"}}\n\n`;
  for (const type of ["", "application/octet-stream", "text/plain"]) {
    for (const more of listened) {
      const { fetch } = before(
        () => new Response(cut(encode(text), 9), { headers: { "content-type": type } }),
        { ...GUARDED, ...more },
      );
      for (const stream of [true, false]) {
        const seen = await (await fetch(ask("openai/m", WITH, { stream }))).text();
        assertEquals(seen, text.replace(KEY, "***"), type);
      }
    }
  }
});

Deno.test("a stored key in an answer that is repaired is masked, whole or streamed", async () => {
  const options: Options = {
    ...GUARDED,
    providers: { mine: { baseUrl: "https://mine.test", conform: true } },
  };
  const choice = { index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" };
  for (const echo of echoes(KEY).filter((echo) => !/"|:\/\//.test(echo))) {
    const message = `bad ${echo}`;
    for (
      const answer of [
        () => Response.json({ error: { message } }),
        () => Response.json({ choices: [choice], error: { message } }),
        () => Response.json({ choices: [{ ...choice, message: { role: "assistant", content: message } }] }),
        () => Response.json({ error: { message, pad: "x".repeat(70_000) } }),
        () => events(`data: ${JSON.stringify({ error: { message } })}\n\n`),
        () => events(`event: error\ndata: ${JSON.stringify({ message })}\n\n`),
        () => events(new Error(message)),
        () => new Response(message),
      ]
    ) {
      const { fetch } = before(answer, options);
      for (const headers of [WITH, { ...WITH, "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0" }]) {
        for (const stream of [false, true]) {
          assertMasked(await (await fetch(ask("mine/m", headers, { stream }))).text(), echo);
        }
      }
    }
  }
});

Deno.test("a stored key in an answer that is translated is masked, in a success and in a long error too", async () => {
  for (const echo of echoes(KEY).filter((echo) => !echo.includes('"'))) {
    const error = { type: "x", message: `bad ${echo}`, pad: "x".repeat(70_000) };
    for (const answer of [() => message(`an ${echo}`), () => Response.json({ type: "error", error })]) {
      const { fetch } = before(answer, GUARDED);
      for (const stream of [false, true]) {
        assertMasked(await (await fetch(ask("anthropic/m", WITH, { stream }))).text(), echo);
      }
    }
  }
});

Deno.test("an error of the gateway does not quote half of a stored key", async () => {
  for (const at of [480, 490, 499]) {
    for (const body of [`["${"x".repeat(at)}${KEY}"]`, `no${"x".repeat(at)}${KEY}`]) {
      const { fetch } = before(
        () => new Response(body, { headers: { "content-type": "application/json" } }),
        GUARDED,
      );
      for (const model of ["openai/m", "anthropic/m"]) {
        const response = await fetch(ask(model, WITH));
        assertEquals(response.status, 502);
        assert(!/sk-|stor/i.test(await response.text()));
      }
    }
  }
});

Deno.test("a list of models holds no stored key that its provider repeats", async () => {
  const { fetch } = before(() => Response.json({ data: [{ id: `m-${KEY}` }] }), {
    ...GUARDED,
    keys: { openai: KEY },
  });
  const response = await fetch(new Request("http://gateway.test/v1/models", { headers: WITH }));
  const seen = await response.text();
  assert(seen.includes("openai/m-***") && !seen.includes("STORED"), seen);
});

Deno.test("a gateway token that a provider repeats in an error is masked in any spelling, whosever key was sent", async () => {
  const token = "gateway-STORED/token+1=";
  const options: Options = { ...GUARDED, tokens: [token, "another-token-of-the-gateway"] };
  const own = { "cf-aig-authorization": token };
  for (const echo of echoes(token)) {
    const text = echo.startsWith('"') ? echo : `"${echo.replaceAll(/\\x/g, "\\\\x")}"`;
    for (
      const answer of [
        () => new Response(`{"error":{"message":${text}}}`, { status: 401, headers: { "x-echo": echo } }),
        () => new Response(`<p>${echo}`, { status: 500 }),
      ]
    ) {
      const { fetch } = before(answer, options);
      for (const headers of [own, { ...own, authorization: "Bearer sk-own" }]) {
        for (
          const request of [
            ask("openai/m", headers),
            ask("anthropic/m", headers),
            post(`${ROOT}/openai/x`, {}, headers),
          ]
        ) {
          const response = await fetch(request);
          const seen = [...response.headers].join("\n") + await response.text();
          assertMasked(seen, echo, request.url);
        }
      }
    }
    const { fetch } = before(
      () => events(`event: error\ndata: {"type":"error","error":{"message":${text}}}\n\n`),
      options,
    );
    assertMasked(await (await fetch(ask("anthropic/m", own, { stream: true }))).text(), echo);
  }
});
