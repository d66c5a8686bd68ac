/** What the cache must not keep, and what it does when something fails. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { serve } from "../../../gateway/gateway.ts";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { answerCache } from "../../../gateway/policies/answer_cache.ts";
import { packAnswer, unpackAnswer } from "../../../gateway/policies/cached_answer.ts";
import { answerCopies } from "../../../gateway/policies/answer_copy.ts";
import { readOptions } from "../../../gateway/setup/config.ts";
import type { Options } from "../../../gateway/setup/options.ts";
import type { Kv } from "../../../gateway/stores/kv.ts";
import { memoryKv } from "../../../gateway/stores/memory_kv.ts";
import {
  ask,
  before,
  chunk,
  clock,
  completion,
  events,
  message,
  messages,
  network,
  pieces,
  post,
  refusal,
  ROOT,
  STREAM,
} from "../../fakes.ts";
import { cacheStatus, read, twice } from "../../caches.ts";

type Answer = Parameters<typeof before>[0];

const TTL = { cache: { ttl: 3600 } };
const json = (body: string, status = 200) =>
  new Response(body, { status, headers: { "content-type": "application/json" } });

// ---------------------------------------------------------------- what is never kept

const ANTHROPIC = [
  'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}}\n\n',
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
  'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
];
const CREATED = 'data: {"type":"response.created","response":{"id":"r","status":"in_progress"}}\n\n';
const FAILED =
  'data: {"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"x"}}}\n\n';
const ERROR = 'data: {"error":{"message":"Overloaded","type":"server_error"}}\n\n';

const chat = (more: object = {}) => ask("openai/gpt-4.1", {}, more);
const streamed = () => chat({ stream: true });
const native = (path = "openai/chat/completions", more: object = {}) =>
  post(`${ROOT}/${path}`, { model: "m", messages, max_tokens: 5, ...more });
const typed = (type: string, body: BodyInit) => new Response(body, { headers: { "content-type": type } });

const BAD: Record<string, [() => Request, Answer]> = {
  "a refusal": [chat, () => refusal(400)],
  "a refusal on a native path": [native, () => refusal(429)],
  "a failure": [chat, () => refusal(500)],
  "a redirect": [native, () => new Response(null, { status: 302, headers: { location: "/x" } })],
  "an answer that tells what it made": [native, () => Response.json({ id: "x" }, { status: 201 })],
  "an answer that is not there yet": [native, () => Response.json({ id: "x" }, { status: 202 })],
  "a part of an answer": [native, () => typed("audio/mpeg", "x")].map((part, at) =>
    at === 0 ? part : () => new Response("x", { status: 206, headers: { "content-type": "audio/mpeg" } })
  ) as [() => Request, Answer],
  "an answer without a body": [native, () => new Response(null, { status: 204 })],
  "an empty answer": [() => native("openai/audio/speech"), () => typed("audio/mpeg", "")],
  "an error with a status of success": [native, () => json('{"error":{"message":"x"}}')],
  "an error with a status of success, on a wire": [chat, () => json('{"error":{"message":"x"}}')],
  "Anthropic's error with a status of success": [
    () => native("anthropic/v1/messages"),
    () => json('{"type":"error","error":{"type":"overloaded_error","message":"x"}}'),
  ],
  "Workers AI's error with a status of success": [
    () => native("workers-ai/@cf/meta/llama"),
    () => json('{"success":false,"errors":[{"message":"x"}],"result":null}'),
  ],
  "an answer that is queued": [() => native("openai/embeddings"), () => json('{"id":"p","status":"queued"}')],
  "a response in progress": [
    () => native("openai/responses"),
    () => json('{"id":"r","status":"in_progress","output":[]}'),
  ],
  "JSON that is cut off": [native, () => json('{"id":"c","choices":[{"message":{"content":"')],
  "JSON of an unknown format that is cut off": [() => native("openai/moderations"), () => json('{"id":"c"')],
  "long JSON that is cut off": [
    () => native("openai/embeddings"),
    () => json(`{"data":["${"x".repeat(2 ** 20)}"`),
  ],
  "a body that breaks": [
    () => native("openai/audio/speech"),
    () => typed("audio/mpeg", pieces("x", new Error("gone"))),
  ],
  "JSON that breaks": [chat, () => typed("application/json", pieces('{"id":"c"', new Error("gone")))],
  "a stream without an end": [streamed, () => events(...STREAM.slice(0, 2))],
  "a stream without its last event": [streamed, () => events(...STREAM.slice(0, 3))],
  "a stream that only has its last event": [streamed, () => events(STREAM[3])],
  "a stream with an error": [streamed, () => events(...STREAM.slice(0, 2), ERROR, STREAM[3])],
  "a stream with an error, on a native path": [
    () => native(undefined, { stream: true }),
    () => events(...STREAM.slice(0, 2), ERROR, STREAM[3]),
  ],
  "a stream that breaks": [streamed, () => events(...STREAM.slice(0, 2), new Error("gone"))],
  "a stream that breaks after its last event": [streamed, () => events(...STREAM, new Error("gone"))],
  "a stream of Anthropic's without message_stop": [
    () => native("anthropic/v1/messages", { stream: true }),
    () => events(...ANTHROPIC.slice(0, 5)),
  ],
  "a stream of Anthropic's without an end": [
    () => native("anthropic/v1/messages", { stream: true }),
    () => events(...ANTHROPIC.slice(0, 3)),
  ],
  "a translated stream that is cut off": [
    () => ask("anthropic/claude-opus-5-5", {}, { stream: true }),
    () => events(...ANTHROPIC.slice(0, 3)),
  ],
  "a translated stream that breaks": [
    () => ask("anthropic/claude-opus-5-5", {}, { stream: true }),
    () => events(...ANTHROPIC.slice(0, 3), new Error("gone")),
  ],
  "a response's stream without an end": [
    () => native("openai/responses", { stream: true }),
    () => events(CREATED),
  ],
  "a response's stream that fails": [
    () => native("openai/responses", { stream: true }),
    () => events(CREATED, FAILED),
  ],
  "a stream of an unknown format without an end": [
    () => native("workers-ai/@cf/meta/llama", { stream: true }),
    () => events('data: {"response":"Hi"}\n\n'),
  ],
  "a stream in a framing without an end": [
    () => native("bedrock/bedrock-runtime/us-east-1/model/m/converse"),
    () => typed("application/vnd.amazon.eventstream", "x"),
  ],
};

for (const [what, [request, answer]] of Object.entries(BAD)) {
  Deno.test(`${what} is never kept`, async () => {
    const { fetch, sent } = before(answer, TTL);
    const statuses: (string | null)[] = [];
    for (let at = 0; at < 2; at++) {
      const response = await fetch(request());
      statuses.push(cacheStatus(response));
      await response.text().catch(() => {});
    }
    assertEquals(statuses, ["MISS", "MISS"]);
    assertEquals(sent.length, 2);
  });
}

Deno.test("the same answers with their end are kept", async () => {
  const good: [() => Request, Answer][] = [
    [streamed, () => events(...STREAM)],
    [() => native("anthropic/v1/messages", { stream: true }), () => events(...ANTHROPIC)],
    [() => ask("anthropic/claude-opus-5-5", {}, { stream: true }), () => events(...ANTHROPIC)],
    [() => native("openai/embeddings"), () => json(`{"data":["${"x".repeat(2 ** 20)}"]}\n`)],
    [() => native("openai/moderations"), () => json('{"id":"c"}')],
    [chat, () => completion()],
    [() => native("anthropic/v1/messages"), () => message()],
  ];
  for (const [request, answer] of good) {
    const { fetch } = before(answer, TTL);
    assertEquals((await twice(fetch, request)).map(cacheStatus), ["MISS", "HIT"]);
  }
});

// ---------------------------------------------------------------- clients that leave

/** A stream that goes on for ever, with what was read of it and whether it was cancelled. */
function endless(first: string, again = chunk({ content: "x" })) {
  const told = { pulled: 0, cancelled: false };
  const encoder = new TextEncoder();
  const body = () => {
    told.pulled = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(encoder.encode(told.pulled++ === 0 ? first : again));
      },
      cancel: () => void (told.cancelled = true),
    }, { highWaterMark: 0 });
  };
  return { told, answer: () => typed("text/event-stream", body()) };
}

