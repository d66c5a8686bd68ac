/** Helpers for the parts of messages that several wires share. */
import { GatewayError } from "../errors.ts";
import type { Media, Message, Part } from "../types.ts";

/** The URL of a medium; a `data:` URL if the medium is held by value. */
export function mediaUrl(media: Exclude<Media, { id: string }>): string {
  return "url" in media ? media.url : `data:${media.mime};base64,${media.data}`;
}

/** The client's path of a part's content, to name it where it is dropped: `messages[0].content[1].input_audio`. */
export const contentPath = (part: Part): string => "mediaPath" in part ? part.mediaPath : part.path;

/**
 * Writes an instruction that stands between turns, for a model that takes none there: as the user's text, marked. It
 * stays in place, because moving it would change the earlier turns, and every cached or signed prefix with them.
 */
export const markInstruction = (text: string): string => `<system>\n${text}\n</system>`;

/**
 * The error for a last message of which nothing is left to send: the model would continue its old answer.
 *
 * @param maker The model's maker, for the message: `Gemini`.
 */
export function nothingSaid({ path, parts }: Message, maker: string): GatewayError {
  // Responses' whole input may be one text, without a message around it.
  const param = parts.some((part) => part.path === path) ? path : `${path}.content`;
  const unread = parts.filter(({ type }) => type !== "text" && type !== "refusal").map(contentPath).slice(
    0,
    3,
  );
  const state = unread.length > 0
    ? `${param} holds only content that ${maker} cannot read (${unread.join(", ")}); add a text`
    : `${param} is empty; write a text, or leave the message out`;
  return new GatewayError("invalid_request", `Cannot send the request: ${state}`, { param });
}
