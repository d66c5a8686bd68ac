/** OpenAI chat completions, the client's half: what is complete only when an answer is. */
import { addThought } from "../streams/collect.ts";
import { SEPARATOR } from "./read_thoughts.ts";
import { mediaUrl } from "../shared/parts.ts";
import type { Choice, Citation, Delta, JsonObject, Media, Thought } from "../types.ts";

/** What belongs to a choice and is complete only when the choice is. */
export interface Attachments {
  /** In the order in which they began. */
  thoughts: Thought[];
  citations: Citation[];
  /** A signature is Gemini's. */
  images: { media: Media; signature?: string }[];
  signature?: string;
}

/** Makes a fresh holder of attachments. */
export const attachments = (): Attachments => ({ thoughts: [], citations: [], images: [] });

/** Attachments that grow. */
export interface Growing extends Attachments {
  /** The same thoughts by their block's number. */
  blocks: Thought[];
}

/** Adds a delta that is complete only at the end of its choice. */
export function attach(
  to: Growing,
  delta: Extract<Delta, { type: "thought" | "citation" | "image" | "signature" }>,
): void {
  switch (delta.type) {
    case "thought": {
      let thought = to.blocks[delta.block];
      if (!thought) to.thoughts.push(thought = to.blocks[delta.block] = {});
      addThought(thought, delta);
      return;
    }
    case "citation":
      to.citations.push(delta.citation);
      return;
    case "image":
      to.images.push({ media: delta.media, signature: delta.signature });
      return;
    case "signature":
      to.signature = delta.signature;
  }
}

/** The attachments of a whole choice. */
export function attachmentsOf({ items, signature }: Choice): Attachments {
  const to = { ...attachments(), signature };
  for (const item of items) {
    if (item.type === "thought") to.thoughts.push(item.thought);
    else if (item.type === "text") to.citations.push(...item.citations);
    else if (item.type === "image") to.images.push({ media: item.media, signature: item.signature });
  }
  return to;
}

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
  for (const { text, signature, redacted, format, id } of thoughts) {
    if (redacted === undefined && signature === undefined) continue;
    if (redacted !== undefined) {
      push({ type: "reasoning.encrypted", data: redacted, ...(id !== undefined && { id }) }, format);
    } else {
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
