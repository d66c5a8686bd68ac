/**
 * Voyage's embeddings: OpenAI's answer, and names of its own in the request.
 *
 * Checked 2026-11-28 against the types of `voyageai` 0.4.0. `encoding_format` knows `base64` alone, and `float` is refused;
 * usage has `total_tokens` alone.
 *
 * @see https://docs.voyageai.com/reference/embeddings-api
 */
import { readCompatibleError } from "../shared/compatible_error.ts";
import { text } from "../shared/json.ts";
import { readTokens, readVectors } from "../shared/vectors.ts";
import type { EmbeddingWire } from "../types.ts";

/** What its vectors can be for; without a word they are for anything. */
const INPUT_TYPES: ReadonlyMap<string, string> = new Map([
  ["search_document", "document"],
  ["search_query", "query"],
]);

/** Embeddings as Voyage makes them. */
export const voyageEmbeddings: EmbeddingWire = {
  writeEmbed({ model, inputs, dimensions, inputType, user, extra }) {
    const type = INPUT_TYPES.get(inputType ?? "");
    const dropped: string[] = [];
    if (inputType !== undefined && type === undefined) dropped.push("input_type");
    if (user !== undefined) dropped.push("user");
    return {
      path: "/embeddings",
      body: {
        ...extra,
        model,
        input: inputs,
        ...(type !== undefined && { input_type: type }),
        ...(dimensions !== undefined && { output_dimension: dimensions }),
      },
      dropped,
    };
  },
  readEmbeddings: (body) => ({
    vectors: readVectors(body.data),
    tokens: readTokens(body),
    model: text(body.model),
  }),
  readError: readCompatibleError,
};
