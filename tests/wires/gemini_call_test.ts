import { assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../wires/errors.ts";
import { gemini } from "../../wires/gemini.ts";
import { readCall } from "../../wires/openai_chat_call.ts";
import { packToolId } from "../../wires/tool_id.ts";
import type { JsonObject, WireRequest } from "../../wires/types.ts";

const NEW = "gemini-3.8-flash";
const OLD = "gemini-2.5-flash";

function write(body: JsonObject, model = NEW): WireRequest {
  return gemini.writeCall(readCall({ messages: [{ role: "user", content: "Hi" }], ...body }, model));
}

function contents(messages: JsonObject[], model = NEW): { contents: unknown; dropped: string[] } {
  const { body, dropped } = write({ messages }, model);
  return { contents: body.contents, dropped };
}

const user = (...parts: JsonObject[]) => ({ role: "user", parts });
const model = (...parts: JsonObject[]) => ({ role: "model", parts });

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

// ---------------------------------------------------------------- messages

Deno.test("writeCall() joins what one role says in a row, and leaves empty text out of it", () => {
  const said = (...texts: string[]) => texts.map((content) => ({ role: "user", content }));
  const texts = Array.from({ length: 100_000 }, (_, at) => `${at}`); // Half a minute, if each looked at all before it.
  assertEquals(contents(said("", ...texts, "")).contents, [user(...texts.map((text) => ({ text })))]);
  assertEquals(contents(said("", "")).contents, [user({ text: "" })]);
  const mixed = [{ role: "user", content: [{ type: "text", text: "" }, { type: "text", text: "Hi" }] }];
  assertEquals(contents([...said("", "Well"), ...mixed]).contents, [user({ text: "Well" }, { text: "Hi" })]);
});

Deno.test("writeCall() hoists system and developer messages in order", () => {
  const { body, dropped } = write({
    messages: [
      { role: "system", content: "One" },
      { role: "user", content: "Hi" },
      { role: "developer", content: [{ type: "text", text: "Two" }, { type: "text", text: "Three" }] },
      { role: "assistant", content: "Hello" },
      { role: "system", content: [{ type: "image_url", image_url: { url: "https://a.example/b.png" } }] },
    ],
  });
  assertEquals(body.systemInstruction, { parts: [{ text: "One" }, { text: "Two" }, { text: "Three" }] });
  assertEquals(body.contents, [user({ text: "Hi" }), model({ text: "Hello" })]);
  assertEquals(dropped, ["messages[4].content[0]"]);
});

Deno.test("writeCall() lets the user say instructions that stand alone, for contents must not be empty", () => {
  const { body } = write({ messages: [{ role: "system", content: "Tell a joke." }] });
  assertEquals(body, { contents: [user({ text: "Tell a joke." })] });
});

Deno.test("writeCall() merges turns of one role and keeps a prefill last", () => {
  assertEquals(
    contents([
      { role: "user", content: "One" },
      { role: "user", content: [{ type: "text", text: "Two" }] },
      { role: "assistant", content: "Three" },
      { role: "assistant", content: [{ type: "text", text: "Four" }, { type: "refusal", refusal: "No" }] },
    ]).contents,
    [user({ text: "One" }, { text: "Two" }), model({ text: "Three" }, { text: "Four" }, { text: "No" })],
  );
});

Deno.test("writeCall() leaves out empty texts, but not the whole of what a user said", () => {
  assertEquals(
    contents([
      { role: "user", content: "" },
      { role: "assistant", content: "" },
      { role: "assistant", content: null },
      { role: "assistant", content: "Yes?" },
      { role: "user", content: [{ type: "text", text: "" }, { type: "text", text: "Hi" }] },
      { role: "user", content: "" },
    ]).contents,
    [user({ text: "" }), { role: "model", parts: [{ text: "Yes?" }] }, user({ text: "Hi" })],
  );
});

Deno.test("writeCall() names what a message cannot carry", () => {
  const { contents: written, dropped } = contents([
    {
      role: "user",
      name: "ada",
      content: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }],
    },
    { role: "user", content: [{ type: "hologram", hologram: 1 }], cache_control: { type: "ephemeral" } },
  ]);
  assertEquals(written, [user({ text: "Hi" })]);
  assertEquals(dropped, [
    "messages[0].name",
    "messages[0].content[0].cache_control",
    "messages[1].cache_control",
    "messages[1].content[0]",
  ]);
});

// ---------------------------------------------------------------- parts

const PIXEL = "iVBORw0KGgo=";

