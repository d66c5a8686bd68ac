/** Upstreams that behave badly on real sockets. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createGateway } from "../../../gateway/gateway.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, chunk, post, ROOT, STREAM } from "../../fakes.ts";

/** The server's reaction to one request: bytes to write, or an act. */
type Act = string | "hang" | "close" | "reset" | Promise<unknown>;

interface Upstream {
  options: Options;
  /** The number of requests so far. */
  requests: string[];
  /** The number of open connections. */
  open(): number;
}

/** A server that answers each request by a list of acts, while `use` runs. */
async function upstream(
  acts: (request: string, at: number) => Act[],
  use: (upstream: Upstream) => Promise<void>,
) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.Conn>();
  const requests: string[] = [];
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.add(connection);
      serving.push(
        serve(connection).catch(() => {}).finally(() => {
          connections.delete(connection);
          try {
            connection.close();
          } catch {
            // The other side has closed the connection already.
          }
        }),
      );
    }
  })();

  async function serve(connection: Deno.Conn): Promise<void> {
    // Reads one byte only: a connection with unread bytes is reset when it is closed.
    const first = new Uint8Array(1);
    if (await connection.read(first) === null) return;
    const plan = acts("", requests.length);
    if (plan[0] === "reset") return void requests.push("");
    const request = await readRequest(connection, first);
    const at = requests.push(request) - 1;
    for (const act of acts(request, at)) {
      if (act === "close" || act === "reset") return;
      if (act === "hang") await readToEnd(connection);
      else if (typeof act !== "string") await act;
      else await connection.write(new TextEncoder().encode(act));
    }
  }

  try {
    const { port } = listener.addr as Deno.NetAddr;
    const baseUrl = `http://127.0.0.1:${port}`;
    await use({
      options: { providers: { openai: { baseUrl }, anthropic: { baseUrl } } },
      requests,
      open: () => connections.size,
    });
  } finally {
    listener.close();
    for (const connection of connections) connection.close();
    await accepting;
    await Promise.all(serving);
  }
}

async function readRequest(connection: Deno.Conn, first: Uint8Array): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = decoder.decode(first);
  for (;;) {
    const head = text.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (head >= 0 && text.length >= head + 4 + length) return text;
    const size = await connection.read(buffer);
    if (size === null) return text;
    text += decoder.decode(buffer.subarray(0, size));
  }
}

async function readToEnd(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65536);
  while (await connection.read(buffer) !== null);
}

const BODY = JSON.stringify({ id: "c", object: "chat.completion", choices: [] });

