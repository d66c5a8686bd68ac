import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import { assertEquals, assertMatch } from "@std/assert";
import type { LogEntry } from "../../../gateway/stores/log_row.ts";
import { errorResponse } from "../../../gateway/upstream/error_response.ts";
import { ask, before, clock, completion, events, post, ROOT, STREAM } from "../../fakes.ts";

const event = (data: object, name?: string) =>
  `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;

const named = (data: { type: string }) => event(data, data.type);

/** Healthy streams of providers, event by event. The last events come only when the client has the first one. */
const STREAMS = {
  openai: STREAM,
  completions: [
    event({ id: "c", object: "text_completion", choices: [{ index: 0, text: "Hi", finish_reason: null }] }),
    event({ id: "c", object: "text_completion", choices: [{ index: 0, text: "", finish_reason: "stop" }] }),
    "data: [DONE]\n\n",
  ],
  anthropic: [
    {
      type: "message_start",
      message: { id: "m", role: "assistant", content: [], usage: { input_tokens: 1 } },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
    { type: "message_stop" },
  ].map(named),
  gemini: [
    event({ candidates: [{ content: { role: "model", parts: [{ text: "Hi" }] } }] }),
    event({ candidates: [{ content: { parts: [{ text: "" }] }, finishReason: "STOP" }] }),
  ],
  geminiList: [
    '[{\n  "candidates": [{"content": {"parts": [{"text": "Hi"}]}}]\n}\n',
    ',{"candidates": [{"finishReason": "STOP"}]}]',
  ],
  cohere: [
    { type: "message-start", id: "x", delta: { message: { role: "assistant" } } },
    { type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "" } } } },
    { type: "content-delta", index: 0, delta: { message: { content: { text: "Hi" } } } },
    { type: "message-end", delta: { finish_reason: "COMPLETE" } },
  ].map(named),
  cohereV1: [
    event({ is_finished: false, event_type: "stream-start", generation_id: "g" }, "stream-start"),
    event({ is_finished: false, event_type: "text-generation", text: "Hi" }, "text-generation"),
    event({ is_finished: true, event_type: "stream-end", finish_reason: "COMPLETE" }, "stream-end"),
  ],
  responses: [
    { type: "response.created", response: { id: "resp_1", status: "in_progress", error: null, output: [] } },
    { type: "response.in_progress", response: { id: "resp_1", status: "in_progress", error: null } },
    { type: "response.output_item.added", output_index: 0, item: { type: "message", content: [] } },
    { type: "response.output_text.delta", output_index: 0, delta: "Hi" },
    { type: "response.completed", response: { id: "resp_1", status: "completed", error: null, output: [] } },
  ].map(named),
  unknown: [event({ response: "Hi" }), event({ response: "" }), "data: [DONE]\n\n"],
};

/** `{provider}/{path}`, with the stream that the provider sends there. */
const PATHS: [string, keyof typeof STREAMS][] = [
  ["openai/v1/chat/completions", "openai"],
  ["openai/chat/completions", "openai"],
  ["openai/v1/completions", "completions"],
  ["openai/v1/responses", "responses"],
  ["openai/v1/threads/t/runs", "unknown"],
  ["openai/v1/images/generations", "unknown"],
  ["anthropic/v1/messages", "anthropic"],
  ["anthropic/messages", "anthropic"],
  ["anthropic/v1/chat/completions", "openai"],
  ["google-ai-studio/v1beta/models/g:streamGenerateContent?alt=sse", "gemini"],
  ["google-ai-studio/v1beta/models/g:streamGenerateContent", "geminiList"],
  ["google-ai-studio/v1beta/openai/chat/completions", "openai"],
  [
    "google-vertex-ai/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    "gemini",
  ],
  [
    "google-vertex-ai/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude:streamRawPredict",
    "anthropic",
  ],
  ["google-vertex-ai/v1/projects/p/locations/us-east5/publishers/meta/models/l:streamRawPredict", "unknown"],
  ["cohere/v2/chat", "cohere"],
  ["cohere/v1/chat", "cohereV1"],
  ["cohere/compatibility/v1/chat/completions", "openai"],
  ["aws-bedrock/bedrock-mantle/us-east-1/anthropic/v1/messages", "anthropic"],
  ["aws-bedrock/bedrock-mantle/us-east-1/v1/responses", "responses"],
  ["aws-bedrock/bedrock-runtime/us-east-1/openai/v1/chat/completions", "openai"],
  ["azure-openai/r/d/chat/completions?api-version=1", "openai"],
  ["openrouter/v1/messages", "anthropic"],
  ["openrouter/v1/responses", "responses"],
  ["deepseek/anthropic/v1/messages", "anthropic"],
  ["vercel/v1/messages", "anthropic"],
  ["perplexity-agent/v1/agent", "responses"],
  ["workers-ai/@cf/meta/llama", "unknown"],
  ["writer/chat", "openai"],
];

for (const [path, format] of PATHS) {
  Deno.test(`a healthy ${format} stream of ${path} is paid for once, and passed on while it comes`, async () => {
    const type = format === "geminiList" ? "application/json" : "text/event-stream";
    const parts = STREAMS[format];
    const read = Promise.withResolvers<void>();
    // All events but the last one, which comes when the client has read an event.
    const answer = () => {
      const { body } = events(...parts.slice(0, -1), read.promise, parts.at(-1)!);
      return new Response(body, { headers: { "content-type": type } });
    };
    const { fetch, sent } = before(answer, clock().options);
    const headers = { "cf-aig-max-attempts": "3" };
    const response = await fetch(post(`${ROOT}/${path}`, { stream: true }, headers));
    const reader = response.body!.getReader();
    let text = new TextDecoder().decode((await reader.read()).value);
    read.resolve();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    assertEquals([text, sent.length], [parts.join(""), 1]);
    // As a step of several, it answers and no other step is tried.
    const [provider, ...endpoint] = path.split("/");
    const step = { provider, endpoint: endpoint.join("/"), query: { stream: true } };
    const last = { provider: "openai", endpoint: "chat/completions", query: {} };
    const steps = before(() => new Response(events(...parts).body, { headers: { "content-type": type } }));
    const won = await steps.fetch(post(ROOT, [step, last]));
    assertEquals([won.headers.get("cf-aig-step"), await won.text(), steps.sent.length], [
      "0",
      parts.join(""),
      1,
    ]);
  });
}

const FAILED = {
  id: "resp_1",
  object: "response",
  status: "failed",
  error: { code: "server_error", message: "x" },
};

/** Objects of an API that have a member `error` of their own, with the requests that read them. */
const OBJECTS: [string, string, object][] = [
  ["GET", "openai/v1/responses/resp_1", FAILED],
  ["POST", "openai/v1/responses/resp_1/cancel", FAILED],
  ["GET", "openai/v1/batches/b", { id: "b", object: "batch", status: "failed", error: { message: "x" } }],
  ["GET", "openai/v1/fine_tuning/jobs/f", { id: "f", status: "failed", error: { code: "x", message: "y" } }],
  ["POST", "openai/v1/batches", { id: "b", object: "batch", error: "no" }],
  ["GET", "anthropic/v1/messages/batches/b", { id: "b", type: "message_batch", error: { type: "x" } }],
  ["GET", "anthropic/v1/files/f", { type: "error", error: { type: "x" } }],
  ["GET", "google-ai-studio/v1beta/operations/o", { name: "o", done: true, error: { code: 3 } }],
  ["GET", "replicate/predictions/p", { id: "p", status: "failed", error: "NSFW" }],
  ["POST", "replicate/predictions", { id: "p", status: "failed", error: "NSFW" }],
  ["DELETE", "openai/v1/files/f", {}],
  // Not a failure: the format has a member `error`, and it is empty.
  ["POST", "openai/v1/responses", { id: "resp_1", status: "completed", error: null, output: [] }],
];

for (const [method, path, body] of OBJECTS) {
  Deno.test(`${method} ${path}: an object with an error of its own is read once`, async () => {
    const { fetch, sent } = before(() => Response.json(body), {
      ...clock().options,
      retries: { maxAttempts: 3 },
    });
    const init = method === "GET" ? { method } : { method, body: "{}" };
    const response = await fetch(new Request(`${ROOT}/${path}`, init));
    assertEquals([response.status, await response.json(), sent.length], [200, body, 1]);
  });
}

Deno.test("a stream of a stored response that failed is read once", async () => {
  const failed = named({ type: "response.failed", response: FAILED } as { type: string });
  const { fetch, sent } = before(() => events(failed), { ...clock().options, retries: { maxAttempts: 3 } });
  const response = await fetch(new Request(`${ROOT}/openai/v1/responses/resp_1?stream=true`));
  assertEquals([await response.text(), sent.length], [failed, 1]);
});

/** Bodies with a status of success that are not generated answers. */
const EMPTY: [string, () => Response][] = [
  ["nothing", () => new Response(null)],
  [
    "no bytes",
    () => new Response(new Blob([]).stream(), { headers: { "content-type": "application/json" } }),
  ],
  ["blanks", () => new Response(" \n", { headers: { "content-type": "application/json" } })],
  ["null", () => Response.json(null)],
  ["{}", () => Response.json({})],
  ["42", () => Response.json(42)],
  ["a text", () => Response.json("no")],
  ["an empty list", () => Response.json([])],
  ["a list of an error", () => Response.json([{ error: { code: 503, message: "x" } }])],
  ["a failed response", () => Response.json(FAILED)],
  [
    "a page",
    () => new Response("<!DOCTYPE html><p>Sign in</p>", { headers: { "content-type": "text/html" } }),
  ],
  ["a page without a type", () => new Response(new Blob(["\n<html></html>"]).stream())],
  ["plain text", () => new Response("upstream unavailable")],
  ["events without an event", () => events(": hello\n\n")],
  ["an error event", () => events('event: error\ndata: {"type":"error","error":{"message":"x"}}\n\n')],
];

for (const [name, first] of EMPTY) {
  Deno.test(`${name} is not the answer of a path that generates one, as long as anything is left to try`, async () => {
    for (
      const path of [
        "openai/v1/responses",
        "anthropic/v1/messages",
        "google-ai-studio/v1/models/g:generateContent",
      ]
    ) {
      const second = Response.json({ output: [], content: [{}], candidates: [{}] });
      const { fetch, sent } = before((_, at) => at === 0 ? first() : second, clock().options);
      const response = await fetch(post(`${ROOT}/${path}`, {}, { "cf-aig-max-attempts": "2" }));
      assertEquals([response.status, (await response.json()).candidates, sent.length], [200, [{}], 2], path);
    }
  });
}

Deno.test("an empty body is an answer of a path that generates nothing or sound", async () => {
  for (const path of ["openai/v1/audio/speech", "openai/v1/files", "elevenlabs/v1/text-to-speech/v"]) {
    const { fetch, sent } = before(() => new Response(null, { status: 204 }), clock().options);
    const response = await fetch(post(`${ROOT}/${path}`, {}, { "cf-aig-max-attempts": "2" }));
    assertEquals([response.status, sent.length], [204, 1], path);
  }
});

/** Gemini's streams as JSON lists, and whether each begins or fails. */
const LISTS: [string[], number][] = [
  [["[", "{", '"', "candidates", '":[]}]'], 1],
  [['[{"usageMetadata":{}}]'], 1],
  [["[{}]"], 1],
  [["[", "]"], 2],
  [['[{"er', 'ror":{"code":503}}]'], 2],
  [['[{"error":{"code":503}}]'], 2],
  [["[1]"], 2],
  [["["], 2],
  [['[ {\n "errors": 1}]'], 1],
];

Deno.test("a list of JSON begins with its first object, unless that is an error, wherever it is cut", async () => {
  for (const [parts, tries] of LISTS) {
    const headers = { "content-type": "application/json" };
    const { fetch, sent } = before(
      (_, at) => at === 0 ? new Response(events(...parts).body, { headers }) : Response.json([{}]),
      clock().options,
    );
    const url = `${ROOT}/google-ai-studio/v1beta/models/g:streamGenerateContent`;
    const response = await fetch(post(url, {}, { "cf-aig-max-attempts": "2" }));
    assertEquals(
      [await response.text(), sent.length],
      [tries === 1 ? parts.join("") : "[{}]", tries],
      parts.join("|"),
    );
  }
});

/** A body that never ends. It tells when it is cancelled. */
function endless(first: string, init: ResponseInit) {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
    cancel: () => cancelled.resolve(),
  });
  return { response: new Response(body, init), cancelled: cancelled.promise };
}

Deno.test("a failed answer is cancelled when the next target is tried", async () => {
  const { response: failed, cancelled } = endless("{", { status: 500 });
  const { fetch } = before((_, at) => at === 0 ? failed : completion());
  const step = { provider: "openai", endpoint: "chat/completions", query: {} };
  const response = await fetch(post(ROOT, [step, step]));
  await cancelled;
  assertEquals([response.status, response.headers.get("cf-aig-step")], [200, "1"]);
});

Deno.test("a stream that begins with an error is cancelled before the next target is tried", async () => {
  const headers = { "content-type": "text/event-stream" };
  const { response: failed, cancelled } = endless('data: {"error":{"message":"x"}}\n\n', { headers });
  const { fetch } = before((_, at) => at === 0 ? failed : events(...STREAM));
  const response = await fetch(ask("openai/m", {}, { stream: true, models: ["groq/m"] }));
  await cancelled;
  assertEquals(await response.text(), STREAM.join(""));
});

Deno.test("a stream whose only event has no blank line after it is an answer", async () => {
  const only = STREAM[1].trimEnd();
  const { fetch, sent } = before(() => events(only));
  const response = await fetch(ask("openai/m", {}, { stream: true, models: ["groq/m"] }));
  assertEquals([await response.text(), sent.length], [only, 1]);
});

Deno.test("a translated stream without a content type is passed on as it comes", async () => {
  const read = Promise.withResolvers<void>();
  const [start, open, text, ...rest] = STREAMS.anthropic;
  const { body } = events(start + open + text, read.promise, ...rest);
  const { fetch } = before(() => new Response(body));
  const response = await fetch(ask("anthropic/claude", {}, { stream: true }));
  const reader = response.body!.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  assertEquals(first.includes('"content":"Hi"'), true, first);
  read.resolve();
  while (!(await reader.read()).done);
});

Deno.test("a translated answer without an id gets a random one", async () => {
  const ids = new Set<string>();
  for (const random of [0.25, 0.75]) {
    const { fetch } = before(() => Response.json({ content: [] }), { random: () => random });
    const { id } = await (await fetch(ask("anthropic/claude"))).json();
    assertMatch(id, /^chatcmpl-[0-9a-z]{11}$/);
    ids.add(id);
  }
  assertEquals(ids.size, 2);
});

Deno.test("errorResponse() makes 502 of a status that is not an error's", async () => {
  for (const [status, written] of [[200, 502], [302, 502], [399, 502], [400, 400], [599, 599], [600, 502]]) {
    const response = errorResponse({ message: "x", status }, openaiChat);
    assertEquals([response.status, (await response.json()).error.message], [written, "x"], `${status}`);
  }
});

/** Bodies with a status of success that are not answers on the client's own wire. */
const EMPTY_CHAT: [string, () => Response][] = [
  ...EMPTY.slice(0, 8),
  [
    "a page",
    () => new Response("<!DOCTYPE html><p>Sign in</p>", { headers: { "content-type": "text/html" } }),
  ],
  ["a page without a type", () => new Response(new Blob(["\n<html></html>"]).stream())],
  [
    "a page called JSON",
    () => new Response("<html></html>", { headers: { "content-type": "application/json" } }),
  ],
  ["plain text", () => new Response("upstream unavailable")],
  ["a picture", () => new Response("\x89PNG", { headers: { "content-type": "image/svg+xml" } })],
];

for (const [name, first] of EMPTY_CHAT) {
  Deno.test(`${name} is not an answer on the client's own wire: 502, or the next model's turn`, async () => {
    for (const stream of [false, true]) {
      const alone = before(first);
      const response = await alone.fetch(ask("openai/m", {}, { stream }));
      const { error } = await response.json();
      assertEquals([response.status, error.code, error.metadata.provider], [502, "2005", "openai"]);
      const limited = before(first, { requestTimeoutMs: 60_000 });
      assertEquals((await limited.fetch(ask("openai/m", {}, { stream }))).status, 502);
      const several = before(
        (_, at) => at === 0 ? first() : stream ? events(...STREAM) : completion("second"),
        clock().options,
      );
      const next = await several.fetch(ask("openai/m", {}, { stream, models: ["groq/m"] }));
      assertEquals([next.status, next.headers.get("cf-aig-step"), several.sent.length], [200, "1", 2]);
      assertEquals((await next.text()).includes(stream ? '"Hi"' : "second"), true);
    }
  });
}

/** Errors with a status of success, in the providers' words. */
const SAID: [string, string | object][] = [
  ["errors as Cloudflare writes them", { success: false, errors: [{ code: 7003, message: "x" }] }],
  ["a list of errors", { errors: [{ message: "x" }] }],
  ["a type that ends in error", { id: "x", type: "conversation.response.error" }],
  ["FastAPI's detail", { detail: "Not Found" }],
  ["a message of a front server", { message: "no Route matched", request_id: "r" }],
  ["a problem as RFC 9457 has it", { type: "about:blank", title: "Bad Gateway", status: 502 }],
  ["choices that are null", { id: "x", choices: null }],
  ["a stream that only ends", "data: [DONE]\n\n"],
  ["a stream of an empty object", "data: {}\n\ndata: [DONE]\n\n"],
  ["a stream of chunks without choices", 'data: {"id":"x","choices":[]}\n\ndata: [DONE]\n\n'],
];

for (const [name, said] of SAID) {
  Deno.test(`${name}: the next model's turn, and told in the log when there is none`, async () => {
    const first = () => typeof said === "string" ? events(said) : Response.json(said);
    const stream = typeof said === "string";
    const { fetch } = before((_, at) => at === 0 ? first() : completion("second"), clock().options);
    const next = await fetch(ask("openai/m", {}, { stream, models: ["groq/m"] }));
    assertEquals([next.status, next.headers.get("cf-aig-step")], [200, "1"]);
    await next.body?.cancel();
    const rows: LogEntry[] = [];
    const alone = before(first, { log: (row) => void rows.push(row) });
    const response = await alone.fetch(ask("openai/m", {}, { stream }));
    assertEquals(await response.text(), typeof said === "string" ? said : JSON.stringify(said));
    assertEquals(rows.map(({ level }) => level), ["error"]);
  });
}

