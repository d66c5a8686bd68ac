/**
 * Anthropic Messages, an earlier answer: what a client has kept of it, back into the blocks that Claude wrote.
 *
 * Claude's signatures hold only where its blocks come back as they were and in their order. OpenAI's form has one text and
 * a list of calls, so what it has no place for travels as sealed thoughts, each a JSON object: a whole block (`type`), or
 * an *envelope* (`layout`) with the order of the blocks, what else the calls said, and the container. Both carry the
 * format of Claude's own thinking, because some clients drop a format that they do not know; sealed thinking of Claude's
 * is base64 and never begins with `{`.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking (2026-11)
 */
import { markLast, type Notes, TEXT_ONLY, writeParts } from "./write_parts.ts";
import { digest, hash } from "../shared/hash.ts";
import { isObject, list, object, parseExact, parseObject, text } from "../shared/json.ts";
import { arrange, isUsualOrder } from "../shared/layout.ts";
import type { Citation, JsonObject, MessageOf, Part, Thought, ToolCall } from "../types.ts";

/** Thinking that Anthropic signed, and what travels with it. */
export const SIGNED = "anthropic-claude-v1";
/** Formats of blocks and layouts in answers of earlier versions of Sluice, which clients may have kept. */
const BLOCK = "anthropic-block-v1";
const LAYOUT = "anthropic-layout-v1";

/** What an answer held that OpenAI's form has no place for. */
export interface Envelope {
  /** The order of the blocks, as `shared/layout.ts` writes it. Empty where the usual order is right. */
  layout: string;
  /** White space around the whole text, which some clients trim. */
  ends?: [lead: string, tail: string];
  /** By the call's id: members of its block beside `id`, `name` and `input`. */
  calls?: Record<string, JsonObject>;
  /** Where code runs: `{id, expires_at}`. */
  container?: JsonObject;
}

/** The order, where the blocks would not come back in it by themselves; else an empty text. */
export const neededLayout = (order: string): string =>
  order.includes("b") && !isUsualOrder(order) ? order : "";

/**
 * An envelope as a sealed thought's data; nothing if there is nothing to say.
 *
 * @param nonce Of this answer alone: some clients drop a sealed thought whose data they have seen in an earlier answer.
 */
export function writeEnvelope(envelope: Envelope, nonce: string): string | undefined {
  const { layout, calls, container } = envelope;
  if (layout === "" && !calls && !container) return undefined;
  return JSON.stringify({ ...envelope, nonce });
}

/** What a sealed thought holds, if it is one of ours. */
function unseal({ redacted, format }: Thought): JsonObject | undefined {
  if (redacted === undefined) return undefined;
  if (format === LAYOUT) return { layout: redacted };
  if (format === BLOCK) return parseObject(redacted);
  return (format === undefined || format === SIGNED) && redacted.startsWith("{")
    ? parseObject(redacted)
    : undefined;
}

/** Whether a thought is thinking that Anthropic takes back. */
export function isSigned(thought: Thought): boolean {
  const { signature, redacted, format } = thought;
  return (format === undefined || format === SIGNED) && Boolean(signature || redacted) && !unseal(thought);
}

/** An assistant's turn as it is sent. */
export interface Answered {
  blocks: JsonObject[];
  /** See `Envelope`. */
  container?: JsonObject;
}

/**
 * The blocks of an assistant's message: thinking, text, calls; or in the order in which the model wrote them, where it
 * wrote them in another and the client kept what we said of it. Thoughts that Anthropic did not sign are left out and
 * named: they prove nothing and it refuses them.
 */
export function writeAnswered(message: MessageOf<"assistant">, notes: Notes): Answered {
  const kept: JsonObject[] = [];
  let envelope: JsonObject = {};
  for (const thought of message.thoughts) {
    const sealed = unseal(thought);
    if (sealed && typeof sealed.layout === "string") envelope = sealed;
    else if (sealed && typeof sealed.type === "string") kept.push(sealed);
    else if (isSigned(thought)) kept.push(writeThinking(thought));
    else if (!sealed) notes.dropped.push(thought.path);
  }
  const extras = object(envelope.calls) ?? {};
  const calls = message.calls.map((call) => writeCallBlock(call, extras));
  const whole = wholeText(message.parts);
  const { citations = [] } = message;
  const layout = text(envelope.layout);
  const ordered = layout === undefined || whole === undefined
    ? undefined
    : arrange(layout, { kept, calls, whole, ends: endsOf(envelope), text: cite(byStretch(citations)) });
  const content = ordered ?? [...kept, ...writeText(message, whole, citations, notes), ...calls];
  return { blocks: markLast(content, message, notes), container: object(envelope.container) };
}

function writeThinking({ text, signature, redacted }: Thought): JsonObject {
  return redacted === undefined
    ? { type: "thinking", thinking: text ?? "", signature }
    : { type: "redacted_thinking", data: redacted };
}

