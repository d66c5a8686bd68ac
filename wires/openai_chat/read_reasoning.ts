/**
 * OpenAI chat completions, the provider's half: reads reasoning from the members in which providers send it.
 *
 * `reasoning_content` (DeepSeek, Moonshot, z.ai, Alibaba, xAI) or `reasoning` (Groq, Cerebras, newer vLLM, OpenRouter)
 * is text. `reasoning_details` (OpenRouter, LiteLLM, Sluice) repeats the text with its proofs, in the same delta or at
 * the end.
 */
import { SEPARATOR } from "./read_thoughts.ts";
import { object, text } from "../shared/json.ts";
import type { Emit, JsonObject } from "../types.ts";

export interface ReasoningReader {
  /** Reads a delta or a whole message. */
  read(delta: JsonObject): void;
  /** Reads a text that is known to be reasoning. */
  think(text: string): void;
  /** Ends the open block: other content has come, so later reasoning begins a new block. */
  close(): void;
}

/** The most characters of reasoning that are kept to recognize repetitions. */
const MOST_TOLD = 1_000_000;

export function reasoningReader(choice: number, emit: Emit): ReasoningReader {
  /** The number of the next block, and whether the last block is still open. */
  let next = 0;
  let isOpen = false;
  /** The number of the block, by the index of a `reasoning_details` entry. */
  const blocks = new Map<number, number>();
  /** The reasoning emitted from plain text, and how many of its characters have come again as details. */
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
    // Gemini's signature of a tool call becomes a thought of its own, whatever its index.
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
      // Text and details say the same. The details are used, because they separate the blocks.
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
