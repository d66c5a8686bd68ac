/**
 * Embeddings on Vertex AI: `:predict`, and `:embedContent` since `gemini-embedding-2`.
 *
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api (2026-11)
 */
import { count, object, objects } from "../shared/json.ts";
import { readVector } from "../shared/vectors.ts";
import type { EmbeddingWire } from "../types.ts";
import { TASK_TYPES, WITHOUT_TASKS } from "./embed.ts";
import { modelPath } from "./models.ts";
import { readError } from "./read_error.ts";

/** The most texts of one request to a model: Gemini's take one. */
export const mostVertexTexts = (model: string): number => /gemini-embedding/.test(model) ? 1 : 250;

export const vertexEmbeddings: EmbeddingWire = {
  writeEmbed({ model, inputs, dimensions, inputType, user, extra }) {
    const path = `/v1beta/${modelPath(model)}`;
    const dropped = user === undefined ? [] : ["user"];
    const sized = dimensions === undefined ? {} : { outputDimensionality: dimensions };
    if (WITHOUT_TASKS.test(model)) {
      if (inputType !== undefined) dropped.push("input_type");
      const body = { ...extra, ...sized, content: { parts: inputs.map((text) => ({ text })) } };
      return { path: `${path}:embedContent`, body, dropped };
    }
    const task = inputType === undefined
      ? {}
      : { task_type: TASK_TYPES.get(inputType) ?? inputType.toUpperCase() };
    const instances = inputs.map((content) => ({ content, ...task }));
    return { path: `${path}:predict`, body: { instances, parameters: { ...extra, ...sized } }, dropped };
  },
  readEmbeddings({ predictions, embedding, usageMetadata }) {
    const single = object(embedding);
    if (single) {
      const { promptTokenCount, totalTokenCount } = object(usageMetadata) ?? {};
      return {
        vectors: [readVector(single.values)],
        tokens: count(promptTokenCount) || count(totalTokenCount),
      };
    }
    const found = objects(predictions).map((prediction) => object(prediction.embeddings) ?? {});
    return {
      vectors: found.map(({ values }) => readVector(values)),
      tokens: found.reduce((sum, { statistics }) => sum + count(object(statistics)?.token_count), 0),
    };
  },
  readError,
};