for (const model of ["openai/gpt-4.1", "anthropic/claude-opus-5-5"]) {
  Deno.test(`a client that leaves ${model} in mid-stream caches nothing, and leaves nothing open`, async () => {
    const { told, answer } = model.startsWith("openai")
      ? endless(STREAM[0])
      : endless(ANTHROPIC.slice(0, 3).join(""), ANTHROPIC[2]);
    const rows: LogEntry[] = [];
    const { fetch } = before(answer, { ...TTL, log: (row) => rows.push(row) });
    const request = () => ask(model, {}, { stream: true });
    for (let at = 0; at < 2; at++) {
      const response = await fetch(request());
      assertEquals(cacheStatus(response), "MISS");
      const reader = response.body!.getReader();
      await reader.read();
      told.cancelled = false;
      await reader.cancel();
      assertEquals(told.cancelled, true);
    }
    assertEquals(rows.map(({ error }) => error && "code" in error && error.code), [
      "client_left",
      "client_left",
    ]);
  });
}

Deno.test("a client that stops reading lets nothing be read ahead", async () => {
  const { told, answer } = endless(STREAM[0]);
  const { fetch } = before(answer, TTL);
  const response = await fetch(streamed());
  const reader = response.body!.getReader();
  await reader.read();
  const pulled = told.pulled;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(told.pulled <= pulled + 1, `${told.pulled} pieces were read, of which the client took one`);
  await reader.cancel();
});

