/** OpenAI chat completions, the client's half: members of a message that are complete only when the answer is. */
import { addThought } from "../streams/collect.ts";
import { AGAIN, SEPARATOR, writePlace } from "./read_thoughts.ts";
import { seal } from "../shared/envelope.ts";
import { mediaUrl } from "../shared/parts.ts";
import type { Call, Choice, Citation, Delta, Item, JsonObject, Media, Thought } from "../types.ts";

/** Whether a delta or an item has content of the answer. */
export const hasContent = (piece: Delta | Item): boolean =>
  piece.type === "tool" || (piece.type === "text" || piece.type === "refusal") && piece.text !== "";

/** The parts of a choice that are complete only when the choice is. */
export interface Attachments {
  /** The thoughts, in the order in which they began. */
  thoughts: Thought[];
  /** Those of them that content came before. */
  late: Set<Thought>;
  citations: Citation[];
  /** The pictures. Only Gemini signs them. */
  images: { media: Media; signature?: string }[];
  signature?: string;
}

export const attachments = (): Attachments => ({ thoughts: [], late: new Set(), citations: [], images: [] });

/** Attachments of a choice that is not complete yet. */
export interface Growing extends Attachments {
  /** The same thoughts, by the number of their block. */
  blocks: Thought[];
  /** There was content. */
  spoken: boolean;
}

/** Adds a delta to the attachments of its choice. */
export function attach(
  to: Growing,
  delta: Extract<Delta, { type: "thought" | "citation" | "image" | "signature" }>,
): void {
  switch (delta.type) {
    case "thought": {
      let thought = to.blocks[delta.block];
      if (!thought) {
        to.thoughts.push(thought = to.blocks[delta.block] = {});
        if (to.spoken) to.late.add(thought);
      }
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
  let spoken = false;
  for (const item of items) {
    spoken ||= hasContent(item);
    if (item.type === "thought") {
      to.thoughts.push(item.thought);
      if (spoken) to.late.add(item.thought);
    } else if (item.type === "text") to.citations.push(...item.citations);
    else if (item.type === "image") to.images.push({ media: item.media, signature: item.signature });
  }
  return to;
}

/** Adds the attachments to `out` as members of a message. Empty ones are left out. */
export function writeAttachments(choice: Attachments, call: Call, out: JsonObject): JsonObject {
  const details = writeDetails(choice, call);
  if (details.length > 0) out.reasoning_details = details;
  return writeSources(choice, out);
}

/**
 * Writes the attachments at the end of a stream that has sent thoughts before. If more was thought since, all thoughts are sent
 * again, under new indexes.
 */
export function writeRest(
  choice: Attachments & { told: JsonObject[]; thinksOn: boolean },
  call: Call,
): JsonObject {
  const out: JsonObject = {};
  if (choice.thinksOn) out.reasoning_details = writeDetails(choice, call, choice.told.length);
  return writeSources(choice, out);
}

/**
 * Writes the thoughts that a next turn needs.
 *
 * A text without a proof is among them, because OpenAI's SDK keeps only the last piece of a streamed `reasoning_content`.
 * Its format is unknown, whoever wrote it: OpenRouter's provider for the AI SDK (3.1.0) returns no text of Claude's or Gemini's
 * without a signature. That provider also joins texts that stand side by side in a stream. A separator between them keeps each
 * text with its own signature. Of the entries of a conversation that have the same text or data it returns only the first. A
 * thought that repeats an earlier one is therefore written as an envelope. Of a whole answer without tool calls it returns only
 * the first text, whose `id` tells that entries before it are missing.
 *
 * @param call Its messages have the earlier thoughts of the conversation.
 * @param sent The number of entries that the client has already been sent.
 */
export function writeDetails({ thoughts, late }: Attachments, call: Call, sent = 0): JsonObject[] {
  const details: JsonObject[] = [];
  let known: Map<string, number> | undefined;
  let pieces = 0;
  const push = (detail: JsonObject, format = "unknown") =>
    details.push({ ...detail, format, index: sent + details.length });
  if (sent > 0) push({ type: "reasoning.encrypted", data: AGAIN });
  let apart = true;
  for (const thought of thoughts) {
    if (!isEntry(thought)) continue;
    const { text, signature, redacted, format, id, bound } = thought;
    const after = pieces++ + (late.has(thought) ? 1 : 0);
    const repeated = count(known ??= earlierThoughts(call), thought);
    const signer = signature === undefined && redacted === undefined ? undefined : format;
    if (repeated > 0) {
      push({ type: "reasoning.encrypted", data: seal(thought, { withText: true, nonce: repeated }) }, signer);
    } else if (redacted !== undefined) {
      const place = id ?? writePlace(0, bound, redacted);
      push(
        { type: "reasoning.encrypted", data: redacted, ...(place !== undefined && { id: place }) },
        signer,
      );
    } else {
      if (!apart) push({ type: "reasoning.encrypted", data: SEPARATOR }, format);
      const place = signature === undefined ? undefined : writePlace(after, bound, signature);
      const proof = signature === undefined ? {} : { signature, ...(place !== undefined && { id: place }) };
      push({ type: "reasoning.text", text: text ?? "", ...proof }, signer);
    }
    apart = redacted !== undefined || repeated > 0;
  }
  return details;
}

/** How often each entry of the conversation occurs, by what OpenRouter's provider compares. */
function earlierThoughts({ messages }: Call): Map<string, number> {
  const known = new Map([[SEPARATOR, 1]]);
  for (const message of messages) {
    if (message.role === "assistant") message.thoughts.forEach((thought) => count(known, thought));
  }
  return known;
}

/** Whether a thought is an entry of `reasoning_details`. */
const isEntry = ({ text, signature, redacted }: Thought) =>
  redacted !== undefined || signature !== undefined || Boolean(text);

/** Counts a thought. Returns how often it has occurred before. */
function count(known: Map<string, number>, { text, signature, redacted, id }: Thought): number {
  const key = (redacted === undefined ? text || signature : id || redacted) ?? "";
  const before = known.get(key) ?? 0;
  known.set(key, before + 1);
  return before;
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
