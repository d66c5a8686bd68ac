/**
 * The envelope in which a thought's proof travels through clients of other vendors' APIs.
 *
 * Anthropic's `signature`, OpenAI's `encrypted_content` and the sealed entries of `reasoning_details` are opaque to
 * clients, which return them unchanged. A proof of another vendor is put there as `slc1.<format>.<base64url of JSON>`.
 * Sluice recognizes its envelope when it comes back, unwraps it for its vendor, and never sends it to another vendor.
 */
import { base64url, fromBase64url } from "./base64.ts";
import { parseObject, text } from "./json.ts";
import type { JsonObject, Thought } from "../types.ts";

/** The start of every envelope. Also used to search a long body for envelopes. */
export const ENVELOPE = "slc1.";

/** The `format` written for a thought without one: a plain text such as DeepSeek's. */
const NO_FORMAT = "text";
const NAME = /^[\w-]{1,64}$/;

/** What an envelope holds: a thought, or the signature of the answer itself (Gemini signs its last text part). */
export interface Sealed {
  thought: Thought;
  /** Set if the signature is that of the answer and not of a thought. */
  ofAnswer?: true;
}

/**
 * Puts a thought into an envelope. The text is left out, because clients keep it beside the envelope.
 *
 * @param options `withText`: put the text inside, for a client that is not shown the text while the vendor wants it
 * back. `ofAnswer`: the signature is that of the answer itself. `nonce`: differs between envelopes of the same thought.
 */
export function seal(
  { text, signature, redacted, format, id, bound }: Thought,
  { withText = false, ofAnswer = false, nonce }: {
    withText?: boolean;
    ofAnswer?: boolean;
    nonce?: number;
  } = {},
): string {
  const isName = format !== undefined && format !== NO_FORMAT && NAME.test(format);
  const held: JsonObject = { signature, redacted, id, bound, nonce };
  if (withText) held.text = text;
  if (ofAnswer) held.answer = true;
  if (format !== undefined && !isName) held.format = format;
  const json = JSON.stringify(held);
  return `${ENVELOPE}${isName ? format : NO_FORMAT}.${json === "{}" ? "" : base64url(json)}`;
}

/**
 * Opens an envelope. Returns `undefined` for a text that is not an envelope, and an empty thought for a damaged one.
 */
export function unseal(envelope: string): Sealed | undefined {
  if (!isEnvelope(envelope)) return undefined;
  const [, name, data = ""] = envelope.split(".", 3);
  const held = parseObject(fromBase64url(data) ?? "") ?? {};
  const thought: Thought = {};
  for (const member of ["text", "signature", "redacted", "id", "bound"] as const) {
    const value = text(held[member]);
    if (value !== undefined) thought[member] = value;
  }
  const format = text(held.format) ?? (name === NO_FORMAT ? undefined : name);
  if (format !== undefined) thought.format = format;
  return held.answer === true ? { thought, ofAnswer: true } : { thought };
}

/** Whether an opaque value is one of our envelopes. */
export const isEnvelope = (value: unknown): value is string =>
  typeof value === "string" && value.startsWith(ENVELOPE);
