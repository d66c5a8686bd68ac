import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../../wires/types.ts";
import { contents, OLD, PIXEL, user } from "./written.ts";

// ---------------------------------------------------------------- parts

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
