/** What a client may write in a request, and what it must not reach by it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { type Json, lab } from "./lab.ts";

const USER = { role: "user", content: "Hi" };
const CLAUDE = "anthropic/claude-sonnet-4-5";

const SAID: Record<string, Json> = {
  "/v1/messages": {
    type: "message",
    content: [{ type: "text", text: "Hi" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  "/v2/chat": {
    message: { role: "assistant", content: [{ type: "text", text: "Hi" }] },
    finish_reason: "COMPLETE",
  },
};
const GEMINI = { candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }] };
const OPENAI = {
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
};

/** Every provider says "Hi". */
const obliging = () =>
  lab(({ url }) =>
    Response.json(SAID[url.pathname] ?? (url.hostname.includes("googleapis") ? GEMINI : OPENAI))
  );

const MODELS = [CLAUDE, "google/gemini-3-pro", "cohere/command-a-03-2025"];

// ---------------------------------------------------------------- what is left out

Deno.test("names that a header cannot hold are still listed in sluice-dropped, after the answer came", async () => {
  const message = {
    ...USER,
    "bad\r\nset-cookie: a=1": 1,
    "föö": 2,
    "日本 語": 3,
    "a,b%": 4,
    "": 5,
    "\ud800": 6,
  };
  for (const model of MODELS) {
    const { post } = obliging();
    const response = await post({ model, messages: [message] });
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("set-cookie"), null);
    assertEquals(
      response.headers.get("sluice-dropped"),
      "messages[0].bad%0D%0Aset-cookie:%20a=1, messages[0].f%C3%B6%C3%B6, messages[0].%E6%97%A5%E6%9C%AC%20%E8%AA%9E, " +
        "messages[0].a%2Cb%25, messages[0]., messages[0].%EF%BF%BD",
    );
    const { error } = await (await post({ model, messages: [message] }, { "sluice-strict": "true" })).json();
    assertEquals(error.param, "messages[0].bad\r\nset-cookie: a=1");
    assert(!error.message.includes("\n"));
  }
});

Deno.test("the list of dropped fields stays short enough for a header", async () => {
  const messages = Array.from({ length: 3000 }, (_, at) => ({ ...USER, name: `n${at}` }));
  const { post } = obliging();
  const dropped = (await post({ model: CLAUDE, messages })).headers.get("sluice-dropped")!;
  assert(dropped.length < 2100);
  const [, last, more] = /messages\[(\d+)\]\.name, and (\d+) more$/.exec(dropped)!;
  assertEquals(Number(last) + 1 + Number(more), 3000);
  const long = (await post({ model: CLAUDE, messages: [{ ...USER, ["ö".repeat(9000)]: 1 }] })).headers;
  assert(long.get("sluice-dropped")!.length < 2100);
  assertMatch(decodeURIComponent(long.get("sluice-dropped")!), /^messages\[0\]\.ö+$/);
});

Deno.test("a strict request that would lose a field is refused before anything is sent", async () => {
  for (const model of MODELS) {
    const { post, asked } = obliging();
    const body = { model, messages: [USER], logit_bias: { 50256: -100 } };
    const response = await post(body, { "sluice-strict": "true" });
    const { error } = await response.json();
    assertEquals([response.status, error.code, error.param], [400, "dropped_fields", "logit_bias"]);
    assertEquals(asked.length, 0);
    assertEquals((await post(body)).headers.get("sluice-dropped"), "logit_bias");
    assertEquals((await post({ model, messages: [USER] }, { "sluice-strict": "true" })).status, 200);
  }
});

// ---------------------------------------------------------------- model names

