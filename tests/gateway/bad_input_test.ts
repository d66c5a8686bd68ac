import { assert, assertEquals } from "@std/assert";
import type { LogEntry } from "../../gateway/stores/log_row.ts";
import { ask, before, completion, events, message, messages, post, ROOT } from "../fakes.ts";

const CHAT = `${ROOT}/compat/chat/completions`;

/** The error of a request. Fails if anything was sent. */
async function refused(request: Request, options = {}) {
  const logged: LogEntry[] = [];
  const { fetch, sent } = before(() => completion(), { log: (entry) => logged.push(entry), ...options });
  const response = await fetch(request);
  const { error, ...rest } = await response.json();
  assertEquals([rest, sent], [{}, []], "an OpenAI error, and nothing sent");
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(logged.map(({ level, status }) => [level, status]), [["warn", response.status]]);
  return { status: response.status, ...error } as {
    status: number;
    message: string;
    type: string;
    param: string | null;
    code: string;
  };
}

const withType = (type: string | undefined, body = "{}") =>
  new Request(CHAT, {
    method: "POST",
    body: new TextEncoder().encode(body),
    headers: type ? { "content-type": type } : {},
  });

// ---------------------------------------------------------------- the body

Deno.test("a body that is empty, broken or not an object is 400", async () => {
  for (const body of ["", " ", "{", "[]", "null", "5", '"x"', "<html>", '{"model":"openai/m",}', "{}{}"]) {
    const { status, code, type, message } = await refused(post(CHAT, body));
    assertEquals([status, code, type], [400, "invalid_request", "invalid_request_error"], body);
    assert(message.startsWith("Cannot read the request: its body "), message);
  }
  assertEquals((await refused(new Request(CHAT, { method: "POST" }))).status, 400);
  const notUtf8 = new Request(CHAT, {
    method: "POST",
    body: Uint8Array.of(...new TextEncoder().encode('{"model":"'), 0xff, 0x22, 0x7d),
    headers: { "content-type": "application/json" },
  });
  assertEquals((await refused(notUtf8)).status, 400);
});

Deno.test("a body of another type or in another encoding is 415", async () => {
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonx",
    ]
  ) {
    const { status, code, message } = await refused(withType(type));
    assertEquals([status, code], [415, "unsupported_media_type"], type);
    assert(message.includes(type.split(";")[0]), message);
  }
  const packed = post(CHAT, { model: "openai/m", messages }, { "content-encoding": "gzip" });
  assertEquals((await refused(packed)).code, "unsupported_media_type");
});

Deno.test("JSON is taken with each content type for JSON, and without a content type", async () => {
  const { fetch } = before(() => completion());
  const types = [
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/vnd.api+json",
    undefined,
  ];
  for (const type of types) {
    const response = await fetch(withType(type, JSON.stringify({ model: "openai/m", messages })));
    assertEquals(response.status, 200, type);
    await response.body?.cancel();
  }
});

Deno.test("a body that is too long is 413, before it is held, whatever length it claims", async () => {
  const limits = { maxBodyBytes: 1000 };
  const text = (length: number) => JSON.stringify({ model: "openai/m", messages }).padEnd(length);
  const { fetch, sent } = before(() => completion(), { limits });
  assertEquals((await fetch(post(CHAT, text(1000)))).status, 200);
  assertEquals((await fetch(post(CHAT, text(1000), { "content-length": "1000" }))).status, 200);
  assertEquals(sent.length, 2);

  for (
    const headers of [{}, { "content-length": "1001" }, { "content-length": "5" }, { "content-length": "0" }]
  ) {
    const { status, code, message } = await refused(
      post(CHAT, text(1001), headers as Record<string, string>),
      { limits },
    );
    assertEquals([status, code], [413, "body_too_large"]);
    assert(message.includes("1000 bytes"), message);
  }

  // Without an announced length, reading stops at the limit.
  let pulled = 0;
  let cancelled = false;
  const endless = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(300));
    },
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  const request = new Request(CHAT, {
    method: "POST",
    body: endless,
    headers: { "content-type": "application/json" },
  });
  assertEquals((await refused(request, { limits })).status, 413);
  assertEquals([pulled, cancelled], [4, true]);
});

// ---------------------------------------------------------------- the model

