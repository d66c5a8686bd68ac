import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { keyMask, tokenFinder } from "../../../gateway/access/secrets.ts";
import { ask, before, completion, events, message, pieces, post, ROOT } from "../../fakes.ts";
import { assertLinear } from "../../growth.ts";

// ---------------------------------------------------------------- tokens on their way to a provider

const TOKEN = "sluice-Token+1/x%~";

/** A token as it may stand in a header or in a parameter. */
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
  // A long one counts also within a word.
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

Deno.test("tokenFinder() takes time by the text, for the worst text too", async () => {
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

/** All that was sent but for the body. */
const shown = ({ url, headers }: { url: string; headers: Headers }) => url + "\n" + [...headers].join("\n");

Deno.test("a header or parameter that holds a token goes to no provider, whatever it is called, on any path", async () => {
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

Deno.test("a token that stands only where none is looked for goes no further either", async () => {
  const { fetch, sent } = before(() => completion(), { tokens: [TOKEN], tokenRequired: false });
  const own = { authorization: "Bearer sk-own", "x-anything": `Bearer ${TOKEN}` };
  await fetch(ask("openai/m", own));
  await fetch(post(`${ROOT}/openai/x?token=${encodeURIComponent(TOKEN)}`, {}, own));
  assertEquals(sent.map(({ url }) => new URL(url).search), ["", ""]);
  for (const { headers } of sent) {
    assertEquals([headers.get("authorization"), headers.get("x-anything")], ["Bearer sk-own", null]);
  }
  // Where fal's own client names the address.
  const fal = `https://queue.fal.run/x?fal_webhook=${encodeURIComponent(`https://gw.test?key=${TOKEN}`)}&a=1`;
  await fetch(post(`${ROOT}/fal/x`, {}, { "x-fal-target-url": fal }));
  assertEquals(sent.at(-1)!.url, "https://queue.fal.run/x?a=1");
});

// ---------------------------------------------------------------- stored keys on their way to a client

const KEY = "sk-STORED/openai+key=";

/** A key as a provider may repeat it. */
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
];

const letters = (text: string) => text.replaceAll(/[^a-z]/gi, "");

Deno.test("keyMask() masks a key in any form, and leaves the rest", () => {
  const mask = keyMask(KEY);
  for (const echo of echoes(KEY)) {
    const masked = mask(`before ${echo} after ${echo}`);
    assert(!letters(masked).includes("STORED"), masked);
    assert(masked.startsWith("before ") && masked.includes("***") && masked.includes(" after "), masked);
  }
  for (const text of ["", "sk-STORED", KEY.slice(1), KEY.toUpperCase(), "sk-STORED/openai+keys"]) {
    assertEquals(mask(text), text);
  }
  // A word that servers take for a key is no secret.
  assertEquals(keyMask("ollama")("model not found, try ollama pull"), "model not found, try ollama pull");
});

Deno.test("keyMask() takes time by the text, for the worst text too", async () => {
  const mask = keyMask(KEY);
  for (const piece of ["\\", "%25", "s", "sk-STORED", "\\u0073", "%2525"]) {
    await assertLinear(piece, 60_000, (size) => mask(piece.repeat(size / piece.length)));
  }
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
  for (const echo of echoes(KEY)) {
    // As text within JSON it is what is between the quotes.
    const text = echo.startsWith('"') ? echo : `"${echo}"`;
    for (const status of [401, 500]) {
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
          assert(!letters(seen).includes("STORED"), `${request.url}: ${seen}`);
          assertEquals(response.headers.get("x-own"), "kept");
          assertStringIncludes(response.headers.get("x-echo-auth")!, "***");
        }
      }
    }
  }
  assert(!letters(JSON.stringify(logged)).includes("STORED"));
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
      const masked = keyMask(KEY)(echo);
      assertEquals(seen, `\x00\xff${"pad ".repeat(200)}${masked}\xc3\x28 ${masked}\xfe`);
    }
  }
});

Deno.test("an error's body that breaks, and one whose client leaves, end as without a key to mask", async () => {
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

Deno.test("a stored key that stands in a header, a page or a translated answer that calls itself a success is masked", async () => {
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

Deno.test("a stored key in what is no answer on the client's own wire is masked where an error quotes it", async () => {
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

Deno.test("a stream that breaks tells neither the stored key nor an address", async () => {
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
    const response = completion();
    response.headers.set("x-echo", encodeURIComponent(key));
    return response;
  };
  const { fetch } = before(answer, { keys: { openai: key }, tokens: ["gateway-token"] });
  const response = await fetch(ask("openai/gpt", { authorization: "Bearer gateway-token" }));
  assertEquals(response.headers.get("x-echo"), "***");
});

Deno.test("what succeeded is handed through untouched, a stream byte for byte", async () => {
  const parts = [`data: {"a":"${KEY.slice(0, 9)}`, `${KEY.slice(9)}"}\n\n`, "data: [DONE]\n\n"];
  const { fetch } = before(() => events(...parts), GUARDED);
  const response = await fetch(post(`${ROOT}/openai/x`, {}, WITH));
  const seen: string[] = [];
  for await (const chunk of response.body!) seen.push(new TextDecoder().decode(chunk));
  assertEquals(seen, parts);
});

Deno.test("a client's own key is the client's: what a provider repeats of it comes back as it is", async () => {
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
