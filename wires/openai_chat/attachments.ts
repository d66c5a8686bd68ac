/** OpenAI chat completions, the client's half: what is complete only when an answer is. */
import type { Attachments } from "../streams/collect.ts";
import { SEPARATOR } from "./read_thoughts.ts";
import { mediaUrl } from "../shared/parts.ts";
import type { Citation, JsonObject } from "../types.ts";

/** Adds the members that are complete only at the end; none for what is empty. */
export function writeAttachments(choice: Attachments, out: JsonObject): JsonObject {
  const details = writeDetails(choice.thoughts);
  if (details.length > 0) out.reasoning_details = details;
  return writeSources(choice, out);
}

/** The same, where thoughts were sent already: all of them once more if there are more now. */
export function writeRest(choice: Attachments & { told: JsonObject[] }): JsonObject {
  const out: JsonObject = {};
  const { length } = choice.told;
  if (writeDetails(choice.thoughts).length > length) {
    out.reasoning_details = writeDetails(choice.thoughts, length);
  }
  return writeSources(choice, out);
}

/**
 * The thoughts that a next turn needs: signed or sealed ones.
 *
 * OpenRouter's provider for the AI SDK (3.1.0) joins texts that stand side by side in a stream: a separator keeps each with
 * its own signature.
 *
 * @param sent How many entries the client has been sent already.
 */
export function writeDetails(thoughts: Attachments["thoughts"], sent = 0): JsonObject[] {
  const details: JsonObject[] = [];
  let apart = sent === 0;
  const push = (detail: JsonObject, format = "unknown") =>
    details.push({ ...detail, format, index: sent + details.length });
  for (const { text, signature, redacted, format } of Object.values(thoughts)) {
    if (redacted === undefined && signature === undefined) continue;
    if (redacted !== undefined) push({ type: "reasoning.encrypted", data: redacted }, format);
    else {
      if (!apart) push({ type: "reasoning.encrypted", data: SEPARATOR }, format);
      push({ type: "reasoning.text", text: text ?? "", signature }, format);
    }
    apart = redacted !== undefined;
  }
  return details;
}

function writeSources(choice: Attachments, out: JsonObject): JsonObject {
  if (choice.citations.length > 0) out.annotations = choice.citations.map(writeCitation);
  if (choice.images.length > 0) {
    out.images = choice.images.map(({ media, signature }) => ({
      type: "image_url",
      image_url: { url: "id" in media ? media.id : mediaUrl(media) },
      ...googleContent(signature),
    }));
  }
  return Object.assign(out, googleContent(choice.signature));
}

const writeCitation = ({ url, title, start, end, extra }: Citation) => ({
  type: "url_citation",
  url_citation: { start_index: start, end_index: end, url, title, ...extra },
});

export const googleContent = (signature: string | undefined): JsonObject =>
  signature ? { extra_content: { google: { thought_signature: signature } } } : {};
