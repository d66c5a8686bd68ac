import { assertEquals, assertRejects } from "@std/assert";
import type { LogEntry } from "../../gateway/stores/log_row.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { ask, messages, ROOT, STREAM } from "../fakes.ts";

/** One provider of the client's own wire, and one that is translated. */
const MODELS = ["openai/m", "anthropic/claude-sonnet-4-5"];

/** The first events of an answer, for each. */
const BEGINNING: Record<string, string> = {
  "openai/m": STREAM.slice(0, 2).join(""),
  "anthropic/claude-sonnet-4-5": [
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}}\n\n',
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
  ].join(""),
};

/**
 * A provider that answers with some bytes and is then silent for ever.
 *
 * @param heeds Whether its body breaks when the request's signal aborts, as a body of `fetch` does.
 */
function stalling(bytes: string, type = "text/event-stream", heeds = true) {
  const asked = Promise.withResolvers<AbortSignal>();
  const cancelled = Promise.withResolvers<unknown>();
  const fetch = (_: string, { signal }: RequestInit) => {
    asked.resolve(signal!);
    const body = new ReadableStream({
      start(controller) {
        signal!.addEventListener("abort", () => {
          if (!heeds) return;
          cancelled.resolve(signal!.reason);
          controller.error(signal!.reason);
        });
        if (bytes) controller.enqueue(new TextEncoder().encode(bytes));
      },
      cancel: (reason) => cancelled.resolve(reason),
    });
    return Promise.resolve(new Response(body, { headers: { "content-type": type } }));
  };
  return { fetch, asked: asked.promise, cancelled: cancelled.promise };
}

/** The rows of failures that were not the client's. */
const faults = (logged: LogEntry[]) => logged.filter(({ level }) => level === "error");

/** A gateway with its log, and a client that can leave. */
function scene(fetch: (url: string, init: RequestInit) => Promise<Response>) {
  const logged: LogEntry[] = [];
  const gateway = createGateway({ fetch, log: (entry) => logged.push(entry) });
  const leaving = new AbortController();
  const request = (model: string, more: object = {}) => ask(model, {}, more, { signal: leaving.signal });
  return { fetch: gateway.fetch, logged, leaving, request };
}

for (const model of MODELS) {
  for (const reason of [undefined, new Error("gone"), "gone"]) {
    Deno.test(`a client that leaves ${model} before the answer ends its request, with reason ${reason}`, async () => {
      const asked = Promise.withResolvers<AbortSignal>();
      const { fetch, logged, leaving, request } = scene((_, { signal }) => {
        asked.resolve(signal!);
        return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
      });
      const response = fetch(request(model, { stream: true }));
      const signal = await asked.promise;
      assertEquals(signal.aborted, false);
      leaving.abort(reason);
      assertEquals([(await response).status, signal.aborted], [499, true]);
      assertEquals(faults(logged), [], "nothing went wrong");
    });
  }

  Deno.test(`a client that leaves ${model} while a whole answer comes ends its request`, async () => {
    const { fetch: provider, asked, cancelled } = stalling('{"id":', "application/json");
    const { fetch, logged, leaving, request } = scene(provider);
    const response = fetch(request(model));
    await asked;
    // The client reads an answer that is handed through; the gateway reads one that is translated.
    const read = response.then((response) => response.text());
    await new Promise((resolve) => setTimeout(resolve));
    leaving.abort();
    await read.catch(() => {});
    await cancelled;
    assertEquals(faults(logged), []);
  });

  for (const [place, bytes] of [["before its first event", ""], ["in mid-stream", BEGINNING[model]]]) {
    Deno.test(`a client that leaves ${model} ${place} ends its request, by signal or by letting go`, async () => {
      for (const how of ["signal", "cancel"]) {
        const { fetch: provider, cancelled } = stalling(bytes);
        const { fetch, logged, leaving, request } = scene(provider);
        const response = await fetch(request(model, { stream: true }));
        const reader = response.body!.getReader();
        if (bytes) await reader.read();
        const waiting = reader.read().catch(() => {});
        if (how === "signal") leaving.abort();
        else await reader.cancel("gone");
        await cancelled;
        await waiting;
        await reader.cancel().catch(() => {});
        assertEquals(faults(logged), [], "nothing went wrong");
      }
    });
  }

  Deno.test(`an answer of ${model} that comes after the client has left is cancelled`, async () => {
    // Some `fetch` functions ignore their signal.
    const cancelled = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Response>();
    const asked = Promise.withResolvers<void>();
    const { fetch, logged, leaving, request } = scene(() => {
      asked.resolve();
      return answer.promise;
    });
    const response = fetch(request(model, { stream: true }));
    await asked.promise;
    leaving.abort();
    const body = new ReadableStream({ cancel: () => cancelled.resolve() });
    answer.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
    assertEquals((await response).status, 499);
    await cancelled.promise;
    assertEquals(faults(logged), []);
  });
}

