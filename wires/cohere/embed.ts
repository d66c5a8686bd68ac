/**
 * Cohere's embeddings: `POST /v2/embed`.
 *
 * Checked 2026-11-28 against the types of `cohere-ai` 8.1.0: a request has at most 96 texts, and `input_type` is
 * required.
 *
 * @see https://docs.cohere.com/reference/embed
 */
import { list, object, text } from "../shared/json.ts";
import { readVector } from "../shared/vectors.ts";
import type { EmbeddingWire } from "../types.ts";
import { readError } from "./read_answer.ts";

/** The input type for a client that sends none: most embedded texts are stored documents and not queries. */
const DEFAULT_INPUT_TYPE = "search_document";

export const cohereEmbeddings: EmbeddingWire = {
  writeEmbed({ model, inputs, dimensions, inputType = DEFAULT_INPUT_TYPE, user, extra }) {
    const dropped = user === undefined ? [] : ["user"];
    // OpenAI's answer can hold only floats.
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
      // Models from before the embedding types answer with a plain list.
      vectors: list(object(embeddings)?.float ?? embeddings).map(readVector),
      tokens: typeof input_tokens === "number" && input_tokens > 0 ? input_tokens : 0,
      model: text(model),
    };
  },
  readError,
};
