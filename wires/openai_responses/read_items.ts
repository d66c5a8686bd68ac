/** OpenAI's Responses, the provider's half: reads the items of an answer, whole or piece by piece, into deltas. */
import { isObject, list, object, objects, text } from "../shared/json.ts";
import { textCounter } from "../shared/layout.ts";
import type { Emit, JsonObject, ServerCall } from "../types.ts";
import { readMcpCall } from "./mcp.ts";
import { type Kept, messageReader, type OpenMessage } from "./read_message.ts";
import { neededLayout } from "./write_answered.ts";

/** An open item, and what was emitted of it. */
type Item =
  | OpenMessage
  | OpenReasoning
  | { type: "call"; index: number; argued: boolean }
  | OpenOther;

/**
 * `told` is the kind of text that was emitted: the summary, or the reasoning itself if the provider shows it. `part` is the
 * number of its last text.
 */
interface OpenReasoning {
  type: "reasoning";
  block: number;
  told?: "summary" | "content";
  part: unknown;
}

interface OpenOther {
  type: "other";
  block: number;
}

/**
 * Makes a reader for the items of one answer.
 *
 * @param maker The format name of the thoughts that the provider seals.
 */
export function itemReader(maker: string, emit: Emit) {
  const items = new Map<unknown, Item>();
  /** The keys and ids of closed items. */
  const closed = new Set<unknown>();
  const kept: Kept = { said: textCounter(), order: "" };
  const messages = messageReader(emit, kept);
  const sealed = sealedReader(maker, emit, kept);
  let thoughts = 0;
  let calls = 0;

  const keyOf = ({ output_index, item_id }: JsonObject): unknown => output_index ?? item_id ?? 0;

  function open(key: unknown, item: JsonObject): Item {
    const opened = read(item);
    items.set(key, opened);
    return opened;
  }

  function read(item: JsonObject): Item {
    switch (item.type) {
      case "message":
        return messages.open(item.phase);
      case "reasoning":
        return { type: "reasoning", block: thoughts++, part: undefined };
      case "function_call":
      case "custom_tool_call": {
        const index = calls++;
        const id = text(item.call_id) ?? text(item.id) ?? `call_${index}`;
        const custom = item.type === "custom_tool_call" ? { custom: true } : {};
        emit({ type: "tool", choice: 0, index, id, name: text(item.name) ?? "", ...custom });
        return { type: "call", index, argued: false };
      }
      default: {
        const opened: Item = { type: "other", block: thoughts++ };
        // An empty thought: it only signals that the answer has begun.
        emit({ type: "thought", choice: 0, block: opened.block, format: maker });
        return opened;
      }
    }
  }

  function close(key: unknown, item: JsonObject): void {
    const opened = items.get(key) ?? open(key, item);
    items.delete(key);
    closed.add(key).add(item.id ?? key);
    switch (opened.type) {
      case "message":
        return messages.close(opened, item);
      case "reasoning":
        return sealed.close(opened, item);
      case "call":
        if (!opened.argued) argue(opened, asText(item.arguments ?? item.input), emit);
        kept.order += "u";
        return;
      case "other":
        sealed.closeOther(opened, item);
    }
  }

  return {
    open(event: JsonObject): void {
      open(keyOf(event), object(event.item) ?? {});
    },

    close(event: JsonObject): void {
      const item = object(event.item);
      if (item) close(keyOf(event), item);
    },

    /** Reads any other event. */
    fill(type: string, event: JsonObject): void {
      const item = items.get(keyOf(event));
      const piece = typeof event.delta === "string" ? event.delta : "";
      switch (type) {
        case "response.output_text.delta":
          if (piece !== "") messages.say(message(item, event), piece, event.content_index, event.logprobs);
          return;
        case "response.refusal.delta":
          if (piece !== "") messages.refuse(message(item, event), piece);
          return;
        case "response.output_text.annotation.added":
          return messages.cite(message(item, event), object(event.annotation) ?? {}, event.content_index);
        case "response.reasoning_summary_text.delta":
          return sealed.think(reasoning(item, event), "summary", piece, event.summary_index);
        case "response.reasoning_text.delta":
          return sealed.think(reasoning(item, event), "content", piece, event.content_index);
        case "response.function_call_arguments.delta":
        case "response.custom_tool_call_input.delta":
          if (item?.type === "call") argue(item, piece, emit);
          return;
      }
      // An unknown kind of piece: it signals that the answer has begun.
      if (!item && type.endsWith(".delta")) open(keyOf(event), {});
    },

    /** Called at the end of the answer with the whole response. */
    finish(response: JsonObject): void {
      list(response.output).forEach((item, at) => {
        if (!isObject(item) || closed.has(at) || item.id != null && closed.has(item.id)) return;
        close(items.has(item.id) ? item.id : at, item);
      });
      for (const [key, item] of items) if (item.type === "message") messages.close(item, { id: key });
      const layout = neededLayout(kept.order);
      if (layout === undefined) return;
      const ends = kept.said.ends();
      const redacted = JSON.stringify(ends ? { layout, ends } : { layout });
      emit({ type: "thought", choice: 0, block: thoughts++, redacted, format: maker, ...idOf(response) });
    },
  };

  /** The open message. Some providers send pieces of an item that they have not opened. */
  function message(item: Item | undefined, event: JsonObject): OpenMessage {
    return item?.type === "message" ? item : open(keyOf(event), { type: "message" }) as OpenMessage;
  }

  function reasoning(item: Item | undefined, event: JsonObject): OpenReasoning {
    return item?.type === "reasoning" ? item : open(keyOf(event), { type: "reasoning" }) as OpenReasoning;
  }
}

