/**
 * Amazon's Converse, the provider's half: reads answers and streams into deltas.
 *
 * A whole answer has the blocks that a stream tells of piece by piece, so both go through one reader. Read from the
 * types of `@aws-sdk/client-bedrock-runtime` 3.1164.0 and from recorded answers.
 */
import { GatewayError } from "../errors.ts";
import { count, list, object, objects, parse, text } from "../shared/json.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import type {
  Citation,
  Emit,
  JsonObject,
  ServerToolKind,
  StopReason,
  StreamReader,
  Usage,
} from "../types.ts";
import { readFault } from "./read_error.ts";
import { SEALED, SIGNED } from "./write_turns.ts";

/** The kinds of tools that Amazon runs, by their names. */
const SERVER_TOOLS: ReadonlyMap<unknown, ServerToolKind> = new Map<unknown, ServerToolKind>([
  ["nova_code_interpreter", "code_execution"],
  ["nova_grounding", "web_search"],
]);

/** An open block. */
interface Block {
  /** The number of the tool call, or of the thought. */
  index?: number;
  /** Where the block's text begins in the answer's text. */
  start: number;
  citations: JsonObject[];
  /** A call of a tool that Amazon runs, or its result. */
  server?: JsonObject;
  /** The JSON of that call's input, in pieces. */
  input: string;
  /** The format of a picture. */
  format?: unknown;
}

/** Makes the reader of one answer's blocks. */
function blockReader(emit: Emit) {
  const open = new Map<unknown, Block>();
  /** Calls of Amazon's own tools that have no result yet, by their ids. */
  const waiting = new Map<unknown, { kind: ServerToolKind; input: JsonObject }>();
  let length = 0, tools = 0, thoughts = 0;

  const blockAt = (at: unknown): Block => {
    let block = open.get(at);
    if (!block) open.set(at, block = { start: length, citations: [], input: "" });
    return block;
  };

  function say(said: unknown): void {
    if (typeof said !== "string" || said === "") return;
    length += said.length;
    emit({ type: "text", choice: 0, text: said });
  }

  function think(block: Block, said: JsonObject): void {
    const index = block.index ??= thoughts++;
    const delta = { type: "thought", choice: 0, block: index } as const;
    const { text: words, signature, redactedContent } = said;
    if (text(words)) emit({ ...delta, text: words as string });
    if (text(signature)) emit({ ...delta, signature: signature as string, format: SIGNED });
    if (text(redactedContent)) emit({ ...delta, ...unsealed(redactedContent as string) });
  }

  function showImage(format: unknown, source: unknown): void {
    const data = text(object(source)?.bytes);
    if (data) emit({ type: "image", choice: 0, media: { mime: `image/${text(format) ?? "png"}`, data } });
  }

  return {
    start(at: unknown, { toolUse, toolResult, image }: JsonObject): void {
      const block = blockAt(at);
      const use = object(toolUse);
      if (use?.type === "server_tool_use") block.server = use;
      else if (use) {
        block.index = tools++;
        const id = text(use.toolUseId) ?? `tooluse_${block.index}`;
        emit({ type: "tool", choice: 0, index: block.index, id, name: text(use.name) ?? "" });
      } else if (object(toolResult)) block.server = { ...object(toolResult) };
      else block.format = object(image)?.format;
    },
    delta(at: unknown, delta: JsonObject): void {
      const block = blockAt(at);
      say(delta.text);
      const piece = object(delta.toolUse)?.input;
      if (block.server) {
        block.input += text(piece) ?? "";
        if (Array.isArray(delta.toolResult)) {
          block.server.content = [...list(block.server.content), ...delta.toolResult];
        }
      } else if (text(piece) && block.index !== undefined) {
        emit({ type: "args", choice: 0, index: block.index, text: piece as string });
      }
      const reasoning = object(delta.reasoningContent);
      if (reasoning) think(block, reasoning);
      const citation = object(delta.citation);
      if (citation) block.citations.push(citation);
      const image = object(delta.image);
      if (image) showImage(image.format ?? block.format, image.source);
    },
    stop(at: unknown): void {
      const block = open.get(at);
      if (!block) return;
      open.delete(at);
      for (const citation of block.citations) {
        emit({ type: "citation", choice: 0, citation: readCitation(citation, block.start, length) });
      }
      const { server } = block;
      if (!server) return;
      const id = server.toolUseId;
      if (server.type === "server_tool_use") {
        const kind = SERVER_TOOLS.get(server.name);
        if (!kind) return;
        const { snippet, ...input } = object(server.input) ?? object(parse(block.input)) ?? {};
        return void waiting.set(id, { kind, input: snippet === undefined ? input : { code: snippet } });
      }
      const asked = waiting.get(id);
      if (!asked) return;
      waiting.delete(id);
      const result = objects(server.content).map(({ json }) => object(json)).find(Boolean);
      const output = `${text(result?.stdOut) ?? ""}${text(result?.stdErr) ?? ""}`;
      const failed = server.status === "error" || result?.isError === true;
      const serverCall = { ...asked, id: text(id), output, ...(failed && { error: "unavailable" }) };
      emit({ type: "server_tool", choice: 0, serverCall });
    },
  };
}

