/** OpenAI chat completions, the client's half: reads earlier reasoning and sources as clients return them. */
import { isEnvelope, unseal } from "../shared/envelope.ts";
import { digest, hash } from "../shared/hash.ts";
import { isObject, objects } from "../shared/json.ts";
import type { Citation, JsonObject, Thought } from "../types.ts";

/** The data of an empty sealed thought that separates its neighbours, see `writeDetails`. */
export const SEPARATOR = "{}";
/** The data of an empty sealed thought behind which all thoughts of the message come once more, see `chunkWriter`. */
export const AGAIN = '{"again":true}';
/** The start of the id of an entry that says where its thought stood. The number of earlier pieces follows, see `Thought`. */
export const AFTER = "slc1.after.";

/**
 * Reads Gemini's signatures in OpenRouter's form: encrypted reasoning with the id of the tool call that it signs, or
 * without an id for the answer itself. Sluice's own sealed thoughts are JSON, which a signature never is.
 */
export function routedSignatures({ reasoning_details: details }: JsonObject): Map<unknown, string> {
  const signatures = new Map<unknown, string>();
  for (const detail of objects(details)) {
    if (isRoutedSignature(detail)) signatures.set(detail.id ?? undefined, detail.data as string);
  }
  return signatures;
}

const isRoutedSignature = ({ type, data, format }: JsonObject) =>
  type === "reasoning.encrypted" && format === "google-gemini-v1" && typeof data === "string" &&
  /^[\w+/-]+=*$/.test(data);

/**
 * Reads earlier reasoning: `reasoning_details` (Sluice, OpenRouter), else `thinking_blocks` (LiteLLM), else plain text.
 * A client that joined a stream may return fragments. Fragments with one `index` are one block, which its signature
 * ends.
 */
export function readThoughts(message: JsonObject): Thought[] {
  let thoughts: Thought[] = [];
  /** What stands before `AGAIN`. */
  let told: Thought[] | undefined;
  const open = new Map<number, Thought>();
  const details = message.reasoning_details ?? message.thinking_blocks;
  for (const detail of objects(details)) {
    if (detail.data === AGAIN) {
      told = thoughts;
      thoughts = [];
      open.clear();
      continue;
    }
    const thought = isRoutedSignature(detail) ? undefined : readThought(detail);
    if (!thought) continue;
    const index = typeof detail.index === "number" ? detail.index : undefined;
    const earlier = index === undefined ? undefined : open.get(index);
    if (earlier && thought.redacted === undefined) {
      if (thought.text !== undefined) earlier.text = (earlier.text ?? "") + thought.text;
      earlier.signature = thought.signature;
    } else thoughts.push(thought);
    if (index === undefined) continue;
    if (thought.signature !== undefined || thought.redacted !== undefined) open.delete(index);
    else open.set(index, earlier ?? thought);
  }
  if (told) thoughts = joinLists(told, thoughts);
  if (thoughts.length > 0) return withoutRepeats(thoughts);
  const text = message.reasoning_content ?? message.reasoning;
  return typeof text === "string" && text ? [{ text }] : [];
}

/**
 * Joins two lists of an answer's thoughts: those before its content, and all. OpenRouter's provider for the AI SDK (3.1.0) has
 * dropped from the second list what stands in the first.
 */
function joinLists(told: Thought[], all: Thought[]): Thought[] {
  const rest = new Set(all);
  const byKey = new Map<string | undefined, Thought>();
  for (const thought of all.toReversed()) for (const key of keysOf(thought)) byKey.set(key, thought);
  const joined = told.map((earlier, at) => {
    const later = isSame(all[at], earlier) ? all[at] : byKey.get(keysOf(earlier)[0]);
    return later && rest.delete(later) ? later : undefined;
  });
  return joined.includes(undefined) ? [...joined.map((later, at) => later ?? told[at]), ...rest] : all;
}

/** What a thought is known by: its proof if it has one, and its text. */
const keysOf = ({ text, signature, redacted }: Thought): (string | undefined)[] => {
  const proof = signature ?? redacted;
  return proof === undefined ? [`text ${text}`] : [`proof ${proof}`, `text ${text}`];
};

/** Whether a thought is an earlier one, which may have grown since. */
const isSame = (later: Thought | undefined, earlier: Thought): boolean => {
  if (!later) return false;
  const proof = earlier.signature ?? earlier.redacted;
  return proof === undefined
    ? later.text?.startsWith(earlier.text ?? "") === true
    : proof === (later.signature ?? later.redacted);
};

