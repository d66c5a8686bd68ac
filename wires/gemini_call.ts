/**
 * Gemini's generateContent, the request.
 *
 * Checked against `@google/genai` 3.1 (types, and what it sends to the Developer API) and ai.google.dev, 2026-11:
 * function calling, thinking, thought signatures, structured output, file input methods, media resolution, tool
 * combination, long decode, OpenAI compatibility.
 *
 * Schemas go unchanged: `parametersJsonSchema` and `responseJsonSchema` take JSON Schema, and ignore keywords that they
 * do not support.
 *
 * @see https://ai.google.dev/api/generate-content
 */
import { THOUGHT_FORMAT } from "./gemini_answer.ts";
import { camel, writeTerms } from "./gemini_settings.ts";
import { generation, modelPath } from "./gemini_models.ts";
import { append, object, parse, parseObject } from "./json.ts";
import type {
  Call,
  JsonObject,
  Media,
  Message,
  MessageOf,
  Part,
  Thought,
  ToolCall,
  WireRequest,
} from "./types.ts";

/**
 * Google's documented signature for calls that Gemini did not make itself (history from another model): without any,
 * Gemini 3 and later answer 400.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const STAND_IN_SIGNATURE = "skip_thought_signature_validator";

interface Content {
  role: "user" | "model";
  parts: JsonObject[];
}

/** Writes a call for `{models/…}:generateContent`, or its streamed form. */
export function writeCall(call: Call): WireRequest {
  const dropped: string[] = [];
  const { contents, system, continuationToken } = writeMessages(call, dropped);
  const body: JsonObject = {};
  if (system.length > 0) body.systemInstruction = { parts: system };
  Object.assign(body, writeTerms(call, dropped));
  if (continuationToken !== undefined) body.continuationToken = continuationToken;
  body.contents ??= contents; // Last, so that a conversation's next request begins with this one's bytes.
  const method = call.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  return { path: `/v1beta/${modelPath(call.model)}:${method}`, body, dropped };
}

// ---------------------------------------------------------------- messages

function writeMessages({ messages, model }: Call, dropped: string[]) {
  const system: JsonObject[] = [];
  const contents: Content[] = [];
  const calls = new Map<string, { name: string; order: number }>();
  let results: { order: number; parts: JsonObject[] }[] = [];
  let continuationToken: unknown;
  let made = 0;

  /** Results go in one turn, in their calls' order, with media that a result cannot hold behind them. */
  function closeResults(): void {
    if (results.length === 0) return;
    results.sort((a, b) => a.order - b.order);
    const first = results.map(({ parts }) => parts[0]);
    contents.push({ role: "user", parts: [...first, ...results.flatMap(({ parts }) => parts.slice(1))] });
    results = [];
  }

  for (const message of messages) {
    // Instructions are hoisted: results on both sides of them are one turn.
    if (message.role === "user" || message.role === "assistant") closeResults();
    noteUnsaid(message, dropped);
    switch (message.role) {
      case "system":
      case "developer":
        append(system, writeSystem(message, dropped));
        break;
      case "user":
        addTurn(contents, "user", writeParts(message.parts, model, dropped));
        break;
      case "assistant":
        if (message === messages.at(-1)) continuationToken = tokenOf(message.thoughts);
        // The token stands for the partial answer, which must not be sent along.
        if (continuationToken !== undefined) break;
        for (const { id, name } of message.calls) calls.set(id, { name, order: made++ });
        addTurn(contents, "model", writeAnswered(message, model, dropped));
        break;
      case "tool": {
        const { name, order } = calls.get(message.callId) ??
          { name: message.name ?? message.callId, order: made };
        results.push({ order, parts: writeResult(message, name, model, dropped) });
      }
    }
  }
  closeResults();
  if (model.includes("gemini") && generation(model) >= 3) standIn(contents);
  // Contents must not be empty: instructions alone are what the user says.
  if (contents.length === 0 && system.length > 0) contents.push({ role: "user", parts: system.splice(0) });
  return { contents, system, continuationToken };
}

/** Adds a turn, or to the last one when it is of the same role: older models refuse two in a row. */
function addTurn(contents: Content[], role: Content["role"], list: JsonObject[]): void {
  if (list.length === 0) return;
  const said = list.filter((part) => !isBlank(part));
  const parts = said.length > 0 ? said : list;
  const last = contents.at(-1);
  // Its first part tells what a turn is: results stand first, and blanks only where nothing is said. To look at all of
  // them for each message took 9 s for 160,000 messages of a user.
  const first = last?.parts[0];
  // A turn of results is answered by the model before the user speaks on.
  if (last?.role !== role || first!.functionResponse) contents.push({ role, parts });
  else if (isBlank(first!)) last.parts = parts;
  else append(last.parts, said);
}

/** Says nothing, and is refused beside what does. */
const isBlank = ({ text, thoughtSignature }: JsonObject) => text === "" && thoughtSignature === undefined;

/** Names what no content of Gemini's can hold. A function's result keeps its name. */
function noteUnsaid(message: Message, dropped: string[]): void {
  if (message.name !== undefined && message.role !== "tool") dropped.push(`${message.path}.name`);
  if (message.cache !== undefined) dropped.push(`${message.path}.cache_control`);
  for (const part of message.parts) {
    if (part.cache !== undefined) dropped.push(`${part.path}.cache_control`);
  }
}