/** Claude's sealed text as Anthropic writes it. Converse encodes it once more. */
function unsealed(content: string): { redacted: string; format: string } {
  try {
    const sealed = atob(content);
    if (/^[\w+/=-]+$/.test(sealed) && btoa(sealed) === content) return { redacted: sealed, format: SIGNED };
  } catch { /* It is not base64. */ }
  return { redacted: content, format: SEALED };
}

/** The places of a citation: Amazon's member, and Anthropic's type with the names of its members. */
const PLACES: readonly (readonly [member: string, type: string, names: Readonly<Record<string, string>>])[] =
  [
    ["documentChar", "char_location", {
      documentIndex: "document_index",
      start: "start_char_index",
      end: "end_char_index",
    }],
    ["documentPage", "page_location", {
      documentIndex: "document_index",
      start: "start_page_number",
      end: "end_page_number",
    }],
    ["documentChunk", "content_block_location", {
      documentIndex: "document_index",
      start: "start_block_index",
      end: "end_block_index",
    }],
    ["searchResultLocation", "search_result_location", {
      searchResultIndex: "search_result_index",
      start: "start_block_index",
      end: "end_block_index",
    }],
  ];

function readCitation(citation: JsonObject, start: number, end: number): Citation {
  const { title, source, sourceContent } = citation;
  const location = object(citation.location) ?? {};
  const cited = objects(sourceContent).map((one) => text(one.text) ?? "").join("");
  const extra: JsonObject = cited ? { cited_text: cited } : {};
  const found = PLACES.find(([member]) => object(location[member]));
  if (found) {
    const [member, type, names] = found;
    const place = object(location[member])!;
    extra.type = type;
    for (const [from, to] of Object.entries(names)) if (place[from] !== undefined) extra[to] = place[from];
    extra[type === "search_result_location" ? "source" : "document_title"] = source ?? title ?? null;
  }
  const url = text(object(location.web)?.url) ?? text(source) ?? "";
  return { url, title: text(title) ?? "", start, end, extra };
}

// ---------------------------------------------------------------- the end