Deno.test("an answer with an empty list of choices is paid for once", async () => {
  const body = { id: "x", choices: [] };
  const { fetch, sent } = before(() => Response.json(body), clock().options);
  const response = await fetch(ask("openai/m", { "cf-aig-max-attempts": "3" }));
  assertEquals([await response.json(), sent.length], [body, 1]);
});

Deno.test("an event of an unknown format is an error by its name, its type or its body", async () => {
  for (
    const text of [
      'event: conversation.response.error\ndata: {"message":"x"}\n\n',
      'data: {"type":"response.error"}\n\n',
      'data: {"success":false,"errors":[{"message":"x"}]}\n\n',
    ]
  ) {
    const { fetch, sent } = before(
      (_, at) => at === 0 ? events(text) : events("data: 1\n\n"),
      clock().options,
    );
    const response = await fetch(
      post(`${ROOT}/mistral/v1/conversations`, {}, { "cf-aig-max-attempts": "2" }),
    );
    assertEquals([await response.text(), sent.length], ["data: 1\n\n", 2], text);
  }
});

Deno.test("with a log, the first bytes of a long answer are checked", async () => {
  const long = (text: string, type: string) => () =>
    new Response(text, { headers: { "content-type": type, "content-length": `${text.length}` } });
  const pad = " ".repeat(300);
  const rows: LogEntry[] = [];
  for (const type of ["application/json", "text/event-stream"]) {
    for (const text of [`\ufeff<html>${pad}`, `[${pad}]`]) {
      const { fetch } = before(long(text, type), { log: (row) => void rows.push(row) });
      const response = await fetch(ask("openai/m"));
      const { error } = await response.json();
      assertEquals([response.status, error.code], [502, "2005"], `${type} ${text.slice(0, 9)}`);
    }
  }
  assertEquals(rows.map(({ level, status }) => [level, status]), Array(4).fill(["error", 502]));
});

