/**
 * Gemini's embeddings: `POST /v1beta/models/{model}:batchEmbedContents`.
 *
 * Checked 2026-11-28 against what `@google/genai` 3.3 and `@ai-sdk/google` 4.0 send: a request has at most 100 texts.
 * `gemini-embedding-2` and later read the purpose of the vectors from the text itself, and have no `taskType`.
 *
 * @see https://ai.google.dev/api/embeddings
 */
import { count, object, objects } from "../shared/json.ts";
import { readVector } from "../shared/vectors.ts";
import type { EmbeddingWire } from "../types.ts";
import { modelPath } from "./models.ts";
import { readError } from "./read_error.ts";

/** Google's names for the purposes of vectors. Any other word is sent in capitals: `SEMANTIC_SIMILARITY`. */
export const TASK_TYPES: ReadonlyMap<string, string> = new Map([
  ["search_document", "RETRIEVAL_DOCUMENT"],
  ["search_query", "RETRIEVAL_QUERY"],
]);

/** Matches models without `taskType`: `gemini-embedding-2`, `models/gemini-embedding-2-preview`. */
export const WITHOUT_TASKS = /(?:^|\/)gemini-embedding-(?!0)\d/;

export const geminiEmbeddings: EmbeddingWire = {
  writeEmbed({ model, inputs, dimensions, inputType, user, extra }) {
    const path = modelPath(model);
    const dropped = user === undefined ? [] : ["user"];
    const hasTasks = !WITHOUT_TASKS.test(model);
    if (inputType !== undefined && !hasTasks) dropped.push("input_type");
    const about = {
      ...extra,
      model: path,
      ...(inputType !== undefined && hasTasks && {
        taskType: TASK_TYPES.get(inputType) ?? inputType.toUpperCase(),
      }),
      ...(dimensions !== undefined && { outputDimensionality: dimensions }),
    };
    return {
      path: `/v1beta/${path}:batchEmbedContents`,
      body: { requests: inputs.map((text) => ({ ...about, content: { parts: [{ text }] } })) },
      dropped,
    };
  },
  readEmbeddings({ embeddings, usageMetadata }) {
    const { promptTokenCount, totalTokenCount } = object(usageMetadata) ?? {};
    return {
      vectors: objects(embeddings).map(({ values }) => readVector(values)),
      tokens: count(promptTokenCount) || count(totalTokenCount),
    };
  },
  readError,
};
