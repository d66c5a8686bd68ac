/** Gemini's generateContent, the provider's half: writes text and media parts. */
import { camel } from "./write_settings.ts";
import type { GeminiModel } from "./models.ts";
import type { JsonObject, Media, Part } from "../types.ts";

/**
 * Writes one part.
 *
 * @param inResult Whether the part goes into a function's result, where Google refuses a resolution.
 * @returns `undefined` for a part that Gemini cannot express; `dropped` then has its path.
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
      // OpenAI's parts have a `type`; Gemini's do not.
      const { type: _, cache_control: __, ...value } = part.value;
      if (Object.keys(value).some((key) => PART_FIELDS.has(camel(key)))) return value;
      dropped.push(part.path);
    }
  }
}

/** The resolution of a picture, by OpenAI's `detail`. Gemini accepts it per part since version 3. */
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

/** Writes media by value, by URL (which Gemini fetches itself since January 2026), or by the id of an uploaded file. */
function writeMedia(media: Media): JsonObject {
  if ("data" in media) return { inlineData: { mimeType: media.mime, data: media.data } };
  const fileUri = "url" in media ? media.url : fileUriOf(media.id);
  const mimeType = mimeOf(fileUri);
  return { fileData: mimeType ? { fileUri, mimeType } : { fileUri } };
}

/**
 * The URI of an uploaded file: `files/abc` and `abc` are ids of the Files API. The URI is a name and does not depend on
 * the row's base URL.
 */
function fileUriOf(id: string): string {
  if (/^[a-z]+:\/\//i.test(id)) return id;
  return `https://generativelanguage.googleapis.com/v1beta/files/${id.replace(/^files\//, "")}`;
}

/** The media type by the ending of a URL; `undefined` for an unknown ending. */
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
