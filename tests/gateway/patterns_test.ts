/** Inputs with a fixed form. Each is accepted exactly in its form, without text before or behind it. */
import { assertEquals, assertThrows } from "@std/assert";
import { createGateway, remoteGateway } from "../../mod.ts";
import { credential } from "../../gateway/access/credential_texts.ts";
import { readEnv } from "../../gateway/setup/env.ts";
import type { Options } from "../../gateway/setup/options.ts";
import { ask, before, completion, message, messages, post, refusal, ROOT } from "../fakes.ts";

const CHAT = `${ROOT}/compat/chat/completions`;

Deno.test("a request is JSON by its content type in any letter case, but not by a type that only contains the word", async () => {
  const types: Record<string, number> = {
    "application/json": 200,
    "APPLICATION/JSON": 200,
    "application/json;charset=utf-8": 200,
    "application/vnd.api+JSON": 200,
    "application/ld+json; profile=x": 200,
    "application/jsonx": 415,
    "application/xjson": 415,
    "xapplication/json": 415,
    "text/plain; x=application/json": 415,
    "text/json": 415,
  };
  for (const [type, status] of Object.entries(types)) {
    const { fetch } = before(() => completion());
    const response = await fetch(post(CHAT, { model: "openai/m", messages }, { "content-type": type }));
    await response.body?.cancel();
    assertEquals(response.status, status, type);
  }
});

Deno.test("remoteGateway() takes http and https URLs alone, and asks below them", async () => {
  const refused = [
    "",
    "x",
    "xhttp://h.test",
    "http:",
    "http://",
    "http:///x",
    "https://?a",
    "https://#a",
    "ftp://h.test",
  ];
  for (const url of refused) assertThrows(() => remoteGateway({ url }), TypeError, "Cannot use url", url);
  const addresses = {
    "https://h.test": "https://h.test",
    "http://h.test/": "http://h.test",
    "https://h.test//a//": "https://h.test//a",
  };
  for (const [url, base] of Object.entries(addresses)) {
    const asked: string[] = [];
    const gateway = remoteGateway({
      url,
      fetch: (request) => {
        asked.push(request.url);
        return Promise.resolve(completion());
      },
    });
    await (await gateway.run({ provider: "compat", endpoint: "x", headers: {}, query: {} })).body?.cancel();
    assertEquals(asked, [`${base}/v1/-/default/`], url);
  }
});

Deno.test("credential() takes off a scheme, but not a word that only begins like one", () => {
  const cases: Record<string, string> = {
    "Bearer k": "k",
    "bearer  k": "k",
    " BEARER k ": "k",
    "Token k": "k",
    "Key k": "k",
    "Bearer": "",
    "k": "k",
    "Bearerk": "Bearerk",
    "monkey k": "monkey k",
    "xBearer k": "xBearer k",
    "a token k": "a token k",
    "tokens": "tokens",
  };
  for (const [value, expected] of Object.entries(cases)) assertEquals(credential(value), expected, value);
});

Deno.test("createGateway() takes options of the right form, and none with more before or behind", () => {
  const row = (fields: object) => ({ providers: { mine: { baseUrl: "https://h.test", ...fields } } });
  const named = (name: string) => ({ providers: { [name]: { baseUrl: "https://h.test" } } });
  const good: Options[] = [
    { origins: ["*", "https://a.test", "https://a.test:8080", "app://x", "tauri://localhost"] },
    { keys: { openai: "sk-1" } },
    row({ auth: { header: "x-key", prefix: "Key " } }),
    row({ auth: { header: "x-key", prefix: "" } }),
    ...["mine", "my.corp", "my_corp-2"].map(named),
  ];
  for (const options of good) createGateway(options);
  const bad: unknown[] = [
    ...[
      "**",
      "x*",
      "https://",
      "https://a.test/",
      "https://a.test/b",
      "https://a .test",
      "1a://x",
      " https://a.test",
    ]
      .map((origin) => ({ origins: [origin] })),
    ...["\u00e9sk", "sk\u00e9", "s\nk", ""].map((key) => ({ keys: { openai: key } })),
    ...["x key", "é", "x:", ""].map((header) => row({ auth: { header, prefix: "" } })),
    ...["é ", "Key é", "a\n"].map((prefix) => row({ auth: { header: "x-key", prefix } })),
    ...["my corp", " mine", "mine/", "é", "compat", ""].map(named),
    ...[
      "xhttps://h.test",
      "https://",
      "https://?a",
      "https://h.test?a",
      "https://h.test#a",
      "https://h.test\\a",
    ]
      .map((baseUrl) => ({ providers: { mine: { baseUrl } } })),
  ];
  for (const options of bad) {
    assertThrows(() => createGateway(options as Options), TypeError, undefined, JSON.stringify(options));
  }
});