Deno.test("a model's name never changes the host, path or query", async () => {
  const names = [
    "a b",
    "a:b@c",
    "a%2e%2e%2fb",
    "a?key=x#y",
    "a\\..\\..\\b",
    "..;/b",
    "@evil.test",
    "a:streamGenerateContent?alt=sse&x=",
    "https://evil.test/v1",
    "a\r\nhost: evil.test",
    "日本",
  ];
  const hosts: Record<string, string> = {
    anthropic: "api.anthropic.com/v1/messages",
    cohere: "api.cohere.com/v2/chat",
    openai: "api.openai.com/v1/chat/completions",
    mistral: "api.mistral.ai/v1/chat/completions",
  };
  for (const name of names) {
    for (const [provider, address] of Object.entries(hosts)) {
      const { post, asked } = obliging();
      assertEquals((await post({ model: `${provider}/${name}`, messages: [USER] })).status, 200, name);
      assertEquals([asked[0].url.href, asked[0].body.model], [`https://${address}`, name]);
    }
    const { post, asked } = obliging();
    const response = await post({ model: `google/${name}`, messages: [USER] });
    await response.body?.cancel();
    // A path would lose these segments, so such a name cannot be sent.
    if (name.split("/").some((segment) => ["", ".", ".."].includes(segment))) {
      assertEquals([response.status, asked.length], [400, 0], name);
      continue;
    }
    assertEquals(response.status, 200, name);
    const { host, pathname, search } = asked[0].url;
    assertEquals([host, search], ["generativelanguage.googleapis.com", ""], name);
    const path = /^\/v1beta\/(?:models\/)?(.+):generateContent$/.exec(pathname)!;
    assertEquals(decodeURIComponent(path[1]), name);
    assertEquals(path[1].split("/").length, name.split("/").length, name);
  }
});

Deno.test("a model's name that is too long or has half a character is refused, and a long one is quoted in part", async () => {
  for (
    const model of [
      "anthropic/claude\ud800",
      "google/gemini\udc00-3",
      "openai/\ud83d",
      "\ud83d/x",
      `openai/${"x".repeat(257)}`,
    ]
  ) {
    const { post, asked } = obliging();
    const response = await post({ model, messages: [USER] });
    assertEquals([response.status, (await response.json()).error.param], [400, "model"]);
    assertEquals(asked.length, 0);
  }
  for (const model of ["anthropic/日本語", `openai/${"x".repeat(256)}`]) {
    const { headers, status } = await obliging().post({ model, messages: [USER] });
    assertEquals(status, 200);
    assertMatch(headers.get("cf-aig-model")!, /^[\x21-\x7e]{1,1800}$/);
  }
});

// ---------------------------------------------------------------- what goes on as it is

Deno.test("unknown fields are sent to every provider", async () => {
  const own = { brand_new: { deep: [1, { x: null }] }, "odd name": true, toString: "mine" };
  for (const model of [...MODELS, "openai/gpt-5", "mistral/large"]) {
    const { post, asked } = obliging();
    const response = await post({ model, messages: [USER], ...own });
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null]);
    for (const [field, value] of Object.entries(own)) assertEquals(asked[0].body[field], value);
  }
});

Deno.test("a request in the provider's own wire keeps every byte but the model's name", async () => {
  const text =
    '\t{ "seed":12345678901234567890, "x" : 1.10, "model" :"openai/gpt-5",\r\n "messages":[ {"role":"user",' +
    '"content":"\\u00fc\\/\\ud83d"} ],"temperature":1e0 ,"y":{"b":1,"a":2,"b":3}}\n';
  const { post, asked } = obliging();
  assertEquals((await post(text)).status, 200);
  assertEquals(asked[0].text, text.replace("openai/gpt-5", "gpt-5"));
});

Deno.test("schemas keep all keywords and their order", async () => {
  const parameters = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      zone: { anyOf: [{ $ref: "#/$defs/zone" }, { type: "null" }], description: "Where" },
      at: { type: ["string", "null"], format: "date-time", nullable: true },
      count: { type: "integer", minimum: 1, exclusiveMaximum: 10, default: 3 },
      any: {},
      tree: { oneOf: [{ type: "array", items: { $ref: "#" }, minItems: 2 }, { const: "leaf" }] },
    },
    required: ["zone"],
    additionalProperties: { type: "string", pattern: "^a" },
    $defs: { zone: { enum: ["UTC", "CET", 1, null] } },
    "x-own": [1],
  };
  const find: Record<string, (body: Json) => unknown> = {
    anthropic: (body) => (body.tools as Json[])[0].input_schema,
    google: (body) => ((body.tools as Json[])[0].functionDeclarations as Json[])[0].parametersJsonSchema,
    cohere: (body) => ((body.tools as Json[])[0].function as Json).parameters,
  };
  for (const model of MODELS) {
    const { post, asked } = obliging();
    const tools = [{ type: "function", function: { name: "f", parameters } }];
    await post({ model, messages: [USER], tools });
    const sent = find[model.split("/")[0]](asked[0].body);
    // Google reads a part of JSON Schema. Only `const` is written differently.
    const wanted = JSON.stringify(parameters);
    const google = wanted.replace('{"const":"leaf"}', '{"type":"string","enum":["leaf"]}');
    assertEquals(JSON.stringify(sent), model.startsWith("google") ? google : wanted, model);
  }
});

