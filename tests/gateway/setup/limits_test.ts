import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import {
  ask,
  before,
  chunk,
  completion,
  events,
  message,
  messages,
  nothing,
  pieces,
  post,
  refusal,
  ROOT,
} from "../../fakes.ts";

const CHAT = `${ROOT}/compat/chat/completions`;
const NATIVE = `${ROOT}/openai/chat/completions`;

/** A request whose body is a stream. */
function streamed(
  url: string,
  body: ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
): Request {
  return new Request(
    url,
    {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
      duplex: "half",
    } as RequestInit,
  );
}

/** A body that counts its reads. */
function watched(next: (at: number) => Uint8Array<ArrayBuffer> | undefined | Promise<never>) {
  const seen = { pulled: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await next(seen.pulled++);
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel: () => void (seen.cancelled = true),
  }, { highWaterMark: 0 });
  return { body, seen };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const CALL = bytes(JSON.stringify({ model: "openai/m", messages }));

// ---------------------------------------------------------------- bodies of requests

Deno.test("a body that announces too much is refused unread, at each door that reads it", async () => {
  for (const url of [CHAT, ROOT]) {
    const { body, seen } = watched(() => bytes(" "));
    const request = streamed(url, body, { "content-length": "1001" });
    const { fetch } = createGateway({ fetch: nothing.fetch, limits: { maxBodyBytes: 1000 } });
    assertEquals((await fetch(request)).status, 413);
    assertEquals(seen.pulled, 0);
  }
});

Deno.test("a body that turns out too long is cancelled", async () => {
  for (const url of [CHAT, ROOT]) {
    const { body, seen } = watched(() => new Uint8Array(300));
    const { fetch } = createGateway({ fetch: nothing.fetch, limits: { maxBodyBytes: 1000 } });
    assertEquals((await fetch(streamed(url, body))).status, 413);
    assertEquals(seen, { pulled: 4, cancelled: true });
  }
});

Deno.test("over a socket, a body of one-byte chunks takes memory in the order of its bytes", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, fetch);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const write = async (text: string) => {
    for (let left = bytes(text); left.length > 0;) left = left.subarray(await socket.write(left));
  };
  const base = Deno.memoryUsage().external;
  await write(
    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
  );
  for (let at = 0; at < 20; at++) await write("1\r\n \r\n".repeat(1000));
  await write("0\r\n\r\n");
  const text = await new Response(socket.readable).text();
  const grown = Deno.memoryUsage().external - base;
  assertEquals([text.slice(0, 12), text.includes("not valid JSON")], ["HTTP/1.1 400", true]);
  await server.shutdown();
  // Keeping the whole memory behind each chunk would take 1250 MB.
  assert(grown < 50 * 2 ** 20, `grown by ${grown}`);
});

Deno.test("a client that is silent while it sends its body is 408 in the words of its door", async () => {
  // The gateway's own timer does not keep the process alive. A server would.
  const server = setInterval(() => {}, 1000);
  for (const [url, code] of [[CHAT, undefined], [ROOT, 408], [`${NATIVE}?x`, 408]] as const) {
    const ways: Record<string, string>[] = [{}, { "content-length": `${CALL.length}` }];
    if (url.startsWith(NATIVE)) ways[0] = { "cf-aig-max-attempts": "2" };
    for (const headers of ways) {
      const { body, seen } = watched((at) => at === 0 ? CALL.subarray(0, 5) : new Promise(() => {}));
      const { fetch } = createGateway({ fetch: nothing.fetch, limits: { bodyTimeoutMs: 20 } });
      const response = await fetch(streamed(url, body, headers));
      assertEquals(response.status, 408, `${url} ${JSON.stringify(headers)}`);
      const text = "Cannot read the request: its body did not come within 20 ms";
      const answer = await response.json();
      if (code) assertEquals(answer.error, [{ code, message: text }]);
      else assertEquals([answer.error.message, answer.error.code], [text, "request_timeout"]);
      // The runtime reads such a body in one piece, and ends it with the connection.
      if (!headers["content-length"]) assertEquals(seen.cancelled, true);
    }
  }
  clearInterval(server);
});