const head = (type: string, length?: number) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\nconnection: close\r\n` +
  (length === undefined ? "" : `content-length: ${length}\r\n`) + "\r\n";

const WHOLE: Act[] = [head("application/json", BODY.length) + BODY, "close"];
/** Sent in chunks: without a length or chunks, the end of a connection would look like the end of the body. */
const framed = (text: string) => `${new TextEncoder().encode(text).length.toString(16)}\r\n${text}\r\n`;
const CHUNKED = head("text/event-stream").replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");
const STREAMED: Act[] = [CHUNKED + STREAM.map(framed).join("") + "0\r\n\r\n", "close"];
const BUSY = "HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

const step = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt" } };

const DOORS: [string, (headers?: Record<string, string>) => Request][] = [
  ["compat", (headers) => ask("openai/gpt", headers)],
  ["native", (headers) => post(`${ROOT}/openai/chat/completions`, step.query, headers)],
  ["universal", (headers) => post(ROOT, [step], headers)],
];

/** Waits until a condition is true. Gives up after a while. */
async function until(so: () => boolean): Promise<void> {
  for (let turn = 0; !so() && turn < 500; turn++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert(so());
}

for (const [door, request] of DOORS) {
  Deno.test(`${door}: an upstream that accepts and never answers is left after the timeout`, () =>
    upstream(() => ["hang"], async ({ options, open }) => {
      const { fetch } = createGateway(options);
      const response = await fetch(request({ "cf-aig-request-timeout": "50" }));
      assertEquals(response.status, 504);
      await response.text();
      await until(() => open() === 0);
    }));

  Deno.test(`${door}: an upstream that sends headers and stalls is left after the timeout, and tried again`, () =>
    upstream(
      (_, at) => at === 0 ? [head("application/json", 9), "hang"] : WHOLE,
      async ({ options, open }) => {
        const { fetch } = createGateway(options);
        const headers = {
          "cf-aig-request-timeout": "50",
          "cf-aig-max-attempts": "2",
          "cf-aig-retry-delay": "0",
        };
        const response = await fetch(request(headers));
        assertEquals([response.status, await response.text()], [200, BODY]);
        await until(() => open() === 0);
      },
    ));

  Deno.test(`${door}: an upstream that resets is 502, or tried again`, () =>
    upstream((_, at) => at < 2 ? ["reset"] : WHOLE, async ({ options, requests }) => {
      const { fetch } = createGateway(options);
      assertEquals((await fetch(request())).status, 502);
      const response = await fetch(request({ "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0" }));
      assertEquals([response.status, await response.text(), requests.length], [200, BODY, 3]);
    }));

  Deno.test(`${door}: a body that breaks off is tried again, or breaks off for the client`, () =>
    upstream(
      (_, at) => at < 2 ? [head("application/json", 99) + BODY, "close"] : WHOLE,
      async ({ options }) => {
        const { fetch } = createGateway(options);
        await assertRejects(async () => await (await fetch(request())).text());
        const response = await fetch(request({ "cf-aig-max-attempts": "2", "cf-aig-retry-delay": "0" }));
        assertEquals([response.status, await response.text()], [200, BODY]);
      },
    ));

  Deno.test(`${door}: a client that leaves closes the connection to an upstream that says nothing`, () =>
    upstream(() => ["hang"], async ({ options, open }) => {
      const { fetch } = createGateway(options);
      const client = new AbortController();
      const answer = fetch(new Request(request(), { signal: client.signal }));
      await until(() => open() === 1);
      client.abort();
      assertEquals((await answer).status, 499);
      await until(() => open() === 0);
    }));

  Deno.test(`${door}: a client that leaves in mid-stream closes the connection`, () =>
    upstream(() => [CHUNKED + framed(STREAM[0]) + framed(STREAM[1]), "hang"], async ({ options, open }) => {
      const { fetch } = createGateway(options);
      const patient: Record<string, string>[] = [{}, {
        "cf-aig-max-attempts": "2",
        "cf-aig-request-timeout": "60000",
      }];
      for (const headers of patient) {
        const response = await fetch(request(headers));
        const reader = response.body!.getReader();
        await reader.read();
        assertEquals(open(), 1);
        await reader.cancel();
        await until(() => open() === 0);
      }
    }));
}

Deno.test("a stream that stalls after its role falls back by the idle limit, and its connection is closed", () =>
  upstream(
    (_, at) => at === 0 ? [CHUNKED + framed(STREAM[0]), "hang"] : STREAMED,
    async ({ options, open }) => {
      const { fetch } = createGateway({ ...options, streamIdleTimeoutMs: 50 });
      const response = await fetch(ask("openai/gpt", {}, { stream: true, models: ["openai/other"] }));
      assertEquals([response.headers.get("cf-aig-step"), await response.text()], ["1", STREAM.join("")]);
      await until(() => open() === 0);
    },
  ));

Deno.test("1,000 requests at once lose nothing to an upstream of which one answer in twenty fails", async () => {
  /** Every twentieth of the first answers fails, each time in another way. */
  const failures: Act[][] = [
    ["reset"],
    ["close"],
    [BUSY, "close"],
    [head("application/json", 99) + BODY, "close"],
    [head("application/json", 99), "close"],
    [CHUNKED, "close"],
    [CHUNKED + framed(STREAM[0]), "close"],
    [
      CHUNKED + framed(chunk({ role: "assistant" })) + framed('data: {"error": {"message": "busy"}}\n\n'),
      "close",
    ],
  ];
  let failed = 0;
  const acts = new Map<number, Act[]>();
  const plan = (request: string, at: number): Act[] => {
    const known = acts.get(at);
    if (known) return known;
    if (at % 20 === 19) {
      const failure = failures[failed++ % failures.length];
      acts.set(at, failure);
      return failure;
    }
    return request.includes('"stream":true') ? STREAMED : WHOLE;
  };
  await upstream(plan, async ({ options, requests, open }) => {
    const { fetch } = createGateway({ ...options, retries: { maxAttempts: 5, retryDelayMs: 20 } });
    const kinds = [
      () => ask("openai/gpt"),
      () => ask("openai/gpt", {}, { stream: true }),
      () => post(`${ROOT}/openai/chat/completions`, { ...step.query, stream: true }),
      () => post(ROOT, [step]),
    ];
    const answers = await Promise.all(Array.from({ length: 1000 }, async (_, at) => {
      const response = await fetch(kinds[at % kinds.length]());
      return `${response.status} ${await response.text()}`;
    }));
    const expected = Array.from(
      { length: 1000 },
      (_, at) => `200 ${[BODY, STREAM.join(""), STREAM.join(""), BODY][at % 4]}`,
    );
    assertEquals(answers, expected);
    assert(failed >= 50, `${failed} failed`);
    assertEquals(requests.length, 1000 + failed);
    await until(() => open() === 0);
  });
});
