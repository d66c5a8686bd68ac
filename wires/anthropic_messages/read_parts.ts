/**
 * Anthropic Messages, the client's half: reads content blocks into neutral parts.
 *
 * A block that other providers cannot express is written as text where that means something to a model (a document's
 * text, the results of a search). Otherwise it is left out and named.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 */
import { fault, need, needObject } from "../shared/faults.ts";
import { isObject, list, object, objects, text } from "../shared/json.ts";
import type { JsonObject, Media, Part } from "../types.ts";

/** What the readers of a conversation record. */
export interface ReadNotes {
  /** The client's paths of content that has no neutral term. */
  dropped: string[];
}

/** Reads a content: a list of blocks, or a text, which becomes one part. */
export function readParts(content: unknown, path: string, notes: ReadNotes): Part[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content, path }];
  const parts: Part[] = [];
  (list(content) as JsonObject[]).forEach((block, at) => {
    for (const part of readPart(block, `${path}[${at}]`, notes)) parts.push(part);
  });
  return parts;
}

/** Reads one block. It may become several parts, or none if it is left out. */
export function readPart(block: JsonObject, path: string, notes: ReadNotes): Part[] {
  const parts = readBlock(block, path, notes);
  const { cache_control: cache } = block;
  const last = parts.at(-1);
  if (last && isObject(cache)) last.cache = cache;
  return parts;
}

function readBlock(block: JsonObject, path: string, notes: ReadNotes): Part[] {
  const words = (text: string | undefined): Part[] => text ? [{ type: "text", text, path }] : [];
  switch (block.type) {
    case "text":
      return words(need(block.text, `${path}.text`));
    case "image": {
      const mediaPath = `${path}.source`;
      const media = readSource(needObject(block.source, mediaPath), mediaPath);
      const signature = text(block.signature);
      return [{ type: "image", media, mediaPath, path, ...(signature && { signature }) }];
    }
    case "document":
      return readDocument(block, path, notes);
    case "search_result": {
      const said = objects(block.content).map(({ text }) => text).join("\n");
      return words(`${text(block.title) ?? ""}\n${text(block.source) ?? ""}\n${said}`.trim());
    }
    case "tool_reference":
      return words(`Tool loaded: ${text(block.tool_name) ?? ""}`);
    case "compaction":
      // Without a text the compaction is sealed, and only Anthropic can read it.
      if (!text(block.content)) break;
      return words(block.content as string);
    default: {
      const told = tellServerTool(block);
      if (told !== undefined) return words(told).map((part) => ({ ...part, tells: serverId(block) }));
    }
  }
  notes.dropped.push(path);
  return [];
}

/** Reads the bytes, URL or file id of a picture or a file. */
function readSource(source: JsonObject, path: string): Media {
  switch (source.type) {
    case "base64":
      return {
        mime: text(source.media_type) ?? "application/octet-stream",
        data: need(source.data, `${path}.data`).replace(/\s+/g, ""),
      };
    case "url":
      return { url: need(source.url, `${path}.url`) };
    case "file":
      return { id: need(source.file_id, `${path}.file_id`) };
    default:
      throw fault(`${path}.type`, '"base64", "url" or "file"', source.type);
  }
}

/** Reads a document. A PDF stays a file. A text document becomes text, with its title and context before it. */
function readDocument(block: JsonObject, path: string, notes: ReadNotes): Part[] {
  const mediaPath = `${path}.source`;
  const source = needObject(block.source, mediaPath);
  const title = text(block.title), context = text(block.context);
  if (object(block.citations)?.enabled === true) notes.dropped.push(`${path}.citations`);
  const preface = [title && `Title: ${title}`, context && `Context: ${context}`].filter(Boolean).join("\n");
  switch (source.type) {
    case "text": {
      const said = need(source.data, `${mediaPath}.data`);
      return [{ type: "text", text: preface ? `${preface}\n\n${said}` : said, path }];
    }
    case "content": {
      const parts = readParts(source.content, `${mediaPath}.content`, notes);
      return preface ? [{ type: "text", text: preface, path }, ...parts] : parts;
    }
    default: {
      const media = readSource(source, mediaPath);
      const named = title === undefined ? {} : { name: title, namePath: `${path}.title` };
      const file: Part = { type: "file", media, mediaPath, path, ...named };
      return context === undefined ? [file] : [{ type: "text", text: `Context: ${context}`, path }, file];
    }
  }
}

/**
 * Describes in words what Anthropic's own tools did, for a model that does not have them. Returns `undefined` for a
 * block of another kind.
 */
function tellServerTool(block: JsonObject): string | undefined {
  const { type, content } = block;
  if (type === "server_tool_use") {
    const { query, url, code, command } = object(block.input) ?? {};
    const what = [query, url, code, command].find((value) => typeof value === "string");
    return what === undefined ? "" : `[${text(block.name) ?? "tool"}: ${what}]`;
  }
  if (typeof type !== "string" || !type.endsWith("_tool_result") || type.startsWith("mcp_")) return undefined;
  if (Array.isArray(content)) return objects(content).map(tellSource).filter(Boolean).join("\n");
  const { content: inner, stdout, stderr, url, error_code: code, tool_references: found } = object(content) ??
    {};
  if (typeof code === "string") return `[failed: ${code}]`;
  if (Array.isArray(found)) {
    return objects(found).map(({ tool_name }) => `Tool loaded: ${tool_name}`).join("\n");
  }
  if (typeof stdout === "string" || typeof stderr === "string") {
    return [stdout, stderr].filter((output) => typeof output === "string" && output !== "").join("\n");
  }
  const document = object(inner);
  const data = text(object(document?.source)?.data);
  const isText = object(document?.source)?.type === "text";
  return [tellSource({ title: document?.title, url }), isText ? data : undefined].filter(Boolean).join("\n");
}

/** The id of a server tool's call as its provider wrote it, see `write_message.ts`. */
const serverId = ({ id, tool_use_id }: JsonObject) =>
  (text(id) ?? text(tool_use_id))?.replace(/^srvtoolu_/, "");

const tellSource = ({ title, url }: JsonObject) => [text(title), text(url)].filter(Boolean).join(" ");