Deno.test("a client that goes on sending is waited for, if it is slow; not for ever", async () => {
  const slowly = (chunks: number, ms: number) =>
    watched(async (at): Promise<never> => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return (at < chunks ? bytes(" ") : at === chunks ? CALL : undefined) as never;
    });
  const patient = (bodyTimeoutMs: number) => before(() => completion(), { limits: { bodyTimeoutMs } });
  const response = await patient(600).fetch(streamed(CHAT, slowly(10, 70).body));
  assertEquals(response.status, 200);
  await response.text();
  const endless = slowly(Infinity, 1);
  assertEquals((await patient(50).fetch(streamed(CHAT, endless.body))).status, 408);
  assertEquals(endless.seen.cancelled, true);
});

Deno.test("a body whose client falls silent while it is sent on is 408, and not a failure of the provider", async () => {
  const { body, seen } = watched((at) => at === 0 ? CALL : new Promise(() => {}));
  const { fetch } = before(() => completion(), { limits: { bodyTimeoutMs: 20 } });
  const response = await fetch(streamed(NATIVE, body));
  assertEquals([response.status, (await response.json()).error[0].code], [408, 408]);
  assertEquals(seen.cancelled, true);
});

// ---------------------------------------------------------------- bytes in flight

/** A gateway that may hold a body and a half at once. */
function tight(options: Options = {}) {
  const gates: (() => void)[] = [];
  const { fetch } = before(async () => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return completion();
  }, { limits: { maxInFlightBytes: Math.round(CALL.length * 1.5) }, ...options });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
  return { fetch, gates, settle };
}

const call = () => post(CHAT, new TextDecoder().decode(CALL), { "content-length": `${CALL.length}` });

Deno.test("more bytes of bodies than may be held at once are 503 with retry-after; without a log, until an answer begins", async () => {
  const { fetch, gates, settle } = tight();
  for (const request of [call, () => streamed(CHAT, pieces(new TextDecoder().decode(CALL)))]) {
    const first = fetch(request());
    await settle();
    const second = await fetch(request());
    assertEquals([second.status, second.headers.get("retry-after")], [503, "1"]);
    assertEquals((await second.json()).error.code, "overloaded");
    gates.shift()!();
    const { status, body } = await first;
    assertEquals(status, 200);
    // The first answer is not read yet, but its request's body is not held any more.
    const third = fetch(request());
    await settle();
    gates.shift()!();
    assertEquals((await third).status, 200);
    await body!.cancel();
    await (await third).body!.cancel();
  }
});

Deno.test("the bytes of a body are counted until its answer has ended, with a log and for a long body", async () => {
  const long = "x".repeat(300_000);
  const doors: [string, (content: string) => Request][] = [
    ["openai", (content) => ask("openai/m", {}, { stream: true, messages: [{ role: "user", content }] })],
    [
      "anthropic",
      (content) => ask("anthropic/m", {}, { stream: true, messages: [{ role: "user", content }] }),
    ],
    [
      "native",
      (content) =>
        post(NATIVE, { content }, { "content-length": `${content.length + 14}`, "cf-aig-max-attempts": "2" }),
    ],
    ["universal", (content) => post(ROOT, { provider: "openai", endpoint: "x", query: { content } })],
  ];
  for (const [log, content] of [[() => {}, "hi"], [undefined, long]] as const) {
    for (const [door, request] of doors) {
      const maxInFlightBytes = Math.round(1.5 * (await request(content).text()).length);
      for (const leaves of [true, false]) {
        const open = Promise.withResolvers<void>();
        const { fetch } = before(
          ({ url }) =>
            url.includes("anthropic")
              ? events('event: ping\ndata: {"type":"ping"}\n\n', open.promise)
              : events(chunk({ content: "Hi" }), open.promise),
          { limits: { maxInFlightBytes }, log },
        );
        const { status, body } = await fetch(request(content));
        assertEquals(status, 200);
        const second = await fetch(request(content));
        assertEquals([second.status, second.headers.get("retry-after")], [503, "1"], `${door} ${leaves}`);
        await second.body!.cancel();
        if (leaves) await body!.cancel();
        open.resolve();
        if (!leaves) await new Response(body).text();
        const third = await fetch(request(content));
        assertEquals(third.status, 200, `${door} ${leaves}`);
        await third.body!.cancel();
      }
    }
  }
});

Deno.test("a body longer than all that may be held is 413, because it could never be taken", async () => {
  const { fetch } = createGateway({ fetch: nothing.fetch, limits: { maxInFlightBytes: 10 } });
  for (const request of [call(), streamed(CHAT, pieces("x".repeat(11)))]) {
    assertEquals((await fetch(request)).status, 413);
  }
});

