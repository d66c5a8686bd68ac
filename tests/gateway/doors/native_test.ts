import { isOwnLocation } from "../../../gateway/upstream/headers.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import { ask, before, completion, events, nothing, pieces, post, refusal, ROOT } from "../../fakes.ts";

/** Sends bytes to a server that no URL parser would write. */
async function speak(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  let answer = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (let size; (size = await connection.read(buffer)) !== null;) {
    answer += decoder.decode(buffer.subarray(0, size));
  }
  return answer;
}

/** Serves a handler on loopback while `use` runs. */
async function served(
  handler: (request: Request) => Response | Promise<Response>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  try {
    await use(server.addr.port);
  } finally {
    await server.shutdown();
  }
}

// ---------------------------------------------------------------- requests

for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
  Deno.test(`native() passes ${method} on, with its path, query and body`, async () => {
    const { fetch, sent } = before(() => new Response(method === "HEAD" ? null : "answer", { status: 203 }));
    const body = method === "GET" || method === "HEAD" ? undefined : "\x00bytes \xff";
    const url = `${ROOT}/openai/v1/files/a%2Fb?purpose=x%20y&a=1&a=2&empty=`;
    const response = await fetch(new Request(url, { method, body, headers: { "x-own": "1" } }));
    assertEquals([response.status, await response.text()], [203, method === "HEAD" ? "" : "answer"]);
    assertEquals(sent[0].method, method);
    assertEquals(sent[0].url, "https://api.openai.com/v1/files/a%2Fb?purpose=x%20y&a=1&a=2&empty=");
    assertEquals(sent[0].body, body ?? "");
    assertEquals(sent[0].headers.get("x-own"), "1");
  });
}

Deno.test("native() sends a DELETE without a body if the client sent none, and else with the client's", async () => {
  const bodies: unknown[] = [];
  const { fetch: serve } = createGateway({
    fetch: async (_, { body }) => {
      bodies.push(body && await new Response(body).text());
      return new Response("{}");
    },
  });
  await served(serve, async (port) => {
    for (const body of [undefined, '{"ids":[1]}']) {
      const response = await fetch(`http://127.0.0.1:${port}/v1/-/default/openai/files/1`, {
        method: "DELETE",
        body,
      });
      assertEquals([response.status, await response.text()], [200, "{}"]);
    }
  });
  assertEquals(bodies, [null, '{"ids":[1]}']);
});

