import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ai } from "../../ai.ts";
import { remoteGateway } from "../../gateway/remote_gateway.ts";
import { before, completion, messages } from "../fakes.ts";

type Answer = Parameters<typeof before>[0];

/** A stand-in for a Worker's `env.AI`, with `fetch` and `getUrl`. */
function service(answer: Answer, options: Parameters<typeof before>[1] = {}) {
  const { call, gateway, sent } = before(answer, { account: "acct", url: "https://sluice.test", ...options });
  return { sent, ...ai({ fetch: call, gateway }), wrapped: ai({ fetch: call, gateway }) };
}

Deno.test("ai().run() asks Workers AI in its own format, and any other provider for a chat completion", async () => {
  const { wrapped, sent } = service(({ url }) =>
    url.includes("cloudflare") ? Response.json({ result: { response: "Hi" }, success: true }) : completion()
  );
  assertEquals(await wrapped.run("@cf/meta/llama", { prompt: "Hello" }), { response: "Hi" });
  assertEquals(
    [sent[0].url, sent[0].body],
    ["https://api.cloudflare.com/client/v4/accounts/acct/ai/run/@cf/meta/llama", '{"prompt":"Hello"}'],
  );
  const answer = await wrapped.run("openai/gpt-4o", { messages }, {
    extraHeaders: { authorization: "Bearer k" },
  });
  assertEquals((answer as { object: string }).object, "chat.completion");
  assertEquals([sent[1].url, sent[1].body, sent[1].headers.get("authorization")], [
    "https://api.openai.com/v1/chat/completions",
    JSON.stringify({ model: "gpt-4o", messages }),
    "Bearer k",
  ]);
});

Deno.test("ai().run() returns a stream of bytes for streams and bodies that are not JSON, and a Response if asked to", async () => {
  const { wrapped } = service(() =>
    new Response("data: [DONE]\n\n", { headers: { "content-type": "text/event-stream" } })
  );
  const stream = await wrapped.run("openai/gpt-4o", { messages, stream: true }) as ReadableStream;
  assertEquals(await new Response(stream).text(), "data: [DONE]\n\n");
  const image = service(() => new Response("PNG", { headers: { "content-type": "image/png" } })).wrapped;
  assertEquals(await new Response(await image.run("@cf/x/flux", {}) as ReadableStream).text(), "PNG");
  const raw = await service(() => new Response("no", { status: 500 })).wrapped
    .run("@cf/x/flux", {}, { returnRawResponse: true }) as Response;
  assertEquals([raw.status, await raw.text()], [500, "no"]);
});

Deno.test("ai().run() throws what the gateway or the provider says, and for options that it does not know", async () => {
  const error = { errors: [{ code: 5006, message: "Bad input" }], success: false };
  const { wrapped, sent } = service(() => Response.json(error, { status: 400 }));
  const failure = await assertRejects(() => wrapped.run("@cf/meta/llama", {}), Error, "400: Bad input");
  assertEquals(failure.name, "InferenceUpstreamError");
  await assertRejects(() => wrapped.run("nobody/m", { messages }), Error, '400: Cannot route to "nobody"');
  const page = service(() => new Response("<html>", { status: 503 })).wrapped;
  await assertRejects(() => page.run("@cf/meta/llama", {}), Error, "503: <html>");
  assertEquals(sent.length, 1);
  for (const option of ["websocket", "queueRequest", "tags"]) {
    await assertRejects(() => wrapped.run("@cf/meta/llama", {}, { [option]: true }), TypeError, option);
  }
  await wrapped.run("@cf/meta/llama", {}, { websocket: false, returnRawResponse: true } as object);
  await assertRejects(
    () => wrapped.run("@cf/m", {}, { signal: AbortSignal.abort(new Error("left")) }),
    Error,
    "left",
  );
  assertEquals(sent.length, 2);
});

