/** Errors of providers, as the official SDK raises them. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { events, type Json, lab, readEvents, sse } from "./lab.ts";

const USER = { role: "user", content: "Hi" };

interface Refusal {
  model: string;
  status: number;
  body: unknown;
  headers?: Record<string, string>;
  /** The members of the SDK's error. */
  error: { name: keyof typeof OpenAI; code: string | null; message: string; type?: string };
}

const claude = (type: string, message: string) => ({
  type: "error",
  error: { type, message },
  request_id: "req_1",
});
const google = (code: number, status: string, message: string, details: Json[] = []) => ({
  error: { code, message, status, details },
});

const ANTHROPIC = "anthropic/claude-sonnet-4-5";
const GOOGLE = "google/gemini-3-pro";
const COHERE = "cohere/command-a-03-2025";

// https://platform.claude.com/docs/en/api/errors, https://ai.google.dev/gemini-api/docs/troubleshooting,
// https://docs.cohere.com/reference/errors
const REFUSALS: Refusal[] = [
  {
    model: ANTHROPIC,
    status: 400,
    body: claude("invalid_request_error", "prompt is too long: 200251 tokens > 200000 maximum"),
    error: { name: "BadRequestError", code: "context_length_exceeded", message: "prompt is too long" },
  },
  {
    model: ANTHROPIC,
    status: 401,
    body: claude("authentication_error", "invalid x-api-key"),
    error: { name: "AuthenticationError", code: "invalid_api_key", message: "invalid x-api-key" },
  },
  {
    model: ANTHROPIC,
    status: 403,
    body: claude("permission_error", "no access"),
    error: { name: "PermissionDeniedError", code: null, message: "no access", type: "permission_error" },
  },
  {
    model: ANTHROPIC,
    status: 404,
    body: claude("not_found_error", "model: claude-9"),
    error: { name: "NotFoundError", code: "model_not_found", message: "model: claude-9" },
  },
  {
    model: ANTHROPIC,
    status: 413,
    body: claude("request_too_large", "Request exceeds the maximum size"),
    error: { name: "APIError", code: "request_too_large", message: "maximum size" },
  },
  {
    model: ANTHROPIC,
    status: 429,
    body: claude("rate_limit_error", "slow down"),
    headers: { "retry-after": "7", "anthropic-ratelimit-requests-remaining": "0", "request-id": "req_1" },
    error: {
      name: "RateLimitError",
      code: "rate_limit_exceeded",
      message: "slow down",
      type: "rate_limit_error",
    },
  },
  {
    model: ANTHROPIC,
    status: 529,
    body: claude("overloaded_error", "Overloaded"),
    error: { name: "InternalServerError", code: "overloaded", message: "Overloaded", type: "server_error" },
  },
  {
    model: GOOGLE,
    status: 400,
    body: google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" },
    ]),
    error: { name: "BadRequestError", code: "invalid_api_key", message: "API key not valid" },
  },
  {
    model: GOOGLE,
    status: 400,
    body: google(
      400,
      "INVALID_ARGUMENT",
      "The input token count (1200000) exceeds the maximum number of tokens allowed",
    ),
    error: { name: "BadRequestError", code: "context_length_exceeded", message: "exceeds the maximum" },
  },
  {
    model: GOOGLE,
    status: 429,
    body: google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", [
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "6.2s" },
    ]),
    error: {
      name: "RateLimitError",
      code: "rate_limit_exceeded",
      message: "quota",
      type: "rate_limit_error",
    },
  },
  {
    model: GOOGLE,
    status: 404,
    body: [google(404, "NOT_FOUND", "models/x is not found")],
    error: { name: "NotFoundError", code: "model_not_found", message: "models/x" },
  },
  {
    model: GOOGLE,
    status: 503,
    body: google(503, "UNAVAILABLE", "The model is overloaded"),
    error: { name: "InternalServerError", code: "unavailable", message: "overloaded" },
  },
  {
    model: COHERE,
    status: 401,
    body: { id: "1", message: "invalid api token" },
    error: {
      name: "AuthenticationError",
      code: null,
      message: "invalid api token",
      type: "authentication_error",
    },
  },
  {
    model: COHERE,
    status: 400,
    body: { message: "too many tokens: size limit exceeded by 1200 tokens" },
    error: { name: "BadRequestError", code: "context_length_exceeded", message: "too many tokens" },
  },
  {
    model: COHERE,
    status: 429,
    body: { message: "You are using a Trial key, which is limited to 20 API calls / minute" },
    error: { name: "RateLimitError", code: null, message: "Trial key", type: "rate_limit_error" },
  },
];

// deno-lint-ignore no-explicit-any -- Bodies that the SDK's types do not fit.
type Any = any;

