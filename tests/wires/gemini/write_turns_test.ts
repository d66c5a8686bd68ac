import { assertEquals, assertThrows } from "@std/assert";
import { GatewayError } from "../../../wires/errors.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { call, contents, GO, model, NEW, OLD, PIXEL, user, write } from "./written.ts";

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

// ---------------------------------------------------------------- tools in messages

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
