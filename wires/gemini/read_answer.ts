/**
 * Gemini's generateContent, the provider's half: reads answers. A stream is a list of partial answers, so one reader
 * serves both.
 *
 * Checked against `@google/genai` 3.1 types and ai.google.dev, 2026-11.
 *
 * @see https://ai.google.dev/api/generate-content#generatecontentresponse
 */
import { readCitations } from "./citations.ts";
import { isCounted, readLogprobs, readUsage } from "./counts.ts";
import { readError } from "./read_error.ts";
import { type Choice, newChoice, partReader } from "./read_parts.ts";
import { readServerWork } from "./server_calls.ts";
import { object, parseObject, text } from "../shared/json.ts";
import { badEvent, cutOff } from "../shared/stream_faults.ts";
import type { Delta, Emit, JsonObject, StopReason, StreamReader, WireError } from "../types.ts";

/** Reads a whole answer, or a stream that came as a list because `alt=sse` was ignored. */
export function readAnswer(body: JsonObject | JsonObject[], emit: Emit): void {
  const reader = answerReader(emit, !Array.isArray(body));
  for (const part of [body].flat()) reader.answer(object(part) ?? {});
  reader.end();
}

/** Reads a stream of `alt=sse`. It has no closing event, so the answer is only complete after a finish reason. */
export function readStream(emit: Emit): StreamReader {
  const reader = answerReader(emit, false);
  return {
    frame(data) {
      if (data === "[DONE]") return; // Google does not send `[DONE]`, but some proxies add it.
      const body = parseObject(data);
      if (body) return reader.answer(body);
      reader.fail(badEvent());
    },
    end: reader.end,
  };
}

function answerReader(emit: Emit, whole: boolean) {
  const choices: (Choice | undefined)[] = [];
  const { readPart, seal, closeCall } = partReader(emit, () => id);
  /** The head from the first event. It is emitted once the first candidate is known. */
  let head: Extract<Delta, { type: "start" }> | undefined;
  let started = false;
  let failed = false;
  let id = "";
  let usage: JsonObject | undefined;
  let block: JsonObject | undefined;

  function fail(error: WireError): void {
    if (failed) return;
    failed = true;
    if (usage) emit({ type: "usage", usage: readUsage(usage) });
    emit({ type: "error", error });
  }

  function readHead(body: JsonObject): void {
    id = text(body.responseId) ?? "";
    const created = Date.parse(text(body.createTime) ?? "");
    head = {
      type: "start",
      id: id || undefined,
      model: text(body.modelVersion),
      created: Number.isNaN(created) ? undefined : Math.floor(created / 1000),
    };
  }

  function start(choice: number): void {
    if (started || !head) return;
    started = true;
    emit(choice === 0 ? head : { ...head, choice });
  }

  function answer(body: JsonObject): void {
    if (failed) return;
    if (body.error !== undefined) return fail(readError(200, body));
    if (!head) readHead(body);
    const feedback = object(body.promptFeedback);
    if (feedback?.blockReason !== undefined) block = feedback;
    const counts = object(body.usageMetadata);
    if (counts && isCounted(counts)) usage = counts;
    if (!Array.isArray(body.candidates)) return;
    for (let at = 0; at < body.candidates.length; at++) {
      const candidate = object(body.candidates[at]);
      if (candidate) readCandidate(candidate, at);
    }
  }

  function readCandidate(candidate: JsonObject, at: number): void {
    // Google leaves out the index 0.
    const index = isIndex(candidate.index) ? candidate.index : at;
    start(index);
    const choice = choices[index] ??= newChoice();
    const parts = object(candidate.content)?.parts;
    let logprobs = candidate.logprobsResult === undefined
      ? undefined
      : readLogprobs(candidate.logprobsResult);
    if (Array.isArray(parts)) {
      for (const value of parts) {
        const part = object(value);
        if (whole) choice.starts.push(choice.text.length);
        if (part && readPart(part, index, choice, logprobs)) logprobs = undefined;
      }
    }
    if (logprobs !== undefined) emit({ type: "text", choice: index, text: "", logprobs });
    if (isReason(candidate.finishReason)) choice.reason = candidate.finishReason;
    if (candidate.finishMessage !== undefined) choice.message = candidate.finishMessage;
    const grounding = object(candidate.groundingMetadata);
    if (grounding && (grounding.groundingChunks || !choice.grounding)) choice.grounding = grounding;
    if (candidate.urlContextMetadata !== undefined) choice.fetched = candidate.urlContextMetadata;
    if (candidate.citationMetadata !== undefined) choice.citations = candidate.citationMetadata;
    if (candidate.continuationToken !== undefined) {
      seal(index, choice, { continuationToken: candidate.continuationToken });
    }
  }

  function end(): void {
    if (failed) return;
    const seen = choices.some(Boolean);
    start(0);
    if (!seen && block) {
      const why = text(block.blockReasonMessage) ?? `The prompt was blocked: ${block.blockReason}`;
      emit({ type: "refusal", choice: 0, text: why });
      if (usage) emit({ type: "usage", usage: readUsage(usage) });
      return emit({ type: "stop", choice: 0, reason: "content_filter" });
    }
    if (!seen) return fail({ message: "The provider's answer has no candidates", code: "no_candidates" });
    if (!whole && choices.some((choice) => choice && choice.reason === undefined)) {
      return fail(cutOff());
    }
    choices.forEach((choice, index) => {
      if (choice) close(index, choice);
    });
    if (usage) emit({ type: "usage", usage: readUsage(usage) });
  }

  function close(index: number, choice: Choice): void {
    closeCall(index, choice);
    readCitations(choice, (citation) => emit({ type: "citation", choice: index, citation }));
    readServerWork(choice, (serverCall) => emit({ type: "server_tool", choice: index, serverCall }));
    const reason = STOPS.get(choice.reason) ?? "stop";
    const ended = choice.reason === undefined || ENDS.has(choice.reason);
    // The provider's words for why there is no answer: OpenAI's finish reasons cannot tell.
    const why = text(choice.message) ?? (choice.spoke ? "" : `The model stopped: ${choice.reason}`);
    if (!ended && why) emit({ type: "refusal", choice: index, text: why });
    emit({ type: "stop", choice: index, reason });
  }

  return { answer, end, fail };
}

