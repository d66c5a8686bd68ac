import { assert, assertEquals } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion, message, messages, post, refusal, ROOT, type Sent } from "../../fakes.ts";
import { heldBytes } from "../../growth.ts";

const CHAT = `${ROOT}/compat/chat/completions`;

/** An operator's own row on the client's wire. */
const providers: Options["providers"] = {
  plain: { baseUrl: "https://plain.test/v1" },
  strict: {
    baseUrl: "https://strict.test/v1",
    drop: ["seed", "logit_bias", "user"],
    rename: { max_completion_tokens: "max_tokens" },
  },
};

/** The requests that the provider gets, and the answer's headers. */
async function sent(request: Request, options: Options = {}): Promise<Sent & { answer: Response }> {
  const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? message() : completion(), {
    providers,
    ...options,
  });
  const answer = await fetch(request);
  await answer.text();
  assertEquals([answer.status, sent.length], [200, 1]);
  return { ...sent[0], answer };
}

// ---------------------------------------------------------------- the same wire

Deno.test("a body on the client's own wire changes in its model alone, byte for byte", async () => {
  const text = '{ "unknown" : [ 1.0, 9007199254740993, "\\u00e9\\/" ],\n "model":"plain/a/b:c@d" ,' +
    '"messages":[{"role":"user","content":"\\ud83d\\ude00 plain/a"}] , "stream" : false }\n';
  const { body, url } = await sent(post(CHAT, text));
  assertEquals(body, text.replace('"plain/a/b:c@d"', '"a/b:c@d"'));
  assertEquals(url, "https://plain.test/v1/chat/completions");
});

Deno.test("a model goes to its provider as it is, and leads nowhere else", async () => {
  const models = [
    "a b",
    "../../etc",
    "a?b#c",
    "a%2e%2e",
    'q"\\',
    "é🗼",
    "http://evil.example/",
    "constructor",
  ];
  for (const model of models) {
    const { body, url } = await sent(ask(`plain/${model}`));
    assertEquals([JSON.parse(body).model, url], [model, "https://plain.test/v1/chat/completions"]);
    const translated = await sent(ask(`anthropic/${model}`));
    assertEquals(translated.url, "https://api.anthropic.com/v1/messages");
  }
});

Deno.test("a model in a provider's URL stays inside its own segment", async () => {
  const paths: Record<string, string> = {
    "a/b": "a/b",
    "a?key=b": "models/a%3Fkey%3Db",
    "a#b": "models/a%23b",
    "a:b": "models/a%3Ab",
    "a b": "models/a%20b",
    "%2e%2e": "models/%252e%252e",
    "\\..\\x": "models/%5C..%5Cx",
  };
  for (const [model, path] of Object.entries(paths)) {
    const { fetch, sent } = before(() => Response.json({ candidates: [] }));
    await (await fetch(ask(`google-ai-studio/${model}`))).text();
    const expected = `https://generativelanguage.googleapis.com/v1beta/${path}:generateContent`;
    assertEquals(sent.map(({ url }) => url), [expected], model);
  }
  for (const model of ["../../x", "..", ".", "a//b", "/a", "a/", "\ud800"]) {
    const { fetch } = before(() => {
      throw new Error(`${model} was sent`);
    });
    const response = await fetch(ask(`google-ai-studio/${model}`));
    assertEquals([response.status, (await response.json()).error.param], [400, "model"], model);
  }
});

Deno.test("what a row drops is left out and named, what it renames is renamed", async () => {
  const { body, answer } = await sent(ask("strict/m", {}, {
    logit_bias: {},
    max_completion_tokens: 5,
    temperature: 0,
    seed: 7,
  }));
  assertEquals(JSON.parse(body), { model: "m", messages, max_tokens: 5, temperature: 0 });
  assertEquals(answer.headers.get("sluice-dropped"), "seed, logit_bias");
  for (
    const order of [{ max_tokens: 1, max_completion_tokens: 2 }, { max_completion_tokens: 2, max_tokens: 1 }]
  ) {
    assertEquals(JSON.parse((await sent(ask("strict/m", {}, order))).body), {
      model: "m",
      messages,
      max_tokens: 2,
    });
  }
});