Deno.test("a model that is missing or has no provider is 400, with Cloudflare's number", async () => {
  const { model: _, ...without } = { model: 0, messages };
  for (
    const model of [
      undefined,
      null,
      "",
      5,
      {},
      ["openai/m"],
      "llama-4",
      "/llama-4",
      "openai/",
      "/",
      "openai/\ud800",
    ]
  ) {
    const { status, code, param } = await refused(post(CHAT, { model, ...without }));
    assertEquals([status, code, param], [400, "2019", "model"], JSON.stringify(model));
  }
  const { message } = await refused(ask("llama-4"));
  assert(message.includes('"llama-4"') && message.includes("{provider}/{model}"), message);
});

Deno.test("an unknown provider is 400 with the nearest names, also if its name is a property of every object", async () => {
  const { status, code, param, message } = await refused(ask("opneai/gpt-5"));
  assertEquals([status, code, param], [400, "2008", "model"]);
  assert(message.includes('did you mean "openai"'), message);
  const names = [
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    "prototype",
    "OpenAI ",
    " openai",
    "openai\0",
    "..",
    "x".repeat(100_000),
  ];
  for (const name of names) {
    const { code, message } = await refused(ask(`${name}/x`));
    assertEquals(code, "2008", name.slice(0, 20));
    assert(message.length < 500);
  }
});

Deno.test("a long model name is cut in messages and in headers", async () => {
  for (const model of ["x".repeat(100_000), `openai/${"x".repeat(257)}`, `nobody${"x".repeat(300)}/m`]) {
    const { message: said } = await refused(ask(model));
    assert(said.length < 500);
  }
  const { fetch } = before(() => completion());
  for (const model of ["x".repeat(256), "é".repeat(256), "a\r\nb"]) {
    const response = await fetch(ask(`openai/${model}`));
    assertEquals(response.status, 200);
    await response.body?.cancel();
    const header = response.headers.get("cf-aig-model")!;
    assert(/^[\x20-\x7e]+$/.test(header) && header.length < 2200, `${header.length}`);
  }
});

// ---------------------------------------------------------------- the conversation

Deno.test("messages that are missing or malformed are 400 with their path, on every wire", async () => {
  const cases: [string, object][] = [
    ["messages", { messages: undefined }],
    ["messages", { messages: [] }],
    ["messages[2].content", { messages: [...messages, ...messages, { role: "user", content: 5 }] }],
    ["messages[0].role", { messages: [{ role: "bot", content: "x" }] }],
    ["messages[0].content[1].type", {
      messages: [{ role: "user", content: [{ type: "text", text: "x" }, {}] }],
    }],
    ["stream", { stream: "yes" }],
  ];
  for (const model of ["openai/m", "anthropic/m", "google-ai-studio/m", "cohere/m", "demo/echo"]) {
    for (const [param, fields] of cases) {
      const { status, code, param: told } = await refused(ask(model, {}, fields));
      assertEquals([status, code, told], [400, "invalid_request", param], model);
    }
  }
});

Deno.test("fields that only a translation reads are checked if the call is translated, and else left to the provider", async () => {
  const image = { messages: [{ role: "user", content: [{ type: "image_url" }] }] };
  assertEquals((await refused(ask("anthropic/m", {}, image))).param, "messages[0].content[0].image_url.url");
  const { fetch, sent } = before(() => completion());
  await (await fetch(ask("openai/m", {}, image))).text();
  assertEquals(JSON.parse(sent[0].body).messages, image.messages);
});

Deno.test("fields such as __proto__ and constructor are fields like any other", async () => {
  const text = `{"model":"anthropic/claude-sonnet-4-5","messages":${JSON.stringify(messages)},` +
    '"__proto__":{"stream":true,"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}';
  const { fetch, sent } = before(() => message());
  const response = await fetch(post(CHAT, text));
  assertEquals(response.status, 200);
  await response.text();
  assertEquals(response.headers.get("sluice-dropped"), "__proto__");
  assertEquals(JSON.parse(sent[0].body).toString, 1, "handed on");
  assertEquals((({}) as Record<string, unknown>).polluted, undefined);
});

/** Lists nested so many levels deep. */
const nest = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const EVERY_WIRE = [
  "openai/m",
  "mistral/m",
  "anthropic/claude-sonnet-4-5",
  "google-ai-studio/gemini-2.5-pro",
  "cohere/c",
];