Deno.test("writeCall() writes media by value, by address and by file id", () => {
  const parts: [JsonObject, JsonObject][] = [
    [
      { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
      { inlineData: { mimeType: "image/png", data: PIXEL } },
    ],
    [
      { type: "image_url", image_url: { url: "https://a.example/cat.JPG?size=1.png" } },
      { fileData: { fileUri: "https://a.example/cat.JPG?size=1.png", mimeType: "image/jpeg" } },
    ],
    [
      { type: "image_url", image_url: { url: "https://a.example/cat" } },
      { fileData: { fileUri: "https://a.example/cat" } },
    ],
    [
      { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      { inlineData: { mimeType: "audio/wav", data: "UklGRg==" } },
    ],
    [
      { type: "video_url", video_url: { url: "https://www.youtube.com/watch?v=x" } },
      { fileData: { fileUri: "https://www.youtube.com/watch?v=x" } },
    ],
    [
      { type: "file", file: { file_data: "data:application/pdf; base64,\n JVBE\r\nRi0= " } },
      { inlineData: { mimeType: "application/pdf", data: "JVBERi0=" } },
    ],
    [
      { type: "file", file: { file_id: "files/abc-1" } },
      { fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc-1" } },
    ],
    [
      { type: "file", file: { file_id: "gs://bucket/report.pdf" } },
      { fileData: { fileUri: "gs://bucket/report.pdf", mimeType: "application/pdf" } },
    ],
    [
      { type: "media", fileData: { fileUri: "gs://b/v.mp4" }, videoMetadata: { fps: 5 } },
      { fileData: { fileUri: "gs://b/v.mp4" }, videoMetadata: { fps: 5 } },
    ],
  ];
  for (const [part, written] of parts) {
    assertEquals(contents([{ role: "user", content: [part] }]), { contents: [user(written)], dropped: [] });
  }
});

Deno.test("writeCall() writes an image's detail per part from Gemini 3 on", () => {
  const image = (detail: string) => [
    { role: "user", content: [{ type: "image_url", image_url: { url: "https://a.example/b.png", detail } }] },
  ];
  const plain = { fileData: { fileUri: "https://a.example/b.png", mimeType: "image/png" } };
  assertEquals(contents(image("high")), {
    contents: [user({ ...plain, mediaResolution: { level: "MEDIA_RESOLUTION_HIGH" } })],
    dropped: [],
  });
  assertEquals(contents(image("auto"), OLD), { contents: [user(plain)], dropped: [] });
  assertEquals(contents(image("low"), OLD), {
    contents: [user(plain)],
    dropped: ["messages[0].content[0].image_url.detail"],
  });
});

Deno.test("writeCall() names a file's name, which Gemini has no place for", () => {
  const file = { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" };
  assertEquals(contents([{ role: "user", content: [{ type: "file", file }] }]).dropped, [
    "messages[0].content[0].file.filename",
  ]);
});

// ---------------------------------------------------------------- tools in messages

const call = (id: string, name: string, args = "{}") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

Deno.test("writeCall() groups parallel results in their calls' order and finds their names", () => {
  const { contents: written, dropped } = contents([
    { role: "user", content: "Weather?" },
    {
      role: "assistant",
      content: "Let me look.",
      tool_calls: [call("a", "now", '{"city":"Bern"}'), call("b", "soon")],
    },
    { role: "tool", tool_call_id: "b", content: "rain" },
    { role: "tool", tool_call_id: "a", content: '{"degrees":7}' },
    { role: "user", content: "Thanks" },
  ], OLD);
  assertEquals(written, [
    user({ text: "Weather?" }),
    model(
      { text: "Let me look." },
      { functionCall: { id: "a", name: "now", args: { city: "Bern" } } },
      { functionCall: { id: "b", name: "soon", args: {} } },
    ),
    user(
      { functionResponse: { id: "a", name: "now", response: { output: { degrees: 7 } } } },
      { functionResponse: { id: "b", name: "soon", response: { output: "rain" } } },
    ),
    user({ text: "Thanks" }),
  ]);
  assertEquals(dropped, []);
});

Deno.test("writeCall() writes results of every kind", () => {
  const result = (content: unknown, more: JsonObject = {}) => {
    const { contents: written } = contents([
      { role: "assistant", tool_calls: [call("a", "f")] },
      { role: "tool", tool_call_id: "a", content, ...more },
    ], OLD);
    return (written as { parts: { functionResponse: { response: unknown } }[] }[])[1].parts[0]
      .functionResponse.response;
  };
  assertEquals(result(""), { output: "" });
  assertEquals(result("[1, 2]"), { output: [1, 2] });
  assertEquals(result("{broken"), { output: "{broken" });
  assertEquals(result("42"), { output: "42" });
  assertEquals(result([{ type: "text", text: "a" }, { type: "text", text: "b" }]), { output: "a\nb" });
  assertEquals(result("no such city", { is_error: true }), { error: "no such city" });
  // A double would make 12345678901234567890 of it.
  assertEquals(result('{"id":12345678901234567891}'), { output: '{"id":12345678901234567891}' });
});

Deno.test("writeCall() puts a result's media inside it from Gemini 3 on, else behind it", () => {
  const messages = [
    { role: "assistant", tool_calls: [call("a", "shot")] },
    {
      role: "tool",
      tool_call_id: "a",
      content: [
        { type: "text", text: "Here" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
        { type: "image_url", image_url: { url: "https://a.example/b.png" } },
      ],
    },
  ];
  const inline = { inlineData: { mimeType: "image/png", data: PIXEL } };
  const linked = { fileData: { fileUri: "https://a.example/b.png", mimeType: "image/png" } };
  const response = { id: "a", name: "shot", response: { output: "Here" } };
  const turn = (id: string) => (contents(messages, id).contents as unknown[])[1];
  assertEquals(turn(NEW), user({ functionResponse: { ...response, parts: [inline] } }, linked));
  assertEquals(turn(OLD), user({ functionResponse: response }, inline, linked));
});

Deno.test("writeCall() writes the legacy function role", () => {
  assertEquals(
    contents([
      { role: "assistant", content: null, function_call: { name: "f", arguments: "" } },
      { role: "function", name: "f", content: "1" },
    ], OLD),
    {
      contents: [
        model({ functionCall: { id: "call_0_f", name: "f", args: {} } }),
        user({ functionResponse: { id: "call_0_f", name: "f", response: { output: "1" } } }),
      ],
      dropped: [],
    },
  );
});

Deno.test("writeCall() keeps arguments that are no object where the model can see them", () => {
  const args = (
    text: string,
  ) => ((contents([{ role: "assistant", tool_calls: [call("a", "f", text)] }], OLD).contents as {
    parts: { functionCall: { args: unknown } }[];
  }[])[0].parts[0].functionCall.args);
  assertEquals(args('{"a":'), { arguments: '{"a":' });
  assertEquals(args("[1]"), { arguments: "[1]" });
  assertEquals(args(" "), {});
});

// ---------------------------------------------------------------- signatures and thoughts

const SIGNATURE = "CiQBVKhc7kQm+a/b8Q==";

Deno.test("writeCall() returns a call's signature from either of its places", () => {
  const google = { extra_content: { google: { thought_signature: SIGNATURE } } };
  for (const tool of [{ ...call("a", "f"), ...google }, call(packToolId("a", SIGNATURE), "f")]) {
    assertEquals(contents([{ role: "assistant", tool_calls: [tool, call("b", "g")] }]).contents, [
      model(
        { functionCall: { id: "a", name: "f", args: {} }, thoughtSignature: SIGNATURE },
        { functionCall: { id: "b", name: "g", args: {} } },
      ),
    ]);
  }
});

Deno.test("writeCall() signs foreign calls as Google documents, for models that demand it", () => {
  const messages = [
    { role: "assistant", tool_calls: [call("a", "f"), call("b", "g")] },
    { role: "tool", tool_call_id: "a", content: "1" },
    { role: "tool", tool_call_id: "b", content: "2" },
    { role: "assistant", tool_calls: [call("c", "f")] },
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
  assertEquals(contents([{ role: "assistant", content: "Hi", ...google }]).contents, [
    model({ text: "Hi", thoughtSignature: SIGNATURE }),
  ]);
  assertEquals(
    contents([{ role: "assistant", content: "", reasoning_content: "Hm", ...google }]).contents,
    [model({ text: "Hm", thought: true }, { text: "", thoughtSignature: SIGNATURE })],
  );
});

Deno.test("writeCall() returns its own sealed parts, and never another provider's", () => {
  const part = {
    toolCall: { id: "1", toolType: "GOOGLE_SEARCH_WEB", args: {} },
    thoughtSignature: SIGNATURE,
  };
  const { contents: written, dropped } = contents([{
    role: "assistant",
    content: "Hi",
    reasoning_details: [
      { type: "reasoning.encrypted", data: JSON.stringify(part), format: "google-gemini-v1", index: 0 },
      { type: "reasoning.encrypted", data: "opaque", format: "openai-responses-v1", index: 1 },
      { type: "reasoning.text", text: "Hm", signature: "theirs", format: "anthropic-claude-v1", index: 2 },
      { type: "reasoning.text", text: "So", signature: "ours", format: "google-gemini-v1", index: 3 },
    ],
  }]);
  assertEquals(written, [
    model(
      part,
      { text: "Hm", thought: true },
      { text: "So", thought: true, thoughtSignature: "ours" },
      { text: "Hi" },
    ),
  ]);
  assertEquals(dropped, ["messages[0].reasoning_details"]);
});

Deno.test("writeCall() goes on with an answer that was cut off, in place of its partial text", () => {
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
