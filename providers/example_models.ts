/**
 * The models in the examples of the README, the page at `/` and error messages, as clients write them.
 *
 * A test compares them with the lists of deprecated models in the providers' own SDKs, so that no example names a model
 * that will soon be retired.
 */
export const EXAMPLE_MODELS = {
  anthropic: "anthropic/claude-sonnet-5-5",
  gemini: "gemini/gemini-3.8-flash",
  openai: "openai/gpt-6-luna",
  /** For coding agents. */
  openaiLarge: "openai/gpt-6.1-sol",
} as const;
