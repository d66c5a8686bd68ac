import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { allowedMethods, findRoute, pathOf } from "../../../gateway/doors/find_door.ts";
import { GatewayError } from "../../../wires/errors.ts";
import { before, completion, messages, post } from "../../fakes.ts";

const HOST = "http://gateway.test";

Deno.test("every door of chat completions opens, with any ids", async () => {
  const { fetch, sent } = before(() => completion());
  const paths = ["", "/v1", "/compat", "/compat/v1", "/v1/acct/gw/compat", "/v1/acct/gw/compat/v1"];
  paths.push("/v1/a%20b/ü.~-_/compat", "/v1/compat/compat/compat", "/v1/-/chat/compat", "/v1/compat");
  paths.push("/v1/compat/v1", "/client/v4/accounts/acct/ai/v1");
  const tails = ["/chat/completions", "/chat/completions/", "/chat/completions/chat/completions"];
  for (const path of paths) {
    for (const tail of path.startsWith("/client") ? tails.slice(0, 2) : tails) {
      for (const query of ["", "?api-version=1", "#x"]) {
        const url = HOST + path + tail + query;
        const response = await fetch(post(url, { model: "openai/m", messages }));
        assertEquals(response.status, 200, url);
        await response.body?.cancel();
      }
    }
  }
  assertEquals(new Set(sent.map(({ url }) => url)), new Set(["https://api.openai.com/v1/chat/completions"]));
});

Deno.test("the path's account is the account in the upstream's URL", async () => {
  const { fetch, sent } = before(() => completion());
  const ask = (account: string, model: string) =>
    fetch(post(`${HOST}/v1/${account}/gw/compat/chat/completions`, { model, messages }));
  const hex = "0123456789abcdef0123456789abcdef";
  for (const account of ["acct", "my-acct_1", hex, "%61cct"]) await ask(account, "workers-ai/@cf/m");
  const accounts = sent.map(({ url }) => /accounts\/([^/]+)\/ai\/v1\/chat\/completions$/.exec(url)?.[1]);
  assertEquals(accounts, ["acct", "my-acct_1", hex, "acct"]);
  // A malformed id could lead to another path at the provider. A provider without an account ignores it.
  for (const account of ["a%2Fb", "a b", "%2e%2e%2e", "..%2f..", "a%00", "é", "x".repeat(65), "%2520"]) {
    const response = await ask(account, "workers-ai/@cf/m");
    assertEquals(response.status, 400, account);
    assertMatch((await response.json()).error.message, /is not an account id/);
    assertEquals((await ask(account, "openai/m")).status, 200, account);
  }
});

Deno.test("findRoute() refuses . and .. as an id, because they would lead to another path at the provider", () => {
  // Deno does not resolve the dots in a request's path.
  for (const id of [".", "..", "%2e%2E", ".%2e", "%20..", "..%20", ".%09", "%0a%2e%2e"]) {
    for (const path of [`/v1/${id}/gw/compat/chat/completions`, `/v1/acct/${id}/compat/chat/completions`]) {
      assertEquals(assertThrows(() => findRoute("POST", path), GatewayError).code, "not_found", path);
    }
  }
});

Deno.test("GET / is a page with a curl command that works as printed", async () => {
  const { fetch, sent } = before(() => completion());
  const page = await (await fetch(new Request(`${HOST}:8787/`))).text();
  const [, url, body] = /curl (\S+) [^]*?-d '(.*)'/.exec(page)!;
  const response = await fetch(post(url, body));
  assertEquals((await response.json()).choices[0].message.content, "Hello");
  assertEquals(sent, [], "it needs no provider");
});

Deno.test("GET /health is 200; HEAD is allowed where GET is", async () => {
  const { fetch } = before(() => completion());
  for (
    const [method, path] of [
      ...[["GET", "/health"], ["HEAD", "/health"], ["HEAD", "/"], ["GET", "/health/"]],
      ...[["HEAD", "/api/hello"], ["GET", "/compat/api/hello"], ["HEAD", "/v1/acct/gw/compat/api/hello"]],
    ]
  ) {
    const response = await fetch(new Request(HOST + path, { method }));
    assertEquals(response.status, 200, `${method} ${path}`);
    await response.body?.cancel();
  }
});

Deno.test("any other path is 404, and another method 405 with the allowed methods, as an OpenAI error", async () => {
  const { fetch, sent } = before(() => completion());
  const cases: [string, string, number, string | null][] = [
    ["GET", "/chat-completions", 404, null],
    ["POST", "/nothing", 404, null],
    ["POST", "/x/chat/completions", 404, null],
    ["POST", "/v1//gw/compat/chat/completions", 404, null],
    ["GET", "/v1/chat/completions", 405, "POST, OPTIONS"],
    ["HEAD", "/v1/acct/gw/compat/chat/completions", 405, "POST, OPTIONS"],
    ["POST", "/", 405, "GET, HEAD, OPTIONS"],
    ["DELETE", "/health", 405, "GET, HEAD, OPTIONS"],
  ];
  for (const [method, path, status, allow] of cases) {
    const response = await fetch(new Request(HOST + path, { method }));
    assertEquals([response.status, response.headers.get("allow")], [status, allow], `${method} ${path}`);
    const { error } = await response.json();
    assertEquals(Object.keys(error), ["message", "type", "param", "code"]);
    assertEquals(error.code, status === 404 ? "not_found" : "method_not_allowed");
  }
  assertEquals(sent, []);
});

Deno.test("findRoute() returns for short paths what the patterns return", () => {
  for (
    const path of [
      "/chat/completions",
      "/compat/chat/completions",
      "/v1/chat/completions",
      "/responses",
      "/v1/responses",
    ]
  ) {
    // A path with a slash at its end is not a short path.
    assertEquals(findRoute("POST", path), findRoute("POST", `${path}/`), path);
    assertEquals(assertThrows(() => findRoute("GET", path), GatewayError).code, "method_not_allowed", path);
  }
});