Deno.test("stop may be a text, a list or absent", async () => {
  const find: Record<string, (body: Json) => unknown> = {
    anthropic: (body) => body.stop_sequences,
    google: (body) => (body.generationConfig as Json | undefined)?.stopSequences,
    cohere: (body) => body.stop_sequences,
  };
  for (const model of MODELS) {
    const stops = [];
    for (const stop of ["END", ["A", "B"], null, undefined]) {
      const { post, asked } = obliging();
      assertEquals((await post({ model, messages: [USER], stop })).status, 200);
      stops.push(find[model.split("/")[0]](asked[0].body));
    }
    assertEquals(stops, [["END"], ["A", "B"], undefined, undefined], model);
  }
});

Deno.test("a request that is nested too deeply to be written again is a client error", async () => {
  const deep = '{"a":'.repeat(60_000) + "{}" + "}".repeat(60_000);
  const tools = `[{"type":"function","function":{"name":"f","parameters":${deep}}}]`;
  for (const model of MODELS) {
    const { post, asked } = obliging();
    const response = await post(
      `{"model":"${model}","messages":[{"role":"user","content":"Hi"}],"tools":${tools}}`,
    );
    const { error } = await response.json();
    // How deep a runtime can write JSON depends on the runtime.
    if (asked.length > 0) assertEquals(response.status, 200);
    else assertEquals([response.status, error.type], [400, "invalid_request_error"]);
  }
});

Deno.test("a message of many parts, or of many pictures, goes out whole", async () => {
  const most = 150_000; // Spreading a list into arguments overflows the stack at some 120,000 entries.
  const texts = Array(most).fill({ type: "text", text: "x" });
  const images = Array(most).fill({ image_url: { url: "https://example.com/a" } });
  for (const model of MODELS) {
    const { post, asked } = obliging();
    const conversation = [
      { role: "system", content: texts },
      { role: "user", content: texts },
      { role: "assistant", content: "x", images },
      USER,
    ];
    assertEquals((await post({ model, messages: conversation })).status, 200, model);
    assertEquals((JSON.stringify(asked[0].body).match(/"x"/g) ?? []).length >= 2 * most, true, model);
  }
});

// ---------------------------------------------------------------- parts

Deno.test("pictures and PDFs get the media types that providers accept, however their URLs are written", async () => {
  const find: Record<string, (body: Json) => Json[]> = {
    anthropic: (body) => ((body.messages as Json[])[0].content as Json[]).map(({ source }) => source as Json),
    google: (body) =>
      ((body.contents as Json[])[0].parts as Json[]).map(({ inlineData }) => inlineData as Json),
  };
  const image = (url: string) => ({ type: "image_url", image_url: { url } });
  const file = (file_data: string) => ({ type: "file", file: { file_data } });
  const [JPEG, PNG, PDF] = ["/9j/4AAQ", "iVBORw0KGgo=", "JVBERi0x"];
  const content = [
    image(`data:image/jpg;base64,${JPEG}`),
    image("DATA:image/PNG;foo=bar;BASE64,iVBORw\r\n0KGgo= "),
    image(`data:image/pjpg;base64,${JPEG}`),
    file(`data:application/pdf;name=x.pdf;base64,${PDF}`),
    file(`data:application/pdf;filename=a%20b.pdf;charset=utf-8;base64,${PDF}`),
    file(PDF),
  ];
  const sent = [
    ["image/jpeg", JPEG],
    ["image/png", PNG],
    ["image/jpeg", JPEG],
    ["application/pdf", PDF],
    ["application/pdf", PDF],
    ["application/pdf", PDF],
  ];
  for (const model of MODELS.slice(0, 2)) {
    const { post, asked } = obliging();
    const response = await post({ model, messages: [{ role: "user", content }] });
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, null]);
    const sources = find[model.split("/")[0]](asked[0].body);
    assertEquals(sources.map(({ mimeType, media_type, data }) => [mimeType ?? media_type, data]), sent);
  }
});

