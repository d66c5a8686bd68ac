/**
 * Embeddings of the built-in provider. The same text has the same vector, and texts with common words are close to each other.
 *
 * Each word, or token, adds 1 or -1 at a place that depends on its hash. Then the vector is scaled to length 1.
 */
import { openaiEmbeddingClient as client } from "../../wires/openai_chat/mod.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { JsonObject } from "../../wires/types.ts";

/** The model's name. */
export const EMBED_MODEL = "embed";

const DIMENSIONS = 64, MOST_DIMENSIONS = 4096;

/** The most numbers in all vectors together: the answer to a short request must not fill the memory. */
const MOST_NUMBERS = 2 ** 24;

const UNITS_PER_TOKEN = 4;

/**
 * Answers a request for embeddings.
 *
 * @throws GatewayError `invalid_request`
 */
export function embed(body: JsonObject): JsonObject {
  client.check(body);
  const { inputs, dimensions = DIMENSIONS, base64 } = client.read(body);
  if (dimensions > MOST_DIMENSIONS) {
    throw refusal(`dimensions must be at most ${MOST_DIMENSIONS}`, "dimensions");
  }
  if (dimensions * inputs.length > MOST_NUMBERS) {
    throw refusal(`${inputs.length} vectors of ${dimensions} numbers are too many`, "input");
  }
  const vectors = inputs.map((input) =>
    vectorOf(typeof input === "string" ? input.toLowerCase().split(/\s+/) : input, dimensions)
  );
  const tokens = inputs.reduce<number>(
    (sum, input) =>
      sum + (typeof input === "string" ? Math.ceil(input.length / UNITS_PER_TOKEN) : input.length),
    0,
  );
  return client.write({ vectors, tokens, model: EMBED_MODEL }, base64);
}

function vectorOf(words: readonly (string | number)[], dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const word of words) {
    const hash = hashOf(`${word}`);
    vector[(hash >>> 1) % dimensions] += hash & 1 ? 1 : -1;
  }
  const length = Math.hypot(...vector);
  // The words may add up to zero.
  if (length === 0) vector[0] = 1;
  else for (let at = 0; at < dimensions; at++) vector[at] /= length;
  return vector;
}

/** FNV-1a, of 32 bits, with its last bits mixed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ hash >>> 16, 0x45d9f3b);
  return (hash ^ hash >>> 15) >>> 0;
}

const refusal = (state: string, param: string) =>
  new GatewayError("invalid_request", `Cannot answer: ${state}`, { param });
