/** What several wires ask of a message's parts. */
import { GatewayError } from "../errors.ts";
import type { Media, Message, Part } from "../types.ts";

/** The address of what has one, and a `data:` URL for what comes by value. */
export function mediaUrl(media: Exclude<Media, { id: string }>): string {
  return "url" in media ? media.url : `data:${media.mime};base64,${media.data}`;
}

/** The client's path of what a part holds, for where it is dropped: `messages[0].content[1].input_audio`. */
export const contentPath = (part: Part): string => "mediaPath" in part ? part.mediaPath : part.path;

/**
 * An instruction that stands between turns, for a model that takes none there: the user's text, marked as what it is. It
 * stays where it stands, as moving it would change what came before and with it every cached or signed prefix.
 */
export const markInstruction = (text: string): string => `<system>\n${text}\n</system>`;

/**
 * The error for a last message that comes to nothing: the model would go on with its old answer.
 *
 * @param maker Who reads the message: `Gemini`.
 */
export function nothingSaid({ path, parts }: Message, maker: string): GatewayError {
  const param = `${path}.content`;
  const unread = parts.filter(({ type }) => type !== "text" && type !== "refusal").map(contentPath).slice(
    0,
    3,
  );
  const state = unread.length > 0
    ? `${param} holds only what ${maker} cannot read (${unread.join(", ")}); add a text`
    : `${param} is empty; write a text, or leave the message out`;
  return new GatewayError("invalid_request", `Cannot send the request: ${state}`, { param });
}