function argue(item: Item & { type: "call" }, piece: unknown, emit: Emit): void {
  if (typeof piece !== "string" || piece === "") return;
  item.argued = true;
  emit({ type: "args", choice: 0, index: item.index, text: piece });
}

/**
 * Reads the items that go back to their provider with the next turn: reasoning, and what no other API has.
 *
 * @param maker The format name of the thoughts that the provider seals.
 */
function sealedReader(maker: string, emit: Emit, kept: Kept) {
  /** @param part The number of the summary or text to which the piece belongs. */
  function think(
    item: OpenReasoning,
    kind: "summary" | "content",
    piece: string,
    part: unknown,
  ): void {
    item.told ??= kind;
    if (item.told !== kind || piece === "") return;
    const apart = item.part !== undefined && item.part !== part ? "\n\n" : "";
    item.part = part;
    const summary = kind === "summary" ? { summary: true } : {};
    emit({ type: "thought", choice: 0, block: item.block, text: apart + piece, format: maker, ...summary });
  }

  function close(opened: OpenReasoning, item: JsonObject): void {
    if (opened.told === undefined) {
      const kind = list(item.content).length > 0 ? "content" : "summary";
      objects(item[kind]).forEach((part, at) => think(opened, kind, text(part.text) ?? "", at));
    }
    const redacted = text(item.encrypted_content);
    if (redacted === undefined) return;
    kept.order += "b";
    emit({ type: "thought", choice: 0, block: opened.block, redacted, format: maker, ...idOf(item) });
  }

  /**
   * Closes an item of another type. A picture is shown to the client; any other item goes back to its provider with the
   * next turn.
   */
  function closeOther(opened: OpenOther, item: JsonObject): void {
    if (item.type === "image_generation_call") {
      const data = text(item.result);
      const mime = `image/${text(item.output_format) ?? "png"}`;
      if (data) emit({ type: "image", choice: 0, media: { mime, data } });
      return;
    }
    if (typeof item.type !== "string") return;
    const serverCall = readServerCall(item);
    if (serverCall) emit({ type: "server_tool", choice: 0, serverCall });
    kept.order += "b";
    const redacted = JSON.stringify(item);
    emit({ type: "thought", choice: 0, block: opened.block, redacted, format: maker, ...idOf(item) });
  }

  return { think, close, closeOther };
}

/** Reads a call of one of OpenAI's own tools, if other providers have such a tool too. */
function readServerCall(item: JsonObject): ServerCall | undefined {
  const { type, id, action, code } = item;
  if (type === "mcp_call") return readMcpCall(item);
  const named = text(id) ? { id: text(id) } : {};
  if (type === "code_interpreter_call") return { kind: "code_execution", ...named, input: { code } };
  if (type !== "web_search_call") return undefined;
  const { type: _, sources, ...input } = object(action) ?? {};
  const results = objects(sources).flatMap(({ url, title }) =>
    typeof url === "string" ? [{ url, title: text(title) ?? url }] : []
  );
  return { kind: "web_search", ...named, input, ...(results.length > 0 && { results }) };
}

const idOf = ({ id }: JsonObject): { id?: string } => typeof id === "string" ? { id } : {};

const asText = (value: unknown): unknown => isObject(value) ? JSON.stringify(value) : value;
