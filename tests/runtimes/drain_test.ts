/** The end of the served form: running answers finish first. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { startCollector } from "../collector.ts";
import { installPackage, onNode } from "../package/installed.ts";
import { DENO, installForBun, RUN, type Running, startServed } from "./gateways.ts";

const IT = await installPackage();

const COMMANDS: { name: string; why?: string; command: () => Promise<[string, string[]]> }[] = [
  { name: "deno run mod.ts", command: () => Promise.resolve([DENO, [...RUN, "mod.ts"]]) },
  { name: "bun run mod.ts", command: async () => [await installForBun(), ["run", "mod.ts"]] },
  { name: "sluice on Node", ...typeof IT === "string" ? { why: IT } : {}, command: () => onNode(IT) },
];

/** A provider whose streams begin at once, and end when a test ends them. */
function startProvider() {
  const finish = Promise.withResolvers<void>();
  const event = (content: string) =>
    new TextEncoder().encode(`data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(event("begun"));
        await finish.promise;
        controller.enqueue(event("finished"));
        controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  return {
    env: { SLUICE_OPENAI_BASE_URL: `http://127.0.0.1:${server.addr.port}` },
    finish: () => finish.resolve(),
    [Symbol.asyncDispose]: async () => {
      finish.resolve();
      await server.shutdown();
    },
  };
}

/** A stream that has begun. */
async function stream({ url }: Running) {
  const body = JSON.stringify({
    model: "openai/m",
    stream: true,
    messages: [{ role: "user", content: "x" }],
  });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assertStringIncludes((await reader.read()).value ?? "", "begun");
  return async () => {
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    return text;
  };
}

/** Waits until the gateway has written something. */
async function written({ output }: Running, text: string): Promise<void> {
  for (let tries = 0; !output().includes(text); tries++) {
    if (tries > 500) throw new Error(`no ${text} in: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const { name, why, command } of COMMANDS) {
  const test = (does: string, fn: () => Promise<void>) =>
    Deno.test({
      name: `${name}: ${does}${why === undefined ? "" : ` (ignored: ${why})`}`,
      ignore: why !== undefined,
      fn,
    });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} lets running streams finish and takes no new connection, then exits with 0`, async () => {
      await using provider = startProvider();
      await using gateway = await startServed(...await command(), provider.env);
      const { hostname, port } = new URL(gateway.url);
      // The process does not wait for a connection without a request, or for one that is kept alive after its answer.
      const unused = await Deno.connect({ hostname, port: Number(port) });
      const kept = await Deno.connect({ hostname, port: Number(port) });
      await kept.write(new TextEncoder().encode("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"));
      await kept.read(new Uint8Array(4096));
      const rests = [await stream(gateway), await stream(gateway)];
      gateway.signal(signal);
      await written(gateway, signal);
      await assertRejects(async () => (await Deno.connect({ hostname, port: Number(port) })).close());
      provider.finish();
      for (const rest of rests) assertStringIncludes(await rest(), "finished");
      assertEquals(await gateway.ended, 0);
      unused.close();
      kept.close();
    });
  }

  test(`a second signal ends at once`, async () => {
    await using provider = startProvider();
    await using gateway = await startServed(...await command(), provider.env);
    const rest = await stream(gateway);
    gateway.signal("SIGTERM");
    await written(gateway, "SIGTERM");
    gateway.signal("SIGINT");
    assertEquals(await gateway.ended, 130);
    await assertRejects(rest);
  });

  test(`streams that do not end are cut after SLUICE_DRAIN_MS`, async () => {
    await using provider = startProvider();
    await using gateway = await startServed(...await command(), { ...provider.env, SLUICE_DRAIN_MS: "100" });
    const rest = await stream(gateway);
    gateway.signal("SIGTERM");
    assertEquals(await gateway.ended, 0);
    await assertRejects(rest);
  });

  test(`spans that wait reach the collector before it ends`, async () => {
    await using collector = startCollector();
    await using gateway = await startServed(...await command(), {
      OTEL_EXPORTER_OTLP_ENDPOINT: new URL(collector.url).origin,
      OTEL_SERVICE_NAME: "drained",
    });
    const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "x" }] });
    const headers = { "content-type": "application/json" };
    await (await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers, body })).text();
    gateway.signal("SIGTERM");
    assertEquals(await gateway.ended, 0);
    assertEquals(collector.names, ["chat echo", "POST"]);
  });

  test(`without a running answer a signal ends it, with 0`, async () => {
    await using gateway = await startServed(...await command(), {});
    await (await fetch(gateway.url)).text();
    gateway.signal("SIGTERM");
    assertEquals(await gateway.ended, 0);
  });
}