// ---------------------------------------------------------------- finish reasons

/**
 * The finish reasons by their names, and by the API's numbers, which a caller gets with `enum-encoding=int`. Any other
 * reason counts as `stop`.
 *
 * @see https://ai.google.dev/api/generate-content#FinishReason (2026-11)
 */
const STOPS: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ["STOP", "stop"],
  [1, "stop"],
  ["MAX_TOKENS", "length"],
  [2, "length"],
  ["CONTINUATION", "length"], // The limit of one request. The next request may continue with its token.
  ["SAFETY", "content_filter"],
  [3, "content_filter"],
  ["RECITATION", "content_filter"],
  [4, "content_filter"],
  ["LANGUAGE", "content_filter"],
  [6, "content_filter"],
  ["BLOCKLIST", "content_filter"],
  [7, "content_filter"],
  ["PROHIBITED_CONTENT", "content_filter"],
  [8, "content_filter"],
  ["SPII", "content_filter"],
  [9, "content_filter"],
  ["IMAGE_SAFETY", "content_filter"],
  [11, "content_filter"],
  ["IMAGE_PROHIBITED_CONTENT", "content_filter"],
  ["IMAGE_RECITATION", "content_filter"],
  ["MODEL_ARMOR", "content_filter"],
  ["JAILBREAK", "content_filter"],
]);

/**
 * Reasons that leave a usable answer. Any other reason (`MALFORMED_FUNCTION_CALL`, `OTHER`) is reported in a refusal.
 */
const ENDS: ReadonlySet<unknown> = new Set(["STOP", 1, "MAX_TOKENS", 2, "CONTINUATION"]);

/** Whether the reason ends the candidate. Absent, empty and unspecified mean that it continues. */
const isReason = (reason: unknown) =>
  typeof reason === "string"
    ? reason !== "" && reason !== "FINISH_REASON_UNSPECIFIED"
    : typeof reason === "number" && reason > 0;

// ---------------------------------------------------------------- helpers

/** Candidates are few. A huge index must not create a list with a billion holes. */
const isIndex = (index: unknown): index is number =>
  typeof index === "number" && Number.isInteger(index) && index >= 0 && index < 128;
