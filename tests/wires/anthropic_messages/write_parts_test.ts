import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { call, messages, PNG, text, turn, USER, write } from "./written.ts";

const JPEG = "/9j/4AAQ";

const GIF = "R0lGODlh";

const WEBP = btoa("RIFF\x1a\x00\x00\x00WEBPVP8L");

const PDF = btoa("%PDF-1.7");

const SVG = btoa("<svg xmlns='http://www.w3.org/2000/svg'/>");

Deno.test("writeCall() writes pictures by value, by URL and by file id", () => {
  const url = (value: string) => ({ type: "image_url", image_url: { url: value } });
  const { body, dropped } = write({
    messages: [{
      role: "user",
      content: [url(`data:image/jpeg;base64,${JPEG}`), url("https://a.example/x.png"), {
        type: "image_url",
        image_url: { url: "https://a.example/y.png", detail: "high" },
      }],
    }],
  });
  assertEquals(body.messages[0].content, [
    { type: "image", source: { type: "base64", media_type: "image/jpeg", data: JPEG } },
    { type: "image", source: { type: "url", url: "https://a.example/x.png" } },
    { type: "image", source: { type: "url", url: "https://a.example/y.png" } },
  ]);
  assertEquals(dropped, ["messages[0].content[2].image_url.detail"]);
});

