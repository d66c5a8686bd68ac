import { assertEquals, assertRejects } from "@std/assert";
import { scanEndpoint } from "npm:compatcanary@0.2.2";
import { createGateway } from "../../../gateway/gateway.ts";

const nothingSent = () => Promise.reject(new Error("nothing may be sent"));

/** Serves a gateway on loopback while `use` runs. */
async function served(use: (baseUrl: string) => Promise<void>): Promise<void> {
  const gateway = createGateway({ fetch: nothingSent });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() },
    gateway.fetch,
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}/v1`);
  } finally {
    await server.shutdown();
  }
}

function post(url: string, body: Record<string, unknown>, init: RequestInit = {}): Promise<Response> {
  const messages = [{ role: "user", content: "Hello brave new world" }];
  const headers = { "content-type": "application/json" };
  return fetch(`${url}/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ messages, ...body }),
    ...init,
  });
}

Deno.test("demo/echo gets compatcanary's full score for chat", () =>
  served(async (baseUrl) => {
    const report = await scanEndpoint({ baseUrl, model: "demo/echo", profile: "chat" });
    const problems = report.results.filter((result: { status: string }) => result.status !== "pass");
    assertEquals(problems, []);
    assertEquals(report.score, 100);
  }));

Deno.test("demo/cut is a broken connection for the client", () =>
  served(async (baseUrl) => {
    for (const stream of [false, true]) {
      await assertRejects(async () => await (await post(baseUrl, { model: "demo/cut", stream })).text());
    }
  }));

Deno.test("demo/slow-… is abandoned when the client leaves", () =>
  served(async (baseUrl) => {
    const leaving = new AbortController();
    const answer = post(baseUrl, { model: "demo/slow-600000" }, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 50);
    await assertRejects(() => answer, DOMException);
    // The server ends at once only if the request has ended. The test runner's leak check fails if a timer is left.
  }));

Deno.test("demo/status-… keeps its status and its retry-after through the gateway", () =>
  served(async (baseUrl) => {
    const response = await post(baseUrl, { model: "demo/status-429" });
    assertEquals([response.status, response.headers.get("retry-after")], [429, "1"]);
    assertEquals((await response.json()).error.code, "rate_limit_exceeded");
  }));

Deno.test("demo names its models if a client asks for another one", () =>
  served(async (baseUrl) => {
    const response = await post(baseUrl, { model: "demo/gpt" });
    assertEquals(response.status, 404);
    assertEquals((await response.json()).error.code, "model_not_found");
  }));
