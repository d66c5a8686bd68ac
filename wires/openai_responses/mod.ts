/**
 * OpenAI's Responses: answers of `POST /v1/responses` that are handed through.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 */
import { readAnswer, readStream } from "./read_answer.ts";
import { readCompatibleError } from "../shared/compatible_error.ts";
import type { AnswerFormat } from "../types.ts";

/** The format of `POST /v1/responses`. */
export const openaiResponses: AnswerFormat = { readAnswer, readStream, readError: readCompatibleError };
