/** Gemini's generateContent, the request's parts: text and media. */
import { camel } from "./write_settings.ts";
import type { GeminiModel } from "./models.ts";
import type { JsonObject, Media, Part } from "../types.ts";

/**
 * Writes one part.
 *
 * @param inResult Whether it goes into a function's result, which takes no resolution.
 * @returns `undefined` for what Gemini has no form for; `dropped` names it then.
 */
export function writePart(
  part: Part,
  model: GeminiModel,
  dropped: string[],
  inResult = false,
): JsonObject | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return { text: part.text };
    case "image": {
      const written = writeMedia(part.media);
      const level = DETAILS.get(part.detail);
      if (level && model.third && !inResult) written.mediaResolution = { level };
      else if (part.detail !== undefined && part.detail !== "auto") {
        dropped.push(part.detailPath ?? part.mediaPath);
      }
      return written;
    }
    case "file":
      if (part.name !== undefined) dropped.push(part.namePath ?? part.mediaPath);
      return writeMedia(part.media);
    case "audio":
    case "video":
      return writeMedia(part.media);
    case "native": {
      // OpenAI's parts have a type and Gemini's have none.
      const { type: _, cache_control: __, ...value } = part.value;
      if (Object.keys(value).some((key) => PART_FIELDS.has(camel(key)))) return value;
      dropped.push(part.path);
    }
  }
}

/** Per part since Gemini 3. */
const DETAILS: ReadonlyMap<string | undefined, string> = new Map([
  ["low", "MEDIA_RESOLUTION_LOW"],
  ["high", "MEDIA_RESOLUTION_HIGH"],
]);

const PART_FIELDS: ReadonlySet<string> = new Set([
  "codeExecutionResult",
  "executableCode",
  "fileData",
  "functionCall",
  "functionResponse",
  "inlineData",
  "text",
  "toolCall",
  "toolResponse",
]);

/** By value; by address, which Gemini fetches itself since January 2026; or by the id of an uploaded file. */
function writeMedia(media: Media): JsonObject {
  if ("data" in media) return { inlineData: { mimeType: media.mime, data: media.data } };
  const fileUri = "url" in media ? media.url : fileUriOf(media.id);
  const mimeType = mimeOf(fileUri);
  return { fileData: mimeType ? { fileUri, mimeType } : { fileUri } };
}

/** `files/abc` and `abc` are the Files API's; their address is a name, whatever the base URL is. */
function fileUriOf(id: string): string {
  if (/^[a-z]+:\/\//i.test(id)) return id;
  return `https://generativelanguage.googleapis.com/v1beta/files/${id.replace(/^files\//, "")}`;
}

/** The type that an address's ending tells, if it does. */
function mimeOf(url: string): string | undefined {
  const [path] = url.split(/[?#]/, 1);
  return MIMES.get(path.slice(path.lastIndexOf(".") + 1).toLowerCase());
}

const MIMES: ReadonlyMap<string, string> = new Map([
  ["aac", "audio/aac"],
  ["avi", "video/avi"],
  ["csv", "text/csv"],
  ["flac", "audio/flac"],
  ["gif", "image/gif"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
  ["html", "text/html"],
  ["jpeg", "image/jpeg"],
  ["jpg", "image/jpeg"],
  ["json", "application/json"],
  ["md", "text/markdown"],
  ["mov", "video/mov"],
  ["mp3", "audio/mp3"],
  ["mp4", "video/mp4"],
  ["mpeg", "video/mpeg"],
  ["ogg", "audio/ogg"],
  ["pdf", "application/pdf"],
  ["png", "image/png"],
  ["txt", "text/plain"],
  ["wav", "audio/wav"],
  ["webm", "video/webm"],
  ["webp", "image/webp"],
  ["wmv", "video/wmv"],
  ["xml", "text/xml"],
]);
