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
import type { ProviderWire } from "../types.ts";

export { geminiEmbeddings } from "./embed.ts";

/** The format that Google's models speak. */
export const gemini: ProviderWire = {
  name: "gemini",
  writeCall,
  readAnswer,
  readStream,
  readError,
};
