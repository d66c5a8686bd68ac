/** OpenAI's Responses, the client's half: reads the content of messages and of tool results. */
import { readMark } from "../shared/cache_marks.ts";
import { isObject } from "../shared/json.ts";
import { ADDRESS, readUrl } from "../shared/data_url.ts";
import { fault, need } from "../shared/faults.ts";
import type { Citation, JsonObject, Media, Part } from "../types.ts";

/**
 * Reads a content: a text, or a list of parts. A part that no other API has is left out and named.
 *
 * @param dropped Takes the client's paths of what is left out.
 * @param cited Takes the sources of the parts. Their offsets count in all texts of the content together.
 */
export function readContent(content: unknown, path: string, dropped: string[], cited?: Citation[]): Part[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return [{ type: "text", text: content, path }];
  if (!Array.isArray(content)) throw fault(path, "string | list", content);
  const parts: Part[] = [];
  let length = 0;
  for (const [at, part] of content.entries()) {
    const partPath = `${path}[${at}]`;
    if (!isObject(part)) throw fault(partPath, "object", part);
    const read = readPart(part, partPath);
    if (!read) {
      dropped.push(partPath);
      continue;
    }
    if (cited && Array.isArray(part.annotations)) readCitations(part.annotations, length, cited);
    if (read.type === "text") length += read.text.length;
    parts.push(part.prompt_cache_breakpoint == null ? read : { ...read, ...readMark(part, partPath) });
  }
  return parts;
}

function readPart(part: JsonObject, path: string): Part | undefined {
  switch (part.type) {
    case "input_text":
    case "output_text":
    case "text":
    case "summary_text":
    case "reasoning_text":
      return { type: "text", text: need(part.text, `${path}.text`), path };
    case "refusal":
      return { type: "refusal", text: need(part.refusal, `${path}.refusal`), path };
    case "input_image":
    case "computer_screenshot":
      return readImage(part, path);
    case "input_file":
      return readFile(part, path);
    case "input_audio": {
      const { data, format } = isObject(part.input_audio) ? part.input_audio : {} as JsonObject;
      const kind = typeof format === "string" ? format : "wav";
      const mime = kind === "mp3" ? "audio/mpeg" : `audio/${kind}`;
      const media = { mime, data: need(data, `${path}.input_audio.data`).replace(/\s+/g, "") };
      return { type: "audio", media, mediaPath: `${path}.input_audio`, path };
    }
    default:
      return undefined;
  }
}

function readImage(part: JsonObject, path: string): Part {
  const { detail } = part;
  const chosen = typeof detail === "string" && detail !== "auto"
    ? { detail, detailPath: `${path}.detail` }
    : {};
  const url = isObject(part.image_url) ? part.image_url.url : part.image_url;
  const media: Media = typeof part.file_id === "string"
    ? { id: part.file_id }
    : readUrl(need(url, `${path}.image_url`), `${path}.image_url`);
  return { type: "image", media, mediaPath: path, path, ...chosen };
}

function readFile({ file_id: id, file_url: url, file_data: data, filename }: JsonObject, path: string): Part {
  const named = typeof filename === "string" ? { name: filename, namePath: `${path}.filename` } : {};
  const file = (media: Media): Part => ({ type: "file", media, mediaPath: path, path, ...named });
  if (typeof id === "string") return file({ id });
  if (typeof url === "string") return file(readUrl(url, `${path}.file_url`));
  const text = need(data, `${path}.file_data`);
  // OpenAI accepts a PDF as bare base64.
  return file(
    ADDRESS.test(text)
      ? readUrl(text, `${path}.file_data`)
      : { mime: "application/pdf", data: text.replace(/\s+/g, "") },
  );
}

/** The member of a source in which its maker's own type for it travels. */
export const LOCATION = "location_type";

function readCitations(annotations: unknown[], base: number, cited: Citation[]): void {
  for (const note of annotations) {
    if (!isObject(note) || note.type !== "url_citation") continue;
    const { type: _, url, title, start_index: start, end_index: end, [LOCATION]: location, ...more } = note;
    const extra = location === undefined ? more : { ...more, type: location };
    if (typeof url !== "string" || typeof start !== "number" || typeof end !== "number") continue;
    const source = {
      url,
      title: typeof title === "string" ? title : "",
      start: base + start,
      end: base + end,
    };
    cited.push(Object.keys(extra).length > 0 ? { ...source, extra } : source);
  }
}
