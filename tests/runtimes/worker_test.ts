/** worker.ts in workerd, and another Worker with a binding to it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bundle } from "../bundle.ts";
import { startCollector } from "../collector.ts";
import { type FakeProvider, OPENAI_STREAM, startFakeProvider, TEXT } from "./fake_provider.ts";
import {
  environmentBindings,
  installForBun,
  run,
  type Running,
  serveWorkerd,
  workerConfig,
} from "./gateways.ts";
import { environment } from "./suite.ts";

/** Two Workers: the gateway, and one with the binding `AI` to it. */
async function startCaller(provider: FakeProvider, flags: string[] = []): Promise<Running> {
  const env = {
    ...environment(provider),
    OPENAI_API_KEY: "sk-stored",
    SLUICE_TOKENS: "tok",
    SLUICE_URL: "https://sluice.test",
  };
  const files = {
    "worker.js": await bundled("worker.ts"),
    "caller.js": await bundled("tests/runtimes/caller_worker.js"),
  };
  const bindings = [
    `(name = "AI", service = (name = "sluice", entrypoint = "AI"))`,
    `(name = "SLUICE", service = "sluice")`,
  ];
  const workers = [
    await workerConfig("caller", "caller.js", bindings, flags),
    await workerConfig("sluice", "worker.js", environmentBindings(env)),
  ];
  return serveWorkerd(workers, files, env);
}

async function bundled(module: string): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".js" });
  await bundle(path, module);
  const code = await Deno.readTextFile(path);
  await Deno.remove(path);
  return code;
}

const step = (model: string, more: object = {}) => ({
  provider: "compat",
  endpoint: "chat/completions",
  headers: { "Content-Type": "application/json" },
  query: { model, messages: [{ role: "user", content: TEXT }], ...more },
});

const stream = { stream: true };

