/** Amazon's Converse: writes the parts of a message as content blocks. */
import { markPath } from "../shared/cache_marks.ts";
import { append, isObject } from "../shared/json.ts";
import { contentPath } from "../shared/parts.ts";
import type { JsonObject, Media, Part } from "../types.ts";
import type { Draft } from "./draft.ts";

/** The formats of each kind of block, by the subtype of a media type. `*` stands for all others. */
const FORMATS = {
  image: { gif: "gif", jpeg: "jpeg", png: "png", webp: "webp" },
  video: {
    "3gpp": "three_gp",
    mp4: "mp4",
    mpeg: "mpeg",
    mpg: "mpg",
    quicktime: "mov",
    webm: "webm",
    "x-flv": "flv",
    "x-matroska": "mkv",
    "x-ms-wmv": "wmv",
  },
  audio: {
    aac: "aac",
    flac: "flac",
    mp3: "mp3",
    mp4: "mp4",
    mpeg: "mp3",
    ogg: "ogg",
    opus: "opus",
    pcm: "pcm",
    wav: "wav",
    wave: "wav",
    webm: "webm",
    "x-m4a": "m4a",
    "x-wav": "wav",
  },
  document: {
    csv: "csv",
    html: "html",
    markdown: "md",
    msword: "doc",
    pdf: "pdf",
    "vnd.ms-excel": "xls",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  },
} as const satisfies Record<string, Record<string, string>>;

type Kind = keyof typeof FORMATS;

/** Files that models read as text. */
const TEXTS = /^text\/|^application\/(?:json|xml|yaml|x-yaml|javascript)\b/;

/** How the base64 of a picture or a PDF begins: labels are often wrong. */
const BEGINNINGS: readonly (readonly [RegExp, Kind, string])[] = [
  [/^\/9j\//, "image", "jpeg"], // FF D8 FF
  [/^iVBORw0KGgo/, "image", "png"], // 89 "PNG" 0D 0A 1A 0A
  [/^R0lGOD/, "image", "gif"], // "GIF8"
  [/^UklGR.{6}XRUJQ/, "image", "webp"], // "RIFF", four bytes of length, "WEBP"
  [/^JVBERi/, "document", "pdf"], // "%PDF"
];

/** The endings of an address in Amazon's storage that tell a format of another name. */
const ENDINGS: Readonly<Record<string, string>> = {
  "3gp": "three_gp",
  jpg: "jpeg",
  htm: "html",
  text: "txt",
};

/** Writes one block. Returns `undefined` for an empty text, and for a part that cannot be expressed, which is named. */
export function writePart(part: Part, isUsers: boolean, draft: Draft): JsonObject | undefined {
  if (part.type === "native") return part.value;
  if (part.type === "text" || part.type === "refusal") {
    return part.text.trim() === "" ? undefined : { text: part.text };
  }
  const block = isUsers ? writeMedia(part, draft) : undefined;
  if (!block) draft.dropped.push(contentPath(part));
  else if (part.type === "image" && part.detail !== undefined && part.detail !== "auto") {
    draft.dropped.push(part.detailPath ?? part.mediaPath);
  }
  return block;
}

function writeMedia(part: Exclude<Part, { type: "text" | "refusal" | "native" }>, draft: Draft) {
  const { type, media } = part;
  if ("id" in media) return undefined;
  const found = formatOf(type === "file" ? "document" : type, media);
  if (!found) return undefined;
  const [kind, format] = found;
  const isPlayed = kind === "audio" || kind === "video";
  if (isPlayed && !draft.family.plays?.includes(kind)) return undefined;
  // Other addresses are not fetched by Amazon.
  const source = "url" in media ? { s3Location: { uri: media.url } } : { bytes: media.data };
  if (kind !== "document") return { [kind]: { format, source } };
  const name = draft.documentName(type === "file" ? part.name : undefined);
  return { document: { format, name, source } };
}

/** The kind of block and its format; `undefined` for what Converse does not take. */
function formatOf(kind: Kind, media: Exclude<Media, { id: string }>): readonly [Kind, string] | undefined {
  if ("url" in media) {
    const ending = /^s3:\/\/[^?#]*\.(\w+)$/.exec(media.url)?.[1].toLowerCase();
    if (ending === undefined) return undefined;
    const format = ENDINGS[ending] ?? ending;
    const kinds = [kind, "image", "document", "video", "audio"] as const;
    const own = kinds.find((one) => (Object.values(FORMATS[one]) as string[]).includes(format));
    return own ? [own, format] : format === "txt" ? ["document", format] : undefined;
  }
  const isSeen = kind === "image" || kind === "document";
  const seen = isSeen && BEGINNINGS.find(([beginning]) => beginning.test(media.data));
  if (seen) return [seen[1], seen[2]];
  const [type, subtype = ""] = media.mime.split(";")[0].split("/");
  const own: Kind = type === "video" || type === "audio" ? type : kind;
  const formats: Record<string, string> = FORMATS[own];
  if (Object.hasOwn(formats, subtype)) return [own, formats[subtype]];
  return own === "document" && TEXTS.test(media.mime) ? [own, "txt"] : undefined;
}

// ---------------------------------------------------------------- cache points

/** The most cache points of a request. */
const MOST_POINTS = 4;

/** Adds a cache point behind what the client has marked, if the model takes one there. */
export function addPoint(
  to: JsonObject[],
  marked: { cache?: unknown; path: string; cachePath?: string },
  draft: Draft,
  place: "messages" | "tools" = "messages",
): void {
  if (marked.cache == null) return;
  const { family, dropped, points } = draft;
  const last = to.at(-1);
  // "Cache points cannot be inserted after … text documents": only a PDF may stand before one.
  const isText = isObject(last?.document) && last.document.format !== "pdf";
  const fits = last && !isText && (family.cache === "everywhere" || family.cache === place);
  if (!fits) return void dropped.push(markPath(marked));
  if (last.cachePoint) return;
  const isHour = isObject(marked.cache) && marked.cache.ttl === "1h";
  if (isHour && !family.hour) dropped.push(`${markPath(marked)}.ttl`);
  const point = { cachePoint: { type: "default", ...(isHour && family.hour && { ttl: "1h" }) } };
  to.push(point);
  points.push({ point, path: markPath(marked) });
}

/**
 * Removes and names the surplus cache points: the first stays, for it changes least, and so do the last.
 *
 * @param lists The system's blocks and those of each turn. The first point may stand among the tools.
 */
export function limitPoints(lists: JsonObject[][], { points, dropped }: Draft): void {
  const surplus = points.slice(1, Math.max(1, points.length - MOST_POINTS + 1));
  if (surplus.length === 0) return;
  const removed = new Set(surplus.map(({ point }) => point));
  for (const list of lists) {
    let at = 0;
    for (const block of list) if (!removed.has(block)) list[at++] = block;
    list.length = at;
  }
  append(dropped, surplus.map(({ path }) => path));
}