Deno.test("parts that a provider cannot express are named by their path, and the rest is sent", async () => {
  const content = [
    { type: "text", text: "Hear" },
    { type: "input_audio", input_audio: { data: "QUJD", format: "mp3" } },
    { type: "video_url", video_url: { url: "https://films.test/a.mp4" } },
    { type: "file", file: { file_data: "data:application/zip;base64,QUJD" } },
    { type: "image_url", image_url: { url: "https://pictures.test/a.png" } },
  ];
  const lost: Record<string, string | null> = {
    "anthropic/claude-sonnet-4-5":
      "messages[1].content[1].input_audio, messages[1].content[2].video_url, messages[1].content[3].file",
    "google/gemini-3-pro": null,
    "cohere/command-a-03-2025":
      "messages[1].content[1].input_audio, messages[1].content[2].video_url, messages[1].content[3].file",
  };
  for (const model of MODELS) {
    const { post, asked } = obliging();
    const response = await post({
      model,
      messages: [{ role: "system", content: "S" }, { role: "user", content }],
    });
    assertEquals([response.status, response.headers.get("sluice-dropped")], [200, lost[model]]);
    assert(asked[0].text.includes("https://pictures.test/a.png"));
    assert(asked[0].text.includes("Hear"));
  }
});

Deno.test("the content of a conversation never appears in a log or an error message", async () => {
  const secret = "SECRET-PROMPT";
  const bodies: unknown[] = [
    `{"model":"${CLAUDE}","messages":[{"role":"user","content":"${secret}"}`,
    { model: CLAUDE, messages: [{ role: secret, content: secret }] },
    {
      model: CLAUDE,
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: `data:${secret}` } }] }],
    },
    { model: CLAUDE, messages: [{ role: "user", content: { [secret]: 1 } }] },
    { model: CLAUDE, messages: [{ role: "user", content: secret }], stop: { [secret]: secret } },
    { model: CLAUDE, messages: [{ role: "user", content: secret }], tool_choice: secret },
    { model: CLAUDE, messages: [{ role: "user", content: secret }], max_tokens: secret },
  ];
  for (const body of bodies) {
    const { post, logged, asked } = obliging();
    const response = await post(body);
    assertEquals([response.status, asked.length], [400, 0]);
    const text = await response.text();
    assert(!text.includes(secret), text);
    assert(!JSON.stringify(logged).includes(secret));
  }
  // The same if the provider fails in every way.
  const page = `<html>${secret}</html>`;
  for (
    const [status, said] of [[200, page], [200, "{"], [500, page], [
      400,
      JSON.stringify({ error: { message: secret } }),
    ]]
  ) {
    for (const stream of [false, true]) {
      const { post, logged } = lab(() => new Response(said as string, { status: status as number }));
      await (await post({ model: CLAUDE, messages: [{ role: "user", content: secret }], stream })).text();
      assert(!JSON.stringify(logged).includes(secret));
    }
  }
});

Deno.test("a request of any shape is answered or refused with a client error", async () => {
  const own = [
    "system thinking output_config tools tool_choice metadata generationConfig generation_config thinkingConfig",
    "toolConfig systemInstruction extra_body google safetySettings contents response_format stream_options stop user",
    "reasoning_effort parallel_tool_calls functions function_call modalities audio web_search_options n logprobs",
    "service_tier documents citation_options __proto__ constructor max_tokens temperature top_p top_k messages",
  ].join(" ").split(" ");
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(
      fc.constantFrom("type", "function", "name", "google", "mode", ...own),
      fc.jsonValue({ maxDepth: 2 }),
    ),
    fc.array(
      fc.dictionary(fc.constantFrom("type", "function", "name", "custom"), fc.jsonValue({ maxDepth: 2 })),
    ),
  );
  const member = fc.constantFrom(
    ..."content name cache_control tool_calls reasoning_details reasoning_content images refusal extra_content audio"
      .split(" "),
  );
  const message = fc.tuple(
    fc.constantFrom("user", "assistant", "system", "tool"),
    fc.dictionary(member, value),
  )
    .map(([role, members]) => ({ role, content: "Hi", tool_call_id: "c", ...members }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...MODELS, "perplexity-agent/sonar", "mistral/m", "openai/m"),
      fc.dictionary(fc.constantFrom(...own), value, { minKeys: 1, maxKeys: 8 }),
      fc.array(message, { maxLength: 3 }),
      async (model, fields, messages) => {
        const { post, asked } = obliging();
        const response = await post({
          model,
          messages: [{ role: "system", content: "Be brief" }, USER, ...messages],
          ...fields,
        });
        const { error } = await response.json();
        if (asked.length === 0) assertEquals([response.status, error.type], [400, "invalid_request_error"]);
      },
    ),
    { numRuns: 500 },
  );
});
