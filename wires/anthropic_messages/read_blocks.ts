/**
 * Anthropic Messages, the provider's half: reads the blocks of an answer into neutral deltas.
 *
 * Tool calls are counted here, because the block numbers also count thinking and server tools.
 */
import { hash } from "../shared/hash.ts";
import { isObject, objects, parseObject, text } from "../shared/json.ts";
import type { textCounter } from "../shared/layout.ts";
import type { Citation, Emit, JsonObject, ServerCall } from "../types.ts";
import { mcpCallReader } from "./mcp.ts";
import { serverCallReader } from "./server_tools.ts";
import { type Envelope, SIGNED } from "./write_answered.ts";

/** What the end of an answer needs to know. */
export interface Kept {
  said: ReturnType<typeof textCounter>;
  thoughts: number;
  /** The order of the blocks, see `Envelope`. */
  order: string;
  calls?: Envelope["calls"];
  /** A hash of the answer's id, signatures and tool calls. It differs between answers. */
  nonce: number;
}

/** An open block. */
type Block =
  | { type: "text"; start: number; citations: JsonObject[] }
  | { type: "thought"; block: number; signed: boolean }
  /** `given` is the input in the block itself. In a whole message it is complete. */
  | { type: "tool"; index: number; given: unknown; filled: boolean }
  | { type: "other"; value: JsonObject; input: string };

/** Reads the blocks of one answer: each is opened, filled and closed by its index. */
export function blockReader(emit: Emit, kept: Kept) {
  const open = new Map<unknown, Block>();
  let tools = 0;
  const tell = (serverCall: ServerCall) => emit({ type: "server_tool", choice: 0, serverCall });
  const readServerCall = serverCallReader(tell), readMcpCall = mcpCallReader(tell);

  function say(text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    kept.said.add(text);
    emit({ type: "text", choice: 0, text });
  }

  function sign(to: { block: number; signed: boolean }, signature: unknown): void {
    if (typeof signature !== "string" || signature === "") return;
    to.signed = true;
    kept.nonce = hash(signature, kept.nonce);
    emit({ type: "thought", choice: 0, block: to.block, signature, format: SIGNED });
  }

  function close(index: unknown): void {
    const block = open.get(index);
    open.delete(index);
    switch (block?.type) {
      case "text":
        // Citations come before the text that they belong to, so their end is known only here.
        for (const citation of block.citations) {
          emit({
            type: "citation",
            choice: 0,
            citation: readCitation(citation, block.start, kept.said.length()),
          });
        }
        if (kept.said.length() > block.start) kept.order += `x${kept.said.length() - block.start}`;
        return;
      case "thought":
        if (block.signed) kept.order += "b";
        return;
      case "tool":
        if (!block.filled) argue(block, JSON.stringify(block.given ?? {}), emit);
        kept.order += "u";
        return;
      case "other": {
        const input = block.input === "" ? undefined : parseObject(block.input);
        const value = input ? { ...block.value, input } : block.value;
        kept.order += "b";
        emit({
          type: "thought",
          choice: 0,
          block: kept.thoughts++,
          redacted: JSON.stringify(value),
          format: SIGNED,
        });
        readServerCall(value);
        readMcpCall(value);
      }
    }
  }

  return {
    open(index: unknown, block: JsonObject): void {
      switch (block.type) {
        case "text":
          open.set(index, { type: "text", start: kept.said.length(), citations: objects(block.citations) });
          return say(block.text);
        case "thinking": {
          const opened: Block = { type: "thought", block: kept.thoughts++, signed: false };
          open.set(index, opened);
          think(opened.block, block.thinking, emit);
          return sign(opened, block.signature);
        }
        case "redacted_thinking": {
          const redacted = text(block.data);
          const opened: Block = { type: "thought", block: kept.thoughts++, signed: redacted !== undefined };
          open.set(index, opened);
          if (redacted) emit({ type: "thought", choice: 0, block: opened.block, redacted, format: SIGNED });
          return;
        }
        case "tool_use": {
          open.set(index, { type: "tool", index: tools, given: block.input, filled: false });
          const id = text(block.id) ?? `toolu_${tools + 1}`;
          kept.nonce = hash(id, kept.nonce);
          const extras = readExtras(block);
          if (extras) kept.calls = { ...kept.calls, [id]: extras };
          emit({ type: "tool", choice: 0, index: tools++, id, name: text(block.name) ?? "" });
          return;
        }
        default:
          open.set(index, { type: "other", value: block, input: "" });
      }
    },

    fill(index: unknown, delta: JsonObject): void {
      const block = open.get(index);
      switch (block?.type) {
        case "text":
          if (delta.type === "text_delta") say(delta.text);
          else if (delta.type === "citations_delta") block.citations.push(...objects([delta.citation]));
          return;
        case "thought":
          if (delta.type === "thinking_delta") think(block.block, delta.thinking, emit);
          else if (delta.type === "signature_delta") sign(block, delta.signature);
          return;
        case "tool":
          if (delta.type === "input_json_delta") argue(block, delta.partial_json, emit);
          return;
        case "other":
          if (delta.type === "input_json_delta") block.input += text(delta.partial_json) ?? "";
          else {
            // The block's final values, from `compaction_delta` and event types that may follow it.
            const { type: _, ...values } = delta;
            block.value = { ...block.value, ...values };
          }
      }
    },

    close,
    closeAll: () => open.forEach((_, index) => close(index)),
  };
}

function think(block: number, text: unknown, emit: Emit): void {
  if (typeof text !== "string" || text === "") return;
  emit({ type: "thought", choice: 0, block, text, format: SIGNED });
}

function argue(to: { index: number; filled: boolean }, text: unknown, emit: Emit): void {
  if (typeof text !== "string" || text === "") return;
  to.filled = true;
  emit({ type: "args", choice: 0, index: to.index, text });
}

/** The members of a tool call beside id, name and input. The usual caller, `direct`, is left out. */
function readExtras({ caller, toolset_name }: JsonObject): JsonObject | undefined {
  const extras: JsonObject = {};
  if (isObject(caller) && caller.type !== "direct") extras.caller = caller;
  if (typeof toolset_name === "string") extras.toolset_name = toolset_name;
  return Object.keys(extras).length > 0 ? extras : undefined;
}

/** Reads a citation. A place in a document has no URL: the URL is then empty, and `extra` holds the place. */
function readCitation(citation: JsonObject, start: number, end: number): Citation {
  const { url, title, ...extra } = citation;
  return {
    url: text(url) ?? text(extra.source) ?? "",
    title: text(title) ?? text(extra.document_title) ?? "",
    start,
    end,
    extra,
  };
}
