/** Tool calls of one choice, out of the pieces in which providers stream them. */
import { googleSignature } from "./read_thoughts.ts";
import { object, text } from "../shared/json.ts";
import type { Emit, JsonObject } from "../types.ts";

/** A call that has begun. */
interface Begun {
  name?: string;
  /** Its arguments came with its name. */
  isWhole: boolean;
}

/**
 * Reads the tool calls of one choice.
 *
 * A new call is one with a name, under a new id or, when it has none (Google's OpenAI form), under another index or name
 * than those before, or whole like the one before. Indexes alone do not tell: Mistral leaves them out, z.ai sends -1,
 * OpenRouter has sent two calls under one. Later deltas have no id, the same, or `""` (Alibaba).
 *
 * @returns Takes the next element of `tool_calls`.
 */
export function toolCallReader(choice: number, emit: Emit): (toolCall: JsonObject) => void {
  const begun: Begun[] = [];
  /** The last call of each id and of each index, by its number. */
  const byId = new Map<string, number>();
  const byIndex = new Map<unknown, number>();
  /** The number of the call that arguments belong to. */
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
