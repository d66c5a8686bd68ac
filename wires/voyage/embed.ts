/**
 * Voyage's embeddings. The answer has OpenAI's format, the request has some names of its own.
 *
 * Checked 2026-11-28 against the types of `voyageai` 0.4.0. `encoding_format` may only be `base64`; `float` is refused.
 * The usage has only `total_tokens`.
 *
 * @see https://docs.voyageai.com/reference/embeddings-api
 */
import { readCompatibleError } from "../shared/compatible_error.ts";
import { text } from "../shared/json.ts";
import { readTokens, readVectors } from "../shared/vectors.ts";
import type { EmbeddingWire } from "../types.ts";

/** Voyage's names for the purposes of vectors. Without one the vectors fit any purpose. */
const INPUT_TYPES: ReadonlyMap<string, string> = new Map([
  ["search_document", "document"],
  ["search_query", "query"],
]);

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
