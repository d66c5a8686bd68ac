/**
 * Anthropic Messages, an earlier answer: restores the blocks that Claude wrote from what the client kept.
 *
 * Claude's signatures are only valid if its blocks come back unchanged and in their order. OpenAI's form has one text
 * and a list of tool calls. What it cannot hold travels as sealed thoughts, each a JSON object: a whole block (`type`),
 * or an *envelope* (`layout`) with the order of the blocks, further members of tool calls, and the container. Both have
 * the format name of Claude's own thinking, because some clients drop formats that they do not know. Claude's sealed
 * thinking is base64 and never begins with `{`, so the two cannot be confused.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/preserved-thinking (2026-11)
 */
import { markLast, type Notes, TEXT_ONLY, writeParts } from "./write_parts.ts";
import { digest, hash } from "../shared/hash.ts";
import { append, isObject, list, object, parseExact, parseObject, text } from "../shared/json.ts";
import { arrange, isUsualOrder } from "../shared/layout.ts";
import type { Citation, JsonObject, Message, MessageOf, Part, Thought, ToolCall } from "../types.ts";

/** The format name of Claude's signed thinking and of the sealed thoughts that travel with it. */
export const SIGNED = "anthropic-claude-v1";
/** The format names that earlier versions of Sluice gave to blocks and layouts. Clients may have kept such answers. */
const BLOCK = "anthropic-block-v1";
const LAYOUT = "anthropic-layout-v1";

/** What an answer has that OpenAI's form cannot hold. */
export interface Envelope {
  /** The order of the blocks, as `shared/layout.ts` writes it. Empty if it is the usual order. */
  layout: string;
  /** The white space around the whole text. Some clients trim it. */
  ends?: [lead: string, tail: string];
  /** By the id of a tool call: the members of its block beside `id`, `name` and `input`. */
  calls?: Record<string, JsonObject>;
  /** The container in which code runs: `{id, expires_at}`. */
  container?: JsonObject;
}

/** The order if it must be sent along; empty if the blocks come back in their order anyway. */
export const neededLayout = (order: string): string =>
  order.includes("b") && !isUsualOrder(order) ? order : "";

/**
 * Writes an envelope as the data of a sealed thought; `undefined` if the envelope is empty.
 *
 * @param nonce Differs between answers: some clients drop a sealed thought whose data they have seen in an earlier
 * answer.
 */
export function writeEnvelope(envelope: Envelope, nonce: string): string | undefined {
  const { layout, calls, container } = envelope;
  if (layout === "" && !calls && !container) return undefined;
  return JSON.stringify({ ...envelope, nonce });
}

/** The content of a sealed thought; `undefined` if Sluice did not write it. */
export function unseal({ redacted, format }: Thought): JsonObject | undefined {
  if (redacted === undefined) return undefined;
  if (format === LAYOUT) return { layout: redacted };
  if (format === BLOCK) return parseObject(redacted);
  return (format === undefined || format === SIGNED) && redacted.startsWith("{")
    ? parseObject(redacted)
    : undefined;
}

/** Whether a thought is signed thinking that Anthropic accepts. */
export function isSigned(thought: Thought): boolean {
  const { signature, redacted, format } = thought;
  return (format === undefined || format === SIGNED) && Boolean(signature || redacted) && !unseal(thought);
}

export interface Answered {
  blocks: JsonObject[];
  /** The container, see `Envelope`. */
  container?: JsonObject;
}

/**
 * Writes the blocks of an assistant's message: thinking, text, tool calls. If the model wrote them in another order and
 * the client kept the envelope, they are written in the model's order. Thoughts that Anthropic did not sign are left
 * out and named: they prove nothing, and the API refuses them.
 */
export function writeAnswered(message: MessageOf<"assistant">, notes: Notes): Answered {
  const opened = openThoughts(message, notes.dropped);
  const { kept, calls, envelope } = opened;
  const whole = wholeText(message.parts);
  const { citations = [] } = message;
  const content = inLayout(opened, message, whole) ??
    [...kept, ...writeText(message, whole, citations, notes), ...calls];
  return { blocks: markLast(content, message, notes), container: object(envelope.container) };
}

/**
 * The number of an answer's first thoughts that can be written where the model wrote them. Some clients return only a
 * part of the thoughts, or have edited the text that the layout is of.
 */
export function thoughtsInPlace(message: MessageOf<"assistant">): number {
  const { thoughts, parts } = message;
  const at = thoughts.findIndex(({ after }, at) => after !== undefined && after !== at);
  if (at < 0 || inLayout(openThoughts(message, []), message, wholeText(parts))) return thoughts.length;
  return at;
}

/**
 * Turns that follow one another as one, where a layout is of all of them: clients of Responses have an answer's pieces as
 * items, and an answer that thinks again behind a text is two turns of theirs.
 */
export function joinAnswers(list: Message[]): Message[] {
  if (!list.some(({ role }, at) => role === "assistant" && list[at + 1]?.role === role)) return list;
  const out: Message[] = [];
  /** Turns of one answer: the layout stands in the last of them. */
  let run: MessageOf<"assistant">[] = [];
  const close = () => {
    append(out, run);
    run = [];
  };
  for (const message of list) {
    if (message.role !== "assistant") {
      close();
      out.push(message);
      continue;
    }
    run.push(message);
    if (!message.thoughts.some((thought) => typeof unseal(thought)?.layout === "string")) continue;
    const joined = joinTurns(run);
    if (run.length > 1 && inLayout(openThoughts(joined, []), joined, wholeText(joined.parts))) run = [joined];
    close();
  }
  close();
  return out;
}