Deno.test("a client that leaves before it reads anything caches nothing", async () => {
  const { fetch, sent } = before(() => events(...STREAM), TTL);
  const response = await fetch(streamed());
  await response.body!.cancel();
  const second = await fetch(streamed());
  await second.text();
  assertEquals([cacheStatus(second), sent.length], ["MISS", 2]);
});

Deno.test("a client that left while the store was asked gets no answer, and no provider is asked", async () => {
  const leaving = new AbortController();
  const { fetch, sent } = withStore({
    ...memoryKv(1000, Date.now),
    get: () => {
      leaving.abort();
      return Promise.resolve(undefined);
    },
  });
  const response = await fetch(ask("openai/gpt-4.1", {}, {}, { signal: leaving.signal }));
  assertEquals([response.status, sent.length], [499, 0]);
});

// ---------------------------------------------------------------- bounds

Deno.test("answers of 10,000 keys stay within the bound, and the newest are kept", async () => {
  const maxBytes = 100_000;
  const { fetch, sent, kv } = withStore(memoryKv(maxBytes, Date.now));
  const asked = async (at: number) => {
    const response = await fetch(ask("openai/gpt-4.1", { "cf-aig-cache-key": `key ${at}` }));
    await response.text();
    return cacheStatus(response);
  };
  for (let at = 0; at < 10_000; at++) await asked(at);
  assertEquals(sent.length, 10_000);
  assert(kv.bytes <= maxBytes && kv.bytes > maxBytes - 2000, `${kv.bytes} bytes are kept`);
  assertEquals([await asked(9_999), await asked(9_950), await asked(0)], ["HIT", "HIT", "MISS"]);
});

Deno.test("memoryKv() removes what was not used for the longest time, and what is too old", async () => {
  const time = clock();
  const kv = memoryKv(1000, time.options.now);
  const value = (length: number) => new Uint8Array(length);
  for (const key of ["a", "b", "c"]) await kv.put(key, value(100), 1000);
  assertEquals(kv.bytes, 3 * 302);
  await kv.get("a");
  await kv.put("d", value(100), 2000);
  const kept = async () =>
    (await Promise.all(["a", "b", "c", "d"].map(kv.get))).map((one) => one !== undefined);
  assertEquals(await kept(), [true, false, true, true]);
  await kv.put("e", value(1000), 1000);
  assertEquals([await kv.get("e"), kv.bytes], [undefined, 3 * 302]);
  time.pass(1000);
  assertEquals(await kept(), [false, false, false, true]);
  assertEquals(kv.bytes, 302);
  await kv.put("d", value(10), 1000);
  assertEquals(kv.bytes, 212);
  await kv.delete("d");
  await kv.delete("d");
  assertEquals(kv.bytes, 0);
});

