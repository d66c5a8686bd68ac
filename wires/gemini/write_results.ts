/** Gemini's generateContent, the provider's half: writes function results and arguments. */
import type { GeminiModel } from "./models.ts";
import { writeName } from "./names.ts";
import { writePart } from "./write_parts.ts";
import { camel } from "./write_settings.ts";
import { object, parse, parseObject } from "../shared/json.ts";
import type { JsonObject, MessageOf, Part, ToolCall } from "../types.ts";

/** A function's result, and the media that it cannot hold. */
export interface Result {
  part: JsonObject;
  beside: JsonObject[];
}

/**
 * Writes a tool's message.
 *
 * @param name The name of the function that was called.
 */
export function writeResult(
  message: MessageOf<"tool">,
  name: string,
  model: GeminiModel,
  dropped: string[],
): Result {
  const texts: string[] = [];
  const inside: JsonObject[] = [];
  const beside: JsonObject[] = [];
  for (const part of message.parts) {
    const fits = model.third && fitsResult(part);
    const written = writePart(part, model, dropped, fits);
    if (!written) continue;
    if (typeof written.text === "string") texts.push(written.text);
    else if (fits) inside.push(onlyMedia(written, part, dropped));
    else beside.push(written);
  }
  const value = texts.length === 1 ? resultValue(texts[0]) : texts.join("\n");
  const response = message.error ? { error: value } : { output: value };
  const functionResponse: JsonObject = { id: message.callId, name: writeName(name), response };
  if (inside.length > 0) functionResponse.parts = inside;
  return { part: { functionResponse }, beside };
}

/** The media types that Gemini 3 accepts inside a result, by value only: pictures, PDF and text. */
const FITS = new Set(["application/pdf", "image/jpeg", "image/png", "image/webp", "text/plain"]);

function fitsResult(part: Part): boolean {
  if ("media" in part) return "mime" in part.media && FITS.has(part.media.mime);
  if (part.type !== "native") return false;
  const blob = object(part.value.inlineData ?? part.value.inline_data);
  return FITS.has(String(blob?.mimeType ?? blob?.mime_type));
}

/**
 * Removes what a part inside a result cannot have: beside its data it has only `mediaProcessing`
 * (`FunctionResponsePart` of `@google/genai` 3.3.0).
 */
function onlyMedia(written: JsonObject, { path }: Part, dropped: string[]): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(written)) {
    if (["inlineData", "mediaProcessing"].includes(camel(key))) out[key] = value;
    else dropped.push(`${path}.${key}`);
  }
  return out;
}

/**
 * Reads a result that is JSON as data. It stays text if Google would refuse or change the data: Google's numbers are
 * doubles, its messages are nested at most 100 levels deep (three for each level of JSON), and a key `$ref` at any
 * depth is read as the name of a part beside the result ("does not match to a display_name").
 */
function resultValue(text: string): unknown {
  if (!/^\s*[{[]/.test(text) || /\d{16}/.test(text)) return text;
  const value = parse(text);
  return value !== undefined && isData(value, true) ? value : text;
}

const MOST_LEVELS = 30;

function isData(value: unknown, noRef: boolean, level = 0): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (level >= MOST_LEVELS || (noRef && Object.hasOwn(value, "$ref"))) return false;
  return Object.values(value).every((member) => isData(member, noRef, level + 1));
}

/**
 * Reads the arguments of a tool call, which must be an object. Anything else is put into an object as text, so that the
 * model can see its own mistake.
 */
export function readArguments(call: ToolCall): JsonObject {
  if (call.custom) return { input: call.arguments };
  if (call.arguments.trim() === "") return {};
  const args = parseObject(call.arguments);
  return args && isData(args, false) ? args : { arguments: call.arguments };
}