function joinTurns(turns: MessageOf<"assistant">[]): MessageOf<"assistant"> {
  let base = 0;
  const citations = turns.flatMap(({ citations = [], parts }) => {
    const from = base;
    base += wholeText(parts)?.length ?? 0;
    return citations.map((one) => ({ ...one, start: from + one.start, end: from + one.end }));
  });
  return {
    ...turns[turns.length - 1],
    path: turns[0].path,
    thoughts: turns.flatMap(({ thoughts }) => thoughts),
    parts: turns.flatMap(({ parts }) => parts),
    calls: turns.flatMap(({ calls }) => calls),
    citations,
  };
}

/** The content of an answer's sealed thoughts. */
interface Opened {
  kept: JsonObject[];
  calls: JsonObject[];
  envelope: JsonObject;
}

function openThoughts(message: MessageOf<"assistant">, dropped: string[]): Opened {
  const kept: JsonObject[] = [];
  let envelope: JsonObject = {};
  for (const thought of message.thoughts) {
    const sealed = unseal(thought);
    if (sealed && typeof sealed.layout === "string") envelope = sealed;
    else if (sealed && typeof sealed.type === "string") kept.push(sealed);
    else if (isSigned(thought)) kept.push(writeThinking(thought));
    else if (!sealed) dropped.push(thought.path);
  }
  const extras = object(envelope.calls) ?? {};
  return { kept, envelope, calls: message.calls.map((call) => writeCallBlock(call, extras)) };
}

/** The blocks in the order that the model wrote; nothing where the order is not known, or is not of these. */
function inLayout(
  { kept, calls, envelope }: Opened,
  { citations = [] }: MessageOf<"assistant">,
  whole: string | undefined,
): JsonObject[] | undefined {
  const layout = text(envelope.layout);
  if (layout === undefined || whole === undefined) return undefined;
  return arrange(layout, { kept, calls, whole, ends: endsOf(envelope), text: cite(byStretch(citations)) });
}

function writeThinking({ text, signature, redacted }: Thought): JsonObject {
  return redacted === undefined
    ? { type: "thinking", thinking: text ?? "", signature }
    : { type: "redacted_thinking", data: redacted };
}

function writeCallBlock(call: ToolCall, extras: JsonObject): JsonObject {
  const block = { type: "tool_use", id: safeId(call.id), name: call.name, input: readInput(call) };
  return Object.hasOwn(extras, call.id) && isObject(extras[call.id])
    ? { ...block, ...extras[call.id] as JsonObject, ...block } // This order of members is Claude's.
    : block;
}

/**
 * Reads the input of a tool call, which must be an object. Text that is not an object is sent as Anthropic's guide
 * recommends for broken JSON.
 */
function readInput({ arguments: text, custom }: ToolCall): unknown {
  if (custom) return { input: text };
  if (text.trim() === "") return {};
  const input = parseExact(text);
  if (input === null) return {}; // Some models write `null` for a call without arguments.
  return object(input) ?? { INVALID_JSON: text }; // Most likely the arguments were cut off.
}

/**
 * Makes an id of letters, digits, `-` and `_`; the same id for a tool call and its result.
 *
 * Other characters become `_`. A hash of the whole id is appended, so that different ids stay different.
 */
export function safeId(id: string): string {
  if (/^[a-zA-Z0-9_-]+$/.test(id)) return id;
  return `${id.replace(/[^a-zA-Z0-9_-]/g, "_")}_${digest(hash(id))}`;
}

// ---------------------------------------------------------------- text

/** The whole text as the model wrote it, white space included; `undefined` if the parts are not all unmarked text. */
function wholeText(parts: Part[]): string | undefined {
  let whole = "";
  for (const part of parts) {
    if (part.type !== "text" || part.cache !== undefined) return undefined;
    whole += part.text;
  }
  return whole;
}

/**
 * Writes the text of a message in the usual order: one block per cited stretch, and one for each stretch between them.
 */
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
    if (start < at || end <= start || end > whole.length) continue; // The same stretch again, or the client has edited the text.
    blocks.push(...textBlock(whole, at, start, cited), ...textBlock(whole, start, end, cited));
    at = end;
  }
  blocks.push(...textBlock(whole, at, whole.length, cited));
  return blocks;
}

type Cited = ReadonlyMap<string, JsonObject[]>;

/** Claude's citations by their stretch of the text (`start-end`). */
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

/** Makes a function that writes stretches of text with their citations. */
const cite = (cited: Cited) => (said: string, start: number, end: number): JsonObject[] =>
  textBlock(said, start, end, cited);

/** Writes a text block; none for white space alone, which the API refuses. */
function textBlock(whole: string, start: number, end: number, cited: Cited): JsonObject[] {
  const text = whole.slice(start, end);
  if (text.trim() === "") return [];
  const citations = cited.get(`${start}-${end}`);
  return [citations ? { type: "text", text, citations } : { type: "text", text }];
}

/**
 * The members that each kind of citation may have in a request. In answers they have more (`file_id`).
 *
 * Read from `@anthropic-ai/sdk` 1.14.0 (the `…CitationParam` types), 2026-11.
 */
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

/** Restores a citation of Claude's; `undefined` for one of another provider. */
function writeCitation({ url, title, extra = {} }: Citation): JsonObject | undefined {
  const members = CITATIONS.get(extra.type);
  if (!members) return undefined;
  // Clients get an empty title where Claude gave none.
  const given: JsonObject = { ...extra, url, title: title === "" ? null : title };
  return { type: extra.type, ...Object.fromEntries(members.map((name) => [name, given[name] ?? null])) };
}

/** The white space around the text; `undefined` for an answer of an earlier version, which did not record it. */
function endsOf({ ends, nonce }: JsonObject): [lead: string, tail: string] | undefined {
  if (nonce === undefined) return undefined;
  const [lead, tail] = list(ends);
  return [text(lead) ?? "", text(tail) ?? ""];
}