Deno.test("an answer that is longer than the cache passes whole and is not kept", async () => {
  const long = "x".repeat(5000);
  for (const stream of [false, true]) {
    const { fetch, sent } = before(
      () => stream ? events(STREAM[0], chunk({ content: long }), ...STREAM.slice(2)) : completion(long),
      { cache: { ttl: 60, maxBytes: 4000 } },
    );
    for (let at = 0; at < 2; at++) {
      const response = await fetch(chat({ stream }));
      assertEquals(cacheStatus(response), "MISS");
      assert((await response.text()).includes(long));
    }
    assertEquals(sent.length, 2);
  }
});

Deno.test("answerCopies() holds no more than its bounds: the copy that began first is given up", () => {
  const copy = answerCopies(10_000, 20_000);
  const bytes = (length: number) => new Uint8Array(length).fill(7);
  const tooLong = copy();
  tooLong.add(bytes(9000));
  tooLong.add(bytes(1001));
  tooLong.add(bytes(1));
  assertEquals(tooLong.end(), undefined);

  const [first, second, third] = [copy(), copy(), copy()];
  first.add(bytes(8000));
  second.add(bytes(8000));
  assertEquals([first, second].every(Boolean), true);
  third.add(bytes(8000));
  assertEquals(first.end(), undefined);
  assertEquals(second.end()?.length, 8000);
  assertEquals(third.end(), bytes(8000));

  // What ended or was given up makes room again.
  for (let at = 0; at < 100; at++) {
    const dropped = copy();
    dropped.add(bytes(9000));
    dropped.drop();
    dropped.drop();
    const ended = copy();
    ended.add(bytes(9000));
    assertEquals(ended.end()?.length, 9000);
  }
  // Copies of answers that nobody reads on have a bound too.
  const idle = Array.from({ length: 100 }, () => copy());
  for (const one of idle) one.add(bytes(1));
  assertEquals(idle.filter((one) => one.end() !== undefined).length, 19);
});

Deno.test("a body of 64 MB takes no part, with a key of its own either, and passes whole", async () => {
  const { fetch, sent } = before(() => completion(), { cache: { ttl: 60 } });
  const long = "x".repeat(64_000_000);
  for (const headers of [{}, { "cf-aig-cache-key": "k" }] as Record<string, string>[]) {
    const body = { model: "openai/gpt-4.1", messages: [{ role: "user", content: long }] };
    const response = await fetch(post(`${ROOT}/compat/chat/completions`, body, headers));
    assertEquals([response.status, cacheStatus(response)], [200, null]);
    await response.text();
    assert(sent.pop()!.body.length > 64_000_000);
  }
});

Deno.test("the key is that of the client's bytes, although a long body is edited in place", async () => {
  const { fetch, sent } = before(() => completion(), {
    ...TTL,
    providers: { groq: { drop: ["logit_bias"] } },
  });
  const long = "x".repeat(300_000);
  for (const logit_bias of [{ 1: 5 }, { 2: 5 }, { 1: 5 }]) {
    const response = await fetch(
      post(`${ROOT}/compat/chat/completions`, {
        model: "groq/m",
        logit_bias,
        messages: [{ role: "user", content: long }],
      }),
    );
    await response.text();
    assertEquals(cacheStatus(response), sent.length === 2 && logit_bias[1] ? "HIT" : "MISS");
  }
  // After the edit the two bodies were the same.
  assertEquals(sent.map(({ body }) => body)[1], sent[0].body);
  assertEquals(sent.length, 2);
});