Deno.test("bytes in flight are released on every path", async () => {
  const limits = { maxInFlightBytes: CALL.length + 5, bodyTimeoutMs: 20 };
  let answer: () => Response | Promise<Response> = completion;
  const { fetch } = before((_) => answer(), { limits, tokens: ["t"], tokenRequired: false });
  const text = new TextDecoder().decode(CALL);
  const leaving = new AbortController();
  const paths: Record<string, () => Promise<Response>> = {
    "an answer": () => fetch(call()),
    "bad JSON": () => fetch(post(CHAT, "{")),
    "no such provider": () => fetch(post(CHAT, { model: "nobody/m", messages })),
    "another token's provider": () => fetch(post(CHAT, { model: "openai/m", messages: 1 })),
    "a refusal": () => (answer = () => refusal(400), fetch(call())),
    "a provider that cannot be reached": () => {
      answer = () => Promise.reject(new TypeError("connection refused"));
      return fetch(call());
    },
    "a stream": () => (answer = () => events("data: {}\n\n"), fetch(call())),
    "a body that breaks off": () => fetch(streamed(CHAT, pieces(text.slice(0, 9), new Error("reset")))),
    "a body that never ends": () =>
      fetch(streamed(CHAT, watched((at) => at ? new Promise(() => {}) : CALL).body)),
    "a body too long": () => fetch(streamed(CHAT, pieces(text, text))),
    "a lie about its length": () => fetch(post(CHAT, text, { "content-length": "3" })),
    "a client that leaves": () => {
      answer = () =>
        new Promise((_, reject) => leaving.signal.addEventListener("abort", () => reject(new Error())));
      const response = fetch(new Request(call(), { signal: leaving.signal }));
      setTimeout(() => leaving.abort(), 5);
      return response;
    },
    "a universal request": () => fetch(post(ROOT, { provider: "openai", endpoint: "x", query: {} })),
    "a native body": () => fetch(post(NATIVE, text, { "content-length": `${text.length}` })),
    "retries": () => {
      answer = () => refusal(500);
      const headers = { "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0" };
      return fetch(post(CHAT, text, headers));
    },
  };
  for (const [name, path] of Object.entries(paths)) {
    answer = completion;
    await (await path()).body?.cancel();
    answer = completion;
    // There is room for this body only if all earlier ones were released.
    const next = await fetch(call());
    assertEquals(next.status, 200, `after ${name}`);
    await next.body?.cancel();
  }
});

// ---------------------------------------------------------------- answers

/** An answer that never ends. It tells whether it was cancelled. */
function endless(text: string, headers: Record<string, string>, status = 200) {
  const { body, seen } = watched(() => bytes(text));
  return { seen, response: new Response(body, { status, headers }) };
}

Deno.test("a whole answer that is too long is 502, and its source is cancelled", async () => {
  for (const model of ["anthropic/claude-sonnet-4-5", "cohere/c", "google-ai-studio/gemini-2.5-pro"]) {
    const ways: Record<string, string>[] = [{}, { "content-encoding": "gzip", "content-length": "9" }];
    for (const headers of ways) {
      const { response, seen } = endless(" ".repeat(500), { "content-type": "application/json", ...headers });
      const { fetch } = before(() => response, { limits: { maxAnswerBytes: 2000 } });
      const answer = await fetch(ask(model));
      const { error } = await answer.json();
      assertEquals([answer.status, error.code], [502, "2005"]);
      assertStringIncludes(error.message, "is longer than 2000 bytes");
      assertEquals(seen, { pulled: 5, cancelled: true });
    }
  }
});

Deno.test("an answer that announces more than is read is not read on", async () => {
  const headers = { "content-type": "application/json", "content-length": "2001" };
  const { response, seen } = endless(" ".repeat(500), headers);
  const { fetch } = before(() => response, { limits: { maxAnswerBytes: 2000 } });
  assertEquals((await fetch(ask("anthropic/claude-sonnet-4-5"))).status, 502);
  assertEquals(seen.cancelled, true);
});

