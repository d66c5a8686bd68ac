import { assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { call, GO, OLD, write } from "./written.ts";

// ---------------------------------------------------------------- addresses

Deno.test("writeCall() addresses the model, whole or streamed", () => {
  const paths: [string, string][] = [
    ["gemini-3.8-flash", "models/gemini-3.8-flash"],
    ["models/gemini-3.8-flash", "models/gemini-3.8-flash"],
    ["tunedModels/mine-1", "tunedModels/mine-1"],
    ["odd name?x#y:z%", "models/odd%20name%3Fx%23y%3Az%25"],
  ];
  for (const [id, path] of paths) {
    assertEquals(write({}, id).path, `/v1beta/${path}:generateContent`);
    assertEquals(write({ stream: true }, id).path, `/v1beta/${path}:streamGenerateContent?alt=sse`);
  }
});

Deno.test("writeCall() refuses a model that would leave its folder", () => {
  for (const id of ["..", "models/../files", "models//x", "models/."]) {
    assertThrows(() => write({}, id), GatewayError);
  }
});

Deno.test("writeCall() puts the contents last, so that a longer conversation begins with the same bytes", () => {
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const first = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hi" }];
  const turns = [...first, { role: "assistant", content: "Hello" }, { role: "user", content: "Bye" }];
  const short = JSON.stringify(write({ tools, temperature: 0, messages: first }).body);
  const long = JSON.stringify(write({ tools, temperature: 0, messages: turns }).body);
  assertEquals(long.slice(0, short.length - 2), short.slice(0, -2));
});

Deno.test("writeCall() encodes names that Google refuses, also in earlier turns", () => {
  const tools = ["2fa_code", "_2fa", "a/b", "plain"].map((name) => ({
    type: "function",
    function: { name },
  }));
  const { body, dropped } = write({
    tools,
    tool_choice: { type: "function", function: { name: "2fa_code" } },
    messages: [
      GO,
      { role: "assistant", tool_calls: [call("a", "2fa_code"), call("b", "a/b")] },
      { role: "tool", tool_call_id: "a", content: "1" },
      { role: "tool", tool_call_id: "b", content: "2" },
    ],
  }, OLD);
  const [{ functionDeclarations }] = body.tools as { functionDeclarations: { name: string }[] }[];
  assertEquals(functionDeclarations.map(({ name }) => name), ["_2fa_code", "__2fa", "a_x2f_b", "plain"]);
  assertEquals(body.toolConfig, {
    functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["_2fa_code"] },
  });
  const [, calls, results] = body.contents as { parts: Record<string, { name: string }>[] }[];
  assertEquals(calls.parts.map(({ functionCall }) => functionCall.name), ["_2fa_code", "a_x2f_b"]);
  assertEquals(results.parts.map(({ functionResponse }) => functionResponse.name), ["_2fa_code", "a_x2f_b"]);
  assertEquals(dropped, []);
});