Deno.test("a dropped or renamed field that is null is removed, is not named, and replaces no other field", async () => {
  const { body, answer } = await sent(
    ask("strict/m", { "sluice-strict": "true" }, {
      max_tokens: 5,
      max_completion_tokens: null,
      seed: null,
      user: null,
    }),
  );
  assertEquals(JSON.parse(body), { model: "m", messages, max_tokens: 5 });
  assertEquals(answer.headers.get("sluice-dropped"), null);
});

Deno.test("a body whose keys only a full parse can read is changed too", async () => {
  const text =
    '{"m\\u006fdel":"strict/m","messages":[{"role":"user","content":"a"}],"seed":1,"__proto__":{"a":1},' +
    '"max_completion_tokens":1,"max_completion_tokens":5}';
  const { body } = await sent(post(CHAT, text));
  assertEquals(
    body,
    '{"model":"m","messages":[{"role":"user","content":"a"}],"__proto__":{"a":1},"max_tokens":5}',
  );
});

Deno.test("a long body is changed in place and not parsed", async () => {
  const content = "x".repeat(300_000);
  // Its middle is broken JSON, which only a parse would notice.
  const text =
    `{"model":"plain/m","messages":[{"role":"user","content":"${content}"}],"x":{"y":[}],"stream":false}`;
  const { body } = await sent(post(CHAT, text));
  assertEquals(body, text.replace("plain/m", "m"));
});

Deno.test("a long body is read before it is changed, wherever its members stand", async () => {
  const long = `"messages":[{"role":"user","content":"${"x".repeat(300_000)}"}]`;
  const [model, stream] = ['"model":"plain/m"', '"stream":true'];
  for (
    const members of [[stream, model, long], [model, stream, long], [long, model, stream], [
      long,
      stream,
      model,
    ]]
  ) {
    const text = `{${members.join(", ")}}`;
    // An answer without a content type is a stream only if the client asked for one.
    const { fetch, sent } = before(
      () => new Response("data: [DONE]\n\n", { headers: { "content-type": "x/y" } }),
      {
        providers,
      },
    );
    const response = await fetch(post(CHAT, text));
    assertEquals([response.status, await response.text()], [200, "data: [DONE]\n\n"]);
    assertEquals(sent[0].body, text.replace("plain/m", "m"));
  }
});

Deno.test("a conversation moves between providers with tool ids that each takes", async () => {
  const signed = `call_1__sig_${"abcd".repeat(300)}`;
  const long = `toolu_${"x".repeat(60)}`;
  const fields = (content: string) => ({
    temperature: 0,
    messages: [
      { role: "user", content },
      {
        role: "assistant",
        content: null,
        tool_calls: [signed, long].map((id) => ({
          id,
          type: "function",
          function: { name: "f", arguments: '{"n": 9007199254740993}' },
        })),
      },
      { role: "tool", tool_call_id: signed, content: "1" },
      { role: "tool", tool_call_id: long, content: "2" },
    ],
  });
  // The same in a long body, which is parsed only for the sake of its ids.
  for (const content of ["Hello", "x".repeat(300_000)]) {
    for (const [model, taken] of [["openai/m", /^.{1,40}$/], ["mistral/m", /^[a-zA-Z0-9]{9}$/]] as const) {
      const { body } = await sent(ask(model, {}, fields(content)));
      const [, { tool_calls }, ...results] = JSON.parse(body).messages;
      const ids = tool_calls.map(({ id }: { id: string }) => id);
      for (const id of ids) assert(taken.test(id), `${model}: ${id}`);
      assertEquals(results.map(({ tool_call_id }: { tool_call_id: string }) => tool_call_id), ids);
      assertEquals(JSON.parse(body).temperature, 0);
      assertEquals(tool_calls[0].function.arguments, '{"n": 9007199254740993}');
    }
    // A provider without a rule for ids gets them unchanged.
    assertEquals(JSON.parse((await sent(ask("plain/m", {}, fields(content)))).body), {
      model: "m",
      ...fields(content),
    });
  }
});