/**
 * Removes repetitions. A stream of an earlier version sent its first thoughts twice without `AGAIN` between, and a client
 * that appends has kept both.
 */
function withoutRepeats(thoughts: Thought[]): Thought[] {
  const seen = new Set<string>();
  return thoughts.filter(({ signature, redacted }) => {
    const proof = signature ?? redacted;
    if (proof === undefined) return true;
    if (seen.has(proof)) return false;
    seen.add(proof);
    return true;
  });
}

/** Reads the sources of an earlier answer, in the form in which Sluice writes them. */
export function readCitations(annotations: unknown): Citation[] | undefined {
  const citations: Citation[] = [];
  for (const { url_citation: cited } of objects(annotations)) {
    if (!isObject(cited)) continue;
    const { url, title, start_index: start, end_index: end, ...extra } = cited;
    if (typeof start !== "number" || typeof end !== "number") continue;
    citations.push({
      url: typeof url === "string" ? url : "",
      title: typeof title === "string" ? title : "",
      start,
      end,
      extra,
    });
  }
  return citations.length > 0 ? citations : undefined;
}

/** An entry of `reasoning_details` as its maker wrote it, if Sluice has put it into an envelope. A damaged one is empty. */
export function openDetail(detail: JsonObject): JsonObject {
  const { data, format, index } = detail;
  const thought = isEnvelope(data) ? unseal(data)?.thought : undefined;
  if (!thought) return detail;
  const { text, signature, redacted, id, bound } = thought;
  const place = id ?? writePlace(0, bound, redacted ?? signature ?? "");
  const known = { format, index, ...(place !== undefined && { id: place }) };
  if (redacted !== undefined) return { type: "reasoning.encrypted", data: redacted, ...known };
  if (signature !== undefined) return { type: "reasoning.text", text: text ?? "", signature, ...known };
  return text === undefined ? {} : { type: "reasoning.text", text, format, index };
}

export function readThought(given: JsonObject): Thought | undefined {
  const detail = openDetail(given);
  if (detail.data === SEPARATOR) return undefined;
  // Mistral writes a list of texts.
  const thinking = Array.isArray(detail.thinking)
    ? objects(detail.thinking).map(({ text }) => text ?? "").join("")
    : detail.thinking;
  const text = [detail.text, thinking, detail.summary].find((value) => typeof value === "string");
  const signature = typeof detail.signature === "string" && detail.signature ? detail.signature : undefined;
  const { format: from } = detail;
  const format = typeof from === "string" && from !== "unknown" ? from : undefined;
  const { id } = detail;
  const place = typeof id === "string" ? readPlace(id) : undefined;
  if (typeof detail.data === "string") {
    const known = place ?? (typeof id === "string" ? { id } : {});
    return { redacted: detail.data, format, ...known };
  }
  if (text === undefined && !signature) return undefined;
  return { text: text as string | undefined, signature, format, ...place };
}

/**
 * Writes as the id of an entry how many pieces of its answer stood before it, and what its proof is bound to; `undefined` if
 * there is nothing to say. All clients keep ids. Each id is another one, because OpenRouter's provider for the AI SDK drops a
 * sealed entry whose id it has seen.
 */
export function writePlace(after: number, bound: string | undefined, proof: string): string | undefined {
  if (bound !== undefined) return `${AFTER}${after}.${bound}.${digest(hash(proof))}`;
  return after > 0 ? `${AFTER}${after}` : undefined;
}

/** Reads an id that `writePlace` has written; `undefined` for any other. */
function readPlace(id: string): Pick<Thought, "after" | "bound"> | undefined {
  if (!id.startsWith(AFTER)) return undefined;
  const [after, bound] = id.slice(AFTER.length).split(".");
  return { ...(Number(after) > 0 && { after: Number(after) }), ...(bound !== undefined && { bound }) };
}

/** Reads a signature where Google's OpenAI-compatible API writes it: `extra_content.google.thought_signature`. */
export function googleSignature({ extra_content: extra }: JsonObject): string | undefined {
  const google = isObject(extra) ? extra.google : undefined;
  return isObject(google) && typeof google.thought_signature === "string"
    ? google.thought_signature
    : undefined;
}
