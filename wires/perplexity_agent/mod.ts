/**
 * Perplexity's Agent API: `POST /v1/agent`. Its format is OpenAI's Responses with tools and settings of its own.
 *
 * It replaced Sonar's chat completions on 2026-09-27. Checked 2026-11-24 against the API's guides, the vendor's own
 * migration guide for Sonar (github.com/perplexityai/api-platform-developers) and `@perplexity-ai/perplexity_ai`
 * 0.38.5.
 *
 * - It refuses every field that it does not know, so a setting is only written if the table of `write_call.ts` has it.
 *   The client's own unknown fields are forwarded.
 * - Sonar's model names are translated as the migration guide says: to a model with web search, or to a preset. Any
 *   other name is a model (`perplexity/sonar`, `openai/gpt-5.1`) or a preset (`fast`, `low` … `xhigh`,
 *   `wide-research`).
 * - Sonar's search fields move into the `web_search` tool.
 * - Sources come as a list beside the text. Marks such as `[1]` in the text refer to it.
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
