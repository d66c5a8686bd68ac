/** The demo's lists, entry by entry. */
import { assertEquals } from "@std/assert";
import { serveDemo } from "../../../providers/demo/demo.ts";
import { exampleOf } from "../../../providers/demo/example.ts";

Deno.test("demo/status-… answers with OpenAI's code and type for each status that has one", async () => {
  const errors: Record<number, [code: string | null, type: string]> = {
    400: [null, "invalid_request_error"],
    401: ["invalid_api_key", "authentication_error"],
    403: [null, "permission_error"],
    404: ["model_not_found", "not_found_error"],
    429: ["rate_limit_exceeded", "rate_limit_error"],
    500: [null, "server_error"],
    503: [null, "server_error"],
  };
  for (const [status, [code, type]] of Object.entries(errors)) {
    const body = JSON.stringify({ model: `status-${status}`, messages: [{ role: "user", content: "Hi" }] });
    const response = await serveDemo(
      new Request("https://demo.invalid/chat/completions", { method: "POST", body }),
    );
    const { error } = await response.json();
    assertEquals([response.status, error.code, error.type], [Number(status), code, type]);
  }
});

Deno.test("demo's models are listed, each once, and its ids are 24 hexadecimal digits", async () => {
  const list = await serveDemo(new Request("https://demo.invalid/models"));
  const { data } = await list.json();
  const ids: string[] = data.map(({ id }: { id: string }) => id);
  assertEquals(ids.length, new Set(ids).size);
  for (const id of ["echo", "cut", "error"]) assertEquals(ids.includes(id), true, id);
  const body = JSON.stringify({ model: "echo", messages: [{ role: "user", content: "Hi" }] });
  const answer = await serveDemo(
    new Request("https://demo.invalid/chat/completions", { method: "POST", body }),
  );
  assertEquals(/^chatcmpl-[0-9a-f]{24}$/.test((await answer.json()).id), true);
});

Deno.test("exampleOf() has a value of each format, and the client's text for any other", () => {
  const formats: Record<string, RegExp> = {
    "date": /^\d{4}-\d\d-\d\d$/,
    "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    "duration": /^P(T?\d+[A-Z])+$/,
    "email": /^\w+@[\w.]+$/,
    "hostname": /^[\w.-]+$/,
    "ipv4": /^(\d{1,3}\.){3}\d{1,3}$/,
    "ipv6": /^[\da-f:]+$/,
    "time": /^\d\d:\d\d:\d\dZ$/,
    "uri": /^https:\/\/[\w.]+\/$/,
    "uuid": /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/,
  };
  for (const [format, pattern] of Object.entries(formats)) {
    const value = exampleOf({ type: "string", format }, "a client's text");
    assertEquals(pattern.test(value as string), true, `${format}: ${value}`);
  }
  assertEquals(exampleOf({ type: "string", format: "color" }, "a client's text"), "a client's text");
});

Deno.test("exampleOf() fills a text up to its least length with dots, by characters", () => {
  assertEquals(exampleOf({ type: "string", minLength: 8 }, "Hello"), "Hello...");
  assertEquals(exampleOf({ type: "string", minLength: 3 }, "Hello"), "Hello");
  assertEquals(exampleOf({ type: "string", minLength: 4 }, "a😀"), "a😀..");
});
