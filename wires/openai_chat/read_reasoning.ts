/**
 * OpenAI chat completions, the provider's half: reasoning in the members that the field has for it.
 *
 * `reasoning_content` (DeepSeek, Moonshot, z.ai, Alibaba, xAI) or `reasoning` (Groq, Cerebras, newer vLLM, OpenRouter) is text;
 * `reasoning_details` (OpenRouter, LiteLLM, Sluice) repeats it with its proofs, in the same piece or once more at the end.
 */
import { SEPARATOR } from "./read_thoughts.ts";
import { object, text } from "../shared/json.ts";
import type { Emit, JsonObject } from "../types.ts";

/** Reads the reasoning of one choice. */
export interface ReasoningReader {
  /** Takes a delta, or a whole message. */
  read(delta: JsonObject): void;
  /** Takes text that is known to be reasoning. */
  think(text: string): void;
  /** Something else was said: text that comes now is of another block. */
  close(): void;
}

/** Characters of reasoning that are kept to know them when they come again. */
const MOST_TOLD = 1_000_000;

export function reasoningReader(choice: number, emit: Emit): ReasoningReader {
  /** The number of the next block, and whether the last one is still open. */
  let next = 0;
  let isOpen = false;
  /** The block of each index of `reasoning_details`. */
  const blocks = new Map<number, number>();
  /** What was told as plain text, and how much of it has come again as details. */
  let told = "";
  let repeated = 0;

  function blockOf(index: number): number {
    if (!isOpen) blocks.clear();
    isOpen = true;
    let block = blocks.get(index);
    if (block === undefined) blocks.set(index, block = next++);
    return block;
  }

  function think(said: string): void {
    if (told.length < MOST_TOLD) told += said;
    emit({ type: "thought", choice, block: blockOf(0), text: said });
  }

  function readDetail(detail: JsonObject): void {
    const { data, index: given } = detail;
    if (data === SEPARATOR) return;
    const index = Number.isInteger(given) && given as number >= 0 ? given as number : 0;
    const format = typeof detail.format === "string" ? detail.format : undefined;
    const said = text(detail.text) ?? text(detail.summary);
    if (said !== undefined && told.startsWith(said, repeated)) repeated += said.length;
    else if (said !== undefined) {
      const summary = detail.type === "reasoning.summary" ? { summary: true } : {};
      emit({ type: "thought", choice, block: blockOf(index), text: said, format, ...summary });
    }
    const signature = text(detail.signature);
    if (signature !== undefined) {
      emit({ type: "thought", choice, block: blocks.get(index) ?? blockOf(index), signature, format });
    }
    if (typeof data !== "string") return;
    const id = text(detail.id);
    // Gemini's signature of a call is a thought of its own, whatever its index.
    const block = format === "google-gemini-v1" ? next++ : blocks.get(index) ?? blockOf(index);
    emit(
      id === undefined
        ? { type: "thought", choice, block, redacted: data, format }
        : { type: "thought", choice, block, redacted: data, format, id },
    );
  }

  return {
    read(delta) {
      const said = text(delta.reasoning_content) ?? text(delta.reasoning);
      const { reasoning_details: details } = delta;
      if (!Array.isArray(details)) {
        if (said !== undefined) think(said);
        return;
      }
      const list = details.map(object);
      // Both say the same: the details tell the blocks apart.
      const isTold = list.some((detail) =>
        detail && (text(detail.text) ?? text(detail.summary)) !== undefined
      );
      if (said !== undefined && !isTold) think(said);
      for (const detail of list) if (detail) readDetail(detail);
    },
    think,
    close() {
      isOpen = false;
    },
  };
}
