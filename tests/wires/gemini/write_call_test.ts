import { assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import { gemini } from "../../../wires/gemini/mod.ts";
import { readCall } from "../../../wires/openai_chat/read_call.ts";
import { packToolId } from "../../../wires/shared/tool_id.ts";
import type { JsonObject, WireRequest } from "../../../wires/types.ts";

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

Deno.test("writeCall() joins consecutive messages of one role, without empty text", () => {
  const said = (...texts: string[]) => texts.map((content) => ({ role: "user", content }));
  const texts = Array.from({ length: 100_000 }, (_, at) => `${at}`); // This would take half a minute if each result looked at all results before it.
  assertEquals(contents(said("", ...texts, "")).contents, [user(...texts.map((text) => ({ text })))]);
  const mixed = [{ role: "user", content: [{ type: "text", text: "" }, { type: "text", text: "Hi" }] }];
  assertEquals(contents([...said("", "Well"), ...mixed]).contents, [user({ text: "Well" }, { text: "Hi" })]);
});

Deno.test("writeCall() writes leading instructions as the system's, and keeps later ones in their place", () => {
  const { body, dropped } = write({
    messages: [
      { role: "system", content: "One" },
      { role: "developer", content: [{ type: "text", text: "Two" }, { type: "text", text: "Three" }] },
      { role: "user", content: "Hi" },
      { role: "developer", content: [{ type: "text", text: "Four" }, { type: "text", text: "" }] },
      { role: "assistant", content: "Hello" },
      { role: "system", content: [{ type: "image_url", image_url: { url: "https://a.example/b.png" } }] },
      { role: "system", content: "Five" },
    ],
  });
  assertEquals(body.systemInstruction, { parts: [{ text: "One" }, { text: "Two" }, { text: "Three" }] });
  assertEquals(body.contents, [
    user({ text: "Hi" }, { text: "<system>\nFour\n</system>" }),
    model({ text: "Hello" }),
    user({ text: "<system>\nFive\n</system>" }),
  ]);
  assertEquals(dropped, ["messages[5].content[0]"]);
});

Deno.test("writeCall() keeps results together around an instruction, which comes behind them", () => {
  const { contents: written } = contents([
    GO,
    { role: "assistant", tool_calls: [call("a", "f"), call("b", "g")] },
    { role: "tool", tool_call_id: "b", content: "2" },
    { role: "system", content: "Be brief" },
    { role: "tool", tool_call_id: "a", content: "1" },
    { role: "user", content: "Now" },
  ], OLD);
  assertEquals((written as unknown[]).slice(2), [
    user(
      { functionResponse: { id: "a", name: "f", response: { output: "1" } } },
      { functionResponse: { id: "b", name: "g", response: { output: "2" } } },
    ),
    user({ text: "<system>\nBe brief\n</system>" }, { text: "Now" }),
  ]);
});

Deno.test("writeCall() adds a user turn if the conversation would begin with the model", () => {
  const joke = { role: "system", content: "Tell a joke." };
  const systemInstruction = { parts: [{ text: "Tell a joke." }] };
  assertEquals(write({ messages: [joke] }).body, { systemInstruction, contents: [user({ text: "Begin." })] });
  const told = { role: "assistant", content: "Knock knock" };
  assertEquals(write({ messages: [joke, told, GO] }).body, {
    systemInstruction,
    contents: [user({ text: "Begin." }), model({ text: "Knock knock" }), user({ text: "Go" })],
  });
  const cut = [
    { role: "assistant", tool_calls: [call("a", "f")] },
    { role: "tool", tool_call_id: "a", content: "r" },
  ];
  const roles = (body: JsonObject) => (body.contents as { role: string }[]).map(({ role }) => role);
  assertEquals(roles(write({ messages: cut }).body), ["user", "model", "user"]);
  assertEquals(roles(write({ messages: cut, cachedContent: "cachedContents/a" }).body), ["model", "user"]);
  assertEquals(roles(write({ messages: cut, cached_content: "cachedContents/a" }).body), ["model", "user"]);
});

Deno.test("writeCall() writes instructions as marked user text for a model without system instructions", () => {
  const messages = [{ role: "system", content: "Be brief" }, GO];
  assertEquals(write({ messages }, "gemma-3-27b-it").body, {
    contents: [user({ text: "<system>\nBe brief\n</system>" }, { text: "Go" })],
  });
  assertEquals(write({ messages }, "gemma-4-31b-it").body.systemInstruction, {
    parts: [{ text: "Be brief" }],
  });
});

Deno.test("writeCall() leaves out and names a begun answer that the model cannot continue", () => {
  const said = { role: "assistant", content: "The answer is" };
  const ends: [JsonObject[], string[]][] = [
    [[GO, said], ["messages[1]"]],
    [[GO, { role: "assistant", content: "" }], []],
    [[GO, said, said], ["messages[1]", "messages[2]"]],
    [[GO, { role: "assistant", tool_calls: [call("a", "f")] }], ["messages[1]"]],
    [[said], ["messages[0]"]],
  ];
  for (const [messages, names] of ends) {
    const { contents: written, dropped } = contents(messages);
    assertEquals((written as { role: string }[]).map(({ role }) => role), ["user"]);
    assertEquals(dropped, names);
    assertEquals(contents(messages, OLD).dropped, []);
  }
  assertEquals(contents([GO, said], OLD).contents, [
    user({ text: "Go" }),
    model({ text: "The answer is" }),
  ]);
  for (const next of [GO, { role: "system", content: "On" }]) {
    assertEquals(contents([GO, said, next]).dropped, []);
  }
});

Deno.test("writeCall() refuses a last message of which nothing is left, because the model would continue its old answer", () => {
  const hologram = { role: "user", content: [{ type: "hologram", hologram: 1 }] };
  const answered = [GO, { role: "assistant", content: "Hi" }];
  for (const [messages, path] of [[[hologram], 0], [[...answered, hologram], 2]] as const) {
    const error = assertThrows(() => write({ messages }), GatewayError);
    assertEquals(error.details.param, `messages[${path}].content`);
    assertEquals(error.status, 400);
  }
  for (const content of ["", []]) {
    for (const before of [[], answered]) {
      assertThrows(() => write({ messages: [...before, { role: "user", content }] }), GatewayError);
    }
  }
  assertEquals(contents([...answered, hologram, GO]).dropped, ["messages[2].content[0]"]);
  assertEquals(contents([...answered, GO, hologram]).dropped, ["messages[3].content[0]"]);
});

Deno.test("writeCall() merges turns of one role and keeps a prefill last", () => {
  assertEquals(
    contents([
      { role: "user", content: "One" },
      { role: "user", content: [{ type: "text", text: "Two" }] },
      { role: "assistant", content: "Three" },
      { role: "assistant", content: [{ type: "text", text: "Four" }, { type: "refusal", refusal: "No" }] },
    ], OLD).contents,
    [user({ text: "One" }, { text: "Two" }), model({ text: "Three" }, { text: "Four" }, { text: "No" })],
  );
});

Deno.test("writeCall() leaves out empty texts", () => {
  assertEquals(
    contents([
      { role: "user", content: "Well" },
      { role: "user", content: "" },
      { role: "assistant", content: "" },
      { role: "assistant", content: null },
      { role: "assistant", content: "Yes?" },
      { role: "user", content: [{ type: "text", text: "" }, { type: "text", text: "Hi" }] },
      { role: "user", content: "" },
    ]).contents,
    [user({ text: "Well" }), { role: "model", parts: [{ text: "Yes?" }] }, user({ text: "Hi" })],
  );
});

Deno.test("writeCall() names members that a message cannot carry", () => {
  const { contents: written, dropped } = contents([
    {
      role: "user",
      name: "ada",
      content: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }],
    },
    {
      role: "user",
      content: [{ type: "hologram", hologram: 1 }, { type: "text", text: "Yes" }],
      cache_control: { type: "ephemeral" },
    },
  ]);
  assertEquals(written, [user({ text: "Hi" }, { text: "Yes" })]);
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

const GO = { role: "user", content: "Go" };
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

Deno.test("writeCall() refuses a conversation of which nothing is left, unless Google has its start in a cache", () => {
  const picture = { type: "image_url", image_url: { url: "https://a.example/a.png" } };
  const list = [{ role: "system", content: [picture] }];
  const error = assertThrows(() => write({ messages: list }), GatewayError);
  assertEquals([error.code, error.details.param], ["invalid_request", "messages[0].content"]);
  assertEquals(write({ messages: list, cached_content: "c" }).body.contents, []);
  const own = [user({ text: "Hi" })];
  assertEquals(write({ messages: list, contents: own }).body.contents, own);
});

Deno.test("writeCall() sends one result for a call and names the others of its turn", () => {
  const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
  const ask = { role: "assistant", content: null, tool_calls: [call] };
  const result = (content: string) => ({ role: "tool", tool_call_id: "c", content });
  const outputs = (messages: JsonObject[]) => {
    const written = contents([{ role: "user", content: "Hi" }, ...messages]);
    const parts = (written.contents as { parts: JsonObject[] }[]).flatMap(({ parts }) => parts);
    const results = parts.flatMap(({ functionResponse }) => functionResponse ?? []) as JsonObject[];
    return { outputs: results.map(({ id, response }) => [id, response]), dropped: written.dropped };
  };
  const system = { role: "system", content: "S" };
  for (const between of [[], [system]]) {
    assertEquals(outputs([ask, result("1"), ...between, result("2")]), {
      outputs: [["c", { output: "1" }]],
      dropped: [`messages[${3 + between.length}]`],
    });
  }
  // A model that restarts its ids in each turn: each turn has its own results.
  assertEquals(outputs([ask, result("1"), ask, result("2")]), {
    outputs: [["c", { output: "1" }], ["c_2", { output: "2" }]],
    dropped: [],
  });
});

Deno.test("writeCall() writes results of every kind", () => {
  const result = (content: unknown, more: JsonObject = {}) => {
    const { contents: written } = contents([
      GO,
      { role: "assistant", tool_calls: [call("a", "f")] },
      { role: "tool", tool_call_id: "a", content, ...more },
    ], OLD);
    return (written as { parts: { functionResponse: { response: unknown } }[] }[])[2].parts[0]
      .functionResponse.response;
  };
  assertEquals(result(""), { output: "" });
  assertEquals(result("[1, 2]"), { output: [1, 2] });
  assertEquals(result("{broken"), { output: "{broken" });
  assertEquals(result("42"), { output: "42" });
  assertEquals(result([{ type: "text", text: "a" }, { type: "text", text: "b" }]), { output: "a\nb" });
  assertEquals(result("no such city", { is_error: true }), { error: "no such city" });
  // A double would change the number 12345678901234567891.
  assertEquals(result('{"id":12345678901234567891}'), { output: '{"id":12345678901234567891}' });
});

Deno.test("writeCall() puts a result's media inside it from Gemini 3 on, else behind it", () => {
  const messages = [
    GO,
    { role: "assistant", tool_calls: [call("a", "shot"), call("b", "shot")] },
    {
      role: "tool",
      tool_call_id: "a",
      content: [
        { type: "text", text: "Here" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
        { type: "image_url", image_url: { url: "https://a.example/b.png" } },
      ],
    },
    { role: "tool", tool_call_id: "b", content: "None" },
    { role: "user", content: "Which?" },
  ];
  const inline = { inlineData: { mimeType: "image/png", data: PIXEL } };
  const linked = { fileData: { fileUri: "https://a.example/b.png", mimeType: "image/png" } };
  const response = { id: "a", name: "shot", response: { output: "Here" } };
  const none = { functionResponse: { id: "b", name: "shot", response: { output: "None" } } };
  const turns = (id: string) => (contents(messages, id).contents as unknown[]).slice(2);
  assertEquals(turns(NEW), [
    user({ functionResponse: { ...response, parts: [inline] } }, none),
    user(linked, { text: "Which?" }),
  ]);
  assertEquals(turns(OLD), [
    user({ functionResponse: response }, none),
    user(inline, linked, { text: "Which?" }),
  ]);
});

Deno.test("writeCall() puts into a result only what Google accepts there, and the rest beside it", () => {
  const data = (mime: string) => ({ url: `data:${mime};base64,${PIXEL}` });
  const image = (mime: string) => ({ type: "image_url", image_url: data(mime) });
  const file = (mime: string) => ({ type: "file", file: { file_data: data(mime).url } });
  const cases: [JsonObject, "inside" | "beside"][] = [
    [image("image/png"), "inside"],
    [image("image/jpg"), "inside"],
    [image("image/jpeg"), "inside"],
    [image("image/webp"), "inside"],
    [file("application/pdf"), "inside"],
    [file("text/plain"), "inside"],
    [{ type: "blob", inlineData: { mimeType: "image/png", data: PIXEL } }, "inside"],
    [{ type: "blob", inline_data: { mime_type: "image/png", data: PIXEL } }, "inside"],
    [image("image/gif"), "beside"],
    [image("image/heic"), "beside"],
    [image("ximage/png"), "beside"],
    [image("image/pngx"), "beside"],
    [file("application/json"), "beside"],
    [file("video/mp4"), "beside"],
    [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }, "beside"],
    [{ type: "video_url", video_url: { url: "https://www.youtube.com/watch?v=x" } }, "beside"],
    [{ type: "file", file: { file_id: "files/abc" } }, "beside"],
    [{ type: "image_url", image_url: { url: "https://a.example/b.png" } }, "beside"],
    [{ type: "blob", fileData: { fileUri: "gs://b/a.png" } }, "beside"],
  ];
  for (const [part, place] of cases) {
    const { contents: written, dropped } = contents([
      GO,
      { role: "assistant", tool_calls: [call("a", "f")] },
      { role: "tool", tool_call_id: "a", content: [part] },
    ]);
    const [, , results, media] = written as { role: string; parts: JsonObject[] }[];
    const [{ functionResponse }, ...more] = results.parts as { functionResponse: JsonObject }[];
    const counts = [
      (functionResponse.parts as unknown[] ?? []).length,
      more.length,
      media?.parts.length ?? 0,
    ];
    assertEquals(counts, place === "inside" ? [1, 0, 0] : [0, 0, 1], JSON.stringify(part));
    assertEquals(dropped, []);
    if (media) assertEquals(media.role, "user");
  }
});

Deno.test("writeCall() writes no resolution inside a result, but beside it", () => {
  const image = (url: string) => ({ type: "image_url", image_url: { url, detail: "low" } });
  const native = {
    type: "blob",
    inlineData: { mimeType: "image/png", data: PIXEL },
    mediaResolution: { level: "MEDIA_RESOLUTION_HIGH" },
  };
  const { contents: written, dropped } = contents([
    GO,
    { role: "assistant", tool_calls: [call("a", "f")] },
    {
      role: "tool",
      tool_call_id: "a",
      content: [
        image(`data:image/png;base64,${PIXEL}`),
        native,
        image(`data:image/gif;base64,${PIXEL}`),
      ],
    },
  ]);
  const inline = { inlineData: { mimeType: "image/png", data: PIXEL } };
  assertEquals((written as unknown[]).slice(2), [
    user({ functionResponse: { id: "a", name: "f", response: { output: "" }, parts: [inline, inline] } }),
    user({
      inlineData: { mimeType: "image/gif", data: PIXEL },
      mediaResolution: { level: "MEDIA_RESOLUTION_LOW" },
    }),
  ]);
  assertEquals(dropped, [
    "messages[2].content[0].image_url.detail",
    "messages[2].content[1].mediaResolution",
  ]);
});

Deno.test("writeCall() writes JSON as text if Google would not accept it as data", () => {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const cases: [string, "data" | "text"][] = [
    ['{"a":{"b":[1]}}', "data"],
    ['{"ref":1,"$refs":2,"x$ref":3}', "data"],
    ['{"a":"$ref"}', "data"],
    ['{"$ref":"#/a"}', "text"],
    ['{"\\u0024ref":null}', "text"],
    ['[{"a":[{"$ref":1}]}]', "text"],
    [deep(30), "data"],
    [deep(31), "text"],
    [deep(100_000), "text"],
    ['{"a":1e400}', "text"],
    ['{"a":123456789012345}', "data"],
    ['{"a":1234567890123456}', "text"],
  ];
  for (const [content, form] of cases) {
    const { contents: written } = contents([
      GO,
      { role: "assistant", tool_calls: [call("a", "f")] },
      { role: "tool", tool_call_id: "a", content },
    ]);
    const results = (written as { parts: { functionResponse: { response: JsonObject } }[] }[])[2];
    const { output } = results.parts[0].functionResponse.response;
    assertEquals(output, form === "text" ? content : JSON.parse(content), content.slice(0, 80));
  }
});

Deno.test("writeCall() writes the legacy function role", () => {
  assertEquals(
    contents([
      GO,
      { role: "assistant", content: null, function_call: { name: "f", arguments: "" } },
      { role: "function", name: "f", content: "1" },
    ], OLD),
    {
      contents: [
        user({ text: "Go" }),
        model({ functionCall: { id: "call_1_f", name: "f", args: {} } }),
        user({ functionResponse: { id: "call_1_f", name: "f", response: { output: "1" } } }),
      ],
      dropped: [],
    },
  );
});

Deno.test("writeCall() keeps arguments that are not an object where the model can see them", () => {
  const args = (
    text: string,
  ) => ((contents([GO, { role: "assistant", tool_calls: [call("a", "f", text)] }], OLD).contents as {
    parts: { functionCall: { args: unknown } }[];
  }[])[1].parts[0].functionCall.args);
  assertEquals(args('{"a":'), { arguments: '{"a":' });
  assertEquals(args("[1]"), { arguments: "[1]" });
  assertEquals(args(" "), {});
  assertEquals(args('{"$ref":"#/a"}'), { $ref: "#/a" });
  const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  assertEquals(args(deep), { arguments: deep });
});

// ---------------------------------------------------------------- signatures and thoughts

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

Deno.test("writeCall() knows a file's type by its ending", () => {
  const types = {
    aac: "audio/aac",
    avi: "video/avi",
    csv: "text/csv",
    flac: "audio/flac",
    gif: "image/gif",
    heic: "image/heic",
    heif: "image/heif",
    html: "text/html",
    jpeg: "image/jpeg",
    jpg: "image/jpeg",
    json: "application/json",
    md: "text/markdown",
    mov: "video/mov",
    mp3: "audio/mp3",
    mp4: "video/mp4",
    mpeg: "video/mpeg",
    ogg: "audio/ogg",
    pdf: "application/pdf",
    png: "image/png",
    txt: "text/plain",
    wav: "audio/wav",
    webm: "video/webm",
    webp: "image/webp",
    wmv: "video/wmv",
    xml: "text/xml",
  };
  for (const [ending, mimeType] of Object.entries(types)) {
    for (const fileUri of [`gs://b/a.${ending}`, `https://a.example/x.y.${ending.toUpperCase()}#1`]) {
      const part = { type: "file", file: { file_id: fileUri } };
      assertEquals(contents([{ role: "user", content: [part] }]).contents, [
        user({ fileData: { fileUri, mimeType } }),
      ]);
    }
  }
  const part = { type: "file", file: { file_id: "gs://b/a.xpng" } };
  assertEquals(contents([{ role: "user", content: [part] }]).contents, [
    user({ fileData: { fileUri: "gs://b/a.xpng" } }),
  ]);
});
