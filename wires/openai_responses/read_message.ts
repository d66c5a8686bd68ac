/** OpenAI's Responses, the provider's half: reads the messages of an answer into deltas. */
import { objects, text } from "../shared/json.ts";
import type { textCounter } from "../shared/layout.ts";
import type { Emit, JsonObject } from "../types.ts";
import { phaseMark, SEPARATOR } from "./write_answered.ts";

/** What the end of an answer needs to know. */
export interface Kept {
  said: ReturnType<typeof textCounter>;
  /** The layout of the answer, see `shared/layout.ts`. */
  order: string;
}

/** An open message, and what was emitted of it. */
export interface OpenMessage {
  type: "message";
  phase: unknown;
  start: number;
  told: string;
  refused: string;
  cited: number;
  parts: number[];
}

/** Reads the messages of one answer. */
export function messageReader(emit: Emit, kept: Kept) {
  function say(item: OpenMessage, piece: string, part: unknown, logprobs?: unknown): void {
    if (item.told === "" && kept.said.length() > 0) {
      kept.said.add(SEPARATOR.text);
      kept.order += SEPARATOR.token;
      emit({ type: "text", choice: 0, text: SEPARATOR.text });
      item.start = kept.said.length();
    }
    if (typeof part === "number") item.parts[part] ??= kept.said.length();
    item.told += piece;
    kept.said.add(piece);
    const probabilities = writeLogprobs(logprobs);
    emit({ type: "text", choice: 0, text: piece, ...(probabilities && { logprobs: probabilities }) });
  }

  function refuse(item: OpenMessage, piece: string): void {
    item.refused += piece;
    emit({ type: "refusal", choice: 0, text: piece });
  }

  function cite(item: OpenMessage, note: JsonObject, part: unknown): void {
    item.cited++;
    const { type, url, title, start_index: start, end_index: end, ...extra } = note;
    if (type !== "url_citation" || typeof url !== "string") return;
    const base = (typeof part === "number" ? item.parts[part] : undefined) ?? item.start;
    const at = (index: unknown) => typeof index === "number" ? base + index : kept.said.length();
    const citation = { url, title: text(title) ?? "", start: at(start), end: at(end) };
    emit({
      type: "citation",
      choice: 0,
      citation: Object.keys(extra).length > 0 ? { ...citation, extra } : citation,
    });
  }

  function close(opened: OpenMessage, item: JsonObject): void {
    const parts = objects(item.content);
    const whole = parts.map((part) => part.type === "refusal" ? "" : text(part.text) ?? "").join("");
    if (opened.told === "") {
      parts.forEach((part, at) => {
        const piece = part.type === "refusal" ? undefined : text(part.text);
        if (piece) say(opened, piece, at, part.logprobs);
      });
    } else if (whole.length > opened.told.length && whole.startsWith(opened.told)) {
      say(opened, whole.slice(opened.told.length), undefined);
    }
    if (opened.refused === "") {
      for (const { refusal } of parts) if (text(refusal)) refuse(opened, refusal as string);
    }
    if (opened.cited === 0) {
      parts.forEach((part, at) => objects(part.annotations).forEach((note) => cite(opened, note, at)));
    }
    const mark = phaseMark(item.phase ?? opened.phase);
    if (kept.said.length() > opened.start) kept.order += `x${kept.said.length() - opened.start}${mark}`;
  }

  return {
    open: (phase: unknown): OpenMessage => ({
      type: "message",
      phase,
      start: kept.said.length(),
      told: "",
      refused: "",
      cited: 0,
      parts: [],
    }),
    say,
    refuse,
    cite,
    close,
  };
}

/** Writes OpenAI's log probabilities in the form of chat completions; `undefined` if there are none. */
function writeLogprobs(records: unknown): JsonObject | undefined {
  const tokens = objects(records);
  if (tokens.length === 0) return undefined;
  const write = ({ token, logprob, bytes = null }: JsonObject): JsonObject => ({ token, logprob, bytes });
  const content = tokens.map((one) => ({
    ...write(one),
    top_logprobs: objects(one.top_logprobs).map(write),
  }));
  return { content, refusal: null };
}