Deno.test("ids that are taken as they are leave the body as it is, byte for byte", async () => {
  const text =
    '{"model":"mistral/m", "messages":[{"role":"assistant","tool_calls":[{"id":"D681PevKs", "index":1.0}]},' +
    ' {"role":"tool","tool_call_id":"D681PevKs","content":"9007199254740993"}, {"role":"user","content":"a"}]}';
  assertEquals((await sent(post(CHAT, text))).body, text.replace("mistral/m", "m"));
});

Deno.test("each of several targets gets the body that it would get alone, in every try", async () => {
  const models = ["openai/a", "anthropic/claude-sonnet-4-5", "strict/b", "google-ai-studio/gemini-2.5-flash"];
  models.push("cohere/command-a-03-2025", "mistral/c", "openai/d");
  const schema = {
    type: "object",
    properties: { x: { type: ["string", "null"], $ref: "#/$defs/x" } },
    $defs: { x: {} },
  };
  const fields = {
    seed: 7,
    max_completion_tokens: 9,
    response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
    tools: [{ type: "function", function: { name: "f", parameters: schema } }],
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }] },
      {
        role: "assistant",
        content: "x",
        tool_calls: [{ id: "call_1__sig_abcd", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "call_1__sig_abcd", content: "1" },
    ],
  };
  const alone: string[] = [];
  for (const model of models) {
    const { fetch, sent } = before(() => refusal(503), { providers });
    await (await fetch(ask(model, {}, fields))).text();
    alone.push(sent[0].body);
  }
  const { fetch, sent } = before(() => refusal(503), { providers, wait: () => Promise.resolve() });
  const [model, ...rest] = models;
  await (await fetch(ask(model, { "cf-aig-max-attempts": "2" }, { ...fields, models: rest }))).text();
  assertEquals(sent.map(({ body }) => body), alone.flatMap((body) => [body, body]));
});

Deno.test("a long body for many targets is not held once for each", async () => {
  const long = { messages: [{ role: "user", content: "x".repeat(4_000_000) }] };
  /** The bytes of memory that have been added when the first target is asked. */
  const heldFor = async (count: number) => {
    const models = Array.from({ length: count - 1 }, (_, at) => `plain/${at}`);
    const text = JSON.stringify({ ...long, model: "plain/first", ...(count > 1 && { models }) });
    let held = 0;
    const { fetch, sent } = before(() => {
      held = heldBytes();
      return completion();
    }, { providers });
    const request = post(CHAT, text);
    const start = heldBytes();
    await (await fetch(request)).text();
    assertEquals(sent.length, 1);
    return held - start;
  };
  await heldFor(1);
  const [one, twenty] = [await heldFor(1), await heldFor(20)];
  assert(twenty - one < 30_000_000, `${one} bytes for one target, ${twenty} for twenty`);
});

// ---------------------------------------------------------------- sluice-dropped and sluice-strict

