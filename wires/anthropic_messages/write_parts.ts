/**
 * Anthropic Messages, the provider's half: writes neutral parts as content blocks.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0 and the vision, PDF and prompt caching pages of platform.claude.com,
 * 2026-11.
 */
import { objects } from "../shared/json.ts";
import { markPath } from "../shared/cache_marks.ts";
import { contentPath } from "../shared/parts.ts";
import type { JsonObject, Media, Message, Part } from "../types.ts";

/** What the writers of a body record. */
export interface Notes {
  /** The client's paths of what this wire cannot express. */
  dropped: string[];
  /** Each object with a `cache_control`, and the client's path of that mark. */
  marks: Map<JsonObject, string>;
}

/** The types of parts that a place accepts. It also accepts native parts. */
export type Place = ReadonlySet<Part["type"]>;
export const TEXT_ONLY: Place = new Set(["text", "refusal"]);
export const USER: Place = new Set(["text", "refusal", "image", "file"]);

/** Writes the content of a message. The message's own `cache_control` goes to its last block. */
export function writeParts(message: Message, place: Place, notes: Notes): JsonObject[] {
  const blocks: JsonObject[] = [];
  for (const part of message.parts) {
    const block = writePart(part, place, notes);
    if (block) blocks.push(part.cache === undefined ? block : withMark(block, part, notes));
  }
  return markLast(blocks, message, notes);
}

/** Puts the message's own `cache_control` on the last block that can have one. */
export function markLast(blocks: JsonObject[], message: Message, notes: Notes): JsonObject[] {
  if (message.cache === undefined) return blocks;
  const at = blocks.findLastIndex(({ type }) => type !== "thinking" && type !== "redacted_thinking");
  if (at < 0) return blocks;
  notes.marks.delete(blocks[at]);
  blocks[at] = withMark(blocks[at], message, notes);
  return blocks;
}

function withMark(block: JsonObject, marked: Message | Part, { marks }: Notes): JsonObject {
  const out = { ...block, cache_control: marked.cache };
  marks.set(out, markPath(marked));
  return out;
}

/** Writes one block. Returns `undefined` for an empty part, and for one that cannot be expressed, which is named. */
export function writePart(part: Part, place: Place, notes: Notes): JsonObject | undefined {
  if (part.type === "native") {
    if (part.value.cache_control == null) return part.value;
    const block = { ...part.value };
    notes.marks.set(block, `${part.path}.cache_control`);
    return block;
  }
  const written = place.has(part.type) ? writeKnown(part, notes.dropped) : undefined;
  if (written === undefined) notes.dropped.push(contentPath(part));
  return written ?? undefined;
}

/** Writes a part of a known type; `null` for an empty part, which need not be named. */
function writeKnown(part: Part, dropped: string[]): JsonObject | null | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text.trim() === "" ? null : { type: "text", text: part.text };
    case "image": {
      const block = writePicture(part.media);
      if (block && part.detail !== undefined && part.detail !== "auto") {
        dropped.push(part.detailPath ?? part.mediaPath);
      }
      return block;
    }
    case "file":
      return writeFile(part.media, part.name);
  }
}

// ---------------------------------------------------------------- media

/**
 * How the base64 of each type that the API accepts begins: pictures and PDFs. The types are from the vision and PDF
 * pages, the beginnings from the file formats.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/vision (2026-11)
 */
const BEGINNINGS: readonly (readonly [beginning: RegExp, type: string])[] = [
  [/^\/9j\//, "image/jpeg"], // FF D8 FF
  [/^iVBORw0KGgo/, "image/png"], // 89 "PNG" 0D 0A 1A 0A
  [/^R0lGOD/, "image/gif"], // "GIF8"
  [/^UklGR.{6}XRUJQ/, "image/webp"], // "RIFF", four bytes of length, "WEBP"
  [/^JVBERi/, "application/pdf"], // "%PDF"
];

/**
 * The media type by the bytes. Labels are often wrong (a JPEG labelled as PNG), and the API answers 400 to a picture
 * whose bytes do not match its label.
 */
function typeOf(base64: string): string | undefined {
  return BEGINNINGS.find(([beginning]) => beginning.test(base64))?.[1];
}

/**
 * The end of a URL says whether it leads to a picture or a PDF. The API must be told which: it fetches each only as
 * what it is labelled.
 */
const PDF_ADDRESS = /^[^?#]*\.pdf(?:[?#]|$)/i;
const PICTURE_ADDRESS = /^[^?#]*\.(?:gif|jpe?g|png|webp)(?:[?#]|$)/i;

/** Writes a picture, or a PDF that came as a picture. `undefined` for SVG and other bytes that the API cannot read. */
function writePicture(media: Media): JsonObject | undefined {
  if (!("mime" in media)) {
    const document = "url" in media && PDF_ADDRESS.test(media.url);
    return { type: document ? "document" : "image", source: writeSource(media) };
  }
  const mime = typeOf(media.data);
  if (mime === undefined) return undefined;
  const source = writeSource({ ...media, mime });
  return { type: mime === "application/pdf" ? "document" : "image", source };
}

/** Writes a file: PDFs and texts become documents, pictures become images. Other types have no block. */
function writeFile(media: Media, name: string | undefined): JsonObject | undefined {
  const title = name === undefined ? {} : { title: name };
  if ("url" in media && PICTURE_ADDRESS.test(media.url)) return writePicture(media);
  if (!("mime" in media)) return { type: "document", source: writeSource(media), ...title };
  const mime = typeOf(media.data) ?? media.mime;
  if (mime === "application/pdf") {
    return { type: "document", source: writeSource({ ...media, mime }), ...title };
  }
  if (mime.startsWith("image/")) return writePicture(media);
  if (!/^text\/|^application\/(json|xml|yaml|x-yaml|javascript)\b/.test(mime)) return undefined;
  const source = { type: "text", media_type: "text/plain", data: decodeText(media.data) };
  return { type: "document", source, ...title };
}

function writeSource(media: Media): JsonObject {
  if ("url" in media) return { type: "url", url: media.url };
  if ("id" in media) return { type: "file", file_id: media.id };
  return { type: "base64", media_type: media.mime, data: media.data };
}

function decodeText(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return base64; // The data is not base64 after all.
  }
}

// ---------------------------------------------------------------- cache marks

/** The most cache marks of a request, including one at its top level. The API answers 400 to more. */
const MOST_MARKS = 4;

/**
 * Removes and names surplus cache marks. The first mark stays if it is in `tools` or `system`, which change least; then
 * the last marks, which cover most.
 */
export function limitMarks(body: JsonObject, { dropped, marks }: Notes): void {
  let room = body.cache_control == null ? MOST_MARKS : MOST_MARKS - 1;
  if (marks.size <= room) return;
  // In the order of the prompt: tool results stand before the user's text in the same turn.
  const inOrder = (blocks: JsonObject[]) => blocks.filter((block) => marks.has(block));
  const stable = inOrder([...objects(body.tools), ...objects(body.system)]);
  const moving = inOrder(objects(body.messages).flatMap(({ content }) => objects(content)));
  const holders = [...stable, ...moving];
  if (stable.length > 0) {
    holders.shift();
    room--;
  }
  for (const holder of holders.slice(0, Math.max(0, holders.length - room))) {
    delete holder.cache_control;
    dropped.push(marks.get(holder)!);
  }
}
