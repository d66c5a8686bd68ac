/** Recognizes errors about a prompt that is too long for the model. Each provider words them differently. */

/**
 * Wordings for a conversation that is too long, e.g. "prompt is too long". Bedrock's "too many tokens, please wait" is
 * excluded: it is a rate limit.
 */
const OVERFLOW =
  /maximum context length|context.?(length|window|size).{0,40}(exceed|overflow)|exceed.{0,40}context.?(length|window|size)|prompt is too long|too many (input )?tokens(?!, please wait)|input is too long/i;

/** Whether an error means that the prompt is too long for the model. */
export function isOverflow(message: string | undefined, code?: unknown): boolean {
  if (code === "context_length_exceeded") return true;
  // Groq's "request too large … on tokens per minute" is a rate limit too.
  return code !== "rate_limit_exceeded" && message !== undefined && OVERFLOW.test(message);
}
