/** Clients of Anthropic's Messages with any provider: Anthropic's own SDK against strict fakes of several providers. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Json } from "./lab.ts";
import { CLAUDE, COHERE, GEMINI, messagesLab, USER, WEATHER } from "./messages_lab.ts";

Deno.test("countTokens() asks Anthropic's and Google's own counters, and estimates for others", async () => {
  const { anthropic, asked, send } = messagesLab(({ url }) =>
    url.hostname === "api.anthropic.com"
      ? Response.json({ input_tokens: 11 })
      : url.hostname.includes("google")
      ? Response.json({ totalTokens: 22 })
      : Response.json({}, { status: 404 })
  );
  const count = (model: string) =>
    anthropic.messages.countTokens({ model, messages: [USER], tools: [WEATHER] });
  assertEquals((await count(CLAUDE)).input_tokens, 11);
  assertEquals(asked[0].url.pathname, "/v1/messages/count_tokens");
  assertEquals(asked[0].body, { model: "claude-opus-4-6", messages: [USER], tools: [WEATHER] });
  assertEquals((await count(GEMINI)).input_tokens, 22);
  assertEquals(asked[1].url.pathname, "/v1beta/models/gemini-3-pro:countTokens");
  const counted = asked[1].body.generateContentRequest as Json;
  assertEquals([counted.model, Object.keys(counted).includes("tools")], ["models/gemini-3-pro", true]);
  assertEquals(asked[1].headers.get("x-goog-api-key"), "key");

  const body = { model: COHERE, messages: [USER] };
  const estimate = async (more: Json = {}) => {
    const response = await send({ ...body, ...more }, {}, "/v1/messages/count_tokens");
    assertEquals(response.headers.get("sluice-estimated"), "true");
    return (await response.json()).input_tokens as number;
  };
  const least = await estimate();
  assert(least > 0);
  const prose = "The quick brown fox jumps over the lazy dog. ".repeat(100); // 1,001 tokens of o200k_base.
  const long = await estimate({ system: prose });
  assert(long > 1001 && long < 1700, String(long));
  assert(await estimate({ tools: [WEATHER] }) > least + 20);
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
  assert(await estimate({ messages: [{ role: "user", content: [image] }] }) >= 1500);
  const result = { type: "tool_result", tool_use_id: "t", content: prose };
  assert(await estimate({ messages: [{ role: "user", content: [result] }] }) > 1001);
  assertEquals(asked.length, 2, "what is estimated is sent nowhere");
});

Deno.test("countTokens() estimates if a provider's counter fails, and passes Anthropic's own error on", async () => {
  const error = {
    type: "error",
    error: { type: "not_found_error", message: "model: x" },
    request_id: "req_9",
  };
  const { send } = messagesLab(({ url }) =>
    url.hostname === "api.anthropic.com"
      ? Response.json(error, { status: 404 })
      : Response.json({ error: { message: "no" } }, { status: 500 })
  );
  const at = (model: string) => send({ model, messages: [USER] }, {}, "/v1/messages/count_tokens");
  const google = await at(GEMINI);
  assertEquals([google.status, google.headers.get("sluice-estimated")], [200, "true"]);
  await google.body?.cancel();
  const claude = await at(CLAUDE);
  assertEquals([claude.status, await claude.json()], [404, error]);
});

Deno.test("countTokens() refuses what the call would be refused for, and a switch that is none", async () => {
  const { send, asked } = messagesLab(() => Response.json({ totalTokens: 22, input_tokens: 22 }));
  const unsaid = { messages: [USER], container: "c" };
  const input = { input: "Hi", truncation: "auto" };
  const cases: [path: string, model: string, body: Json, param: string][] = [
    ["/v1/messages/count_tokens", GEMINI, unsaid, "container"],
    ["/v1/messages/count_tokens", COHERE, unsaid, "container"],
    ["/v1/responses/input_tokens", GEMINI, input, "truncation"],
    ["/v1/responses/input_tokens", COHERE, input, "truncation"],
  ];
  for (const [path, model, body, param] of cases) {
    for (const value of ["yes", "1", "TRUE"]) {
      const response = await send({ model, ...body }, { "sluice-strict": value }, path);
      const text = await response.text();
      assertEquals([response.status, text.includes(param)], [400, true], `${path} ${model}: ${text}`);
    }
    const response = await send({ model, ...body }, { "sluice-strict": "maybe" }, path);
    assertStringIncludes((await response.json()).error.message, "sluice-strict must be");
    assertEquals(response.status, 400);
  }
  assertEquals(asked.length, 0);
  for (const [path, model, body] of cases) {
    assertEquals((await send({ model, ...body }, { "sluice-strict": "no" }, path)).status, 200);
  }
  // What nothing is lost of is counted.
  const strict = { "sluice-strict": "true" };
  for (const model of [GEMINI, CLAUDE]) {
    const response = await send({ model, messages: [USER] }, strict, "/v1/messages/count_tokens");
    assertEquals([response.status, response.headers.get("sluice-estimated")], [200, null]);
    assertEquals(
      await response.json(),
      model === CLAUDE ? { totalTokens: 22, input_tokens: 22 } : { input_tokens: 22 },
    );
  }
});

Deno.test("countTokens() asks no provider that the token does not allow, and never uses another provider's key", async () => {
  const refusal = {
    type: "error",
    error: { type: "authentication_error", message: "bad key stored-of-anthropic" },
  };
  const { send, asked } = messagesLab(
    (_) => asked.length < 2 ? Response.json({ input_tokens: 1 }) : Response.json(refusal, { status: 401 }),
    {
      tokens: [{ token: "gateway-token-1234", providers: ["anthropic"] }],
      keys: { anthropic: "stored-of-anthropic", "google-ai-studio": "stored-of-google" },
    },
  );
  const at = (model: string) =>
    send(
      { model, messages: [USER] },
      { authorization: "Bearer gateway-token-1234" },
      "/v1/messages/count_tokens",
    );
  assertEquals((await at(GEMINI)).status, 401);
  assertEquals(
    (await send({ model: CLAUDE, messages: [USER] }, {}, "/v1/messages/count_tokens")).status,
    401,
  );
  assertEquals(asked.length, 0);
  assertEquals((await at(CLAUDE)).status, 200);
  assertEquals(asked[0].headers.get("x-api-key"), "stored-of-anthropic");
  assert(!JSON.stringify([...asked[0].headers]).includes("gateway-token"));
  const refused = await (await at(CLAUDE)).text();
  assert(refused.includes("bad key") && !refused.includes("stored-of-anthropic"), refused);
});

Deno.test("countTokens() follows the names that Claude Code has built in, and Anthropic's key goes to nobody else", async () => {
  const { send, asked } = messagesLab(
    ({ url }) => Response.json(url.hostname.includes("google") ? { totalTokens: 22 } : { input_tokens: 11 }),
    {
      models: {
        "claude-haiku-*": "gemini/gemini-3-flash",
        "claude-sonnet-*": ["gemini/gemini-3-pro", CLAUDE],
      },
    },
  );
  const count = async (model: string, headers: Record<string, string>) => {
    const response = await send({ model, messages: [USER] }, headers, "/v1/messages/count_tokens?beta=true");
    return [(await response.json()).input_tokens, response.headers.get("sluice-estimated")];
  };
  assertEquals(await count("claude-haiku-4-5-20251001", { authorization: "Bearer key" }), [22, null]);
  assertEquals(asked[0].url.pathname, "/v1beta/models/gemini-3-flash:countTokens");
  assertEquals(await count("claude-sonnet-4-6", { authorization: "Bearer key" }), [22, null]);
  assertEquals(asked[1].url.pathname, "/v1beta/models/gemini-3-pro:countTokens");
  assertEquals(await count("claude-opus-5-5", { authorization: "Bearer key" }), [11, null]);
  assertEquals(asked[2].body.model, "claude-opus-5-5");
  for (const header of ["x-api-key", "authorization"]) {
    const key = `${header === "authorization" ? "Bearer " : ""}sk-ant-api03-abcdefgh`;
    const own = { authorization: "", [header]: key };
    for (const model of ["claude-haiku-4-5-20251001", "claude-sonnet-4-6"]) await count(model, own);
    await count("claude-opus-5-5", own);
    assertEquals(asked.at(-1)!.headers.get("x-api-key"), "sk-ant-api03-abcdefgh");
  }
  for (const { url, headers } of asked) {
    if (url.hostname === "api.anthropic.com") continue;
    assert(!JSON.stringify([...headers]).includes("sk-ant"), url.href);
  }
});
