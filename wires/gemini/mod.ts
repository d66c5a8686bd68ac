/**
 * Google's Gemini API: generateContent and streamGenerateContent with server-sent events.
 *
 * Vertex AI speaks it too, below other paths.
 *
 * @see https://ai.google.dev/api/generate-content
 */
import { readAnswer, readStream } from "./read_answer.ts";
import { writeCall } from "./write_call.ts";
import { readError } from "./read_error.ts";
import type { Call, ProviderWire, WireRequest } from "../types.ts";

export { geminiEmbeddings } from "./embed.ts";

/** The format that Google's models speak. */
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

/** @see https://ai.google.dev/api/tokens (2026-11) */
function writeCount(call: Call): WireRequest {
  const { path, body, ...request } = writeCall({ ...call, stream: false });
  // The model is written twice: it is checked in the body too.
  const [named] = path.split(":");
  const model = `models/${decodeURIComponent(named.slice(named.lastIndexOf("/") + 1))}`;
  return { ...request, path: `${named}:countTokens`, body: { generateContentRequest: { model, ...body } } };
}