Deno.test("a cached answer cannot be changed by who has read it", async () => {
  const { fetch } = before(() => typed("audio/mpeg", new Uint8Array([1, 2, 3])), TTL);
  const request = () => native("openai/audio/speech");
  await read(fetch(request()));
  for (let at = 0; at < 3; at++) {
    const bytes = new Uint8Array(await (await fetch(request())).arrayBuffer());
    assertEquals(bytes, new Uint8Array([1, 2, 3]));
    bytes.fill(9);
    bytes.buffer.transfer();
  }
});

Deno.test("parts of a key that run together are two keys", async () => {
  const kv = memoryKv(1000, Date.now);
  const answers = answerCache({
    kv,
    ttl: 60,
    shared: false,
    maxBytes: 1000,
    now: Date.now,
    timer: Date.now,
    warn() {},
  });
  const plan = (parts: string[], body: string) => ({ ttlMs: 1, parts, body });
  const keys = await Promise.all([
    [plan(["ab", "c"], "d")],
    [plan(["a", "bc"], "d")],
    [plan(["abc"], "d")],
    [plan(["ab", "c"], ""), plan([], "d")],
    [plan(["ab", "c"], "d"), undefined],
    [undefined, plan(["ab", "c"], "d")],
    [{ ...plan(["ab", "c"], ""), body: Promise.resolve(new TextEncoder().encode("d").buffer) }],
  ].map(answers.keyOf));
  assertEquals(new Set(keys).size, keys.length);
  for (const key of keys) assertMatch(key!, /^sluice-cache-[0-9a-f]{64}$/);
});

// ---------------------------------------------------------------- the store

/** A gateway with a cache over a store. */
function withStore<T extends Kv>(kv: T, options: Options = {}, answer: Answer = () => completion()) {
  const { fetch, sent } = network(answer);
  const told: string[] = [];
  const config = readOptions({ fetch, adminToken: "operator-0123456789", ...options });
  config.cache = answerCache({
    kv,
    ttl: 3600,
    shared: false,
    maxBytes: 2 ** 20,
    now: config.now,
    timer: config.timer,
    warn: (line) => told.push(line),
  });
  const { counts } = config.cache;
  return { fetch: (request: Request) => serve(request, config, false), sent, told, counts, kv };
}

const never = <T>() => new Promise<T>(() => {});
const down = () => Promise.reject(new TypeError("redis://user:password@host is down"));

/** Stores that fail. */
const FAILING: Record<string, (kv: Kv) => Partial<Kv>> = {
  "cannot be read": () => ({ get: down }),
  "throws": () => ({
    get() {
      throw new TypeError("down");
    },
  }),
  "hangs": () => ({ get: never }),
  "cannot be written": () => ({ put: down }),
  "hangs when it is written": () => ({ put: never }),
  "returns other bytes": (kv) => ({
    get: async (key) =>
      key.includes("version") ? await kv.get(key) : new TextEncoder().encode("garbage, and more"),
  }),
  "returns no bytes": (kv) => ({
    get: async (key) => key.includes("version") ? await kv.get(key) : new Uint8Array(),
  }),
  "returns half of an answer": (kv) => ({
    get: async (key) => (await kv.get(key))?.slice(0, -1),
  }),
};

