/**
 * Embeddings on Amazon Bedrock: `POST /model/{id}/invoke`, in the form of each maker.
 *
 * Read in 2026-11 from LiteLLM 1.110.2 and the pages of Amazon's Titan, Nova and Cohere models. Titan and Nova take one
 * text a request.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
 * @see https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
 */
import { count, list, object, objects } from "../shared/json.ts";
import { readVector } from "../shared/vectors.ts";
import type { EmbeddingWire, EmbedRequest, JsonObject } from "../types.ts";
import { readError } from "./read_error.ts";

/** The most texts of one request to a model. */
export const mostTexts = (model: string): number => /cohere/.test(model) ? 96 : 1;

/** Nova's names for the purposes of vectors. Any other word is sent in capitals. */
const PURPOSES: ReadonlyMap<string, string> = new Map([
  ["search_document", "GENERIC_INDEX"],
  ["search_query", "TEXT_RETRIEVAL"],
]);

function writeCohere(
  { model, inputs, dimensions, inputType, extra }: EmbedRequest,
  dropped: string[],
): JsonObject {
  // Only the fourth generation has vectors of several lengths.
  const isSized = !/embed-(?:english|multilingual)-v3/.test(model);
  if (dimensions !== undefined && !isSized) dropped.push("dimensions");
  return {
    ...extra,
    texts: inputs,
    input_type: inputType ?? "search_document",
    embedding_types: ["float"],
    ...(isSized && dimensions !== undefined && { output_dimension: dimensions }),
  };
}

function writeNova({ inputs: [value], dimensions, inputType, extra }: EmbedRequest): JsonObject {
  return {
    ...extra,
    taskType: "SINGLE_EMBEDDING",
    singleEmbeddingParams: {
      embeddingPurpose: PURPOSES.get(inputType ?? "search_document") ?? inputType!.toUpperCase(),
      ...(dimensions !== undefined && { embeddingDimension: dimensions }),
      text: { truncationMode: "END", value },
    },
  };
}

function writeTitan(
  { model, inputs: [inputText], dimensions, inputType, extra }: EmbedRequest,
  dropped: string[],
) {
  if (inputType !== undefined) dropped.push("input_type");
  const isFirst = /titan-embed-(?:g1|text-v1)/.test(model);
  if (dimensions !== undefined && isFirst) dropped.push("dimensions");
  return { ...extra, inputText, ...(dimensions !== undefined && !isFirst && { dimensions }) };
}

/** The header with the tokens of any model's input. */
const TOKENS = "x-amzn-bedrock-input-token-count";

export const bedrockEmbeddings: EmbeddingWire = {
  writeEmbed(request) {
    const { model, user } = request;
    const dropped = user === undefined ? [] : ["user"];
    const body = /cohere/.test(model)
      ? writeCohere(request, dropped)
      : /nova/.test(model)
      ? writeNova(request)
      : writeTitan(request, dropped);
    return { path: "/model/{model}/invoke", body, dropped };
  },
  readEmbeddings({ embedding, embeddings, inputTextTokenCount, inputTokenCount }, headers) {
    // Cohere's body tells no tokens.
    const tokens = count(inputTextTokenCount) || count(inputTokenCount) || count(Number(headers.get(TOKENS)));
    // Titan has one vector, Nova a list of objects, Cohere a list of vectors, by type in the fourth generation.
    if (embedding !== undefined) return { vectors: [readVector(embedding)], tokens };
    const named = objects(embeddings);
    const vectors = named.length > 0
      ? named.map(({ embedding }) => embedding)
      : list(object(embeddings)?.float ?? embeddings);
    return { vectors: vectors.map(readVector), tokens };
  },
  readError,
};