function writeSystem(message: Message, dropped: string[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const part of message.parts) {
    if (part.type === "text" || part.type === "refusal") {
      if (part.text !== "") out.push({ text: part.text });
    } else dropped.push(part.path);
  }
  return out;
}

/** An empty text is kept only where it is all that a user said. */
function writeParts(parts: Part[], model: string, dropped: string[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const part of parts) {
    const written = writePart(part, model, dropped);
    if (written && written.text !== "") out.push(written);
  }
  if (out.length === 0 && parts.some((part) => part.type === "text")) out.push({ text: "" });
  return out;
}

function writeAnswered(message: MessageOf<"assistant">, model: string, dropped: string[]): JsonObject[] {
  const out = writeThoughts(message, dropped);
  const spoken = out.length;
  for (const part of message.parts) {
    const written = writePart(part, model, dropped);
    if (written && written.text !== "") out.push(written);
  }
  if (message.signature !== undefined) {
    const text = out.findLast((part, at) => at >= spoken && typeof part.text === "string");
    if (text) text.thoughtSignature = message.signature;
    else out.push({ text: "", thoughtSignature: message.signature }); // As it came, in a last part without text.
  }
  for (const call of message.calls) {
    const part: JsonObject = { functionCall: { id: call.id, name: call.name, args: readArguments(call) } };
    if (call.signature !== undefined) part.thoughtSignature = call.signature;
    out.push(part);
  }
  return out;
}

function writeThoughts(message: MessageOf<"assistant">, dropped: string[]): JsonObject[] {
  const out: JsonObject[] = [];
  for (const { text, signature, redacted, format } of message.thoughts) {
    if (redacted !== undefined) {
      const sealed = format === THOUGHT_FORMAT ? parseObject(redacted) : undefined;
      if (!sealed) dropped.push(`${message.path}.reasoning_details`);
      else if (sealed.continuationToken === undefined) out.push(sealed);
      continue;
    }
    const ours = signature !== undefined && format === THOUGHT_FORMAT;
    if (ours) out.push({ text: text ?? "", thought: true, thoughtSignature: signature });
    else if (text) out.push({ text, thought: true });
  }
  return out;
}

/**
 * The token of an answer that was cut off and may go on, when it is the last thing said.
 *
 * @see https://ai.google.dev/gemini-api/docs/generate-content/long-decode
 */
function tokenOf(thoughts: Thought[]): unknown {
  for (const { redacted, format } of thoughts) {
    const token = format === THOUGHT_FORMAT && redacted
      ? parseObject(redacted)?.continuationToken
      : undefined;
    if (token !== undefined) return token;
  }
}

/** Arguments must be an object; anything else a model wrote rides in one, so that it can see its own mistake. */
function readArguments(call: ToolCall): JsonObject {
  if (call.custom) return { input: call.arguments };
  if (call.arguments.trim() === "") return {};
  return parseObject(call.arguments) ?? { arguments: call.arguments };
}

/** Each step's first call must be signed. */
function standIn(contents: Content[]): void {
  for (const { role, parts } of contents) {
    const first = role === "model" ? parts.find((part) => part.functionCall) : undefined;
    if (first) first.thoughtSignature ??= STAND_IN_SIGNATURE;
  }
}

/** A result, then what it cannot hold itself. */
function writeResult(
  message: MessageOf<"tool">,
  name: string,
  model: string,
  dropped: string[],
): JsonObject[] {
  const texts: string[] = [];
  const inside: JsonObject[] = [];
  const behind: JsonObject[] = [];
  for (const part of message.parts) {
    const written = writePart(part, model, dropped);
    if (!written) continue;
    if (typeof written.text === "string") texts.push(written.text);
    else if (generation(model) >= 3 && fitsResult(written)) inside.push(written);
    else behind.push(written);
  }
  const value = texts.length === 1 ? resultValue(texts[0]) : texts.join("\n");
  const response = message.error ? { error: value } : { output: value };
  const functionResponse: JsonObject = { id: message.callId, name, response };
  if (inside.length > 0) functionResponse.parts = inside;
  return [{ functionResponse }, ...behind];
}

/** Media that Gemini 3 takes inside a result, by value only. */
function fitsResult(part: JsonObject): boolean {
  const { mimeType } = object(part.inlineData) ?? {};
  return typeof mimeType === "string" &&
    /^(image\/(png|jpeg|webp)|application\/pdf|text\/plain)$/.test(mimeType);
}

/** JSON as JSON; but text where Google's numbers, which are doubles, would change a digit. */
function resultValue(text: string): unknown {
  if (!/^\s*[{[]/.test(text) || /\d{16}/.test(text)) return text;
  return parse(text) ?? text;
}

// ---------------------------------------------------------------- parts

function writePart(part: Part, model: string, dropped: string[]): JsonObject | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return { text: part.text };
    case "image": {
      const written = writeMedia(part.media);
      const level = DETAILS.get(part.detail);
      if (level && generation(model) >= 3) written.mediaResolution = { level };
      else if (part.detail !== undefined && part.detail !== "auto") {
        dropped.push(`${part.path}.image_url.detail`);
      }
      return written;
    }
    case "file":
      if (part.name !== undefined) dropped.push(`${part.path}.file.filename`);
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
