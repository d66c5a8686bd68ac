/**
 * The envelope in which a thought's proof travels through clients of other makers.
 *
 * Anthropic's `signature`, OpenAI's `encrypted_content` and sealed entries of `reasoning_details` are opaque to clients, which
 * hand them back as they came. A proof of another maker goes in there as `slc1.<format>.<base64url of JSON>`: it is known for
 * ours when it comes back, unwrapped for its maker, and never sent to anybody else as theirs.
 */
import { base64url, fromBase64url } from "./base64.ts";
import { parseObject, text } from "./json.ts";
import type { JsonObject, Thought } from "../types.ts";

/** What envelopes begin with, for whoever looks for one in a long body. */
export const ENVELOPE = "slc1.";

/** `format` of a thought that has none: a plain text, as DeepSeek's. */
const NO_FORMAT = "text";
const NAME = /^[\w-]{1,64}$/;

/** What is proved: one of the answer's thoughts, or the answer itself (Gemini signs its last text part). */
export interface Sealed {
  thought: Thought;
  /** The signature is the answer's own. */
  ofAnswer?: true;
}

/**
 * A thought in an envelope. Its text is left out: clients keep that beside the envelope.
 *
 * @param withText The client is shown no text, and the maker wants it back: it travels inside.
 */
export function seal(
  { text, signature, redacted, format, id }: Thought,
  { withText = false, ofAnswer = false }: { withText?: boolean; ofAnswer?: boolean } = {},
): string {
  const isName = format !== undefined && format !== NO_FORMAT && NAME.test(format);
  const held: JsonObject = { signature, redacted, id };
  if (withText) held.text = text;
  if (ofAnswer) held.answer = true;
  if (format !== undefined && !isName) held.format = format;
  const json = JSON.stringify(held);
  return `${ENVELOPE}${isName ? format : NO_FORMAT}.${json === "{}" ? "" : base64url(json)}`;
}

/** What an envelope holds; `undefined` for a text that is none of ours. One that was damaged holds nothing. */
export function unseal(envelope: string): Sealed | undefined {
  if (!isEnvelope(envelope)) return undefined;
  const [, name, data = ""] = envelope.split(".", 3);
  const held = parseObject(fromBase64url(data) ?? "") ?? {};
  const thought: Thought = {};
  for (const member of ["text", "signature", "redacted", "id"] as const) {
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
