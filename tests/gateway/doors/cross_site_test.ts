import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion, messages, post, ROOT } from "../../fakes.ts";

const CHAT = `${ROOT}/compat/chat/completions`;

/** One request to each door that may spend a provider's money. */
const DOORS: [string, (headers: Record<string, string>) => Request][] = [
  ["chat", (headers) => ask("openai/m", headers)],
  [
    "short chat",
    (headers) => new Request("http://gateway.test/v1/chat/completions", ask("openai/m", headers)),
  ],
  [
    "universal",
    (headers) => post(ROOT, [{ provider: "openai", endpoint: "chat/completions", query: {} }], headers),
  ],
  ["native", (headers) => post(`${ROOT}/openai/chat/completions`, { model: "m", messages }, headers)],
  ["native GET", (headers) => new Request(`${ROOT}/openai/models`, { headers })],
  [
    "native socket",
    (headers) => new Request(`${ROOT}/openai/realtime`, { headers: { ...headers, upgrade: "websocket" } }),
  ],
  [
    "embeddings",
    (headers) => post("http://gateway.test/v1/embeddings", { model: "openai/m", input: "x" }, headers),
  ],
  [
    "completions",
    (headers) => post("http://gateway.test/v1/completions", { model: "openai/m", prompt: "x" }, headers),
  ],
  [
    "rerank",
    (headers) => post("http://gateway.test/v2/rerank", { model: "together/m", query: "x" }, headers),
  ],
  ["models", (headers) => new Request(`${ROOT}/compat/models`, { headers })],
];

/** The answer's status, and how many requests reached a provider. */
async function outcome(request: Request, options: Options = {}): Promise<[number, number]> {
  const { fetch, sent } = before(() => completion(), options);
  const response = await fetch(request);
  await response.body?.cancel();
  return [response.status, sent.length];
}

const STORED: Options = { keys: { openai: "sk-stored" }, tokens: ["tok"], tokenRequired: false };

const FOREIGN = [
  "https://evil.example",
  "http://evil.example:8787",
  "null",
  "http://localhost.evil.example",
  "http://127.0.0.1.evil.example",
  "http://evil-localhost",
  "http://xlocalhost",
  "http://128.0.0.1",
  "http://localhost:3000.evil.example",
  "http://[::2]",
  "http://user@localhost@evil.example",
  "https://evil.example/http://localhost",
  "ftp://localhost",
  "file://",
  "https://gateway.test", // The gateway's own origin is http.
  "http://gateway.test:81",
  "http://sub.gateway.test",
  "http-app://x",
  "https://app://x",
  "xapp://x",
  "chrome-extension:evil",
  "",
  "x".repeat(100_000),
  `app://${"x".repeat(100_000)}`,
];

Deno.test("a foreign page is 403 at each door that costs money, whatever token it brings", async () => {
  for (const [door, request] of DOORS) {
    for (const token of [undefined, "Bearer tok"]) {
      const origin = "https://evil.example";
      const headers: Record<string, string> = token ? { "cf-aig-authorization": token, origin } : { origin };
      assertEquals(await outcome(request(headers), STORED), [403, 0], door);
    }
  }
});