Deno.test("a client that leaves while it sends its body is not a failure of the gateway", async () => {
  const { fetch, logged, leaving } = scene(() => Promise.reject(new Error("nothing may be sent")));
  const text = JSON.stringify({ model: "openai/m", messages });
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text.slice(0, 9)));
      leaving.signal.addEventListener("abort", () => controller.error(new TypeError("connection reset")));
    },
  });
  const headers = { "content-type": "application/json" };
  const url = `${ROOT}/compat/chat/completions`;
  const response = fetch(new Request(url, { method: "POST", headers, body, signal: leaving.signal }));
  leaving.abort();
  assertEquals([(await response).status, faults(logged)], [499, []]);
});

Deno.test("a body that breaks off before a native path's first try is 400 too", async () => {
  const { fetch, logged } = scene(() => Promise.reject(new Error("nothing may be sent")));
  const ways: Record<string, string>[] = [{ "content-length": "99" }, { "cf-aig-max-attempts": "2" }];
  for (const headers of ways) {
    const body = new ReadableStream({ start: (controller) => controller.error(new TypeError("reset")) });
    const response = await fetch(new Request(`${ROOT}/openai/files`, { method: "POST", headers, body }));
    assertEquals([response.status, (await response.json()).message], [
      400,
      "Cannot read the request: its body broke off",
    ]);
  }
  assertEquals(logged.map(({ status }) => status), [400, 400]);
});

Deno.test("a body that breaks off is the client's fault and told as 400", async () => {
  const { fetch, logged } = scene(() => Promise.reject(new Error("nothing may be sent")));
  const body = new ReadableStream({ start: (controller) => controller.error(new TypeError("reset")) });
  const headers = { "content-type": "application/json" };
  const response = await fetch(
    new Request(`${ROOT}/compat/chat/completions`, { method: "POST", headers, body }),
  );
  const { error } = await response.json();
  assertEquals([response.status, error.message], [400, "Cannot read the request: its body broke off"]);
  assertEquals(logged.map(({ status }) => status), [400]);
});

Deno.test("over a socket, a body that ends before its announced length is 400", async () => {
  const { fetch: serve } = createGateway({ fetch: () => Promise.reject(new Error("nothing may be sent")) });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, serve);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  await socket.write(new TextEncoder().encode(`${head}content-length: 100\r\n\r\n{"model":`));
  await socket.closeWrite();
  const answer = await new Response(socket.readable).text();
  assertEquals(answer.slice(0, 12), "HTTP/1.1 400");
  await server.shutdown();
});

Deno.test("over a socket, an upload that breaks off while it is sent on is not a failure of the provider", async () => {
  const begun = Promise.withResolvers<void>();
  const provider = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const reading = Array.fromAsync(request.body!, () => begun.resolve());
    await assertRejects(() => reading);
    return new Response("ok");
  });
  const logged = Promise.withResolvers<LogEntry>();
  const baseUrl = `http://127.0.0.1:${provider.addr.port}`;
  const { fetch: serve } = createGateway({ providers: { openai: { baseUrl } }, log: logged.resolve });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, serve);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const head = "POST /v1/acct/gw/openai/files HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
  await socket.write(new TextEncoder().encode(`${head}5\r\nhello\r\n`));
  await begun.promise;
  socket.close();
  const { level, status, error } = await logged.promise;
  const message = "Cannot read the request: its body broke off (TypeError)";
  assertEquals([level, status, error], ["warn", 400, { code: "invalid_request", message }]);
  await server.shutdown();
  await provider.shutdown();
});

Deno.test("over a socket, the provider's connection is closed as soon as the client hangs up", async () => {
  for (const model of MODELS) {
    for (const bytes of ["", BEGINNING[model]]) {
      const { fetch: provider, asked, cancelled } = stalling(bytes, "text/event-stream", false);
      const logged: LogEntry[] = [];
      const { fetch: serve } = createGateway({ fetch: provider, log: (entry) => logged.push(entry) });
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, serve);
      const leaving = new AbortController();
      const response = await fetch(`http://127.0.0.1:${server.addr.port}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, messages, stream: true }),
        signal: leaving.signal,
      });
      await asked;
      const read = response.text();
      leaving.abort();
      await assertRejects(() => read);
      await cancelled;
      assertEquals(faults(logged), []);
      await server.shutdown();
    }
  }
});
