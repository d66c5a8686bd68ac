/** The prompt does not fit the model: every provider says it in other words. */

/** The many ways to say that the conversation is too long; Bedrock's "too many tokens, please wait" is a rate limit. */
const OVERFLOW =
  /maximum context length|context.?(length|window|size).{0,40}(exceed|overflow)|exceed.{0,40}context.?(length|window|size)|prompt is too long|too many (input )?tokens(?!, please wait)|input is too long/i;

/** Whether an error means that the prompt does not fit the model. */
export function isOverflow(message: string | undefined, code?: unknown): boolean {
  if (code === "context_length_exceeded") return true;
  // Groq's "request too large … on tokens per minute" is one too.
  return code !== "rate_limit_exceeded" && message !== undefined && OVERFLOW.test(message);
}