Deno.test("each origin that is not allowed is 403, and the answer is short and names SLUICE_ORIGINS", async () => {
  for (const origin of FOREIGN) {
    const { fetch, sent } = before(() => completion());
    const response = await fetch(ask("openai/m", { origin }));
    const text = await response.text();
    assertEquals([response.status, sent.length], [403, 0], origin.slice(0, 80));
    assertStringIncludes(text, "SLUICE_ORIGINS");
    assert(text.length < 1000, "a long origin is cut");
    assertEquals(response.headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("a page's simple requests are refused too: no content type, text/plain, a form", async () => {
  for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    for (const url of [CHAT, ROOT, `${ROOT}/openai/chat/completions`]) {
      const headers = new Headers({ origin: "https://evil.example", ...type && { "content-type": type } });
      const request = new Request(url, { method: "POST", headers, body: new Uint8Array([123, 125]) });
      assertEquals(await outcome(request), [403, 0], `${url} ${type}`);
    }
  }
});

const ALLOWED = [
  "http://gateway.test",
  "http://localhost",
  "http://localhost:3000",
  "https://localhost:5173",
  "http://app.localhost:3000",
  "https://tauri.localhost",
  "http://tauri.localhost",
  "http://127.0.0.1:19310",
  "http://127.8.9.10",
  "https://[::1]:3000",
  "app://obsidian.md",
  "tauri://localhost",
  "vscode-webview://0a1b2c",
  "chrome-extension://abcdefghijklmnop",
  "moz-extension://5b2f0e6c-0000-4000-8000-000000000000",
  "safari-web-extension://5B2F0E6C-0000-4000-8000-000000000000",
];

Deno.test("the gateway's own page, pages on loopback, desktop shells and extensions may call and read", async () => {
  for (const origin of ALLOWED) {
    for (const [door, request] of DOORS.filter(([name]) => name !== "native socket")) {
      const { fetch, sent } = before(() => completion());
      const response = await fetch(request({ origin }));
      assertEquals(response.status, 200, `${door} ${origin}`);
      assertEquals(response.headers.get("access-control-allow-origin"), origin, `${door} ${origin}`);
      assertEquals(sent.length, door === "models" ? 0 : 1);
      await response.body?.cancel();
    }
  }
});

Deno.test("an origin with more behind a shell's or an extension's name is not one", async () => {
  for (
    const origin of [
      "app://a.test http://b.test",
      "tauri://localhost/x",
      "chrome-extension://a,b",
      "app://a@b",
    ]
  ) {
    assertEquals(await outcome(ask("openai/m", { origin })), [403, 0], origin);
  }
});

Deno.test("behind a proxy that ends TLS, the gateway's own page is known by x-forwarded-proto, or by url", async () => {
  const origin = "https://gateway.test";
  for (const scheme of ["https", "https, http"]) {
    assertEquals(await outcome(ask("openai/m", { origin, "x-forwarded-proto": scheme })), [200, 1]);
  }
  assertEquals(await outcome(ask("openai/m", { origin }), { url: "https://gateway.test/base" }), [200, 1]);
  assertEquals(await outcome(ask("openai/m", { origin }), { url: "https://other.test" }), [403, 0]);
});

Deno.test("null and file:// may call only where they are listed", async () => {
  assertEquals(await outcome(ask("openai/m", { origin: "null" }), { origins: ["https://a.example"] }), [
    403,
    0,
  ]);
  assertEquals(await outcome(ask("openai/m", { origin: "null" }), { origins: ["null"] }), [200, 1]);
  assertEquals(await outcome(ask("openai/m", { origin: "file://" }), { origins: ["file://"] }), [200, 1]);
});

Deno.test("origins are compared as browsers write them", async () => {
  const options = { origins: ["https://App.Example:443", "http://b.example:8080"] };
  assertEquals(await outcome(ask("openai/m", { origin: "https://app.example" }), options), [200, 1]);
  assertEquals(await outcome(ask("openai/m", { origin: "http://b.example:8080" }), options), [200, 1]);
  assertEquals(await outcome(ask("openai/m", { origin: "http://b.example" }), options), [403, 0]);
  for (const origins of [["https://*.example"], ["https://a.example/"], ["a.example"]]) {
    assertThrows(
      () => createGateway({ origins }),
      TypeError,
      "Cannot use option origins.0: it must be an origin",
    );
  }
});

Deno.test("a cross-site GET without Origin, e.g. for an image or a link, is 403; others pass", async () => {
  const get = (headers: Record<string, string>) => new Request(`${ROOT}/openai/models`, { headers });
  assertEquals(await outcome(get({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })), [403, 0]);
  for (const site of ["none", "same-origin", "same-site"]) {
    assertEquals(await outcome(get({ "sec-fetch-site": site })), [200, 1], site);
  }
  assertEquals(await outcome(get({})), [200, 1]);
  // SDKs in programs with a browser engine send `sec-fetch-site` with their POSTs, without Origin.
  assertEquals(await outcome(ask("openai/m", { "sec-fetch-site": "cross-site" })), [200, 1]);
});

Deno.test("every page may read home and health", async () => {
  for (const path of ["/", "/health"]) {
    const { fetch } = createGateway({ hosts: [] });
    const response = await fetch(
      new Request(`http://gateway.test${path}`, { headers: { origin: "https://evil.example" } }),
    );
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
});

Deno.test("the program that made the gateway needs no allowed origin or host", async () => {
  const { call, gateway, sent } = before(() => completion(), { hosts: [] });
  assertEquals((await call(ask("openai/m", { origin: "https://evil.example" }))).status, 200);
  const step = { provider: "openai", endpoint: "chat/completions", query: { model: "m", messages } };
  const response = await gateway("default").run(step, { extraHeaders: { origin: "https://evil.example" } });
  assertEquals([response.status, sent.length], [200, 2]);
});

/** A chat request as it arrives from the network, with its Host. */
const to = (host: string, headers: Record<string, string> = {}) =>
  new Request(`http://${host}/v1/acct/gw/compat/chat/completions`, ask("openai/m", { host, ...headers }));

Deno.test("with hosts set, a foreign host is 403 and SLUICE_HOSTS is named", async () => {
  const foreign = [
    "evil.example",
    "localhost.evil.example:8787",
    "127.0.0.1.evil.example",
    "128.0.0.1",
    "xlocalhost",
    "a".repeat(300),
  ];
  for (const host of foreign) {
    const { fetch, sent } = before(() => completion(), { hosts: [] });
    const response = await fetch(to(host));
    assertEquals([response.status, sent.length], [403, 0], host);
    const text = await response.text();
    assertStringIncludes(text, "SLUICE_HOSTS");
    assert(text.length < 1000);
  }
  for (
    const host of [
      "localhost",
      "LOCALHOST:8787",
      "127.0.0.1:8787",
      "127.1.2.3",
      "[::1]:8787",
      "app.localhost",
    ]
  ) {
    assertEquals(await outcome(to(host), { hosts: [] }), [200, 1], host);
  }
  assertEquals(await outcome(to("evil.example")), [200, 1], "a library answers to any host");
});

Deno.test("hosts lists names for any port or one, or all; url's host is one of them", async () => {
  const options = { hosts: ["Gateway.internal", "b.internal:81"], url: "https://sluice.example:8443/base" };
  for (const host of ["gateway.internal", "gateway.internal:8787", "b.internal:81", "sluice.example:8443"]) {
    assertEquals(await outcome(to(host), options), [200, 1], host);
  }
  for (const host of ["b.internal", "b.internal:82", "sluice.example", "x.gateway.internal"]) {
    assertEquals(await outcome(to(host), options), [403, 0], host);
  }
  assertEquals(await outcome(to("any.example"), { hosts: ["*"] }), [200, 1]);
  assertThrows(
    () => createGateway({ hosts: ["http://a.example"] }),
    TypeError,
    "Cannot use option hosts.0: it must be a host",
  );
});

Deno.test("a gateway token opens any host; a wrong one does not", async () => {
  for (const tokenRequired of [true, false]) {
    const options = { hosts: [], tokens: ["tok"], tokenRequired };
    assertEquals(await outcome(to("evil.example", { authorization: "Bearer tok" }), options), [200, 1]);
    assertEquals(await outcome(to("evil.example", { authorization: "Bearer other" }), options), [403, 0]);
    assertEquals(await outcome(to("evil.example"), options), [403, 0]);
    assertEquals(await outcome(to("evil.example", { origin: "http://evil.example" }), options), [403, 0]);
  }
});