function writeCallBlock(call: ToolCall, extras: JsonObject): JsonObject {
  const block = { type: "tool_use", id: safeId(call.id), name: call.name, input: readInput(call) };
  return Object.hasOwn(extras, call.id) && isObject(extras[call.id])
    ? { ...block, ...extras[call.id] as JsonObject, ...block } // In the order in which Claude gives them.
    : block;
}

/** Input is always an object: other text is told in the form that Anthropic's guide gives for broken JSON. */
function readInput({ arguments: text, custom }: ToolCall): unknown {
  if (custom) return { input: text };
  if (text.trim() === "") return {};
  const input = parseExact(text);
  if (input === null) return {}; // Written for calls without arguments by some.
  return object(input) ?? { INVALID_JSON: text }; // Cut off, most likely.
}

/**
 * An id of letters, digits, `-` and `_`, the same for a call and its result.
 *
 * Other characters become `_`; a hash of the whole keeps ids apart that would then be equal.
 */
export function safeId(id: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(id)) return id;
  return `${id.replace(/[^a-zA-Z0-9_-]/g, "_")}_${digest(hash(id))}`;
}

// ---------------------------------------------------------------- text

/** The text as the model wrote it, also where it is white space; nothing if there is anything else. */
function wholeText(parts: Part[]): string | undefined {
  let whole = "";
  for (const part of parts) {
    if (part.type !== "text" || part.cache !== undefined) return undefined;
    whole += part.text;
  }
  return whole;
}

/** The text of a message whose order is the usual one: a block for each cited stretch, and for what is between them. */
function writeText(
  message: MessageOf<"assistant">,
  whole: string | undefined,
  citations: readonly Citation[],
  notes: Notes,
): JsonObject[] {
  const cited = byStretch(citations);
  if (whole === undefined || cited.size === 0) {
    return writeParts({ ...message, cache: undefined }, TEXT_ONLY, notes);
  }
  const blocks: JsonObject[] = [];
  let at = 0;
  for (const { start, end } of citations) {
    if (start < at || end <= start || end > whole.length) continue; // Of the stretch before, or of an edited text.
    blocks.push(...textBlock(whole, at, start, cited), ...textBlock(whole, start, end, cited));
    at = end;
  }
  blocks.push(...textBlock(whole, at, whole.length, cited));
  return blocks;
}

type Cited = ReadonlyMap<string, JsonObject[]>;

/** Citations as Claude gave them, by the stretch of text that they are for. */
function byStretch(citations: readonly Citation[]): Cited {
  const cited = new Map<string, JsonObject[]>();
  for (const citation of citations) {
    const written = writeCitation(citation);
    const stretch = `${citation.start}-${citation.end}`;
    const same = cited.get(stretch);
    if (written && same) same.push(written);
    else if (written) cited.set(stretch, [written]);
  }
  return cited;
}

/** Writes stretches of text with their citations. */
const cite = (cited: Cited) => (said: string, start: number, end: number): JsonObject[] =>
  textBlock(said, start, end, cited);

/** None for white space alone, which the API refuses. */
function textBlock(whole: string, start: number, end: number, cited: Cited): JsonObject[] {
  const text = whole.slice(start, end);
  if (text.trim() === "") return [];
  const citations = cited.get(`${start}-${end}`);
  return [citations ? { type: "text", text, citations } : { type: "text", text }];
}

/** Members of each kind of citation that a request may have; answers have more (`file_id`). */
const CITATIONS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["char_location", ["cited_text", "document_index", "document_title", "end_char_index", "start_char_index"]],
  [
    "content_block_location",
    ["cited_text", "document_index", "document_title", "end_block_index", "start_block_index"],
  ],
  [
    "page_location",
    ["cited_text", "document_index", "document_title", "end_page_number", "start_page_number"],
  ],
  [
    "search_result_location",
    ["cited_text", "end_block_index", "search_result_index", "source", "start_block_index", "title"],
  ],
  ["web_search_result_location", ["cited_text", "encrypted_index", "title", "url"]],
]);

/** A citation as Claude gave it; nothing for one of another maker. */
function writeCitation({ url, title, extra = {} }: Citation): JsonObject | undefined {
  const members = CITATIONS.get(extra.type);
  if (!members) return undefined;
  // Clients have a title wherever there was none.
  const given: JsonObject = { ...extra, url, title: title === "" ? null : title };
  return { type: extra.type, ...Object.fromEntries(members.map((name) => [name, given[name] ?? null])) };
}

/** The white space around the text; nothing for an answer of an earlier version, which did not say. */
function endsOf({ ends, nonce }: JsonObject): [lead: string, tail: string] | undefined {
  if (nonce === undefined) return undefined;
  const [lead, tail] = list(ends);
  return [text(lead) ?? "", text(tail) ?? ""];
}