Deno.test("sluice-strict is on or off in any usual word, and refused in any other", async () => {
  for (const value of ["true", "TRUE", " True ", "1", "yes", "on", "On"]) {
    const response = await before(() => message()).fetch(
      ask("anthropic/c", { "sluice-strict": value }, { seed: 1 }),
    );
    assertEquals([response.status, (await response.json()).error.param], [400, "seed"], value);
  }
  for (const value of ["false", "False", "0", "no", "OFF"]) {
    const response = await before(() => message()).fetch(
      ask("anthropic/c", { "sluice-strict": value }, { seed: 1 }),
    );
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, "seed"], value);
  }
  for (
    const value of ["", "2", "y", "strict", "enabled", "true, true", "true;", "'true'", "ja", "constructor"]
  ) {
    const { fetch, sent } = before(() => message());
    const step = { provider: "compat", endpoint: "chat/completions", query: { model: "openai/m", messages } };
    // The value is refused even if nothing would be dropped.
    for (
      const request of [
        ask("anthropic/c", { "sluice-strict": value }, { seed: 1 }),
        ask("openai/m", { "sluice-strict": value }),
        post(ROOT, [step], { "sluice-strict": value }),
        post(ROOT, [{ ...step, headers: { "sluice-strict": value } }]),
      ]
    ) {
      const response = await fetch(request);
      assertEquals([response.status, sent.length], [400, 0], value);
      const text = await response.text();
      assert(/sluice-strict must be .{0,2}"true.{0,2}" or .{0,2}"false/.test(text), text);
    }
  }
});

Deno.test("sluice-strict, or the option, refuses what cannot be expressed before anything is sent", async () => {
  const cases: [string, Record<string, string>, Options][] = [
    ["strict/m", { "sluice-strict": "true" }, {}],
    ["anthropic/claude-sonnet-4-5", { "sluice-strict": "True" }, {}],
    ["strict/m", {}, { strict: true }],
    ["anthropic/claude-sonnet-4-5", {}, { strict: true }],
  ];
  for (const [model, headers, options] of cases) {
    const { fetch, sent } = before(() => completion(), { providers, ...options });
    const response = await fetch(ask(model, headers, { seed: 7 }));
    const { error } = await response.json();
    assertEquals([response.status, error.code, error.param, sent], [400, "dropped_fields", "seed", []]);
    assert(error.message.includes("seed"), error.message);
  }
  await sent(ask("strict/m", { "sluice-strict": "true" }));
  await sent(ask("strict/m", { "sluice-strict": "false" }, { seed: 7 }));
});

Deno.test("sluice-dropped holds whatever a client's fields are called, and no more than clients take", async () => {
  const odd = { "a\r\nset-cookie: b=c": 1, "é\ud800": 2, '"': 3 };
  const { answer } = await sent(ask("anthropic/claude-sonnet-4-5", {}, {
    messages: [{ role: "user", content: "a", ...odd }],
  }));
  const dropped = answer.headers.get("sluice-dropped")!;
  assert(/^[\x20-\x7e]+$/.test(dropped), dropped);
  assertEquals(answer.headers.get("set-cookie"), null);

  const many = Array.from({ length: 2000 }, () => ({ role: "user", content: "a", weight: 1 }));
  const long = await sent(ask("anthropic/claude-sonnet-4-5", {}, { messages: many }));
  const list = long.answer.headers.get("sluice-dropped")!;
  assert(list.length < 2200, `${list.length} characters`);
  const shown = list.split(", ");
  assertEquals(shown[0], "messages[0].weight");
  assertEquals(shown.at(-1), `and ${2000 - shown.length + 1} more`);
});

// ---------------------------------------------------------------- headers

Deno.test("a client's headers cross but for those of connections, browsers, gateways and keys", async () => {
  const stay = {
    "accept-encoding": "gzip",
    connection: "x-hop, keep-alive",
    cookie: "a=b",
    forwarded: "for=1.2.3.4",
    host: "gateway.test",
    "keep-alive": "1",
    origin: "http://localhost:3000",
    "proxy-authorization": "Basic x",
    referer: "https://app.example/secret",
    te: "trailers",
    via: "1.1 x",
    "x-hop": "1",
    "x-forwarded-for": "1.2.3.4",
    "x-real-ip": "1.2.3.4",
    "cf-connecting-ip": "1.2.3.4",
    "cf-aig-metadata": "{}",
    "sec-fetch-mode": "cors",
    "sluice-strict": "false",
    "x-goog-api-key": "key-of-another",
    // Sent to Anthropic only.
    "anthropic-beta": "a",
    "x-claude-code-session-id": "s",
  };
  const cross = {
    accept: "application/json",
    "http-referer": "https://mine.example",
    "idempotency-key": "1",
    "openai-organization": "org",
    "user-agent": "mine/1",
    "x-stainless-lang": "js",
    "x-title": "Mine",
  };
  const { headers } = await sent(ask("plain/m", { ...stay, ...cross, authorization: "Bearer sk-1" }));
  assertEquals(Object.fromEntries(headers), {
    ...cross,
    authorization: "Bearer sk-1",
    "content-type": "application/json",
  });
});