Deno.test("native() keeps every byte of a path and its query as it came over the network", async () => {
  const { fetch, sent } = before(() => new Response("ok"));
  const tails = [
    "models/gemini%2Dpro:generateContent?key=a%2Bb",
    "models/a:b@c/d;e=f,g!h'i(j)k*l",
    "model/arn%3Aaws%3Abedrock%2Fx",
    "models/%E5%90%8D?q=%F0%9F%98%80",
    'models/x?q=[1]&r={a}|b^c`d"e',
    "models//double///slash",
    "models/x?",
    "models/x?a?b",
    "models/%zz",
  ];
  await served(fetch, async (port) => {
    for (const tail of tails) {
      await speak(
        port,
        `GET /v1/acct/gw/google-ai-studio/v1/${tail} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
      );
      assertEquals(sent.at(-1)?.url, `https://generativelanguage.googleapis.com/v1/${tail}`);
    }
  });
});

Deno.test("native() cannot be led out of a row's base, whatever is sent over the network", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const tails = [
    "../x",
    "a/../../x",
    "%2e%2e/x",
    ".%2E/x",
    "a%2f..%2fx",
    "a%5c..%5cx",
    "a\\..\\x",
    "./x",
    "a/./x",
    "a/..;/x/..",
    "..?x",
    "https://evil.test/x",
    "https:/evil.test/../x",
    "/evil.test/..",
  ];
  await served(fetch, async (port) => {
    for (
      const provider of ["openai", "anthropic", "aws-bedrock", "azure-openai", "huggingface", "workers-ai"]
    ) {
      for (const tail of tails) {
        const answer = await speak(
          port,
          `GET /v1/acct/gw/${provider}/${tail} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
        );
        assertStringIncludes(answer, " 400 ", `${provider}/${tail}`);
        assertStringIncludes(answer, '"success":false');
      }
    }
  });
});

Deno.test("native() sends stored keys to no host but the provider's own", async () => {
  const keys = Object.fromEntries([...PROVIDERS.keys()].map((name) => [name, `stored-${name}`]));
  const { fetch, sent } = before(() => new Response("ok"), { tokens: ["t"], keys });
  const tails = [
    "evil.test/x/y",
    "@evil.test/x/y",
    "evil.test%2f/x/y",
    "evil.test%3f/x/y",
    "evil.test%23/x/y",
    "evil.test:80/x/y",
    "a@evil.test/x/y/z",
    "bedrock-runtime/evil.test%2f/model/x",
    "bedrock-runtime/us-east-1.evil.test%23/model/x",
    "bedrock-mantle/x@evil.test/model/x",
    "v1/projects/p/locations/evil.test%2f/x",
    "v1/projects/p/locations/a@evil.test/x",
    "model/evil.test%2f/predict",
    "model/a@evil/predict",
    "v1/https:%2f%2fevil.test/x",
  ];
  for (const { name, baseUrl, fetch: builtIn } of PROVIDERS.values()) {
    if (builtIn) continue;
    const domain = new URL(baseUrl.replaceAll(/[{}]/g, "")).hostname.split(".").slice(-2).join(".");
    const before = sent.length;
    for (const tail of tails) {
      const from = sent.length;
      await (await fetch(post(`${ROOT}/${name}/${tail}`, {}, { "cf-aig-authorization": "t" }))).text();
      for (const { url } of sent.slice(from)) {
        const { hostname } = new URL(url);
        assert(
          `.${hostname}`.endsWith(`.${domain}`) || name === "aws-bedrock" && hostname.endsWith(".api.aws"),
          `${name}/${tail} went to ${hostname}`,
        );
      }
    }
    // Some of these paths are valid, but not for a row whose paths begin with a region.
    const needsRegion = name === "aws-bedrock";
    assertEquals(sent.length > before, !needsRegion, name);
  }
});

Deno.test("native() sends a short body with its length and a long one as it comes", async () => {
  const kinds: string[] = [];
  const fetch = (_url: string, { body }: RequestInit) => {
    kinds.push(body instanceof ReadableStream ? "stream" : "bytes");
    return Promise.resolve(new Response("ok"));
  };
  const gateway = createGateway({ fetch });
  await served(gateway.fetch, async (port) => {
    const url = `http://127.0.0.1:${port}/v1/a/g/openai/x`;
    for (const body of ["short", "x".repeat(300_000), pieces("of no ", "known length")]) {
      await (await globalThis.fetch(url, { method: "POST", body })).text();
    }
  });
  assertEquals(kinds, ["bytes", "stream", "stream"]);
});

Deno.test("native() passes a body on piece by piece, before it is whole", async () => {
  const arrived = Promise.withResolvers<void>();
  const seen: string[] = [];
  const gateway = createGateway({
    async fetch(_url, { body, duplex }: RequestInit & { duplex?: string }) {
      assertEquals(duplex, "half");
      const decoder = new TextDecoder();
      for await (const chunk of body as ReadableStream<Uint8Array>) {
        seen.push(decoder.decode(chunk));
        arrived.resolve();
      }
      return new Response("ok");
    },
  });
  // The second chunk is sent only when the first has arrived.
  const body = pieces("first", arrived.promise, "second");
  const init = { method: "POST", body, duplex: "half" };
  const response = await gateway.fetch(new Request(`${ROOT}/openai/audio`, init as RequestInit));
  assertEquals([await response.text(), seen], ["ok", ["first", "second"]]);
});

Deno.test("native() passes an answer on piece by piece, before it is whole", async () => {
  const read = Promise.withResolvers<void>();
  const { fetch } = before(() => new Response(pieces("first", read.promise, "second")));
  const response = await fetch(post(`${ROOT}/openai/audio/speech`, {}));
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode((await reader.read()).value), "first");
  read.resolve();
  assertEquals(decoder.decode((await reader.read()).value), "second");
  assertEquals((await reader.read()).done, true);
});

Deno.test("native() reads a body whole that may have to be sent again, up to the limit", async () => {
  const { fetch, sent } = before((_, at) => at === 0 ? refusal(500) : completion(), {
    limits: { maxBodyBytes: 20 },
    retries: { maxAttempts: 2, retryDelayMs: 0 },
  });
  const request = (...parts: string[]) =>
    new Request(
      `${ROOT}/openai/x`,
      { method: "POST", body: pieces(...parts), duplex: "half" } as RequestInit,
    );
  await (await fetch(request("some", "thing"))).text();
  assertEquals(sent.map(({ body }) => body), ["something", "something"]);
  assertEquals((await fetch(request("far more than", " twenty bytes"))).status, 413);
  assertEquals(sent.length, 2);
});

// ---------------------------------------------------------------- headers and keys

Deno.test("native() does not send headers of the connection, the gateway or the browser", async () => {
  const { fetch, sent } = before(() => new Response("ok"));
  const stay = {
    "cf-aig-metadata": "{}",
    "cf-aig-cache-ttl": "60",
    "cf-connecting-ip": "203.0.113.9",
    "cf-ray": "r",
    "cf-access-token": "secret",
    "sluice-strict": "true",
    cookie: "a=b",
    forwarded: "for=203.0.113.9",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "h",
    "x-real-ip": "203.0.113.9",
    "true-client-ip": "203.0.113.9",
    "x-client-ip": "203.0.113.9",
    "fly-client-ip": "203.0.113.9",
    via: "1.1 a",
    "cdn-loop": "a",
    connection: "keep-alive, x-hop",
    "x-hop": "1",
    "keep-alive": "timeout=5",
    te: "trailers",
    "proxy-authorization": "Basic x",
    origin: "http://localhost:3000",
    referer: "https://page.test/",
    "sec-fetch-mode": "cors",
    "accept-encoding": "zstd",
  };
  const go = {
    accept: "text/event-stream",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a,b",
    "openai-organization": "org",
    "openai-beta": "realtime=v1",
    "cartesia-version": "2024-06-10",
    "content-type": "multipart/form-data; boundary=x",
    "content-encoding": "gzip",
    "user-agent": "sdk/1",
    "x-stainless-lang": "js",
    "x-amz-date": "20261124T000000Z",
    "idempotency-key": "k",
    range: "bytes=0-1",
  };
  await (await fetch(post(`${ROOT}/openai/x`, "x", { ...stay, ...go }))).text();
  assertEquals(Object.fromEntries(sent[0].headers), Object.fromEntries(new Headers(go)));
});

Deno.test("native() sends a client's credentials as they are, wherever they are", async () => {
  const all = {
    authorization: "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
    "x-api-key": "k1",
    "x-goog-api-key": "k2",
    "api-key": "k3",
    "xi-api-key": "k4",
  };
  const { fetch, sent } = before(() => new Response("ok"));
  for (const [name, value] of Object.entries(all)) {
    await (await fetch(post(`${ROOT}/openai/x`, {}, { [name]: value }))).text();
    const { headers } = sent.at(-1)!;
    for (const other of Object.keys(all)) assertEquals(headers.get(other), other === name ? value : null);
  }
});

Deno.test("native() sends a key in the query as the client's own, and adds no stored key", async () => {
  const { fetch, sent } = before(() => new Response("ok"), { tokens: ["t"], keys: { google: "stored" } });
  const own = { "cf-aig-authorization": "t" };
  for (const query of ["?key=mine", "?alt=sse&key=mine", "?api_key=mine", "", "?key=", "?monkey=1"]) {
    await (await fetch(post(`${ROOT}/google-ai-studio/v1/models/g:generateContent${query}`, {}, own))).text();
  }
  assertEquals(sent.map(({ headers }) => headers.get("x-goog-api-key")), [
    null,
    null,
    null,
    "stored",
    "stored",
    "stored",
  ]);
  assert(sent.every(({ url }) => !url.includes("stored")));
});

// ---------------------------------------------------------------- answers

Deno.test("native() hands status, headers and body of every answer back as they are", async () => {
  const bytes = new Uint8Array(256).map((_, at) => at);
  for (const status of [200, 206, 301, 307, 400, 401, 404, 418, 422, 429, 500, 503, 529, 599]) {
    const headers = {
      "content-type": "application/x-anything",
      "retry-after": "7",
      "x-request-id": "req_1",
      "request-id": "req_2",
      "x-ratelimit-remaining-requests": "5",
      "anthropic-ratelimit-tokens-remaining": "5",
      location: "https://api.openai.com/x",
      etag: '"e"',
    };
    const { fetch, sent } = before(() => new Response(bytes, { status, statusText: "As It Is", headers }));
    const response = await fetch(post(`${ROOT}/openai/x`, {}));
    assertEquals([response.status, response.statusText], [status, "As It Is"]);
    for (const [name, value] of Object.entries(headers)) assertEquals(response.headers.get(name), value);
    assertEquals(new Uint8Array(await response.arrayBuffer()), bytes);
    assertEquals(sent.length, 1, "a redirect is not followed");
  }
  for (const status of [204, 205, 304]) {
    const { fetch } = before(() => new Response(null, { status }));
    const response = await fetch(post(`${ROOT}/openai/x`, {}));
    assertEquals([response.status, await response.text()], [status, ""]);
  }
});

Deno.test("native() hands back an event stream byte for byte, cut as it was", async () => {
  const parts = ["event: a\r\ndata: 1\r", "\n\r\n: comment\n", "data: no end"];
  const { fetch } = before(() => events(...parts));
  const response = await fetch(post(`${ROOT}/anthropic/v1/messages`, {}));
  const seen: string[] = [];
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) seen.push(decoder.decode(chunk));
  assertEquals(seen, parts);
});

Deno.test("native() does not return a provider's headers for its connection, its host and browsers", async () => {
  const stay = {
    "set-cookie": "a=b",
    connection: "close, x-hop",
    "x-hop": "1",
    "sluice-dropped": "seed",
    "keep-alive": "timeout=5",
    "transfer-encoding": "chunked",
    "content-encoding": "gzip",
    "content-length": "99",
    "alt-svc": 'h3=":443"',
    "strict-transport-security": "max-age=1",
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
  };
  const { fetch } = before(() => new Response("ok", { headers: { ...stay, "x-own": "1" } }));
  const response = await fetch(post(`${ROOT}/openai/x`, {}));
  assertEquals(response.headers.get("x-own"), "1");
  for (const name of Object.keys(stay)) assertEquals(response.headers.get(name), null, name);
  await response.text();
});

Deno.test("native() breaks off an answer that breaks off", async () => {
  const { fetch } = before(() => new Response(pieces("some", new TypeError("reset"))));
  const response = await fetch(post(`${ROOT}/openai/x`, {}));
  await assertRejects(() => response.text());
});

Deno.test("native() tells fetch not to follow redirects", async () => {
  const seen: unknown[] = [];
  const fetch = (_url: string, { redirect }: RequestInit) => {
    seen.push(redirect);
    return Promise.resolve(
      new Response(null, { status: 302, headers: { location: "https://elsewhere.test" } }),
    );
  };
  const gateway = createGateway({ fetch });
  assertEquals((await gateway.fetch(post(`${ROOT}/openai/x`, {}))).status, 302);
  assertEquals(seen, ["manual"]);
});

Deno.test("isOwnLocation() reads a scheme without slashes as another host, as a client on https does", () => {
  const url = "http://provider.test/v1/x";
  for (const own of ["/v1/y", "y", "?a", "http://provider.test/z"]) {
    assertEquals(isOwnLocation(own, url), true, own);
  }
  const foreign = [
    "http:other.test",
    "https:other.test",
    "//other.test",
    "\\\\other.test",
    "https://provider.test/z",
    "http://",
  ];
  for (const other of foreign) assertEquals(isOwnLocation(other, url), false, other);
});

// ---------------------------------------------------------------- refusals

Deno.test("native() refuses requests in Cloudflare's envelope, and sends nothing", async () => {
  const refused: [string, number, number, Record<string, string>?][] = [
    ["nobody/x", 400, 2008],
    ["constructor/x", 400, 2008],
    ["__proto__/x", 400, 2008],
    ["opnai/chat/completions", 400, 2008],
    ["azure-openai/x", 400, 400],
    ["aws-bedrock/other/us-east-1/x", 400, 400],
    ["openai/realtime?model=gpt", 501, 501, { upgrade: "websocket" }],
  ];
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (const [path, status, code, headers] of refused) {
    const response = await fetch(post(`${ROOT}/${path}`, {}, headers));
    assertEquals(response.status, status, path);
    const body = await response.json();
    assertEquals([body.success, body.error[0].code, body.internalCode], [false, code, code]);
    assertEquals(body.error[0].message, body.message);
  }
  const near = await (await fetch(post(`${ROOT}/opnai/x`, {}))).json();
  assertStringIncludes(near.message, '"openai"');
});

Deno.test("native() refuses a number that is not an HTTP status", async () => {
  // No runtime can make such a response, but a server can send one.
  const odd = () => ({ status: 999, headers: new Headers(), body: null }) as Response;
  const { fetch } = before(odd);
  const response = await fetch(post(`${ROOT}/openai/x`, {}));
  assertEquals(response.status, 502);
  assertEquals((await response.json()).internalCode, 2005);
});

Deno.test("native() and compat refuse headers that no provider takes, before anything is sent", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  for (const name of ["x-a", "authorization"]) {
    const headers = { [name]: "b".repeat(70_000) };
    const native = await fetch(post(`${ROOT}/openai/x`, {}, headers));
    assertEquals([native.status, (await native.json()).param], [431, "headers"]);
    const compat = await fetch(ask("openai/gpt", headers));
    assertEquals([compat.status, (await compat.json()).error.param], [431, "headers"]);
  }
});

