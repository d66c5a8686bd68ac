/** What a provider accepts beyond the common format. */
export interface ChatTakes {
  /** The provider accepts `cache_control` on parts, messages and tools. */
  cacheMarks?: true;
  /** The provider accepts tools of type `custom`, and `allowed_tools`. */
  openaiTools?: true;
  /**
   * The values of `reasoning_effort` that the provider accepts for every model. Default: decided by the model's name.
   */
  efforts?: readonly string[];
  /**
   * The member of an assistant's message for its earlier reasoning. `reasoning_details` has the proofs as well. `none`:
   * the provider accepts no earlier reasoning. Default: `reasoning_content`.
   */
  thoughts?: "none" | "reasoning" | "reasoning_details";
}