for (const [what, failing] of Object.entries(FAILING)) {
  Deno.test(`a store that ${what} is a miss, which is counted and told without its address`, async () => {
    const kv = memoryKv(2 ** 20, Date.now);
    const { fetch, sent, told, counts } = withStore({ ...kv, isLocal: undefined, ...failing(kv) });
    const answers = await twice(fetch, chat);
    assertEquals(answers.map(({ status }) => status), [200, 200]);
    assertEquals(answers.map(cacheStatus), ["MISS", "MISS"]);
    assertEquals(sent.length, 2);
    // A store that hangs is given up after a quarter of a second.
    await new Promise((resolve) => setTimeout(resolve, what.includes("hangs") ? 300 : 0));
    assert(counts.failures > 0);
    assertEquals(told.length, 1);
    assertMatch(told[0], /^the cache's store failed once: /);
    assert(!told[0].includes("password"));
  });
}

Deno.test("a store that goes on failing is told of once a minute, with the number of its failures", async () => {
  const time = clock();
  const { fetch, told } = withStore({ ...memoryKv(2 ** 20, Date.now), get: down }, time.options);
  for (let at = 0; at < 5; at++) await read(fetch(chat()));
  time.pass(60_000);
  await read(fetch(chat()));
  assertEquals(told.map((line) => line.replace(/:.*/, "")), [
    "the cache's store failed once",
    "the cache's store failed 5 times",
  ]);
});

Deno.test("an answer never waits until it is written", async () => {
  const { fetch } = withStore({ ...memoryKv(2 ** 20, Date.now), isLocal: undefined, put: never });
  const text = await read(fetch(chat()));
  assertEquals(text, await completion().text());
  await new Promise((resolve) => setTimeout(resolve, 300));
});

Deno.test("a store that recovers is used again", async () => {
  const kv = memoryKv(2 ** 20, Date.now);
  let isDown = true;
  const { fetch } = withStore({ ...kv, get: (key) => isDown ? down() : kv.get(key) });
  await read(fetch(chat()));
  isDown = false;
  assertEquals((await twice(fetch, chat)).map(cacheStatus), ["MISS", "HIT"]);
});

Deno.test("two gateways on one store share answers, and one hears within ten seconds that the other has cleared them", async () => {
  const time = clock();
  const kv = memoryKv(2 ** 20, time.options.now);
  const [one, other] = [withStore(kv, time.options), withStore(kv, time.options)];
  const clear = () =>
    new Request("http://gateway.test/sluice/api/cache", {
      method: "DELETE",
      headers: { authorization: "Bearer operator-0123456789" },
    });
  const asked = async ({ fetch }: typeof one) => {
    const response = await fetch(chat());
    await response.text();
    return cacheStatus(response);
  };
  assertEquals([await asked(one), await asked(other)], ["MISS", "HIT"]);
  await read(one.fetch(clear()));
  assertEquals(await asked(one), "MISS");
  time.pass(10_000);
  // It reads the new version, under which the first gateway has kept its answer.
  assertEquals([await asked(other), other.sent.length], ["HIT", 0]);
});

Deno.test("a cache that cannot be cleared says so", async () => {
  const { fetch } = withStore({ ...memoryKv(2 ** 20, Date.now), put: down });
  const answer = await fetch(
    new Request("http://gateway.test/sluice/api/cache", {
      method: "DELETE",
      headers: { authorization: "Bearer operator-0123456789" },
    }),
  );
  const text = await answer.text();
  assertEquals(answer.status, 503);
  assert(text.includes("Cannot clear the cache") && !text.includes("password"));
});

Deno.test("unpackAnswer() reads what packAnswer() has written, and nothing else", () => {
  const answer = {
    at: 1,
    headers: [["content-type", "a/b"]] as [string, string][],
    step: 2,
    provider: "p",
    model: "é",
    facts: { model: "m", stop: "stop" as const },
    body: new Uint8Array([0, 128, 255]),
  };
  const packed = packAnswer(answer);
  assertEquals(unpackAnswer(packed), answer);
  assertEquals(unpackAnswer(packAnswer({ ...answer, body: new Uint8Array() }))?.body.length, 0);
  for (let length = 0; length < packed.length; length++) {
    assertEquals(unpackAnswer(packed.slice(0, length)), undefined);
  }
  assertEquals(unpackAnswer(new Uint8Array([...packed, 0])), undefined);
  for (
    const head of [
      "",
      "null",
      "[]",
      "{}",
      '{"at":1,"step":0,"facts":{}}',
      '{"at":"1","step":0,"facts":{},"headers":[]}',
    ]
  ) {
    const bytes = new TextEncoder().encode(head);
    const forged = new Uint8Array(8 + bytes.length);
    new DataView(forged.buffer).setUint32(0, bytes.length);
    forged.set(bytes, 8);
    assertEquals(unpackAnswer(forged), undefined, head);
  }
});

Deno.test("Kv: memoryKv() keeps bytes above 127", async () => {
  const kv = memoryKv(10_000, Date.now);
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  await kv.put("k", bytes, 1000);
  assertEquals(await kv.get("k"), bytes);
});
