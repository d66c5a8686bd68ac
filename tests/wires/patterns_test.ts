/** What the wires recognize by its form or its words: in any case, and not with other text before or after it. */
import { assertEquals } from "@std/assert";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { parseExact } from "../../wires/shared/json.ts";
import { isOverflow } from "../../wires/shared/overflow.ts";
import { readCall } from "../../wires/openai_chat/read_call.ts";
import { packToolId } from "../../wires/shared/tool_id.ts";
import type { JsonObject, Part } from "../../wires/types.ts";

Deno.test("isOverflow() recognizes the wordings for a prompt that is too long, and no rate limit", () => {
  const overflows = [
    "This model's maximum context length is 8192 tokens",
    "MAXIMUM CONTEXT LENGTH is 8192",
    "context_length_exceeded: 9 > 5",
    "The context window of the model was exceeded",
    "context size overflow",
    "Your input exceeds the context window of this model",
    "Prompt is too long: 9 tokens > 5 maximum",
    "Too many tokens",
    "too many input tokens",
    "Input is too long for requested model.",
  ];
  for (const words of overflows) assertEquals(isOverflow(words), true, words);
  const others = [
    "Too many tokens, please wait before trying again.",
    "Too many requests",
    "The context is empty",
    "input is short",
  ];
  for (const words of others) assertEquals(isOverflow(words), false, words);
  assertEquals(isOverflow("too many tokens", "rate_limit_exceeded"), false);
  assertEquals(isOverflow(undefined, "context_length_exceeded"), true);
});

Deno.test("readError() recognizes Anthropic's messages in any case, and the field at their start", () => {
  const read = (message: string, type = "invalid_request_error") => {
    const { code, param } = anthropicMessages.readError(400, { type: "error", error: { type, message } });
    return [code, param];
  };
  const cases: [unknown[], unknown[]][] = [
    [read("prompt is too long: 9 > 5"), ["context_length_exceeded", null]],
    [read("PROMPT IS TOO LONG"), ["context_length_exceeded", null]],
    [read("input length and max_tokens exceed the context limit"), ["context_length_exceeded", null]],
    [read("Exceeds the Context Window"), ["context_length_exceeded", null]],
    [read("Your credit balance is too low"), ["insufficient_quota", null]],
    [read("CREDIT BALANCE IS TOO LOW"), ["insufficient_quota", null]],
    [read("model: claude-x", "not_found_error"), ["model_not_found", "model"]],
    [read("no such model: claude-x", "not_found_error"), [null, null]],
    [read("model: claude-x"), [null, "model"]],
    [read("max_tokens: Field required"), [null, "max_tokens"]],
    [read("the max_tokens: Field required"), [null, null]],
    [read("messages.1.content: Field required"), [null, null]],
    [read("Max_tokens: Field required"), [null, null]],
  ];
  for (const [found, expected] of cases) assertEquals(found, expected);
});

Deno.test("parseExact() keeps the digits of integers only", () => {
  const kept = ["9007199254740993", "-9007199254740993", "12345678901234567890"];
  for (const text of kept) assertEquals(JSON.stringify(parseExact(`[${text}]`)), `[${text}]`);
  const others = ["0.12345678901234567", "9007199254740993.5", "9007199254740993e2", "1234567890123456"];
  for (const text of others) {
    assertEquals((parseExact(`[${text}]`) as unknown[])[0], Number(text), `${text} is a number`);
  }
  // A number alone stays a number. Numbers that are kept as objects would be mistaken for JSON objects.
  for (const text of kept) assertEquals(typeof parseExact(` ${text}`), "number", text);
});

Deno.test("packToolId() packs a signature only if all of it is base64", () => {
  assertEquals(packToolId("c", "abcd"), "c__sig_abcd");
  assertEquals(packToolId("c", "abc="), "c__sig_abc");
  for (const signature of ["éabc", "abcé", " abc", "abc ", "=abc", "ab=="]) {
    const packed = signature === "ab==" ? "c__sig_ab" : "c";
    assertEquals(packToolId("c", signature), packed, signature);
  }
});

/** What is read from a part of a user's message. */
function part(value: JsonObject): Part {
  const messages = [{ role: "user", content: [value] }];
  const [{ parts }] = readCall({ messages }, "m").messages as { parts: Part[] }[];
  return parts[0];
}

Deno.test("data URLs are read by value in any case, and any other address as it is", () => {
  const image = (url: string) =>
    (part({ type: "image_url", image_url: { url } }) as { media: unknown }).media;
  for (
    const url of ["data:image/png;base64,QUJD", "DATA:image/png;base64,QUJD", " data:image/png;BASE64,QU JD"]
  ) {
    assertEquals(image(url), { mime: "image/png", data: "QUJD" }, url);
  }
  for (const url of ["https://h.test/data:image/png", "xdata:image/png;base64,QUJD", "gs://b/data:"]) {
    assertEquals(image(url), { url }, url);
  }
  const types: Record<string, string> = {
    "image/jpg": "image/jpeg",
    "image/pjpg": "image/jpeg",
    "IMAGE/JPG": "image/jpeg",
    "image/jpeg": "image/jpeg",
    "image/jpgx": "image/jpgx",
    "ximage/jpg": "ximage/jpg",
    "": "text/plain",
  };
  for (const [type, mime] of Object.entries(types)) {
    assertEquals(image(`data:${type};base64,QUJD`), { mime, data: "QUJD" }, type);
  }
});

Deno.test("files and sound are read from data URLs and addresses in any case, else as base64", () => {
  const file = (file_data: string) =>
    (part({ type: "file", file: { file_data } }) as { media: unknown }).media;
  const sound = (data: string) =>
    (part({ type: "input_audio", input_audio: { data, format: "wav" } }) as { media: unknown }).media;
  for (const [read, mime] of [[file, "application/pdf"], [sound, "audio/wav"]] as const) {
    assertEquals(read("QU\nJD"), { mime, data: "QUJD" });
    assertEquals(read("dataQUJD"), { mime, data: "dataQUJD" });
    for (const scheme of ["data", "DATA"]) {
      assertEquals(read(`${scheme}:text/csv;base64,QUJD`), { mime: "text/csv", data: "QUJD" });
    }
    for (const url of ["https://h.test/a", "HTTP://h.test/a"]) assertEquals(read(url), { url });
  }
});

Deno.test("a refusal that an assistant gave earlier is part of its message", () => {
  const messages = [
    { role: "user", content: "a" },
    { role: "assistant", content: null, refusal: "I will not." },
    { role: "assistant", content: "b", refusal: "" },
  ];
  const read = readCall({ messages }, "m").messages as { parts: Part[] }[];
  assertEquals(read[1].parts, [{ type: "refusal", text: "I will not.", path: "messages[1].refusal" }]);
  assertEquals(read[2].parts.map(({ type }) => type), ["text"]);
});