const STOPS: ReadonlyMap<unknown, StopReason> = new Map([
  ["content_filtered", "content_filter"],
  ["end_turn", "stop"],
  ["guardrail_intervened", "content_filter"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["stop_sequence", "stop"],
  ["tool_use", "tool_calls"],
]);

/** Reads why the answer ended. @returns Whether it failed. */
function readStop(reason: unknown, fields: unknown, emit: Emit): boolean {
  if (typeof reason === "string" && reason.startsWith("malformed_")) {
    const message = `The model's answer cannot be read: ${reason}`;
    emit({ type: "error", error: { message, type: "server_error", code: reason, status: 502 } });
    return true;
  }
  // Claude tells it where `additionalModelResponseFieldPaths` asks for `/delta/stop_sequence`.
  const told = object(fields) ?? {};
  const sequence = text(object(told.delta)?.stop_sequence) ?? text(told.stop_sequence);
  emit({ type: "stop", choice: 0, reason: STOPS.get(reason) ?? "stop", ...(sequence && { sequence }) });
  return false;
}

/** Reads the usage. Converse counts what is cached beside its `inputTokens`. */
function readUsage(value: unknown, emit: Emit): void {
  const told = object(value);
  if (!told) return;
  const usage: Usage = {
    input: count(told.inputTokens),
    cacheRead: count(told.cacheReadInputTokens),
    cacheWrite: count(told.cacheWriteInputTokens),
    audioIn: 0,
    output: count(told.outputTokens),
    reasoning: 0,
    audioOut: 0,
  };
  const hour = objects(told.cacheDetails).reduce(
    (sum, { ttl, inputTokens }) => ttl === "1h" ? sum + count(inputTokens) : sum,
    0,
  );
  if (hour > 0) usage.cacheWriteHour = Math.min(hour, usage.cacheWrite);
  emit({ type: "usage", usage });
}

/** Reads a whole answer, see `AnswerFormat`. */
export function readAnswer(body: JsonObject, emit: Emit): void {
  const message = object(object(body.output)?.message);
  if (!message) {
    const none = new GatewayError("bad_upstream_answer", "Cannot read Bedrock's answer: it has no message");
    return emit({ type: "error", error: readFault(body) ?? none.toWireError() });
  }
  const tier = text(object(body.serviceTier)?.type);
  emit(tier ? { type: "start", service_tier: tier } : { type: "start" });
  const read = blockReader(emit);
  objects(message.content).forEach((block, at) => {
    const { toolUse, toolResult, reasoningContent, citationsContent, image, text } = block;
    read.start(at, { toolUse, toolResult, image });
    const use = object(toolUse);
    if (use && use.type !== "server_tool_use") {
      read.delta(at, { toolUse: { input: JSON.stringify(use.input ?? {}) } });
    }
    const thought = object(reasoningContent);
    if (thought) read.delta(at, { reasoningContent: { ...thought, ...object(thought.reasoningText) } });
    const cited = object(citationsContent);
    for (const piece of objects(cited?.content)) read.delta(at, { text: piece.text });
    for (const citation of objects(cited?.citations)) read.delta(at, { citation });
    read.delta(at, { text, image });
    read.stop(at);
  });
  readUsage(body.usage, emit);
  readStop(body.stopReason, body.additionalModelResponseFields, emit);
}

/** Reads one stream, see `AnswerFormat`. The usage comes behind the reason of the stop. */
export function readStream(emit: Emit): StreamReader {
  const read = blockReader(emit);
  let ended = false, failed = false;
  return {
    frame(data: string, event: string): void {
      if (failed) return;
      const said = object(parse(data));
      if (!said) {
        failed = true;
        return emit({ type: "error", error: badEvent() });
      }
      switch (event) {
        case "messageStart":
          return emit({ type: "start" });
        case "contentBlockStart":
          return read.start(said.contentBlockIndex, object(said.start) ?? {});
        case "contentBlockDelta":
          return read.delta(said.contentBlockIndex, object(said.delta) ?? {});
        case "contentBlockStop":
          return read.stop(said.contentBlockIndex);
        case "messageStop":
          ended = true;
          failed = readStop(said.stopReason, said.additionalModelResponseFields, emit);
          return;
        case "metadata":
          return readUsage(said.usage, emit);
      }
    },
    end(): void {
      if (!ended && !failed) emit({ type: "error", error: cutOff() });
    },
  };
}
