/**
 * Google's Gemini API: generateContent, and streamGenerateContent with server-sent events.
 *
 * Vertex AI has the same API at other paths.
 *
 * @see https://ai.google.dev/api/generate-content
 */
import { readAnswer, readStream } from "./read_answer.ts";
import { countVertex, writeVertex } from "./vertex.ts";
import { writeCall } from "./write_call.ts";
import { readError } from "./read_error.ts";
import type { Call, ProviderWire, WireRequest } from "../types.ts";

export { geminiEmbeddings } from "./embed.ts";
export { mostVertexTexts, vertexEmbeddings } from "./vertex_embed.ts";

/** The provider's half of the wire, for Google's models. */
export const gemini: ProviderWire = {
  name: "gemini",
  writeCall,
  counter: {
    pathEnd: ":countTokens",
    writeCall: writeCount,
    read: ({ totalTokens }) => typeof totalTokens === "number" ? totalTokens : undefined,
  },
  readAnswer,
  readStream,
  readError,
};

/** The same for Google's models on Vertex AI. */
export const vertexGemini: ProviderWire = {
  ...gemini,
  writeCall: writeVertex,
  counter: { ...gemini.counter!, writeCall: countVertex },
};

/**
 * Writes a request that counts the tokens of a call.
 *
 * @see https://ai.google.dev/api/tokens (2026-11)
 */
function writeCount(call: Call): WireRequest {
  const { path, body, ...request } = writeCall({ ...call, stream: false });
  // The body must name the model again: the API checks it there too.
  const [named] = path.split(":");
  const model = `models/${decodeURIComponent(named.slice(named.lastIndexOf("/") + 1))}`;
  return { ...request, path: `${named}:countTokens`, body: { generateContentRequest: { model, ...body } } };
}