Deno.test("a version that a base URL ends with is not written twice, and no other part is taken for one", async () => {
  const urls: Record<string, string> = {
    "https://h.test": "https://h.test/v1/messages",
    "https://h.test/": "https://h.test/v1/messages",
    "https://h.test//": "https://h.test/v1/messages",
    "https://h.test/v1": "https://h.test/v1/messages",
    "https://h.test/v1/x": "https://h.test/v1/x/v1/messages",
    "https://h.test/v2": "https://h.test/v2/v1/messages",
  };
  for (const [baseUrl, url] of Object.entries(urls)) {
    const { fetch, sent } = before(() => message(), { providers: { mine: { baseUrl, wire: "anthropic" } } });
    await (await fetch(ask("mine/m"))).body?.cancel();
    assertEquals(sent.map((one) => one.url), [url], baseUrl);
  }
});

Deno.test("readEnv() takes a port that is a number alone", () => {
  const port = (PORT: string) => readEnv((name) => ({ PORT })[name], ["PORT"]).port;
  assertEquals(["0", "80", "65535"].map(port), [0, 80, 65535]);
  for (const text of ["x80", "80x", "8e1", "0x50", "-80", "80.5", "100000", "65536"]) {
    assertThrows(() => port(text), TypeError, "PORT", text);
  }
});

Deno.test("numbers in headers are whole, with blanks around them at most", async () => {
  for (
    const [value, status] of [["2", 200], ["x2", 400], ["2x", 400], ["2.0", 400], ["0", 400], [
      "6",
      400,
    ]] as const
  ) {
    const { fetch } = before(() => completion());
    const response = await fetch(ask("openai/m", { "cf-aig-max-attempts": value }));
    await response.body?.cancel();
    assertEquals(response.status, status, value);
  }
});

Deno.test("the home page and the health check have their own paths and no others", async () => {
  const { fetch } = before(() => completion());
  const paths = {
    "": 200,
    "/": 200,
    "/health": 200,
    "/health/": 200,
    "/healthz": 404,
    "/xhealth": 404,
    "/x": 404,
  };
  for (const [path, status] of Object.entries(paths)) {
    const response = await fetch(new Request(`http://gateway.test${path}`));
    await response.body?.cancel();
    assertEquals(response.status, status, path);
  }
});

Deno.test("why a provider cannot be reached is known by its words in any case", async () => {
  const reasons: Record<string, string> = {
    "CERT_HAS_EXPIRED": "no secure connection could be made",
    "invalid peer certificate": "no secure connection could be made",
    "unable to verify the first Signature": "no secure connection could be made",
    "TLS handshake eof": "no secure connection could be made",
    "ECONNRESET": "the connection was closed before an answer",
    "Connection closed": "the connection was closed before an answer",
    "Connection Reset by peer": "the connection was closed before an answer",
    "something else": "no answer to the request",
  };
  for (const [words, reason] of Object.entries(reasons)) {
    const { fetch } = before(() => Promise.reject(new TypeError(words)));
    const { error } = await (await fetch(ask("openai/m"))).json();
    assertEquals(error.message.endsWith(reason), true, `${words}: ${error.message}`);
  }
});

Deno.test("a universal step at compat names chat completions, exactly", async () => {
  const step = (endpoint: string) => ({
    provider: "compat",
    endpoint,
    headers: {},
    query: { model: "openai/m", messages },
  });
  for (
    const endpoint of [
      "xchat/completions",
      "chat/completionsx",
      "chat/completions/x",
      "v2/chat/completions",
      "chat",
    ]
  ) {
    const { fetch, sent } = before(() => refusal(500));
    const response = await fetch(post(ROOT, [step(endpoint)]));
    await response.body?.cancel();
    assertEquals([response.status, sent.length], [400, 0], endpoint);
  }
  for (
    const endpoint of [
      "chat/completions",
      "/chat/completions",
      "v1/chat/completions",
      "/v1/chat/completions/",
    ]
  ) {
    const { fetch, sent } = before(() => completion());
    const response = await fetch(post(ROOT, [step(endpoint)]));
    await response.body?.cancel();
    assertEquals([response.status, sent.length], [200, 1], endpoint);
  }
});
