/**
 * Perplexity's Agent API: `POST /v1/agent`, the form of OpenAI's responses with tools and settings of its own.
 *
 * It took the place of Sonar's chat completions on 2026-09-27. Checked 2026-11-24 against the API's guides, the vendor's
 * own migration guide for Sonar (github.com/perplexityai/api-platform-developers) and `@perplexity-ai/perplexity_ai`
 * 0.38.5.
 *
 * - It refuses every field that it does not know, so only what is in the table below is written.
 * - Sonar's model names stand for what the migration guide calls their equals: a model with web search, or a preset.
 *   Any other name is a model (`perplexity/sonar`, `openai/gpt-5.1`), or a preset (`fast`, `low` … `xhigh`).
 * - Sonar's search fields move into the `web_search` tool.
 * - Sources come as a list beside the text; the text's `[1]` marks point into it.
 *
 * @see https://docs.perplexity.ai/docs/agent-api/quickstart
 */
import { readCompatibleError } from "../shared/compatible_error.ts";
import { readAnswer, readStream } from "./read_answer.ts";
import { writeCall } from "./write_call.ts";
import type { ProviderWire } from "../types.ts";

export const perplexityAgent: ProviderWire = {
  name: "perplexity",
  writeCall,
  readAnswer,
  readStream,
  readError: readCompatibleError,
};