Deno.test("a body may be nested 1000 levels deep; a deeper one is 400 before anything is sent, at every wire", async () => {
  for (const model of [...EVERY_WIRE, "perplexity-agent/p"]) {
    // Long bodies are read in another way than short ones.
    for (const pad of [0, 300_000]) {
      for (const depth of [999, 1000, 200_000]) {
        const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? message() : completion());
        const talk = JSON.stringify([{ role: "user", content: "x".repeat(pad) + "[{" }]);
        for (
          const [at, text] of [
            `{"model":"${model}","messages":${talk},"x":${nest(depth)}}`,
            `{"x":${nest(depth)},"model":"${model}","messages":${talk}}`,
            `{"model":"${model}","mess\\u0061ges":${talk},"x":${nest(depth)}}`,
          ].entries()
        ) {
          sent.length = 0;
          const response = await fetch(post(CHAT, text));
          const body = await response.text();
          const told = `${model}, ${pad}, ${depth}, ${at}: ${response.status} ${body.slice(0, 200)}`;
          if (depth < 1000) assert(sent.length === 1 && !body.includes("nested"), told);
          else {
            assertEquals([response.status, sent.length], [400, 0], told);
            assert(body.includes("its body is nested too deeply; at most 1000 levels are read"), told);
          }
        }
      }
    }
  }
});

Deno.test("tools, contents and unknown parts that are nested too deeply are 400 too, and so is a universal step", async () => {
  const { fetch, sent } = before(() => completion());
  const talk = JSON.stringify(messages);
  for (const model of EVERY_WIRE) {
    for (
      const members of [
        `"tools":[{"type":"function","function":{"name":"f","parameters":{"a":${
          nest(1001)
        }}}}],"messages":${talk}`,
        `"response_format":{"type":"json_schema","json_schema":{"schema":{"a":${
          nest(1001)
        }}}},"messages":${talk}`,
        `"messages":[{"role":"user","content":[{"type":"own","own":${nest(1001)}}]}]`,
        `"metadata":{"a":${nest(1001)}},"messages":${talk}`,
      ]
    ) {
      const body = `{"model":"${model}",${members}}`;
      assertEquals((await fetch(post(CHAT, body))).status, 400, `${model} ${members.slice(0, 60)}`);
      const step = (provider: string) =>
        `[{"provider":"${provider}","endpoint":"chat/completions","query":${body}}]`;
      for (const provider of ["compat", "openai"]) {
        assertEquals(
          (await fetch(post(ROOT, step(provider)))).status,
          400,
          `${provider} ${members.slice(0, 60)}`,
        );
      }
    }
  }
  assertEquals(sent, []);
});

Deno.test("arguments of a tool call that are nested too deeply are 400 at their place", async () => {
  const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? message() : completion());
  for (const model of EVERY_WIRE) {
    for (const depth of [1000, 1001]) {
      const call = { name: "f", arguments: `{"a":${nest(depth - 1)}}` };
      const calls: [object, string][] = [
        [{ tool_calls: [{ id: "c1", type: "function", function: call }] }, "tool_calls[0].function"],
        [{ function_call: call }, "function_call"],
      ];
      for (const [member, place] of calls) {
        sent.length = 0;
        const talk = [...messages, { role: "assistant", content: "", ...member }, ...messages];
        const response = await fetch(post(CHAT, { model, messages: talk }));
        const { error } = await response.json();
        if (depth === 1000) assertEquals([sent.length, error?.param ?? null], [1, null], model);
        else {assertEquals([response.status, sent.length, error.param], [
            400,
            0,
            `messages[1].${place}.arguments`,
          ]);}
      }
    }
  }
});

Deno.test("a tool's result that is nested too deeply goes on as a text", async () => {
  const { fetch, sent } = before(() => completion());
  const text = nest(50_000);
  const talk = [
    ...messages,
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "c1", content: text },
  ];
  for (const model of EVERY_WIRE) await (await fetch(post(CHAT, { model, messages: talk }))).body?.cancel();
  assertEquals(sent.map(({ body }) => body.includes(text)), EVERY_WIRE.map(() => true));
});

Deno.test("an answer that is nested too deeply is 502, whole or in an event", async () => {
  for (const model of EVERY_WIRE.slice(2)) {
    const deep = `{"content":${nest(50_000)},"candidates":${nest(2)}}`;
    const whole = before(() => new Response(deep, { headers: { "content-type": "application/json" } }));
    assertEquals((await whole.fetch(ask(model))).status, 502, model);
    const streamed = before(() => events(`data: ${deep}\n\n`));
    const text = await (await streamed.fetch(ask(model, {}, { stream: true }))).text();
    assertEquals([text.includes('"error"'), text.includes("[DONE]")], [true, false], model);
  }
});
