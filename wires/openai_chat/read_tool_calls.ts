import { googleSignature } from "./read_thoughts.ts";
import { object, text } from "../shared/json.ts";
import type { Emit, JsonObject } from "../types.ts";

/** A tool call that has begun. */
interface Begun {
  name?: string;
  /** The arguments came complete, with the name. */
  isWhole: boolean;
}

/**
 * Reads the tool calls of one choice from the pieces in which providers stream them.
 *
 * A piece begins a new tool call if it has a name and a new id. Without an id (Google's OpenAI-compatible API) it
 * begins one if its index or name is new, or if it is complete like the one before. The index alone is not enough:
 * Mistral leaves it out, z.ai sends -1, and OpenRouter has sent two tool calls under one. Later pieces have no id, the
 * same id, or `""` (Alibaba).
 *
 * @returns A function that reads the next element of `tool_calls`.
 */
export function toolCallReader(choice: number, emit: Emit): (toolCall: JsonObject) => void {
  const begun: Begun[] = [];
  /** The number of the last tool call with each id, and with each index. */
  const byId = new Map<string, number>();
  const byIndex = new Map<unknown, number>();
  /** The number of the tool call to which arguments belong. */
  let open = -1;

  return (toolCall) => {
    const { index } = toolCall;
    const id = text(toolCall.id);
    const custom = object(toolCall.custom);
    const { name: written, arguments: value } = custom
      ? { name: custom.name, arguments: custom.input }
      : object(toolCall.function) ?? {};
    const name = text(written);
    const piece = typeof value === "string" ? value : object(value) ? JSON.stringify(value) : "";
    const isWhole = name !== undefined && !custom && piece.startsWith("{") && piece.endsWith("}");
    let at: number | undefined;
    if (id !== undefined) at = byId.get(id);
    else if (name !== undefined) {
      at = byIndex.get(index);
      if (at !== undefined && (begun[at].name !== name || isWhole && begun[at].isWhole)) at = undefined;
    }
    if (at === undefined && (name !== undefined || begun.length === 0)) {
      at = begun.push({ name, isWhole }) - 1;
      if (id !== undefined) byId.set(id, at);
      byIndex.set(index, at);
      const signature = googleSignature(toolCall);
      emit({
        type: "tool",
        choice,
        index: at,
        id: id ?? `call_${choice}_${at}`,
        name: name ?? "",
        ...(custom && { custom: true }),
        ...(signature !== undefined && { signature }),
      });
    }
    open = at ?? byIndex.get(index) ?? open;
    if (piece) emit({ type: "args", choice, index: open, text: piece });
  };
}
