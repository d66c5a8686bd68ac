/** Embedding vectors, as JSON and as base64. */
import { GatewayError } from "../errors.ts";
import type { JsonObject } from "../types.ts";
import { object, objects } from "./json.ts";

/**
 * Reads one vector: a list of numbers, or base64 of 32-bit floats.
 *
 * @throws GatewayError `bad_upstream_answer` for anything else and for an empty vector.
 */
export function readVector(value: unknown): number[] {
  const vector = typeof value === "string" ? decodeVector(value) : value;
  if (Array.isArray(vector) && vector.length > 0 && vector.every(Number.isFinite)) return vector;
  throw new GatewayError(
    "bad_upstream_answer",
    "The provider answered with an embedding that is not a list of numbers",
  );
}

/**
 * Reads OpenAI's list of vectors, `[{index, embedding}]`, and orders them by `index`.
 *
 * @throws GatewayError `bad_upstream_answer` as `readVector`.
 */
export function readVectors(data: unknown): number[][] {
  const entries = objects(data);
  const isOrdered = entries.every(({ index }, at) => index === undefined || index === at);
  const sorted = isOrdered ? entries : entries.toSorted((a, b) => Number(a.index) - Number(b.index));
  return sorted.map(({ embedding }) => readVector(embedding));
}

/** The tokens in OpenAI's `usage`; 0 if there is none. Some providers report only the total. */
export function readTokens(body: JsonObject): number {
  const { prompt_tokens, total_tokens } = object(body.usage) ?? {};
  const tokens = prompt_tokens ?? total_tokens;
  return typeof tokens === "number" && tokens > 0 ? tokens : 0;
}

/** Bytes that become a string at a time: more would be too many arguments for one call. */
const PIECE = 0x8000;

/** Writes a vector as OpenAI's base64: 32-bit floats, little-endian. */
export function encodeVector(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (let at = 0; at < vector.length; at++) view.setFloat32(at * 4, vector[at], true);
  const bytes = new Uint8Array(view.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(text);
}

/** Decodes base64 of 32-bit floats; `undefined` for any other text. */
function decodeVector(text: string): number[] | undefined {
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return undefined;
  }
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)).buffer);
  return Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true));
}
