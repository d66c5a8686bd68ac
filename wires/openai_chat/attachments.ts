/** OpenAI chat completions, the client's half: members of a message that are complete only when the answer is. */
import { addThought } from "../streams/collect.ts";
import { AGAIN, SEPARATOR } from "./read_thoughts.ts";
import { mediaUrl } from "../shared/parts.ts";
import type { Choice, Citation, Delta, JsonObject, Media, Thought } from "../types.ts";

/** The parts of a choice that are complete only when the choice is. */
export interface Attachments {
  /** The thoughts, in the order in which they began. */
  thoughts: Thought[];
  citations: Citation[];
  /** The pictures. Only Gemini signs them. */
  images: { media: Media; signature?: string }[];
  signature?: string;
}

export const attachments = (): Attachments => ({ thoughts: [], citations: [], images: [] });

/** Attachments of a choice that is not complete yet. */
export interface Growing extends Attachments {
  /** The same thoughts, by the number of their block. */
  blocks: Thought[];
}

/** Adds a delta to the attachments of its choice. */
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

/** Adds the attachments to `out` as members of a message. Empty ones are left out. */
export function writeAttachments(choice: Attachments, out: JsonObject): JsonObject {
  const details = writeDetails(choice.thoughts);
  if (details.length > 0) out.reasoning_details = details;
  return writeSources(choice, out);
}

/**
 * Writes the attachments at the end of a stream that has sent thoughts before. If more was thought since, all thoughts are sent
 * again, under new indexes.
 */
export function writeRest(choice: Attachments & { told: JsonObject[]; thinksOn: boolean }): JsonObject {
  const out: JsonObject = {};
  if (choice.thinksOn) out.reasoning_details = writeDetails(choice.thoughts, choice.told.length);
  return writeSources(choice, out);
}

/**
 * Writes the thoughts that a next turn needs.
 *
 * A text without a proof is among them, because OpenAI's SDK keeps only the last piece of a streamed `reasoning_content`.
 * Its format is unknown, whoever wrote it: OpenRouter's provider for the AI SDK (3.1.0) returns no text of Claude's or Gemini's
 * without a signature. That provider also joins texts that stand side by side in a stream. A separator between them keeps each
 * text with its own signature.
 *
 * @param sent The number of entries that the client has already been sent.
 */
export function writeDetails(thoughts: Attachments["thoughts"], sent = 0): JsonObject[] {
  const details: JsonObject[] = [];
  const push = (detail: JsonObject, format = "unknown") =>
    details.push({ ...detail, format, index: sent + details.length });
  if (sent > 0) push({ type: "reasoning.encrypted", data: AGAIN });
  let apart = true;
  for (const { text, signature, redacted, format, id } of thoughts) {
    if (redacted === undefined && signature === undefined && !text) continue;
    if (redacted !== undefined) {
      push({ type: "reasoning.encrypted", data: redacted, ...(id !== undefined && { id }) }, format);
    } else {
      if (!apart) push({ type: "reasoning.encrypted", data: SEPARATOR }, format);
      const proof = signature === undefined ? {} : { signature };
      push(
        { type: "reasoning.text", text: text ?? "", ...proof },
        signature === undefined ? undefined : format,
      );
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
