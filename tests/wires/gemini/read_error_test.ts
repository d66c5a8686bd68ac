import { assertEquals } from "@std/assert";
import { gemini } from "../../../wires/gemini/mod.ts";

const INFO = "type.googleapis.com/google.rpc.ErrorInfo";

Deno.test("readError() reads Google's errors into OpenAI's terms", () => {
  const cases: [number, string, string, string, string][] = [
    [400, "INVALID_ARGUMENT", 'Unknown name "x"', "invalid_request_error", "invalid_argument"],
    [
      400,
      "FAILED_PRECONDITION",
      "User location is not supported",
      "invalid_request_error",
      "failed_precondition",
    ],
    [401, "UNAUTHENTICATED", "Missing key", "authentication_error", "invalid_api_key"],
    [403, "PERMISSION_DENIED", "Key was leaked", "permission_error", "permission_denied"],
    [404, "NOT_FOUND", "models/x is not found", "not_found_error", "model_not_found"],
    [429, "RESOURCE_EXHAUSTED", "You exceeded your quota", "rate_limit_error", "rate_limit_exceeded"],
    [500, "INTERNAL", "Internal error", "server_error", "internal"],
    [503, "UNAVAILABLE", "The model is overloaded", "server_error", "unavailable"],
    [504, "DEADLINE_EXCEEDED", "Took too long", "server_error", "deadline_exceeded"],
  ];
  for (const [code, status, message, type, name] of cases) {
    const body = { error: { code, message, status } };
    const expected = {
      message,
      type,
      param: null,
      code: name,
      status: code,
      retryAfterMs: undefined,
      metadata: { original: body },
    };
    assertEquals(gemini.readError(code, body), expected);
    const list = [body];
    assertEquals(gemini.readError(code, list), { ...expected, metadata: { original: list } });
  }
});

Deno.test("readError() finds the status of an error under 200 by its status name", () => {
  const names: Record<string, number> = {
    ABORTED: 409,
    ALREADY_EXISTS: 409,
    CANCELLED: 499,
    DEADLINE_EXCEEDED: 504,
    FAILED_PRECONDITION: 400,
    INTERNAL: 500,
    INVALID_ARGUMENT: 400,
    NOT_FOUND: 404,
    OUT_OF_RANGE: 400,
    PERMISSION_DENIED: 403,
    RESOURCE_EXHAUSTED: 429,
    UNAUTHENTICATED: 401,
    UNAVAILABLE: 503,
    UNIMPLEMENTED: 501,
    UNHEARD_OF: 502,
  };
  for (const [status, wanted] of Object.entries(names)) {
    assertEquals(gemini.readError(200, { error: { message: "m", status } }).status, wanted, status);
    // A valid numeric code wins over the status name.
    assertEquals(gemini.readError(200, { error: { code: 418, message: "m", status } }).status, 418);
    for (const code of [8, 200, 399, 600, "429"]) {
      assertEquals(gemini.readError(200, { error: { code, message: "m", status } }).status, wanted);
    }
  }
});

Deno.test("readError() recognizes an invalid key under status 400", () => {
  const body = {
    error: {
      code: 400,
      message: "API key not valid. Please pass a valid API key.",
      status: "INVALID_ARGUMENT",
      details: [{ "@type": INFO, reason: "API_KEY_INVALID", domain: "googleapis.com" }],
    },
  };
  const { type, code, status } = gemini.readError(400, body);
  assertEquals([type, code, status], ["authentication_error", "invalid_api_key", 400]);
});

Deno.test("readError() recognizes a prompt that is too long", () => {
  const messages = [
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "The input token count exceeds the maximum number of tokens allowed 1048576.",
    "Unable to submit request because the input token count is 40000 but the model only supports up to 32768.",
  ];
  for (const message of messages) {
    const { code } = gemini.readError(400, { error: { code: 400, message, status: "INVALID_ARGUMENT" } });
    assertEquals(code, "context_length_exceeded", message);
  }
});

Deno.test("readError() names the field at fault", () => {
  const details = [{
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    fieldViolations: [{ field: "contents[0].parts", description: "empty" }],
  }];
  assertEquals(
    gemini.readError(400, { error: { code: 400, message: "Bad", status: "INVALID_ARGUMENT", details } })
      .param,
    "contents[0].parts",
  );
});

Deno.test("readError() survives bodies of any other form", () => {
  assertEquals(gemini.readError(502, "<html>Bad gateway</html>").message, "<html>Bad gateway</html>");
  assertEquals(gemini.readError(502, "").message, "The provider answered 502 without a message");
  for (
    const body of [null, undefined, 7, [], [null], { error: null }, { error: [] }, {
      error: { details: [1] },
    }]
  ) {
    assertEquals(gemini.readError(500, body).type, "server_error");
  }
  assertEquals(gemini.readError(400, { error: "plain" }).message, "plain");
});

Deno.test("readError() finds out when to try again", () => {
  const after = (retryDelay: unknown) => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }];
    return gemini.readError(429, { error: { code: 429, message: "Slow down", details } }).retryAfterMs;
  };
  assertEquals([after("39s"), after("0.5s"), after("12.345678s")], [39_000, 500, 12_346]);
  for (const odd of ["", "s", "soon", 5, null, "-1s", "1.s"]) {
    assertEquals(after(odd), undefined, String(odd));
  }
});