Deno.test("a JSON object with the content type of a stream is returned as JSON", async () => {
  const body = '{"error":{"message":"quota","code":429}}';
  const stream = () => new Response(body, { headers: { "content-type": "text/event-stream" } });
  for (const options of [{ log() {} }, { requestTimeoutMs: 60_000 }]) {
    const response = await before(stream, options).fetch(ask("openai/m", {}, { stream: true }));
    assertEquals([await response.text(), response.headers.get("content-type")], [body, "application/json"]);
  }
});

Deno.test("a short answer on the client's own wire is returned byte for byte, whatever its content type", async () => {
  const text = ' {"choices": [ ] ,"n":9007199254740993}\n';
  const error = '{"error":{"message":"quota","code":429}}';
  for (const body of [text, error]) {
    for (
      const type of ["application/json", "text/plain", "text/html", "application/octet-stream", undefined]
    ) {
      for (const stream of [false, true]) {
        const headers: Record<string, string> = type ? { "content-type": type } : {};
        const { fetch } = before(() => new Response(new Blob([body]).stream(), { headers }));
        const response = await fetch(ask("openai/m", {}, { stream }));
        assertEquals([response.status, await response.text(), response.headers.get("content-type")], [
          200,
          body,
          "application/json",
        ]);
      }
    }
  }
});

Deno.test("a long answer on the client's own wire is passed on before it is whole", async () => {
  const read = Promise.withResolvers<void>();
  const start = `{"choices":[{"message":{"content":"${"x".repeat(70_000)}`;
  const { body } = events(start, read.promise, '"}}]}');
  const { fetch } = before(() => new Response(body, { headers: { "content-type": "application/json" } }));
  const response = await fetch(ask("openai/m"));
  read.resolve();
  assertEquals(await response.text(), `${start}"}}]}`);
});

Deno.test("events without a content type are passed on as they come, if the client asked for a stream", async () => {
  for (const type of [undefined, "text/plain", "application/json"]) {
    const read = Promise.withResolvers<void>();
    const { body } = events(STREAM[0], read.promise, ...STREAM.slice(1));
    const headers: Record<string, string> = type ? { "content-type": type } : {};
    const { fetch } = before(() => new Response(body, { headers }));
    const response = await fetch(ask("openai/m", {}, { stream: true }));
    const reader = response.body!.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), STREAM[0]);
    read.resolve();
    await reader.cancel();
  }
});