Deno.test("ai().run() ends with the signal's reason while the provider is silent", async () => {
  const controller = new AbortController();
  const { wrapped } = service(({ signal }) => {
    queueMicrotask(() => controller.abort(new Error("enough")));
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const run = () => wrapped.run("openai/gpt-4o", { messages }, { signal: controller.signal });
  await assertRejects(run, Error, "enough");
});

Deno.test("ai() tells the log id of the last answer, as a text or null, and the URL", async () => {
  const { wrapped } = service(() => completion());
  assertEquals(JSON.stringify({ id: wrapped.aiGatewayLogId }), '{"id":null}');
  const step = { provider: "compat", endpoint: "chat/completions", query: { model: "openai/m", messages } };
  for (const id of ["default", "mine"]) {
    const response = await wrapped.gateway(id).run(step);
    assertEquals(wrapped.aiGatewayLogId, response.headers.get("cf-aig-log-id"));
    assertEquals(await wrapped.gateway(id).getUrl("openai"), `https://sluice.test/v1/acct/${id}/openai`);
  }
  const first = wrapped.aiGatewayLogId;
  await wrapped.run("openai/m", { messages }, { gateway: { id: "mine", eventId: "e" } });
  assertEquals([typeof wrapped.aiGatewayLogId, wrapped.aiGatewayLogId === first], ["string", false]);
  const { headers } = await wrapped.fetch(new Request("http://sluice/health"));
  assertEquals(wrapped.aiGatewayLogId, headers.get("cf-aig-log-id"));
});

Deno.test("ai.ts needs no package and no other part of the gateway", async () => {
  const sources = await Promise.all(
    ["ai.ts", "gateway/ai.ts", "gateway/binding.ts"].map((path) =>
      Deno.readTextFile(new URL(`../../${path}`, import.meta.url))
    ),
  );
  const imported = sources.flatMap((text) => {
    const code = text.replaceAll(/\/\*\*.*?\*\//gs, ""); // Without the examples in comments.
    return [...code.matchAll(/from "([^"]+)"/g)].map(([, path]) => path);
  });
  assertEquals([...new Set(imported)].sort(), ["./binding.ts", "./gateway/ai.ts", "./gateway/binding.ts"]);
});

Deno.test("remoteGateway() and ai() follow no redirect, which would take the keys along", async () => {
  let seen: Request | undefined;
  const fetch = (request: Request) => {
    seen = request;
    return Promise.resolve(new Response(null, { status: 307, headers: { location: "https://evil.test/" } }));
  };
  const step = { provider: "compat", endpoint: "chat/completions", query: {} };
  assertEquals((await remoteGateway({ url: "https://sluice.test", fetch }).run(step)).status, 307);
  assertEquals(seen!.redirect, "manual");
  const wrapped = ai({ fetch, gateway: () => ({ getUrl: () => Promise.resolve("") }) });
  await wrapped.gateway("g").run(step);
  assertEquals(seen!.redirect, "manual");
  const raw = await wrapped.run("openai/m", {}, { returnRawResponse: true }) as Response;
  assertEquals([raw.status, seen!.redirect], [307, "manual"]);
  assertStringIncludes(seen!.url, "/v1/-/default/compat/chat/completions");
});

Deno.test("ai().run() runs the given model, whatever the inputs name, and refuses dot segments", async () => {
  const { wrapped, sent } = service(() => completion());
  await wrapped.run("openai/cheap", { model: "openai/dear", messages });
  assertEquals(JSON.parse(sent[0].body).model, "cheap");
  for (const model of ["@cf/../../../openai/files", "@cf/./x", "@cf/a/.."]) {
    await assertRejects(() => wrapped.run(model, {}), TypeError, "cannot have . or ..");
  }
  await wrapped.run("@cf/a?x=1#y", {});
  assertEquals(
    sent.map(({ url }) => new URL(url).pathname).at(-1),
    "/client/v4/accounts/acct/ai/run/@cf/a%3Fx%3D1%23y",
  );
});