Deno.test("a Worker sends its spans behind the answer", async () => {
  await using collector = startCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: new URL(collector.url).origin };
  const config = await workerConfig("sluice", "worker.js", environmentBindings(env));
  await using worker = await serveWorkerd([config], { "worker.js": await bundled("worker.ts") }, env);
  const chat = (more: object) =>
    fetch(`${worker.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "x" }], ...more }),
    });
  await (await chat({})).text();
  await collector.answered(1);
  await (await chat(stream)).text();
  await collector.answered(2);
  assertEquals(collector.names, ["chat echo", "POST", "chat echo", "POST"]);
});

Deno.test({
  name: "a Worker with a service binding to AI",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using provider = await startFakeProvider();
    await using caller = await startCaller(provider);

    const ask = (path: string, data?: unknown, options?: unknown, signal?: AbortSignal) =>
      fetch(caller.url + path, { method: "POST", body: JSON.stringify({ data, options }), signal });

    await t.step("runs a step with a stored key and without a token", async () => {
      const response = await ask("/run", step("openai/plain-1"));
      assertEquals((await response.json()).choices[0].message.content, TEXT);
      assertEquals(response.headers.get("cf-aig-step"), "0");
      const { headers } = await provider.arrived("plain-1");
      assertEquals(headers.authorization, "Bearer sk-stored");
    });

    await t.step("gets a stream as it comes, byte for byte, or translated", async () => {
      const response = await ask("/run", step("openai/plain-2", stream));
      assertEquals(await response.text(), OPENAI_STREAM.join(""));
      const translated = await (await ask("/run", step("anthropic/plain-2", stream))).text();
      const chunks = translated.split("\n\n").filter(Boolean).map((event) => event.slice("data: ".length));
      assertEquals(chunks.pop(), "[DONE]");
      const text = chunks.map((chunk) => JSON.parse(chunk).choices[0].delta.content ?? "");
      assertEquals(text.join(""), TEXT);
    });

    await t.step("falls back from step to step, by the settings of its options", async () => {
      const gateway = { eventId: "mine", retries: { maxAttempts: 2, retryDelayMs: 1 } };
      const response = await ask("/run", [step("openai/refused-3"), step("openai/plain-3")], { gateway });
      assertEquals((await response.json()).choices[0].message.content, TEXT);
      assertEquals(response.headers.get("cf-aig-step"), "1");
      assertEquals(response.headers.get("cf-aig-event-id"), "mine");
      const refused = await ask("/run", step("openai/plain-3"), { extraHeaders: { "cf-aig-backoff": "no" } });
      assertEquals([refused.status, (await refused.json()).param], [400, "cf-aig-backoff"]);
    });

    await t.step("is told where HTTP clients find the gateway", async () => {
      assertEquals(await (await ask("/url")).text(), "https://sluice.test/v1/-/default/openai");
    });

    await t.step("ends the provider's work when its own client leaves", async () => {
      const leave = new AbortController();
      const response = await ask("/run", step("openai/endless-4", stream), {}, leave.signal);
      await response.body!.getReader().read();
      leave.abort();
      await provider.left("endless-4");
    });

    await t.step("ends it by cancelling the stream", async () => {
      assertEquals(await (await ask("/cancel", step("openai/endless-5", stream))).text(), "cancelled");
      await provider.left("endless-5");
    });

    await t.step("ends it by a signal, through fetch()", async () => {
      const ended = await (await ask("/fetch", step("anthropic/endless-6", stream))).text();
      assertEquals(ended, "Error: enough");
      await provider.left("endless-6");
    });

    await t.step("cannot hand a signal to run() without a flag", async () => {
      const ended = await (await ask("/signal", step("openai/endless-7", stream))).text();
      assertStringIncludes(ended, "AbortSignal serialization is not enabled");
    });

    await t.step("wrapped, takes a signal, and tells the log id and the URL", async () => {
      const answer = await (await ask("/wrapped", [step("openai/refused-10"), step("openai/plain-10")]))
        .json();
      assertEquals([answer.before, answer.log], [null, answer.header]);
      assertMatch(answer.log, /^[0-9a-f-]{36}$/);
      assertEquals([answer.step, answer.url], ["1", "https://sluice.test/v1/-/default/openai"]);
      assertEquals(answer.body.choices[0].message.content, TEXT);
    });

    await t.step("wrapped, ends a stream by a signal, and the provider's work with it", async () => {
      for (const model of ["openai/endless-11", "anthropic/endless-12"]) {
        const ended = await (await ask("/wrapped/signal", step(model, stream))).text();
        assertEquals(ended, "Error: enough", model);
        await provider.left(model.split("/")[1]);
      }
      const { query: { messages } } = step("");
      const data = ["openai/endless-13", { messages, stream: true }];
      assertEquals(await (await ask("/wrapped/run/signal", data)).text(), "Error: enough");
      await provider.left("endless-13");
    });

    await t.step("runs a model by its name, wrapped or not", async () => {
      const { query: { messages } } = step("");
      const answer = await (await ask("/wrapped/run", ["openai/plain-14", { messages }])).json();
      assertEquals(answer.choices[0].message.content, TEXT);
      const rpc = await (await ask("/rpc/run", ["openai/plain-15", { messages }])).json();
      assertEquals(rpc.choices[0].message.content, TEXT);
      const refused = await (await ask("/wrapped/run", ["nobody/m", { messages }])).json();
      assertMatch(refused, /^InferenceUpstreamError: 400: Cannot route to "nobody"/);
    });

    await t.step("says that a log id is not to be had without the wrapper, once it is awaited", async () => {
      assertStringIncludes(await (await ask("/rpc/log")).text(), "ai(env.AI).aiGatewayLogId");
    });

    await t.step("leaves the gateway's HTTP door as closed as it was", async () => {
      const door = (headers: Record<string, string>) =>
        fetch(`${caller.url}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(step("openai/plain-8").query),
        });
      assertEquals((await door({})).status, 401);
      assertEquals((await door({ authorization: "Bearer tok" })).status, 200);
    });

    assertEquals(caller.output().match(/^.*(uncaught|disposed).*$/gim), null);
  },
});

Deno.test({
  name: "a Worker with the flag enable_abortsignal_rpc ends a stream of run() by a signal",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using provider = await startFakeProvider();
    await using caller = await startCaller(provider, ["enable_abortsignal_rpc"]);
    const body = JSON.stringify({ data: step("openai/endless-9", stream) });
    const ended = await (await fetch(`${caller.url}/signal`, { method: "POST", body })).text();
    assertMatch(ended, /^Error: ReadableStream received over RPC/);
    await provider.left("endless-9");
  },
});

Deno.test("gateway().run() on Bun is the same object", async () => {
  const program = `
    import { gateway } from "./mod.ts";
    const response = await gateway("default").run(${JSON.stringify(step("demo/echo", stream))});
    console.log(response.headers.get("cf-aig-step"), (await response.text()).trimEnd().slice(-12));
  `;
  const { code, output } = await run(await installForBun(), ["-e", program], {
    BUN_CONFIG_MAX_HTTP_REQUESTS: "1000",
  });
  assertEquals([code, output], [0, "0 data: [DONE]\n"]);
});