Deno.test("a body that is handed through on a provider's own path keeps the name of its encoding", async () => {
  const { fetch, sent } = before(() => Response.json({}));
  await (await fetch(post(`${ROOT}/openai/v1/responses`, "packed", { "content-encoding": "zstd" }))).text();
  assertEquals([sent[0].headers.get("content-encoding"), sent[0].body], ["zstd", "packed"]);
});

Deno.test("the key goes where the provider wants it, and never into the URL", async () => {
  const keys: [string, string, string][] = [
    ["openai/m", "authorization", "Bearer sk-1"],
    ["anthropic/claude-sonnet-4-5", "x-api-key", "sk-1"],
    ["google-ai-studio/gemini-2.5-flash", "x-goog-api-key", "sk-1"],
    ["cohere/m", "authorization", "Bearer sk-1"],
  ];
  for (const [model, name, value] of keys) {
    const { fetch, sent } = before(() => Response.json({}));
    for (const authorization of ["Bearer sk-1", "bearer   sk-1"]) {
      await (await fetch(ask(model, { authorization }))).text();
      const { headers, url } = sent.pop()!;
      assertEquals(headers.get(name), value, model);
      if (name !== "authorization") assertEquals(headers.get("authorization"), null, model);
      assert(!url.includes("sk-1"), url);
    }
    // Without a key the provider's own 401 is the answer.
    for (const authorization of ["", "Bearer", "Bearer "]) {
      await (await fetch(ask(model, { authorization }))).text();
      assertEquals(sent.pop()!.headers.get(name), null, `${model}: ${authorization}`);
    }
  }
});

Deno.test("a base URL set by hand may end in the version that the path begins with", async () => {
  for (
    const baseUrl of [
      "https://proxy.test",
      "https://proxy.test/",
      "https://proxy.test/v1",
      "https://proxy.test/v1/",
    ]
  ) {
    const { url } = await sent(ask("anthropic/claude-sonnet-4-5"), {
      providers: { anthropic: { baseUrl: baseUrl.replace("proxy", "anthropic") } },
    });
    assertEquals(url, "https://anthropic.test/v1/messages");
  }
});

Deno.test("a provider that needs an account says so where the path has none", async () => {
  const { fetch, sent } = before(() => completion());
  const response = await fetch(
    post("http://gateway.test/v1/chat/completions", { model: "@cf/meta/m", messages }),
  );
  const { error } = await response.json();
  assertEquals([response.status, error.code, sent], [400, "invalid_request", []]);
  assert(error.message.includes("{account_id}"), error.message);
});

Deno.test("a body without a content type is read as JSON, on every wire", async () => {
  for (const model of ["openai/m", "anthropic/m"]) {
    const { fetch, sent } = before(() => model.startsWith("openai") ? completion() : message());
    const body = new TextEncoder().encode(JSON.stringify({ model, messages }));
    const request = new Request(`${ROOT}/compat/chat/completions`, { method: "POST", body });
    assertEquals(request.headers.get("content-type"), null);
    assertEquals((await fetch(request)).status, 200);
    assertEquals(sent[0].headers.get("content-type"), "application/json");
  }
});
