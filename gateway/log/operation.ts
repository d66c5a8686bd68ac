/** Tells the kind of work that a request asks for, in the words of OpenTelemetry's conventions for generative AI. */

/**
 * The ends of paths, each with its operation. The convention has `chat`, `embeddings`, `generate_content` and
 * `text_completion`; the other words are ours.
 *
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/registry/attributes/gen-ai.md (2026-11)
 */
const OPERATIONS: readonly (readonly [RegExp, string])[] = [
  [/\/(?:count_tokens|input_tokens)$|:countTokens$/, "count_tokens"],
  [/\/(?:chat\/completions|messages|responses|responses\/compact|chat|agent|run)$/, "chat"],
  [/:(?:streamG|g)enerateContent$/, "generate_content"],
  [/\/(?:embeddings|embed)$|:(?:batchE|e)mbedContents?$/, "embeddings"],
  [/\/rerank$/, "rerank"],
  [/\/completions$/, "text_completion"],
  [/\/images\/(?:generations|edits)$/, "image_generation"],
  // The universal endpoint: an account and a gateway.
  [/^\/v1\/[^/]+\/[^/]+$/, "chat"],
];

/** The operation of a request by its path; `other` if the path does not tell it. */
export function operationOf(path: string): string {
  const plain = path.replace(/\/+$/, "").replaceAll(/%3a/gi, ":");
  return OPERATIONS.find(([pattern]) => pattern.test(plain))?.[1] ?? "other";
}
