/** Types of media by their bytes and by their names, also with other bytes or letters before them. */
import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../wires/types.ts";
import { ask, before, message } from "../fakes.ts";

/** The first block of the user's turn that a provider gets for a part. */
async function sent(model: string, part: object): Promise<JsonObject | undefined> {
  const messages = [{ role: "user", content: [part, { type: "text", text: "What is this?" }] }];
  const { fetch, sent } = before(() => message());
  await (await fetch(ask(model, {}, { messages }))).body?.cancel();
  const body = JSON.parse(sent[0].body);
  return (body.contents?.[0].parts ?? body.messages[0].content)[0];
}

Deno.test("Claude gets a picture typed by its first bytes, and none if they come later", async () => {
  const beginnings: Record<string, number[]> = {
    "image/jpeg": [0xff, 0xd8, 0xff],
    "image/png": [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    "image/gif": [0x47, 0x49, 0x46, 0x38, 0x39, 0x61],
    "image/webp": [0x52, 0x49, 0x46, 0x46, 1, 2, 3, 4, 0x57, 0x45, 0x42, 0x50],
  };
  for (const [type, bytes] of Object.entries(beginnings)) {
    const base64 = (...before: number[]) => btoa(String.fromCharCode(...before, ...bytes, 0, 0, 0));
    const picture = (data: string) =>
      sent("anthropic/claude-sonnet-5-5", {
        type: "image_url",
        image_url: { url: `data:image/bmp;base64,${data}` },
      });
    const source = { type: "base64", media_type: type, data: base64() };
    assertEquals(await picture(base64()), { type: "image", source });
    // With three bytes before them, the letters of the base64 stay the same.
    assertEquals((await picture(base64(1, 2, 3)))!.type, "text", type);
  }
});

Deno.test("Gemini gets a URL in any case as a URL, and any other id as one of its own files", async () => {
  const uris: Record<string, string> = {
    "gs://bucket/a": "gs://bucket/a",
    "GS://bucket/a": "GS://bucket/a",
    "https://h.test/a": "https://h.test/a",
    "files/abc": "https://generativelanguage.googleapis.com/v1beta/files/abc",
    "abc": "https://generativelanguage.googleapis.com/v1beta/files/abc",
  };
  for (const [file_id, fileUri] of Object.entries(uris)) {
    const part = await sent("google-ai-studio/gemini-3.8-flash", { type: "file", file: { file_id } });
    assertEquals(part, { fileData: { fileUri } }, file_id);
  }
});
