/**
 * OpenAI chat completions, the provider's half: reads reasoning from the members in which providers send it.
 *
 * `reasoning_content` (DeepSeek, Moonshot, z.ai, Alibaba, xAI) or `reasoning` (Groq, Cerebras, newer vLLM, OpenRouter)
 * is text. `reasoning_details` (OpenRouter, LiteLLM, Sluice) repeats the text with its proofs, in the same delta or at
 * the end.
 */
import { AGAIN, openDetail, SEPARATOR } from "./read_thoughts.ts";
import { isObject, text } from "../shared/json.ts";
import type { Emit, JsonObject } from "../types.ts";

export interface ReasoningReader {
  /** Reads a delta or a whole message. */
  read(delta: JsonObject): void;
  /** Reads a text that is known to be reasoning. */
  think(text: string): void;
  /** Ends the open block: other content has come, so later reasoning begins a new block. */
  close(): void;
}

/** An entry of `reasoning_details`: its block, the length of its text, and whether it had a proof. */
interface Entry {
  block: number;
  length: number;
  isProven: boolean;
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
  /** The entries of `reasoning_details`, and the number of the next one where they come again. */
  const entries: Entry[] = [];
  let again: number | undefined;

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
    if (data === AGAIN) return void (again = 0);
    const index = Number.isInteger(given) && given as number >= 0 ? given as number : 0;
    const format = typeof detail.format === "string" ? detail.format : undefined;
    const said = text(detail.text) ?? text(detail.summary);
    const signature = text(detail.signature);
    const known = again === undefined ? undefined : entries[again++];
    if (known) return addTo(known, said, signature, format);
    if (said !== undefined && told.startsWith(said, repeated)) repeated += said.length;
    else if (said !== undefined) {
      const summary = detail.type === "reasoning.summary" ? { summary: true } : {};
      emit({ type: "thought", choice, block: blockOf(index), text: said, format, ...summary });
    }
    if (signature !== undefined) {
      emit({ type: "thought", choice, block: blocks.get(index) ?? blockOf(index), signature, format });
    }
    entries.push({
      block: blocks.get(index) ?? next - 1,
      length: said?.length ?? 0,
      isProven: typeof (signature ?? data) === "string",
    });
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

  /** Reads an entry once more, of which there may be more now. */
  function addTo(known: Entry, said = "", signature: string | undefined, format: string | undefined): void {
    const { block, length, isProven } = known;
    // A provider that sends its text apart has told the rest already.
    if (said.length > length && told === "") {
      emit({ type: "thought", choice, block, text: said.slice(length), format });
    }
    if (signature !== undefined && !isProven) emit({ type: "thought", choice, block, signature, format });
  }

  return {
    read(delta) {
      const said = text(delta.reasoning_content) ?? text(delta.reasoning);
      const { reasoning_details: details } = delta;
      if (!Array.isArray(details)) {
        if (said !== undefined) think(said);
        return;
      }
      const list = details.map((detail) => isObject(detail) ? openDetail(detail) : undefined);
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