for (const { model, status, body, headers, error: { name, code, message, type } } of REFUSALS) {
  Deno.test(`the SDK throws ${name} when ${model} refuses with ${status} (${message})`, async () => {
    for (const stream of [false, true]) {
      const { openai, logged } = lab(() => Response.json(body, { status, headers }));
      const asking: Promise<unknown> = openai.chat.completions.create(
        { model, messages: [USER], stream } as Any,
      );
      const error: Any = await asking.catch((error) => error);
      assert(error instanceof (OpenAI[name] as Any), String(error));
      assertEquals([error.status, error.code], [status, code]);
      assert(error.message.includes(message));
      if (type) assertEquals(error.type, type);
      assertEquals(error.error.metadata.original, body);
      for (const [header, value] of Object.entries(headers ?? {})) {
        assertEquals(error.headers.get(header), value);
      }
      assertEquals(logged.length, 1);
    }
  });
}

Deno.test("the provider's retry delay comes as a header, wherever the provider writes it", async () => {
  const { body } = REFUSALS.find(({ model, status }) => model === GOOGLE && status === 429)!;
  const response = await lab(() => Response.json(body, { status: 429 })).post({
    model: GOOGLE,
    messages: [USER],
  });
  assertEquals(response.headers.get("retry-after"), "7");
  await response.body?.cancel();
});

Deno.test("an HTML page in place of an error becomes an error with its status, without its headers", async () => {
  const headers = {
    "content-type": "text/html",
    "retry-after": "3",
    "x-ratelimit-remaining-requests": "0",
    "request-id": "r1",
    "set-cookie": "a=1",
  };
  for (const model of [ANTHROPIC, GOOGLE, COHERE, "openai/gpt-5"]) {
    const { post } = lab(() => new Response("<h1>Service unavailable</h1>", { status: 503, headers }));
    const response = await post({ model, messages: [USER] });
    const { error } = await response.json();
    assertEquals([response.status, error.metadata.status], [502, 503]);
    assert(error.metadata.body.startsWith("<h1>"));
    for (const name of ["retry-after", "x-ratelimit-remaining-requests", "request-id"] as const) {
      assertEquals(response.headers.get(name), headers[name], `${model} ${name}`);
    }
    assertEquals(response.headers.get("set-cookie"), null);
    assertEquals(response.headers.get("content-type"), "application/json");
  }
});

Deno.test("an error under status 200 is an error", async () => {
  const told: [model: string, body: unknown, status: number][] = [
    [ANTHROPIC, claude("overloaded_error", "Overloaded"), 529],
    [GOOGLE, google(429, "RESOURCE_EXHAUSTED", "quota"), 429],
    [GOOGLE, [google(500, "INTERNAL", "oops")], 500],
    [COHERE, { id: "1", message: "no good" }, 502],
    [COHERE, { id: "1", message: { role: "assistant" }, finish_reason: "ERROR" }, 502],
    [COHERE, { id: "1", message: { role: "assistant" }, finish_reason: "TIMEOUT" }, 504],
  ];
  for (const [model, body, status] of told) {
    for (const stream of [false, true]) {
      const response = await lab(() => Response.json(body)).post({ model, messages: [USER], stream });
      const { error } = await response.json();
      assertEquals([response.status, typeof error.message], [status, "string"], JSON.stringify(body));
    }
  }
});

Deno.test("the SDK raises an error in mid-stream after the content before it, and the stream ends", async () => {
  const begun: Record<string, Json[]> = {
    [ANTHROPIC]: [
      { type: "message_start", message: { id: "m", usage: { input_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "Half" } },
    ],
    [GOOGLE]: [{
      candidates: [{ content: { parts: [{ text: "Half" }] } }],
      usageMetadata: { promptTokenCount: 1 },
    }],
    [COHERE]: [
      { type: "message-start", id: "m" },
      { type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "Half" } } } },
    ],
  };
  const failed: Record<string, Json> = {
    [ANTHROPIC]: claude("overloaded_error", "Overloaded"),
    [GOOGLE]: google(503, "UNAVAILABLE", "Overloaded"),
    [COHERE]: { type: "message-end", delta: { finish_reason: "ERROR", error: "Overloaded" } },
  };
  for (const model of Object.keys(begun)) {
    // Content after an error is ignored.
    const text = sse([...begun[model], failed[model], ...begun[model], { type: "message_stop" }], true);
    const body = { model, messages: [USER], stream: true, stream_options: { include_usage: true } };
    const { chunks, done } = await readEvents(await lab(() => events(text)).post(body));
    assertEquals([done, (chunks.at(-1)!.error as Json).message], [0, "Overloaded"], model);
    assertEquals(chunks.filter(({ error, usage }) => error || usage).length, 1, model);
    let said = "";
    let raised: unknown;
    try {
      for await (
        const chunk of await lab(() => events(text)).openai.chat.completions.create(body as Any) as Any
      ) {
        said += chunk.choices[0]?.delta.content ?? "";
      }
    } catch (error) {
      raised = error;
    }
    assertEquals(said, "Half", model);
    assertInstanceOf(raised, OpenAI.APIError);
    assert(raised.message.includes("Overloaded"));
  }
});
