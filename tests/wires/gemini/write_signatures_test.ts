import { assertEquals } from "@std/assert";
import { packToolId } from "../../../wires/shared/tool_id.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { call, contents, GO, model, NEW, OLD, user, write } from "./written.ts";

const SIGNATURE = "CiQBVKhc7kQm+a/b8Q==";

Deno.test("writeCall() returns a call's signature from either of its places", () => {
  const google = { extra_content: { google: { thought_signature: SIGNATURE } } };
  for (const tool of [{ ...call("a", "f"), ...google }, call(packToolId("a", SIGNATURE), "f")]) {
    assertEquals(contents([GO, { role: "assistant", tool_calls: [tool, call("b", "g")] }], OLD).contents, [
      user({ text: "Go" }),
      model(
        { functionCall: { id: "a", name: "f", args: {} }, thoughtSignature: SIGNATURE },
        { functionCall: { id: "b", name: "g", args: {} } },
      ),
    ]);
  }
});

Deno.test("writeCall() signs foreign calls as Google documents, for models that demand it", () => {
  const messages = [
    GO,
    { role: "assistant", tool_calls: [call("a", "f"), call("b", "g")] },
    { role: "tool", tool_call_id: "a", content: "1" },
    { role: "tool", tool_call_id: "b", content: "2" },
    { role: "assistant", tool_calls: [call("c", "f")] },
    { role: "tool", tool_call_id: "c", content: "3" },
  ];
  const signatures = (id: string) =>
    (contents(messages, id).contents as { parts: JsonObject[] }[]).flatMap(({ parts }) =>
      parts.filter((part) => part.functionCall).map((part) => part.thoughtSignature)
    );
  const standIn = "skip_thought_signature_validator";
  assertEquals(signatures(NEW), [standIn, undefined, standIn]);
  assertEquals(signatures("gemini-flash-latest"), [standIn, undefined, standIn]);
  assertEquals(signatures(OLD), [undefined, undefined, undefined]);
});

Deno.test("writeCall() returns an answer's signature on its last text", () => {
  const google = { extra_content: { google: { thought_signature: SIGNATURE } } };
  assertEquals(contents([GO, { role: "assistant", content: "Hi", ...google }], OLD).contents, [
    user({ text: "Go" }),
    model({ text: "Hi", thoughtSignature: SIGNATURE }),
  ]);
  assertEquals(
    contents([GO, { role: "assistant", content: "", reasoning_content: "Hm", ...google }], OLD).contents,
    [user({ text: "Go" }), model({ text: "Hm", thought: true }, { text: "", thoughtSignature: SIGNATURE })],
  );
});

Deno.test("writeCall() returns its own sealed parts, and never another provider's", () => {
  const part = {
    toolCall: { id: "1", toolType: "GOOGLE_SEARCH_WEB", args: {} },
    thoughtSignature: SIGNATURE,
  };
  const { contents: written, dropped } = contents([GO, {
    role: "assistant",
    content: "Hi",
    reasoning_details: [
      { type: "reasoning.encrypted", data: JSON.stringify(part), format: "google-gemini-v1", index: 0 },
      { type: "reasoning.encrypted", data: "opaque", format: "openai-responses-v1", index: 1 },
      { type: "reasoning.text", text: "Hm", signature: "theirs", format: "anthropic-claude-v1", index: 2 },
      { type: "reasoning.text", text: "So", signature: "ours", format: "google-gemini-v1", index: 3 },
    ],
  }], OLD);
  assertEquals(written, [
    user({ text: "Go" }),
    model(
      part,
      { text: "Hm", thought: true },
      { text: "So", thought: true, thoughtSignature: "ours" },
      { text: "Hi" },
    ),
  ]);
  assertEquals(dropped, ["messages[1].reasoning_details"]);
});

Deno.test("writeCall() sends the continuation token of a cut-off answer in place of its partial text", () => {
  const cut = {
    role: "assistant",
    content: "Once upon",
    reasoning_details: [
      {
        type: "reasoning.encrypted",
        data: '{"continuationToken":"dG9r"}',
        format: "google-gemini-v1",
        index: 0,
      },
    ],
  };
  const first = { role: "user", content: "A story" };
  assertEquals(write({ messages: [first, cut] }).body, {
    continuationToken: "dG9r",
    contents: [user({ text: "A story" })],
  });
  assertEquals(write({ messages: [first, cut, { role: "user", content: "Stop" }] }).body, {
    contents: [user({ text: "A story" }), model({ text: "Once upon" }), user({ text: "Stop" })],
  });
});

Deno.test("writeCall() returns the signatures of an image model's pictures, and replaces lost ones", () => {
  const standIn = "skip_thought_signature_validator";
  const picture = (data: string, signature?: string) => ({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${data}` },
    ...(signature && { extra_content: { google: { thought_signature: signature } } }),
  });
  const answer = {
    role: "assistant",
    content: "Here",
    images: [picture("QUJD", "Qg=="), picture("QUJE")],
    extra_content: { google: { thought_signature: "QQ==" } },
  };
  const bare = { role: "assistant", content: [{ type: "text", text: "So" }, picture("QUJF", "Qw==")] };
  const parts = (message: JsonObject, id: string) =>
    (contents([GO, message, GO], id).contents as { parts: JsonObject[] }[])[1].parts;
  const inline = (data: string) => ({ inlineData: { mimeType: "image/png", data } });
  for (const id of ["gemini-3-pro-image", "gemini-3.1-flash-image", "models/gemini-nano-banana-2.1"]) {
    assertEquals(parts(answer, id), [
      { text: "Here", thoughtSignature: "QQ==" },
      { ...inline("QUJD"), thoughtSignature: "Qg==" },
      { ...inline("QUJE"), thoughtSignature: standIn },
    ], id);
    assertEquals(parts(bare, id), [
      { text: "So", thoughtSignature: standIn },
      { ...inline("QUJF"), thoughtSignature: "Qw==" },
    ], id);
    assertEquals(parts({ role: "assistant", content: "Hi", reasoning_content: "Hm" }, id), [
      { text: "Hm", thought: true },
      { text: "Hi", thoughtSignature: standIn },
    ], id);
  }
  assertEquals(parts({ role: "assistant", content: "Hi" }, NEW), [{ text: "Hi" }]);
  assertEquals(parts({ role: "assistant", content: "Hi" }, "gemini-2.5-flash-image"), [{ text: "Hi" }]);
});