Deno.test("writeCall() finds a picture's type by its bytes, and names bytes that are not a picture", () => {
  const image = (mime: string, data: string) => ({
    type: "image_url",
    image_url: { url: `data:${mime};base64,${data}` },
  });
  const file = (mime: string, data: string) => ({
    type: "file",
    file: { file_data: `data:${mime};base64,${data}`, filename: "f" },
  });
  const written = (part: unknown) => {
    const { body, dropped } = write({
      messages: [{ role: "user", content: [part, { type: "text", text: "?" }] }],
    });
    const [block] = body.messages[0].content;
    return block.type === "text" ? dropped : [block.type, block.source.media_type, block.source.data];
  };
  const types = { "image/png": PNG, "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP };
  for (const label of ["image/png", "image/bmp", "application/octet-stream", "text/plain"]) {
    for (const [type, data] of Object.entries(types)) {
      assertEquals(written(image(label, data)), ["image", type, data], `${type} as ${label}`);
      assertEquals(written(file(label, data)), ["image", type, data], `${type} as ${label}`);
    }
    assertEquals(written(image(label, PDF)), ["document", "application/pdf", PDF], label);
    assertEquals(written(file(label, PDF)), ["document", "application/pdf", PDF], label);
    for (const data of [SVG, "", "AAAA", "Qk0=", `${btoa("x")}${PNG}`, btoa("RIFF1234WAVE")]) {
      assertEquals(written(image(label, data)), ["messages[0].content[0].image_url"], `${data} as ${label}`);
    }
  }
  for (const label of ["image/svg+xml", "image/png"]) {
    assertEquals(written(file(label, SVG)), ["messages[0].content[0].file"], label);
  }
});

Deno.test("writeCall() sends a URL as a picture or a PDF by its ending", () => {
  const type = (part: unknown) => messages([{ role: "user", content: [part] }])[0].content[0].type;
  const image = (url: string) => type({ type: "image_url", image_url: { url } });
  const file = (file_data: string) => type({ type: "file", file: { file_data } });
  for (const end of ["a.pdf", "a.PDF", "a.pdf?x=1.png", "a.pdf#p.png"]) {
    assertEquals([image(`https://a.example/${end}`), file(`https://a.example/${end}`)], [
      "document",
      "document",
    ], end);
  }
  for (const end of ["a.png", "a.JPG", "a.jpeg?x=1.pdf", "a.gif#a.pdf", "a.webp"]) {
    assertEquals(
      [image(`https://a.example/${end}`), file(`https://a.example/${end}`)],
      ["image", "image"],
      end,
    );
  }
  for (const end of ["a", "a.pdf/b", "a.png/b", "?a.pdf", "apdf", "apng"]) {
    assertEquals(
      [image(`https://a.example/${end}`), file(`https://a.example/${end}`)],
      ["image", "document"],
      end,
    );
  }
});

Deno.test("writeCall() writes PDFs and texts as documents", () => {
  const file = (value: JsonObject) => ({ type: "file", file: value });
  const { body, dropped } = write({
    messages: [{
      role: "user",
      content: [
        file({ file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" }),
        file({ file_data: "https://a.example/b.pdf" }),
        file({ file_id: "file_1" }),
        file({ file_data: "data:text/csv;base64,w6ksMQ==", filename: "c.csv" }),
        file({ file_data: "data:application/zip;base64,UEsD" }),
      ],
    }],
  });
  assertEquals(body.messages[0].content, [
    {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBE" },
      title: "a.pdf",
    },
    { type: "document", source: { type: "url", url: "https://a.example/b.pdf" } },
    { type: "document", source: { type: "file", file_id: "file_1" } },
    { type: "document", source: { type: "text", media_type: "text/plain", data: "é,1" }, title: "c.csv" },
  ]);
  assertEquals(dropped, ["messages[0].content[4].file"]);
});

Deno.test("writeCall() leaves out and names parts that no block can hold", () => {
  const { body, dropped } = write({
    messages: [
      { role: "system", content: [{ type: "image_url", image_url: { url: "https://a.example/x.png" } }] },
      {
        role: "user",
        content: [
          { type: "input_audio", input_audio: { data: "AAA=", format: "wav" } },
          { type: "video_url", video_url: { url: "https://a.example/v.mp4" } },
          { type: "text", text: "Hi" },
        ],
      },
    ],
  });
  assertEquals(body.messages, [turn("user", text("Hi"))]);
  assertEquals(dropped, [
    "messages[0].content[0].image_url",
    "messages[1].content[0].input_audio",
    "messages[1].content[1].video_url",
  ]);
});

Deno.test("writeCall() writes refusals as text and native blocks as they are", () => {
  const search = { type: "search_result", source: "https://a.example", title: "A", content: [text("x")] };
  const list = messages([
    { role: "user", content: [search] },
    { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
    USER,
  ]);
  assertEquals(list[0].content, [search]);
  assertEquals(list[1].content, [text("No.")]);
});

Deno.test("writeCall() keeps caching marks on parts, messages, tools and results", () => {
  const cache_control = { type: "ephemeral", ttl: "1h" };
  const tools = [{ type: "function", function: { name: "look" }, cache_control }];
  const first = write({
    tools,
    messages: [
      { role: "system", content: "S", cache_control },
      { role: "user", content: [{ type: "text", text: "a", cache_control }, { type: "text", text: "b" }] },
    ],
  }).body;
  assertEquals(first.tools[0].cache_control, cache_control);
  assertEquals(first.system, [text("S", { cache_control })]);
  assertEquals(first.messages[0].content, [text("a", { cache_control }), text("b")]);
  const { body } = write({
    messages: [
      USER,
      { role: "assistant", content: "c", tool_calls: [call("c1")], cache_control },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "r", cache_control }] },
      { role: "tool", tool_call_id: "c2", content: "r", cache_control },
      { role: "system", content: "S", cache_control },
    ],
  });
  assertEquals(body.messages[1].content.map((block: JsonObject) => block.cache_control), [
    undefined,
    cache_control,
  ]);
  // The API refuses marks inside a result.
  assertEquals(body.messages[2].content, [
    { type: "tool_result", tool_use_id: "c1", content: "r", cache_control },
    { type: "tool_result", tool_use_id: "c2", content: "r", cache_control },
    text("<system>\nS\n</system>", { cache_control }),
  ]);
});

Deno.test("writeCall() keeps four caching marks: the first of tools or system, and the last ones", () => {
  const cache_control = { type: "ephemeral" };
  const marked = (value: string) => ({ type: "text", text: value, cache_control });
  const users = { role: "user", content: ["a", "b", "c", "d", "e"].map(marked) };
  const marks = (fields: JsonObject) => {
    const { body, dropped } = write(fields);
    const at = [
      body.tools ?? [],
      Array.isArray(body.system) ? body.system : [],
      ...body.messages.map(
        (one: JsonObject) => one.content,
      ),
    ].flat().filter((block) => block.cache_control);
    return [at.map((block) => block.text ?? block.name), dropped];
  };
  const dropped = (...at: number[]) => at.map((one) => `messages[0].content[${one}].cache_control`);
  assertEquals(marks({ messages: [users] }), [["b", "c", "d", "e"], dropped(0)]);
  assertEquals(marks({ messages: [users], cache_control }), [["c", "d", "e"], dropped(0, 1)]);
  const tools = [{ type: "function", function: { name: "f" }, cache_control }, {
    type: "web_search_20260318",
    name: "web_search",
    cache_control,
  }];
  assertEquals(marks({ messages: [users], tools }), [
    ["f", "c", "d", "e"],
    ["tools[1].cache_control", ...dropped(0, 1)],
  ]);
  assertEquals(marks({ messages: [{ ...users, role: "system" }, USER] }), [["a", "c", "d", "e"], dropped(1)]);
  assertEquals(marks({ messages: [users], system: [marked("S")] }), [["S", "c", "d", "e"], dropped(0, 1)]);
  const four = { ...users, content: users.content.slice(1) };
  assertEquals(marks({ messages: [four] })[1], []);
  // A message's own mark replaces that of its last part, and an instruction written as user text keeps its mark.
  assertEquals(marks({ messages: [{ ...four, cache_control }] })[1], []);
  assertEquals(marks({ messages: [USER, { role: "system", content: "S", cache_control }, users] }), [
    ["b", "c", "d", "e"],
    ["messages[1].cache_control", "messages[2].content[0].cache_control"],
  ]);
});
