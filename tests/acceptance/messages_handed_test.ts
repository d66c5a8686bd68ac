/** Clients of Anthropic's Messages with any provider: Anthropic's own SDK against strict fakes of several providers. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import { strictGoogle } from "./strict_google.ts";
import { type Any, CLAUDE, GEMINI, messagesLab, type Options, storedKey, USER } from "./messages_lab.ts";

// ---------------------------------------------------------------- hand-through

Deno.test("a body for Claude is handed through with only the model's name changed", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [], usage: {} }));
  const billing = `{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1;"}`;
  const body = (model: string) =>
    `{ "model": "${model}", "max_tokens": 10,\n "novel": [1.0, 1e400, 12345678901234567890], "system": [${billing}],` +
    `"messages": [{"role":"user","content":"Gr\\u00fc\\u00dfe"}, {"role":"assistant","content":[` +
    `{"type":"thinking","thinking":"","signature":"EqQB+/="}]}] }`;
  for (const filler of [0, 300_000]) {
    const padded = (model: string) => body(model).replace("Gr", "x".repeat(filler) + "Gr");
    await send(
      padded(CLAUDE),
      { "anthropic-beta": "a,b", "anthropic-version": "2023-06-01" },
      "/v1/messages?beta=true",
    );
    const { text, headers, url } = asked.at(-1)!;
    assertEquals(text, padded("claude-opus-4-6"));
    assertEquals([headers.get("anthropic-beta"), headers.get("anthropic-version")], ["a,b", "2023-06-01"]);
    assertEquals([url.pathname, url.search], ["/v1/messages", "?beta=true"]);
    assertEquals(headers.get("x-api-key"), "key");
  }
});

Deno.test("the query of Anthropic's clients goes to Anthropic as it is, and to nobody else", async () => {
  const answers = () => Response.json({ type: "message", content: [], usage: {}, input_tokens: 1 });
  const { send, asked } = messagesLab(answers, { tokens: ["gateway-token-1234"], tokenRequired: false });
  const search = async (model: string, query: string, path = "/v1/messages") => {
    const before = asked.length;
    const response = await send({ model, max_tokens: 10, messages: [USER] }, {}, path + query);
    await response.body?.cancel();
    return asked.length > before ? asked.at(-1)!.url.search : "not sent";
  };
  for (const path of ["/v1/messages", "/v1/messages/count_tokens", "/v1/acct/gw/compat/messages"]) {
    assertEquals(await search(CLAUDE, "?beta=true", path), "?beta=true", path);
    assertEquals(await search(CLAUDE, "", path), "", path);
  }
  assertEquals(await search(CLAUDE, "?beta=true&x=%2F+a&x"), "?beta=true&x=%2F+a&x");
  assertEquals(await search("openrouter/anthropic/claude-opus-4.6", "?beta=true"), "");
  assertEquals(await search(GEMINI, "?beta=true"), "");
  // Keys and tokens do not travel in it, nor what a front proxy has asked for.
  for (
    const own of ["key=k", "api_key=k", "a=gateway-token-1234", "x-vercel-protection-bypass=s", "sluice-x=1"]
  ) {
    assertEquals(await search(CLAUDE, `?${own}`), "", own);
    assertEquals(await search(CLAUDE, `?${own}&beta=true`), "?beta=true", own);
  }
});

Deno.test("proofs of other providers are removed from long bodies too", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [], usage: {} }));
  const messages = [
    { role: "user", content: "x".repeat(300_000) },
    {
      role: "assistant",
      content: [
        { type: "redacted_thinking", data: "slc1.text." },
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
        {
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_1",
          content: [{
            type: "web_search_result",
            title: "T",
            url: "https://t.example",
            encrypted_content: "slc1.found",
          }],
        },
        {
          type: "text",
          text: "a",
          citations: [{
            type: "web_search_result_location",
            encrypted_index: "slc1.found",
            url: "https://t.example",
          }],
        },
      ],
    },
    { role: "assistant", content: [{ type: "thinking", thinking: "", signature: "slc1.text." }] },
    USER,
  ];
  await send({ model: CLAUDE, max_tokens: 1, messages });
  assertEquals(asked[0].body.messages, [
    messages[0],
    {
      role: "assistant",
      content: [{ type: "text", text: "T https://t.example" }, { type: "text", text: "a" }],
    },
    USER,
  ]);
});

Deno.test("headers of Anthropic's clients are sent to Anthropic only", async () => {
  const { send, asked } = messagesLab(strictGoogle([[{ text: "Hi" }]]).play);
  await send({ model: GEMINI, max_tokens: 9, messages: [USER] }, {
    "anthropic-beta": "a",
    "anthropic-version": "2023-06-01",
    "x-claude-code-session-id": "s",
    "x-stainless-lang": "js",
  });
  const names = [...asked[0].headers.keys()].filter((name) =>
    name.startsWith("anthropic") || name.includes("claude")
  );
  assertEquals([names, asked[0].headers.get("x-stainless-lang")], [[], "js"]);
});

Deno.test("other providers of Messages get no billing line, no betas and no proofs of other providers", async () => {
  const { send, asked } = messagesLab(() => Response.json({ type: "message", content: [], usage: {} }));
  const billing = { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.332; cch=1a2b;" };
  const system = [billing, { type: "text", text: "You are Claude Code." }];
  const said = { role: "assistant", content: [{ type: "thinking", thinking: "t", signature: "slc1.text." }] };
  for (const filler of [0, 300_000]) {
    const messages = [{ role: "user", content: "x".repeat(filler) + "Hi" }];
    const body = {
      model: "openrouter/anthropic/claude-opus-4.6",
      max_tokens: 9,
      system,
      messages: [...messages, said, USER],
    };
    await send(body, { "anthropic-beta": "a", "anthropic-version": "2023-06-01" });
    const { body: sent, headers, url } = asked.at(-1)!;
    assertEquals(url.href, "https://openrouter.ai/api/v1/messages");
    assertEquals([sent.system, sent.messages], [[system[1]], [...messages, USER]]);
    assertEquals([headers.get("anthropic-beta"), headers.get("anthropic-version")], [null, "2023-06-01"]);
    await send({ ...body, model: CLAUDE });
    assertEquals(asked.at(-1)!.body.system, system);
  }
  const counted = await send({ model: "openrouter/x/y", messages: [USER] }, {}, "/v1/messages/count_tokens");
  assertEquals(counted.headers.get("sluice-estimated"), "true", "its answer is no count");
});

// ---------------------------------------------------------------- doors

Deno.test("Messages are served at each of their doors, with a key or a gateway token in any header", async () => {
  const { send, asked } = messagesLab(storedKey(strictGoogle([[{ text: "Hi" }]]).play), {
    tokens: ["gateway-token-1234"],
    tokenRequired: false,
    keys: { "google-ai-studio": "stored-of-google" },
  });
  const body = { model: GEMINI, max_tokens: 9, messages: [USER] };
  for (
    const path of [
      "/v1/messages",
      "/v1/messages?beta=true",
      "/v1/messages/",
      "/messages",
      "/v1/v1/messages",
      "/compat/messages",
      "/v1/acct/gw/compat/messages",
      "/v1/acct/gw/compat/v1/messages",
      "/client/v4/accounts/acct/ai/v1/messages",
      "/client/v4/accounts/acct/ai/v1/v1/messages",
    ]
  ) {
    const response = await send(body, {}, path);
    assertEquals([path, response.status, (await response.json()).type], [path, 200, "message"]);
    const counted = await send(body, {}, path.replace(/messages\/?/, "messages/count_tokens"));
    assertEquals([path, typeof (await counted.json()).input_tokens], [path, "number"]);
  }
  const tokens = [["x-api-key", "gateway-token-1234"], ["authorization", "Bearer gateway-token-1234"]];
  for (const [name, token] of tokens) {
    const response = await send(body, { authorization: "", [name]: token });
    assertEquals(response.status, 200, await response.text());
    assertEquals(asked.at(-1)!.headers.get("x-goog-api-key"), "stored-of-google");
  }
});

Deno.test("errors of Messages paths have Anthropic's format, with the id of the request", async () => {
  const { send, gateway, anthropic } = messagesLab(() =>
    Response.json({ error: { code: 429, message: "Quota exceeded", status: "RESOURCE_EXHAUSTED" } }, {
      status: 429,
      headers: { "retry-after": "7" },
    })
  );
  const body = { model: GEMINI, max_tokens: 9, messages: [USER] };
  const rows: [Promise<Response>, number, string][] = [
    [send({ ...body, model: "nobody/x" }), 400, "invalid_request_error"],
    [send({ ...body, messages: [] }), 400, "invalid_request_error"],
    [send("{"), 400, "invalid_request_error"],
    [send(body, { "content-type": "text/plain" }), 415, "invalid_request_error"],
    [send(body), 429, "rate_limit_error"],
    [gateway.fetch(new Request("http://gateway.test/v1/messages")), 405, "invalid_request_error"],
    [send({}, {}, "/v1/messages/batches"), 400, "invalid_request_error"],
  ];
  for (const [pending, status, type] of rows) {
    const response = await pending;
    const { type: outer, error, request_id } = await response.json();
    assertEquals([outer, response.status, error.type], ["error", status, type], error.message);
    assert(error.message.length > 10);
    if (response.headers.has("request-id")) assertEquals(request_id, response.headers.get("request-id"));
  }
  const error = await assertRejects(() => anthropic.messages.create(body as Any), Anthropic.RateLimitError);
  assertEquals([error.type, error.headers?.get("retry-after")], ["rate_limit_error", "7"]);
  assert(error.requestID);
});

Deno.test("a client is told not to retry if that cannot help", async () => {
  const tokens = ["gateway-token-1234"];
  const { send } = messagesLab(
    () => Response.json({}),
    { tokens, keys: { "google-ai-studio": "stored-of-google" } } as Options,
  );
  const response = await send({ model: GEMINI, max_tokens: 9, messages: [USER] }, {
    authorization: "Bearer wrong",
  });
  assertEquals([response.status, response.headers.get("x-should-retry")], [401, "false"]);
  assertEquals((await response.json()).error.type, "authentication_error");
});

Deno.test("the error for a prompt that is too long has the words on which Claude Code shortens it", async () => {
  const message = "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).";
  const { send } = messagesLab(() =>
    Response.json({ error: { code: 400, message, status: "INVALID_ARGUMENT" } }, { status: 400 })
  );
  for (const stream of [false, true]) {
    const response = await send({ model: GEMINI, max_tokens: 9, stream, messages: [USER] });
    assertEquals(response.status, 400);
    assertEquals((await response.json()).error, {
      type: "invalid_request_error",
      message: "prompt is too long: 1048577 tokens > 1048576 maximum",
    });
  }
});

Deno.test("an error in Anthropic's shape goes back byte for byte, but for a prompt that is too long in other words", async () => {
  const error = (message: string) =>
    ` {"type":"error", "error":{"type":"invalid_request_error","message":"${message}"},"request_id":"req_1"}`;
  const told = ["model: x", "prompt is too long: 205018 tokens > 200000 maximum", "Prompt is too long"];
  const other =
    "This endpoint's maximum context length is 8192 tokens. However, you requested about 9001 tokens.";
  let message = "";
  const { send } = messagesLab(() => new Response(error(message), { status: 400 }));
  for (message of [...told, other]) {
    const response = await send({ model: "openrouter/x/y", max_tokens: 9, messages: [USER] });
    const text = await response.text();
    assertEquals(response.status, 400);
    if (message !== other) assertEquals(text, error(message));
    else assertEquals(JSON.parse(text).error.message, "prompt is too long: 9001 tokens > 8192 maximum");
  }
});