Deno.test("an answer up to the limit is read whole, of whatever chunks it is made", async () => {
  const text = await message("Hi").text();
  const ways: Record<string, string>[] = [{}, { "content-length": `${text.length}` }];
  for (const headers of ways) {
    const { fetch } = before(
      () => new Response(pieces(...text), { headers: { "content-type": "application/json", ...headers } }),
      { limits: { maxAnswerBytes: text.length } },
    );
    const answer = await (await fetch(ask("anthropic/claude-sonnet-4-5"))).json();
    assertEquals(answer.choices[0].message.content, "Hi");
  }
});

Deno.test("bytes that are handed through have no limit", async () => {
  const { fetch } = before(() =>
    new Response(pieces(`{"x":"`, ...Array(10).fill("x".repeat(1000)), `"}`), {
      headers: { "content-type": "application/json" },
    }), { limits: { maxAnswerBytes: 10, maxLineBytes: 10, maxHeldBytes: 10 } });
  for (const request of [ask("openai/m"), post(NATIVE, {})]) {
    assertEquals((await (await fetch(request)).text()).length, 10_008);
  }
});

Deno.test("an error's body is read as far as 64 KiB; a longer one is cut and told with its status", async () => {
  for (const model of ["openai/m", "anthropic/claude-sonnet-4-5"]) {
    for (const status of [400, 500]) {
      const { response, seen } = endless("e".repeat(10_000), { "content-type": "application/json" }, status);
      const { fetch } = before(() => response);
      const answer = await fetch(ask(model));
      const text = await answer.text();
      assertEquals(answer.status, status);
      assert(text.length < 4000, `${text.length}`);
      assert(JSON.parse(text).error.message);
      assertEquals(seen, { pulled: 7, cancelled: true });
    }
  }
});

Deno.test("an ordinary error of 60 kB comes through byte for byte", async () => {
  const text = JSON.stringify({ error: { message: "m".repeat(60_000), type: "t", param: null, code: "c" } });
  const { fetch } = before(() =>
    new Response(text, { status: 400, headers: { "content-type": "application/json" } })
  );
  assertEquals(await (await fetch(ask("openai/m"))).text(), text);
});

Deno.test("a stream with an event that is too long ends with an error, and its source is cancelled", async () => {
  for (const line of ["data: ", ""]) {
    const { response, seen } = endless(line || "x".repeat(100), { "content-type": "text/event-stream" });
    const { fetch } = before(() => response, { limits: { maxLineBytes: 1000 } });
    const answer = await fetch(ask("anthropic/claude-sonnet-4-5", {}, { stream: true }));
    const text = await answer.text();
    assertStringIncludes(text, "The stream from anthropic sent an event longer than 1000 bytes");
    assertEquals([text.includes("[DONE]"), seen.cancelled], [false, true]);
  }
});

Deno.test("the limit also holds for events that the client did not ask for", async () => {
  const { fetch } = before(() => new Response(`data: ${"x".repeat(2000)}\n\n`), {
    limits: { maxLineBytes: 1000 },
  });
  const answer = await fetch(ask("anthropic/claude-sonnet-4-5"));
  assertEquals(answer.status, 502);
  assertStringIncludes((await answer.json()).error.message, "an event longer than 1000 bytes");
});

Deno.test("a stream without content in the bytes that may be held has failed, and the next target is tried", async () => {
  for (
    const line of [
      ": wait\n\n",
      "data: x",
      " ",
      'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
    ]
  ) {
    const { response, seen } = endless(line, { "content-type": "text/event-stream" });
    const { fetch, sent } = before((_, at) => at === 0 ? response : events("data: [DONE]\n\n"), {
      limits: { maxHeldBytes: 1000 },
    });
    const answer = await fetch(ask("openai/m", { "sluice-fallback": "groq/m" }, { stream: true }));
    assertEquals([answer.status, await answer.text(), sent.length], [200, "data: [DONE]\n\n", 2], line);
    assert(seen.cancelled && seen.pulled <= 1 + 1001 / line.length + 1, `${line}: ${seen.pulled}`);
  }
});

Deno.test("a JSON answer that is longer than may be held is passed on, and paid for once", async () => {
  const text = JSON.stringify({ id: "a", choices: [{ index: 0, message: { content: "x".repeat(5000) } }] });
  const { fetch, sent } = before(
    () => new Response(pieces(...text), { headers: { "content-type": "application/json" } }),
    { limits: { maxHeldBytes: 1000 } },
  );
  const answer = await fetch(ask("openai/m", { "sluice-fallback": "groq/m" }));
  assertEquals([answer.status, await answer.text(), sent.length], [200, text, 1]);
});
