/** What providers of chat completions differ in. */

/** What a provider takes beside what every provider of this wire does. */
export interface ChatTakes {
  /** `cache_control` on parts, messages and tools. */
  cacheMarks?: true;
  /** Tools of type `custom`, and `allowed_tools`. */
  openaiTools?: true;
  /** Words of `reasoning_effort` that it takes for whatever model. Default: what the model's name tells. */
  efforts?: readonly string[];
  /**
   * The member of an assistant's message that holds its earlier reasoning; `reasoning_details` holds its proofs as well.
   * Default `reasoning_content`.
   */
  thoughts?: "none" | "reasoning" | "reasoning_details";
}