Deno.test("native() refuses TRACE, whose answer would hold the stored key, and the other methods that fetch never sends", async () => {
  const { fetch, sent } = before(() => completion(), { keys: { openai: "sk-stored" }, tokens: ["tok"] });
  const headers = { authorization: "Bearer tok" };
  for (const path of [`${ROOT}/openai/models`, "http://gateway.test/openai/v1/models"]) {
    for (const method of ["TRACE", "TRACK", "CONNECT"]) {
      // `new Request` refuses these methods, but a server can make such a request.
      const request = new Proxy(new Request(path, { headers }), {
        get: (request, name) => name === "method" ? method : Reflect.get(request, name, request),
      });
      const response = await fetch(request);
      assertEquals([response.status, response.headers.get("allow")], [
        405,
        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      ]);
      await response.body?.cancel();
    }
  }
  assertEquals(sent.length, 0);
});

Deno.test("native() sends a GET without the empty body that workerd adds to it", async () => {
  const { fetch, sent } = before(() => completion());
  for (const method of ["GET", "HEAD"]) {
    const request = new Proxy(new Request(`${ROOT}/openai/models`, { method }), {
      get: (request, name) => name === "body" ? new Blob([]).stream() : Reflect.get(request, name, request),
    });
    const response = await fetch(request);
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
  assertEquals(sent.map(({ method, body }) => [method, body]), [["GET", ""], ["HEAD", ""]]);
});
