/** Gemini's generateContent, the request's function results and arguments. */
import type { GeminiModel } from "./models.ts";
import { writeName } from "./names.ts";
import { writePart } from "./write_parts.ts";
import { camel } from "./write_settings.ts";
import { object, parse, parseObject } from "../shared/json.ts";
import type { JsonObject, MessageOf, Part, ToolCall } from "../types.ts";

/** A function's result, and the media that it cannot hold itself. */
export interface Result {
  part: JsonObject;
  beside: JsonObject[];
}

/**
 * Writes a tool's message.
 *
 * @param name The function that was called.
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

/** Media that Gemini 3 takes inside a result, by value only: pictures, PDF and text. */
const FITS = new Set(["application/pdf", "image/jpeg", "image/png", "image/webp", "text/plain"]);

function fitsResult(part: Part): boolean {
  if ("media" in part) return "mime" in part.media && FITS.has(part.media.mime);
  if (part.type !== "native") return false;
  const blob = object(part.value.inlineData ?? part.value.inline_data);
  return FITS.has(String(blob?.mimeType ?? blob?.mime_type));
}

/** Beside its data a result's part has only `mediaProcessing` (`FunctionResponsePart` of `@google/genai` 3.3.0). */
function onlyMedia(written: JsonObject, { path }: Part, dropped: string[]): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(written)) {
    if (["inlineData", "mediaProcessing"].includes(camel(key))) out[key] = value;
    else dropped.push(`${path}.${key}`);
  }
  return out;
}

/**
 * JSON as JSON; but as text where Google would not take it as data, or change it: its numbers are doubles, its messages
 * are nested 100 deep at most (three for each level of ours), and a key `$ref` is read as the name of a part beside the
 * result ("does not match to a display_name"), at any depth.
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

/** Arguments must be an object; anything else a model wrote rides in one, so that it can see its own mistake. */
export function readArguments(call: ToolCall): JsonObject {
  if (call.custom) return { input: call.arguments };
  if (call.arguments.trim() === "") return {};
  const args = parseObject(call.arguments);
  return args && isData(args, false) ? args : { arguments: call.arguments };
}
