/** Vectors of numbers, as JSON and as base64. */
import { GatewayError } from "../errors.ts";
import type { JsonObject } from "../types.ts";
import { object, objects } from "./json.ts";

/**
 * One vector: a list of numbers, or base64 of 32-bit floats.
 *
 * @throws GatewayError `bad_upstream_answer` for anything else, and for an empty one.
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
 * The vectors of OpenAI's list: `[{index, embedding}]`, in the order of their index.
 *
 * @throws GatewayError `bad_upstream_answer`
 */
export function readVectors(data: unknown): number[][] {
  const entries = objects(data);
  const isOrdered = entries.every(({ index }, at) => index === undefined || index === at);
  const sorted = isOrdered ? entries : entries.toSorted((a, b) => Number(a.index) - Number(b.index));
  return sorted.map(({ embedding }) => readVector(embedding));
}

/** The count of tokens in OpenAI's usage; some tell the total alone. */
export function readTokens(body: JsonObject): number {
  const { prompt_tokens, total_tokens } = object(body.usage) ?? {};
  const tokens = prompt_tokens ?? total_tokens;
  return typeof tokens === "number" && tokens > 0 ? tokens : 0;
}

/** Bytes that are made one text at a time: more would be too many arguments. */
const PIECE = 0x8000;

/** A vector as OpenAI's base64: 32-bit floats, little-endian. */
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

/** The numbers that base64 of 32-bit floats stands for; `undefined` for any other text. */
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
