/**
 * The lists of the wires, entry by entry. They are written from the providers' documentation and not from our lists.
 */
import { assertEquals } from "@std/assert";
import { type ErrorCode, errorType, GatewayError } from "../../wires/errors.ts";
import { openaiChat } from "../../wires/openai_chat/mod.ts";
import { readCall } from "../../wires/openai_chat/read_call.ts";
import { perplexityAgent } from "../../wires/perplexity_agent/mod.ts";
import type { Delta, JsonObject } from "../../wires/types.ts";

const USER = { role: "user", content: "Who won?" };

Deno.test("GatewayError has the status of each failure, and the number that clients know", () => {
  const failures: [ErrorCode, number, (number | string)?][] = [
    ["invalid_request", 400],
    ["invalid_model", 400, 2019],
    ["unknown_provider", 400, 2008],
    ["unknown_key_alias", 400, 2040],
    ["dropped_fields", 400],
    ["unauthorized", 401, 2009],
    ["forbidden", 403],
    ["not_found", 404],
    ["method_not_allowed", 405],
    ["unsupported_media_type", 415],
    ["body_too_large", 413],
    ["headers_too_large", 431],
    ["internal", 500],
    ["unsupported", 501],
    ["bad_upstream_answer", 502, 2005],
    ["upstream_unreachable", 502, 2005],
    ["upstream_timeout", 504, 2005],
  ];
  for (const [name, expected, number = name] of failures) {
    const { status, code } = new GatewayError(name, "x").toWireError();
    assertEquals([status, code], [expected, number], name);
  }
});

Deno.test("errorType() has OpenAI's type for each status", () => {
  const types: Record<number, string> = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "invalid_request_error",
    403: "permission_error",
    404: "not_found_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    499: "invalid_request_error",
    500: "server_error",
    529: "server_error",
  };
  for (const [status, type] of Object.entries(types)) assertEquals(errorType(Number(status)), type, status);
});

Deno.test("readCompatibleError() reads the message from each member that providers use", () => {
  const bodies: [unknown, unknown[]][] = [
    [{ error: { message: "no", type: "t", param: "p", code: "c" } }, ["no", "t", "p", "c"]],
    [{ error: "no", code: "c" }, ["no", "invalid_request_error", null, "c"]],
    [{ error: "no", code: 1211 }, ["no", "invalid_request_error", null, 1211]],
    [{ detail: "no" }, ["no", "invalid_request_error", null, null]],
    [{ detail: [{ loc: ["body", "messages", 0], msg: "no" }] }, [
      "no",
      "invalid_request_error",
      "messages.0",
      null,
    ]],
    [{ message: "no", type: "t" }, ["no", "t", null, null]],
    [{ title: "no", status: 400 }, ["no", "invalid_request_error", null, null]],
    [{ errors: [{ message: "no", code: 7003 }] }, ["no", "invalid_request_error", null, 7003]],
    [[{ error: { message: "no", code: 400 } }], ["no", "invalid_request_error", null, 400]],
    [" no ", ["no", "invalid_request_error", null, null]],
    [{}, ["The provider answered 400 without a message", "invalid_request_error", null, null]],
  ];
  for (const [body, expected] of bodies) {
    const { message, type, param, code } = openaiChat.readError(400, body);
    assertEquals([message, type, param, code], expected, JSON.stringify(body));
  }
});

// ---------------------------------------------------------------- Perplexity's Agent API

const write = (model: string, more: JsonObject = {}) => {
  const { body, dropped } = perplexityAgent.writeCall(readCall({ messages: [USER], ...more }, model));
  return { body: JSON.parse(JSON.stringify(body)), dropped };
};

Deno.test("Perplexity gets the name of a preset as preset, and any other name as model", () => {
  for (const preset of "fast low medium high xhigh wide-research".split(" ")) {
    const { body } = write(preset);
    assertEquals([body.preset, body.model], [preset, undefined]);
  }
  const sonar = {
    "sonar-pro": "low",
    "sonar-reasoning": "low",
    "sonar-reasoning-pro": "low",
    "sonar-deep-research": "medium",
  };
  for (const [model, preset] of Object.entries(sonar)) assertEquals(write(model).body.preset, preset, model);
  for (const model of ["fastest", "openai/gpt-5.1", "sonar-x"]) assertEquals(write(model).body.model, model);
});

Deno.test("Perplexity gets each effort that it accepts, and each filter in its search tool", () => {
  for (const effort of "minimal low medium high xhigh max".split(" ")) {
    assertEquals(write("m/x", { reasoning_effort: effort }).body.reasoning, { effort });
  }
  for (const effort of ["none", "extreme"]) {
    assertEquals(write("m/x", { reasoning_effort: effort }).dropped, ["reasoning_effort"]);
  }
  const filters = [
    "last_updated_after_filter",
    "last_updated_before_filter",
    "search_after_date_filter",
    "search_before_date_filter",
    "search_domain_filter",
    "search_recency_filter",
  ];
  for (const filter of filters) {
    const { body } = write("m/x", { [filter]: "x" });
    assertEquals([body.tools, body[filter]], [
      [{ type: "web_search", filters: { [filter]: "x" } }],
      undefined,
    ]);
  }
  assertEquals(write("m/x", { search_mode: "x" }).body.search_mode, "x", "not a filter");
});

Deno.test("Perplexity gets parts in its own format, and no file by id", () => {
  const native = { type: "input_file", file_url: "https://h.test/a" };
  const image = (url: string) => ({ type: "image_url", image_url: { url } });
  const content = [{ type: "text", text: "a" }, native, image("https://h.test/a.png"), {
    type: "file",
    file: { file_id: "f1" },
  }];
  const { body, dropped } = write("m/x", { messages: [{ role: "user", content }] });
  assertEquals(body.input[0].content, [
    { type: "input_text", text: "a" },
    native,
    { type: "input_image", image_url: "https://h.test/a.png" },
  ]);
  assertEquals(dropped, ["messages[0].content[3].file"]);
  assertEquals(write("m/x", { modalities: ["text"] }).dropped, []);
  assertEquals(write("m/x", { modalities: ["text", "audio"] }).dropped, ["modalities"]);
});

Deno.test("Perplexity's reasons to stop and to fail are each known", () => {
  const read = (status: string, reason?: string): Delta => {
    const deltas: Delta[] = [];
    const message = { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] };
    const incomplete_details = reason && { reason };
    perplexityAgent.readAnswer(
      { id: "r", object: "response", status, output: [message], incomplete_details },
      (delta) => deltas.push(delta),
    );
    return deltas.at(-1)!;
  };
  const stops: [string, string | undefined, string][] = [
    ["completed", undefined, "stop"],
    ["incomplete", "max_output_tokens", "length"],
    ["incomplete", "content_filter", "content_filter"],
    ["incomplete", undefined, "length"],
  ];
  for (const [status, reason, expected] of stops) {
    assertEquals(read(status, reason), { type: "stop", choice: 0, reason: expected as "stop" });
  }
  for (const status of ["cancelled", "failed", "in_progress", "queued"]) {
    const delta = read(status);
    assertEquals(delta.type, "error", status);
    if (delta.type === "error") {
      assertEquals(delta.error.message, `Perplexity did not finish its answer: ${status}`);
    }
  }
});