Deno.test("findRoute() takes a /v1 and slashes too many, as clients with such base URLs send them", () => {
  const paths = ["chat/completions", "messages", "messages/count_tokens", "responses", "responses/compact"];
  paths.push("responses/input_tokens", "responses/resp_1", "embeddings", "completions", "rerank");
  for (const path of [...paths, "models", "models/demo/echo"]) {
    const method = path.startsWith("models") || path.endsWith("resp_1") ? "GET" : "POST";
    const due = findRoute(method, `/v1/${path}`);
    for (const base of ["", "/v1/v1", "/compat/v1/v1", "/v1/compat/v1", "/v1/compat/v1/v1"]) {
      assertEquals(findRoute(method, `${base}/${path}`), due, `${base}/${path}`);
    }
    // A model's name may hold slashes of its own.
    if (path.startsWith("models/")) continue;
    for (const base of ["/v1/", "/", "//v1", "/v1//v1", "/compat//v1"]) {
      assertEquals(findRoute(method, `${base}/${path}`), due, `${base}/${path}`);
    }
    const own = findRoute(method, `/v1/acct/gw/compat/${path}`);
    assertEquals([own.account, own.gateway], ["acct", "gw"]);
    assertEquals(findRoute(method, `/v1/acct/gw//compat//v1/v1/${path}`), own);
  }
  // A server in front may close these by their paths.
  for (const path of ["//metrics", "//health", "/sluice//api/logs"]) {
    assertThrows(() => findRoute("GET", path), GatewayError);
  }
});

Deno.test("GET /v1 is 404: it is a base URL, and not a path of OpenAI's", async () => {
  const { fetch } = before(() => completion());
  for (const path of ["/v1", "/v1/", "/v1/v1", "/v1//"]) {
    const response = await fetch(new Request(HOST + path));
    assertEquals([response.status, (await response.json()).error.code], [404, "not_found"], path);
  }
});

Deno.test("pathOf() finds the path of any URL that a runtime hands over", () => {
  const cases: [string, string][] = [
    ["http://a/b/c?d/e", "/b/c"],
    ["http://a/b#c?d", "/b"],
    ["http://a", "/"],
    ["http://a:1/", "/"],
    ['http://a b"<>/c', "/c"],
    ["http://a/*", "/*"],
    ["http://a//b/c", "//b/c"],
    ["http://a?/b", "/"],
    ["http://a#/b?c", "/"],
    ["/b/c?d/e", "/b/c"],
    ["/b://c/d", "/b://c/d"],
    ["//b/c#d", "//b/c"],
  ];
  for (const [url, path] of cases) assertEquals(pathOf(url), path, url);
});

Deno.test("allowedMethods() is empty for an unknown path", () => {
  assertEquals(allowedMethods("/nothing"), []);
  assertEquals(allowedMethods("/v1/chat/completions"), ["POST"]);
});

Deno.test("OpenAI's other paths are refused, and not taken for an account and a gateway", async () => {
  const { fetch, sent } = before(() => completion());
  for (const path of ["/moderations", "/v1/images/generations", "/v1/audio/speech/"]) {
    const response = await fetch(post(HOST + path, { model: "openai/m", input: "Hello" }));
    const { error } = await response.json();
    const endpoint = path.replace(/^\/(v1\/)?|\/$/g, "");
    assertEquals(response.status, 400);
    assertEquals(
      error.message,
      `Compatibility endpoint: ${endpoint} is not supported. OpenAI's own path is /v1/-/default/openai/${endpoint}`,
    );
    assertEquals(error.code, "2019");
  }
  assertEquals(sent.length, 0);
});

Deno.test("a Host header that could be taken for a path is 400 at every door, and a valid one is not", async () => {
  const { fetch, sent } = before(() => completion());
  const request = (method: string, path: string, host: string) =>
    new Request(HOST + path, { method, headers: { host } });
  const bad = [
    "x/v1/chat/completions?",
    "x?",
    "x#",
    "x\\y",
    "user@x",
    "x y",
    "x\ty",
    "a, b",
    "x:80/y",
    "http://x",
    "x%2f",
  ];
  for (const host of bad) {
    for (
      const [method, path] of [["GET", "/health"], ["GET", "/"], ["POST", "/v1/chat/completions"], [
        "OPTIONS",
        "/v1/models",
      ]]
    ) {
      const response = await fetch(request(method, path, host));
      assertEquals(
        [response.status, (await response.json()).error.param],
        [400, "host"],
        `${host} ${method} ${path}`,
      );
    }
  }
  for (
    const host of [
      "x",
      "x:8787",
      "x:",
      "",
      "a.b-c_d.example",
      "127.0.0.1:80",
      "[::1]",
      "[2001:db8::1]:443",
      "xn--a",
    ]
  ) {
    assertEquals((await fetch(request("GET", "/health", host))).status, 200, host);
  }
  assertEquals(sent, []);
});

Deno.test("paths of stored things take the methods of HTTP's own, and no other one", async () => {
  const { fetch, sent } = before(() => completion());
  for (
    const path of [
      "/v1/conversations",
      "/v1/conversations/a/items",
      "/v1/responses/a",
      "/client/v4/accounts/acct/ai/v1/responses/a",
    ]
  ) {
    for (const method of ["QUERY", "PROPFIND"]) {
      const response = await fetch(new Request(HOST + path, { method }));
      const allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
      assertEquals([response.status, response.headers.get("allow")], [405, allow], `${method} ${path}`);
      await response.body?.cancel();
    }
  }
  assertEquals(sent, []);
});
