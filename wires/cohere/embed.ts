/**
 * Cohere's embeddings: `POST /v2/embed`.
 *
 * Checked 2026-11-28 against the types of `cohere-ai` 8.1.0: at most 96 texts a request, and `input_type` must be there.
 *
 * @see https://docs.cohere.com/reference/embed
 */
import { list, object, text } from "../shared/json.ts";
import { readVector } from "../shared/vectors.ts";
import type { EmbeddingWire } from "../types.ts";
import { readError } from "./read_answer.ts";

/** For a client that says nothing: what is stored is more than what is asked. */
const DEFAULT_INPUT_TYPE = "search_document";

/** Embeddings as Cohere makes them. */
export const cohereEmbeddings: EmbeddingWire = {
  writeEmbed({ model, inputs, dimensions, inputType = DEFAULT_INPUT_TYPE, user, extra }) {
    const dropped = user === undefined ? [] : ["user"];
    // Another type of number has no place in OpenAI's answer.
    const { embedding_types, ...rest } = extra;
    if (embedding_types !== undefined && embedding_types !== null) dropped.push("embedding_types");
    return {
      path: "/v2/embed",
      body: {
        ...rest,
        model,
        texts: inputs,
        input_type: inputType,
        embedding_types: ["float"],
        ...(dimensions !== undefined && { output_dimension: dimensions }),
      },
      dropped,
    };
  },
  readEmbeddings({ embeddings, meta, model }) {
    const { input_tokens } = object(object(meta)?.billed_units) ?? {};
    return {
      // A list alone is what a model of before the types answers.
      vectors: list(object(embeddings)?.float ?? embeddings).map(readVector),
      tokens: typeof input_tokens === "number" && input_tokens > 0 ? input_tokens : 0,
      model: text(model),
    };
  },
  readError,
};
