/** The schema of a field of a chat request. */
import * as v from "npm:valibot@1.5.0";
import { nearestNames } from "../../providers/nearest_names.ts";
import type { ChatField } from "../../providers/types.ts";

/** The members of `ChatField` as values, to check fields that come from JSON. */
const CHAT_FIELDS: Readonly<Record<ChatField, true>> = {
  audio: true,
  cache_control: true,
  chat_template_kwargs: true,
  enable_thinking: true,
  frequency_penalty: true,
  function_call: true,
  functions: true,
  logit_bias: true,
  logprobs: true,
  max_completion_tokens: true,
  max_tokens: true,
  metadata: true,
  min_p: true,
  modalities: true,
  moderation: true,
  n: true,
  parallel_tool_calls: true,
  prediction: true,
  presence_penalty: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning: true,
  reasoning_effort: true,
  repetition_penalty: true,
  response_format: true,
  safety_identifier: true,
  seed: true,
  service_tier: true,
  stop: true,
  store: true,
  stream_options: true,
  temperature: true,
  thinking: true,
  tool_choice: true,
  tools: true,
  top_k: true,
  top_logprobs: true,
  top_p: true,
  user: true,
  verbosity: true,
  web_search_options: true,
};

/** The schema of the name of a field. */
export const chatField = v.pipe(
  v.string(),
  v.check((name) => Object.hasOwn(CHAT_FIELDS, name), ({ input }) => {
    const [near] = nearestNames(input, Object.keys(CHAT_FIELDS), 1);
    return `is not a field of a chat request${near ? `; did you mean ${JSON.stringify(near)}?` : ""}`;
  }),
);
